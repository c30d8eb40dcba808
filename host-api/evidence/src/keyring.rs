//! The public keys a verifier trusts, each for one purpose and one span of time.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::canonical;
use crate::key::{BadKey, PublicKey, Purpose, SigningKey, Use, Window};
use crate::time::Timestamp;

/// Keys in one ring: years of monthly rotation for a hundred organisations.
pub const KEYS_MAX: usize = 10_000;

/// One trusted key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// The public key, whose id is the `kid`.
    pub key: PublicKey,
    /// The one thing it may sign.
    pub purpose: Purpose,
    /// When it may sign it.
    pub window: Window,
}

impl KeyRecord {
    /// The record that lets verifiers trust `key` inside `window`.
    pub fn of<U: Use>(key: &SigningKey<U>, window: Window) -> Self {
        Self { key: key.public(), purpose: U::PURPOSE, window }
    }
}

/// A set of trusted keys. Rotation is overlap: the next key is added before the last one ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyRing {
    /// By the id of the key.
    records: BTreeMap<String, KeyRecord>,
}

/// Why a key cannot be used for a signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoKey {
    /// Nobody vouches for it.
    #[error("key `{kid}` is not among the trusted keys")]
    Unknown {
        /// The key asked for.
        kid: String,
    },
    /// It is trusted for something else.
    #[error("key `{kid}` is for purpose `{is}`, not for `{wanted}`")]
    Purpose {
        /// The key asked for.
        kid: String,
        /// What it may sign.
        is: Purpose,
        /// What it was used for.
        wanted: Purpose,
    },
    /// It was not valid at that time.
    #[error("key `{kid}` was not valid at {at}: it signs from {from} until {until}")]
    Window {
        /// The key asked for.
        kid: String,
        /// When it was used.
        at: Timestamp,
        /// When it begins.
        from: Timestamp,
        /// When it ends.
        until: Timestamp,
    },
}

/// A key file that was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadKeyFile {
    /// Not JSON of the documented shape.
    #[error("the key file is unusable: {0}")]
    Shape(#[from] canonical::Refused),
    /// One record is wrong.
    #[error("key {index} of the key file is unusable: {why}")]
    Record {
        /// Its place, from zero.
        index: usize,
        /// What is wrong with it.
        why: BadRecord,
    },
    /// More than [`KEYS_MAX`].
    #[error("the key file holds more than {KEYS_MAX} keys")]
    TooMany,
}

/// What is wrong with a key record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRecord {
    /// The key itself.
    #[error(transparent)]
    Key(#[from] BadKey),
    /// `public` is not 32 bytes of canonical base64.
    #[error("`public` is not 32 bytes of canonical base64")]
    Base64,
    /// `kid` is not the id of the key.
    #[error("`kid` is not the SHA-256 of the key's SPKI, which is `{0}`")]
    Kid(String),
    /// Only one algorithm is spoken.
    #[error("`alg` is not `ed25519`")]
    Algorithm,
    /// The window is empty.
    #[error("`not_before` is not before `not_after`")]
    Window,
    /// The same key stands there twice: it would have two purposes or two windows.
    #[error("the same key is listed twice")]
    Twice,
}

impl KeyRing {
    /// A ring of `records`; the same key listed twice is refused, for one key has one purpose.
    pub fn new(records: impl IntoIterator<Item = KeyRecord>) -> Result<Self, BadKeyFile> {
        let mut ring = Self::default();
        for (index, record) in records.into_iter().enumerate() {
            ring.insert(record).map_err(|why| BadKeyFile::Record { index, why })?;
            if ring.records.len() > KEYS_MAX {
                return Err(BadKeyFile::TooMany);
            }
        }
        Ok(ring)
    }

    /// A ring that trusts one PEM key for receipts at any time: the shortest way for an auditor who
    /// was handed a key.
    pub fn from_pem(text: &str) -> Result<Self, BadKey> {
        let key = PublicKey::from_pem(text)?;
        let record = KeyRecord { key, purpose: Purpose::Receipt, window: Window::ALWAYS };
        Ok(Self { records: BTreeMap::from([(key.id(), record)]) })
    }

    /// Reads `{"keys":[{"alg","kid","not_after","not_before","public","purpose"}…]}`.
    pub fn from_json(bytes: &[u8]) -> Result<Self, BadKeyFile> {
        let file: KeyFile = canonical::read(&canonical::canonical(bytes)?)?;
        if file.keys.len() > KEYS_MAX {
            return Err(BadKeyFile::TooMany);
        }
        let mut ring = Self::default();
        for (index, line) in file.keys.into_iter().enumerate() {
            let added = line.record().and_then(|record| ring.insert(record));
            added.map_err(|why| BadKeyFile::Record { index, why })?;
        }
        Ok(ring)
    }

    /// The canonical key file of this ring.
    pub fn to_json(&self) -> Result<Vec<u8>, canonical::Refused> {
        let line = |(kid, record): (&String, &KeyRecord)| KeyLine {
            alg: ALGORITHM.to_owned(),
            kid: kid.clone(),
            not_after: record.window.not_after,
            not_before: record.window.not_before,
            public: STANDARD.encode(record.key.as_bytes()),
            purpose: record.purpose,
        };
        canonical::of(&KeyFile { keys: self.records.iter().map(line).collect() })
    }

    /// Every record, by the id of its key.
    pub fn records(&self) -> impl Iterator<Item = &KeyRecord> {
        self.records.values()
    }

    /// The key `kid` if it may be used for `purpose` at `at`.
    pub fn find(&self, kid: &str, wanted: Purpose, at: Timestamp) -> Result<&PublicKey, NoKey> {
        let known = self.records.get(kid);
        let kid = || kid.to_owned();
        let Some(record) = known else { return Err(NoKey::Unknown { kid: kid() }) };
        if record.purpose != wanted {
            return Err(NoKey::Purpose { kid: kid(), is: record.purpose, wanted });
        }
        if !record.window.contains(at) {
            let Window { not_before: from, not_after: until } = record.window;
            return Err(NoKey::Window { kid: kid(), at, from, until });
        }
        Ok(&record.key)
    }

    /// The purpose of key `kid`, if it is known at all.
    pub fn purpose_of(&self, kid: &str) -> Option<Purpose> {
        self.records.get(kid).map(|record| record.purpose)
    }

    /// All keys trusted for `purpose` at `at` or later.
    pub fn from(&self, purpose: Purpose, at: Timestamp) -> impl Iterator<Item = &PublicKey> {
        let live =
            move |record: &&KeyRecord| record.purpose == purpose && at < record.window.not_after;
        self.records.values().filter(live).map(|record| &record.key)
    }

    fn insert(&mut self, record: KeyRecord) -> Result<(), BadRecord> {
        if record.window.not_before >= record.window.not_after {
            return Err(BadRecord::Window);
        }
        match self.records.insert(record.key.id(), record) {
            None => Ok(()),
            Some(_) => Err(BadRecord::Twice),
        }
    }
}

const ALGORITHM: &str = "ed25519";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    keys: Vec<KeyLine>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyLine {
    alg: String,
    kid: String,
    not_after: Timestamp,
    not_before: Timestamp,
    public: String,
    purpose: Purpose,
}

impl KeyLine {
    fn record(self) -> Result<KeyRecord, BadRecord> {
        if self.alg != ALGORITHM {
            return Err(BadRecord::Algorithm);
        }
        let bytes = STANDARD.decode(&self.public).map_err(|_| BadRecord::Base64)?;
        let key = PublicKey::from_bytes(&bytes.try_into().map_err(|_| BadRecord::Base64)?)?;
        if self.kid != key.id() {
            return Err(BadRecord::Kid(key.id()));
        }
        let window = Window { not_before: self.not_before, not_after: self.not_after };
        Ok(KeyRecord { key, purpose: self.purpose, window })
    }
}
