//! The badge: five attestations that hold at a time, and nothing that is stored.
//!
//! Whoever shows a badge computes it, from signed attestations and the list of those that were
//! taken back. So it ends the moment one of them does.

mod oath;
mod partner;

use std::collections::BTreeSet;

use envelope_evidence::{Digest, Timestamp};

use crate::contract::Did;

pub use oath::{BadOath, Claim, OATH_TYPE, Oath, Sworn};
pub use partner::{LiveMsa, NotPartner, PluginSignature, verified_partner};

/// Attestations about one subject that are looked at: decades of renewals of five pillars.
pub const OATHS_MAX: usize = 1000;

/// What a badge stands on.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Pillar {
    /// Contracts accepted and liability acknowledged.
    Legal,
    /// Technical posture and the handling of vulnerabilities.
    Security,
    /// A verified business.
    Identity,
    /// Readiness and service levels.
    Operations,
    /// Transparent prices and a tested payout.
    Commercial,
}

impl Pillar {
    /// Every pillar.
    pub const ALL: [Self; 5] =
        [Self::Legal, Self::Security, Self::Identity, Self::Operations, Self::Commercial];

    /// The name in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Legal => "legal",
            Self::Security => "security",
            Self::Identity => "identity",
            Self::Operations => "operations",
            Self::Commercial => "commercial",
        }
    }
}

/// Each pillar's standing at one time. It is computed and cannot be stored: it has no other form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Badge {
    pillars: [(Pillar, Standing); 5],
}

/// How one pillar stands. The order is how good it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Nothing was ever attested.
    Missing,
    /// Whatever was attested was taken back.
    Revoked,
    /// What was not taken back ended.
    Expired,
    /// An attestation is not valid yet.
    Early,
    /// An attestation holds, until then.
    Holds(Timestamp),
}

impl Badge {
    /// The badge of `subject` at `at`, from verified attestations and the ids of those taken back.
    /// Attestations beyond [`OATHS_MAX`] do not count.
    pub fn of(subject: &Did, sworn: &[Sworn], revoked: &BTreeSet<Digest>, at: Timestamp) -> Self {
        let standing = |pillar| {
            let about = |one: &&Sworn| one.oath().attests(subject, &Claim::Pillar { pillar });
            let found = sworn.iter().take(OATHS_MAX).filter(about);
            let standing = found.map(|one| one.standing(revoked, at)).max();
            (pillar, standing.unwrap_or(Standing::Missing))
        };
        Self { pillars: Pillar::ALL.map(standing) }
    }

    /// Whether all five pillars hold: the agent is listed and runs with all it was granted.
    pub fn held(&self) -> bool {
        self.pillars.iter().all(|(_, standing)| matches!(standing, Standing::Holds(_)))
    }

    /// When the badge ends unless something is renewed; none when it is not held.
    pub fn until(&self) -> Option<Timestamp> {
        let ends = self.pillars.iter().map(|(_, standing)| match standing {
            Standing::Holds(until) => Some(*until),
            Standing::Missing | Standing::Revoked | Standing::Expired | Standing::Early => None,
        });
        ends.collect::<Option<Vec<_>>>()?.into_iter().min()
    }

    /// How each pillar stands.
    pub const fn pillars(&self) -> &[(Pillar, Standing); 5] {
        &self.pillars
    }
}
