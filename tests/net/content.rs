//! What must not leave, in every place of a request and in every spelling.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use envelope_gate::egress::content::Watch;
use envelope_gate::net::{Credential, Settings};

use super::peer::Peer;
use super::{LOOPBACK, online_with, settings};
use crate::engine::world::run;

const SECRET: &str = "sesame-0815-open";

/// What comes of a request when the network holds a secret and watches for `watch`.
fn seen(request: &str, watch: Watch) -> (String, usize) {
    let peer = Peer::start(LOOPBACK);
    let rule = format!("GET http://{}/other/**", peer.authority()).parse().unwrap();
    let credentials = vec![Credential::bind("x-key", SECRET, rule).unwrap()];
    let settings = Settings { credentials, watch, ..settings(&peer) };
    let acts = [format!("send {request}"), "send GET|http|PEER|/v1/x".to_owned()];
    let acts: Vec<_> = acts.iter().map(String::as_str).collect();
    let rules = ["GET,POST http://PEER/v1/**?*"];
    let ran = run(&online_with(&peer, &rules, &acts, settings));
    let said = ran.said();
    let (attack, control) = said.rsplit_once("; ").unwrap();
    assert_eq!(control, "send: ok 200 hello");
    ran.replays_same();
    let connections = peer.connections() - 1;
    (attack.strip_prefix("send: ").unwrap().to_owned(), connections)
}

fn denied(request: &str, watch: Watch) {
    assert_eq!(seen(request, watch), ("403 egress.content".to_owned(), 0), "{request}");
}

fn allowed(request: &str, watch: Watch) {
    assert_eq!(seen(request, watch), ("ok 200 hello".to_owned(), 1), "{request}");
}

#[test]
fn the_hosts_own_secrets_do_not_leave() {
    let none = Watch::default();
    let hex: String = SECRET.bytes().map(|byte| format!("{byte:02X}")).collect();
    let escaped: String = SECRET.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
    let percent: String = SECRET.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let bodies = [
        SECRET.to_owned(),
        format!("a long story about {SECRET} and more"),
        STANDARD.encode(SECRET),
        STANDARD.encode(format!("ab{SECRET}")),
        URL_SAFE_NO_PAD.encode(format!("a{SECRET}z")),
        hex,
        escaped,
        percent,
    ];
    for body in bodies {
        denied(&format!("POST|http|PEER|/v1/x||{body}"), none);
    }
    // Over two of the pieces in which the guest writes.
    denied(&format!("POST|http|PEER|/v1/x||{}{SECRET}", "x".repeat(4090)), none);
    denied(&format!("GET|http|PEER|/v1/{SECRET}"), none);
    denied(&format!("GET|http|PEER|/v1/x?q={SECRET}"), none);
    denied(&format!("GET|http|PEER|/v1/x|x-note: {SECRET}"), none);
    denied(&format!("GET|http|PEER|/v1/x|{SECRET}: note"), none);
    allowed("POST|http|PEER|/v1/x||sesame-0815-close", none);
}

#[test]
fn keys_and_cards_leave_unless_the_operator_watches() {
    let key = "POST|http|PEER|/v1/x||use sk-abcdefghijklmnop0123";
    let pem = "POST|http|PEER|/v1/x||-----BEGIN PRIVATE KEY-----";
    let card = "POST|http|PEER|/v1/x||pay 4111 1111 1111 1111";
    for request in [key, pem, card] {
        allowed(request, Watch::default());
        denied(request, Watch { cards: true, keys: true });
    }
    allowed(key, Watch { cards: true, keys: false });
    allowed(card, Watch { cards: false, keys: true });
    allowed("POST|http|PEER|/v1/x||order 4111111111111112", Watch { cards: true, keys: true });
}
