//! The table of operations: what it promises is what it does.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use envelope_market::Role;
use envelope_server::openapi::document;
use envelope_server::problem::CODES;
use envelope_server::route::{BASE, Needs, Route, Takes, all};
use serde_json::json;

use super::house::Open;
use crate::golden;
use crate::store::world::both;

#[test]
fn the_document_is_as_it_was() {
    let text = serde_json::to_string_pretty(&document()).unwrap() + "\n";
    golden::check("openapi.json", &text);
}

#[test]
fn each_operation_has_a_name_and_a_way_of_its_own() {
    let (mut names, mut ways) = (BTreeSet::new(), BTreeSet::new());
    for route in all() {
        assert!(names.insert(route.operation), "`{}` twice", route.operation);
        assert!(ways.insert((route.path, route.method.as_str())), "{} twice", route.path);
        assert!(!route.summary.is_empty() && !route.summary.ends_with('.'), "{}", route.operation);
    }
}

/// Every code that some crate of the house can give has its row.
#[test]
fn every_code_has_a_row() {
    let known: BTreeSet<_> = CODES.iter().map(|row| row.code).collect();
    assert_eq!(known.len(), CODES.len(), "a code stands twice");
    let mut found = BTreeSet::new();
    for folder in [
        "market/src",
        "server/src",
        "terms/src/purchase",
        "terms/src/escrow",
        "terms/src/dispute",
        "terms/src/document",
        "terms/src/acceptance",
    ] {
        codes_in(&Path::new("../runtime").join(folder), &mut found);
    }
    assert!(found.len() > 60, "the look-up sees only {}", found.len());
    let missing: Vec<_> = found.iter().filter(|code| !known.contains(code.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

fn codes_in(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            codes_in(&path, found);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for (start, _) in text.match_indices("=> \"").chain(text.match_indices("Problem::new(\"")) {
            let word = text[start..].split('"').nth(1).unwrap();
            let code = word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
            if code && word.len() > 2 && !["GET", "AGENTS"].contains(&word) {
                found.insert(word.to_owned());
            }
        }
    }
}

/// Who may what: asked for real, with every role, of things that are not there. Whoever may gets
/// past the question of who they are.
#[test]
fn the_matrix_of_roles_is_as_it_was() {
    both(async |world| {
        let open = Open::house(world).await;
        let owner = open.join("two-rivers").await;
        let mut people = BTreeMap::from([("", String::new()), ("owner", owner.clone())]);
        for role in [Role::Buyer, Role::Author, Role::Approver, Role::Auditor] {
            people.insert(role.name(), open.person(&owner, role).await);
        }
        people.insert("operator", open.person(&open.operator, Role::Operator).await);
        let mut text = String::from("# operation: who gets past the question of who they are\n");
        for route in all() {
            let mut may = Vec::new();
            for (name, key) in &people {
                let reply =
                    open.send(key, &line(route), body(route), &["idempotency-key: m"]).await;
                let kept_out = matches!(reply.status, 401 | 403);
                assert!(reply.status < 500, "{}: {reply:?}", route.operation);
                assert_eq!(name.is_empty() && route.needs != Needs::Nobody, reply.status == 401);
                if !kept_out {
                    may.push(if name.is_empty() { "everybody" } else { name });
                }
            }
            writeln!(text, "{} {}: {}", route.method, route.path, may.join(" ")).unwrap();
        }
        golden::check("roles.txt", &text);
        open.close().await;
    });
}

fn line(route: &Route) -> String {
    let part = |part: &str| if part.starts_with('{') { "none".to_owned() } else { part.to_owned() };
    let path = Vec::from_iter(route.path.split('/').map(part)).join("/");
    format!("{} {BASE}{path}", route.method)
}

fn body(route: &Route) -> Option<(&'static str, Vec<u8>)> {
    match route.takes {
        Takes::Nothing => None,
        Takes::Json(_) => Some(("application/json", json!({}).to_string().into_bytes())),
        Takes::Wasm => Some(("application/wasm", b"junk".to_vec())),
    }
}
