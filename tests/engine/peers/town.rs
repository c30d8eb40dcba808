//! A few agents that know each other, and everything that is recorded of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use envelope_engine::limits::Limits;
use envelope_engine::peers::{Callee, Neighbours, Records};
use envelope_engine::replay::{Verdict, replay};
use envelope_engine::run::{Finished, Halted, Order, Surroundings, resume, start};
use envelope_evidence::journal::{Child, Event, Header, Journal, Outcome};
use envelope_evidence::{Digest, Dimension, Label, Timestamp, Usage};
use envelope_gate::journal::JournalWriter;
use envelope_gate::model::{Books, Chain, InMemoryPurse, Models, Policy, Provider, Stub};
use envelope_gate::peers::{Peers, Room};
use envelope_gate::stop::Fault;
use envelope_gate::workspace::Blobs;
use envelope_rules::budget::{Cap, PriceBook, Shared};
use envelope_rules::guard::{
    Capability, CapabilitySet, ModelRule, Operator, Warrant, WarrantDocument,
};
use object_store::memory::InMemory;

use crate::engine::world::{Fake, Lines, START, Setup, guest, keys, label, rules, setup, wait};
use crate::models::desk::price;

/// Journals and warrants of callees by run.
#[derive(Default)]
struct Shelf {
    journals: Mutex<BTreeMap<Label, Lines>>,
    warrants: Mutex<BTreeMap<Label, Arc<Warrant>>>,
}

impl Records for Shelf {
    fn open(&self, run: &Label) -> Result<(Vec<u8>, Box<dyn JournalWriter>), Fault> {
        let lines = self.journals.lock().unwrap().entry(run.clone()).or_default().clone();
        let before = lines.bytes.lock().unwrap().clone();
        Ok((before, Box::new(lines)))
    }

    fn begin(&self, run: &Label, order: &Order) -> Result<(), Fault> {
        let warrant = Arc::clone(&order.authorities.warrant);
        self.warrants.lock().unwrap().insert(run.clone(), warrant);
        Ok(())
    }

    fn keep(&self, finished: &Finished) -> Result<(), Fault> {
        assert!(finished.ended().is_some());
        Ok(())
    }
}

/// What somebody may reach, by the lines of a warrant, and which models it may ask.
#[derive(Clone)]
pub struct Means {
    pub rules: Vec<String>,
    pub models: Vec<ModelRule>,
}

impl Means {
    fn cut(&self, document: &mut WarrantDocument) {
        document.egress = rules(&self.rules);
        document.models = self.models.clone();
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
    pub tokens: u64,
    /// Who answers for `stub/a`.
    pub stub: Option<Arc<Stub>>,
    /// Shared accounts that the caller is charged to, and who keeps them.
    pub chain: Vec<Shared>,
    pub purse: Arc<InMemoryPurse>,
    /// How many callees find room at once, if not as many as usual.
    pub seats: Option<usize>,
    /// Who may reach and ask less than everything: agents by name, and `caller`.
    pub means: BTreeMap<&'static str, Means>,
    /// Who lives here beside the caller.
    pub neighbours: Vec<&'static str>,
    shelf: Arc<Shelf>,
    store: Arc<InMemory>,
}

pub fn town(acts: &str) -> Town {
    let mut setup = setup(acts);
    setup.capabilities = setup.capabilities.with(Capability::Agents);
    setup.operator = CapabilitySet::all();
    let store = setup.store();
    Town {
        setup,
        alone: false,
        nano_usd: 0,
        tokens: 0,
        stub: None,
        chain: Vec::new(),
        purse: Arc::default(),
        seats: None,
        means: BTreeMap::new(),
        neighbours: vec!["guests@local", "helper@local"],
        shelf: Arc::default(),
        store,
    }
}

fn known() -> Vec<Label> {
    vec![label("guests@local"), label("helper@local"), label("nobody@local")]
}

fn models() -> Vec<ModelRule> {
    vec![ModelRule { model: label("stub/a"), max_output: 1_000, nano_usd: None }]
}

/// A callee that may do everything that its caller's operator lets anybody do.
fn own(agent: &str, setup: &Setup) -> WarrantDocument {
    WarrantDocument {
        v: Warrant::VERSION,
        run: label("any"),
        agent: label(agent),
        component: guest().digest(),
        skill: label("any"),
        paper: None,
        deadline: Timestamp::MAX,
        capabilities: CapabilitySet::all(),
        egress: setup.warrant().egress,
        content: Vec::new(),
        models: models(),
        agents: known(),
        budget: Cap::NONE,
        criteria: None,
        approvals: None,
    }
}

impl Town {
    /// What is run, under a warrant that lets it call others.
    fn order(&self) -> (Order, Header) {
        let (mut order, mut header) = self.setup.order();
        let mut document = self.setup.warrant();
        document.agents = known();
        header.budget = header.budget.with(Dimension::NanoUsd, self.nano_usd).unwrap();
        header.budget = header.budget.with(Dimension::Tokens, self.tokens).unwrap();
        let names = ["stub/a", "stub/b"].map(|name| (name.to_owned(), price()));
        let priced = names.into_iter().filter(|_| self.stub.is_some());
        let prices = PriceBook::new(priced).unwrap();
        if self.stub.is_some() {
            document.models = models();
            document.criteria = Some(Digest::of(b"criteria"));
            document.capabilities = document.capabilities.with(Capability::Model);
            if let Some(means) = self.means.get("caller") {
                means.cut(&mut document);
            }
            header.prices = Some(prices.digest());
        }
        document.budget = without_wall(&header.budget);
        let warrant = Warrant::new(document).unwrap();
        header.warrant = warrant.digest();
        order.authorities.warrant = Arc::new(warrant);
        order.authorities.operator = Arc::new(Operator {
            capabilities: CapabilitySet::all(),
            egress: order.authorities.operator.egress.clone(),
            prices,
            content: Vec::new(),
        });
        (order, header)
    }

    /// The same, where nobody ran yet.
    pub fn fresh(&self) -> Self {
        Self { shelf: Arc::default(), store: self.setup.store(), ..self.clone() }
    }

    pub fn deadline(&self) -> Timestamp {
        Timestamp::from_secs(START.secs() + self.setup.timeout).unwrap()
    }

    /// What the caller may do.
    pub fn warrant(&self) -> Arc<Warrant> {
        self.order().0.authorities.warrant
    }

    fn own(&self, agent: &str) -> WarrantDocument {
        let mut own = own(agent, &self.setup);
        if let Some(means) = self.means.get(agent) {
            means.cut(&mut own);
        }
        own
    }

    fn surroundings(&self, lines: &Lines) -> Surroundings {
        let callee = |agent: &str| Callee {
            component: guest(),
            own: self.own(agent),
            limits: Limits { memory: 64 << 20, ..Limits::default() },
        };
        let agents = self.neighbours.iter().map(|it| (label(it), callee(it))).collect();
        let neighbours = Neighbours::new(agents, Arc::new(keys()), self.shelf.clone());
        let peers: Arc<dyn Peers> = Arc::new(neighbours);
        let stub = self.stub.clone().map(|stub| {
            let stub: Arc<dyn Provider> = stub;
            let providers = [("stub".to_owned(), stub)].into();
            Models::new(providers, Policy::default(), self.purse.clone())
        });
        let (purse, chain) = (self.purse.clone(), self.chain.clone());
        let mut world = Fake::new(&self.setup);
        world.peers = Some(peers).filter(|_| !self.alone);
        world.models = stub;
        let chain = Chain { accounts: chain, days: None };
        world.books = (!chain.accounts.is_empty()).then_some(Books { purse, chain, slice: 1 });
        world.room = self.seats.map(Room::new);
        Surroundings {
            blobs: Blobs::new(self.store.clone()),
            world: Arc::new(world),
            writer: Box::new(lines.clone()),
            watcher: None,
        }
    }

    pub fn run(&self) -> Ran {
        let ran = self.start(&Lines::default());
        ran.unwrap_or_else(|why| panic!("the run halted: {why}"))
    }

    /// Starts into `lines`.
    pub fn start(&self, lines: &Lines) -> Result<Ran, Halted> {
        let (order, header) = self.order();
        let finished = wait(start(order, header, self.surroundings(lines)))?;
        Ok(self.ran(finished, lines))
    }

    /// Dies after so many lines.
    pub fn crash(&self, room: usize) -> Lines {
        let dying = Lines::of(b"", Some(room));
        let (order, header) = self.order();
        let crashed = wait(start(order, header, self.surroundings(&dying)));
        assert!(crashed.is_err(), "line {room}: nothing crashed");
        Lines { room: None, ..dying }
    }

    /// Goes on in another process.
    pub fn resume(&self, lines: &Lines) -> Result<Ran, Halted> {
        let journal = Journal::parse(&lines.bytes.lock().unwrap()).unwrap();
        let finished = wait(resume(self.order().0, journal, self.surroundings(lines)))?;
        Ok(self.ran(finished, lines))
    }

    /// Dies after so many lines, and goes on in another process.
    pub fn crash_and_resume(&self, room: usize) -> Ran {
        let lines = self.crash(room);
        self.resume(&lines).unwrap_or_else(|why| panic!("line {room}: {why}"))
    }

    fn ran(&self, finished: Finished, lines: &Lines) -> Ran {
        let journal = Journal::parse(&lines.bytes.lock().unwrap()).unwrap();
        Ran { town: self.clone(), finished, journal }
    }

    /// How many callees have a record.
    pub fn records(&self) -> usize {
        let journals = self.shelf.journals.lock().unwrap();
        journals.values().filter(|lines| !lines.bytes.lock().unwrap().is_empty()).count()
    }

    pub fn warrant_of(&self, run: &Label) -> Arc<Warrant> {
        Arc::clone(&self.shelf.warrants.lock().unwrap()[run])
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

    /// Plays the caller again, where nobody else lives, and looks up each callee that it names.
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
