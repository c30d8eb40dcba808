//! The published schemas accept and refuse what our types do, in `jsonschema`, Ajv and Zod.

use std::collections::BTreeMap;

use envelope_terms::contract::Code;
use envelope_terms::schema::{Document, document, zod_module};
use serde_json::{Value, json};

use super::stranger::{NODE, PYTHON};
use crate::terms::{contract, sample};

/// A document with one place changed.
type Edit = (Vec<String>, Value);

#[test]
fn four_readers_agree_on_every_document() {
    let edits = [reviewed(|_| true), thinned(made(&sample::json()))].concat();
    let ours = ours(&edits);
    let accepted = ours.iter().filter(|accepted| **accepted).count();
    println!("{} documents, {accepted} accepted", edits.len());
    assert!(accepted >= 200 && edits.len() - accepted >= 800, "{accepted} of {}", edits.len());
    for (name, theirs) in theirs(&contract_schema(), &edits) {
        let astray = differing(&ours, &theirs).map(|at| (&edits[at], ours[at]));
        assert_eq!(astray.collect::<Vec<_>>(), [], "{name}");
    }
}

/// What only several fields together can say is no matter of shape.
#[test]
fn flaws_across_fields_are_accepted_by_every_shape() {
    let edits = reviewed(|code| code != Code::Shape);
    assert!(edits.len() >= 20, "{}", edits.len());
    assert!(ours(&edits).iter().all(|accepted| *accepted));
    for (name, theirs) in theirs(&contract_schema(), &edits) {
        assert_eq!(theirs, vec![true; edits.len()], "{name}");
    }
}

#[test]
fn a_wrong_schema_is_noticed() {
    let mut edits = made(&sample::json());
    edits.retain(|(path, _)| path.len() == 1 && ["price", "stakes"].contains(&path[0].as_str()));
    let ours = ours(&edits);
    let wrong =
        [("/$defs/Price/additionalProperties", json!(true)), ("/$defs/Stakes", json!(true))];
    let open = json!({ "type": "object", "additionalProperties": true });
    for (place, value) in wrong.into_iter().chain([("/$defs/Price", open)]) {
        let mut schema = contract_schema();
        *schema.pointer_mut(place).unwrap() = value;
        for (name, theirs) in theirs(&schema, &edits) {
            assert!(differing(&ours, &theirs).count() > 0, "{name}: {place}");
        }
    }
}

/// The strangers' verdicts by name.
fn theirs(schema: &Value, edits: &[Edit]) -> BTreeMap<String, Vec<bool>> {
    let mut input = json!({ "schema": schema, "base": sample::json(), "edits": edits });
    let python = PYTHON.ask("schema.py", &input);
    // A schema that Zod cannot say has no module, and only the others are asked.
    input["zod"] = zod_module(schema).map_or(Value::Null, Value::from);
    let node = NODE.ask("schema.mjs", &input);
    let answers = [python, node].into_iter().flatten();
    let verdicts =
        answers.flat_map(|it| serde_json::from_value::<BTreeMap<_, Vec<_>>>(it).unwrap());
    let verdicts: BTreeMap<_, _> = verdicts.collect();
    for (name, verdicts) in &verdicts {
        assert_eq!(verdicts.len(), edits.len(), "{name}");
    }
    verdicts
}

fn ours(edits: &[Edit]) -> Vec<bool> {
    let base = sample::json();
    let verdict = |(path, value): &Edit| {
        let mut edited = base.clone();
        let place = path.iter().fold(&mut edited, |place, token| match place {
            Value::Array(list) => &mut list[token.parse::<usize>().unwrap()],
            place => &mut place[token],
        });
        *place = value.clone();
        contract_document().fits(&edited).is_ok()
    };
    edits.iter().map(verdict).collect()
}

fn contract_document() -> &'static Document {
    document("contract").unwrap()
}

fn contract_schema() -> Value {
    contract_document().json_schema().unwrap()
}

fn differing<'a>(ours: &'a [bool], theirs: &'a [bool]) -> impl Iterator<Item = usize> + 'a {
    ours.iter().zip(theirs).enumerate().filter(|(_, (a, b))| a != b).map(|(at, _)| at)
}

/// The edits that the contract's own tests make.
fn reviewed(wanted: fn(Code) -> bool) -> Vec<Edit> {
    let edits = contract::cases().into_iter().filter(|(_, _, code, _)| wanted(*code));
    edits.map(|(place, value, ..)| (tokens(place), value)).collect()
}

fn tokens(place: &str) -> Vec<String> {
    place.split('/').skip(1).map(str::to_owned).collect()
}

/// Every place of `base`, changed in the ways that its kind of value suggests.
fn made(base: &Value) -> Vec<Edit> {
    let mut edits = vec![(Vec::new(), base.clone())];
    let mut waiting = vec![(Vec::new(), base)];
    while let Some((path, value)) = waiting.pop() {
        edits.extend(changed(value).into_iter().map(|value| (path.clone(), value)));
        let inner: Vec<_> = match value {
            Value::Object(members) => members.iter().map(|(key, it)| (key.clone(), it)).collect(),
            Value::Array(list) => {
                list.iter().enumerate().map(|(at, it)| (at.to_string(), it)).collect()
            }
            _ => Vec::new(),
        };
        waiting.extend(inner.into_iter().map(|(token, it)| ([&path[..], &[token]].concat(), it)));
    }
    edits
}

/// Every fifth: the strangers take milliseconds for each, and the ways to change a value repeat.
fn thinned(edits: Vec<Edit>) -> Vec<Edit> {
    edits.into_iter().step_by(5).collect()
}

fn changed(value: &Value) -> Vec<Value> {
    match value {
        Value::Null => vec![],
        Value::Bool(it) => vec![json!(!it), json!(null), json!("true"), json!(1)],
        Value::Number(it) => {
            let it = it.as_i64().unwrap();
            let near = [it - 1, it + 1, -it, 0, 1, 10_000, 10_001, (1 << 53) - 1, 1 << 53];
            let odd = [json!(0.5), json!(it.to_string()), json!(null), json!(true), json!([it])];
            near.map(Value::from).into_iter().chain(odd).collect()
        }
        Value::String(it) => words(it),
        Value::Array(list) => {
            let first = list.first().cloned().unwrap_or(json!(0));
            let more = |count: usize| Value::from(vec![first.clone(); count]);
            let lists = [1, 7, 21, 33, 65, 257].map(more).into_iter();
            lists.chain([json!([]), json!(null), json!({}), json!({ "0": first })]).collect()
        }
        Value::Object(members) => {
            let mut edits = vec![json!({}), json!(null), json!([]), json!("x")];
            edits.push(members.values().cloned().collect());
            for name in members.keys() {
                let mut without = members.clone();
                without.remove(name);
                edits.push(without.into());
            }
            for name in ["colour", "__proto__", "constructor", "", "kind"] {
                let mut with = members.clone();
                with.insert(name.to_owned(), json!("file-exists"));
                edits.push(with.into());
            }
            edits
        }
    }
}

fn words(word: &str) -> Vec<Value> {
    let spoiled = [
        format!("{word} "),
        format!(" {word}"),
        format!("{word}\n"),
        format!("{word}\u{2028}"),
        format!("{word}\u{85}"),
        format!("{word}😀"),
        format!("{word}-a.b/c"),
        word.to_uppercase(),
        "😀".repeat(64),
        "😀".repeat(65),
        "a".repeat(65),
        "é".repeat(240),
        "😀".repeat(240),
        "😀".repeat(241),
        "😀".repeat(2001),
        "a".to_owned(),
        String::new(),
    ];
    let odd = [json!(null), json!(1), json!([word]), json!({ word: null })];
    spoiled.into_iter().map(Value::from).chain(odd).collect()
}
