//! The life of a run: the table, random walks, and logs that lie.

use std::collections::{BTreeSet, VecDeque};

use envelope_evidence::journal::Outcome;
use envelope_evidence::{Digest, Label, Timestamp};
use envelope_rules::life::{BadLine, Effect, Event, Life, Logged, Refused, State};
use proptest::prelude::*;

use crate::golden;
use crate::terms::machine::{Table, outcome};

const DEADLINE: u64 = 1_000;
const EARLY: u64 = 10;
const LATE: u64 = 2_000;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis).unwrap()
}

fn queued() -> Life {
    Life::new(at(DEADLINE))
}

fn request(name: &str) -> Digest {
    Digest::of(name.as_bytes())
}

/// Every event worth telling apart, named for the table.
fn events() -> Vec<(&'static str, Event, u64)> {
    let asked = request("asked");
    vec![
        ("start", Event::Start {}, EARLY),
        ("start late", Event::Start {}, LATE),
        ("begin", Event::Begin {}, EARLY),
        ("ask", Event::Ask { request: asked }, EARLY),
        ("park", Event::Park {}, EARLY),
        ("decide", Event::Decide { request: asked }, EARLY),
        ("decide another", Event::Decide { request: request("another") }, EARLY),
        ("resume", Event::Resume {}, EARLY),
        ("resume late", Event::Resume {}, LATE),
        ("catch up", Event::CatchUp {}, EARLY),
        ("lose", Event::Lose {}, EARLY),
        ("stop", Event::Stop { reason: Label::cut("by the owner") }, EARLY),
        ("expire early", Event::Expire {}, EARLY),
        ("expire", Event::Expire {}, LATE),
        ("end ok", Event::End { outcome: Outcome::Ok }, EARLY),
        ("end failed", Event::End { outcome: Outcome::Failed }, EARLY),
        ("end denied", Event::End { outcome: Outcome::Denied }, EARLY),
        ("end exhausted", Event::End { outcome: Outcome::Exhausted }, EARLY),
        ("end killed", Event::End { outcome: Outcome::Killed }, EARLY),
    ]
}

fn result(step: &Result<(Life, Vec<Effect>), Refused>) -> String {
    match step {
        Ok((next, effects)) => outcome(next.state().name(), effects.iter().map(|it| it.name())),
        Err(refused) => format!("refused {}", refused.code()),
    }
}

fn table() -> Table {
    let (mut table, mut seen) = (Table::default(), BTreeSet::from([queued().state().name()]));
    let mut open = VecDeque::from([queued()]);
    while let Some(life) = open.pop_front() {
        for (name, event, millis) in events() {
            let step = life.clone().step(event, at(millis));
            table.note(life.state().name(), name, result(&step));
            if let Ok((next, _)) = step
                && seen.insert(next.state().name())
            {
                open.push_back(next);
            }
        }
    }
    table
}

#[test]
fn the_table_is_the_one_reviewed() {
    golden::check("machine-run.txt", &table().text("Run"));
}

/// A walk over `picks`, refused steps left out, and the log that it leaves.
fn walk(picks: &[usize]) -> (Life, Vec<Logged>) {
    let mut life = queued();
    let mut log: Vec<Logged> = Vec::new();
    for (name, event, millis) in picks.iter().map(|&pick| events().swap_remove(pick)) {
        let now = log.last().map_or(at(millis), |line| line.at.max(at(millis)));
        let before = life.clone();
        match life.step(event.clone(), now) {
            Ok((next, _)) => {
                assert!(!before.state().is_end(), "{name} after the end");
                log.push(Logged { at: now, event, to: next.state().clone() });
                life = next;
            }
            Err(_) => life = before,
        }
    }
    (life, log)
}

fn stopped(state: &State) -> bool {
    matches!(state, State::Stopping { .. } | State::Killed {} | State::Expired {})
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// The log alone leads to the same state, and no line of it can be left out, moved or changed
    /// to another state unnoticed, unless the step it tells of changes nothing.
    #[test]
    fn the_log_replays_to_the_same_state(picks in prop::collection::vec(0..19_usize, 0..60)) {
        let (life, log) = walk(&picks);
        prop_assert_eq!(Life::replay(at(DEADLINE), &log), Ok(life.clone()));
        let text = serde_json::to_string(&log).unwrap();
        let read: Vec<Logged> = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(Life::replay(at(DEADLINE), &read), Ok(life));
        for line in 0..log.len() {
            let mut lying = log.clone();
            let elsewhere = State::Succeeded {};
            let true_state = std::mem::replace(&mut lying[line].to, elsewhere.clone());
            if true_state != elsewhere {
                let bad = Life::replay(at(DEADLINE), &lying).unwrap_err();
                prop_assert_eq!((bad.line, bad.why), (line, BadLine::Elsewhere(true_state.name())));
            }
        }
    }

    /// Once a stop is seen, the guest never runs again: nothing launches it.
    #[test]
    fn a_stop_is_latched(picks in prop::collection::vec(0..19_usize, 0..60)) {
        let (_, log) = walk(&picks);
        let mut seen = false;
        for line in &log {
            if seen {
                prop_assert!(line.to.is_end() || stopped(&line.to), "{:?}", line);
            }
            seen |= stopped(&line.to);
        }
    }
}

#[test]
fn a_log_that_runs_backwards_is_refused() {
    let (_, mut log) = walk(&[0, 2]);
    assert!(Life::replay(at(DEADLINE), &log).is_ok());
    log[1].at = at(EARLY - 1);
    let bad = Life::replay(at(DEADLINE), &log).unwrap_err();
    assert_eq!((bad.line, bad.why), (1, BadLine::Backwards));
}
