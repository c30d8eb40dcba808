//! What must not leave a run, whichever host or model it is for.
//!
//! The host's own secrets never leave. Beside them an operator and a Paper say what else is looked
//! for, and whether it is denied or a human is asked; what either denies is denied.
//!
//! It is a net, not a wall. What is found is found as it stands, with the escapes of addresses and
//! of JSON undone up to twice, and in base64 however that begins. Whoever compresses, encrypts or
//! respells what it sends is not seen: it is held by the list of hosts, and by the number of bytes.

mod detector;
mod scanner;
mod view;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use scanner::Scanner;

use crate::denial::{Code, Denial};

/// Rules in one list: each names one of few things, once for each answer.
pub const RULES_MAX: usize = 6;

/// Something that is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sought {
    /// A secret of the host's own.
    Secret,
    /// The number of a payment card, by its issuer, its length and its check digit.
    CardNumber,
    /// A private key in PEM.
    PrivateKey,
    /// A key or token of a known issuer, by its shape; a signed token.
    ApiKey,
}

impl Sought {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Secret, Self::CardNumber, Self::PrivateKey, Self::ApiKey];

    /// Those that rules can name.
    const NAMED: [Self; 3] = [Self::CardNumber, Self::PrivateKey, Self::ApiKey];

    const fn name(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::CardNumber => "card-number",
            Self::PrivateKey => "private-key",
            Self::ApiKey => "api-key",
        }
    }

    const fn in_words(self) -> &'static str {
        match self {
            Self::Secret => "a secret of the host",
            Self::CardNumber => "a card number",
            Self::PrivateKey => "a private key",
            Self::ApiKey => "an API key",
        }
    }
}

/// What is done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Then {
    /// It does not leave.
    Deny,
    /// It leaves if a human allows that one call.
    Ask,
}

impl Then {
    const fn name(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Ask => "ask",
        }
    }
}

/// One rule. Written as `deny:card-number`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rule {
    /// What is done.
    pub then: Then,
    /// About what.
    pub what: Sought,
}

/// A text that is no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no rule about contents: write `deny:` or `ask:`, and `card-number`, `private-key` or \
     `api-key`"
)]
pub struct BadRule(String);

impl FromStr for Rule {
    type Err = BadRule;

    fn from_str(text: &str) -> Result<Self, BadRule> {
        let bad = || BadRule(text.chars().take(40).flat_map(char::escape_debug).collect());
        let (then, what) = text.split_once(':').ok_or_else(bad)?;
        let then = [Then::Deny, Then::Ask].into_iter().find(|it| it.name() == then);
        let what = Sought::NAMED.into_iter().find(|it| it.name() == what);
        let (Some(then), Some(what)) = (then, what) else { return Err(bad()) };
        Ok(Self { then, what })
    }
}

impl TryFrom<String> for Rule {
    type Error = BadRule;

    fn try_from(text: String) -> Result<Self, BadRule> {
        text.parse()
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.then.name(), self.what.name())
    }
}

impl From<Rule> for String {
    fn from(rule: Rule) -> Self {
        rule.to_string()
    }
}

/// A part of what is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The host, the path and the query.
    Url,
    /// Names and values of headers.
    Headers,
    /// The body of a request.
    Body,
    /// A message to a model, counted from one.
    Message(u32),
    /// What a model is told of tools, of the shape of its answer, and of its end.
    Frame,
    /// A text for an embedding, counted from one.
    Text(u32),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url => f.write_str("the URL"),
            Self::Headers => f.write_str("the headers"),
            Self::Body => f.write_str("the body"),
            Self::Message(at) => write!(f, "message {at}"),
            Self::Frame => f.write_str("the tools, the schema or the stops"),
            Self::Text(at) => write!(f, "text {at}"),
        }
    }
}

/// Where something was found first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spot {
    /// In which part.
    pub part: Part,
    /// How many bytes of the part had been looked at.
    pub within: u64,
}

/// What was found in one call. Of the content itself it holds nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Found {
    secret: Option<Spot>,
    card_number: Option<Spot>,
    private_key: Option<Spot>,
    api_key: Option<Spot>,
}

impl Found {
    /// Nothing.
    pub const NOTHING: Self =
        Self { secret: None, card_number: None, private_key: None, api_key: None };

    /// Where `what` was found first.
    pub const fn spot(&self, what: Sought) -> Option<Spot> {
        match what {
            Sought::Secret => self.secret,
            Sought::CardNumber => self.card_number,
            Sought::PrivateKey => self.private_key,
            Sought::ApiKey => self.api_key,
        }
    }

    /// Takes note of `what`. What was found first stands.
    pub fn note(&mut self, what: Sought, spot: Spot) {
        let place = match what {
            Sought::Secret => &mut self.secret,
            Sought::CardNumber => &mut self.card_number,
            Sought::PrivateKey => &mut self.private_key,
            Sought::ApiKey => &mut self.api_key,
        };
        place.get_or_insert(spot);
    }

    /// Whether it may leave, humans aside.
    pub fn judge(&self, rules: &Both<'_>) -> Result<(), Denial> {
        if let Some(spot) = self.secret {
            let what = told(Sought::Secret, spot);
            return Err(Denial::new(Code::EgressContent, format_args!("{what}: it never leaves")));
        }
        let denied = self.told(rules, Then::Deny);
        denied.map_or(Ok(()), |told| Err(Denial::new(Code::EgressContent, told)))
    }

    /// What a human is asked about before it leaves, in words, where nothing denies it.
    pub fn question(&self, rules: &Both<'_>) -> Option<String> {
        self.told(rules, Then::Ask)
    }

    /// All of it: nobody allows one thing and thereby another.
    fn told(&self, rules: &Both<'_>, then: Then) -> Option<String> {
        let told = Sought::NAMED.into_iter().filter_map(|what| {
            let (rule, whose) = (Rule { then, what }, rules.whose(Rule { then, what })?);
            Some(format!("{}, by `{rule}` of {whose}", told(what, self.spot(what)?)))
        });
        let told: Vec<_> = told.collect();
        (!told.is_empty()).then(|| told.join("; "))
    }
}

fn told(what: Sought, Spot { part, within }: Spot) -> String {
    let name = what.in_words();
    // Where a secret ends would tell whoever guesses at it how much was right.
    if what == Sought::Secret {
        return format!("{name} in {part}");
    }
    format!("{name} in the first {within} bytes of {part}")
}

/// The rules of both keys: neither loosens the other.
#[derive(Debug, Clone, Copy)]
pub struct Both<'a> {
    /// The operator's.
    pub operator: &'a [Rule],
    /// The warrant's.
    pub warrant: &'a [Rule],
}

impl Both<'_> {
    /// Whether anybody has `what` looked for. The host's own secrets always are.
    pub fn seek(&self, what: Sought) -> bool {
        what == Sought::Secret || self.operator.iter().chain(self.warrant).any(|it| it.what == what)
    }

    /// Whether anybody wants to be asked about something, which takes all of what would leave.
    pub fn ask(&self) -> bool {
        self.operator.iter().chain(self.warrant).any(|it| it.then == Then::Ask)
    }

    fn whose(&self, rule: Rule) -> Option<&'static str> {
        if self.operator.contains(&rule) {
            return Some("the operator");
        }
        self.warrant.contains(&rule).then_some("the warrant")
    }
}
