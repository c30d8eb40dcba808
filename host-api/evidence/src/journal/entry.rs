//! The records after the header.
//!
//! What every call writes has its members in the order of canonical JSON, so that nothing has to
//! be moved when it is written, nor when it is read and held against what would be written.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::Digest;
use crate::journal::header::Scope;
use crate::preview::Preview;
use crate::text::{Label, PathText};
use crate::time::{Rfc3339, Timestamp};
use crate::usage::Usage;

/// The capability whose operations are counted as file operations.
pub const FILES: &str = "files";

/// Bytes of an answer kept in its entry. Larger ones are blobs, so that lines stay short.
pub const INLINE_BYTES_MAX: usize = 4096;

/// One record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// When it was written. Never earlier than the record before it.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
    /// The digest of the line before it.
    pub prev: Digest,
    /// Its place, from zero.
    pub seq: u64,
    /// The version of the record.
    pub v: u64,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// A call is about to act on the world.
    Begun(Begun),
    /// A call has its answer.
    Answered(Answered),
    /// A call was refused.
    Denied(Denied),
    /// A human looked at something and decided.
    Reviewed(Review),
    /// A criterion was checked.
    Evaluated(Evaluation),
    /// The guest is done, or done for.
    Ended(Ended),
}

impl Event {
    /// The end, if this is one.
    pub const fn as_ended(&self) -> Option<&Ended> {
        match self {
            Self::Ended(ended) => Some(ended),
            Self::Begun(_)
            | Self::Answered(_)
            | Self::Denied(_)
            | Self::Reviewed(_)
            | Self::Evaluated(_) => None,
        }
    }
}

/// What the guest asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The capability, such as `files`.
    pub capability: Label,
    /// Its number, from zero, without gaps.
    pub n: u64,
    /// The operation, such as `read`.
    pub operation: Label,
    /// The digest of the whole request: what a replay compares.
    pub request: Digest,
    /// What it is about, for people.
    pub target: Preview,
}

/// Written, durably, before an effect that must not happen twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Begun {
    /// What a human is asked, if that is what the call does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asks: Option<Content>,
    /// The call.
    pub call: Call,
    /// What to do when no answer follows.
    pub recovery: Recovery,
    /// The idempotency key the effect carries.
    pub key: Label,
    /// The worst case, reserved.
    pub reserved: Usage,
}

/// What may be done about an effect that began and has no recorded answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recovery {
    /// It may happen again: judge it afresh.
    Again,
    /// It may be repeated under the same idempotency key.
    SameKey,
    /// It must not happen twice: a human decides.
    Once,
}

/// The answer the guest got, and gets again on replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answered {
    /// The answer.
    pub answer: Content,
    /// The call.
    pub call: Call,
    /// The run of another agent that it was, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub child: Option<Box<Child>>,
    /// The file it touched, if it touched one.
    pub file: Option<FileTouch>,
    /// The new authority, if the answer brought one.
    pub rotation: Option<Box<Rotation>>,
    /// What it used.
    pub used: Usage,
}

/// Another agent's run on behalf of this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Child {
    /// The agent, by its service identity.
    pub agent: Label,
    /// How it ended.
    pub outcome: Outcome,
    /// The digest of all that the agent may ever do by itself.
    pub own: Digest,
    /// The digest of its receipt's payload.
    pub receipt: Digest,
    /// What was set aside for it.
    pub reserved: Usage,
    /// The run. Its own header names this one as its caller.
    pub run: Label,
    /// What was handed on to it.
    pub scope: Scope,
    /// What it used. The rest went back.
    pub used: Usage,
    /// The digest of its warrant: what both allow.
    pub warrant: Digest,
}

/// Bytes by digest, kept here when they are few.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    digest: Digest,
    size: u64,
    inline: Option<Vec<u8>>,
}

impl Content {
    /// `bytes`, kept inline up to [`INLINE_BYTES_MAX`].
    pub fn of(bytes: &[u8]) -> Self {
        let inline = (bytes.len() <= INLINE_BYTES_MAX).then(|| bytes.to_vec());
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Self { digest: Digest::of(bytes), size, inline }
    }

    /// `size` bytes known by their digest alone: kept elsewhere, or computed again by a replay.
    pub const fn named(digest: Digest, size: u64) -> Self {
        Self { digest, size, inline: None }
    }

    /// The digest of the bytes.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// How many bytes.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The bytes, unless they are a blob.
    pub fn inline(&self) -> Option<&[u8]> {
        self.inline.as_deref()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ContentOnPaper {
    digest: Digest,
    inline: Option<String>,
    size: u64,
}

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let inline = self.inline.as_ref().map(|bytes| STANDARD.encode(bytes));
        ContentOnPaper { digest: self.digest, size: self.size, inline }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let paper = ContentOnPaper::deserialize(deserializer)?;
        let Some(text) = paper.inline else {
            return Ok(Self { digest: paper.digest, size: paper.size, inline: None });
        };
        let bytes = STANDARD.decode(text).map_err(|_| D::Error::custom("not canonical base64"))?;
        let content = Self::of(&bytes);
        if content.digest != paper.digest || content.size != paper.size {
            return Err(D::Error::custom("the inline bytes are not the ones named"));
        }
        Ok(content)
    }
}

/// A file that a call read or wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileTouch {
    /// The digest of what was read or written.
    pub digest: Digest,
    /// Its path.
    pub path: PathText,
    /// How many bytes.
    pub size: u64,
}

/// A wider grant that a human allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// The approval it rests on.
    pub approval: Label,
    /// What came with it beside the files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<Beside>,
    /// What the run may do from here on.
    pub scope: Scope,
}

/// Authority that a human allowed beside that over files. It ends with the grant it came with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Beside {
    /// Hosts to reach.
    pub hosts: Vec<Label>,
    /// Models to call.
    pub models: Vec<Label>,
    /// More money, in billionths of a US dollar.
    pub nano_usd: u64,
}

/// A refusal: recorded like an answer and replayed like one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Denied {
    /// The call.
    pub call: Call,
    /// The stable code of the reason.
    pub code: Label,
    /// What it was about.
    pub detail: Preview,
}

/// A human decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// Its id.
    pub id: Label,
    /// Who decided.
    pub reviewer: Label,
    /// What was decided.
    pub decision: Reviewed,
    /// The digest of exactly what the reviewer saw.
    pub saw: Digest,
    /// In the reviewer's words.
    pub note: Preview,
    /// When. A decision may have been made long before the run that waited for it went on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Rfc3339>,
}

/// Decisions a human can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reviewed {
    /// As asked.
    Approved,
    /// Less than asked.
    Narrowed,
    /// Refused.
    Rejected,
    /// Nobody decided in time.
    Expired,
    /// The question went away.
    Withdrawn,
}

impl Reviewed {
    /// The name in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Narrowed => "narrowed",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// One criterion, checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// The criterion's id in the Paper.
    pub criterion: Label,
    /// The result.
    pub verdict: Verdict,
    /// In millionths, when the method scores.
    pub score: Option<u32>,
    /// How it was checked.
    pub method: Label,
    /// By whom or what.
    pub evaluator: Label,
    /// What it rests on.
    pub evidence: Vec<Digest>,
}

/// Results of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The criterion is met.
    Conform,
    /// It is not.
    Deviate,
    /// The evidence does not decide it.
    Indeterminate,
}

/// The end of the guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    /// How it ended.
    pub outcome: Outcome,
    /// Why, in a word: the limit that was hit, the code of the denial, who killed it.
    pub reason: Label,
    /// What the skill returned.
    pub result: Option<OutputValue>,
    /// The files under the outputs prefix as they were committed.
    pub outputs: Vec<Output>,
}

/// How a run can end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The skill returned.
    Ok,
    /// The skill returned a failure.
    Failed,
    /// The run was not allowed to start, or could not go on without authority it lacks.
    Denied,
    /// The guest trapped.
    Crashed,
    /// A limit was reached; the reason names it.
    Exhausted,
    /// A human or the operator stopped it.
    Killed,
    /// The host went away: nobody resumed the run, or whoever did went away as well.
    Interrupted,
}

impl Outcome {
    /// The name in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Denied => "denied",
            Self::Crashed => "crashed",
            Self::Exhausted => "exhausted",
            Self::Killed => "killed",
            Self::Interrupted => "interrupted",
        }
    }
}

/// What the skill returned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputValue {
    /// The digest of its bytes.
    pub digest: Digest,
    /// How many bytes.
    pub size: u64,
    /// A glimpse of it.
    pub preview: Preview,
}

/// A file the run produced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Its path.
    pub path: PathText,
    /// The digest of its bytes.
    pub digest: Digest,
    /// How many bytes.
    pub size: u64,
}
