//! Peers that do not keep the rules, are slow, or never come to an end.

use std::time::Duration;

use envelope_evidence::journal::Outcome;
use envelope_gate::net::{Limits, Settings};
use envelope_gate::stop::Stop;

use super::peer::Peer;
use super::{LOOPBACK, online, online_with, settings};
use crate::engine::world::{Change, Ran, run};

const ALL: &[&str] = &["GET,POST http://PEER/v1/**"];

/// What a guest sees of a peer's answer, under `change`d limits. A replay sees the same; and under
/// ordinary limits the peer still answers.
fn seen(act: &str, change: impl Fn(&mut Limits)) -> String {
    let peer = Peer::start(LOOPBACK);
    let mut settings = settings(&peer);
    change(&mut settings.limits);
    let ran = run(&online_with(&peer, ALL, &[act], settings));
    ran.books_are_exact();
    ran.replays_same();
    let control = run(&online(&peer, ALL, &["send GET|http|PEER|/v1/x"]));
    assert_eq!(control.said(), "send: ok 200 hello");
    ran.said()
}

#[test]
fn answers_that_are_none_are_told_apart() {
    let wrong: Vec<_> = [
        ("junk", "HttpProtocolError"),
        ("status", "HttpProtocolError"),
        ("http09", "HttpProtocolError"),
        ("h2", "HttpProtocolError"),
        ("upgrade", "HttpUpgradeFailed"),
        ("two-lengths", "HttpProtocolError"),
        ("plus-length", "HttpProtocolError"),
        ("list-length", "HttpProtocolError"),
        ("chunk-size", "HttpProtocolError after 0"),
        ("nul", "HttpProtocolError"),
        ("fold", "HttpProtocolError"),
        ("space", "HttpProtocolError"),
        ("many", "HttpResponseHeaderSectionSize"),
        ("large", "HttpResponseHeaderSectionSize"),
        ("early-hints", "ok 200 ok"),
        ("trailers", "HttpProtocolError after 2"),
        ("gzip", "ok 200 \u{1f}gz!"),
        ("nothing", "HttpResponseIncomplete"),
    ]
    .into_iter()
    .filter_map(|(which, expected)| {
        let found = seen(&format!("send GET|http|PEER|/v1/raw/{which}"), |_| {});
        (found != format!("send: {expected}")).then(|| format!("{which}: {found}"))
    })
    .collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn an_answer_larger_than_allowed_is_cut() {
    let small = |limits: &mut Limits| limits.response_bytes = 100_000;
    let fits = seen("send GET|http|PEER|/v1/bytes/100000", small);
    assert_eq!(fits, "send: ok 200 100000 bytes");
    let told = seen("send GET|http|PEER|/v1/bytes/100001", small);
    assert_eq!(told, "send: HttpResponseBodySize");
    let untold = seen("send GET|http|PEER|/v1/endless", small);
    let (what, after) = untold.split_once(" after ").unwrap();
    assert_eq!(what, "send: HttpResponseBodySize");
    assert!(after.parse::<u64>().unwrap() <= 100_000, "{after}");
}

#[test]
fn an_answer_shorter_than_it_said_is_no_answer() {
    let found = seen("send GET|http|PEER|/v1/short/100", |_| {});
    assert_eq!(found, "send: HttpResponseIncomplete after 5");
}

#[test]
fn a_silent_peer_is_not_waited_for() {
    let found = seen("send GET|http|PEER|/v1/silent", |limits| {
        limits.first_byte = Duration::from_millis(100);
    });
    assert_eq!(found, "send: HttpResponseTimeout");
    assert_eq!(
        seen("patience 100 GET|http|PEER|/v1/silent", |_| {}),
        "patience: HttpResponseTimeout"
    );
}

#[test]
fn a_peer_that_drips_is_cut() {
    let total = seen("send GET|http|PEER|/v1/drip", |limits| {
        limits.total = Duration::from_millis(400);
    });
    assert!(total.starts_with("send: HttpResponseTimeout after "), "{total}");
    let pace = seen("send GET|http|PEER|/v1/drip", |limits| {
        (limits.floor, limits.grace) = (1000, Duration::from_millis(50));
    });
    assert!(pace.starts_with("send: ConnectionReadTimeout after "), "{pace}");
    let pause = seen("patience 5 GET|http|PEER|/v1/drip", |_| {});
    // On a busy machine its first byte is late already.
    let late = pause == "patience: HttpResponseTimeout";
    let paused = pause.strip_prefix("patience: ConnectionReadTimeout after ");
    assert!(late || paused.is_some_and(|count| count.parse::<u64>().is_ok()), "{pause}");
}

/// What is too large is refused before any of it has left.
#[test]
fn a_request_larger_than_allowed_is_not_begun() {
    let peer = Peer::start(LOOPBACK);
    let limits = Limits { request_bytes: 10, ..Limits::default() };
    let settings = Settings { limits, ..settings(&peer) };
    let acts = ["upload 11 POST|http|PEER|/v1/x", "upload 10 POST|http|PEER|/v1/x"];
    let ran = run(&online_with(&peer, ALL, &acts, settings));
    assert_eq!(ran.said(), "upload: 413 egress.size; upload: ok 200 hello");
    assert_eq!(ran.denied(), ["egress.size"]);
    assert_eq!(peer.connections(), 1);
    ran.replays_same();
}

/// What may be sent again after a crash is held whole, and so has its limit.
#[test]
fn a_safe_request_larger_than_the_host_holds_is_not_taken() {
    let peer = Peer::start(LOOPBACK);
    let acts = ["upload 16777217 GET|http|PEER|/v1/x", "upload 16777216 GET|http|PEER|/v1/x"];
    let mut setup = online(&peer, ALL, &acts);
    setup.limits.memory = 128 << 20;
    let ran = run(&setup);
    assert_eq!(ran.said(), "upload: HttpRequestBodySize; upload: ok 200 hello");
    assert_eq!(peer.connections(), 1);
    ran.replays_same();
}

/// The bytes of the network are bytes of the budget, and what does not fit is not taken.
#[test]
fn bytes_count_as_they_come() {
    let peer = Peer::start(LOOPBACK);
    let act = ["send GET|http|PEER|/v1/bytes/300000", "left"];
    let whole = run(&online(&peer, ALL, &act));
    assert!(whole.said().starts_with("send: ok 200 300000 bytes"), "{}", whole.said());
    let used = whole.finished().journal.used().get(envelope_evidence::Dimension::Bytes);
    assert!((300_000..310_000).contains(&used), "{used}");
    let mut setup = online(&peer, ALL, &act);
    setup.bytes = 250_000;
    let ran = run(&setup);
    assert!(ran.said().starts_with("send: HttpRequestDenied after "), "{}", ran.said());
    assert_eq!(ran.denied(), ["budget.exhausted"]);
    ran.books_are_exact();
    ran.replays_same();
}

/// An answer ends when the authority does under which it was asked for.
#[test]
fn an_answer_ends_with_its_grant() {
    let peer = Peer::start(LOOPBACK);
    let acts = ["keep GET|http|PEER|/v1/bytes/10", "more 5", "now", "more 5"];
    let whole = run(&online(&peer, ALL, &acts));
    assert!(whole.said().ends_with("more: ok xxxxx"), "{}", whole.said());
    let asked = whole.world.asked.load(std::sync::atomic::Ordering::SeqCst);
    // Before the last of its calls but two: the piece, and what is said of it.
    let setup = online(&peer, ALL, &acts).after(asked - 3, Change::Revoke);
    let ran = run(&setup);
    assert_eq!(ran.denied(), ["grant.revoked"], "{}", ran.said());
    assert!(ran.said().ends_with("more: HttpRequestDenied"), "{}", ran.said());
    ran.replays_same();
}

/// Whoever stops a run does not wait for its peers.
#[test]
fn a_run_is_stopped_while_it_waits() {
    let peer = Peer::start(LOOPBACK);
    let setup = online(&peer, ALL, &["send GET|http|PEER|/v1/silent"]);
    let ran: Ran = run(&setup.after(6, Change::Stop(Stop::Killed("enough".to_owned()))));
    assert_eq!(ran.end(), (Outcome::Killed, "enough".to_owned()));
    ran.replays_same();
}
