//! An agent in Python at a person's desk.

use std::fs;

use super::desk::{Desk, listing};
use crate::strangers::componentize::draw;

#[test]
fn an_agent_in_python_is_an_agent() {
    let Some(component) = draw() else { return };
    let desk = Desk::with_documents("python");
    let before = listing(&desk.path("ws"));
    fs::write(desk.path("draw.wasm"), component).unwrap();
    let card = desk.json(["inspect", "draw.wasm"], 0);
    assert_eq!(card["card"]["skills"][0]["name"], "draw", "{card}");

    let words = ["run", "draw.wasm", "draw", "--args", r#"{"folder":"docs","count":5}"#];
    let world = ["--dir", "ws", "--allow-read", "docs/**", "--outputs", "out/", "--out", "run"];
    let ran = desk.json(words.iter().chain(&world), 0);
    assert_eq!(ran["result"]["documents"], 4, "{ran}");
    assert_eq!(ran["outputs"][0]["path"], "out/words.json");
    let mut after = listing(&desk.path("ws"));
    assert!(after.remove(&desk.path("ws/out/words.json")).is_some());
    assert!(after.remove(&desk.path("ws/out")).is_some());
    assert_eq!(after, before);

    let receipt = desk.json(["verify", "run/receipt", "--keys", "run/keys.json"], 0);
    let again = desk.json(["replay", "run"], 0);
    assert_eq!((&again["verdict"], &again["receipt"]), (&"same".into(), &receipt["id"]));
}
