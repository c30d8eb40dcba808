//! What a party says of a delivery: it accepts, it cures; or time passes and silence speaks.

use envelope_terms::contract::Id;
use envelope_terms::purchase::Act;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::deal::load;
use super::view::Purchase;
use crate::disputes::open::seal;
use crate::{Market, Refused, Role, Turn};

/// What the buyer accepts.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Accept {
    /// One milestone; everything, where none is named.
    #[serde(default)]
    pub milestone: Option<Id>,
}

/// The buyer accepts what was delivered: the money goes where the Paper says.
pub async fn accept(
    market: &Market,
    turn: &mut Turn<'_>,
    id: &str,
    Accept { milestone }: Accept,
) -> Result<Purchase, Refused> {
    turn.needs(Role::Buyer)?;
    let mut deal = load(turn, id).await?;
    if !deal.is_buyer(turn) {
        return Err(Refused::Party("buyer"));
    }
    let act = match milestone {
        Some(milestone) => Act::AcceptMilestone { milestone },
        None => Act::Accept {},
    };
    deal.step(market, turn, None, act).await?;
    deal.view()
}

/// The seller works again on what did not conform.
pub async fn cure(market: &Market, turn: &mut Turn<'_>, id: &str) -> Result<Purchase, Refused> {
    turn.needs(Role::Author)?;
    let mut deal = load(turn, id).await?;
    if deal.is_buyer(turn) {
        return Err(Refused::Party("seller"));
    }
    deal.step(market, turn, None, Act::Cure {}).await?;
    deal.view()
}

/// Time passed: what is due happens.
pub async fn tick(market: &Market, turn: &mut Turn<'_>, id: &str) -> Result<Purchase, Refused> {
    let mut deal = load(turn, id).await?;
    turn.needs(if deal.is_buyer(turn) { Role::Buyer } else { Role::Author })?;
    deal.step(market, turn, None, Act::Tick {}).await?;
    seal(market, turn, &mut deal).await?;
    deal.view()
}
