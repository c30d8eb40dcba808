//! Compiling, within bounds.
//!
//! What drives the compiler's time and memory was counted before ([`Bound`](super::Bound)); what is
//! left is bounded here. A compilation has a thread of its own and cannot be interrupted: past its
//! time it is given up, and whoever asked is refused. The thread goes on to its end, keeps its seat
//! until then, and what it makes is thrown away. So there are never more than [`COMPILES_AT_ONCE`],
//! given up or not, and with them never more memory than as many of the worst components take;
//! a limit of the system would count the whole process. When all seats are taken for too long, the
//! next in line is told to try again.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;
use wasmtime::Engine;
use wasmtime::component::Component;

use super::Refused;
use super::validity;

/// Compilations at once. One alone uses every core; a second one lets small components pass by a
/// large one.
pub const COMPILES_AT_ONCE: usize = 2;

/// How long a compilation may take, and how long it may wait for its turn. The largest component
/// there is reason to expect, an interpreter, takes tens of seconds on a busy machine.
pub const COMPILE_TIME_MAX: Duration = Duration::from_secs(300);

/// Characters of the compiler's own words.
const WORDS_MAX: usize = 500;

/// The compilers.
pub(super) struct Compilers {
    seats: Arc<Semaphore>,
    time: Duration,
}

impl Compilers {
    pub(super) fn new(time: Duration) -> Self {
        Self { seats: Arc::new(Semaphore::new(COMPILES_AT_ONCE)), time }
    }

    /// Validates and compiles `bytes`, and lets `keep` have the result if it came in time.
    pub(super) async fn compile<T: Send + 'static>(
        &self,
        engine: &Engine,
        bytes: Bytes,
        keep: impl FnOnce(&Component) -> T + Send + 'static,
    ) -> Result<(Component, T), Refused> {
        let seat = timeout(self.time, Arc::clone(&self.seats).acquire_owned()).await;
        let Ok(Ok(seat)) = seat else { return Err(Refused::Busy { after: self.time }) };
        let (answer, answered) = oneshot::channel();
        let engine = engine.clone();
        let work = move || {
            let compiled = compile(&engine, &bytes);
            let kept = compiled.and_then(|component| {
                let kept = (!answer.is_closed()).then(|| keep(&component));
                kept.map(|kept| (component, kept)).ok_or(Refused::Compile(GIVEN_UP.to_owned()))
            });
            drop(seat);
            // Whoever asked may be gone.
            let _ = answer.send(kept);
        };
        let thread = thread::Builder::new().name("compiler".to_owned()).spawn(work);
        thread.map_err(|why| Refused::Compile(why.to_string()))?;
        match timeout(self.time, answered).await {
            Ok(Ok(compiled)) => compiled,
            Ok(Err(_)) => Err(Refused::Compile("the compiler failed".to_owned())),
            Err(_) => Err(Refused::Slow { after: self.time }),
        }
    }
}

const GIVEN_UP: &str = "given up";

fn compile(engine: &Engine, bytes: &[u8]) -> Result<Component, Refused> {
    validity::check(bytes)?;
    Component::new(engine, bytes).map_err(|why| {
        let words = format!("{why:#}");
        let line = words.lines().next().unwrap_or_default();
        Refused::Compile(line.chars().take(WORDS_MAX).collect())
    })
}
