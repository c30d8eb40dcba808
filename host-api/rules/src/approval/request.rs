//! What is asked of a human, and how it is written.

use envelope_evidence::usage::MAX_EXACT;
use envelope_evidence::{Digest, Label, Timestamp, canonical};
use serde::{Deserialize, Serialize};

use crate::path::Prefix;
use crate::pattern::PatternSet;

/// Characters of a question or a reason: a human reads it whole.
pub const TEXT_CHARS_MAX: usize = 2_000;

/// Answers to choose from: what fits on one screen.
pub const CHOICES_MAX: usize = 16;

/// Hosts or models in one request: a human looks at each.
pub const LIST_MAX: usize = 32;

/// Bytes of a schema or of the document that answers a question.
pub const DOCUMENT_BYTES_MAX: usize = 16 << 10;

/// A question to a human.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The run that asks.
    pub run: Label,
    /// The number of the call: no run asks twice in one call.
    pub call: u64,
    /// The agent that asks, by its service identity.
    pub agent: Label,
    /// Who started the run.
    pub caller: Label,
    /// When it was asked.
    pub asked: Timestamp,
    /// The first instant at which it is too late to decide.
    pub expires: Timestamp,
    /// What is asked.
    pub matter: Matter,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Matter {
    /// More authority.
    Scope {
        /// Why, in the agent's words.
        reason: String,
        /// How much.
        wanted: Wanted,
    },
    /// One of some answers.
    Choice {
        /// The question.
        text: String,
        /// The answers.
        choices: Vec<String>,
    },
    /// A document.
    Document {
        /// The question.
        text: String,
        /// The JSON Schema that the answer has to fit.
        schema: String,
    },
}

/// Authority beyond what a run has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// What it wants to read.
    pub read: PatternSet,
    /// Where it wants to write.
    pub write: Option<Prefix>,
    /// Which hosts it wants to reach.
    pub hosts: Vec<Label>,
    /// Which models it wants to call.
    pub models: Vec<Label>,
    /// How much more it wants to spend, in billionths of a US dollar.
    pub nano_usd: u64,
    /// For how long, in seconds.
    pub ttl: u64,
}

impl Wanted {
    /// The first key in which this reaches beyond `other`.
    pub fn beyond(&self, other: &Self) -> Option<&'static str> {
        let listed = |mine: &[Label], theirs: &[Label]| mine.iter().all(|it| theirs.contains(it));
        let below = |mine: &Prefix| other.write.as_ref().is_some_and(|it| mine.within(it));
        let keys = [
            ("read", self.read.within(&other.read)),
            ("write-prefix", self.write.as_ref().is_none_or(below)),
            ("hosts", listed(&self.hosts, &other.hosts)),
            ("models", listed(&self.models, &other.models)),
            ("nano-usd", self.nano_usd <= other.nano_usd),
            ("ttl", self.ttl <= other.ttl),
        ];
        keys.into_iter().find(|(_, within)| !within).map(|(key, _)| key)
    }
}

/// A request that nobody should have to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadRequest {
    /// A text.
    #[error("a question or reason is 1 to {TEXT_CHARS_MAX} characters")]
    Text,
    /// Answers.
    #[error("a question offers 1 to {CHOICES_MAX} answers, each 1 to 240 characters")]
    Choices,
    /// A schema.
    #[error("the schema is a JSON document of at most {DOCUMENT_BYTES_MAX} bytes")]
    Schema,
    /// A list.
    #[error("a request names at most {LIST_MAX} hosts and {LIST_MAX} models")]
    List,
    /// It would last no time at all.
    #[error("a request has time to be decided in, and what it asks for a `ttl` above 0")]
    Time,
    /// A number.
    #[error("a number of a request is at most {MAX_EXACT}")]
    Amount,
    /// The policy.
    #[error("one or two humans decide")]
    Approvers,
}

impl Request {
    /// Whether a human can be asked this.
    pub fn check(&self) -> Result<(), BadRequest> {
        let ensure = |holds, bad| if holds { Ok(()) } else { Err(bad) };
        ensure(self.asked < self.expires, BadRequest::Time)?;
        ensure(self.call <= MAX_EXACT, BadRequest::Amount)?;
        Self::check_matter(&self.matter)
    }

    /// Whether a human can be asked `matter`, by whomever and whenever.
    pub fn check_matter(matter: &Matter) -> Result<(), BadRequest> {
        let ensure = |holds, bad| if holds { Ok(()) } else { Err(bad) };
        let fits = |text: &str, max| (1..=max).contains(&text.chars().count());
        match matter {
            Matter::Scope { reason, wanted } => {
                ensure(fits(reason, TEXT_CHARS_MAX), BadRequest::Text)?;
                let longest = wanted.hosts.len().max(wanted.models.len());
                ensure(longest <= LIST_MAX, BadRequest::List)?;
                let largest = wanted.nano_usd.max(wanted.ttl);
                ensure(largest <= MAX_EXACT, BadRequest::Amount)?;
                ensure(wanted.ttl > 0, BadRequest::Time)
            }
            Matter::Choice { text, choices } => {
                ensure(fits(text, TEXT_CHARS_MAX), BadRequest::Text)?;
                let good = (1..=CHOICES_MAX).contains(&choices.len());
                let good = good && choices.iter().all(|choice| fits(choice, 240));
                ensure(good, BadRequest::Choices)
            }
            Matter::Document { text, schema } => {
                ensure(fits(text, TEXT_CHARS_MAX), BadRequest::Text)?;
                let json = || serde_json::from_str::<serde_json::Value>(schema).is_ok();
                ensure(schema.len() <= DOCUMENT_BYTES_MAX && json(), BadRequest::Schema)
            }
        }
    }

    /// What the human sees, byte for byte: every field, in one spelling. Nothing an agent writes
    /// can look like a field of its own, because texts stand in quotes and on one line, and what
    /// would break the line or turn its direction is spelled out. A request that does not
    /// [hold](Self::check) is shown to nobody.
    pub fn shown(&self) -> Result<String, BadRequest> {
        self.check()?;
        let bytes = canonical::of(self).map_err(|_| BadRequest::Amount)?;
        let value = serde_json::from_slice::<serde_json::Value>(&bytes);
        let shown = value.and_then(|value| serde_json::to_string_pretty(&value));
        Ok(spelled_out(&shown.map_err(|_| BadRequest::Amount)?))
    }

    /// The digest of what the human sees. A decision names it.
    pub fn digest(&self) -> Result<Digest, BadRequest> {
        Ok(Digest::of(self.shown()?.as_bytes()))
    }
}

/// `json` with characters that are not seen, but move others, as escapes. They stand in strings
/// only, so it says the same.
fn spelled_out(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for character in json.chars() {
        if moves_text(character) {
            shown.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Separators of lines and paragraphs, and what turns the direction of text.
const fn moves_text(character: char) -> bool {
    matches!(character, '\u{2028}' | '\u{2029}' | '\u{61c}' | '\u{200e}' | '\u{200f}')
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether `document` can answer a question: JSON, and not too long. Whoever takes the decision
/// holds it against the schema too.
pub fn answer_fits(document: &str) -> bool {
    let json = || serde_json::from_str::<serde_json::Value>(document).is_ok();
    document.len() <= DOCUMENT_BYTES_MAX && json()
}
