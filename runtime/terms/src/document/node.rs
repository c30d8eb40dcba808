//! The node of a document: the canonical bytes whose digest is the document's id.

use envelope_evidence::{Digest, Label, canonical};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::difference::{Change, Terms};
use super::kind::Kind;
use super::refused::Refused;
use super::signers::Signers;
use crate::contract::{DigestShape, LabelShape, present};

/// Documents in one chain: an amendment a day for a quarter of a century.
pub const DOCUMENTS_MAX: u64 = 10_000;

/// A document as it stands in the chain, its prose by digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The id of the document before this one; nothing for the first.
    pub parent: Option<Digest>,
    /// The place in the chain, counted from zero.
    pub seq: u64,
    /// The data.
    pub body: Body,
    /// The digest of the salted prose; for a side letter, of its sealed file.
    pub prose: Digest,
    /// The root of the tree of clauses.
    pub clauses: Digest,
}

/// The data of a document, by its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// The platform's terms of service.
    Tos(Standard),
    /// Terms common to all contracts.
    BaseTerms(Standard),
    /// An addendum.
    Schedule(Standard),
    /// The master agreement.
    Msa(Standard),
    /// The Paper.
    Paper(Paper),
    /// A change of the Paper.
    Amendment(Amendment),
    /// A side letter, hidden.
    SideLetter(Commitment),
}

/// Terms that stand above the Paper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Standard {
    /// What the document is called.
    #[schemars(with = "LabelShape")]
    pub title: Label,
    /// Its terms as data.
    pub terms: Terms,
}

/// The data of a Paper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paper {
    /// What the document is called.
    pub title: Label,
    /// Whose keys sign it and everything after it.
    pub signers: Signers,
    /// Its terms as data.
    pub terms: Terms,
}

/// The data of an amendment. Its prose is the whole text as amended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amendment {
    /// How the terms change: an RFC 6902 patch that also names what it replaces.
    pub difference: Vec<Change>,
    /// The digest of the rendered change of the prose.
    pub redline: Digest,
    /// Whose keys sign what comes after it, when that changes.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub signers: Option<Signers>,
    /// What the document is called.
    pub title: Label,
}

/// All that the public chain tells of a side letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Commitment {
    /// The digest of the letter with its salt.
    #[schemars(with = "DigestShape")]
    pub commitment: Digest,
}

impl Node {
    /// What kind of document it is.
    pub const fn kind(&self) -> Kind {
        self.body.kind()
    }

    /// The canonical bytes, whose digest is the id.
    pub fn to_bytes(&self) -> Result<Vec<u8>, canonical::Refused> {
        canonical::of(&OnPaper {
            body: &self.body,
            clauses: self.clauses,
            kind: self.kind(),
            parent: self.parent,
            prose: self.prose,
            seq: self.seq,
        })
    }

    /// Reads exactly what [`Node::to_bytes`] writes.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refused> {
        match kind_of(bytes)? {
            Kind::Tos => Self::read(bytes, Body::Tos),
            Kind::BaseTerms => Self::read(bytes, Body::BaseTerms),
            Kind::Schedule => Self::read(bytes, Body::Schedule),
            Kind::Msa => Self::read(bytes, Body::Msa),
            Kind::Paper => Self::read(bytes, Body::Paper),
            Kind::Amendment => Self::read(bytes, Body::Amendment),
            Kind::SideLetter => Self::read(bytes, Body::SideLetter),
        }
    }

    /// Reads a node with a body of type `B`, in one go: its bytes are its one spelling.
    fn read<B>(bytes: &[u8], body: fn(B) -> Body) -> Result<Self, Refused>
    where
        B: Serialize + DeserializeOwned,
    {
        let OnPaper { body: data, clauses, kind: _, parent, prose, seq } = canonical::read(bytes)?;
        Ok(Self { parent, seq, body: body(data), prose, clauses })
    }
}

impl Body {
    /// What kind of document this is the data of.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Tos(_) => Kind::Tos,
            Self::BaseTerms(_) => Kind::BaseTerms,
            Self::Schedule(_) => Kind::Schedule,
            Self::Msa(_) => Kind::Msa,
            Self::Paper(_) => Kind::Paper,
            Self::Amendment(_) => Kind::Amendment,
            Self::SideLetter(_) => Kind::SideLetter,
        }
    }

    /// What the document is called, unless that is hidden.
    pub const fn title(&self) -> Option<&Label> {
        match self {
            Self::Tos(it) | Self::BaseTerms(it) | Self::Schedule(it) | Self::Msa(it) => {
                Some(&it.title)
            }
            Self::Paper(paper) => Some(&paper.title),
            Self::Amendment(amendment) => Some(&amendment.title),
            Self::SideLetter(_) => None,
        }
    }
}

/// The kind that a node says it is of, which tells how to read it.
fn kind_of(bytes: &[u8]) -> Result<Kind, Refused> {
    #[derive(Deserialize)]
    struct Said {
        kind: Kind,
    }
    serde_json::from_slice(bytes).map(|said: Said| said.kind).or_else(|why| {
        canonical::canonical(bytes)?;
        Err(Refused::Shape(why.to_string()))
    })
}

impl Serialize for Body {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Tos(it) | Self::BaseTerms(it) | Self::Schedule(it) | Self::Msa(it) => {
                it.serialize(serializer)
            }
            Self::Paper(paper) => paper.serialize(serializer),
            Self::Amendment(amendment) => amendment.serialize(serializer),
            Self::SideLetter(commitment) => commitment.serialize(serializer),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OnPaper<B> {
    body: B,
    clauses: Digest,
    kind: Kind,
    /// Spelled even when it is null, so that a first document has one spelling.
    #[serde(deserialize_with = "Option::deserialize")]
    parent: Option<Digest>,
    prose: Digest,
    seq: u64,
}
