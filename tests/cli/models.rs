//! `envelope run` with models, and `envelope prices`, as a person uses them.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envelope_evidence::canonical;
use envelope_rules::budget::{NanoUsd, PicoUsdPerUnit, Price, PriceBook, Rates};
use serde_json::{Value, json};

use super::desk::{Desk, example};
use crate::models::wire::{SECRET, Upstream};
use crate::net::credentials::assert_unseen;

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
        let header = fs::read_to_string(desk.path("run/receipt/journal.jsonl")).unwrap();
        let header: Value = serde_json::from_str(header.lines().next().unwrap()).unwrap();
        let book = header["prices"].as_str().expect("a price book");
        assert_eq!(book, stub_book().digest().to_string());
        assert!(statement(&desk.path("run/receipt/evidence/intent.dsse.json")).contains(book));
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
    let mut files = Vec::new();
    read_all(&desk.0, &mut files);
    assert!(files.len() > 10, "{}", files.len());
    assert_unseen(SECRET, &files);
    desk.says(["replay", "run"], 0);
}

/// A provider that charges more than was set aside is asked nothing more, by no run, until somebody
/// says why it may be: every trip and every thaw is on record.
#[test]
fn a_broken_word_is_remembered_until_a_human_thaws_it() {
    let desk = Desk::with_documents("models-breaker");
    let table = json!({ "small": { "litellm_provider": "openai", "mode": "chat",
        "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6 } });
    fs::write(desk.path("table.json"), table.to_string()).unwrap();
    desk.says(["prices", "import", "table.json", "--source", "t", "--out", "book.json"], 0);
    let message = json!({ "role": "assistant", "content": "Dear." });
    let page = |output: u64| {
        let usage = json!({ "prompt_tokens": 9, "completion_tokens": output });
        let choice = json!({ "message": message, "finish_reason": "stop" });
        (200, "application/json", json!({ "choices": [choice], "usage": usage }).to_string())
    };
    let upstream = Upstream::new([vec![page(999_999)], vec![page(4); 3]].concat());
    let provider = format!("openai={}", upstream.url);
    let run = |out: &str| {
        let more = ["--model", "openai/small", "--provider", &provider, "--budget", "1"];
        let words = briefing(SMALL, &[&more[..], &["--prices", "book.json"]].concat());
        let place = words.iter().rposition(|word| *word == "run").unwrap();
        let words = words.iter().enumerate().map(|(at, word)| if at == place { out } else { word });
        desk.command().args(words).output().unwrap()
    };
    let told = |output: std::process::Output| String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told(run("first")).contains("budget.latched"), "the run itself stops spending");
    assert_eq!(upstream.seen().len(), 1);
    let second = told(run("second"));
    assert!(second.contains("budget.frozen") && !second.contains("budget.latched"), "{second}");
    assert_eq!(upstream.seen().len(), 1, "another run asks nothing");

    let shown = desk.json(["breaker", "show"], 0);
    assert_eq!(shown["frozen"][0]["place"]["model"], "openai/small");
    let thaw = ["breaker", "thaw", "openai/small", "--by", "ada", "--because", "paid back"];
    desk.says(["breaker", "thaw", "openai/other", "--by", "ada", "--because", "x"], 2);
    desk.says(["breaker", "thaw", "openai/small", "--by", "ada"], 2);
    desk.says(thaw, 0);
    assert_eq!(desk.says(thaw, 2).out, "", "once");
    assert_eq!(desk.json(["breaker", "show"], 0)["frozen"], json!([]));
    let events = fs::read_to_string(desk.path("home/breaker.jsonl")).unwrap();
    let events: Vec<Value> = events.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    assert_eq!(events.len(), 2);
    assert!(events[0]["tripped"]["run"].as_str().unwrap().starts_with("run_"));
    assert_eq!(events[1]["thawed"]["word"]["by"], "ada");
    assert_eq!(events[1]["thawed"]["thaw"]["frost"], events[0]["tripped"]);

    let third = run("third");
    assert_eq!(third.status.code(), Some(0), "{}", told(third));
    assert_eq!(upstream.seen().len(), 4);
    // What cannot be read lets nobody be asked.
    fs::write(desk.path("home/breaker.jsonl"), "{}\n").unwrap();
    assert!(!run("fourth").status.success());
    desk.says(["breaker", "show"], 1);
    assert_eq!(upstream.seen().len(), 4);
}

/// Every file below `folder`, and what the envelopes among them hold.
fn read_all(folder: &Path, files: &mut Vec<Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_all(&path, files);
            continue;
        }
        files.push(fs::read(&path).unwrap());
        if path.to_string_lossy().ends_with(".dsse.json") {
            files.push(statement(&path).into_bytes());
        }
    }
}

/// What a signed envelope holds.
fn statement(path: &Path) -> String {
    let envelope: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let payload = STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap();
    String::from_utf8(payload).unwrap()
}

/// The prices of a run that may call the stub alone.
fn stub_book() -> PriceBook {
    let rate = |text| PicoUsdPerUnit::per_million(text).unwrap();
    let (input, output) = (rate("1"), rate("4"));
    let (cache_read, cache_write, cache_write_long, reasoning) = (None, None, None, None);
    let rates = Rates { input, cache_read, cache_write, cache_write_long, output, reasoning };
    let price = Price::new(rates, Vec::new(), NanoUsd::ZERO).unwrap();
    let text = fs::read(crate::cargo::root().join("policies/prices.json")).unwrap();
    let known: PriceBook = canonical::read(text.strip_suffix(b"\n").unwrap()).unwrap();
    let book = PriceBook::new([("stub/any".to_owned(), price)]).unwrap();
    book.taken_from(known.source().unwrap().clone())
}

/// A key that could not be masked, or that is none, is told before anything runs.
#[test]
fn a_key_that_cannot_be_used_is_told() {
    let desk = Desk::with_documents("models-bad-key");
    let more = ["--model", "openai/gpt-4o-mini", "--provider", "openai=http://127.0.0.1:9/v1"];
    let words = briefing(r#"{"folder":"docs","model":"openai/gpt-4o-mini"}"#, &more);
    for (key, what) in [
        (OsStr::from_bytes(b"short"), "`OPENAI_API_KEY` holds fewer than"),
        (OsStr::from_bytes(b"sk-very-\xff-secret-0123456789"), "`OPENAI_API_KEY` is not UTF-8"),
    ] {
        let output = desk.command().args(&words).env("OPENAI_API_KEY", key).output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{err}");
        assert!(err.contains(what) && err.contains("hint: "), "{err}");
        assert!(!desk.path("run").exists(), "nothing ran");
    }
    // The positive control: the run begins, and nobody listens there.
    let output = desk.command().args(&words).env("OPENAI_API_KEY", SECRET).output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert_ne!(output.status.code(), Some(2), "{err}");
    assert!(desk.path("run").exists(), "{err}");
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

/// A book that is there stays, and one that would price nothing is not written.
#[test]
fn an_import_replaces_nothing_unasked() {
    let desk = Desk::new("prices-again");
    let entry = |cost: f64| {
        json!({ "small": { "litellm_provider": "openai", "mode": "chat",
        "input_cost_per_token": cost, "output_cost_per_token": 2e-6 } })
    };
    let import = |more: &[&'static str]| {
        [&["prices", "import", "table.json", "--source", "x", "--out", "book.json"], more].concat()
    };
    let book = || fs::read_to_string(desk.path("book.json")).unwrap();
    fs::write(desk.path("table.json"), entry(1e-6).to_string()).unwrap();
    let said = desk.says(import(&["--only", "opneai"]), 2);
    assert!(
        said.err.contains("1: another provider") && said.err.contains("hint: "),
        "{}",
        said.err
    );
    assert!(!desk.path("book.json").exists(), "nothing is written");

    desk.says(import(&["--only", "openai"]), 0);
    let first = book();
    fs::write(desk.path("table.json"), entry(3e-6).to_string()).unwrap();
    let said = desk.says(import(&[]), 1);
    assert!(said.err.contains("is there already") && said.err.contains("--force"), "{}", said.err);
    assert_eq!(book(), first);
    desk.says(import(&["--force"]), 0);
    assert_ne!(book(), first);
}
