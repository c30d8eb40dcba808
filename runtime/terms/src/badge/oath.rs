//! Oaths: signed attestations that somebody outside can check offline, with the keys we publish.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use envelope_evidence::dsse::{BadEnvelope, BadSignature, Envelope};
use envelope_evidence::key::{ForAttestations, Purpose, SigningKey};
use envelope_evidence::keyring::KeyRing;
use envelope_evidence::statement::{PAYLOAD_TYPE, Statement, Subject};
use envelope_evidence::{Digest, Timestamp, canonical};

use super::{Pillar, Standing};
use crate::contract::{Did, DigestShape, Line, TimestampShape};

/// The predicate type of an attestation.
pub const OATH_TYPE: &str = "https://envelope.example/predicate/oath/v1";

/// What an issuer attests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Oath {
    /// Who attests.
    pub iss: Did,
    /// About whom or what.
    pub sub: Did,
    /// What.
    pub claim: Claim,
    /// The digest of what it rests on.
    #[schemars(with = "DigestShape")]
    pub evidence: Digest,
    /// From when on.
    #[schemars(with = "TimestampShape")]
    pub issued: Timestamp,
    /// The first instant at which it no longer holds.
    #[schemars(with = "TimestampShape")]
    pub expires: Timestamp,
    /// The key that signs it.
    pub kid: Line<64>,
}

/// What is attested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Claim {
    /// A pillar of the badge stands.
    Pillar {
        /// Which.
        pillar: Pillar,
    },
    /// The Paper with this digest was not changed since it was compiled.
    Paper {
        /// The Paper.
        #[schemars(with = "DigestShape")]
        digest: Digest,
    },
}

/// An attestation whose signature holds. Only [`Sworn::open`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sworn {
    id: Digest,
    oath: Oath,
}

/// An attestation that proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadOath {
    /// Not an envelope.
    #[error(transparent)]
    Envelope(#[from] BadEnvelope),
    /// The signature does not hold.
    #[error(transparent)]
    Signature(#[from] BadSignature),
    /// Not an attestation.
    #[error("not an attestation: {0}")]
    Shape(#[from] canonical::Refused),
    /// Signed as something else.
    #[error("signed as another kind of statement")]
    Kind,
    /// It names another key than the one that signed.
    #[error("it names key `{0}`, which did not sign it alone")]
    Kid(Line<64>),
    /// It is never valid.
    #[error("it expires before it begins")]
    Window,
}

impl Oath {
    /// Signs the attestation. The key's own id has to be in it.
    pub fn swear(&self, key: &SigningKey<ForAttestations>) -> Result<Envelope, BadOath> {
        self.check()?;
        if *self.kid != *key.id() {
            return Err(BadOath::Kid(self.kid.clone()));
        }
        let subject = vec![Subject::new("evidence", self.evidence)];
        let statement = Statement::new(subject, OATH_TYPE.to_owned(), self);
        Ok(Envelope::seal(PAYLOAD_TYPE, canonical::of(&statement)?, key))
    }

    pub(super) fn attests(&self, subject: &Did, claim: &Claim) -> bool {
        self.sub == *subject && self.claim == *claim
    }

    fn check(&self) -> Result<(), BadOath> {
        if self.issued < self.expires { Ok(()) } else { Err(BadOath::Window) }
    }
}

impl Sworn {
    /// Opens the bytes of an attestation whose key was trusted for attestations when it was issued.
    pub fn open(bytes: &[u8], ring: &KeyRing) -> Result<Self, BadOath> {
        let envelope = Envelope::parse(bytes)?;
        if envelope.payload_type() != PAYLOAD_TYPE {
            return Err(BadOath::Kind);
        }
        let statement: Statement<Oath> = canonical::read(envelope.payload())?;
        let oath = statement.predicate;
        let about = [Subject::new("evidence", oath.evidence)];
        if statement.predicate_type != OATH_TYPE || statement.subject != about {
            return Err(BadOath::Kind);
        }
        oath.check()?;
        if !envelope.key_ids().eq([oath.kid.as_str()]) {
            return Err(BadOath::Kid(oath.kid));
        }
        envelope.verify(ring, &[Purpose::Attestation], oath.issued)?;
        Ok(Self { id: envelope.digest(), oath })
    }

    /// The id under which it can be taken back.
    pub const fn id(&self) -> Digest {
        self.id
    }

    /// What is attested.
    pub const fn oath(&self) -> &Oath {
        &self.oath
    }

    /// How it stands at `at`.
    pub fn standing(&self, revoked: &BTreeSet<Digest>, at: Timestamp) -> Standing {
        if revoked.contains(&self.id) {
            Standing::Revoked
        } else if at >= self.oath.expires {
            Standing::Expired
        } else if at < self.oath.issued {
            Standing::Early
        } else {
            Standing::Holds(self.oath.expires)
        }
    }
}
