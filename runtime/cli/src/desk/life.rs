//! What is written in the log of a run's life by those who run it here.
//!
//! The log is told what happened; what it takes for impossible is left out of it, because the
//! journal, and not the log, says how the run goes on. Agents that were called ask in its name.

use envelope_engine::local::LifeLog;
use envelope_engine::run::{Finished, Halted};
use envelope_evidence::journal::Outcome;
use envelope_evidence::{Digest, Label};
use envelope_gate::stop::Stop;
use envelope_rules::life::{Event, State};

use super::Book;
use crate::fresh::now;

/// A process takes a new run, if its deadline has not passed while it was prepared.
pub(crate) fn started(life: &LifeLog) {
    note(life, Event::Expire {});
    note(life, Event::Start {});
    note(life, Event::Begin {});
}

/// A process takes a run up again, whatever became of the one before.
pub(crate) fn taken_up(life: &LifeLog, run: &str, kill: Option<&str>) {
    note(life, Event::Lose {});
    if let Some(reason) = kill {
        note(life, Event::Stop { reason: Label::cut(reason) });
    }
    if let State::Suspended { request: Some(request) } = life.state()
        && is_over(run, request)
    {
        note(life, Event::Decide { request });
    }
    note(life, Event::Expire {});
    note(life, Event::Resume {});
}

/// Whether what was asked is decided, or it is too late.
fn is_over(run: &str, request: Digest) -> bool {
    let kept = Book::of(run).read();
    let mut asked = kept.iter().flat_map(|kept| &kept.asked);
    let asked = asked.find(|asked| asked.request.digest() == Ok(request));
    asked.is_none_or(|asked| asked.is_decided() || asked.is_late(now()))
}

/// Its agent, or one that it called, asks a human.
pub(super) fn asked(life: &LifeLog, request: Digest, decided: bool) {
    note(life, Event::CatchUp {});
    if !decided {
        note(life, Event::Ask { request });
    }
}

/// Somebody decided while it waited, or when it had just been taken up to ask once more.
pub(super) fn decided(life: &LifeLog, request: Digest) {
    note(life, Event::Decide { request });
    note(life, Event::Resume {});
    note(life, Event::CatchUp {});
}

/// It came to its end, or was put aside.
pub(crate) fn over(life: &LifeLog, finished: &Result<Finished, Halted>) {
    match finished {
        Ok(finished) => {
            note(life, Event::CatchUp {});
            // A question that expired or was withdrawn meanwhile is over too.
            if let State::Waiting { request } = life.state() {
                note(life, Event::Decide { request });
            }
            let ended = finished.ended();
            let outcome = ended.map_or(Outcome::Interrupted, |ended| ended.outcome);
            let known = matches!(life.state(), State::Stopping { .. });
            if outcome == Outcome::Killed && !known {
                let reason = ended.map(|ended| ended.reason.clone()).unwrap_or_default();
                note(life, Event::Stop { reason });
            }
            note(life, Event::End { outcome });
        }
        Err(Halted::Stopped(Stop::Suspended)) => note(life, Event::Park {}),
        Err(Halted::Refused(_) | Halted::Stopped(_) | Halted::SetUp(_)) => {
            note(life, Event::Lose {});
        }
    }
}

fn note(life: &LifeLog, event: Event) {
    let _ = life.note(event, now());
}
