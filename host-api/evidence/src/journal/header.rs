//! The first line of a journal: what pins the run before anything happens.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::preview::Preview;
use crate::text::{Label, PathText};
use crate::time::Timestamp;
use crate::usage::Usage;

/// Everything that a replay needs to be the same run, and that a receipt says about its beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The version of the journal.
    pub v: u64,
    /// The run's id.
    pub run: Label,
    /// When it started.
    pub started: Timestamp,
    /// The agent that runs.
    pub agent: Agent,
    /// Who asked for it.
    pub caller: Caller,
    /// The skill that was asked for.
    pub skill: Label,
    /// Its arguments.
    pub args: Args,
    /// The contract under which the run was bought, if it was bought.
    pub paper: Option<PaperRef>,
    /// The digest of the warrant: every limit and permission of the run.
    pub warrant: Digest,
    /// What the run may spend at most.
    pub budget: Usage,
    /// The digest of what it may take of the machine: memory, journal, output and the like. The
    /// first journals of this version do not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Digest>,
    /// The digest of the price book by which its models are paid, if it may call any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices: Option<Digest>,
    /// The grant it starts with, if any.
    pub scope: Option<Scope>,
    /// The digest of the manifest of the workspace as it was at the start.
    pub inputs: Digest,
    /// What executes it.
    pub engine: Engine,
    /// The seed of all chance in the run.
    pub seed: Digest,
    /// The payload digest of the receipt before this one in the same purchase.
    pub previous: Option<Digest>,
}

/// The agent: exactly which code, under which name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// Its name.
    pub name: Label,
    /// Its version.
    pub version: Label,
    /// The digest of its card.
    pub card: Digest,
    /// The digest of the component: the image that runs.
    pub component: Digest,
    /// Where it is served, if it is.
    pub endpoint: Option<Label>,
    /// Its service identity, the audience of its grants.
    pub service: Label,
}

/// Who asked for the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caller {
    /// Which sort of principal.
    pub kind: CallerKind,
    /// Its id.
    pub id: Label,
    /// The receipt's run of the calling agent, when an agent called.
    pub run: Option<Label>,
}

/// Sorts of principals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallerKind {
    /// A human or a program with a human's key.
    User,
    /// Another agent.
    Agent,
    /// The operator's own schedule.
    System,
}

/// The arguments of the skill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The digest of their bytes.
    pub digest: Digest,
    /// How many bytes.
    pub size: u64,
    /// A glimpse of them.
    pub preview: Preview,
}

/// The contract and its ancestors, nearest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaperRef {
    /// The Paper's digest.
    pub digest: Digest,
    /// The digests of the documents above it.
    pub parents: Vec<Digest>,
}

/// What a grant allows, without the token: the token is a bearer secret, only its digest is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// The grant's id.
    pub jti: Label,
    /// The digest of the token text.
    pub token: Digest,
    /// The agent it was issued to.
    pub audience: Label,
    /// The files it lets read.
    pub paths: Vec<PathText>,
    /// The prefix below which it lets write.
    pub outputs: PathText,
    /// Seconds since 1970 at which it was issued.
    pub issued: u64,
    /// Seconds since 1970 at which it ends.
    pub expires: u64,
    /// How deep in a chain of delegations it stands.
    pub depth: u32,
    /// The grant it was derived from.
    pub parent: Option<Label>,
    /// The grant it replaces.
    pub previous: Option<Label>,
}

/// What executes the component. Another engine may compute the same, but nobody promises it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Engine {
    /// The engine's name.
    pub name: Label,
    /// Its version.
    pub version: Label,
    /// The digest of its settings.
    pub settings: Digest,
    /// The architecture it ran on: fuel is only comparable within one.
    pub platform: Label,
}
