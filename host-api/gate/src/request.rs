//! What a guest asks for, as a value: its canonical bytes are what journal and replay compare.

use std::borrow::Cow;

use envelope_evidence::{Digest, Usage, canonical};
use envelope_rules::Path;
use envelope_rules::content::Found;
use envelope_rules::grant::{Access, FileOp};
use envelope_rules::guard::{Act, Capability};
use serde::Serialize;

use crate::cost;

/// A request: what it is called in the journal, what is judged about it, and what it can use.
#[derive(Debug)]
pub struct Request<'a> {
    /// What the rules look at.
    pub act: Act<'a>,
    /// The operation's name, such as `read`.
    pub operation: &'static str,
    /// What it is about, for people.
    pub target: Cow<'a, str>,
    /// The digest of everything in it.
    pub digest: Digest,
    /// What it can use at worst, money aside.
    pub worst: Usage,
    /// What the host's work for it costs in fuel.
    pub fuel: u64,
    /// What was found in what it sends.
    pub found: Found,
}

impl<'a> Request<'a> {
    /// An operation of a capability that is judged by its name alone. `body` is the whole request.
    pub fn plain(
        capability: Capability,
        operation: &'static str,
        target: impl Into<Cow<'a, str>>,
        body: &impl Serialize,
    ) -> Self {
        Self::new(Act::Plain(capability), operation, target.into(), body)
    }

    /// An operation on a file.
    pub fn file(
        operation: &'static str,
        access: Access,
        path: &'a Path,
        body: &impl Serialize,
    ) -> Self {
        let act = Act::File { op: FileOp { access, path }, also: None };
        Self::new(act, operation, path.as_str().into(), &(path.as_str(), body))
    }

    /// An operation that changes two files.
    pub fn files(
        operation: &'static str,
        from: FileOp<'a>,
        to: FileOp<'a>,
        body: &impl Serialize,
    ) -> Self {
        let body = (from.path.as_str(), to.path.as_str(), body);
        let target = Cow::Owned(format!("{} → {}", from.path, to.path));
        Self::new(Act::File { op: from, also: Some(to) }, operation, target, &body)
    }

    /// Any act.
    pub fn new(
        act: Act<'a>,
        operation: &'static str,
        target: Cow<'a, str>,
        body: &impl Serialize,
    ) -> Self {
        let digest = digest(act.capability(), operation, body);
        Self {
            act,
            operation,
            target,
            digest,
            worst: Usage::ZERO,
            fuel: cost::CALL,
            found: Found::NOTHING,
        }
    }

    /// The same request, in which that was found.
    #[must_use]
    pub const fn carrying(mut self, found: Found) -> Self {
        self.found = found;
        self
    }

    /// The same request with `bytes` that pass through the gate.
    #[must_use]
    pub fn moving(mut self, bytes: u64) -> Self {
        let bytes = bytes.min(envelope_evidence::usage::MAX_EXACT);
        self.worst = bytes_used(bytes);
        self.fuel = self.fuel.saturating_add(bytes.saturating_mul(cost::BYTE));
        self
    }

    /// The same request with `count` things to look at.
    #[must_use]
    pub fn looking_at(mut self, count: u64) -> Self {
        self.fuel = self.fuel.saturating_add(count.saturating_mul(cost::ITEM));
        self
    }
}

/// A usage of bytes alone.
pub fn bytes_used(bytes: u64) -> Usage {
    Usage::ZERO.with(envelope_evidence::Dimension::Bytes, bytes).unwrap_or_default()
}

/// The digest of a request. A body that is no canonical JSON, which none of ours is, would be known
/// by the reason why: it would still be the same on replay.
fn digest(capability: Capability, operation: &str, body: &impl Serialize) -> Digest {
    match canonical::of(&(capability.name(), operation, body)) {
        Ok(bytes) => Digest::of(&bytes),
        Err(refused) => Digest::of(refused.to_string().as_bytes()),
    }
}
