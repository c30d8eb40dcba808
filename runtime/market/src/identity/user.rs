//! The people of an organisation. What is personal about them is sealed under a key of their own,
//! so that they can be forgotten.

use std::collections::BTreeSet;

use envelope_evidence::Timestamp;
use envelope_store::noun::{Change, Noun, Record};
use envelope_store::vault::Field;
use envelope_store::{Org, Tx};
use envelope_terms::contract::{Email, Title};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::password;
use crate::shape::distinct;
use crate::turn::{read, text};
use crate::{Market, Means, Refused, Role, Turn, Who, id};

/// A new user.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// Their name.
    pub name: Title,
    /// Where they are reached.
    pub email: Email,
    /// What they may do.
    #[serde(deserialize_with = "distinct")]
    #[schemars(length(min = 1))]
    pub roles: BTreeSet<Role>,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Their id.
    pub id: String,
    /// `active`, `suspended` or `erased`.
    pub state: String,
    /// Their name; none once they are erased.
    pub name: Option<Title>,
    /// Where they are reached; none once they are erased.
    pub email: Option<Email>,
    /// What they may do.
    pub roles: BTreeSet<Role>,
    /// How often this changed.
    pub version: i64,
}

/// What the row of a user says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept {
    pub(crate) roles: BTreeSet<Role>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    name: Title,
    email: Email,
}

/// Adds a user. Nobody makes an operator but an operator.
pub async fn add(market: &Market, turn: &mut Turn<'_>, new: NewUser) -> Result<User, Refused> {
    turn.needs(Role::Owner)?;
    if new.roles.contains(&Role::Operator) {
        turn.needs(Role::Operator)?;
    }
    join(market, turn, new).await
}

/// Adds a user to the organisation of whoever acts.
pub(crate) async fn join(
    market: &Market,
    turn: &mut Turn<'_>,
    NewUser { name, email, roles }: NewUser,
) -> Result<User, Refused> {
    if roles.is_empty() {
        return Err(Refused::invalid("roles", "name one at least"));
    }
    let (id, at) = (id("usr", turn.at)?, turn.at);
    let body = text(&id, &Kept { roles })?;
    let person = text(&id, &Person { name, email })?;
    let first = Change { id: &id, state: "active", body: &body, at };
    turn.rows().add(Noun::User, None, first).await?;
    let until = (at, Timestamp::MAX);
    turn.rows().seal(&market.masters, person_of(&id), person.as_bytes(), until).await?;
    one(market, turn, &id).await
}

/// A user of the organisation of whoever acts.
pub async fn one(market: &Market, turn: &mut Turn<'_>, id: &str) -> Result<User, Refused> {
    let record = turn.own(Noun::User, id).await?;
    view(market, turn, &record).await
}

/// Changes what a user may do.
pub async fn set_roles(
    market: &Market,
    turn: &mut Turn<'_>,
    id: &str,
    roles: &BTreeSet<Role>,
) -> Result<User, Refused> {
    turn.needs(Role::Owner)?;
    let record = turn.own(Noun::User, id).await?;
    let Kept { roles: before } = read(&record)?;
    if before.contains(&Role::Operator) != roles.contains(&Role::Operator) {
        turn.needs(Role::Operator)?;
    }
    if roles.is_empty() {
        return Err(Refused::invalid("roles", "name one at least"));
    }
    let body = text(id, &Kept { roles: roles.clone() })?;
    let change = Change { id, state: &record.state, body: &body, at: turn.at };
    turn.rows().step(Noun::User, record.version, change).await?;
    one(market, turn, id).await
}

/// Whoever acts as `user` of `org`, if they were not taken back.
pub async fn acting(
    tx: &mut Tx,
    (org, user): (Org, String),
    means: Means,
) -> Result<Option<Who>, Refused> {
    let record = tx.of(&org).get(Noun::User, &user).await?;
    let Some(record) = record.filter(|record| record.state == "active") else { return Ok(None) };
    let Kept { roles } = read(&record)?;
    Ok(Some(Who { org, user, roles, means }))
}

/// Forgets a user: what is personal is destroyed, and nothing of theirs opens any more.
pub async fn erase(market: &Market, turn: &mut Turn<'_>, id: &str) -> Result<User, Refused> {
    turn.needs(Role::Owner)?;
    if turn.who.user == id {
        return Err(Refused::Party("other owners"));
    }
    let (record, at) = (turn.own(Noun::User, id).await?, turn.at);
    if read::<Kept>(&record)?.roles.contains(&Role::Operator) {
        turn.needs(Role::Operator)?;
    }
    password::forget(market, turn, id).await?;
    turn.rows().erase(id, at).await?;
    let change = Change { id, state: "erased", body: &record.body, at };
    turn.rows().step(Noun::User, record.version, change).await?;
    one(market, turn, id).await
}

/// A user as people see it.
pub async fn view(market: &Market, turn: &mut Turn<'_>, record: &Record) -> Result<User, Refused> {
    let Kept { roles } = read(record)?;
    let erased = record.state == "erased";
    let sealed = match erased {
        true => None,
        false => turn.rows().unseal(&market.masters, person_of(&record.id)).await?,
    };
    let person: Option<Person> = sealed
        .map(|sealed| serde_json::from_slice(&sealed))
        .transpose()
        .map_err(|why| Refused::kept(&record.id, why))?;
    let (name, email) = person.map(|person| (person.name, person.email)).unzip();
    let (id, state, version) = (record.id.clone(), record.state.clone(), record.version);
    Ok(User { id, state, name, email, roles, version })
}

const fn person_of(id: &str) -> Field<'_> {
    Field { subject: id, name: "person" }
}
