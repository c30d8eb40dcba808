//! Several requests of one guest at once: really so, each under its own hold, and a replay tells of
//! their answers in the order in which the guest heard of them.

use envelope_evidence::Dimension;
use envelope_evidence::journal::{Event, Journal, Outcome, Recovery, Settled};
use envelope_gate::gate::IN_FLIGHT_MAX;
use envelope_gate::stop::Stop;

use envelope_engine::run::Halted;

use super::peer::Peer;
use super::{LOOPBACK, online};
use crate::engine::kills::obeying;
use crate::engine::world::{Change, Lines, Ran, run, run_into};

const ALL: &[&str] = &["GET,POST http://PEER/v1/**"];

/// The acts `verb` on `count` requests of `path`.
fn several(verb: &str, count: usize, path: &str) -> String {
    let one = format!("GET|http|PEER|/v1/{path}");
    format!("{verb} {}", vec![one; count].join(" ++ "))
}

fn ran(acts: &[&str]) -> (Ran, usize) {
    let peer = Peer::start(LOOPBACK);
    let ran = run(&online(&peer, ALL, acts));
    let connections = peer.connections();
    drop(peer);
    ran.replays_same();
    (ran, connections)
}

fn words(said: &str) -> Vec<&str> {
    let said = said.split_once(": ok ").unwrap().1;
    let mut words: Vec<_> = said.split(", ").collect();
    words.sort_unstable();
    words
}

/// A peer that answers only when two requests are there answers both; one alone it lets wait.
#[test]
fn two_requests_are_under_way_at_once() {
    let (ran, connections) = ran(&[&several("together", 2, "meet/2")]);
    assert_eq!(words(&ran.said()), ["0 200 met", "1 200 met"]);
    assert_eq!(connections, 2);
    ran.books_are_exact();
    let (alone, _) = self::ran(&[&several("together", 1, "meet/2")]);
    assert_eq!(alone.said(), "together: ok 0 200 alone");
}

/// Also where their bodies say what they want, and only once.
#[test]
fn requests_that_must_not_happen_twice_are_under_way_at_once() {
    let post = "POST|http|PEER|/v1/meet/2||a body";
    let (ran, connections) = ran(&[&format!("together {post} ++ {post}")]);
    assert_eq!(words(&ran.said()), ["0 200 met", "1 200 met"]);
    assert_eq!(connections, 2);
    ran.books_are_exact();
}

/// There are as many at once as the limit says, and the rest wait for their turn.
#[test]
fn no_more_are_under_way_than_the_limit_says() {
    let (full, _) = ran(&[&several("together", IN_FLIGHT_MAX, &format!("meet/{IN_FLIGHT_MAX}"))]);
    assert_eq!(full.said().matches("200 met").count(), IN_FLIGHT_MAX, "{}", full.said());
    let more = IN_FLIGHT_MAX + 1;
    let (over, connections) = ran(&[&several("together", more, &format!("meet/{more}"))]);
    assert_eq!(over.said().matches("200 alone").count(), more, "{}", over.said());
    assert_eq!(connections, more);
}

/// The guest hears first of what came first, though it asked for it last.
#[test]
fn what_comes_first_is_told_first() {
    let slow = "GET|http|PEER|/v1/late/400";
    let quick = "GET|http|PEER|/v1/late/1";
    let (ran, _) = ran(&[&format!("together {slow} ++ {quick}")]);
    assert_eq!(ran.said(), "together: ok 1 200 hello, 0 200 hello");
    let numbers: Vec<_> = ran.finished().journal.entries().iter().filter_map(answered).collect();
    assert!(numbers.is_sorted_by(|one, next| one > next), "answered in the order {numbers:?}");
}

fn answered(entry: &envelope_evidence::journal::Entry) -> Option<u64> {
    match &entry.event {
        Event::Answered(it) if it.call.operation.as_str() == "request" => Some(it.call.n),
        _ => None,
    }
}

/// A guest that looks again and again without waiting sees the same on a replay, look by look.
#[test]
fn a_guest_may_look_without_waiting() {
    let (ran, _) = ran(&["looking GET|http|PEER|/v1/late/30"]);
    let looks = ran.said().split_once(": ok ").unwrap().1.parse::<u64>().unwrap();
    let recorded = ran.finished().journal.entries().iter().filter(|entry| {
        matches!(&entry.event, Event::Answered(it) if it.call.operation.as_str() == "future.get")
    });
    assert_eq!(recorded.count(), usize::try_from(looks).unwrap());
    assert!(looks > 1);
}

/// A timer that is due ends a wait for an answer: the guest's own deadlines hold.
#[test]
fn a_timer_and_an_answer_are_waited_for_together() {
    let (ran, _) = ran(&["within 50 GET|http|PEER|/v1/silent"]);
    assert_eq!(ran.said(), "within: ok [0] false");
}

#[test]
fn an_answer_may_be_waited_for_twice_at_once() {
    let (ran, _) = ran(&["twice GET|http|PEER|/v1/late/20"]);
    assert_eq!(ran.said(), "twice: ok [0, 1] 200 hello");
    ran.books_are_exact();
}

/// What the guest let go of is taken off the wire, and counts in full: nobody knows what came of
/// it.
#[test]
fn what_is_let_go_counts_in_full() {
    let silent = several("first", 2, "silent").replacen("silent", "x", 1);
    let (ran, connections) = ran(&[&silent]);
    assert_eq!(ran.said(), "first: ok 0 200 hello");
    assert!(connections <= 2);
    let journal = &ran.finished().journal;
    let open = journal.calls().iter().filter(|state| state.settled == Settled::Begun).count();
    assert_eq!(open, 1);
    let reserved: Vec<_> = journal.entries().iter().filter_map(reserved).collect();
    assert!(journal.used().get(Dimension::Bytes) > reserved[1], "{reserved:?}");
}

fn reserved(entry: &envelope_evidence::journal::Entry) -> Option<u64> {
    match &entry.event {
        Event::Begun(begun) => Some(begun.reserved.get(Dimension::Bytes)),
        _ => None,
    }
}

/// A run may end before what it sent is back.
#[test]
fn a_run_ends_with_requests_under_way() {
    for verb in ["fire", "forget"] {
        let (ran, _) = ran(&[&format!("{verb} GET|http|PEER|/v1/silent"), "now"]);
        assert_eq!(ran.end().0, Outcome::Ok, "{verb}");
        let open = ran.finished().journal.calls().iter();
        assert_eq!(open.filter(|it| it.settled == Settled::Begun).count(), 1, "{verb}");
    }
}

/// Each of them has its own hold: what all could use together has to fit.
#[test]
fn each_request_sets_its_worst_case_aside() {
    let peer = Peer::start(LOOPBACK);
    // The worst of one is the largest head that is read, and its own head: two do not fit.
    let mut setup = online(&peer, ALL, &[&several("together", 2, "meet/2")]);
    setup.bytes = 120_000;
    let ran = run(&setup);
    assert_eq!(ran.denied(), ["budget.exhausted"], "{}", ran.said());
    assert!(ran.said().contains("402 budget.exhausted"), "{}", ran.said());
    assert_eq!(peer.connections(), 1, "the second was not sent");
    ran.books_are_exact();
    ran.replays_same();
    setup.bytes = 200_000;
    let both = run(&setup);
    assert_eq!(words(&both.said()), ["0 200 met", "1 200 met"]);
}

/// Wherever the process dies, whoever goes on comes to answers, and a replay to the same.
#[test]
fn a_run_with_requests_under_way_goes_on_from_every_line() {
    let peer = Peer::start(LOOPBACK);
    let together = several("together", 3, "x");
    let setup = online(&peer, ALL, &[&together, "now", "left"]);
    let whole = run(&setup);
    let expected = words(&whole.said()).len();
    let lines: Vec<_> = whole.journal.split_inclusive(|&byte| byte == b'\n').collect();
    for kept in 1..lines.len() {
        let before = peer.connections();
        let resumed = resumed(&whole, &lines[..kept].concat());
        let open = Journal::parse(&lines[..kept].concat()).unwrap();
        let asked = open.calls().iter().filter(|it| it.settled == Settled::Begun).count();
        assert_eq!(words(&resumed.said()).len(), expected, "{kept} lines");
        assert_eq!(resumed.end().0, Outcome::Ok, "{kept} lines: {}", resumed.said());
        assert!(peer.connections() - before >= asked, "{kept} lines");
        resumed.books_are_exact();
        resumed.replays_same();
    }
}

/// What must not happen twice is asked of a human when its answer is waited for, and not before:
/// what happened beside it is told as it was.
#[test]
fn a_human_decides_about_one_of_several() {
    let peer = Peer::start(LOOPBACK);
    let act = "together POST|http|PEER|/v1/late/100||body ++ GET|http|PEER|/v1/x";
    let whole = run(&online(&peer, ALL, &[act]));
    let lines: Vec<_> = whole.journal.split_inclusive(|&byte| byte == b'\n').collect();
    let entries = whole.finished().journal.entries();
    let begun = |recovery: Recovery| {
        let is_it = |event: &Event| matches!(event, Event::Begun(it) if it.recovery == recovery);
        entries.iter().position(|entry| is_it(&entry.event)).unwrap()
    };
    let (post, get) = (begun(Recovery::Once), begun(Recovery::Again));
    assert!(post < get);
    for kept in [post, get] {
        let before = peer.connections();
        let resumed = resumed(&whole, &lines[..=kept + 1].concat());
        assert_eq!(resumed.end(), (Outcome::Denied, "recovery.human".to_owned()), "{kept}");
        assert!(peer.heard()[before..].iter().all(|heard| heard.starts_with("GET")), "{kept}");
        resumed.replays_same();
    }
}

fn resumed(ran: &Ran, lines: &[u8]) -> Ran {
    run_into(&ran.setup, Lines::of(lines, None), Some(ran.store.clone()))
}

/// What is left of an answer whose head was heard by a process that is gone.
const BROKEN_OFF: &str = " ConnectionTerminated after ";

/// Put aside at any call, also under kill switches, a run hears how far each request came: none is
/// sent twice, and no human has to decide.
#[test]
fn a_run_that_is_put_aside_hears_what_is_under_way() {
    let post = "POST|http|PEER|/v1/late/20||body";
    let act = format!("together {post} ++ {post}");
    for watched in [false, true] {
        let peer = Peer::start(LOOPBACK);
        let mut setup = online(&peer, ALL, &[&act]);
        setup.gentle = true;
        if watched {
            setup = obeying(setup).0;
        }
        let whole = run(&setup);
        let asked = whole.world.asked.load(std::sync::atomic::Ordering::SeqCst);
        let mut aside = 0;
        for at in 0..asked {
            let before = peer.connections();
            let first = run(&setup.clone().after(at, Change::Stop(Stop::Suspended)));
            let Err(Halted::Stopped(Stop::Suspended)) = &first.finished else { continue };
            aside += 1;
            let lines = Lines::of(&first.journal, None);
            let resumed = run_into(&setup, lines, Some(first.store.clone()));
            assert_eq!(resumed.end().0, Outcome::Ok, "{at}");
            let said = resumed.said();
            let said = words(&said);
            let heard = |came: &&str| came.ends_with(" 200 hello") || came.contains(BROKEN_OFF);
            assert!(said.len() == 2 && said.iter().all(heard), "{at}: {said:?}");
            assert_eq!(peer.connections() - before, 2, "{at}");
            resumed.books_are_exact();
            resumed.replays_same();
        }
        assert!(aside > 5, "{aside}");
    }
}

/// Whoever stops a run waits for none of them.
#[test]
fn a_run_is_stopped_with_several_under_way() {
    let peer = Peer::start(LOOPBACK);
    let setup = online(&peer, ALL, &[&several("together", 3, "silent")]);
    let asked = run(&online(&peer, ALL, &[&several("together", 3, "x")]));
    let asked = asked.world.asked.load(std::sync::atomic::Ordering::SeqCst);
    for at in 0..asked.min(12) {
        let stop = Change::Stop(Stop::Killed("enough".to_owned()));
        let ran = run(&setup.clone().after(at, stop));
        assert_eq!(ran.end(), (Outcome::Killed, "enough".to_owned()), "{at}");
        ran.replays_same();
    }
}
