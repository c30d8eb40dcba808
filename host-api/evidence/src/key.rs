//! Ed25519 keys, one per purpose.
//!
//! A signing key carries its purpose in its type, so a key for grants cannot sign a receipt:
//!
//! ```compile_fail
//! use envelope_evidence::{key::{ForGrants, SigningKey, Window}, receipt::Unsigned};
//! fn misuse(receipt: Unsigned, key: &SigningKey<ForGrants>) {
//!     receipt.sign(key);
//! }
//! ```
//!
//! ```
//! use envelope_evidence::{key::{ForReceipts, SigningKey, Window}, receipt::Unsigned};
//! fn proper(receipt: Unsigned, key: &SigningKey<ForReceipts>) {
//!     let _ = receipt.sign(key);
//! }
//! ```

use std::fmt;
use std::marker::PhantomData;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, Verifier as _, VerifyingKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::digest::Digest;
use crate::time::Timestamp;

/// What a key may sign. A record names exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Evidence and receipts of runs.
    Receipt,
    /// A human's review of a run.
    Review,
    /// Checkpoints of the audit log.
    Log,
    /// Grants that cross organisations.
    Grant,
    /// Contract documents.
    Document,
    /// Attestations about a party or an agent.
    Attestation,
    /// Agent cards.
    Card,
    /// Outgoing HTTP requests.
    Egress,
}

impl Purpose {
    /// The name in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Receipt => "receipt",
            Self::Review => "review",
            Self::Log => "log",
            Self::Grant => "grant",
            Self::Document => "document",
            Self::Attestation => "attestation",
            Self::Card => "card",
            Self::Egress => "egress",
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// When a key may sign: from `not_before`, up to but not at `not_after`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first instant.
    pub not_before: Timestamp,
    /// The first instant that is too late.
    pub not_after: Timestamp,
}

impl Window {
    /// Every time there is. For tests and for keys named by hand.
    pub const ALWAYS: Self = Self { not_before: Timestamp::ZERO, not_after: Timestamp::MAX };

    /// Whether `at` lies inside.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.not_before <= at && at < self.not_after
    }
}

/// A key that was refused when it was loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// Not a point of the curve in its one encoding.
    #[error("the public key is not a canonical Ed25519 point")]
    Malformed,
    /// Signatures of a small-order key prove nothing.
    #[error("the public key is weak: it verifies messages nobody signed")]
    Weak,
    /// Text that is not the PEM of an Ed25519 public key, byte for byte.
    #[error("not the PEM of an Ed25519 public key (`BEGIN PUBLIC KEY`, one line of base64)")]
    Pem,
}

/// An Ed25519 public key that is neither malformed nor weak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// DER of `SubjectPublicKeyInfo` for Ed25519 (RFC 8410) up to the 32 bytes of the key.
const SPKI_PREFIX: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

const PEM_BEGIN: &str = "-----BEGIN PUBLIC KEY-----\n";
const PEM_END: &str = "\n-----END PUBLIC KEY-----\n";

impl PublicKey {
    /// Loads a key, refusing what is not canonical or weak.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, BadKey> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| BadKey::Malformed)?;
        if key.is_weak() {
            return Err(BadKey::Weak);
        }
        // Decompression accepts y ≥ p; only the reduced spelling is one key, one id.
        if key.to_edwards().compress().to_bytes() != *bytes {
            return Err(BadKey::Malformed);
        }
        Ok(Self(key))
    }

    /// The 32 raw bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The key id of DSSE and of our records: hexadecimal SHA-256 of the key's SPKI DER.
    pub fn id(&self) -> String {
        Digest::of_parts(&[&SPKI_PREFIX, self.0.as_bytes()]).hex()
    }

    /// Whether `signature` is this key's over `message`, in the strict sense: canonical encodings,
    /// no small-order components, so a signature has one spelling.
    ///
    /// It says what `verify_strict` says for a tenth less: this key was found strong when it was
    /// loaded, and `verify` compares the signature's point with the one spelling of the point it
    /// computes, so a weak one can be told by its bytes and need not be decompressed.
    pub fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let strict = !is_small_order(signature);
        strict && self.0.verify(message, &ed25519_dalek::Signature::from_bytes(signature)).is_ok()
    }

    /// The PEM text that OpenSSL and every other tool reads.
    pub fn to_pem(&self) -> String {
        let der = [SPKI_PREFIX.as_slice(), self.0.as_bytes()].concat();
        format!("{PEM_BEGIN}{}{PEM_END}", STANDARD.encode(der))
    }

    /// Reads exactly what [`PublicKey::to_pem`] writes.
    pub fn from_pem(text: &str) -> Result<Self, BadKey> {
        let body = text.strip_prefix(PEM_BEGIN).and_then(|rest| rest.strip_suffix(PEM_END));
        let der = STANDARD.decode(body.ok_or(BadKey::Pem)?).map_err(|_| BadKey::Pem)?;
        let key = der.strip_prefix(&SPKI_PREFIX).ok_or(BadKey::Pem)?;
        Self::from_bytes(key.try_into().map_err(|_| BadKey::Pem)?)
    }
}

/// The y-coordinates of the eight points of small order: 0, 1, −1, and the two of order eight.
const SMALL_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    [
        0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00,
    ],
    [
        0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0x7f,
    ],
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
];

/// Whether the point of `signature` is of small order, by its y-coordinate: the topmost bit tells x
/// from −x.
fn is_small_order(signature: &[u8; 64]) -> bool {
    let Some((&(mut y), _)) = signature.split_first_chunk::<32>() else { return true };
    if let Some(last) = y.last_mut() {
        *last &= 0x7f;
    }
    SMALL_ORDER.contains(&y)
}

/// The purpose of a [`SigningKey`], known to the compiler.
pub trait Use: sealed::Sealed {
    /// The same purpose as a value.
    const PURPOSE: Purpose;
}

macro_rules! uses {
    ($($name:ident = $purpose:ident, $what:literal;)*) => {
        $(
            #[doc = $what]
            #[derive(Debug, Clone, Copy)]
            pub enum $name {}
            impl Use for $name {
                const PURPOSE: Purpose = Purpose::$purpose;
            }
            impl sealed::Sealed for $name {}
        )*
    };
}

mod sealed {
    pub trait Sealed {}
}

uses! {
    ForReceipts = Receipt, "Signs evidence and receipts.";
    ForReviews = Review, "Signs reviews.";
    ForLogs = Log, "Signs checkpoints of the audit log.";
    ForGrants = Grant, "Signs grants that cross organisations.";
    ForDocuments = Document, "Signs contract documents.";
    ForAttestations = Attestation, "Signs attestations.";
    ForCards = Card, "Signs agent cards.";
    ForEgress = Egress, "Signs outgoing requests.";
}

/// An Ed25519 signing key for one purpose. Its secret is wiped when dropped and never printed.
pub struct SigningKey<U: Use> {
    secret: ed25519_dalek::SigningKey,
    public: PublicKey,
    id: String,
    purpose: PhantomData<U>,
}

impl<U: Use> SigningKey<U> {
    /// A key from 32 secret random bytes, which are the caller's to make and to keep.
    pub fn from_secret(secret: &Zeroizing<[u8; 32]>) -> Self {
        let secret = ed25519_dalek::SigningKey::from_bytes(secret);
        let public = PublicKey(secret.verifying_key());
        Self { secret, public, id: public.id(), purpose: PhantomData }
    }

    /// The public half.
    pub const fn public(&self) -> PublicKey {
        self.public
    }

    /// The id under which verifiers know it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// A signature over `message`.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.secret.sign(message).to_bytes()
    }
}

impl<U: Use> fmt::Debug for SigningKey<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey<{}>({})", U::PURPOSE, self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SigningKey<ForReceipts> {
        SigningKey::from_secret(&Zeroizing::new([7; 32]))
    }

    #[test]
    fn pem_has_one_spelling() {
        let pem = key().public().to_pem();
        assert_eq!(PublicKey::from_pem(&pem), Ok(key().public()));
        for other in [pem.trim_end(), &pem.replace('\n', "\r\n"), &format!(" {pem}"), ""] {
            assert_eq!(PublicKey::from_pem(other), Err(BadKey::Pem));
        }
    }

    #[test]
    fn weak_and_malformed_keys_are_refused_at_load() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(PublicKey::from_bytes(&identity), Err(BadKey::Weak));
        assert_eq!(PublicKey::from_bytes(&[2; 32]), Err(BadKey::Malformed));
        assert!(PublicKey::from_bytes(key().public().as_bytes()).is_ok());
    }

    #[test]
    fn points_of_small_order_are_known_by_their_bytes() {
        for y in SMALL_ORDER {
            let weak = VerifyingKey::from_bytes(&y).is_ok_and(|key| key.is_weak());
            assert!(weak, "{y:02x?}");
            for sign in [0, 0x80] {
                let mut signature = [0; 64];
                signature[..32].copy_from_slice(&y);
                signature[31] |= sign;
                assert!(is_small_order(&signature));
            }
        }
        assert!(!is_small_order(&key().sign(b"message")));
    }

    /// A signature whose point is the identity: one check takes it, the strict one must not.
    #[test]
    fn a_point_of_small_order_signs_nothing() {
        let mut signature = [0; 64];
        signature[0] = 1;
        let scalar = [
            0xa1, 0x8d, 0xdb, 0xe9, 0x64, 0x7e, 0xbb, 0x8b, 0x19, 0xc9, 0xb1, 0x32, 0x31, 0xaf,
            0x7e, 0x65, 0xb9, 0x36, 0x16, 0x26, 0xb9, 0x30, 0xaa, 0x36, 0x6a, 0x63, 0x84, 0x28,
            0x98, 0x6f, 0x54, 0x05,
        ];
        signature[32..].copy_from_slice(&scalar);
        let (key, message) = (key().public(), b"nobody");
        let parsed = ed25519_dalek::Signature::from_bytes(&signature);
        assert!(key.0.verify(message, &parsed).is_ok());
        assert!(key.0.verify_strict(message, &parsed).is_err());
        assert!(!key.verifies(message, &signature));
    }

    #[test]
    fn a_key_is_printed_without_its_secret() {
        assert_eq!(format!("{:?}", key()), format!("SigningKey<receipt>({})", key().id()));
    }
}
