//! A purchase as people see it.

use envelope_evidence::Digest;
use envelope_store::noun::Noun;
use envelope_terms::escrow::{Order, Payee};
use envelope_terms::purchase::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::deal::{Deal, load};
use crate::{Refused, Turn};

/// A purchase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Purchase {
    /// Its id.
    pub id: String,
    /// Where it stands, as the state machine of purchases calls it.
    pub state: String,
    /// Who has it in hand: the parties, a dispute, or the provider.
    pub hand: String,
    /// Who buys.
    pub buyer: String,
    /// Who sells.
    pub seller: String,
    /// The Paper.
    pub paper: String,
    /// The offer that it was drawn from.
    pub listing: String,
    /// The digest of all that was bought.
    pub snapshot: String,
    /// The money; none before it was bought.
    pub money: Option<Money>,
    /// The digests of the receipts of its runs.
    pub runs: Vec<String>,
    /// The digest of its newest receipt, which names the one before.
    pub head: Option<String>,
    /// How many receipts there are.
    pub receipts: u64,
    /// When something happens by itself, in milliseconds: it lapses, or silence is consent.
    pub due: Option<u64>,
    /// How often it changed.
    pub version: i64,
}

/// The money of a purchase, in the smallest units of its currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// Who settles.
    pub provider: String,
    /// In which currency.
    pub currency: String,
    /// What the buyer paid in.
    pub paid_in: u64,
    /// What is held.
    pub held: u64,
    /// What the developer has.
    pub developer: u64,
    /// What the marketplace has.
    pub marketplace: u64,
    /// What the provider was told to do, and has not said to be done.
    pub orders: Vec<Ordered>,
}

/// A movement of money that was ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ordered {
    /// Its name.
    pub id: String,
    /// What: `hold`, `release`, `refund` or `reverse`.
    pub kind: String,
    /// How much.
    pub amount: u64,
    /// To whom or from whom, where it is not the buyer.
    pub payee: Option<String>,
}

/// A purchase that whoever acts is a party of.
pub async fn view(turn: &mut Turn<'_>, id: &str) -> Result<Purchase, Refused> {
    load(turn, id).await?.view()
}

/// Its receipts, each a signed statement that names the one before, from the one after `after`.
pub async fn receipts(
    turn: &mut Turn<'_>,
    id: &str,
    after: &str,
) -> Result<Vec<(String, String)>, Refused> {
    let deal = load(turn, id).await?;
    let rows = turn.tx.of(&deal.buyer).below(Noun::Attestation, id, after).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.body)).collect())
}

impl Deal {
    /// As people see it.
    pub fn view(&self) -> Result<Purchase, Refused> {
        let purchase = &self.kept.purchase;
        let snapshot = purchase.snapshot().digest();
        let snapshot = snapshot.map_err(|why| Refused::kept(&self.record.id, why))?;
        Ok(Purchase {
            id: self.record.id.clone(),
            state: purchase.state().name().to_owned(),
            hand: purchase.hand().name().to_owned(),
            buyer: self.buyer.to_string(),
            seller: self.kept.seller.clone(),
            paper: self.kept.paper.clone(),
            listing: self.kept.listing.clone(),
            snapshot: snapshot.to_string(),
            money: purchase.escrow().map(|escrow| Money {
                provider: escrow.provider().name().to_owned(),
                currency: purchase.snapshot().contract.price.currency.code().to_owned(),
                paid_in: escrow.book().paid_in(),
                held: escrow.book().held(),
                developer: escrow.book().paid(Payee::Developer),
                marketplace: escrow.book().paid(Payee::Marketplace),
                orders: escrow.open_orders().map(|(id, order)| ordered(id, order)).collect(),
            }),
            runs: runs(purchase.state()).iter().map(Digest::to_string).collect(),
            head: self.kept.head.map(|head| head.to_string()),
            receipts: self.kept.links,
            due: due(purchase.state()),
            version: self.record.version,
        })
    }
}

fn ordered(id: &str, order: &Order) -> Ordered {
    let name = |payee: &Payee| match payee {
        Payee::Developer => "developer".to_owned(),
        Payee::Marketplace => "marketplace".to_owned(),
    };
    let (kind, amount, payee) = match order {
        Order::Hold { amount, .. } => ("hold", amount, None),
        Order::Release { to, amount, .. } => ("release", amount, Some(name(to))),
        Order::Refund { amount } => ("refund", amount, None),
        Order::Reverse { from, amount } => ("reverse", amount, Some(name(from))),
    };
    Ordered { id: id.to_owned(), kind: kind.to_owned(), amount: amount.get(), payee }
}

/// The receipts of its runs.
pub(crate) fn runs(state: &State) -> &[Digest] {
    match state {
        State::Compiled {} | State::PendingPayment { .. } | State::EscrowFunded {} => &[],
        State::ExecutionInProgress { work }
        | State::QualityReview { work, .. }
        | State::DeliverableStaged { work, .. } => &work.runs,
        State::FundsReleased { ending }
        | State::ResolvedRefund { ending }
        | State::ResolvedRelease { ending }
        | State::ResolvedPartial { ending } => &ending.work.runs,
    }
}

const fn due(state: &State) -> Option<u64> {
    match state {
        State::PendingPayment { pay_by } => Some(pay_by.millis()),
        State::QualityReview { cure_until: Some(until), .. }
        | State::DeliverableStaged { review_until: until, .. } => Some(until.millis()),
        State::QualityReview { cure_until: None, .. }
        | State::Compiled {}
        | State::EscrowFunded {}
        | State::ExecutionInProgress { .. }
        | State::FundsReleased { .. }
        | State::ResolvedRefund { .. }
        | State::ResolvedRelease { .. }
        | State::ResolvedPartial { .. } => None,
    }
}
