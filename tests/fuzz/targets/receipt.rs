//! Without our key nothing verifies. Rightly signed around any statement, a folder is verified or
//! refused, and what is verified is that statement.
#![no_main]

use std::sync::LazyLock;

use envelope_evidence::Digest;
use envelope_evidence::dsse::Envelope;
use envelope_evidence::journal::Journal;
use envelope_evidence::key::{ForReceipts, SigningKey, Window};
use envelope_evidence::keyring::{KeyRecord, KeyRing};
use envelope_evidence::receipt::{Folder, Unsigned, fold};
use envelope_evidence::verify::verify;
use libfuzzer_sys::fuzz_target;

struct World {
    key: SigningKey<ForReceipts>,
    ring: KeyRing,
    whole: Unsigned,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let key = SigningKey::from_secret(&[7; 32].into());
    let ring = KeyRing::new([KeyRecord::of(&key, Window::ALWAYS)]).unwrap();
    let journal = Journal::parse(include_bytes!("../../golden/journal-v1.jsonl")).unwrap();
    World { key, ring, whole: fold(&journal) }
});

fuzz_target!(|bytes: &[u8]| {
    if let Ok(envelope) = Envelope::parse(bytes) {
        assert_eq!(envelope.to_bytes().as_deref(), Ok(bytes));
    }
    if let Ok(folder) = Folder::of_one_file(bytes) {
        assert!(!verify(&folder, &WORLD.ring).verified());
    }
    let Some((&piece, payload)) = bytes.split_first() else { return };
    sealed(usize::from(piece), payload);
});

/// Puts `payload` in the place of one of the nine statements, and links and signs them all.
fn sealed(piece: usize, payload: &[u8]) {
    let World { key, ring, whole } = &*WORLD;
    let mut unsigned = whole.clone();
    match unsigned.evidence.get_mut(piece % 9) {
        Some(evidence) => {
            let before = Digest::of(evidence).hex();
            *evidence = payload.to_vec();
            let receipt = String::from_utf8(unsigned.receipt).unwrap();
            unsigned.receipt = receipt.replace(&before, &Digest::of(payload).hex()).into_bytes();
        }
        None => unsigned.receipt = payload.to_vec(),
    }
    let id = Digest::of(&unsigned.receipt);
    let report = verify(&Folder::of(&unsigned.sign(key), None).unwrap(), ring);
    assert!(!report.checks.is_empty());
    if report.verified() {
        assert_eq!(report.said.unwrap().id, id);
    }
}
