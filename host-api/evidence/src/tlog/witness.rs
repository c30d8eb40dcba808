//! Witnesses (C2SP tlog-witness, tlog-cosignature): strangers who keep the last checkpoint of a log
//! that they saw, and sign a next one only if it continues that. A log with witnesses cannot show
//! two histories without their noticing.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{
    Checkpoint, DASH, Lines, Log, NOTE_BYTES_MAX, SIGNATURES_MAX, Untrusted, base64_of, is_name,
    key_id, signature,
};
use crate::Digest;
use crate::digest::hex;
use crate::key::PublicKey;

/// The signature type of a cosignature in key ids.
const COSIGNATURE: u8 = 4;

/// Bytes before the signature: the time.
const TIME: usize = 8;

/// A witness that somebody trusts: its name and its Ed25519 key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    name: String,
    key: PublicKey,
}

/// What a witness said of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    /// When it saw it, in seconds since 1970.
    pub at: u64,
    /// Its line, which belongs under the checkpoint.
    pub line: String,
}

impl Witness {
    /// Reads the one line by which a witness is known: name, key id and key.
    pub fn of_vkey(line: &str) -> Result<Self, Untrusted> {
        let mut parts = line.splitn(3, '+');
        let (name, key) = (parts.next().unwrap_or_default(), parts.nth(1).unwrap_or_default());
        let key = base64_of(key).and_then(|key| <[u8; 33]>::try_from(key).ok());
        let [COSIGNATURE, key @ ..] = key.ok_or(Untrusted::Key)? else {
            return Err(Untrusted::Key);
        };
        let key = PublicKey::from_bytes(&key).map_err(|_| Untrusted::Key)?;
        if !is_name(name) {
            return Err(Untrusted::Name);
        }
        let witness = Self { name: name.to_owned(), key };
        if witness.vkey() == line { Ok(witness) } else { Err(Untrusted::Key) }
    }

    /// The line that [`of_vkey`](Self::of_vkey) reads.
    pub fn vkey(&self) -> String {
        let key = [&[COSIGNATURE], self.key.as_bytes().as_slice()].concat();
        let id = key_id(&self.name, COSIGNATURE, &self.key);
        format!("{}+{}+{}", self.name, hex(&id), STANDARD.encode(key))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it says of `checkpoint` in `lines`, which are signature lines. Those of others are
    /// passed by; a wrong one of its own is an error.
    pub fn judge(
        &self,
        log: &Log,
        checkpoint: Checkpoint,
        lines: &str,
    ) -> Result<Cosigned, Untrusted> {
        let text = checkpoint.text(&log.origin);
        let id = key_id(&self.name, COSIGNATURE, &self.key);
        let mut rest = Lines::of(lines)?;
        for _ in 0..SIGNATURES_MAX {
            if rest.is_done() {
                break;
            }
            let (name, found, bytes) = rest.read("a signature: `— name base64`", signature)?;
            if name == self.name && found == id {
                let at = self.time(&text, &bytes).ok_or(Untrusted::Forged)?;
                let line = STANDARD.encode([found.as_slice(), &bytes].concat());
                return Ok(Cosigned { at, line: format!("{DASH}{name} {line}\n") });
            }
        }
        Err(Untrusted::Unsigned)
    }

    fn time(&self, text: &str, bytes: &[u8]) -> Option<u64> {
        let (time, signature) = bytes.split_first_chunk::<TIME>()?;
        let at = u64::from_be_bytes(*time);
        let message = format!("cosignature/v1\ntime {at}\n{text}");
        self.key.verifies(message.as_bytes(), signature.try_into().ok()?).then_some(at)
    }
}

/// What is sent to a witness that last saw `old` entries: the proof that `note` continues them.
pub fn submission(old: u64, proof: &[Digest], note: &str) -> String {
    let mut text = format!("old {old}\n");
    for hash in proof {
        let _ = writeln!(text, "{}", STANDARD.encode(hash.as_bytes()));
    }
    text + "\n" + note
}

/// The checkpoint with the lines of its witnesses under it, as many as a reader accepts.
pub fn joined(note: &str, said: &[Cosigned]) -> String {
    let mut note = note.to_owned();
    let room = SIGNATURES_MAX.saturating_sub(note.lines().filter(|l| l.starts_with(DASH)).count());
    for one in said.iter().take(room) {
        if note.len() + one.line.len() <= NOTE_BYTES_MAX {
            note += &one.line;
        }
    }
    note
}
