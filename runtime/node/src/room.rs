//! Runs whose organisation had no room for what they had to keep. Such a run would make its paid
//! call again at each attempt: it ends instead, unless there is room when it comes up next.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use envelope_gate::stop::Stop;
use envelope_store::Org;
use envelope_store::work::Lease;

use crate::{House, NodeError};

/// Runs that are remembered. One that is forgotten makes its call once more.
const REFUSED_MAX: usize = 10_000;

/// By run, the bytes that did not fit.
#[derive(Default)]
pub(crate) struct Rooms(Mutex<BTreeMap<(Org, String), u64>>);

impl Rooms {
    /// Remembers that `size` bytes of a run did not fit.
    pub(crate) fn refused(&self, lease: &Lease, size: u64) {
        let mut known = self.known();
        if known.len() >= REFUSED_MAX {
            known.pop_first();
        }
        known.insert((lease.org.clone(), lease.id.clone()), size);
    }

    /// How the run has to end, if what did not fit before still does not.
    pub(crate) async fn stop(
        &self,
        house: &House,
        lease: &Lease,
    ) -> Result<Option<Stop>, NodeError> {
        let key = (lease.org.clone(), lease.id.clone());
        let Some(size) = self.known().get(&key).copied() else { return Ok(None) };
        let (used, cap) = house.blobs(&lease.org).quota().await?;
        let room = u64::try_from(cap.saturating_sub(used)).unwrap_or_default();
        if room >= size {
            self.known().remove(&key);
            return Ok(None);
        }
        let why = format!("{size} bytes to keep do not fit: {used} of {cap} are used");
        Ok(Some(Stop::Killed(why)))
    }

    /// The run has ended.
    pub(crate) fn forget(&self, lease: &Lease) {
        self.known().remove(&(lease.org.clone(), lease.id.clone()));
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<(Org, String), u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
