//! The X25519 keys of those who may read a side letter.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envelope_evidence::Digest;
pub(super) use hpke::kem::X25519HkdfSha256 as Kem;
use hpke::{Deserializable as _, Kem as _, Serializable as _};
use zeroize::Zeroizing;

/// The X25519 key of somebody who may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReaderKey([u8; 32]);

/// The secret half. Wiped when dropped and never printed.
pub struct ReaderSecret(Zeroizing<[u8; 32]>);

/// Text that is not the PEM of an X25519 public key, byte for byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the PEM of an X25519 public key (`BEGIN PUBLIC KEY`, one line of base64)")]
pub struct BadReaderKey;

/// DER of `SubjectPublicKeyInfo` for X25519 (RFC 8410) up to the 32 bytes of the key.
const SPKI_PREFIX: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x03, 0x21, 0x00];

const PEM_BEGIN: &str = "-----BEGIN PUBLIC KEY-----\n";
const PEM_END: &str = "\n-----END PUBLIC KEY-----\n";

impl ReaderKey {
    /// A key by its 32 bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The id: hexadecimal SHA-256 of the key's SPKI DER, as for signing keys.
    pub fn id(&self) -> String {
        Digest::of_parts(&[&SPKI_PREFIX, &self.0]).hex()
    }

    /// The PEM text that OpenSSL and every other tool reads.
    pub fn to_pem(&self) -> String {
        let der = [SPKI_PREFIX.as_slice(), &self.0].concat();
        format!("{PEM_BEGIN}{}{PEM_END}", STANDARD.encode(der))
    }

    /// Reads exactly what [`ReaderKey::to_pem`] writes. A weak key is told when a letter is sealed
    /// for it.
    pub fn from_pem(text: &str) -> Result<Self, BadReaderKey> {
        let body = text.strip_prefix(PEM_BEGIN).and_then(|rest| rest.strip_suffix(PEM_END));
        let der = STANDARD.decode(body.ok_or(BadReaderKey)?).map_err(|_| BadReaderKey)?;
        let key = der.strip_prefix(&SPKI_PREFIX).ok_or(BadReaderKey)?;
        key.try_into().map(Self).map_err(|_| BadReaderKey)
    }
}

impl ReaderSecret {
    /// A key from 32 secret random bytes, which are the caller's to make and to keep.
    pub fn from_secret(secret: &Zeroizing<[u8; 32]>) -> Self {
        Self(secret.clone())
    }

    /// The public half.
    pub fn public(&self) -> ReaderKey {
        let public = self.hpke().map(|secret| Kem::sk_to_pk(&secret).to_bytes().into());
        ReaderKey(public.unwrap_or_default())
    }

    pub(super) fn hpke(&self) -> Option<<Kem as hpke::Kem>::PrivateKey> {
        <Kem as hpke::Kem>::PrivateKey::from_bytes(self.0.as_slice()).ok()
    }
}

impl fmt::Debug for ReaderSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReaderSecret({})", self.public().id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pem_has_one_spelling() {
        let key = ReaderSecret::from_secret(&[7; 32].into()).public();
        let pem = key.to_pem();
        assert_eq!(ReaderKey::from_pem(&pem), Ok(key));
        let signs = pem.replace("MCowBQYDK2Vu", "MCowBQYDK2Vw");
        assert_ne!(signs, pem);
        for other in [pem.trim_end(), &pem.replace('\n', "\r\n"), &format!(" {pem}"), "", &signs] {
            assert_eq!(ReaderKey::from_pem(other), Err(BadReaderKey));
        }
    }
}
