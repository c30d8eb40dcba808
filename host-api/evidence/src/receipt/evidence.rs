//! The eight pieces of evidence: identity, intent, authority, files, output, eval, review, replay.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::journal::{Agent, Args, Caller, Child, Engine, Evaluation, PaperRef, Review, Scope};
use crate::text::{Label, PathText};
use crate::time::Rfc3339;
use crate::usage::Usage;

/// The URIs of our predicates start here. A reserved name until the project owns one.
pub(crate) const PREDICATES: &str = "https://envelope.example/predicate";

/// Which piece of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Who ran, which code, for whom.
    Identity,
    /// What was asked, under which contract.
    Intent,
    /// What it was allowed to do.
    Authority,
    /// Which files it touched.
    Files,
    /// What it produced.
    Output,
    /// How it was evaluated.
    Eval,
    /// Which humans looked at it.
    Review,
    /// How to run it again.
    Replay,
}

impl Kind {
    /// Every kind, in the order of a receipt.
    pub const ALL: [Self; 8] = [
        Self::Identity,
        Self::Intent,
        Self::Authority,
        Self::Files,
        Self::Output,
        Self::Eval,
        Self::Review,
        Self::Replay,
    ];

    /// The name in documents and file names.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Intent => "intent",
            Self::Authority => "authority",
            Self::Files => "files",
            Self::Output => "output",
            Self::Eval => "eval",
            Self::Review => "review",
            Self::Replay => "replay",
        }
    }

    /// The predicate type of its statement. Output is SLSA provenance, which policy engines know.
    pub fn predicate_type(self) -> String {
        match self {
            Self::Output => super::provenance::PROVENANCE_TYPE.to_owned(),
            Self::Identity
            | Self::Intent
            | Self::Authority
            | Self::Files
            | Self::Eval
            | Self::Review
            | Self::Replay => format!("{PREDICATES}/{}/v1", self.name()),
        }
    }

    /// The kind whose predicate type is `uri`.
    pub fn of_predicate_type(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.predicate_type() == uri)
    }
}

/// Who ran, which code, for whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The run.
    pub run: Label,
    /// The agent: name, version, card, component, endpoint, service identity.
    pub agent: Agent,
    /// Who asked for the run.
    pub caller: Caller,
    /// What executed it.
    pub engine: Engine,
}

/// What was asked, under which contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// The run.
    pub run: Label,
    /// The skill.
    pub skill: Label,
    /// Its arguments.
    pub args: Args,
    /// The contract, or null for a run that was not bought.
    pub paper: Option<PaperRef>,
    /// The digest of the warrant.
    pub warrant: Digest,
    /// What the run was allowed to spend.
    pub budget: Usage,
    /// The digest of the price book by which its models were paid, if it could call any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices: Option<Digest>,
    /// When it started.
    pub started: Rfc3339,
}

/// What it was allowed to do, before and after each expansion, and what it was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authority {
    /// The run.
    pub run: Label,
    /// The digest of the warrant.
    pub warrant: Digest,
    /// Every scope the run held, in order.
    pub scopes: Vec<Held>,
    /// How often it was refused, by code.
    pub denials: Vec<DenialCount>,
    /// Refusals with codes beyond those listed.
    pub omitted: u64,
    /// The runs of other agents on its behalf, and what each was given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delegated: Vec<Child>,
}

impl Authority {
    /// All refusals.
    pub fn denied(&self) -> u64 {
        self.denials.iter().fold(self.omitted, |sum, denial| sum.saturating_add(denial.count))
    }
}

/// A scope and the approval it rests on: none for the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// What it allowed.
    pub scope: Scope,
    /// Who allowed it to grow.
    pub approval: Option<Label>,
}

/// Refusals for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DenialCount {
    /// The stable code.
    pub code: Label,
    /// How many.
    pub count: u64,
}

/// Which files it touched. Counts are complete; the list stops at [`TOUCHED_MAX`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// The run.
    pub run: Label,
    /// The digest of the manifest of the workspace at the start.
    pub inputs: Digest,
    /// How often each operation was asked for.
    pub operations: Vec<OperationCount>,
    /// Operations with names beyond those listed.
    pub omitted_operations: u64,
    /// The first files touched.
    pub touched: Vec<Touched>,
    /// Touches beyond those listed: the call root covers them.
    pub omitted: u64,
}

impl Files {
    /// All calls that asked for an operation on files.
    pub fn asked(&self) -> u64 {
        let operations = self.operations.iter().map(OperationCount::asked);
        operations.fold(self.omitted_operations, u64::saturating_add)
    }
}

/// Files that a receipt lists: enough to read, small enough to sign.
pub const TOUCHED_MAX: usize = 1000;

/// Distinct codes and operations that a receipt lists: more than the vocabulary has.
pub const NAMES_MAX: usize = 256;

/// One operation, counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperationCount {
    /// The operation.
    pub operation: Label,
    /// How many were answered.
    pub answered: u64,
    /// How many were denied.
    pub denied: u64,
    /// How many began and have no recorded answer.
    pub begun: u64,
}

impl OperationCount {
    /// How many calls asked for it, whatever came of them.
    pub const fn asked(&self) -> u64 {
        self.answered.saturating_add(self.denied).saturating_add(self.begun)
    }
}

/// One file, touched once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Touched {
    /// The call that touched it.
    pub call: u64,
    /// How.
    pub operation: Label,
    /// The file.
    pub path: PathText,
    /// The digest of what was read or written.
    pub digest: Digest,
    /// How many bytes.
    pub size: u64,
}

/// How it was evaluated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Eval {
    /// The run.
    pub run: Label,
    /// Whether there is any evaluation, said outright.
    pub state: Presence,
    /// Every evaluation, in order.
    pub evaluations: Vec<Evaluation>,
}

/// Which humans looked at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reviews {
    /// The run.
    pub run: Label,
    /// Whether there is any review, said outright.
    pub state: Presence,
    /// Every review, in order.
    pub reviews: Vec<Review>,
}

/// An empty list is a statement, not a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// There is none.
    None,
    /// There is at least one.
    Some,
}

impl Presence {
    pub(crate) const fn of<T>(list: &[T]) -> Self {
        if list.is_empty() { Self::None } else { Self::Some }
    }
}

/// How to run it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// The run.
    pub run: Label,
    /// The component to run.
    pub component: Digest,
    /// The digest of the manifest of the workspace to start from.
    pub inputs: Digest,
    /// The arguments to pass.
    pub args: Digest,
    /// What has to execute it.
    pub engine: Engine,
    /// The seed of all chance.
    pub seed: Digest,
    /// The journal that answers every call.
    pub journal: JournalRef,
    /// What the calls must come to.
    pub calls: Calls,
}

/// How many calls there were, and the RFC 6962 root over one leaf per call. A leaf holds what
/// replay reproduces: the request and the verdict, never times, costs or fuel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calls {
    /// How many.
    pub count: u64,
    /// The root.
    pub root: Digest,
}

/// A journal by its ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalRef {
    /// The digest of its first line.
    pub header: Digest,
    /// The digest of its last line.
    pub head: Digest,
    /// Records after the first line.
    pub entries: u64,
}
