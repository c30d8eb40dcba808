//! How often somebody may ask: a bucket for each of them and each class of operation.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use envelope_evidence::Timestamp;

/// Askers that are remembered. Whoever has a full bucket again is forgotten first.
const ASKERS_MAX: usize = 10_000;

/// How much an operation costs the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rate {
    /// It reads a little.
    Read,
    /// It changes something.
    Write,
    /// It compiles, or hands over much.
    Heavy,
    /// It looks at a password.
    SignIn,
}

impl Rate {
    /// How many a minute.
    pub const fn a_minute(self) -> u64 {
        match self {
            Self::Read => 6_000,
            Self::Write => 1_200,
            Self::Heavy => 120,
            Self::SignIn => 60,
        }
    }

    /// The name in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Heavy => "heavy",
            Self::SignIn => "sign-in",
        }
    }
}

/// The buckets. Each says when it would be full again; a request moves that by its share of a
/// minute, and is too many when it is more than a minute away.
#[derive(Debug, Default)]
pub(crate) struct Buckets(Mutex<BTreeMap<(String, Rate), u64>>);

/// Whether one more was let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Let {
    /// It was; so many more would be.
    Through(u64),
    /// It was not; in so many seconds one would be.
    After(u64),
}

const MINUTE: u64 = 60_000;

impl Buckets {
    /// Lets one more request of `asker` through, or not.
    pub(crate) fn one(&self, asker: &str, rate: Rate, now: Timestamp) -> Let {
        let now = now.millis();
        let share = MINUTE / rate.a_minute().max(1);
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= ASKERS_MAX {
            buckets.retain(|_, full| *full > now);
            while buckets.len() >= ASKERS_MAX {
                buckets.pop_first();
            }
        }
        let full = buckets.entry((asker.to_owned(), rate)).or_insert(now);
        let moved = (*full).max(now).saturating_add(share);
        let away = moved.saturating_sub(now);
        if away > MINUTE {
            return Let::After((away - MINUTE).div_ceil(1000).max(1));
        }
        *full = moved;
        Let::Through((MINUTE - away) / share.max(1))
    }
}
