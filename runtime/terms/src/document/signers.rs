//! Whose keys sign for which side.

use std::collections::BTreeSet;
use std::fmt;

use envelope_evidence::Digest;
use serde::{Deserialize, Serialize};

/// Keys of one side: a few people who may sign, and the keys that replace theirs.
pub const SIGNERS_MAX: usize = 8;

/// One side of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Who pays.
    Buyer,
    /// Who answers for the agent.
    Developer,
}

impl Side {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Buyer, Self::Developer];
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Buyer => "buyer",
            Self::Developer => "developer",
        })
    }
}

/// The ids of the keys that sign for each side. An id is the digest of the key, so the document
/// fixes the keys themselves; whether to trust them is the verifier's key ring to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "OnPaper", into = "OnPaper")]
pub struct Signers {
    buyer: BTreeSet<String>,
    developer: BTreeSet<String>,
}

/// Keys that cannot sign for two sides.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSigners {
    /// A side has no key, or more than [`SIGNERS_MAX`].
    #[error("each side has 1 to {SIGNERS_MAX} keys, the {0} has {1}")]
    Count(Side, usize),
    /// Not the id of a key.
    #[error("`{0}` is not a key id: 64 lower-case hexadecimal digits")]
    Id(String),
    /// One key cannot consent for two.
    #[error("key `{0}` is listed for both sides")]
    Shared(String),
    /// Listed twice or not in order.
    #[error("the keys of the {0} are not sorted, each once")]
    Unsorted(Side),
}

impl Signers {
    /// The keys of both sides, by id.
    pub fn new<T: Into<String>>(
        buyer: impl IntoIterator<Item = T>,
        developer: impl IntoIterator<Item = T>,
    ) -> Result<Self, BadSigners> {
        let buyer: BTreeSet<String> = buyer.into_iter().map(Into::into).collect();
        let developer: BTreeSet<String> = developer.into_iter().map(Into::into).collect();
        for (side, keys) in [(Side::Buyer, &buyer), (Side::Developer, &developer)] {
            if keys.is_empty() || keys.len() > SIGNERS_MAX {
                return Err(BadSigners::Count(side, keys.len()));
            }
            if let Some(wrong) = keys.iter().find(|kid| Digest::from_hex(kid).is_err()) {
                return Err(BadSigners::Id(wrong.chars().take(64).collect()));
            }
        }
        match buyer.intersection(&developer).next() {
            Some(shared) => Err(BadSigners::Shared(shared.clone())),
            None => Ok(Self { buyer, developer }),
        }
    }

    /// The side that key `kid` signs for.
    pub fn side_of(&self, kid: &str) -> Option<Side> {
        Side::ALL.into_iter().find(|&side| self.of(side).contains(kid))
    }

    /// The keys of one side.
    pub const fn of(&self, side: Side) -> &BTreeSet<String> {
        match side {
            Side::Buyer => &self.buyer,
            Side::Developer => &self.developer,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OnPaper {
    buyer: Vec<String>,
    developer: Vec<String>,
}

impl From<Signers> for OnPaper {
    fn from(signers: Signers) -> Self {
        let list = |keys: BTreeSet<String>| keys.into_iter().collect();
        Self { buyer: list(signers.buyer), developer: list(signers.developer) }
    }
}

impl TryFrom<OnPaper> for Signers {
    type Error = BadSigners;

    fn try_from(paper: OnPaper) -> Result<Self, BadSigners> {
        for (side, keys) in [(Side::Buyer, &paper.buyer), (Side::Developer, &paper.developer)] {
            if !keys.is_sorted_by(|a, b| a < b) {
                return Err(BadSigners::Unsorted(side));
            }
        }
        Self::new(paper.buyer, paper.developer)
    }
}
