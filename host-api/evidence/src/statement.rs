//! in-toto Statements v1: what a signed payload says, and about which bytes.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// The `_type` of every statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// The media type of a statement in a DSSE envelope.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// A statement about `subject`, of the kind that `predicate_type` names. Its members, like those of
/// a [`Subject`], stand in canonical order, so that reading one needs no rearranging.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement<P> {
    #[serde(rename = "_type")]
    kind: StatementType,
    /// What is said.
    pub predicate: P,
    /// A URI that names the shape of the predicate.
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// What is spoken about: never empty.
    pub subject: Vec<Subject>,
}

impl<P> Statement<P> {
    /// A statement of the kind `predicate_type` about `subject`.
    pub fn new(subject: Vec<Subject>, predicate_type: String, predicate: P) -> Self {
        Self { kind: StatementType::V1, predicate, predicate_type, subject }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum StatementType {
    #[serde(rename = "https://in-toto.io/Statement/v1")]
    V1,
}

/// A named artifact by its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Its digest.
    pub digest: DigestSet,
    /// What it is called.
    pub name: String,
}

impl Subject {
    /// The artifact `name` with `digest`.
    pub fn new(name: impl Into<String>, digest: Digest) -> Self {
        Self { name: name.into(), digest: digest.into() }
    }
}

/// A reference to another file by its digest, in-toto's ResourceDescriptor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Descriptor {
    /// What it is called.
    pub name: String,
    /// Its media type.
    #[serde(rename = "mediaType")]
    pub media_type: String,
    /// Its digest.
    pub digest: DigestSet,
}

/// in-toto's spelling of a digest: the algorithm as the key, hexadecimal digits without a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DigestSet {
    #[serde(with = "hexadecimal")]
    sha256: Digest,
}

impl DigestSet {
    /// The digest.
    pub const fn digest(&self) -> Digest {
        self.sha256
    }
}

impl From<Digest> for DigestSet {
    fn from(sha256: Digest) -> Self {
        Self { sha256 }
    }
}

mod hexadecimal {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::digest::Digest;

    pub(super) fn serialize<S: Serializer>(
        digest: &Digest,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&digest.hex())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Digest, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Digest::from_hex(&text).map_err(serde::de::Error::custom)
    }
}
