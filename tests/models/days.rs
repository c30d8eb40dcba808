//! Midnight within a run: each call is charged to the day on which it began, also after a crash.

use std::sync::Arc;

use envelope_evidence::Timestamp;
use envelope_gate::model::{Days, InMemoryPurse};
use envelope_rules::budget::{Balance, Level, Shared};

use super::desk::{Desk, INPUT, OUTPUT, Told, desk};
use crate::engine::world::{Lines, START};

/// What one question costs at worst, and the shortest answer: its bytes, the model's name and the
/// frames, and 16 tokens.
const LEAST: u64 = (256 + 96 + 128 + 20 + 6) * INPUT + 16 * OUTPUT;

/// What all runs may spend in one day: one question with a short answer, and not two.
const DAY: u64 = LEAST + 6 * OUTPUT;

/// A day, which is short here: grants do not live for days.
const MILLIS: u64 = 600_000;

const ASK: &str = "chat stub/a 200 Why is the sky blue?";

fn day(number: u64) -> Shared {
    Shared { level: Level::Day, name: format!("p/{number}") }
}

fn whole() -> Shared {
    Shared { level: Level::Purchase, name: "p".to_owned() }
}

fn number(at: Timestamp) -> u64 {
    at.millis() / MILLIS - START.millis() / MILLIS
}

/// A run with `acts` whose days begin at midnight.
fn dated(acts: &str, cap: u64) -> Desk {
    let mut desk = desk(acts);
    desk.chain.accounts = vec![day(0), whole()];
    desk.chain.days = Some(Days { cap: DAY, name: Arc::new(|at| day(number(at)).name) });
    desk.purse = InMemoryPurse::new([(day(0), DAY), (whole(), cap)]).into();
    desk
}

fn balance(told: &Told, account: &Shared) -> Option<Balance> {
    told.desk.purse.ledger().balance(account)
}

/// What was spent on each of the first days, where nothing is out any more.
fn spent(told: &Told, days: u64) -> Vec<u64> {
    let days = (0..days).map(|number| {
        let balance = balance(told, &day(number)).unwrap_or_default();
        assert_eq!(balance.leased, 0, "day {number}");
        assert!(balance.spent <= DAY, "day {number}");
        balance.spent
    });
    let spent: Vec<_> = days.collect();
    let all = balance(told, &whole()).unwrap();
    assert_eq!((all.spent, all.leased), (spent.iter().sum(), 0));
    assert_eq!(all.spent, told.money());
    spent
}

#[test]
fn another_day_has_its_own_room() {
    let same = dated(&format!("{ASK}; sleep 1000; {ASK}"), 10 * DAY).run();
    assert_eq!(same.denied(), ["budget.exhausted"], "{}", same.said());
    assert!(same.said().contains("agent's day `p/0`"), "{}", same.said());
    assert_eq!(spent(&same, 2)[1], 0);
    same.replays_same();

    let next = dated(&format!("{ASK}; sleep {MILLIS}; {ASK}; {ASK}"), 10 * DAY).run();
    assert_eq!(next.denied(), ["budget.exhausted"], "{}", next.said());
    assert!(next.said().contains("agent's day `p/1`"), "{}", next.said());
    let days = spent(&next, 3);
    assert!(days[0] > 0 && days[0] == days[1] && days[2] == 0, "{days:?}");
    next.replays_same();
}

/// A new day is no new purchase.
#[test]
fn what_is_bought_in_all_stays_the_same() {
    let acts = format!("{ASK}; sleep {MILLIS}; {ASK}");
    let told = dated(&acts, LEAST).run();
    assert_eq!(told.denied(), ["budget.exhausted"], "{}", told.said());
    assert!(told.said().contains("purchase `p`"), "{}", told.said());
    let first = spent(&told, 2);
    assert!(first[0] > 0 && first[1] == 0, "{first:?}");
    told.replays_same();
    // What was leased on the day before, and not spent, is there again.
    let told = dated(&acts, LEAST + first[0]).run();
    assert_eq!(told.denied(), [""; 0], "{}", told.said());
    told.replays_same();
}

/// Wherever it is cut off, and whatever it leased before: the days are charged what they were, and
/// what nobody can know counts on the day on which it began.
#[test]
fn a_crash_changes_no_day() {
    let acts = format!("{ASK}; sleep {MILLIS}; {ASK}; sleep {MILLIS}; {ASK}");
    let sound = dated(&acts, 10 * DAY).run();
    let expected = spent(&sound, 3);
    let lines = sound.journal.iter().filter(|byte| **byte == b'\n').count();
    let mut unknown = 0;
    for room in 1..lines {
        let crashing = dated(&acts, 10 * DAY);
        let crashed = crashing.run_into(Lines::of(b"", Some(room)), None);
        assert!(crashed.finished.is_err(), "line {room}");
        let kept = Lines::of(&crashed.journal, None);
        let again = crashed.desk.run_into(kept, Some(crashed.store.clone()));
        let days = spent(&again, 3);
        for (day, (found, known)) in days.iter().zip(&expected).enumerate() {
            assert!(*found == *known || *found == DAY, "line {room}, day {day}: {found}");
            unknown += usize::from(*found == DAY);
        }
        again.replays_same();
    }
    assert!(unknown > 0, "some were cut off while they were under way");
}
