//! Providers that lie, fail, hang and overrun: what is owed, what is tried next, what is frozen.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use envelope_evidence::journal::{Event, Recovery};
use envelope_evidence::{Digest, Dimension, Timestamp};
use envelope_gate::model::{Failed, Finish, Order, Piece, Script};
use envelope_rules::budget::Billed;

use super::desk::{Desk, INPUT, OUTPUT, desk};

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
        ("zero is zero", hello(vec![billed(0, 0)]), 0, "stop 0+0=0: Hi"),
        ("nothing is said", hello(vec![]), WORST, "?: Hi"),
        ("all of it", hello(vec![billed(IN, 50)]), WORST, ": Hi"),
        ("it broke off", says(vec![Piece::Text("Hi".to_owned())]), WORST, "broke off"),
        ("unknown", refuses(Failed::Unknown("gone".to_owned())), WORST, "unavailable (gone)"),
        ("turned away", refuses(free(403)), 0, "unavailable (the provider answered 403: no)"),
        ("bad request", refuses(free(400)), 0, "answered 400"),
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
    assert_eq!(told.money(), WORST, "at least all that was set aside");
    assert_eq!(told.desk.purse.freezer().frozen().len(), 1);
}

#[test]
fn an_answer_that_overruns_is_cut() {
    let words = |count: usize| vec![Piece::Text("x ".to_owned()); count];
    let told = desk(ASK).playing(move |_| hello(words(49))).run();
    assert!(told.said().contains(" stop "), "the positive control: {}", told.said());
    for act in ["chat", "ask-stream"] {
        let told = desk(&format!("{act} stub/a 50 Hello"))
            .playing(move |_| Script { hangs: true, ..says(words(500)) })
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
    let cases: [Wrong; 6] = [
        ("not sent", not_sent, 2, GOOD),
        ("too many requests", || free(429), 2, GOOD),
        ("unauthorised", || free(401), 1, 0),
        ("bad request", || free(400), 1, 0),
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
