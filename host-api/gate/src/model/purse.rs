//! What runs share: caps that several of them spend from, and the word that a model is frozen.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use envelope_evidence::Digest;
use envelope_rules::budget::{Accounting, Freezer, Frost, Leased, Ledger, Place, Shared};
use envelope_rules::denial::Denial;

use crate::stop::Fault;

/// A question to whoever keeps the shared books.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send + 'a>>;

/// Keeps the shared books. What it said lasts: a lease is durable before it is spent from.
pub trait Purse: Send + Sync {
    /// Adds to `lease` between `least` and `wish` nano-dollars of every account of `chain`, all or
    /// none. The denial names the tightest account.
    fn lease<'a>(
        &'a self,
        lease: Digest,
        chain: &'a [Shared],
        least: u64,
        wish: u64,
    ) -> Pending<'a, Result<Leased, Denial>>;

    /// Opens the account of a day, if it is not open yet: one that is keeps its cap.
    fn begin_day<'a>(&'a self, day: &'a Shared, cap: u64) -> Pending<'a, ()>;

    /// What is out on `lease`.
    fn out(&self, lease: Digest) -> Pending<'_, u64>;

    /// Books what was spent of `lease` and what comes back. Told twice, it counts once.
    fn account(&self, lease: Digest, told: Accounting) -> Pending<'_, ()>;

    /// Whether anything may be sent there.
    fn check<'a>(&'a self, place: &'a Place) -> Pending<'a, Result<(), Denial>>;

    /// Freezes a model for everybody until a human thaws it.
    fn freeze(&self, frost: Frost) -> Pending<'_, ()>;
}

/// Shared books in memory: for one machine, and for tests.
#[derive(Debug, Default)]
pub struct InMemoryPurse {
    ledger: Mutex<Ledger>,
    freezer: Mutex<Freezer>,
}

impl InMemoryPurse {
    /// Books with these accounts and caps.
    pub fn new(accounts: impl IntoIterator<Item = (Shared, u64)>) -> Self {
        let purse = Self::default();
        for (account, cap) in accounts {
            purse.ledger().open(account, cap);
        }
        purse
    }

    /// The accounts and leases.
    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is frozen.
    pub fn freezer(&self) -> MutexGuard<'_, Freezer> {
        self.freezer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Purse for InMemoryPurse {
    fn lease<'a>(
        &'a self,
        lease: Digest,
        chain: &'a [Shared],
        least: u64,
        wish: u64,
    ) -> Pending<'a, Result<Leased, Denial>> {
        let leased = self.ledger().lease(lease, chain, least, wish);
        now(leased.map_err(|why| Fault::Books(why.to_string())))
    }

    fn begin_day<'a>(&'a self, day: &'a Shared, cap: u64) -> Pending<'a, ()> {
        let mut ledger = self.ledger();
        if ledger.balance(day).is_none() {
            ledger.open(day.clone(), cap);
        }
        now(Ok(()))
    }

    fn out(&self, lease: Digest) -> Pending<'_, u64> {
        let out = self.ledger().out(&lease).unwrap_or_default();
        now(Ok(out))
    }

    fn account(&self, lease: Digest, told: Accounting) -> Pending<'_, ()> {
        let booked = self.ledger().account(&lease, told);
        now(booked.map_err(|why| Fault::Books(why.to_string())))
    }

    fn check<'a>(&'a self, place: &'a Place) -> Pending<'a, Result<(), Denial>> {
        let checked = self.freezer().check(place);
        now(Ok(checked))
    }

    fn freeze(&self, frost: Frost) -> Pending<'_, ()> {
        self.freezer().freeze(frost);
        now(Ok(()))
    }
}

fn now<'a, T: Send + 'a>(said: Result<T, Fault>) -> Pending<'a, T> {
    Box::pin(std::future::ready(said))
}
