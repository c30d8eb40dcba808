//! TLS with real certificates: made here, by an authority that the operator trusts or does not.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envelope_gate::net::{BadRoot, Network, Roots, Settings};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::peer::Peer;
use super::scripted::Scripted;
use super::{LOOPBACK, online_with, settings};
use crate::engine::world::run;

const NAME: &str = "api.ok.test";

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "An authority");
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A peer whose certificate says what `change` makes it say.
fn peer(
    authority: &CertifiedIssuer<'static, KeyPair>,
    change: impl Fn(&mut CertificateParams),
) -> Peer {
    let mut params = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    serve(vec![certificate.der().clone()], &key)
}

fn serve(chain: Vec<rustls::pki_types::CertificateDer<'static>>, key: &KeyPair) -> Peer {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let config = Arc::new(config.with_single_cert(chain, key).unwrap());
    let wrap = move |stream| -> Box<dyn super::peer::Stream> {
        let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        Box::new(StreamOwned::new(connection, stream))
    };
    Peer::wrapped(SocketAddr::new(LOOPBACK, 0), Arc::new(wrap))
}

/// What a guest sees of `peer`, called `host`, when `roots` count.
fn seen(peer: &Peer, host: &str, scheme: &str, roots: Roots) -> String {
    let names = Scripted::default().with(NAME, &["127.0.0.1"]).with("b.ok.test", &["127.0.0.1"]);
    let mut settings = Settings { names: Box::new(names), roots, ..settings(peer) };
    settings.reach.push("api.ok.test=127.0.0.1/32".parse().unwrap());
    settings.reach.push("b.ok.test=127.0.0.1/32".parse().unwrap());
    let at = format!("{host}:{}", peer.port);
    let (rule, act) =
        (format!("GET {scheme}://{at}/v1/**"), format!("send GET|{scheme}|{at}|/v1/x"));
    let ran = run(&online_with(peer, &[&rule], &[&act], settings));
    ran.replays_same();
    ran.said().strip_prefix("send: ").unwrap().to_owned()
}

const FINE: &str = "ok 200 hello";
const BAD: &str = "TlsCertificateError";

#[test]
fn an_authority_that_the_operator_trusts_is_trusted() {
    let authority = authority();
    let root = authority.der().to_vec();
    let peer = peer(&authority, |_| {});
    assert_eq!(seen(&peer, NAME, "https", Roots::Only(vec![root.clone()])), FINE);
    assert_eq!(seen(&peer, NAME, "https", Roots::PublicAnd(vec![root.clone()])), FINE);
    assert_eq!(peer.heard().len(), 2);
    assert_eq!(seen(&peer, NAME, "https", Roots::Public), BAD);
    let other = super::tls::authority().der().to_vec();
    assert_eq!(seen(&peer, NAME, "https", Roots::Only(vec![other])), BAD);
    assert!(peer.heard()[2..].iter().all(String::is_empty), "it heard no request");
}

#[test]
fn a_certificate_has_to_stand_for_the_very_host() {
    let authority = authority();
    let root = || Roots::Only(vec![authority.der().to_vec()]);
    let named = peer(&authority, |_| {});
    assert_eq!(seen(&named, "b.ok.test", "https", root()), BAD);
    assert_eq!(seen(&named, "127.0.0.1", "https", root()), BAD, "nor for its address");
    let addressed = peer(&authority, |params| {
        params.subject_alt_names = vec![rcgen::SanType::IpAddress(IpAddr::from([127, 0, 0, 1]))];
    });
    assert_eq!(seen(&addressed, "127.0.0.1", "https", root()), FINE);
    let common = peer(&authority, |params| {
        params.subject_alt_names.clear();
        params.distinguished_name.push(DnType::CommonName, NAME);
    });
    assert_eq!(seen(&common, NAME, "https", root()), BAD, "a common name alone");
    assert!(named.heard().iter().chain(&common.heard()).all(String::is_empty));
}

#[test]
fn a_certificate_has_its_time() {
    let authority = authority();
    let root = || Roots::Only(vec![authority.der().to_vec()]);
    let expired = peer(&authority, |params| params.not_after = date_time_ymd(2020, 1, 1));
    assert_eq!(seen(&expired, NAME, "https", root()), BAD);
    let early = peer(&authority, |params| params.not_before = date_time_ymd(2090, 1, 1));
    assert_eq!(seen(&early, NAME, "https", root()), BAD);
    let current = peer(&authority, |_| {});
    assert_eq!(seen(&current, NAME, "https", root()), FINE);
}

#[test]
fn nobody_vouches_for_himself() {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let peer = serve(vec![certificate.der().clone()], &key);
    assert_eq!(seen(&peer, NAME, "https", Roots::Public), BAD);
    assert!(peer.heard().iter().all(String::is_empty));
}

/// What was to be secret never goes in clear, and what is in clear is not taken for secret.
#[test]
fn schemes_are_not_mixed() {
    let authority = authority();
    let root = || Roots::Only(vec![authority.der().to_vec()]);
    let clear = Peer::start(LOOPBACK);
    let found = seen(&clear, NAME, "https", root());
    assert!(
        ["TlsProtocolError", "ConnectionTerminated", "ConnectionTimeout"].contains(&&*found),
        "{found}"
    );
    assert!(!clear.heard()[0].contains("GET"), "no retry in clear");
    let secret = peer(&authority, |_| {});
    let found = seen(&secret, NAME, "http", root());
    assert!(
        ["HttpProtocolError", "HttpResponseIncomplete", "ConnectionTerminated"].contains(&&*found),
        "{found}"
    );
    assert_eq!(seen(&secret, NAME, "https", root()), FINE);
}

#[test]
fn roots_are_read_from_files_as_people_have_them() {
    let roots = [authority(), authority()].map(|it| it.der().to_vec());
    assert_eq!(Roots::read(&roots[0]).unwrap(), roots[..1]);
    let pem = |root: &Vec<u8>| {
        let text = STANDARD.encode(root);
        let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
        let (begin, end) = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----");
        format!("# an authority\n{begin}\n{}\n{end}\n", lines.join("\n"))
    };
    let file = roots.each_ref().map(pem).concat();
    assert_eq!(Roots::read(file.as_bytes()).unwrap(), roots);
    let broken = file.replace("-----END CERTIFICATE-----", "");
    assert!(matches!(Roots::read(broken.as_bytes()), Err(BadRoot::Certificate(0))));
}

#[test]
fn roots_that_vouch_for_nobody_are_refused() {
    let with = |roots| Network::new(Settings { roots, ..Settings::default() });
    assert!(matches!(with(Roots::Only(Vec::new())), Err(BadRoot::None)));
    assert!(matches!(with(Roots::PublicAnd(vec![vec![0; 9]])), Err(BadRoot::Certificate(0))));
    assert!(with(Roots::Public).is_ok());
}
