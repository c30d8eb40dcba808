//! What a node remembers of some runs while it lives: no more than so many, the rest is forgotten.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use envelope_store::Org;
use envelope_store::work::Lease;

/// Runs that are remembered: more than rest at once anywhere. One that is forgotten is treated as
/// one that nothing is known of.
const KNOWN_MAX: usize = 10_000;

/// Something of each of some runs. Two organisations may call theirs the same.
pub(crate) struct Known<T>(Mutex<BTreeMap<(Org, String), T>>);

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Copy> Known<T> {
    pub(crate) fn get(&self, lease: &Lease) -> Option<T> {
        self.all().get(&key(lease)).copied()
    }

    pub(crate) fn set(&self, lease: &Lease, what: T) {
        let (mut all, key) = (self.all(), key(lease));
        if all.len() >= KNOWN_MAX && !all.contains_key(&key) {
            all.pop_first();
        }
        all.insert(key, what);
    }

    pub(crate) fn forget(&self, lease: &Lease) {
        self.all().remove(&key(lease));
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<(Org, String), T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(lease: &Lease) -> (Org, String) {
    (lease.org.clone(), lease.id.clone())
}
