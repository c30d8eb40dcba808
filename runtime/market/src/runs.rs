//! What the receipt of a run says, after every check that a stranger would make.

use envelope_evidence::journal::Journal;
use envelope_evidence::key::Window;
use envelope_evidence::keyring::{KeyRecord, KeyRing};
use envelope_evidence::receipt::{Folder, fold};
use envelope_evidence::verify::{Said, verify};
use envelope_store::{Org, journal};

use crate::{Market, Refused};

/// What the receipt of a run of `org` says, if all of it holds.
pub(crate) async fn said(market: &Market, org: &Org, run: &str) -> Result<Said, Refused> {
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
