//! The kill switches of this machine: a file at home, a line for everything that happened to one.
//! What is thrown is what the file adds up to.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use envelope_gate::kill::Switches;
use envelope_gate::stop::Fault;
use envelope_rules::kill::{self, Event, Standing, Subject};

use crate::answer::Trouble;
use crate::disk::{self, Existing, Stamp};
use crate::home::home;

/// How old what a run knows of the file may be: less than a beat of the engine's heart, so that a
/// guest which only computes finds at each beat what is true then.
const LOOK: Duration = Duration::from_millis(5);

/// Events of one file: whoever stops more than this keeps them in a database.
const EVENTS_MAX: usize = 100_000;

/// The file at home.
#[derive(Debug, Clone)]
pub(crate) struct Book {
    path: PathBuf,
}

impl Book {
    pub(crate) fn at_home() -> Result<Self, Trouble> {
        let home = home().map_err(|why| Trouble::failed(why, "see `ENVELOPE_HOME`"))?;
        Ok(Self { path: home.join("stops.jsonl") })
    }

    /// What the file adds up to. One that cannot be read lets nobody go on.
    pub(crate) fn switches(&self) -> Result<kill::Switches, String> {
        self.lines().and_then(|lines| folded(&lines))
    }

    fn lines(&self) -> Result<Vec<u8>, String> {
        // What cannot be looked at may be there.
        if disk::is_missing(&self.path) {
            return Ok(Vec::new());
        }
        disk::read(&self.path).map_err(|why| why.to_string())
    }

    /// Adds `event`, while nobody else adds one. False when it changes nothing.
    pub(crate) fn note(&self, event: Event) -> Result<bool, String> {
        let lock = self.path.with_extension("lock");
        let _held = disk::lock(&lock).map_err(|why| why.to_string())?;
        let mut lines = self.lines()?;
        let mut switches = folded(&lines)?;
        let mut line = serde_json::to_vec(&event).map_err(|why| why.to_string())?;
        if !switches.apply(event).map_err(|why| why.to_string())? {
            return Ok(false);
        }
        if lines.iter().filter(|byte| **byte == b'\n').count() >= EVENTS_MAX {
            return Err(format!("`{}` has {EVENTS_MAX} lines already", self.path.display()));
        }
        line.push(b'\n');
        lines.extend(line);
        let written = disk::write(&self.path, &lines, Existing::Replace);
        written.map(|()| true).map_err(|why| why.to_string())
    }
}

fn folded(lines: &[u8]) -> Result<kill::Switches, String> {
    let mut switches = kill::Switches::default();
    let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    for (at, line) in lines.enumerate() {
        let event = serde_json::from_slice(line).map_err(|why| format!("line {at}: {why}"))?;
        switches.apply(event).map_err(|why| why.to_string())?;
        if at >= EVENTS_MAX {
            return Err(format!("more than {EVENTS_MAX} lines: put an empty file in its place"));
        }
    }
    Ok(switches)
}

/// The switches as runs ask them.
pub(crate) struct LocalSwitches {
    book: Book,
    generation: AtomicU64,
    looked: Mutex<Looked>,
}

/// The last look at the file.
#[derive(Default)]
struct Looked {
    at: Option<Instant>,
    stamp: Option<Stamp>,
    switches: Option<kill::Switches>,
}

impl LocalSwitches {
    pub(crate) fn at_home() -> Result<Arc<Self>, Trouble> {
        let (book, generation) = (Book::at_home()?, AtomicU64::new(0));
        Ok(Arc::new(Self { book, generation, looked: Mutex::default() }))
    }
}

impl Switches for LocalSwitches {
    #[expect(clippy::disallowed_methods, reason = "the disk is asked every few milliseconds")]
    fn generation(&self) -> u64 {
        // Whoever finds another looking goes on with what was known before.
        if let Ok(mut looked) = self.looked.try_lock()
            && looked.at.is_none_or(|at| at.elapsed() >= LOOK)
        {
            looked.at = Some(Instant::now());
            let stamp = disk::stamp(&self.book.path);
            if stamp != looked.stamp {
                (looked.stamp, looked.switches) = (stamp, None);
                self.generation.fetch_add(1, Ordering::AcqRel);
            }
        }
        self.generation.load(Ordering::Acquire)
    }

    fn look(&self, subject: Subject<'_>, told: &mut dyn FnMut(Standing<'_>)) -> Result<(), Fault> {
        let mut looked = self.looked.lock().map_err(|why| Fault::Switches(why.to_string()))?;
        if looked.switches.is_none() {
            looked.switches = Some(self.book.switches().map_err(Fault::Switches)?);
        }
        if let Some(standing) = looked.switches.as_ref().and_then(|it| it.standing(subject)) {
            told(standing);
        }
        Ok(())
    }
}
