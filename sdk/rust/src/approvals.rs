//! Questions to humans. A run that waits for an answer leaves memory; to the agent, the call simply
//! returns. What a human says is bound to exactly what was asked.

use std::time::Duration;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::bindings::envelope::host::approvals;
use crate::error::{Error, Fault, Result};
use crate::host::Host as _;
use crate::{Ctx, Denial};

pub use approvals::{Answer, Granted, Question, Scope};

/// Seconds that a wider grant lives, unless the agent says otherwise: time for one piece of work.
const TTL_SECS: u32 = 600;

impl Scope {
    /// A wish for more authority, for ten minutes. The reason is for the human who decides.
    #[must_use]
    pub fn because(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            read: Vec::new(),
            write_prefix: None,
            hosts: Vec::new(),
            models: Vec::new(),
            nano_usd: 0,
            ttl: TTL_SECS,
        }
    }

    /// The same with files to read, by pattern.
    #[must_use]
    pub fn read<'a>(mut self, patterns: impl IntoIterator<Item = &'a str>) -> Self {
        self.read.extend(patterns.into_iter().map(str::to_owned));
        self
    }

    /// The same with a wider place to write. It holds the one that the run has.
    #[must_use]
    pub fn write(mut self, prefix: impl Into<String>) -> Self {
        self.write_prefix = Some(prefix.into());
        self
    }

    /// The same with hosts to reach over https.
    #[must_use]
    pub fn hosts<'a>(mut self, hosts: impl IntoIterator<Item = &'a str>) -> Self {
        self.hosts.extend(hosts.into_iter().map(str::to_owned));
        self
    }

    /// The same with models to call.
    #[must_use]
    pub fn models<'a>(mut self, models: impl IntoIterator<Item = &'a str>) -> Self {
        self.models.extend(models.into_iter().map(str::to_owned));
        self
    }

    /// The same with more money, in billionths of a US dollar.
    #[must_use]
    pub fn money(mut self, nano_usd: u64) -> Self {
        self.nano_usd = nano_usd;
        self
    }

    /// The same for so long.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = u32::try_from(ttl.as_secs()).unwrap_or(u32::MAX);
        self
    }
}

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NoAnswer {
    /// It could not be asked.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// A human did not want to answer; the text says why.
    #[error("no human answers: {0}")]
    Declined(String),
    /// Nobody answered in time.
    #[error("no human answered in time")]
    Expired,
}

impl NoAnswer {
    /// The refusal, if that is what it was.
    #[must_use]
    pub fn denial(&self) -> Option<&Denial> {
        match self {
            Self::Fault(Fault::Denied(denial)) => Some(denial),
            Self::Fault(_) | Self::Declined(_) | Self::Expired => None,
        }
    }
}

impl Ctx {
    /// Asks a human for more authority. What is granted is what was asked for, or less.
    ///
    /// # Errors
    /// The host denies it, or the human does.
    pub fn request_scope(&self, scope: &Scope) -> Result<Granted, Fault> {
        self.host.request_scope(scope)
    }

    /// Asks a human a question.
    ///
    /// # Errors
    /// The host denies it. That a human declines is an answer.
    pub fn ask(&self, text: &str, question: &Question) -> Result<Answer, Fault> {
        self.host.ask(text, question)
    }

    /// Has a human choose, and returns the place of the choice.
    ///
    /// # Errors
    /// The host denies it, or no human answers.
    pub fn choose<'a>(
        &self,
        text: &str,
        choices: impl IntoIterator<Item = &'a str>,
    ) -> Result<usize, NoAnswer> {
        let choices = choices.into_iter().map(str::to_owned).collect();
        match self.ask(text, &Question::Choices(choices))? {
            Answer::Choice(choice) => Ok(usize::try_from(choice).unwrap_or(usize::MAX)),
            answer @ (Answer::Document(_) | Answer::Declined(_) | Answer::Expired) => {
                Err(none(answer))
            }
        }
    }

    /// Has a human write a `T`.
    ///
    /// # Errors
    /// The host denies it, no human answers, or what one wrote is no `T` although it fits the
    /// schema of one.
    pub fn ask_for<T: DeserializeOwned + JsonSchema>(&self, text: &str) -> Result<T> {
        let schema = serde_json::to_string(&schemars::schema_for!(T))?;
        match self.ask(text, &Question::Schema(schema))? {
            Answer::Document(document) => Ok(serde_json::from_str(&document)?),
            answer @ (Answer::Choice(_) | Answer::Declined(_) | Answer::Expired) => {
                Err(Error::from(none(answer)))
            }
        }
    }
}

fn none(answer: Answer) -> NoAnswer {
    match answer {
        Answer::Declined(reason) => NoAnswer::Declined(reason),
        Answer::Expired => NoAnswer::Expired,
        Answer::Choice(_) | Answer::Document(_) => {
            Fault::Unavailable("another question was answered".into()).into()
        }
    }
}
