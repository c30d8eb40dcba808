//! The audit log: every change of every noun, in an order that cannot be quietly altered.
//!
//! Triggers write each change into `audit_in`, in its own transaction. The [`sequencer`](sequence)
//! gives it a place; a [`Publisher`] makes the Merkle log of it that strangers read; [`verify`]
//! holds table, log and signatures against one another. Rules of the database stop accidents;
//! whoever owns the database is stopped by the checkpoints that others hold.

mod finding;
mod kept;
mod moved;
mod prove;
mod publish;
mod table;
mod tiles;
mod verify;
mod witness;

use envelope_evidence::tlog::{self, Checkpoint, Log, Salt, Untrusted};
use envelope_evidence::{Digest, merkle};
use serde_json::{Value as Json, json};

use crate::sql::{Text, Wide};
use crate::value::{Row, Value};
use crate::{Store, StoreError, Tx};

pub use finding::{FINDINGS_MAX, Finding};
pub use prove::{prove_consistency, prove_inclusion, prove_receipt};
pub use publish::Publisher;
pub use verify::verify;
pub use witness::{NotWitnessed, cosign};

/// Changes that get their places in one transaction: enough that a commit costs little for each,
/// few enough that nobody waits long behind it.
pub const BATCH_MAX: i64 = 256;

/// What the log calls a receipt that it logs as one.
const RECEIPT: &str = "receipt";

/// Rows read at once, most of some hundred bytes; what a receipt says is some kilobytes.
const PAGE: u64 = 256;

/// Hashes read at once.
const HASHES: usize = 4096;

/// The sequencer that comes second waits for the first. On SQLite the transaction does that.
const TURN: Wide = Wide(Text {
    name: "audit.turn",
    sqlite: "SELECT 1",
    postgres: "SELECT pg_advisory_xact_lock(5063947133)::text",
});

const PENDING: Wide = Wide(Text::common(
    "audit.pending",
    "SELECT i.seq, i.payload, i.salt, i.noun FROM audit_pending p JOIN audit_in i ON i.seq = p.seq
    ORDER BY p.seq LIMIT $1",
));

const WAITING: Wide = Wide(Text::common("audit.waiting", "SELECT count(*) FROM audit_pending"));

const SIZE: Wide =
    Wide(Text::common("audit.size", "SELECT coalesce(max(idx) + 1, 0) FROM audit_leaf"));

/// A batch at once, as a JSON array of places, numbers and leaves in hex: a statement for each
/// would cost more than all the rest.
const PLACE: Wide = Wide(Text {
    name: "audit.place",
    sqlite: "INSERT INTO audit_leaf (idx, seq, leaf)
        SELECT value ->> 0, value ->> 1, unhex(value ->> 2) FROM json_each($1) ORDER BY key",
    postgres: "INSERT INTO audit_leaf (idx, seq, leaf)
        SELECT (row ->> 0)::bigint, (row ->> 1)::bigint, decode(row ->> 2, 'hex')
        FROM json_array_elements($1::text::json) WITH ORDINALITY AS rows (row, number)
        ORDER BY number",
});

const PLACED: Wide = Wide(Text {
    name: "audit.placed",
    sqlite: "DELETE FROM audit_pending
        WHERE seq IN (SELECT value ->> 1 FROM json_each($1))",
    postgres: "DELETE FROM audit_pending WHERE seq IN (
            SELECT (row ->> 1)::bigint FROM json_array_elements($1::text::json) AS rows (row)
        )",
});

const LEAVES: Wide = Wide(Text::common(
    "audit.leaves",
    "SELECT l.idx, l.seq, l.leaf, i.payload, i.salt, i.noun, i.org, i.id FROM audit_leaf l
    LEFT JOIN audit_in i ON i.seq = l.seq WHERE l.idx >= $1 ORDER BY l.idx LIMIT $2",
));

const LEAF_HASHES: Wide = Wide(Text::common(
    "audit.leaf_hashes",
    "SELECT leaf FROM audit_leaf WHERE idx >= $1 ORDER BY idx LIMIT $2",
));

const SIGNED: Wide =
    Wide(Text::common("audit.signed", "SELECT size, note FROM audit_checkpoint ORDER BY size"));

const LATEST: Wide = Wide(Text::common(
    "audit.latest",
    "SELECT size, note FROM audit_checkpoint ORDER BY size DESC LIMIT 1",
));

const SIGN: Wide =
    Wide(Text::common("audit.sign", "INSERT INTO audit_checkpoint (size, note) VALUES ($1, $2)"));

const UNPLACED: Wide = Wide(Text::common(
    "audit.unplaced",
    "SELECT i.seq FROM audit_in i
    WHERE NOT EXISTS (SELECT 1 FROM audit_leaf l WHERE l.seq = i.seq)
    AND NOT EXISTS (SELECT 1 FROM audit_pending p WHERE p.seq = i.seq)
    ORDER BY i.seq LIMIT $1",
));

const PLACE_OF: Wide = Wide(Text::common(
    "audit.place_of",
    "SELECT l.idx, i.payload, i.salt FROM audit_in i JOIN audit_leaf l ON l.seq = i.seq
    WHERE i.noun = $1 AND i.org = $2 AND i.id = $3 AND i.version = $4",
));

const STATEMENTS: [Wide; 13] = [
    TURN,
    PENDING,
    WAITING,
    SIZE,
    PLACE,
    PLACED,
    LEAVES,
    SIGNED,
    LATEST,
    SIGN,
    UNPLACED,
    PLACE_OF,
    LEAF_HASHES,
];

pub(crate) fn statements() -> impl Iterator<Item = Wide> {
    STATEMENTS.into_iter().chain(kept::statements()).chain(moved::statements())
}

/// The entry of the public log for a change: a commitment, which tells nothing without its salt.
pub fn entry(salt: &Salt, payload: &[u8]) -> Vec<u8> {
    let commit = Digest::of_parts(&[salt, payload]);
    // Canonical as it stands: members in order, nothing to escape.
    format!(r#"{{"commit":"{commit}","kind":"change","v":1}}"#).into_bytes()
}

/// The entry for what a trigger wrote: a receipt is logged as every verifier of receipts knows it.
fn entry_of(noun: &str, salt: &Salt, payload: &[u8]) -> Vec<u8> {
    if noun == RECEIPT { tlog::entry(salt, payload) } else { entry(salt, payload) }
}

/// How far the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Changes that have their places.
    pub placed: i64,
    /// Changes that wait for theirs.
    pub waiting: i64,
    /// Entries under the last checkpoint, if there is one.
    pub signed: Option<i64>,
}

/// How far the log is.
pub async fn progress(store: &Store) -> Result<Progress, StoreError> {
    let mut tx = store.read().await?;
    let waiting = tx.wide(&WAITING, Vec::new()).await?;
    let waiting = waiting.first().map_or(Ok(0), |row| row.int(0))?;
    let signed = tx.wide(&LATEST, Vec::new()).await?;
    let signed = signed.first().map(|row| row.int(0)).transpose()?;
    Ok(Progress { placed: size(&mut tx).await?, waiting, signed })
}

/// Gives at most [`BATCH_MAX`] changes their places in the log, and tells how many.
pub async fn sequence(store: &Store) -> Result<usize, StoreError> {
    let mut tx = store.write().await?;
    tx.wide(&TURN, Vec::new()).await?;
    let pending = tx.wide(&PENDING, vec![Value::from(BATCH_MAX)]).await?;
    let mut next = size(&mut tx).await?;
    let mut rows = Vec::with_capacity(pending.len());
    for change in &pending {
        let salt = change.bytes(2)?;
        let leaf = merkle::leaf(&entry_of(change.text(3)?, &salt, change.text(1)?.as_bytes()));
        rows.push(json!([next, change.int(0)?, leaf.hex()]));
        next += 1;
    }
    let rows = Value::from(Json::from(rows).to_string().as_str());
    tx.wide(&PLACE, vec![rows.clone()]).await?;
    tx.wide(&PLACED, vec![rows]).await?;
    tx.commit().await?;
    Ok(pending.len())
}

/// Why a log is not continued or not believed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A checkpoint that is not ours.
    #[error("the checkpoint of {size} entries: {why}")]
    Checkpoint {
        /// Its size, as far as it is known.
        size: u64,
        /// What is wrong with it.
        why: Untrusted,
    },
    /// What was signed before is not what the log begins with: signing on would fork it.
    #[error("the log no longer begins with the {size} entries that were signed: nothing is signed")]
    Fork {
        /// The size of the checkpoint.
        size: u64,
    },
    /// Others signed again and again while this one wrote its files.
    #[error("others sign the log faster than its files are written here: let one publish")]
    Overtaken,
    /// No proof.
    #[error("there is no proof: {0}")]
    Unproven(#[from] merkle::Unproven),
    /// A change that has no place yet, or never was.
    #[error("the log does not know this change")]
    Unknown,
    /// The folder of the public log.
    #[error("`{path}`: {why}")]
    Folder {
        /// The file in it.
        path: String,
        /// What the disk says.
        why: std::io::Error,
    },
}

async fn size(tx: &mut Tx) -> Result<i64, StoreError> {
    let rows = tx.wide(&SIZE, Vec::new()).await?;
    rows.first().ok_or_else(|| StoreError::Data("a log without a size".to_owned()))?.int(0)
}

/// The checkpoint last signed, with its note.
async fn latest(tx: &mut Tx, log: &Log) -> Result<Option<(Checkpoint, String)>, AuditError> {
    let rows = tx.wide(&LATEST, Vec::new()).await?;
    rows.first().map(|row| opened(row, log)).transpose()
}

fn opened(row: &Row, log: &Log) -> Result<(Checkpoint, String), AuditError> {
    let size = unsigned(row.int(0)?)?;
    let note = row.text(1)?;
    let checkpoint = log.open(note).map_err(|why| AuditError::Checkpoint { size, why })?;
    if checkpoint.size != size {
        return Err(AuditError::Fork { size });
    }
    Ok((checkpoint, note.to_owned()))
}

/// The leaves of the log from `from` on, one page.
async fn page(tx: &mut Tx, from: u64) -> Result<Vec<Row>, StoreError> {
    tx.wide(&LEAVES, vec![Value::from(signed(from)?), Value::from(signed(PAGE)?)]).await
}

fn unsigned(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| StoreError::Data(format!("a negative place, {number}")))
}

fn signed(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::Data(format!("a place too far, {number}")))
}
