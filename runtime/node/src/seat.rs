//! Runs that a node holds, and how each is told to stop.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use envelope_engine::local::LocalWorld;
use envelope_gate::stop::Stop;
use envelope_store::Org;
use envelope_store::work::Lease;
use tokio::time::Instant;

use crate::node::Node;

/// Which run, and by which claim: a node that was asleep may hold one again before it has let go of
/// the first.
pub(crate) type Held = (Org, String, i64);

/// One run that the node holds.
pub(crate) struct Seat {
    pub(crate) lease: Lease,
    world: Mutex<Option<Arc<LocalWorld>>>,
    /// How it has to stop, said before it had a world.
    leaves: AtomicBool,
    lost: AtomicBool,
    /// When the node last said that it lives.
    beaten: Mutex<Instant>,
}

impl Seat {
    /// The node has said that it lives.
    pub(crate) fn beat(&self) {
        *self.beaten.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// For how long the node has said nothing.
    pub(crate) fn silence(&self) -> Duration {
        self.beaten.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    /// The run has its world now: what was said before it had counts.
    pub(crate) fn take(&self, world: &Arc<LocalWorld>) {
        *self.world() = Some(Arc::clone(world));
        if self.is_lost() {
            world.stop(Stop::Suspended);
        } else if self.leaves.load(Ordering::Acquire) {
            world.put_aside();
        }
    }

    pub(crate) fn put_aside(&self) {
        self.leaves.store(true, Ordering::Release);
        if let Some(world) = &*self.world() {
            world.put_aside();
        }
    }

    pub(crate) fn stop(&self) {
        self.leaves.store(true, Ordering::Release);
        if let Some(world) = &*self.world() {
            world.stop(Stop::Suspended);
        }
    }

    /// Another node has it.
    pub(crate) fn lose(&self) {
        self.lost.store(true, Ordering::Release);
        self.stop();
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    fn world(&self) -> MutexGuard<'_, Option<Arc<LocalWorld>>> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A run's place among those that the node says it lives for. It is empty as soon as nobody is at
/// work there any more, also where that was not the end.
pub(crate) struct Seated {
    node: Node,
    pub(crate) seat: Arc<Seat>,
}

impl Seated {
    /// From the claim on: its task may come to its turn much later.
    pub(crate) fn at(node: &Node, lease: Lease) -> Self {
        let (leaves, lost) = (AtomicBool::new(false), AtomicBool::new(false));
        let (world, beaten) = (Mutex::new(None), Mutex::new(Instant::now()));
        let seat = Arc::new(Seat { lease, world, leaves, lost, beaten });
        node.seats().insert(key(&seat.lease), Arc::clone(&seat));
        Self { node: node.clone(), seat }
    }
}

impl Drop for Seated {
    fn drop(&mut self) {
        self.node.seats().remove(&key(&self.seat.lease));
    }
}

fn key(lease: &Lease) -> Held {
    (lease.org.clone(), lease.id.clone(), lease.epoch)
}
