//! Which signatures are taken: exactly those that the library's own strict check takes.
//!
//! Signatures are made by hand from points with and without a part of small order, so that the
//! equation of verification holds where an honest signer could never make it hold.

use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT as BASE, EIGHT_TORSION};
use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::{EdwardsPoint, Scalar};
use ed25519_dalek::{Signature, Verifier as _, VerifyingKey};
use envelope_evidence::key::{BadKey, ForReceipts, PublicKey, SigningKey};
use proptest::prelude::*;
use sha2::{Digest as _, Sha512};

const MESSAGE: &[u8] = b"what was signed";

/// How often each check took a signature.
#[derive(Debug, Default, PartialEq, Eq)]
struct Taken {
    /// The library's check of the equation alone.
    lax: usize,
    /// The library's strict check.
    strict: usize,
}

/// Checks that we take `signature` of `key` exactly when the strict check does.
fn agreed(key: &[u8; 32], message: &[u8], signature: &[u8; 64], taken: &mut Taken) {
    let parsed = Signature::from_bytes(signature);
    let theirs = VerifyingKey::from_bytes(key);
    let lax = theirs.as_ref().is_ok_and(|key| key.verify(message, &parsed).is_ok());
    let strict = theirs.is_ok_and(|key| key.verify_strict(message, &parsed).is_ok());
    match PublicKey::from_bytes(key) {
        Ok(ours) => assert_eq!(ours.verifies(message, signature), strict, "{signature:02x?}"),
        // A weak key verifies nothing in the strict sense. One with another spelling is refused by
        // us alone, when it is loaded.
        Err(BadKey::Weak) => assert!(!strict, "{signature:02x?}"),
        Err(BadKey::Malformed | BadKey::Pem) => {}
    }
    taken.lax += usize::from(lax);
    taken.strict += usize::from(strict);
}

fn challenge(point: &[u8; 32], key: &[u8; 32], message: &[u8]) -> Scalar {
    let hash = Sha512::new().chain_update(point).chain_update(key).chain_update(message).finalize();
    Scalar::from_bytes_mod_order_wide(&hash.into())
}

fn joined(point: &[u8; 32], scalar: &[u8; 32]) -> [u8; 64] {
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(point);
    signature[32..].copy_from_slice(scalar);
    signature
}

fn secret() -> Scalar {
    Scalar::from_bytes_mod_order_wide(&[7; 64])
}

/// Every encoding that decompresses to a point whose y-coordinate could also be spelled above the
/// prime: y below 19, as itself and plus the prime, with both signs. Those of small order are 0 and
/// 1, and `p - 1` stands beside them for the point of order two.
fn crafted() -> Vec<[u8; 32]> {
    let mut all = Vec::new();
    for y in 0..19_u8 {
        let mut low = [0; 32];
        low[0] = y;
        let mut high = [0xff; 32];
        high[0] = 0xed + y;
        high[31] = 0x7f;
        all.extend([low, high]);
    }
    let mut minus_one = [0xff; 32];
    minus_one[0] = 0xec;
    minus_one[31] = 0x7f;
    all.push(minus_one);
    all.extend(EIGHT_TORSION.map(|point| point.compress().to_bytes()));
    let mirrored = all.iter().map(|bytes| {
        let mut mirrored = *bytes;
        mirrored[31] ^= 0x80;
        mirrored
    });
    let mirrored: Vec<_> = mirrored.collect();
    all.extend(mirrored);
    all.sort_unstable();
    all.dedup();
    all
}

/// A key of large order, with each part of small order beside it.
fn keys() -> [EdwardsPoint; 8] {
    EIGHT_TORSION.map(|torsion| BASE * secret() + torsion)
}

/// The scalar that makes the equation hold as far as the part of large order goes.
fn response(nonce: Scalar, point: &[u8; 32], key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    (nonce + challenge(point, key, message) * secret()).to_bytes()
}

#[test]
fn points_of_small_order_sign_nothing() {
    let mut taken = Taken::default();
    for key in keys() {
        let key = key.compress().to_bytes();
        for point in crafted() {
            for n in 0..32_u8 {
                let message = [n];
                let scalar = response(Scalar::ZERO, &point, &key, &message);
                agreed(&key, &message, &joined(&point, &scalar), &mut taken);
            }
        }
    }
    // Some of these satisfy the equation, and not one is taken.
    assert!(taken.lax > 200, "{taken:?}");
    assert_eq!(taken.strict, 0, "{taken:?}");
}

/// A part of small order in the key or in the point is no reason to refuse by itself: such
/// signatures are taken exactly when the library takes them.
#[test]
fn mixed_points_are_taken_when_the_library_takes_them() {
    let mut taken = Taken::default();
    for key in keys() {
        let key = key.compress().to_bytes();
        for torsion in EIGHT_TORSION {
            for n in 1..32_u8 {
                let nonce = Scalar::from(n);
                let point = (BASE * nonce + torsion).compress().to_bytes();
                let scalar = response(nonce, &point, &key, MESSAGE);
                agreed(&key, MESSAGE, &joined(&point, &scalar), &mut taken);
            }
        }
    }
    assert!(taken.strict > 200, "{taken:?}");
    assert_eq!(taken.lax, taken.strict);
    assert!(taken.strict < 8 * 8 * 31, "{taken:?}");
}

/// No scalar makes a signature of another spelling of a point.
#[test]
fn a_point_has_one_spelling() {
    let mut taken = Taken::default();
    let nonces = (0..8_u8).map(Scalar::from);
    let key = keys()[0].compress().to_bytes();
    for nonce in nonces {
        for point in crafted() {
            let scalar = response(nonce, &point, &key, MESSAGE);
            agreed(&key, MESSAGE, &joined(&point, &scalar), &mut taken);
            // A key in every crafted spelling, with a scalar for the key it stands for.
            agreed(&point, MESSAGE, &joined(&point, &scalar), &mut taken);
        }
    }
    assert_eq!(taken.strict, 0, "{taken:?}");
    let spelled = |bytes: &[u8; 32]| {
        let point = CompressedEdwardsY(*bytes).decompress();
        point.is_some_and(|point| point.compress().to_bytes() != *bytes)
    };
    let others: Vec<_> = crafted().into_iter().filter(spelled).collect();
    assert!(others.len() > 10, "{}", others.len());
    for bytes in others {
        assert!(PublicKey::from_bytes(&bytes).is_err(), "{bytes:02x?}");
    }
}

/// The order of the group added to a scalar gives the same point, and no second signature.
#[test]
fn a_scalar_has_one_spelling() {
    let key: SigningKey<ForReceipts> = SigningKey::from_secret(&[9; 32].into());
    let public = key.public();
    let mut taken = Taken::default();
    let good = key.sign(MESSAGE);
    agreed(public.as_bytes(), MESSAGE, &good, &mut taken);
    assert_eq!(taken, Taken { lax: 1, strict: 1 });
    // The order, little end first: one more than what minus one is spelled as.
    let mut order = (-Scalar::ONE).to_bytes();
    order[0] += 1;
    let mut longer = good;
    for _ in 0..15 {
        let mut carry = 0;
        for (byte, more) in longer[32..].iter_mut().zip(order) {
            let sum = u16::from(*byte) + u16::from(more) + carry;
            *byte = sum.to_le_bytes()[0];
            carry = sum >> 8;
        }
        agreed(public.as_bytes(), MESSAGE, &longer, &mut taken);
    }
    for scalar in [order, [0xff; 32], [0; 32]] {
        let mut other = good;
        other[32..].copy_from_slice(&scalar);
        agreed(public.as_bytes(), MESSAGE, &other, &mut taken);
    }
    assert_eq!(taken, Taken { lax: 1, strict: 1 });
}

proptest! {
    /// Good signatures with some bytes changed, and with a point or a scalar from elsewhere.
    #[test]
    fn changed_signatures_are_judged_alike(
        seed in any::<[u8; 32]>(),
        message in prop::collection::vec(any::<u8>(), 0..40),
        changes in prop::collection::vec((0..64_usize, any::<u8>()), 0..3),
        point in prop::option::of(prop::sample::select(crafted())),
    ) {
        let key: SigningKey<ForReceipts> = SigningKey::from_secret(&seed.into());
        let mut signature = key.sign(&message);
        let mut taken = Taken::default();
        agreed(key.public().as_bytes(), &message, &signature, &mut taken);
        prop_assert_eq!(taken.strict, 1);
        for (at, mask) in changes {
            signature[at] ^= mask;
        }
        if let Some(point) = point {
            signature[..32].copy_from_slice(&point);
        }
        agreed(key.public().as_bytes(), &message, &signature, &mut taken);
    }
}
