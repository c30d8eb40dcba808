//! A run of what was bought: under the warrant of its Paper, and no wider.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use envelope_engine::limits::Limits;
use envelope_engine::local::{Bounds, Fresh, Job};
use envelope_engine::prepared::Prepared;
use envelope_evidence::journal::PaperRef;
use envelope_evidence::{Digest, Label, Timestamp};
use envelope_gate::workspace::{FileEntry, Manifest};
use envelope_node::launch::{Launch, New, prepare};
use envelope_rules::approval::{Policy, Rules};
use envelope_rules::grant::Jti;
use envelope_rules::path::Path;
use envelope_store::Org;
use envelope_store::noun::Noun;
use envelope_terms::deal;
use envelope_terms::document::{Chain, own_keys};
use envelope_terms::purchase::{Act, State};
use envelope_terms::source::Paper;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::caps::{self, Cap};
use super::deal::{Deal, load};
use crate::keys::chance;
use crate::papers::quote::Drawn;
use crate::turn::read;
use crate::{Market, Refused, Role, Turn, Who, id};

/// Files that are handed over with a launch. More are a workspace.
pub const FILES_MAX: usize = 1000;

/// How long people may take to answer what a run asks, in seconds.
const PATIENCE: u64 = 7 * 24 * 3600;

/// What is to be run.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// What was bought.
    pub purchase: String,
    /// The arguments of the skill.
    #[serde(default)]
    pub args: serde_json::Value,
    /// What it finds in its workspace.
    #[serde(default)]
    pub files: Vec<File>,
}

/// A file that is handed over.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Where it stands.
    pub path: String,
    /// Its bytes, in base 64.
    pub base64: String,
}

/// A run that was launched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Launched {
    /// The run.
    pub run: String,
    /// What it was bought as.
    pub purchase: String,
    /// Where it stands.
    pub state: String,
}

/// A run whose parts are kept, and which nobody launched yet.
pub struct Ready {
    purchase: String,
    criteria: Digest,
    caps: [Cap; 2],
    new: New,
}

impl Ready {
    /// The run's id.
    pub fn run(&self) -> &str {
        self.new.run()
    }
}

/// Makes a run ready. Nothing of it is to be seen until it is [launched](launch).
pub async fn ready(
    market: &Market,
    who: &Who,
    wish: Start,
    at: Timestamp,
) -> Result<Ready, Refused> {
    who.needs(Role::Buyer)?;
    let mut tx = market.house.store.read().await?;
    let mut turn = Turn { tx: &mut tx, who, at };
    let deal = load(&mut turn, &wish.purchase).await?;
    if !deal.is_buyer(&turn) {
        return Err(Refused::Party("buyer"));
    }
    let drawn: Drawn = read(&turn.own(Noun::Paper, &deal.kept.paper).await?)?;
    drop(tx);
    let (paper, above) = paper(&drawn)?;
    let seller = Org::new(&deal.kept.seller)?;
    let code = paper.warrant.component;
    let component = market.house.blobs(&seller).get(code).await?;
    let name = paper.contract.agent.name.to_string();
    let prepared = Prepared::load(&market.components, &component, &name, |_| {}).await?;
    let manifest = take_in(market, who, &wish.files, at).await?;
    let fresh = fresh(who, at)?;
    let bounds = Bounds {
        warrant: paper.warrant.warrant(fresh.run.clone(), drawn.paper, paper.hashes.criteria, at),
        claims: paper.grant.claims(fresh.jti.clone(), &fresh.run, drawn.paper, at),
        paper: Some(PaperRef { digest: drawn.paper, parents: above }),
        limits: Limits::default(),
        prices: market.prices.clone(),
    };
    let args = Bytes::from(wish.args.to_string());
    let job = Job::within(Arc::new(prepared), args, manifest, bounds, &fresh, &market.grants)?;
    let (purchase, rules) = (Some(wish.purchase.as_str()), rules());
    let caps = caps::of(&wish.purchase, &paper.contract.caps, at)?;
    let shared = caps.each_ref().map(|cap| cap.account.clone());
    let (component, rules, name) = (&component, Some(&rules), name.as_str());
    let calendar = caps::calendar(&wish.purchase, &paper.contract.caps);
    let (job, shared, days) = (&job, &shared, Some(&calendar));
    let launch = Launch { job, component, name, rules, purchase, shared, days };
    let new = prepare(&market.house, &who.org, launch).await?;
    Ok(Ready { criteria: paper.hashes.criteria, purchase: wish.purchase, caps, new })
}

/// Launches a run that was made ready, if what was bought still lets it run.
pub async fn launch(
    market: &Market,
    turn: &mut Turn<'_>,
    Ready { purchase, criteria, caps, new }: &Ready,
) -> Result<Launched, Refused> {
    turn.needs(Role::Buyer)?;
    let mut deal = load(turn, purchase).await?;
    caps::room(&mut turn.rows(), purchase).await?;
    start(market, turn, &mut deal, *criteria).await?;
    caps::open(&mut turn.rows(), caps).await?;
    let run = new.queue(&mut turn.rows()).await?;
    let purchase = purchase.clone();
    Ok(Launched { run: run.to_string(), purchase, state: "queued".to_owned() })
}

/// The criteria are locked before the first token is consumed.
async fn start(
    market: &Market,
    turn: &mut Turn<'_>,
    deal: &mut Deal,
    criteria: Digest,
) -> Result<(), Refused> {
    let running = matches!(deal.kept.purchase.state(), State::ExecutionInProgress { .. });
    let free = deal.kept.purchase.hand().name() == "parties";
    if running && free {
        return Ok(());
    }
    deal.step(market, turn, None, Act::Start { criteria }).await.map(drop)
}

/// The Paper that was bought, and the documents above it.
fn paper(drawn: &Drawn) -> Result<(Paper, Vec<Digest>), Refused> {
    let files = drawn.files()?;
    let chain = Chain::import(&files, &own_keys(&files)?)?;
    let kept = |why: String| Refused::kept(&drawn.listing, why);
    let prose = chain.prose().ok_or_else(|| kept("there is no Paper".to_owned()))?;
    let paper = deal::read(chain.terms(), prose).map_err(|why| kept(why.to_string()))?;
    let above = chain.documents().iter().map(|one| one.id());
    Ok((paper, above.take_while(|id| *id != drawn.paper).collect()))
}

async fn take_in(
    market: &Market,
    who: &Who,
    files: &[File],
    at: Timestamp,
) -> Result<Manifest, Refused> {
    if files.len() > FILES_MAX {
        return Err(Refused::invalid("files", format!("at most {FILES_MAX} at once")));
    }
    let blobs = market.house.blobs(&who.org);
    let mut entries = Vec::new();
    for file in files {
        let path = Path::parse(&file.path).map_err(|why| Refused::invalid("files", why))?;
        let bytes = STANDARD.decode(&file.base64);
        let bytes = Bytes::from(bytes.map_err(|why| Refused::invalid("files", why))?);
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        entries.push(FileEntry { path, digest: blobs.put(bytes, at).await?, size });
    }
    Manifest::new(entries).map_err(|why| Refused::invalid("files", why))
}

fn fresh(who: &Who, at: Timestamp) -> Result<Fresh, Refused> {
    let grant = id("grt", at)?.to_uppercase().replacen("GRT", "grt", 1);
    Ok(Fresh {
        run: Label::cut(&id("run", at)?),
        jti: Jti::parse(&grant).map_err(|why| Refused::kept(&grant, why))?,
        seed: Digest::from_bytes(chance()?),
        now: at,
        caller: Label::cut(&who.user),
    })
}

/// Whoever decides has the role, and is not who launched it.
fn rules() -> Rules {
    let policy = Policy { role: Label::cut(Role::Approver.name()), approvers: 1, caller: false };
    Rules { policy, window: PATIENCE, most: None, calls: Vec::new(), data: Vec::new() }
}
