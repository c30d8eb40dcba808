//! What the operator wants humans to decide, and how.

use std::collections::BTreeSet;

use envelope_evidence::usage::Usage;
use envelope_evidence::{Dimension, Label};
use serde::{Deserialize, Serialize};

use super::{Policy, Wanted};
use crate::guard::{Act, Capability};
use crate::path::Path;
use crate::pattern::PatternSet;

/// Classes in one set of rules: every call that leaves the run is held against each.
pub const CLASSES_MAX: usize = 64;

/// How the operator has humans asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Who may decide, and how many have to agree.
    pub policy: Policy,
    /// How long they may take, in seconds.
    pub window: u64,
    /// The widest that an approval reaches. None: as far as the humans go.
    pub most: Option<Wanted>,
    /// Calls that a human has to allow each time, whether or not the agent asked before.
    pub calls: Vec<Class>,
    /// Which files hold data of which class. A run that has read one, or handed it on, carries data
    /// of that class for good.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data: Vec<Labelled>,
}

/// Files that hold data of one class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Labelled {
    /// The class, in the operator's words.
    pub class: Label,
    /// The files.
    pub files: PatternSet,
}

impl Rules {
    /// Whether a human has to allow this one call, which can cost `worst`, of a run that carries
    /// data of the classes `carried`. More classes than fit are as good as one of everything.
    pub fn ask_about(&self, act: &Act<'_>, worst: &Usage, carried: &BTreeSet<Label>) -> bool {
        let leaves = matches!(act, Act::Http(_) | Act::Model { .. } | Act::Agent(_));
        leaves && self.calls.len() > CLASSES_MAX
            || self.calls.iter().take(CLASSES_MAX).any(|class| class.holds(act, worst, carried))
    }

    /// The classes of the data that the file at `path` holds.
    pub fn classes_of(&self, path: &Path) -> impl Iterator<Item = &Label> {
        let labelled = self.data.iter().filter(|labelled| labelled.files.matches(path));
        labelled.map(|labelled| &labelled.class)
    }

    /// The classes of the data that files below the folder at `path` may hold.
    pub fn classes_below(&self, path: &Path) -> impl Iterator<Item = &Label> {
        let labelled = self.data.iter().filter(|labelled| labelled.files.reaches_below(path));
        labelled.map(|labelled| &labelled.class)
    }
}

/// Some calls that leave the run. What is left out does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// Through which capability: `http`, `model` or `agents`.
    pub capability: Capability,
    /// With which method of HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Label>,
    /// To which host, model or agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Label>,
    /// Only what can cost more than so much, in billionths of a US dollar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above_nano_usd: Option<u64>,
    /// Only of a run that carries data of this class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Label>,
}

impl Class {
    fn holds(&self, act: &Act<'_>, worst: &Usage, carried: &BTreeSet<Label>) -> bool {
        let (method, to) = match act {
            Act::Http(target) => (Some(target.method().as_str()), target.host().to_string()),
            Act::Model { model, .. } => (None, (*model).to_owned()),
            Act::Agent(agent) => (None, (*agent).to_owned()),
            Act::File { .. } | Act::Reply(_) | Act::Answer(_) | Act::Plain(_) => return false,
        };
        let is = |wanted: &Option<Label>, found: Option<&str>| {
            wanted.as_ref().is_none_or(|wanted| found == Some(wanted.as_str()))
        };
        self.capability == act.capability()
            && is(&self.method, method)
            && is(&self.to, Some(&to))
            && self.above_nano_usd.is_none_or(|most| worst.get(Dimension::NanoUsd) > most)
            && self.data.as_ref().is_none_or(|class| carried.contains(class))
    }
}
