//! The published shape of every document: JSON Schema 2020-12 from the types, and a Zod module from
//! the schema.
//!
//! A schema speaks of one document's shape. What only several fields together can say is in
//! `validate`, and how a value is spelled in bytes is in canonical JSON: to a schema `1.0` is the
//! integer 1, to us it is no spelling of it.

mod shapes;
mod zod;

use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use envelope_evidence::canonical;

use crate::acceptance::Observation;
use crate::badge::Oath;
use crate::contract::{Contract, Flaw, located};
use crate::dispute::shape::SealedRecord;
use crate::document::shape;
use crate::source::shape::CompiledPaper;

pub use shapes::Unknown;

/// Every document whose shape is published.
///
/// A compiled Paper is `contract` with what follows from it; the node that it stands in is `paper`.
pub const DOCUMENTS: &[Document] = &[
    Document::of::<Contract>("contract"),
    Document::of::<CompiledPaper>("compiled-paper"),
    Document::of::<shape::TosNode>("tos"),
    Document::of::<shape::BaseTermsNode>("base-terms"),
    Document::of::<shape::ScheduleNode>("schedule"),
    Document::of::<shape::MsaNode>("msa"),
    Document::of::<shape::PaperNode>("paper"),
    Document::of::<shape::AmendmentNode>("amendment"),
    Document::of::<shape::SideLetterNode>("side-letter"),
    Document::of::<shape::Letter>("side-letter-body"),
    Document::of::<Observation>("observation"),
    Document::of::<Oath>("oath"),
    Document::of::<SealedRecord>("sealed-record"),
];

/// The dialect of the schemas.
pub const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

const SPELLING: &str = "Documents are signed as canonical JSON (RFC 8785) of whole numbers: there \
                        a number has neither fraction nor exponent, also not `.0`.";

/// A kind of document.
#[derive(Debug, Clone, Copy)]
pub struct Document {
    name: &'static str,
    schema: fn() -> Schema,
    shape: fn(&Value) -> Result<(), Flaw>,
}

/// A schema that cannot be published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unpublished {
    /// It has no canonical form.
    #[error("the schema of `{name}` has no canonical form: {why}")]
    Spelling {
        /// The document.
        name: &'static str,
        /// Why.
        why: canonical::Refused,
    },
    /// It says something that the Zod module could not.
    #[error("the schema of `{name}`, {why}")]
    Unknown {
        /// The document.
        name: &'static str,
        /// What.
        why: Unknown,
    },
}

/// The document called `name`.
pub fn document(name: &str) -> Option<&'static Document> {
    DOCUMENTS.iter().find(|document| document.name == name)
}

impl Document {
    /// The document that `T` is, under its published name.
    pub const fn of<T: JsonSchema + DeserializeOwned + Serialize>(name: &'static str) -> Self {
        Self { name, schema: || schema_for!(T), shape: |value| located::<T>(value).map(drop) }
    }

    /// The name: lower-case words joined by hyphens.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The name to the whole world.
    pub fn id(&self) -> String {
        format!("https://envelope.example/schema/{}/v1", self.name)
    }

    /// Whether the document's type takes `value`. What several fields together say is not asked.
    pub fn fits(&self, value: &Value) -> Result<(), Flaw> {
        (self.shape)(value)
    }

    /// The JSON Schema, its members sorted: the same on every machine.
    pub fn json_schema(&self) -> Result<Value, Unpublished> {
        let mut schema = (self.schema)();
        schema.insert("$schema".to_owned(), DIALECT.into());
        schema.insert("$id".to_owned(), self.id().into());
        schema.insert("$comment".to_owned(), SPELLING.into());
        let spelling = |why| Unpublished::Spelling { name: self.name, why };
        canonical::read(&canonical::of(&schema).map_err(spelling)?).map_err(spelling)
    }

    /// The JSON Schema as a file.
    pub fn json_schema_file(&self) -> Result<String, Unpublished> {
        Ok(format!("{:#}\n", self.json_schema()?))
    }

    /// A module for JavaScript and TypeScript that accepts with Zod 4 what the JSON Schema accepts.
    pub fn zod_module(&self) -> Result<String, Unpublished> {
        zod_module(&self.json_schema()?)
            .map_err(|why| Unpublished::Unknown { name: self.name, why })
    }
}

/// The Zod module of a schema that uses no more than ours do.
pub fn zod_module(schema: &Value) -> Result<String, Unknown> {
    Ok(zod::module(&shapes::read(schema)?))
}
