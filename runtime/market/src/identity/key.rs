//! API keys: shown once, known again by a digest.

use envelope_evidence::Digest;
use envelope_store::noun::{Change, Noun, Record};
use envelope_store::{Found, Tx};
use envelope_terms::contract::Title;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use super::{password, user};
use crate::keys::chance;
use crate::turn::{read, text};
use crate::{Market, Means, Refused, Role, Turn, Who, id};

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
    /// Whose it is: it may do what they may, but for what a human decides. Without a name it is
    /// whoever asks. An owner names somebody who has no password yet: it lets them in to set one.
    #[serde(default)]
    pub user: Option<String>,
    /// Whether it counts where a human decides. Only whoever is signed in makes such a key, for
    /// themselves.
    #[serde(default)]
    pub decides: bool,
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
    /// Whether it counts where a human decides.
    pub decides: bool,
    /// The key itself: only in the answer to whoever made it, and never again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    user: String,
    name: Title,
    #[serde(default)]
    decides: bool,
    secret: Digest,
}

/// Makes a key: for whoever acts, or, as an owner, for somebody who joined and cannot sign in yet.
pub async fn issue(
    market: &Market,
    turn: &mut Turn<'_>,
    NewKey { name, user, decides }: NewKey,
) -> Result<Key, Refused> {
    let user = user.unwrap_or_else(|| turn.who.user.clone());
    let own = user == turn.who.user;
    if decides && !(own && turn.who.means == Means::Session) {
        return Err(Refused::NotHuman);
    }
    if !own {
        for_somebody(market, turn, &user).await?;
    }
    make(turn, (name, user), decides).await
}

/// Refuses a key for a `user` who does not need one from others.
async fn for_somebody(market: &Market, turn: &mut Turn<'_>, user: &str) -> Result<(), Refused> {
    turn.needs(Role::Owner)?;
    let record = turn.own(Noun::User, user).await?;
    let user::Kept { roles } = read(&record)?;
    // A key for somebody who may do more would be a way to do it.
    if roles.contains(&Role::Operator) {
        turn.needs(Role::Operator)?;
    }
    if password::is_set(market, turn, user).await? {
        return Err(Refused::invalid("user", "they sign in, and make their keys themselves"));
    }
    Ok(())
}

pub(crate) async fn make(
    turn: &mut Turn<'_>,
    (name, user): (Title, String),
    decides: bool,
) -> Result<Key, Refused> {
    let id = id("key", turn.at)?;
    let secret = Digest::from_bytes(chance()?).hex();
    let (whose, named, secret_digest) = (user.clone(), name.clone(), digest(&secret));
    let kept = Kept { user: whose, name: named, decides, secret: secret_digest };
    let (body, at) = (text(&id, &kept)?, turn.at);
    let first = Change { id: &id, state: "active", body: &body, at };
    turn.rows().add(Noun::Credential, Some(&user), first).await?;
    let start = format!("{START}{}{secret}", id.trim_start_matches("key_"));
    let token = Some(format!("{start}{}", check(&start)));
    Ok(Key { id, state: "active".to_owned(), name, user, decides, token })
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
    let Kept { user, name, decides, secret: _ } = read(record)?;
    let (id, state) = (record.id.clone(), record.state.clone());
    Ok(Key { id, state, name, user, decides, token: None })
}

/// Whose key `token` is, if it is one, and neither it nor its user was taken back.
pub async fn who(tx: &mut Tx, token: &str) -> Result<Option<Who>, Refused> {
    let Some((id, secret)) = parts(token) else { return Ok(None) };
    let Some(Found { org, record }) = tx.credential(&format!("key_{id}")).await? else {
        return Ok(None);
    };
    let Kept { user, secret: kept, decides, .. } = read(&record)?;
    let same = digest(secret).as_bytes().ct_eq(kept.as_bytes());
    if !bool::from(same) || record.state != "active" {
        return Ok(None);
    }
    let means = if decides { Means::DecidingKey } else { Means::Key };
    user::acting(tx, (org, user), means).await
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
