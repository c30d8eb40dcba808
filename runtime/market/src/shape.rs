//! How what comes from outside looks, where its type alone does not say it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use envelope_evidence::text::LABEL_CHARS_MAX;
use envelope_store::ORG_CHARS_MAX;
use envelope_terms::contract::END;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// The shape of an organisation's name: give it with `#[schemars(with = "OrgShape")]`.
#[derive(Debug)]
pub struct OrgShape;

impl JsonSchema for OrgShape {
    fn schema_name() -> Cow<'static, str> {
        "OrganisationId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let pattern = format!("^[a-z0-9]([a-z0-9-]*[a-z0-9])?{END}");
        json_schema!({ "type": "string", "maxLength": ORG_CHARS_MAX, "pattern": pattern })
    }
}

/// The shape of a reason, which is a label that says something: give it with
/// `#[schemars(with = "ReasonShape")]`.
#[derive(Debug)]
pub(crate) struct ReasonShape;

impl JsonSchema for ReasonShape {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Reason".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let any = r"[^\x00-\x1f\x7f-\x9f]*";
        let pattern = format!(r"^{any}[^\x00-\x20\x7f-\x9f]{any}{END}");
        json_schema!({
            "type": "string", "minLength": 1, "maxLength": LABEL_CHARS_MAX, "pattern": pattern
        })
    }
}

/// Reads a list that names nothing twice.
pub fn distinct<'de, D: Deserializer<'de>, T: Deserialize<'de> + Ord>(
    from: D,
) -> Result<BTreeSet<T>, D::Error> {
    let mut all = BTreeSet::new();
    for item in Vec::<T>::deserialize(from)? {
        if !all.insert(item) {
            return Err(D::Error::custom("one of them is named twice"));
        }
    }
    Ok(all)
}
