//! What the attribute makes of an author's functions: an agent that describes itself and does its
//! skills by name.

use std::fmt;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::Ctx;
use crate::bindings::exports::envelope::host::skills;
use crate::error::Error;

/// An agent. The attribute makes one and calls it `AGENT`, so that a test can see its card and do
/// its skills by name.
#[derive(Debug)]
pub struct Agent {
    #[doc(hidden)]
    pub name: &'static str,
    #[doc(hidden)]
    pub version: &'static str,
    #[doc(hidden)]
    pub description: &'static str,
    #[doc(hidden)]
    pub skills: &'static [Skill],
    #[doc(hidden)]
    pub needs: Needs,
}

/// What an agent would need from outside. It gives nothing: whoever runs it allows what he likes.
#[doc(hidden)]
#[derive(Debug)]
pub struct Needs {
    pub net: &'static [&'static str],
    pub models: &'static [&'static str],
    pub read: &'static [&'static str],
    pub outputs: Option<&'static str>,
}

impl Needs {
    /// What a card says of it: what is not needed is left out.
    fn card(&self) -> Map<String, Value> {
        let lists = [("models", self.models), ("net", self.net), ("read", self.read)];
        let lists = lists.into_iter().filter(|(_, texts)| !texts.is_empty());
        let lists = lists.map(|(name, texts)| (name.to_string(), json!(texts)));
        let outputs = self.outputs.map(|prefix| ("outputs".to_string(), json!(prefix)));
        lists.chain(outputs).collect()
    }
}

/// One function of an agent.
#[doc(hidden)]
pub struct Skill {
    pub name: &'static str,
    pub description: &'static str,
    pub input: fn() -> Schema,
    pub output: fn() -> Schema,
    pub run: fn(&Ctx, &str) -> Result<String, Failure>,
}

impl fmt::Debug for Skill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Skill").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Why a skill that was asked for by name gave no result.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Failure {
    /// There is no skill of this name.
    #[error("there is no skill `{0}`")]
    UnknownSkill(String),
    /// The arguments do not fit; the text says where and why.
    #[error("the arguments do not fit: {0}")]
    InvalidArgs(String),
    /// The skill failed; the document says how.
    #[error("the skill failed: {0}")]
    Failed(Value),
}

impl From<Failure> for skills::Failure {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::UnknownSkill(name) => Self::UnknownSkill(name),
            Failure::InvalidArgs(why) => Self::InvalidArgs(why),
            Failure::Failed(document) => Self::Failed(sorted(document).to_string()),
        }
    }
}

impl Agent {
    /// The card: JSON with `name`, `version`, `description` and `skills`, each with `name`,
    /// `description`, and the JSON Schemas `input` and `output`; and `needs`, if it has any. Always
    /// the same bytes.
    #[must_use]
    pub fn card(&self) -> String {
        let skills = self.skills.iter().map(|skill| {
            json!({
                "name": skill.name,
                "description": skill.description,
                "input": (skill.input)(),
                "output": (skill.output)(),
            })
        });
        let mut card = json!({
            "name": self.name,
            "version": self.version,
            "description": self.description,
            "skills": Value::from_iter(skills),
        });
        let needs = self.needs.card();
        if let Some(card) = card.as_object_mut().filter(|_| !needs.is_empty()) {
            card.insert("needs".to_string(), Value::Object(needs));
        }
        sorted(card).to_string()
    }

    /// Does the skill of this name, with arguments and result in JSON, as the host does.
    ///
    /// # Errors
    /// There is no such skill, the arguments do not fit it, or it failed.
    pub fn invoke(&self, ctx: &Ctx, skill: &str, args: &str) -> Result<String, Failure> {
        let found = self.skills.iter().find(|known| known.name == skill);
        let found = found.ok_or_else(|| Failure::UnknownSkill(skill.into()))?;
        (found.run)(ctx, args)
    }
}

/// The same document with the members of every object in order, whatever the features with which
/// `serde_json` was built.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members = Vec::from_iter(members);
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            let members = members.into_iter().map(|(name, value)| (name, sorted(value)));
            Value::Object(Map::from_iter(members))
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

/// The arguments of a skill that takes none: `{}`.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoArgs {}

/// The schema of what `skill` takes.
#[doc(hidden)]
pub fn input<A: JsonSchema, R, E>(_: fn(&Ctx, A) -> Result<R, E>) -> Schema {
    let settings = SchemaSettings::draft2020_12().for_deserialize();
    settings.into_generator().into_root_schema_for::<A>()
}

/// The schema of what `skill` gives.
#[doc(hidden)]
pub fn output<A, R: JsonSchema, E>(_: fn(&Ctx, A) -> Result<R, E>) -> Schema {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<R>()
}

/// Reads the arguments, does the skill, and writes its result.
#[doc(hidden)]
pub fn run<A: DeserializeOwned, R: Serialize, E: Into<Error>>(
    skill: fn(&Ctx, A) -> Result<R, E>,
    ctx: &Ctx,
    args: &str,
) -> Result<String, Failure> {
    let args = read(args).map_err(Failure::InvalidArgs)?;
    let result = skill(ctx, args).map_err(Into::into);
    let text = result.and_then(|result| Ok(serde_json::to_string(&result)?));
    text.map_err(|error: Error| Failure::Failed(error.document(ctx)))
}

/// Reads one document, and says in which field it is wrong.
fn read<A: DeserializeOwned>(args: &str) -> Result<A, String> {
    let mut text = serde_json::Deserializer::from_str(args);
    let read = serde_path_to_error::deserialize(&mut text).map_err(|error| {
        let (path, error) = (error.path().to_string(), error.inner());
        if path == "." { error.to_string() } else { format!("`{path}`: {error}") }
    })?;
    text.end().map_err(|error| error.to_string())?;
    Ok(read)
}
