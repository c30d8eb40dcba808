//! What a hook is told, and how that went.

use envelope_evidence::Timestamp;
use envelope_evidence::time::Rfc3339;
use envelope_store::OrgTx;
use envelope_store::noun::{Change, Noun, Record};
use envelope_store::outbox::{ERRAND, Message};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::hook::{self, Topic, active};
use crate::turn::{read, text};
use crate::{Refused, Role, Turn, id};

/// A delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// Its id, which the address is told as `webhook-id`.
    pub id: String,
    /// The hook.
    pub hook: String,
    /// `due`, `delivered`, or `failed`: nobody tries any more.
    pub state: String,
    /// What it is about.
    pub topic: String,
    /// When that happened.
    pub at: String,
    /// How often it was tried.
    pub tries: u64,
    /// What came of the last try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
}

/// A delivery as it is kept.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kept {
    pub(super) topic: String,
    pub(super) at: Timestamp,
    /// What is sent: the same however often.
    pub(super) body: String,
    pub(super) tries: u64,
    pub(super) last: Option<String>,
}

/// What a courier is sent with.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Errand {
    pub(super) delivery: String,
}

/// Makes a delivery of `message` for every hook that wants it.
pub(crate) async fn spread(
    rows: &mut OrgTx<'_>,
    message: &Message,
    at: Timestamp,
) -> Result<(), Refused> {
    if !Topic::ALL.iter().any(|topic| topic.names(&message.topic)) {
        return Ok(());
    }
    for record in active(rows).await? {
        let hook::Kept { topics, .. } = read(&record)?;
        if !topics.is_empty() && !topics.iter().any(|topic| topic.names(&message.topic)) {
            continue;
        }
        let data: Value = serde_json::from_str(&message.body)
            .map_err(|why| Refused::kept(&message.topic, why))?;
        let body = serde_json::json!({
            "type": message.topic, "timestamp": Rfc3339(at), "data": data,
        });
        let (topic, body) = (message.topic.clone(), body.to_string());
        let kept = Kept { topic, at, body, tries: 0, last: None };
        let id = id("dlv", at)?;
        let body = text(&id, &kept)?;
        let first = Change { id: &id, state: "due", body: &body, at };
        rows.add(Noun::Delivery, Some(&record.id), first).await?;
        errand(rows, &id, at).await?;
    }
    Ok(())
}

/// Has a delivery tried again that nobody tries any more.
pub async fn again(turn: &mut Turn<'_>, id: &str) -> Result<Delivery, Refused> {
    turn.needs(Role::Owner)?;
    let record = turn.own(Noun::Delivery, id).await?;
    if record.state == "due" {
        let (id, state) = (id.to_owned(), record.state);
        return Err(Refused::NotNow { what: "delivery", id, state, act: "another try" });
    }
    let at = turn.at;
    let change = Change { id, state: "due", body: &record.body, at };
    turn.rows().step(Noun::Delivery, record.version, change).await?;
    errand(&mut turn.rows(), id, at).await?;
    view(&turn.own(Noun::Delivery, id).await?)
}

/// The deliveries of a hook, by id, from the one after `after`.
pub async fn deliveries(
    turn: &mut Turn<'_>,
    hook: &str,
    after: &str,
) -> Result<Vec<Delivery>, Refused> {
    turn.needs(Role::Owner)?;
    turn.own(Noun::Hook, hook).await?;
    let rows = turn.rows().below(Noun::Delivery, hook, after).await?;
    rows.iter().map(view).collect()
}

fn view(record: &Record) -> Result<Delivery, Refused> {
    let Kept { topic, at, tries, last, body: _ } = read(record)?;
    let hook = record.parent.clone().unwrap_or_default();
    let (id, state) = (record.id.clone(), record.state.clone());
    Ok(Delivery { id, hook, state, topic, at: at.to_string(), tries, last })
}

async fn errand(rows: &mut OrgTx<'_>, id: &str, at: Timestamp) -> Result<(), Refused> {
    let errand = text(id, &Errand { delivery: id.to_owned() })?;
    Ok(rows.announce(ERRAND, &errand, at).await?)
}
