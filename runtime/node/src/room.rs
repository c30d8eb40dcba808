//! What becomes of a run whose organisation has no room for what it has to keep.

use envelope_gate::stop::Stop;
use envelope_store::work::Lease;

use crate::{House, NodeError};

/// How a run has to end that could not keep `size` bytes, unless there is room by now: claimed
/// again, it would make its paid call again, and find no room again.
pub(crate) async fn stop(
    house: &House,
    lease: &Lease,
    size: u64,
) -> Result<Option<Stop>, NodeError> {
    let (used, cap) = house.blobs(&lease.org).quota().await?;
    let room = u64::try_from(cap.saturating_sub(used)).unwrap_or_default();
    let why = || format!("{size} bytes to keep do not fit: {used} of {cap} are used");
    Ok((room < size).then(|| Stop::Killed(why())))
}
