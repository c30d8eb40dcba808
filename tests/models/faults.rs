//! Providers that lie, fail, hang and overrun: what is owed, what is tried next, what is frozen.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use envelope_evidence::journal::{Event, Recovery};
use envelope_evidence::{Digest, Dimension, Timestamp};
use envelope_gate::model::{Failed, Finish, InMemoryPurse, Order, Piece, Script};
use envelope_gate::stop::Stop;
use envelope_rules::budget::{Billed, Level, Shared};

use super::desk::{Desk, INPUT, OUTPUT, Told, desk};
use crate::engine::world::{Change, Lines};

const ASK: &str = "chat stub/a 50 Hello";
const ASK_TWICE: &str = "chat stub/a 50 Hello; chat stub/b 50 Hello";

/// Tokens that the question can be at worst.
const IN: u64 = 256 + 96 + 128 + 5 + 6;
const WORST: u64 = IN * INPUT + 50 * OUTPUT;

fn says(pieces: Vec<Piece>) -> Script {
    Script { says: pieces.into_iter().map(Ok).collect(), ..Script::default() }
}

fn billed(input: u64, output: u64) -> Piece {
    Piece::Billed(Billed { input, output, ..Billed::default() })
}

fn hello(ends: Vec<Piece>) -> Script {
    says([vec![Piece::Text("Hi".to_owned()), Piece::Finish(Finish::Stop)], ends].concat())
}

fn refuses(failed: Failed) -> Script {
    Script { refuses: Some(failed), ..Script::default() }
}

fn free(status: u16) -> Failed {
    Failed::Free { status, why: "no".to_owned(), after: Some(0) }
}

fn refused(status: u16) -> Failed {
    Failed::Refused { status, why: "no".to_owned() }
}

/// The first question is answered by `first`, the others as they should be.
fn once(acts: &str, first: impl Fn() -> Script + Send + Sync + 'static) -> Desk {
    let count = AtomicUsize::new(0);
    desk(acts).playing(move |_: &Order<'_>| match count.fetch_add(1, Ordering::SeqCst) {
        0 => first(),
        _ => hello(vec![billed(10, 1)]),
    })
}

const GOOD: u64 = 10 * INPUT + OUTPUT;

#[test]
fn what_is_owed_follows_from_what_is_known() {
    let cases: Vec<(&str, Script, u64, &str)> = vec![
        ("reported", hello(vec![billed(10, 1)]), GOOD, "stop 10+1=12000: Hi"),
        ("zero is zero", says(vec![Piece::Finish(Finish::Stop), billed(0, 0)]), 0, "stop 0+0=0:"),
        ("words for nothing", hello(vec![billed(0, 0)]), WORST, "?: Hi"),
        ("nothing is said", hello(vec![]), WORST, "?: Hi"),
        ("all of it", hello(vec![billed(IN, 50)]), WORST, ": Hi"),
        ("it broke off", says(vec![Piece::Text("Hi".to_owned())]), WORST, "broke off"),
        ("unknown", refuses(Failed::Unknown("gone".to_owned())), WORST, "unavailable (gone)"),
        ("turned away", refuses(free(403)), 0, "unavailable (the provider answered 403: no)"),
        ("bad request", refuses(free(400)), 0, "answered 400"),
        ("who knows", refuses(refused(400)), WORST, "answered 400"),
        ("not writable", refuses(Failed::Unwritable("no words".to_owned())), 0, "(no words)"),
    ];
    for (name, script, owed, words) in cases {
        let told = desk(ASK).playing(move |_| script.clone()).run();
        assert!(told.said().contains(words), "{name}: {}", told.said());
        assert_eq!(told.money(), owed, "{name}");
        assert_eq!(told.desk.stub.asked().len(), 1, "{name}: asked once");
        told.replays_same();
    }
}

/// More than was set aside is booked in full, ends the run's spending, and freezes the model for
/// everybody until a human thaws it.
#[test]
fn a_provider_that_breaks_its_word_is_frozen() {
    for (name, piece) in [
        ("more output", billed(10, 999_999)),
        ("more input", billed(IN + 1, 50)),
        ("no integer holds it", billed(u64::MAX, u64::MAX)),
    ] {
        let first = piece.clone();
        let desk =
            once(&format!("{ASK}; {ASK}; write out/x y"), move || hello(vec![first.clone()]));
        let told = desk.run();
        let Piece::Billed(told_by) = piece else { unreachable!() };
        let due = u128::from(told_by.input) * u128::from(INPUT)
            + u128::from(told_by.output) * u128::from(OUTPUT);
        let due = u64::try_from(due).unwrap_or(u64::MAX).min((1 << 53) - 1);
        assert_eq!(told.money(), due, "{name}: booked in full");
        let latched = told.denied();
        assert!(latched.iter().all(|code| code.starts_with("budget.")), "{name}: {latched:?}");
        assert_eq!(told.desk.stub.asked().len(), 1, "{name}: nothing after it");
        told.replays_same();

        // Another run of the same organisation.
        let mut next = Desk { setup: super::desk::desk(ASK_TWICE).setup, ..told.desk.clone() };
        next.stub = super::desk::desk(ASK).stub;
        let other = next.run();
        assert_eq!(other.denied(), ["budget.frozen"], "{name}: {}", other.said());
        assert_eq!(other.desk.stub.asked().len(), 1, "{name}: another model is not frozen");
        other.replays_same();

        let frosts = next.purse.freezer().frozen().to_vec();
        assert_eq!(frosts.len(), 1);
        assert_eq!(frosts[0].charged.get(Dimension::NanoUsd), due, "what");
        assert_eq!(frosts[0].run.as_str(), "run_1", "by whom");
        let by = Digest::of(b"approval");
        let thaw = next.purse.freezer().thaw(&frosts[0].place, by, Timestamp::ZERO).unwrap();
        assert_eq!((thaw.by, &thaw.frost), (by, &frosts[0]));
        assert_eq!(next.run().denied(), Vec::<String>::new(), "{name}: a human thawed it");
    }
}

/// What the provider does beside what it was asked for is not in the request: it breaks its word.
#[test]
fn a_bill_for_what_nobody_asked_is_a_broken_word() {
    let told = desk(ASK).playing(|_| hello(vec![billed(10, 1), Piece::Unasked("a search")])).run();
    assert_eq!(told.money(), WORST + 1, "more than all that was set aside");
    assert_eq!(told.desk.purse.freezer().frozen().len(), 1);
    told.replays_same();
    let told = desk(ASK).playing(|_| hello(vec![Piece::Unasked("a search")])).run();
    assert_eq!(told.money(), WORST + 1, "whether it says what it bills or not");
    assert_eq!(told.desk.purse.freezer().frozen().len(), 1);
}

/// A broken word ends the run's spending, whichever process goes on with the run.
#[test]
fn after_a_broken_word_nothing_is_spent() {
    let acts = "chat stub/a 50 Hello; now; chat stub/b 50 Hello; now";
    let broken = || once(acts, || hello(vec![billed(10, 1), Piece::Unasked("a search")]));
    let told = broken().run();
    let latched = |told: &Told| {
        let denied = told.denied();
        !denied.is_empty() && denied.iter().all(|code| code == "budget.latched")
    };
    assert!(latched(&told), "{:?}", told.denied());
    assert_eq!(told.desk.stub.asked().len(), 1);
    told.replays_same();
    let count = told.journal.iter().filter(|byte| **byte == b'\n').count();
    let mut taken_up = 0;
    for room in 1..count {
        let desk = broken();
        let crashed = desk.run_into(Lines::of(b"", Some(room)), None);
        let answered = String::from_utf8_lossy(&crashed.journal).contains("\"answered\"");
        if !answered || desk.stub.asked().is_empty() || crashed.money() != WORST + 1 {
            continue;
        }
        let again = desk.run_into(Lines::of(&crashed.journal, None), Some(crashed.store));
        assert!(latched(&again), "line {room}: {:?}", again.denied());
        assert_eq!(desk.stub.asked().len(), 1, "line {room}");
        taken_up += 1;
    }
    assert!(taken_up > 1, "{taken_up}");
}

/// What a provider says of its bill before the answer is over, or of less than came, is no bill.
#[test]
fn a_report_that_comes_too_early_settles_nothing() {
    let words = |count: usize| vec![Piece::Text("x ".to_owned()); count];
    let ends = |output| vec![Piece::Finish(Finish::Stop), billed(10, output)];
    let (fair, finer) = (10 * INPUT + 9 * OUTPUT, 10 * INPUT + 2 * OUTPUT);
    for (name, pieces, paid, finish) in [
        ("as it should be", [words(9), ends(9)].concat(), fair, "stop"),
        // Tokens cut into several events are no more than the provider says.
        ("finer than tokens", [words(9), ends(2)].concat(), finer, "stop"),
        ("nothing for words", [words(9), ends(0)].concat(), WORST, "stop"),
        ("less than came", [vec![Piece::Text("x".repeat(2000))], ends(8)].concat(), WORST, "stop"),
        (
            "early",
            [vec![billed(10, 9)], words(9), vec![Piece::Finish(Finish::Stop)]].concat(),
            WORST,
            "stop",
        ),
        ("thoughts", [vec![Piece::Hidden(5); 1000], ends(0)].concat(), WORST, "stop"),
        ("finer than the bound", [words(500), ends(9)].concat(), fair, "stop"),
        (
            "early, and cut",
            [vec![billed(10, 1)], vec![Piece::Text("x ".repeat(99)); 99]].concat(),
            WORST,
            "cut",
        ),
        (
            "early, and too much",
            [vec![billed(IN, 1)], vec![Piece::Text("x ".repeat(99)); 99]].concat(),
            WORST,
            "cut",
        ),
    ] {
        for act in ["chat", "ask-stream"] {
            let says = says(pieces.clone());
            let told = desk(&format!("{act} stub/a 50 Hello")).playing(move |_| says.clone()).run();
            assert_eq!(told.money(), paid, "{act}, {name}: {}", told.said());
            assert!(told.said().contains(&format!(" {finish} ")), "{name}: {}", told.said());
            assert_eq!(told.said().contains('?'), paid == WORST, "{name}: {}", told.said());
            assert!(told.desk.purse.freezer().frozen().is_empty(), "{name}");
            told.replays_same();
        }
    }
}

/// Who is stopped while a provider wants to be left alone has its attempt on record.
#[test]
fn an_attempt_is_on_record_before_the_wait() {
    let wants = || refuses(Failed::Free { status: 429, why: "no".to_owned(), after: Some(20) });
    // The first looks are those of the calls; those after them come while it waits.
    let mut asked = 0;
    for look in 2..6 {
        let mut desk = once(ASK, wants);
        desk.setup = desk.setup.after(look, Change::Stop(Stop::Killed("enough".to_owned())));
        let told = desk.run();
        assert_eq!(told.money(), 0, "look {look}: nothing is owed, and that is known");
        assert!(told.desk.stub.asked().len() <= 1, "look {look}");
        asked += told.desk.stub.asked().len();
        told.replays_same();
    }
    assert!(asked > 1, "{asked} attempts were made before the stop");
}

#[test]
fn an_answer_that_overruns_is_cut() {
    let words = |count: usize| vec![Piece::Text("x ".to_owned()); count];
    let told = desk(ASK).playing(move |_| hello(words(49))).run();
    assert!(told.said().contains(" stop "), "the positive control: {}", told.said());
    for act in ["chat", "ask-stream"] {
        let told = desk(&format!("{act} stub/a 50 Hello"))
            .playing(move |_| Script {
                hangs: true,
                ..says(vec![Piece::Text("x ".repeat(99)); 99])
            })
            .run();
        assert!(told.said().contains(" cut "), "{}", told.said());
        assert_eq!(told.money(), WORST, "what was set aside, and no more");
        told.replays_same();
    }
}

/// What went wrong: its name, the failure, how often it is tried, what is paid.
type Wrong = (&'static str, fn() -> Failed, usize, u64);

#[test]
fn only_what_is_not_owed_is_tried_again() {
    let not_sent = || Failed::NotSent("nobody listens".to_owned());
    let cases: [Wrong; 8] = [
        ("not sent", not_sent, 2, GOOD),
        ("too many requests", || free(429), 2, GOOD),
        ("unauthorised", || free(401), 1, 0),
        ("bad request", || free(400), 1, 0),
        ("who knows", || refused(400), 1, WORST),
        ("not writable", || Failed::Unwritable("no words".to_owned()), 1, 0),
        ("server error", || Failed::Unknown("answered 503".to_owned()), 1, WORST),
        ("disconnected", || Failed::Unknown("the connection was lost".to_owned()), 1, WORST),
    ];
    for (name, failed, asked, money) in cases {
        let told = once(ASK, move || refuses(failed())).run();
        assert_eq!(told.desk.stub.asked().len(), asked, "{name}: {}", told.said());
        assert_eq!(told.money(), money, "{name}");
        let keys: std::collections::BTreeSet<_> =
            told.desk.stub.asked().into_iter().map(|it| it.key).collect();
        assert_eq!(keys.len(), asked, "{name}: an attempt, a key");
        told.replays_same();
    }
}

#[test]
fn another_model_is_asked_where_the_policy_says_so() {
    let fallback = |desk: Desk| {
        let fallbacks = [("stub/a".to_owned(), vec!["stub/b".to_owned()])].into();
        let policy = envelope_gate::model::Policy { fallbacks, ..desk.policy.clone() };
        Desk { policy, ..desk }
    };
    for (name, failed, models, money) in [
        ("unknown", Failed::Unknown("lost".to_owned()), vec!["a", "b"], WORST + GOOD),
        ("unauthorised", free(401), vec!["a", "b"], GOOD),
        ("bad request", free(400), vec!["a"], 0),
        ("who knows", refused(422), vec!["a"], WORST),
        ("not writable", Failed::Unwritable("no words".to_owned()), vec!["a"], 0),
    ] {
        let told = fallback(once(ASK, move || refuses(failed.clone()))).run();
        let asked: Vec<_> = told.desk.stub.asked().into_iter().map(|it| it.model).collect();
        assert_eq!(asked, models, "{name}: {}", told.said());
        assert_eq!(told.money(), money, "{name}: one hold for each attempt");
        told.replays_same();
    }
    // A fallback is judged like any other: one that may not be called is denied.
    let mut desk = fallback(once(ASK, || refuses(Failed::Unknown("lost".to_owned()))));
    desk.models = vec!["stub/a"];
    let told = desk.run();
    assert_eq!(told.denied(), ["model.outside"]);
    assert_eq!(told.desk.stub.asked().len(), 1);
    told.replays_same();
}

#[test]
fn a_provider_that_hangs_is_given_up() {
    for (name, act) in [("whole", "chat"), ("streamed", "ask-stream")] {
        let mut desk = desk(&format!("{act} stub/a 50 Hello"))
            .playing(|_| Script { hangs: true, ..says(vec![Piece::Text("Hi".to_owned())]) });
        desk.policy.deadlines = [("stub".to_owned(), Duration::from_millis(20))].into();
        let told = desk.run();
        assert!(told.said().ends_with("timed out"), "{name}: {}", told.said());
        assert_eq!(told.money(), WORST, "{name}");
        told.replays_same();
    }
}

/// After some failures in a row a provider is left alone, and asked again later.
#[test]
fn a_provider_that_keeps_failing_rests() {
    let mut desk = desk("insist 9 chat stub/a 50 Hello; sleep 31000; chat stub/a 50 Hello")
        .playing(|_| refuses(Failed::NotSent("nobody listens".to_owned())));
    desk.policy.retries = 0;
    let told = desk.run();
    assert_eq!(told.desk.stub.asked().len(), 6, "{}", told.said());
    assert_eq!(told.money(), 0);
    told.replays_same();
}

/// Another model of the same provider is asked all the while.
#[test]
fn a_model_that_keeps_failing_rests_alone() {
    let mut desk = desk("insist 9 chat stub/a 50 Hello; chat stub/b 50 Hello").playing(|order| {
        match order.model {
            "a" => refuses(Failed::NotSent("nobody listens".to_owned())),
            _ => says(
                [vec![Piece::Text("Hi".to_owned())], vec![Piece::Finish(Finish::Stop)]].concat(),
            ),
        }
    });
    desk.policy.retries = 0;
    let told = desk.run();
    let asked: Vec<_> = told.desk.stub.asked().into_iter().map(|it| it.model).collect();
    assert_eq!(asked, ["a", "a", "a", "a", "a", "b"], "{}", told.said());
    assert!(told.said().contains("chat: ok stub/b"), "{}", told.said());
    told.replays_same();
}

/// Whose request is at fault does not make a provider rest that others ask as well.
#[test]
fn a_request_that_is_wrong_is_nobodys_failure() {
    for (name, failed) in [
        ("not writable", Failed::Unwritable("no words".to_owned())),
        ("turned away", refused(400)),
        ("turned away for free", free(400)),
    ] {
        let told =
            desk("insist 9 chat stub/a 50 Hello").playing(move |_| refuses(failed.clone())).run();
        assert_eq!(told.desk.stub.asked().len(), 9, "{name}: {}", told.said());
        told.replays_same();
    }
}

/// Before anything is sent, the journal says durably that it will be, with what is set aside.
#[test]
fn an_attempt_is_on_record_before_it_is_made() {
    let told = desk(ASK).run();
    let begun = told.record().entries().iter().find_map(|entry| match &entry.event {
        Event::Begun(begun) => Some(begun.clone()),
        _ => None,
    });
    let begun = begun.expect("a begin");
    assert_eq!(begun.recovery, Recovery::Once);
    assert_eq!(begun.reserved.get(Dimension::NanoUsd), WORST);
    assert_eq!(begun.key.as_str(), told.desk.stub.asked()[0].key);
}

/// Many runs are lied to at once: each is booked in full, whatever is left, and nobody asks again.
#[test]
fn lies_that_come_at_once_are_all_booked() {
    const RUNS: u64 = 8;
    const NAMES: [&str; 9] = ["a", "b", "c", "d", "e", "f", "g", "h", "late"];
    let due = 10 * INPUT + 999_999 * OUTPUT;
    let account = Shared { level: Level::Organisation, name: "o".to_owned() };
    // Enough for what each of them sets aside, and for not one of the lies.
    let purse = Arc::new(InMemoryPurse::new([(account.clone(), RUNS * WORST + 1)]));
    let together = Arc::new(Barrier::new(usize::try_from(RUNS).unwrap()));
    let desks = NAMES.map(|name| {
        let together = Arc::clone(&together);
        let mut desk = desk(ASK).playing(move |_| {
            together.wait();
            hello(vec![billed(10, 999_999)])
        });
        desk.setup.seed = name;
        (desk.chain.accounts, desk.purse) = (vec![account.clone()], Arc::clone(&purse));
        desk
    });
    let (late, early) = desks.split_last().unwrap();
    let told: Vec<_> = thread::scope(|scope| {
        let runs: Vec<_> = early.iter().map(|desk| scope.spawn(|| desk.run())).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    for told in &told {
        assert_eq!(told.money(), due);
        told.replays_same();
    }
    let balance = purse.ledger().balance(&account).unwrap();
    assert_eq!((balance.spent, balance.leased), (RUNS * due, 0), "no nano-dollar is hidden");
    assert_eq!(purse.freezer().frozen().len(), 1);
    let late = late.run();
    assert_eq!(late.denied().len(), 1, "{}", late.said());
    assert!(late.desk.stub.asked().is_empty());
    late.replays_same();
}
