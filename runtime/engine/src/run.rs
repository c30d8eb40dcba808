//! A run: one skill of one component under one warrant, from its header to its end.
//!
//! Begun, resumed or replayed, it is the same: the component runs from its start, and the gate
//! answers from the journal as far as that goes.

use std::sync::Arc;

use bytes::Bytes;
use envelope_evidence::Preview;
use envelope_evidence::journal::{Ended, Header, Journal, Outcome, Output, OutputValue};
use envelope_evidence::key::{ForReceipts, SigningKey};
use envelope_evidence::preview::Secrets;
use envelope_evidence::receipt::{Signed, fold};
use envelope_evidence::{Digest, Dimension, Label, PathText, Timestamp};
use envelope_gate::airlock::Airlock;
use envelope_gate::gate::{Authorities, Gate, Parts};
use envelope_gate::inside::{Artifact, Captured, Chance, Inside, Watcher};
use envelope_gate::journal::JournalWriter;
use envelope_gate::kill;
use envelope_gate::stop::{Fault, Stop};
use envelope_gate::workspace::{self, Blobs, Manifest, Quota, Workspace};
use envelope_gate::world::World;
use envelope_rules::Denial;
use envelope_rules::path::Prefix;

use crate::books;
use crate::cell::{self, Cell, Clock};
use crate::ending::{self, Ending};
use crate::invoke::{self, Returned};
use crate::limits::Limits;
use crate::prepared::{Entry, Prepared};

/// What is to be run, and under what.
pub struct Order {
    /// The code.
    pub component: Arc<Prepared>,
    /// Who may do what.
    pub authorities: Authorities,
    /// The arguments, a JSON document.
    pub args: Bytes,
    /// The files at the start.
    pub manifest: Manifest,
    /// What the run may take of the machine.
    pub limits: Limits,
    /// Values that no record may show.
    pub secrets: Secrets,
}

/// Where it runs.
pub struct Surroundings {
    /// Where contents lie.
    pub blobs: Blobs,
    /// The world outside.
    pub world: Arc<dyn World>,
    /// Where journal lines go.
    pub writer: Box<dyn JournalWriter>,
    /// Whoever watches.
    pub watcher: Option<Watcher>,
}

/// A run that has ended.
pub struct Finished {
    /// Everything that was recorded.
    pub journal: Journal,
    /// What the skill returned.
    pub result: Option<Bytes>,
    /// The files it made. None, unless it ended well or left by itself, as a program does.
    pub outputs: Vec<workspace::Output>,
    /// Its artifacts by name.
    pub artifacts: Vec<(String, Artifact)>,
    /// What it wrote on its standard output.
    pub stdout: Bytes,
    /// What it wrote on its standard error.
    pub stderr: Bytes,
}

impl Finished {
    /// A run of which nothing is at hand but its record.
    pub fn unplayed(journal: Journal) -> Self {
        let (stdout, stderr) = (Bytes::new(), Bytes::new());
        let (outputs, artifacts) = (Vec::new(), Vec::new());
        Self { journal, result: None, outputs, artifacts, stdout, stderr }
    }

    /// The receipt, signed.
    pub fn receipt(&self, key: &SigningKey<ForReceipts>) -> Signed {
        fold(&self.journal).sign(key)
    }

    /// How it ended.
    pub fn ended(&self) -> Option<&Ended> {
        self.journal.ended()
    }
}

/// A run that cannot go on here.
#[derive(Debug, thiserror::Error)]
pub enum Halted {
    /// It may not begin. Nothing is written.
    #[error("{0}")]
    Refused(Denial),
    /// It was put aside, came to the end of its record, diverged from it, or the world failed.
    #[error(transparent)]
    Stopped(#[from] Stop),
    /// It could not be set up.
    #[error("the run cannot be set up: {0}")]
    SetUp(String),
}

impl From<Fault> for Halted {
    fn from(fault: Fault) -> Self {
        Self::Stopped(fault.into())
    }
}

/// Starts a run, if no kill switch names it. The header is written before anything happens.
pub async fn start(
    order: Order,
    header: Header,
    mut surroundings: Surroundings,
) -> Result<Finished, Halted> {
    if let Some(obeyed) = surroundings.world.obeyed() {
        let whom = (&header.run, &header.agent.service);
        let denial = obeyed.forbids(whom, kill::paper_of(&header))?;
        denial.map_or(Ok(()), |denial| Err(Halted::Refused(denial)))?;
    }
    let (journal, line) = Journal::start(header).map_err(|why| Halted::SetUp(why.to_string()))?;
    surroundings.writer.write(&line)?;
    surroundings.writer.flush(true).await?;
    drive(order, journal, surroundings, Course::Live(None)).await
}

/// Goes on with a run that another process began: with the very code, files, arguments and warrant
/// that its journal pins. One that did nothing yet, and that a kill switch names meanwhile, ends
/// before its component is even set up.
pub async fn resume(
    order: Order,
    journal: Journal,
    surroundings: Surroundings,
) -> Result<Finished, Halted> {
    let pinned = crate::replay::pinned(&order, &journal);
    pinned.map_err(|why| Halted::SetUp(why.to_string()))?;
    let obeyed = surroundings.world.obeyed().filter(|_| journal.calls().is_empty());
    let stop = obeyed.map(|obeyed| obeyed.stops(journal.header())).transpose()?.flatten();
    drive(order, journal, surroundings, Course::Live(stop)).await
}

/// Which way a run is driven.
pub(crate) enum Course {
    /// It goes on, unless it is stopped already.
    Live(Option<Stop>),
    /// Its record is played.
    Replay,
}

/// Ends a run that nobody can go on with, without running it. It leaves nothing but its record.
pub async fn give_up(
    mut journal: Journal,
    mut writer: Box<dyn JournalWriter>,
    now: Timestamp,
    reason: &str,
) -> Result<Finished, Halted> {
    Gate::give_up(&mut journal, &mut *writer, now, reason).await?;
    Ok(Finished::unplayed(journal))
}

pub(crate) async fn drive(
    order: Order,
    journal: Journal,
    surroundings: Surroundings,
    course: Course,
) -> Result<Finished, Halted> {
    let Order { component, authorities, args, manifest, limits, secrets } = order;
    let (replay, stop) = match course {
        Course::Live(stop) => (false, stop),
        Course::Replay => (true, None),
    };
    let Surroundings { blobs, world, writer, watcher } = surroundings;
    let world = kill::watched(world, journal.header());
    let scope = journal.header().scope.as_ref().map(|scope| scope.outputs.as_str());
    let outputs = scope.and_then(|prefix| Prefix::parse(prefix).ok());
    let skill = journal.header().skill.to_string();
    let deadline = authorities.warrant.deadline();
    let fuel = fuel(&journal, &limits, replay);
    let started = journal.header().started;
    let workspace = Workspace::new(&manifest, outputs.as_ref(), Quota::default(), started)
        .map_err(|why| Halted::SetUp(why.to_string()))?;
    let inside = Inside {
        workspace,
        blobs: blobs.clone(),
        stdin: args.clone(),
        stdout: Captured::new(limits.output_bytes),
        stderr: Captured::new(limits.output_bytes),
        artifacts: std::collections::BTreeMap::new(),
        chance: Chance::new(journal.header().seed),
        watcher,
    };
    let parts = Parts {
        meter: books::meter(&journal, &authorities, &*world).await?,
        authorities,
        journal,
        writer,
        world: Arc::clone(&world),
        inside,
        secrets,
        journal_bytes: limits.journal_bytes,
        replay,
    };
    let arguments = invoke::arguments(&component, &skill, &args);
    let airlock = Airlock::new(Gate::new(parts), limits.handles, arguments);
    let clock = (!replay).then_some(Clock { world, deadline });
    let set_up = |error: wasmtime::Error| Halted::SetUp(format!("{error:#}"));
    let mut store =
        cell::store(component.engine(), airlock, &limits, fuel, clock).map_err(set_up)?;
    let returned = match stop {
        Some(stop) => Err(stop.into()),
        None => invoke::invoke(&component, &mut store, &skill, &args).await,
    };
    let ending = match ending_of(returned, &store) {
        Ok(ending) => ending,
        Err(halted) => {
            // What was done and heard must not be lost with this process. Where the journal itself
            // failed, nobody knows it: whoever goes on takes it so.
            let _ = store.into_data().airlock.put_down().await;
            return Err(halted);
        }
    };
    let spent = fuel.saturating_sub(store.get_fuel().unwrap_or(0));
    let ending = unless_killed(ending, &store.data().airlock.gate);
    let keeps = keeps_files(component.entry(), ending.outcome);
    close(store.into_data(), ending, keeps, spent).await
}

/// What is known of the end.
struct Last {
    outcome: Outcome,
    reason: String,
    result: Option<Bytes>,
}

fn ending_of(
    returned: wasmtime::Result<Returned>,
    store: &wasmtime::Store<Cell>,
) -> Result<Last, Halted> {
    let cell = store.data();
    let recorded = cell.airlock.gate.recorded_end();
    let last = |(outcome, reason): (Outcome, &str)| Last::new(outcome, reason.to_owned());
    let given_up = recorded.filter(|(outcome, _)| *outcome == Outcome::Interrupted).map(last);
    let cut = recorded.filter(|(outcome, _)| is_cut(*outcome)).map(last);
    let error = match returned {
        Ok(Returned { outcome, reason, result }) => {
            return Ok(given_up.unwrap_or(Last { outcome, reason, result }));
        }
        Err(error) => error,
    };
    match ending::of(&error, cell.limiter.met()) {
        Ending::Ended(Outcome::Exhausted, reason) if reason == "fuel" => {
            Ok(cut.unwrap_or_else(|| Last::new(Outcome::Exhausted, reason)))
        }
        Ending::Ended(outcome, reason) => Ok(given_up.unwrap_or(Last::new(outcome, reason))),
        Ending::Stopped(Stop::EndOfRecord) => Ok(cut.ok_or(Stop::EndOfRecord)?),
        Ending::Stopped(stop) => Err(stop.into()),
    }
}

/// A guest that comes to its end while it is being stopped leaves nothing: who stopped it came
/// first.
fn unless_killed(last: Last, gate: &Gate) -> Last {
    match last.outcome {
        Outcome::Ok | Outcome::Failed => {
            gate.killed().map_or(last, |reason| Last::new(Outcome::Killed, reason))
        }
        Outcome::Denied
        | Outcome::Exhausted
        | Outcome::Killed
        | Outcome::Crashed
        | Outcome::Interrupted => last,
    }
}

impl Last {
    const fn new(outcome: Outcome, reason: String) -> Self {
        Self { outcome, reason, result: None }
    }
}

/// Whether a run was cut from outside, at a place that its own course does not explain: a replay
/// gets as far as the record, and no further. One that was given up may get further: whoever did it
/// died before that was written down.
const fn is_cut(outcome: Outcome) -> bool {
    match outcome {
        Outcome::Killed | Outcome::Exhausted | Outcome::Denied | Outcome::Interrupted => true,
        Outcome::Ok | Outcome::Failed | Outcome::Crashed => false,
    }
}

/// Whether what a run made is kept. A program tells with its code what it found, as a linter does,
/// and its files are whole: it left by itself. An agent that fails says that it has no result.
const fn keeps_files(entry: &Entry, outcome: Outcome) -> bool {
    match outcome {
        Outcome::Ok => true,
        Outcome::Failed => match entry {
            Entry::Command(_) => true,
            Entry::Agent(_) => false,
        },
        Outcome::Denied
        | Outcome::Exhausted
        | Outcome::Killed
        | Outcome::Crashed
        | Outcome::Interrupted => false,
    }
}

/// Writes down how the run ended, with what it leaves behind: its files too, if it `keeps` them.
async fn close(cell: Cell, last: Last, keeps: bool, spent: u64) -> Result<Finished, Halted> {
    let mut gate = cell.airlock.gate;
    // Below the prefix of the grant that it holds now: a human may have widened it.
    let prefix = gate.claims().and_then(|claims| claims.outputs.clone());
    let outputs = match prefix.filter(|_| keeps) {
        Some(prefix) => gate.inside().workspace.outputs(&prefix),
        None => Vec::new(),
    };
    if !gate.is_replay() {
        let (blobs, left) = left_behind(gate.inside(), &outputs);
        let kept = keep(&blobs, left).await;
        // It may have been stopped because there is no room for what it would leave.
        if let Err(fault) = kept
            && last.outcome != Outcome::Killed
        {
            let _ = gate.put_down().await;
            return Err(Stop::from(fault).into());
        }
    }
    let ended = Ended {
        outcome: last.outcome,
        reason: Label::cut(&last.reason),
        result: last.result.as_ref().map(|bytes| value(bytes, gate.secrets())),
        outputs: outputs.iter().map(listed).collect(),
    };
    gate.finish(ended, spent).await?;
    if gate.unplayed() {
        return Err(gate.too_early().into());
    }
    let (journal, inside) = gate.into_parts();
    Ok(Finished {
        journal,
        result: last.result,
        outputs,
        artifacts: inside.artifacts.into_iter().collect(),
        stdout: Bytes::copy_from_slice(inside.stdout.bytes()),
        stderr: Bytes::copy_from_slice(inside.stderr.bytes()),
    })
}

/// The contents that the run leaves behind, and where they go.
fn left_behind(inside: &Inside, outputs: &[workspace::Output]) -> (Blobs, Vec<Bytes>) {
    let files = outputs.iter().filter_map(|output| output.bytes.clone());
    let artifacts = inside.artifacts.values().map(|artifact| artifact.bytes.clone());
    (inside.blobs.clone(), files.chain(artifacts).collect())
}

/// Puts `contents` where contents lie, before the record speaks of them.
async fn keep(blobs: &Blobs, contents: Vec<Bytes>) -> Result<(), Fault> {
    for bytes in contents {
        let digest = Digest::of(&bytes);
        let put = blobs.put(bytes).await;
        put.map_err(|why| Fault::Blob { digest, why: why.to_string() })?;
    }
    Ok(())
}

fn value(bytes: &Bytes, secrets: &Secrets) -> OutputValue {
    OutputValue {
        digest: Digest::of(bytes),
        size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        preview: Preview::of_bytes(bytes, secrets),
    }
}

fn listed(output: &workspace::Output) -> Output {
    let path = PathText::cut(output.path.as_str());
    Output { path, digest: output.digest, size: output.size }
}

/// What the guest may burn: its limit, or on a replay what is recorded, if somebody measured it.
fn fuel(journal: &Journal, limits: &Limits, replay: bool) -> u64 {
    let recorded = journal.used().get(Dimension::Fuel);
    let measured = |ended: &Ended| is_cut(ended.outcome) && ended.outcome != Outcome::Interrupted;
    if replay && journal.ended().is_some_and(measured) { recorded } else { limits.fuel }
}
