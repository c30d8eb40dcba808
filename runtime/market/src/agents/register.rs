//! Somebody has an agent.

use envelope_store::noun::{Change, Noun};
use envelope_terms::contract::{Did, Title};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::turn::{read, text};
use crate::{Market, Refused, Role, Turn, id, keys};

/// A new agent.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAgent {
    /// What people call it.
    pub name: Title,
}

/// An agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: Title,
    /// The identifier that contracts name, and the audience of its grants.
    pub did: Did,
    /// The key that signs for it, in PEM. The document of its identifier tells it to everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// Registers an agent of whoever acts.
pub async fn register(
    market: &Market,
    turn: &mut Turn<'_>,
    NewAgent { name }: NewAgent,
) -> Result<Agent, Refused> {
    turn.needs(Role::Author)?;
    let id = id("agt", turn.at)?;
    let did = Did::new(format!("{}:agents:{id}", market.did()))
        .map_err(|why| Refused::invalid("domain", why))?;
    let at = turn.at;
    let key = keys::of_agent(&mut turn.rows(), &market.masters, &id, at).await?;
    let agent = Agent { id, name, did, key: Some(key.public().to_pem()) };
    let body = text(&agent.id, &agent)?;
    let first = Change { id: &agent.id, state: "active", body: &body, at };
    turn.rows().add(Noun::Agent, None, first).await?;
    Ok(agent)
}

/// An agent of whoever acts.
pub(crate) async fn own(turn: &mut Turn<'_>, id: &str) -> Result<Agent, Refused> {
    read(&turn.own(Noun::Agent, id).await?)
}
