//! Secrets that the operator adds at the edge: the peer gets them, and nobody else ever sees them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envelope_engine::run::Finished;
use envelope_evidence::receipt::Folder;
use envelope_gate::net::{BadCredential, Credential, Network, Settings};
use object_store::ObjectStoreExt as _;
use object_store::memory::InMemory;

use super::peer::Peer;
use super::{LOOPBACK, online_with, settings};
use crate::engine::world::{Ran, run, wait};

const SECRET: &str = "sesame-0815-open";

/// Runs `acts` with the secret bound to `/v1/**`, and looks for it in all that is left behind.
fn with_secret(acts: &[&str]) -> (Ran, Vec<String>) {
    let peer = Peer::start(LOOPBACK);
    let rule = format!("GET,POST http://{}/v1/**", peer.authority()).parse().unwrap();
    let credentials = vec![Credential::bind("Authorization", SECRET, rule).unwrap()];
    let settings = Settings { credentials, ..settings(&peer) };
    let rules = ["GET,POST http://PEER/v1/**", "GET http://PEER/v2/**"];
    let mut setup = online_with(&peer, &rules, acts, settings);
    setup.secrets = vec![SECRET];
    let ran = run(&setup);
    ran.replays_same();
    let mut places = vec![ran.journal.clone(), ran.said().into_bytes()];
    places.extend(everything(ran.finished(), &ran.store));
    assert_unseen(SECRET, &places);
    (ran, peer.heard())
}

/// Everything that a run leaves behind beside its journal and its output: receipt and blobs.
pub fn everything(finished: &Finished, store: &InMemory) -> Vec<Vec<u8>> {
    let key = envelope_evidence::key::SigningKey::from_secret(&[7; 32].into());
    let folder = Folder::of(&finished.receipt(&key), None).unwrap();
    let mut places: Vec<_> = folder.files.into_values().collect();
    for name in crate::engine::world::blobs(store) {
        let stored = wait(async { store.get(&name.into()).await.unwrap().bytes().await });
        places.push(stored.unwrap().to_vec());
    }
    places
}

/// Neither the secret nor its base64 is in any place, nor in what a journal or an envelope keeps in
/// base64.
pub fn assert_unseen(secret: &str, places: &[Vec<u8>]) {
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let spellings = [secret.to_owned(), STANDARD.encode(secret), hex];
    let in_journal = |place: &Vec<u8>| decoded(place).unwrap_or_default();
    let inner: Vec<_> = places.iter().map(in_journal).collect();
    for place in places.iter().chain(&inner) {
        let text = String::from_utf8_lossy(place);
        for spelling in &spellings {
            assert!(!text.contains(spelling.as_str()), "{spelling} in {text}");
        }
    }
}

#[test]
fn a_secret_is_found_in_every_spelling() {
    let kept = |bytes: &[u8]| format!("{{\"inline\":\"{}\"}}", STANDARD.encode(bytes));
    let hex: String = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
    let seen = |text: String| {
        std::panic::catch_unwind(|| assert_unseen(SECRET, &[text.into_bytes()])).is_err()
    };
    assert!(seen(format!("a {SECRET} b")) && seen(STANDARD.encode(SECRET)) && seen(hex));
    assert!(seen(kept(format!("in an answer: {SECRET}").as_bytes())));
    assert!(seen(format!("{{\"payload\":\"{}\"}}", STANDARD.encode(format!("x {SECRET}")))));
    assert!(!seen(kept(b"something else")));
}

/// What journals keep inline and envelopes hold, taken out of its base64.
fn decoded(record: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(record).ok()?;
    let keys = ["\"inline\":\"", "\"payload\":\""].into_iter();
    let pieces = keys.flat_map(|key| text.split(key).skip(1));
    let pieces = pieces.filter_map(|piece| STANDARD.decode(piece.split('"').next()?).ok());
    Some(pieces.flatten().collect())
}

#[test]
fn the_peer_gets_it_and_the_guest_does_not() {
    let (ran, heard) = with_secret(&["send GET|http|PEER|/v1/x", "send POST|http|PEER|/v1/x||b"]);
    assert_eq!(ran.said(), "send: ok 200 hello; send: ok 200 hello");
    for request in &heard {
        assert!(request.contains(&format!("\r\nauthorization: Bearer {SECRET}\r\n")), "{request}");
    }
}

#[test]
fn it_goes_where_it_is_bound_and_nowhere_else() {
    let (ran, heard) = with_secret(&["send GET|http|PEER|/v2/x|authorization: mine"]);
    assert_eq!(ran.said(), "send: ok 200 hello");
    assert!(heard[0].contains("authorization: mine\r\n"), "what the guest says is left alone");
    assert!(!heard[0].contains(SECRET));
}

#[test]
fn what_the_guest_puts_there_gives_way() {
    let (_, heard) = with_secret(&["send GET|http|PEER|/v1/x|authorization: placeholder"]);
    assert_eq!(heard[0].matches("authorization").count(), 1);
    assert!(heard[0].contains(SECRET) && !heard[0].contains("placeholder"));
}

#[test]
fn an_echo_is_masked() {
    let (ran, _) = with_secret(&[
        "send GET|http|PEER|/v1/echo",
        "send GET|http|PEER|/v1/echo-pieces",
        "send GET|http|PEER|/v1/echo-base64",
        "headers GET|http|PEER|/v1/echo-header",
    ]);
    let said = ran.said();
    let mask = "*".repeat(SECRET.len());
    assert_eq!(said.matches(&format!("Bearer {mask}")).count(), 3, "{said}");
    assert!(!said.contains(&STANDARD.encode(format!("aBearer {SECRET}"))), "{said}");
}

#[test]
fn nothing_prints_it() {
    let rule = || "GET https://api.example.org/**".parse().unwrap();
    let credential = Credential::bind("authorization", SECRET, rule()).unwrap();
    assert!(!format!("{credential:?}").contains("sesame"));
    let settings = Settings { credentials: vec![credential], ..Settings::default() };
    assert!(!format!("{:?}", Network::new(settings).unwrap()).contains("sesame"));
    let why = Credential::bind("x-key", "open\nsesame", rule()).unwrap_err();
    assert_eq!(why, BadCredential::Value("x-key".to_owned()));
    assert!(!why.to_string().contains("sesame"));
    let short = Credential::bind("x-key", "open", rule()).unwrap_err();
    assert_eq!(short, BadCredential::Short("x-key".to_owned()));
    assert!(Credential::bind("no header", SECRET, rule()).is_err());
}
