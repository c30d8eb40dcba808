//! Asking an agent what it is: in a world where nothing is, so that nothing but the component
//! itself can decide the answer.
//!
//! Runtimes of languages ask for their surroundings before any code of an agent's own runs. They
//! are told, always the same: no environment, no input, the first instant of the clock, chance from
//! a seed that is no secret. What they print goes nowhere. All else is refused as ever: there is
//! not a file, and nobody else to talk to.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use envelope_evidence::journal::{Agent, Args, Caller, CallerKind, Header, Journal};
use envelope_evidence::preview::Secrets;
use envelope_evidence::{Digest, Label, Preview, Timestamp, Usage};
use envelope_gate::airlock::Airlock;
use envelope_gate::gate::{Authorities, Gate, Parts};
use envelope_gate::inside::{Captured, Chance, Inside};
use envelope_gate::journal::InMemory;
use envelope_gate::workspace::{Blobs, Manifest, Quota, Workspace};
use envelope_rules::budget::{Account, Cap, Level, Meter};
use envelope_rules::egress::policy::PolicyDocument;
use envelope_rules::grant::GrantKeys;
use envelope_rules::guard::{Capability, CapabilitySet, Operator, Warrant, WarrantDocument};

use crate::bindings::AgentPre;
use crate::card::CARD_BYTES_MAX;
use crate::cell::{self, Cell};
use crate::config::Machine;
use crate::limits::Limits;
use crate::offline::Still;
use crate::prepared::NotRunnable;

/// Fuel to describe oneself: a tenth of a second of plain computing.
const FUEL: u64 = 1_000_000_000;

/// Bytes that are printed, and lost: a runtime's complaints.
const OUTPUT_BYTES: usize = 64 << 10;

/// What a runtime needs to start, and what nobody can learn anything from in a world that stands
/// still.
const SURROUNDINGS: CapabilitySet = CapabilitySet::NONE
    .with(Capability::Environment)
    .with(Capability::Stdio)
    .with(Capability::Clock)
    .with(Capability::Random);

/// The card's bytes as the agent gives them.
pub(crate) async fn describe(
    agent: &AgentPre<Cell>,
    machine: &Machine,
    component: Digest,
) -> Result<Vec<u8>, NotRunnable> {
    let silent = |why: String| NotRunnable::Silent(why);
    let gate = gate(machine, component).ok_or_else(|| silent("no gate".to_owned()))?;
    let limits = Limits::default();
    let airlock = Airlock::new(gate, limits.handles, Vec::new());
    let of = |error: wasmtime::Error| silent(format!("{error:#}"));
    let mut store = cell::store(machine.engine(), airlock, &limits, FUEL, None).map_err(of)?;
    let agent = agent.instantiate_async(&mut store).await.map_err(of)?;
    let card = agent.envelope_host_skills().call_describe(&mut store).await.map_err(of)?;
    if card.len() > CARD_BYTES_MAX {
        return Err(crate::card::BadCard::TooLarge(card.len()).into());
    }
    Ok(card.into_bytes())
}

/// A gate that leads nowhere.
fn gate(machine: &Machine, component: Digest) -> Option<Gate> {
    let none = Label::cut("describe");
    let warrant = Warrant::new(WarrantDocument {
        v: Warrant::VERSION,
        run: none.clone(),
        agent: none.clone(),
        component,
        skill: none.clone(),
        paper: None,
        deadline: Timestamp::MAX,
        capabilities: SURROUNDINGS,
        egress: PolicyDocument::default(),
        content: Vec::new(),
        models: Vec::new(),
        agents: Vec::new(),
        budget: Cap::NONE,
        criteria: None,
        approvals: None,
    });
    let warrant = warrant.ok()?;
    let manifest = Manifest::new(Vec::new()).ok()?;
    let header = header(machine, component, &warrant, &manifest);
    let (journal, _) = Journal::start(header).ok()?;
    let account = Account::new(Level::Run, none.to_string(), Cap::NONE, Usage::ZERO);
    let workspace = Workspace::new(&manifest, None, Quota::default(), Timestamp::ZERO).ok()?;
    Some(Gate::new(Parts {
        authorities: Authorities {
            operator: Arc::new(Operator { capabilities: SURROUNDINGS, ..Operator::default() }),
            warrant: Arc::new(warrant),
            grant: None,
            keys: Arc::new(GrantKeys::new(Vec::new()).ok()?),
        },
        meter: Meter::new(journal.header_digest(), vec![account]).ok()?,
        journal,
        writer: Box::new(InMemory::default()),
        world: Arc::new(Still::default()),
        inside: Inside {
            workspace,
            blobs: Blobs::in_memory(),
            stdin: Bytes::new(),
            stdout: Captured::new(OUTPUT_BYTES),
            stderr: Captured::new(OUTPUT_BYTES),
            artifacts: BTreeMap::new(),
            chance: Chance::new(Digest::of(b"describe")),
            watcher: None,
        },
        secrets: Secrets::none(),
        journal_bytes: 1 << 20,
        replay: false,
    }))
}

fn header(machine: &Machine, component: Digest, warrant: &Warrant, manifest: &Manifest) -> Header {
    let none = Label::cut("describe");
    Header {
        v: envelope_evidence::journal::VERSION,
        run: none.clone(),
        started: Timestamp::ZERO,
        agent: Agent {
            name: none.clone(),
            version: none.clone(),
            card: Digest::of(b""),
            component,
            endpoint: None,
            service: none.clone(),
        },
        caller: Caller { kind: CallerKind::System, id: none.clone(), run: None },
        skill: none,
        args: Args { digest: Digest::of(b""), size: 0, preview: Preview::default() },
        paper: None,
        warrant: warrant.digest(),
        budget: Usage::ZERO,
        limits: None,
        prices: None,
        scope: None,
        inputs: manifest.digest(),
        engine: machine.fingerprint().clone(),
        seed: Digest::of(b"describe"),
        previous: None,
    }
}
