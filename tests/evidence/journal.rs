//! What a journal admits, and how it names the first bad line.

use envelope_evidence::journal::{
    BadLine, Broken, Event, Header, Journal, LINE_BYTES_MAX, Outcome, VERSION,
};
use envelope_evidence::usage::MAX_EXACT;
use envelope_evidence::{Digest, Dimension};

use super::sample::{at, begun, completed, denied, ended, events, header, read, record};

#[test]
fn reads_what_it_writes() {
    let (journal, file) = record(header(), events());
    let read = Journal::parse(&file).unwrap();
    assert_eq!(read.entries(), journal.entries());
    assert_eq!(read.header(), journal.header());
    assert_eq!((read.head(), read.used()), (journal.head(), journal.used()));
}

/// What it would not read again it does not write.
#[test]
fn writes_only_the_version_it_reads() {
    let result = Journal::start(Header { v: VERSION + 1, ..header() });
    assert_eq!(result.err(), Some(BadLine::Version(VERSION + 1)));
}

#[test]
fn refuses_what_cannot_follow() {
    let refused = |before: &[Event], next: Event, why: Broken| {
        let (mut journal, file) = record(header(), before.iter().cloned());
        let result = journal.append(at(1_000_000), next);
        assert_eq!(result, Err(BadLine::Broken(why)));
        let unchanged = Journal::parse(&file).unwrap();
        assert_eq!(journal.head(), unchanged.head(), "a refusal changes nothing");
        assert_eq!(journal.used(), unchanged.used());
        assert_eq!(journal.calls(), unchanged.calls());
    };
    let first = || read(0, "a", b"a");
    refused(&[], read(1, "a", b"a"), Broken::CallNumber { expected: 0, found: 1 });
    refused(&[first()], first(), Broken::Settled(0));
    refused(&[begun(0, 1), completed(0, 1)], completed(0, 1), Broken::Settled(0));
    refused(&[begun(0, 1)], read(0, "a", b"a"), Broken::OtherCall(0));
    refused(&[begun(0, 1)], denied(0, "a"), Broken::OtherCall(0));
    refused(&[ended(Outcome::Ok, "")], first(), Broken::Ended);
    refused(&[begun(0, 1), ended(Outcome::Ok, "")], completed(0, 1), Broken::Ended);
    refused(&[ended(Outcome::Ok, "")], ended(Outcome::Ok, ""), Broken::Ended);
    refused(&[begun(0, MAX_EXACT)], begun(1, 1), Broken::Sum(Dimension::NanoUsd));
}

#[test]
fn judgements_follow_the_end() {
    let is_judgement = |event: &Event| matches!(event, Event::Evaluated(_) | Event::Reviewed(_));
    let judgements = events().into_iter().filter(is_judgement);
    let all = [ended(Outcome::Ok, "returned")].into_iter().chain(judgements);
    assert_eq!(record(header(), all).0.entries().len(), 3);
}

#[test]
fn time_does_not_run_backwards() {
    let (mut journal, _) = record(header(), [read(0, "a", b"a")]);
    let last = at(1000);
    let result = journal.append(at(999), read(1, "a", b"a"));
    assert_eq!(result, Err(BadLine::Broken(Broken::Backwards { last, found: at(999) })));
    assert!(journal.append(last, read(1, "a", b"a")).is_ok());
}

#[test]
fn lists_are_bounded() {
    let expands = |event: &Event| matches!(event, Event::Answered(it) if it.rotation.is_some());
    let Some(Event::Answered(expansion)) = events().into_iter().find(expands) else {
        unreachable!()
    };
    let nth = |n| {
        let mut answered = expansion.clone();
        answered.call.n = n;
        Event::Answered(answered)
    };
    let (mut journal, _) = record(header(), []);
    for n in 0..64 {
        journal.append(at(1), nth(n)).unwrap();
    }
    let result = journal.append(at(1), nth(64));
    assert_eq!(result, Err(BadLine::Broken(Broken::List { found: 65, max: 64 })));

    for n in 64..64 + 1024 {
        journal.append(at(1), begun(n, 0)).unwrap();
    }
    let result = journal.append(at(1), begun(64 + 1024, 0));
    assert_eq!(result, Err(BadLine::Broken(Broken::List { found: 1025, max: 1024 })));
}

#[test]
fn large_answers_are_blobs() {
    let inline = |size: usize| {
        let (journal, _) = record(header(), [read(0, "a", &vec![7; size])]);
        let Event::Answered(answered) = &journal.entries()[0].event else { unreachable!() };
        assert_eq!(answered.answer.digest(), Digest::of(&vec![7; size]));
        assert_eq!(answered.answer.size(), size as u64);
        answered.answer.inline().is_some()
    };
    assert!(inline(4096) && !inline(4097));
}

#[test]
fn the_first_bad_line_is_named() {
    let (_, file) = record(header(), events());
    let lines: Vec<Vec<u8>> = file.split_inclusive(|&b| b == b'\n').map(<[u8]>::to_vec).collect();
    let refused = |change: &dyn Fn(&mut Vec<Vec<u8>>), line: usize, why: &str| {
        let mut lines = lines.clone();
        change(&mut lines);
        let bad = Journal::parse(&lines.concat()).unwrap_err();
        assert_eq!(bad.line, line, "{bad}");
        assert!(bad.to_string().contains(why), "{bad}");
    };
    refused(&|lines| lines.clear(), 1, "empty");
    refused(&|lines| drop(lines.remove(0)), 1, "unknown field");
    refused(&|lines| drop(lines.remove(3)), 4, "follows");
    refused(&|lines| lines.swap(2, 3), 3, "follows");
    refused(&|lines| lines[4] = lines[3].clone(), 5, "follows");
    refused(&|lines| lines.last_mut().unwrap().truncate(9), 10, "line feed");
    refused(&|lines| lines[2].insert(0, b' '), 3, "byte 0");
    let without = |line: &[u8]| String::from_utf8_lossy(line).replace(r#""rotation":null,"#, "");
    refused(&|lines| lines[1] = without(&lines[1]).into(), 2, "not in canonical form");
    let newer = |line: &[u8]| String::from_utf8_lossy(line).replace("\"v\":1}", "\"v\":2}");
    refused(&|lines| lines[5] = newer(&lines[5]).into(), 6, "version 2 is not known");
    let long = [b"\"".as_slice(), &vec![b'1'; LINE_BYTES_MAX], b"\"\n"].concat();
    refused(&|lines| lines[1] = long.clone(), 2, "");
}

/// The golden vector of version 1: a later build must read these very bytes.
#[test]
fn version_1_stays_readable() {
    let (_, file) = record(header(), events());
    crate::golden::check("journal-v1.jsonl", std::str::from_utf8(&file).unwrap());
    let golden = Journal::parse(include_bytes!("../golden/journal-v1.jsonl")).unwrap();
    assert_eq!(golden.entries().len(), events().len());
    assert_eq!(VERSION, 1, "a new version gets a golden file of its own beside this one");
}
