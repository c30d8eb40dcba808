//! The JSON Schema of a file of settings, from the list of keys and the help of their flags.

use clap::Command;
use serde_json::{Map, Value, json};

use super::key::{Form, LIST_MAX};
use super::{KEYS, Key, Kind};

/// The schema. `commands` are those that have the flags.
pub(crate) fn schema(commands: &[&Command]) -> Value {
    let properties = KEYS.iter().map(|key| (key.name.to_owned(), property(key, commands)));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings of Envelope",
        "type": "object",
        "additionalProperties": false,
        "properties": properties.collect::<Map<_, _>>(),
        "not": { "required": ["trust", "trust-only"] },
    })
}

fn property(key: &Key, commands: &[&Command]) -> Value {
    let kind = match key.kind {
        Kind::Text(Form::Any) => json!({ "type": "string" }),
        Kind::Text(Form::Database) => {
            json!({ "type": "string", "pattern": "^(sqlite|postgres|postgresql):" })
        }
        Kind::Text(Form::Address) => json!({
            "type": "string",
            "pattern": "^([0-9]{1,3}(\\.[0-9]{1,3}){3}|\\[[0-9A-Fa-f:.%]+\\]):[0-9]{1,5}$",
        }),
        Kind::Count(least, most) => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Kind::List => {
            json!({ "type": "array", "maxItems": LIST_MAX, "items": { "type": "string" } })
        }
    };
    let help = commands.iter().find_map(|command| key.of(command)?.get_help());
    let help = json!({ "description": help.map(ToString::to_string) });
    crate::answer::joined(help, kind)
}
