//! Where the bytes lie: a folder of this machine, or S3 and whatever speaks its protocol.

use std::io;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use envelope_evidence::Digest;
use envelope_gate::workspace::Folder;
use object_store::aws::{AmazonS3Builder, S3ConditionalPut};
use object_store::path::Path as Key;
use object_store::prefix::PrefixStore;
use object_store::{Error, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions};

use super::BLOB_BYTES_MAX;
use crate::Org;

/// A bucket, and who asks for it.
#[derive(Clone)]
pub struct S3 {
    /// The server, `https://…`; for one on this machine `http://…`. Without it, the region's.
    pub endpoint: Option<String>,
    /// The region.
    pub region: String,
    /// The bucket.
    pub bucket: String,
    /// What the names of all blobs begin with there; it may be empty.
    pub prefix: String,
    /// The name of the key.
    pub access_key: String,
    /// The key.
    pub secret_key: String,
    /// What belongs to a key that holds for a while only.
    pub token: Option<String>,
}

/// Blobs in a folder of this machine, which exists. What was put there survives a power cut.
pub fn folder(path: impl AsRef<Path>) -> io::Result<Arc<dyn ObjectStore>> {
    Folder::open(path).map(|folder| -> Arc<dyn ObjectStore> { Arc::new(folder) })
}

/// Blobs in S3. Without encryption only to this machine.
pub fn s3(at: S3) -> Result<Arc<dyn ObjectStore>, Error> {
    let near = ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"];
    let near = at.endpoint.as_ref().is_some_and(|at| near.iter().any(|near| at.starts_with(near)));
    let prefix = Key::parse(at.prefix)?;
    let mut store = AmazonS3Builder::new()
        .with_region(at.region)
        .with_bucket_name(at.bucket)
        .with_access_key_id(at.access_key)
        .with_secret_access_key(at.secret_key)
        .with_allow_http(near)
        .with_conditional_put(S3ConditionalPut::ETagMatch);
    if let Some(endpoint) = at.endpoint {
        store = store.with_endpoint(endpoint);
    }
    if let Some(token) = at.token {
        store = store.with_token(token);
    }
    Ok(Arc::new(PrefixStore::new(store.build()?, prefix)))
}

/// Keeps a blob: only where nothing is, or else in the place of what has another size and is
/// therefore broken.
pub(super) async fn put(
    objects: &dyn ObjectStore,
    org: &Org,
    digest: Digest,
    bytes: Bytes,
) -> Result<(), Error> {
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let create = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
    match objects.put_opts(&key(org, digest), bytes.clone().into(), create).await {
        Ok(_) => Ok(()),
        Err(Error::AlreadyExists { .. }) => {
            if self::size(objects, org, digest).await? == Some(size) {
                return Ok(());
            }
            objects.put(&key(org, digest), bytes.into()).await.map(|_| ())
        }
        Err(other) => Err(other),
    }
}

pub(super) async fn get(
    objects: &dyn ObjectStore,
    org: &Org,
    digest: Digest,
) -> Result<Option<Bytes>, Error> {
    match objects.get(&key(org, digest)).await {
        // What is larger than any blob is none; its bytes would only fill the memory.
        Ok(found) if found.meta.size > BLOB_BYTES_MAX => Ok(Some(Bytes::new())),
        Ok(found) => found.bytes().await.map(Some),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}

pub(super) async fn size(
    objects: &dyn ObjectStore,
    org: &Org,
    digest: Digest,
) -> Result<Option<u64>, Error> {
    match objects.head(&key(org, digest)).await {
        Ok(meta) => Ok(Some(meta.size)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}

/// Removes a blob; that it is gone already is as good.
pub(super) async fn remove(
    objects: &dyn ObjectStore,
    org: &Org,
    digest: Digest,
) -> Result<(), Error> {
    match objects.delete(&key(org, digest)).await {
        Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
        Err(other) => Err(other),
    }
}

/// Where the blob lies: spread over 256 folders, which is what file systems like.
fn key(org: &Org, digest: Digest) -> Key {
    let hex = digest.hex();
    Key::from_iter([org.as_str(), "sha256", hex.get(..2).unwrap_or_default(), &hex])
}
