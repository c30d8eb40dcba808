//! The keys that sign for an organisation: announced, in use, retired or revoked.
//!
//! Each change is a change of a row, so the history of the keys stands in the log that one of them
//! signs. Rotation is overlap: the next key is announced and put to use before the last one
//! retires. What verifiers trust is a [`KeyRing`] of those that were never revoked, each for its
//! own time.

use envelope_evidence::Timestamp;
use envelope_evidence::key::Window;
use envelope_evidence::keyring::{KeyRecord, KeyRing};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::noun::{Change, Noun, PAGE_MAX, Record};
use crate::{OrgTx, StoreError};

/// Characters of a reason: a sentence, not a report.
pub const REASON_CHARS_MAX: usize = 500;

/// Where a key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Announced, and not yet in use.
    Next,
    /// It signs.
    Active,
    /// It signs no more; what it signed stays good.
    Retired,
    /// It was lost or stolen, at some moment or later. Who has it can date back, so what it signed
    /// before is believed only where the log shows that it was there by then.
    Revoked,
}

impl State {
    /// All of them, in the order of a life.
    pub const ALL: [Self; 4] = [Self::Next, Self::Active, Self::Retired, Self::Revoked];

    /// The name in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Revoked => "revoked",
        }
    }
}

/// A key and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The key, what it signs, and when.
    pub record: KeyRecord,
    /// Where it stands.
    pub state: State,
    /// Why it was last changed, if somebody said so.
    pub why: Option<String>,
}

/// What becomes of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// It signs from now on.
    Activate,
    /// It signs no more.
    Retire,
    /// It is in other hands since a moment, or may be.
    Revoke {
        /// The first instant of doubt.
        since: Timestamp,
        /// What happened.
        why: &'a str,
    },
}

/// Why a key does not change.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignerError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nobody announced it.
    #[error("no key `{0}` was ever announced here")]
    Unknown(String),
    /// It is past that.
    #[error("key `{kid}` is {state}: it cannot be {wanted}", state = state.name())]
    NotNow {
        /// The key.
        kid: String,
        /// Where it stands.
        state: State,
        /// What was wanted of it.
        wanted: &'static str,
    },
    /// It was announced before.
    #[error("key `{0}` was announced before: a key has one life")]
    Twice(String),
    /// A revocation that begins some time.
    #[error("a key is revoked since some moment that has passed")]
    Future,
    /// A reason of more than [`REASON_CHARS_MAX`].
    #[error("a reason has 1 to {REASON_CHARS_MAX} characters")]
    Reason,
}

impl Signer {
    /// The same key after `event`.
    pub fn step(mut self, event: Event<'_>, now: Timestamp) -> Result<Self, SignerError> {
        let kid = self.record.key.id();
        let not_now = |state, wanted| SignerError::NotNow { kid, state, wanted };
        let window = &mut self.record.window;
        match (event, self.state) {
            (Event::Activate, State::Next) => {
                *window = Window { not_before: now, ..Window::ALWAYS };
                self.state = State::Active;
            }
            (Event::Retire, State::Active) => {
                window.not_after = now;
                self.state = State::Retired;
            }
            // What was believed to be stolen later may turn out to have been stolen earlier.
            (Event::Revoke { since, .. }, State::Revoked) if since >= window.not_after => {
                return Err(not_now(self.state, "revoked again"));
            }
            (Event::Revoke { since, .. }, _) if since > now => return Err(SignerError::Future),
            (Event::Revoke { since, why }, _) => {
                if why.is_empty() || why.chars().count() > REASON_CHARS_MAX {
                    return Err(SignerError::Reason);
                }
                window.not_after = window.not_after.min(since);
                self.state = State::Revoked;
                self.why = Some(why.to_owned());
            }
            (Event::Activate, State::Active | State::Retired | State::Revoked) => {
                return Err(not_now(self.state, "put to use"));
            }
            (Event::Retire, State::Next | State::Retired | State::Revoked) => {
                return Err(not_now(self.state, "retired"));
            }
        }
        Ok(self)
    }

    /// Whether there is a time for which verifiers trust it. Who stole a key can date back: of one
    /// that was revoked nothing is believed on its own word.
    fn is_trusted(&self) -> bool {
        let Window { not_before, not_after } = self.record.window;
        matches!(self.state, State::Active | State::Retired) && not_before < not_after
    }

    fn body(&self) -> Result<String, StoreError> {
        let data = |why: String| StoreError::Data(why);
        // Until it signs, it is announced for any time.
        let ring = KeyRing::new([KeyRecord { window: Window::ALWAYS, ..self.record.clone() }]);
        let ring = ring.map_err(|why| data(why.to_string()))?;
        let key = ring.to_json().map_err(|why| data(why.to_string()))?;
        let key = serde_json::from_slice(&key).map_err(|why| data(why.to_string()))?;
        let Window { not_before, not_after } = self.record.window;
        let body = Body { key, not_before, not_after, why: self.why.clone() };
        serde_json::to_string(&body).map_err(|why| data(why.to_string()))
    }

    fn of(record: &Record) -> Result<Self, StoreError> {
        let wrong = |why: String| StoreError::Data(format!("key `{}`: {why}", record.id));
        let body: Body =
            serde_json::from_str(&record.body).map_err(|why| wrong(why.to_string()))?;
        let ring = KeyRing::from_json(body.key.to_string().as_bytes());
        let ring = ring.map_err(|why| wrong(why.to_string()))?;
        let key = ring.records().next().ok_or_else(|| wrong("it is missing".to_owned()))?;
        let window = Window { not_before: body.not_before, not_after: body.not_after };
        let state = State::ALL.into_iter().find(|state| state.name() == record.state);
        let state = state.ok_or_else(|| wrong(format!("unknown state `{}`", record.state)))?;
        Ok(Self { record: KeyRecord { window, ..key.clone() }, state, why: body.why })
    }
}

/// A key in its row: as verifiers read it, with the time for which it is trusted.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    key: Json,
    not_before: Timestamp,
    not_after: Timestamp,
    why: Option<String>,
}

impl OrgTx<'_> {
    /// Announces a key, which signs nothing yet.
    pub async fn announce_key(
        &mut self,
        record: KeyRecord,
        now: Timestamp,
    ) -> Result<(), SignerError> {
        let kid = record.key.id();
        if self.get(Noun::Signer, &kid).await?.is_some() {
            return Err(SignerError::Twice(kid));
        }
        let signer = Signer { record, state: State::Next, why: None };
        let body = signer.body()?;
        let change = Change { id: &kid, state: State::Next.name(), body: &body, at: now };
        Ok(self.add(Noun::Signer, None, change).await?)
    }

    /// Takes a key a step further.
    pub async fn step_key(
        &mut self,
        kid: &str,
        event: Event<'_>,
        now: Timestamp,
    ) -> Result<Signer, SignerError> {
        let unknown = || SignerError::Unknown(kid.to_owned());
        let row = self.get(Noun::Signer, kid).await?.ok_or_else(unknown)?;
        let signer = Signer::of(&row)?.step(event, now)?;
        let body = signer.body()?;
        let change = Change { id: kid, state: signer.state.name(), body: &body, at: now };
        self.step(Noun::Signer, row.version, change).await?;
        Ok(signer)
    }

    /// A key, if it was ever announced.
    pub async fn key(&mut self, kid: &str) -> Result<Option<Signer>, StoreError> {
        self.get(Noun::Signer, kid).await?.as_ref().map(Signer::of).transpose()
    }

    /// Every key there ever was, by where it stands and then by its id.
    pub async fn keys(&mut self) -> Result<Vec<Signer>, StoreError> {
        let mut all = Vec::new();
        for state in State::ALL {
            let mut after = String::new();
            loop {
                let page = self.list(Noun::Signer, state.name(), &after).await?;
                for row in &page {
                    all.push(Signer::of(row)?);
                }
                match page.last() {
                    Some(last) if i64::try_from(page.len()) == Ok(PAGE_MAX) => {
                        after.clone_from(&last.id);
                    }
                    Some(_) | None => break,
                }
            }
        }
        Ok(all)
    }
}

/// What verifiers trust of these keys: each for the time in which it signed.
pub fn ring(keys: &[Signer]) -> Result<KeyRing, StoreError> {
    let trusted = keys.iter().filter(|key| key.is_trusted());
    KeyRing::new(trusted.map(|key| key.record.clone()))
        .map_err(|why| StoreError::Data(why.to_string()))
}
