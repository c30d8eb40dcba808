//! Where runs are kept.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use envelope_evidence::Timestamp;
use envelope_store::blobs::Blobs;
use envelope_store::{Org, Store};
use object_store::ObjectStore;

/// A database, and where the bytes of its blobs lie. All nodes of a house see the same of both.
#[derive(Debug, Clone)]
pub struct House {
    /// The database.
    pub store: Store,
    /// The bytes.
    pub objects: Arc<dyn ObjectStore>,
}

impl House {
    /// The blobs of an organisation.
    pub fn blobs(&self, org: &Org) -> Blobs {
        Blobs::new(self.store.clone(), org.clone(), Arc::clone(&self.objects))
    }
}

/// What time it is. A clock that is wrong can have work claimed too early or too late, and no more.
#[expect(clippy::disallowed_methods, reason = "a node lives by the clock of its machine")]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    Timestamp::from_millis(millis).unwrap_or(Timestamp::MAX)
}
