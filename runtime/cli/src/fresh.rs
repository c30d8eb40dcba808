//! What has to be new for every run: names, a seed, the time.

use envelope_engine::local::Fresh;
use envelope_evidence::{Digest, Label, Timestamp};
use envelope_rules::grant::Jti;

use crate::home::NoKeys;

const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

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

/// What time it is.
#[expect(clippy::disallowed_methods, reason = "a command runs now")]
pub(crate) fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let millis = since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0));
    Timestamp::from_millis(millis).unwrap_or(Timestamp::ZERO)
}

/// A name that sorts by time and is never made twice: 48 bits of time, 80 of chance.
fn ulid(now: Timestamp) -> Result<String, NoKeys> {
    let mut chance = [0; 16];
    getrandom::fill(&mut chance).map_err(NoKeys::Chance)?;
    let chance = u128::from_be_bytes(chance) & ((1 << 80) - 1);
    let value = (u128::from(now.millis()) << 80) | chance;
    let digit = |place: u32| {
        let index = usize::try_from((value >> (5 * place)) & 31).unwrap_or(0);
        char::from(DIGITS.get(index).copied().unwrap_or(b'0'))
    };
    Ok((0..26).rev().map(digit).collect())
}
