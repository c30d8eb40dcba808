//! A run is put into the queue: its row, the first line of its journal, its workspace and its place
//! in the queue, in one transaction.

use bytes::Bytes;
use envelope_engine::local::Job;
use envelope_evidence::journal::Journal;
use envelope_evidence::{Label, Timestamp};
use envelope_gate::workspace::Manifest;
use envelope_rules::approval::Rules;
use envelope_rules::budget::Shared;

use envelope_store::blobs::Next;
use envelope_store::noun::{Change, Noun};
use envelope_store::{Org, OrgTx};

use crate::sheet::{Sheet, VERSION};
use crate::{Calendar, House, NodeError};

/// A run that is to be queued.
pub struct Launch<'a> {
    /// The job. Its input files are blobs of the organisation already.
    pub job: &'a Job,
    /// The bytes of its component.
    pub component: &'a Bytes,
    /// What a program that does not describe itself is called.
    pub name: &'a str,
    /// How people are asked, if they are.
    pub rules: Option<&'a Rules>,
    /// What it was bought as, if it was bought.
    pub purchase: Option<&'a str>,
    /// The accounts that it is charged to with others. They are open.
    pub shared: &'a [Shared],
    /// How the days among them follow each other, if they do.
    pub days: Option<&'a Calendar>,
}

/// A run whose parts are kept, and which is in no queue yet.
pub struct New {
    run: Label,
    at: Timestamp,
    line: Vec<u8>,
    manifest: Manifest,
    sheet: Sheet,
    body: String,
    purchase: Option<String>,
}

/// Puts a run into the queue of `org`, and returns its id. When this returns, some node will have
/// it come to its end.
pub async fn launch(house: &House, org: &Org, launch: Launch<'_>) -> Result<Label, NodeError> {
    let new = prepare(house, org, launch).await?;
    let mut tx = house.store.write().await?;
    let run = new.queue(&mut tx.of(org)).await?;
    tx.commit().await?;
    Ok(run)
}

/// Keeps the parts of a run, which are blobs. Nothing speaks of them until it is queued.
pub async fn prepare(house: &House, org: &Org, launch: Launch<'_>) -> Result<New, NodeError> {
    let Launch { job, component, name, rules, purchase, shared, days } = launch;
    let (order, run, at) = (&job.order, job.header.run.clone(), job.header.started);
    let (_, line) = Journal::start(job.header.clone()).map_err(|why| NodeError::kept(&run, why))?;
    let (blobs, manifest) = (house.blobs(org), order.manifest.clone());
    let sheet = Sheet {
        v: VERSION,
        name: name.to_owned(),
        component: blobs.put(component.clone(), at).await?,
        args: blobs.put(order.args.clone(), at).await?,
        inputs: blobs.put(Bytes::copy_from_slice(manifest.as_bytes()), at).await?,
        warrant: order.authorities.warrant.document().clone(),
        limits: order.limits.clone(),
        prices: order.authorities.operator.prices.clone(),
        rules: rules.cloned(),
        shared: shared.to_vec(),
        days: days.cloned(),
        over: None,
    };
    let body = sheet.text(&run)?;
    let purchase = purchase.map(str::to_owned);
    Ok(New { run, at, line, manifest, sheet, body, purchase })
}

impl New {
    /// The run's id.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// Puts the run into the queue of whose rows these are, in their transaction.
    pub async fn queue(&self, rows: &mut OrgTx<'_>) -> Result<Label, NodeError> {
        let Self { run, at, line, manifest, sheet, body, purchase } = self;
        let first = Change { id: run, state: "queued", body, at: *at };
        rows.add(Noun::Run, purchase.as_deref(), first).await?;
        rows.queue(run, *at).await?;
        rows.begin_journal(run, line).await?;
        let besides = [sheet.component, sheet.args];
        let first = Next { id: run, last: 0, manifest, besides: &besides };
        rows.save_version(first, *at).await?;
        Ok(run.clone())
    }
}
