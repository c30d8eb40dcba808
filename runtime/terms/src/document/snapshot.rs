//! The snapshot that is taken at purchase: one digest over all documents bought under.

use envelope_evidence::dsse::Envelope;
use envelope_evidence::key::{ForDocuments, SigningKey};
use envelope_evidence::statement::{PAYLOAD_TYPE, Statement, Subject};
use envelope_evidence::time::Rfc3339;
use envelope_evidence::{Digest, Timestamp, canonical};
use serde::{Deserialize, Serialize};

use super::chain::{Chain, name};
use super::kind::Kind;
use super::refused::Refused;
use super::signature;

/// The predicate type of a snapshot.
pub const SNAPSHOT_TYPE: &str = "https://envelope.example/predicate/paper-snapshot/v1";

/// What a snapshot says beside the documents, which are its subjects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Taken {
    /// When it was taken.
    pub taken: Rfc3339,
}

/// Every document of a chain at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    payload: Vec<u8>,
}

impl Snapshot {
    /// The snapshot of `chain` at `taken`.
    pub fn of(chain: &Chain, taken: Timestamp) -> Result<Self, canonical::Refused> {
        let documents = chain.documents().iter();
        let subject = |it: &super::Document| Subject::new(name(it.seq(), it.kind()), it.id());
        let subjects = documents.map(subject).collect();
        let predicate = Taken { taken: Rfc3339(taken) };
        let statement = Statement::new(subjects, SNAPSHOT_TYPE.to_owned(), predicate);
        Ok(Self { payload: canonical::of(&statement)? })
    }

    /// The one digest over all documents: `paperSnapshotHash`.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.payload)
    }

    /// Signs it for the buyer, whose act the purchase is.
    pub fn sign(self, key: &SigningKey<ForDocuments>) -> Envelope {
        Envelope::seal(PAYLOAD_TYPE, self.payload, key)
    }
}

/// How many of `documents` the snapshot names, from the first, and when it was taken. It names the
/// Paper at least: nothing else is bought.
pub(super) fn named(
    envelope: &Envelope,
    documents: &[(Kind, Digest)],
) -> Result<(usize, Timestamp), Refused> {
    let statement = signature::read::<Taken>(envelope, SNAPSHOT_TYPE)?;
    let named = statement.subject.len();
    let seen = documents.get(..named).ok_or(Refused::Snapshot)?;
    let same = seen.iter().zip(0..).zip(&statement.subject).all(|(((kind, id), seq), subject)| {
        subject.name == name(seq, *kind) && subject.digest.digest() == *id
    });
    let whole = seen.iter().any(|(kind, _)| *kind == Kind::Paper);
    if same && whole { Ok((named, statement.predicate.taken.0)) } else { Err(Refused::Snapshot) }
}
