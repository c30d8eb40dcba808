//! The meters that the model runs: the real one, and small ones with a planted fault.

use std::fmt::Debug;
use std::hash::Hash;

use envelope_evidence::{Digest, Usage, usage::Dimension};
use envelope_rules::budget::{Account, Cap, HoldId, Level, Meter, MeterState};

/// What the model needs of a meter.
pub(super) trait Till: Clone + Debug + Eq + Hash + Send + Sync + 'static {
    /// A fresh one of the same make.
    fn fresh(&self, name: &str, cap: u64) -> Self;
    /// The hold's number, or a denial.
    fn reserve(&mut self, worst: u64) -> Option<u64>;
    /// False when there is no such hold (any more).
    fn settle(&mut self, hold: u64, actual: u64) -> bool;
    /// The process dies and starts again from what it kept.
    fn crash(&mut self);
    fn spent(&self) -> u64;
    fn held(&self) -> u64;
    fn latched(&self) -> bool;
}

/// The meter itself, as it lies on disk.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Real(MeterState);

/// A run's account and nothing else, with so many nano-dollars.
pub(super) fn real(name: &str, cap: u64) -> Real {
    let cap = Cap::NONE.with(Dimension::NanoUsd, cap).unwrap();
    let account = Account::new(Level::Run, name.to_owned(), cap, Usage::ZERO);
    Real(Meter::new(Digest::of(name.as_bytes()), vec![account]).unwrap().state().clone())
}

fn nano(amount: u64) -> Usage {
    Usage::ZERO.with(Dimension::NanoUsd, amount).unwrap()
}

impl Real {
    fn meter(&self) -> Meter {
        Meter::load(self.0.clone()).unwrap()
    }
}

impl Till for Real {
    fn fresh(&self, name: &str, cap: u64) -> Self {
        real(name, cap)
    }

    fn reserve(&mut self, worst: u64) -> Option<u64> {
        let mut meter = self.meter();
        let hold = meter.reserve(nano(worst)).ok()?;
        self.0 = meter.state().clone();
        Some(hold.id().number)
    }

    fn settle(&mut self, hold: u64, actual: u64) -> bool {
        let mut meter = self.meter();
        let name = meter.orphans().next().map(|id| id.meter);
        let id = name.map(|meter| HoldId { meter, number: hold });
        let Some(hold) = id.and_then(|id| meter.recover(id)) else { return false };
        let _ = meter.settle(hold, nano(actual));
        self.0 = meter.state().clone();
        true
    }

    fn crash(&mut self) {
        let paper = serde_json::to_string(&self.0).unwrap();
        self.0 = Meter::load(serde_json::from_str(&paper).unwrap()).unwrap().state().clone();
    }

    fn spent(&self) -> u64 {
        self.0.accounts()[0].spent().get(Dimension::NanoUsd)
    }

    fn held(&self) -> u64 {
        self.0.accounts()[0].held().get(Dimension::NanoUsd)
    }

    fn latched(&self) -> bool {
        self.0.tripped().is_some()
    }
}

/// A small meter with one fault.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Planted {
    fault: Fault,
    cap: u64,
    spent: u64,
    holds: Vec<(u64, u64)>,
    next: u64,
    latched: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Fault {
    None,
    ChecksWithoutHolding,
    ForgivesTheExcess,
    NeverLatches,
    AdmitsWhenLatched,
    ForgetsHoldsInACrash,
    SettlesTwice,
    KeepsTheRest,
}

impl Planted {
    pub(super) fn with(fault: Fault) -> Self {
        Self { fault, cap: 0, spent: 0, holds: Vec::new(), next: 0, latched: false }
    }
}

impl Till for Planted {
    fn fresh(&self, _: &str, cap: u64) -> Self {
        Self { cap, ..Self::with(self.fault) }
    }

    fn reserve(&mut self, worst: u64) -> Option<u64> {
        let stopped = self.latched && self.fault != Fault::AdmitsWhenLatched;
        if stopped || self.spent + self.held() + worst > self.cap {
            return None;
        }
        let held = if self.fault == Fault::ChecksWithoutHolding { 0 } else { worst };
        self.holds.push((self.next, held));
        self.next += 1;
        Some(self.next - 1)
    }

    fn settle(&mut self, hold: u64, actual: u64) -> bool {
        let slot = self.holds.iter().position(|&(number, _)| number == hold);
        let held = match slot {
            Some(slot) => self.holds.remove(slot).1,
            None if self.fault == Fault::SettlesTwice => actual,
            None => return false,
        };
        self.spent += match self.fault {
            Fault::ForgivesTheExcess => actual.min(held),
            Fault::KeepsTheRest => actual.max(held),
            _ => actual,
        };
        self.latched |= actual > held && self.fault != Fault::NeverLatches;
        true
    }

    fn crash(&mut self) {
        if self.fault == Fault::ForgetsHoldsInACrash {
            self.holds.clear();
        }
    }

    fn spent(&self) -> u64 {
        self.spent
    }

    fn held(&self) -> u64 {
        self.holds.iter().map(|&(_, held)| held).sum()
    }

    fn latched(&self) -> bool {
        self.latched
    }
}
