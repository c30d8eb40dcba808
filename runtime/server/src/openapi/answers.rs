//! What an operation may answer, by status.

use axum::http::Method;
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use super::names;
use crate::ask::IF_MATCH;
use crate::problem::CODES;
use crate::route::{Gives, Needs, Route, Takes, all};

/// All answers of an operation. What is not here it never answers.
pub(super) fn of(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let mut done = json!({
        "description": "Done",
        "headers": headers_of(route),
        "content": content(route, generator),
    });
    let links = links(route);
    if let Value::Object(members) = &mut done
        && !links.is_empty()
    {
        members.insert("links".to_owned(), Value::Object(links));
    }
    let mut all = Map::from_iter([(route.status.to_string(), done)]);
    for status in refusals(route) {
        let kind = match status {
            401 => "Unknown",
            429 => "TooMany",
            _ => "Problem",
        };
        let shared = json!({ "$ref": format!("#/components/responses/{kind}") });
        all.insert(status.to_string(), shared);
    }
    Value::Object(all)
}

/// The statuses with which an operation refuses.
fn refusals(route: &Route) -> Vec<u16> {
    // A path or a query that does not read; too many; broken, leaving, or out of time.
    let mut all = vec![400, 429, 500, 503];
    let takes = !matches!(route.takes, Takes::Nothing);
    if route.needs != Needs::Nobody {
        all.extend([401, 403, 404]);
    } else if takes {
        // It is how one signs in.
        all.push(401);
    }
    if *route.method != Method::GET {
        all.push(409);
    }
    if takes {
        all.extend([413, 415]);
    }
    if asks_version(route) {
        all.push(412);
    }
    // Whatever has a query refuses a name that it does not know.
    all.push(422);
    all
}

fn content(route: &Route, generator: &mut SchemaGenerator) -> Value {
    match route.gives {
        Gives::Json(make) => json(Value::from(make(generator))),
        Gives::Other(kind) => json!({ kind: {} }),
        Gives::Page(make) | Gives::All(make) => json(page(Value::from(make(generator)))),
        Gives::Stream(make) => json!({
            "application/json": { "schema": page(Value::from(make(generator))) },
            "text/event-stream": {},
        }),
    }
}

fn json(schema: Value) -> Value {
    json!({ "application/json": { "schema": schema } })
}

fn page(item: Value) -> Value {
    json!({
        "type": "object",
        "required": ["data", "has_more", "next"],
        "properties": {
            "data": { "type": "array", "items": item },
            "has_more": { "type": "boolean" },
            "next": { "type": ["string", "null"] },
        },
    })
}

/// What was just made can be shown, changed and ended.
fn links(route: &Route) -> Map<String, Value> {
    let mut links = Map::new();
    for other in all().filter(|_| route.status == 201) {
        let below = other.path.strip_prefix(route.path).filter(|rest| rest.starts_with("/{"));
        let Some(name) = below.and_then(|rest| names(rest).next()) else { continue };
        // A launch answers with the run under its own name.
        let member = if name == "run" { "run" } else { "id" };
        let from = format!("$response.body#/{member}");
        let link = json!({ "operationId": other.operation, "parameters": { name: from } });
        links.insert(other.operation.to_owned(), link);
    }
    links
}

fn headers_of(route: &Route) -> Value {
    let mut told = Map::new();
    for name in ["X-Request-Id", "RateLimit", "RateLimit-Policy"] {
        told.insert(name.to_owned(), header(name));
    }
    if route.once {
        told.insert("Idempotent-Replayed".to_owned(), header("Idempotent-Replayed"));
    }
    let shows = *route.method == Method::GET && names(route.path).next().is_some();
    if shows && all().any(|other| asks_version(other) && other.path.starts_with(route.path)) {
        told.insert("ETag".to_owned(), header("ETag"));
    }
    Value::Object(told)
}

fn asks_version(route: &Route) -> bool {
    route.asks.iter().any(|ask| ask.name == IF_MATCH.name)
}

fn header(name: &str) -> Value {
    json!({ "$ref": format!("#/components/headers/{name}") })
}

/// The headers of answers.
pub(super) fn headers() -> Value {
    let header = |what: &str, schema: Value| json!({ "description": what, "schema": schema });
    let needed = |what: &str, schema: Value| {
        let required = true;
        json!({ "description": what, "schema": schema, "required": required })
    };
    let text = || json!({ "type": "string" });
    json!({
        "X-Request-Id": needed("Under what the house knows the request", text()),
        "RateLimit": header("How many more would be let through", text()),
        "RateLimit-Policy": needed("How many are let through, and in how long", text()),
        "Idempotent-Replayed": header("The answer was given before", json!({ "const": "true" })),
        "ETag": header("The version, for `If-Match`", json!({ "pattern": "^\"[0-9]+\"$" })),
        "Retry-After": needed("In how many seconds one more would be let through", json!({
            "type": "integer", "minimum": 1,
        })),
        "WWW-Authenticate": needed("By what whoever asks is recognised", text()),
    })
}

/// The answers that operations share.
pub(super) fn shared() -> Value {
    let told = |what: &str, more: &[&str]| {
        let names = ["X-Request-Id", "RateLimit-Policy"].iter().chain(more);
        let headers = Map::from_iter(names.map(|name| ((*name).to_owned(), header(name))));
        json!({
            "description": what,
            "headers": headers,
            "content": {
                "application/problem+json": {
                    "schema": { "$ref": "#/components/schemas/Problem" },
                },
            },
        })
    };
    json!({
        "Problem": told("Not done", &[]),
        "TooMany": told("Too many at once", &["Retry-After"]),
        "Unknown": told("Who asks is not known", &["WWW-Authenticate"]),
    })
}

pub(super) fn problem() -> Value {
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
