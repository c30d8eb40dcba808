//! A run as the store keeps it, made ready to go on.

use std::sync::Arc;

use bytes::Bytes;
use envelope_engine::local::Pinned;
use envelope_engine::run::Order;
use envelope_evidence::journal::Journal;
use envelope_gate::workspace::Manifest;
use envelope_rules::grant::GrantKeys;
use envelope_rules::guard::Warrant;
use envelope_store::noun::{Noun, Record};
use envelope_store::{Org, journal};

use crate::agents::Agents;
use crate::sheet::Sheet;
use crate::{House, NodeError};

/// What is kept of a run.
pub(crate) struct Kept {
    pub(crate) sheet: Sheet,
    pub(crate) component: Bytes,
    pub(crate) pinned: Pinned,
    pub(crate) lines: Vec<u8>,
}

/// A run that can go on, or be played again.
pub(crate) struct Ready {
    pub(crate) order: Order,
    pub(crate) journal: Journal,
    /// The number of the next chunk of its journal.
    pub(crate) next: i64,
}

/// The row of a run.
pub(crate) async fn row(house: &House, org: &Org, run: &str) -> Result<(Record, Sheet), NodeError> {
    let mut tx = house.store.read().await?;
    let record = tx.of(org).get(Noun::Run, run).await?;
    let record = record.ok_or_else(|| NodeError::NoRun(run.to_owned()))?;
    let sheet = Sheet::of(&record)?;
    Ok((record, sheet))
}

/// All that is kept of a run, as it is.
pub(crate) async fn kept(house: &House, org: &Org, run: &str) -> Result<Kept, NodeError> {
    let (_, sheet) = row(house, org, run).await?;
    let pinned = pinned(house, org, run, &sheet).await?;
    let (lines, _) = journal::read(&house.store, org, run).await?;
    let component = house.blobs(org).get(sheet.component).await?;
    Ok(Kept { sheet, component, pinned, lines })
}

/// A run whose sheet is `sheet`, without a grant.
pub(crate) async fn ready(
    house: &House,
    org: &Org,
    run: &str,
    sheet: &Sheet,
    agents: &Agents,
    keys: &Arc<GrantKeys>,
) -> Result<Ready, NodeError> {
    let component = agents.of(house, org, sheet).await?;
    let (lines, next) = journal::read(&house.store, org, run).await?;
    let journal = Journal::parse(&lines).map_err(|why| NodeError::kept(run, why))?;
    let pinned = pinned(house, org, run, sheet).await?;
    Ok(Ready { order: pinned.order(component, Arc::clone(keys)), journal, next })
}

async fn pinned(house: &House, org: &Org, run: &str, sheet: &Sheet) -> Result<Pinned, NodeError> {
    let blobs = house.blobs(org);
    let manifest = Manifest::read(&blobs.get(sheet.inputs).await?);
    let warrant = Warrant::new(sheet.warrant.clone());
    Ok(Pinned {
        warrant: warrant.map_err(|why| NodeError::kept(run, why))?,
        args: blobs.get(sheet.args).await?,
        manifest: manifest.map_err(|why| NodeError::kept(run, why))?,
        limits: sheet.limits.clone(),
        prices: sheet.prices.clone(),
    })
}
