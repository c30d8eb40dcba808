//! The document of this API, made from the table of routes.

mod answers;

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::ask::{Ask, PART_CHARS_MAX, Place};
use crate::cookie;
use crate::route::{BASE, Needs, Route, Takes, all};

/// The OpenAPI 3.1 document.
pub fn document() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let mut generator = settings.into_generator();
    let mut paths: Map<String, Value> = Map::new();
    for route in all() {
        let operation = operation(route, &mut generator);
        let path = paths.entry(format!("{BASE}{}", route.path)).or_insert_with(|| json!({}));
        if let Value::Object(methods) = path {
            methods.insert(route.method.as_str().to_lowercase(), operation);
        }
    }
    let mut schemas = generator.take_definitions(true);
    schemas.insert("Problem".to_owned(), answers::problem());
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Envelope",
            "version": "1",
            "description": "Buy, launch, approve, settle, verify.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "key": [] }, { "session": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": answers::shared(),
            "headers": answers::headers(),
            "securitySchemes": {
                "key": { "type": "http", "scheme": "bearer", "bearerFormat": "env_live_…" },
                "session": { "type": "apiKey", "in": "cookie", "name": cookie::NAME },
            },
        },
    })
}

fn operation(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let parts = names(route.path).map(part);
    let parameters: Vec<_> = parts.chain(route.asked().map(parameter)).collect();
    let needs = match route.needs {
        Needs::Nobody => "nobody".to_owned(),
        Needs::Anybody => "anybody".to_owned(),
        Needs::Role(role) => role.name().to_owned(),
    };
    let mut operation = json!({
        "operationId": route.operation,
        "summary": route.summary,
        "x-needs": needs,
        "x-rate": route.rate.name(),
        "parameters": parameters,
        "responses": answers::of(route, generator),
    });
    let Value::Object(members) = &mut operation else { return operation };
    if route.needs == Needs::Nobody {
        members.insert("security".to_owned(), json!([]));
    }
    let body = match route.takes {
        Takes::Nothing => return operation,
        Takes::Json(make) => {
            json!({ "application/json": { "schema": Value::from(make(generator)) } })
        }
        Takes::Wasm => {
            json!({ "application/wasm": { "schema": { "contentMediaType": "application/wasm" } } })
        }
    };
    members.insert("requestBody".to_owned(), json!({ "required": true, "content": body }));
    operation
}

/// What stands in braces in a path.
fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn part(name: &str) -> Value {
    json!({
        "name": name, "in": "path", "required": true,
        "schema": {
            "type": "string", "minLength": 1, "maxLength": PART_CHARS_MAX,
            "pattern": "^[A-Za-z0-9_-]+$(?!\\n)",
        },
    })
}

fn parameter(ask: &Ask) -> Value {
    let place = match ask.place {
        Place::Query => "query",
        Place::Header => "header",
    };
    json!({
        "name": ask.name, "in": place, "required": ask.needed, "description": ask.what,
        "schema": (ask.schema)(),
    })
}
