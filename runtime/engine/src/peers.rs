//! Agents that are called by agents: each call a run of its own, under its own name and warrant.
//!
//! What a callee may do is what it may do by itself and what its caller may do, and no more: its
//! warrant is cut out of both, its files are those that were handed on, its budget is what was set
//! aside. So no caller reaches through a callee what it could not reach without.

mod cut;
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;

use envelope_evidence::journal::{
    Agent, Args, Caller, CallerKind, Child, Header, Journal, Outcome, Scope, VERSION,
};
use envelope_evidence::receipt::fold;
use envelope_evidence::{Digest, Dimension, Label, Preview, Timestamp, Usage};
use envelope_gate::gate::{Authorities, scope_of};
use envelope_gate::journal::JournalWriter;
use envelope_gate::peers::{Calling, Came, Errand, Peers, Returned};
use envelope_gate::stop::{Fault, Stop};
use envelope_gate::workspace::FileEntry;
use envelope_gate::world::World;
use envelope_rules::Denial;
use envelope_rules::grant::{Grant, GrantKeys};
use envelope_rules::guard::{Warrant, WarrantDocument};

use crate::limits::Limits;
use crate::prepared::Prepared;
use crate::replay::{Verdict, replay};
use crate::run::{Finished, Halted, Order, Surroundings, resume, start};
use world::Within;

/// An agent that others may call.
pub struct Callee {
    /// Its code.
    pub component: Arc<Prepared>,
    /// What it may ever do, whoever calls it. Run, skill and deadline are those of the call.
    pub own: WarrantDocument,
    /// What it may take of the machine. Its fuel is what was set aside.
    pub limits: Limits,
}

/// Where the records of callees lie.
pub trait Records: Send + Sync {
    /// The journal of `run` so far, empty for a new one, and where its lines go.
    fn open(&self, run: &Label) -> Result<(Vec<u8>, Box<dyn JournalWriter>), Fault>;

    /// Keeps what pins a run that is about to begin, so that it can be played again by itself.
    fn begin(&self, run: &Label, order: &Order) -> Result<(), Fault>;

    /// Keeps what a run that has ended leaves, its receipt above all. Told again after a crash.
    fn keep(&self, finished: &Finished) -> Result<(), Fault>;
}

/// The agents of one host.
pub struct Neighbours {
    agents: BTreeMap<Label, Callee>,
    keys: Arc<GrantKeys>,
    records: Arc<dyn Records>,
}

impl Neighbours {
    /// `agents` by their service identity. `keys` verify grants, `records` keep what they did.
    pub fn new(
        agents: BTreeMap<Label, Callee>,
        keys: Arc<GrantKeys>,
        records: Arc<dyn Records>,
    ) -> Self {
        Self { agents, keys, records }
    }

    async fn run(&self, errand: Errand, outer: Arc<dyn World>) -> Result<Returned, Stop> {
        let (before, writer) = self.records.open(&errand.run)?;
        let journal = (!before.is_empty()).then(|| Journal::parse(&before)).transpose();
        let journal = journal.map_err(|why| Fault::Journal(why.to_string()))?;
        let worked = journal.as_ref().is_some_and(has_worked);
        // Who worked before a crash found room then, and goes on whatever the others do.
        let seat = errand.room.enter();
        if seat.is_none() && !worked {
            return Ok(Returned::never("no room for another agent"));
        }
        let begun = journal.as_ref().map_or_else(|| outer.now(), |it| it.header().started);
        if let Some(denial) = stopped(&errand, &*outer, worked)? {
            return Ok(Returned::never(&denial.to_string()));
        }
        let (callee, grant) = match self.admit(&errand, begun) {
            Ok(admitted) => admitted,
            // What it did is done and has to be paid: it is no call that never was.
            Err(why) if worked => {
                let why = format!("`{}` goes on no more: {why}", errand.run);
                return Err(Fault::Journal(why).into());
            }
            Err(why) => return Ok(Returned::never(&why)),
        };
        let warrant = cut::warrant(&callee.own, &errand);
        let warrant = Arc::new(warrant.map_err(|why| Fault::Journal(why.to_string()))?);
        let scope = scope_of(&grant).map_err(|why| Fault::Journal(why.to_string()))?;
        let within = Within::new(outer, &errand, &grant);
        let order = self.order(callee, &errand, &warrant, grant);
        let header = header(&order, &errand, &warrant, &scope, begun);
        if journal.is_none() {
            self.records.begin(&errand.run, &order)?;
        }
        let (own, digest) = (cut::own(&callee.own), warrant.digest());
        let (reserved, blobs) = (errand.budget, errand.blobs);
        let surroundings = Surroundings { blobs, world: Arc::new(within), writer, watcher: None };
        let finished = match go(order, header, journal, surroundings).await {
            Err(Stop::Fault(Fault::NoRoom)) if !self.worked(&errand.run)? => {
                return Ok(Returned::never("no room for another agent"));
            }
            // A switch was thrown just before it would have begun.
            Err(Stop::Denied(denial)) => return Ok(Returned::never(&denial.to_string())),
            finished => finished?,
        };
        self.records.keep(&finished)?;
        Ok(returned(&finished, scope, own, digest, reserved))
    }

    /// Who does it, and what was handed on.
    fn admit(&self, errand: &Errand, begun: Timestamp) -> Result<(&Callee, Grant), String> {
        let callee = self.agents.get(&errand.agent);
        let callee = callee.ok_or("nobody of this name runs here")?;
        unfit(callee, errand).map_or(Ok(()), Err)?;
        let grant = Grant::open(errand.token.as_str(), &self.keys, begun);
        Ok((callee, grant.map_err(|denial| denial.row().name.to_owned())?))
    }

    /// Whether the record of `run` tells of anything.
    fn worked(&self, run: &Label) -> Result<bool, Fault> {
        let (bytes, _) = self.records.open(run)?;
        let journal = Journal::parse(&bytes).map_err(|why| Fault::Journal(why.to_string()))?;
        Ok(has_worked(&journal))
    }

    fn order(
        &self,
        callee: &Callee,
        errand: &Errand,
        warrant: &Arc<Warrant>,
        grant: Grant,
    ) -> Order {
        Order {
            component: callee.component.clone(),
            authorities: Authorities {
                operator: errand.operator.clone(),
                warrant: warrant.clone(),
                grant: Some(grant),
                keys: self.keys.clone(),
            },
            args: errand.args.clone(),
            manifest: errand.files.clone(),
            limits: Limits { fuel: errand.budget.get(Dimension::Fuel), ..callee.limits.clone() },
            secrets: errand.secrets.clone(),
        }
    }
}

impl Peers for Neighbours {
    fn call(self: Arc<Self>, errand: Errand, world: Arc<dyn World>) -> Calling {
        Box::pin(async move { self.run(errand, world).await })
    }
}

/// Why nobody begins what is asked for. Who worked before a crash does not begin: it is stopped,
/// and its record says so.
fn stopped(errand: &Errand, world: &dyn World, worked: bool) -> Result<Option<Denial>, Fault> {
    let obeyed = world.obeyed().filter(|_| !worked);
    obeyed.map_or(Ok(None), |obeyed| obeyed.forbids((&errand.run, &errand.agent), None))
}

/// Whether a run did anything: one that was only written down cost nobody anything.
fn has_worked(journal: &Journal) -> bool {
    !journal.entries().is_empty()
}

/// Why the callee cannot do this, whoever asks.
fn unfit(callee: &Callee, errand: &Errand) -> Option<String> {
    let card = callee.component.card();
    match card.skill(&errand.skill) {
        None => Some(format!("`{}` has no skill `{}`", errand.agent, errand.skill)),
        Some(skill) => skill.fits_input(&errand.args).err().map(|why| why.to_string()),
    }
}

/// Runs a callee, goes on with it, or tells how it ended.
async fn go(
    order: Order,
    header: Header,
    journal: Option<Journal>,
    surroundings: Surroundings,
) -> Result<Finished, Stop> {
    let finished = match journal {
        None => start(order, header, surroundings).await,
        Some(journal) if journal.ended().is_none() => resume(order, journal, surroundings).await,
        Some(journal) => {
            return match replay(order, journal, surroundings.blobs).await {
                Ok(Verdict::Same(finished)) => Ok(*finished),
                Ok(Verdict::Diverged(divergence)) => Err(Stop::Diverged(divergence)),
                Err(why) => Err(Fault::Journal(why.to_string()).into()),
            };
        }
    };
    finished.map_err(|halted| match halted {
        Halted::Refused(denial) => Stop::Denied(denial),
        Halted::Stopped(stop) => stop,
        Halted::SetUp(why) => Fault::Journal(why).into(),
    })
}

fn header(
    order: &Order,
    errand: &Errand,
    warrant: &Warrant,
    scope: &Scope,
    started: Timestamp,
) -> Header {
    let component = &order.component;
    let card = component.card();
    Header {
        v: VERSION,
        run: errand.run.clone(),
        started,
        agent: Agent {
            name: Label::cut(&card.name),
            version: Label::cut(&card.version),
            card: component.card_digest(),
            component: component.digest(),
            endpoint: None,
            service: errand.agent.clone(),
        },
        caller: Caller {
            kind: CallerKind::Agent,
            id: Label::cut(errand.ceiling.agent()),
            run: Some(Label::cut(errand.ceiling.run())),
        },
        skill: errand.skill.clone(),
        args: Args {
            digest: Digest::of(&errand.args),
            size: u64::try_from(errand.args.len()).unwrap_or(u64::MAX),
            preview: Preview::of_bytes(&errand.args, &order.secrets),
        },
        paper: None,
        warrant: warrant.digest(),
        budget: errand.budget,
        limits: Some(order.limits.digest()),
        prices: (!warrant.document().models.is_empty())
            .then(|| order.authorities.operator.prices.digest()),
        scope: Some(scope.clone()),
        inputs: errand.files.digest(),
        engine: component.fingerprint().clone(),
        seed: errand.seed,
        previous: None,
    }
}

fn returned(
    finished: &Finished,
    scope: Scope,
    own: Digest,
    warrant: Digest,
    reserved: Usage,
) -> Returned {
    let header = finished.journal.header();
    let used = finished.journal.used();
    let ended = finished.ended();
    let outcome = ended.map_or(Outcome::Interrupted, |ended| ended.outcome);
    let text = |bytes: &bytes::Bytes| String::from_utf8_lossy(bytes).into_owned();
    // A caller is promised the files of a callee that ended well, and of no other.
    let given = finished.outputs.iter().filter(|_| outcome == Outcome::Ok);
    let outputs =
        given.map(|it| FileEntry { path: it.path.clone(), digest: it.digest, size: it.size });
    let came = Came {
        outcome: Some(outcome),
        reason: ended.map_or_else(|| Label::cut("no end"), |ended| ended.reason.clone()),
        document: finished.result.as_ref().map(text),
        outputs: outputs.collect(),
        fuel: used.get(Dimension::Fuel),
    };
    let child = Child {
        run: header.run.clone(),
        agent: header.agent.service.clone(),
        scope,
        own,
        warrant,
        outcome,
        receipt: Digest::of(&fold(&finished.journal).receipt),
        reserved,
        used,
    };
    Returned { came, child: Some(child) }
}
