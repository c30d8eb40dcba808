//! The shape of each document's node, for its JSON Schema.
//!
//! A node is read by [`super::Node::parse`]. A shape says the same of every field by itself; that
//! the keys of both parties are sorted and none is listed twice, and that a prose has clauses that
//! can be told apart, only several fields or the reading of a text can say.

use envelope_evidence::usage::MAX_EXACT;
use envelope_evidence::{Digest, Label};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::difference::{Change, Terms};
use super::node::{Commitment, Standard};
use super::signers::SIGNERS_MAX;
use crate::contract::{
    DigestShape, Exact, HexDigits, LabelShape, List, NullableDigestShape, present,
};

/// Whose keys sign for which side.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Signers {
    /// The ids of the buyer's keys, sorted.
    buyer: List<HexDigits, 1, SIGNERS_MAX>,
    /// The ids of the developer's keys, sorted, and none of the buyer's.
    developer: List<HexDigits, 1, SIGNERS_MAX>,
}

/// The data of a Paper.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Paper {
    /// What the document is called.
    #[schemars(with = "LabelShape")]
    title: Label,
    /// Whose keys sign it and everything after it.
    signers: Signers,
    /// Its terms as data.
    terms: Terms,
}

/// The data of an amendment. Its prose is the whole text as amended.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Amendment {
    /// What the document is called.
    #[schemars(with = "LabelShape")]
    title: Label,
    /// How the terms change: an RFC 6902 patch that also names what it replaces.
    difference: Vec<Change>,
    /// The digest of the rendered change of the prose.
    #[schemars(with = "DigestShape")]
    redline: Digest,
    /// Whose keys sign what comes after it, when that changes.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Signers")]
    signers: Option<Signers>,
}

/// What a side letter says. Only its readers see it.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SideLetterBody")]
pub(crate) struct Letter {
    /// Its prose.
    prose: String,
    /// 32 random bytes that keep it from being guessed by its digest.
    salt: HexDigits,
    /// What it says about terms, as data.
    terms: Terms,
    /// What it is called.
    #[schemars(with = "LabelShape")]
    title: Label,
}

macro_rules! nodes {
    ($($(#[$doc:meta])* $name:ident $kind:ident $word:literal $body:ty;)*) => {$(
        #[derive(Debug, Serialize, Deserialize, JsonSchema)]
        #[schemars(inline)]
        enum $kind {
            #[serde(rename = $word)]
            It,
        }

        $(#[$doc])*
        #[derive(Debug, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name {
            /// The data.
            body: $body,
            /// The root of the tree of clauses.
            #[schemars(with = "DigestShape")]
            clauses: Digest,
            /// What kind of document it is.
            kind: $kind,
            /// The id of the document before this one; null for the first.
            #[serde(deserialize_with = "Option::deserialize")]
            #[schemars(with = "NullableDigestShape")]
            parent: Option<Digest>,
            /// The digest of the salted prose; for a side letter, of its sealed file.
            #[schemars(with = "DigestShape")]
            prose: Digest,
            /// The place in the chain, counted from zero.
            seq: Exact<0, MAX_EXACT>,
        }
    )*};
}

nodes! {
    /// The platform's terms of service, as they stand in a chain.
    TosNode TosKind "tos" Standard;
    /// Terms common to all contracts, as they stand in a chain.
    BaseTermsNode BaseTermsKind "base-terms" Standard;
    /// An addendum, as it stands in a chain.
    ScheduleNode ScheduleKind "schedule" Standard;
    /// The master agreement, as it stands in a chain.
    MsaNode MsaKind "msa" Standard;
    /// The Paper, as it stands in a chain.
    PaperNode PaperKind "paper" Paper;
    /// A change of the Paper, as it stands in a chain.
    AmendmentNode AmendmentKind "amendment" Amendment;
    /// All that the public chain tells of a side letter.
    SideLetterNode SideLetterKind "side-letter" Commitment;
}
