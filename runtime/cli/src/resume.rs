//! `envelope resume`: go on with a run whose process died, or that waited for a human.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use envelope_engine::config::Machine;
use envelope_engine::local::{BadFolder, LifeLog, LocalWorld, RunFolder, neighbours, regrant};
use envelope_engine::replay::{Verdict, replay};
use envelope_engine::run::{self, Finished, Order, Surroundings};
use envelope_evidence::journal::Journal;
use envelope_gate::journal::InFile;
use envelope_gate::peers::Peers;
use envelope_gate::stop::Stop;
use envelope_gate::workspace::Blobs;
use envelope_rules::guard::Capability;

use crate::answer::Trouble;
use crate::callees;
use crate::desk::{self, Book, Mode, desk_of};
use crate::exit::Exit;
use crate::guest;
use crate::home::LocalKeys;
use crate::models::Providers;
use crate::net::Edge;
use crate::page::{self, plain};
use crate::place::{self, Place};
use crate::run::{Ran, give_out, halted, runtime, tell, watcher};
use crate::{stop, wake};

/// Go on with a run whose process died, or that waited for a human
///
/// The component runs from its start. As far as the journal goes it gets the recorded answers, then
/// the world's. Limits and deadlines stay what they were. At the end the outputs appear where the
/// run was to put them, and the folder gets its receipt. A run that `envelope stop` names goes on
/// no more: it ends, and its receipt says so.
#[derive(Args)]
#[command(after_help = "\
Exit codes: those of `envelope run`; 2 too when the run has ended already, or still goes on

Examples:
  envelope resume .envelope/runs/run_01…
  envelope resume moved-here --dir docs
  envelope resume --all --wait")]
pub(crate) struct Resume {
    /// The folder of the run
    #[arg(required_unless_present = "all")]
    folder: Option<PathBuf>,
    /// Every run of this machine that has nothing to wait for any more: what it asked is decided or
    /// too late, or it was stopped
    #[arg(long, conflicts_with_all = ["folder", "dir", "kill"])]
    all: bool,
    /// Go on looking for such runs, until interrupted
    #[arg(long, requires = "all")]
    wait: bool,
    /// Where the outputs go, when the run's folder was moved since
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
    /// Who answers for its models, as for `envelope run`
    #[command(flatten)]
    providers: Providers,
    #[command(flatten)]
    edge: Edge,
    /// What becomes of the agent's questions, as for `envelope run`. Elsewhere than on a terminal
    /// they wait
    #[arg(long = "approvals", value_name = "HOW")]
    approvals: Option<Mode>,
    /// Do not go on: end the run, and say why
    #[arg(long, value_name = "REASON")]
    kill: Option<String>,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

impl Resume {
    pub(crate) fn run(&self) -> Exit {
        match &self.folder {
            Some(folder) => tell(self.carry_out(folder), self.json),
            None => {
                let all = wake::all(self.wait, |folder| self.wake(folder));
                all.unwrap_or_else(|why| why.tell(self.json))
            }
        }
    }

    /// Goes on with one of several runs, if no other process is at work on it.
    fn wake(&self, path: &Path) -> Option<Exit> {
        let folder = RunFolder::open(path);
        let _held = match folder.hold() {
            Ok(held) => held,
            Err(BadFolder::Busy { .. }) => return None,
            Err(why) => return Some(tell(Err(Trouble::folder(why)), self.json)),
        };
        page::aside(format!("resume {}", plain(folder.path().display())));
        Some(tell(self.go_on(folder), self.json))
    }

    /// Of several runs that ask at one terminal, nobody knows whom an answer is for.
    fn mode(&self) -> Option<Mode> {
        if self.folder.is_some() { self.approvals } else { Some(Mode::Wait) }
    }

    fn carry_out(&self, path: &Path) -> Result<Ran, Trouble> {
        let folder = RunFolder::open(path);
        let _held = folder.hold().map_err(Trouble::folder)?;
        self.go_on(folder)
    }

    /// Goes on with the run in `folder`, which this process holds.
    fn go_on(&self, folder: RunFolder) -> Result<Ran, Trouble> {
        let keys = LocalKeys::load().map_err(|why| Trouble::failed(why, "see `ENVELOPE_HOME`"))?;
        let (writer, journal) = folder.open_journal().map_err(Trouble::folder)?;
        let run = journal.header().run.clone();
        let place = Place::recall(&run, folder.path());
        if journal.ended().is_some() && folder.is_sealed() && place.is_none() {
            let what = format!("`{}` has ended already", folder.path().display());
            return Err(Trouble::usage(what, "see it again with `envelope replay`"));
        }
        let dir = self.dir(place, &journal)?;
        let bytes = folder.component().map_err(Trouble::folder)?;
        runtime()?.block_on(async {
            let machine = Machine::new().map_err(|why| Trouble::failed(why, "update Envelope"))?;
            let prepared = guest::prepare(&machine, &bytes, &journal.header().agent.name).await?;
            let order = folder.order(Arc::new(prepared), &keys.grants);
            let mut order = order.map_err(Trouble::folder)?;
            let other = |why| Trouble::usage(why, "resume it where it was started");
            regrant(&mut order, journal.header()).map_err(other)?;
            let blobs = RunFolder::blobs(folder.path()).map_err(Trouble::folder)?;
            let warrant = &order.authorities.warrant;
            let hands = callees::again(&machine, warrant, &folder).await?;
            let grants = order.authorities.keys.clone();
            let peers = neighbours(hands, warrant, &folder, grants, keys.receipts.clone());
            let finished = self.finish(order, journal, writer, (&folder, &blobs), peers).await?;
            folder.seal(&finished, &keys.receipts).map_err(Trouble::folder)?;
            give_out(&finished, dir.as_deref(), &blobs).await?;
            place::forget(&run);
            Ok(Ran { finished, folder: Some(folder), flags: String::new() })
        })
    }

    /// Where the outputs go, if there can be any.
    fn dir(&self, place: Option<Place>, journal: &Journal) -> Result<Option<PathBuf>, Trouble> {
        if self.dir.is_some() {
            return Ok(self.dir.clone());
        }
        let scope = journal.header().scope.as_ref();
        let writes = scope.is_some_and(|scope| !scope.outputs.is_empty());
        match place {
            Some(place) => Ok(place.dir),
            None if writes => {
                let what = "nothing at home says where the outputs of this run go";
                Err(Trouble::usage(what, "name the folder with `--dir`"))
            }
            None => Ok(None),
        }
    }

    /// A run that died between its end and its receipt has nothing left to do.
    async fn finish(
        &self,
        mut order: Order,
        journal: Journal,
        writer: InFile,
        (folder, blobs): (&RunFolder, &Blobs),
        peers: Option<Arc<dyn Peers>>,
    ) -> Result<Finished, Trouble> {
        let blobs = blobs.clone();
        if journal.ended().is_some() {
            return match replay(order, journal, blobs).await {
                Ok(Verdict::Same(finished)) => Ok(*finished),
                Ok(Verdict::Diverged(why)) => Err(Trouble::failed(why, "the record was changed")),
                Err(why) => Err(Trouble::usage(why, "resuming needs the whole folder of the run")),
            };
        }
        let rules = &order.authorities.warrant.document().egress.rules;
        let (network, mut secrets) = self.edge.network(rules)?;
        let models = self.providers.set_up(&mut secrets)?;
        order.secrets = secrets;
        let run = journal.header().run.clone();
        let rules = Book::of(&run).read().map(|kept| kept.rules);
        let asks = order.authorities.warrant.capabilities().contains(Capability::Approvals);
        if asks && rules.is_none() && self.kill.is_none() {
            let what = "nothing at home says whom this run asks";
            let hint = "resume it where it was started, or end it with `--kill`";
            return Err(Trouble::usage(what, hint));
        }
        let network = desk::open_network(network, rules.is_some())?;
        let deadline = order.authorities.warrant.deadline();
        let life = LifeLog::open(folder, deadline).map_err(Trouble::folder)?;
        let switches = stop::switches()?;
        let agent = journal.header().agent.service.clone();
        let stopped = stop::forbids(&switches, &run, &agent)?.map(|it| it.detail().to_owned());
        if let Some(why) = &stopped {
            page::aside(format!("{}: it goes on no more", plain(why)));
        }
        desk::life::taken_up(&life, &run, self.kill.as_deref().or(stopped.as_deref()));
        let desk = desk_of(&run, rules, desk::resumed(self.mode()), &life);
        let world = LocalWorld::new(run, network).with_models(models);
        let world = world.with_desk(desk).with_peers(peers).with_switches(Some(switches));
        if let Some(reason) = &self.kill {
            world.stop(Stop::Killed(reason.clone()));
        }
        let surroundings = Surroundings {
            blobs,
            world: Arc::new(world),
            writer: Box::new(writer),
            watcher: (!self.json).then(watcher),
        };
        let finished = run::resume(order, journal, surroundings).await;
        desk::life::over(&life, &finished);
        finished.map_err(|why| halted(&why, folder.path()))
    }
}
