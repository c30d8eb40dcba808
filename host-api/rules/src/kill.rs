//! Kill switches: whoever is named by one that was thrown, stops, and nobody whom it names begins.
//! A switch that was thrown stays until a human lifts it, but for that of one run: it may be
//! dropped once the run's record has its end, which is for good.

use std::collections::BTreeMap;
use std::fmt;

use envelope_evidence::{Digest, Label, Timestamp};
use serde::{Deserialize, Serialize};

use crate::denial::{Code, Denial};

/// Switches of single runs thrown at once: beyond that, one throws the switch above. There are as
/// few of the wider ones as there are agents and organisations, and room for them always.
pub const SWITCHES_MAX: usize = 10_000;

/// Whom a switch stops.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "kebab-case")]
pub enum Target {
    /// Everybody.
    All,
    /// All runs of an organisation.
    Organisation(Label),
    /// All runs of an agent, by its service identity. On a machine without a registry that is the
    /// name on the agent's own card: whoever changes the card is somebody else to this switch.
    Agent(Label),
    /// All runs under a Paper, by its digest.
    Paper(Digest),
    /// One run.
    Run(Label),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("everybody"),
            Self::Organisation(id) => write!(f, "organisation {id}"),
            Self::Agent(id) => write!(f, "agent {id}"),
            Self::Paper(digest) => write!(f, "paper {digest}"),
            Self::Run(id) => write!(f, "run {id}"),
        }
    }
}

impl Target {
    const fn is_run(&self) -> bool {
        match self {
            Self::Run(_) => true,
            Self::All | Self::Organisation(_) | Self::Agent(_) | Self::Paper(_) => false,
        }
    }
}

/// A run, as switches see it.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The run.
    pub run: &'a Label,
    /// Its agent.
    pub agent: &'a Label,
    /// The Paper under which it was bought, if it was bought.
    pub paper: Option<Digest>,
    /// Who pays for it.
    pub organisation: Option<&'a Label>,
}

/// Who threw a switch or lifted it, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thrown {
    /// By whom.
    pub by: Label,
    /// Why. It stands in the receipt of every run it stops.
    pub reason: Label,
    /// When.
    pub at: Timestamp,
}

/// A switch that stops somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing<'a> {
    /// Whom it names.
    pub target: &'a Target,
    /// Who threw it, when and why.
    pub thrown: &'a Thrown,
}

impl Standing<'_> {
    /// Who stopped whom, when and why: what receipts say. Too long a reason is cut at its end.
    pub fn words(&self) -> Label {
        let Thrown { by, reason, at } = self.thrown;
        Label::cut(&format!("{} stopped by {by} at {}: {reason}", self.target, at))
    }

    /// Why nobody of those whom it names begins.
    pub fn denial(&self) -> Denial {
        Denial::new(Code::Stopped, self.words())
    }
}

/// What happened to a switch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Event {
    /// It was thrown.
    Thrown {
        /// Whom it stops.
        target: Target,
        /// Who, when and why.
        word: Thrown,
    },
    /// A human lifted it.
    Lifted {
        /// Whom it stopped.
        target: Target,
        /// Who, when and why.
        word: Thrown,
    },
}

/// All switches that were thrown.
#[derive(Debug, Clone, Default)]
pub struct Switches {
    thrown: BTreeMap<Target, Thrown>,
    /// How many of them are of single runs.
    runs: usize,
}

/// There is no room for the switch of another run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the switches of {SWITCHES_MAX} runs are thrown: throw the one above them")]
pub struct Full;

impl Switches {
    /// Throws a switch. Thrown before, it keeps its first reason. `true` if it is new.
    pub fn throw(&mut self, target: Target, thrown: Thrown) -> Result<bool, Full> {
        if self.thrown.contains_key(&target) {
            return Ok(false);
        }
        let runs = self.runs + usize::from(target.is_run());
        if runs > SWITCHES_MAX && target.is_run() {
            return Err(Full);
        }
        self.thrown.insert(target, thrown);
        self.runs = runs;
        Ok(true)
    }

    /// Lifts a switch: those whom it named begin and go on again. None, if it was not thrown.
    pub fn lift(&mut self, target: &Target) -> Option<Thrown> {
        let lifted = self.thrown.remove(target)?;
        self.runs -= usize::from(target.is_run());
        Some(lifted)
    }

    /// The same switches after `event`. True, if it changed any.
    pub fn apply(&mut self, event: Event) -> Result<bool, Full> {
        match event {
            Event::Thrown { target, word } => self.throw(target, word),
            Event::Lifted { target, .. } => Ok(self.lift(&target).is_some()),
        }
    }

    /// Every switch that is thrown, the widest first.
    pub fn thrown(&self) -> impl Iterator<Item = Standing<'_>> {
        self.thrown.iter().map(|(target, thrown)| Standing { target, thrown })
    }

    /// Drops the switch of a run whose record has its end: nothing is left that it could stop.
    pub fn ended(&mut self, run: &Label) {
        self.lift(&Target::Run(run.clone()));
    }

    /// Why `subject` has to stop: the widest switch that names it.
    pub fn standing(&self, subject: Subject<'_>) -> Option<Standing<'_>> {
        let Subject { run, agent, paper, organisation } = subject;
        let named = [
            Some(Target::All),
            organisation.map(|it| Target::Organisation(it.clone())),
            Some(Target::Agent(agent.clone())),
            paper.map(Target::Paper),
            Some(Target::Run(run.clone())),
        ];
        let found = named.into_iter().flatten().find_map(|it| self.thrown.get_key_value(&it));
        found.map(|(target, thrown)| Standing { target, thrown })
    }
}
