//! Proofs for whoever holds a checkpoint.

use envelope_evidence::tlog::{Log, Proof};
use envelope_evidence::{Digest, merkle};

use super::{AuditError, HASHES, LEAF_HASHES, PLACE_OF, RECEIPT, latest, signed, unsigned};
use crate::noun::Noun;
use crate::value::Value;
use crate::{Org, Store, Tx};

/// The proof that a row once stood as its `version` says, and the payload that it opens.
pub async fn prove_inclusion(
    store: &Store,
    log: &Log,
    noun: Noun,
    org: &Org,
    row: (&str, i64),
) -> Result<(Proof, String), AuditError> {
    prove(store, log, (noun.table(), org), row).await
}

/// The proof that a receipt is logged: the file that stands beside it in its folder.
pub async fn prove_receipt(
    store: &Store,
    log: &Log,
    org: &Org,
    id: &str,
) -> Result<Proof, AuditError> {
    let (proof, _) = prove(store, log, (RECEIPT, org), (id, 1)).await?;
    Ok(proof)
}

async fn prove(
    store: &Store,
    log: &Log,
    (noun, org): (&str, &Org),
    (id, version): (&str, i64),
) -> Result<(Proof, String), AuditError> {
    let mut tx = store.read().await?;
    let (held, checkpoint) = latest(&mut tx, log).await?.ok_or(AuditError::Unknown)?;
    let key = vec![noun.into(), org.as_str().into(), id.into(), version.into()];
    let rows = tx.wide(&PLACE_OF, key).await?;
    let row = rows.first().ok_or(AuditError::Unknown)?;
    let (index, payload, salt) = (unsigned(row.int(0)?)?, row.text(1)?, row.bytes(2)?);
    let leaves = leaves(&mut tx, held.size).await?;
    let place = usize::try_from(index).unwrap_or(usize::MAX);
    let hashes = merkle::prove_inclusion(&leaves, place)?;
    Ok((Proof { salt, index, hashes, checkpoint }, payload.to_owned()))
}

/// The proof that the log of `new` entries begins with that of `old`.
pub async fn prove_consistency(
    store: &Store,
    old: u64,
    new: u64,
) -> Result<Vec<Digest>, AuditError> {
    let mut tx = store.read().await?;
    let leaves = leaves(&mut tx, new).await?;
    Ok(merkle::prove_consistency(&leaves, usize::try_from(old).unwrap_or(usize::MAX))?)
}

/// The first `size` leaves.
async fn leaves(tx: &mut Tx, size: u64) -> Result<Vec<Digest>, AuditError> {
    let mut leaves = Vec::new();
    for from in (0..size).step_by(HASHES) {
        let count = HASHES.min(usize::try_from(size - from).unwrap_or(HASHES));
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let rows = tx.wide(&LEAF_HASHES, vec![Value::from(signed(from)?), count.into()]).await?;
        for row in &rows {
            leaves.push(Digest::from_bytes(row.bytes(0)?));
        }
    }
    match u64::try_from(leaves.len()) {
        Ok(found) if found == size => Ok(leaves),
        Ok(_) | Err(_) => Err(AuditError::Unproven(merkle::Unproven::Shrunk)),
    }
}
