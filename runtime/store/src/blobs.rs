//! Blobs: bytes by their digest, in a folder or in S3, and in the database who needs them.
//!
//! Nothing is shared between organisations, not even equal bytes: what one keeps tells the others
//! nothing, and each has its quota. A blob is collected when no kept version of a workspace needs
//! it and nobody touched it for [`GRACE`]; whoever reads pins the version that is read, so nothing
//! vanishes beneath a reader.

mod collect;
mod objects;
mod of_run;
mod workspace;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use envelope_evidence::{Digest, Timestamp};
use object_store::ObjectStore;

use crate::sql::{Scoped, Text};
use crate::value::Value;
use crate::work::moment;
use crate::{Org, OrgTx, Store, StoreError};

pub(crate) use collect::WIDE;
pub use collect::{SWEPT_MAX, sweep};
pub use objects::{S3, folder, s3};
pub use of_run::Clock;
pub use workspace::{Next, Pinned, Version};

/// How long a blob that nobody needs is kept: whoever puts the blobs of a version, and then saves
/// it, has to be done by then.
pub const GRACE: Duration = Duration::from_hours(24);

/// How long a version is pinned for whoever reads it, unless it is pinned again.
pub const PIN: Duration = Duration::from_hours(1);

/// The largest blob: it is held in memory as a whole.
pub const BLOB_BYTES_MAX: u64 = 256 << 20;

const QUOTA: Scoped = Scoped(Text::common(
    "storage.quota",
    "INSERT INTO storage (org, used, cap) VALUES ($1, 0, $2)
    ON CONFLICT (org) DO UPDATE SET cap = excluded.cap RETURNING cap",
));

const USED: Scoped = Scoped(Text::common(
    "storage.used",
    "SELECT used, cap FROM storage WHERE org = $1 AND used >= 0",
));

const GROW: Scoped = Scoped(Text::common(
    "storage.grow",
    "UPDATE storage SET used = used + $2 WHERE org = $1 AND used + $2 <= cap RETURNING used",
));

const SHRINK: Scoped = Scoped(Text::common(
    "storage.shrink",
    "UPDATE storage SET used = used - $2 WHERE org = $1 AND used >= $2 RETURNING used",
));

const SEE: Scoped = Scoped(Text::common(
    "blobs.see",
    "SELECT size, state FROM blobs WHERE org = $1 AND digest = $2",
));

/// A blob that is wanted is not old: a sweep that looks at it a moment later passes it by.
const TOUCH: Scoped = Scoped(Text::common(
    "blobs.touch",
    "UPDATE blobs SET touched = $3 WHERE org = $1 AND digest = $2 AND state = 'kept'
    RETURNING size",
));

const ADD: Scoped = Scoped(Text::common(
    "blobs.add",
    "INSERT INTO blobs (org, digest, size, state, touched) VALUES ($1, $2, $3, 'kept', $4)
    ON CONFLICT DO NOTHING RETURNING size",
));

pub(crate) fn scoped() -> impl Iterator<Item = Scoped> {
    let own = [QUOTA, USED, GROW, SHRINK, SEE, TOUCH, ADD];
    own.into_iter().chain(collect::SCOPED).chain(workspace::SCOPED)
}

/// Why a blob or a workspace is not there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BlobError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Whatever keeps the bytes.
    #[error("the store of blobs failed: {0}")]
    Objects(#[from] object_store::Error),
    /// Nothing is kept under the digest.
    #[error("no blob `{0}` is kept")]
    Missing(Digest),
    /// Something else is kept under it.
    #[error("what is kept as blob `{0}` is something else")]
    Corrupted(Digest),
    /// More than a blob may hold.
    #[error("{0} bytes are more than the {BLOB_BYTES_MAX} a blob holds")]
    TooLarge(u64),
    /// The organisation keeps as much as it may.
    #[error("{size} bytes do not fit: {used} of {cap} are used")]
    Quota {
        /// What was to be kept.
        size: u64,
        /// What is.
        used: i64,
        /// What may be.
        cap: i64,
    },
    /// The blob is being collected just now.
    #[error("blob `{0}` is being removed: put it again in a moment")]
    Doomed(Digest),
    /// A version is not the next one: somebody saved another meanwhile.
    #[error("workspace `{id}` is not at version {version}: load it again and decide afresh")]
    Changed {
        /// The workspace.
        id: String,
        /// The version it was taken to be at.
        version: i64,
    },
    /// There is no such version, or it was dropped.
    #[error("workspace `{id}` has no version {version}")]
    NoVersion {
        /// The workspace.
        id: String,
        /// The version.
        version: i64,
    },
    /// Somebody reads the version.
    #[error("version {version} of workspace `{id}` is being read")]
    Read {
        /// The workspace.
        id: String,
        /// The version.
        version: i64,
    },
}

/// The blobs and workspaces of one organisation.
#[derive(Debug, Clone)]
pub struct Blobs {
    store: Store,
    org: Org,
    objects: Arc<dyn ObjectStore>,
}

impl OrgTx<'_> {
    /// Lets the organisation keep so many bytes. Without that it keeps none.
    pub async fn set_quota(&mut self, bytes: i64) -> Result<(), StoreError> {
        self.run(&QUOTA, vec![Value::from(bytes)]).await.map(drop)
    }
}

impl Blobs {
    /// Those of `org`, whose bytes lie in `objects`.
    pub fn new(store: Store, org: Org, objects: Arc<dyn ObjectStore>) -> Self {
        Self { store, org, objects }
    }

    /// Lets the organisation keep so many bytes. Without that it keeps none.
    pub async fn set_quota(&self, bytes: i64) -> Result<(), BlobError> {
        let mut tx = self.store.write().await?;
        tx.of(&self.org).set_quota(bytes).await?;
        Ok(tx.commit().await?)
    }

    /// What the organisation keeps, and what it may.
    pub async fn quota(&self) -> Result<(i64, i64), BlobError> {
        let mut tx = self.store.read().await?;
        Ok(used(&mut tx.of(&self.org)).await?)
    }

    /// Keeps `bytes`, all of them or nothing, at least for [`GRACE`]. Twice is once.
    ///
    /// The row is there before the bytes: what a crash leaves behind is known, and collected.
    pub async fn put(&self, bytes: Bytes, now: Timestamp) -> Result<Digest, BlobError> {
        let digest = Digest::of(&bytes);
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let mut tx = self.store.write().await?;
        register(&mut tx.of(&self.org), digest, counted(size)?, now).await?;
        tx.commit().await?;
        if self.stored(digest).await? != Some(size) {
            objects::put(&*self.objects, &self.org, digest, bytes).await?;
        }
        Ok(digest)
    }

    /// The bytes of a blob, which are checked.
    pub async fn get(&self, digest: Digest) -> Result<Bytes, BlobError> {
        read(&*self.objects, &self.org, digest).await
    }

    async fn stored(&self, digest: Digest) -> Result<Option<u64>, BlobError> {
        Ok(objects::size(&*self.objects, &self.org, digest).await?)
    }
}

/// Counts a blob that is about to be put, unless it is known already.
async fn register(
    rows: &mut OrgTx<'_>,
    digest: Digest,
    size: i64,
    now: Timestamp,
) -> Result<(), BlobError> {
    let at = moment(now, Duration::ZERO)?;
    let touch = || vec![named(digest), at.clone()];
    if !rows.run(&TOUCH, touch()).await?.is_empty() {
        return Ok(());
    }
    let new = rows.run(&ADD, vec![named(digest), Value::from(size), at.clone()]).await?;
    if new.is_empty() {
        // Somebody else put the same just now, and has counted it. If not, it is being removed.
        let touched = rows.run(&TOUCH, touch()).await?;
        return touched.first().map(drop).ok_or(BlobError::Doomed(digest));
    }
    if rows.run(&GROW, vec![Value::from(size)]).await?.is_empty() {
        let (used, cap) = used(rows).await?;
        let size = u64::try_from(size).unwrap_or_default();
        return Err(BlobError::Quota { size, used, cap });
    }
    Ok(())
}

/// The bytes of a blob, which are checked.
pub(crate) async fn read(
    objects: &dyn ObjectStore,
    org: &Org,
    digest: Digest,
) -> Result<Bytes, BlobError> {
    let bytes = objects::get(objects, org, digest).await?.ok_or(BlobError::Missing(digest))?;
    if Digest::of(&bytes) == digest { Ok(bytes) } else { Err(BlobError::Corrupted(digest)) }
}

/// Keeps bytes that a row names already.
pub(crate) async fn write(
    objects: &dyn ObjectStore,
    org: &Org,
    digest: Digest,
    bytes: Bytes,
) -> Result<(), BlobError> {
    Ok(objects::put(objects, org, digest, bytes).await?)
}

/// What the organisation keeps, and what it may.
async fn used(rows: &mut OrgTx<'_>) -> Result<(i64, i64), StoreError> {
    let used = rows.run(&USED, Vec::new()).await?;
    used.first().map_or(Ok((0, 0)), |row| Ok((row.int(0)?, row.int(1)?)))
}

/// A size as the database counts, of what may be a blob.
fn counted(size: u64) -> Result<i64, BlobError> {
    let count = i64::try_from(size).ok().filter(|_| size <= BLOB_BYTES_MAX);
    count.ok_or(BlobError::TooLarge(size))
}

fn named(digest: Digest) -> Value {
    Value::from(digest.to_string().as_str())
}

fn digest(text: &str) -> Result<Digest, StoreError> {
    text.parse().map_err(|_| StoreError::Data(format!("`{text}` is no digest")))
}
