//! Secrets, and what is said of persons.
//!
//! Nothing of it is ever written but sealed: each field under the key of its subject, and each key
//! under a master key that is not in the database. To forget a subject is to destroy its key: what
//! is left of the fields, in old pages and in old backups, opens no more, while every entry of the
//! log, which only ever held commitments, stays what it was.

mod seal;

use std::time::Duration;

use envelope_evidence::Timestamp;
use zeroize::Zeroizing;

use crate::sql::{Scoped, Text, Wide};
use crate::value::{Row, Value};
use crate::work::moment;
use crate::{Org, OrgTx, Store, StoreError};

pub use seal::MasterKeys;

/// Bytes of one field: a document of a person, not an archive.
pub const FIELD_BYTES_MAX: usize = 1 << 20;

/// Fields that expire in one transaction, and keys that are sealed anew in one.
pub const TOGETHER_MAX: i64 = 256;

const KEY: Scoped = Scoped(Text::common(
    "keys.see",
    "SELECT state, master, sealed, version FROM keys WHERE org = $1 AND id = $2",
));

const NEW_KEY: Scoped = Scoped(Text {
    name: "keys.add",
    sqlite: "INSERT INTO keys (org, id, version, state, master, sealed, changed)
        VALUES ($1, $2, 1, 'live', $3, $4, $5) RETURNING version",
    postgres: "INSERT INTO keys (org, id, version, state, master, sealed, changed)
        VALUES ($1, $2, 1, 'live', $3, $4, $5) ON CONFLICT DO NOTHING RETURNING version",
});

const DESTROY: Scoped = Scoped(Text {
    name: "keys.destroy",
    sqlite: "UPDATE keys SET state = 'destroyed', sealed = x'', changed = $3, version = version + 1
        WHERE org = $1 AND id = $2 AND state = 'live' RETURNING version",
    postgres: "UPDATE keys SET state = 'destroyed', sealed = '', changed = $3,
        version = version + 1 WHERE org = $1 AND id = $2 AND state = 'live' RETURNING version",
});

const RESEAL: Scoped = Scoped(Text::common(
    "keys.reseal",
    "UPDATE keys SET master = $4, sealed = $5, version = version + 1
    WHERE org = $1 AND id = $2 AND version = $3 AND state = 'live' RETURNING version",
));

const FIELD: Scoped = Scoped(Text::common(
    "sealed.see",
    "SELECT version, bytes FROM sealed WHERE org = $1 AND id = $2 AND field = $3",
));

const ADD: Scoped = Scoped(Text::common(
    "sealed.add",
    "INSERT INTO sealed (org, id, field, version, bytes, until)
    VALUES ($1, $2, $3, $4, $5, $6)",
));

const CHANGE: Scoped = Scoped(Text::common(
    "sealed.change",
    "UPDATE sealed SET version = $4, bytes = $5, until = $6
    WHERE org = $1 AND id = $2 AND field = $3 AND version = $4 - 1 RETURNING version",
));

const DELETE: Scoped = Scoped(Text::common(
    "sealed.delete",
    "DELETE FROM sealed WHERE org = $1 AND id = $2 RETURNING field",
));

const EXPIRE: Wide = Wide(Text::common(
    "sealed.expire",
    "DELETE FROM sealed WHERE (org, id, field) IN (
        SELECT org, id, field FROM sealed WHERE until < $1 ORDER BY until LIMIT $2
    ) RETURNING field",
));

const OLD: Wide = Wide(Text::common(
    "keys.old",
    "SELECT org, id, master, sealed, version FROM keys WHERE master <> $1 AND state = 'live'
    ORDER BY org, id LIMIT $2",
));

const SAMPLE: Wide = Wide(Text::common(
    "keys.sample",
    "SELECT org, id, master, sealed FROM keys WHERE state = 'live' ORDER BY org, id LIMIT $1",
));

pub(crate) const SCOPED: [Scoped; 8] = [KEY, NEW_KEY, DESTROY, RESEAL, FIELD, ADD, CHANGE, DELETE];

pub(crate) const WIDE: [Wide; 3] = [EXPIRE, OLD, SAMPLE];

/// Why a field is not sealed or does not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The subject was forgotten, and stays so.
    #[error("`{0}` was erased: nothing is kept of it any more")]
    Erased(String),
    /// The master key is not among those that were handed in.
    #[error("`{subject}` is sealed under the master key {master}, which is not at hand")]
    NoMaster {
        /// Whose key.
        subject: String,
        /// Which master key.
        master: String,
    },
    /// What is kept was altered, or belongs elsewhere.
    #[error("what is kept of `{0}` does not open: it was altered or moved")]
    Forged(String),
    /// More than [`FIELD_BYTES_MAX`].
    #[error("a field has at most {FIELD_BYTES_MAX} bytes")]
    TooLong,
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Chance(getrandom::Error),
}

/// A field of a subject: a person's, or a secret's own.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    /// Whose key it is sealed under.
    pub subject: &'a str,
    /// Which field.
    pub name: &'a str,
}

impl OrgTx<'_> {
    /// Keeps a field, sealed, until a moment; `Timestamp::MAX` is until it is erased.
    pub async fn seal(
        &mut self,
        keys: &MasterKeys,
        field: Field<'_>,
        plain: &[u8],
        (now, until): (Timestamp, Timestamp),
    ) -> Result<(), VaultError> {
        if plain.len() > FIELD_BYTES_MAX {
            return Err(VaultError::TooLong);
        }
        let key = match self.subject_key(keys, field.subject).await? {
            Some(key) => key,
            None => self.new_subject(keys, field.subject, now).await?,
        };
        let name = || vec![Value::from(field.subject), field.name.into()];
        let kept = self.run(&FIELD, name()).await?;
        let version = kept.first().map_or(Ok(0), |row| row.int(0))?.saturating_add(1);
        let bytes = seal::seal(&key, plain, &self.place(field, version))?;
        let until = moment(until, Duration::ZERO)?;
        let mut row = name();
        row.extend([Value::from(version), bytes.as_slice().into(), until]);
        if kept.is_empty() {
            self.run(&ADD, row).await?;
        } else if self.run(&CHANGE, row).await?.is_empty() {
            let (id, version) = (field.name.to_owned(), version - 1);
            return Err(StoreError::Changed { noun: "sealed", id, version }.into());
        }
        Ok(())
    }

    /// Opens a field, if there is one.
    pub async fn unseal(
        &mut self,
        keys: &MasterKeys,
        field: Field<'_>,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        let Some(key) = self.subject_key(keys, field.subject).await? else { return Ok(None) };
        let kept = self.run(&FIELD, vec![field.subject.into(), field.name.into()]).await?;
        let Some(row) = kept.first() else { return Ok(None) };
        let place = self.place(field, row.int(0)?);
        let plain = seal::open(&key, row.blob(1)?, &place);
        plain.map(Some).ok_or_else(|| VaultError::Forged(field.subject.to_owned()))
    }

    /// Forgets a subject: destroys its key, and its fields with it. True when there was one.
    pub async fn erase(&mut self, subject: &str, now: Timestamp) -> Result<bool, VaultError> {
        let at = moment(now, Duration::ZERO)?;
        self.run(&DELETE, vec![subject.into()]).await?;
        let gone = self.run(&DESTROY, vec![subject.into(), at]).await?;
        Ok(!gone.is_empty())
    }

    async fn subject_key(
        &mut self,
        keys: &MasterKeys,
        subject: &str,
    ) -> Result<Option<Zeroizing<[u8; 32]>>, VaultError> {
        let rows = self.run(&KEY, vec![subject.into()]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        if row.text(0)? != "live" {
            return Err(VaultError::Erased(subject.to_owned()));
        }
        opened(keys, self.org(), subject, (row.text(1)?, row.blob(2)?)).map(Some)
    }

    async fn new_subject(
        &mut self,
        keys: &MasterKeys,
        subject: &str,
        now: Timestamp,
    ) -> Result<Zeroizing<[u8; 32]>, VaultError> {
        let key = seal::random()?;
        let (master, sealed) = keys.seal(&key, &owner(self.org(), subject))?;
        let at = moment(now, Duration::ZERO)?;
        let row = vec![subject.into(), master.into(), sealed.as_slice().into(), at];
        let added = self.run(&NEW_KEY, row).await?;
        let twice = || StoreError::Changed { noun: "keys", id: subject.to_owned(), version: 0 };
        added.first().ok_or_else(twice)?;
        Ok(key)
    }

    /// Where a field stands: sealed with it, so that it opens nowhere else.
    fn place(&self, field: Field<'_>, version: i64) -> String {
        let Field { subject, name } = field;
        serde_json::json!(["field", self.org().as_str(), subject, name, version]).to_string()
    }
}

/// Removes at most [`TOGETHER_MAX`] fields whose time is over, and tells how many.
pub async fn expire(store: &Store, now: Timestamp) -> Result<usize, VaultError> {
    let mut tx = store.write().await?;
    let gone = vec![moment(now, Duration::ZERO)?, TOGETHER_MAX.into()];
    let gone = tx.wide(&EXPIRE, gone).await?;
    tx.commit().await?;
    Ok(gone.len())
}

/// Opens at most [`TOGETHER_MAX`] keys, and tells how many there are of those. The first that does
/// not open fails.
pub async fn try_out(store: &Store, keys: &MasterKeys) -> Result<usize, VaultError> {
    let found = store.read().await?.wide(&SAMPLE, vec![TOGETHER_MAX.into()]).await?;
    for row in &found {
        let org = Org::new(row.text(0)?)?;
        opened(keys, &org, row.text(1)?, (row.text(2)?, row.blob(3)?))?;
    }
    Ok(found.len())
}

/// Seals at most [`TOGETHER_MAX`] keys anew that are under an older master key, and tells how many.
/// When none is left the older one can be destroyed, and with it whatever old pages and backups
/// hold of destroyed keys.
pub async fn rotate(store: &Store, keys: &MasterKeys) -> Result<usize, VaultError> {
    let mut tx = store.read().await?;
    let old = vec![Value::from(keys.current()), TOGETHER_MAX.into()];
    let old = tx.wide(&OLD, old).await?;
    drop(tx);
    for row in &old {
        reseal(store, keys, row).await?;
    }
    Ok(old.len())
}

async fn reseal(store: &Store, keys: &MasterKeys, row: &Row) -> Result<(), VaultError> {
    let (org, subject) = (Org::new(row.text(0)?)?, row.text(1)?);
    let key = opened(keys, &org, subject, (row.text(2)?, row.blob(3)?))?;
    let (master, sealed) = keys.seal(&key, &owner(&org, subject))?;
    let new = vec![subject.into(), row.int(4)?.into(), master.into(), sealed.as_slice().into()];
    let mut tx = store.write().await?;
    // One that was destroyed or sealed anew meanwhile stays as it is.
    tx.of(&org).run(&RESEAL, new).await?;
    Ok(tx.commit().await?)
}

fn opened(
    keys: &MasterKeys,
    org: &Org,
    subject: &str,
    (master, sealed): (&str, &[u8]),
) -> Result<Zeroizing<[u8; 32]>, VaultError> {
    let no_master =
        || VaultError::NoMaster { subject: subject.to_owned(), master: master.to_owned() };
    let key = keys.open(master, sealed, &owner(org, subject)).ok_or_else(no_master)?;
    key.ok_or_else(|| VaultError::Forged(subject.to_owned()))
}

/// Whose key it is: sealed with it, so that it opens nothing of anybody else.
fn owner(org: &Org, subject: &str) -> String {
    serde_json::json!(["key", org.as_str(), subject]).to_string()
}
