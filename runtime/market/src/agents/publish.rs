//! A release of an agent: its component, what it says of itself, and how its reach differs from
//! that of the release before.

use std::collections::BTreeSet;

use bytes::Bytes;
use envelope_engine::card::Card;
use envelope_engine::prepared::Prepared;
use envelope_evidence::{Digest, Timestamp};
use envelope_store::noun::{Change, Noun};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::register::own;
use crate::turn::{read, text};
use crate::{Market, Refused, Role, Turn, Who, id};

/// A component that was looked at: it compiles, links, and says what it is, without any capability.
pub struct Inspected {
    agent: String,
    card: Card,
    component: Digest,
    card_digest: Digest,
    imports: Vec<String>,
}

/// A release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// Its id.
    pub id: String,
    /// The agent.
    pub agent: String,
    /// Its version, as the component says.
    pub version: String,
    /// The digest of the component.
    pub component: String,
    /// The digest of the card.
    pub card_digest: String,
    /// The card: what it says that it can do, and what it needs.
    pub card: serde_json::Value,
    /// The interfaces that it imports.
    pub imports: Vec<String>,
    /// How its reach differs from that of the release before, or from nothing.
    pub reach: Reach,
}

/// How the reach of a release differs from that of the one before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reach {
    /// The release before.
    pub before: Option<String>,
    /// What it needs and the one before did not.
    pub more: Vec<String>,
    /// What the one before needed and it does not.
    pub less: Vec<String>,
}

/// Looks at `component`, which `who` wants to publish for `agent`, and keeps its bytes. It is
/// compiled here, and never on the path of a run.
pub async fn inspect(
    market: &Market,
    who: &Who,
    agent: &str,
    component: Bytes,
    at: Timestamp,
) -> Result<Inspected, Refused> {
    who.needs(Role::Author)?;
    let mut tx = market.house.store.read().await?;
    let agent = own(&mut Turn { tx: &mut tx, who, at }, agent).await?;
    drop(tx);
    let prepared = Prepared::load(&market.components, &component, &agent.name, |_| {}).await?;
    market.house.blobs(&who.org).put(component, at).await?;
    Ok(Inspected {
        agent: agent.id,
        card: prepared.card().clone(),
        component: prepared.digest(),
        card_digest: prepared.card_digest(),
        imports: prepared.imports().to_vec(),
    })
}

/// Publishes what was looked at as the newest release of its agent.
pub async fn publish(turn: &mut Turn<'_>, inspected: &Inspected) -> Result<Release, Refused> {
    turn.needs(Role::Author)?;
    let Inspected { agent, card, component, card_digest, imports } = inspected;
    let agent = own(turn, agent).await?;
    let mut earlier = Vec::new();
    let mut after = String::new();
    loop {
        let page = turn.rows().below(Noun::Release, &agent.id, &after).await?;
        let Some(last) = page.last() else { break };
        after.clone_from(&last.id);
        for record in &page {
            earlier.push(read::<Release>(record)?);
        }
    }
    if earlier.iter().any(|release| release.version == card.version) {
        return Err(Refused::Exists { what: "release", id: card.version.clone() });
    }
    let release = Release {
        id: id("rel", turn.at)?,
        agent: agent.id.clone(),
        reach: reach(earlier.last(), card, imports),
        version: card.version.clone(),
        component: component.to_string(),
        card_digest: card_digest.to_string(),
        card: serde_json::to_value(card).map_err(|why| Refused::invalid("card", why))?,
        imports: imports.clone(),
    };
    let (body, at) = (text(&release.id, &release)?, turn.at);
    let first = Change { id: &release.id, state: "passed", body: &body, at };
    turn.rows().add(Noun::Release, Some(&agent.id), first).await?;
    Ok(release)
}

fn reach(before: Option<&Release>, card: &Card, imports: &[String]) -> Reach {
    let new = wants(card, imports);
    let old = before.map_or_else(BTreeSet::new, |before| {
        let card: Option<Card> = serde_json::from_value(before.card.clone()).ok();
        card.map_or_else(BTreeSet::new, |card| wants(&card, &before.imports))
    });
    Reach {
        before: before.map(|before| before.id.clone()),
        more: new.difference(&old).cloned().collect(),
        less: old.difference(&new).cloned().collect(),
    }
}

/// All that a component could reach for, one line each.
fn wants(card: &Card, imports: &[String]) -> BTreeSet<String> {
    let needs = &card.needs;
    let net = needs.net.iter().map(|rule| format!("http {rule}"));
    let models = needs.models.iter().map(|model| format!("model {model}"));
    let read = needs.read.iter().map(|pattern| format!("read {pattern}"));
    let outputs = needs.outputs.iter().map(|prefix| format!("write {prefix}"));
    let imports = imports.iter().map(|name| format!("import {name}"));
    net.chain(models).chain(read).chain(outputs).chain(imports).collect()
}
