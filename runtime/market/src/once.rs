//! What is asked for twice under one key happens once, and is answered the same.

use envelope_evidence::{Digest, Timestamp};
use envelope_store::noun::{Change, Noun};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::turn::{read, text};
use crate::{Act, Market, Refused, Turn, Who};

/// How long an answer is given again, in milliseconds: a day, as the draft on such keys advises.
pub const AGAIN_MILLIS: u64 = 24 * 3600 * 1000;

/// The key under which somebody asks, and what they ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    id: String,
    said: Digest,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// It happened now.
    Now(Value),
    /// It happened when it was asked for first, and this was the answer.
    Before(Value),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    said: Digest,
    answer: Value,
}

struct Wrapped<'e, I, F> {
    once: Option<&'e Once>,
    input: &'e I,
    act: &'e F,
}

impl Once {
    /// The key `key` of `who`, under which they say `said`.
    pub fn new(who: &Who, key: &str, said: &[u8]) -> Self {
        let name = format!("{}\n{key}", who.user);
        Self { id: format!("ans_{}", Digest::of(name.as_bytes()).hex()), said: Digest::of(said) }
    }
}

impl Market {
    /// The same as [`act`](Self::act), and what it answers is kept in the same transaction: asked
    /// again, nothing happens, and the answer is the same.
    pub async fn act_once<I: Sync, T: Serialize + Send>(
        &self,
        asked: (&Who, Timestamp),
        once: Option<&Once>,
        input: &I,
        act: impl for<'t, 'u> Fn(&'t Self, &'t mut Turn<'u>, &'t I) -> Act<'t, T> + Sync,
    ) -> Result<Told, Refused> {
        let wrapped = Wrapped { once, input, act: &act };
        self.act(asked, &wrapped, |market, turn, wrapped| {
            Box::pin(async move {
                if let Some(before) = before(turn, wrapped.once).await? {
                    return Ok(Told::Before(before));
                }
                let done = (wrapped.act)(market, &mut *turn, wrapped.input).await?;
                let told = serde_json::to_value(&done);
                let told = told.map_err(|why| Refused::kept("answer", why))?;
                keep(turn, wrapped.once, &told).await?;
                Ok(Told::Now(told))
            })
        })
        .await
    }
}

async fn before(turn: &mut Turn<'_>, once: Option<&Once>) -> Result<Option<Value>, Refused> {
    let Some(Once { id, said }) = once else { return Ok(None) };
    let at = turn.at.millis();
    let Some(record) = turn.rows().get(Noun::Answer, id).await? else { return Ok(None) };
    if at.saturating_sub(record.changed.millis()) >= AGAIN_MILLIS {
        return Ok(None);
    }
    let kept: Kept = read(&record)?;
    if kept.said == *said { Ok(Some(kept.answer)) } else { Err(Refused::KeyReused) }
}

async fn keep(turn: &mut Turn<'_>, once: Option<&Once>, answer: &Value) -> Result<(), Refused> {
    let Some(Once { id, said }) = once else { return Ok(()) };
    let body = text(id, &Kept { said: *said, answer: answer.clone() })?;
    let change = Change { id, state: "given", body: &body, at: turn.at };
    match turn.rows().get(Noun::Answer, id).await? {
        None => turn.rows().add(Noun::Answer, None, change).await?,
        Some(old) => {
            turn.rows().step(Noun::Answer, old.version, change).await?;
        }
    }
    Ok(())
}
