//! The files that a run leaves when it has ended, by their names within its folder.

use envelope_evidence::key::{ForReceipts, SigningKey, Window};
use envelope_evidence::keyring::{BadKeyFile, KeyRecord, KeyRing};
use envelope_evidence::receipt::Folder;

use crate::run::Finished;

pub(super) const RECEIPT: &str = "receipt";
pub(super) const ARTIFACTS: &str = "artifacts";
pub(super) const KEYS: &str = "keys.json";

/// The signed receipt with its evidence, the artifacts, and last the public key that signed: where
/// that is, all is.
pub fn sealed(
    finished: &Finished,
    key: &SigningKey<ForReceipts>,
) -> Result<Vec<(String, Vec<u8>)>, BadKeyFile> {
    let receipt = Folder::of(&finished.receipt(key), None)?;
    let receipt = receipt.files.into_iter().map(|(name, it)| (format!("{RECEIPT}/{name}"), it));
    let artifacts = finished.artifacts.iter();
    let artifacts = artifacts.map(|(name, it)| (format!("{ARTIFACTS}/{name}"), it.bytes.to_vec()));
    let ring = KeyRing::new([KeyRecord::of(key, Window::ALWAYS)])?.to_json()?;
    Ok(receipt.chain(artifacts).chain([(KEYS.to_owned(), ring)]).collect())
}
