//! Transparency logs in the formats of C2SP: signed checkpoints (signed-note, tlog-checkpoint) and
//! proofs that an entry is logged (tlog-proof).
//!
//! A log is public, what it logs is not: an entry is a salted commitment, and the proof carries
//! the salt to whoever holds the payload. Every file has one spelling; a second one is refused.

mod witness;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::Digest;
use crate::digest::hex;
use crate::key::PublicKey;
use crate::merkle::{self, PROOF_MAX, Unproven};

pub use witness::{Cosigned, Witness, joined, submission};

/// The longest checkpoint or proof: sixteen post-quantum signatures of 5 kB fit with their base64.
pub const NOTE_BYTES_MAX: usize = 128 * 1024;

/// The most signatures on a checkpoint: what the signed-note format asks every reader to accept.
pub const SIGNATURES_MAX: usize = 16;

/// The longest name of a log or witness: a host name and a path.
pub const ORIGIN_BYTES_MAX: usize = 512;

/// What keeps a public commitment from being guessed.
pub type Salt = [u8; 16];

/// The entry that logs a receipt by its payload bytes.
pub fn entry(salt: &Salt, payload: &[u8]) -> Vec<u8> {
    let commit = Digest::of_parts(&[salt, payload]);
    // Canonical as it stands: members in order, nothing to escape.
    format!(r#"{{"commit":"{commit}","kind":"receipt","v":1}}"#).into_bytes()
}

/// A log that somebody trusts: its name and its Ed25519 key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    origin: String,
    key: PublicKey,
}

impl Log {
    /// A log by its name and key.
    pub fn new(origin: &str, key: PublicKey) -> Result<Self, Untrusted> {
        if !is_name(origin) {
            return Err(Untrusted::Name);
        }
        Ok(Self { origin: origin.to_owned(), key })
    }

    /// The one line by which other tools learn of this log: name, key id and key.
    pub fn vkey(&self) -> String {
        let key = [&[ED25519], self.key.as_bytes().as_slice()].concat();
        format!("{}+{}+{}", self.origin, hex(&self.key_id()), STANDARD.encode(key))
    }

    /// Reads the one line that [`vkey`](Self::vkey) writes, in no other spelling.
    pub fn of_vkey(line: &str) -> Result<Self, Untrusted> {
        // A key in base64 may hold a plus sign, a name and an id may not.
        let mut parts = line.splitn(3, '+');
        let (origin, key) = (parts.next().unwrap_or_default(), parts.nth(1).unwrap_or_default());
        let key = base64_of(key).and_then(|key| <[u8; 33]>::try_from(key).ok());
        let [ED25519, key @ ..] = key.ok_or(Untrusted::Key)? else { return Err(Untrusted::Key) };
        let log = Self::new(origin, PublicKey::from_bytes(&key).map_err(|_| Untrusted::Key)?)?;
        if log.vkey() == line { Ok(log) } else { Err(Untrusted::Key) }
    }

    /// Opens a checkpoint signed by this log. Signatures of others (witnesses) are not judged.
    pub fn open(&self, note: &str) -> Result<Checkpoint, Untrusted> {
        let mut lines = Lines::of(note)?;
        let origin = lines.next("the log's name")?;
        if origin != self.origin {
            return Err(Untrusted::OtherLog { found: origin.chars().take(80).collect() });
        }
        let size = lines.read("the size, a plain decimal", decimal)?;
        let root = lines.read("the root hash in base64", hash)?;
        lines.read("an empty line", empty)?;
        let text = Checkpoint { size, root }.text(&self.origin);
        let mut signed = false;
        for _ in 0..SIGNATURES_MAX {
            if lines.is_done() {
                break;
            }
            let (name, id, signature) = lines.read("a signature: `— name base64`", signature)?;
            if name == self.origin && id == self.key_id() {
                if signed || !self.signed(&text, &signature) {
                    return Err(Untrusted::Forged);
                }
                signed = true;
            }
        }
        lines.end()?;
        if signed { Ok(Checkpoint { size, root }) } else { Err(Untrusted::Unsigned) }
    }

    /// The checkpoint as a note, signed by `sign`. What would not [`open`](Self::open) is an error.
    pub fn sign(
        &self,
        checkpoint: Checkpoint,
        sign: impl FnOnce(&[u8]) -> [u8; 64],
    ) -> Result<String, Untrusted> {
        let text = checkpoint.text(&self.origin);
        let signature = [self.key_id().as_slice(), &sign(text.as_bytes())].concat();
        let note = format!("{text}\n{DASH}{} {}\n", self.origin, STANDARD.encode(signature));
        self.open(&note)?;
        Ok(note)
    }

    /// Checks that this log has logged the receipt with these payload bytes.
    pub fn verify(&self, proof: &Proof, payload: &[u8]) -> Result<Checkpoint, Untrusted> {
        let checkpoint = self.open(&proof.checkpoint)?;
        let leaf = merkle::leaf(&entry(&proof.salt, payload));
        let Checkpoint { size, root } = checkpoint;
        merkle::verify_inclusion(root, size, proof.index, leaf, &proof.hashes)?;
        Ok(checkpoint)
    }

    fn key_id(&self) -> [u8; 4] {
        key_id(&self.origin, ED25519, &self.key)
    }

    fn signed(&self, text: &str, signature: &[u8]) -> bool {
        signature.try_into().is_ok_and(|signature| self.key.verifies(text.as_bytes(), signature))
    }
}

/// What a log says of itself: how many entries it has, and the root over them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// The number of entries.
    pub size: u64,
    /// The Merkle root.
    pub root: Digest,
}

impl Checkpoint {
    fn text(self, origin: &str) -> String {
        format!("{origin}\n{}\n{}\n", self.size, STANDARD.encode(self.root.as_bytes()))
    }
}

/// A proof that a receipt is logged: a `.tlog-proof` file. Its `Display` is the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The salt of the entry.
    pub salt: Salt,
    /// The entry's place in the log.
    pub index: u64,
    /// The sibling hashes from the entry's leaf up.
    pub hashes: Vec<Digest>,
    /// The signed note that the proof leads to, not yet opened.
    pub checkpoint: String,
}

impl Proof {
    /// Reads a proof file. Nothing is verified yet: see [`Log::verify`].
    pub fn parse(file: &str) -> Result<Self, Untrusted> {
        let mut lines = Lines::of(file)?;
        lines.read(TITLE, |line| (line == TITLE).then_some(()))?;
        let salt = lines.read("`extra` and a salt of 16 bytes in base64", |line| {
            base64_of(line.strip_prefix("extra ")?)?.try_into().ok()
        })?;
        let index = lines
            .read("`index` and a plain decimal", |line| decimal(line.strip_prefix("index ")?))?;
        let mut hashes = Vec::new();
        while let Some(hash) = lines.read("a hash in base64, or an empty line", |line| {
            if line.is_empty() { Some(None) } else { hash(line).map(Some) }
        })? {
            if hashes.len() == PROOF_MAX {
                return Err(Untrusted::Unproven(Unproven::TooLong));
            }
            hashes.push(hash);
        }
        Ok(Self { salt, index, hashes, checkpoint: lines.rest.to_owned() })
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{TITLE}\nextra {}\nindex {}", STANDARD.encode(self.salt), self.index)?;
        for hash in &self.hashes {
            writeln!(f, "{}", STANDARD.encode(hash.as_bytes()))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

/// Why a log, checkpoint or proof is not to be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    /// Not the name of a log.
    #[error(
        "a log's name has 1 to {ORIGIN_BYTES_MAX} bytes and no space, `+` or control character"
    )]
    Name,
    /// Not the key of a log in the one line that names it.
    #[error("a log's key is one line: its name, its key id and its Ed25519 key, joined by `+`")]
    Key,
    /// More than [`NOTE_BYTES_MAX`].
    #[error("longer than {NOTE_BYTES_MAX} bytes")]
    TooLong,
    /// A line that is missing or spelled otherwise.
    #[error("line {line}: want {want}")]
    Malformed {
        /// Counted from one, in the proof or in its checkpoint.
        line: usize,
        /// What has to stand there.
        want: &'static str,
    },
    /// A checkpoint of another log.
    #[error("the checkpoint is of another log, `{found}`")]
    OtherLog {
        /// The start of the name found.
        found: String,
    },
    /// No signature by the log's key.
    #[error("the checkpoint carries no signature by the log's key")]
    Unsigned,
    /// A wrong or repeated signature by the log's key.
    #[error("the checkpoint's signature is wrong")]
    Forged,
    /// The proof does not lead from the entry to the checkpoint.
    #[error("{0}")]
    Unproven(#[from] Unproven),
}

/// The first line of a proof file.
const TITLE: &str = "c2sp.org/tlog-proof@v1";

/// What a signature line begins with: an em dash and a space.
const DASH: &str = "\u{2014} ";

/// The signature type of plain Ed25519 in key ids.
const ED25519: u8 = 1;

fn key_id(name: &str, kind: u8, key: &PublicKey) -> [u8; 4] {
    let [a, b, c, d, ..] =
        *Digest::of_parts(&[name.as_bytes(), b"\n", &[kind], key.as_bytes()]).as_bytes();
    [a, b, c, d]
}

/// Reads line after line, each ended by a newline.
struct Lines<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Result<Self, Untrusted> {
        if text.len() > NOTE_BYTES_MAX {
            return Err(Untrusted::TooLong);
        }
        Ok(Self { rest: text, line: 0 })
    }

    fn next(&mut self, want: &'static str) -> Result<&'a str, Untrusted> {
        self.read(want, Some)
    }

    fn read<T>(
        &mut self,
        want: &'static str,
        parse: impl FnOnce(&'a str) -> Option<T>,
    ) -> Result<T, Untrusted> {
        self.line += 1;
        let malformed = Untrusted::Malformed { line: self.line, want };
        let (line, rest) = self.rest.split_once('\n').ok_or_else(|| malformed.clone())?;
        self.rest = rest;
        parse(line).ok_or(malformed)
    }

    fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    fn end(&self) -> Result<(), Untrusted> {
        let (line, want) = (self.line + 1, "at most sixteen signatures");
        if self.is_done() { Ok(()) } else { Err(Untrusted::Malformed { line, want }) }
    }
}

fn empty(line: &str) -> Option<()> {
    line.is_empty().then_some(())
}

fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

fn hash(line: &str) -> Option<Digest> {
    base64_of(line)?.try_into().ok().map(Digest::from_bytes)
}

/// The name, key id and raw signature of a signature line.
fn signature(line: &str) -> Option<(&str, [u8; 4], Vec<u8>)> {
    let (name, encoded) = line.strip_prefix(DASH)?.split_once(' ')?;
    let bytes = base64_of(encoded)?;
    let (id, signature) = bytes.split_first_chunk()?;
    is_name(name).then(|| (name, *id, signature.to_owned()))
}

/// This engine refuses missing padding and stray bits in the last digit: one spelling per value.
fn base64_of(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

fn is_name(name: &str) -> bool {
    (1..=ORIGIN_BYTES_MAX).contains(&name.len())
        && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}
