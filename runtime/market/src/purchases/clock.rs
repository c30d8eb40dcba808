//! What happens by itself: the time is over that a purchase has, or the dispute about it.

use envelope_evidence::Timestamp;
use envelope_store::noun::Noun;
use envelope_store::{Org, OrgTx};
use envelope_terms::purchase::{Act, Hand, Refused as Unmoved};
use serde::{Deserialize, Serialize};

use super::deal::Deal;
use crate::disputes::open::seal;
use crate::disputes::overdue;
use crate::turn::{read, text};
use crate::{Market, Refused, Turn};

/// What the house tells itself, at the moment when something falls due.
pub(super) const DUE: &str = "purchase-due";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Due {
    purchase: String,
}

/// Has the house look at a purchase at `due`.
pub(super) async fn set(
    rows: &mut OrgTx<'_>,
    purchase: &str,
    due: Timestamp,
) -> Result<(), Refused> {
    let told = text(purchase, &Due { purchase: purchase.to_owned() })?;
    Ok(rows.announce(DUE, &told, due).await?)
}

/// Does what is due of a purchase of `org`. One that moved on meanwhile has another moment.
pub(super) async fn ring(
    market: &Market,
    turn: &mut Turn<'_>,
    org: &Org,
    message: &str,
) -> Result<(), Refused> {
    let Due { purchase } = serde_json::from_str(message).map_err(|why| Refused::kept(DUE, why))?;
    let Some(record) = turn.tx.of(org).get(Noun::Purchase, &purchase).await? else {
        return Ok(());
    };
    let kept = read(&record)?;
    let mut deal = Deal { buyer: org.clone(), record, kept };
    if deal.kept.purchase.due().is_none_or(|due| turn.at < due) {
        return Ok(());
    }
    let sits = match deal.kept.purchase.hand() {
        Hand::Dispute { dispute } => dispute.due().is_some_and(|due| due <= turn.at),
        Hand::Parties {} | Hand::Provider { .. } => false,
    };
    if sits {
        return overdue(market, turn, &mut deal).await;
    }
    match deal.step(market, turn, None, Act::Tick {}).await {
        Ok(_) => seal(market, turn, &mut deal).await,
        Err(Refused::Purchase(Unmoved::NothingDue)) => Ok(()),
        Err(other) => Err(other),
    }
}
