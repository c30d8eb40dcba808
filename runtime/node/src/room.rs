//! Runs whose organisation had no room for what they had to keep. Such a run would make its paid
//! call again at each attempt: it ends instead, unless there is room when it comes up next.

use envelope_gate::stop::Stop;
use envelope_store::work::Lease;

use crate::known::Known;
use crate::{House, NodeError};

/// By run, the bytes that did not fit. One that is forgotten makes its call once more.
#[derive(Default)]
pub(crate) struct Rooms(Known<u64>);

impl Rooms {
    /// Remembers that `size` bytes of a run did not fit.
    pub(crate) fn refused(&self, lease: &Lease, size: u64) {
        self.0.set(lease, size);
    }

    /// How the run has to end, if what did not fit before still does not.
    pub(crate) async fn stop(
        &self,
        house: &House,
        lease: &Lease,
    ) -> Result<Option<Stop>, NodeError> {
        let Some(size) = self.0.get(lease) else { return Ok(None) };
        let (used, cap) = house.blobs(&lease.org).quota().await?;
        let room = u64::try_from(cap.saturating_sub(used)).unwrap_or_default();
        if room >= size {
            self.0.forget(lease);
            return Ok(None);
        }
        let why = format!("{size} bytes to keep do not fit: {used} of {cap} are used");
        Ok(Some(Stop::Killed(why)))
    }

    /// The run has ended.
    pub(crate) fn forget(&self, lease: &Lease) {
        self.0.forget(lease);
    }
}
