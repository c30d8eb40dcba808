//! What comes back from callees: whatever it is, the caller goes on, now and on every replay.

use envelope_engine::run::Halted;
use envelope_evidence::Dimension;
use envelope_evidence::journal::{Event, Journal, Outcome};
use envelope_gate::stop::{Fault, Stop};

use super::handing;
use super::town::town;

/// What a callee makes where its caller has something else: a word for it, and the caller goes on.
#[test]
fn what_has_no_place_is_refused_before_it_is_recorded() {
    for (before, callee, after, said) in [
        // A folder stands where the callee, which does not see it, makes a file.
        (
            "mkdir out/draft/x",
            "write out/draft/x y",
            "read in/a.txt",
            "mkdir: ok; call: ended no place for its files; read: ok alpha",
        ),
        // A file that was handed on comes back as a folder.
        (
            "write out/draft/x y",
            "unlink out/draft/x|mkdir out/draft/x|write out/draft/x/y z",
            "read out/draft/x",
            "write: ok 1; call: ended no place for its files; read: ok y",
        ),
        // Beside it: a file in the place of a file.
        (
            "write out/draft/x y",
            "write out/draft/x z",
            "read out/draft/x",
            "write: ok 1; call: ok write: ok 1; read: ok z",
        ),
    ] {
        let ran = town(&format!("mkdir out/draft; {before}; {}; {after}", handing(callee))).run();
        assert_eq!(ran.said(), format!("mkdir: ok; {said}"), "{callee}");
        assert_eq!(ran.end().0, Outcome::Ok);
        ran.replays_same();
    }
}

/// Callees of one call, each of which could be taken in by itself: of `0` comes a file where of `1`
/// comes a folder.
#[test]
fn callees_of_one_call_do_not_stand_in_each_others_way() {
    for (file, refused) in [("out/1", true), ("out/2", false)] {
        let acts = format!("mkdir out/{{n}}|write out/1/x z|write {file} y");
        let ran = town(&format!("call-all 2 helper@local - out/ 60 0 99 {acts}; list out")).run();
        assert_eq!(ran.said().contains("& ended no place for its files;"), refused);
        assert_eq!(ran.outputs().contains(&"out/1/x".to_owned()), !refused);
        assert!(ran.outputs().contains(&file.to_owned()), "{}", ran.said());
        ran.replays_same();
    }
}

/// A document that no journal could hold is as good as none.
#[test]
fn a_long_document_is_refused() {
    let ran = town(&format!("{}; read in/a.txt", handing("repeat 270 zeroes 4096"))).run();
    assert_eq!(ran.said(), "call: ended bytes of its document; read: ok alpha");
    let [child] = &ran.children()[..] else { panic!() };
    assert_eq!(child.outcome, Outcome::Ok, "it did what it did");
    ran.replays_same();
    let ran = town(&handing("repeat 20 zeroes 4096")).run();
    assert!(ran.said().starts_with("call: ok "), "{}", ran.end().1);
}

/// Of one tree there run as many at once as there is room, and who finds none is told so.
#[test]
fn a_tree_has_so_much_room() {
    let acts = "call-deep helper@local in/** - 60 0 500 call-small guests@local in/** - 60 0 100 \
                read in/a.txt; read in/b.txt";
    for (seats, said) in [
        (2, "call-deep: ok call-small: ok read: ok alpha; read: ok beta"),
        (1, "call-deep: ok call-small: unavailable; read: ok beta"),
        (0, "call-deep: unavailable; read: ok beta"),
    ] {
        let mut town = town(acts);
        town.seats = Some(seats);
        let ran = town.run();
        assert_eq!(ran.said(), said, "{seats} seats");
        ran.replays_same();
    }
}

/// A crash behind the callee's end: what it did is not given back because it is gone since.
#[test]
fn a_callee_that_worked_is_not_refunded() {
    let acts = format!("{}; now", handing("read in/a.txt"));
    let answer = |journal: &Journal| {
        let answered = |event: &Event| matches!(event, Event::Answered(it) if it.child.is_some());
        journal.entries().iter().position(|it| answered(&it.event)).unwrap()
    };
    let room = answer(&town(&acts).run().journal) + 1;
    let mut gone = town(&acts);
    let lines = gone.crash(room);
    gone.neighbours = vec!["guests@local"];
    match gone.resume(&lines) {
        Err(Halted::Stopped(Stop::Fault(Fault::Journal(why)))) => {
            assert!(why.contains("goes on no more: nobody of this name"), "{why}");
        }
        Err(why) => panic!("{why}"),
        Ok(ran) => panic!("refunded: {}", ran.said()),
    }
    // It comes back, and so does the caller.
    gone.neighbours = vec!["guests@local", "helper@local"];
    let ran = gone.resume(&lines).unwrap();
    assert_eq!(ran.said().split("; ").next(), Some("call: ok read: ok alpha"));
    ran.replays_same();
    // Whoever had done nothing was never called.
    let mut never = town(&acts);
    let lines = never.crash(room - 1);
    assert_eq!(never.records(), 0);
    never.neighbours = Vec::new();
    let ran = never.resume(&lines).unwrap();
    assert!(ran.said().starts_with("call: unavailable"), "{}", ran.said());
    assert_eq!(ran.children(), []);
}

/// The most agents of one run: the last of them is taken up again after a crash like any other.
#[test]
fn the_last_callee_is_taken_up_again() {
    let mut town = town("insist 257 call-small helper@local - - 60 0 9 noop");
    town.setup = town.setup.fuel(20_000_000_000);
    let ran = town.run();
    assert_eq!(ran.children().len(), 256);
    assert_eq!(ran.said(), "insist: denied delegation.many");
    let last = ran.journal.entries().iter().rposition(|it| matches!(it.event, Event::Begun(_)));
    let again = town.fresh().crash_and_resume(last.unwrap() + 2);
    assert_eq!(again.children().len(), 256);
    assert_eq!(again.said(), ran.said());
    let calls = |journal: &Journal| journal.used().get(Dimension::Calls);
    assert_eq!(calls(&again.journal), calls(&ran.journal));
}

/// A file that is handed on twice is hashed once, and paid for once, by the byte.
#[test]
fn handing_on_is_paid_for() {
    let fuel = |acts: &str| town(acts).run().journal.used().get(Dimension::Fuel);
    let call = "call-small helper@local - out/ 60 0 9 noop";
    let made = |size: u64| format!("create out/x; size out/x {size}");
    let hashed = |calls: &str| {
        let with = |size| fuel(&format!("{}{calls}", made(size)));
        with(1_000_000) - with(100_000)
    };
    let (once, twice) = (hashed(&format!("; {call}")), hashed(&format!("; {call}; {call}")));
    assert!(once.abs_diff(hashed("") + 9_000_000) < 100_000, "{once}");
    assert!(twice.abs_diff(once) < 100_000, "{twice} after {once}");
    // Finding them is paid for by what is looked at.
    let many = fuel(&format!("insist 0 noop; {call}"));
    let files = (0..50).map(|at| format!("create out/{at}; ")).collect::<String>();
    let more = fuel(&format!("{files}{call}")) - fuel(files.trim_end_matches("; "));
    assert!(more > many - fuel("insist 0 noop") + 50 * 2_000, "{more}");
}
