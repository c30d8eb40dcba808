//! Broken exports and broken requests are denied.

use envelope_terms::export::{decide, permits};
use regorus::Engine;
use serde_json::{Value, json};

use super::agreement::{engine, input, module, verdict};
use super::random;

/// Wherever the module is cut, nothing is allowed any more.
#[test]
fn a_truncated_module_allows_nothing() {
    let contract = random::contract();
    let module = module(&contract);
    let module = module.trim_end();
    let calls = random::calls();
    let loads = |length: usize| {
        let mut engine = Engine::new();
        let loads = engine.add_policy("paper.rego".into(), module[..length].into()).is_ok();
        for call in calls.iter().take(if loads { 40 } else { 0 }) {
            let request = call.request();
            let input = input(request.snapshot(), request.action);
            let verdict = verdict(&mut engine, &input, "call");
            assert!(verdict.is_err() || length == module.len(), "cut at {length}: {call:?}");
        }
        loads
    };
    let loaded = (0..=module.len()).filter(|length| loads(*length)).count();
    println!("{loaded} of {} cuts can be loaded", module.len());
    assert!(loaded > 10);
}

/// What is missing, null, of another type or out of bounds is denied, at every place.
#[test]
fn a_request_without_its_parts_is_denied() {
    let contract = random::contract();
    let mut engine = engine(&module(&contract));
    let calls = random::calls();
    let call = calls.iter().find(|call| decide(&contract, &call.request()).is_ok()).unwrap();
    let request = call.request();
    let whole = input(request.snapshot(), request.action);
    assert_eq!(verdict(&mut engine, &whole, "call"), Ok(()));
    let places = [
        "/snapshot/envelope/agent/id",
        "/snapshot/envelope/budgets/elapsed_seconds",
        "/snapshot/envelope/budgets/tool_call_count",
        "/snapshot/envelope/budgets/token_count",
        "/snapshot/envelope/budgets/cost_usd",
        "/snapshot/ifc/source_labels",
        "/snapshot/egress/host",
        "/tool/name",
    ];
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1e300),
        json!(""),
        json!("x"),
        json!("0"),
        json!([]),
        json!([["public"]]),
        json!(["public", "x"]),
        json!({}),
        json!({"a": "public"}),
    ];
    for place in places {
        let (parent, key) = place.rsplit_once('/').unwrap();
        let mut broken = whole.clone();
        broken.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key);
        assert!(verdict(&mut engine, &broken, "call").is_err(), "without {place}");
        for value in &values {
            let mut broken = whole.clone();
            *broken.pointer_mut(place).unwrap() = value.clone();
            assert!(verdict(&mut engine, &broken, "call").is_err(), "{place}: {value}");
        }
    }
    assert!(verdict(&mut engine, &Value::Null, "call").is_err());
}

/// Results still come in after the last call, and what is over may end.
#[test]
fn other_points_need_less() {
    let contract = random::contract();
    let mut engine = engine(&module(&contract));
    let calls = random::calls();
    let call = calls.iter().find(|call| permits(&contract, &call.request())).unwrap();
    let mut row = |change: fn(&mut envelope_terms::export::Request<'_>)| {
        let mut request = call.request();
        change(&mut request);
        let input = input(request.snapshot(), request.action);
        ["call", "model", "session", "end", "none"]
            .map(|rule| verdict(&mut engine, &input, rule).is_ok())
    };
    assert_eq!(row(|_| {}), [true, true, true, true, false]);
    assert_eq!(row(|request| request.action = "x"), [false, true, true, true, false]);
    assert_eq!(row(|request| request.calls = u64::MAX), [false, true, true, true, false]);
    assert_eq!(row(|request| request.tokens = u64::MAX), [false, false, true, true, false]);
    assert_eq!(row(|request| request.elapsed_seconds = 5400), [false, false, false, true, false]);
    assert_eq!(row(|request| request.agent = "x"), [false; 5]);
}
