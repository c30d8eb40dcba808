//! The life of a run: what may happen to it in which state, and what has to be done then.
//!
//! A run is driven by whoever holds it; this machine is what everybody else knows of it. A stop is
//! latched: from [`State::Stopping`] there is no way back, and only the end that the run's own
//! record tells leads out, so that a killed run has a receipt like any other.
//!
//! Nobody keeps such a log yet: a local run lives in one process, and its journal tells all of it.

mod event;

pub use event::{Effect, Event, Logged, Refused, State, Why};

use envelope_evidence::journal::Outcome;
use envelope_evidence::{Digest, Label, Timestamp};

/// A run, as far as its state goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    deadline: Timestamp,
    state: State,
}

/// The next state and what it asks of the world.
pub type Stepped = Result<(Life, Vec<Effect>), Refused>;

impl Life {
    /// A run that waits for its turn. From `deadline` on it is too late.
    pub const fn new(deadline: Timestamp) -> Self {
        Self { deadline, state: State::Queued {} }
    }

    /// Where it stands.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// The same run after `event`. What is refused has no effect.
    pub fn step(self, event: Event, now: Timestamp) -> Stepped {
        if self.state.is_end() {
            return Err(Refused::Ended);
        }
        match event {
            Event::Start {} => self.start(now),
            Event::Begin {} => self.begin(),
            Event::Ask { request } => self.ask(request),
            Event::Park {} => self.park(),
            Event::Decide { request } => self.decide(request),
            Event::Resume {} => self.resume(now),
            Event::CatchUp {} => self.catch_up(),
            Event::Lose {} => self.lose(),
            Event::Stop { reason } => self.stop(Why::Killed, reason),
            Event::Expire {} if now < self.deadline => Err(Refused::Early),
            Event::Expire {} => self.stop(Why::Expired, Label::cut("deadline")),
            Event::End { outcome } => self.end(outcome),
        }
    }

    fn start(self, now: Timestamp) -> Stepped {
        check(self.state == State::Queued {}, Refused::Started)?;
        check(now < self.deadline, Refused::Late)?;
        self.to(State::Starting {}, [Effect::Launch])
    }

    fn begin(self) -> Stepped {
        check(self.state == State::Starting {}, Refused::NotStarting)?;
        self.to(State::Running {}, [])
    }

    fn ask(self, request: Digest) -> Stepped {
        check(self.state == State::Running {}, Refused::NotRunning)?;
        self.to(State::Waiting { request }, [Effect::Tell])
    }

    fn park(self) -> Stepped {
        let request = match self.state {
            State::Running {} | State::Resuming {} => None,
            State::Waiting { request } => Some(request),
            State::Queued {}
            | State::Starting {}
            | State::Suspended { .. }
            | State::Stopping { .. }
            | State::Succeeded {}
            | State::Failed {}
            | State::Denied {}
            | State::Exhausted {}
            | State::Killed {}
            | State::Expired {} => return Err(Refused::NotRunning),
        };
        self.to(State::Suspended { request }, [Effect::Free])
    }

    fn decide(self, request: Digest) -> Stepped {
        if self.state == (State::Waiting { request }) {
            return self.to(State::Running {}, []);
        }
        check(self.state == State::Suspended { request: Some(request) }, Refused::NotAsked)?;
        self.to(State::Suspended { request: None }, [Effect::Wake])
    }

    fn resume(self, now: Timestamp) -> Stepped {
        let State::Suspended { request } = self.state else { return Err(Refused::NotSuspended) };
        check(request.is_none(), Refused::Undecided)?;
        check(now < self.deadline, Refused::Late)?;
        self.to(State::Resuming {}, [Effect::Launch])
    }

    fn catch_up(self) -> Stepped {
        check(self.state == State::Resuming {}, Refused::NotResuming)?;
        self.to(State::Running {}, [])
    }

    /// The process that held it is gone. What it wrote is where the next one begins.
    fn lose(self) -> Stepped {
        let (request, effect) = match self.state {
            State::Starting {} | State::Running {} | State::Resuming {} => (None, Effect::Wake),
            State::Waiting { request } => (Some(request), Effect::Free),
            State::Stopping { .. } => return Ok((self, vec![Effect::Seal])),
            State::Queued {}
            | State::Suspended { .. }
            | State::Succeeded {}
            | State::Failed {}
            | State::Denied {}
            | State::Exhausted {}
            | State::Killed {}
            | State::Expired {} => return Err(Refused::NotHeld),
        };
        self.to(State::Suspended { request }, [effect])
    }

    /// The first reason stays: whoever stops a run that is being stopped changes nothing.
    fn stop(self, why: Why, reason: Label) -> Stepped {
        let effect = match self.state {
            State::Stopping { .. } => return Ok((self, Vec::new())),
            // Nobody holds it: somebody has to write down its end.
            State::Queued {} | State::Suspended { .. } => Effect::Seal,
            State::Starting {} | State::Running {} | State::Waiting { .. } | State::Resuming {} => {
                Effect::Halt
            }
            State::Succeeded {}
            | State::Failed {}
            | State::Denied {}
            | State::Exhausted {}
            | State::Killed {}
            | State::Expired {} => return Err(Refused::Ended),
        };
        self.to(State::Stopping { why, reason }, [effect])
    }

    /// The record tells the end, also where it came before a stop could take effect.
    fn end(self, outcome: Outcome) -> Stepped {
        let why = match &self.state {
            State::Running {} | State::Resuming {} => None,
            State::Starting {} if outcome != Outcome::Ok => None,
            State::Stopping { why, .. } => Some(*why),
            State::Queued {}
            | State::Starting {}
            | State::Waiting { .. }
            | State::Suspended { .. }
            | State::Succeeded {}
            | State::Failed {}
            | State::Denied {}
            | State::Exhausted {}
            | State::Killed {}
            | State::Expired {} => return Err(Refused::NotRunning),
        };
        let state = match (outcome, why) {
            (Outcome::Ok, _) => State::Succeeded {},
            (Outcome::Failed | Outcome::Crashed | Outcome::Interrupted, _) => State::Failed {},
            (Outcome::Denied, _) => State::Denied {},
            (Outcome::Exhausted | Outcome::Killed, Some(Why::Expired)) => State::Expired {},
            (Outcome::Exhausted, Some(Why::Killed) | None) => State::Exhausted {},
            (Outcome::Killed, Some(Why::Killed)) => State::Killed {},
            (Outcome::Killed, None) => return Err(Refused::NotStopped),
        };
        self.to(state, [Effect::Close])
    }

    fn to<const N: usize>(self, state: State, effects: [Effect; N]) -> Stepped {
        Ok((Self { state, ..self }, effects.into()))
    }

    /// The run that `log` tells of, or the first line that cannot be true.
    pub fn replay(deadline: Timestamp, log: &[Logged]) -> Result<Self, BadLog> {
        let mut life = Self::new(deadline);
        let mut last = Timestamp::ZERO;
        for (line, Logged { at, event, to }) in log.iter().enumerate() {
            if *at < last {
                return Err(BadLog { line, why: BadLine::Backwards });
            }
            last = *at;
            let stepped = life.step(event.clone(), *at);
            (life, _) = stepped.map_err(|why| BadLog { line, why: BadLine::Refused(why) })?;
            if life.state != *to {
                return Err(BadLog { line, why: BadLine::Elsewhere(life.state.name()) });
            }
        }
        Ok(life)
    }
}

fn check(holds: bool, refused: Refused) -> Result<(), Refused> {
    if holds { Ok(()) } else { Err(refused) }
}

/// A log that tells what cannot have happened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the log is refused: {why}")]
pub struct BadLog {
    /// The line, from zero.
    pub line: usize,
    /// What is wrong with it.
    pub why: BadLine,
}

/// What is wrong with a line of a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLine {
    /// Time does not run backwards.
    #[error("it is dated before the line above it")]
    Backwards,
    /// The event may not happen there.
    #[error(transparent)]
    Refused(Refused),
    /// It says that the event led elsewhere.
    #[error("the event leads to `{0}`")]
    Elsewhere(&'static str),
}
