//! Side letters: a commitment for everybody, the letter for its readers.
//!
//! The letter with its salt is encrypted to each reader by HPKE (RFC 9180: X25519, HKDF-SHA256,
//! ChaCha20-Poly1305), padded so that its length says little. The commitment is the digest of the
//! same bytes: nobody can guess a short letter by it, and a reader who was sent another letter than
//! the others notices.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envelope_evidence::{Digest, Label, canonical};
use hpke::rand_core::CryptoRng;
use hpke::{Deserializable as _, OpModeR, OpModeS, Serializable as _};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::chain::Document;
use super::difference::Terms;
use super::node::{Body, Node};
use super::prose::{PROSE_BYTES_MAX, Salt, Text};
use super::reader::{Kem, ReaderKey, ReaderSecret};

type Aead = hpke::aead::ChaCha20Poly1305;
type Kdf = hpke::kdf::HkdfSha256;

/// Readers of one letter: both parties, their lawyers and a panel.
pub const READERS_MAX: usize = 16;

/// Letters are padded to a multiple of this many bytes: most short ones then look alike.
const PADDED_TO: usize = 1024;

/// The longest letter: its prose as JSON, where a character may take six bytes.
const LETTER_BYTES_MAX: usize = 3 * PROSE_BYTES_MAX;

/// What the encryption is for, so that it is good for nothing else.
const INFO: &[u8] = b"envelope side letter v1";

/// What a side letter says. Only its readers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SideLetter {
    /// What it is called.
    pub title: Label,
    /// What it says about terms, as data. It wins over every other document.
    pub terms: Terms,
    /// Its prose, with the salt that hides all of it.
    pub text: Text,
}

/// An encrypted letter as a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    readers: Vec<ForReader>,
    suite: Suite,
}

/// Why a letter cannot be sealed or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// No reader, one twice, or more than [`READERS_MAX`].
    #[error("a side letter has 1 to {READERS_MAX} different readers")]
    Readers,
    /// A key with which every secret is the same.
    #[error("reader key `{0}` is weak")]
    WeakKey(String),
    /// Longer than can be padded and sealed.
    #[error("the side letter is longer than {LETTER_BYTES_MAX} bytes")]
    TooLong,
    /// Not a document of this kind.
    #[error("the document is not a side letter")]
    Kind,
    /// Another sealed file than the document names.
    #[error("the sealed file has the digest `{found}`, the document names `{expected}`")]
    OtherFile {
        /// What the document names.
        expected: Digest,
        /// What is there.
        found: Digest,
    },
    /// Not encrypted to this key.
    #[error("key `{0}` is not among the readers")]
    NotForYou(String),
    /// Encrypted to this key, and damaged.
    #[error("the letter for key `{0}` does not decrypt")]
    Damaged(String),
    /// It decrypts to something else than everybody was promised.
    #[error("the letter is not the one the public chain commits to")]
    OtherLetter,
    /// Not canonical JSON of the documented shape.
    #[error("not of the documented shape: {0}")]
    Shape(String),
}

impl SideLetter {
    /// The digest that the public chain holds.
    pub fn commitment(&self) -> Result<Digest, canonical::Refused> {
        self.to_bytes().map(|bytes| Digest::of(&bytes))
    }

    fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, canonical::Refused> {
        let letter = OnPaper {
            prose: self.text.prose().to_owned(),
            salt: self.text.salt(),
            terms: self.terms.clone(),
            title: self.title.clone(),
        };
        canonical::of(&letter).map(Zeroizing::new)
    }

    fn parse(bytes: &[u8]) -> Result<Self, Unreadable> {
        let shape = |why: &dyn fmt::Display| Unreadable::Shape(why.to_string());
        let letter: OnPaper = canonical::read(bytes).map_err(|why| shape(&why))?;
        let text = Text::read(letter.prose.as_bytes(), letter.salt).map_err(|why| shape(&why))?;
        Ok(Self { title: letter.title, terms: letter.terms, text })
    }
}

/// Encrypts `letter` to each of `readers`. `random` has to be a secret source of chance: whoever
/// can repeat it can read the letter.
pub fn seal(
    letter: &SideLetter,
    readers: &[ReaderKey],
    random: &mut impl CryptoRng,
) -> Result<Sealed, Unreadable> {
    let readers: BTreeMap<_, _> = readers.iter().map(|key| (key.id(), key)).collect();
    if readers.is_empty() || readers.len() > READERS_MAX {
        return Err(Unreadable::Readers);
    }
    let plain = letter.to_bytes().map_err(|why| Unreadable::Shape(why.to_string()))?;
    if plain.len() > LETTER_BYTES_MAX {
        return Err(Unreadable::TooLong);
    }
    let commitment = Digest::of(&plain);
    let padded = pad(&plain);
    let mut sealed = Vec::new();
    for (id, key) in readers {
        let weak = |_| Unreadable::WeakKey(id.clone());
        let public = <Kem as hpke::Kem>::PublicKey::from_bytes(key.as_bytes()).map_err(weak)?;
        let (enc, text) = hpke::single_shot_seal_with_rng::<Aead, Kdf, Kem>(
            &OpModeS::Base,
            &public,
            INFO,
            &padded,
            commitment.as_bytes(),
            random,
        )
        .map_err(weak)?;
        let enc = STANDARD.encode(enc.to_bytes());
        sealed.push(ForReader { enc, reader: id, sealed: STANDARD.encode(text) });
    }
    Ok(Sealed { readers: sealed, suite: Suite::One })
}

/// Reads the letter behind the side letter `document` with `key`, and checks that it is the one
/// that everybody was promised.
pub fn open(document: &Document, key: &ReaderSecret) -> Result<SideLetter, Unreadable> {
    let node = document.node();
    let (Body::SideLetter(promise), Some(file)) = (&node.body, document.sealed()) else {
        return Err(Unreadable::Kind);
    };
    let sealed = Sealed::check(node, file)?;
    let id = key.public().id();
    let mine = sealed.readers.iter().find(|reader| reader.reader == id);
    let mine = mine.ok_or_else(|| Unreadable::NotForYou(id.clone()))?;
    let plain = mine.open(key, promise.commitment).ok_or(Unreadable::Damaged(id))?;
    if Digest::of(&plain) != promise.commitment {
        return Err(Unreadable::OtherLetter);
    }
    let letter = SideLetter::parse(&plain)?;
    if letter.text.root() == node.clauses { Ok(letter) } else { Err(Unreadable::OtherLetter) }
}

impl Sealed {
    /// The one file of this letter.
    pub fn to_bytes(&self) -> Result<Vec<u8>, canonical::Refused> {
        canonical::of(self)
    }

    /// The ids of the keys that can read it.
    pub fn readers(&self) -> impl Iterator<Item = &str> {
        self.readers.iter().map(|reader| reader.reader.as_str())
    }

    /// The letter in `file`, if that is the file `node` names.
    pub(super) fn check(node: &Node, file: &[u8]) -> Result<Self, Unreadable> {
        let (found, expected) = (Digest::of(file), node.prose);
        if found != expected {
            return Err(Unreadable::OtherFile { expected, found });
        }
        let shape = |why: canonical::Refused| Unreadable::Shape(why.to_string());
        let sealed: Self = canonical::read(file).map_err(shape)?;
        let sorted = sealed.readers.is_sorted_by(|a, b| a.reader < b.reader);
        match sealed.readers.len() {
            1..=READERS_MAX if sorted => Ok(sealed),
            _ => Err(Unreadable::Readers),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OnPaper {
    prose: String,
    salt: Salt,
    terms: Terms,
    title: Label,
}

/// The letter for one reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ForReader {
    enc: String,
    reader: String,
    sealed: String,
}

impl ForReader {
    fn open(&self, key: &ReaderSecret, commitment: Digest) -> Option<Zeroizing<Vec<u8>>> {
        let enc = STANDARD.decode(&self.enc).ok()?;
        let plain = hpke::single_shot_open::<Aead, Kdf, Kem>(
            &OpModeR::Base,
            &key.hpke()?,
            &<Kem as hpke::Kem>::EncappedKey::from_bytes(&enc).ok()?,
            INFO,
            &STANDARD.decode(&self.sealed).ok()?,
            commitment.as_bytes(),
        );
        unpad(Zeroizing::new(plain.ok()?))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Suite {
    #[serde(rename = "hpke-base-x25519-hkdf-sha256-chacha20poly1305")]
    One,
}

/// Fills up with zero bytes, which JSON never holds.
fn pad(plain: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut padded = Zeroizing::new(Vec::with_capacity(plain.len() + PADDED_TO));
    padded.extend_from_slice(plain);
    padded.resize(plain.len().next_multiple_of(PADDED_TO), 0);
    padded
}

fn unpad(mut padded: Zeroizing<Vec<u8>>) -> Option<Zeroizing<Vec<u8>>> {
    let length = padded.iter().rposition(|&byte| byte != 0)? + 1;
    let whole = padded.len() == length.next_multiple_of(PADDED_TO);
    padded.truncate(length);
    whole.then_some(padded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_has_one_spelling() {
        for length in [1, PADDED_TO - 1, PADDED_TO, PADDED_TO + 1] {
            let padded = pad(&vec![b'x'; length]);
            assert_eq!(padded.len() % PADDED_TO, 0);
            assert_eq!(unpad(padded.clone()).unwrap().len(), length);
            let longer = [padded.as_slice(), &[0; PADDED_TO]].concat();
            assert_eq!(unpad(Zeroizing::new(longer)), None);
        }
        assert_eq!(unpad(Zeroizing::new(vec![0; PADDED_TO])), None);
    }
}
