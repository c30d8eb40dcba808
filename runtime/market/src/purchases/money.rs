//! The money: asked for by the buyer, moved by a person, who says so.

use envelope_evidence::{Label, Timestamp};
use envelope_store::Org;
use envelope_store::noun::Noun;
use envelope_terms::escrow::Fact;
use envelope_terms::purchase::Act;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::deal::{Deal, Kept, load};
use super::view::Purchase;
use crate::turn::read;
use crate::{Market, Refused, Role, Turn};

/// How long money may be held: what a payment service lets a marketplace hold it at most.
const HOLD_MILLIS: u64 = 90 * 24 * 3600 * 1000;

/// What became of an order, as whoever moved the money says.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Moved {
    /// The buyer, whose purchase it is.
    #[schemars(with = "OrgShape")]
    pub org: String,
    /// The order.
    pub order: String,
    /// Why the money did not move and will not; nothing when it moved.
    pub failed: Option<String>,
}

/// The buyer pays in: the provider is told to hold the money.
pub async fn pay(market: &Market, turn: &mut Turn<'_>, id: &str) -> Result<Purchase, Refused> {
    turn.needs(Role::Buyer)?;
    let mut deal = load(turn, id).await?;
    if !deal.is_buyer(turn) {
        return Err(Refused::Party("buyer"));
    }
    let expires = turn.at.millis().saturating_add(HOLD_MILLIS);
    let expires = Timestamp::from_millis(expires).unwrap_or(Timestamp::MAX);
    deal.step(market, turn, None, Act::Pay { expires }).await?;
    deal.view()
}

/// The operator, who is the provider `manual`, says what became of an order.
pub async fn moved(
    market: &Market,
    turn: &mut Turn<'_>,
    id: &str,
    said: Moved,
) -> Result<Purchase, Refused> {
    turn.needs(Role::Operator)?;
    let buyer = Org::new(&said.org)?;
    let command = Label::new(&said.order).map_err(|why| Refused::invalid("order", why))?;
    let fact = match said.failed {
        None => Fact::Settled { command },
        Some(why) => Fact::Failed { command, why: Label::cut(&why) },
    };
    settle(market, turn, (id, &buyer), Act::Money { fact }).await
}

/// The operator has a movement tried again that the provider said no to.
pub async fn retry(
    market: &Market,
    turn: &mut Turn<'_>,
    id: &str,
    buyer: &Org,
) -> Result<Purchase, Refused> {
    settle(market, turn, (id, buyer), Act::Retry {}).await
}

/// The operator gives up what a payee does not give back.
pub async fn write_off(
    market: &Market,
    turn: &mut Turn<'_>,
    id: &str,
    buyer: &Org,
) -> Result<Purchase, Refused> {
    settle(market, turn, (id, buyer), Act::WriteOff {}).await
}

/// The operator moves a purchase of `buyer` on.
async fn settle(
    market: &Market,
    turn: &mut Turn<'_>,
    (id, buyer): (&str, &Org),
    act: Act,
) -> Result<Purchase, Refused> {
    turn.needs(Role::Operator)?;
    let mut deal = of(turn, buyer, id).await?;
    deal.step(market, turn, None, act).await?;
    deal.view()
}

/// A purchase of `buyer`, for the operator, who is no party of it.
pub(crate) async fn of(turn: &mut Turn<'_>, buyer: &Org, id: &str) -> Result<Deal, Refused> {
    let record = turn.tx.of(buyer).get(Noun::Purchase, id).await?;
    let unknown = || Refused::Unknown { what: "purchases", id: id.to_owned() };
    let record = record.ok_or_else(unknown)?;
    let kept: Kept = read(&record)?;
    if turn.who.org == *buyer || turn.who.org.as_str() == kept.seller {
        return Err(Refused::Party("house, where it is neither buyer nor seller,"));
    }
    Ok(Deal { buyer: buyer.clone(), record, kept })
}
