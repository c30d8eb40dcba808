//! An organisation joins, with the first of its people.

use std::collections::BTreeSet;

use envelope_store::Org;
use envelope_store::noun::{Change, Noun};
use envelope_terms::contract::{Email, Title};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::key::{self, Key};
use super::user::{self, NewUser, User};
use crate::shape::OrgShape;
use crate::turn::{read, text};
use crate::{Market, Refused, Role, Turn, Who};

/// Bytes that an organisation may keep until somebody says otherwise.
pub const QUOTA: i64 = 10 << 30;

/// A new organisation.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrganisation {
    /// Its id, for good: small letters, digits and, within, `-`.
    #[schemars(with = "OrgShape")]
    pub id: String,
    /// What it is called.
    pub name: Title,
    /// The first of its people, who owns it.
    pub owner: Owner,
}

/// Whoever owns an organisation first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Owner {
    /// Their name.
    pub name: Title,
    /// Where they are reached.
    pub email: Email,
}

/// An organisation that joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Joined {
    /// The organisation.
    pub organisation: Organisation,
    /// Its owner.
    pub owner: User,
    /// The owner's first key, shown this once.
    pub key: Key,
}

/// An organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Organisation {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: Title,
}

/// The operator lets an organisation join.
pub async fn join(
    market: &Market,
    turn: &mut Turn<'_>,
    new: NewOrganisation,
) -> Result<Joined, Refused> {
    turn.needs(Role::Operator)?;
    found(market, turn, new, BTreeSet::from([Role::Owner])).await
}

/// Makes an organisation, whose first user has `roles`. For the very first one nobody is there yet
/// to say so.
pub async fn found(
    market: &Market,
    turn: &mut Turn<'_>,
    NewOrganisation { id, name, owner }: NewOrganisation,
    roles: BTreeSet<Role>,
) -> Result<Joined, Refused> {
    let org = Org::new(&id).map_err(|why| Refused::invalid("id", why))?;
    if turn.tx.of(&org).get(Noun::Organisation, &id).await?.is_some() {
        return Err(Refused::Exists { what: "organisation", id });
    }
    let organisation = Organisation { id, name };
    let (body, at) = (text(org.as_str(), &organisation)?, turn.at);
    let first = Change { id: org.as_str(), state: "active", body: &body, at };
    turn.tx.of(&org).add(Noun::Organisation, None, first).await?;
    turn.tx.of(&org).set_quota(QUOTA).await?;
    let who = Who::house(org);
    let mut turn = Turn { tx: turn.tx, who: &who, at };
    let Owner { name, email } = owner;
    let owner = user::join(market, &mut turn, NewUser { name, email, roles }).await?;
    let named = Title::new("the first key").map_err(|why| Refused::invalid("name", why))?;
    let key = key::make(&mut turn, (named, owner.id.clone()), false).await?;
    Ok(Joined { organisation, owner, key })
}

/// The organisation of whoever acts.
pub async fn own(turn: &mut Turn<'_>) -> Result<Organisation, Refused> {
    let id = turn.who.org.to_string();
    read(&turn.own(Noun::Organisation, &id).await?)
}
