//! Merkle trees against the recursive definitions of RFC 6962 §2.1, for every size up to 130.

use envelope_evidence::Digest;
use envelope_evidence::merkle::{
    PROOF_MAX, SIZE_MAX, Tree, Unproven, leaf, node, prove_consistency, prove_inclusion, root,
    verify_consistency, verify_inclusion,
};

const SIZES: usize = 130;

/// MTH of RFC 6962 §2.1.
fn defined_root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => Digest::of(b""),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node(defined_root(left), defined_root(right))
        }
    }
}

/// PATH of RFC 6962 §2.1.1.
fn defined_path(index: usize, leaves: &[Digest]) -> Vec<Digest> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut path, other) = if index < k {
        (defined_path(index, left), right)
    } else {
        (defined_path(index - k, right), left)
    };
    path.push(defined_root(other));
    path
}

/// SUBPROOF of RFC 6962 §2.1.2.
fn defined_subproof(old: usize, leaves: &[Digest], known: bool) -> Vec<Digest> {
    if old == leaves.len() {
        return if known { Vec::new() } else { vec![defined_root(leaves)] };
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut proof, other) = if old <= k {
        (defined_subproof(old, left, known), right)
    } else {
        (defined_subproof(old - k, right, false), left)
    };
    proof.push(defined_root(other));
    proof
}

/// The largest power of two smaller than `n`.
fn split(n: usize) -> usize {
    (1..).map(|bit| 1 << (bit - 1)).take_while(|k| *k < n).last().unwrap()
}

fn leaves(count: usize) -> Vec<Digest> {
    (0..count).map(|number| leaf(format!("entry {number}").as_bytes())).collect()
}

fn wide(number: usize) -> u64 {
    number.try_into().unwrap()
}

/// Every proof that differs from `proof` in one bit of one hash, in one hash too few, too many,
/// twice, or in the order of two neighbours.
fn mutants(proof: &[Digest]) -> Vec<Vec<Digest>> {
    let mut mutants = Vec::new();
    for at in 0..proof.len() {
        let mut bytes = *proof[at].as_bytes();
        bytes[at % 32] ^= 1 << (at % 8);
        let mut changed = proof.to_vec();
        changed[at] = Digest::from_bytes(bytes);
        mutants.push(changed);
        let mut shorter = proof.to_vec();
        shorter.remove(at);
        mutants.push(shorter);
        let mut twice = proof.to_vec();
        twice.insert(at, proof[at]);
        mutants.push(twice);
        if at > 0 {
            let mut swapped = proof.to_vec();
            swapped.swap(at - 1, at);
            mutants.push(swapped);
        }
    }
    mutants.push([proof, &[Digest::of(b"more")]].concat());
    mutants
}

#[test]
fn roots_are_as_defined() {
    let leaves = leaves(SIZES);
    let mut tree = Tree::default();
    for size in 0..=SIZES {
        assert_eq!(tree.root(), defined_root(&leaves[..size]), "{size}");
        assert_eq!(tree.root(), root(leaves[..size].iter().copied()));
        assert_eq!(tree.size(), wide(size));
        if let Some(leaf) = leaves.get(size) {
            tree.push(*leaf);
        }
    }
}

#[test]
fn a_leaf_is_not_a_node() {
    let (left, right) = (leaf(b"left"), leaf(b"right"));
    let forged = [left.as_bytes().as_slice(), right.as_bytes()].concat();
    assert_ne!(node(left, right), leaf(&forged));
    assert_ne!(node(left, right), node(right, left));
}

#[test]
fn every_inclusion_proof_and_no_mutant() {
    let all = leaves(SIZES);
    let mut refused = 0;
    for size in 1..=SIZES {
        let (leaves, root) = (&all[..size], defined_root(&all[..size]));
        for (index, &leaf) in leaves.iter().enumerate() {
            let proof = prove_inclusion(leaves, index).unwrap();
            assert_eq!(proof, defined_path(index, leaves));
            let check = |size, index, leaf, proof: &[Digest]| {
                verify_inclusion(root, wide(size), wide(index), leaf, proof)
            };
            assert_eq!(check(size, index, leaf, &proof), Ok(()), "{index} of {size}");
            for mutant in mutants(&proof) {
                assert!(check(size, index, leaf, &mutant).is_err(), "{index} of {size}");
                refused += 1;
            }
            assert_eq!(check(size, index, node(leaf, leaf), &proof), Err(Unproven::Root));
            for other in [index.wrapping_sub(1), index + 1, index ^ 2] {
                assert!(check(size, other, leaf, &proof).is_err(), "{index} as {other} of {size}");
            }
        }
        assert_eq!(prove_inclusion(leaves, size), Err(Unproven::NoSuchLeaf));
    }
    assert!(refused > 100_000, "{refused}");
}

#[test]
fn every_consistency_proof_and_no_mutant() {
    let all = leaves(SIZES);
    let roots: Vec<Digest> = (0..=SIZES).map(|size| defined_root(&all[..size])).collect();
    for new in 0..=SIZES {
        for old in 0..=new {
            let proof = prove_consistency(&all[..new], old).unwrap();
            let check = |old_root, new_root, proof: &[Digest]| {
                verify_consistency(wide(old), old_root, wide(new), new_root, proof)
            };
            if old > 0 {
                assert_eq!(proof, defined_subproof(old, &all[..new], true));
            }
            assert_eq!(check(roots[old], roots[new], &proof), Ok(()), "{old} to {new}");
            for mutant in mutants(&proof) {
                assert!(check(roots[old], roots[new], &mutant).is_err(), "{old} to {new}");
            }
            let wrong = Digest::of(b"wrong");
            // The root of a perfect old tree is where the climb starts, so both ends are off.
            let perfect = old.is_power_of_two() && old < new;
            let other = if perfect { Unproven::Root } else { Unproven::OldRoot };
            assert_eq!(check(wrong, roots[new], &proof), Err(other), "{old} to {new}");
            if old > 0 {
                assert!(check(roots[old], wrong, &proof).is_err(), "{old} to {new}");
            }
        }
        assert_eq!(prove_consistency(&all[..new], new + 1), Err(Unproven::Shrunk));
    }
    let shrunk = verify_consistency(3, roots[3], 2, roots[2], &[]);
    assert_eq!(shrunk, Err(Unproven::Shrunk));
}

#[test]
fn sizes_and_proofs_are_bounded() {
    let hash = Digest::of(b"");
    let proof = vec![hash; PROOF_MAX + 1];
    let check = |size, proof: &[Digest]| verify_inclusion(hash, size, 0, hash, proof);
    assert_eq!(check(SIZE_MAX + 1, &proof[..53]), Err(Unproven::TooLarge));
    assert_eq!(check(SIZE_MAX, &proof[..53]), Err(Unproven::Root));
    assert_eq!(check(SIZE_MAX, &proof[..52]), Err(Unproven::TooShort));
    assert_eq!(check(SIZE_MAX, &proof[..54]), Err(Unproven::TooLong));
    assert_eq!(check(SIZE_MAX, &proof), Err(Unproven::TooLong));
    let last = verify_inclusion(hash, u64::MAX, u64::MAX - 1, hash, &[]);
    assert_eq!(last, Err(Unproven::TooLarge));
    let grown = verify_consistency(u64::MAX - 1, hash, u64::MAX, hash, &[hash]);
    assert_eq!(grown, Err(Unproven::TooLarge));
}
