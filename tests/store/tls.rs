//! The way to a server that is not on this machine is encrypted, and leads to the right one.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envelope_store::{Store, StoreError};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::postgres::{SERVER, SUPERUSER, own, serve};
use super::world::folder;
use crate::not_shown;

/// As far away as a test can be: an address of the loopback network that nobody calls by name.
const FAR: &str = "127.0.0.2";

/// The same server by an address that its certificate does not name.
const OTHER: &str = "127.0.0.3";

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn pem(kind: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", lines.join("\n"))
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// A server with a certificate by `authority`; its port.
fn server(authority: &CertifiedIssuer<'static, KeyPair>) -> u16 {
    let port = free_port();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new([FAR.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    let prepare = |data: &Path| {
        let write = |name: &str, text: &str| {
            let path = data.join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600))
                .unwrap();
            own(&path)
        };
        write("server.crt", &pem("CERTIFICATE", certificate.der()))?;
        write("server.key", &pem("PRIVATE KEY", &key.serialize_der()))?;
        write("pg_hba.conf", "local all all trust\nhostssl all all 127.0.0.0/8 trust\n")
    };
    let (at, listen) = (format!("port={port}"), format!("listen_addresses={FAR},{OTHER}"));
    serve(folder(), prepare, &["-c", &at, "-c", &listen, "-c", "ssl=on"]).unwrap();
    port
}

#[test]
fn a_far_server_is_reached_encrypted_or_not_at_all() {
    if let Err(why) = &*SERVER {
        return not_shown::or_fail("PostgreSQL", why);
    }
    let (ours, others) = (authority(), authority());
    let port = server(&ours);
    let roots = |authority: &CertifiedIssuer<'static, KeyPair>| {
        let path = folder().join("root.pem");
        fs::write(&path, pem("CERTIFICATE", authority.der())).unwrap();
        path.display().to_string()
    };
    let (ours, others) = (roots(&ours), roots(&others));
    let url = |host: &str, more: &str| {
        format!("postgres://{SUPERUSER}@{host}:{port}/postgres?sslrootcert={more}")
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        for more in
            [ours.clone(), format!("{ours}&sslmode=disable"), format!("{ours}&sslmode=prefer")]
        {
            let store = Store::look(&url(FAR, &more)).await.unwrap();
            let mut tx = store.read().await.unwrap();
            drop(tx.wide(&envelope_store::sql::wide()[0], Vec::new()).await);
            drop(tx);
            store.close().await;
        }
        for (host, roots) in [(FAR, &others), (OTHER, &ours)] {
            let refused = Store::look(&url(host, roots)).await.unwrap_err().to_string();
            assert!(refused.contains("certificate"), "{host}: {refused}");
        }
    });
}

/// Who answers that it cannot encrypt is told nothing more.
#[test]
fn a_far_server_without_encryption_hears_nothing() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind((FAR, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = [0; 8];
            stream.read_exact(&mut asked).await.unwrap();
            stream.write_all(b"N").await.unwrap();
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).await.unwrap();
            (asked, rest)
        });
        let url = format!("postgres://user:secret@{FAR}:{port}/x?sslmode=disable");
        let refused = Store::look(&url).await.unwrap_err();
        assert!(matches!(refused, StoreError::Database { .. }), "{refused}");
        assert!(!refused.to_string().contains("secret"), "{refused}");
        let (asked, rest) = heard.await.unwrap();
        assert_eq!(asked, [0, 0, 0, 8, 4, 210, 22, 47], "the question for encryption");
        assert_eq!(rest, b"");
    });
}
