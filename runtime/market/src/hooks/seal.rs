//! What a hook knows its deliveries by: a secret that both sides hold, and what it makes of a
//! delivery.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envelope_evidence::Timestamp;
use envelope_rules::jws::Mac;
use envelope_store::OrgTx;
use envelope_store::vault::{Field, MasterKeys};
use zeroize::Zeroizing;

use crate::Refused;
use crate::keys::chance;

/// With what every secret begins, as the standard wants it.
const START: &str = "whsec_";

/// Makes a secret for the hook `id`, and keeps the one it had until its time is over.
pub(super) async fn renew(
    rows: &mut OrgTx<'_>,
    masters: &MasterKeys,
    id: &str,
    (at, until): (Timestamp, Timestamp),
) -> Result<String, Refused> {
    let (secret, before) = fields(id);
    if let Some(old) = rows.unseal(masters, secret).await? {
        rows.seal(masters, before, &old, (at, until)).await?;
    }
    let new = Zeroizing::new(chance()?);
    rows.seal(masters, secret, new.as_slice(), (at, Timestamp::MAX)).await?;
    Ok(format!("{START}{}", STANDARD.encode(new.as_slice())))
}

/// The header that signs `body`, sent under `message` at `secs`: by the hook's secret, and by the
/// one before while that is `still` good. None when the hook has none any more.
pub(super) async fn signatures(
    rows: &mut OrgTx<'_>,
    masters: &MasterKeys,
    (id, still): (&str, bool),
    (message, secs, body): (&str, u64, &str),
) -> Result<Option<String>, Refused> {
    let (secret, before) = fields(id);
    let mut all = Vec::new();
    for (field, good) in [(secret, true), (before, still)] {
        let secret = if good { rows.unseal(masters, field).await? } else { None };
        if let Some(mac) = secret.and_then(|secret| Mac::new(&secret)) {
            let tag = mac.tag(format!("{message}.{secs}.{body}").as_bytes());
            all.push(format!("v1,{}", STANDARD.encode(tag)));
        }
    }
    Ok((!all.is_empty()).then(|| all.join(" ")))
}

const fn fields(id: &str) -> (Field<'_>, Field<'_>) {
    (Field { subject: id, name: "secret" }, Field { subject: id, name: "secret.before" })
}
