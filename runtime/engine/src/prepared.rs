//! A component that is ready to run: compiled, linked, its shape known.

use bytes::Bytes;
use envelope_evidence::Digest;
use envelope_evidence::journal::Engine as Fingerprint;
use envelope_gate::link;
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use crate::bindings::{AgentPre, CommandPre};
use crate::card::{BadCard, Card};
use crate::cell::Cell;
use crate::component::{Components, Refused, Step};
use crate::config::Machine;
use crate::describe;

/// A component and how it is called.
pub struct Prepared {
    machine: Machine,
    digest: Digest,
    entry: Entry,
    card: Card,
    card_digest: Digest,
    imports: Vec<String>,
}

/// The shape of a component, ready to be instantiated.
pub(crate) enum Entry {
    /// It exports `envelope:host/skills`.
    Agent(AgentPre<Cell>),
    /// It exports `wasi:cli/run`: any WASI program is an agent with one skill.
    Command(CommandPre<Cell>),
}

/// A component that cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum NotRunnable {
    /// It may not, or does not compile.
    #[error("{0}")]
    Refused(#[from] Refused),
    /// It does not say what it is.
    #[error("the agent does not describe itself: {0}")]
    Silent(String),
    /// It says something that is no card.
    #[error(transparent)]
    Card(#[from] BadCard),
    /// It does not link.
    #[error("the component does not link: {0}")]
    Link(String),
    /// It exports nothing that can be called.
    #[error("the component exports neither `envelope:host/skills` nor `wasi:cli/run`")]
    Shape,
}

impl NotRunnable {
    /// What to do about it.
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::Refused(refused) => refused.advice(),
            Self::Silent(_) | Self::Card(_) => {
                "mend its `describe`, which runs without files, network and models"
            }
            Self::Link(_) => "build it against the interfaces of `host-api/wit`",
            Self::Shape => Refused::Shapeless.advice(),
        }
    }
}

impl Prepared {
    /// Compiles `bytes` and prepares them, and keeps nothing. A program that is no agent is called
    /// `name`.
    pub async fn compile(machine: &Machine, bytes: &[u8], name: &str) -> Result<Self, NotRunnable> {
        let components = Components::new(machine.clone(), link::SERVED);
        Self::load(&components, &Bytes::copy_from_slice(bytes), name, |_| {}).await
    }

    /// Loads `bytes` from `components`, which compiles what it has not, and prepares them. `tell`
    /// is called before what takes a while.
    pub async fn load(
        components: &Components,
        bytes: &Bytes,
        name: &str,
        tell: impl Fn(Step),
    ) -> Result<Self, NotRunnable> {
        let compiled = components.load(bytes, tell).await?;
        Self::new(components.machine(), &compiled.component, compiled.digest, name).await
    }

    /// Links `component`, which `machine` compiled from bytes with the given digest, and asks it
    /// for its card.
    pub async fn new(
        machine: &Machine,
        component: &Component,
        digest: Digest,
        name: &str,
    ) -> Result<Self, NotRunnable> {
        let broken = |error: wasmtime::Error| NotRunnable::Link(format!("{error:#}"));
        let mut linker = Linker::new(machine.engine());
        link::link(&mut linker, component, Cell::airlock).map_err(broken)?;
        let pre = linker.instantiate_pre(component).map_err(broken)?;
        let entry = match AgentPre::new(pre.clone()) {
            Ok(agent) => Entry::Agent(agent),
            Err(_) => Entry::Command(CommandPre::new(pre).map_err(|_| NotRunnable::Shape)?),
        };
        let card = match &entry {
            Entry::Agent(agent) => describe::describe(agent, machine, digest).await?,
            Entry::Command(_) => {
                let card = Card::of_command(name, digest);
                serde_json::to_vec(&card).map_err(BadCard::from)?
            }
        };
        let (parsed, card_digest) = (Card::parse(&card)?, Digest::of(&card));
        let ty = component.component_type();
        let imports = ty.imports(machine.engine()).map(|(name, _)| name.to_owned()).collect();
        let machine = machine.clone();
        Ok(Self { machine, digest, entry, card: parsed, card_digest, imports })
    }

    /// The interfaces it imports.
    pub fn imports(&self) -> &[String] {
        &self.imports
    }

    /// What the agent says of itself.
    pub const fn card(&self) -> &Card {
        &self.card
    }

    /// The digest of the card's bytes.
    pub const fn card_digest(&self) -> Digest {
        self.card_digest
    }

    /// The digest of the component's bytes.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The engine it was compiled for.
    pub const fn engine(&self) -> &Engine {
        self.machine.engine()
    }

    /// What a run's header says of the engine.
    pub const fn fingerprint(&self) -> &Fingerprint {
        self.machine.fingerprint()
    }

    pub(crate) const fn entry(&self) -> &Entry {
        &self.entry
    }
}
