//! The log of a local run's life: what happened to it and where that led, a line each, across all
//! processes that had it. Whoever holds the run's folder writes it.

use std::sync::{Arc, Mutex};

use envelope_evidence::Timestamp;
use envelope_rules::life::{Event, Life, Logged, Refused, State};

use crate::local::folder::{BadFolder, RunFolder};

/// Lines of one log: a run waits for humans a few times, and is taken up by as many processes.
const LINES_MAX: usize = 10_000;

/// The log, shared by those who write it.
#[derive(Clone)]
pub struct LifeLog(Arc<Mutex<Kept>>);

struct Kept {
    folder: RunFolder,
    life: Life,
    lines: usize,
    last: Timestamp,
}

impl LifeLog {
    /// The log of the run in `folder`, which has to be done by `deadline`. One that tells what
    /// cannot have happened is refused.
    pub fn open(folder: &RunFolder, deadline: Timestamp) -> Result<Self, BadFolder> {
        let bytes = folder.life()?;
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let bad = |why: String| BadFolder::Content { path: folder.life_path(), why };
        let log = lines.map(serde_json::from_slice::<Logged>).collect::<Result<Vec<_>, _>>();
        let log = log.map_err(|why| bad(why.to_string()))?;
        let life = Life::replay(deadline, &log).map_err(|why| bad(why.to_string()))?;
        let last = log.last().map_or(Timestamp::ZERO, |line| line.at);
        let kept = Kept { folder: folder.clone(), life, lines: log.len(), last };
        Ok(Self(Arc::new(Mutex::new(kept))))
    }

    /// Where the run stands.
    pub fn state(&self) -> State {
        let state = |kept: &Kept| kept.life.state().clone();
        self.0.lock().map_or_else(|broken| state(&broken.into_inner()), |kept| state(&kept))
    }

    /// Writes down that `event` happened. What may not happen there is not written, and said.
    pub fn note(&self, event: Event, now: Timestamp) -> Result<(), NotNoted> {
        let mut kept = self.0.lock().map_err(|_| NotNoted::Full)?;
        if kept.lines >= LINES_MAX {
            return Err(NotNoted::Full);
        }
        let at = now.max(kept.last);
        let (life, _) = kept.life.clone().step(event.clone(), at)?;
        let logged = Logged { at, event, to: life.state().clone() };
        let line = serde_json::to_vec(&logged).unwrap_or_default();
        kept.folder.add_to_life(&line)?;
        (kept.life, kept.last, kept.lines) = (life, at, kept.lines + 1);
        Ok(())
    }
}

/// What was not written down.
#[derive(Debug, thiserror::Error)]
pub enum NotNoted {
    /// It may not happen there.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The file.
    #[error(transparent)]
    Folder(#[from] BadFolder),
    /// There is no room.
    #[error("the log of the run is full")]
    Full,
}
