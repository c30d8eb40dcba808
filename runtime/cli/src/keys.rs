//! Key files: secrets of the person at the keys, and the public keys that person trusts.

use std::path::{Path, PathBuf};

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng as _;
use envelope_evidence::key::{ForDocuments, PublicKey, Purpose, SigningKey, Window};
use envelope_evidence::keyring::{KeyRecord, KeyRing};
use envelope_terms::document::{ReaderKey, ReaderSecret};
use serde_json::json;
use zeroize::Zeroizing;

use crate::answer::{Answer, Trouble};
use crate::disk::{self, Existing};

/// A new key that signs, with the file of its public half.
pub(crate) fn new(path: &Path) -> Result<(SigningKey<ForDocuments>, PathBuf), Trouble> {
    new_secret(path, SigningKey::from_secret, |key| key.public().to_pem())
}

/// A new key that reads side letters, with the file of its public half.
pub(crate) fn new_reader(path: &Path) -> Result<(ReaderSecret, PathBuf), Trouble> {
    new_secret(path, ReaderSecret::from_secret, |key| key.public().to_pem())
}

/// A new secret, in a file that only its owner may read; the public half stands beside it.
fn new_secret<K>(
    path: &Path,
    key: impl Fn(&Zeroizing<[u8; 32]>) -> K,
    pem: impl Fn(&K) -> String,
) -> Result<(K, PathBuf), Trouble> {
    let secret = Zeroizing::new(random()?);
    let hint = "an existing key is never overwritten: give another name";
    disk::write_secret(path, secret.as_slice()).map_err(|why| Trouble::usage(why, hint))?;
    let key = key(&secret);
    let public = public_file(path);
    disk::write(&public, pem(&key).as_bytes(), Existing::Keep).map_err(|why| {
        // A key without its public half is of use to nobody.
        disk::remove(path);
        Trouble::usage(why, hint)
    })?;
    Ok((key, public))
}

/// What to say of a new key.
pub(crate) fn made(kind: &str, id: &str, secret: &Path, public: &Path) -> Answer {
    let (secret, public) = (secret.display(), public.display());
    let note = format!("made {kind} {id}\n{secret} is secret; give {public} to the others\n");
    Answer::note("key", note, json!({ "key": id, "public": public.to_string() }))
}

/// The key that signs in a file.
pub(crate) fn signing(path: &Path) -> Result<SigningKey<ForDocuments>, Trouble> {
    secret(path).map(|secret| SigningKey::from_secret(&secret))
}

/// The key that reads side letters in a file.
pub(crate) fn reading(path: &Path) -> Result<ReaderSecret, Trouble> {
    secret(path).map(|secret| ReaderSecret::from_secret(&secret))
}

fn secret(path: &Path) -> Result<Zeroizing<[u8; 32]>, Trouble> {
    let hint = "a key file is 32 secret bytes that only you may read: make one with `--new-key`";
    let bytes = disk::read_secret(path).map_err(|why| Trouble::usage(why, hint))?;
    let bytes = Zeroizing::new(bytes);
    let Ok(secret) = <[u8; 32]>::try_from(bytes.as_slice()) else {
        let what = format!("`{}` is not a secret of 32 bytes", path.display());
        return Err(Trouble::usage(what, hint));
    };
    Ok(Zeroizing::new(secret))
}

/// The public key of a reader in a PEM file.
pub(crate) fn reader(path: &Path) -> Result<ReaderKey, Trouble> {
    let hint = "give the `.pub.pem` that `envelope paper open --new-key` wrote: an X25519 key, not \
                one that signs";
    let bytes = disk::read(path).map_err(|why| Trouble::usage(why, hint))?;
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    ReaderKey::from_pem(text)
        .map_err(|why| Trouble::usage(format!("`{}`: {why}", path.display()), hint))
}

/// The public key in a PEM file.
pub(crate) fn public(path: &Path) -> Result<PublicKey, Trouble> {
    let hint = "give the `.pub.pem` of the key: the PEM of one Ed25519 public key";
    let bytes = disk::read(path).map_err(|why| Trouble::usage(why, hint))?;
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    PublicKey::from_pem(text)
        .map_err(|why| Trouble::usage(format!("`{}`: {why}", path.display()), hint))
}

/// One ring of the keys in all files: key files as they are, and single keys for documents.
pub(crate) fn ring(paths: &[PathBuf]) -> Result<KeyRing, Trouble> {
    let hint = "a key file is {\"keys\":[…]}, or the PEM of one Ed25519 public key";
    let mut singles = Vec::new();
    for path in paths {
        let bytes = disk::read(path).map_err(|why| Trouble::usage(why, hint))?;
        if bytes.starts_with(b"-----BEGIN") {
            let (purpose, window) = (Purpose::Document, Window::ALWAYS);
            singles.push(KeyRecord { key: public(path)?, purpose, window });
        } else if paths.len() == 1 {
            let named = |why| Trouble::usage(format!("`{}`: {why}", path.display()), hint);
            return KeyRing::from_json(&bytes).map_err(named);
        } else {
            let what = format!("`{}` is not a single key, and there are several", path.display());
            return Err(Trouble::usage(what, "give one key file, or single keys alone"));
        }
    }
    KeyRing::new(singles).map_err(|why| Trouble::usage(why, hint))
}

/// 32 bytes that nobody can guess.
pub(crate) fn random() -> Result<[u8; 32], Trouble> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|why| {
        let hint = "the system has no source of randomness to offer: try again later";
        Trouble::failed(format!("cannot make a secret: {why}"), hint)
    })?;
    Ok(bytes)
}

/// A source of chance that nobody can repeat.
pub(crate) fn chance() -> Result<ChaCha20Rng, Trouble> {
    random().map(ChaCha20Rng::from_seed)
}

fn public_file(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".pub.pem");
    path.with_file_name(name)
}
