//! The Rego export decides as the contract does, by the crate `regorus`. Other engines are asked
//! in `strangers/policies.rs`.

use envelope_terms::export::{AcsVersion, Denied, Format, decide, export};
use regorus::{Engine, Value};

use super::random;

#[test]
fn rego_and_the_contract_never_disagree() {
    let contract = random::contract();
    let mut engine = engine(&module(&contract));
    let mut reasons = [0; Denied::ALL.len() + 1];
    for call in random::calls() {
        let request = call.request();
        let expected = decide(&contract, &request);
        let verdict = verdict(&mut engine, &input(request.snapshot(), request.action), "call");
        assert_eq!(verdict, expected.map_err(Denied::name), "{call:?}");
        reasons[expected.err().map_or(0, |denied| 1 + denied as usize)] += 1;
    }
    println!("{} calls, permitted and denied by reason: {reasons:?}", random::CALLS);
    assert!(reasons.iter().all(|count| *count > 100), "{reasons:?} hardly says anything");
}

#[test]
fn a_planted_disagreement_is_noticed() {
    let contract = random::contract();
    let module = module(&contract);
    for (from, to) in [
        ("budgets.elapsed_seconds, 5400)", "budgets.elapsed_seconds, 5401)"),
        ("\"gazette.example\"}", "\"gazette.example\", \"b.gazette.example\"}"),
        ("\"web.search\": {\"public\"}", "\"web.search\": {\"public\", \"internal\"}"),
        ("cost_usd, 12.345678901)", "cost_usd, 12.345678902)"),
    ] {
        assert!(module.contains(from), "{from}");
        let mut engine = engine(&module.replace(from, to));
        let differs = |call: &random::Call| {
            let request = call.request();
            let input = input(request.snapshot(), request.action);
            verdict(&mut engine, &input, "call").is_ok() != decide(&contract, &request).is_ok()
        };
        assert!(random::calls().iter().any(differs), "{from}");
    }
}

pub(super) fn module(contract: &envelope_terms::Contract) -> String {
    let files = export(contract, Format::Acs(AcsVersion::default())).unwrap();
    files.into_iter().find(|file| file.path.ends_with(".rego")).unwrap().text
}

pub(super) fn engine(module: &str) -> Engine {
    let mut engine = Engine::new();
    engine.add_policy("paper.rego".into(), module.into()).unwrap();
    engine
}

/// What the manifest's host gives to a policy.
pub(super) fn input(snapshot: serde_json::Value, tool: &str) -> serde_json::Value {
    serde_json::json!({ "snapshot": snapshot, "tool": { "name": tool } })
}

/// `Ok` is an explicit `allow`, and everything else is a denial with its reason.
pub(super) fn verdict(
    engine: &mut Engine,
    input: &serde_json::Value,
    rule: &str,
) -> Result<(), &'static str> {
    engine.set_input(Value::from_json_str(&input.to_string()).unwrap());
    let Ok(verdict) = engine.eval_rule(format!("data.envelope.paper.{rule}")) else {
        return Err("engine");
    };
    if verdict["decision"] == Value::from("allow") {
        return Ok(());
    }
    let reason = |denied: &Denied| verdict["reason"] == Value::from(denied.name());
    Err(Denied::ALL.iter().find(|denied| reason(denied)).map_or("paper", |denied| denied.name()))
}
