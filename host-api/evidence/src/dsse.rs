//! DSSE 1.0 envelopes, as in-toto uses them: the signature covers the exact stored payload bytes.
//!
//! An envelope file has one spelling, its canonical JSON with canonical base64, so that no bit of
//! it can change unnoticed, not even one that carries no meaning.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::canonical;
use crate::digest::Digest;
use crate::key::{Purpose, SigningKey, Use};
use crate::keyring::{KeyRing, NoKey};
use crate::time::Timestamp;

/// Signatures on one envelope: the host's, and those of a few reviewers.
pub const SIGNATURES_MAX: usize = 8;

/// Bytes of a key id: those of our keys are 64 hexadecimal digits, and no others are trusted.
pub const KEY_ID_BYTES_MAX: usize = 64;

/// A signed payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    payload_type: String,
    payload: Vec<u8>,
    signatures: Vec<Signature>,
}

/// One signature and the id of the key that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Signature {
    keyid: String,
    sig: [u8; 64],
}

/// Bytes that are not an envelope in its one spelling.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadEnvelope {
    /// Not canonical JSON of the DSSE shape.
    #[error("not a DSSE envelope in canonical JSON: {0}")]
    Shape(#[from] canonical::Refused),
    /// A payload or signature in another spelling of base64, or a signature of the wrong length.
    #[error("`{0}` is not canonical base64 of the right length")]
    Base64(&'static str),
    /// A key id longer than [`KEY_ID_BYTES_MAX`].
    #[error("a `keyid` is longer than {KEY_ID_BYTES_MAX} bytes")]
    KeyId,
    /// None, or more than [`SIGNATURES_MAX`].
    #[error("an envelope has 1 to {SIGNATURES_MAX} signatures, this one has {0}")]
    Count(usize),
}

/// An envelope whose signatures do not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSignature {
    /// No trusted key fits.
    #[error(transparent)]
    Key(#[from] NoKey),
    /// The key fits, the bytes do not.
    #[error("the signature of key `{0}` does not fit the payload")]
    Wrong(String),
    /// Two signatures by one key say no more than one.
    #[error("key `{0}` signed twice")]
    Twice(String),
    /// Nobody signed who had to.
    #[error("no signature by a key for purpose `{0}`")]
    Missing(Purpose),
}

impl Envelope {
    /// Signs `payload` with `key`.
    pub fn seal<U: Use>(payload_type: &str, payload: Vec<u8>, key: &SigningKey<U>) -> Self {
        let envelope =
            Self { payload_type: payload_type.to_owned(), payload, signatures: Vec::new() };
        envelope.cosign(key)
    }

    /// Adds a signature over the same bytes.
    #[must_use]
    pub fn cosign<U: Use>(mut self, key: &SigningKey<U>) -> Self {
        let sig = key.sign(&self.signed_bytes());
        self.signatures.push(Signature { keyid: key.id().to_owned(), sig });
        self
    }

    /// The media type of the payload.
    pub fn payload_type(&self) -> &str {
        &self.payload_type
    }

    /// The signed payload.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The id of what was signed: the digest of the payload, never of the envelope, because the
    /// same statement may gain signatures.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.payload)
    }

    /// The ids of the keys that signed, in order.
    pub fn key_ids(&self) -> impl Iterator<Item = &str> {
        self.signatures.iter().map(|signature| signature.keyid.as_str())
    }

    /// Checks **every** signature: each must be by a key trusted at `at` for one of `purposes`, and
    /// the first of `purposes` must be among them.
    pub fn verify(
        &self,
        ring: &KeyRing,
        purposes: &[Purpose],
        at: Timestamp,
    ) -> Result<(), BadSignature> {
        let message = self.signed_bytes();
        let mut required = purposes.first().copied();
        for (index, signature) in self.signatures.iter().enumerate() {
            let kid = &signature.keyid;
            if self.key_ids().take(index).any(|earlier| earlier == kid) {
                return Err(BadSignature::Twice(kid.clone()));
            }
            let purpose = self.purpose_of(ring, kid, purposes);
            let key = ring.find(kid, purpose, at)?;
            if !key.verifies(&message, &signature.sig) {
                return Err(BadSignature::Wrong(kid.clone()));
            }
            required = required.filter(|&wanted| wanted != purpose);
        }
        required.map_or(Ok(()), |purpose| Err(BadSignature::Missing(purpose)))
    }

    /// The purpose under which `kid` has to be judged: its own if that is accepted here, else the
    /// first accepted one, so that the refusal names what was wanted.
    fn purpose_of(&self, ring: &KeyRing, kid: &str, accepted: &[Purpose]) -> Purpose {
        let own = ring.purpose_of(kid).filter(|own| accepted.contains(own));
        own.or(accepted.first().copied()).unwrap_or(Purpose::Receipt)
    }

    fn signed_bytes(&self) -> Vec<u8> {
        pre_authentication(&self.payload_type, &self.payload)
    }

    /// The one file of this envelope.
    pub fn to_bytes(&self) -> Result<Vec<u8>, canonical::Refused> {
        canonical::of(&self.on_paper())
    }

    /// Reads exactly what [`Envelope::to_bytes`] writes.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadEnvelope> {
        Self::from_paper(canonical::read(bytes)?)
    }

    pub(crate) fn on_paper(&self) -> OnPaper {
        let line = |signature: &Signature| SignatureOnPaper {
            keyid: signature.keyid.clone(),
            sig: STANDARD.encode(signature.sig),
        };
        OnPaper {
            payload: STANDARD.encode(&self.payload),
            payload_type: self.payload_type.clone(),
            signatures: self.signatures.iter().map(line).collect(),
        }
    }

    pub(crate) fn from_paper(paper: OnPaper) -> Result<Self, BadEnvelope> {
        let count = paper.signatures.len();
        if count == 0 || count > SIGNATURES_MAX {
            return Err(BadEnvelope::Count(count));
        }
        if paper.signatures.iter().any(|line| line.keyid.len() > KEY_ID_BYTES_MAX) {
            return Err(BadEnvelope::KeyId);
        }
        let payload =
            STANDARD.decode(&paper.payload).map_err(|_| BadEnvelope::Base64("payload"))?;
        let read = |line: SignatureOnPaper| {
            let sig = STANDARD.decode(&line.sig).ok().and_then(|sig| sig.try_into().ok());
            Some(Signature { keyid: line.keyid, sig: sig? })
        };
        let signatures: Option<Vec<_>> = paper.signatures.into_iter().map(read).collect();
        let signatures = signatures.ok_or(BadEnvelope::Base64("sig"))?;
        Ok(Self { payload_type: paper.payload_type, payload, signatures })
    }
}

/// DSSE's pre-authentication encoding: what is signed.
pub fn pre_authentication(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head =
        format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    [head.as_slice(), payload].concat()
}

/// The JSON shape of an envelope, also inside a sigstore bundle.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OnPaper {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    signatures: Vec<SignatureOnPaper>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureOnPaper {
    keyid: String,
    sig: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_dsse_protocol() {
        let message = pre_authentication("http://example.com/HelloWorld", b"hello world");
        assert_eq!(message, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }
}
