//! Whose certificates count. There is no way to count none.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

/// The authorities that vouch for hosts.
#[derive(Debug, Clone, Default)]
pub enum Roots {
    /// Those that browsers trust.
    #[default]
    Public,
    /// Those and the operator's own, each a certificate in DER.
    PublicAnd(Vec<Vec<u8>>),
    /// The operator's own alone.
    Only(Vec<Vec<u8>>),
}

impl Roots {
    /// The certificates in a file: one in DER, or any number in PEM.
    pub fn read(file: &[u8]) -> Result<Vec<Vec<u8>>, BadRoot> {
        if !file.starts_with(b"-----BEGIN") && !file.windows(11).any(|it| it == b"\n-----BEGIN") {
            return Ok(vec![file.to_vec()]);
        }
        let read = CertificateDer::pem_slice_iter(file).enumerate();
        let read = read.map(|(place, root)| match root {
            Ok(root) => Ok(root.to_vec()),
            Err(_) => Err(BadRoot::Certificate(place)),
        });
        let read: Vec<_> = read.collect::<Result<_, _>>()?;
        if read.is_empty() { Err(BadRoot::None) } else { Ok(read) }
    }
}

/// A certificate that cannot vouch for anybody.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BadRoot {
    /// It is no certificate of an authority.
    #[error("root certificate {0} cannot be read: give it in PEM or DER")]
    Certificate(usize),
    /// Nobody would be trusted at all.
    #[error("no root certificate is left: every connection would fail")]
    None,
    /// The TLS library does not offer what it should.
    #[error("TLS cannot be set up: {0}")]
    Tls(rustls::Error),
}

/// TLS 1.2 and 1.3, HTTP/1.1 and nothing else, no client certificate.
pub(super) fn connector(roots: Roots) -> Result<TlsConnector, BadRoot> {
    let mut store = RootCertStore::empty();
    let own = match roots {
        Roots::Public => {
            store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            Vec::new()
        }
        Roots::PublicAnd(own) => {
            store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            own
        }
        Roots::Only(own) => own,
    };
    for (place, root) in own.into_iter().enumerate() {
        let added = store.add(CertificateDer::from(root));
        added.map_err(|_| BadRoot::Certificate(place))?;
    }
    if store.is_empty() {
        return Err(BadRoot::None);
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let versions =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = versions.map_err(BadRoot::Tls)?;
    let mut config = builder.with_root_certificates(store).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}
