//! API keys: shown once, known again by a digest.

use envelope_evidence::Digest;
use envelope_store::noun::{Change, Noun, Record};
use envelope_store::{Found, Tx};
use envelope_terms::contract::Title;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use super::user;
use crate::keys::chance;
use crate::turn::{read, text};
use crate::{Refused, Role, Turn, Who, id};

/// With what every key begins, so that whoever scans for secrets finds it.
const START: &str = "env_live_";

/// Characters of the id, of the secret, and of the checksum at the end.
const ID: usize = 26;
const SECRET: usize = 64;
const CHECK: usize = 8;

/// A new key.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// What it is for.
    pub name: Title,
    /// Whose it is: it may do what they may. Without a name it is whoever asks.
    #[serde(default)]
    pub user: Option<String>,
}

/// A key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Its id.
    pub id: String,
    /// `active` or `revoked`.
    pub state: String,
    /// What it is for.
    pub name: Title,
    /// Whose it is.
    pub user: String,
    /// The key itself: only in the answer to whoever made it, and never again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    user: String,
    name: Title,
    secret: Digest,
}

/// Makes a key: for whoever acts, or, as an owner, for somebody of the organisation.
pub async fn issue(turn: &mut Turn<'_>, NewKey { name, user }: NewKey) -> Result<Key, Refused> {
    let user = user.unwrap_or_else(|| turn.who.user.clone());
    if user != turn.who.user {
        turn.needs(Role::Owner)?;
        let record = turn.own(Noun::User, &user).await?;
        let user::Kept { roles } = read(&record)?;
        // A key for somebody who may do more would be a way to do it.
        if roles.contains(&Role::Operator) {
            turn.needs(Role::Operator)?;
        }
    }
    make(turn, name, user).await
}

pub(crate) async fn make(turn: &mut Turn<'_>, name: Title, user: String) -> Result<Key, Refused> {
    let id = id("key", turn.at)?;
    let secret = Digest::from_bytes(chance()?).hex();
    let kept = Kept { user: user.clone(), name: name.clone(), secret: digest(&secret) };
    let (body, at) = (text(&id, &kept)?, turn.at);
    let first = Change { id: &id, state: "active", body: &body, at };
    turn.rows().add(Noun::Credential, Some(&user), first).await?;
    let start = format!("{START}{}{secret}", id.trim_start_matches("key_"));
    let token = Some(format!("{start}{}", check(&start)));
    Ok(Key { id, state: "active".to_owned(), name, user, token })
}

/// Takes a key back, at once.
pub async fn revoke(turn: &mut Turn<'_>, id: &str) -> Result<Key, Refused> {
    let record = turn.own(Noun::Credential, id).await?;
    if !is_key(&record) {
        return Err(Refused::Unknown { what: "keys", id: id.to_owned() });
    }
    let Kept { user, .. } = read(&record)?;
    if user != turn.who.user {
        turn.needs(Role::Owner)?;
    }
    if record.state == "active" {
        let change = Change { id, state: "revoked", body: &record.body, at: turn.at };
        turn.rows().step(Noun::Credential, record.version, change).await?;
    }
    view(&turn.own(Noun::Credential, id).await?)
}

/// Whether a credential is a key: there are passwords too, whose names sort after all keys.
pub fn is_key(record: &Record) -> bool {
    record.id.starts_with("key_")
}

/// A key as people see it.
pub fn view(record: &Record) -> Result<Key, Refused> {
    let Kept { user, name, secret: _ } = read(record)?;
    let (id, state) = (record.id.clone(), record.state.clone());
    Ok(Key { id, state, name, user, token: None })
}

/// Whose key `token` is, if it is one, and neither it nor its user was taken back.
pub async fn who(tx: &mut Tx, token: &str) -> Result<Option<Who>, Refused> {
    let Some((id, secret)) = parts(token) else { return Ok(None) };
    let Some(Found { org, record }) = tx.credential(&format!("key_{id}")).await? else {
        return Ok(None);
    };
    let Kept { user, secret: kept, .. } = read(&record)?;
    let same = digest(secret).as_bytes().ct_eq(kept.as_bytes());
    if !bool::from(same) || record.state != "active" {
        return Ok(None);
    }
    user::acting(tx, org, user).await
}

/// The id and the secret in a token whose checksum holds.
fn parts(token: &str) -> Option<(&str, &str)> {
    let rest = token.strip_prefix(START)?;
    let (id, rest) = rest.split_at_checked(ID)?;
    let (secret, last) = rest.split_at_checked(SECRET)?;
    let start = token.get(..token.len().checked_sub(CHECK)?)?;
    (last.len() == CHECK && last == check(start)).then_some((id, secret))
}

/// What a typing error would not have.
fn check(start: &str) -> String {
    Digest::of(start.as_bytes()).hex().chars().take(CHECK).collect()
}

fn digest(secret: &str) -> Digest {
    Digest::of(secret.as_bytes())
}
