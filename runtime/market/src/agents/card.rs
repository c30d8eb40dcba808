//! The card of what is offered, signed by its agent in the compact form of JWS, as every JOSE
//! library reads it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use envelope_store::Found;
use envelope_store::noun::Noun;
use serde_json::{Value, json};

use super::publish::Release;
use super::register::Agent;
use crate::papers::listing::{self, Offer};
use crate::turn::read;
use crate::{Market, Refused, Turn, keys};

/// The card of an offer, or of a draft of whoever asks.
pub async fn card(market: &Market, turn: &mut Turn<'_>, listing: &str) -> Result<String, Refused> {
    let (org, record) = match turn.own(Noun::Listing, listing).await {
        Ok(record) => (turn.who.org.clone(), record),
        Err(Refused::Unknown { .. }) => {
            let Found { org, record } = listing::found(turn.tx, listing).await?;
            (org, record)
        }
        Err(refused) => return Err(refused),
    };
    let offer: Offer = read(&record)?;
    let mut rows = turn.tx.of(&org);
    let unknown = |what, id: &str| Refused::Unknown { what, id: id.to_owned() };
    let agent = rows.get(Noun::Agent, &offer.agent).await?;
    let agent: Agent = read(&agent.ok_or_else(|| unknown("agents", &offer.agent))?)?;
    let release = rows.get(Noun::Release, &offer.release).await?;
    let release: Release = read(&release.ok_or_else(|| unknown("releases", &offer.release))?)?;
    let key = keys::kept_of_agent(&mut rows, &market.masters, &agent.id).await?;
    let key = key.ok_or_else(|| unknown("keys", &agent.id))?;
    let header = json!({ "alg": "EdDSA", "kid": key.id(), "typ": "card+jwt" });
    let claims = json!({
        "iss": agent.did, "sub": agent.did, "version": release.version,
        "component": release.component, "card_digest": release.card_digest, "card": release.card,
    });
    let part = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let signed = format!("{}.{}", part(&header), part(&claims));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()));
    Ok(format!("{signed}.{signature}"))
}
