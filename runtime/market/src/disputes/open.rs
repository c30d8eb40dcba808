//! A party disputes a purchase: the money stops, and the record is sealed, at once.

use std::collections::BTreeSet;

use envelope_evidence::Digest;
use envelope_store::noun::{Change, Noun};
use envelope_terms::contract::Id;
use envelope_terms::dispute::{Cause, Delivered, Event, LIST_MAX, SealedRecord, Side, State};
use envelope_terms::purchase::{self, Act, Hand, Review};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::step::{row_of, step};
use crate::purchases::deal::{Deal, load};
use crate::purchases::view::{Purchase, runs};
use crate::shape::distinct;
use crate::turn::text;
use crate::{Market, Refused, Role, Turn};

/// Characters of a statement: some pages. What is longer is an exhibit.
pub const STATEMENT_CHARS_MAX: usize = 20_000;

/// Why somebody disputes.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Open {
    /// The criteria that it is about; none for all of them.
    #[serde(default, deserialize_with = "distinct")]
    pub criteria: BTreeSet<Id>,
    /// What the party says.
    #[schemars(length(min = 1, max = STATEMENT_CHARS_MAX))]
    pub statement: String,
}

/// Opens a dispute for a party. Who decides reads the sealed record, and not the statement: its
/// digest stands in the cause.
pub async fn open(
    market: &Market,
    turn: &mut Turn<'_>,
    id: &str,
    Open { criteria, statement }: Open,
) -> Result<Purchase, Refused> {
    let mut deal = load(turn, id).await?;
    let buys = deal.is_buyer(turn);
    turn.needs(if buys { Role::Buyer } else { Role::Author })?;
    if statement.is_empty() || statement.chars().count() > STATEMENT_CHARS_MAX {
        let why = format!("say in 1 to {STATEMENT_CHARS_MAX} characters why");
        return Err(Refused::invalid("statement", why));
    }
    let side = if buys { Side::Buyer } else { Side::Developer };
    let statement = Digest::of(statement.as_bytes());
    let cause = Cause::Party { side, criteria, statement };
    deal.step(market, turn, None, Act::Open { cause }).await?;
    seal(market, turn, &mut deal).await?;
    deal.view()
}

/// Seals the record of a dispute that was just opened, if one was: by a party, by a review that
/// failed, or by time that passed.
pub(crate) async fn seal(
    market: &Market,
    turn: &mut Turn<'_>,
    deal: &mut Deal,
) -> Result<(), Refused> {
    let Hand::Dispute { dispute } = deal.kept.purchase.hand() else { return Ok(()) };
    if !matches!(dispute.state(), State::Opened {}) {
        return Ok(());
    }
    let record = record(deal, dispute.id(), turn.at)?;
    let name = record_id(&record)?;
    let body = text(&name, &record)?;
    let about = row_of(dispute.id());
    step(market, turn, deal, Event::Sealed { record: Box::new(record) }).await?;
    let at = turn.at;
    let mut rows = turn.tx.of(&deal.buyer);
    let sealed = Change { id: &name, state: "sealed", body: &body, at };
    Ok(rows.add(Noun::SealedRecord, Some(&about), sealed).await?)
}

fn record_id(record: &SealedRecord) -> Result<String, Refused> {
    let digest = record.digest().map_err(|why| Refused::kept("record", why))?;
    Ok(format!("rec_{}", digest.hex()))
}

/// Everything by digest that the panel may read, as it stands now.
fn record(
    deal: &Deal,
    dispute: Digest,
    sealed: envelope_evidence::Timestamp,
) -> Result<SealedRecord, Refused> {
    let purchase = &deal.kept.purchase;
    let snapshot = purchase.snapshot();
    let review = review(purchase.state());
    let observed = review.into_iter().flat_map(|review| review.observations.values());
    let observations = observed.take(LIST_MAX).map(|one| one.digest());
    let observations = observations.collect::<Result<_, _>>();
    let delivered = review.into_iter().flat_map(|review| review.delivery.items());
    Ok(SealedRecord {
        dispute,
        sealed,
        papers: snapshot.papers.clone(),
        question: snapshot.contract.dispute.question.clone(),
        options: snapshot.contract.dispute.options.to_vec(),
        receipts: runs(purchase.state()).iter().take(LIST_MAX).copied().collect(),
        deliverables: delivered
            .map(|item| Delivered { deliverable: item.deliverable.clone(), digest: item.digest })
            .collect(),
        observations: observations.map_err(|why| Refused::kept("observation", why))?,
        trace: Vec::new(),
        telemetry: Vec::new(),
    })
}

const fn review(state: &purchase::State) -> Option<&Review> {
    match state {
        purchase::State::QualityReview { review, .. }
        | purchase::State::DeliverableStaged { review, .. } => Some(review),
        purchase::State::FundsReleased { ending }
        | purchase::State::ResolvedRefund { ending }
        | purchase::State::ResolvedRelease { ending }
        | purchase::State::ResolvedPartial { ending } => ending.review.as_ref(),
        purchase::State::Compiled {}
        | purchase::State::PendingPayment { .. }
        | purchase::State::EscrowFunded {}
        | purchase::State::ExecutionInProgress { .. } => None,
    }
}
