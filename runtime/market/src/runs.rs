//! Runs as people see them, and what their receipts say after every check that a stranger would
//! make.

use envelope_evidence::journal::Journal;
use envelope_evidence::key::Window;
use envelope_evidence::keyring::{KeyRecord, KeyRing};
use envelope_evidence::receipt::{Folder, fold};
use envelope_evidence::verify::{Said, verify};
use envelope_node::Sheet;
use envelope_store::noun::{Noun, Record};
use envelope_store::{Org, journal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::turn::read;
use crate::{Market, Refused};

/// A run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// Where it stands: `queued`, `running`, `suspended` or `ended`.
    pub state: String,
    /// What it was bought as, if it was bought.
    pub purchase: Option<String>,
    /// How it ended.
    pub outcome: Option<String>,
    /// Why it ended so.
    pub reason: Option<String>,
    /// The digest of its receipt.
    pub receipt: Option<String>,
}

/// A run as people see it.
pub fn view(record: &Record) -> Result<Run, Refused> {
    let sheet: Sheet = read(record)?;
    let over = sheet.over.as_ref();
    Ok(Run {
        id: record.id.clone(),
        state: record.state.clone(),
        purchase: record.parent.clone(),
        outcome: over.map(|over| over.outcome.name().to_owned()),
        reason: over.map(|over| over.reason.to_string()),
        receipt: over.map(|over| over.receipt.to_string()),
    })
}

/// What the receipt of a run of `org` says, if all of it holds.
pub(crate) async fn said(market: &Market, org: &Org, run: &str) -> Result<Said, Refused> {
    let mut tx = market.house.store.read().await?;
    let row = tx.of(org).get(Noun::Run, run).await?;
    drop(tx);
    let row = row.ok_or_else(|| Refused::Unknown { what: "runs", id: run.to_owned() })?;
    if row.state != "ended" {
        let (id, state) = (row.id, row.state);
        return Err(Refused::NotNow { what: "run", id, state, act: "to hear what it answered" });
    }
    let folder = folder(market, org, run).await?;
    let ring = KeyRing::new([KeyRecord::of(&market.receipts, Window::ALWAYS)]);
    let report = verify(&folder, &ring.map_err(|why| Refused::kept(run, why))?);
    if let Some(failure) = report.first_failure() {
        return Err(Refused::kept(run, format!("its receipt fails `{}`", failure.name)));
    }
    report.said.ok_or_else(|| Refused::kept(run, "its receipt says nothing"))
}

/// The receipt of a run with its evidence and its journal, as strangers verify them.
pub async fn folder(market: &Market, org: &Org, run: &str) -> Result<Folder, Refused> {
    let (lines, _) = journal::read(&market.house.store, org, run).await?;
    let journal = Journal::parse(&lines).map_err(|why| Refused::kept(run, why))?;
    let signed = fold(&journal).sign(&market.receipts);
    Folder::of(&signed, Some(&lines)).map_err(|why| Refused::kept(run, why))
}
