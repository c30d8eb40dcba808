//! Whatever is lost on the way, a run that is taken up again ends as if nothing had happened.

use std::sync::atomic::Ordering;

use envelope_engine::run::Halted;
use envelope_evidence::journal::{Journal, Outcome};
use envelope_gate::stop::{Fault, Stop};

use super::world::{Beating, Change, Lines, Ran, Setup, run, run_into, setup};
use crate::chance::Chance;

/// Reads, writes, asks for the time and for chance.
const ACTS: &str = "read in/a.txt; now; write out/a x; random 100; append out/a y; sleep 5; seed; \
                    read secret/key.txt; rename out/a out/b; artifact plot svg; age; log done; \
                    model large; stress; write out/c z; unlink out/c; list out; left";

/// What a run comes to, whatever happened on the way.
#[derive(Debug, PartialEq)]
struct Story {
    end: (Outcome, String),
    said: String,
    outputs: Vec<(String, String)>,
    artifacts: Vec<String>,
    journal: Vec<u8>,
}

fn story(ran: &Ran) -> Story {
    let finished = ran.finished();
    let outputs = finished.outputs.iter();
    Story {
        end: ran.end(),
        said: ran.said(),
        outputs: outputs.map(|it| (it.path.to_string(), it.digest.to_string())).collect(),
        artifacts: finished.artifacts.iter().map(|(name, _)| name.clone()).collect(),
        journal: ran.journal.clone(),
    }
}

/// The whole lines at the start of `bytes`: a torn one is not a record.
fn whole(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    &bytes[..end]
}

#[test]
fn a_run_goes_on_from_every_line_of_its_journal() {
    let setup = setup(ACTS);
    let undisturbed = run(&setup);
    undisturbed.replays_same();
    let expected = story(&undisturbed);
    let mut cuts: Vec<_> = (1..=undisturbed.journal.len())
        .filter(|end| undisturbed.journal[end - 1] == b'\n')
        .flat_map(|end| [end, end + 17])
        .collect();
    // Behind the last line there is nothing that could be torn.
    cuts.retain(|end| *end <= undisturbed.journal.len());
    for end in cuts {
        let left = whole(&undisturbed.journal[..end]);
        let resumed = run_into(&setup, Lines::of(left, None), Some(undisturbed.store.clone()));
        assert_eq!(story(&resumed), expected, "cut at {end}");
    }
}

#[test]
fn a_disk_that_fails_at_any_line_halts_the_run_and_loses_nothing() {
    let setup = setup(ACTS);
    let expected = story(&run(&setup));
    let count = expected.journal.iter().filter(|byte| **byte == b'\n').count();
    for room in 0..count {
        let lines = Lines::of(b"", Some(room));
        let crashed = run_into(&setup, lines, None);
        let Err(Halted::Stopped(Stop::Fault(Fault::Journal(_)))) = &crashed.finished else {
            panic!("line {room}");
        };
        let again = Lines::of(&crashed.journal, None);
        let resumed = run_into(&setup, again, Some(crashed.store.clone()));
        assert_eq!(story(&resumed), expected, "line {room}");
    }
}

#[test]
fn a_run_is_put_aside_and_taken_up_at_every_call() {
    let setup = setup(ACTS);
    let undisturbed = run(&setup);
    let expected = story(&undisturbed);
    let asked = undisturbed.world.asked.load(std::sync::atomic::Ordering::SeqCst);
    // It looks once more at its end, which is too late to be put aside.
    for at in 0..asked {
        let aside = run(&setup.clone().after(at, Change::Stop(Stop::Suspended)));
        if at + 1 == asked {
            assert_eq!(story(&aside), expected);
            break;
        }
        let Err(Halted::Stopped(Stop::Suspended)) = &aside.finished else { panic!("call {at}") };
        let resumed = run_into(&setup, Lines::of(&aside.journal, None), Some(aside.store.clone()));
        assert_eq!(story(&resumed), expected, "call {at}");
    }
}

/// A thousand times: the acts in another order, crashing again and again at places of chance.
#[test]
fn a_thousand_schedules_of_crashes_change_nothing() {
    let mut seed = Chance(0x5eed);
    let mut crashes = 0;
    for schedule in 0..1000 {
        let setup = shuffled(&mut seed);
        let expected = story(&run(&setup));
        let mut left = Vec::new();
        let mut store = None;
        let finished = loop {
            let lines = Lines::of(&left, Some(seed.index(24)));
            let ran = run_into(&setup, lines, store.clone());
            if ran.finished.is_ok() {
                break ran;
            }
            crashes += 1;
            let torn = seed.index(300);
            let kept = ran.journal.len() - torn.min(ran.journal.len() - left.len());
            left = whole(&ran.journal[..kept]).to_vec();
            store = Some(ran.store.clone());
        };
        assert_eq!(story(&finished), expected, "schedule {schedule}");
        finished.books_are_exact();
    }
    assert!(crashes > 1000, "{crashes} crashes");
}

fn shuffled(seed: &mut Chance) -> Setup {
    let mut acts: Vec<_> = ACTS.split("; ").filter(|act| *act != "stress").collect();
    for at in (1..acts.len()).rev() {
        acts.swap(at, seed.index(at + 1));
    }
    acts.truncate(3 + seed.index(8));
    setup(&acts.join("; "))
}

/// Also a run that is ended by a limit is ended by it once more, with the room that was left.
#[test]
fn a_resumed_run_has_no_more_than_was_left() {
    for setup in [
        setup("repeat 1000 now").journal(20_000),
        Setup { calls: 20, ..setup("insist 30 now") },
        Setup { bytes: 9_000, ..setup("repeat 30 random 1000") },
        setup("repeat 1000 stderr x").output(10),
    ] {
        let undisturbed = run(&setup);
        let expected = story(&undisturbed);
        assert_ne!(expected.end.0, Outcome::Ok);
        let entries = Journal::parse(&undisturbed.journal).unwrap().entries().len();
        for room in 1..entries {
            let crashed = run_into(&setup, Lines::of(b"", Some(room)), None);
            let again = Lines::of(&crashed.journal, None);
            let resumed = run_into(&setup, again, Some(crashed.store.clone()));
            assert_eq!(story(&resumed), expected, "line {room}");
        }
    }
}

/// Killed, and then the power fails before the end is written: it was killed all the same.
#[test]
fn a_run_that_was_killed_stays_killed() {
    let killed = Change::Stop(Stop::Killed("by the owner".to_owned()));
    let killed = setup("now; now; now").after(4, killed);
    let undisturbed = run(&killed);
    let expected = story(&undisturbed);
    assert_eq!(expected.end.0, Outcome::Killed);
    let entries = Journal::parse(&undisturbed.journal).unwrap().entries().len();
    let crashed = run_into(&killed, Lines::of(b"", Some(entries)), None);
    assert!(crashed.finished.is_err());
    let nobody = Setup { changes: Vec::new(), ..killed };
    let resumed = run_into(&nobody, Lines::of(&crashed.journal, None), Some(crashed.store.clone()));
    assert_eq!(story(&resumed), expected);
    resumed.replays_same();
}

/// What is recorded happened, whatever the clock and the switches say when it is played again: the
/// beat of the engine, which comes in the middle of it, ends nothing.
#[test]
fn nothing_ends_a_run_while_its_record_is_played() {
    let beating = Beating::start();
    let aside = Change::Stop(Stop::Suspended);
    let acts = format!("{}now; now; now", "stress; ".repeat(40));
    let setup = Setup { component: beating.guest.clone(), ..setup(&acts).fuel(1 << 50) };
    let whole = run(&setup);
    let asked = whole.world.asked.load(Ordering::SeqCst);
    let calls = |journal: &[u8]| Journal::parse(journal).unwrap().calls().len();
    // The engine's beats look too, and come as they like: the run is put aside near its end, with
    // two calls before it. A change that is seen at the first of them comes too late for that one.
    let put_aside = |ran: &Ran| {
        let aside = matches!(ran.finished, Err(Halted::Stopped(Stop::Suspended)));
        aside && calls(&ran.journal) + 2 < calls(&whole.journal)
    };
    let late = (3..asked).map(|back| run(&setup.clone().after(asked - back, aside.clone())));
    let before = late.into_iter().find(put_aside).expect("a run that was put aside");
    let killed = Change::Stop(Stop::Killed("by the owner".to_owned()));
    for (change, outcome) in [(Change::Clock(1 << 40), Outcome::Denied), (killed, Outcome::Killed)]
    {
        let late = setup.clone().after(0, change);
        let late = run_into(&late, Lines::of(&before.journal, None), Some(before.store.clone()));
        let (made, played) = (calls(&late.journal), calls(&before.journal));
        assert!(made > played, "{made} calls, {played} of them before");
        assert_ne!(late.end().0, Outcome::Ok, "{outcome:?}");
        late.replays_same();
    }
}

mod asleep;
mod once;
