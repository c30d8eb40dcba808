//! The typed data of a contract: what a Paper says, as far as a machine can check it.
//!
//! Each part has one file. Bounds that a type can carry are in its type and so in the JSON Schema;
//! what only several fields together can say is in `validate`, which finds everything at once.

mod agent;
mod check;
mod content;
mod criterion;
mod cross;
mod deliverable;
mod dependency;
mod dispute;
mod egress;
mod flaw;
mod legal;
mod list;
mod number;
mod party;
mod price;
mod read;
mod remedy;
#[cfg(test)]
pub(crate) mod sample;
mod scope;
mod service;
mod shape;
mod words;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use envelope_evidence::{Digest, canonical};

pub use agent::{Agent, Fingerprint, Model, Release};
pub use content::ContentRule;
pub use criterion::{Check, Criterion, Evidence, NumberRule, Reviewer, SCHEMA_BYTES_MAX, TextRule};
pub use deliverable::{Deliverable, Form, Milestone};
pub use dependency::{Dependency, DependencyKind, FingerprintClass};
pub use dispute::{Dispute, Evaluator, TieBreaker, Verdict};
pub use egress::{EgressQuery, EgressRule, EgressScheme, Port};
pub use flaw::{Code, Flaw, Severity};
pub use legal::{Ip, Law, Liability, LiabilityCap, Owner, Schedule, Termination};
pub use list::{BadLength, List};
pub use number::{
    Count, Days, Decimal, Exact, MinorUnits, NanoUsd, OutOfBounds, Share, Signed, WHOLE, Weight,
};
pub use party::{HumanRoot, Notice, Parties, Party, PersonKind, Principal};
pub use price::{Caps, Currency, Price, Spending};
pub(crate) use read::located;
pub use read::{Read, read};
pub use remedy::{Hold, HumanDecides, Remedy, RemedyTable, Stakes, Step};
pub use scope::{
    Action, Classification, SESSION_SECS_DEFAULT, SESSION_SECS_MAX, Scope, SessionSecs,
};
pub use service::ServiceLevel;
pub use shape::{DigestShape, LabelShape, NullableDigestShape, TimestampShape, present};
pub use words::{
    ActionName, BadWords, Did, END, Email, HexDigits, Id, Letters, Line, MediaType, ModelName,
    Place, Pointer, Sentence, Title, Version, Zone,
};

/// Everything two parties agreed that a machine can check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// What the contract is about, in a few words.
    pub title: Title,
    /// Who agrees.
    pub parties: Parties,
    /// The agent and the release that runs.
    pub agent: Agent,
    /// What is handed over.
    pub deliverables: List<Deliverable, 1, 32>,
    /// In which steps it is paid; none is all at the end.
    #[serde(default)]
    pub milestones: List<Milestone, 0, 20>,
    /// When the work counts as done.
    pub criteria: List<Criterion, 1, 20>,
    /// What is paid.
    pub price: Price,
    /// What the agent may spend.
    pub caps: Caps,
    /// What the agent may do.
    pub scope: Scope,
    /// How well and how fast, and how long the buyer may look.
    pub service: ServiceLevel,
    /// How much depends on the work.
    pub stakes: Stakes,
    /// What happens when criteria stay unmet.
    pub remedy: RemedyTable,
    /// Who decides when the parties do not agree.
    pub dispute: Dispute,
    /// How much a party can owe.
    pub liability: Liability,
    /// Who owns what.
    pub ip: Ip,
    /// How the contract ends early.
    pub termination: Termination,
    /// Which law and which court.
    pub law: Law,
    /// The addenda that apply.
    #[serde(default)]
    pub schedules: List<Schedule, 0, 16>,
}

impl Contract {
    /// The canonical bytes.
    pub fn canonical(&self) -> Result<Vec<u8>, canonical::Refused> {
        canonical::of(self)
    }

    /// The digest of the acceptance criteria: locked before the first token is consumed.
    pub fn criteria_digest(&self) -> Result<Digest, canonical::Refused> {
        Ok(Digest::of(&canonical::of(&self.criteria)?))
    }

    /// The deliverable called `id`.
    pub fn deliverable(&self, id: &Id) -> Option<&Deliverable> {
        self.deliverables.iter().find(|deliverable| deliverable.id == *id)
    }

    /// The criterion called `id`.
    pub fn criterion(&self, id: &Id) -> Option<&Criterion> {
        self.criteria.iter().find(|criterion| criterion.id == *id)
    }

    /// The remedy that the agreed stakes call for.
    pub const fn agreed_remedy(&self) -> &Remedy {
        self.remedy.of(self.stakes)
    }

    /// Everything the types cannot say, by place.
    pub fn validate(&self) -> Vec<Flaw> {
        let parts = [
            ("/parties", self.parties.validate()),
            ("/agent", self.agent.validate()),
            ("/price", self.price.validate()),
            ("/caps", self.caps.validate()),
            ("/scope", self.scope.validate()),
            ("/service", self.service.validate()),
            ("/remedy", self.remedy.validate()),
            ("/dispute", self.dispute.validate()),
            ("", cross::flaws(self)),
        ];
        let parts = parts.into_iter().flat_map(|(prefix, flaws)| flaw::under(prefix, flaws));
        let mut flaws: Vec<_> = parts.collect();
        flaws.sort();
        flaws
    }
}
