//! The gate's journal over the database: one run's lines, in chunks that share their commits.

use envelope_gate::journal::{JournalWriter, Writing};
use envelope_gate::stop::Fault;

use super::Queue;
use crate::work::Lease;

/// Writes the journal of a run that this node holds.
pub struct InStore {
    queue: Queue,
    lease: Lease,
    next: i64,
    pending: Vec<u8>,
}

impl InStore {
    /// Goes on with the journal of `lease` at the chunk `next`, which is what
    /// [`read`](super::read) said, or zero.
    pub const fn new(queue: Queue, lease: Lease, next: i64) -> Self {
        Self { queue, lease, next, pending: Vec::new() }
    }
}

impl JournalWriter for InStore {
    fn write(&mut self, line: &[u8]) -> Result<(), Fault> {
        self.pending.extend_from_slice(line);
        Ok(())
    }

    fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Whatever is written lasts: a database has no commit that does not. Lines are pending until
    /// they are known to last; if they do last and nobody heard it, the next flush is refused.
    fn flush(&mut self, _durable: bool) -> Writing<'_> {
        Box::pin(async move {
            if self.pending.is_empty() {
                return Ok(());
            }
            let written = self.queue.append(&self.lease, self.next, self.pending.clone()).await;
            written.map_err(|why| Fault::Journal(why.to_string()))?;
            self.pending.clear();
            self.next += 1;
            Ok(())
        })
    }
}
