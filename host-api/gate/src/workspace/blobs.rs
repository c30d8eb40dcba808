//! Bytes by their digest, in whatever keeps objects.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use envelope_evidence::Digest;
use object_store::path::Path as Key;
use object_store::{GetOptions, ObjectStore, ObjectStoreExt as _, memory::InMemory};

use super::Folder;

/// The largest blob: it is held in memory as a whole, so this is the largest file too.
pub const BLOB_BYTES_MAX: u64 = super::FILE_BYTES_MAX;

/// A content-addressed store. What it gives is what was asked for: every load is checked.
#[derive(Debug, Clone)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    count: Option<Arc<dyn Count>>,
}

/// Counts what is put, before it is: a store with quotas, that has to know who needs what.
pub trait Count: Send + Sync + fmt::Debug {
    /// Counts a blob, or says why it may not be put.
    fn before(&self, digest: Digest, size: u64) -> Counting<'_>;
}

/// A blob that is being counted.
pub type Counting<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;

impl Blobs {
    /// Blobs in `store`, which other things should not share.
    pub fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self { store, count: None }
    }

    /// The same, where `count` counts what is put.
    #[must_use]
    pub fn counted(self, count: Arc<dyn Count>) -> Self {
        Self { count: Some(count), ..self }
    }

    /// Blobs in a folder of this machine, which exists. What was put there survives a power cut.
    pub fn in_folder(folder: impl AsRef<std::path::Path>) -> std::io::Result<Self> {
        Folder::open(folder).map(|folder| Self::new(Arc::new(folder)))
    }

    /// Blobs in memory: gone with the process.
    pub fn in_memory() -> Self {
        Self::new(Arc::new(InMemory::new()))
    }

    /// The bytes of `digest`.
    pub async fn get(&self, digest: &Digest) -> Result<Bytes, Fault> {
        let found = match self.store.get_opts(&key(digest), GetOptions::default()).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Err(Fault::Missing(*digest)),
            Err(error) => return Err(error.into()),
        };
        if found.meta.size > BLOB_BYTES_MAX {
            return Err(Fault::Corrupted(*digest));
        }
        let bytes = found.bytes().await?;
        if Digest::of(&bytes) == *digest { Ok(bytes) } else { Err(Fault::Corrupted(*digest)) }
    }

    /// Whether there is a blob of that name. Its bytes are not looked at.
    pub async fn has(&self, digest: &Digest) -> Result<bool, Fault> {
        Ok(self.size(digest).await?.is_some())
    }

    /// Keeps `bytes`, all of them or nothing. Keeping them twice is keeping them once.
    pub async fn put(&self, bytes: Bytes) -> Result<Digest, Fault> {
        let digest = Digest::of(&bytes);
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if size > BLOB_BYTES_MAX {
            return Err(Fault::TooLarge { size });
        }
        if let Some(count) = &self.count {
            count.before(digest, size).await.map_err(Fault::Refused)?;
        }
        // A blob of another size is a broken one, and is replaced.
        if self.size(&digest).await? != Some(size) {
            self.store.put(&key(&digest), bytes.into()).await?;
        }
        Ok(digest)
    }

    async fn size(&self, digest: &Digest) -> Result<Option<u64>, Fault> {
        match self.store.head(&key(digest)).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Where the blob lies: spread over 256 folders, which is what file systems like.
fn key(digest: &Digest) -> Key {
    let hex = digest.hex();
    Key::from_iter(["sha256", hex.get(..2).unwrap_or_default(), &hex])
}

/// What can go wrong with a store of blobs.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Nothing is stored under the digest.
    #[error("no blob `{0}` is stored")]
    Missing(Digest),
    /// Something else is stored under it.
    #[error("what is stored as blob `{0}` is something else")]
    Corrupted(Digest),
    /// More than a blob may hold.
    #[error("{size} bytes are more than the {BLOB_BYTES_MAX} a blob holds")]
    TooLarge {
        /// How many bytes.
        size: u64,
    },
    /// Whoever counts them refused it.
    #[error("{0}")]
    Refused(String),
    /// The store failed.
    #[error("the store of blobs failed")]
    Store(#[from] object_store::Error),
}

impl Fault {
    /// Whether the same call may succeed a moment later.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Store(_))
    }
}
