//! The heartbeat of an engine: running guests look up at every beat.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use wasmtime::Engine;

/// How long a guest can go on after it should have stopped.
pub const TICK: Duration = Duration::from_millis(10);

/// Beats until it is dropped.
#[derive(Debug)]
pub struct Heartbeat(Arc<AtomicBool>);

impl Heartbeat {
    /// Starts a thread that beats for `engine`.
    pub fn start(engine: &Engine) -> Self {
        let alive = Arc::new(AtomicBool::new(true));
        let (beating, engine) = (Arc::clone(&alive), engine.weak());
        thread::spawn(move || {
            while beating.load(Ordering::Relaxed) {
                thread::sleep(TICK);
                let Some(engine) = engine.upgrade() else { break };
                engine.increment_epoch();
            }
        });
        Self(alive)
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}
