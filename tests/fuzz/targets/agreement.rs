//! The folder of a chain is refused unless keys we trust signed it, and a node has one spelling.
//! The input is the files of a master agreement and a Paper, with the byte `0xff` between.
#![no_main]

use envelope_evidence::keyring::KeyRing;
use envelope_terms::document::{Chain, Files, Kind, Node, Part, own_keys, verify_chain};
use libfuzzer_sys::fuzz_target;

const FILES: [(Part, u64, Kind); 8] = [
    (Part::Node, 0, Kind::Msa),
    (Part::Prose, 0, Kind::Msa),
    (Part::Salt, 0, Kind::Msa),
    (Part::Node, 1, Kind::Paper),
    (Part::Prose, 1, Kind::Paper),
    (Part::Salt, 1, Kind::Paper),
    (Part::Signatures, 1, Kind::Paper),
    (Part::Clauses, 1, Kind::Paper),
];

fuzz_target!(|bytes: &[u8]| {
    let mut files = Files::new();
    for ((part, seq, kind), bytes) in FILES.into_iter().zip(bytes.split(|byte| *byte == 0xff)) {
        if part == Part::Node
            && let Ok(node) = Node::parse(bytes)
        {
            assert_eq!(node.to_bytes().as_deref(), Ok(bytes));
        }
        if !bytes.is_empty() {
            files.insert(part.file(seq, kind), bytes.to_vec());
        }
    }
    assert!(!verify_chain(&files, &KeyRing::default()).verified());
    if let Ok((chain, pending)) = own_keys(&files).and_then(|ring| Chain::resume(&files, &ring)) {
        assert!(chain.documents().len() + usize::from(pending.is_some()) <= 2);
    }
});
