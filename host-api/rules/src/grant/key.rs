//! The keys of grants. They sign and verify grants and nothing else: no other part of the house
//! takes a [`GrantKey`], and this one takes no other key.

use std::fmt;
use std::ops::Range;

use envelope_evidence::Timestamp;
use envelope_evidence::key::{ForGrants, PublicKey, SigningKey};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::Token;
use crate::denial::{Code, Denial};
use crate::jws::{self, Compact, Mac};

/// The most keys in a ring: the current and the next of a few generations, not of many owners.
pub const KEYS_MAX: usize = 32;

/// One key: its id, its one algorithm, and when it is alive. Never printed, wiped when dropped.
pub struct GrantKey {
    kid: String,
    live: Range<Timestamp>,
    /// The encoded headers this key accepts; it signs under the first.
    headers: Vec<String>,
    secret: Secret,
}

enum Secret {
    Hs256(Mac),
    Ed25519(Box<SigningKey<ForGrants>>),
    Ed25519Public(PublicKey),
}

impl GrantKey {
    /// A key for grants inside one runtime. `live` runs from not-before to, exclusive, not-after.
    pub fn hs256(kid: &str, secret: &[u8; 32], live: Range<Timestamp>) -> Result<Self, BadKey> {
        let mac = Mac::new(secret).ok_or(BadKey::Secret)?;
        Self::new(kid, &["HS256"], live, Secret::Hs256(mac))
    }

    /// A key that signs grants for other organisations.
    pub fn ed25519(
        kid: &str,
        key: SigningKey<ForGrants>,
        live: Range<Timestamp>,
    ) -> Result<Self, BadKey> {
        Self::new(kid, &["EdDSA", "Ed25519"], live, Secret::Ed25519(Box::new(key)))
    }

    /// A key that verifies the grants of another organisation, and cannot sign.
    pub fn ed25519_public(
        kid: &str,
        public: PublicKey,
        live: Range<Timestamp>,
    ) -> Result<Self, BadKey> {
        Self::new(kid, &["EdDSA", "Ed25519"], live, Secret::Ed25519Public(public))
    }

    /// The key's id.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    fn new(
        kid: &str,
        algorithms: &[&str],
        live: Range<Timestamp>,
        secret: Secret,
    ) -> Result<Self, BadKey> {
        if !jws::is_kid(kid) {
            return Err(BadKey::Kid);
        }
        if live.is_empty() {
            return Err(BadKey::Dead(kid.to_owned()));
        }
        let headers = algorithms.iter().map(|alg| jws::header(alg, kid)).collect();
        Ok(Self { kid: kid.to_owned(), live, headers, secret })
    }

    fn accepts(&self, header: &str) -> bool {
        self.headers.iter().any(|accepted| accepted == header)
    }

    fn verifies(&self, signed: &[u8], signature: &[u8]) -> bool {
        match &self.secret {
            Secret::Hs256(mac) => mac.verify(signed, signature),
            Secret::Ed25519(key) => verifies(&key.public(), signed, signature),
            Secret::Ed25519Public(public) => verifies(public, signed, signature),
        }
    }

    fn sign(&self, payload: &[u8]) -> Option<Token> {
        let header = self.headers.first()?;
        let signed = format!("{header}.{}", jws::encode(payload));
        let signature = match &self.secret {
            Secret::Hs256(mac) => jws::encode(&mac.tag(signed.as_bytes())),
            Secret::Ed25519(key) => jws::encode(&key.sign(signed.as_bytes())),
            Secret::Ed25519Public(_) => return None,
        };
        Some(Token(Zeroizing::new(format!("{signed}.{signature}"))))
    }
}

fn verifies(key: &PublicKey, signed: &[u8], signature: &[u8]) -> bool {
    signature.try_into().is_ok_and(|signature| key.verifies(signed, signature))
}

impl fmt::Debug for GrantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrantKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// The keys of one organisation. Its grants are judged with its ring, so that no other
/// organisation's key can speak for its files.
///
/// Rotation is by overlap: the newest live key signs, every live key verifies. A retired key is
/// kept until the last grant it signed has expired, [`LIFE_SECS_MAX`](super::LIFE_SECS_MAX) later.
#[derive(Debug, Default)]
pub struct GrantKeys(Vec<GrantKey>);

impl GrantKeys {
    /// The ring of `keys`: at most [`KEYS_MAX`], no id twice.
    pub fn new(keys: Vec<GrantKey>) -> Result<Self, BadKey> {
        if keys.len() > KEYS_MAX {
            return Err(BadKey::TooMany);
        }
        let mut kids: Vec<&str> = keys.iter().map(GrantKey::kid).collect();
        kids.sort_unstable();
        for pair in kids.windows(2) {
            if let [one, other] = pair
                && one == other
            {
                return Err(BadKey::Twice((*one).to_owned()));
            }
        }
        Ok(Self(keys))
    }

    /// Whether a key that is alive now signed `token`. Allocates nothing when it did.
    pub(super) fn verify(&self, token: &Compact<'_>, now: Timestamp) -> Result<(), Denial> {
        let fits = |key: &&GrantKey| key.accepts(token.header) && key.live.contains(&now);
        let key = self.0.iter().find(fits).ok_or_else(|| stranger(token))?;
        let right = jws::with_signature(token.signature, |signature| {
            key.verifies(token.signed.as_bytes(), signature)
        });
        match right {
            Ok(true) => Ok(()),
            Ok(false) => Err(Denial::new(Code::GrantSignature, format!("key `{}`", key.kid))),
            Err(bad) => Err(Denial::new(Code::GrantMalformed, bad)),
        }
    }

    /// The token of `payload` under the newest key that is alive now and can sign.
    pub(super) fn sign(&self, payload: &[u8], now: Timestamp) -> Result<Token, Denial> {
        let signs = |key: &&GrantKey| !matches!(key.secret, Secret::Ed25519Public(_));
        let live = self.0.iter().filter(signs).filter(|key| key.live.contains(&now));
        live.max_by_key(|key| key.live.start)
            .and_then(|key| key.sign(payload))
            .ok_or_else(|| Denial::new(Code::GrantKey, "no key that can sign is alive"))
    }
}

/// Why no key fits: the header is none at all, or it names a key that is not here or not alive.
fn stranger(token: &Compact<'_>) -> Denial {
    if jws::is_header(token.header) {
        Denial::new(Code::GrantKey, "")
    } else {
        Denial::new(Code::GrantMalformed, jws::BadToken::Header)
    }
}

/// Keys that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// An id that would need escaping in a header.
    #[error("a key id is 1 to {} letters, digits, `-`, `_` or `.`", jws::KID_BYTES_MAX)]
    Kid,
    /// A key that is alive at no time.
    #[error("key `{0}` ends before it begins: give a not-after later than its not-before")]
    Dead(String),
    /// A secret that the MAC does not take.
    #[error("the secret is of no use to HMAC-SHA256")]
    Secret,
    /// One id for two keys.
    #[error("key `{0}` is listed twice")]
    Twice(String),
    /// More than [`KEYS_MAX`].
    #[error("a ring holds at most {KEYS_MAX} keys: delete the retired ones")]
    TooMany,
}

/// The secret of key `kid` of organisation `org`, from the runtime's master secret: HKDF-SHA256
/// with the info `envelope/grant/v1|org|kid`. A key id holds no `|`, so two infos never coincide.
pub fn derive(master: &[u8; 32], org: &str, kid: &str) -> Option<Zeroizing<[u8; 32]>> {
    if !jws::is_kid(kid) {
        return None;
    }
    hkdf(master, format!("envelope/grant/v1|{org}|{kid}").as_bytes())
}

/// RFC 5869 without a salt, for one block of output.
fn hkdf(input: &[u8], info: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let hmac = |key: &[u8]| Hmac::<Sha256>::new_from_slice(key).ok();
    let extracted = hmac(&[0; 32])?.chain_update(input).finalize().into_bytes();
    let extracted = Zeroizing::<[u8; 32]>::new(extracted.into());
    let block = hmac(extracted.as_slice())?.chain_update(info).chain_update([1]).finalize();
    Some(Zeroizing::new(block.into_bytes().into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use envelope_evidence::digest::hex;

    #[test]
    fn derivation_follows_rfc_5869() {
        let output = hkdf(&[0x0b; 22], b"").unwrap();
        let wanted = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d";
        assert_eq!(hex(output.as_slice()), wanted);
    }

    #[test]
    fn organisations_and_keys_have_secrets_of_their_own() {
        let secret = |org, kid| derive(&[7; 32], org, kid).unwrap();
        assert_eq!(*secret("acme", "1"), *secret("acme", "1"));
        assert_ne!(*secret("acme", "1"), *secret("acme", "2"));
        assert_ne!(*secret("acme", "1"), *secret("acme2", "1"));
        assert!(derive(&[7; 32], "acme", "eu|1").is_none(), "that of `1` of `acme|eu`");
    }
}
