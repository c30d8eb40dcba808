//! Crashes between any two steps: money is neither lost nor spent twice, and nothing is sent twice.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use envelope_evidence::Dimension;
use envelope_gate::model::{Failed, Finish, InMemoryPurse, Piece, Script};
use envelope_rules::budget::{Billed, Level, Shared};

use super::desk::{Desk, INPUT, OUTPUT, desk};
use crate::chance::Chance;
use crate::engine::world::Lines;

/// Asks in every way, with other calls in between.
const ACTS: &str = "chat stub/a 50 Hello; now; ask-open stub/a 50 Hello; ask-next; write out/x y; \
                    ask-next; ask-next; chat stub/b 30 Hello; ask-vectors stub/a one,two; \
                    ask-open stub/b 20 Hello; ask-next; ask-drop; ask-stream stub/a 40 Hello";

/// What a provider billed in truth, whoever saw it.
fn counting(acts: &str) -> (Desk, Arc<AtomicU64>) {
    let truth = Arc::new(AtomicU64::new(0));
    let billed = truth.clone();
    let desk = desk(acts).playing(move |order| {
        let output = order.max_output.min(7);
        let bill = Billed { input: 20, output, ..Billed::default() };
        billed.fetch_add(20 * INPUT + output * OUTPUT, Ordering::SeqCst);
        let says = ["one ", "two "].map(|words| Ok::<_, Failed>(Piece::Text(words.to_owned())));
        let ends = [Ok(Piece::Finish(Finish::Stop)), Ok(Piece::Billed(bill))];
        Script { says: says.into_iter().chain(ends).collect(), ..Script::default() }
    });
    (desk, truth)
}

fn organisation(desk: &mut Desk, cap: u64) -> Shared {
    let account = Shared { level: Level::Organisation, name: "o".to_owned() };
    desk.chain.accounts = vec![account.clone()];
    desk.purse = InMemoryPurse::new([(account.clone(), cap)]).into();
    account
}

#[test]
fn a_run_that_crashes_at_any_line_spends_no_more_than_it_says() {
    let (undisturbed, _) = counting(ACTS);
    let told = undisturbed.run();
    told.replays_same();
    let count = told.journal.iter().filter(|byte| **byte == b'\n').count();
    let cap = told.money() * 3;
    for room in 1..count {
        let (mut desk, truth) = counting(ACTS);
        desk.money = cap;
        let account = organisation(&mut desk, cap);
        let crashed = desk.run_into(Lines::of(b"", Some(room)), None);
        assert!(crashed.finished.is_err(), "line {room}");
        let again = desk.run_into(Lines::of(&crashed.journal, None), Some(crashed.store.clone()));
        let money = again.money();
        assert!(again.finished().ended().is_some(), "line {room}");
        assert!(truth.load(Ordering::SeqCst) <= money, "line {room}: billed, and booked {money}");
        assert!(money <= cap, "line {room}");
        let keys = desk.stub.asked();
        let once: BTreeSet<_> = keys.iter().map(|asked| &asked.key).collect();
        assert_eq!(once.len(), keys.len(), "line {room}: nothing is sent twice under one key");
        let balance = desk.purse.ledger().balance(&account).unwrap();
        assert_eq!((balance.spent, balance.leased), (money, 0), "line {room}: nothing is lost");
        again.replays_same();
    }
}

/// Again and again, at places of chance: many runs that share one account.
#[test]
fn runs_that_share_an_account_never_pass_its_cap() {
    let mut chance = Chance(0x5eed);
    let mut crashes = 0;
    for _ in 0..60 {
        let cap = 500_000 + chance.below(3_000_000);
        let (mut first, truth) = counting(ACTS);
        let account = organisation(&mut first, cap);
        for name in ["a", "b", "c"] {
            // A run of its own, with the shared books of the others.
            let mut desk = first.clone();
            desk.setup.seed = name;
            let (mut left, mut store) = (Vec::new(), None);
            loop {
                let room = usize::try_from(1 + chance.below(12)).unwrap();
                let told = desk.run_into(Lines::of(&left, Some(room)), store.clone());
                let balance = desk.purse.ledger().balance(&account).unwrap();
                assert!(balance.spent + balance.leased <= cap, "{balance:?} of {cap}");
                if told.finished.is_ok() {
                    break;
                }
                crashes += 1;
                (left, store) = (told.journal, Some(told.store));
            }
        }
        let balance = first.purse.ledger().balance(&account).unwrap();
        assert!(truth.load(Ordering::SeqCst) <= balance.spent, "what was billed is booked");
        assert_eq!(balance.leased, 0, "nothing is out for ever");
    }
    assert!(crashes > 300, "{crashes}");
}

/// A process that takes a run up tells the guest what it cannot know, and asks nobody again.
#[test]
fn an_attempt_of_another_process_is_not_made_again() {
    let (desk, _) = counting("chat stub/a 50 Hello; now");
    // Written is that it begins, and then nothing more can be.
    let crashed = (1..20).map(|room| desk.run_into(Lines::of(b"", Some(room)), None));
    let crashed = crashed.into_iter().find(|_| !desk.stub.asked().is_empty()).expect("a begin");
    assert_eq!(desk.stub.asked().len(), 1);
    let again = desk.run_into(Lines::of(&crashed.journal, None), Some(crashed.store.clone()));
    assert!(again.said().starts_with("chat: unavailable (the process that asked is gone"));
    assert_eq!(desk.stub.asked().len(), 1);
    again.replays_same();
}

/// A stream whose end was recorded tells its end, whichever process the guest hears it from.
#[test]
fn the_end_of_a_stream_is_not_lost() {
    let acts = "ask-stream stub/a 50 Hello; now";
    let whole = counting(acts).0.run();
    assert!(whole.said().contains("ok one |two |<"), "{}", whole.said());
    let count = whole.journal.iter().filter(|byte| **byte == b'\n').count();
    let (mut ends, mut broken) = (0, 0);
    for room in 1..count {
        let (desk, _) = counting(acts);
        let crashed = desk.run_into(Lines::of(b"", Some(room)), None);
        let again = desk.run_into(Lines::of(&crashed.journal, None), Some(crashed.store));
        let (said, wanted) = (again.said(), whole.said());
        if said.split("; ").next() == wanted.split("; ").next() {
            ends += 1;
        } else {
            assert!(said.starts_with("ask-stream: unavailable ("), "line {room}: {said}");
            broken += 1;
        }
        again.replays_same();
    }
    assert!(ends > 2 && broken > 1, "{ends} whole, {broken} broken off");
}

/// What is read back costs as much fuel as it did the first time.
#[test]
fn a_run_that_is_taken_up_burns_as_much_fuel() {
    let (desk, _) = counting("ask-stream stub/a 50 Hello; chat stub/b 50 Hello; now");
    let whole = desk.run();
    let fuel = whole.used().get(Dimension::Fuel);
    let count = whole.journal.iter().filter(|byte| **byte == b'\n').count();
    // All but the end, which says what was burnt.
    for room in [count - 3, count - 2] {
        let crashed = desk.run_into(Lines::of(b"", Some(room)), None);
        let again = desk.run_into(Lines::of(&crashed.journal, None), Some(crashed.store));
        assert_eq!(again.said(), whole.said(), "line {room}");
        assert_eq!(again.used().get(Dimension::Fuel), fuel, "line {room}");
    }
    assert!(fuel > 0);
}

/// A run takes no larger slice of what it shares than it may spend by itself.
#[test]
fn a_poor_run_leases_what_it_can_pay() {
    let (money, plenty) = (700_000, 1 << 40);
    for (name, money, most) in [("poor", money, money), ("rich", 1 << 39, plenty)] {
        let (mut desk, _) = counting("chat stub/a 90000 Hello; chat stub/a 90000 Hello");
        desk.money = money;
        let account = organisation(&mut desk, plenty);
        let (purse, leased) = (desk.purse.clone(), Arc::new(AtomicU64::new(0)));
        let seen = leased.clone();
        let desk = desk.playing(move |_| {
            let balance = purse.ledger().balance(&account).unwrap();
            seen.fetch_max(balance.leased, Ordering::SeqCst);
            Script::default()
        });
        let told = desk.run();
        let leased = leased.load(Ordering::SeqCst);
        assert!(leased > 0 && leased <= most, "{name}: {leased} of {most}: {}", told.said());
        assert_eq!(leased > 180_000_000, name == "rich", "{leased}: what the call can cost");
        told.replays_same();
    }
}
