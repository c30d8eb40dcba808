//! What the parties sign: one statement about one document, in one DSSE envelope.

use std::fmt;

use envelope_evidence::dsse::Envelope;
use envelope_evidence::key::{ForDocuments, SigningKey};
use envelope_evidence::statement::{PAYLOAD_TYPE, Statement, Subject};
use envelope_evidence::time::Rfc3339;
use envelope_evidence::{Digest, Timestamp, canonical};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::kind::Kind;
use super::refused::Refused;

/// The predicate type of a signed document.
pub const SIGNATURE_TYPE: &str = "https://envelope.example/predicate/document-signature/v1";

/// What is said about the document that is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signing {
    /// How much the signatures prove.
    pub level: Level,
    /// When the parties say they signed. A key proves who, not when.
    pub signed: Rfc3339,
}

/// How much a signature proves. What nobody can check is refused rather than believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// A trusted key signed these bytes and gives a time for it; nobody vouches for the person.
    Key,
    /// Equal to a signature by hand under eIDAS. Nothing here can check it.
    Qualified,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "key",
            Self::Qualified => "qualified",
        })
    }
}

/// The statement about document `id`, signed by the first of the parties. The others add their
/// signatures over the same bytes with [`Envelope::cosign`].
pub fn sign(
    kind: Kind,
    id: Digest,
    signed: Timestamp,
    key: &SigningKey<ForDocuments>,
) -> Result<Envelope, canonical::Refused> {
    let predicate = Signing { level: Level::Key, signed: Rfc3339(signed) };
    let subject = vec![Subject::new(kind.name(), id)];
    seal(&Statement::new(subject, SIGNATURE_TYPE.to_owned(), predicate), key)
}

pub(super) fn seal<P: Serialize>(
    statement: &Statement<P>,
    key: &SigningKey<ForDocuments>,
) -> Result<Envelope, canonical::Refused> {
    Ok(Envelope::seal(PAYLOAD_TYPE, canonical::of(statement)?, key))
}

/// The statement in `envelope`, if it is of the kind `predicate_type`.
pub(super) fn read<P: DeserializeOwned + Serialize>(
    envelope: &Envelope,
    predicate_type: &str,
) -> Result<Statement<P>, Refused> {
    if envelope.payload_type() != PAYLOAD_TYPE {
        return Err(Refused::Shape(format!("the payload type is not `{PAYLOAD_TYPE}`")));
    }
    let statement: Statement<P> = canonical::read(envelope.payload())?;
    if statement.predicate_type != predicate_type {
        return Err(Refused::Shape(format!("the predicate type is not `{predicate_type}`")));
    }
    Ok(statement)
}
