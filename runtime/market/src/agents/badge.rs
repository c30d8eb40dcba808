//! What the house attests about an agent, and the badge that follows from it: computed each time,
//! and never kept.

use std::collections::BTreeSet;

use envelope_evidence::{Digest, Timestamp};
use envelope_store::noun::{Change, Noun};
use envelope_store::{Org, Tx};
use envelope_terms::badge::{Badge, Claim, OATHS_MAX, Oath, Pillar, Sworn};
use envelope_terms::contract::{Did, DigestShape, Line};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::register::Agent;
use crate::shape::OrgShape;
use crate::turn::read;
use crate::{Market, Refused, Role, Turn, keys};

/// How long an attestation may hold, in seconds: a hundred years.
pub const SECONDS_MAX: u64 = 3_155_760_000;

/// That a pillar of an agent's badge stands.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attest {
    /// Whose agent it is.
    #[schemars(with = "OrgShape")]
    pub org: String,
    /// The agent.
    pub agent: String,
    /// Which pillar.
    pub pillar: Pillar,
    /// The digest of what it rests on.
    #[schemars(with = "DigestShape")]
    pub evidence: String,
    /// How long it holds, in seconds.
    #[schemars(range(min = 1, max = SECONDS_MAX))]
    pub seconds: u64,
}

/// An attestation that was sworn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attested {
    /// Under what name it can be taken back.
    pub id: String,
    /// About whom.
    pub agent: String,
    /// Which pillar.
    pub pillar: Pillar,
    /// The first instant at which it no longer holds, in milliseconds.
    pub until: u64,
}

/// The house swears that a pillar stands. Only its operator has it do so.
pub async fn attest(
    market: &Market,
    turn: &mut Turn<'_>,
    wish: Attest,
) -> Result<Attested, Refused> {
    turn.needs(Role::Operator)?;
    if !(1..=SECONDS_MAX).contains(&wish.seconds) {
        return Err(Refused::invalid("seconds", format!("want 1 to {SECONDS_MAX}")));
    }
    let org = Org::new(&wish.org)?;
    let record = turn.tx.of(&org).get(Noun::Agent, &wish.agent).await?;
    let unknown = || Refused::Unknown { what: "agents", id: wish.agent.clone() };
    let agent: Agent = read(&record.ok_or_else(unknown)?)?;
    let evidence = wish.evidence.parse::<Digest>();
    let evidence = evidence.map_err(|why| Refused::invalid("evidence", why))?;
    let at = turn.at;
    let key = keys::attestations(&mut turn.rows(), &market.masters, at).await?;
    let until = at.millis().saturating_add(wish.seconds.saturating_mul(1000));
    let until = Timestamp::from_millis(until).unwrap_or(Timestamp::MAX);
    let oath = Oath {
        iss: Did::new(market.did()).map_err(|why| Refused::invalid("domain", why))?,
        sub: agent.did,
        claim: Claim::Pillar { pillar: wish.pillar },
        evidence,
        issued: at,
        expires: until,
        kid: Line::new(key.id()).map_err(|why| Refused::invalid("kid", why))?,
    };
    let envelope = oath.swear(&key).map_err(|why| Refused::invalid("seconds", why))?;
    let id = format!("oath-{}", envelope.digest().hex());
    let bytes = envelope.to_bytes().map_err(|why| Refused::kept(&id, why))?;
    let body = String::from_utf8(bytes).map_err(|why| Refused::kept(&id, why))?;
    let first = Change { id: &id, state: "issued", body: &body, at };
    turn.rows().add(Noun::Attestation, Some(&agent.id), first).await?;
    Ok(Attested { id, agent: agent.id, pillar: wish.pillar, until: until.millis() })
}

/// An attestation as it was signed: for the house, and for whose agent it is about.
pub async fn signed(turn: &mut Turn<'_>, operator: &Org, id: &str) -> Result<Value, Refused> {
    let unknown = || Refused::Unknown { what: "attestations", id: id.to_owned() };
    let row = turn.tx.of(operator).get(Noun::Attestation, id).await?.ok_or_else(unknown)?;
    if turn.who.org != *operator {
        let agent = row.parent.as_deref().ok_or_else(unknown)?;
        turn.rows().get(Noun::Agent, agent).await?.ok_or_else(unknown)?;
    }
    if row.state != "issued" {
        let (id, state) = (row.id, row.state);
        return Err(Refused::NotNow { what: "attestation", id, state, act: "to show it" });
    }
    read(&row)
}

/// Takes an attestation back, at once and for good.
pub async fn revoke(turn: &mut Turn<'_>, id: &str) -> Result<(), Refused> {
    turn.needs(Role::Operator)?;
    let record = turn.own(Noun::Attestation, id).await?;
    if record.state != "issued" {
        let (id, state) = (id.to_owned(), record.state);
        return Err(Refused::NotNow { what: "attestation", id, state, act: "to take it back" });
    }
    let change = Change { id, state: "revoked", body: &record.body, at: turn.at };
    turn.rows().step(Noun::Attestation, record.version, change).await?;
    Ok(())
}

/// The badge of an agent now, by what the house `operator` swore about it.
pub async fn badge(
    tx: &mut Tx,
    operator: &Org,
    agent: &Agent,
    at: Timestamp,
) -> Result<Badge, Refused> {
    let mut rows = tx.of(operator);
    let ring = keys::ring(&mut rows).await?;
    let (mut sworn, mut revoked, mut after) = (Vec::new(), BTreeSet::new(), String::new());
    while sworn.len() < OATHS_MAX {
        let page = rows.below(Noun::Attestation, &agent.id, &after).await?;
        let Some(last) = page.last() else { break };
        after.clone_from(&last.id);
        for record in &page {
            // Signed under a key that was revoked since: it attests nothing any more.
            let Ok(oath) = Sworn::open(record.body.as_bytes(), &ring) else { continue };
            if record.state == "revoked" {
                revoked.insert(oath.id());
            }
            sworn.push(oath);
        }
    }
    Ok(Badge::of(&agent.did, &sworn, &revoked, at))
}
