//! The end of a run: its receipt, what it leaves, and that it is over, in one transaction with the
//! message that says so.

use bytes::Bytes;
use envelope_engine::local::sealed;
use envelope_engine::run::Finished;
use envelope_evidence::Digest;
use envelope_evidence::journal::Outcome;
use envelope_evidence::key::{ForReceipts, SigningKey};
use envelope_evidence::receipt::fold;
use envelope_gate::model::Spent;
use envelope_gate::workspace::{FileEntry, Manifest};
use envelope_rules::budget::Accounting;
use envelope_rules::path::Path;
use envelope_store::blobs::{BlobError, Next};
use envelope_store::noun::{Change, Noun};
use envelope_store::work::Lease;
use envelope_store::{Org, OrgTx};
use serde_json::json;

use crate::calendar::chain;
use crate::house::now;
use crate::sheet::{Over, Sheet};
use crate::{House, NodeError, desk};

/// The version of a run's workspace that holds what it left: the first is what it began with.
pub(crate) const LEFT: i64 = 2;

/// What the message is about.
const TOPIC: &str = "run.ended";

/// Keeps what `finished` leaves, as far as its organisation has room, and lets go of its lease.
pub(crate) async fn finish(
    house: &House,
    lease: &Lease,
    finished: &Finished,
    key: &SigningKey<ForReceipts>,
) -> Result<Over, NodeError> {
    let run = lease.id.as_str();
    let left = match leave(house, &lease.org, run, finished, key).await {
        Ok(left) => Some(left),
        // It has ended all the same. Played again, it leaves the same files.
        Err(NodeError::Blobs(BlobError::Quota { .. })) => None,
        Err(other) => return Err(other),
    };
    let payload = fold(&finished.journal).receipt;
    let receipt = Digest::of(&payload);
    let payload = String::from_utf8(payload).map_err(|why| NodeError::kept(run, why))?;
    let ended = finished.ended();
    let over = Over {
        outcome: ended.map_or(Outcome::Interrupted, |ended| ended.outcome),
        reason: ended.map(|ended| ended.reason.clone()).unwrap_or_default(),
        receipt,
    };
    let told = json!({ "run": run, "outcome": over.outcome.name(), "receipt": receipt });
    let at = now();
    let mut tx = house.store.write().await?;
    let mut rows = tx.of(&lease.org);
    rows.hold(lease).await?;
    let record = rows.get(Noun::Run, run).await?;
    let record = record.ok_or_else(|| NodeError::NoRun(run.to_owned()))?;
    let sheet = Sheet { over: Some(over.clone()), ..Sheet::of(&record)? };
    let body = sheet.text(run)?;
    rows.step(Noun::Run, record.version, Change { id: run, state: "ended", body: &body, at })
        .await?;
    let signed = Change { id: run, state: "signed", body: &payload, at };
    rows.add(Noun::Receipt, Some(run), signed).await?;
    if let Some(left) = &left {
        let next = Next { id: run, last: LEFT - 1, manifest: left, besides: &[] };
        rows.save_version(next, at).await?;
    }
    desk::close(&mut rows, run).await?;
    give_back(&mut rows, &sheet, finished).await?;
    rows.announce(TOPIC, &told.to_string(), at).await?;
    rows.done(lease).await?;
    tx.commit().await?;
    Ok(over)
}

/// Gives back what the run leased of shared accounts and did not spend. It did so itself, unless
/// its node died just then: told twice, it counts once.
async fn give_back(
    rows: &mut OrgTx<'_>,
    sheet: &Sheet,
    finished: &Finished,
) -> Result<(), NodeError> {
    let chain = chain(&sheet.shared, sheet.days.as_ref())?;
    for Spent { tab, nano_usd: spent } in chain.spent(&finished.journal) {
        if let Some(out) = rows.out(tab.lease).await? {
            let told = Accounting { seq: 0, spent, returned: out.saturating_sub(spent) };
            rows.account(tab.lease, told).await?;
        }
    }
    Ok(())
}

/// Puts the files that the run leaves where blobs lie.
async fn leave(
    house: &House,
    org: &Org,
    run: &str,
    finished: &Finished,
    key: &SigningKey<ForReceipts>,
) -> Result<Manifest, NodeError> {
    let (blobs, mut files) = (house.blobs(org), Vec::new());
    for (name, bytes) in sealed(finished, key).map_err(|why| NodeError::kept(run, why))? {
        let path = Path::parse(&name).map_err(|why| NodeError::kept(run, why))?;
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let digest = blobs.put(bytes.into(), now()).await?;
        files.push(FileEntry { path, digest, size });
    }
    let manifest = Manifest::new(files).map_err(|why| NodeError::kept(run, why))?;
    blobs.put(Bytes::copy_from_slice(manifest.as_bytes()), now()).await?;
    Ok(manifest)
}
