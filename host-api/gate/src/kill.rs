//! Kill switches, as far as the gate knows of them: somebody keeps them, and every run asks.
//!
//! A run looks at one number at each passage and at each tick of its engine, and at the switches
//! themselves only when that number is another one than it saw last. Once it was stopped it stays
//! so, also when the switch is lifted before it has come to its end.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use envelope_evidence::journal::Header;
use envelope_evidence::{Digest, Label, Timestamp};
use envelope_rules::denial::Denial;
use envelope_rules::grant::Jti;
use envelope_rules::kill::{Standing, Subject};

use crate::desk::Desk;
use crate::model::{Books, Models};
use crate::net::Network;
use crate::peers::{Peers, Room};
use crate::stop::{Fault, Stop};
use crate::world::{GrantState, Performing, World};

/// The number of switches that nobody has seen yet.
const UNSEEN: u64 = u64::MAX;

/// Keeps the switches.
pub trait Switches: Send + Sync {
    /// Another number whenever a switch was thrown or lifted, and never [`u64::MAX`]. It is asked
    /// for at every passage: nobody waits for it.
    fn generation(&self) -> u64;

    /// Has `told` look at the switch that stops `subject`, if one does. Switches that cannot be
    /// read let nobody go on.
    fn look(&self, subject: Subject<'_>, told: &mut dyn FnMut(Standing<'_>)) -> Result<(), Fault>;
}

/// Whose word a run obeys.
#[derive(Clone)]
pub struct Obeyed {
    /// The switches.
    pub switches: Arc<dyn Switches>,
    /// Who pays for the run, if it is run for anybody.
    pub organisation: Option<Label>,
}

impl Obeyed {
    /// Why `agent` may not begin `run` here, under that Paper if under any, if it may not.
    pub fn forbids(
        &self,
        (run, agent): (&Label, &Label),
        paper: Option<Digest>,
    ) -> Result<Option<Denial>, Fault> {
        let mut denial = None;
        self.look((run, agent), paper, &mut |standing| denial = Some(standing.denial()))?;
        Ok(denial)
    }

    /// How the run of `header` has to end, if a switch names it.
    pub fn stops(&self, header: &Header) -> Result<Option<Stop>, Fault> {
        let mut stop = None;
        let told = &mut |standing: Standing<'_>| stop = Some(killed_by(&standing));
        self.look((&header.run, &header.agent.service), paper_of(header), told)?;
        Ok(stop)
    }

    fn look(
        &self,
        (run, agent): (&Label, &Label),
        paper: Option<Digest>,
        told: &mut dyn FnMut(Standing<'_>),
    ) -> Result<(), Fault> {
        let organisation = self.organisation.as_ref();
        self.switches.look(Subject { run, agent, paper, organisation }, told)
    }
}

fn killed_by(standing: &Standing<'_>) -> Stop {
    Stop::Killed(standing.words().to_string())
}

/// The Paper under which the run of `header` was bought.
pub fn paper_of(header: &Header) -> Option<Digest> {
    header.paper.as_ref().map(|paper| paper.digest)
}

/// The same world for the run of `header`, which it stops when a switch says so.
pub fn watched(world: Arc<dyn World>, header: &Header) -> Arc<dyn World> {
    let Some(obeyed) = world.obeyed().cloned() else { return world };
    Arc::new(Watched {
        world,
        obeyed,
        run: header.run.clone(),
        agent: header.agent.service.clone(),
        paper: paper_of(header),
        seen: AtomicU64::new(UNSEEN),
        stopped: OnceLock::new(),
    })
}

/// The world of a run that obeys switches.
struct Watched {
    world: Arc<dyn World>,
    obeyed: Obeyed,
    run: Label,
    agent: Label,
    paper: Option<Digest>,
    /// The number of the switches that were looked at last.
    seen: AtomicU64,
    /// What stopped it.
    stopped: OnceLock<Stop>,
}

impl Watched {
    fn killed(&self) -> Option<Stop> {
        if let Some(stop) = self.stopped.get() {
            return Some(stop.clone());
        }
        // Read before the switches are: what changes meanwhile is seen at the next look.
        let generation = self.obeyed.switches.generation();
        if self.seen.load(Ordering::Acquire) == generation {
            return None;
        }
        let latch = &mut |standing: Standing<'_>| {
            let _ = self.stopped.set(killed_by(&standing));
        };
        if let Err(fault) = self.obeyed.look((&self.run, &self.agent), self.paper, latch) {
            return Some(fault.into());
        }
        self.seen.store(generation, Ordering::Release);
        self.stopped.get().cloned()
    }
}

impl World for Watched {
    fn now(&self) -> Timestamp {
        self.world.now()
    }

    fn sleep_until(&self, instant: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.world.sleep_until(instant)
    }

    fn standing(&self, jti: &str) -> GrantState {
        self.world.standing(jti)
    }

    fn stopped(&self) -> Option<Stop> {
        self.world.stopped().or_else(|| self.killed())
    }

    fn cut(&self) -> Option<Stop> {
        self.world.cut().or_else(|| self.killed())
    }

    fn obeyed(&self) -> Option<&Obeyed> {
        Some(&self.obeyed)
    }

    fn models(&self) -> Option<&Models> {
        self.world.models()
    }

    fn books(&self) -> Option<&Books> {
        self.world.books()
    }

    fn peers(&self) -> Option<Arc<dyn Peers>> {
        self.world.peers()
    }

    fn room(&self) -> Option<&Room> {
        self.world.room()
    }

    fn carried(&self) -> BTreeSet<Label> {
        self.world.carried()
    }

    fn desk(&self) -> Option<&dyn Desk> {
        self.world.desk()
    }

    fn rotated(&self, revoked: &Jti, issued: &Jti) -> Result<(), Fault> {
        self.world.rotated(revoked, issued)
    }

    fn network(&self) -> Option<&Network> {
        self.world.network()
    }

    fn perform<'a>(&'a self, key: &'a str, request: &'a [u8]) -> Performing<'a> {
        self.world.perform(key, request)
    }
}
