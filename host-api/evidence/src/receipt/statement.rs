//! The receipt statement: one page that links the eight pieces of evidence.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::journal::{Outcome, PaperRef};
use crate::receipt::evidence::{Calls, Kind};
use crate::statement::{Descriptor, DigestSet, PAYLOAD_TYPE};
use crate::text::Label;
use crate::time::Rfc3339;
use crate::usage::Usage;

/// The predicate type of a receipt.
pub const RECEIPT_TYPE: &str = "https://envelope.example/predicate/receipt/v1";

/// The predicate of a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The run.
    pub run: Label,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, in a word.
    pub reason: Label,
    /// When it started.
    pub started: Rfc3339,
    /// When its last record was written.
    pub finished: Rfc3339,
    /// The contract, or null for a run that was not bought.
    pub paper: Option<PaperRef>,
    /// The code that ran.
    pub component: Component,
    /// The eight pieces of evidence, by digest.
    pub evidence: Evidence,
    /// All calls, so that a dropped one shows.
    pub calls: Calls,
    /// What it cost.
    pub cost: Cost,
    /// What it used.
    pub used: Usage,
    /// The receipt before this one in the same purchase.
    pub previous: Option<DigestSet>,
}

/// The code that ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// The agent's name.
    pub name: Label,
    /// The digest of the component.
    pub digest: DigestSet,
}

/// Money spent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// The unit of the amount.
    pub unit: Unit,
    /// How much, the worst case of calls without a recorded answer included.
    pub amount: u64,
    /// How many calls have no recorded answer, so that their worst case counts.
    pub unconfirmed: u64,
}

/// Units of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// Billionths of a US dollar.
    #[serde(rename = "USD-nanos")]
    UsdNanos,
}

/// The eight pieces of evidence, by digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    identity: Descriptor,
    intent: Descriptor,
    authority: Descriptor,
    files: Descriptor,
    output: Descriptor,
    eval: Descriptor,
    review: Descriptor,
    replay: Descriptor,
}

impl Evidence {
    /// Links to evidence with these payload digests.
    pub fn of(digest: impl Fn(Kind) -> Digest) -> Self {
        let to = |kind: Kind| Descriptor {
            name: kind.name().to_owned(),
            media_type: PAYLOAD_TYPE.to_owned(),
            digest: digest(kind).into(),
        };
        Self {
            identity: to(Kind::Identity),
            intent: to(Kind::Intent),
            authority: to(Kind::Authority),
            files: to(Kind::Files),
            output: to(Kind::Output),
            eval: to(Kind::Eval),
            review: to(Kind::Review),
            replay: to(Kind::Replay),
        }
    }

    /// The link to `kind`.
    pub const fn get(&self, kind: Kind) -> &Descriptor {
        match kind {
            Kind::Identity => &self.identity,
            Kind::Intent => &self.intent,
            Kind::Authority => &self.authority,
            Kind::Files => &self.files,
            Kind::Output => &self.output,
            Kind::Eval => &self.eval,
            Kind::Review => &self.review,
            Kind::Replay => &self.replay,
        }
    }
}
