//! What has to be new for every run: names, a seed, the time.

use envelope_engine::local::Fresh;
use envelope_evidence::{Digest, Label, Timestamp};
/// What time it is.
pub(crate) use envelope_node::now;
use envelope_rules::grant::Jti;

use crate::home::NoKeys;

/// Fresh names, and the seed `given` or a new one.
pub(crate) fn fresh(given: Option<Digest>) -> Result<Fresh, NoKeys> {
    let now = now();
    let run = format!("run_{}", ulid(now)?.to_lowercase());
    let grant = format!("grt_{}", ulid(now)?);
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(NoKeys::Chance)?;
    let jti = Jti::parse(&grant).map_err(|_| NoKeys::Home)?;
    Ok(Fresh {
        run: Label::cut(&run),
        jti,
        seed: given.unwrap_or(Digest::from_bytes(seed)),
        now,
        caller: Label::cut("local"),
    })
}

/// A name that sorts by time and is never made twice: 48 bits of time, 80 of chance.
fn ulid(now: Timestamp) -> Result<String, NoKeys> {
    let mut chance = [0; 16];
    getrandom::fill(&mut chance).map_err(NoKeys::Chance)?;
    let chance = u128::from_be_bytes(chance) & ((1 << 80) - 1);
    Ok(envelope_evidence::ulid((u128::from(now.millis()) << 80) | chance))
}
