//! A run as it is set up: sound in every point, to be spoiled in one at a time.

use std::sync::Arc;

use bytes::Bytes;
use envelope_engine::limits::Limits;
use envelope_engine::prepared::Prepared;
use envelope_engine::run::Order;
use envelope_evidence::journal::{
    Agent, Args, Caller, CallerKind, Header, PaperRef, Scope, VERSION,
};
use envelope_evidence::preview::Secrets;
use envelope_evidence::{Digest, Dimension, Label, PathText, Preview, Timestamp, Usage};
use envelope_gate::desk::Desk;
use envelope_gate::gate::Authorities;
use envelope_gate::kill::Obeyed;
use envelope_gate::net::Network;
use envelope_gate::workspace::{Blobs, FileEntry, Manifest};
use envelope_gate::world::GrantState;
use envelope_rules::approval::Wanted;
use envelope_rules::budget::{Cap, PriceBook};
use envelope_rules::egress::policy::{Policy, PolicyDocument};
use envelope_rules::grant::{Claims, Grant, GrantKey, GrantKeys, Jti, mint};
use envelope_rules::guard::{Capability, CapabilitySet, Operator, Warrant, WarrantDocument};
use envelope_rules::path::{Path, Prefix};
use envelope_rules::pattern::PatternSet;
use object_store::memory::InMemory;

use super::{Change, guest, wait};

pub const START: Timestamp = Timestamp::from_secs(1_748_133_600).unwrap();
pub const RUN: &str = "run_1";
const AUDIENCE: &str = "guests@local";

/// The files that every run finds. Only those below `in/` may be read.
const FILES: [(&str, &str); 5] = [
    ("in/a.txt", "alpha"),
    ("in/b.txt", "beta"),
    ("in/deep/c.txt", "gamma"),
    ("secret/key.txt", "the secret"),
    ("top.txt", "at the top"),
];

#[derive(Clone)]
pub struct Setup {
    pub component: Arc<Prepared>,
    pub skill: &'static str,
    pub args: Bytes,
    pub capabilities: CapabilitySet,
    pub operator: CapabilitySet,
    pub read: Vec<&'static str>,
    pub outputs: Option<&'static str>,
    pub granted: bool,
    pub audience: &'static str,
    pub grant_run: &'static str,
    pub ttl: u64,
    pub timeout: u64,
    pub calls: u64,
    pub bytes: u64,
    pub limits: Limits,
    pub state: GrantState,
    pub drift: u64,
    /// Whether a run that is put aside hears first what is under way.
    pub gentle: bool,
    pub changes: Vec<(usize, Change)>,
    pub files: Vec<(&'static str, &'static str)>,
    /// The rules of the warrant, one line each; the operator's too, unless it has its own.
    pub egress: Vec<String>,
    pub operator_egress: Option<Vec<String>>,
    /// What must not leave, by the warrant; and by the operator.
    pub content: Vec<&'static str>,
    pub operator_content: Vec<&'static str>,
    pub network: Option<Arc<Network>>,
    /// Where humans are asked.
    pub desk: Option<Arc<dyn Desk>>,
    /// The kill switches that it obeys.
    pub obeyed: Option<Obeyed>,
    /// The widest that its Paper lets an approval reach.
    pub paper: Option<Wanted>,
    /// The Paper under which it was bought.
    pub bought: Option<Digest>,
    pub secrets: Vec<&'static str>,
    pub seed: &'static str,
}

/// What a local run may do at all.
pub fn local() -> CapabilitySet {
    let no = [Capability::Http, Capability::Model, Capability::Agents, Capability::Approvals];
    without(CapabilitySet::all(), &no)
}

fn without(set: CapabilitySet, no: &[Capability]) -> CapabilitySet {
    let kept = Vec::from(set).into_iter().filter(|it| !no.contains(it));
    kept.fold(CapabilitySet::NONE, CapabilitySet::with)
}

/// A run of the guest with `acts`, each after a `; `.
pub fn setup(acts: &str) -> Setup {
    let list: Vec<_> = acts.split("; ").filter(|act| !act.is_empty()).collect();
    Setup {
        component: guest(),
        skill: "run",
        args: serde_json::to_vec(&list).unwrap().into(),
        capabilities: local(),
        operator: local(),
        read: vec!["in/**"],
        outputs: Some("out/"),
        granted: true,
        audience: AUDIENCE,
        grant_run: RUN,
        ttl: 3600,
        timeout: 3600,
        calls: 100_000,
        bytes: 1 << 30,
        limits: Limits { fuel: 2_000_000_000, memory: 64 << 20, ..Limits::default() },
        state: GrantState { bound_run: Some(RUN.to_owned()), revoked: false },
        drift: 0,
        gentle: false,
        changes: Vec::new(),
        files: FILES.to_vec(),
        egress: Vec::new(),
        operator_egress: None,
        content: Vec::new(),
        operator_content: Vec::new(),
        network: None,
        desk: None,
        obeyed: None,
        paper: None,
        bought: None,
        secrets: Vec::new(),
        seed: "seed",
    }
}

impl Setup {
    pub fn deny(mut self, capability: Capability) -> Self {
        self.capabilities = without(self.capabilities, &[capability]);
        self
    }

    pub fn forbid(mut self, capability: Capability) -> Self {
        self.operator = without(self.operator, &[capability]);
        self
    }

    /// Lets the run send what `rules` say over `network`.
    pub fn online(mut self, rules: &[String], network: Network) -> Self {
        self.capabilities = self.capabilities.with(Capability::Http);
        self.operator = self.operator.with(Capability::Http);
        self.egress = rules.to_vec();
        self.network = Some(Arc::new(network));
        self
    }

    /// Has humans sit at `desk`.
    pub fn at_desk(mut self, desk: Arc<dyn Desk>) -> Self {
        self.capabilities = self.capabilities.with(Capability::Approvals);
        self.operator = self.operator.with(Capability::Approvals);
        self.desk = Some(desk);
        self
    }

    pub fn memory(mut self, bytes: usize) -> Self {
        self.limits.memory = bytes;
        self
    }

    pub fn journal(mut self, bytes: u64) -> Self {
        self.limits.journal_bytes = bytes;
        self
    }

    pub fn output(mut self, bytes: usize) -> Self {
        self.limits.output_bytes = bytes;
        self
    }

    /// After so many questions of the gate, this happens.
    pub fn after(mut self, calls: usize, change: Change) -> Self {
        self.changes.push((calls, change));
        self
    }

    pub fn fuel(mut self, fuel: u64) -> Self {
        self.limits.fuel = fuel;
        self
    }

    /// What the store of blobs holds at the start.
    pub fn store(&self) -> Arc<InMemory> {
        let store = Arc::new(InMemory::new());
        let blobs = Blobs::new(store.clone());
        for (_, text) in &self.files {
            wait(blobs.put(Bytes::from_static(text.as_bytes()))).unwrap();
        }
        store
    }

    fn manifest(&self) -> Manifest {
        let entry = |(name, text): &(&str, &str)| FileEntry {
            path: Path::parse(name).unwrap(),
            digest: Digest::of(text.as_bytes()),
            size: text.len().try_into().unwrap(),
        };
        Manifest::new(self.files.iter().map(entry).collect()).unwrap()
    }

    /// What is run, and the first line of its journal.
    pub fn order(&self) -> (Order, Header) {
        let keys = keys();
        let claims = self.claims();
        let grant = self.granted.then(|| {
            let token = mint(&claims, &keys, START).unwrap();
            Grant::open(token.as_str(), &keys, START).unwrap()
        });
        let warrant = Warrant::new(self.warrant()).unwrap();
        let operator_rules = self.operator_egress.as_ref().unwrap_or(&self.egress);
        let operator = Operator {
            capabilities: self.operator,
            egress: Policy::compile(rules(operator_rules)).unwrap().into(),
            prices: PriceBook::default(),
            content: self.operator_content.iter().map(|rule| rule.parse().unwrap()).collect(),
        };
        let header = self.header(&warrant, grant.as_ref());
        let authorities = Authorities {
            operator: Arc::new(operator),
            warrant: Arc::new(warrant),
            grant,
            keys: Arc::new(keys),
        };
        let order = Order {
            component: self.component.clone(),
            authorities,
            args: self.args.clone(),
            manifest: self.manifest(),
            limits: self.limits.clone(),
            secrets: self.secrets(),
        };
        (order, header)
    }

    fn secrets(&self) -> Secrets {
        let mut secrets = Secrets::none();
        self.secrets.iter().for_each(|secret| assert!(secrets.add(secret)));
        secrets
    }

    fn claims(&self) -> Claims {
        Claims {
            iss: None,
            aud: self.audience.to_owned(),
            run: Some(self.grant_run.to_owned()),
            paper: self.bought,
            paths: PatternSet::parse(&self.read).unwrap(),
            outputs: self.outputs.map(|prefix| Prefix::parse(prefix).unwrap()),
            exp: START.secs() + self.ttl,
            iat: START.secs(),
            jti: Jti::parse("grt_01HW2CQZ5B3YJ8V0K4M6N7P9RT").unwrap(),
            depth: None,
            budget: None,
            prev: None,
            par: None,
            act: None,
        }
    }

    fn budget(&self) -> Usage {
        let rows = [
            (Dimension::Bytes, self.bytes),
            (Dimension::Fuel, self.limits.fuel),
            (Dimension::Calls, self.calls),
        ];
        rows.into_iter()
            .fold(Usage::ZERO, |row, (dimension, limit)| row.with(dimension, limit).unwrap())
    }

    pub fn warrant(&self) -> WarrantDocument {
        WarrantDocument {
            v: Warrant::VERSION,
            run: Label::new(RUN).unwrap(),
            agent: Label::new(AUDIENCE).unwrap(),
            component: self.component.digest(),
            skill: Label::new(self.skill).unwrap(),
            paper: self.bought,
            deadline: Timestamp::from_secs(START.secs() + self.timeout).unwrap(),
            capabilities: self.capabilities,
            egress: rules(&self.egress),
            content: self.content.iter().map(|rule| rule.parse().unwrap()).collect(),
            models: Vec::new(),
            agents: Vec::new(),
            budget: Cap::of(&self.budget()),
            criteria: None,
            approvals: self.paper.clone(),
        }
    }

    pub fn header(&self, warrant: &Warrant, grant: Option<&Grant>) -> Header {
        let card = self.component.card();
        Header {
            v: VERSION,
            run: Label::new(RUN).unwrap(),
            started: START,
            agent: Agent {
                name: Label::cut(&card.name),
                version: Label::cut(&card.version),
                card: self.component.card_digest(),
                component: self.component.digest(),
                endpoint: None,
                service: Label::cut(AUDIENCE),
            },
            caller: Caller { kind: CallerKind::User, id: Label::cut("somebody"), run: None },
            skill: Label::cut(self.skill),
            args: Args {
                digest: Digest::of(&self.args),
                size: self.args.len().try_into().unwrap(),
                preview: Preview::of_bytes(&self.args, &Secrets::none()),
            },
            paper: self.bought.map(|digest| PaperRef { digest, parents: Vec::new() }),
            warrant: warrant.digest(),
            budget: self.budget(),
            limits: Some(self.limits.digest()),
            prices: None,
            scope: grant.map(|grant| self.scope(grant)),
            inputs: self.manifest().digest(),
            engine: self.component.fingerprint().clone(),
            seed: Digest::of(self.seed.as_bytes()),
            previous: None,
        }
    }

    fn scope(&self, grant: &Grant) -> Scope {
        Scope {
            jti: Label::cut(grant.claims().jti.as_str()),
            token: grant.token_digest(),
            audience: Label::cut(self.audience),
            paths: self.read.iter().map(|text| PathText::cut(text)).collect(),
            outputs: PathText::cut(self.outputs.unwrap_or_default()),
            issued: grant.claims().iat,
            expires: grant.claims().exp,
            depth: 0,
            parent: None,
            previous: None,
        }
    }
}

/// The rules of a warrant, one line each.
pub fn rules(lines: &[String]) -> PolicyDocument {
    PolicyDocument { rules: lines.iter().map(|line| line.parse().unwrap()).collect() }
}

pub fn keys() -> GrantKeys {
    let key = GrantKey::hs256("test-1", &[7; 32], Timestamp::ZERO..Timestamp::MAX).unwrap();
    GrantKeys::new(vec![key]).unwrap()
}

/// Where a blob lies in its store.
pub fn key(bytes: &Bytes) -> String {
    let hex = Digest::of(bytes).hex().clone();
    format!("sha256/{}/{hex}", &hex[..2])
}
