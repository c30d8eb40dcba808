//! Compiled components: each compiled once for each engine, and kept.

use std::collections::BTreeMap;
use std::hash::{Hash as _, Hasher};
use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;
use cap_std::fs::Dir;
use envelope_evidence::{Digest, canonical};
use tokio::task;
use wasmtime::component::Component;

use super::compile::{COMPILE_TIME_MAX, Compilers};
use super::shelf::{CacheKey, Found, NoShelf, Shelf, Subject};
use super::{Inspection, Refused, Shape, look, precompiled};
use crate::config::Machine;

/// Compiles components for one engine, and keeps them in a folder if it has one.
pub struct Components {
    machine: Machine,
    engine: Digest,
    served: &'static [&'static str],
    shelf: Option<Arc<Shelf>>,
    compilers: Compilers,
    /// Components that somebody asks for right now: the second one waits for the first.
    turns: Mutex<BTreeMap<Digest, Weak<tokio::sync::Mutex<()>>>>,
}

/// A component that is ready to be linked.
pub struct Compiled {
    /// It.
    pub component: Component,
    /// The digest of its bytes.
    pub digest: Digest,
    /// How it is called.
    pub shape: Shape,
    /// What its bytes say.
    pub inspection: Inspection,
    /// Where the machine code came from.
    pub how: How,
    /// Why it is not kept, when there is a folder to keep it in.
    pub not_kept: Option<io::Error>,
}

/// Where machine code came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It had been compiled before, by this host for this engine.
    Cached,
    /// It was compiled now.
    Fresh,
    /// It was compiled now, because what had been kept is not what was put there.
    Repaired,
}

/// What a load is about to do, for whoever waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It waits for somebody who is loading the same component.
    Waiting,
    /// What had been kept is not what was put there, and is thrown away.
    Damaged,
    /// It compiles this many bytes, the first time only, as soon as a compiler is free.
    Compiling {
        /// How many.
        bytes: usize,
    },
}

impl Components {
    /// Compiles for `machine` what imports nothing but `served`, and keeps nothing.
    pub fn new(machine: Machine, served: &'static [&'static str]) -> Self {
        Self {
            engine: engine_digest(&machine),
            machine,
            served,
            shelf: None,
            compilers: Compilers::new(COMPILE_TIME_MAX),
            turns: Mutex::default(),
        }
    }

    /// Keeps what it compiles in `folder`, proven with `key`.
    pub fn kept_in(mut self, folder: Dir, key: CacheKey) -> Result<Self, NoShelf> {
        self.shelf = Some(Arc::new(Shelf::open(folder, key)?));
        Ok(self)
    }

    /// Gives compilations another limit of time.
    #[must_use]
    pub fn within(mut self, time: std::time::Duration) -> Self {
        self.compilers = Compilers::new(time);
        self
    }

    /// The engine.
    pub const fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Loads a component, compiling it if that was not done before. Has to run in a runtime with
    /// timers.
    pub async fn load(&self, bytes: &Bytes, tell: impl Fn(Step)) -> Result<Compiled, Refused> {
        let (served, looked_at) = (self.served, bytes.clone());
        let (digest, inspection) = aside(move || {
            look(&looked_at, served).map(|inspection| (Digest::of(&looked_at), inspection))
        })
        .await??;
        let shape = inspection.admit()?;
        let turn = self.turn(digest);
        let _mine = match turn.try_lock() {
            Ok(mine) => mine,
            Err(_) => {
                tell(Step::Waiting);
                turn.lock().await
            }
        };
        let subject = Subject { component: digest, engine: self.engine };
        let how = match self.find(subject).await? {
            Ok(component) => {
                let (how, not_kept) = (How::Cached, None);
                return Ok(Compiled { component, digest, shape, inspection, how, not_kept });
            }
            Err(how) => how,
        };
        if how == How::Repaired {
            tell(Step::Damaged);
        }
        tell(Step::Compiling { bytes: bytes.len() });
        let shelf = self.shelf.clone();
        let keep = move |component: &Component| shelf.and_then(|it| keep(&it, subject, component));
        let compiled = self.compilers.compile(self.machine.engine(), bytes.clone(), keep).await;
        let (component, not_kept) = compiled?;
        Ok(Compiled { component, digest, shape, inspection, how, not_kept })
    }

    /// What is kept of `subject`, or how it has to be compiled.
    async fn find(&self, subject: Subject) -> Result<Result<Component, How>, Refused> {
        let Some(shelf) = self.shelf.clone() else { return Ok(Err(How::Fresh)) };
        let engine = self.machine.engine().clone();
        aside(move || match shelf.find(&subject) {
            Found::Nothing => Err(How::Fresh),
            Found::Damaged => Err(How::Repaired),
            Found::Proven(code) => precompiled::load(&engine, &code).map_err(|_| How::Repaired),
        })
        .await
    }

    /// The turn of the component `digest`: whoever has it locked loads it.
    fn turn(&self, digest: Digest) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = turns.get(&digest).and_then(Weak::upgrade).unwrap_or_default();
        turns.insert(digest, Arc::downgrade(&turn));
        turn
    }
}

fn keep(shelf: &Shelf, subject: Subject, component: &Component) -> Option<io::Error> {
    let code = component.serialize().map_err(io::Error::other);
    code.and_then(|code| shelf.put(&subject, &code)).err()
}

/// Runs what takes a while, but an end is in sight, where nobody waits for the thread.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refused> {
    let done = task::spawn_blocking(work).await;
    done.map_err(|why| Refused::Compile(why.to_string()))
}

/// Everything that shapes machine code: what a run's header says of the engine, and what the engine
/// itself counts in, such as the features of this processor.
fn engine_digest(machine: &Machine) -> Digest {
    let header = canonical::of(machine.fingerprint()).unwrap_or_default();
    let mut shapes = Shapes(Vec::new());
    machine.engine().precompile_compatibility_hash().hash(&mut shapes);
    Digest::of_parts(&[Digest::of(&header).as_bytes(), &shapes.0])
}

/// Keeps what is hashed: the hashes of the standard library are not for files.
struct Shapes(Vec<u8>);

impl Hasher for Shapes {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}
