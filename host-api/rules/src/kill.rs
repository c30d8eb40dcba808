//! Kill switches: whoever is named by one that was thrown, stops. A switch that was thrown stays.

use std::collections::BTreeMap;

use envelope_evidence::{Label, Timestamp};
use serde::{Deserialize, Serialize};

/// Switches thrown at once: beyond that, one throws the switch above.
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
pub struct Switches(BTreeMap<Target, Thrown>);

/// There is no room for another switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{SWITCHES_MAX} switches are thrown: throw the one above them")]
pub struct Full;

impl Switches {
    /// Throws a switch. Thrown before, it keeps its first reason. `true` if it is new.
    pub fn throw(&mut self, target: Target, thrown: Thrown) -> Result<bool, Full> {
        if self.0.contains_key(&target) {
            return Ok(false);
        }
        // There is always room for the one that stops everybody.
        if self.0.len() >= SWITCHES_MAX && target != Target::All {
            return Err(Full);
        }
        self.0.insert(target, thrown);
        Ok(true)
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
        named.into_iter().flatten().find_map(|target| self.0.get(&target))
    }
}
