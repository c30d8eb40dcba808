//! `envelope run` with models, and `envelope prices`, as a person uses them.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::desk::{Desk, example};
use crate::models::wire::{SECRET, Upstream};

/// The words of a run of `briefing` with `model`.
fn briefing<'a>(args: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let words = ["run", example("briefing"), "brief", "--args", args, "--dir", "ws"];
    let grant = ["--allow-read", "docs/**", "--outputs", "out/", "--out", "run"];
    [&words[..], &grant, more].concat()
}

const STUB: &str = r#"{"folder":"docs","model":"stub/any"}"#;
const SMALL: &str = r#"{"folder":"docs","model":"openai/small"}"#;

#[test]
fn a_model_answers_as_far_as_the_budget_goes() {
    for (budget, documents, unaffordable) in [("0.01", 3, 0), ("0.0014", 2, 1), ("0", 0, 3)] {
        let desk = Desk::with_documents(&format!("models-{budget}"));
        let more = ["--model", "stub/any", "--provider", "stub", "--budget", budget];
        let document = desk.json(briefing(STUB, &more), 0);
        let result = &document["result"];
        assert_eq!(result["documents"], documents, "{budget}: {document}");
        assert_eq!(result["unaffordable"].as_array().unwrap().len(), unaffordable, "{budget}");
        assert_eq!(result["stub"], documents > 0, "{budget}");
        let cap = (budget.parse::<f64>().unwrap() * 1e9).round();
        assert!(result["nano_usd"].as_f64().unwrap() <= cap, "{budget}: {document}");
        desk.says(["replay", "run"], 0);
        desk.says(["verify", "run/receipt", "--keys", "run/keys.json"], 0);
        let intent = fs::read_to_string(desk.path("run/receipt/evidence/intent.dsse.json"));
        assert!(intent.unwrap().len() > 100);
    }
}

#[test]
fn what_cannot_be_asked_is_told_before_the_run() {
    let desk = Desk::with_documents("models-unusable");
    for (more, what) in [
        (&["--model", "nobody/none", "--provider", "stub"][..], "`nobody/none` has no price"),
        (&["--model", "stub/any", "--provider", "local"], "`local` has no address"),
        (&["--model", "stub/any", "--provider", "local=nowhere"], "`nowhere`"),
        (&["--model", "stub/any", "--prices", "none.json"], "none.json"),
        (&["--model", "stub/any", "--budget", "much"], "--budget"),
    ] {
        let said = desk.says(briefing(STUB, more), 2);
        assert!(said.err.contains(what), "{more:?}: {}", said.err);
        assert!(!desk.path("run").exists(), "{more:?}");
    }
    // Nobody is set up, or the model is not named: the run says so, and goes on as it can.
    let said = desk.says(briefing(STUB, &["--model", "stub/any", "--budget", "1"]), 3);
    assert!(said.err.contains("policy.forbidden"), "{}", said.err);
}

/// The key of a provider goes with the request and stands nowhere else.
#[test]
fn a_key_is_added_at_the_edge() {
    let desk = Desk::with_documents("models-key");
    let table = json!({ "small": { "litellm_provider": "openai", "mode": "chat",
        "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6 } });
    fs::write(desk.path("table.json"), table.to_string()).unwrap();
    let words = ["prices", "import", "table.json", "--source", "a table", "--out", "book.json"];
    let document = desk.json(words, 0);
    assert_eq!((&document["models"], &document["left"]), (&json!(1), &json!({})));

    let message = json!({ "role": "assistant", "content": format!("About {SECRET}.") });
    let page = json!({ "choices": [{ "message": message, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 9, "completion_tokens": 4 } });
    let upstream = Upstream::new(vec![(200, "application/json", page.to_string()); 3]);
    let provider = format!("openai={}", upstream.url);
    let more = ["--model", "openai/small", "--provider", &provider, "--budget", "1"];
    let words = briefing(SMALL, &[&more[..], &["--prices", "book.json"]].concat());
    let output = desk.command().args(&words).env("OPENAI_API_KEY", SECRET).output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{err}");
    let seen = upstream.seen();
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().all(|it| it.head.contains(&format!("authorization: bearer {SECRET}"))));
    let briefing = fs::read_to_string(desk.path("ws/out/briefing.md")).unwrap();
    assert!(briefing.contains("About "), "{briefing}");
    assert!(!err.contains(SECRET) && !String::from_utf8_lossy(&output.stdout).contains(SECRET));
    no_file_holds(&desk.0, SECRET.as_bytes());
    desk.says(["replay", "run"], 0);
}

fn no_file_holds(folder: &Path, secret: &[u8]) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            no_file_holds(&path, secret);
        } else {
            let bytes = fs::read(&path).unwrap();
            let found = bytes.windows(secret.len()).any(|window| window == secret);
            assert!(!found, "{}", path.display());
        }
    }
}

#[test]
fn a_table_that_is_none_is_told() {
    let desk = Desk::new("prices");
    fs::write(desk.path("table.json"), "[]").unwrap();
    for (words, what) in [
        (&["prices", "import", "none.json", "--source", "x"][..], "none.json"),
        (&["prices", "import", "table.json", "--source", "x"], "not a price table"),
    ] {
        let said = desk.says(words, 2);
        assert!(said.err.contains(what) && said.err.contains("hint: "), "{}", said.err);
    }
}
