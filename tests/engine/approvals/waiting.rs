//! Runs that wait: put aside, killed, taken up by another process, and the same in the end.

use std::sync::Arc;
use std::time::Duration;

use envelope_engine::run::Halted;
use envelope_evidence::journal::{Event, Journal, Outcome, Reviewed};
use envelope_gate::desk::{Asking, Desk};
use envelope_gate::stop::Stop;
use envelope_rules::approval::{Request, Rules};
use serde_json::Value;

use super::office::{Office, WINDOW, ada, no};
use super::{ACTS, is_aside, journal, reviews, rotations};
use crate::engine::world::{Change, Lines, Ran, Setup, run, run_into, setup};

/// Asks in several ways, and uses what it got.
const STORY: &str = "now; write out/a x; read top.txt; widen top.txt - - - 0 600; read top.txt; \
                     choose red|green; write out/b y; form What?; read in/a.txt; left";

/// The same setup, that many seconds after its start.
pub fn later(setup: &Setup, secs: u64) -> Setup {
    setup.clone().after(0, Change::Clock(secs * 1000))
}

/// What is told of a run, but for when.
pub fn timeless(journal: &Journal) -> Vec<Value> {
    let receipt = envelope_evidence::receipt::fold(journal);
    let all = receipt.evidence.iter().chain([&receipt.receipt]);
    all.map(|bytes| without_times(serde_json::from_slice(bytes).unwrap())).collect()
}

/// Times, and what depends on them: digests of journals and tokens, and how long it took.
fn without_times(value: Value) -> Value {
    const TIMES: [&str; 16] = [
        "started",
        "finished",
        "startedOn",
        "finishedOn",
        "at",
        "issued",
        "expires",
        "elapsed_ms",
        "elapsedMs",
        "wall_ms",
        "token",
        "saw",
        "head",
        "root",
        "evidence",
        "invocationId",
    ];
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(name, _)| !TIMES.contains(&name.as_str()));
            kept.map(|(name, value)| (name, without_times(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(without_times).collect(),
        other => other,
    }
}

/// It asks, is put aside, its process dies, and hours later somebody decides and another process
/// takes it up, three times: the same receipt as the run whose humans answered at once.
#[test]
fn waiting_changes_nothing_but_the_times() {
    let undisturbed = run(&setup(STORY).at_desk(Office::new(&[ada])));
    let undisturbed_said = undisturbed.said();
    let slow = Office::with(&[], |rules| rules.window = 86_400);
    let mut waits = setup(STORY).at_desk(slow.clone());
    waits.timeout = 86_400;
    let same = |setup: &Setup| Setup { timeout: 86_400, ..setup.clone() };
    let undisturbed_long = run(&same(&setup(STORY).at_desk(Office::new(&[ada]))));
    assert_eq!(undisturbed_long.said(), undisturbed_said);

    let mut bytes = Vec::new();
    let mut store = None;
    let mut asked = 0;
    for hours in [0, 3, 7, 20] {
        // Nobody decides: it is put aside, again and again.
        let back = later(&waits, hours * 3600);
        let aside = run_into(&back, Lines::of(&bytes, None), store.clone());
        slow.seat(&[]);
        if !is_aside(&aside) {
            let finished = aside.finished();
            assert_eq!(hours, 20);
            assert_eq!(aside.said(), undisturbed_said);
            assert_eq!(timeless(&finished.journal), timeless(&journal(&undisturbed_long)));
            aside.replays_same();
            return;
        }
        bytes.clone_from(&aside.journal);
        store = Some(aside.store.clone());
        let known = slow.requests().len();
        assert!(known > asked, "it asks");
        asked = known;
        // The next process finds an answer to this one question alone.
        ONCE.with(|once| once.set(Some(slow.requests().last().unwrap().call)));
        slow.seat(&[ada_once]);
    }
    panic!("it never came to its end");
}

thread_local! {
    static ONCE: std::cell::Cell<Option<u64>> = const { std::cell::Cell::new(None) };
}

/// Ada, who answers one question and goes home.
fn ada_once(request: &envelope_rules::approval::Request) -> Option<envelope_gate::desk::Decision> {
    let hers = ONCE.with(|once| once.get() == Some(request.call));
    if hers { ada(request) } else { None }
}

/// The process dies behind any line: the humans are not asked twice, and nothing is told twice.
#[test]
fn a_crash_at_any_line_changes_nothing() {
    let undisturbed = run(&setup(STORY).at_desk(Office::new(&[ada])));
    let count = journal(&undisturbed).entries().len();
    for room in 1..=count {
        let setup = setup(STORY).at_desk(Office::new(&[ada]));
        let crashed = run_into(&setup, Lines::of(b"", Some(room)), None);
        assert!(crashed.finished.is_err(), "line {room}");
        let store = Some(crashed.store.clone());
        let resumed = run_into(&setup, Lines::of(&crashed.journal, None), store);
        assert_eq!(resumed.said(), undisturbed.said(), "line {room}");
        assert_eq!(resumed.journal, undisturbed.journal, "line {room}");
        resumed.replays_same();
    }
}

/// A run whose humans took longer than its grant lived has as much left as when it asked.
#[test]
fn the_time_that_humans_take_is_not_the_runs() {
    let office = Office::with(&[], |rules| rules.window = 10_000);
    let mut waits = setup(
        "sleep 40000; choose a; read in/a.txt; sleep 19000; read in/a.txt; sleep \
                           1000; read in/a.txt",
    );
    (waits.ttl, waits.timeout) = (60, 20_000);
    let waits = waits.at_desk(office.clone());
    let aside = run(&waits);
    assert!(is_aside(&aside));
    // Also when they say no, or nothing.
    let answers: [(&[super::Says], u64, &str); 3] =
        [(&[ada], 9_000, "0"), (&[no], 9_000, "declined not today"), (&[], 10_100, "expired")];
    for (says, after, answer) in answers {
        office.seat(says);
        let back = later(&waits, after);
        let ran = run_into(&back, Lines::of(&aside.journal, None), Some(aside.store.clone()));
        let said = format!(
            "sleep: ok; choose: ok {answer}; read: ok alpha; sleep: ok; read: ok alpha; sleep: \
             ok; read: access"
        );
        assert_eq!(ran.said(), said);
        ran.replays_same();
        let [rotation] = &rotations(&journal(&ran))[..] else { panic!() };
        assert_eq!(rotation.scope.expires - rotation.scope.issued, 20);
        let first = journal(&ran).header().scope.clone().unwrap();
        assert_eq!((&rotation.scope.paths, &rotation.beside), (&first.paths, &None));
    }
}

/// A no to more is no new time: who waited for it until the grant was over holds none any more, and
/// is told so. In time, it goes on with what it had.
#[test]
fn a_no_to_more_renews_nothing() {
    let office = Office::with(&[], |rules| rules.window = 10_000);
    let acts = "sleep 40000; widen top.txt - - - 0 60; read in/a.txt; read top.txt";
    let mut waits = setup(acts);
    (waits.ttl, waits.timeout) = (60, 20_000);
    let waits = waits.at_desk(office.clone());
    let aside = run(&waits);
    assert!(is_aside(&aside));
    office.seat(&[no]);
    let no = "sleep: ok; widen: denied approval.rejected; read: ";
    for (after, reads, codes) in [
        (50, "ok alpha; read: access", ["approval.rejected", "path.outside"].as_slice()),
        (9_000, "access; read: access", &["approval.rejected", "grant.expired", "grant.expired"]),
    ] {
        let back = later(&waits, after);
        let ran = run_into(&back, lines(&aside.journal, None), Some(aside.store.clone()));
        assert_eq!(ran.said(), format!("{no}{reads}"), "after {after} s");
        assert_eq!(ran.denied(), codes);
        let [review] = &reviews(&journal(&ran))[..] else { panic!() };
        assert_eq!(review.decision, Reviewed::Rejected);
        assert_eq!(rotations(&journal(&ran)), []);
        assert!(ran.world.revoked.lock().unwrap().is_empty());
        ran.replays_same();
        ran.books_are_exact();
    }
}

#[test]
fn nobody_decides_and_the_run_goes_on_without() {
    let office = Office::new(&[]);
    let waits = setup(ACTS).at_desk(office);
    let aside = run(&waits);
    assert!(is_aside(&aside));
    let early = run_into(
        &later(&waits, WINDOW - 1),
        Lines::of(&aside.journal, None),
        Some(aside.store.clone()),
    );
    assert!(is_aside(&early), "there is a second left");
    assert_eq!(early.journal, aside.journal, "looking costs nothing");
    let ran = run_into(
        &later(&waits, WINDOW),
        Lines::of(&aside.journal, None),
        Some(aside.store.clone()),
    );
    assert!(ran.said().contains("widen: denied approval.expired; read: access"), "{}", ran.said());
    ran.replays_same();
    let [review] = &reviews(&journal(&ran))[..] else { panic!() };
    assert_eq!((review.decision, review.reviewer.as_str()), (Reviewed::Expired, "host"));
}

/// A desk that does not know at once what was decided, as one in a database does not.
struct Slow(Arc<Office>);

impl Desk for Slow {
    fn rules(&self) -> &Rules {
        self.0.rules()
    }

    fn grace(&self) -> Duration {
        Duration::from_secs(60)
    }

    fn ask<'a>(&'a self, request: &'a Request) -> Asking<'a> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            self.0.ask(request).await
        })
    }
}

/// Decided in time, and looked at when the time is long over: it was decided.
#[test]
fn a_decision_in_time_counts_however_late_the_run_goes_on() {
    let aside = run(&setup("choose red|green").at_desk(Office::new(&[])));
    assert!(is_aside(&aside));
    for late in [WINDOW - 1, WINDOW, WINDOW + 600] {
        let back = setup("choose red|green").at_desk(Arc::new(Slow(Office::new(&[ada]))));
        let back = later(&back, late);
        let ran = run_into(&back, Lines::of(&aside.journal, None), Some(aside.store.clone()));
        assert_eq!(ran.said(), "choose: ok 1", "{late} seconds later");
        ran.replays_same();
    }
}

/// Who would go home on hearing that nobody is asked any more never heard it: a replay does not
/// tell it either.
#[test]
fn whoever_is_killed_in_its_last_act_replays_to_the_same_end() {
    let killed = || Change::Stop(Stop::Killed("by the owner".to_owned()));
    let mut withdrawn = 0;
    for at in 0..12 {
        let asks = setup("quietly widen top.txt - - - 0 600").at_desk(Office::new(&[]));
        let ran = run(&asks.after(at, killed()));
        if !is_aside(&ran) {
            assert_eq!(ran.end(), (Outcome::Killed, "by the owner".to_owned()));
            ran.replays_same();
            withdrawn += reviews(&journal(&ran)).len();
        }
    }
    assert!(withdrawn > 0, "none of these moments is while it waits");
}

/// Killed while it waits in memory, and killed when nothing is left of it but its journal.
#[test]
fn whoever_is_killed_while_it_waits_ends_with_a_receipt() {
    let killed = || Change::Stop(Stop::Killed("by the owner".to_owned()));
    let undisturbed = run(&setup(ACTS).at_desk(Office::new(&[ada])));
    let asked = undisturbed.world.asked.load(std::sync::atomic::Ordering::SeqCst);
    let mut withdrawn = 0;
    for at in 0..asked {
        let ran = run(&setup(ACTS).at_desk(Office::new(&[])).after(at, killed()));
        if is_aside(&ran) {
            continue;
        }
        assert_eq!(ran.end(), (Outcome::Killed, "by the owner".to_owned()));
        ran.replays_same();
        ran.books_are_exact();
        withdrawn += reviews(&journal(&ran)).len();
    }
    assert_eq!(withdrawn, 1, "one of these moments is while it waits");
    let office = Office::new(&[]);
    let waits = setup(ACTS).at_desk(office.clone());
    let aside = run(&waits);
    assert!(is_aside(&aside));
    // Too late: it is dead, whatever was decided meanwhile.
    for says in [None, Some(ada as super::Says), Some(no as super::Says)] {
        office.seat(says.as_slice());
        let killed = waits.clone().after(0, killed());
        let ran = run_into(&killed, Lines::of(&aside.journal, None), Some(aside.store.clone()));
        assert_eq!(ran.end(), (Outcome::Killed, "by the owner".to_owned()));
        let [review] = &reviews(&journal(&ran))[..] else { panic!() };
        assert_eq!((review.decision, review.note.as_str()), (Reviewed::Withdrawn, "by the owner"));
        assert_eq!(ran.denied().last().unwrap(), "approval.withdrawn");
        assert_eq!(rotations(&journal(&ran)), []);
        ran.replays_same();
        ran.books_are_exact();
        told_the_truth(&ran);
    }
}

/// Nothing is open: what was set aside for the question is given back.
fn told_the_truth(ran: &Ran) {
    let journal = journal(ran);
    let open = journal
        .calls()
        .iter()
        .filter(|call| matches!(journal.entries()[call.entry].event, Event::Begun(_)));
    assert_eq!(open.count(), 0);
}

/// A host that shuts down puts a waiting run aside: nothing is withdrawn.
#[test]
fn a_host_that_shuts_down_withdraws_nothing() {
    let office = Office::new(&[]);
    let waits = setup(ACTS).at_desk(office.clone());
    let aside = run(&waits);
    let down = waits.clone().after(0, Change::Stop(Stop::Suspended));
    let again = run_into(&down, Lines::of(&aside.journal, None), Some(aside.store.clone()));
    assert!(matches!(again.finished, Err(Halted::Stopped(Stop::Suspended))));
    assert_eq!(again.journal, aside.journal);
    office.seat(&[ada]);
    let ran = run_into(&waits, Lines::of(&aside.journal, None), Some(aside.store.clone()));
    assert_eq!(ran.end().0, Outcome::Ok);
    ran.replays_same();
}
