//! Collecting blobs that nobody needs: first doomed in the database, then removed, then forgotten.
//! Whatever is interrupted is taken up by the next sweep.

use std::sync::Arc;
use std::time::Duration;

use envelope_evidence::{Digest, Timestamp};
use object_store::ObjectStore;

use super::{BlobError, Blobs, GRACE, SHRINK, digest, named, objects};
use crate::sql::{Scoped, Text, Wide};
use crate::value::Value;
use crate::work::moment;
use crate::{Org, Store};

/// Blobs of one sweep: it is repeated until it finds none, and nobody waits long behind it.
pub const SWEPT_MAX: i64 = 256;

/// Keeps the blobs until the transaction ends; whoever saves a version just now keeps them first.
const OLD: Scoped = Scoped(Text {
    name: "blobs.old",
    sqlite: "SELECT digest FROM blobs WHERE org = $1 AND state = 'kept' AND touched < $2
        AND NOT EXISTS (
            SELECT 1 FROM needs n WHERE n.org = blobs.org AND n.digest = blobs.digest
        ) ORDER BY digest LIMIT $3",
    postgres: "SELECT digest FROM blobs WHERE org = $1 AND state = 'kept' AND touched < $2
        AND NOT EXISTS (
            SELECT 1 FROM needs n WHERE n.org = blobs.org AND n.digest = blobs.digest
        ) ORDER BY digest LIMIT $3 FOR UPDATE SKIP LOCKED",
});

/// Asks again whether nobody needs the blob: what was saved before it was kept is seen only now.
const DOOM: Scoped = Scoped(Text::common(
    "blobs.doom",
    "UPDATE blobs SET state = 'doomed' WHERE org = $1 AND digest = $2 AND state = 'kept'
    AND touched < $3 AND NOT EXISTS (
        SELECT 1 FROM needs n WHERE n.org = blobs.org AND n.digest = blobs.digest
    ) RETURNING digest",
));

const DOOMED: Scoped = Scoped(Text::common(
    "blobs.doomed",
    "SELECT digest FROM blobs WHERE org = $1 AND state = 'doomed' ORDER BY digest LIMIT $2",
));

/// One sweep removes a blob, and nobody puts it again meanwhile; on SQLite the transaction sees to
/// that.
const HOLD: Scoped = Scoped(Text {
    name: "blobs.hold",
    sqlite: "SELECT size FROM blobs WHERE org = $1 AND digest = $2 AND state = 'doomed'",
    postgres: "SELECT size FROM blobs WHERE org = $1 AND digest = $2 AND state = 'doomed'
        FOR UPDATE",
});

const FORGET: Scoped = Scoped(Text::common(
    "blobs.forget",
    "DELETE FROM blobs WHERE org = $1 AND digest = $2 AND state = 'doomed' RETURNING size",
));

/// Whoever keeps anything.
const KEEPERS: Wide = Wide(Text::common(
    "blobs.keepers",
    "SELECT org FROM storage WHERE used > 0 AND org > $1 ORDER BY org LIMIT $2",
));

pub(crate) const WIDE: [Wide; 1] = [KEEPERS];

pub(super) const SCOPED: [Scoped; 5] = [OLD, DOOM, DOOMED, HOLD, FORGET];

/// Removes every blob that nobody needs, whoever's it is, and tells how many.
pub async fn sweep(
    store: &Store,
    objects: &Arc<dyn ObjectStore>,
    now: Timestamp,
) -> Result<usize, BlobError> {
    let (mut after, mut count) = (String::new(), 0_usize);
    loop {
        let page = vec![Value::from(after.as_str()), Value::from(SWEPT_MAX)];
        let keepers = store.read().await?.wide(&KEEPERS, page).await?;
        let Some(last) = keepers.last() else { return Ok(count) };
        after = last.text(0)?.to_owned();
        for keeper in &keepers {
            let blobs = Blobs::new(store.clone(), Org::new(keeper.text(0)?)?, Arc::clone(objects));
            loop {
                match blobs.sweep(now).await? {
                    0 => break,
                    some => count = count.saturating_add(some),
                }
            }
        }
    }
}

impl Blobs {
    /// Removes at most [`SWEPT_MAX`] blobs that nobody needs, and tells how many.
    pub async fn sweep(&self, now: Timestamp) -> Result<usize, BlobError> {
        let grace = u64::try_from(GRACE.as_millis()).unwrap_or(u64::MAX);
        let old =
            Timestamp::from_millis(now.millis().saturating_sub(grace)).unwrap_or(Timestamp::ZERO);
        let old = moment(old, Duration::ZERO)?;
        let mut tx = self.store.write().await?;
        let mut rows = tx.of(&self.org);
        for row in rows.run(&OLD, vec![old.clone(), Value::from(SWEPT_MAX)]).await? {
            rows.run(&DOOM, vec![Value::from(row.text(0)?), old.clone()]).await?;
        }
        tx.commit().await?;
        let mut tx = self.store.read().await?;
        let doomed = tx.of(&self.org).run(&DOOMED, vec![Value::from(SWEPT_MAX)]).await?;
        drop(tx);
        for row in &doomed {
            let digest = digest(row.text(0)?)?;
            self.remove(digest).await?;
        }
        Ok(doomed.len())
    }

    async fn remove(&self, digest: Digest) -> Result<(), BlobError> {
        let mut tx = self.store.write().await?;
        let mut rows = tx.of(&self.org);
        if rows.run(&HOLD, vec![named(digest)]).await?.is_empty() {
            // Another sweep was faster, and it may have been put again since.
            return Ok(());
        }
        objects::remove(&*self.objects, &self.org, digest).await?;
        let gone = rows.run(&FORGET, vec![named(digest)]).await?;
        if let Some(row) = gone.first() {
            rows.run(&SHRINK, vec![Value::from(row.int(0)?)]).await?;
        }
        Ok(tx.commit().await?)
    }
}
