//! Bodies too large to be held: they go out while they are written, under the rules all the while.

use std::time::Duration;

use envelope_evidence::journal::{Event, Outcome};
use envelope_evidence::{Digest, Dimension};
use envelope_gate::net::{Limits, Settings};
use envelope_gate::wasi::http::{COLLECTED_BYTES_MAX, HELD_BACK_BYTES, WHOLE_BYTES_MAX};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::peer::Peer;
use super::{LOOPBACK, online, online_with, settings};
use crate::engine::approvals::office::{Office, Says, ada, no};
use crate::engine::world::{Lines, Ran, Setup, run, run_into};

const ALL: &[&str] = &["GET,POST,PUT http://PEER/v1/**"];
const PIECE: usize = 64 << 10;
const SECRET: &str = "sesame-0815-open-the-door";

/// What the guest pours.
fn poured(size: usize) -> Vec<u8> {
    (0..size).map(|place| b'a' + u8::try_from(place % 23).unwrap()).collect()
}

fn sends(ran: &Ran) -> usize {
    let entries = ran.finished().journal.entries().iter();
    let is_send = |event: &Event| match event {
        Event::Answered(it) => it.call.operation.as_str() == "send",
        _ => false,
    };
    entries.filter(|entry| is_send(&entry.event)).count()
}

/// More than a host holds at once: in small pieces, with and without a length, and a replay, which
/// has no peer, sees the same bytes.
#[test]
fn a_body_larger_than_is_held_goes_out_in_pieces() {
    let size = COLLECTED_BYTES_MAX + 4_000_000;
    let expected = format!("flow: ok 200 {size} {}", Digest::of(&poured(size)));
    for length in [String::new(), format!("|content-length: {size}")] {
        let peer = Peer::start(LOOPBACK);
        let act = format!("flow {size} POST|http|PEER|/v1/digest{length}");
        let ran = run(&online(&peer, ALL, &[&act]));
        assert_eq!(ran.said(), expected);
        let heard = &peer.heard()[0];
        let (head, _) = heard.split_once("\r\n\r\n").unwrap();
        assert_eq!(head.contains("transfer-encoding: chunked"), length.is_empty(), "{head}");
        assert_eq!(head.contains(&format!("content-length: {size}")), !length.is_empty(), "{head}");
        assert_eq!(sends(&ran), size.div_ceil(PIECE));
        let used = ran.finished().journal.used().get(Dimension::Bytes);
        let size = u64::try_from(size).unwrap();
        assert!((size..size + 200_000).contains(&used), "{used}");
        ran.books_are_exact();
        drop(peer);
        ran.replays_same();
    }
}

/// Half of it is at the peer before the other half is written.
#[test]
fn a_body_goes_out_while_it_is_written() {
    let peer = Peer::start(LOOPBACK);
    let half = WHOLE_BYTES_MAX;
    let heard = half - HELD_BACK_BYTES - PIECE;
    let act = format!(
        "flow-asking {} PUT|http|PEER|/v1/x ++ GET|http|PEER|/v1/heard/{heard}",
        2 * half + 16_384
    );
    let ran = run(&online(&peer, ALL, &[&act]));
    assert_eq!(ran.said(), "flow-asking: ok 200 heard 200 hello");
    ran.books_are_exact();
    ran.replays_same();
}

/// Up to a size it is held, and nothing of it leaves before it is whole.
#[test]
fn a_small_body_is_judged_whole() {
    let peer = Peer::start(LOOPBACK);
    let act = format!("flow {WHOLE_BYTES_MAX} POST|http|PEER|/v1/digest");
    let ran = run(&online(&peer, ALL, &[&act]));
    assert!(ran.said().starts_with(&format!("flow: ok 200 {WHOLE_BYTES_MAX} ")), "{}", ran.said());
    assert!(peer.heard()[0].contains(&format!("content-length: {WHOLE_BYTES_MAX}")));
    assert_eq!(sends(&ran), 0);
}

fn limited(peer: &Peer, act: &str, change: impl Fn(&mut Limits)) -> Setup {
    let mut settings: Settings = settings(peer);
    change(&mut settings.limits);
    online_with(peer, ALL, &[act], settings)
}

/// What is longer than allowed is cut before it is; where it says so itself, it is not begun.
#[test]
fn a_body_has_its_limit_on_the_way() {
    let size = 3 << 20;
    let most = 2 << 20;
    let small = |limits: &mut Limits| limits.request_bytes = most;
    let peer = Peer::start(LOOPBACK);
    let ran = run(&limited(&peer, &format!("flow {size} POST|http|PEER|/v1/x"), small));
    assert_eq!(ran.said(), "flow: 413 egress.size");
    assert_eq!(ran.denied(), ["egress.size"]);
    let heard = peer.bodies().concat();
    assert!(!heard.is_empty() && heard.len() <= usize::try_from(most).unwrap());
    assert!(!peer.heard()[0].ends_with("0\r\n\r\n"), "a body that was cut is not whole");
    ran.books_are_exact();
    ran.replays_same();
    let peer = Peer::start(LOOPBACK);
    let act = format!("flow {size} POST|http|PEER|/v1/x|content-length: {size}");
    let told = run(&limited(&peer, &act, small));
    assert_eq!(told.said(), "flow: 413 egress.size");
    assert_eq!(peer.connections(), 0);
    told.replays_same();
    let fits = run(&limited(&peer, &format!("flow {most} POST|http|PEER|/v1/x"), small));
    assert_eq!(fits.said(), "flow: ok 200 hello");
}

/// A promised length is kept to the byte.
#[test]
fn a_body_is_as_long_as_it_says() {
    let size = 2 << 20;
    for (said, what) in [(size - 1, "too long"), (size + 1, "too short")] {
        let peer = Peer::start(LOOPBACK);
        let act = format!("flow {size} POST|http|PEER|/v1/x|content-length: {said}");
        let ran = run(&online(&peer, ALL, &[&act]));
        assert_eq!(ran.said(), "flow: HttpRequestBodySize", "{what}");
        assert!(peer.bodies().concat().len() < said, "{what}: it came out whole");
        ran.replays_same();
    }
}

#[test]
fn a_body_that_is_let_go_is_not_whole() {
    let peer = Peer::start(LOOPBACK);
    let ran = run(&online(&peer, ALL, &["flow-away 2000000 POST|http|PEER|/v1/x"]));
    assert_eq!(ran.said(), "flow-away: ConnectionTerminated");
    assert!(!peer.heard()[0].ends_with("0\r\n\r\n"));
    ran.replays_same();
}

/// A secret is found wherever it lies across the pieces, and no part of it has left.
#[test]
fn no_part_of_a_secret_leaves() {
    let size = 2 << 20;
    let first = WHOLE_BYTES_MAX + 4096;
    let edges = [first, first - HELD_BACK_BYTES, 20 * PIECE, 18 * PIECE + HELD_BACK_BYTES];
    let places = edges.into_iter().flat_map(|edge| [edge - SECRET.len() / 2, edge - 1, edge]);
    for at in places.chain([0, 100, size - SECRET.len()]) {
        let peer = Peer::start(LOOPBACK);
        let act = format!("flow-with {at} {SECRET} {size} POST|http|PEER|/v1/x");
        let mut setup = online(&peer, ALL, &[&act]);
        setup.secrets = vec![SECRET];
        let ran = run(&setup);
        assert_eq!(ran.denied(), ["egress.content"], "at {at}: {}", ran.said());
        assert_eq!(ran.said(), "flow-with: 403 egress.content", "at {at}");
        let heard = peer.bodies().concat();
        assert!(!String::from_utf8_lossy(&heard).contains(&SECRET[..4]), "at {at}");
        assert!(heard.len() <= at, "at {at}");
        ran.replays_same();
    }
    let peer = Peer::start(LOOPBACK);
    let act = format!("flow-with 5000 another-word {size} POST|http|PEER|/v1/x");
    let mut control = online(&peer, ALL, &[&act]);
    control.secrets = vec![SECRET];
    assert_eq!(run(&control).said(), "flow-with: ok 200 hello");
}

/// The same for what is known by its shape, in both spellings.
#[test]
fn no_part_of_a_card_number_leaves() {
    let card = "\"4111111111111111\"";
    let coded = STANDARD.encode(format!("{{\"pan\":{card}}}"));
    let size = 2 << 20;
    let first = WHOLE_BYTES_MAX + 4096;
    for text in [card, &coded] {
        for edge in [first, first - HELD_BACK_BYTES, 20 * PIECE] {
            let at = edge - text.len() / 2;
            let peer = Peer::start(LOOPBACK);
            let act = format!("flow-with {at} {text} {size} POST|http|PEER|/v1/x");
            let mut setup = online(&peer, ALL, &[&act]);
            setup.content = vec!["deny:card-number"];
            let ran = run(&setup);
            assert_eq!(ran.denied(), ["egress.content"], "{text} at {at}: {}", ran.said());
            let heard = peer.bodies().concat();
            assert!(heard.len() <= at, "{text} at {at}");
            ran.replays_same();
            setup.content = vec!["deny:private-key"];
            assert_eq!(run(&setup).said(), "flow-with: ok 200 hello", "the control");
        }
    }
}

/// Whoever is asked about a body is told of all of it: none of it leaves before.
#[test]
fn what_a_human_may_be_asked_about_is_held_whole() {
    let size = 3 << 20;
    let at = size - 100;
    for (says, said, connections) in
        [(ada as Says, "flow-with: ok 200 hello", 1), (no, "flow-with: 403 approval.rejected", 0)]
    {
        let peer = Peer::start(LOOPBACK);
        let office = Office::with(&[says], |rules| rules.calls = Vec::new());
        let act = format!("flow-with {at} \"4111111111111111\" {size} POST|http|PEER|/v1/x");
        let mut setup = online(&peer, ALL, &[&act]).at_desk(office.clone());
        setup.operator_content = vec!["ask:card-number"];
        let mut ran = run(&setup);
        assert_eq!(ran.said(), said);
        assert_eq!((peer.connections(), office.requests().len()), (connections, 1));
        assert_eq!(sends(&ran), 0);
        ran.replays_same();
        ran.setup.operator_content = Vec::new();
        ran.replays_same();
    }
}

/// How a body was sent stands in its record, whatever the operator wants when it is replayed.
#[test]
fn a_body_that_went_ahead_does_so_when_it_is_replayed() {
    let peer = Peer::start(LOOPBACK);
    let mut ran = run(&online(&peer, ALL, &["flow 2000000 POST|http|PEER|/v1/x"]));
    assert_eq!(ran.said(), "flow: ok 200 hello");
    assert!(sends(&ran) > 0);
    ran.setup.operator_content = vec!["ask:card-number"];
    ran.replays_same();
}

/// A guest that never comes to the end has until the deadline of the request.
#[test]
fn a_body_without_an_end_has_its_deadline() {
    let peer = Peer::start(LOOPBACK);
    let act = "flow-stall 2000000 POST|http|PEER|/v1/x";
    let ran = run(&limited(&peer, act, |it| it.total = Duration::from_millis(400)));
    assert_eq!(ran.said(), "flow-stall: HttpResponseTimeout");
    let heard = peer.heard();
    assert!(heard.len() == 1 && !heard[0].ends_with("0\r\n\r\n"), "it is not whole");
    ran.replays_same();
}

/// A peer may answer before it has heard everything.
#[test]
fn an_answer_may_come_before_the_body_is_whole() {
    let peer = Peer::start(LOOPBACK);
    let ran = run(&online(&peer, ALL, &["flow-early 2000000 POST|http|PEER|/v1/early"]));
    assert_eq!(ran.said(), "flow-early: ok 200 early");
    assert_eq!(peer.connections(), 1);
    ran.books_are_exact();
    ran.replays_same();
}

/// Every piece is paid for: what does not fit any more cuts the request.
#[test]
fn bytes_are_metered_as_they_flow() {
    let peer = Peer::start(LOOPBACK);
    let mut setup = online(&peer, ALL, &["flow 4000000 POST|http|PEER|/v1/x"]);
    setup.bytes = 2_000_000;
    let ran = run(&setup);
    assert_eq!(ran.said(), "flow: 402 budget.exhausted");
    assert_eq!(ran.denied(), ["budget.exhausted"]);
    let heard = peer.bodies().concat().len();
    assert!((1_000_000..2_000_000).contains(&heard), "{heard}");
    ran.books_are_exact();
    ran.replays_same();
}

/// A peer that takes nothing is not waited for.
#[test]
fn a_peer_that_does_not_listen_is_cut() {
    let peer = Peer::start(LOOPBACK);
    // More than sockets take in for it.
    let act = "flow 30000000 POST|http|PEER|/v1/stuck";
    let setup = limited(&peer, act, |it| it.between_bytes = Duration::from_millis(200));
    let ran = run(&setup.fuel(50_000_000_000));
    assert_eq!(ran.said(), "flow: ConnectionWriteTimeout");
    ran.replays_same();
}

/// Where it may not go it does not go, though all of it is written.
#[test]
fn what_is_denied_is_told_by_the_answer() {
    let peer = Peer::start(LOOPBACK);
    let ran = run(&online(&peer, ALL, &["flow 4000000 POST|http|PEER|/v2/x"]));
    assert_eq!(ran.said(), "flow: 403 policy.forbidden");
    assert_eq!(peer.connections(), 0);
    ran.replays_same();
}

/// After a crash a human decides: nobody has the pieces that were sent.
#[test]
fn a_body_is_never_sent_twice() {
    let peer = Peer::start(LOOPBACK);
    let whole = run(&online(&peer, ALL, &["flow 2000000 POST|http|PEER|/v1/x"]));
    assert_eq!(whole.said(), "flow: ok 200 hello");
    let entries = whole.finished().journal.entries();
    let begun = entries.iter().position(|it| matches!(it.event, Event::Begun(_))).unwrap();
    let lines: Vec<_> = whole.journal.split_inclusive(|&byte| byte == b'\n').collect();
    for after in [1, 2, 10, sends(&whole) + 1] {
        let left = lines[..=begun + after].concat();
        let resumed = run_into(&whole.setup, Lines::of(&left, None), Some(whole.store.clone()));
        assert_eq!(resumed.end(), (Outcome::Denied, "recovery.human".to_owned()), "{after}");
        assert_eq!(peer.connections(), 1, "{after}");
        resumed.replays_same();
    }
}
