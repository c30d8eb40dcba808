//! Kill switches, over the API: an organisation stops what runs for it, and the operator anybody.
//! Nodes look at them every few milliseconds, and whoever is stopped ends with a receipt that says
//! who stopped it, when and why.

use envelope_evidence::{Digest, Label};
use envelope_rules::kill::{Event, Target, Thrown};
use envelope_store::{Org, OrgTx};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Refused, Role, Turn};

/// Whom to stop, or to let go on again, and why.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Word {
    /// Whom.
    pub target: Whom,
    /// Why: receipts tell it.
    #[schemars(length(min = 1, max = 255))]
    pub reason: String,
}

/// Whom a switch stops.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", content = "id", rename_all = "kebab-case")]
pub enum Whom {
    /// Everybody: for the operator.
    All,
    /// All runs of an organisation: one's own, or for the operator any.
    Organisation(String),
    /// All runs of an agent, by the identity that receipts tell.
    Agent(String),
    /// All runs under a Paper, by its digest.
    Paper(String),
    /// One run.
    Run(String),
}

/// A switch that is thrown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stopped {
    /// Whom it stops.
    pub target: Whom,
    /// Who threw it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: String,
}

/// Throws a switch. One that is thrown keeps its first reason.
pub async fn throw(turn: &mut Turn<'_>, operator: &Org, word: Word) -> Result<Stopped, Refused> {
    let (target, thrown) = judged(turn, operator, &word)?;
    let event = Event::Thrown { target: target.clone(), word: thrown };
    let mut rows = rows_of(turn, operator);
    rows.note_stop(event).await?;
    let thrown = rows.stop(&target).await?.ok_or_else(|| unknown(&word.target))?;
    Ok(shown(&target, &thrown))
}

/// Lifts a switch: those whom it stopped begin and go on again.
pub async fn lift(turn: &mut Turn<'_>, operator: &Org, word: Word) -> Result<Stopped, Refused> {
    let (target, thrown) = judged(turn, operator, &word)?;
    let event = Event::Lifted { target: target.clone(), word: thrown.clone() };
    if rows_of(turn, operator).note_stop(event).await? {
        Ok(shown(&target, &thrown))
    } else {
        Err(unknown(&word.target))
    }
}

/// The switches that whoever acts may throw and lift, and that are thrown.
pub async fn thrown(turn: &mut Turn<'_>, operator: &Org) -> Result<Vec<Stopped>, Refused> {
    let all = rows_of(turn, operator).stops().await?;
    Ok(all.iter().map(|(target, thrown)| shown(target, thrown)).collect())
}

/// The operator's switches stop anybody, all others those who run for whoever threw them.
fn rows_of<'t>(turn: &'t mut Turn<'_>, operator: &Org) -> OrgTx<'t> {
    if is_operator(turn, operator) { turn.tx.of_operator() } else { turn.rows() }
}

fn is_operator(turn: &Turn<'_>, operator: &Org) -> bool {
    turn.who.org == *operator && turn.who.may(Role::Operator)
}

/// Whom it names and what is said, if whoever acts may say it.
fn judged(turn: &Turn<'_>, operator: &Org, word: &Word) -> Result<(Target, Thrown), Refused> {
    let bad = |why: &dyn std::fmt::Display| Refused::invalid("target", why);
    let label = |text: &str| Label::new(text).map_err(|why| bad(&why));
    let target = match &word.target {
        Whom::All => Target::All,
        Whom::Organisation(id) => Target::Organisation(label(id)?),
        Whom::Agent(id) => Target::Agent(label(id)?),
        Whom::Paper(digest) => Target::Paper(digest.parse::<Digest>().map_err(|why| bad(&why))?),
        Whom::Run(id) => Target::Run(label(id)?),
    };
    if !is_operator(turn, operator) {
        let anybodys = match &target {
            Target::All => true,
            Target::Organisation(id) => **id != *turn.who.org.as_str(),
            Target::Agent(_) | Target::Paper(_) | Target::Run(_) => false,
        };
        turn.needs(match &target {
            _ if anybodys => Role::Operator,
            Target::Run(_) => Role::Buyer,
            Target::All | Target::Organisation(_) | Target::Agent(_) | Target::Paper(_) => {
                Role::Owner
            }
        })?;
        if anybodys {
            return Err(Refused::Party("operator of the house"));
        }
    }
    let reason = Label::new(&word.reason).map_err(|why| Refused::invalid("reason", why))?;
    if reason.trim().is_empty() {
        return Err(Refused::invalid("reason", "a stop has one: say why"));
    }
    Ok((target, Thrown { by: Label::cut(&turn.who.user), reason, at: turn.at }))
}

fn shown(target: &Target, thrown: &Thrown) -> Stopped {
    let target = match target {
        Target::All => Whom::All,
        Target::Organisation(id) => Whom::Organisation(id.to_string()),
        Target::Agent(id) => Whom::Agent(id.to_string()),
        Target::Paper(digest) => Whom::Paper(digest.to_string()),
        Target::Run(id) => Whom::Run(id.to_string()),
    };
    let Thrown { by, reason, at } = thrown;
    Stopped { target, by: by.to_string(), reason: reason.to_string(), at: at.to_string() }
}

fn unknown(target: &Whom) -> Refused {
    Refused::Unknown { what: "stops", id: serde_json::to_string(target).unwrap_or_default() }
}
