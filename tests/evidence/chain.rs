//! Hash-linked chains: any change is found, and found where it is.

use envelope_evidence::chain::{Broken, Chain, Fracture};
use envelope_evidence::{Digest, canonical};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    n: u64,
    prev: Option<Digest>,
}

fn lines(count: u64) -> Vec<Vec<u8>> {
    let mut chain = Chain::default();
    let write = |n| {
        let line = Line { n, prev: chain.head() };
        let bytes = canonical::of(&line).unwrap();
        chain.accept(&bytes, line.prev).unwrap();
        bytes
    };
    (0..count).map(write).collect()
}

fn walk(lines: &[Vec<u8>]) -> Result<Chain, Broken> {
    let mut chain = Chain::default();
    for bytes in lines {
        chain.accept(bytes, canonical::read::<Line>(bytes).unwrap().prev)?;
    }
    Ok(chain)
}

#[test]
fn a_whole_chain_reads_back() {
    assert_eq!(walk(&[]).unwrap(), Chain::default());
    let lines = lines(20);
    let chain = walk(&lines).unwrap();
    assert_eq!((chain.links(), chain.head()), (20, Some(Digest::of(&lines[19]))));
}

#[test]
fn a_changed_link_breaks_the_next() {
    let lines = lines(9);
    for at in 0..lines.len() {
        let mut changed = lines.clone();
        let mut line: Line = canonical::read(&lines[at]).unwrap();
        line.n += 1;
        changed[at] = canonical::of(&line).unwrap();
        if at + 1 < lines.len() {
            let index = u64::try_from(at + 1).unwrap();
            let digest = |lines: &[Vec<u8>]| Some(Digest::of(&lines[at]));
            let why = Fracture { expected: digest(&changed), found: digest(&lines) };
            assert_eq!(walk(&changed), Err(Broken { index, why }));
        } else {
            // Nothing follows the last link: whoever knows the head sees its change.
            assert_ne!(walk(&changed).unwrap().head(), walk(&lines).unwrap().head());
        }
    }
}

#[test]
fn dropped_repeated_and_swapped_links_are_named() {
    let lines = lines(7);
    let broken = |lines: &[Vec<u8>]| walk(lines).unwrap_err().index;
    for at in 0..6 {
        let index = u64::try_from(at).unwrap();
        let mut dropped = lines.clone();
        dropped.remove(at);
        assert_eq!(broken(&dropped), index);
        let mut repeated = lines.clone();
        repeated.insert(at, lines[at].clone());
        assert_eq!(broken(&repeated), index + 1);
        let mut swapped = lines.clone();
        swapped.swap(at, at + 1);
        assert_eq!(broken(&swapped), index);
    }
}

#[test]
fn a_broken_chain_stays_where_it_was() {
    let mut chain = Chain::default();
    chain.accept(b"first", None).unwrap();
    let before = chain;
    let second = chain.accept(b"second", None).unwrap_err();
    let first = Digest::of(b"first");
    let said = format!("link 1 follows nothing, but `{first}` comes before it");
    assert_eq!(second.to_string(), said);
    assert!(chain.accept(b"stray", Some(Digest::of(b"elsewhere"))).is_err());
    assert_eq!(chain, before);
    chain.accept(b"second", Some(first)).unwrap();
    assert_eq!(chain.links(), 2);
}
