//! Acceptance: what verified receipts hold counts, and what they do not hold was not delivered.

use std::collections::BTreeMap;

use envelope_evidence::Digest;
use envelope_evidence::journal::{Outcome, Verdict};
use envelope_terms::acceptance::{
    Delivery, Exhibits, Judgement, READ_BYTES_MAX, Schemas, Undelivered, observe,
};
use envelope_terms::contract::{Check, Contract, Criterion, Did, Id, Share};
use serde_json::{Map, Value};

use super::deal::{day, goods, id, label, paper, said};
use super::sample;

/// Stands in for a validator: a list of objects with all four members is a table.
struct Rows;

impl Schemas for Rows {
    fn accepts(&self, _: &Map<String, Value>, document: &[u8]) -> Option<bool> {
        let rows: Vec<Map<String, Value>> = match serde_json::from_slice(document) {
            Ok(rows) => rows,
            Err(_) => return Some(false),
        };
        let whole = |row: &Map<String, Value>| {
            ["number", "title", "buyer", "deadline"].iter().all(|name| row.contains_key(*name))
        };
        Some(!rows.is_empty() && rows.iter().all(whole))
    }
}

/// A schema that nobody can use.
struct Unusable;

impl Schemas for Unusable {
    fn accepts(&self, _: &Map<String, Value>, _: &[u8]) -> Option<bool> {
        None
    }
}

fn judgements(contract: &Contract, goods: &BTreeMap<Id, Vec<u8>>) -> BTreeMap<Id, Judgement> {
    let saw = |criterion: &Criterion| Digest::of(&goods[&criterion.deliverable]);
    let judged = |criterion: &Criterion| match &criterion.check {
        Check::Evaluator { model, prompt, .. } => Some(Judgement::Score {
            model: model.clone(),
            prompt: *prompt,
            saw: saw(criterion),
            score: Share::new(8_000).unwrap(),
            evidence: Digest::of(b"evaluation"),
        }),
        Check::HumanReview { .. } => Some(Judgement::Review {
            reviewer: Did::new("did:web:helvetia-hochbau.example:regula-ammann").unwrap(),
            saw: saw(criterion),
            conform: true,
            evidence: Digest::of(b"review"),
        }),
        _ => None,
    };
    let named = contract.criteria.iter().filter_map(|one| Some((one.id.clone(), judged(one)?)));
    named.collect()
}

/// Changes what is known about the work: the stored bytes, and what was said.
type Spoil = fn(&mut BTreeMap<Digest, Vec<u8>>, &mut BTreeMap<Id, Judgement>);

/// The verdict on `criterion` when `goods` were delivered and `spoil` changed what is known.
fn verdict(
    criterion: &str,
    goods: &BTreeMap<Id, Vec<u8>>,
    schemas: &dyn Schemas,
    spoil: impl Fn(&mut BTreeMap<Digest, Vec<u8>>, &mut BTreeMap<Id, Judgement>),
) -> Verdict {
    let contract = sample::contract();
    let said = said(&contract, goods, Outcome::Ok);
    let delivery = Delivery::of(&contract, paper(), std::slice::from_ref(&said)).unwrap();
    let mut bytes = goods.values().map(|good| (Digest::of(good), good.clone())).collect();
    let mut judgements = judgements(&contract, goods);
    spoil(&mut bytes, &mut judgements);
    let exhibits =
        Exhibits { delivery: &delivery, bytes: &bytes, schemas, judgements: &judgements };
    let criterion = contract.criterion(&id(criterion)).unwrap();
    let observation = observe(&contract, criterion, &exhibits, label("host"), day(2));
    assert!(observation.evidence.contains(&said.id), "it rests on the receipt");
    let json = serde_json::to_value(&observation).unwrap();
    assert_eq!(json["event"], "CONFORMITY_OBSERVATION_RECORDED");
    observation.verdict
}

fn plain(criterion: &str, goods: &BTreeMap<Id, Vec<u8>>) -> Verdict {
    verdict(criterion, goods, &Rows, |_, _| {})
}

#[test]
fn good_work_conforms_by_every_criterion() {
    for criterion in &*sample::contract().criteria {
        assert_eq!(plain(&criterion.id, &goods()), Verdict::Conform, "{}", criterion.id);
    }
}

#[test]
fn bad_work_deviates() {
    for (criterion, deliverable, text) in [
        ("table-shape", "table", r#"[{"number":"1"}]"#),
        ("table-shape", "table", "[]"),
        ("coverage", "summary", r#"{"coverage":0.9499999}"#),
        ("coverage", "summary", r#"{"coverage":"0.97"}"#),
        ("coverage", "summary", r#"{"coverage":0.97,"coverage":0.97}"#),
        ("coverage", "summary", "{}"),
        ("report-exists", "digest", ""),
        ("report-length", "digest", "too short"),
        ("no-placeholders", "digest", concat!("here: TO", "DO")),
    ] {
        let mut goods = goods();
        goods.insert(id(deliverable), text.into());
        assert_eq!(plain(criterion, &goods), Verdict::Deviate, "{criterion}: {text}");
    }
    let mut goods = goods();
    goods.insert(id("digest"), vec![0xff; 10]);
    assert_eq!(plain("report-length", &goods), Verdict::Deviate);
}

#[test]
fn what_is_not_shown_is_indeterminate() {
    let unknown = |criterion, spoil: Spoil| {
        assert_eq!(
            verdict(criterion, &goods(), &Rows, spoil),
            Verdict::Indeterminate,
            "{criterion}"
        );
    };
    unknown("report-length", |bytes, _| bytes.clear());
    unknown("report-length", |bytes, _| bytes.values_mut().for_each(|bytes| bytes.push(b'x')));
    unknown("well-reasoned", |_, judgements| judgements.clear());
    unknown("buyer-review", |_, judgements| judgements.clear());
    unknown("well-reasoned", |_, judgements| {
        let Some(Judgement::Score { prompt, .. }) = judgements.get_mut(&id("well-reasoned")) else {
            panic!()
        };
        *prompt = Digest::of(b"a kinder question");
    });
    unknown("buyer-review", |_, judgements| {
        let Some(Judgement::Review { reviewer, .. }) = judgements.get_mut(&id("buyer-review"))
        else {
            panic!()
        };
        *reviewer = Did::new("did:web:lantern.example:jonas-vogt").unwrap();
    });
    unknown("buyer-review", |_, judgements| {
        let Some(Judgement::Review { saw, .. }) = judgements.get_mut(&id("buyer-review")) else {
            panic!()
        };
        *saw = Digest::of(b"a draft");
    });
    let unusable = verdict("table-shape", &goods(), &Unusable, |_, _| {});
    assert_eq!(unusable, Verdict::Indeterminate);
    let mut long = goods();
    long.insert(id("table"), vec![b' '; READ_BYTES_MAX + 1]);
    let contract = sample::contract();
    let said = said(&contract, &long, Outcome::Ok);
    let refused = Delivery::of(&contract, paper(), &[said]).unwrap_err();
    assert_eq!(refused.code(), "DELIVERY_TOO_LARGE");
}

#[test]
fn a_delivery_is_read_off_receipts() {
    let contract = sample::contract();
    let good = said(&contract, &goods(), Outcome::Ok);
    let delivery = Delivery::of(&contract, paper(), std::slice::from_ref(&good)).unwrap();
    assert_eq!(delivery.items().len(), 3);
    assert_eq!(delivery.item(&id("table")).unwrap().receipt, good.id);
    let failed = said(&contract, &goods(), Outcome::Failed);
    let missing = |runs: &[_]| Delivery::of(&contract, paper(), runs).unwrap_err();
    assert_eq!(missing(std::slice::from_ref(&failed)), Undelivered::Missing(id("digest")));
    assert_eq!(missing(&[]), Undelivered::Missing(id("digest")));
    // A later run that failed takes nothing back.
    assert_eq!(Delivery::of(&contract, paper(), &[good.clone(), failed]).unwrap(), delivery);
    let mut fewer = goods();
    fewer.remove(&id("table"));
    let partly = said(&contract, &fewer, Outcome::Ok);
    assert_eq!(missing(&[partly]), Undelivered::Missing(id("table")));
    let elsewhere =
        Delivery::of(&contract, Digest::of(b"another Paper"), std::slice::from_ref(&good));
    assert_eq!(elsewhere.unwrap_err(), Undelivered::OtherPaper(good.id));
    let mut withheld = good;
    withheld.evidence.output = None;
    assert_eq!(missing(&[withheld]).code(), "DELIVERY_MISSING");
}
