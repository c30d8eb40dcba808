//! A human decides what the panel could not.

use std::collections::BTreeSet;

use envelope_store::Org;
use envelope_terms::contract::{Did, Id, Verdict};
use envelope_terms::dispute::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::step::{self, step};
use crate::purchases::money::of;
use crate::purchases::view::Purchase;
use crate::shape::{OrgShape, distinct};
use crate::{Market, Refused, Role, Turn};

/// What a human decided.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decide {
    /// The buyer, whose purchase it is.
    #[schemars(with = "OrgShape")]
    pub org: String,
    /// What.
    pub verdict: Verdict,
    /// The criteria found unmet.
    #[serde(default, deserialize_with = "distinct")]
    pub unmet: BTreeSet<Id>,
}

/// Decides, as whoever acts, a dispute that was left to a human, and has the money follow.
pub async fn decide(
    market: &Market,
    turn: &mut Turn<'_>,
    id: &str,
    Decide { org, verdict, unmet }: Decide,
) -> Result<Purchase, Refused> {
    turn.needs(Role::Operator)?;
    let mut deal = of(turn, &Org::new(&org)?, id).await?;
    turn.who.needs_human()?;
    let by = Did::new(format!("{}:users:{}", market.did(), turn.who.user));
    let by = by.map_err(|why| Refused::kept(&turn.who.user, why))?;
    step(market, turn, &mut deal, Event::Decided { by, verdict, unmet }).await?;
    deal.view()
}

/// The panel's time is over: whoever has not answered has no say.
pub async fn overdue(
    market: &Market,
    turn: &mut Turn<'_>,
    org: &Org,
    id: &str,
) -> Result<Purchase, Refused> {
    turn.needs(Role::Operator)?;
    let mut deal = of(turn, org, id).await?;
    step::overdue(market, turn, &mut deal).await?;
    deal.view()
}
