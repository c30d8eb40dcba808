//! Publishing the log: tiles first, then the signature, and only what continues what was signed.

use std::fs::{File, TryLockError};
use std::io;
use std::time::Duration;

use cap_std::fs::Dir;
use envelope_evidence::key::{ForLogs, SigningKey};
use envelope_evidence::tlog::{Checkpoint, Log, NOTE_BYTES_MAX};

use super::tiles::{Edge, File as Tile};
use super::{AuditError, SIGN, TURN, entry_of, latest, page, signed};
use crate::value::Value;
use crate::{Store, Tx, files};

/// The file that says how far the log reaches.
const CHECKPOINT: &str = "checkpoint";

/// Whoever writes into the folder holds this file.
const TURN_FILE: &str = "publishing";

/// How often is looked whether it is free.
const TURN_LOOK: Duration = Duration::from_millis(50);

/// Looks until it is given up: a minute, in which anybody has written his tiles.
const TURN_TRIES_MAX: u32 = 1_200;

/// How often somebody else may sign while the files are written: two publishers take turns, and
/// more than this many in a row is not a turn.
const OVERTAKEN_MAX: u32 = 8;

/// Publishes the log of a store into a folder that anything can serve.
pub struct Publisher {
    log: Log,
    folder: Dir,
    edge: Edge,
}

impl Publisher {
    /// A publisher of the log by its name and key.
    pub fn new(log: Log, folder: Dir) -> Self {
        Self { log, folder, edge: Edge::default() }
    }

    /// Publishes every change that has a place by now, and returns the signed checkpoint.
    ///
    /// Nobody waits for the files: they are written before the lock is taken under which the log is
    /// signed, and show nothing until a checkpoint reaches that far. The checkpoint is kept before
    /// anybody sees it, so that a crash never makes two of one size; and nothing is signed unless
    /// the log begins with what was signed before, in the database and in the folder.
    pub async fn publish(
        &mut self,
        store: &Store,
        key: &SigningKey<ForLogs>,
    ) -> Result<String, AuditError> {
        let _turn = self.turn().await?;
        let published = self.try_publish(store, key).await;
        if published.is_err() {
            // What was taken from the edge may not have arrived: the next time starts afresh.
            self.edge = Edge::default();
        }
        published
    }

    async fn try_publish(
        &mut self,
        store: &Store,
        key: &SigningKey<ForLogs>,
    ) -> Result<String, AuditError> {
        for _ in 0..OVERTAKEN_MAX {
            let kept = self.lay(store).await?;
            if let Some(note) = self.sign(store, key, kept).await? {
                // What is shown may carry the words of witnesses.
                if self.shown()? != self.log.open(&note).ok() {
                    self.show(&note)?;
                }
                return Ok(note);
            }
        }
        Err(AuditError::Overtaken)
    }

    /// Writes the tiles of everything that has a place by now, and returns the checkpoint that was
    /// the last one then.
    async fn lay(&mut self, store: &Store) -> Result<Option<(Checkpoint, String)>, AuditError> {
        // Shown first: what is shown is kept already.
        let shown = self.shown()?;
        let mut tx = store.read().await?;
        let kept = latest(&mut tx, &self.log).await?;
        let held: Vec<_> = kept.iter().map(|(held, _)| *held).chain(shown).collect();
        self.catch_up(&mut tx, &held).await?;
        drop(tx);
        for file in self.edge.take() {
            self.write(&file)?;
        }
        Ok(kept)
    }

    /// Signs what was laid out, unless somebody else signed meanwhile: then there is more to lay.
    async fn sign(
        &self,
        store: &Store,
        key: &SigningKey<ForLogs>,
        kept: Option<(Checkpoint, String)>,
    ) -> Result<Option<String>, AuditError> {
        let tree = self.edge.tree();
        let checkpoint = Checkpoint { size: tree.size(), root: tree.root() };
        let mut tx = store.write().await?;
        tx.wide(&TURN, Vec::new()).await?;
        let now = latest(&mut tx, &self.log).await?;
        if now.as_ref().map(|(now, _)| now) != kept.as_ref().map(|(kept, _)| kept) {
            return Ok(None);
        }
        if let Some((held, note)) = now
            && held.size == checkpoint.size
        {
            return Ok(Some(note));
        }
        let wrong = |why| AuditError::Checkpoint { size: checkpoint.size, why };
        let note = self.log.sign(checkpoint, |text| key.sign(text)).map_err(wrong)?;
        let row = vec![Value::from(signed(checkpoint.size)?), Value::from(note.as_str())];
        tx.wide(&SIGN, row).await?;
        tx.commit().await?;
        Ok(Some(note))
    }

    /// Reads on from where the edge is. Each of the `held` checkpoints has to be passed on the way
    /// unless it was passed before.
    async fn catch_up(&mut self, tx: &mut Tx, held: &[Checkpoint]) -> Result<(), AuditError> {
        let mut due: Vec<_> =
            held.iter().filter(|held| held.size >= self.edge.tree().size()).collect();
        loop {
            let mut wrong = None;
            due.retain(|held| {
                let reached = held.size == self.edge.tree().size();
                if reached && held.root != self.edge.tree().root() {
                    wrong = Some(held.size);
                }
                !reached
            });
            if let Some(size) = wrong {
                return Err(AuditError::Fork { size });
            }
            let from = self.edge.tree().size();
            let rows = page(tx, from).await?;
            if rows.is_empty() {
                break;
            }
            let stop = due.iter().map(|held| held.size).min().unwrap_or(u64::MAX);
            let rows = rows.iter().zip(from..).take_while(|(_, place)| *place < stop);
            for (row, place) in rows {
                // A gap, or an entry that its source no longer yields, is a log that was cut open.
                let payload = row.maybe_text(3)?.filter(|_| row.int(0).ok() == signed(place).ok());
                let payload = payload.ok_or(AuditError::Fork { size: place })?;
                self.edge.push(entry_of(row.text(5)?, &row.bytes(4)?, payload.as_bytes()));
            }
        }
        due.first().map_or(Ok(()), |held| Err(AuditError::Fork { size: held.size }))
    }

    /// The checkpoint in the folder, if one was ever shown there.
    fn shown(&self) -> Result<Option<Checkpoint>, AuditError> {
        let wrong = |why| AuditError::Folder { path: CHECKPOINT.to_owned(), why };
        let max = u64::try_from(NOTE_BYTES_MAX).unwrap_or(u64::MAX);
        let note = match files::read(&self.folder, CHECKPOINT, max) {
            Ok(note) => String::from_utf8(note).map_err(|why| wrong(io::Error::other(why)))?,
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(why) => return Err(wrong(why)),
        };
        let opened = self.log.open(&note);
        opened.map(Some).map_err(|why| AuditError::Checkpoint { size: 0, why })
    }

    /// Shows a checkpoint, with whatever witnesses said of it under it, unless a later one is shown
    /// by now.
    pub async fn show_witnessed(&self, note: &str) -> Result<(), AuditError> {
        let _turn = self.turn().await?;
        self.show(note)
    }

    /// Waits until nobody else writes into the folder.
    async fn turn(&self) -> Result<File, AuditError> {
        let wrong = |why| AuditError::Folder { path: TURN_FILE.to_owned(), why };
        let turn = self.folder.create(TURN_FILE).map_err(wrong)?.into_std();
        for _ in 0..TURN_TRIES_MAX {
            match turn.try_lock() {
                Ok(()) => return Ok(turn),
                Err(TryLockError::WouldBlock) => tokio::time::sleep(TURN_LOOK).await,
                Err(TryLockError::Error(why)) => return Err(wrong(why)),
            }
        }
        Err(AuditError::Overtaken)
    }

    fn show(&self, note: &str) -> Result<(), AuditError> {
        let wrong = |why| AuditError::Checkpoint { size: 0, why };
        let checkpoint = self.log.open(note).map_err(wrong)?;
        if self.shown()?.is_some_and(|shown| shown.size > checkpoint.size) {
            return Ok(());
        }
        self.write(&(CHECKPOINT.to_owned(), note.as_bytes().to_vec()))
    }

    /// Writes a file whole or not at all, and so that a power cut keeps it.
    fn write(&self, (path, bytes): &Tile) -> Result<(), AuditError> {
        files::write(&self.folder, path, bytes)
            .map_err(|why| AuditError::Folder { path: path.clone(), why })
    }
}
