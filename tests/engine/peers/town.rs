//! A few agents that know each other, and everything that is recorded of them.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use envelope_engine::limits::Limits;
use envelope_engine::peers::{Callee, Neighbours, Records};
use envelope_engine::replay::{Verdict, replay};
use envelope_engine::run::{Finished, Order, Surroundings, resume, start};
use envelope_evidence::journal::{Child, Event, Header, Journal, Outcome};
use envelope_evidence::{Digest, Dimension, Label, Timestamp, Usage};
use envelope_gate::journal::JournalWriter;
use envelope_gate::peers::Peers;
use envelope_gate::stop::{Fault, Stop};
use envelope_gate::workspace::Blobs;
use envelope_gate::world::{GrantState, Performing, World};
use envelope_rules::budget::{Cap, PriceBook};
use envelope_rules::egress::policy::Policy;
use envelope_rules::guard::{Capability, CapabilitySet, Operator, Warrant, WarrantDocument};
use object_store::memory::InMemory;

use crate::engine::world::{Fake, Lines, START, Setup, guest, keys, setup, wait};

/// Journals of callees by run.
#[derive(Default)]
struct Shelf {
    journals: Mutex<BTreeMap<Label, Lines>>,
}

impl Records for Shelf {
    fn open(&self, run: &Label) -> Result<(Vec<u8>, Box<dyn JournalWriter>), Fault> {
        let lines = self.journals.lock().unwrap().entry(run.clone()).or_default().clone();
        let before = lines.bytes.lock().unwrap().clone();
        Ok((before, Box::new(lines)))
    }

    fn keep(&self, finished: &Finished) -> Result<(), Fault> {
        assert!(finished.ended().is_some());
        Ok(())
    }
}

/// The world of a caller: a faked one in which others live.
struct Square {
    fake: Fake,
    peers: Option<Arc<dyn Peers>>,
}

impl World for Square {
    fn now(&self) -> Timestamp {
        self.fake.now()
    }

    fn sleep_until(&self, instant: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.fake.sleep_until(instant)
    }

    fn standing(&self, jti: &str) -> GrantState {
        self.fake.standing(jti)
    }

    fn stopped(&self) -> Option<Stop> {
        self.fake.stopped()
    }

    fn peers(&self) -> Option<Arc<dyn Peers>> {
        self.peers.clone()
    }

    fn perform<'a>(&'a self, key: &'a str, request: &'a [u8]) -> Performing<'a> {
        self.fake.perform(key, request)
    }
}

/// A caller `guests@local` and those it may call: itself, `helper@local`, and `nobody@local`, who
/// does not live here.
#[derive(Clone)]
pub struct Town {
    pub setup: Setup,
    /// Whether nobody at all lives here.
    pub alone: bool,
    /// What the caller may spend.
    pub nano_usd: u64,
    shelf: Arc<Shelf>,
    store: Arc<InMemory>,
}

pub fn town(acts: &str) -> Town {
    let mut setup = setup(acts);
    setup.capabilities = setup.capabilities.with(Capability::Agents);
    setup.operator = CapabilitySet::all();
    let store = setup.store();
    Town { setup, alone: false, nano_usd: 0, shelf: Arc::default(), store }
}

fn label(text: &str) -> Label {
    Label::new(text).unwrap()
}

fn known() -> Vec<Label> {
    vec![label("guests@local"), label("helper@local"), label("nobody@local")]
}

/// A callee that may do everything.
fn own(agent: &str) -> WarrantDocument {
    WarrantDocument {
        v: Warrant::VERSION,
        run: label("any"),
        agent: label(agent),
        component: guest().digest(),
        skill: label("any"),
        paper: None,
        deadline: Timestamp::MAX,
        capabilities: CapabilitySet::all(),
        egress: Policy::default().into(),
        models: Vec::new(),
        agents: known(),
        budget: Cap::NONE,
        criteria: None,
    }
}

impl Town {
    /// What is run, under a warrant that lets it call others.
    fn order(&self) -> (Order, Header) {
        let (mut order, mut header) = self.setup.order();
        let mut document = self.setup.warrant();
        document.agents = known();
        header.budget = header.budget.with(Dimension::NanoUsd, self.nano_usd).unwrap();
        header.budget = header.budget.with(Dimension::Tokens, 0).unwrap();
        document.budget = without_wall(&header.budget);
        let warrant = Warrant::new(document).unwrap();
        header.warrant = warrant.digest();
        order.authorities.warrant = Arc::new(warrant);
        order.authorities.operator = Arc::new(Operator {
            capabilities: CapabilitySet::all(),
            egress: Policy::default(),
            prices: PriceBook::default(),
        });
        (order, header)
    }

    pub fn deadline(&self) -> Timestamp {
        Timestamp::from_secs(START.secs() + self.setup.timeout).unwrap()
    }

    fn surroundings(&self, lines: &Lines) -> Surroundings {
        let callee = |agent: &str| Callee {
            component: guest(),
            own: own(agent),
            limits: Limits { memory: 64 << 20, ..Limits::default() },
        };
        let agents = ["guests@local", "helper@local"].map(|it| (label(it), callee(it)));
        let neighbours = Neighbours::new(agents.into(), Arc::new(keys()), self.shelf.clone());
        let peers: Arc<dyn Peers> = Arc::new(neighbours);
        let peers = Some(peers).filter(|_| !self.alone);
        Surroundings {
            blobs: Blobs::new(self.store.clone()),
            world: Arc::new(Square { fake: Fake::new(&self.setup), peers }),
            writer: Box::new(lines.clone()),
            watcher: None,
        }
    }

    pub fn run(&self) -> Ran {
        let lines = Lines::default();
        let (order, header) = self.order();
        let finished = wait(start(order, header, self.surroundings(&lines)));
        self.ran(finished.unwrap_or_else(|why| panic!("the run halted: {why}")), &lines)
    }

    /// Dies after so many lines, and goes on in another process.
    pub fn crash_and_resume(&self, room: usize) -> Ran {
        let dying = Lines { room: Some(room), ..Lines::default() };
        let (order, header) = self.order();
        let crashed = wait(start(order, header, self.surroundings(&dying)));
        let before = dying.bytes.lock().unwrap().clone();
        let lines = Lines { bytes: Arc::new(Mutex::new(before.clone())), room: None };
        if let Ok(finished) = crashed {
            return self.ran(finished, &lines);
        }
        let journal = Journal::parse(&before).unwrap();
        let finished = wait(resume(self.order().0, journal, self.surroundings(&lines)));
        self.ran(finished.unwrap_or_else(|why| panic!("line {room}: {why}")), &lines)
    }

    fn ran(&self, finished: Finished, lines: &Lines) -> Ran {
        let journal = Journal::parse(&lines.bytes.lock().unwrap()).unwrap();
        Ran { town: self.clone(), finished, journal }
    }

    /// How many callees have a record.
    pub fn records(&self) -> usize {
        self.shelf.journals.lock().unwrap().len()
    }

    pub fn journal_of(&self, run: &Label) -> Journal {
        let journals = self.shelf.journals.lock().unwrap();
        let bytes = journals[run].bytes.lock().unwrap();
        Journal::parse(&bytes).unwrap()
    }
}

/// No limit of time: that is the deadline's.
fn without_wall(budget: &Usage) -> Cap {
    let rows = [
        Dimension::NanoUsd,
        Dimension::Tokens,
        Dimension::Bytes,
        Dimension::Fuel,
        Dimension::Calls,
    ];
    rows.into_iter().fold(Cap::NONE, |cap, row| cap.with(row, budget.get(row)).unwrap())
}

/// A caller's run that is over.
pub struct Ran {
    town: Town,
    finished: Finished,
    pub journal: Journal,
}

pub fn children(journal: &Journal) -> Vec<Child> {
    let entries = journal.entries().iter();
    let children = entries.filter_map(|entry| match &entry.event {
        Event::Answered(answered) => answered.child.as_deref().cloned(),
        _ => None,
    });
    children.collect()
}

/// Calls that a run answered itself.
pub fn own_calls(journal: &Journal) -> u64 {
    let answered = journal.entries().iter().filter(|entry| match &entry.event {
        Event::Answered(it) => it.call.operation.as_str() != "finish",
        _ => false,
    });
    answered.count().try_into().unwrap()
}

pub fn ended(journal: &Journal) -> (Outcome, String) {
    let ended = journal.ended().unwrap();
    (ended.outcome, ended.reason.to_string())
}

impl Ran {
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&self.finished.stdout).trim_end().replace('\n', "; ")
    }

    pub fn end(&self) -> (Outcome, String) {
        ended(&self.journal)
    }

    pub fn children(&self) -> Vec<Child> {
        children(&self.journal)
    }

    pub fn own_calls(&self) -> u64 {
        own_calls(&self.journal)
    }

    pub fn outputs(&self) -> Vec<String> {
        self.finished.outputs.iter().map(|it| it.path.as_str().to_owned()).collect()
    }

    pub fn denied(&self) -> Vec<String> {
        let codes = self.journal.entries().iter().filter_map(|entry| match &entry.event {
            Event::Denied(denied) => Some(denied.code.to_string()),
            _ => None,
        });
        codes.collect()
    }

    /// Plays the caller again, where nobody else lives, and then each callee that it names.
    pub fn replays_same(&self) {
        let (order, _) = self.town.order();
        let blobs = Blobs::new(self.town.store.clone());
        let again = match wait(replay(order, self.journal.clone(), blobs)) {
            Ok(Verdict::Same(again)) => again,
            Ok(Verdict::Diverged(divergence)) => panic!("{divergence}"),
            Err(why) => panic!("{why}"),
        };
        assert_eq!(again.journal.head(), self.journal.head());
        assert_eq!(again.stdout, self.finished.stdout);
        for child in self.children() {
            let journal = self.town.journal_of(&child.run);
            let receipt = envelope_evidence::receipt::fold(&journal).receipt;
            assert_eq!(child.receipt, Digest::of(&receipt), "the link leads to the callee");
        }
    }
}
