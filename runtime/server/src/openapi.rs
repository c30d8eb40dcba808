//! The document of this API, made from the table of routes.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::problem::CODES;
use crate::route::{BASE, Gives, Needs, Route, Takes, all};

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
    schemas.insert("Problem".to_owned(), problem());
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Envelope",
            "version": "1",
            "description": "Buy, launch, approve, settle, verify.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "key": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "key": { "type": "http", "scheme": "bearer", "bearerFormat": "env_live_…" },
            },
        },
    })
}

fn operation(route: &Route, generator: &mut schemars::SchemaGenerator) -> Value {
    let (kind, schema, page) = gives(route, generator);
    let mut parameters: Vec<_> = route
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
        })
        .chain(page)
        .collect();
    if route.once {
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": true,
            "schema": { "type": "string", "minLength": 1, "maxLength": 255 },
        }));
    }
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
        "responses": {
            route.status.to_string(): {
                "description": "Done",
                "content": { kind: { "schema": schema } },
            },
            "default": {
                "description": "Not done",
                "content": {
                    "application/problem+json": {
                        "schema": { "$ref": "#/components/schemas/Problem" },
                    },
                },
            },
        },
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

/// What is answered: its kind, its schema, and what a query may say of it.
fn gives(
    route: &Route,
    generator: &mut schemars::SchemaGenerator,
) -> (&'static str, Value, Vec<Value>) {
    let item = match route.gives {
        Gives::Json(make) => {
            return ("application/json", Value::from(make(generator)), Vec::new());
        }
        Gives::Other(kind) => return (kind, json!({}), Vec::new()),
        Gives::Page(make) => Value::from(make(generator)),
    };
    let page = json!({
        "type": "object",
        "required": ["data", "has_more", "next"],
        "properties": {
            "data": { "type": "array", "items": item },
            "has_more": { "type": "boolean" },
            "next": { "type": ["string", "null"] },
        },
    });
    let limit = json!({
        "name": "limit", "in": "query",
        "schema": { "type": "integer", "minimum": 1, "maximum": 100, "default": 20 },
    });
    let after = json!({ "name": "after", "in": "query", "schema": { "type": "string" } });
    ("application/json", page, vec![limit, after])
}

fn problem() -> Value {
    let codes = Vec::from_iter(CODES.iter().map(|row| row.code));
    json!({
        "type": "object",
        "description": "What went wrong (RFC 9457).",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": { "type": "string", "format": "uri" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string" },
            "code": { "type": "string", "enum": codes },
            "param": { "type": "string", "description": "The part that does not fit." },
            "request": { "type": "string" },
        },
    })
}
