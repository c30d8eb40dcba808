//! What a guest can ask for, as the guard sees it.

use envelope_evidence::journal::Recovery;
use envelope_evidence::{Digest, Usage};
use serde::{Deserialize, Serialize};

use crate::budget::{HoldId, ModelCall};
use crate::content::Found;
use crate::egress::target::Target;
use crate::grant::{Access, FileOp};

/// One call, ready to be judged.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// What is asked for.
    pub act: Act<'a>,
    /// What it can use at worst: bytes both ways, fuel, the budget handed to another agent. The
    /// host computes it from limits that it enforces itself, never from a number of the guest's.
    /// What a model can cost is added by the guard, from the operator's prices.
    pub worst: Usage,
    /// The digest of the whole request.
    pub request: Digest,
    /// What was found in what it sends.
    pub found: Found,
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub enum Act<'a> {
    /// An operation on a file, or on two: a rename writes at both ends.
    File {
        /// The first file.
        op: FileOp<'a>,
        /// The second file.
        also: Option<FileOp<'a>>,
    },
    /// A request over the network.
    Http(&'a Target),
    /// More of the answer to a request that was sent before. The same rules have to admit it still:
    /// a stream ends when its authority does.
    Reply(&'a Target),
    /// A call to a model.
    Model {
        /// Which model.
        model: &'a str,
        /// The bounds that are written into the request.
        bounds: &'a ModelCall,
    },
    /// More of the answer of a model that was asked before: paid for already. The same rules have
    /// to admit the model still: a stream ends when its authority does.
    Answer(&'a str),
    /// A call to another agent.
    Agent(&'a str),
    /// Anything that needs no more than its capability. Denied for files, HTTP, models and agents:
    /// named like this they would pass without a look at the grant, the address or the price.
    Plain(Capability),
}

impl Act<'_> {
    /// The capability it needs.
    pub const fn capability(&self) -> Capability {
        match self {
            Self::File { .. } => Capability::Files,
            Self::Http(_) | Self::Reply(_) => Capability::Http,
            Self::Model { .. } | Self::Answer(_) => Capability::Model,
            Self::Agent(_) => Capability::Agents,
            Self::Plain(capability) => *capability,
        }
    }

    /// What may be done when it began and no answer is recorded.
    ///
    /// Reading may happen again, and so may writing to a workspace that nobody sees before the run
    /// commits. A request that HTTP calls safe may be repeated. One that is not must not happen
    /// twice, and neither must a call of a model: no provider promises to take a second one for the
    /// first, and each is paid for. Agents and approvals are asked under a key that makes a second
    /// question the same question.
    ///
    /// Safe is what the method says (RFC 9110, section 9.2.1), whatever body or credentials go with
    /// the request: a server that changes something on `GET` may do so twice after a crash.
    pub fn recovery(&self) -> Recovery {
        match self {
            // Nothing is sent for what was asked for before.
            Self::File { .. } | Self::Reply(_) | Self::Answer(_) => Recovery::Again,
            Self::Http(target) => match target.method().as_str() {
                "GET" | "HEAD" | "OPTIONS" => Recovery::Again,
                _ => Recovery::Once,
            },
            Self::Model { .. } => Recovery::Once,
            Self::Agent(_) => Recovery::SameKey,
            Self::Plain(capability) => capability.recovery(),
        }
    }

    /// Whether it changes anything outside the run's own memory.
    pub fn writes(&self) -> bool {
        match self {
            Self::File { op, also } => {
                op.access == Access::Write || also.is_some_and(|op| op.access == Access::Write)
            }
            Self::Http(_) | Self::Model { .. } | Self::Agent(_) => true,
            Self::Reply(_) | Self::Answer(_) => false,
            Self::Plain(capability) => *capability == Capability::Artifacts,
        }
    }
}

/// A call that began before a crash, as the journal remembers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun {
    /// The digest of its request.
    pub request: Digest,
    /// The class under which it began.
    pub recovery: Recovery,
    /// Its reservation.
    pub hold: HoldId,
}

/// What a run can be allowed to do at all. One interface of the host each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// Files of the workspace.
    Files,
    /// Requests over the network.
    Http,
    /// Calls to models.
    Model,
    /// Calls to other agents.
    Agents,
    /// Questions to humans.
    Approvals,
    /// The time.
    Clock,
    /// Chance, from the run's seed.
    Random,
    /// Standard input and output.
    Stdio,
    /// The environment, which is empty.
    Environment,
    /// Notes in the trace.
    Trace,
    /// Named results beside the outputs.
    Artifacts,
    /// Who am I, what is left.
    Run,
}

impl Capability {
    /// Every capability.
    pub const ALL: [Self; 12] = [
        Self::Files,
        Self::Http,
        Self::Model,
        Self::Agents,
        Self::Approvals,
        Self::Clock,
        Self::Random,
        Self::Stdio,
        Self::Environment,
        Self::Trace,
        Self::Artifacts,
        Self::Run,
    ];

    /// The name in documents, journals and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Http => "http",
            Self::Model => "model",
            Self::Agents => "agents",
            Self::Approvals => "approvals",
            Self::Clock => "clock",
            Self::Random => "random",
            Self::Stdio => "stdio",
            Self::Environment => "environment",
            Self::Trace => "trace",
            Self::Artifacts => "artifacts",
            Self::Run => "run",
        }
    }

    /// Whether it is asked for by an [`Act`] of its own.
    pub(super) const fn has_own_act(self) -> bool {
        matches!(self, Self::Files | Self::Http | Self::Model | Self::Agents)
    }

    const fn recovery(self) -> Recovery {
        match self {
            Self::Approvals | Self::Agents => Recovery::SameKey,
            Self::Http | Self::Model => Recovery::Once,
            Self::Files
            | Self::Clock
            | Self::Random
            | Self::Stdio
            | Self::Environment
            | Self::Trace
            | Self::Artifacts
            | Self::Run => Recovery::Again,
        }
    }

    const fn bit(self) -> u16 {
        match self {
            Self::Files => 1,
            Self::Http => 1 << 1,
            Self::Model => 1 << 2,
            Self::Agents => 1 << 3,
            Self::Approvals => 1 << 4,
            Self::Clock => 1 << 5,
            Self::Random => 1 << 6,
            Self::Stdio => 1 << 7,
            Self::Environment => 1 << 8,
            Self::Trace => 1 << 9,
            Self::Artifacts => 1 << 10,
            Self::Run => 1 << 11,
        }
    }
}

/// Some capabilities. Written as a sorted list of names without repeats.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Capability>", into = "Vec<Capability>")]
pub struct CapabilitySet(u16);

impl CapabilitySet {
    /// None at all.
    pub const NONE: Self = Self(0);

    /// The same set with `capability` in it.
    #[must_use]
    pub const fn with(self, capability: Capability) -> Self {
        Self(self.0 | capability.bit())
    }

    /// All of them.
    pub fn all() -> Self {
        Capability::ALL.into_iter().fold(Self::NONE, Self::with)
    }

    /// Whether `capability` is in it.
    pub const fn contains(self, capability: Capability) -> bool {
        self.0 & capability.bit() != 0
    }
}

impl From<CapabilitySet> for Vec<Capability> {
    fn from(set: CapabilitySet) -> Self {
        Capability::ALL.into_iter().filter(|&capability| set.contains(capability)).collect()
    }
}

/// A list of capabilities with a repeat or out of order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("capabilities are listed once each, in the order of their table")]
pub struct Unsorted;

impl TryFrom<Vec<Capability>> for CapabilitySet {
    type Error = Unsorted;

    fn try_from(list: Vec<Capability>) -> Result<Self, Unsorted> {
        let set = list.iter().copied().fold(Self::NONE, Self::with);
        if Vec::from(set) == list { Ok(set) } else { Err(Unsorted) }
    }
}
