//! What must not leave, in every place of a request and in every spelling.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use envelope_gate::net::{Credential, Settings};
use envelope_rules::approval::Matter;
use envelope_rules::guard::Warrant;

use super::peer::Peer;
use super::{LOOPBACK, online_with, settings};
use crate::engine::approvals::office::{Office, Says, ada, no};
use crate::engine::world::{Setup, run};

const SECRET: &str = "sesame-0815-open";
const CARD: &str = "4111 1111 1111 1111";
const ALL: &[&str] = &["deny:card-number", "deny:private-key", "deny:api-key"];

/// A run that sends `request` under `rules`, and then something harmless.
fn sending(peer: &Peer, request: &str, rules: &[&'static str]) -> Setup {
    let rule = format!("GET http://{}/other/**", peer.authority()).parse().unwrap();
    let credentials = vec![Credential::bind("x-key", SECRET, rule).unwrap()];
    let settings = Settings { credentials, ..settings(peer) };
    let acts = [format!("send {request}"), "send GET|http|PEER|/v1/x".to_owned()];
    let acts: Vec<_> = acts.iter().map(String::as_str).collect();
    let mut setup = online_with(peer, &["GET,POST http://PEER/v1/**?*"], &acts, settings);
    setup.content = rules.to_vec();
    setup
}

/// What comes of it, and how many requests the peer had beside the harmless one.
fn seen(setup: &Setup, peer: &Peer) -> (String, usize) {
    let ran = run(setup);
    let said = ran.said();
    let (attack, control) = said.rsplit_once("; ").unwrap();
    assert_eq!(control, "send: ok 200 hello");
    ran.books_are_exact();
    ran.replays_same();
    (attack.strip_prefix("send: ").unwrap().to_owned(), peer.connections() - 1)
}

fn denied(request: &str, rules: &[&'static str]) {
    let peer = Peer::start(LOOPBACK);
    let seen = seen(&sending(&peer, request, rules), &peer);
    assert_eq!(seen, ("403 egress.content".to_owned(), 0), "{request}");
}

fn allowed(request: &str, rules: &[&'static str]) {
    let peer = Peer::start(LOOPBACK);
    let seen = seen(&sending(&peer, request, rules), &peer);
    assert_eq!(seen, ("ok 200 hello".to_owned(), 1), "{request}");
}

#[test]
fn the_hosts_own_secrets_do_not_leave() {
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
        denied(&format!("POST|http|PEER|/v1/x||{body}"), &[]);
    }
    // Over two of the pieces in which the guest writes, and in which the host looks.
    denied(&format!("POST|http|PEER|/v1/x||{}{SECRET}", "x".repeat(4090)), &[]);
    denied(&format!("POST|http|PEER|/v1/x||{}{SECRET}", "x".repeat((64 << 10) - 6)), &[]);
    denied(&format!("GET|http|PEER|/v1/{SECRET}"), &[]);
    denied(&format!("GET|http|PEER|/v1/x?q={SECRET}"), &[]);
    denied(&format!("GET|http|PEER|/v1/x|x-note: {SECRET}"), &[]);
    denied(&format!("GET|http|PEER|/v1/x|{SECRET}: note"), &[]);
    allowed("POST|http|PEER|/v1/x||sesame-0815-close", &[]);
}

#[test]
fn keys_and_cards_leave_unless_a_rule_says_no() {
    let key = "POST|http|PEER|/v1/x||use sk-abcdefghijklmnop0123";
    let pem = "POST|http|PEER|/v1/x||-----BEGIN PRIVATE KEY-----";
    let card = format!("POST|http|PEER|/v1/x||pay {CARD}");
    for request in [key, pem, &card] {
        allowed(request, &[]);
        denied(request, ALL);
    }
    allowed(key, &["deny:card-number", "deny:private-key"]);
    allowed(pem, &["deny:card-number", "deny:api-key"]);
    allowed(&card, &["deny:private-key", "deny:api-key"]);
    allowed("POST|http|PEER|/v1/x||order 4111111111111112", ALL);
    let coded = STANDARD.encode(format!("{{\"pan\":\"{CARD}\"}}"));
    let percent: String = CARD.bytes().map(|byte| format!("%{byte:02x}")).collect();
    for request in [
        format!("POST|http|PEER|/v1/x||{coded}"),
        format!("POST|http|PEER|/v1/x||{percent}"),
        format!("POST|http|PEER|/v1/x||{}{CARD}", "x ".repeat(2045)),
        format!("POST|http|PEER|/v1/x||{}{CARD}", "x ".repeat((32 << 10) - 4)),
        format!("GET|http|PEER|/v1/x?pan={}", CARD.replace(' ', "+")),
        format!("GET|http|PEER|/v1/{}", CARD.replace(' ', "%20")),
        format!("GET|http|PEER|/v1/x|x-note: {CARD}"),
    ] {
        denied(&request, &["deny:card-number"]);
    }
}

/// What the header names its warrant by.
fn pinned(setup: &Setup) -> String {
    Warrant::new(setup.warrant()).unwrap().digest().to_string()
}

/// Whether a card's number shows. Its first half is enough; four digits are not: a port or a digest
/// may have them too.
fn holds_card(text: &str) -> bool {
    let (spaced, plain) = (&CARD[..9], CARD[..9].replace(' ', ""));
    text.contains(spaced) || text.contains(&plain)
}

/// The refusal names the rule and the place; what was found stands neither in it nor in the record.
#[test]
fn a_refusal_repeats_nothing_of_what_it_found() {
    let peer = Peer::start(LOOPBACK);
    let request = format!("POST|http|PEER|/v1/x||pay {CARD} now");
    let mut setup = sending(&peer, &request, ALL);
    let ran = run(&setup);
    ran.replays_same();
    let journal = String::from_utf8_lossy(&ran.journal).into_owned();
    let told =
        "a card number in the first 24 bytes of the body, by `deny:card-number` of the warrant";
    assert!(journal.contains(told), "{journal}");
    // The run's own arguments, which hold it, are the caller's words: without them nothing does.
    let (header, rest) = journal.split_once('\n').unwrap();
    assert!(header.contains(&pinned(&setup)), "the rules are pinned");
    assert!(!holds_card(rest), "{rest}");
    let before = pinned(&setup);
    setup.content = Vec::new();
    assert_ne!(pinned(&setup), before);
}

/// To be asked about: sent if a human says so, and otherwise not.
#[test]
fn what_needs_leave_is_asked_about() {
    let request = format!("POST|http|PEER|/v1/x||pay {CARD} now");
    for (says, expected) in [
        (ada as Says, ("ok 200 hello".to_owned(), 1)),
        (no, ("403 approval.rejected".to_owned(), 0)),
    ] {
        let peer = Peer::start(LOOPBACK);
        let office = Office::with(&[says], |rules| rules.calls = Vec::new());
        let setup = sending(&peer, &request, &["ask:card-number"]).at_desk(office.clone());
        assert_eq!(seen(&setup, &peer), expected);
        let requests = office.requests();
        let [asked] = &requests[..] else { panic!("{requests:?}") };
        let Matter::Choice { text, .. } = &asked.matter else { panic!() };
        let carries = "it carries a card number in the first 24 bytes of the body, by \
                       `ask:card-number` of the warrant";
        assert!(text.contains(carries) && !holds_card(text), "{text}");
    }
    // Of two things a human is told both: nobody allows one and thereby the other.
    let peer = Peer::start(LOOPBACK);
    let office = Office::with(&[no], |_| {});
    let both = format!("{request} with sk-abcdefghijklmnop0123");
    let setup = sending(&peer, &both, &["ask:card-number", "ask:api-key"]).at_desk(office.clone());
    assert_eq!(seen(&setup, &peer), ("403 approval.rejected".to_owned(), 0));
    let Matter::Choice { text, .. } = office.requests()[0].matter.clone() else { panic!() };
    assert!(text.contains("`ask:card-number`") && text.contains("`ask:api-key`"), "{text}");
    // What carries nothing is asked nobody, and what is denied too.
    for (request, rules, expected, sent) in [
        ("POST|http|PEER|/v1/x||hello", &["ask:card-number"][..], "ok 200 hello", 1),
        (request.as_str(), &["ask:card-number", "deny:card-number"], "403 egress.content", 0),
    ] {
        let peer = Peer::start(LOOPBACK);
        let office = Office::with(&[ada], |_| {});
        let setup = sending(&peer, request, rules).at_desk(office.clone());
        assert_eq!(seen(&setup, &peer), (expected.to_owned(), sent));
        assert!(office.requests().is_empty());
    }
}

/// Where nobody can be asked, nothing that needs leave is sent.
#[test]
fn where_no_human_is_there_it_stays() {
    denied(&format!("POST|http|PEER|/v1/x||pay {CARD}"), &["ask:card-number"]);
}

/// What was found in an address is shown nowhere, whether it leaves or not; a replay, which looks
/// for nothing, still comes to the same.
#[test]
fn what_is_found_in_a_url_stands_in_no_record() {
    let digits = CARD.replace(' ', "");
    let request = format!("GET|http|PEER|/v1/{digits}?pan={digits}");
    let record = |rules: &[&'static str], sent: usize| {
        let peer = Peer::start(LOOPBACK);
        let office = Office::with(&[ada], |rules| rules.calls = Vec::new());
        let ran = run(&sending(&peer, &request, rules).at_desk(office.clone()));
        assert_eq!(peer.connections(), sent + 1);
        ran.replays_same();
        let asked = office.requests().into_iter().map(|asked| format!("{:?}", asked.matter));
        // The first line holds the run's own arguments, which are the caller's words.
        let journal = String::from_utf8_lossy(&ran.journal).into_owned();
        let (_, rest) = journal.split_once('\n').unwrap();
        format!("{rest}{}", asked.collect::<String>())
    };
    assert!(record(&[], 1).contains(&digits), "the control: without a rule it is shown");
    for (rules, sent) in [(["deny:card-number"], 0), (["ask:card-number"], 1)] {
        let told = record(&rules, sent);
        assert!(told.contains("GET http://") && !told.contains(&digits), "{told}");
    }
}
