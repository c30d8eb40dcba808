//! By which keys an agent is known to everybody.

use envelope_evidence::key::PublicKey;
use envelope_store::signers::State;
use envelope_store::{Found, Tx};

use super::register::Agent;
use crate::Refused;
use crate::turn::read;

/// An agent and the keys that sign for it now. A key that was revoked is none of them.
pub async fn identity(tx: &mut Tx, id: &str) -> Result<(Agent, Vec<PublicKey>), Refused> {
    let unknown = || Refused::Unknown { what: "agents", id: id.to_owned() };
    let Found { org, record } = tx.agent(id).await?.ok_or_else(unknown)?;
    let agent: Agent = read(&record)?;
    let Some(pem) = &agent.key else { return Ok((agent, Vec::new())) };
    let own = PublicKey::from_pem(pem).map_err(|why| Refused::kept(id, why))?;
    let known = tx.of(&org).keys().await?;
    let good = known.iter().any(|key| key.record.key == own && key.state != State::Revoked);
    let keys = Vec::from_iter(good.then_some(own));
    Ok((agent, keys))
}
