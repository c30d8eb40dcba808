//! The queue of work, and the leases on it.
//!
//! A node claims what is due, and says again and again that it lives. When it falls silent the work
//! falls due for another. No clock decides who may write: each claim raises the epoch, and whatever
//! a node writes it writes in a transaction that first [`holds`](OrgTx::hold) its lease. A clock
//! that is wrong can only have work claimed too early or too late.
//!
//! Work that kills whoever does it would be claimed for ever: each claim counts those before it
//! that added nothing to the journal, and after [`TRIES_MAX`] it is to be ended instead.

use std::time::Duration;

use envelope_evidence::Timestamp;

use crate::sql::{Scoped, Text, Wide};
use crate::value::{Row, Value};
use crate::{Org, OrgTx, Store, StoreError, Tx};

/// How long a node may be silent unless it says otherwise: some heartbeats may be lost, and a dead
/// node's runs do not wait long.
pub const LEASE: Duration = Duration::from_secs(30);

/// Claims in a row that may come to nothing: a node can die by what else it does, so the work on it
/// is not to blame at once; who dies of this work does so as often, and no more.
pub const TRIES_MAX: i64 = 8;

/// Nobody claims work for longer, whatever they say. What is held until later was claimed by a
/// clock that has gone back since.
pub const LEASE_MAX: Duration = Duration::from_hours(1);

const QUEUE: Scoped = Scoped(Text::common(
    "work.queue",
    "INSERT INTO work (org, id, state, epoch, due) VALUES ($1, $2, 'open', 0, $3)",
));

/// On PostgreSQL nodes pass by what another is just claiming; on SQLite one writes at a time.
const CLAIM: Wide = Wide(Text {
    name: "work.claim",
    sqlite: "UPDATE work SET node = $1, epoch = epoch + 1, due = $3,
        (tries, seen) = (
            SELECT CASE WHEN coalesce(max(chunk) + 1, 0) = seen THEN tries + 1 ELSE 1 END,
                coalesce(max(chunk) + 1, 0)
            FROM journal j WHERE j.org = work.org AND j.id = work.id
        )
        WHERE (org, id) = (
            SELECT org, id FROM work WHERE state = 'open' AND due <= $2
            ORDER BY due, org, id LIMIT 1
        ) RETURNING org, id, epoch, tries",
    postgres: "UPDATE work SET node = $1, epoch = epoch + 1, due = $3,
        (tries, seen) = (
            SELECT CASE WHEN coalesce(max(chunk) + 1, 0) = seen THEN tries + 1 ELSE 1 END,
                coalesce(max(chunk) + 1, 0)
            FROM journal j WHERE j.org = work.org AND j.id = work.id
        )
        WHERE (org, id) = (
            SELECT org, id FROM work WHERE state = 'open' AND due <= $2
            ORDER BY due, org, id LIMIT 1 FOR UPDATE SKIP LOCKED
        ) RETURNING org, id, epoch, tries",
});

/// The same for one piece of work: by whoever has just queued it and wants to do it.
const TAKE: Scoped = Scoped(Text::common(
    "work.take",
    "UPDATE work SET node = $3, epoch = epoch + 1, due = $5,
    (tries, seen) = (
        SELECT CASE WHEN coalesce(max(chunk) + 1, 0) = seen THEN tries + 1 ELSE 1 END,
            coalesce(max(chunk) + 1, 0)
        FROM journal j WHERE j.org = $1 AND j.id = $2
    )
    WHERE org = $1 AND id = $2 AND state = 'open' AND due <= $4 RETURNING org, id, epoch, tries",
));

const BEAT: Scoped = Scoped(Text::common(
    "work.beat",
    "UPDATE work SET due = $4 WHERE org = $1 AND id = $2 AND epoch = $3 AND state = 'open'
    RETURNING epoch",
));

/// The lock keeps the lease until the transaction ends; on SQLite the transaction itself does.
const HOLD: Scoped = Scoped(Text {
    name: "work.hold",
    sqlite: "SELECT epoch FROM work WHERE org = $1 AND id = $2 AND epoch = $3 AND state = 'open'",
    postgres: "SELECT epoch FROM work WHERE org = $1 AND id = $2 AND epoch = $3 AND state = 'open'
        FOR NO KEY UPDATE",
});

const DONE: Scoped = Scoped(Text::common(
    "work.done",
    "UPDATE work SET state = 'done' WHERE org = $1 AND id = $2 AND epoch = $3 AND state = 'open'
    RETURNING epoch",
));

/// The epoch rises here too: whatever of the node still writes, writes no more. Whoever gives work
/// back has survived it.
const GIVE_BACK: Scoped = Scoped(Text::common(
    "work.give_back",
    "UPDATE work SET node = NULL, epoch = epoch + 1, due = $4, tries = 0
    WHERE org = $1 AND id = $2 AND epoch = $3 AND state = 'open' RETURNING epoch",
));

/// Kept until the transaction ends, like a lease that is held: one of both comes first.
const SEE: Scoped = Scoped(Text {
    name: "work.see",
    sqlite: "SELECT state FROM work WHERE org = $1 AND id = $2",
    postgres: "SELECT state FROM work WHERE org = $1 AND id = $2 FOR NO KEY UPDATE",
});

const WAKE: Scoped = Scoped(Text::common(
    "work.wake",
    "UPDATE work SET due = $3
    WHERE org = $1 AND id = $2 AND state = 'open' AND node IS NULL AND due > $3 RETURNING epoch",
));

/// What was never claimed is due at once. What waits for a moment of its own, and is held by
/// nobody, keeps it.
const HASTEN: Wide = Wide(Text::common(
    "work.hasten",
    "UPDATE work SET due = CASE WHEN epoch = 0 THEN $1 ELSE $2 END
    WHERE state = 'open' AND due > $1
        AND (epoch = 0 OR (node IS NOT NULL AND due > $3)) RETURNING epoch",
));

pub(crate) const SCOPED: [Scoped; 8] = [QUEUE, TAKE, BEAT, HOLD, DONE, GIVE_BACK, SEE, WAKE];

pub(crate) const WIDE: [Wide; 2] = [CLAIM, HASTEN];

/// The right to do a piece of work, until another node claims it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Whose work it is.
    pub org: Org,
    /// Which work.
    pub id: String,
    /// How often it was claimed.
    pub epoch: i64,
    /// How often it was claimed since its journal last grew, and given back by nobody.
    pub tries: i64,
}

/// Claims the work that is due the longest, if any is, for `lasts`.
pub async fn claim(
    store: &Store,
    node: &str,
    now: Timestamp,
    lasts: Duration,
) -> Result<Option<Lease>, StoreError> {
    let mut tx = store.write().await?;
    let lease = tx.claim(node, now, lasts).await?;
    tx.commit().await?;
    Ok(lease)
}

/// Puts right what a clock that has gone back left for later than it can be: says how much that
/// was. A node that lives beats soon after, and keeps what it holds.
pub async fn hasten(store: &Store, now: Timestamp) -> Result<usize, StoreError> {
    let mut tx = store.write().await?;
    let moments = [Duration::ZERO, LEASE, LEASE_MAX].map(|later| moment(now, later));
    let moments = moments.into_iter().collect::<Result<_, _>>()?;
    let hastened = tx.wide(&HASTEN, moments).await?.len();
    tx.commit().await.map(|()| hastened)
}

impl Tx {
    /// The same in a transaction that has begun: whoever waited long for its turn to write knows
    /// only then what time it is.
    pub async fn claim(
        &mut self,
        node: &str,
        now: Timestamp,
        lasts: Duration,
    ) -> Result<Option<Lease>, StoreError> {
        let claim = vec![Value::from(node), moment(now, Duration::ZERO)?, end(now, lasts)?];
        let rows = self.wide(&CLAIM, claim).await?;
        rows.first().map(Lease::of).transpose()
    }
}

impl OrgTx<'_> {
    /// Puts work into the queue, in the transaction of what asks for it.
    pub async fn queue(&mut self, id: &str, now: Timestamp) -> Result<(), StoreError> {
        let work = vec![Value::from(id), moment(now, Duration::ZERO)?];
        self.run(&QUEUE, work).await.map(|_| ())
    }

    /// Claims this piece of work for `lasts`, if it is due.
    pub async fn take(
        &mut self,
        id: &str,
        node: &str,
        now: Timestamp,
        lasts: Duration,
    ) -> Result<Option<Lease>, StoreError> {
        let (due, until) = (moment(now, Duration::ZERO)?, end(now, lasts)?);
        let rows = self.run(&TAKE, vec![Value::from(id), node.into(), due, until]).await?;
        rows.first().map(Lease::of).transpose()
    }

    /// Says that the node lives, which is the lease for `lasts` from now.
    pub async fn beat(
        &mut self,
        lease: &Lease,
        now: Timestamp,
        lasts: Duration,
    ) -> Result<(), StoreError> {
        let until = end(now, lasts)?;
        self.leased(&BEAT, lease, vec![until]).await
    }

    /// Gives the work back: it falls due at `due`, or when it is [woken](Self::wake).
    pub async fn give_back(&mut self, lease: &Lease, due: Timestamp) -> Result<(), StoreError> {
        let due = moment(due, Duration::ZERO)?;
        self.leased(&GIVE_BACK, lease, vec![due]).await
    }

    /// Keeps the work as it is until this transaction ends, and says whether it is still to be
    /// done. Who changes what a run waits for does that first, and then wakes it.
    pub async fn is_open(&mut self, id: &str) -> Result<bool, StoreError> {
        let rows = self.run(&SEE, vec![Value::from(id)]).await?;
        rows.first().map_or(Ok(false), |row| Ok(row.text(0)? == "open"))
    }

    /// Has work that nobody holds fall due now.
    pub async fn wake(&mut self, id: &str, now: Timestamp) -> Result<(), StoreError> {
        let due = moment(now, Duration::ZERO)?;
        self.run(&WAKE, vec![Value::from(id), due]).await.map(|_| ())
    }

    /// Holds the lease until this transaction ends, or refuses a node that came back late. What
    /// the node writes under its lease it writes after this.
    pub async fn hold(&mut self, lease: &Lease) -> Result<(), StoreError> {
        self.leased(&HOLD, lease, Vec::new()).await
    }

    /// Ends the work, in the transaction of its last change.
    pub async fn done(&mut self, lease: &Lease) -> Result<(), StoreError> {
        self.leased(&DONE, lease, Vec::new()).await
    }

    async fn leased(
        &mut self,
        statement: &Scoped,
        lease: &Lease,
        more: Vec<Value>,
    ) -> Result<(), StoreError> {
        let fenced = || StoreError::Fenced { id: lease.id.clone(), epoch: lease.epoch };
        if *self.org() != lease.org {
            return Err(fenced());
        }
        let mut key = vec![Value::from(lease.id.as_str()), Value::from(lease.epoch)];
        key.extend(more);
        let held = self.run(statement, key).await?;
        held.first().map(|_| ()).ok_or_else(fenced)
    }
}

impl Lease {
    /// Whether it killed too many who did it: it is to be ended, not to be done.
    pub const fn is_hopeless(&self) -> bool {
        self.tries > TRIES_MAX
    }

    fn of(row: &Row) -> Result<Self, StoreError> {
        let (org, id) = (Org::new(row.text(0)?)?, row.text(1)?.to_owned());
        Ok(Self { org, id, epoch: row.int(2)?, tries: row.int(3)? })
    }
}

/// When a lease ends that begins `now`.
fn end(now: Timestamp, lasts: Duration) -> Result<Value, StoreError> {
    moment(now, lasts.min(LEASE_MAX))
}

/// A moment so much later, as the database counts.
pub(crate) fn moment(now: Timestamp, later: Duration) -> Result<Value, StoreError> {
    let millis = u128::from(now.millis()) + later.as_millis();
    let millis = i64::try_from(millis);
    let late = |_| StoreError::Data("a time beyond every calendar".to_owned());
    millis.map(Value::Int).map_err(late)
}
