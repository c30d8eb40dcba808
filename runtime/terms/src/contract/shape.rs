//! How foreign types look in the JSON Schema, and how optional fields are read.

use std::borrow::Cow;

use envelope_evidence::Timestamp;
use envelope_evidence::text::LABEL_CHARS_MAX;
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

/// The shape of a digest that may be null: give it with
/// `#[schemars(with = "NullableDigestShape")]`.
#[derive(Debug)]
pub struct NullableDigestShape;

impl JsonSchema for NullableDigestShape {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "NullableDigest".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let digest = generator.subschema_for::<DigestShape>();
        json_schema!({ "anyOf": [digest, { "type": "null" }] })
    }
}

/// The shape of an [`envelope_evidence::Label`]: give it with `#[schemars(with = "LabelShape")]`.
#[derive(Debug)]
pub struct LabelShape;

impl JsonSchema for LabelShape {
    fn schema_name() -> Cow<'static, str> {
        "Label".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let pattern = format!(r"^[^\x00-\x1f\x7f-\x9f]*{END}");
        json_schema!({ "type": "string", "maxLength": LABEL_CHARS_MAX, "pattern": pattern })
    }
}

/// The shape of a [`Timestamp`]: give it with `#[schemars(with = "TimestampShape")]`.
#[derive(Debug)]
pub struct TimestampShape;

impl JsonSchema for TimestampShape {
    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "integer", "minimum": 0, "maximum": Timestamp::MAX.millis(),
            "description": "milliseconds since 1970, in UTC"
        })
    }
}

/// Reads a field that may be absent but not null, so that each value has one spelling.
pub fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
