//! From what a person wishes to what a run is pinned by: warrant, grant, header.

use std::sync::Arc;

use bytes::Bytes;
use envelope_evidence::journal::{Agent, Header};
use envelope_evidence::{Digest, Dimension, Label, Timestamp, Usage};
use envelope_gate::schema::Unfit;
use envelope_gate::workspace::Manifest;
use envelope_rules::budget::{Cap, NanoUsd, PriceBook};
use envelope_rules::content;
use envelope_rules::denial::Denial;
use envelope_rules::egress::policy::{Ceiling, PolicyDocument};
use envelope_rules::egress::rule::RuleDocument;
use envelope_rules::grant::{Claims, GrantKey, GrantKeys, Jti};
use envelope_rules::guard::{
    Capability, CapabilitySet, ModelRule, Operator, Warrant, WarrantDocument,
};
use envelope_rules::path::Prefix;
use envelope_rules::pattern::PatternSet;

use super::bounds::Bounds;
use crate::limits::Limits;
use crate::prepared::Prepared;
use crate::run::Order;

/// What a person allows a run.
#[derive(Debug, Clone)]
pub struct Wishes {
    /// Patterns of files it may read.
    pub read: Vec<String>,
    /// The prefix below which it may write.
    pub outputs: Option<String>,
    /// Which requests it may send.
    pub egress: Vec<RuleDocument>,
    /// What must not leave in what it sends.
    pub content: Vec<content::Rule>,
    /// How long its grant lives, in seconds.
    pub ttl_secs: u64,
    /// How long it may take, in seconds.
    pub timeout_secs: u64,
    /// How many calls it may make.
    pub calls: u64,
    /// How many bytes it may move.
    pub bytes: u64,
    /// What it may take of the machine.
    pub limits: Limits,
    /// Which models it may call, by their names in the price book.
    pub models: Vec<String>,
    /// What it may spend on them.
    pub money: NanoUsd,
    /// What they cost.
    pub prices: PriceBook,
    /// Which agents it may call, by their service identities.
    pub agents: Vec<String>,
    /// Whether it may ask humans.
    pub asks: bool,
}

/// Tokens that a run with models may use: a bound that money reaches first.
const TOKENS_MAX: u64 = 1_000_000_000;

/// Tokens of one answer: above what any model gives.
const OUTPUT_MAX: u64 = 1_000_000;

/// What signs a local run's grants.
pub struct Keys {
    /// The secret of the grant key.
    pub grants: zeroize::Zeroizing<[u8; 32]>,
}

/// A run that is about to start.
pub struct Job {
    /// What is run, and under what.
    pub order: Order,
    /// The first line of its journal.
    pub header: Header,
}

/// Wishes that cannot be granted.
#[derive(Debug, thiserror::Error)]
pub enum BadJob {
    /// The agent has no such skill.
    #[error("`{agent}` has no skill `{skill}`; it has {known}")]
    Skill {
        /// The agent.
        agent: String,
        /// What was asked for.
        skill: String,
        /// What there is.
        known: String,
    },
    /// The arguments do not fit.
    #[error("the arguments do not fit `{skill}`: {why}")]
    Args {
        /// The skill.
        skill: String,
        /// What is wrong.
        why: Unfit,
    },
    /// A pattern or prefix that is none.
    #[error("`{text}` is no {what}: {why}")]
    Pattern {
        /// The text.
        text: String,
        /// What it should be.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
    /// The grant cannot be minted.
    #[error("the grant cannot be made: {0}")]
    Grant(Denial),
    /// Something else does not fit its document.
    #[error("{0}")]
    Document(String),
}

impl From<Denial> for BadJob {
    fn from(denial: Denial) -> Self {
        Self::Grant(denial)
    }
}

/// What a local run may do at all: the network if there is a rule for it, models and agents if some
/// are named, questions to humans if somebody answers.
fn capabilities(wishes: &Wishes) -> CapabilitySet {
    let network = (!wishes.egress.is_empty()).then_some(Capability::Http);
    let models = (!wishes.models.is_empty()).then_some(Capability::Model);
    let agents = (!wishes.agents.is_empty()).then_some(Capability::Agents);
    let humans = wishes.asks.then_some(Capability::Approvals);
    let always = [
        Capability::Files,
        Capability::Clock,
        Capability::Random,
        Capability::Stdio,
        Capability::Environment,
        Capability::Trace,
        Capability::Artifacts,
        Capability::Run,
    ];
    let more = network.into_iter().chain(models).chain(agents).chain(humans);
    always.into_iter().chain(more).fold(CapabilitySet::NONE, CapabilitySet::with)
}

impl Job {
    /// The job that `wishes` describe. `names` are the run's and the grant's, never used before;
    /// `seed` is where all chance of the run comes from.
    pub fn new(
        component: Arc<Prepared>,
        skill: &str,
        args: Bytes,
        manifest: Manifest,
        wishes: &Wishes,
        fresh: &Fresh,
        keys: &Keys,
    ) -> Result<Self, BadJob> {
        let audience = service(&component);
        let bounds = Bounds {
            paper: None,
            warrant: warrant(&component, skill, &audience, wishes, fresh),
            claims: claims(&audience, wishes, fresh)?,
            limits: wishes.limits.clone(),
            prices: wishes.prices.clone(),
        };
        Self::within(component, args, manifest, bounds, fresh, keys)
    }
}

/// The service identity of an agent that somebody runs here.
pub fn service(component: &Prepared) -> String {
    format!("{}@local", component.card().name)
}

/// What has to be new for every run.
#[derive(Debug, Clone)]
pub struct Fresh {
    /// The run's id.
    pub run: Label,
    /// The grant's name.
    pub jti: Jti,
    /// Where all chance comes from.
    pub seed: Digest,
    /// The time.
    pub now: Timestamp,
    /// Who asks.
    pub caller: Label,
}

/// What a local operator allows the run of `warrant`: it is the same person who wrote that, and who
/// can let it send more. So a refused request is told what is missing, not that it is forbidden.
pub(crate) fn operator(warrant: &Warrant, prices: PriceBook) -> Operator {
    let capabilities = warrant.capabilities().with(Capability::Http).with(Capability::Model);
    Operator { capabilities, egress: Ceiling::Warrant, prices, content: Vec::new() }
}

/// The keys that verify local grants.
pub fn grant_keys(keys: &Keys) -> Result<GrantKeys, BadJob> {
    let live = Timestamp::ZERO..Timestamp::MAX;
    let document = |why: envelope_rules::grant::BadKey| BadJob::Document(why.to_string());
    let key = GrantKey::hs256("local-1", &keys.grants, live).map_err(document)?;
    GrantKeys::new(vec![key]).map_err(document)
}

pub(super) fn check(component: &Prepared, skill: &str, args: &Bytes) -> Result<(), BadJob> {
    let card = component.card();
    let Some(known) = card.skill(skill) else {
        let names: Vec<_> = card.skills.iter().map(|it| format!("`{}`", it.name)).collect();
        return Err(BadJob::Skill {
            agent: card.name.clone(),
            skill: skill.to_owned(),
            known: names.join(", "),
        });
    };
    known.fits_input(args).map_err(|why| BadJob::Args { skill: skill.to_owned(), why })
}

fn warrant(
    component: &Prepared,
    skill: &str,
    audience: &str,
    wishes: &Wishes,
    fresh: &Fresh,
) -> WarrantDocument {
    let deadline = fresh.now.secs().saturating_add(wishes.timeout_secs);
    WarrantDocument {
        v: Warrant::VERSION,
        run: fresh.run.clone(),
        agent: Label::cut(audience),
        component: component.digest(),
        skill: Label::cut(skill),
        paper: None,
        deadline: Timestamp::from_secs(deadline).unwrap_or(Timestamp::MAX),
        capabilities: capabilities(wishes),
        egress: PolicyDocument { rules: wishes.egress.clone() },
        content: wishes.content.clone(),
        models: wishes.models.iter().map(|model| rule(model)).collect(),
        agents: wishes.agents.iter().map(|agent| Label::cut(agent)).collect(),
        budget: Cap::of(&budget(wishes)),
        criteria: Some(criteria(component, skill)),
        approvals: None,
    }
}

fn rule(model: &str) -> ModelRule {
    ModelRule { model: Label::cut(model), max_output: OUTPUT_MAX, nano_usd: None }
}

/// By what the work of a local run is judged, where no Paper says it: its result has to fit the
/// schema that the skill promises.
fn criteria(component: &Prepared, skill: &str) -> Digest {
    let output = component.card().skill(skill).map(|skill| &skill.output);
    Digest::of(&serde_json::to_vec(&output).unwrap_or_default())
}

/// No money and no tokens without models: nothing else here costs any.
fn budget(wishes: &Wishes) -> Usage {
    let wall = wishes.timeout_secs.saturating_mul(1000);
    let tokens = if wishes.models.is_empty() { 0 } else { TOKENS_MAX };
    [
        (Dimension::NanoUsd, wishes.money.get()),
        (Dimension::Tokens, tokens),
        (Dimension::Bytes, wishes.bytes),
        (Dimension::Fuel, wishes.limits.fuel),
        (Dimension::Calls, wishes.calls),
        (Dimension::WallMs, wall),
    ]
    .into_iter()
    .fold(Usage::ZERO, |row, (dimension, limit)| row.with(dimension, limit).unwrap_or(row))
}

fn claims(audience: &str, wishes: &Wishes, fresh: &Fresh) -> Result<Claims, BadJob> {
    let read: Vec<_> = wishes.read.iter().map(String::as_str).collect();
    let pattern = |text: String, what, why: String| BadJob::Pattern { text, what, why };
    let paths = PatternSet::parse(&read)
        .map_err(|why| pattern(wishes.read.join(" "), "pattern of files", why.to_string()))?;
    let outputs = wishes.outputs.as_ref().map(|text| {
        Prefix::parse(text).map_err(|why| pattern(text.clone(), "prefix", why.to_string()))
    });
    Ok(Claims {
        iss: None,
        aud: audience.to_owned(),
        run: Some(fresh.run.to_string()),
        paper: None,
        paths,
        outputs: outputs.transpose()?,
        exp: fresh.now.secs().saturating_add(wishes.ttl_secs),
        iat: fresh.now.secs(),
        jti: fresh.jti.clone(),
        depth: None,
        budget: None,
        prev: None,
        par: None,
        act: None,
    })
}

pub(super) fn agent(component: &Prepared, audience: &str) -> Agent {
    let card = component.card();
    Agent {
        name: Label::cut(&card.name),
        version: Label::cut(&card.version),
        card: component.card_digest(),
        component: component.digest(),
        endpoint: None,
        service: Label::cut(audience),
    }
}
