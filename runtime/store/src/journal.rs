//! The journals of runs, written together.
//!
//! A commit costs the same for one run as for many, so whoever waits for the disk waits in one
//! queue, and one transaction takes all that has gathered. The queue has an end: when the disk is
//! slower than the runs, the runs wait. What was acknowledged is in the database.

mod writer;

use tokio::sync::{mpsc, oneshot};

use crate::sql::{Scoped, Text};
use crate::value::Value;
use crate::work::Lease;
use crate::{Org, Store, StoreError, Tx};

pub use writer::InStore;

/// Chunks that may wait: more than runs on one node, each of which waits for its own.
pub const WAITING_MAX: usize = 1024;

/// Chunks in one transaction: more would let the first wait long for the last.
pub const TOGETHER_MAX: usize = 256;

/// Bytes of one chunk: a run makes its guest wait long before.
pub const CHUNK_BYTES_MAX: usize = 16 << 20;

/// Chunks read at once.
const PAGE_MAX: i64 = 64;

/// Goes on only where the writer believes the journal ends.
const APPEND: Scoped = Scoped(Text::common(
    "journal.append",
    "INSERT INTO journal (org, id, chunk, epoch, lines)
    SELECT org, id, $4, epoch, $5 FROM work WHERE org = $1 AND id = $2 AND epoch = $3
    AND $4 = (SELECT coalesce(max(chunk) + 1, 0) FROM journal WHERE org = $1 AND id = $2)
    RETURNING chunk",
));

const READ: Scoped = Scoped(Text::common(
    "journal.read",
    "SELECT chunk, lines FROM journal WHERE org = $1 AND id = $2 AND chunk >= $3
    ORDER BY chunk LIMIT $4",
));

pub(crate) const SCOPED: [Scoped; 2] = [APPEND, READ];

/// A chunk on its way, and who waits for it.
struct Waiting {
    lease: Lease,
    chunk: i64,
    lines: Vec<u8>,
    told: oneshot::Sender<Result<(), Lost>>,
}

/// The queue for the disk. Clones share it; the last one dropped ends the [`Scribe`].
#[derive(Debug, Clone)]
pub struct Queue {
    waiting: mpsc::Sender<Waiting>,
}

/// Why a chunk was not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Lost {
    /// Another node has the run.
    #[error("the run is no longer ours")]
    Fenced,
    /// The journal does not end where the writer believes.
    #[error("the journal does not end before chunk {0}")]
    Misplaced(i64),
    /// More than [`CHUNK_BYTES_MAX`].
    #[error("a chunk has at most {CHUNK_BYTES_MAX} bytes")]
    TooLong,
    /// The database failed; whether the chunk was written shows when the run is resumed.
    #[error("the journal cannot be written: {0}")]
    Database(String),
}

/// Writes what waits in the queue.
pub struct Scribe {
    store: Store,
    waiting: mpsc::Receiver<Waiting>,
}

/// A queue, and who works it off.
pub fn queue(store: Store) -> (Queue, Scribe) {
    let (sender, waiting) = mpsc::channel(WAITING_MAX);
    (Queue { waiting: sender }, Scribe { store, waiting })
}

impl Queue {
    /// Appends `lines` to the journal of a run as its `chunk`, counted from zero. When this returns
    /// they survive a power cut.
    pub async fn append(&self, lease: &Lease, chunk: i64, lines: Vec<u8>) -> Result<(), Lost> {
        if lines.len() > CHUNK_BYTES_MAX {
            return Err(Lost::TooLong);
        }
        let (told, hear) = oneshot::channel();
        let waiting = Waiting { lease: lease.clone(), chunk, lines, told };
        let gone = || Lost::Database("nobody writes any more".to_owned());
        self.waiting.send(waiting).await.map_err(|_| gone())?;
        hear.await.map_err(|_| gone())?
    }
}

impl Scribe {
    /// Writes until the last queue is dropped and empty.
    pub async fn serve(mut self) {
        let mut batch = Vec::new();
        while self.waiting.recv_many(&mut batch, TOGETHER_MAX).await > 0 {
            let ends = write(&self.store, &mut batch).await;
            for (waiting, end) in batch.drain(..).zip(ends) {
                // Whoever no longer listens finds the chunk when it resumes.
                let _ = waiting.told.send(end);
            }
        }
    }
}

/// Writes a batch in one transaction, and tells what became of each chunk.
async fn write(store: &Store, batch: &mut [Waiting]) -> Vec<Result<(), Lost>> {
    // In one order everywhere, or two nodes could wait for each other's rows.
    batch.sort_by(|a, b| {
        let key = |one: &Waiting| (one.lease.org.clone(), one.lease.id.clone(), one.chunk);
        key(a).cmp(&key(b))
    });
    match try_write(store, batch).await {
        Ok(ends) => ends,
        Err(why) => batch.iter().map(|_| Err(Lost::Database(why.to_string()))).collect(),
    }
}

async fn try_write(store: &Store, batch: &[Waiting]) -> Result<Vec<Result<(), Lost>>, StoreError> {
    let mut tx = store.write().await?;
    let mut ends = Vec::with_capacity(batch.len());
    for waiting in batch {
        ends.push(append(&mut tx, waiting).await?);
    }
    tx.commit().await?;
    Ok(ends)
}

async fn append(tx: &mut Tx, waiting: &Waiting) -> Result<Result<(), Lost>, StoreError> {
    let Waiting { lease, chunk, lines, told: _ } = waiting;
    let mut rows = tx.of(&lease.org);
    match rows.hold(lease).await {
        Ok(()) => {}
        Err(StoreError::Fenced { .. }) => return Ok(Err(Lost::Fenced)),
        Err(other) => return Err(other),
    }
    let row = vec![
        Value::from(lease.id.as_str()),
        lease.epoch.into(),
        Value::from(*chunk),
        lines.as_slice().into(),
    ];
    let written = rows.run(&APPEND, row).await?;
    Ok(if written.is_empty() { Err(Lost::Misplaced(*chunk)) } else { Ok(()) })
}

/// The journal of a run, and the number of its next chunk.
pub async fn read(store: &Store, org: &Org, id: &str) -> Result<(Vec<u8>, i64), StoreError> {
    lines(&mut store.read().await?, org, id).await
}

/// The journal of a run as this transaction sees it, and the number of its next chunk.
pub(crate) async fn lines(tx: &mut Tx, org: &Org, id: &str) -> Result<(Vec<u8>, i64), StoreError> {
    let (mut lines, mut next) = (Vec::new(), 0);
    loop {
        let page = vec![Value::from(id), Value::from(next), Value::from(PAGE_MAX)];
        let rows = tx.of(org).run(&READ, page).await?;
        if rows.is_empty() {
            return Ok((lines, next));
        }
        for row in &rows {
            if row.int(0)? != next {
                return Err(StoreError::Data(format!("chunk {next} of `{id}` is missing")));
            }
            lines.extend_from_slice(row.blob(1)?);
            next += 1;
        }
    }
}
