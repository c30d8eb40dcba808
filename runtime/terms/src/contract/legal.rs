//! What lawyers look for first: liability, ownership, termination, law, schedules.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use envelope_evidence::Digest;

use super::list::List;
use super::number::{Days, Exact, MinorUnits, Share};
use super::shape::DigestShape;
use super::words::{Letters, Sentence, Title, Version};

/// How much a party can owe at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Liability {
    /// The cap.
    pub cap: LiabilityCap,
    /// What the cap does not cover, in words.
    #[serde(default)]
    pub carve_outs: List<Sentence, 0, 16>,
}

/// A cap on what a party can owe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum LiabilityCap {
    /// What the escrow holds when the claim arises.
    Escrow {},
    /// An amount, in the smallest unit of the price's currency.
    Amount {
        /// The amount.
        amount: MinorUnits,
    },
    /// A multiple of the price.
    Price {
        /// How many times the price.
        times: Exact<1, 100>,
    },
}

/// Who owns what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ip {
    /// Who owns the deliverables once they are paid.
    pub deliverables: Owner,
    /// What the other party may do with them, in words.
    pub licence: Sentence,
    /// Whether the developer may learn from what the buyer hands over.
    pub training: bool,
}

/// A party as owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Owner {
    /// The buyer.
    Buyer,
    /// The developer.
    Developer,
}

/// How the contract ends early.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Termination {
    /// Days of notice without a cause.
    pub notice_days: Days,
    /// Days to cure a breach before it ends the contract; zero for none.
    pub cure_days: Exact<0, 90>,
    /// What ends the contract at once, in words.
    #[serde(default)]
    pub causes: List<Sentence, 0, 16>,
    /// The developer's credit for a wrongful suspension, in basis points of the price.
    pub suspension_credit: Share,
}

/// Which law and which court.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Law {
    /// The governing law.
    pub governing: Title,
    /// Where a court would sit.
    pub venue: Title,
}

/// An addendum for an industry, by its letters and its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Its letters: `T` and `CY` for technology and cyber, `H` for health care.
    pub letters: Letters,
    /// Its title.
    pub title: Title,
    /// Its version.
    pub version: Version,
    /// The digest of its document.
    #[schemars(with = "DigestShape")]
    pub document: Digest,
}
