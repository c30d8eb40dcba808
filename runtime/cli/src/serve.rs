//! `envelope serve`: the house is open, until it is told to close.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use envelope_engine::config::Machine;
use envelope_gate::net::Reach;
use envelope_market::Market;
use envelope_market::hooks::Courier;
use envelope_node::RUNS;
use envelope_server::serve::{Door, serve};
use envelope_server::{App, Contact};
use envelope_store::Org;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::answer::{Answer, Trouble, give};
use crate::disk::{self, Existing};
use crate::exit::Exit;
use crate::guest;
use crate::home::{self, LocalKeys};
use crate::models::Providers;
use crate::net::Edge;
use crate::node::{Operator, node_for_server};
use crate::page;
use crate::store::{HouseFlags, wait};

/// Open the house: answer the HTTP API, and work off the queue
///
/// One process is a whole house: the API, a node that runs what is launched, and whoever hears of
/// what happens. Several may share one database and its blobs. On SIGTERM or SIGINT it takes
/// nothing new, puts its runs aside and ends; nothing is lost.
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  it closed when it was told to
  1  the database refused, or the address is taken
  2  the input cannot be used

Examples:
  envelope init --org house
  envelope serve
  envelope serve --address 0.0.0.0:8080 --domain market.example
  envelope serve --db postgres://localhost/envelope --runs 0")]
pub(crate) struct Serve {
    #[command(flatten)]
    house: HouseFlags,
    /// Where it is reached; port 0 is any that is free
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    address: SocketAddr,
    /// The name under which others know it, of which agents get their identifiers
    #[arg(long, value_name = "NAME", default_value = "localhost")]
    domain: String,
    /// The organisation whose operators keep the house
    #[arg(long, value_name = "NAME", default_value = "house")]
    operator: String,
    /// How many runs at once; 0 leaves them to other nodes
    #[arg(long, value_name = "COUNT", default_value_t = RUNS,
        value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(0..=4096))]
    runs: usize,
    /// Write the address that was opened to this file, once all is ready
    #[arg(long, value_name = "FILE")]
    ports_file: Option<PathBuf>,
    /// A host of which webhooks may have addresses that are not public, and be told in clear:
    /// `hooks.example.org=10.1.0.0/16`
    #[arg(long = "hook-address", value_name = "HOST=BLOCK")]
    hook_address: Vec<Reach>,
    /// Where whoever found a weakness tells of it: `mailto:security@example.org`; without one
    /// there is no `/.well-known/security.txt`
    #[arg(long, value_name = "ADDRESS")]
    security_contact: Option<Contact>,
    #[command(flatten)]
    edge: Edge,
    #[command(flatten)]
    providers: Providers,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

impl Serve {
    pub(crate) fn run(self) -> Exit {
        let json = self.json;
        give(wait(self.open()), json)
    }

    async fn open(self) -> Result<Answer, Trouble> {
        let Self { house, address, domain, operator, runs, ports_file, .. } = self;
        let Self { edge, providers, hook_address, security_contact, .. } = self;
        let house = house.open().await?;
        let keys = LocalKeys::load().map_err(|why| Trouble::failed(why, "see `ENVELOPE_HOME`"))?;
        let machine = Machine::new().map_err(|why| Trouble::failed(why, "update Envelope"))?;
        let operator =
            Org::new(&operator).map_err(|why| Trouble::usage(why, "name it with `--operator`"))?;
        let courier = Courier::new(hook_address, edge.roots()?)
            .map_err(|why| Trouble::usage(why, "see `--trust`"))?;
        let market = market(house.clone(), &machine, (domain, courier), &providers)?;
        let app = App::new(market, operator, |what| page::aside(page::plain(what)));
        let app = Arc::new(app.reached_at(security_contact));
        let outside = Operator::of(&edge, &providers);
        let node = match runs {
            0 => None,
            runs => Some(node_for_server(&house, &keys, outside, &machine, runs)?),
        };
        let door = Door::open(address).await;
        let taken = format!("`{address}` cannot be opened");
        let door = door.map_err(|why| {
            Trouble::failed(format!("{taken}: {why}"), "give another with `--address`")
        })?;
        let at = door.address().map_err(|why| Trouble::failed(why, "try another address"))?;
        let broken = |why| Trouble::failed(why, "the system tells of no signals");
        let mut term = signal(SignalKind::terminate()).map_err(broken)?;
        let mut int = signal(SignalKind::interrupt()).map_err(broken)?;
        if let Some(file) = &ports_file {
            disk::write(file, format!("{at}\n").as_bytes(), Existing::Replace)
                .map_err(|why| Trouble::usage(why, "give a file that can be written"))?;
        }
        page::aside(format!("open at http://{at}/api/v1; close it with SIGTERM"));
        let drained = serve(app, door, node, async move {
            tokio::select! {
                _ = term.recv() => {}
                _ = int.recv() => {}
            }
        });
        let drained = drained.await;
        let note = format!("closed; {} runs were given back\n", drained.runs);
        Ok(Answer::note("serve", note, json!({ "given_back": drained.runs })))
    }
}

/// The market of this machine.
pub(crate) fn market(
    house: envelope_node::House,
    machine: &Machine,
    (domain, courier): (String, Courier),
    providers: &Providers,
) -> Result<Market, Trouble> {
    let keys = LocalKeys::load().map_err(|why| Trouble::failed(why, "see `ENVELOPE_HOME`"))?;
    let masters = home::masters().map_err(|why| Trouble::failed(why, "see `ENVELOPE_HOME`"))?;
    Ok(Market {
        house,
        masters,
        receipts: keys.receipts,
        grants: keys.grants,
        prices: providers.prices()?,
        components: guest::components(machine),
        domain,
        courier,
    })
}
