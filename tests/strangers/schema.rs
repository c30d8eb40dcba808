//! The published schemas accept and refuse what our types do, in `jsonschema`, Ajv and Zod.

use std::collections::BTreeMap;

use envelope_evidence::{Digest, canonical};
use envelope_terms::contract::Code;
use envelope_terms::document::Node;
use envelope_terms::export::AcsVersion;
use envelope_terms::schema::{DOCUMENTS, Document, document, zod_module};
use envelope_terms::source::Paper;
use serde_json::{Value, json};

use super::stranger::{NODE, PYTHON};
use crate::terms::deal::record;
use crate::terms::documents::whole;
use crate::terms::source::samples::checked;
use crate::terms::{contract, sample};

const COMPILED: &str = "compiled-paper";

/// A document with one place changed.
type Edit = (Vec<String>, Value);

#[test]
fn four_readers_agree_on_every_contract() {
    let base = sample::json();
    let edits = [reviewed(|_| true), thinned(made(&base))].concat();
    let (accepted, refused) = agreed(contract_document(), &base, &edits);
    assert!(accepted >= 200 && refused >= 800, "{accepted}, {refused}");
}

#[test]
fn four_readers_agree_on_every_other_document() {
    let samples = samples();
    let covered = |it: &&Document| samples.iter().any(|(name, _)| *name == it.name());
    assert_eq!(DOCUMENTS.iter().filter(covered).count(), DOCUMENTS.len() - 1);
    for (name, base) in samples {
        let document = document(name).unwrap();
        let mut edits = made(&base);
        // The contract in a Paper is a document of its own.
        edits
            .retain(|(path, _)| name != COMPILED || path.first().is_none_or(|it| it != "contract"));
        let (accepted, refused) = agreed(document, &base, &edits);
        assert!(accepted >= 5 && refused >= 50, "{name}: {accepted}, {refused}");
    }
}

/// A node is read by another type than its schema is made of. Both take the same, but that only
/// several keys together can be in disorder.
#[test]
fn shapes_say_what_nodes_are() {
    let (mut read, mut disordered) = (0, 0);
    for document in whole().documents() {
        let (kind, base) = (document.kind(), canonical::read(document.bytes()).unwrap());
        let shape = envelope_terms::schema::document(kind.name()).unwrap();
        for edit in made(&base) {
            let edited = edited(&base, &edit);
            let Ok(bytes) = canonical::of(&edited) else { continue };
            let node = Node::parse(&bytes);
            if node.as_ref().is_ok_and(|node| node.kind() != kind) {
                continue;
            }
            read += 1;
            let signers = edit.0.iter().any(|token| token == "signers");
            match (shape.fits(&edited).is_ok(), node.is_ok()) {
                (true, false) if signers => disordered += 1,
                (shape, node) => assert_eq!(shape, node, "{kind} {edit:?}"),
            }
        }
    }
    println!("{read} nodes, {disordered} with signers in disorder");
    assert!(read > 2000 && disordered < 30, "{read}, {disordered}");
}

/// A Paper is read by another type than its schema is made of, and then derived again. What is read
/// has the shape, and what has the shape is of the type, but for an order that no shape tells.
#[test]
fn the_shape_says_what_compiled_papers_are() {
    let (shape, base) = (document(COMPILED).unwrap(), compiled_paper());
    let read = |paper: &Value| canonical::of(paper).is_ok_and(|it| Paper::read(&it).is_ok());
    let typed =
        |paper: &Value| canonical::of(paper).is_ok_and(|it| canonical::read::<Paper>(&it).is_ok());
    assert!(read(&base) && shape.fits(&base).is_ok());
    let told_by_reading = ["capabilities", "outputs", "paths"];
    let (mut fitting, mut other) = (0, 0);
    for edit in made(&base) {
        let edited = edited(&base, &edit);
        let fits = shape.fits(&edited).is_ok();
        assert!(fits || !read(&edited), "{edit:?}");
        let excused = edit.0.iter().any(|token| told_by_reading.contains(&token.as_str()));
        // A contract may leave out what has a default, which is no spelling of a Paper.
        let contract = edit.0.first().is_some_and(|token| token == "contract");
        assert!(!fits || excused || contract || typed(&edited), "{edit:?}");
        if fits { fitting += 1 } else { other += 1 }
    }
    assert!(fitting > 200 && other > 2000, "{fitting}, {other}");
}

/// What strangers and we make of `base` under all `edits`: how many of them are accepted, and how
/// many refused.
fn agreed(document: &Document, base: &Value, edits: &[Edit]) -> (usize, usize) {
    assert!(document.fits(base).is_ok(), "{}: {:?}", document.name(), document.fits(base));
    let ours: Vec<_> =
        edits.iter().map(|edit| document.fits(&edited(base, edit)).is_ok()).collect();
    let accepted = ours.iter().filter(|accepted| **accepted).count();
    println!("{}: {} documents, {accepted} accepted", document.name(), edits.len());
    for (name, theirs) in theirs(&document.json_schema().unwrap(), base, edits) {
        let astray = differing(&ours, &theirs).map(|at| (&edits[at], ours[at]));
        assert_eq!(astray.collect::<Vec<_>>(), [], "{name}: {}", document.name());
    }
    (accepted, edits.len() - accepted)
}

/// A document of every kind but the contract, by the name of its schema.
fn samples() -> Vec<(&'static str, Value)> {
    let digest = format!("sha256:{}", "7".repeat(64));
    let others = [
        (
            "side-letter-body",
            json!({ "prose": "Twelve days.\n", "salt": "5".repeat(64), "title": "Quiet",
                "terms": { "price": { "minor": 90_000 } } }),
        ),
        (COMPILED, compiled_paper()),
        (
            "sealed-record",
            serde_json::to_value(record(Digest::of(b"dispute"), &sample::contract())).unwrap(),
        ),
        (
            "observation",
            json!({ "event": "CONFORMITY_OBSERVATION_RECORDED", "criterion": "plain",
                "verdict": "conform", "evidence": [digest, digest], "method": "human-review",
                "observer": "did:web:a.example", "at": 1_763_700_000_000_u64, "reason": "" }),
        ),
        (
            "oath",
            json!({ "iss": "did:web:a.example", "sub": "did:web:b.example", "evidence": digest,
                "claim": { "kind": "pillar", "pillar": "legal" }, "issued": 0,
                "expires": 1_763_700_000_000_u64, "kid": "key-1" }),
        ),
        (
            "oath",
            json!({ "iss": "did:web:a.example", "sub": "did:web:b.example", "evidence": digest,
                "claim": { "kind": "paper", "digest": digest }, "issued": 5, "expires": 6,
                "kid": "key-1" }),
        ),
    ];
    let chain = whole();
    let node = |it: &envelope_terms::document::Document| {
        (it.kind().name(), canonical::read(it.bytes()).unwrap())
    };
    chain.documents().iter().map(node).chain(others).collect()
}

/// A Paper as the compiler writes it.
fn compiled_paper() -> Value {
    let paper = checked("tender-digest").paper(AcsVersion::default()).unwrap();
    canonical::read(&paper.to_bytes().unwrap()).unwrap()
}

/// What only several fields together can say is no matter of shape.
#[test]
fn flaws_across_fields_are_accepted_by_every_shape() {
    let edits = reviewed(|code| code != Code::Shape);
    assert!(edits.len() >= 20, "{}", edits.len());
    assert!(ours(&edits).iter().all(|accepted| *accepted));
    for (name, theirs) in theirs(&contract_schema(), &sample::json(), &edits) {
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
        for (name, theirs) in theirs(&schema, &sample::json(), &edits) {
            assert!(differing(&ours, &theirs).count() > 0, "{name}: {place}");
        }
    }
}

/// The strangers' verdicts by name.
fn theirs(schema: &Value, base: &Value, edits: &[Edit]) -> BTreeMap<String, Vec<bool>> {
    let mut input = json!({ "schema": schema, "base": base, "edits": edits });
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
    edits.iter().map(|edit| contract_document().fits(&edited(&base, edit)).is_ok()).collect()
}

fn edited(base: &Value, (path, value): &Edit) -> Value {
    let mut edited = base.clone();
    let place = path.iter().fold(&mut edited, |place, token| match place {
        Value::Array(list) => &mut list[token.parse::<usize>().unwrap()],
        place => &mut place[token],
    });
    *place = value.clone();
    edited
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
