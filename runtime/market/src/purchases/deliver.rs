//! A delivery: what the receipts of the runs hold, and never what anybody says; and at once the
//! check of every criterion that needs no human.

use std::collections::BTreeMap;

use envelope_evidence::{Digest, Label, Timestamp};
use envelope_gate::schema;
use envelope_store::noun::Noun;
use envelope_terms::acceptance::{Delivery, Exhibits, READ_BYTES_MAX, Schemas, observe};
use envelope_terms::contract::Check;
use envelope_terms::purchase::Act;
use serde_json::{Map, Value};

use super::deal::{Deal, load};
use super::view::{Purchase, runs};
use crate::disputes::open::seal;
use crate::runs::said;
use crate::{Market, Refused, Role, Turn, Who};

/// A delivery that was put together, with the bytes by which it is judged.
pub struct Assembled {
    purchase: String,
    delivery: Delivery,
    bytes: BTreeMap<Digest, Vec<u8>>,
}

/// Puts together what the runs of a purchase produced.
pub async fn assemble(
    market: &Market,
    who: &Who,
    id: &str,
    at: Timestamp,
) -> Result<Assembled, Refused> {
    let mut tx = market.house.store.read().await?;
    let mut turn = Turn { tx: &mut tx, who, at };
    let deal = load(&mut turn, id).await?;
    let runs = ended(&mut turn, &deal).await?;
    drop(tx);
    let mut told = Vec::new();
    for run in &runs {
        told.push(said(market, &deal.buyer, run).await?);
    }
    let snapshot = deal.kept.purchase.snapshot();
    let delivery = Delivery::of(&snapshot.contract, snapshot.paper, &told)?;
    let blobs = market.house.blobs(&deal.buyer);
    let mut bytes = BTreeMap::new();
    for item in delivery.items() {
        if usize::try_from(item.size).is_ok_and(|size| size <= READ_BYTES_MAX) {
            bytes.insert(item.digest, blobs.get(item.digest).await?.to_vec());
        }
    }
    Ok(Assembled { purchase: id.to_owned(), delivery, bytes })
}

/// Delivers, and observes every criterion that no human and no model has to.
pub async fn deliver(
    market: &Market,
    turn: &mut Turn<'_>,
    Assembled { purchase, delivery, bytes }: &Assembled,
) -> Result<Purchase, Refused> {
    let mut deal = load(turn, purchase).await?;
    turn.needs(if deal.is_buyer(turn) { Role::Buyer } else { Role::Author })?;
    deal.step(market, turn, None, Act::Deliver { delivery: delivery.clone() }).await?;
    let contract = deal.kept.purchase.snapshot().contract.clone();
    let judgements = BTreeMap::new();
    let exhibits = Exhibits { delivery, bytes, schemas: &Gate, judgements: &judgements };
    for criterion in contract.criteria.iter() {
        if matches!(criterion.check, Check::Evaluator { .. } | Check::HumanReview { .. }) {
            continue;
        }
        // One that did not conform may have opened a dispute: what is left is for that.
        if deal.kept.purchase.hand().name() != "parties" {
            break;
        }
        let observer = Label::cut("envelope");
        let observation = observe(&contract, criterion, &exhibits, observer, turn.at);
        let observation = Box::new(observation);
        deal.step(market, turn, None, Act::Observe { observation }).await?;
    }
    seal(market, turn, &mut deal).await?;
    deal.view()
}

/// The runs of a purchase that ended, by name, the newest last.
async fn ended(turn: &mut Turn<'_>, deal: &Deal) -> Result<Vec<String>, Refused> {
    let known = runs(deal.kept.purchase.state());
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let mut rows = turn.tx.of(&deal.buyer);
        let page = rows.below(Noun::Run, &deal.record.id, &after).await?;
        let Some(last) = page.last() else { return Ok(all) };
        after.clone_from(&last.id);
        for run in page.into_iter().filter(|run| run.state == "ended") {
            let receipt = turn.tx.of(&deal.buyer).get(Noun::Receipt, &run.id).await?;
            let receipt = receipt.map(|receipt| Digest::of(receipt.body.as_bytes()));
            if receipt.is_some_and(|receipt| known.contains(&receipt)) {
                all.push(run.id);
            }
        }
    }
}

/// The validator that judges what agents answer judges what they deliver.
struct Gate;

impl Schemas for Gate {
    fn accepts(&self, schema: &Map<String, Value>, document: &[u8]) -> Option<bool> {
        let schema = Value::Object(schema.clone());
        schema::check(&schema).ok()?;
        Some(schema::fits(&schema, document).is_ok())
    }
}
