//! Shared accounts spent by leases: many runs on several machines, crashes between any two steps,
//! providers that lie, hang and answer twice.

use envelope_evidence::{Digest, Dimension, Label, Timestamp, Usage};
use envelope_rules::Code;
use envelope_rules::budget::{
    Account, Accounting, BadLedger, Cap, Freezer, Frost, Hold, Ledger, Level, Meter, Place, Shared,
};

use crate::chance::Chance;

const MONEY: Dimension = Dimension::NanoUsd;

fn shared(level: Level, name: &str) -> Shared {
    Shared { level, name: name.to_owned() }
}

fn nano(amount: u64) -> Usage {
    Usage::ZERO.with(MONEY, amount).unwrap()
}

fn place() -> Place {
    Place { provider: Label::cut("p"), model: Label::cut("p/m") }
}

#[test]
fn a_lease_takes_all_accounts_or_none() {
    let (day, agent) = (shared(Level::Day, "d"), shared(Level::Agent, "a"));
    let chain = [day.clone(), agent.clone()];
    let mut ledger = Ledger::default();
    let lease = Digest::of(b"lease");
    let unknown = ledger.lease(lease, &chain, 1, 1).unwrap_err();
    assert!(matches!(unknown, BadLedger::Unknown { level: Level::Day, .. }));
    ledger.open(day.clone(), 100);
    ledger.open(agent.clone(), 30);
    let denial = ledger.lease(lease, &chain, 31, 99).unwrap().unwrap_err();
    assert_eq!(denial.code(), Code::BudgetExhausted);
    assert_eq!(denial.detail(), "agent `a`: nano_usd wanted 31, remaining 30");
    assert_eq!(ledger.balance(&day).unwrap().leased, 0, "none");
    let leased = ledger.lease(lease, &chain, 10, 99).unwrap().unwrap();
    assert_eq!((leased.slice, leased.short), (30, Some(agent.clone())), "what is there");
    assert_eq!(ledger.balance(&day).unwrap().leased, 30, "all");
    assert_eq!(ledger.lease(lease, &chain, 1, 1).unwrap().unwrap_err().code(), denial.code());
    assert_eq!(ledger.lease(lease, std::slice::from_ref(&day), 1, 1), Err(BadLedger::Chain));

    let told = |seq, spent, returned| Accounting { seq, spent, returned };
    assert_eq!(ledger.account(&lease, told(0, 5, 10)), Ok(()));
    assert_eq!(ledger.account(&lease, told(0, 5, 10)), Ok(()), "told twice, it counts once");
    let balance = ledger.balance(&agent).unwrap();
    assert_eq!((balance.spent, balance.leased, balance.room()), (5, 15, 10));
    let gap = ledger.account(&lease, told(2, 1, 0)).unwrap_err();
    assert_eq!(gap, BadLedger::Sequence { expected: 1, found: 2 });
    let much = ledger.account(&lease, told(1, 1, 15)).unwrap_err();
    assert_eq!(much, BadLedger::Returned { returned: 15, left: 14 });
    assert_eq!(ledger.account(&lease, told(1, 20, 0)), Ok(()), "the truth, in full");
    let balance = ledger.balance(&agent).unwrap();
    assert_eq!((balance.spent, balance.leased, balance.room()), (25, 0, 5));
    let none = Digest::of(b"none");
    assert_eq!(ledger.account(&none, told(0, 0, 0)), Err(BadLedger::NoLease(none)));
}

#[test]
fn what_is_frozen_stays_frozen_until_a_human_thaws_it() {
    let frost = |run: &str| Frost {
        place: place(),
        run: Label::cut(run),
        key: Label::cut("k"),
        reserved: nano(1),
        charged: nano(2),
        at: Timestamp::from_secs(5).unwrap(),
    };
    let mut freezer = Freezer::default();
    assert_eq!(freezer.check(&place()), Ok(()));
    assert!(freezer.freeze(frost("r1")));
    assert!(!freezer.freeze(frost("r2")), "the first reason stays");
    let denial = freezer.check(&place()).unwrap_err();
    assert_eq!(denial.code(), Code::BudgetFrozen);
    assert!(denial.detail().contains("by run `r1`"), "{}", denial.detail());
    let other = Place { model: Label::cut("p/other"), ..place() };
    assert_eq!(freezer.check(&other), Ok(()));
    let thaw = freezer.thaw(&place(), Digest::of(b"me"), Timestamp::ZERO).unwrap();
    assert_eq!((thaw.by, thaw.frost), (Digest::of(b"me"), frost("r1")));
    assert_eq!(freezer.check(&place()), Ok(()));
    assert_eq!(freezer.thaw(&place(), Digest::of(b"me"), Timestamp::ZERO), None);
}

/// What is durable of a run: its journal says what was set aside and what was settled.
#[derive(Default)]
struct Journal {
    /// Calls that began and have no end on record: what was set aside for each.
    open: Vec<u64>,
    /// What ended calls were booked at.
    booked: u64,
    /// Whether a provider broke its word.
    latched: bool,
    ended: bool,
}

/// A run, and the process that has it in hand, if one has.
struct Run {
    lease: Digest,
    chain: Vec<Shared>,
    journal: Journal,
    process: Option<Process>,
}

struct Process {
    meter: Meter,
    /// Calls that were sent and have not come back.
    holds: Vec<(Hold, u64)>,
}

/// Everything outside: the shared books, the frozen, and what providers truly billed.
struct World {
    seed: Chance,
    ledger: Ledger,
    freezer: Freezer,
    accounts: Vec<Shared>,
    billed: u64,
    /// What was billed above what was set aside: assumption (i), broken.
    excess: u64,
    honest: bool,
    denied: u64,
    crashes: u64,
}

impl World {
    fn new(seed: u64, honest: bool) -> Self {
        let mut seed = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let accounts = vec![
            shared(Level::Day, "d"),
            shared(Level::Agent, "a"),
            shared(Level::Organisation, "o"),
        ];
        let mut ledger = Ledger::default();
        for account in &accounts {
            ledger.open(account.clone(), 2_000 + seed.below(20_000));
        }
        let (freezer, billed, excess, denied, crashes) = (Freezer::default(), 0, 0, 0, 0);
        Self { seed, ledger, freezer, accounts, billed, excess, honest, denied, crashes }
    }

    /// A process takes the run up: its books are what the journal and the ledger say.
    fn take_up(&self, run: &Run) -> Process {
        let spent = run.journal.booked + run.journal.open.iter().sum::<u64>();
        let out = self.ledger.out(&run.lease).unwrap_or_default();
        let cap = |limit| Cap::NONE.with(MONEY, limit).unwrap();
        let mut chain = vec![Account::new(Level::Run, "r".to_owned(), cap(5_000), nano(spent))];
        chain.extend(
            run.chain
                .iter()
                .map(|it| Account::new(it.level, it.name.clone(), cap(out), nano(spent))),
        );
        let mut meter = Meter::new(run.lease, chain).unwrap();
        if run.journal.latched {
            meter.latch(0, nano(0), nano(1));
        }
        Process { meter, holds: Vec::new() }
    }

    /// Reserves, leasing what is lacking; between any two lines the process may die.
    fn begin(&mut self, run: &mut Run) {
        let worst = 1 + self.seed.below(900);
        if self.freezer.check(&place()).is_err() {
            self.denied += 1;
            return;
        }
        let Some(mut process) = run.process.take() else { return };
        let leased = process.meter.leased(&run.chain);
        if leased < worst {
            let wish = (worst - leased) + self.seed.below(2_000);
            let slice = self.ledger.lease(run.lease, &run.chain, 0, wish).unwrap();
            if self.dies() {
                return;
            }
            if let Ok(slice) = slice {
                process.meter.top_up(&run.chain, slice);
            }
        }
        match process.meter.reserve(nano(worst)) {
            Err(_) => self.denied += 1,
            Ok(hold) => {
                run.journal.open.push(worst);
                if self.dies() {
                    return;
                }
                // It is sent: from here on the provider bills.
                let bill = self.bill(worst);
                self.billed += bill;
                if self.dies() {
                    return;
                }
                process.holds.push((hold, bill));
            }
        }
        run.process = Some(process);
    }

    fn bill(&mut self, worst: u64) -> u64 {
        if !self.honest && self.seed.below(25) == 0 {
            let bill = worst + 1 + self.seed.below(500);
            self.excess += bill - worst;
            return bill;
        }
        self.seed.below(worst + 1)
    }

    /// An answer comes back, or does not; its end goes on record.
    fn settle(&mut self, run: &mut Run) {
        let Some(mut process) = run.process.take() else { return };
        if !process.holds.is_empty() {
            let at = usize::try_from(self.seed.below(u64::try_from(process.holds.len()).unwrap()))
                .unwrap();
            let (hold, bill) = process.holds.swap_remove(at);
            let worst = hold.worst().get(MONEY);
            // It hangs, breaks off, or says nothing: all that was set aside counts. A bill above
            // it is told in any case: nobody hides what he wants to be paid.
            let unknown = self.seed.below(4) == 0 && bill <= worst;
            let booked = if unknown { worst } else { bill };
            let settled = process.meter.settle(hold, nano(booked));
            assert_eq!(settled.overspent.is_some(), booked > worst);
            if booked > worst {
                let run = Label::cut("r");
                let (key, at) = (Label::cut("k"), Timestamp::ZERO);
                let (reserved, charged) = (nano(worst), nano(booked));
                self.freezer.freeze(Frost { place: place(), run, key, reserved, charged, at });
            }
            if self.dies() {
                // Settled in memory alone: the journal still holds what was set aside. A broken
                // word that nobody wrote down is known to those who froze the model.
                return;
            }
            let open = run.journal.open.iter().position(|it| *it == worst).unwrap();
            run.journal.open.swap_remove(open);
            run.journal.booked += booked;
            run.journal.latched |= booked > worst;
        }
        run.process = Some(process);
    }

    /// The run ends: what it spent is told, perhaps twice, and the rest comes back.
    fn end(&mut self, run: &mut Run) {
        let Some(process) = run.process.take() else { return };
        // Calls whose answers nobody waited for keep what was set aside.
        drop(process);
        run.journal.ended = true;
        self.account(run);
        if self.seed.below(3) == 0 {
            self.account(run);
        }
    }

    fn account(&mut self, run: &Run) {
        let spent = run.journal.booked + run.journal.open.iter().sum::<u64>();
        let Some(out) = self.ledger.out(&run.lease) else { return };
        let told = Accounting { seq: 0, spent, returned: out.saturating_sub(spent) };
        self.ledger.account(&run.lease, told).unwrap();
    }

    fn dies(&mut self) -> bool {
        let dies = self.seed.below(12) == 0;
        self.crashes += u64::from(dies);
        dies
    }

    fn holds(&self) {
        for account in &self.accounts {
            let balance = self.ledger.balance(account).unwrap();
            let gone = balance.spent + balance.leased;
            assert!(self.billed <= gone + self.excess, "{} billed, {balance:?}", self.billed);
            assert!(gone <= balance.cap + self.excess, "{balance:?}");
            assert_eq!(gone + balance.room(), gone.max(balance.cap), "conserved");
        }
    }
}

/// Plays one seed to its end: so many denials and crashes.
fn play(seed: u64, honest: bool) -> (u64, u64) {
    let mut world = World::new(seed, honest);
    let mut runs: Vec<_> = (0..6_u64)
        .map(|at| Run {
            lease: Digest::of(&at.to_be_bytes()),
            chain: world.accounts.clone(),
            journal: Journal::default(),
            process: None,
        })
        .collect();
    for _ in 0..250 {
        let at = usize::try_from(world.seed.below(6)).unwrap();
        let run = &mut runs[at];
        if run.journal.ended {
            continue;
        }
        if run.process.is_none() {
            run.process = Some(world.take_up(run));
        }
        match world.seed.below(20) {
            0..=9 => world.begin(run),
            10..=17 => world.settle(run),
            18 => run.process = None,
            _ => world.end(run),
        }
        world.holds();
    }
    // Whatever is left open is taken up once more and ended: nothing is out for ever.
    for run in &mut runs {
        if !run.journal.ended {
            run.process = Some(world.take_up(run));
            world.end(run);
        }
        world.holds();
    }
    let booked: u64 =
        runs.iter().map(|run| run.journal.booked + run.journal.open.iter().sum::<u64>()).sum();
    for account in &world.accounts {
        let balance = world.ledger.balance(account).unwrap();
        assert_eq!((balance.spent, balance.leased), (booked, 0), "to the nano-dollar");
        if honest {
            assert!(balance.spent <= balance.cap);
        }
    }
    (world.denied, world.crashes)
}

#[test]
fn no_schedule_of_crashes_passes_a_shared_cap() {
    let (mut denied, mut crashes) = (0, 0);
    for seed in 1..=400 {
        let (no, dead) = play(seed, true);
        denied += no;
        crashes += dead;
    }
    assert!(denied > 2_000 && crashes > 2_000, "{denied} denied, {crashes} crashes");
}

/// When a provider breaks its word, what can be lost is the excess of what was in flight, and it is
/// known to the nano-dollar.
#[test]
fn a_lie_costs_its_excess_and_nothing_more() {
    for seed in 1..=400 {
        play(seed, false);
    }
}
