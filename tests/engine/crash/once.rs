//! What must not happen twice: a request that HTTP does not call safe.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use envelope_evidence::journal::{Ended, Event, Journal, Outcome};
use envelope_evidence::preview::Secrets;
use envelope_evidence::{Label, Usage};
use envelope_gate::gate::{Authorities, Gate, Parts, Passed};
use envelope_gate::inside::{Captured, Chance, Inside};
use envelope_gate::request::Request;
use envelope_gate::stop::Stop;
use envelope_gate::workspace::{Blobs, Manifest, Quota, Workspace};
use envelope_gate::world::Outer;
use envelope_rules::budget::{Account, Cap, Level, Meter, PriceBook};
use envelope_rules::denial::Code;
use envelope_rules::egress::policy::{Policy, PolicyDocument};
use envelope_rules::egress::rule::{QueryRule, RuleDocument};
use envelope_rules::egress::target::{Scheme, Target};
use envelope_rules::guard::{Act, CapabilitySet, Operator, Warrant};

use super::whole;
use crate::engine::world::{Fake, Lines, START, keys, setup, wait};

fn egress() -> PolicyDocument {
    PolicyDocument {
        rules: vec![RuleDocument {
            schemes: vec![Scheme::Https],
            host: "api.ok.example.com".to_owned(),
            ports: Vec::new(),
            methods: vec!["GET".into(), "POST".into()],
            paths: vec!["/**".into()],
            query: QueryRule::None,
        }],
    }
}

/// A gate of a run that may ask one host, on what `lines` hold.
fn gate(world: &Arc<Fake>, lines: &Lines, replay: bool) -> Gate {
    let setup = setup("");
    let mut document = setup.warrant();
    (document.capabilities, document.egress) = (CapabilitySet::all(), egress());
    let warrant = Warrant::new(document).unwrap();
    let before = lines.bytes.lock().unwrap().clone();
    let journal = if before.is_empty() {
        let (journal, line) = Journal::start(setup.header(&warrant, None)).unwrap();
        lines.bytes.lock().unwrap().extend_from_slice(&line);
        journal
    } else {
        Journal::parse(&before).unwrap()
    };
    let leaf = Account::new(Level::Run, "run_1".to_owned(), Cap::NONE, journal.used());
    let operator = Operator {
        capabilities: CapabilitySet::all(),
        egress: Policy::compile(egress()).unwrap().into(),
        prices: PriceBook::default(),
        content: Vec::new(),
    };
    Gate::new(Parts {
        authorities: Authorities {
            operator: Arc::new(operator),
            warrant: Arc::new(warrant),
            grant: None,
            keys: Arc::new(keys()),
        },
        meter: Meter::new(journal.header_digest(), vec![leaf]).unwrap(),
        journal,
        writer: Box::new(lines.clone()),
        world: world.clone(),
        inside: inside(),
        secrets: Secrets::none(),
        journal_bytes: 1 << 20,
        replay,
    })
}

fn inside() -> Inside {
    let manifest = Manifest::new(Vec::new()).unwrap();
    Inside {
        workspace: Workspace::new(&manifest, None, Quota::default(), START).unwrap(),
        blobs: Blobs::in_memory(),
        stdin: Bytes::new(),
        stdout: Captured::new(0),
        stderr: Captured::new(0),
        artifacts: BTreeMap::new(),
        chance: Chance::new(envelope_evidence::Digest::of(b"seed")),
        watcher: None,
    }
}

fn ask(gate: &mut Gate, method: &str) -> Passed<Vec<u8>> {
    let target = Target::parse(method, "https://api.ok.example.com/pay").unwrap();
    let request = Request::new(Act::Http(&target), "send", "pay".into(), &"pay");
    wait(gate.outer(request.moving(100), Outer::Effect(b"pay")))
}

fn finish(gate: &mut Gate, outcome: Outcome, reason: &str) -> Result<(), Stop> {
    let reason = Label::cut(reason);
    let ended = Ended { outcome, reason, result: None, outputs: Vec::new() };
    wait(gate.finish(ended, 0))
}

/// The journal up to and with the record that the request began.
fn begun() -> Vec<u8> {
    let (world, lines) = (Arc::new(Fake::new(&setup(""))), Lines::default());
    let mut gate = gate(&world, &lines, false);
    assert_eq!(ask(&mut gate, "POST").unwrap().unwrap(), b"done");
    assert_eq!(world.performed.load(Ordering::SeqCst), 1);
    let bytes = lines.bytes.lock().unwrap().clone();
    let torn = &bytes[..bytes.len() - 1];
    whole(torn).to_vec()
}

#[test]
fn what_may_have_happened_once_is_never_done_again() {
    let left = begun();
    let (world, lines) = (Arc::new(Fake::new(&setup(""))), Lines::of(&left, None));
    for attempt in 0..3 {
        let mut gate = gate(&world, &lines, false);
        let asked = ask(&mut gate, "POST");
        let Err(Stop::Denied(denial)) = asked else { panic!("attempt {attempt}: {asked:?}") };
        assert_eq!(denial.code(), Code::HumanDecides);
        // The first two crash before they can say so.
        if attempt == 2 {
            finish(&mut gate, Outcome::Denied, denial.row().name).unwrap();
        }
    }
    // Its end is on record: whoever takes it up comes to the same.
    let mut again = gate(&world, &lines, false);
    assert!(matches!(ask(&mut again, "POST"), Err(Stop::EndOfRecord)));
    finish(&mut again, Outcome::Denied, "recovery.human").unwrap();
    assert_eq!(world.performed.load(Ordering::SeqCst), 0);
    let journal = Journal::parse(&lines.bytes.lock().unwrap()).unwrap();
    let ended = journal.ended().unwrap();
    assert_eq!((ended.outcome, ended.reason.as_str()), (Outcome::Denied, "recovery.human"));
    assert_eq!(reserved(&journal), 100, "what was set aside is not given back");
    let mut replayed = gate(&world, &lines, true);
    assert!(matches!(ask(&mut replayed, "POST"), Err(Stop::EndOfRecord)));
    finish(&mut replayed, Outcome::Denied, "recovery.human").unwrap();
    assert!(!replayed.unplayed());
}

fn reserved(journal: &Journal) -> u64 {
    let used: Usage = journal.used();
    used.get(envelope_evidence::Dimension::Bytes)
}

#[test]
fn what_is_recorded_is_told_and_not_done() {
    let (world, lines) = (Arc::new(Fake::new(&setup(""))), Lines::default());
    let mut first = gate(&world, &lines, false);
    ask(&mut first, "POST").unwrap().unwrap();
    drop(first);
    let mut second = gate(&world, &lines, false);
    assert_eq!(ask(&mut second, "POST").unwrap().unwrap(), b"done");
    assert_eq!(world.performed.load(Ordering::SeqCst), 1);
}

#[test]
fn a_request_that_never_began_is_made_and_a_safe_one_is_repeated() {
    let (world, lines) = (Arc::new(Fake::new(&setup(""))), Lines::default());
    let full = Lines { room: Some(0), ..lines.clone() };
    let mut crashed = gate(&world, &full, false);
    assert!(matches!(ask(&mut crashed, "POST"), Err(Stop::Fault(_))));
    assert_eq!(world.performed.load(Ordering::SeqCst), 0, "nothing before its record");
    let mut again = gate(&world, &lines, false);
    ask(&mut again, "POST").unwrap().unwrap();
    ask(&mut again, "GET").unwrap().unwrap();
    assert_eq!(world.performed.load(Ordering::SeqCst), 2);
    let journal = Journal::parse(&lines.bytes.lock().unwrap()).unwrap();
    let begun = journal.entries().iter().filter(|it| matches!(it.event, Event::Begun(_)));
    assert_eq!(begun.count(), 1, "only what must not happen twice is announced");
}
