//! The meter: no cap is passed in any order of events, the books are the sum of what happened.

mod any_order;

use std::sync::Mutex;

use envelope_evidence::usage::{Dimension, MAX_EXACT, Usage};
use envelope_evidence::{Digest, usage::Dimension::*};
use envelope_rules::Code;
use envelope_rules::budget::{
    ACCOUNTS_MAX, Account, BadMeter, Cap, HoldId, Level, Meter, MeterState, OPEN_HOLDS_MAX,
};

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
    assert_eq!(meter.state().accounts()[0].spent(), &nano(MAX_EXACT));
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
        (r#""nano_usd":1,"#, r#""nano_usd":9007199254740991,"#, BadMeter::Hold(1)),
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
