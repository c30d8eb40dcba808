//! Passwords: kept as what argon2id makes of them, and found by an address that nobody reads there.

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use envelope_evidence::Digest;
use envelope_evidence::digest::{bytes_of_hex, hex};
use envelope_store::noun::{Change, Noun};
use envelope_store::{Org, Tx};
use envelope_terms::contract::Email;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{session, user};
use crate::keys::chance;
use crate::turn::{read, text};
use crate::{Market, Refused, Turn};

/// Characters of a password: fewer are guessed, more are no password.
const CHARS: std::ops::RangeInclusive<usize> = 12..=256;

/// What a guess costs: KiB of memory, and passes over it.
const MEMORY: u32 = 19 * 1024;
const PASSES: u32 = 2;

/// A password as somebody typed it. It is printed nowhere.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let typed = Zeroizing::new(String::deserialize(from)?);
        let (least, most) = (CHARS.start(), CHARS.end());
        if CHARS.contains(&typed.chars().count()) {
            Ok(Self(typed))
        } else {
            Err(D::Error::custom(format!("a password has {least} to {most} characters")))
        }
    }
}

impl JsonSchema for Password {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Password".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "minLength": CHARS.start(), "maxLength": CHARS.end(),
            "writeOnly": true,
        })
    }
}

/// A new password.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// The new one.
    pub password: Password,
    /// The one before, if there is one.
    #[serde(default)]
    pub before: Option<Password>,
}

/// Who says that they are whom.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The organisation, by its id.
    pub organisation: String,
    /// Their address.
    pub email: Email,
    /// Their password.
    pub password: Password,
}

/// What is kept of a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    user: String,
    salt: String,
    hash: Digest,
    memory: u32,
    passes: u32,
}

impl Kept {
    /// What is kept of `password` of `user`. It takes a while, and much memory.
    pub fn of(user: &str, Password(typed): &Password) -> Result<Self, Refused> {
        let salt = chance()?;
        let hash = hashed(typed, &salt, (MEMORY, PASSES))?;
        let salt = hex(&salt);
        Ok(Self { user: user.to_owned(), salt, hash, memory: MEMORY, passes: PASSES })
    }

    /// Whether `password` is it. It takes a while, and much memory.
    pub fn is(&self, Password(typed): &Password) -> Result<bool, Refused> {
        let salt = bytes_of_hex::<32>(&self.salt);
        let salt = salt.ok_or_else(|| Refused::kept(&self.user, "the salt of the password"))?;
        let hash = hashed(typed, &salt, (self.memory, self.passes))?;
        Ok(hash.as_bytes().ct_eq(self.hash.as_bytes()).into())
    }

    /// Nobody's: what is compared with where there is none, so that nobody learns that by the time
    /// it takes.
    pub fn nobody() -> Self {
        let (user, salt, hash) = (String::new(), hex(&[0; 32]), Digest::from_bytes([0; 32]));
        Self { user, salt, hash, memory: MEMORY, passes: PASSES }
    }

    /// Whose it is.
    pub fn user(&self) -> &str {
        &self.user
    }
}

fn hashed(typed: &str, salt: &[u8], (memory, passes): (u32, u32)) -> Result<Digest, Refused> {
    let wrong = |why: argon2::Error| Refused::kept("password", why);
    let params = Params::new(memory, passes, 1, Some(32)).map_err(wrong)?;
    let mut hash = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(typed.as_bytes(), salt, &mut hash)
        .map_err(wrong)?;
    Ok(Digest::from_bytes(hash))
}

/// What is kept of the password of whoever has the address `email` in `org`.
pub async fn find(
    market: &Market,
    tx: &mut Tx,
    org: &Org,
    email: &Email,
) -> Result<Option<Kept>, Refused> {
    let row = tx.of(org).get(Noun::Credential, &name(market, org, email)).await?;
    row.filter(|row| row.state == "active").map(|row| read(&row)).transpose()
}

/// Whoever acts has a new password from now on, and nobody is signed in with the one before, which
/// has to be the one that was `known` when they showed it.
pub async fn set(
    market: &Market,
    turn: &mut Turn<'_>,
    (known, kept): (Option<&Kept>, &Kept),
) -> Result<(), Refused> {
    let user = user::one(market, turn, &kept.user).await?;
    let email = user.email.ok_or_else(|| Refused::invalid("user", "they were erased"))?;
    let org = turn.who.org.clone();
    if find(market, turn.tx, &org, &email).await?.as_ref() != known {
        let (what, state) = ("password", "another by now".to_owned());
        return Err(Refused::NotNow { what, id: user.id, state, act: "to change it" });
    }
    let (id, body) = (name(market, &org, &email), text(&kept.user, kept)?);
    let change = Change { id: &id, state: "active", body: &body, at: turn.at };
    match turn.rows().get(Noun::Credential, &id).await? {
        None => turn.rows().add(Noun::Credential, None, change).await?,
        Some(old) => {
            let other = old.state == "active" && read::<Kept>(&old)?.user != kept.user;
            if other {
                let why = "somebody else of the organisation signs in with this address";
                return Err(Refused::invalid("email", why));
            }
            turn.rows().step(Noun::Credential, old.version, change).await?;
        }
    }
    session::close_all(turn, &kept.user).await
}

/// Whether `user` has a password.
pub(crate) async fn is_set(
    market: &Market,
    turn: &mut Turn<'_>,
    user: &str,
) -> Result<bool, Refused> {
    let Some(email) = user::one(market, turn, user).await?.email else { return Ok(false) };
    let org = turn.who.org.clone();
    let kept = find(market, turn.tx, &org, &email).await?;
    Ok(kept.is_some_and(|kept| kept.user == user))
}

/// Nothing is kept of the password of `user` any more, and they are signed in nowhere.
pub(crate) async fn forget(
    market: &Market,
    turn: &mut Turn<'_>,
    user: &str,
) -> Result<(), Refused> {
    session::close_all(turn, user).await?;
    let Some(email) = user::one(market, turn, user).await?.email else { return Ok(()) };
    let id = name(market, &turn.who.org, &email);
    let Some(row) = turn.rows().get(Noun::Credential, &id).await? else { return Ok(()) };
    if row.state == "active" && read::<Kept>(&row)?.user == user {
        let change = Change { id: &id, state: "revoked", body: "{}", at: turn.at };
        turn.rows().step(Noun::Credential, row.version, change).await?;
    }
    Ok(())
}

/// The name of the row: an address is found by it, and does not stand in it.
fn name(market: &Market, org: &Org, email: &Email) -> String {
    let email = email.as_str().to_lowercase();
    let secret = market.grants.grants.as_slice();
    let parts = [secret, b"password", org.as_str().as_bytes(), b"\n", email.as_bytes()];
    format!("pwd_{}", Digest::of(Digest::of_parts(&parts).as_bytes()).hex())
}
