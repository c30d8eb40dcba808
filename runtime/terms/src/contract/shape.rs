//! How foreign types look in the JSON Schema, and how optional fields are read.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::words::END;

/// The shape of an [`envelope_evidence::Digest`]: give it with `#[schemars(with = "DigestShape")]`.
#[derive(Debug)]
pub struct DigestShape;

impl JsonSchema for DigestShape {
    fn schema_name() -> Cow<'static, str> {
        "Digest".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let pattern = format!("^sha256:[0-9a-f]{{64}}{END}");
        json_schema!({ "type": "string", "pattern": pattern })
    }
}

/// Reads a field that may be absent but not null, so that each value has one spelling.
pub fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
