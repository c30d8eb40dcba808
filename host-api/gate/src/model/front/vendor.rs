//! What the two formats of one vendor have in common.

use envelope_rules::model::{Part, Tool};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::read::Unread;

/// The one kind of tool that is understood.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Function {
    Function,
}

/// The one way to choose a tool that is understood.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Choice {
    Auto,
}

/// What an answer has to look like.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Shape {
    Text,
    JsonObject,
    JsonSchema,
}

impl Shape {
    /// The schema that an answer has to fit, if it has to. `field` is where that stands.
    pub(super) fn schema(
        &self,
        given: Option<&RawValue>,
        field: &str,
    ) -> Result<Option<String>, Unread> {
        match (self, given) {
            (Self::Text, None) => Ok(None),
            (Self::JsonObject, None) => Ok(Some(ANY_OBJECT.to_owned())),
            (Self::JsonSchema, Some(schema)) => Ok(Some(schema.get().to_owned())),
            (Self::Text | Self::JsonObject, Some(_)) | (Self::JsonSchema, None) => {
                Err(Unread::Wrong(format!("`{field}` is not of its kind")))
            }
        }
    }
}

/// The schema of any object.
const ANY_OBJECT: &str = r#"{"type":"object"}"#;

/// A tool that is offered. Without parameters it takes any object.
pub(super) fn tool(
    name: String,
    description: Option<String>,
    parameters: Option<&RawValue>,
) -> Tool {
    let parameters = parameters.map_or(ANY_OBJECT, RawValue::get).to_owned();
    Tool { name, description: description.unwrap_or_default(), parameters }
}

/// What a tool answered, which is text.
pub(super) fn text_of(parts: &[Part]) -> Result<String, Unread> {
    let text = |part: &Part| match part {
        Part::Text(text) => Ok(text.clone()),
        Part::Image(_) | Part::Call(_) | Part::Answer { .. } => {
            Err(Unread::Wrong("the answer of a tool is text".to_owned()))
        }
    };
    parts.iter().map(text).collect()
}
