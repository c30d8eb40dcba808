//! An offer: one release, under one standing agreement, for a Paper whose buyer is still open.

use envelope_evidence::Digest;
use envelope_store::noun::{Change, Noun, Record};
use envelope_store::{Found, Org, Tx};
use envelope_terms::contract::{Check, Contract, Reviewer};
use envelope_terms::source;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::msa::{Msa, template};
use super::party::{is_buyer, with_buyer};
use crate::agents::badge::badge;
use crate::agents::publish::Release;
use crate::agents::register;
use crate::purchases::caps::has_days;
use crate::turn::{read, text};
use crate::{Market, Refused, Role, Turn, id};

/// A new offer, or what an offer is from now on.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewListing {
    /// The release that is offered.
    pub release: String,
    /// The standing agreement under which it is.
    pub msa: String,
    /// The source of the Paper, without its `[parties.buyer]`.
    pub source: String,
}

/// An offer as it is kept. Its digest is what a buyer sees, and has to have seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Offer {
    pub(crate) agent: String,
    pub(crate) release: String,
    pub(crate) msa: String,
    pub(crate) terms: Digest,
    pub(crate) source: String,
}

/// An offer as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    /// Its id.
    pub id: String,
    /// Who offers.
    pub seller: String,
    /// Whether it can be bought: `draft`, `offered` or `withdrawn`.
    pub state: String,
    /// The agent.
    pub agent: String,
    /// The release.
    pub release: String,
    /// The standing agreement.
    pub msa: String,
    /// The digest of the words of that.
    pub msa_digest: String,
    /// The source of the Paper.
    pub source: String,
    /// The digest of this very offer. It is another one after every change.
    pub digest: String,
    /// How often it was changed.
    pub version: i64,
}

/// Lists a release. It is offered to others once its agent holds a badge.
pub async fn draft(
    market: &Market,
    turn: &mut Turn<'_>,
    new: NewListing,
) -> Result<Listing, Refused> {
    turn.needs(Role::Author)?;
    let offer = checked(market, turn, new).await?;
    let id = id("lst", turn.at)?;
    let (body, at) = (text(&id, &offer)?, turn.at);
    let first = Change { id: &id, state: "draft", body: &body, at };
    turn.rows().add(Noun::Listing, Some(&offer.release), first).await?;
    let record = turn.own(Noun::Listing, &id).await?;
    view(&turn.who.org, &record)
}

/// Changes an offer. Whoever saw the one before does not buy this one.
pub async fn change(
    market: &Market,
    turn: &mut Turn<'_>,
    id: &str,
    new: NewListing,
) -> Result<Listing, Refused> {
    turn.needs(Role::Author)?;
    let record = turn.own(Noun::Listing, id).await?;
    let offer = checked(market, turn, new).await?;
    if record.parent.as_deref() != Some(&offer.release) {
        return Err(Refused::invalid("release", "an offer stays one of its release: list anew"));
    }
    step(turn, &record, &record.state, &text(id, &offer)?).await
}

/// Offers a draft to everybody, if its agent holds the badge of the house `operator`.
pub async fn offer(turn: &mut Turn<'_>, operator: &Org, id: &str) -> Result<Listing, Refused> {
    turn.needs(Role::Author)?;
    let record = turn.own(Noun::Listing, id).await?;
    let kept: Offer = read(&record)?;
    let org = turn.who.org.clone();
    badged(turn, operator, &org, &kept).await?;
    step(turn, &record, "offered", &record.body).await
}

/// Takes an offer back. What was bought stays bought.
pub async fn withdraw(turn: &mut Turn<'_>, id: &str) -> Result<Listing, Refused> {
    turn.needs(Role::Author)?;
    let record = turn.own(Noun::Listing, id).await?;
    step(turn, &record, "withdrawn", &record.body).await
}

/// What everybody may see of an offer.
pub async fn look(tx: &mut Tx, id: &str) -> Result<Listing, Refused> {
    let Found { org, record } = found(tx, id).await?;
    view(&org, &record)
}

/// An offer that can be bought.
pub(crate) async fn found(tx: &mut Tx, id: &str) -> Result<Found, Refused> {
    let unknown = || Refused::Unknown { what: "listings", id: id.to_owned() };
    tx.offer(id).await?.ok_or_else(unknown)
}

/// Refuses an agent of `org` that holds no badge now.
pub(crate) async fn badged(
    turn: &mut Turn<'_>,
    operator: &Org,
    org: &Org,
    offer: &Offer,
) -> Result<(), Refused> {
    let agent = turn.tx.of(org).get(Noun::Agent, &offer.agent).await?;
    let unknown = || Refused::Unknown { what: "agents", id: offer.agent.clone() };
    let agent: register::Agent = read(&agent.ok_or_else(unknown)?)?;
    let badge = badge(turn.tx, operator, &agent, turn.at).await?;
    if badge.held() { Ok(()) } else { Err(Refused::Unbadged(agent.id)) }
}

/// An offer as people see it.
pub fn view(org: &Org, record: &Record) -> Result<Listing, Refused> {
    let Offer { agent, release, msa, terms, source } = read(record)?;
    Ok(Listing {
        id: record.id.clone(),
        seller: org.to_string(),
        state: record.state.clone(),
        agent,
        release,
        msa,
        msa_digest: terms.to_string(),
        source,
        digest: Digest::of(record.body.as_bytes()).to_string(),
        version: record.version,
    })
}

async fn step(
    turn: &mut Turn<'_>,
    record: &Record,
    state: &str,
    body: &str,
) -> Result<Listing, Refused> {
    let (id, at) = (record.id.as_str(), turn.at);
    turn.rows().step(Noun::Listing, record.version, Change { id, state, body, at }).await?;
    let record = turn.own(Noun::Listing, id).await?;
    view(&turn.who.org, &record)
}

/// The offer, if it compiles with a buyer and names what it offers.
async fn checked(market: &Market, turn: &mut Turn<'_>, new: NewListing) -> Result<Offer, Refused> {
    let NewListing { release, msa, source } = new;
    let release: Release = read(&turn.own(Noun::Release, &release).await?)?;
    let agent = register::own(turn, &release.agent).await?;
    let msa: Msa = read(&turn.own(Noun::Msa, &msa).await?)?;
    let terms = template(&msa.text)?.digest();
    let somebody = super::party::somebody(market)?;
    let whole = with_buyer(&source, &somebody)?;
    let checked = source::check("listing.paper.md", whole.as_bytes(), &[]);
    let checked = checked.map_err(|report| Refused::Flawed(Box::new(report)))?;
    is_buyer(checked.contract(), &somebody)?;
    judged(checked.contract())?;
    has_days(checked.contract())?;
    let named = &checked.contract().agent;
    let same = [
        ("agent.name", named.name == agent.name),
        ("agent.did", named.did.as_str() == agent.did.as_str()),
        ("agent.release.version", named.release.version.as_str() == release.version),
        ("agent.release.component", named.release.component.to_string() == release.component),
        ("agent.release.card", named.release.card.to_string() == release.card_digest),
    ];
    if let Some((field, _)) = same.into_iter().find(|(_, same)| !same) {
        return Err(Refused::invalid("source", format!("its `{field}` is not the release's")));
    }
    Ok(Offer { agent: agent.id, release: release.id, msa: msa.id, terms, source })
}

/// Refuses criteria that nothing here can judge yet: a purchase would wait for them for ever.
fn judged(contract: &Contract) -> Result<(), Refused> {
    let unjudged = contract.criteria.iter().find(|criterion| match criterion.check {
        Check::Evaluator { .. } | Check::HumanReview { reviewer: Reviewer::Independent, .. } => {
            true
        }
        Check::HumanReview { reviewer: Reviewer::Buyer, .. }
        | Check::FileExists { .. }
        | Check::OutputJsonSchema { .. }
        | Check::Text { .. }
        | Check::Number { .. } => false,
    });
    let Some(criterion) = unjudged else { return Ok(()) };
    let why = format!("nobody can judge its criterion `{}` here yet", criterion.id);
    Err(Refused::invalid("source", why))
}
