//! A component that is ready to run: compiled, linked, its shape known.

use envelope_evidence::Digest;
use envelope_evidence::journal::Engine as Fingerprint;
use envelope_gate::link;
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use crate::bindings::{AgentPre, CommandPre};
use crate::cell::Cell;
use crate::config::Machine;

/// A component and how it is called.
pub struct Prepared {
    machine: Machine,
    digest: Digest,
    entry: Entry,
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
    /// It does not link.
    #[error("the component does not link: {0}")]
    Link(String),
    /// It exports nothing that can be called.
    #[error("the component exports neither `envelope:host/skills` nor `wasi:cli/run`")]
    Shape,
}

impl Prepared {
    /// Links `component`, which `machine` compiled from bytes with the given digest.
    pub fn new(
        machine: &Machine,
        component: &Component,
        digest: Digest,
    ) -> Result<Self, NotRunnable> {
        let broken = |error: wasmtime::Error| NotRunnable::Link(format!("{error:#}"));
        let mut linker = Linker::new(machine.engine());
        link::link(&mut linker, component, Cell::airlock).map_err(broken)?;
        let pre = linker.instantiate_pre(component).map_err(broken)?;
        let entry = match AgentPre::new(pre.clone()) {
            Ok(agent) => Entry::Agent(agent),
            Err(_) => Entry::Command(CommandPre::new(pre).map_err(|_| NotRunnable::Shape)?),
        };
        Ok(Self { machine: machine.clone(), digest, entry })
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
