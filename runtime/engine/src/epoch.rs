//! The heartbeat of an engine: running guests look up at every beat, and see whether they still may
//! run.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use wasmtime::Engine;

/// How long a guest can go on after it should have stopped. Ten times as often would cost a
/// noticeable part of a core with a thousand runs, and no person feels the difference.
pub const TICK: Duration = Duration::from_millis(10);

/// Beats until it is dropped.
#[derive(Debug)]
pub struct Heartbeat {
    alive: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Heartbeat {
    /// Starts a thread that beats for `engine`, and keeps it alive no longer than others do.
    pub fn start(engine: &Engine) -> io::Result<Self> {
        let alive = Arc::new(AtomicBool::new(true));
        let (beating, engine) = (Arc::clone(&alive), engine.weak());
        let beat = move || {
            while beating.load(Ordering::Acquire) {
                thread::park_timeout(TICK);
                let Some(engine) = engine.upgrade() else { break };
                engine.increment_epoch();
            }
        };
        let thread = thread::Builder::new().name("heartbeat".to_owned()).spawn(beat)?;
        Ok(Self { alive, thread: Some(thread) })
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.alive.store(false, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It holds nothing that could panic; it is gone when this returns.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stops_when_it_is_dropped() {
        let heartbeat = Heartbeat::start(&Engine::default()).unwrap();
        let alive = Arc::downgrade(&heartbeat.alive);
        drop(heartbeat);
        assert_eq!(alive.strong_count(), 0, "the thread has given up its half");
    }
}
