//! Workspaces: versions that follow one another, each a manifest over blobs.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use envelope_evidence::{Digest, Timestamp};
use envelope_gate::workspace::Manifest;

use super::{BlobError, Blobs, PIN, TOUCH, digest, named};
use crate::OrgTx;
use crate::sql::{Scoped, Text};
use crate::value::Value;
use crate::work::{Lease, moment};

const LATEST: Scoped = Scoped(Text::common(
    "workspaces.latest",
    "SELECT coalesce(max(version), 0) FROM workspaces WHERE org = $1 AND id = $2",
));

const SAVE: Scoped = Scoped(Text::common(
    "workspaces.save",
    "INSERT INTO workspaces (org, id, version, manifest, state, changed, pinned)
    VALUES ($1, $2, $3, $4, 'kept', $5, 0) ON CONFLICT DO NOTHING RETURNING version",
));

const NEED: Scoped = Scoped(Text::common(
    "needs.add",
    "INSERT INTO needs (org, id, version, digest) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
));

const NEEDED: Scoped = Scoped(Text::common(
    "needs.list",
    "SELECT digest FROM needs WHERE org = $1 AND id = $2 AND version = $3 AND digest > $4
    ORDER BY digest LIMIT $5",
));

const PINNED: Scoped = Scoped(Text {
    name: "workspaces.pin",
    sqlite: "UPDATE workspaces SET pinned = max(pinned, $4)
        WHERE org = $1 AND id = $2 AND version = $3 AND state = 'kept' RETURNING manifest",
    postgres: "UPDATE workspaces SET pinned = greatest(pinned, $4)
        WHERE org = $1 AND id = $2 AND version = $3 AND state = 'kept' RETURNING manifest",
});

const DROP: Scoped = Scoped(Text::common(
    "workspaces.drop",
    "UPDATE workspaces SET state = 'dropped' WHERE org = $1 AND id = $2 AND version = $3
    AND state = 'kept' AND pinned < $4 RETURNING version",
));

const KEPT: Scoped = Scoped(Text::common(
    "workspaces.kept",
    "SELECT manifest FROM workspaces WHERE org = $1 AND id = $2 AND version = $3
    AND state = 'kept'",
));

/// The same, which stays so until the transaction ends; on SQLite the transaction itself sees to
/// that.
const STAYS: Scoped = Scoped(Text {
    name: "workspaces.stays",
    sqlite: KEPT.text().sqlite,
    postgres: "SELECT manifest FROM workspaces WHERE org = $1 AND id = $2 AND version = $3
        AND state = 'kept' FOR SHARE",
});

const FREE: Scoped = Scoped(Text::common(
    "needs.free",
    "DELETE FROM needs WHERE org = $1 AND id = $2 AND version = $3 RETURNING digest",
));

pub(super) const SCOPED: [Scoped; 9] =
    [LATEST, SAVE, NEED, NEEDED, PINNED, DROP, KEPT, STAYS, FREE];

/// Blobs that are named at once.
const NEEDED_MAX: i64 = 1000;

/// One version of a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version<'a> {
    /// The workspace.
    pub id: &'a str,
    /// Counted from one.
    pub version: i64,
}

/// A version that stays until its time is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pinned {
    /// Its files.
    pub manifest: Manifest,
}

impl Blobs {
    /// The newest version of a workspace; zero, when there is none.
    pub async fn latest(&self, id: &str) -> Result<i64, BlobError> {
        let mut tx = self.store.read().await?;
        let rows = tx.of(&self.org).run(&LATEST, vec![Value::from(id)]).await?;
        Ok(rows.first().map_or(Ok(0), |row| row.int(0))?)
    }

    /// Saves the version after `last`. Its blobs were put before, and are needed from now on.
    pub async fn save(
        &self,
        id: &str,
        last: i64,
        manifest: &Manifest,
        now: Timestamp,
    ) -> Result<i64, BlobError> {
        self.put(Bytes::copy_from_slice(manifest.as_bytes()), now).await?;
        let mut tx = self.store.write().await?;
        let next = Next { id, last, manifest, besides: &[] };
        let version = tx.of(&self.org).save_version(next, now).await?;
        tx.commit().await?;
        Ok(version)
    }

    /// All that a version needs, whether its manifest names it or not.
    pub async fn needed(&self, of: Version<'_>) -> Result<Vec<Digest>, BlobError> {
        let (mut tx, mut all) = (self.store.read().await?, Vec::new());
        let mut after = String::new();
        loop {
            let page = vec![
                Value::from(of.id),
                of.version.into(),
                after.as_str().into(),
                Value::from(NEEDED_MAX),
            ];
            let rows = tx.of(&self.org).run(&NEEDED, page).await?;
            let Some(last) = rows.last() else { return Ok(all) };
            after = last.text(0)?.to_owned();
            for row in &rows {
                all.push(digest(row.text(0)?)?);
            }
        }
    }

    /// Counts a blob that is about to be put. One of a run is needed by the version `of`, while
    /// that is kept, and counts only while its node holds the lease.
    pub(super) async fn count(
        &self,
        of: Option<(&Lease, Version<'_>)>,
        digest: Digest,
        size: i64,
        now: Timestamp,
    ) -> Result<(), BlobError> {
        let mut tx = self.store.write().await?;
        let mut rows = tx.of(&self.org);
        if let Some((lease, of)) = of {
            rows.hold(lease).await?;
            let kept = rows.run(&STAYS, vec![Value::from(of.id), of.version.into()]).await?;
            kept.first().ok_or_else(|| of.none())?;
        }
        super::register(&mut rows, digest, size, now).await?;
        if let Some((_, of)) = of {
            rows.run(&NEED, vec![Value::from(of.id), of.version.into(), named(digest)]).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Pins a version for [`PIN`] and reads its manifest. Whoever reads longer pins again.
    pub async fn pin(&self, of: Version<'_>, now: Timestamp) -> Result<Pinned, BlobError> {
        let mut tx = self.store.write().await?;
        let until = moment(now, PIN)?;
        let row = vec![Value::from(of.id), of.version.into(), until];
        let rows = tx.of(&self.org).run(&PINNED, row).await?;
        let Some(row) = rows.first() else { return Err(of.none()) };
        let paper = digest(row.text(0)?)?;
        tx.commit().await?;
        let manifest = Manifest::read(&self.get(paper).await?);
        Ok(Pinned { manifest: manifest.map_err(|_| BlobError::Corrupted(paper))? })
    }

    /// Drops a version that nobody reads: what only it needed is collected some time later.
    pub async fn drop_version(&self, of: Version<'_>, now: Timestamp) -> Result<(), BlobError> {
        let mut tx = self.store.write().await?;
        let mut rows = tx.of(&self.org);
        let key = || vec![Value::from(of.id), of.version.into()];
        let mut drop = key();
        drop.push(moment(now, Duration::ZERO)?);
        if rows.run(&DROP, drop).await?.is_empty() {
            let kept = rows.run(&KEPT, key()).await?;
            let (id, version) = (of.id.to_owned(), of.version);
            return Err(if kept.is_empty() { of.none() } else { BlobError::Read { id, version } });
        }
        rows.run(&FREE, key()).await?;
        Ok(tx.commit().await?)
    }
}

/// A version that is about to be saved.
#[derive(Debug, Clone, Copy)]
pub struct Next<'a> {
    /// The workspace.
    pub id: &'a str,
    /// The version before; zero, where there is none.
    pub last: i64,
    /// Its files, and the manifest itself, were put before.
    pub manifest: &'a Manifest,
    /// Blobs that it needs besides: put before too.
    pub besides: &'a [Digest],
}

impl OrgTx<'_> {
    /// Saves a version, in the transaction of what it is saved for.
    pub async fn save_version(&mut self, next: Next<'_>, now: Timestamp) -> Result<i64, BlobError> {
        let Next { id, last, manifest, besides } = next;
        let paper = manifest.digest();
        let version = last.saturating_add(1);
        let at = moment(now, Duration::ZERO)?;
        let changed = || BlobError::Changed { id: id.to_owned(), version: last };
        let latest = self.run(&LATEST, vec![Value::from(id)]).await?;
        if latest.first().map_or(Ok(0), |row| row.int(0))? != last {
            return Err(changed());
        }
        let row = vec![Value::from(id), version.into(), named(paper), at.clone()];
        if self.run(&SAVE, row).await?.is_empty() {
            return Err(changed());
        }
        let files = manifest.files().iter().map(|file| file.digest);
        let all = files.chain(besides.iter().copied()).chain([paper]);
        // In one order everywhere, or two who save at once could wait for each other.
        for digest in all.collect::<BTreeSet<Digest>>() {
            let kept = self.run(&TOUCH, vec![named(digest), at.clone()]).await?;
            kept.first().ok_or(BlobError::Missing(digest))?;
            self.run(&NEED, vec![Value::from(id), version.into(), named(digest)]).await?;
        }
        Ok(version)
    }
}

impl Version<'_> {
    fn none(&self) -> BlobError {
        BlobError::NoVersion { id: self.id.to_owned(), version: self.version }
    }
}
