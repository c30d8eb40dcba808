//! What follows from what happened: whenever a run ends, its purchase is told; when the time of one
//! is over, what is due happens; and whoever asked to be told is.

use envelope_evidence::{Digest, Timestamp};
use envelope_store::noun::Noun;
use envelope_store::{Org, outbox};
use envelope_terms::purchase::{Act, Refused as Unsold, State};
use serde::Deserialize;

use super::clock::{DUE, ring};
use super::deal::Deal;
use crate::hooks::spread;
use crate::turn::read;
use crate::{Market, Refused, Turn, Who};

/// What nodes say when a run ended.
const RUN_ENDED: &str = "run.ended";

/// What a node says of a run that ended.
#[derive(Deserialize)]
struct Ended {
    run: String,
    receipt: Digest,
}

/// Hears the message that is due the longest, and does what follows from it, in one transaction:
/// whoever dies in between hears it again, and nothing happens twice. False when there is none.
pub async fn hear(market: &Market, who: &Who, at: Timestamp) -> Result<bool, Refused> {
    let Some(message) = outbox::take(&market.house.store, at).await? else { return Ok(false) };
    let mut tx = market.house.store.write().await?;
    let mut turn = Turn { tx: &mut tx, who, at };
    match message.topic.as_str() {
        RUN_ENDED => run_ended(market, &mut turn, &message.org, &message.body).await?,
        DUE => ring(market, &mut turn, &message.org, &message.body).await?,
        _ => {}
    }
    spread(&mut tx.of(&message.org), &message, at).await?;
    tx.of(&message.org).heard(message.seq).await?;
    tx.commit().await?;
    Ok(true)
}

/// Tells a purchase of `org` that a run of it ended. A run that was not bought concerns nobody; one
/// whose purchase is past its work by then changes nothing any more.
async fn run_ended(
    market: &Market,
    turn: &mut Turn<'_>,
    org: &Org,
    message: &str,
) -> Result<(), Refused> {
    let Ended { run, receipt } =
        serde_json::from_str(message).map_err(|why| Refused::kept(RUN_ENDED, why))?;
    let mut rows = turn.tx.of(org);
    let Some(purchase) = rows.get(Noun::Run, &run).await?.and_then(|run| run.parent) else {
        return Ok(());
    };
    let Some(record) = rows.get(Noun::Purchase, &purchase).await? else { return Ok(()) };
    let kept = read(&record)?;
    let mut deal = Deal { buyer: org.clone(), record, kept };
    if !matches!(deal.kept.purchase.state(), State::ExecutionInProgress { .. }) {
        return Ok(());
    }
    let name = format!("ended-{run}");
    match deal.step(market, turn, Some(&name), Act::RunEnded { receipt }).await {
        // More than a purchase counts, or counted before: telling it again would change nothing.
        Err(Refused::Purchase(Unsold::TooMany | Unsold::RunKnown(_))) | Ok(_) => Ok(()),
        Err(other) => Err(other),
    }
}
