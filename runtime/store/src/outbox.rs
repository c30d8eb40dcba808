//! What is to be told to others.
//!
//! A message is written in the transaction of the change that it announces: neither is without the
//! other. It is told until somebody says that it was heard, so it may be heard twice, and its
//! number says so.

use std::time::Duration;

use envelope_evidence::{Digest, Timestamp};

use crate::noun::fitting;
use crate::sql::{Scoped, Text, Wide};
use crate::value::{Row, Value};
use crate::work::moment;
use crate::{Org, OrgTx, Store, StoreError};

/// How long whoever took a message may take to tell it, before another tries. It doubles with each
/// try, up to [`DOUBLED_MAX`] times: somebody who is away for a day is not asked each minute.
pub const TELLING: Duration = Duration::from_secs(30);

/// After so many tries a message is told every four hours or so.
pub const DOUBLED_MAX: i64 = 9;

const ANNOUNCE: Scoped = Scoped(Text::common(
    "outbox.announce",
    "INSERT INTO outbox (org, topic, body, tries, due, digest) VALUES ($1, $2, $3, 0, $4, $5)",
));

/// The topic of what is told to addresses outside, which may be slow: others take it than those who
/// take the rest.
pub const ERRAND: &str = "errand";

/// Errands alone, or everything but those.
const TAKE: Wide = Wide(Text {
    name: "outbox.take",
    sqlite: "UPDATE outbox SET tries = tries + 1, due = $1 + ($2 << min(tries, $3))
        WHERE seq = (
            SELECT seq FROM outbox WHERE due <= $1 AND (topic = $4) = ($5 = 1)
            ORDER BY due, seq LIMIT 1
        ) RETURNING seq, org, topic, body, tries",
    postgres: "UPDATE outbox SET tries = tries + 1, due = $1 + ($2 << least(tries, $3)::int)
        WHERE seq = (
            SELECT seq FROM outbox WHERE due <= $1 AND (topic = $4) = ($5 = 1)
            ORDER BY due, seq LIMIT 1 FOR UPDATE SKIP LOCKED
        ) RETURNING seq, org, topic, body, tries",
});

const HEARD: Scoped = Scoped(Text::common(
    "outbox.heard",
    "DELETE FROM outbox WHERE org = $1 AND seq = $2 RETURNING seq",
));

pub(crate) const SCOPED: [Scoped; 2] = [ANNOUNCE, HEARD];

pub(crate) const WIDE: [Wide; 1] = [TAKE];

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its number, by which who hears it twice knows it again.
    pub seq: i64,
    /// Whose it is.
    pub org: Org,
    /// What it is about.
    pub topic: String,
    /// What it says.
    pub body: String,
    /// How often it was taken, this time included.
    pub tries: i64,
}

/// Takes the message that is due the longest, if any is. Until it falls due again nobody else does.
pub async fn take(store: &Store, now: Timestamp) -> Result<Option<Message>, StoreError> {
    take_of(store, false, now).await
}

/// The same of what is to be told outside.
pub async fn take_errand(store: &Store, now: Timestamp) -> Result<Option<Message>, StoreError> {
    take_of(store, true, now).await
}

async fn take_of(
    store: &Store,
    errands: bool,
    now: Timestamp,
) -> Result<Option<Message>, StoreError> {
    let telling = i64::try_from(TELLING.as_millis());
    let telling = telling.map_err(|_| StoreError::Data("a time beyond every calendar".into()))?;
    let mut due = vec![moment(now, Duration::ZERO)?, telling.into(), DOUBLED_MAX.into()];
    due.extend([ERRAND.into(), i64::from(errands).into()]);
    let mut tx = store.write().await?;
    let rows = tx.wide(&TAKE, due).await?;
    let message = rows.first().map(Message::of).transpose()?;
    tx.commit().await?;
    Ok(message)
}

impl OrgTx<'_> {
    /// Announces something, if and when this transaction is committed.
    pub async fn announce(
        &mut self,
        topic: &str,
        body: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let body = fitting("outbox", topic, body)?;
        let digest = Digest::of(body.as_bytes()).to_string();
        let at = moment(now, Duration::ZERO)?;
        let message = vec![Value::from(topic), body.into(), at, digest.as_str().into()];
        self.run(&ANNOUNCE, message).await.map(|_| ())
    }

    /// Lets go of a message that was heard, and says whether it was still there.
    pub async fn heard(&mut self, seq: i64) -> Result<bool, StoreError> {
        let gone = self.run(&HEARD, vec![Value::from(seq)]).await?;
        Ok(!gone.is_empty())
    }
}

impl Message {
    fn of(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            seq: row.int(0)?,
            org: Org::new(row.text(1)?)?,
            topic: row.text(2)?.to_owned(),
            body: row.text(3)?.to_owned(),
            tries: row.int(4)?,
        })
    }
}
