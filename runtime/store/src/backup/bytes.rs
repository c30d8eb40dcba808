//! The bytes of blobs, beside the rows that say which there are: a file for each.

use cap_std::fs::Dir;
use envelope_evidence::Digest;
use object_store::ObjectStore;

use super::{BackupError, get_up_to, put};
use crate::blobs::{self, BLOB_BYTES_MAX};
use crate::sql::{Text, Wide};
use crate::value::{Row, Value};
use crate::{Org, Store, StoreError, Tx};

/// Rows read at once.
const PAGE: i64 = 256;

const KEPT: Wide = Wide(Text::common(
    "backup.blobs.kept",
    "SELECT org, digest FROM blobs WHERE (org, digest) > ($1, $2) AND state = 'kept'
    ORDER BY org, digest LIMIT $3",
));

const STILL: Wide = Wide(Text::common(
    "backup.blobs.still",
    "SELECT size FROM blobs b WHERE org = $1 AND digest = $2 AND state = 'kept'
    AND EXISTS (SELECT 1 FROM needs n WHERE n.org = b.org AND n.digest = b.digest)",
));

pub(super) const WIDE: [Wide; 2] = [KEPT, STILL];

/// Writes the bytes of every blob that `tx` sees, and tells how many.
pub(super) async fn write(
    (store, tx): (&Store, &mut Tx),
    objects: &dyn ObjectStore,
    folder: &Dir,
) -> Result<u64, BackupError> {
    let (mut from, mut count) = (first(), 0);
    while let Some(rows) = page(tx, &mut from).await? {
        for row in &rows {
            count += copy(store, row, objects, folder).await?;
        }
    }
    Ok(count)
}

/// A blob that nobody needs may be without its bytes: one that was collected since the moment of
/// the backup, that somebody is just putting, or that a crash left behind. Whoever restores finds
/// its row, and collects it again.
async fn copy(
    store: &Store,
    row: &Row,
    objects: &dyn ObjectStore,
    folder: &Dir,
) -> Result<u64, BackupError> {
    let (org, digest) = named(row)?;
    match blobs::read(objects, &org, digest).await {
        Ok(bytes) => put(folder, &name(&org, digest), &bytes).map(|()| 1),
        Err(why) => {
            let mut tx = store.read().await?;
            let still = tx.wide(&STILL, row.values().to_vec()).await?;
            if still.is_empty() { Ok(0) } else { Err(why.into()) }
        }
    }
}

/// Puts the bytes of every blob that `tx` sees into `objects`, and tells how many.
pub(super) async fn restore(
    tx: &mut Tx,
    objects: &dyn ObjectStore,
    folder: &Dir,
) -> Result<u64, BackupError> {
    let (mut from, mut count) = (first(), 0);
    while let Some(rows) = page(tx, &mut from).await? {
        for row in &rows {
            let (org, digest) = named(row)?;
            let path = name(&org, digest);
            if !folder.exists(&path) {
                continue;
            }
            let bytes = get_up_to(folder, &path, BLOB_BYTES_MAX)?;
            if Digest::of(&bytes) != digest {
                return Err(BackupError::Altered(path));
            }
            blobs::write(objects, &org, digest, bytes.into()).await?;
            count += 1;
        }
    }
    Ok(count)
}

fn first() -> Vec<Value> {
    vec![Value::from(""), "".into()]
}

/// The blobs after `from`, which moves on; none, when there are no more.
async fn page(tx: &mut Tx, from: &mut Vec<Value>) -> Result<Option<Vec<Row>>, StoreError> {
    from.push(PAGE.into());
    let rows = tx.wide(&KEPT, std::mem::take(from)).await?;
    let Some(last) = rows.last() else { return Ok(None) };
    *from = last.values().to_vec();
    Ok(Some(rows))
}

fn named(row: &Row) -> Result<(Org, Digest), StoreError> {
    let digest = row.text(1)?;
    let wrong = |_| StoreError::Data(format!("`{digest}` is no digest"));
    Ok((Org::new(row.text(0)?)?, digest.parse().map_err(wrong)?))
}

fn name(org: &Org, digest: Digest) -> String {
    format!("blobs/{org}/{}", digest.hex())
}
