//! The contract model: the sample is read, written and located as it should be.

use envelope_terms::contract::{Code, Contract, Flaw, read};
use serde_json::{Value, json};

use super::sample;
use crate::golden;

#[test]
fn the_sample_has_no_flaw_and_one_spelling() {
    let read = read(&sample::json()).unwrap();
    assert_eq!(read.warnings, []);
    let pretty = serde_json::to_string_pretty(&read.contract).unwrap() + "\n";
    golden::check("terms/contract.json", &pretty);
    let bytes = read.contract.canonical().unwrap();
    assert_eq!(envelope_evidence::canonical::read::<Contract>(&bytes).unwrap(), read.contract);
}

/// An edit of the sample, and the code that tells it at its place.
pub type Case = (&'static str, Value, Code, &'static str);

#[test]
fn flaws_are_located() {
    for (place, value, code, pointer) in cases() {
        let flaws = spoiled(place, &value);
        let found = flaws.iter().any(|flaw| flaw.code == code && flaw.pointer == pointer);
        assert!(found, "{place} = {value}: {flaws:#?}");
    }
}

/// Flaws of every part.
pub fn cases() -> Vec<Case> {
    [price_and_criteria(), milestones_and_scope(), service_remedy_and_dispute()].concat()
}

fn price_and_criteria() -> Vec<Case> {
    let second = sample::json()["criteria"][1].clone();
    vec![
        ("/price/amount", json!(0), Code::Shape, "/price/amount"),
        ("/price/amount", json!(-1), Code::Shape, "/price/amount"),
        ("/price/amount", json!(2400.5), Code::Shape, "/price/amount"),
        ("/price/amount", json!(1_u64 << 53), Code::Shape, "/price/amount"),
        ("/price/amount", json!("240000"), Code::Shape, "/price/amount"),
        ("/price/service_fee", json!(null), Code::Shape, "/price/service_fee"),
        ("/price/currency", json!("ZZZ"), Code::Shape, "/price/currency"),
        ("/price/escrow", json!(251_999), Code::Price, "/price/escrow"),
        ("/caps/task/nano_usd", json!(0), Code::Shape, "/caps/task/nano_usd"),
        ("/caps/day/tokens", json!(3), Code::Caps, "/caps/day/tokens"),
        ("/caps/day/fuel", json!(3), Code::Shape, "/caps/day/fuel"),
        ("/parties/developer/did", json!(TWIN), Code::Parties, "/parties/developer/did"),
        ("/criteria/0/weight", json!(1), Code::Weights, "/criteria"),
        ("/criteria/0", second, Code::Duplicate, "/criteria/1/id"),
        ("/criteria/0/deliverable", json!("ghost"), Code::Reference, "/criteria/0/deliverable"),
        ("/criteria/0/evidence", json!(["receipt"]), Code::Evidence, "/criteria/0/evidence"),
        ("/criteria/0/check/schema", json!({}), Code::Check, "/criteria/0/check/schema"),
        (
            "/criteria/0/check/schema",
            json!({"multipleOf": 0.1}),
            Code::Check,
            "/criteria/0/check/schema",
        ),
        ("/criteria/3/check/rule/min", json!(9999), Code::Check, "/criteria/3/check/rule"),
        ("/criteria/2/deliverable", json!("summary"), Code::Check, "/criteria/2/check"),
        (
            "/criteria/5/check/model/provider",
            json!("northwind"),
            Code::Neutrality,
            "/criteria/5/check/model/provider",
        ),
    ]
}

fn milestones_and_scope() -> Vec<Case> {
    vec![
        ("/milestones/0/weight", json!(4001), Code::Weights, "/milestones"),
        ("/milestones/0/criteria/0", json!("ghost"), Code::Reference, "/milestones/0/criteria/0"),
        ("/milestones/0/criteria/0", json!("coverage"), Code::Milestones, "/criteria/0/id"),
        (
            "/deliverables/0/form/path",
            json!("else/report.md"),
            Code::Outputs,
            "/deliverables/0/form/path",
        ),
        (
            "/deliverables/0/form/path",
            json!("../report.md"),
            Code::Scope,
            "/deliverables/0/form/path",
        ),
        (
            "/deliverables/0/form/path",
            json!("outputs/digest/tenders.json"),
            Code::Duplicate,
            "/deliverables/1/form/path",
        ),
        ("/scope/read/0", json!("/etc/**"), Code::Scope, "/scope/read/0"),
        ("/scope/outputs", json!("outputs"), Code::Scope, "/scope/outputs"),
        ("/scope/outputs", json!("./"), Code::Scope, "/scope/outputs"),
        ("/scope/egress/1/host", json!("*.com"), Code::Scope, "/scope/egress/1/host"),
        ("/scope/actions/0/name", json!("pdf.read"), Code::Duplicate, "/scope/actions/1/name"),
        ("/scope/models", json!(["a"]), Code::Model, "/agent/release/fingerprint/model/name"),
        ("/scope/max_session_seconds", json!(604_801), Code::Shape, "/scope/max_session_seconds"),
        (
            "/agent/release/fingerprint/dependencies/0/class",
            json!("ATTESTED"),
            Code::Fingerprint,
            "/agent/release/fingerprint/dependencies/0/class",
        ),
        (
            "/agent/release/fingerprint/dependencies/1/kind",
            json!("memory-store"),
            Code::Clearance,
            "/agent/release/fingerprint/dependencies/1/classification",
        ),
    ]
}

fn service_remedy_and_dispute() -> Vec<Case> {
    vec![
        ("/service/response_hours", json!(49), Code::Service, "/service/resolution_hours"),
        ("/remedy/critical/cure_days", json!(6), Code::Remedy, "/remedy/critical/cure_days"),
        ("/remedy/elevated/steps/1/refund", json!(3000), Code::Remedy, "/remedy/elevated/steps/1"),
        ("/remedy/elevated/steps", json!([]), Code::Remedy, "/remedy/elevated/steps"),
        (
            "/dispute/panel/1/model/provider",
            json!("meridian"),
            Code::Panel,
            "/dispute/panel/1/model/provider",
        ),
        (
            "/dispute/panel/1/model/provider",
            json!("northwind"),
            Code::Neutrality,
            "/dispute/panel/1/model/provider",
        ),
        (
            "/dispute/options",
            json!(["refund", "release", "partial"]),
            Code::Panel,
            "/dispute/options",
        ),
        ("/dispute/refund_from", json!(4000), Code::Panel, "/dispute/refund_from"),
        ("/dispute/tie_breaker/did", json!(TWIN), Code::Neutrality, "/dispute/tie_breaker/did"),
        ("/schedules/1/letters", json!("T"), Code::Schedules, "/schedules/1/letters"),
        ("/schedules/1/letters", json!("T\n"), Code::Shape, "/schedules/1/letters"),
    ]
}

const TWIN: &str = "did:web:helvetia-hochbau.example";

#[test]
fn several_flaws_are_told_at_once() {
    let mut value = sample::json();
    value["price"]["escrow"] = json!(1);
    value["scope"]["read"][0] = json!("..");
    value["dispute"]["panel"][0]["weight"] = json!(4000);
    let codes: Vec<_> = read(&value).unwrap_err().into_iter().map(|flaw| flaw.code).collect();
    assert_eq!(codes, [Code::Weights, Code::Price, Code::Scope]);
}

#[test]
fn elevated_stakes_without_a_human_are_a_warning() {
    let mut value = sample::json();
    value["criteria"][6]["check"] = json!({ "kind": "file-exists", "bytes_min": 1 });
    let warnings = read(&value).unwrap().warnings;
    assert_eq!(warnings.iter().map(|flaw| flaw.code).collect::<Vec<_>>(), [Code::HumanReview]);
    value["stakes"] = json!("standard");
    assert_eq!(read(&value).unwrap().warnings, []);
}

#[test]
fn the_criteria_are_locked_by_one_digest() {
    let contract = sample::contract();
    let mut other = sample::json();
    other["title"] = json!("Another title");
    let digest = |contract: &Contract| contract.criteria_digest().unwrap();
    assert_eq!(digest(&read(&other).unwrap().contract), digest(&contract));
    other["criteria"][0]["statement"] = json!("Every row names a number.");
    assert_ne!(digest(&read(&other).unwrap().contract), digest(&contract));
}

#[test]
fn no_milestone_is_worth_nothing() {
    let mut value = sample::json();
    value["price"] = json!({ "currency": "CHF", "amount": 1, "escrow": 1 });
    let flaws = read(&value).unwrap_err();
    assert_eq!((flaws[0].code, flaws[0].pointer.as_str()), (Code::Price, "/milestones/0/weight"));
    value["milestones"] = json!([]);
    assert!(read(&value).is_ok());
}

fn spoiled(place: &str, value: &Value) -> Vec<Flaw> {
    let mut contract = sample::json();
    let (parent, key) = place.rsplit_once('/').unwrap();
    let parent = contract.pointer_mut(parent).unwrap();
    match parent {
        Value::Array(list) => list[key.parse::<usize>().unwrap()] = value.clone(),
        _ => parent[key] = value.clone(),
    }
    read(&contract).expect_err(place)
}
