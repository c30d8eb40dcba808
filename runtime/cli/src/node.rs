//! `envelope node`: works off the queue of a database until it is told to leave.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use envelope_engine::config::Machine;
use envelope_engine::local::grant_keys;
use envelope_gate::inside::Watcher;
use envelope_gate::model::Purse;
use envelope_node::{
    Came, Drained, House, Keys, Node as Worker, NodeError, Outside, RUNS, Seen, Settings, Tell,
    Told,
};
use envelope_rules::guard::Warrant;
use envelope_store::work::{LEASE, LEASE_MAX};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::answer::{Answer, Trouble, give};
use crate::exit::Exit;
use crate::guest;
use crate::home::LocalKeys;
use crate::models::Providers;
use crate::net::Edge;
use crate::page::{self, BAD, FAINT, GOOD, plain, styled};
use crate::store::{HouseFlags, wait};

/// Work off the queue of a database
///
/// The node claims runs that are due, several at once, and keeps all that becomes of them in the
/// database. Any number of nodes may share one: a run that a node leaves behind, however it dies,
/// is taken up by another. They need the same keys and the same blobs. On SIGTERM or SIGINT it
/// claims nothing more, puts its runs aside, gives them back, and ends.
///
/// Secrets and providers are this node's: whoever may launch runs into the database may use them,
/// as far as the rules of each go.
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  it left when it was told to
  1  the database refused
  2  the input cannot be used

Examples:
  envelope node
  envelope node --db postgres://localhost/envelope --blobs /srv/envelope/blobs --runs 64")]
pub(crate) struct Node {
    #[command(flatten)]
    house: HouseFlags,
    /// How many runs at once
    #[arg(long, value_name = "COUNT", default_value_t = RUNS,
        value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=4096))]
    runs: usize,
    /// How long it may be silent before others take its runs, in milliseconds
    #[arg(long, value_name = "MILLISECONDS", default_value_t = millis(LEASE),
        value_parser = clap::value_parser!(u64).range(100..=millis(LEASE_MAX)))]
    lease: u64,
    /// What it is called in the database [default: `process` and its number]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    edge: Edge,
    #[command(flatten)]
    providers: Providers,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

impl Node {
    pub(crate) fn run(self) -> Exit {
        let json = self.json;
        give(wait(self.work()), json)
    }

    async fn work(self) -> Result<Answer, Trouble> {
        let keys = LocalKeys::load().map_err(|why| Trouble::failed(why, "see `ENVELOPE_HOME`"))?;
        let house = self.house.open().await?;
        let machine = Machine::new().map_err(|why| Trouble::failed(why, "update Envelope"))?;
        let outside = Operator { edge: self.edge, providers: self.providers };
        let name = self.name.unwrap_or_else(own_name);
        let lease = Duration::from_millis(self.lease);
        let settings = Settings { runs: self.runs, lease, ..Settings::of(name) };
        let tell: Tell = Arc::new(tell);
        let worker = worker(&house, &keys, outside, &machine, settings, tell)?;
        let broken = |why| Trouble::failed(why, "the system tells of no signals");
        let mut term = signal(SignalKind::terminate()).map_err(broken)?;
        let mut int = signal(SignalKind::interrupt()).map_err(broken)?;
        page::aside("at work; end it with SIGTERM");
        let Drained { runs } = worker
            .serve(async move {
                tokio::select! {
                    _ = term.recv() => {}
                    _ = int.recv() => {}
                }
            })
            .await;
        let note = format!("left; {runs} runs were given back\n");
        Ok(Answer::note("node", note, json!({ "given_back": runs })))
    }
}

/// What this node's operator lets runs reach.
pub(crate) struct Operator {
    edge: Edge,
    providers: Providers,
}

impl Operator {
    /// The same settings again.
    pub(crate) fn of(edge: &Edge, providers: &Providers) -> Self {
        Self { edge: edge.clone(), providers: providers.clone() }
    }
}

impl Outside for Operator {
    fn seen(
        &self,
        warrant: &Warrant,
        asks: bool,
        purse: Arc<dyn Purse>,
    ) -> Result<Seen, NodeError> {
        let outside = |trouble: Trouble| NodeError::Outside(trouble.what().to_owned());
        let rules = &warrant.document().egress.rules;
        let (network, mut secrets) = match rules.is_empty() {
            true => Default::default(),
            false => self.edge.network(rules).map_err(outside)?,
        };
        let network = crate::desk::open_network(network, asks).map_err(outside)?;
        let models = self.providers.set_up_with(&mut secrets, purse).map_err(outside)?;
        Ok(Seen { network, models, secrets })
    }
}

/// A node that works beside a server.
pub(crate) fn node_for_server(
    house: &House,
    keys: &LocalKeys,
    outside: Operator,
    machine: &Machine,
    runs: usize,
) -> Result<Worker, Trouble> {
    let settings = Settings { runs, ..Settings::of(own_name()) };
    worker(house, keys, outside, machine, settings, Arc::new(tell))
}

/// A node for one command, which tells by itself what became of its run.
pub(crate) fn node_of(
    house: &House,
    keys: &LocalKeys,
    outside: Operator,
    machine: &Machine,
    watch: Option<fn() -> Watcher>,
) -> Result<Worker, Trouble> {
    let settings = Settings { watch, ..Settings::of(own_name()) };
    worker(house, keys, outside, machine, settings, Arc::new(|_| ()))
}

fn worker(
    house: &House,
    keys: &LocalKeys,
    outside: Operator,
    machine: &Machine,
    settings: Settings,
    tell: Tell,
) -> Result<Worker, Trouble> {
    let grants = grant_keys(&keys.grants);
    let grants = grants.map_err(|why| Trouble::failed(why, "see `ENVELOPE_HOME`"))?;
    let keys = Keys { grants: Arc::new(grants), receipts: keys.receipts.clone() };
    let components = guest::components(machine);
    Ok(Worker::new(house.clone(), keys, Box::new(outside), components, settings, tell))
}

/// The process, which people find.
fn own_name() -> String {
    format!("process {}", std::process::id())
}

const fn millis(time: Duration) -> u64 {
    time.as_secs() * 1000
}

/// Says what became of a run, or what is wrong with the node.
fn tell(told: Told<'_>) {
    match told {
        Told::Run(run, came) => tell_of(&plain(run), came),
        Told::Trouble(why) => {
            page::aside(format!("{}: {}", styled(BAD, "trouble"), plain(why.to_string())));
        }
    }
}

fn tell_of(run: &str, came: &Result<Came, NodeError>) {
    match came {
        Ok(Came::Ended(over, _)) => {
            let (outcome, reason) = (styled(GOOD, over.outcome.name()), plain(&over.reason));
            page::aside(format!("{run} {outcome} ({reason})"));
        }
        Ok(Came::Waits) => page::aside(format!("{run} {}", styled(FAINT, "waits for a human"))),
        Ok(Came::GivenBack) => page::aside(format!("{run} {}", styled(FAINT, "given back"))),
        Ok(Came::Lost) => page::aside(format!("{run} {}", styled(BAD, "is another node's now"))),
        Err(why) => {
            page::aside(format!("{run} {}: {}", styled(BAD, "rests"), plain(why.to_string())));
        }
    }
}
