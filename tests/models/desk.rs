//! A run with models in its world, spoiled in one point at a time.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use envelope_engine::replay::{Verdict, replay};
use envelope_engine::run::{Finished, Halted, Order, Surroundings, resume, start};
use envelope_evidence::journal::{Event, Header, Journal};
use envelope_evidence::{Digest, Dimension, Label, Timestamp, Usage};
use envelope_gate::kill::Obeyed;
use envelope_gate::model::{Books, Chain, InMemoryPurse, Models, Policy, Provider, Script, Stub};
use envelope_gate::stop::Stop;
use envelope_gate::workspace::Blobs;
use envelope_gate::world::{GrantState, Performing, World};
use envelope_rules::budget::{Cap, NanoUsd, PicoUsdPerUnit, Price, PriceBook, Rates};
use envelope_rules::guard::{Capability, ModelRule, Warrant};
use object_store::memory::InMemory;

use crate::engine::world::{Fake, Lines, Setup, setup, wait};

/// A dollar and two for a million tokens in and out: a thousand and two thousand nano-dollars each.
pub const INPUT: u64 = 1_000;
pub const OUTPUT: u64 = 2_000;

/// Enough for anything a test asks.
pub const PLENTY: u64 = 1_000_000_000;

/// A run that may ask models, and who answers.
#[derive(Clone)]
pub struct Desk {
    pub setup: Setup,
    pub models: Vec<&'static str>,
    pub priced: Vec<&'static str>,
    pub capability: bool,
    pub operator: bool,
    pub criteria: bool,
    pub money: u64,
    pub tokens: u64,
    pub per_call: Option<u64>,
    pub policy: Policy,
    pub stub: Arc<Stub>,
    pub others: BTreeMap<String, Arc<dyn Provider>>,
    pub set_up: bool,
    pub purse: Arc<InMemoryPurse>,
    pub chain: Chain,
}

/// A run that is over.
pub struct Told {
    pub desk: Desk,
    pub finished: Result<Finished, Halted>,
    pub journal: Vec<u8>,
    pub store: Arc<InMemory>,
}

/// A run of the guest with `acts`, whose models are played by a stub.
pub fn desk(acts: &str) -> Desk {
    Desk {
        setup: setup(acts),
        models: vec!["stub/a", "stub/b"],
        priced: vec!["stub/a", "stub/b"],
        capability: true,
        operator: true,
        criteria: true,
        money: PLENTY,
        tokens: PLENTY,
        per_call: None,
        policy: Policy { floor: 16, ..Policy::default() },
        stub: Arc::default(),
        others: BTreeMap::new(),
        set_up: true,
        purse: Arc::default(),
        chain: Chain::default(),
    }
}

/// What the tests' models cost.
pub fn price() -> Price {
    let rates = Rates {
        input: PicoUsdPerUnit::new(INPUT * 1000),
        cache_read: None,
        cache_write: None,
        cache_write_long: None,
        output: PicoUsdPerUnit::new(OUTPUT * 1000),
        reasoning: None,
    };
    Price::new(rates, Vec::new(), NanoUsd::ZERO).unwrap()
}

impl Desk {
    /// The same, with a stub that does what `play` says.
    pub fn playing(
        mut self,
        play: impl Fn(&envelope_gate::model::Order<'_>) -> Script + Send + Sync + 'static,
    ) -> Self {
        self.stub = Arc::new(Stub::playing(play));
        self
    }

    /// The same, with another provider beside the stub.
    pub fn with(mut self, name: &str, model: &'static str, provider: Arc<dyn Provider>) -> Self {
        self.others.insert(name.to_owned(), provider);
        self.models.push(model);
        self.priced.push(model);
        self
    }

    fn book(&self) -> PriceBook {
        PriceBook::new(self.priced.iter().map(|name| ((*name).to_owned(), price()))).unwrap()
    }

    fn order(&self) -> (Order, Header) {
        let mut setup = self.setup.clone();
        if self.capability {
            setup.capabilities = setup.capabilities.with(Capability::Model);
        }
        if self.operator {
            setup.operator = setup.operator.with(Capability::Model);
        }
        let (mut order, mut header) = setup.order();
        let mut document = setup.warrant();
        document.models = self.models.iter().map(|name| self.rule(name)).collect();
        document.criteria = self.criteria.then(|| Digest::of(b"criteria"));
        let budget = [(Dimension::NanoUsd, self.money), (Dimension::Tokens, self.tokens)];
        let budget = budget
            .into_iter()
            .fold(header.budget, |row, (dimension, limit)| row.with(dimension, limit).unwrap());
        document.budget = Cap::of(&budget);
        let warrant = Warrant::new(document).unwrap();
        let operator = envelope_rules::guard::Operator {
            capabilities: setup.operator,
            egress: envelope_rules::egress::policy::Ceiling::default(),
            prices: self.book(),
            content: Vec::new(),
        };
        header.warrant = warrant.digest();
        header.budget = budget;
        header.prices = Some(self.book().digest());
        order.authorities.warrant = Arc::new(warrant);
        order.authorities.operator = Arc::new(operator);
        (order, header)
    }

    fn rule(&self, name: &str) -> ModelRule {
        let (model, nano_usd) = (Label::new(name).unwrap(), self.per_call);
        ModelRule { model, max_output: 100_000, nano_usd }
    }

    fn world(&self) -> Wired {
        let mut providers = self.others.clone();
        providers.insert("stub".to_owned(), self.stub.clone());
        let models = Models::new(providers, self.policy.clone(), self.purse.clone());
        let (purse, chain) = (self.purse.clone(), self.chain.clone());
        Wired {
            fake: Fake::new(&self.setup),
            models: self.set_up.then_some(models),
            books: (!chain.accounts.is_empty()).then_some(Books { purse, chain, slice: 50_000 }),
        }
    }

    /// Runs it to its end.
    pub fn run(&self) -> Told {
        self.run_into(Lines::default(), None)
    }

    /// Runs it into `lines`, or goes on with what they hold.
    pub fn run_into(&self, lines: Lines, store: Option<Arc<InMemory>>) -> Told {
        let store = store.unwrap_or_else(|| self.setup.store());
        let surroundings = Surroundings {
            blobs: Blobs::new(store.clone()),
            world: Arc::new(self.world()),
            writer: Box::new(lines.clone()),
            watcher: None,
        };
        let (order, header) = self.order();
        let before = lines.bytes.lock().unwrap().clone();
        let finished = if before.is_empty() {
            awaited(start(order, header, surroundings))
        } else {
            awaited(resume(order, Journal::parse(&before).unwrap(), surroundings))
        };
        let journal = lines.bytes.lock().unwrap().clone();
        Told { desk: self.clone(), finished, journal, store }
    }
}

/// Waits with everything that a network needs.
pub fn awaited<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

impl Told {
    pub fn finished(&self) -> &Finished {
        self.finished.as_ref().unwrap_or_else(|why| panic!("the run halted: {why}"))
    }

    /// What the guest said, one act after the other.
    pub fn said(&self) -> String {
        said(self.finished())
    }

    /// The codes of everything that was denied.
    pub fn denied(&self) -> Vec<String> {
        denied(&self.finished().journal)
    }

    pub fn record(&self) -> Journal {
        Journal::parse(&self.journal).unwrap()
    }

    /// What was used in all, as the journal says.
    pub fn used(&self) -> Usage {
        self.record().used()
    }

    pub fn money(&self) -> u64 {
        self.used().get(Dimension::NanoUsd)
    }

    /// Plays it again, where there is nobody to ask, and finds the same.
    pub fn replays_same(&self) {
        let asked = self.desk.stub.asked();
        let (order, _) = self.desk.order();
        let verdict = wait(replay(order, self.record(), Blobs::new(self.store.clone())));
        let again = match verdict {
            Ok(Verdict::Same(finished)) => finished,
            Ok(Verdict::Diverged(divergence)) => panic!("{divergence}"),
            Err(why) => panic!("{why}"),
        };
        assert_eq!(said(&again), self.said());
        assert_eq!(denied(&again.journal), self.denied());
        assert_eq!(self.desk.stub.asked(), asked, "a replay asks nobody");
    }
}

fn said(finished: &Finished) -> String {
    String::from_utf8_lossy(&finished.stdout).trim_end().replace('\n', "; ")
}

fn denied(journal: &Journal) -> Vec<String> {
    let codes = journal.entries().iter().filter_map(|entry| match &entry.event {
        Event::Denied(denied) => Some(denied.code.to_string()),
        _ => None,
    });
    codes.collect()
}

/// The tests' world, with models and shared accounts in it.
struct Wired {
    fake: Fake,
    models: Option<Models>,
    books: Option<Books>,
}

impl World for Wired {
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

    fn obeyed(&self) -> Option<&Obeyed> {
        self.fake.obeyed()
    }

    fn models(&self) -> Option<&Models> {
        self.models.as_ref()
    }

    fn books(&self) -> Option<&Books> {
        self.books.as_ref()
    }

    fn perform<'a>(&'a self, key: &'a str, request: &'a [u8]) -> Performing<'a> {
        self.fake.perform(key, request)
    }
}
