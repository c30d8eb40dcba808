//! A run out of the store: as the folder that a local run leaves, or played again.

use std::path::Path;

use envelope_engine::local::RunFolder;
use envelope_engine::replay::{Verdict, replay};
use envelope_engine::run::Finished;
use envelope_gate::journal::JournalWriter as _;
use envelope_store::Org;
use envelope_store::blobs::{BlobError, Version};

use crate::finish::LEFT;
use crate::house::now;
use crate::node::Node;
use crate::{House, NodeError, load};

/// Writes a run into a new folder, as `envelope run` would have left it: to be verified, replayed
/// and shown to others. One that has not ended has no receipt there yet.
pub async fn export(
    house: &House,
    org: &Org,
    run: &str,
    path: &Path,
) -> Result<RunFolder, NodeError> {
    let kept = load::kept(house, org, run).await?;
    let folder = RunFolder::create(path, &kept.component, &kept.pinned)?;
    let (blobs, into) = (house.blobs(org), RunFolder::blobs(path)?);
    for digest in blobs.needed(Version { id: run, version: LEFT - 1 }).await? {
        // Counted before it was put, by a run that died between both: nothing speaks of it.
        match blobs.get(digest).await {
            Ok(bytes) => drop(into.put(bytes).await?),
            Err(BlobError::Missing(_)) => {}
            Err(other) => return Err(other.into()),
        }
    }
    let mut journal = folder.new_journal()?;
    let failed = |why: envelope_gate::stop::Fault| NodeError::kept(run, why);
    journal.write(&kept.lines).map_err(failed)?;
    journal.flush(true).await.map_err(failed)?;
    if kept.sheet.over.is_some() {
        let left = match blobs.pin(Version { id: run, version: LEFT }, now()).await {
            // Its organisation had no room for what it left: the record is whole without.
            Err(BlobError::NoVersion { .. }) => return Ok(folder),
            left => left?,
        };
        for file in left.manifest.files() {
            folder.add(file.path.as_str(), &blobs.get(file.digest).await?)?;
        }
    }
    Ok(folder)
}

/// A run that has ended, played again from what is kept of it.
pub async fn finished(node: &Node, org: &Org, run: &str) -> Result<Finished, NodeError> {
    let (_, sheet) = load::row(node.house(), org, run).await?;
    if sheet.over.is_none() {
        return Err(NodeError::NotEnded(run.to_owned()));
    }
    let ready = node.ready(org, run, &sheet).await?;
    let blobs = node.house().blobs(org).of_nobody(now);
    match replay(ready.order, ready.journal, blobs).await {
        Ok(Verdict::Same(finished)) => Ok(*finished),
        Ok(Verdict::Diverged(why)) => Err(NodeError::kept(run, why)),
        Err(why) => Err(NodeError::kept(run, why)),
    }
}
