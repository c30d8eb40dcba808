//! XChaCha20-Poly1305 with nonces of chance, and the ring of master keys.

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use envelope_evidence::Digest;
use zeroize::Zeroizing;

use super::VaultError;

/// Bytes of a nonce: long enough that chance never repeats one.
const NONCE: usize = 24;

/// The master key in use, and older ones that something may still be sealed under.
pub struct MasterKeys {
    ring: Vec<(String, Zeroizing<[u8; 32]>)>,
    current: String,
}

impl MasterKeys {
    /// A ring of keys. What is sealed from now on is sealed under `current`.
    pub fn new(
        current: Zeroizing<[u8; 32]>,
        older: impl IntoIterator<Item = Zeroizing<[u8; 32]>>,
    ) -> Self {
        let named = |key: Zeroizing<[u8; 32]>| (name(&key), key);
        let id = name(&current);
        let ring = std::iter::once(current).chain(older).map(named).collect();
        Self { ring, current: id }
    }

    /// The name of the key in use.
    pub fn current(&self) -> &str {
        &self.current
    }

    /// Seals a key under the current one, and tells which that is.
    pub(super) fn seal(&self, key: &[u8; 32], owner: &str) -> Result<(&str, Vec<u8>), VaultError> {
        let master = self.ring.iter().find(|(name, _)| *name == self.current);
        let (name, master) = master.ok_or_else(|| VaultError::NoMaster {
            subject: owner.to_owned(),
            master: self.current.clone(),
        })?;
        Ok((name, seal(master, key, owner)?))
    }

    /// The key that was sealed; nothing inside, where it was altered; nothing at all, where the
    /// master key is not in the ring.
    #[expect(clippy::option_option, reason = "the two kinds of nothing are told apart")]
    pub(super) fn open(
        &self,
        master: &str,
        sealed: &[u8],
        owner: &str,
    ) -> Option<Option<Zeroizing<[u8; 32]>>> {
        let (_, master) = self.ring.iter().find(|(name, _)| name == master)?;
        let key = open(master, sealed, owner);
        Some(key.and_then(|key| <[u8; 32]>::try_from(key.as_slice()).ok()).map(Zeroizing::new))
    }
}

/// A key's name tells which it is, and nothing about it.
fn name(key: &[u8; 32]) -> String {
    let digest = Digest::of_parts(&[b"envelope master key\n", key]).hex();
    digest.get(..16).unwrap_or_default().to_owned()
}

/// 32 bytes that nobody can guess.
pub(super) fn random() -> Result<Zeroizing<[u8; 32]>, VaultError> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes).map_err(VaultError::Chance)?;
    Ok(bytes)
}

/// The nonce, and behind it what was sealed.
pub(super) fn seal(key: &[u8; 32], plain: &[u8], place: &str) -> Result<Vec<u8>, VaultError> {
    let mut nonce = [0; NONCE];
    getrandom::fill(&mut nonce).map_err(VaultError::Chance)?;
    let payload = Payload { msg: plain, aad: place.as_bytes() };
    let cipher = XChaCha20Poly1305::new(key.into());
    let sealed = cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| VaultError::TooLong)?;
    Ok([nonce.as_slice(), &sealed].concat())
}

/// What was sealed, if this is the key and the place.
pub(super) fn open(key: &[u8; 32], sealed: &[u8], place: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
    let payload = Payload { msg: sealed, aad: place.as_bytes() };
    let cipher = XChaCha20Poly1305::new(key.into());
    cipher.decrypt(&XNonce::from(*nonce), payload).ok().map(Zeroizing::new)
}
