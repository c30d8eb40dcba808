//! Hash-linked chains: any change is found, and found where it is.

use envelope_evidence::Digest;
use envelope_evidence::canonical::{self, Why};
use envelope_evidence::chain::{Broken, Chain, Fracture, Link};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    chain: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    n: u64,
    prev: Digest,
}

impl Link for Header {
    fn prev(&self) -> Option<Digest> {
        None
    }
}

impl Link for Entry {
    fn prev(&self) -> Option<Digest> {
        Some(self.prev)
    }
}

fn lines(count: u64) -> Vec<Vec<u8>> {
    let mut chain = Chain::default();
    let mut lines = vec![chain.write(&Header { chain: "test".to_owned() }).unwrap()];
    for n in 0..count {
        let prev = chain.head().unwrap();
        lines.push(chain.write(&Entry { n, prev }).unwrap());
    }
    assert_eq!(chain.links(), count + 1);
    lines
}

fn walk(lines: &[Vec<u8>]) -> Result<Chain, Broken> {
    let mut chain = Chain::default();
    let (header, entries) = lines.split_first().unwrap();
    chain.read::<Header>(header)?;
    for line in entries {
        chain.read::<Entry>(line)?;
    }
    Ok(chain)
}

#[test]
fn a_whole_chain_reads_back() {
    let lines = lines(20);
    let chain = walk(&lines).unwrap();
    assert_eq!((chain.links(), chain.head()), (21, Some(Digest::of(&lines[20]))));
}

#[test]
fn a_changed_link_breaks_the_next() {
    let lines = lines(9);
    for at in 1..lines.len() - 1 {
        let mut changed = lines.clone();
        let mut entry: Entry = canonical::read(&lines[at]).unwrap();
        entry.n += 1;
        changed[at] = canonical::of(&entry).unwrap();
        let why = Fracture::Unlinked {
            expected: Some(Digest::of(&changed[at])),
            found: Some(Digest::of(&lines[at])),
        };
        let index = u64::try_from(at + 1).unwrap();
        assert_eq!(walk(&changed), Err(Broken { index, why }));
    }
    // Nothing follows the last link: whoever knows the head sees its change.
    let mut changed = lines.clone();
    changed[9] = canonical::of(&Entry { n: 99, prev: Digest::of(&lines[8]) }).unwrap();
    assert_ne!(walk(&changed).unwrap().head(), walk(&lines).unwrap().head());
}

#[test]
fn dropped_repeated_and_swapped_links_are_named() {
    let lines = lines(6);
    let broken = |lines: &[Vec<u8>]| walk(lines).unwrap_err().index;
    for at in 1..6 {
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
fn every_flipped_bit_is_found() {
    let lines = lines(4);
    let head = walk(&lines).unwrap().head();
    for (at, line) in lines.iter().enumerate() {
        for bit in 0..line.len() * 8 {
            let mut changed = lines.clone();
            changed[at][bit / 8] ^= 1 << (bit % 8);
            match walk(&changed) {
                Ok(chain) => assert_ne!(chain.head(), head, "bit {bit} of link {at}"),
                Err(broken) => {
                    let found = usize::try_from(broken.index).unwrap();
                    assert!(found == at || found == at + 1, "bit {bit} of link {at}: {broken}");
                }
            }
        }
    }
}

#[test]
fn a_second_spelling_is_no_link() {
    let mut lines = lines(2);
    lines[1].push(b' ');
    let broken = walk(&lines).unwrap_err();
    let Fracture::Unreadable(refused) = &broken.why else { panic!("{broken}") };
    assert_eq!((broken.index, &refused.why), (1, &Why::NotCanonical));
}

#[test]
fn a_broken_chain_stays_where_it_was() {
    let mut chain = Chain::default();
    chain.write(&Header { chain: "test".to_owned() }).unwrap();
    let before = chain;
    let stray = Entry { n: 0, prev: Digest::of(b"elsewhere") };
    let broken = chain.write(&stray).unwrap_err();
    assert_eq!(broken.index, 1);
    let said = broken.to_string();
    assert!(said.starts_with("link 1: follows `sha256:"), "{said}");
    assert!(chain.write(&Header { chain: "second".to_owned() }).is_err());
    assert_eq!(chain, before);
}
