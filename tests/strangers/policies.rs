//! The engines that exports are written for decide as the contract does.

use std::fs;

use envelope_terms::Contract;
use envelope_terms::export::{AcsVersion, Format, decide, export};
use serde_json::{Value, json};

use super::stranger::PYTHON;
use crate::cargo::{opa, target_directory};
use crate::terms::exports::random::{self, Call};

/// How many calls go to an engine that takes a millisecond for one.
const SOME: usize = 1000;

/// How many calls go to the specification's engine, which starts a program for each.
const FEW: usize = 60;

#[test]
fn every_engine_decides_as_the_contract_does() {
    let contract = random::contract();
    let calls = random::calls();
    let Some(said) = ask("agree", &contract, &calls, 7, |text| text) else { return };
    let expected: Vec<bool> =
        calls.iter().map(|c| decide(&contract, &c.request()).is_ok()).collect();
    let allowed = said["allowed"].as_object().unwrap();
    let engines: Vec<_> = allowed.keys().map(String::as_str).collect();
    assert_eq!(engines, ["agt cedar", "agt yaml", "cedar"]);
    for (engine, answers) in allowed {
        let answers: Vec<bool> = serde_json::from_value(answers.clone()).unwrap();
        let pairs = answers.iter().zip(&expected).enumerate();
        let wrong: Vec<_> = pairs.filter(|(_, (answer, expected))| answer != expected).collect();
        println!("{engine}: {} calls, {} disagreements", answers.len(), wrong.len());
        let is_fast = ["cedar", "agt yaml"].contains(&engine.as_str());
        assert_eq!(answers.len(), if is_fast { random::CALLS } else { SOME });
        assert!(wrong.is_empty(), "{engine}: {:?}", wrong.iter().map(|(at, _)| &calls[*at]).next());
    }
    assert_eq!(said["schema"], true);
    for engine in ["cedar", "agt yaml"] {
        println!("{engine}: {}", said["cut"][engine]);
        assert_eq!(said["cut"][engine]["wrong"], json!([]));
        assert!(said["cut"][engine]["loaded"].as_u64() > Some(3));
    }
    assert_eq!(said["broken"], json!({ "cedar": [], "agt cedar": [], "agt yaml": [] }));
    acs_answers(&contract, &calls, &said["acs"]);
}

/// The specification's engine gives the contract's reasons, and denies what it cannot read.
fn acs_answers(contract: &Contract, calls: &[Call], said: &Value) {
    assert_eq!(said["flaws"], json!([]));
    let answers = said["answers"].as_array().unwrap();
    assert_eq!(answers.len(), FEW);
    for (call, answer) in calls.iter().zip(answers) {
        let expected = match decide(contract, &call.request()) {
            Ok(()) => json!(["allow", null]),
            // A tool that is not in the manifest is denied before the policy is asked.
            Err(_) if !is_listed(contract, call) => json!(["deny", "runtime_error:tool_unknown"]),
            Err(denied) => json!(["deny", denied.name()]),
        };
        assert_eq!(*answer, expected, "{call:?}");
    }
    let points = said["points"].as_object().unwrap();
    assert_eq!(points.len(), 8);
    for (point, answer) in points {
        assert_eq!(*answer, json!(["allow", null]), "{point}");
    }
    let failed = json!(["deny", "runtime_error:policy_invocation_failed"]);
    assert_eq!([&said["cut"], &said["no opa"]], [&failed, &failed]);
}

fn is_listed(contract: &Contract, call: &Call) -> bool {
    let request = call.request();
    contract.scope.actions.iter().any(|action| action.name.as_str() == request.action)
}

#[test]
fn a_planted_disagreement_is_noticed_by_every_engine() {
    let contract = random::contract();
    let calls = &random::calls()[..SOME];
    let planted = |text: String| {
        text.replace("[\"public\"]", "[\"public\", \"internal\"]")
            .replace("['public']", "['public', 'internal']")
    };
    let Some(said) = ask("planted", &contract, calls, 0, planted) else { return };
    for (engine, answers) in said["allowed"].as_object().unwrap() {
        let pairs = calls.iter().zip(answers.as_array().unwrap());
        let wrong =
            pairs.filter(|(call, answer)| **answer != decide(&contract, &call.request()).is_ok());
        assert_ne!(wrong.count(), 0, "{engine} is not really asked");
    }
}

fn ask(
    name: &str,
    contract: &Contract,
    calls: &[Call],
    cuts: usize,
    change: impl Fn(String) -> String,
) -> Option<Value> {
    let folder = target_directory().join("exports").join(name);
    for format in Format::all(AcsVersion::default()) {
        for file in export(contract, format).unwrap() {
            let path = folder.join(format.name()).join(file.path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, change(file.text)).unwrap();
        }
    }
    let calls = calls.iter().map(|call| {
        let request = call.request();
        json!({
            "agent": request.agent,
            "action": request.action,
            "snapshot": request.snapshot(),
            "context": request.context(contract),
        })
    });
    let calls: Vec<Value> = calls.collect();
    let input = json!({
        "folder": folder, "opa": opa(), "calls": calls, "cuts": cuts, "some": SOME, "few": FEW,
    });
    PYTHON.ask("policies.py", &input)
}
