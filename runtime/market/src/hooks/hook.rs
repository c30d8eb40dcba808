//! Who wants to be told, where, and of what.

use envelope_evidence::Timestamp;
use envelope_store::OrgTx;
use envelope_store::noun::{Change, Noun, Record};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::seal;
use crate::turn::{read, text};
use crate::{Market, Refused, Role, Turn, id};

/// Hooks that one organisation may have at once: each is told of every change.
pub const HOOKS_MAX: usize = 16;

/// How long a secret is good beside the one that takes its place, in seconds: a day.
pub const OVERLAP_SECS: u64 = 24 * 3600;

/// Characters of an address.
const URL_CHARS_MAX: usize = 2048;

/// A new hook.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewHook {
    /// Where to tell: an `https` address.
    #[schemars(length(min = 1, max = 2048))]
    pub url: String,
    /// What to tell of. Nothing named is everything.
    #[serde(default)]
    #[schemars(length(max = 8))]
    pub topics: Vec<Topic>,
}

/// What hooks are told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Topic {
    /// A run came to its end.
    #[serde(rename = "run.ended")]
    RunEnded,
    /// A run waits for a human.
    #[serde(rename = "run.waiting")]
    RunWaiting,
    /// Anything became of a purchase.
    #[serde(rename = "purchase.*")]
    Purchases,
}

/// A hook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hook {
    /// Its id.
    pub id: String,
    /// `active`, or `disabled`: by its owner, or because the address said that it is gone.
    pub state: String,
    /// Where it is told.
    pub url: String,
    /// What it is told of. Nothing named is everything.
    pub topics: Vec<Topic>,
    /// What signs its deliveries: only in the answer to whoever made it, and never again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// A hook as it is kept. Its secrets are in the vault.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kept {
    pub(super) url: String,
    pub(super) topics: Vec<Topic>,
    /// Until when the secret before this one is good too.
    #[serde(default)]
    pub(super) before_until: Option<Timestamp>,
}

/// Has an organisation told of what happens.
pub async fn subscribe(
    market: &Market,
    turn: &mut Turn<'_>,
    NewHook { url, topics }: NewHook,
) -> Result<Hook, Refused> {
    turn.needs(Role::Owner)?;
    if url.len() > URL_CHARS_MAX {
        return Err(Refused::invalid(
            "url",
            format!("it has more than {URL_CHARS_MAX} characters"),
        ));
    }
    market.courier.judge(&url).map_err(|why| Refused::invalid("url", why))?;
    if active(&mut turn.rows()).await?.len() >= HOOKS_MAX {
        let why = format!("there are {HOOKS_MAX} hooks already: end one");
        return Err(Refused::invalid("url", why));
    }
    let id = id("hok", turn.at)?;
    let kept = Kept { url, topics, before_until: None };
    let (body, at) = (text(&id, &kept)?, turn.at);
    let first = Change { id: &id, state: "active", body: &body, at };
    turn.rows().add(Noun::Hook, None, first).await?;
    let secret = seal::renew(&mut turn.rows(), &market.masters, &id, (at, at)).await?;
    Ok(Hook { secret: Some(secret), ..view(&turn.own(Noun::Hook, &id).await?)? })
}

/// Gives a hook another secret. The one before signs beside it for [`OVERLAP_SECS`].
pub async fn renew(market: &Market, turn: &mut Turn<'_>, id: &str) -> Result<Hook, Refused> {
    turn.needs(Role::Owner)?;
    let record = open(turn, id).await?;
    let mut kept: Kept = read(&record)?;
    let until = turn.at.millis().saturating_add(OVERLAP_SECS.saturating_mul(1000));
    let until = Timestamp::from_millis(until).unwrap_or(Timestamp::MAX);
    kept.before_until = Some(until);
    let (body, at) = (text(id, &kept)?, turn.at);
    let change = Change { id, state: "active", body: &body, at };
    turn.rows().step(Noun::Hook, record.version, change).await?;
    let secret = seal::renew(&mut turn.rows(), &market.masters, id, (at, until)).await?;
    Ok(Hook { secret: Some(secret), ..view(&turn.own(Noun::Hook, id).await?)? })
}

/// Ends a hook: it is told nothing more, and its secrets are destroyed.
pub async fn end(turn: &mut Turn<'_>, id: &str) -> Result<Hook, Refused> {
    turn.needs(Role::Owner)?;
    let record = open(turn, id).await?;
    let at = turn.at;
    close(&mut turn.rows(), &record, at).await?;
    view(&turn.own(Noun::Hook, id).await?)
}

/// A hook as people see it.
pub fn view(record: &Record) -> Result<Hook, Refused> {
    let Kept { url, topics, before_until: _ } = read(record)?;
    Ok(Hook { id: record.id.clone(), state: record.state.clone(), url, topics, secret: None })
}

/// The hooks that are told.
pub(super) async fn active(rows: &mut OrgTx<'_>) -> Result<Vec<Record>, Refused> {
    Ok(rows.list(Noun::Hook, "active", "").await?)
}

pub(super) async fn close(
    rows: &mut OrgTx<'_>,
    record: &Record,
    at: Timestamp,
) -> Result<(), Refused> {
    let change = Change { id: &record.id, state: "disabled", body: &record.body, at };
    rows.step(Noun::Hook, record.version, change).await?;
    rows.erase(&record.id, at).await?;
    Ok(())
}

async fn open(turn: &mut Turn<'_>, id: &str) -> Result<Record, Refused> {
    let record = turn.own(Noun::Hook, id).await?;
    if record.state == "active" {
        return Ok(record);
    }
    let (id, state) = (id.to_owned(), record.state);
    Err(Refused::NotNow { what: "hook", id, state, act: "this" })
}

impl Topic {
    /// All of them. What the house tells itself is none.
    pub(super) const ALL: [Self; 3] = [Self::RunEnded, Self::RunWaiting, Self::Purchases];

    /// Whether it names what a message is about.
    pub(super) fn names(self, topic: &str) -> bool {
        match self {
            Self::RunEnded => topic == "run.ended",
            Self::RunWaiting => topic == "run.waiting",
            Self::Purchases => topic.starts_with("purchase."),
        }
    }
}
