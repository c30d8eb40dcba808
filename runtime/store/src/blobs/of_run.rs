//! Blobs as runs see them: those of their organisation, each counted before it is put, and needed
//! by the version of the workspace that the run began with.

use std::fmt;
use std::sync::Arc;

use envelope_evidence::{Digest, Timestamp};
use envelope_gate::workspace::{self as gate, Count, Counting};
use object_store::path::Path as Key;
use object_store::prefix::PrefixStore;

use super::{BlobError, Blobs, Version, counted};

/// What tells the time.
pub type Clock = fn() -> Timestamp;

/// The version of a run's workspace that it began with.
const BEGINNING: i64 = 1;

impl Blobs {
    /// What the run `id` reads and puts. Its workspace of that name is there.
    pub fn of_run(&self, id: &str, clock: Clock) -> gate::Blobs {
        self.seen(Some(id.to_owned()), clock)
    }

    /// What is put for a run that is not there yet: to be saved before [`GRACE`](super::GRACE) is
    /// over.
    pub fn of_nobody(&self, clock: Clock) -> gate::Blobs {
        self.seen(None, clock)
    }

    fn seen(&self, run: Option<String>, clock: Clock) -> gate::Blobs {
        let prefix = Key::from(self.org.as_str());
        let objects = PrefixStore::new(Arc::clone(&self.objects), prefix);
        let counter = Counter { blobs: self.clone(), run, clock };
        gate::Blobs::new(Arc::new(objects)).counted(Arc::new(counter))
    }
}

struct Counter {
    blobs: Blobs,
    run: Option<String>,
    clock: Clock,
}

impl Counter {
    async fn count(&self, digest: Digest, size: u64) -> Result<(), BlobError> {
        let begun = self.run.as_deref().map(|id| Version { id, version: BEGINNING });
        self.blobs.count(begun, digest, counted(size)?, (self.clock)()).await
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
