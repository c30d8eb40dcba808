//! The vendors' own clients, unchanged: an agent in JavaScript asks `http://model.envelope` with
//! the packages that everybody installs.

use std::sync::{Arc, LazyLock};
use std::{env, fs, process};

use envelope_engine::prepared::Prepared;
use envelope_evidence::journal::Outcome;
use serde_json::{Value, json};

use super::models::{MODELS, Mock};
use super::stranger::{SDKS, folder, succeed};
use crate::cargo::root;
use crate::engine::world::prepared;
use crate::models::desk::{Desk, Told, desk};
use crate::models::wire::no_secret_is_on_record;

/// The agent, made a component. `None` where there is no Node.
fn component() -> Option<Arc<Prepared>> {
    static BUILT: LazyLock<Option<Arc<Prepared>>> = LazyLock::new(|| {
        let component = env::temp_dir().join(format!("envelope-sdks-{}.wasm", process::id()));
        let mut command = SDKS.command("sdks/build.mjs")?;
        let guest = folder().join("sdks/guest.mjs");
        command.arg("--").args([&guest, &root().join("host-api/wit"), &component]);
        succeed(&mut command).unwrap_or_else(|why| panic!("{why}"));
        let bytes = fs::read(&component).unwrap();
        fs::remove_file(component).unwrap();
        Some(Arc::new(prepared(&bytes).unwrap()))
    });
    BUILT.clone()
}

/// An interpreter with a vendor's client in it takes its time and its memory.
fn sdks(acts: &Value) -> Option<Desk> {
    let mut desk = desk("");
    desk.setup = desk.setup.memory(256 << 20).fuel(50_000_000_000);
    desk.setup.component = component()?;
    desk.setup.skill = "ask";
    desk.setup.args = acts.to_string().into();
    Some(desk)
}

fn results(told: &Told) -> Vec<Value> {
    let finished = told.finished();
    let end = finished.ended().map(|ended| (ended.outcome, ended.reason.to_string()));
    assert_eq!(end, Some((Outcome::Ok, "returned".to_owned())));
    serde_json::from_slice(finished.result.as_ref().unwrap()).unwrap()
}

#[test]
fn clients_of_both_vendors_work_unchanged() {
    let acts = json!([
        ["openai", "stub/a", "hello"],
        ["openai-stream", "stub/a", "hello"],
        ["openai-models"],
        ["anthropic", "stub/a", "hello"],
        ["anthropic-stream", "stub/a", "hello"],
        ["anthropic-models"],
        ["both", "stub/a", "hello"],
    ]);
    let Some(desk) = sdks(&acts) else { return };
    let told = desk.run();
    let said = "(a stub, no model was asked) hello";
    let pieces = ["(a ", "stub, ", "no ", "model ", "was ", "asked) ", "hello"];
    let stop = [pieces.as_slice(), &["stop"]].concat();
    assert_eq!(
        results(&told),
        [
            json!(["stop", said, 7]),
            json!([stop, [7]]),
            json!(["stub/a", "stub/b"]),
            json!(["end_turn", said, 7]),
            json!([pieces, "end_turn", 7]),
            json!(["stub/a", "stub/b"]),
            json!(["stop", "end_turn"]),
        ]
    );
    assert_eq!(desk.stub.asked().len(), 6);
    assert_eq!(told.denied(), Vec::<String>::new());
    told.replays_same();
}

/// OpenAI's newer format, by OpenAI's own client.
#[test]
fn the_newer_client_of_openai_works_unchanged() {
    let acts = json!([
        ["responses", "stub/a", "hello"],
        ["responses-stream", "stub/a", "hello"],
        ["responses-shape", "stub/a", "hello"],
        ["responses-stored", "stub/a", "hello"],
        ["responses-tool", MODELS[0], "weather"],
    ]);
    let (Some(desk), Some(mock)) = (sdks(&acts), Mock::start()) else { return };
    let told = mock.at(desk).run();
    let results = results(&told);
    let said = "(a stub, no model was asked) hello";
    assert_eq!(results[0], json!(["completed", said, 7]));
    let pieces = ["(a ", "stub, ", "no ", "model ", "was ", "asked) ", "hello"];
    assert_eq!(results[1], json!([pieces, "completed", said, 7]));
    assert_eq!(results[2], json!({}));
    assert_eq!(results[3]["status"], 403, "{}", results[3]);
    assert!(results[3]["message"].as_str().unwrap().contains("`store`"), "{}", results[3]);
    assert_eq!(results[4], json!(["weather", "{\"place\":\"Graz\"}", "completed"]));
    assert_eq!(told.denied(), ["model.unbounded"]);
    told.replays_same();
}

/// What is refused, a client shows to its caller, and does not try again by itself.
#[test]
fn clients_show_what_is_refused() {
    let acts = json!([
        ["openai", "gpt-9", "hello"],
        ["anthropic", "claude-9", "hello"],
        ["openai-extra", "stub/a", "hello"],
    ]);
    let Some(desk) = sdks(&acts) else { return };
    let told = desk.run();
    let results = results(&told);
    let expected = ["`openai/gpt-9`", "`anthropic/claude-9`", "`logprobs`"];
    for (result, expected) in results.iter().zip(expected) {
        assert_eq!(result["status"], 403, "{result}");
        let message = result["message"].as_str().unwrap();
        assert!(message.contains(expected), "{message}");
    }
    assert_eq!(told.denied(), ["model.outside", "model.outside", "model.unbounded"]);
    assert_eq!(desk.stub.asked().len(), 0);
    told.replays_same();
}

/// The whole way: a vendor's client, the host, a stranger's mock of the vendor.
#[test]
fn a_vendors_client_meets_a_strangers_mock_of_the_vendor() {
    let acts = json!([
        ["openai", MODELS[0], "good day"],
        ["openai-stream", MODELS[0], "good day"],
        ["openai-tool", MODELS[0], "weather"],
        ["anthropic", MODELS[1], "good day"],
        ["anthropic-stream", MODELS[1], "good day"],
        ["anthropic-tool", MODELS[1], "weather"],
    ]);
    let (Some(desk), Some(mock)) = (sdks(&acts), Mock::start()) else { return };
    let told = mock.at(desk).run();
    no_secret_is_on_record(&told);
    let results = results(&told);
    let said = "Good day to you, and to yours.";
    assert_eq!(results[0], json!(["stop", said, 8]));
    assert_eq!(results[1][1], json!([8]));
    assert_eq!(results[2][0], json!({ "name": "weather", "arguments": "{\"place\":\"Graz\"}" }));
    assert_eq!(results[3], json!(["end_turn", said, 8]));
    let pieces = results[4][0].as_array().unwrap().iter().map(|it| it.as_str().unwrap());
    assert_eq!(pieces.collect::<String>(), said);
    assert_eq!(results[5], json!([{ "place": "Graz" }]));
    let journal = mock.journal();
    assert!(journal.len() >= acts.as_array().unwrap().len(), "{} requests", journal.len());
    for entry in journal {
        assert_eq!(entry["body"]["max_tokens"], 50, "{entry}");
    }
    told.replays_same();
}
