//! Runs whose process died with a request under way.

use envelope_evidence::journal::{Entry, Event, Outcome};

use super::peer::Peer;
use super::{LOOPBACK, online};
use crate::engine::approvals::office::{Office, ada};
use crate::engine::world::{Lines, Ran, Setup, run, run_into};

const ALL: &[&str] = &["GET,POST http://PEER/v1/**"];

/// Goes on with `ran` as if its process had died after the first record that `last` knows.
fn cut(ran: &Ran, last: impl Fn(&Event) -> bool) -> Ran {
    cut_under(&ran.setup, ran, last)
}

/// The same with another operator's rules.
fn cut_under(setup: &Setup, ran: &Ran, last: impl Fn(&Event) -> bool) -> Ran {
    let entries = ran.finished().journal.entries();
    let at = entries.iter().position(|Entry { event, .. }| last(event)).unwrap();
    let lines: Vec<_> = ran.journal.split_inclusive(|&byte| byte == b'\n').collect();
    let kept = lines[..=at + 1].concat();
    let lines = Lines::default();
    *lines.bytes.lock().unwrap() = kept;
    run_into(setup, lines, Some(ran.store.clone()))
}

fn is_answer(event: &Event, operation: &str) -> bool {
    matches!(event, Event::Answered(it) if it.call.operation.as_str() == operation)
}

#[test]
fn an_answer_that_was_half_read_is_lost() {
    let peer = Peer::start(LOOPBACK);
    let acts = ["keep GET|http|PEER|/v1/bytes/10", "more 5", "more 5"];
    let whole = run(&online(&peer, ALL, &acts));
    assert_eq!(whole.said(), "keep: ok 200; more: ok xxxxx; more: ok xxxxx");
    assert_eq!(peer.connections(), 1);
    let resumed = cut(&whole, |event| is_answer(event, "read"));
    assert_eq!(resumed.said(), "keep: ok 200; more: ok xxxxx; more: ConnectionTerminated");
    assert_eq!(peer.connections(), 1, "it is not asked again");
    resumed.replays_same();
}

/// Nobody knows whether it arrived: a human has to say.
#[test]
fn what_must_not_happen_twice_does_not() {
    let peer = Peer::start(LOOPBACK);
    let whole = run(&online(&peer, ALL, &["send POST|http|PEER|/v1/x||body"]));
    assert_eq!(peer.connections(), 1);
    let resumed = cut(&whole, |event| matches!(event, Event::Begun(_)));
    assert_eq!(resumed.end(), (Outcome::Denied, "recovery.human".to_owned()));
    assert_eq!(peer.connections(), 1);
    resumed.replays_same();
}

/// What is safe is asked again, also where its record says that it began.
#[test]
fn what_may_happen_again_does() {
    let peer = Peer::start(LOOPBACK);
    let whole = run(&online(&peer, ALL, &["send GET|http|PEER|/v1/x", "now"]));
    let resumed = cut(&whole, |event| is_answer(event, "get-arguments"));
    assert_eq!(resumed.said(), whole.said());
    assert_eq!(peer.connections(), 2);
    resumed.replays_same();
    let begun = cut(&whole, |event| matches!(event, Event::Begun(_)));
    assert_eq!(begun.said(), whole.said());
    assert_eq!(peer.connections(), 3);
    begun.books_are_exact();
    begun.replays_same();
}

/// What a process began before there was a rule that a human is asked first is not sent again
/// unasked. Where one was asked, it is.
#[test]
fn a_rule_that_is_newer_than_a_request_binds_it() {
    let peer = Peer::start(LOOPBACK);
    let act = "send GET|http|PEER|/v1/x|x-note: 4111 1111 1111 1111";
    let office = Office::with(&[ada, ada], |rules| rules.calls = Vec::new());
    let setup = online(&peer, ALL, &[act, "now"]).at_desk(office.clone());
    let is_begun = |event: &Event| match event {
        Event::Begun(it) => it.call.operation.as_str() == "request",
        _ => false,
    };
    let whole = run(&setup);
    assert_eq!(cut(&whole, is_begun).said(), whole.said());
    assert_eq!(peer.connections(), 2, "the control: without a rule it is sent again");
    let mut asking = setup.clone();
    asking.operator_content = vec!["ask:card-number"];
    let bound = cut_under(&asking, &whole, is_begun);
    assert!(bound.said().starts_with("send: 403 egress.content; now: ok"), "{}", bound.said());
    assert_eq!((peer.connections(), office.requests().len()), (2, 0));
    bound.books_are_exact();
    bound.replays_same();
    let asked = run(&asking);
    assert_eq!((peer.connections(), office.requests().len()), (3, 1));
    let again = cut(&asked, is_begun);
    assert_eq!(again.said(), asked.said());
    assert_eq!((peer.connections(), office.requests().len()), (4, 1), "asked once is enough");
    again.replays_same();
}
