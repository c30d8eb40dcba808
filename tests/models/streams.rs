//! Answers that are read as they come.

use std::sync::Arc;

use envelope_evidence::Dimension;
use envelope_evidence::journal::{Event, Outcome};
use envelope_gate::model::{Failed, Finish, InMemoryPurse, Piece, Script};
use envelope_gate::stop::Stop;
use envelope_rules::budget::{Billed, Level, Shared};
use envelope_rules::kill::Target;
use envelope_rules::model::ToolCall;

use super::desk::{INPUT, OUTPUT, PLENTY, desk};
use crate::engine::kills;
use crate::engine::world::{Change, Setup, label};

const IN: u64 = 256 + 96 + 128 + 5 + 6;
const WORST: u64 = IN * INPUT + 50 * OUTPUT;

fn text(words: &str) -> Result<Piece, Failed> {
    Ok(Piece::Text(words.to_owned()))
}

fn end(output: u64) -> [Result<Piece, Failed>; 2] {
    let billed = Billed { input: 10, output, ..Billed::default() };
    [Ok(Piece::Finish(Finish::Stop)), Ok(Piece::Billed(billed))]
}

fn hi() -> Script {
    let says = [text("Hi "), text("there")].into_iter().chain(end(2)).collect();
    Script { says, ..Script::default() }
}

#[test]
fn pieces_come_one_by_one_and_the_whole_at_the_end() {
    let told = desk("ask-stream stub/a 50 Hello").playing(|_| hi()).run();
    let whole = "<stub/a stub stop 10+2=14000: Hi there>";
    assert_eq!(told.said(), format!("ask-stream: ok Hi |there|{whole}"));
    assert_eq!(told.money(), 10 * INPUT + 2 * OUTPUT);
    told.replays_same();
}

#[test]
fn calls_of_tools_come_whole() {
    let call =
        ToolCall { id: "1".to_owned(), name: "weather".to_owned(), arguments: "{}".to_owned() };
    let told = desk("ask-stream stub/a 50 Hello")
        .playing(move |_| {
            let says = vec![Ok(Piece::Hidden(9)), Ok(Piece::Call(call.clone()))];
            Script { says: says.into_iter().chain(end(3)).collect(), ..Script::default() }
        })
        .run();
    assert!(told.said().contains("ok weather({})|<"), "{}", told.said());
    told.replays_same();
}

/// Whoever lets go of an answer, or ends with one in hand, pays what was set aside.
#[test]
fn an_answer_that_is_not_read_to_its_end_is_paid_in_full() {
    for (name, acts, calls) in [
        ("dropped", "ask-open stub/a 50 Hello; ask-next; ask-drop; now", 3),
        ("left open", "ask-open stub/a 50 Hello; ask-next; now", 3),
        ("never read", "ask-open stub/a 50 Hello", 1),
        ("exit", "ask-open stub/a 50 Hello; ask-next; exit 0", 2),
    ] {
        let told = desk(acts).playing(|_| hi()).run();
        assert_eq!(told.money(), WORST, "{name}: {}", told.said());
        let record = told.record();
        let begun = envelope_evidence::journal::Settled::Begun;
        let open = record.calls().iter().filter(|call| call.settled == begun);
        assert_eq!(open.count(), 0, "{name}: every call has its end on record");
        assert!(told.record().calls().len() > calls, "{name}");
        told.replays_same();
    }
}

#[test]
fn two_answers_and_other_calls_in_between() {
    let acts = "ask-open stub/a 50 Hello; ask-next; write out/a x; chat stub/b 50 Hello; now; \
                ask-next; ask-next; ask-next; read out/a";
    let told = desk(acts).playing(|_| hi()).run();
    assert_eq!(told.money(), 2 * (10 * INPUT + 2 * OUTPUT), "{}", told.said());
    assert!(told.said().contains("ask-next: ok there; ask-next: ok <stub/a"), "{}", told.said());
    told.replays_same();
}

#[test]
fn an_answer_that_breaks_off_says_so() {
    for (name, says) in [
        ("the end is missing", vec![text("Hi")]),
        ("lost", vec![text("Hi"), Err(Failed::Unknown("the connection was lost".to_owned()))]),
    ] {
        let script = move |_: &envelope_gate::model::Order<'_>| Script {
            says: says.clone(),
            ..Script::default()
        };
        let told = desk("ask-open stub/a 50 Hello; ask-next; ask-next; ask-next");
        let told = told.playing(script).run();
        let expected = "ask-open: ok; ask-next: ok Hi; ask-next: unavailable (";
        assert!(told.said().starts_with(expected), "{name}: {}", told.said());
        assert!(told.said().ends_with("ask-next: ok"), "{name}: {}", told.said());
        assert_eq!(told.money(), WORST, "{name}");
        told.replays_same();
    }
}

/// A stream ends when its authority does.
#[test]
fn no_piece_comes_after_the_deadline() {
    let mut desk = desk("ask-open stub/a 50 Hello; ask-next; ask-next; ask-next");
    desk.setup.timeout = 5;
    desk.setup = desk.setup.after(4, Change::Clock(5_000));
    let told = desk.playing(|_| hi()).run();
    assert!(told.denied().contains(&"run.deadline".to_owned()), "{:?}", told.denied());
    assert!(!told.said().contains("there"), "{}", told.said());
    assert_eq!(told.money(), WORST);
    told.replays_same();
}

/// What is long does not stand in the journal, and is there on replay all the same.
#[test]
fn long_answers_are_blobs() {
    let long = "word ".repeat(5000);
    let said = long.clone();
    let told = desk("chat stub/a 90000 Hello")
        .playing(move |_| {
            let says = [text(&said)].into_iter().chain(end(1)).collect();
            Script { says, ..Script::default() }
        })
        .run();
    let answered = told.record().entries().iter().find_map(|entry| match &entry.event {
        Event::Answered(it) if it.call.capability.as_str() == "model" => Some(it.clone()),
        _ => None,
    });
    let answered = answered.unwrap();
    assert!(answered.answer.inline().is_none() && answered.answer.size() > 25_000);
    assert!(answered.used.get(Dimension::Bytes) > 25_000);
    assert!(told.said().contains(long.trim_end()), "{}", &told.said()[..200]);
    told.replays_same();
}

/// Killed at any moment of an answer that is read as it comes, by whoever holds the run or by a
/// switch: what was sent is paid, what was set aside goes back, and the receipt says so.
#[test]
fn a_kill_in_the_middle_of_an_answer_settles_it() {
    let by_owner = |setup: Setup, look| {
        setup.after(look, Change::Stop(Stop::Killed("by the owner".to_owned())))
    };
    settles(by_owner, "by the owner");
    let agent = Target::Agent(label("guests@local"));
    let words = kills::words(&agent);
    settles(move |setup, look| kills::thrown(&setup, look, &agent), &words);
}

fn settles(killed: impl Fn(Setup, usize) -> Setup, reason: &str) {
    let account = || Shared { level: Level::Task, name: "t".to_owned() };
    let mut sent = 0;
    for look in 0..14 {
        let mut desk = desk("ask-stream stub/a 50 Hello; now").playing(|_| hi());
        desk.setup = killed(desk.setup, look);
        desk.chain.accounts = vec![account()];
        desk.purse = Arc::new(InMemoryPurse::new([(account(), PLENTY)]));
        let told = desk.run();
        let ended = told.record().ended().unwrap().clone();
        if ended.outcome == Outcome::Ok {
            continue;
        }
        assert_eq!((ended.outcome, ended.reason.as_str()), (Outcome::Killed, reason));
        let asked = told.desk.stub.asked().len();
        assert_eq!(told.money() > 0, asked > 0, "look {look}");
        assert!(told.money() <= WORST, "look {look}");
        let balance = told.desk.purse.ledger().balance(&account()).unwrap();
        assert_eq!((balance.spent, balance.leased), (told.money(), 0), "look {look}");
        sent += asked;
        told.replays_same();
    }
    assert!(sent > 2, "{sent} of these moments are in the middle of it");
}
