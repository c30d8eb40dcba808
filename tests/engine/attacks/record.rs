//! Records that somebody tampered with, and replays of another run than the recorded one.

use std::sync::Arc;

use bytes::Bytes;
use envelope_engine::replay::{Unplayable, Verdict};
use envelope_evidence::journal::{Header, Journal};
use envelope_evidence::{Digest, Label, canonical};
use envelope_rules::budget::PriceBook;

use crate::engine::world::{Ran, Setup, component, run, setup};

/// Rows of the published table that are no rows of data.
pub const ROWS: &[(u8, &str, &str)] = &[
    (18, "a journal without its tail", "not complete: it has no end"),
    (18, "a journal that ends in a line", "refused when it is read"),
    (18, "a flipped bit anywhere", "refused when it is read, or another header that is refused"),
    (18, "two lines in the other order", "refused when it is read"),
    (18, "a line twice", "refused when it is read"),
    (18, "a line left out", "refused when it is read"),
    (18, "another component", "not complete: the component"),
    (18, "another engine", "refused: recorded on another engine"),
    (18, "other settings of the engine", "refused: recorded on another engine"),
    (18, "other arguments", "not complete: the arguments"),
    (18, "other files", "not complete: the files"),
    (18, "another warrant", "not complete: the warrant"),
    (18, "other prices", "not complete: the prices"),
    (18, "another skill", "not complete: the skill"),
    (18, "other limits", "not complete: the limits"),
    (18, "the record of another course", "the first call that diverges is named"),
    (18, "a longer course than recorded", "the first call that diverges is named"),
    (18, "a blob that is gone", "the replay halts and names it"),
];

const ACTS: &str = "read in/a.txt; now; write out/a x; read secret/key.txt";

fn ran() -> Ran {
    let ran = run(&setup(ACTS));
    ran.replays_same();
    ran
}

fn lines(ran: &Ran) -> Vec<Vec<u8>> {
    ran.journal.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

fn refused(lines: &[Vec<u8>]) -> bool {
    Journal::parse(&lines.concat()).is_err()
}

fn incomplete(ran: &Ran, setup: &Setup, journal: Journal, what: &str) {
    let (order, _) = setup.order();
    match ran.verdict(order, journal) {
        Err(Unplayable::Incomplete(why)) => assert!(why.contains(what), "{why}"),
        Err(why) => panic!("{what}: {why}"),
        Ok(_) => panic!("{what}: played"),
    }
}

#[test]
fn a_record_that_was_touched_is_refused() {
    let ran = ran();
    let lines = lines(&ran);
    for at in 1..lines.len() - 1 {
        let mut swapped = lines.clone();
        swapped.swap(at, at + 1);
        assert!(refused(&swapped), "reordered at {at}");
        let mut twice = lines.clone();
        twice.insert(at, lines[at].clone());
        assert!(refused(&twice), "duplicated at {at}");
        let mut without = lines.clone();
        without.remove(at);
        assert!(refused(&without), "left out at {at}");
        let mut torn = lines[..=at].to_vec();
        torn[at].pop();
        assert!(refused(&torn), "torn at {at}");
    }
}

#[test]
fn a_flipped_bit_is_noticed() {
    let ran = ran();
    let end = ran.journal.len();
    let last = lines(&ran).last().unwrap().len();
    for at in (0..end).step_by(7) {
        let mut flipped = ran.journal.clone();
        flipped[at] ^= 1;
        let Ok(journal) = Journal::parse(&flipped) else { continue };
        // Only the last line is held by nothing but the end that a replay comes to.
        assert!(at >= end - last, "a flipped bit at {at} of {end} is read");
        let (order, _) = ran.setup.order();
        let verdict = ran.verdict(order, journal);
        let at_seal = flipped[at..].len();
        assert!(!matches!(verdict, Ok(Verdict::Same(_))) || at_seal < last, "byte {at}");
    }
}

#[test]
fn a_record_without_its_end_is_not_complete() {
    let ran = ran();
    let lines = lines(&ran);
    for kept in 1..lines.len() {
        let journal = Journal::parse(&lines[..kept].concat()).unwrap();
        incomplete(&ran, &ran.setup, journal, "no end");
    }
}

#[test]
fn another_run_is_not_the_recorded_one() {
    let ran = ran();
    let journal = || Journal::parse(&ran.journal).unwrap();
    let args: Bytes = serde_json::to_vec(&["now"]).unwrap().into();
    incomplete(&ran, &Setup { args, ..ran.setup.clone() }, journal(), "the arguments");
    let files = vec![("in/a.txt", "other")];
    incomplete(&ran, &Setup { files, ..ran.setup.clone() }, journal(), "the files");
    let calls = 5;
    incomplete(&ran, &Setup { calls, ..ran.setup.clone() }, journal(), "the warrant");
    for wider in [ran.setup.clone().journal(1 << 30), ran.setup.clone().memory(65 << 20)] {
        incomplete(&ran, &wider, journal(), "the limits");
    }
    let prices = PriceBook::default().digest();
    let priced = |digest| reheaded(&ran, |it| it.prices = Some(digest));
    incomplete(&ran, &ran.setup, priced(Digest::of(b"others")), "the prices");
    let (order, _) = ran.setup.order();
    assert!(matches!(ran.verdict(order, priced(prices)), Ok(Verdict::Same(_))));
    let skilled = reheaded(&ran, |it| it.skill = Label::cut("other"));
    incomplete(&ran, &ran.setup, skilled, "the skill");
    let other = Arc::new(component(super::shapes::COMMAND).unwrap());
    incomplete(&ran, &Setup { component: other, ..ran.setup.clone() }, journal(), "the component");
}

/// The same records under another header: what somebody would write who holds no key.
fn reheaded(ran: &Ran, change: impl FnOnce(&mut Header)) -> Journal {
    let read = Journal::parse(&ran.journal).unwrap();
    let mut header = read.header().clone();
    change(&mut header);
    let (mut journal, _) = Journal::start(header).unwrap();
    for entry in read.entries() {
        journal.append(entry.at, entry.event.clone()).unwrap();
    }
    journal
}

#[test]
fn another_engine_is_refused() {
    let ran = ran();
    let changes: [fn(&mut Header); 3] = [
        |it| it.engine.version = Label::cut("47.0.0"),
        |it| it.engine.settings = Digest::of(b"others"),
        |it| it.engine.platform = Label::cut("m68k"),
    ];
    for change in changes {
        let (order, _) = ran.setup.order();
        let verdict = ran.verdict(order, reheaded(&ran, change));
        assert!(matches!(verdict, Err(Unplayable::OtherEngine { .. })));
    }
}

/// A record of other acts, told as if these had been the arguments.
#[test]
fn the_first_call_that_diverges_is_named() {
    let ran = ran();
    for (acts, call) in [
        ("read in/b.txt; now; write out/a x; read secret/key.txt", 1),
        ("read in/a.txt; now; write out/a y; read secret/key.txt", 7),
        ("read in/a.txt; now; write out/a x", 9),
    ] {
        let other = setup(acts);
        let (order, header) = other.order();
        let journal = reheaded(&ran, |it| *it = header);
        match ran.verdict(order, journal) {
            Ok(Verdict::Diverged(divergence)) => assert_eq!(divergence.n, call, "{divergence}"),
            Ok(Verdict::Same(_)) => panic!("{acts}: the same"),
            Err(why) => panic!("{acts}: {why}"),
        }
    }
}

#[test]
fn a_blob_that_is_gone_is_named() {
    let ran = ran();
    let (order, _) = ran.setup.order();
    let journal = Journal::parse(&ran.journal).unwrap();
    let empty = envelope_gate::workspace::Blobs::in_memory();
    let replayed = envelope_engine::replay::replay(order, journal, empty);
    let Err(Unplayable::Halted(why)) = crate::engine::world::wait(replayed) else { panic!() };
    let digest = Digest::of(b"alpha").to_string();
    assert!(why.to_string().contains(&digest), "{why}");
    assert!(canonical::of(&digest).is_ok());
}
