//! A proof file has one spelling. Nothing a log did not sign is proven, and of the proofs for one
//! leaf of a tree only the right one climbs to its root.
#![no_main]

use envelope_evidence::Digest;
use envelope_evidence::key::{ForLogs, SigningKey};
use envelope_evidence::merkle::{
    self, prove_consistency, prove_inclusion, verify_consistency, verify_inclusion,
};
use envelope_evidence::tlog::{Log, Proof};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        file(text);
    }
    let [size, index, cut, at, bit, rest @ ..] = bytes else { return };
    tree(usize::from(*size), usize::from(*index), (*cut, *at, *bit));
    wild(rest);
});

fn file(text: &str) {
    let key = SigningKey::<ForLogs>::from_secret(&[7; 32].into());
    let log = Log::new("log.envelope.example/test", key.public()).unwrap();
    assert!(log.open(text).is_err());
    if let Ok(proof) = Proof::parse(text) {
        assert_eq!(proof.to_string(), text);
        assert!(log.verify(&proof, b"payload").is_err());
    }
}

/// Right proofs hold; with a hash cut off, added or changed they do not.
fn tree(size: usize, index: usize, (cut, at, bit): (u8, u8, u8)) {
    let leaves: Vec<_> = (0..size).map(|leaf| merkle::leaf(&leaf.to_le_bytes())).collect();
    let root = merkle::root(leaves.iter().copied());
    let (size, place) = (leaves.len() as u64, index as u64);
    if let Ok(proof) = prove_inclusion(&leaves, index) {
        let holds = |proof: &[Digest]| verify_inclusion(root, size, place, leaves[index], proof);
        assert_eq!(holds(&proof), Ok(()));
        for wrong in spoilt(&proof, cut, at, bit) {
            assert!(holds(&wrong).is_err());
        }
    }
    if let Ok(proof) = prove_consistency(&leaves, index) {
        let old = merkle::root(leaves.iter().take(index).copied());
        let holds = |proof: &[Digest]| verify_consistency(place, old, size, root, proof);
        assert_eq!(holds(&proof), Ok(()));
        for wrong in spoilt(&proof, cut, at, bit) {
            assert!(holds(&wrong).is_err());
        }
    }
}

fn spoilt(proof: &[Digest], cut: u8, at: u8, bit: u8) -> Vec<Vec<Digest>> {
    let longer = [proof, &[Digest::of(&[cut])]].concat();
    let Some((_, shorter)) = proof.split_last() else { return vec![longer] };
    let mut changed = proof.to_vec();
    let hash = &mut changed[usize::from(at) % proof.len()];
    let mut bytes = *hash.as_bytes();
    bytes[usize::from(bit) / 8] ^= 1 << (bit % 8);
    *hash = Digest::from_bytes(bytes);
    vec![longer, shorter.to_vec(), changed]
}

/// Sizes and hashes out of nowhere: refused, whatever they are.
fn wild(bytes: &[u8]) {
    let Some((old, rest)) = bytes.split_first_chunk() else { return };
    let Some((new, rest)) = rest.split_first_chunk() else { return };
    let (old, new) = (u64::from_le_bytes(*old), u64::from_le_bytes(*new));
    let (hashes, _) = rest.as_chunks();
    let hashes: Vec<_> = hashes.iter().copied().map(Digest::from_bytes).collect();
    let root = Digest::of(b"root");
    assert!(verify_inclusion(root, new, old, Digest::of(b"leaf"), &hashes).is_err());
    assert!(verify_consistency(old, Digest::of(b"old"), new, root, &hashes).is_err());
}
