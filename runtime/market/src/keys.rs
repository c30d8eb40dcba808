//! The keys by which an organisation signs. The house keeps them, sealed, and signs when somebody
//! of the organisation says so; the public halves stand in the log from the first day.

use envelope_evidence::Timestamp;
use envelope_evidence::key::{ForAttestations, ForCards, ForDocuments, SigningKey, Use, Window};
use envelope_evidence::keyring::{KeyRecord, KeyRing};
use envelope_store::OrgTx;
use envelope_store::signers::{self, Event};
use envelope_store::vault::{Field, MasterKeys};
use zeroize::Zeroizing;

use crate::Refused;

/// Whose keys they are, in the vault: the organisation itself.
const PARTY: &str = "party";

/// The key of an agent, in the vault.
const CARD: &str = "card.key";

/// The key that signs contract documents for an organisation; made when it is first needed.
pub(crate) async fn documents(
    rows: &mut OrgTx<'_>,
    masters: &MasterKeys,
    at: Timestamp,
) -> Result<SigningKey<ForDocuments>, Refused> {
    key(rows, masters, Field { subject: PARTY, name: "documents.key" }, at).await
}

/// The key by which an organisation attests.
pub(crate) async fn attestations(
    rows: &mut OrgTx<'_>,
    masters: &MasterKeys,
    at: Timestamp,
) -> Result<SigningKey<ForAttestations>, Refused> {
    key(rows, masters, Field { subject: PARTY, name: "attestations.key" }, at).await
}

/// The key by which an agent is known: it signs its card. Made when it is registered.
pub(crate) async fn of_agent(
    rows: &mut OrgTx<'_>,
    masters: &MasterKeys,
    agent: &str,
    at: Timestamp,
) -> Result<SigningKey<ForCards>, Refused> {
    key(rows, masters, Field { subject: agent, name: CARD }, at).await
}

/// The same, of an agent that has one.
pub(crate) async fn kept_of_agent(
    rows: &mut OrgTx<'_>,
    masters: &MasterKeys,
    agent: &str,
) -> Result<Option<SigningKey<ForCards>>, Refused> {
    kept(rows, masters, Field { subject: agent, name: CARD }).await
}

/// What verifiers trust of an organisation's keys.
pub(crate) async fn ring(rows: &mut OrgTx<'_>) -> Result<KeyRing, Refused> {
    Ok(signers::ring(&rows.keys().await?)?)
}

async fn key<U: Use>(
    rows: &mut OrgTx<'_>,
    masters: &MasterKeys,
    field: Field<'_>,
    at: Timestamp,
) -> Result<SigningKey<U>, Refused> {
    if let Some(key) = kept(rows, masters, field).await? {
        return Ok(key);
    }
    let secret = Zeroizing::new(chance()?);
    let key = SigningKey::from_secret(&secret);
    rows.seal(masters, field, secret.as_slice(), (at, Timestamp::MAX)).await?;
    rows.announce_key(KeyRecord::of(&key, Window::ALWAYS), at).await?;
    rows.step_key(key.id(), Event::Activate, at).await?;
    Ok(key)
}

async fn kept<U: Use>(
    rows: &mut OrgTx<'_>,
    masters: &MasterKeys,
    field: Field<'_>,
) -> Result<Option<SigningKey<U>>, Refused> {
    let Some(kept) = rows.unseal(masters, field).await? else { return Ok(None) };
    let secret = <[u8; 32]>::try_from(kept.as_slice());
    let secret = secret.map_err(|_| Refused::kept(field.name, "it is no key"))?;
    Ok(Some(SigningKey::from_secret(&Zeroizing::new(secret))))
}

/// 32 bytes that nobody can guess.
pub(crate) fn chance() -> Result<[u8; 32], Refused> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|why| Refused::Chance(why.to_string()))?;
    Ok(bytes)
}
