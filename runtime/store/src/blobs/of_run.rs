//! Blobs as runs see them: those of their organisation, each counted before it is put, and needed
//! by the version of the workspace that the run began with.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use envelope_evidence::{Digest, Timestamp};
use envelope_gate::workspace::{self as gate, Count, Counting};
use object_store::path::Path as Key;
use object_store::prefix::PrefixStore;

use super::{BlobError, Blobs, Version, counted};
use crate::work::Lease;

/// What tells the time.
pub type Clock = fn() -> Timestamp;

/// The version of a run's workspace that it began with.
const BEGINNING: i64 = 1;

impl Blobs {
    /// What the run of `lease` reads, and puts while the lease holds. Its workspace is there. The
    /// size of what did not fit into the quota is left in `refused`.
    pub fn of_run(&self, lease: Lease, clock: Clock, refused: Arc<AtomicU64>) -> gate::Blobs {
        self.seen(Some((lease, refused)), clock)
    }

    /// What is put for a run that is not there yet: to be saved before [`GRACE`](super::GRACE) is
    /// over.
    pub fn of_nobody(&self, clock: Clock) -> gate::Blobs {
        self.seen(None, clock)
    }

    fn seen(&self, run: Option<(Lease, Arc<AtomicU64>)>, clock: Clock) -> gate::Blobs {
        let prefix = Key::from(self.org.as_str());
        let objects = PrefixStore::new(Arc::clone(&self.objects), prefix);
        let counter = Counter { blobs: self.clone(), run, clock };
        gate::Blobs::new(Arc::new(objects)).counted(Arc::new(counter))
    }
}

struct Counter {
    blobs: Blobs,
    run: Option<(Lease, Arc<AtomicU64>)>,
    clock: Clock,
}

impl Counter {
    async fn count(&self, digest: Digest, size: u64) -> Result<(), BlobError> {
        let run = self.run.as_ref();
        let begun = run.map(|(lease, _)| (lease, Version { id: &lease.id, version: BEGINNING }));
        let counted = self.blobs.count(begun, digest, counted(size)?, (self.clock)()).await;
        if let (Some((_, refused)), Err(BlobError::Quota { size, .. })) = (run, &counted) {
            refused.store(*size, Ordering::Release);
        }
        counted
    }
}

impl Count for Counter {
    fn before(&self, digest: Digest, size: u64) -> Counting<'_> {
        Box::pin(async move { self.count(digest, size).await.map_err(|why| why.to_string()) })
    }
}

impl fmt::Debug for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counter").field("run", &self.run).finish_non_exhaustive()
    }
}
