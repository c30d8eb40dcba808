//! `envelope run`: one skill of one agent, under a grant, with a receipt.

mod denials;
mod stored;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use clap::Args;
use envelope_engine::config::Machine;
use envelope_engine::limits::Limits;
use envelope_engine::local::{Job, LifeLog, LocalWorld, RunFolder, Wishes, neighbours, service};
use envelope_engine::run::{self, Finished, Halted, Surroundings};
use envelope_evidence::journal::Outcome;
use envelope_evidence::{Digest, Label};
use envelope_gate::inside::{Note, Watcher};
use envelope_gate::stop::Stop;
use envelope_gate::workspace::{self, Blobs, Manifest};
use envelope_rules::content;
use serde_json::{Value, json};

use crate::answer::{Trouble, give};
use crate::callees::{self, CalleeFlags, Named};
use crate::desk::{self, DeskFlags, desk_of};
use crate::exit::Exit;
use crate::fresh::fresh;
use crate::guest;
use crate::home::LocalKeys;
use crate::models::ModelFlags;
use crate::net::Net;
use crate::page::{self, BAD, FAINT, GOOD, STRONG, plain, styled};
use crate::place::{self, Place};
use crate::stop;
use crate::store::HouseFlags;

/// Seconds that a grant lives: an hour of work.
const TTL_SECS: u64 = 3600;

/// Seconds that a run may take: longer than anybody waits at a terminal.
const TIMEOUT_SECS: u64 = 300;

/// Mebibytes of memory: a language runtime with documents in hand.
const MEMORY_MIB: usize = 256;

/// Calls of the host: the journal of so many is some hundred megabytes.
const CALLS: u64 = 200_000;

/// Run one skill of an agent on this machine.
///
/// The agent sees the files of `--dir` that `--allow-read` names, and may write below `--outputs`.
/// When it ends well, what it wrote appears there, and what a program wrote whatever its exit code;
/// nothing else in the folder changes, ever. The run leaves a folder with its signed receipt, its
/// journal and all that a replay needs.
///
/// With `--db`, or where `ENVELOPE_DB` names one, the run is kept in a database instead: this
/// process works on it like a node, and should it die, any `envelope node` goes on with it.
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  the skill returned            5  it was denied, or stopped
  1  the run could not be made     6  a limit was reached
  2  the input cannot be used      3  the skill failed or crashed
  4  a human has to decide before it goes on

Examples:
  envelope run guest-examples/hello hello --args '{\"name\":\"Ada\"}'
  envelope run agent.wasm summarise --dir docs --allow-read '**' --outputs out/
  envelope run agent.wasm fetch --allow-net 'GET https://api.example.org/v1/**'
  envelope run planner.wasm plan --callee specialist.wasm --approvals wait
  envelope run agent.wasm fetch --db postgres://localhost/envelope")]
pub(crate) struct Run {
    /// The agent: a component, or the folder of its source, which is built first
    agent: PathBuf,
    /// Which skill
    skill: String,
    /// The arguments, as JSON or as `@file`
    #[arg(long, default_value = "{}", value_name = "JSON|@FILE")]
    args: String,
    /// The folder whose files the agent sees; folders without a file it does not see
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
    /// Which of them it may read: `docs/*.md`, `docs/**`
    #[arg(long = "allow-read", value_name = "PATTERN")]
    allow_read: Vec<String>,
    /// Where it may write: a folder of `--dir`, such as `out/`; `./` is all of it
    #[arg(long, value_name = "PREFIX")]
    outputs: Option<String>,
    #[command(flatten)]
    net: Net,
    /// What must not leave in what it sends to hosts and models, and what is done about it: `deny`
    /// or `ask`, then `card-number`, `private-key` or `api-key`, as in `deny:card-number`. To
    /// `ask`, somebody has to be there: see `--approvals`. Secrets of this program never leave
    #[arg(long = "content", value_name = "RULE")]
    content: Vec<content::Rule>,
    /// How long the grant lives, in seconds
    #[arg(long, default_value_t = TTL_SECS, value_name = "SECONDS")]
    ttl: u64,
    /// How much it may compute, in units of about one instruction
    #[arg(long, default_value_t = Limits::default().fuel, value_name = "UNITS")]
    fuel: u64,
    /// How much memory it may take, in MiB
    #[arg(long, default_value_t = MEMORY_MIB, value_name = "MIB")]
    memory: usize,
    /// How long it may take, in seconds
    #[arg(long, default_value_t = TIMEOUT_SECS, value_name = "SECONDS")]
    timeout: u64,
    /// How many calls of the host it may make
    #[arg(long, default_value_t = CALLS, value_name = "COUNT")]
    calls: u64,
    #[command(flatten)]
    models: ModelFlags,
    #[command(flatten)]
    callees: CalleeFlags,
    #[command(flatten)]
    desk: DeskFlags,
    /// Where all chance of the run comes from, to have the same again: 64 hex digits
    #[arg(long, value_name = "HEX", value_parser = Digest::from_hex)]
    seed: Option<Digest>,
    /// Where the run's own folder goes; a new one below `.envelope/runs` by default
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    #[command(flatten)]
    house: HouseFlags,
    /// Only put it into the queue of the database, and say what it is called: some node runs it
    #[arg(long)]
    detach: bool,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

/// A run that has ended, and where it lies: in a folder, if not in a database alone.
pub(crate) struct Ran {
    pub(crate) finished: Finished,
    pub(crate) folder: Option<RunFolder>,
    /// The flags by which a run without a folder is found again.
    pub(crate) flags: String,
}

impl Ran {
    /// Where it lies.
    pub(crate) fn folder(&self) -> Result<&RunFolder, Trouble> {
        let missing = || Trouble::failed("the run lies in no folder", "export it");
        self.folder.as_ref().ok_or_else(missing)
    }
}

impl Run {
    /// The command with these words, and what it says by default.
    pub(crate) fn of<const N: usize>(
        agent: &Path,
        skill: &str,
        args: &str,
        dir: &Path,
        allow_read: [&str; N],
        outputs: &str,
        out: &Path,
    ) -> Self {
        Self {
            agent: agent.to_owned(),
            skill: skill.to_owned(),
            args: args.to_owned(),
            dir: Some(dir.to_owned()),
            allow_read: allow_read.map(str::to_owned).into(),
            outputs: Some(outputs.to_owned()),
            net: Net::default(),
            content: Vec::new(),
            ttl: TTL_SECS,
            fuel: Limits::default().fuel,
            memory: MEMORY_MIB,
            timeout: TIMEOUT_SECS,
            calls: CALLS,
            models: ModelFlags::default(),
            callees: CalleeFlags::default(),
            desk: DeskFlags::default(),
            seed: None,
            out: Some(out.to_owned()),
            house: HouseFlags::default(),
            detach: false,
            json: false,
        }
    }

    /// The same command, with models.
    pub(crate) fn with_models(mut self, models: ModelFlags) -> Self {
        self.models = models;
        self
    }

    /// The same command, with another agent that may be called, and people who are asked.
    pub(crate) fn with_others(mut self, callees: CalleeFlags, desk: DeskFlags) -> Self {
        (self.callees, self.desk) = (callees, desk);
        self
    }

    /// The same command, on a network.
    pub(crate) fn with_net(mut self, net: Net) -> Self {
        self.net = net;
        self
    }

    pub(crate) fn run(&self) -> Exit {
        if self.detach {
            return give(self.put_into_queue(), self.json);
        }
        let stored = self.house.is_named();
        tell(if stored { self.carry_out_stored() } else { self.carry_out() }, self.json)
    }

    pub(crate) fn carry_out(&self) -> Result<Ran, Trouble> {
        let keys = LocalKeys::load().map_err(|why| Trouble::failed(why, "see `ENVELOPE_HOME`"))?;
        let args = self.read_args()?;
        let (rules, named) = (self.desk.rules()?, self.callees.read()?);
        let wishes = self.wishes(&named, rules.is_some())?;
        let (network, mut secrets) = self.net.edge.network(&wishes.egress)?;
        let network = desk::open_network(network, rules.is_some())?;
        let models = self.models.set_up(&mut secrets)?;
        let (bytes, name) = guest::component(&self.agent)?;
        let fresh = fresh(self.seed).map_err(|why| Trouble::failed(why, "try again"))?;
        let path =
            self.out.clone().unwrap_or_else(|| Path::new(".envelope/runs").join(&*fresh.run));
        RunFolder::open(&path).is_free().map_err(|why| Trouble::usage(why, "give a new folder"))?;
        runtime()?.block_on(async {
            let machine = Machine::new().map_err(|why| Trouble::failed(why, "update Envelope"))?;
            let prepared = guest::prepare(&machine, &bytes, &name).await?;
            let switches = stop::switches()?;
            stop::check(&switches, &fresh.run, &Label::cut(&service(&prepared)))?;
            let blobs = RunFolder::blobs(&path).map_err(Trouble::folder)?;
            let manifest = self.take_in(&blobs).await?;
            let (prepared, kept) = (Arc::new(prepared), keys.grants);
            let job = Job::new(prepared, &self.skill, args, manifest, &wishes, &fresh, &kept);
            let mut job = job.map_err(|why| Trouble::usage(why, "see `envelope inspect`"))?;
            job.order.secrets = secrets;
            let folder = RunFolder::create(&path, &bytes, &job.order).map_err(Trouble::folder)?;
            let _held = folder.hold().map_err(Trouble::folder)?;
            Place::of(&path, self.dir.as_deref())?.remember(&fresh.run)?;
            desk::open(&fresh.run, &path, rules.as_ref())?;
            let hands = callees::at_hand(&machine, named, &folder).await?;
            let (warrant, grants) = (&job.order.authorities.warrant, &job.order.authorities.keys);
            let peers = neighbours(hands, warrant, &folder, grants.clone(), keys.receipts.clone());
            let world = LocalWorld::new(fresh.run.clone(), network).with_models(models);
            let world = world.with_switches(Some(switches));
            let life = LifeLog::open(&folder, warrant.deadline()).map_err(Trouble::folder)?;
            let desk = desk_of(&fresh.run, rules, self.desk.mode(), &life);
            desk::life::started(&life);
            let surroundings = Surroundings {
                blobs: blobs.clone(),
                world: Arc::new(world.with_desk(desk).with_peers(peers)),
                writer: Box::new(folder.new_journal().map_err(Trouble::folder)?),
                watcher: (!self.json).then(watcher),
            };
            let finished = run::start(job.order, job.header, surroundings).await;
            desk::life::over(&life, &finished);
            let finished = finished.map_err(|why| halted(&why, &path))?;
            folder.seal(&finished, &keys.receipts).map_err(Trouble::folder)?;
            give_out(&finished, self.dir.as_deref(), &blobs).await?;
            place::forget(&fresh.run);
            Ok(Ran { finished, folder: Some(folder), flags: String::new() })
        })
    }

    fn wishes(&self, named: &[Named], asks: bool) -> Result<Wishes, Trouble> {
        Ok(Wishes {
            read: self.allow_read.clone(),
            outputs: self.outputs.clone(),
            egress: self.net.rules()?,
            content: self.content.clone(),
            ttl_secs: self.ttl,
            timeout_secs: self.timeout.saturating_add(self.desk.patience()),
            calls: self.calls,
            bytes: 1 << 30,
            limits: Limits {
                fuel: self.fuel,
                memory: self.memory.saturating_mul(1 << 20),
                ..Limits::default()
            },
            models: self.models.names().to_vec(),
            money: self.models.money(),
            prices: self.models.book()?,
            agents: named.iter().map(|named| named.service.clone()).collect(),
            asks,
        })
    }

    fn read_args(&self) -> Result<Bytes, Trouble> {
        let bytes = match self.args.strip_prefix('@') {
            Some(path) => crate::disk::read(Path::new(path))
                .map_err(|why| Trouble::usage(why, "`--args @file` reads a JSON file"))?,
            None => self.args.clone().into_bytes(),
        };
        let parsed = serde_json::from_slice::<Value>(&bytes);
        parsed.map_err(|why| {
            Trouble::usage(format!("the arguments are not JSON: {why}"), "quote them: '{\"a\":1}'")
        })?;
        Ok(bytes.into())
    }

    async fn take_in(&self, blobs: &Blobs) -> Result<Manifest, Trouble> {
        let Some(path) = &self.dir else {
            return Manifest::new(Vec::new()).map_err(|why| Trouble::usage(why, "give `--dir`"));
        };
        let dir = open(path)?;
        let limits = workspace::Limits::default();
        let imported = workspace::import(&dir, blobs, &limits, |_| {}).await;
        let imported = imported.map_err(|why| {
            Trouble::usage(format!("`{}`: {why}", path.display()), "give a smaller folder")
        })?;
        for left in &imported.left {
            page::aside(format!("left out `{}`: {}", plain(&left.name), left.why));
        }
        Ok(imported.manifest)
    }
}

/// What to say of a run that did not come to its end.
pub(crate) fn halted(why: &Halted, folder: &Path) -> Trouble {
    match why {
        Halted::Stopped(Stop::Suspended) => Trouble::waiting(folder),
        Halted::Refused(_) => Trouble::denied(plain(why.to_string()), "see `envelope stop list`"),
        Halted::Stopped(_) | Halted::SetUp(_) => Trouble::failed(why, "see the run's journal"),
    }
}

/// Puts the outputs of a run into `dir`, where its grant lets them be.
pub(crate) async fn give_out(
    finished: &Finished,
    dir: Option<&Path>,
    blobs: &Blobs,
) -> Result<(), Trouble> {
    let scope = finished.journal.scope();
    let prefix = scope.map(|scope| scope.outputs.as_str()).filter(|prefix| !prefix.is_empty());
    let (Some(path), Some(prefix)) = (dir, prefix) else { return Ok(()) };
    let failed = |why: String| Trouble::failed(why, "the outputs lie in the run's folder");
    let prefix =
        envelope_rules::path::Prefix::parse(prefix).map_err(|why| failed(why.to_string()))?;
    let mut outputs = finished.outputs.clone();
    for output in &mut outputs {
        output.load(blobs).await.map_err(|why| failed(why.to_string()))?;
    }
    let exported = workspace::export(&open(path)?, &prefix, &outputs);
    exported.map(drop).map_err(|why| failed(why.to_string()))
}

/// The runtime of a command: enough for one run.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Trouble> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .thread_keep_alive(Duration::from_secs(1))
        .build();
    runtime.map_err(|why| Trouble::failed(why, "the system gives no threads"))
}

fn open(path: &Path) -> Result<Dir, Trouble> {
    let dir = Dir::open_ambient_dir(path, ambient_authority());
    dir.map_err(|why| Trouble::usage(format!("`{}`: {why}", path.display()), "give a folder"))
}

/// Says how a run ended.
pub(crate) fn tell(ran: Result<Ran, Trouble>, json: bool) -> Exit {
    match ran {
        Ok(ran) => {
            if json {
                page::line(in_json(&ran));
            } else {
                print(&ran);
            }
            exit(&ran.finished)
        }
        Err(trouble) => trouble.tell(json),
    }
}

pub(crate) fn watcher() -> Watcher {
    Box::new(show)
}

/// A note as it comes.
fn show(note: &Note) {
    let fields = if note.fields.is_empty() { String::new() } else { format!(" {}", note.fields) };
    let level = format!("{:<8}", note.level);
    page::aside(format!("{} {}{}", styled(FAINT, level), plain(&note.text), plain(fields)));
}

fn exit(finished: &Finished) -> Exit {
    match finished.ended().map(|ended| ended.outcome) {
        Some(Outcome::Ok) => Exit::Done,
        Some(Outcome::Failed | Outcome::Crashed) => Exit::Agent,
        Some(Outcome::Denied | Outcome::Killed) => Exit::Denied,
        Some(Outcome::Exhausted) => Exit::Budget,
        Some(Outcome::Interrupted) | None => Exit::Failed,
    }
}

fn print(Ran { finished, folder, flags }: &Ran) {
    for line in denials::lines(&finished.journal) {
        page::aside(line);
    }
    hand_out(finished);
    let Some(ended) = finished.ended() else { return };
    for output in &ended.outputs {
        page::aside(format!("{} {} ({} bytes)", styled(GOOD, "wrote"), output.path, output.size));
    }
    let good = if ended.outcome == Outcome::Ok { GOOD } else { BAD };
    let (outcome, reason) = (styled(good, ended.outcome.name()), plain(&ended.reason));
    page::aside(format!("{outcome} ({reason}), {} calls", finished.journal.calls().len()));
    let Some(folder) = folder else {
        let run = &finished.journal.header().run;
        page::aside(format!("next     envelope runs export {run} {run}{flags}"));
        return;
    };
    page::aside(format!("receipt  {}", styled(STRONG, folder.receipt_path().display())));
    page::aside(format!(
        "next     envelope verify {} --keys {}",
        folder.receipt_path().display(),
        folder.keys_path().display()
    ));
}

/// The result and what was written besides. A run without a result has its output instead: a
/// program may well say what it found and then end with a code.
fn hand_out(Finished { result, stdout, stderr, .. }: &Finished) {
    let lines = |bytes: &Bytes| page::plain_lines(&String::from_utf8_lossy(bytes));
    page::bytes(result.as_ref().unwrap_or(stdout));
    if result.as_ref().is_some_and(|result| result != stdout) {
        page::note(&lines(stdout));
    }
    page::note(&lines(stderr));
}

fn in_json(Ran { finished, folder, flags: _ }: &Ran) -> Value {
    let ended = finished.ended();
    let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
    let result = finished
        .result
        .as_ref()
        .map(|bytes| serde_json::from_slice(bytes).unwrap_or_else(|_| Value::String(text(bytes))));
    json!({
        "type": "run",
        "exit": exit(finished).code(),
        "run": finished.journal.header().run,
        "outcome": ended.map(|ended| ended.outcome.name()),
        "reason": ended.map(|ended| ended.reason.as_str()),
        "result": result,
        "stdout": text(&finished.stdout),
        "stderr": text(&finished.stderr),
        "outputs": ended.map(|ended| &ended.outputs),
        "calls": finished.journal.calls().len(),
        "folder": folder.as_ref().map(|folder| folder.path().display().to_string()),
    })
}
