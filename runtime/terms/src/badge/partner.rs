//! Whether a provider is a verified partner: by its signature, its contract and its identity, all
//! three at this time.

use std::collections::BTreeSet;

use envelope_evidence::key::PublicKey;
use envelope_evidence::{Digest, Timestamp};

use super::{Claim, Pillar, Standing, Sworn};
use crate::contract::Did;

/// A signature over a plugin's manifest.
#[derive(Debug, Clone, Copy)]
pub struct PluginSignature<'a> {
    /// The key that the registry binds to the partner.
    pub key: &'a PublicKey,
    /// The signed bytes.
    pub message: &'a [u8],
    /// The signature.
    pub signature: &'a [u8; 64],
}

/// An agreement with the partner, as the registry knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveMsa {
    /// The agreement.
    pub digest: Digest,
    /// When both had signed it.
    pub signed: Timestamp,
    /// The first instant at which it no longer holds, if it ends.
    pub ends: Option<Timestamp>,
}

/// Why somebody is no verified partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotPartner {
    /// The signature does not fit.
    #[error("the signature does not fit the plugin")]
    Signature,
    /// No agreement is in force.
    #[error("no agreement is in force")]
    Msa,
    /// The identity is not attested.
    #[error("the identity is not attested at this time")]
    Identity,
}

/// Whether `partner` is one at `at`. Computed each time: what is stored would outlive its reasons.
pub fn verified_partner(
    partner: &Did,
    signature: PluginSignature<'_>,
    msa: Option<LiveMsa>,
    identity: (&[Sworn], &BTreeSet<Digest>),
    at: Timestamp,
) -> Result<(), NotPartner> {
    if !signature.key.verifies(signature.message, signature.signature) {
        return Err(NotPartner::Signature);
    }
    let in_force = |msa: &LiveMsa| msa.signed <= at && msa.ends.is_none_or(|ends| at < ends);
    msa.filter(in_force).ok_or(NotPartner::Msa)?;
    let (sworn, revoked) = identity;
    let claim = Claim::Pillar { pillar: Pillar::Identity };
    let mut known = sworn.iter().filter(|one| one.oath().attests(partner, &claim));
    let holds = known.any(|one| matches!(one.standing(revoked, at), Standing::Holds(_)));
    if holds { Ok(()) } else { Err(NotPartner::Identity) }
}
