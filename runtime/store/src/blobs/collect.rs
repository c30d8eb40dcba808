//! Collecting blobs that nobody needs: first doomed in the database, then removed, then forgotten.
//! Whatever is interrupted is taken up by the next sweep.

use std::time::Duration;

use envelope_evidence::Timestamp;

use super::{BlobError, Blobs, GRACE, SHRINK, digest, named, objects};
use crate::sql::{Scoped, Text};
use crate::value::Value;
use crate::work::moment;

/// Blobs of one sweep: it is repeated until it finds none, and nobody waits long behind it.
pub const SWEPT_MAX: i64 = 256;

const DOOM: Scoped = Scoped(Text::common(
    "blobs.doom",
    "UPDATE blobs SET state = 'doomed' WHERE org = $1 AND digest IN (
        SELECT digest FROM blobs b WHERE b.org = $1 AND b.state = 'kept' AND b.touched < $2
        AND NOT EXISTS (SELECT 1 FROM needs n WHERE n.org = b.org AND n.digest = b.digest)
        ORDER BY digest LIMIT $3
    ) AND state = 'kept' AND touched < $2 RETURNING digest",
));

const DOOMED: Scoped = Scoped(Text::common(
    "blobs.doomed",
    "SELECT digest FROM blobs WHERE org = $1 AND state = 'doomed' ORDER BY digest LIMIT $2",
));

const FORGET: Scoped = Scoped(Text::common(
    "blobs.forget",
    "DELETE FROM blobs WHERE org = $1 AND digest = $2 AND state = 'doomed' RETURNING size",
));

pub(super) const SCOPED: [Scoped; 3] = [DOOM, DOOMED, FORGET];

impl Blobs {
    /// Removes at most [`SWEPT_MAX`] blobs that nobody needs, and tells how many.
    pub async fn sweep(&self, now: Timestamp) -> Result<usize, BlobError> {
        let grace = u64::try_from(GRACE.as_millis()).unwrap_or(u64::MAX);
        let old =
            Timestamp::from_millis(now.millis().saturating_sub(grace)).unwrap_or(Timestamp::ZERO);
        let mut tx = self.store.write().await?;
        let doom = vec![moment(old, Duration::ZERO)?, Value::from(SWEPT_MAX)];
        tx.of(&self.org).run(&DOOM, doom).await?;
        tx.commit().await?;
        let mut tx = self.store.read().await?;
        let doomed = tx.of(&self.org).run(&DOOMED, vec![Value::from(SWEPT_MAX)]).await?;
        drop(tx);
        for row in &doomed {
            let digest = digest(row.text(0)?)?;
            // Whoever wants it back has to wait until the row is gone, so nothing new is removed.
            objects::remove(&*self.objects, &self.org, digest).await?;
            let mut tx = self.store.write().await?;
            let mut rows = tx.of(&self.org);
            let gone = rows.run(&FORGET, vec![named(digest)]).await?;
            if let Some(row) = gone.first() {
                rows.run(&SHRINK, vec![Value::from(row.int(0)?)]).await?;
            }
            tx.commit().await?;
        }
        Ok(doomed.len())
    }
}
