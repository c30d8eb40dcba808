//! The words of a run's life: states, events, effects and refusals.

use envelope_evidence::journal::Outcome;
use envelope_evidence::{Digest, Label, Timestamp};
use serde::{Deserialize, Serialize};

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case", deny_unknown_fields)]
pub enum State {
    /// It waits for its turn.
    Queued {},
    /// A process has it and prepares it.
    Starting {},
    /// The guest runs.
    Running {},
    /// The guest waits for a human, in memory.
    Waiting {
        /// What was asked.
        request: Digest,
    },
    /// It is no more than its journal.
    Suspended {
        /// What was asked and is not decided.
        request: Option<Digest>,
    },
    /// A process has it and plays what is recorded.
    Resuming {},
    /// It has to end. Nothing leads back from here.
    Stopping {
        /// What for.
        why: Why,
        /// In words.
        reason: Label,
    },
    /// The skill returned.
    Succeeded {},
    /// The skill failed, or crashed.
    Failed {},
    /// It lacked authority.
    Denied {},
    /// A limit was reached.
    Exhausted {},
    /// Somebody stopped it.
    Killed {},
    /// It was not done by its deadline.
    Expired {},
}

/// What a run is stopped for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// A human or the operator wants it.
    Killed,
    /// Its deadline passed.
    Expired,
}

impl State {
    /// The name in documents and tables.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Queued {} => "queued",
            Self::Starting {} => "starting",
            Self::Running {} => "running",
            Self::Waiting { .. } => "waiting",
            Self::Suspended { request: Some(_) } => "suspended, undecided",
            Self::Suspended { request: None } => "suspended",
            Self::Resuming {} => "resuming",
            Self::Stopping { why: Why::Killed, .. } => "stopping, killed",
            Self::Stopping { why: Why::Expired, .. } => "stopping, expired",
            Self::Succeeded {} => "succeeded",
            Self::Failed {} => "failed",
            Self::Denied {} => "denied",
            Self::Exhausted {} => "exhausted",
            Self::Killed {} => "killed",
            Self::Expired {} => "expired",
        }
    }

    /// Whether nothing can happen any more.
    pub const fn is_end(&self) -> bool {
        match self {
            Self::Succeeded {}
            | Self::Failed {}
            | Self::Denied {}
            | Self::Exhausted {}
            | Self::Killed {}
            | Self::Expired {} => true,
            Self::Queued {}
            | Self::Starting {}
            | Self::Running {}
            | Self::Waiting { .. }
            | Self::Suspended { .. }
            | Self::Resuming {}
            | Self::Stopping { .. } => false,
        }
    }
}

/// What can happen to a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Event {
    /// A process takes it.
    Start {},
    /// Its header is written.
    Begin {},
    /// The guest asks a human. The request is written already.
    Ask {
        /// What is asked.
        request: Digest,
    },
    /// Its instance leaves memory.
    Park {},
    /// What was asked is decided, is too late, or was withdrawn.
    Decide {
        /// What was asked.
        request: Digest,
    },
    /// A process takes it up again.
    Resume {},
    /// All that was recorded is played.
    CatchUp {},
    /// The process that had it is gone.
    Lose {},
    /// Somebody stops it.
    Stop {
        /// Why.
        reason: Label,
    },
    /// Its deadline passed.
    Expire {},
    /// Its record has an end.
    End {
        /// Which.
        outcome: Outcome,
    },
}

/// What a step asks of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Let the guest run, from its start or from its journal.
    Launch,
    /// Tell those who may decide.
    Tell,
    /// Drop the instance.
    Free,
    /// Put it where runs wait to be taken up again.
    Wake,
    /// Stop the guest at its next step.
    Halt,
    /// Write the end into a journal that nobody holds.
    Seal,
    /// Fold the receipt, settle the money.
    Close,
}

impl Effect {
    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Launch => "launch",
            Self::Tell => "tell",
            Self::Free => "free",
            Self::Wake => "wake",
            Self::Halt => "halt",
            Self::Seal => "seal",
            Self::Close => "close",
        }
    }
}

/// One line of a run's log: what happened, and where that led.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logged {
    /// When.
    pub at: Timestamp,
    /// What.
    pub event: Event,
    /// Where it led.
    pub to: State,
}

/// An event that may not happen in this state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Its deadline has not passed.
    #[error("the deadline has not passed")]
    Early,
    /// Its deadline has passed.
    #[error("the deadline has passed: the run can only end")]
    Late,
    /// It has ended.
    #[error("the run has ended")]
    Ended,
    /// It was started before.
    #[error("the run was started before")]
    Started,
    /// No process prepares it.
    #[error("no process prepares the run")]
    NotStarting,
    /// The guest does not run.
    #[error("the guest does not run")]
    NotRunning,
    /// It is not put aside.
    #[error("the run is not put aside")]
    NotSuspended,
    /// No process takes it up again.
    #[error("no process takes the run up again")]
    NotResuming,
    /// No process holds it.
    #[error("no process holds the run")]
    NotHeld,
    /// Nobody stopped it.
    #[error("nobody stopped the run")]
    NotStopped,
    /// It does not wait for this decision.
    #[error("the run does not wait for this decision")]
    NotAsked,
    /// What it asked is not decided.
    #[error("what the run asked is not decided")]
    Undecided,
}

impl Refused {
    /// The stable spelling.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Early => "RUN_NOT_EXPIRED",
            Self::Late => "RUN_EXPIRED",
            Self::Ended => "RUN_ENDED",
            Self::Started => "RUN_STARTED",
            Self::NotStarting => "RUN_NOT_STARTING",
            Self::NotRunning => "RUN_NOT_RUNNING",
            Self::NotSuspended => "RUN_NOT_SUSPENDED",
            Self::NotResuming => "RUN_NOT_RESUMING",
            Self::NotHeld => "RUN_NOT_HELD",
            Self::NotStopped => "RUN_NOT_STOPPED",
            Self::NotAsked => "RUN_NOT_ASKED",
            Self::Undecided => "RUN_UNDECIDED",
        }
    }
}
