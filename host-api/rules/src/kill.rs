//! Kill switches: whoever is named by one that was thrown, stops. A switch that was thrown stays,
//! but for that of one run: it may be dropped once the run's record has its end, which is for good.
//!
//! Nothing asks these switches yet: a local run is stopped by the one who started it.

use std::collections::BTreeMap;

use envelope_evidence::{Label, Timestamp};
use serde::{Deserialize, Serialize};

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
    /// All runs of an agent, by its service identity.
    Agent(Label),
    /// One run.
    Run(Label),
}

impl Target {
    const fn is_run(&self) -> bool {
        match self {
            Self::Run(_) => true,
            Self::All | Self::Organisation(_) | Self::Agent(_) => false,
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
    /// Who pays for it.
    pub organisation: Option<&'a Label>,
}

/// Who threw a switch, and why.
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

    /// Drops the switch of a run whose record has its end: nothing is left that it could stop.
    pub fn ended(&mut self, run: &Label) {
        let dropped = self.thrown.remove(&Target::Run(run.clone()));
        self.runs -= usize::from(dropped.is_some());
    }

    /// Why `subject` has to stop: the widest switch that names it.
    pub fn standing(&self, subject: Subject<'_>) -> Option<&Thrown> {
        let Subject { run, agent, organisation } = subject;
        let named = [
            Some(Target::All),
            organisation.map(|it| Target::Organisation(it.clone())),
            Some(Target::Agent(agent.clone())),
            Some(Target::Run(run.clone())),
        ];
        named.into_iter().flatten().find_map(|target| self.thrown.get(&target))
    }
}
