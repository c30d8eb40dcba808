//! Sessions: somebody is signed in, for a while. What they show is known again by its digest.

use envelope_evidence::{Digest, Timestamp};
use envelope_store::noun::{Change, Noun, Record};
use envelope_store::{Found, Tx};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::user;
use crate::keys::chance;
use crate::turn::{read, text};
use crate::{Means, Refused, Turn, Who};

/// How long somebody stays signed in, in milliseconds: a working day.
pub const LIFE: u64 = 12 * 3600 * 1000;

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// Its id, which proves nothing.
    pub id: String,
    /// `open` or `closed`.
    pub state: String,
    /// Who.
    pub user: String,
    /// Until when, in milliseconds.
    pub until: u64,
}

/// What makes a session anybody's who shows it.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The session.
    pub session: Session,
    /// What to show.
    pub token: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    user: String,
    until: Timestamp,
}

/// Signs whoever acts in.
pub async fn open(turn: &mut Turn<'_>) -> Result<Opened, Refused> {
    let token = Digest::from_bytes(chance()?).hex();
    let (id, user) = (id_of(&token), turn.who.user.clone());
    let until = Timestamp::from_millis(turn.at.millis() + LIFE).unwrap_or(Timestamp::MAX);
    let body = text(&id, &Kept { user: user.clone(), until })?;
    let first = Change { id: &id, state: "open", body: &body, at: turn.at };
    turn.rows().add(Noun::Session, Some(&user), first).await?;
    Ok(Opened { session: view(&turn.own(Noun::Session, &id).await?)?, token })
}

/// Signs out.
pub async fn close(turn: &mut Turn<'_>, id: &str) -> Result<Session, Refused> {
    let record = turn.own(Noun::Session, id).await?;
    if record.parent.as_deref() != Some(turn.who.user.as_str()) {
        return Err(Refused::Unknown { what: Noun::Session.table(), id: id.to_owned() });
    }
    end(turn, &record).await?;
    view(&turn.own(Noun::Session, id).await?)
}

/// Signs a user out everywhere.
pub(crate) async fn close_all(turn: &mut Turn<'_>, user: &str) -> Result<(), Refused> {
    let mut after = String::new();
    loop {
        let page = turn.rows().below(Noun::Session, user, &after).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after.clone_from(&last.id);
        for record in &page {
            end(turn, record).await?;
        }
    }
}

async fn end(turn: &mut Turn<'_>, record: &Record) -> Result<(), Refused> {
    if record.state == "open" {
        let (id, body, at) = (record.id.as_str(), record.body.as_str(), turn.at);
        let change = Change { id, state: "closed", body, at };
        turn.rows().step(Noun::Session, record.version, change).await?;
    }
    Ok(())
}

/// A session as people see it.
pub fn view(record: &Record) -> Result<Session, Refused> {
    let Kept { user, until } = read(record)?;
    let (id, state) = (record.id.clone(), record.state.clone());
    Ok(Session { id, state, user, until: until.millis() })
}

/// Who is signed in and shows `token`, if neither was the session closed nor its user taken back.
pub async fn who(tx: &mut Tx, token: &str, now: Timestamp) -> Result<Option<Who>, Refused> {
    let Some(Found { org, record }) = tx.session(&id_of(token)).await? else { return Ok(None) };
    let Kept { user, until } = read(&record)?;
    if record.state != "open" || now >= until {
        return Ok(None);
    }
    user::acting(tx, (org, user), Means::Session).await
}

/// The id of the session that `token` opens.
pub fn id_of(token: &str) -> String {
    format!("ses_{}", Digest::of(token.as_bytes()).hex())
}
