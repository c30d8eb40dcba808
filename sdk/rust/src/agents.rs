//! Other agents: what they are asked, and what is handed on to them.
//!
//! A callee runs in a sandbox of its own and gets no more than what its caller hands on, whatever
//! it could do by itself. What it does not use of its budget goes back.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bindings::envelope::host::agents;
use crate::error::{Fault, Result};
use crate::host::Host as _;
use crate::{Ctx, Denial};

pub(crate) use agents::Errand;
pub use agents::{Budget, Delegation};

impl Default for Delegation {
    /// No files, no outputs, no money; a minute, and enough computation for a small skill.
    fn default() -> Self {
        let budget =
            Budget { nano_usd: 0, tokens: 0, bytes: 16 << 20, calls: 10_000, fuel: 2_000_000_000 };
        Self { files: Vec::new(), outputs_prefix: None, ttl: 60, budget }
    }
}

impl Delegation {
    /// The same with files to read, by pattern.
    #[must_use]
    pub fn files<'a>(mut self, patterns: impl IntoIterator<Item = &'a str>) -> Self {
        self.files.extend(patterns.into_iter().map(str::to_owned));
        self
    }

    /// The same with a place to write: what lies there appears in the caller's files.
    #[must_use]
    pub fn outputs(mut self, prefix: impl Into<String>) -> Self {
        self.outputs_prefix = Some(prefix.into());
        self
    }

    /// The same for so long.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = u32::try_from(ttl.as_secs()).unwrap_or(u32::MAX);
        self
    }

    /// The same with money, in billionths of a US dollar, and tokens of models.
    #[must_use]
    pub fn money(mut self, nano_usd: u64, tokens: u64) -> Self {
        (self.budget.nano_usd, self.budget.tokens) = (nano_usd, tokens);
        self
    }
}

/// Why a callee gave no result.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Failure {
    /// The call did not come about.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// Its skill failed; the document says how.
    #[error("the agent failed: {0}")]
    Failed(String),
    /// It did not come to its end.
    #[error("the agent did not come to its end: {0}")]
    Ended(String),
}

impl Failure {
    /// The refusal, if that is what it was.
    #[must_use]
    pub fn denial(&self) -> Option<&Denial> {
        match self {
            Self::Fault(Fault::Denied(denial)) => Some(denial),
            Self::Fault(_) | Self::Failed(_) | Self::Ended(_) => None,
        }
    }
}

impl From<agents::Failure> for Failure {
    fn from(failure: agents::Failure) -> Self {
        match failure {
            agents::Failure::Fault(fault) => Self::Fault(fault.into()),
            agents::Failure::Failed(document) => Self::Failed(document),
            agents::Failure::Ended(reason) => Self::Ended(reason),
        }
    }
}

/// Another agent.
pub struct Peer<'a> {
    ctx: &'a Ctx,
    name: &'a str,
}

impl Ctx {
    /// The agent of this name.
    #[must_use]
    pub fn agent<'a>(&'a self, name: &'a str) -> Peer<'a> {
        Peer { ctx: self, name }
    }
}

impl Peer<'_> {
    /// Has the agent do `skill`, with what `delegation` hands on, and waits for the result.
    ///
    /// # Errors
    /// The host denies it, the agent failed, or its result is not an `R`.
    pub fn call<R: DeserializeOwned>(
        &self,
        skill: &str,
        args: &impl Serialize,
        delegation: &Delegation,
    ) -> Result<R> {
        let errand = self.errand(skill, args, delegation)?;
        Ok(serde_json::from_str(&self.ctx.host.call(&errand)?)?)
    }

    /// Has the agent do `skill` with each of `args`, side by side, and waits for all. Each gets
    /// what `delegation` hands on. The results stand in the order of the arguments.
    ///
    /// # Errors
    /// Arguments that are no JSON. What goes wrong with one call stands in its place.
    pub fn call_all<R: DeserializeOwned>(
        &self,
        skill: &str,
        args: &[impl Serialize],
        delegation: &Delegation,
    ) -> Result<Vec<Result<R>>> {
        let errands = args.iter().map(|args| self.errand(skill, args, delegation));
        let errands = errands.collect::<Result<Vec<_>>>()?;
        let read = |one: std::result::Result<String, Failure>| Ok(serde_json::from_str(&one?)?);
        Ok(self.ctx.host.call_all(&errands).into_iter().map(read).collect())
    }

    fn errand(
        &self,
        skill: &str,
        args: &impl Serialize,
        delegation: &Delegation,
    ) -> Result<Errand> {
        Ok(Errand {
            agent: self.name.to_owned(),
            skill: skill.to_owned(),
            args: serde_json::to_string(args)?,
            delegation: delegation.clone(),
        })
    }
}
