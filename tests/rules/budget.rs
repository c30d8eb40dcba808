//! The meter: no cap is passed in any order of events, the books are the sum of what happened.

use std::sync::Mutex;

use envelope_evidence::usage::{Dimension, MAX_EXACT, Usage};
use envelope_evidence::{Digest, usage::Dimension::*};
use envelope_rules::Code;
use envelope_rules::budget::{
    ACCOUNTS_MAX, Account, BadMeter, Cap, Hold, HoldId, Level, Meter, MeterState, OPEN_HOLDS_MAX,
    Settled,
};
use proptest::prelude::*;

const LEVELS: [Level; 5] =
    [Level::Run, Level::Day, Level::Agent, Level::Purchase, Level::Organisation];

fn row(amounts: [u64; 6]) -> Usage {
    let with = |row: Usage, (dimension, amount)| row.with(dimension, amount).unwrap();
    Dimension::ALL.into_iter().zip(amounts).fold(Usage::ZERO, with)
}

fn nano(amount: u64) -> Usage {
    Usage::ZERO.with(NanoUsd, amount).unwrap()
}

fn account(level: Level, cap: Cap) -> Account {
    Account::new(level, format!("{level:?}").to_lowercase(), cap, Usage::ZERO)
}

fn meter(caps: [Cap; 5]) -> Meter {
    let chain = LEVELS.into_iter().zip(caps).map(|(level, cap)| account(level, cap));
    Meter::new(Digest::of(b"run"), chain.collect()).unwrap()
}

/// A run and nothing else, with so many nano-dollars.
fn run(cap: u64) -> Meter {
    let cap = Cap::NONE.with(NanoUsd, cap).unwrap();
    Meter::new(Digest::of(b"run"), vec![account(Level::Run, cap)]).unwrap()
}

fn reload(meter: Meter) -> Meter {
    Meter::load(read(&serde_json::to_string(meter.state()).unwrap()).unwrap()).unwrap()
}

fn read(paper: &str) -> serde_json::Result<MeterState> {
    serde_json::from_str(paper)
}

mod any_order {
    use super::*;

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
        let cap =
            prop::array::uniform6(prop::option::weighted(0.5, 0..200_u64)).prop_map(|limits| {
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

        fn end(
            &mut self,
            hold: Hold,
            actual: Usage,
            how: impl FnOnce(&mut Meter, Hold) -> Settled,
        ) {
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
                    assert!(
                        account.remaining(dimension) >= account.cap().get(dimension).map(|_| 0)
                    );
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
}

/// Each cap is tripped alone, in each dimension; the same call passes where it fits.
#[test]
fn every_account_refuses_alone() {
    for (at, level) in LEVELS.into_iter().enumerate() {
        for dimension in Dimension::ALL {
            let mut caps = [Cap::NONE; 5];
            caps[at] = Cap::NONE.with(dimension, 10).unwrap();
            let wanted = |amount| row([7; 6]).with(dimension, amount).unwrap();
            let mut meter = meter(caps);
            let hold = meter.reserve(wanted(8)).unwrap();
            assert_eq!(meter.headroom().get(dimension), 2);
            let denial = meter.reserve(wanted(3)).unwrap_err();
            assert_eq!(denial.code(), Code::BudgetExhausted);
            let (of, name) = (dimension.name(), format!("{level:?}").to_lowercase());
            let detail = format!("{} `{name}`: {of} wanted 3, remaining 2", level.name());
            assert_eq!(denial.detail(), detail);
            let _ = meter.settle(hold, wanted(7));
            assert!(meter.reserve(wanted(3)).is_ok(), "{detail}");
        }
    }
}

#[test]
fn the_tightest_account_wins() {
    let cap = |limit| Cap::NONE.with(Calls, limit).unwrap();
    let mut meter = meter([cap(9), cap(5), cap(7), Cap::NONE, cap(6)]);
    assert_eq!(meter.headroom().get(Calls), 5);
    assert_eq!(meter.headroom().get(Fuel), MAX_EXACT);
    assert!(meter.reserve(row([0, 0, 0, 0, 6, 0])).is_err());
    assert!(meter.reserve(row([0, 0, 0, 0, 5, 0])).is_ok());
}

#[test]
fn a_call_belongs_to_the_day_it_was_admitted_on() {
    let cap = Cap::NONE.with(NanoUsd, 10).unwrap();
    let mut meter = meter([Cap::NONE, cap, Cap::NONE, Cap::NONE, Cap::NONE]);
    let late = meter.reserve(nano(10)).unwrap();
    assert!(meter.reserve(nano(1)).is_err());

    meter.begin_day("tomorrow", cap).unwrap();
    let early = meter.reserve(nano(6)).unwrap();
    let _ = meter.settle(late, nano(9));
    let _ = meter.settle(early, nano(5));
    let spent = |meter: &Meter, day: &str| {
        let day = meter.state().accounts().iter().find(|account| account.name() == day).unwrap();
        day.spent().get(NanoUsd)
    };
    assert_eq!((spent(&meter, "day"), spent(&meter, "tomorrow")), (9, 5));

    // The clock steps back over midnight, and a larger cap is named: the old row goes on.
    meter.begin_day("day", Cap::NONE).unwrap();
    assert!(meter.reserve(nano(2)).is_err());
    let hold = meter.reserve(nano(1)).unwrap();
    let _ = meter.settle(hold, nano(1));
    assert_eq!((spent(&meter, "day"), spent(&meter, "run")), (10, 15));
}

#[test]
fn an_overspend_is_booked_and_latches_until_a_human_resets_it() {
    let mut meter = run(100);
    let [honest, lying] = [10, 10].map(|worst| meter.reserve(nano(worst)).unwrap());
    let id = lying.id();
    assert_eq!(meter.settle(honest, nano(10)).overspent, None);
    assert!(meter.state().tripped().is_none());
    let settled = meter.settle(lying, nano(500));
    assert_eq!(settled.overspent, Some(NanoUsd));
    assert_eq!(meter.state().accounts()[0].remaining(NanoUsd), Some(-410));

    let mut meter = reload(meter);
    assert_eq!(meter.reserve(Usage::ZERO).unwrap_err().code(), Code::BudgetLatched);
    let reset = meter.reset(Digest::of(b"approval")).unwrap();
    assert_eq!((reset.by, reset.trip.hold), (Digest::of(b"approval"), id));
    assert_eq!((reset.trip.reserved, reset.trip.charged), (nano(10), nano(500)));
    assert_eq!(meter.reset(Digest::of(b"approval")), None);
    // The human closed the breaker; the money is spent all the same.
    let denial = meter.reserve(Usage::ZERO).unwrap_err();
    assert_eq!(denial.code(), Code::BudgetExhausted);
    assert!(denial.detail().ends_with("wanted 0, remaining -410"), "{denial}");
}

#[test]
fn a_sum_off_the_scale_is_never_forgotten() {
    let mut meter = run(MAX_EXACT);
    let [one, two] = [MAX_EXACT - 1, 1].map(|worst| meter.reserve(nano(worst)).unwrap());
    let _ = meter.settle(one, nano(MAX_EXACT));
    let _ = meter.settle(two, nano(1));
    assert!(meter.state().tripped().unwrap().off_scale);
    assert_eq!(meter.reset(Digest::of(b"approval")), None);
    assert_eq!(meter.reserve(Usage::ZERO).unwrap_err().code(), Code::BudgetLatched);
}

#[test]
fn without_a_cap_sums_still_stay_exact() {
    let mut meter = meter([Cap::NONE; 5]);
    let hold = meter.reserve(nano(MAX_EXACT)).unwrap();
    let denial = meter.reserve(nano(1)).unwrap_err();
    assert_eq!(denial.code(), Code::BudgetOverflow, "{denial}");
    let _ = meter.void(hold);
    assert!(meter.reserve(nano(1)).is_ok());
}

#[test]
fn a_hold_of_another_meter_releases_nothing_here() {
    let other = Account::new(Level::Run, "other".into(), Cap::NONE, Usage::ZERO);
    let mut other = Meter::new(Digest::of(b"other"), vec![other]).unwrap();
    let mut mine = run(100);
    let _held = mine.reserve(nano(60)).unwrap();
    let foreign = other.reserve(nano(60)).unwrap();
    assert_eq!(foreign.id().number, 0);
    let _ = mine.void(foreign);
    assert_eq!(mine.headroom().get(NanoUsd), 40);
    assert!(mine.state().tripped().is_none());
    let foreign = other.reserve(nano(60)).unwrap();
    assert_eq!(mine.settle(foreign, nano(30)).overspent, Some(NanoUsd));
    assert_eq!(mine.headroom().get(NanoUsd), 10);
}

#[test]
fn a_hold_comes_back_once_after_a_crash() {
    let mut meter = run(100);
    let [kept, settled] = [20, 30].map(|worst| meter.reserve(nano(worst)).unwrap());
    let (kept, settled_id) = (kept.id(), settled.id());
    let _ = meter.void(settled);
    assert_eq!(meter.recover(kept), None, "nothing to take back without a crash");

    let mut meter = reload(meter);
    assert_eq!(meter.recover(settled_id), None);
    assert_eq!(meter.recover(HoldId { meter: Digest::of(b"other"), ..kept }), None);
    let hold = meter.recover(kept).unwrap();
    assert_eq!((meter.recover(kept), hold.worst()), (None, &nano(20)));
    let next = meter.reserve(nano(80)).unwrap();
    assert_eq!(next.id().number, 2, "numbers are never used again");
    let _ = meter.forfeit(hold);
    assert_eq!(meter.close(), nano(100));
}

#[test]
fn a_child_spends_what_was_carved_for_it() {
    let mut parent = run(100);
    let budget = row([60, 50, 40, 30, 20, 10]);
    let (hold, cap) = parent.carve(budget).unwrap();
    assert_eq!(parent.headroom().get(NanoUsd), 40);
    let leaf = Account::new(Level::Run, "child".into(), cap, Usage::ZERO);
    let mut child = Meter::new(Digest::of(b"child"), vec![leaf]).unwrap();
    assert!(child.reserve(budget.with(WallMs, 11).unwrap()).is_err());
    let call = child.reserve(nano(20)).unwrap();
    let _ = child.settle(call, nano(15));
    let _lost = child.reserve(nano(5)).unwrap();
    let _ = parent.settle(hold, child.close());
    assert_eq!(parent.headroom().get(NanoUsd), 80);
    assert_eq!(parent.carve(nano(81)).unwrap_err().code(), Code::BudgetExhausted);
}

#[test]
fn open_holds_and_days_are_bounded() {
    let mut meter = run(1000);
    let mut holds: Vec<_> = (0..OPEN_HOLDS_MAX).map(|_| meter.reserve(nano(1)).unwrap()).collect();
    assert_eq!(meter.reserve(nano(1)).unwrap_err().code(), Code::BudgetBusy);
    let _ = meter.void(holds.pop().unwrap());
    assert!(meter.reserve(nano(1)).is_ok());

    for day in 1..ACCOUNTS_MAX {
        meter.begin_day(&format!("day {day}"), Cap::NONE).unwrap();
    }
    let before = meter.state().clone();
    assert_eq!(meter.begin_day("another", Cap::NONE), Err(BadMeter::TooManyAccounts));
    assert_eq!(&before, meter.state());
    assert_eq!(meter.begin_day("day 1", Cap::NONE), Ok(()));
}

#[test]
fn a_chain_has_to_stand() {
    let new = |chain: &[(Level, &str)]| {
        let account = |&(level, name): &(Level, &str)| {
            Account::new(level, name.to_owned(), Cap::NONE, Usage::ZERO)
        };
        Meter::new(Digest::of(b"run"), chain.iter().map(account).collect()).map(|_| ())
    };
    assert_eq!(new(&[(Level::Run, "r"), (Level::Day, "d"), (Level::Agent, "a")]), Ok(()));
    assert_eq!(new(&[]), Err(BadMeter::NoAccount));
    assert_eq!(new(&[(Level::Day, "d")]), Err(BadMeter::Order(0)));
    assert_eq!(new(&[(Level::Agent, "a"), (Level::Run, "r")]), Err(BadMeter::Order(1)));
    assert_eq!(new(&[(Level::Run, "r"), (Level::Run, "s")]), Err(BadMeter::Order(1)));
    let twice = [(Level::Run, "r"), (Level::Day, "d"), (Level::Day, "d")];
    assert_eq!(new(&twice), Err(BadMeter::DayTwice(2)));
    for name in ["", "a\nb", &"x".repeat(129)] {
        assert_eq!(new(&[(Level::Run, name)]), Err(BadMeter::Name(0)), "{name:?}");
    }
}

#[test]
fn a_state_is_checked_when_it_is_read() {
    let mut meter = meter([Cap::NONE.with(NanoUsd, 9).unwrap(); 5]);
    let _held = [meter.reserve(nano(1)).unwrap(), meter.reserve(nano(2)).unwrap()];
    let paper = serde_json::to_string(meter.state()).unwrap();
    assert!(Meter::load(read(&paper).unwrap()).is_ok());
    let load = |from: &str, to: &str| {
        let mutant = paper.replacen(from, to, 1);
        assert_ne!(mutant, paper, "{from}");
        read(&mutant).map(|state| Meter::load(state).map(|_| ()))
    };
    for (from, to, why) in [
        (r#""version":1"#, r#""version":2"#, BadMeter::Version(2)),
        (r#""today":1"#, r#""today":0"#, BadMeter::NoToday),
        (r#""today":1"#, r#""today":null"#, BadMeter::NoToday),
        (r#""number":1"#, r#""number":0"#, BadMeter::Hold(0)),
        (r#""next_hold":2"#, r#""next_hold":1"#, BadMeter::Hold(1)),
        (r#""day":1}"#, r#""day":2}"#, BadMeter::Hold(0)),
        (r#"{"nano_usd":1,"#, r#"{"nano_usd":9007199254740991,"#, BadMeter::Hold(1)),
    ] {
        assert_eq!(load(from, to).unwrap(), Err(why), "{to}");
    }
    for (from, to) in [
        (r#""trip""#, r#""tripped":false,"trip""#),
        (r#""cap":{"nano_usd":9}"#, r#""cap":{"nano_usd":null}"#),
        (r#""cap":{"nano_usd":9}"#, r#""cap":{"nano_usd":9007199254740992}"#),
        (r#""cap":{"nano_usd":9}"#, r#""cap":{"nano_usd":9.0}"#),
        (r#""cap":{"nano_usd":9}"#, r#""cap":{"nanousd":9}"#),
        (r#""level":"run""#, r#""level":"galaxy""#),
    ] {
        assert!(load(from, to).is_err(), "{to}");
    }
}

#[test]
fn eight_threads_race_to_the_cap() {
    const CAP: u64 = 10_007;
    let meter = Mutex::new(run(CAP));
    let admitted: u64 = std::thread::scope(|scope| {
        let race = || {
            let mut admitted = 0;
            while let Ok(hold) = { meter.lock().unwrap().reserve(nano(3)) } {
                // Every other call is cheaper than feared.
                let actual = 3 - admitted % 2;
                let _ = meter.lock().unwrap().settle(hold, nano(actual));
                admitted += actual;
            }
            admitted
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(race)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    let meter = meter.into_inner().unwrap();
    let spent = meter.state().accounts()[0].spent().get(NanoUsd);
    assert_eq!(spent, admitted);
    assert!((CAP - 2..=CAP).contains(&spent), "{spent}");
}

#[test]
fn the_allow_path_allocates_nothing() {
    let mut meter = meter([Cap::NONE.with(NanoUsd, 1000).unwrap(); 5]);
    let measured = allocation_counter::measure(|| {
        let holds = [1, 2, 3].map(|worst| meter.reserve(nano(worst)));
        for hold in holds {
            let _ = meter.settle(hold.unwrap(), nano(1));
        }
    });
    assert_eq!(measured.count_total, 0);
    let denied = allocation_counter::measure(|| assert!(meter.reserve(nano(1001)).is_err()));
    assert!(denied.count_total > 0, "the counter counts");
}
