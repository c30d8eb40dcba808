//! Any order of events, against books that are added up afresh after each.
use envelope_evidence::Digest;
use envelope_evidence::usage::{Dimension, MAX_EXACT, Usage};
use envelope_rules::Code;
use envelope_rules::budget::{Account, Cap, Hold, HoldId, Level, Meter, Settled};
use proptest::prelude::*;

use super::{meter, reload, row, run};

#[derive(Debug, Clone)]
enum Event {
    Reserve([u64; 6]),
    /// Which hold, and in each dimension how many sixths of it were used: above six is a lie.
    Settle(usize, [u64; 6]),
    Void(usize),
    Forfeit(usize),
    /// Which holds are taken back; the others stay held.
    Crash(Vec<bool>),
    Day(u8),
    Reset,
}

fn events(sixths: std::ops::RangeInclusive<u64>) -> impl Strategy<Value = Vec<Event>> {
    let settle = (any::<usize>(), prop::array::uniform6(sixths));
    let event = prop_oneof![
        6 => prop::array::uniform6(0..30_u64).prop_map(Event::Reserve),
        4 => settle.prop_map(|(which, used)| Event::Settle(which, used)),
        1 => any::<usize>().prop_map(Event::Void),
        1 => any::<usize>().prop_map(Event::Forfeit),
        1 => prop::collection::vec(any::<bool>(), 8).prop_map(Event::Crash),
        1 => (0..3_u8).prop_map(Event::Day),
        1 => Just(Event::Reset),
    ];
    prop::collection::vec(event, 0..60)
}

fn caps() -> impl Strategy<Value = [Cap; 5]> {
    let cap = prop::array::uniform6(prop::option::weighted(0.5, 0..200_u64)).prop_map(|limits| {
        let limits = Dimension::ALL.into_iter().zip(limits);
        limits.fold(Cap::NONE, |cap, (dimension, limit)| {
            limit.map_or(cap, |limit| cap.with(dimension, limit).unwrap())
        })
    });
    prop::array::uniform5(cap)
}

/// What happened, as a plain list: the books are added up from it afresh after every event.
#[derive(Default)]
struct Ledger {
    open: Vec<(HoldId, Usage, String)>,
    booked: Vec<(Usage, String)>,
    latched: bool,
}

impl Ledger {
    fn sums(&self, account: &Account, dimension: Dimension) -> (u64, u64) {
        let mine = |day: &str| account.level() != Level::Day || account.name() == day;
        let booked = self.booked.iter().filter(|(_, day)| mine(day));
        let open = self.open.iter().filter(|(_, _, day)| mine(day));
        (
            booked.map(|(usage, _)| usage.get(dimension)).sum(),
            open.map(|(_, usage, _)| usage.get(dimension)).sum(),
        )
    }

    fn admits(&self, meter: &Meter, today: &str, worst: &Usage) -> bool {
        let charged = |a: &&Account| a.level() != Level::Day || a.name() == today;
        let mut accounts = meter.state().accounts().iter().filter(charged);
        let fits = |account: &Account, dimension| {
            let (spent, held) = self.sums(account, dimension);
            let limit = account.cap().get(dimension).unwrap_or(MAX_EXACT);
            spent + held + worst.get(dimension) <= limit
        };
        !self.latched && accounts.all(|a| Dimension::ALL.into_iter().all(|d| fits(a, d)))
    }
}

struct Play {
    meter: Meter,
    ledger: Ledger,
    holds: Vec<Hold>,
    today: String,
    day_cap: Cap,
}

impl Play {
    fn step(&mut self, event: Event) {
        match event {
            Event::Reserve(amounts) => self.reserve(row(amounts)),
            Event::Settle(which, sixths) => {
                let Some(hold) = self.take(which) else { return };
                let used = |row: Usage, (dimension, sixths)| {
                    row.with(dimension, hold.worst().get(dimension) * sixths / 6).unwrap()
                };
                let actual = Dimension::ALL.into_iter().zip(sixths).fold(Usage::ZERO, used);
                self.end(hold, actual, |meter, hold| meter.settle(hold, actual));
            }
            Event::Void(which) => {
                let Some(hold) = self.take(which) else { return };
                self.end(hold, Usage::ZERO, Meter::void);
            }
            Event::Forfeit(which) => {
                let Some(hold) = self.take(which) else { return };
                let worst = *hold.worst();
                self.end(hold, worst, Meter::forfeit);
            }
            Event::Crash(kept) => self.crash(&kept),
            Event::Day(day) => {
                self.today = format!("2026-11-{day}");
                self.meter.begin_day(&self.today, self.day_cap).unwrap();
            }
            Event::Reset => {
                let reset = self.meter.reset(Digest::of(b"approval"));
                assert_eq!(reset.is_some(), std::mem::take(&mut self.ledger.latched));
            }
        }
    }

    fn reserve(&mut self, worst: Usage) {
        let expected = self.ledger.admits(&self.meter, &self.today, &worst);
        let before = self.meter.state().clone();
        match self.meter.reserve(worst) {
            Ok(hold) => {
                assert!(expected, "admitted {worst:?}");
                self.ledger.open.push((hold.id(), worst, self.today.clone()));
                self.holds.push(hold);
            }
            Err(denial) => {
                assert!(!expected, "{denial}");
                let latched = denial.code() == Code::BudgetLatched;
                assert_eq!(latched, self.ledger.latched);
                assert_eq!(&before, self.meter.state(), "a denial moves nothing");
            }
        }
    }

    fn take(&mut self, which: usize) -> Option<Hold> {
        (!self.holds.is_empty()).then(|| self.holds.swap_remove(which % self.holds.len()))
    }

    fn end(&mut self, hold: Hold, actual: Usage, how: impl FnOnce(&mut Meter, Hold) -> Settled) {
        let slot = self.ledger.open.iter().position(|open| open.0 == hold.id()).unwrap();
        let (_, worst, day) = self.ledger.open.remove(slot);
        self.ledger.booked.push((actual, day));
        self.ledger.latched |= actual.first_above(&worst).is_some();
        let settled = how(&mut self.meter, hold);
        assert_eq!(settled.booked, actual);
        assert_eq!(settled.returned, worst.saturating_sub(actual));
        assert_eq!(settled.overspent, actual.first_above(&worst));
    }

    fn crash(&mut self, kept: &[bool]) {
        self.holds.clear();
        let gone = std::mem::replace(&mut self.meter, run(0));
        self.meter = reload(gone);
        let open: Vec<_> = self.ledger.open.iter().map(|open| open.0).collect();
        assert_eq!(self.meter.orphans().collect::<Vec<_>>(), sorted(open.clone()));
        for (id, _) in open.into_iter().zip(kept).filter(|(_, kept)| **kept) {
            self.holds.extend(self.meter.recover(id));
            assert_eq!(self.meter.recover(id), None, "taken back once");
        }
    }

    fn check_books(&self) {
        for account in self.meter.state().accounts() {
            for dimension in Dimension::ALL {
                let (spent, held) = self.ledger.sums(account, dimension);
                let booked = (account.spent().get(dimension), account.held().get(dimension));
                assert_eq!(booked, (spent, held), "{account} {}", dimension.name());
            }
        }
        assert_eq!(self.meter.state().tripped().is_some(), self.ledger.latched);
    }

    fn check_caps(&self) {
        for account in self.meter.state().accounts() {
            for dimension in Dimension::ALL {
                assert!(account.remaining(dimension) >= account.cap().get(dimension).map(|_| 0));
            }
        }
    }
}

fn sorted(mut ids: Vec<HoldId>) -> Vec<HoldId> {
    ids.sort();
    ids
}

fn play(caps: [Cap; 5], events: Vec<Event>, honest: bool) {
    let ledger = Ledger::default();
    let (meter, day_cap) = (meter(caps), caps[1]);
    let mut play = Play { meter, ledger, holds: Vec::new(), today: "day".into(), day_cap };
    for event in events {
        play.step(event);
        play.check_books();
        if honest {
            play.check_caps();
        }
    }
}

proptest! {
    #[test]
    fn no_cap_is_passed(caps in caps(), events in events(0..=6)) {
        play(caps, events, true);
    }

    #[test]
    fn the_truth_is_booked_when_bills_are_too_high(caps in caps(), events in events(0..=9)) {
        play(caps, events, false);
    }
}
