//! What runs do to what they were bought as: whenever one ends, its purchase is told.

use envelope_evidence::Digest;
use envelope_store::Org;
use envelope_store::noun::Noun;
use envelope_terms::purchase::{Act, State};
use serde::Deserialize;

use super::deal::Deal;
use crate::turn::read;
use crate::{Market, Refused, Turn};

/// What a node says of a run that ended.
#[derive(Deserialize)]
struct Ended {
    run: String,
    receipt: Digest,
}

/// Tells a purchase of `org` that a run of it ended, as `message` says. A run that was not bought
/// concerns nobody; one whose purchase is settled by then changes nothing any more.
pub async fn run_ended(
    market: &Market,
    turn: &mut Turn<'_>,
    org: &Org,
    message: &str,
) -> Result<(), Refused> {
    let Ended { run, receipt } =
        serde_json::from_str(message).map_err(|why| Refused::kept("run.ended", why))?;
    let record = turn.tx.of(org).get(Noun::Run, &run).await?;
    let Some(purchase) = record.and_then(|record| record.parent) else { return Ok(()) };
    let record = turn.tx.of(org).get(Noun::Purchase, &purchase).await?;
    let Some(record) = record else { return Ok(()) };
    let kept = read(&record)?;
    let mut deal = Deal { buyer: org.clone(), record, kept };
    if !matches!(deal.kept.purchase.state(), State::ExecutionInProgress { .. }) {
        return Ok(());
    }
    deal.step(market, turn, Some(&format!("ended-{run}")), Act::RunEnded { receipt }).await?;
    Ok(())
}
