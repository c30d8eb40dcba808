//! What is loaded is what was stored.

use std::fs;

use envelope_evidence::Digest;
use envelope_gate::workspace::{Blobs, Fault};

use super::*;

#[test]
fn bytes_come_back_by_their_digest() {
    let folder = Folder::new();
    for blobs in [in_memory(), Blobs::in_folder(&folder.0).unwrap()] {
        for bytes in [&b"some bytes"[..], b""] {
            let digest = Digest::of(bytes);
            assert!(matches!(wait(blobs.get(&digest)), Err(Fault::Missing(d)) if d == digest));
            assert!(!wait(blobs.has(&digest)).unwrap());
            for _ in 0..2 {
                assert_eq!(wait(blobs.put(bytes.into())).unwrap(), digest);
            }
            assert!(wait(blobs.has(&digest)).unwrap());
            assert_eq!(wait(blobs.get(&digest)).unwrap(), bytes);
        }
    }
    let names: Vec<_> = folder.tree().into_iter().filter(|(_, what)| what != "folder").collect();
    assert_eq!(names.len(), 2, "nothing but the blobs: {names:?}");
    for (name, what) in names {
        assert_eq!(format!("sha256:{}", name.rsplit('/').next().unwrap()), what);
    }
}

/// Every bit flipped, every cut, is noticed; a cut one is replaced by the next put.
#[test]
fn what_was_altered_is_not_given_out() {
    let folder = Folder::new();
    let blobs = Blobs::in_folder(&folder.0).unwrap();
    let digest = wait(blobs.put((&b"some bytes"[..]).into())).unwrap();
    let (name, _) = folder.tree().into_iter().find(|(_, what)| what != "folder").unwrap();
    let corrupted =
        || matches!(wait(blobs.get(&digest)), Err(Fault::Corrupted(named)) if named == digest);
    for bit in 0..8 * b"some bytes".len() {
        let mut bytes = b"some bytes".to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(folder.at(&name), &bytes).unwrap();
        assert!(corrupted(), "bit {bit}");
    }
    for length in 0..b"some bytes".len() {
        fs::write(folder.at(&name), &b"some bytes"[..length]).unwrap();
        assert!(corrupted(), "{length} bytes");
    }
    wait(blobs.put((&b"some bytes"[..]).into())).unwrap();
    assert_eq!(wait(blobs.get(&digest)).unwrap(), &b"some bytes"[..]);
}
