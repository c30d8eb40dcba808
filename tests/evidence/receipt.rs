//! Journal → receipt → verification.

use envelope_evidence::dsse::{BadEnvelope, Envelope};
use envelope_evidence::journal::{Ended, Event, Journal, Outcome, Output};
use envelope_evidence::key::{ForLogs, Purpose, SigningKey, Window};
use envelope_evidence::keyring::{KeyRecord, KeyRing};
use envelope_evidence::receipt::{
    BUNDLE_FILE, Folder, JOURNAL_FILE, Kind, PROOF_FILE, RECEIPT_FILE, fold,
};
use envelope_evidence::statement::PAYLOAD_TYPE;
use envelope_evidence::verify::{Check, Finding, Report, verify};
use envelope_evidence::{Digest, Dimension, PathText};

use super::sample::{self, at, ended, events, folder, header, record, ring};

fn results(report: &Report) -> Vec<String> {
    let line = |check: &Check| match &check.result {
        Finding::Holds(_) => format!("{} holds", check.name),
        Finding::Withheld(_) => format!("{} withheld", check.name),
        Finding::Fails(why) => format!("{} fails: {why}", check.name),
    };
    report.checks.iter().map(line).collect()
}

#[test]
fn a_whole_folder_verifies() {
    let report = verify(&folder(), &ring());
    assert!(report.verified(), "{:#?}", results(&report));
    let names = [
        "receipt.shape",
        "receipt.signature",
        "evidence.identity",
        "evidence.intent",
        "evidence.authority",
        "evidence.files",
        "evidence.output",
        "evidence.eval",
        "evidence.review",
        "evidence.replay",
        "evidence.agreement",
        "journal.chain",
        "journal.fold",
        "log.inclusion",
    ];
    assert_eq!(results(&report), names.map(|name| format!("{name} holds")));
}

#[test]
fn a_receipt_says_what_happened() {
    let said = verify(&folder(), &ring()).said.unwrap();
    assert_eq!(said.receipt.outcome, Outcome::Ok);
    assert_eq!(said.receipt.calls.count, 5);
    assert_eq!((said.receipt.cost.amount, said.receipt.cost.unconfirmed), (750_000, 0));
    assert_eq!(said.receipt.used.get(Dimension::Bytes), 16);

    let authority = said.evidence.authority.unwrap();
    let approvals: Vec<_> = authority.scopes.iter().map(|held| held.approval.as_deref()).collect();
    assert_eq!(approvals, [None, Some("apr_1")], "both scopes, before and after");
    assert_eq!(authority.denials[0].code.as_str(), "path.outside");

    let files = said.evidence.files.unwrap();
    assert_eq!((files.operations[0].answered, files.operations[0].denied), (2, 1));
    assert_eq!(files.touched[1].path.as_str(), "rfp/b.pdf");
    assert_eq!(said.evidence.output.unwrap().envelope.outputs.len(), 1);
}

/// `fold` is total: every prefix of a run, and every way to end one, has a receipt that verifies.
#[test]
fn every_journal_has_a_receipt() {
    let all = events();
    for length in 0..=all.len() {
        check_folds(&all[..length]);
    }
    for outcome in [
        Outcome::Ok,
        Outcome::Failed,
        Outcome::Denied,
        Outcome::Crashed,
        Outcome::Exhausted,
        Outcome::Killed,
    ] {
        check_folds(&[ended(outcome, "because")]);
        check_folds(&[sample::read(0, "rfp/a.pdf", b"a"), ended(outcome, "because")]);
    }
}

fn check_folds(events: &[Event]) {
    let (journal, file) = record(header(), events.iter().cloned());
    let folder = Folder::of(&sample::sign(&journal), Some(&file)).unwrap();
    let report = verify(&folder, &ring());
    assert!(report.verified(), "{:#?}", results(&report));
    let expected = journal.ended().map_or(Outcome::Interrupted, |ended| ended.outcome);
    assert_eq!(report.said.unwrap().receipt.outcome, expected);
}

#[test]
fn a_call_without_an_answer_costs_its_worst_case() {
    let spent = |events: Vec<Event>| record(header(), events).0.used().get(Dimension::NanoUsd);
    assert_eq!(spent(vec![sample::begun(0, 900_000)]), 900_000);
    assert_eq!(spent(vec![sample::begun(0, 900_000), sample::completed(0, 750_000)]), 750_000);
    let over = vec![sample::begun(0, 900_000), sample::completed(0, 1_000_000)];
    assert_eq!(spent(over), 1_000_000, "booked in full");
}

/// What a replay reproduces is in the call root; times, costs and fuel are not.
#[test]
fn the_call_root_holds_what_replay_reproduces() {
    let root = |events: Vec<Event>| {
        let (journal, file) = record(header(), events);
        let folder = Folder::of(&sample::sign(&journal), Some(&file)).unwrap();
        verify(&folder, &ring()).said.unwrap().receipt.calls.root
    };
    let with_cost = |used| vec![sample::begun(0, used), sample::completed(0, used)];
    assert_eq!(root(with_cost(1)), root(with_cost(2)));

    let first = sample::read(0, "rfp/a.pdf", b"a");
    assert_ne!(root(vec![first.clone()]), root(vec![sample::read(0, "rfp/a.pdf", b"b")]));
    assert_ne!(root(vec![first.clone()]), root(vec![sample::denied(0, "rfp/a.pdf")]));
    assert_ne!(root(vec![first.clone()]), root(vec![]));
    assert_eq!(root(vec![first.clone()]), root(vec![first, ended(Outcome::Ok, "returned")]));
}

#[test]
fn withheld_evidence_stays_a_digest() {
    let withheld_names = |folder: &Folder| {
        let report = verify(folder, &ring());
        assert!(report.verified(), "{:#?}", results(&report));
        results(&report).into_iter().filter(|line| line.ends_with("withheld")).collect::<Vec<_>>()
    };
    let mut shown = folder();
    shown.files.retain(|name, _| !name.starts_with("evidence/files") && name != JOURNAL_FILE);
    assert_eq!(withheld_names(&shown), ["evidence.files withheld"]);

    shown.files.retain(|name, _| !name.starts_with("evidence/"));
    assert_eq!(withheld_names(&shown).len(), Kind::ALL.len());

    shown.files.retain(|name, _| name == BUNDLE_FILE);
    assert_eq!(withheld_names(&shown).len(), Kind::ALL.len());
}

#[test]
fn one_file_is_enough() {
    let folder = folder();
    let lines = folder.to_json_lines();
    let read = Folder::of_one_file(&lines).unwrap();
    assert!(verify(&read, &ring()).verified());
    assert_eq!(read.files.len(), 9);
    let bundle = Folder::of_one_file(&folder.files[BUNDLE_FILE]).unwrap();
    assert!(verify(&bundle, &ring()).verified());

    let twice = [lines.clone(), lines].concat();
    for unusable in [&b""[..], b"{}", b"\n", b"\xff", b"not a receipt", &twice] {
        assert!(Folder::of_one_file(unusable).is_err());
    }
}

#[test]
fn the_first_failure_is_named() {
    let check = |change: &dyn Fn(&mut Folder), first: &str| {
        let mut folder = folder();
        change(&mut folder);
        let report = verify(&folder, &ring());
        let failure = report.first_failure().map(|check| check.name.as_str());
        assert_eq!(failure, Some(first), "{:#?}", results(&report));
        assert!(!report.verified());
    };
    let other = || record(header(), events().into_iter().take(3));
    let exchange_journal = |folder: &mut Folder| {
        folder.files.insert(JOURNAL_FILE.into(), other().1);
    };
    let exchange_bundle = |folder: &mut Folder| {
        let other = Folder::of(&sample::sign(&other().0), None).unwrap();
        folder.files.insert(BUNDLE_FILE.into(), other.files[BUNDLE_FILE].clone());
    };
    check(&|folder| folder.files.clear(), "receipt.shape");
    check(&|folder| flip(folder, "evidence/files.dsse.json"), "evidence.files");
    check(&|folder| flip(folder, JOURNAL_FILE), "journal.chain");
    check(&|folder| flip(folder, PROOF_FILE), "log.inclusion");
    check(&|folder| drop(folder.files.insert("x".into(), vec![])), "folder.strays");
    check(&exchange_journal, "journal.fold");
    check(&exchange_bundle, "receipt.shape");
}

fn flip(folder: &mut Folder, name: &str) {
    let bytes = folder.files.get_mut(name).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
}

/// Evidence of another run, signed by the same host, does not fit.
#[test]
fn evidence_cannot_be_exchanged_between_runs() {
    let mut other = header();
    other.run = sample::label("run_other");
    let (journal, _) = record(other, events());
    let other = Folder::of(&sample::sign(&journal), None).unwrap();
    for kind in Kind::ALL {
        let mut mixed = folder();
        let name = format!("evidence/{}.dsse.json", kind.name());
        mixed.files.insert(name.clone(), other.files[&name].clone());
        let report = verify(&mixed, &ring());
        let failure = report.first_failure().map(|check| check.name.clone());
        assert_eq!(failure, Some(format!("evidence.{}", kind.name())));
    }
}

#[test]
fn keys_are_judged_by_purpose_and_time() {
    let refused = |records: Vec<KeyRecord>, wanted: &str| {
        let report = verify(&folder(), &KeyRing::new(records).unwrap());
        let failure = report.first_failure().expect(wanted);
        let Finding::Fails(why) = &failure.result else { unreachable!() };
        assert!(why.contains(wanted), "{}: {why}", failure.name);
    };
    let receipt = KeyRecord::of(&sample::receipt_key(), sample::year());
    let review = KeyRecord::of(&sample::review_key(), sample::year());
    let log = KeyRecord::of(&sample::log_key(), sample::year());
    refused(vec![], "not among the trusted keys");
    refused(vec![receipt.clone(), log.clone()], "not among the trusted keys");
    refused(vec![receipt.clone(), review.clone()], "no key for purpose `log`");
    let grant = KeyRecord { purpose: Purpose::Grant, ..receipt.clone() };
    refused(vec![grant, review.clone(), log.clone()], "is for purpose `grant`, not for `receipt`");
    let early = Window { not_before: at(10_000), ..sample::year() };
    let late = Window { not_after: at(9_000), ..sample::year() };
    for window in [early, late] {
        let receipt = KeyRecord { window, ..receipt.clone() };
        refused(vec![receipt, review.clone(), log.clone()], "was not valid at");
    }
    let fits = Window { not_before: at(9_000), not_after: at(9_001) };
    let ring = KeyRing::new([KeyRecord { window: fits, ..receipt }, review, log]).unwrap();
    assert!(verify(&folder(), &ring).verified(), "the positive control");
}

/// The log signs later than the host: perhaps with its next key, never with its last one.
#[test]
fn a_receipt_can_be_logged_under_the_next_key() {
    let verified = |window: Window| {
        let host = [
            KeyRecord::of(&sample::receipt_key(), sample::year()),
            KeyRecord::of(&sample::review_key(), sample::year()),
        ];
        let log = KeyRecord::of(&sample::log_key(), window);
        let report = verify(&folder(), &KeyRing::new(host.into_iter().chain([log])).unwrap());
        let failure = report.first_failure().map(|check| check.name.clone());
        assert!(failure.is_none() || failure.as_deref() == Some("log.inclusion"));
        failure.is_none()
    };
    assert!(verified(Window { not_before: at(20_000), ..sample::year() }));
    assert!(verified(Window { not_after: at(9_001), ..sample::year() }));
    assert!(!verified(Window { not_after: at(9_000), ..sample::year() }));
}

/// A reviewer's signature stands beside the host's, not in its place.
#[test]
fn a_review_needs_the_host_as_well() {
    let mut reviewed = folder();
    let file = "evidence/review.dsse.json";
    let review = Envelope::parse(&reviewed.files[file]).unwrap();
    let alone = |key: &SigningKey<_>| Envelope::seal(PAYLOAD_TYPE, review.payload().into(), key);
    let bytes = alone(&sample::review_key()).to_bytes().unwrap();
    reviewed.files.insert(file.into(), bytes);
    let report = verify(&reviewed, &ring());
    let failure = report.first_failure().unwrap();
    assert_eq!(failure.name, "evidence.review");
    let why = "no signature by a key for purpose `receipt`".to_owned();
    assert_eq!(failure.result, Finding::Fails(why));
}

/// What a refusal quotes is bounded: a key id is no place for a megabyte.
#[test]
fn key_ids_are_short() {
    let folder = folder();
    let text = std::str::from_utf8(&folder.files[RECEIPT_FILE]).unwrap();
    let id = sample::receipt_key().id().to_owned();
    let long = text.replace(&id, &format!("{id}0"));
    assert_eq!(Envelope::parse(long.as_bytes()), Err(BadEnvelope::KeyId));
    assert!(Envelope::parse(text.as_bytes()).is_ok(), "the positive control");
}

/// Rotation by overlap: an old receipt stays good under the ring that holds both keys.
#[test]
fn keys_rotate_by_overlap() {
    let next: SigningKey<ForLogs> = SigningKey::from_secret(&[4; 32].into());
    let mut records = vec![
        KeyRecord::of(&sample::receipt_key(), sample::year()),
        KeyRecord::of(&sample::review_key(), sample::year()),
        KeyRecord::of(&next, sample::year()),
        KeyRecord::of(&sample::log_key(), sample::year()),
    ];
    assert!(verify(&folder(), &KeyRing::new(records.clone()).unwrap()).verified());
    records.pop();
    assert!(!verify(&folder(), &KeyRing::new(records).unwrap()).verified());
}

/// The longest lists a journal admits still fold, sign and verify.
#[test]
fn the_largest_receipts_fold() {
    let (mut journal, _) = Journal::start(header()).unwrap();
    let long = |n: usize| format!("{n}/{}", "\"".repeat(1000));
    for n in 0..1100 {
        journal.append(at(1), sample::read(n as u64, &long(n), b"x")).unwrap();
    }
    let output =
        |n| Output { path: PathText::new(long(n)).unwrap(), digest: Digest::of(b"x"), size: 1 };
    let Event::Ended(end) = ended(Outcome::Ok, "returned") else { unreachable!() };
    let outputs = (0..900).map(output).collect();
    journal.append(at(2), Event::Ended(Ended { outputs, ..end })).unwrap();
    let signed = fold(&journal).sign(&sample::receipt_key());
    let report = verify(&Folder::of(&signed, None).unwrap(), &ring());
    assert!(report.verified(), "{:#?}", results(&report));
    let files = report.said.unwrap().evidence.files.unwrap();
    assert_eq!((files.touched.len(), files.omitted), (1000, 100));
    assert_eq!(files.operations[0].answered, 1100, "counts are complete");
}

/// The folder and the keys that the README verifies.
#[test]
fn the_golden_receipt_is_what_this_build_writes() {
    for (name, bytes) in folder().files {
        crate::golden::check(&format!("receipt/{name}"), std::str::from_utf8(&bytes).unwrap());
    }
    let keys = String::from_utf8(ring().to_json().unwrap()).unwrap();
    crate::golden::check("receipt-keys.json", &keys);
}
