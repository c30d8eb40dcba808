//! Kill switches: whom they stop, wherever they find it, what is written of it, and whom they
//! leave alone.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use envelope_engine::run::Halted;
use envelope_evidence::journal::{Entry, Event, Journal, Outcome, Reviewed};
use envelope_evidence::{Digest, Dimension};
use envelope_gate::kill::Obeyed;
use envelope_gate::stop::{Fault, Stop};
use envelope_rules::approval::Wanted;
use envelope_rules::denial::Code;
use envelope_rules::kill::Target;
use envelope_rules::pattern::PatternSet;

use super::approvals::office::{Office, ada};
use super::approvals::{is_aside, journal, reviews};
use super::peers::town::{Town, children, ended, town};
use super::world::{Beating, Change, Levers, Lines, Ran, Setup, label, run, run_into, setup};

/// Those that name the run of these tests, and those that name another.
fn targets() -> [(Target, Target); 5] {
    let paper = |text: &[u8]| Target::Paper(Digest::of(text));
    [
        (paper(b"bought"), paper(b"another")),
        (Target::Run(label("run_1")), Target::Run(label("run_2"))),
        (Target::Agent(label("guests@local")), Target::Agent(label("other@local"))),
        (Target::Organisation(label("acme")), Target::Organisation(label("other"))),
        (Target::All, Target::Run(label("guests@local"))),
    ]
}

/// What its Paper lets an approval reach.
fn wide() -> Wanted {
    Wanted {
        read: PatternSet::parse(&["**"]).unwrap(),
        write: None,
        hosts: Vec::new(),
        models: Vec::new(),
        nano_usd: 0,
        ttl: 3600,
    }
}

/// What a receipt says of whom `target` stopped.
pub fn words(target: &Target) -> String {
    format!("{target} stopped by ada at 2025-05-25T00:40:00.000Z: it loops")
}

pub fn obeying(setup: Setup) -> (Setup, Arc<Levers>) {
    let levers = Arc::new(Levers::default());
    let organisation = Some(label("acme"));
    let obeyed = Some(Obeyed { switches: levers.clone(), organisation });
    (Setup { obeyed, bought: Some(Digest::of(b"bought")), ..setup }, levers)
}

/// The same with a switch that is thrown at the `at`-th look of the gate.
pub fn thrown(setup: &Setup, at: usize, target: &Target) -> Setup {
    let (setup, levers) = obeying(setup.clone());
    setup.after(at, Change::Throw(levers, target.clone()))
}

fn is_killed(ran: &Ran, target: &Target) {
    assert_eq!(ran.end(), (Outcome::Killed, words(target)));
    ran.replays_same();
    ran.books_are_exact();
    ran.outside_unchanged();
}

#[test]
fn each_kind_of_switch_stops_a_run_at_its_next_call() {
    let acts = "now; write out/x y; now; read in/a.txt; now";
    for (target, other) in targets() {
        let undisturbed = run(&thrown(&setup(acts), 3, &other));
        assert_eq!(undisturbed.end().0, Outcome::Ok, "{other}");
        undisturbed.replays_same();
        let ran = run(&thrown(&setup(acts), 3, &target));
        is_killed(&ran, &target);
        assert_eq!(ran.outputs(), [""; 0], "it gives nothing out");
        assert!(journal(&ran).calls().len() < journal(&undisturbed).calls().len());
    }
}

/// Whoever only computes looks up at every beat of the engine's heart.
#[test]
fn each_kind_of_switch_stops_a_busy_loop() {
    let beating = Beating::start();
    let spins = Setup { component: beating.guest.clone(), ..setup("spin").fuel(1 << 50) };
    for (target, other) in targets() {
        let setup = thrown(&spins, 2, &other);
        // Only another switch ends what the first one left alone.
        let ran = run(&setup.after(9, Change::Stop(Stop::Killed("enough".to_owned()))));
        assert_eq!(ran.end(), (Outcome::Killed, "enough".to_owned()));
        is_killed(&run(&thrown(&spins, 5, &target)), &target);
    }
}

/// In memory, and when nothing is left of it but its journal: the question is withdrawn, the money
/// and the call that were set aside for it go back.
#[test]
fn each_kind_of_switch_stops_a_run_that_waits() {
    let acts = "widen top.txt - - - 0 600; read top.txt";
    let waits = |office: &Arc<Office>| {
        let (setup, levers) = obeying(setup(acts).at_desk(office.clone()));
        // Under a Paper that lets nobody widen anything, nobody would be waited for.
        (Setup { paper: Some(wide()), ..setup }, levers)
    };
    for (target, other) in targets() {
        let office = Office::new(&[]);
        let (asking, levers) = waits(&office);
        let aside = run(&asking);
        assert!(is_aside(&aside));
        levers.throw(&other);
        let lines = || Lines::of(&aside.journal, None);
        let still = run_into(&asking, lines(), Some(aside.store.clone()));
        assert!(is_aside(&still), "{other}");
        levers.throw(&target);
        // Whatever was decided meanwhile.
        office.seat(&[ada]);
        let ran = run_into(&asking, lines(), Some(aside.store.clone()));
        is_killed(&ran, &target);
        let [review] = &reviews(&journal(&ran))[..] else { panic!() };
        assert_eq!(review.decision, Reviewed::Withdrawn);
        assert_eq!(ran.denied(), ["approval.withdrawn"]);
        // Lifted before anybody took it up, it goes on.
        levers.lift(&target);
        let ran = run_into(&asking, lines(), Some(aside.store.clone()));
        assert_eq!(ran.said(), "widen: ok top.txt - 600; read: ok at the top");
    }
    let mut withdrawn = 0;
    for at in 0..8 {
        let asks = setup(acts).at_desk(Office::new(&[]));
        let ran = run(&thrown(&asks, at, &Target::All));
        if !is_aside(&ran) {
            is_killed(&ran, &Target::All);
            withdrawn += reviews(&journal(&ran)).len();
        }
    }
    assert!(withdrawn > 0, "none of these moments is while it waits in memory");
}

/// Switches are read when one changed, not at every call.
#[test]
fn nobody_reads_switches_that_did_not_change() {
    let (setup, levers) = obeying(setup("insist 500 now"));
    levers.throw(&Target::Run(label("run_2")));
    let ran = run(&setup);
    assert_eq!(ran.end().0, Outcome::Ok);
    assert!(ran.world.asked.load(Ordering::SeqCst) > 500);
    assert_eq!(levers.looks.load(Ordering::SeqCst), 2, "once to begin, once on the way");
}

/// It is stopped for good, also when the switch is lifted before it has ended.
#[test]
fn whoever_was_stopped_stays_so() {
    let beating = Beating::start();
    let spins = Setup { component: beating.guest.clone(), ..setup("spin").fuel(1 << 50) };
    let (spins, levers) = obeying(spins);
    let at =
        |at, change: fn(Arc<Levers>, Target) -> Change| (at, change(levers.clone(), Target::All));
    let mut spins = spins;
    spins.changes = vec![at(3, Change::Throw), at(4, Change::Lift)];
    is_killed(&run(&spins), &Target::All);
}

#[test]
fn nobody_begins_whom_a_switch_names() {
    for (target, other) in targets() {
        let (setup, levers) = obeying(setup("read in/a.txt"));
        levers.throw(&other);
        levers.throw(&target);
        let refused = run(&setup);
        let Err(Halted::Refused(denial)) = &refused.finished else { panic!("{target}: it began") };
        assert_eq!(denial.code(), Code::Stopped);
        assert!(denial.to_string().contains(&words(&target)), "{denial}");
        assert!(refused.journal.is_empty(), "nothing is written");
        levers.lift(&target);
        assert_eq!(run(&setup).said(), "read: ok alpha");
    }
}

/// Nobody can tell whether it has to stop: it does not go on, and it has not ended either.
#[test]
fn switches_that_cannot_be_read_let_nobody_go_on() {
    let (setup, levers) = obeying(setup("now; write out/x y; read out/x"));
    let torn = setup.clone().after(2, Change::Break(levers.clone()));
    let lines = Lines::default();
    let ran = run_into(&torn, lines.clone(), None);
    let fault = Fault::Switches("torn".to_owned());
    let Err(Halted::Stopped(Stop::Fault(found))) = &ran.finished else { panic!("it went on") };
    assert_eq!(*found, fault);
    assert!(Journal::parse(&ran.journal).unwrap().ended().is_none());
    let again = run_into(&setup, lines.clone(), Some(ran.store.clone()));
    assert!(again.finished.is_err());
    levers.set_broken(false);
    let again = run_into(&setup, lines, Some(ran.store.clone()));
    assert_eq!(again.end().0, Outcome::Ok);
    again.replays_same();
}

/// What was there when it happened does not matter to a replay.
#[test]
fn a_replay_asks_no_switches() {
    let (setup, levers) = obeying(setup("now; read in/a.txt"));
    let ran = run(&setup);
    levers.throw(&Target::All);
    levers.set_broken(true);
    ran.replays_same();
}

fn calling(acts: &str) -> (Town, Arc<Levers>) {
    let mut town = town(acts);
    let (setup, levers) = obeying(town.setup.clone());
    town.setup = setup;
    (town, levers)
}

const CALLS: &str = "call helper@local in/** out/ 60 0 600 insist 500 now; read in/a.txt; call \
                     helper@local in/** out/ 60 0 99 now";

/// The callee alone is stopped: its caller is told, pays for what was done, and goes on.
#[test]
fn a_callee_is_stopped_and_its_caller_goes_on() {
    let helper = Target::Agent(label("helper@local"));
    let (undisturbed, levers) = calling(CALLS);
    levers.throw(&Target::Agent(label("nobody@local")));
    assert_eq!(undisturbed.run().end().0, Outcome::Ok);
    let (mut town, levers) = calling(CALLS);
    town.setup = town.setup.after(100, Change::Throw(levers, helper.clone()));
    let ran = town.run();
    assert_eq!(ran.end().0, Outcome::Ok);
    let said = ran.said();
    assert!(said.ends_with("read: ok alpha; call: unavailable"), "{said}");
    let why = |entry: &Entry| match &entry.event {
        Event::Answered(it) => {
            it.answer.inline().map(|it| String::from_utf8_lossy(it).into_owned())
        }
        _ => None,
    };
    let told: String = ran.journal.entries().iter().filter_map(why).collect();
    assert!(told.contains("run.stopped"), "{told}");
    // The second call finds nobody who may begin.
    let [child] = &children(&ran.journal)[..] else { panic!("{said}") };
    assert_eq!(child.outcome, Outcome::Killed);
    assert_eq!(ended(&town.journal_of(&child.run)), (Outcome::Killed, words(&helper)));
    assert!(child.used.get(Dimension::Calls) < child.reserved.get(Dimension::Calls));
    assert_eq!(town.records(), 1);
    let used = child.used.get(Dimension::Calls) + ran.own_calls();
    assert_eq!(ran.journal.used().get(Dimension::Calls), used);
    ran.replays_same();
}

/// Whoever stops a caller stops whom it called: both receipts say so.
#[test]
fn a_caller_is_stopped_in_its_callee() {
    for (target, _) in targets() {
        let (mut town, levers) = calling(CALLS);
        town.setup = town.setup.after(100, Change::Throw(levers, target.clone()));
        let ran = town.run();
        assert_eq!(ran.end(), (Outcome::Killed, words(&target)));
        let [child] = &ran.children()[..] else { panic!() };
        assert_eq!(ended(&town.journal_of(&child.run)), (Outcome::Killed, words(&target)));
        assert!(child.used.get(Dimension::Calls) < child.reserved.get(Dimension::Calls));
        ran.replays_same();
    }
}

/// As a database launches it: the journal has its header, and nothing happened yet. A switch that
/// names the run by then ends it before its component is set up, and any other leaves it alone.
#[test]
fn whoever_is_stopped_before_it_began_is_not_even_set_up() {
    for (target, other) in targets() {
        let (setup, levers) = obeying(setup("now; write out/x y"));
        let launched = run_into(&setup, Lines { room: Some(1), ..Lines::default() }, None);
        assert!(launched.finished.is_err());
        let lines = || {
            let lines = Lines::default();
            lines.bytes.lock().unwrap().extend_from_slice(&launched.journal);
            lines
        };
        levers.throw(&other);
        let undisturbed = run_into(&setup, lines(), None);
        assert_eq!(undisturbed.end().0, Outcome::Ok, "{other}");
        assert!(journal(&undisturbed).used().get(Dimension::Fuel) > 0);
        levers.throw(&target);
        let ran = run_into(&setup, lines(), None);
        is_killed(&ran, &target);
        assert_eq!(journal(&ran).used().get(Dimension::Fuel), 0, "nothing of it ran");
        assert_eq!(ran.world.asked.load(Ordering::SeqCst), 0, "nobody came to the gate");
    }
}
