//! Requests that are allowed, and what comes back: live, and again on a replay without any peer.

use envelope_evidence::journal::{Event, Recovery};

use super::peer::Peer;
use super::{LOOPBACK, online};
use crate::engine::world::{Ran, run};

const ALL: &[&str] = &["GET,HEAD,POST,PUT http://PEER/v1/**?*"];

/// Runs `acts` against a peer, then replays them after the peer is gone.
fn exchange(acts: &[&str]) -> (Ran, Vec<String>) {
    let peer = Peer::start(LOOPBACK);
    let ran = run(&online(&peer, ALL, acts));
    let heard = peer.heard();
    drop(peer);
    ran.replays_same();
    ran.books_are_exact();
    (ran, heard)
}

#[test]
fn a_request_goes_out_as_it_was_judged() {
    let (ran, heard) = exchange(&["send GET|http|PEER|/v1/a%20b?q=1|x-own: 2"]);
    assert_eq!(ran.said(), "send: ok 200 hello");
    assert_eq!(heard.len(), 1);
    let at = ran.setup.egress[0].split('/').nth(2).unwrap().to_owned();
    let expected = format!(
        "GET /v1/a%20b?q=1 HTTP/1.1\r\nx-own: 2\r\nhost: {at}\r\nconnection: close\r\n\r\n"
    );
    assert_eq!(heard[0], expected);
    assert!(ran.denied().is_empty());
}

#[test]
fn a_body_goes_out_whole_and_once() {
    let (ran, heard) =
        exchange(&["send POST|http|PEER|/v1/x||a body", "upload 100000 PUT|http|PEER|/v1/x"]);
    assert_eq!(ran.said(), "send: ok 200 hello; upload: ok 200 hello");
    assert!(heard[0].contains("content-length: 6\r\n") && heard[0].ends_with("\r\n\r\na body"));
    assert!(heard[1].contains("content-length: 100000\r\n"));
    assert_eq!(heard.len(), 2);
}

/// A request is in the journal before it happens, and whether it may happen twice with it.
#[test]
fn what_is_under_way_is_written_down_first() {
    let (ran, _) = exchange(&["send GET|http|PEER|/v1/x", "send POST|http|PEER|/v1/x||b"]);
    let begun: Vec<_> = ran
        .finished()
        .journal
        .entries()
        .iter()
        .filter_map(|entry| match &entry.event {
            Event::Begun(begun) => Some(begun),
            _ => None,
        })
        .collect();
    let classes: Vec<_> = begun.iter().map(|begun| begun.recovery).collect();
    assert_eq!(classes, [Recovery::Again, Recovery::Once]);
    assert!(begun.iter().all(|begun| begun.call.operation.as_str() == "request"));
    assert!(begun.iter().all(|begun| begun.key.starts_with("run_1/")));
}

#[test]
fn large_answers_stream_and_are_played_from_the_blobs() {
    let (ran, _) = exchange(&["send GET|http|PEER|/v1/bytes/3000000"]);
    assert_eq!(ran.said(), "send: ok 200 3000000 bytes");
}

#[test]
fn bytes_that_are_no_text_come_through() {
    let (ran, _) = exchange(&["headers GET|http|PEER|/v1/latin", "send GET|http|PEER|/v1/binary"]);
    assert!(ran.said().contains("x-name=caf\u{fffd}"), "{}", ran.said());
}

#[test]
fn a_redirect_is_an_answer_and_is_not_followed() {
    let (ran, heard) = exchange(&["send GET|http|PEER|/v1/redirect"]);
    assert_eq!(ran.said(), "send: ok 302 away");
    assert_eq!(heard.len(), 1);
}

#[test]
fn what_speaks_of_the_connection_is_not_passed_on() {
    let (ran, _) =
        exchange(&["headers GET|http|PEER|/v1/hop", "echo-headers GET|http|PEER|/v1/hop"]);
    assert_eq!(
        ran.said(),
        "headers: ok 200 x-kept=1,content-length=2 ok; echo-headers: HttpRequestBodySize",
    );
}

#[test]
fn a_body_that_is_awaited_is_sent_when_it_is_finished() {
    let (ran, heard) = exchange(&["early POST|http|PEER|/v1/x", "unfinished POST|http|PEER|/v1/x"]);
    assert_eq!(ran.said(), "early: ok (false, false) 200 hello; unfinished: InternalError");
    assert_eq!(heard.len(), 1, "what was let go of is not sent");
}

#[test]
fn a_head_has_no_body() {
    let (ran, _) = exchange(&["send HEAD|http|PEER|/v1/x"]);
    assert_eq!(ran.said(), "send: ok 200");
}

#[test]
fn more_answers_than_may_be_open_are_not_asked_for() {
    let acts = ["repeat 70 keep GET|http|PEER|/v1/x", "let-go", "send GET|http|PEER|/v1/x"];
    let (ran, heard) = exchange(&acts);
    assert_eq!(
        ran.said(),
        "repeat: ConnectionLimitReached after 64; let-go: ok; send: ok 200 hello",
    );
    assert_eq!(heard.len(), 65);
}
