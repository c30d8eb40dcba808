//! One account of the chain: a cap, what was spent, what is held.

use std::fmt;

use envelope_evidence::usage::{Dimension, MAX_EXACT, Usage};
use serde::{Deserialize, Deserializer, Serialize};

use crate::{Code, Denial};

/// The longest name of an account: an identifier, or a day with its time zone.
pub const ACCOUNT_NAME_CHARS_MAX: usize = 128;

/// Whose account it is, from the leaf to the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// One run.
    Run,
    /// One task, however many runs it takes.
    Task,
    /// One agent on one day, in a declared time zone.
    Day,
    /// One agent, for ever.
    Agent,
    /// One purchase.
    Purchase,
    /// The organisation that pays.
    Organisation,
}

impl Level {
    /// The words used in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Task => "task",
            Self::Day => "agent's day",
            Self::Agent => "agent",
            Self::Purchase => "purchase",
            Self::Organisation => "organisation",
        }
    }
}

/// A limit in some dimensions, each at most [`MAX_EXACT`]; a dimension without one is not limited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cap {
    #[serde(default, deserialize_with = "limit", skip_serializing_if = "Option::is_none")]
    nano_usd: Option<u64>,
    #[serde(default, deserialize_with = "limit", skip_serializing_if = "Option::is_none")]
    tokens: Option<u64>,
    #[serde(default, deserialize_with = "limit", skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(default, deserialize_with = "limit", skip_serializing_if = "Option::is_none")]
    fuel: Option<u64>,
    #[serde(default, deserialize_with = "limit", skip_serializing_if = "Option::is_none")]
    calls: Option<u64>,
    #[serde(default, deserialize_with = "limit", skip_serializing_if = "Option::is_none")]
    wall_ms: Option<u64>,
}

impl Cap {
    /// No limit at all.
    pub const NONE: Self =
        Self { nano_usd: None, tokens: None, bytes: None, fuel: None, calls: None, wall_ms: None };

    /// A limit in every dimension.
    pub fn of(usage: &Usage) -> Self {
        let limit = |cap: Self, dimension| cap.with(dimension, usage.get(dimension)).unwrap_or(cap);
        Dimension::ALL.into_iter().fold(Self::NONE, limit)
    }

    /// The same cap with `limit` in `dimension`, or `None` above [`MAX_EXACT`].
    #[must_use]
    pub const fn with(mut self, dimension: Dimension, limit: u64) -> Option<Self> {
        if limit > MAX_EXACT {
            return None;
        }
        *match dimension {
            Dimension::NanoUsd => &mut self.nano_usd,
            Dimension::Tokens => &mut self.tokens,
            Dimension::Bytes => &mut self.bytes,
            Dimension::Fuel => &mut self.fuel,
            Dimension::Calls => &mut self.calls,
            Dimension::WallMs => &mut self.wall_ms,
        } = Some(limit);
        Some(self)
    }

    /// The lower limit of both in every dimension.
    #[must_use]
    pub fn tightest(self, other: &Self) -> Self {
        Dimension::ALL.into_iter().fold(self, |cap, dimension| {
            let lower = |limit: &u64| cap.get(dimension).is_none_or(|mine| *limit < mine);
            let lower = other.get(dimension).filter(lower);
            lower.and_then(|limit| cap.with(dimension, limit)).unwrap_or(cap)
        })
    }

    /// The limit in `dimension`.
    pub const fn get(&self, dimension: Dimension) -> Option<u64> {
        match dimension {
            Dimension::NanoUsd => self.nano_usd,
            Dimension::Tokens => self.tokens,
            Dimension::Bytes => self.bytes,
            Dimension::Fuel => self.fuel,
            Dimension::Calls => self.calls,
            Dimension::WallMs => self.wall_ms,
        }
    }
}

/// A row of the books: whose it is, its cap, what was spent and what is held.
///
/// What is held is the sum of the open holds and is therefore not written down with the account.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    level: Level,
    name: String,
    cap: Cap,
    spent: Usage,
    #[serde(skip)]
    held: Usage,
}

impl Account {
    /// An account in which `spent` was spent before: [`Usage::ZERO`] for a new one.
    pub const fn new(level: Level, name: String, cap: Cap, spent: Usage) -> Self {
        Self { level, name, cap, spent, held: Usage::ZERO }
    }

    /// Whose account it is.
    pub const fn level(&self) -> Level {
        self.level
    }

    /// The run, day, agent, purchase or organisation.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What may be spent.
    pub const fn cap(&self) -> &Cap {
        &self.cap
    }

    /// What was spent, also where it is above the cap.
    pub const fn spent(&self) -> &Usage {
        &self.spent
    }

    /// The worst case of every open hold.
    pub const fn held(&self) -> &Usage {
        &self.held
    }

    /// What remains in `dimension`, or `None` without a limit. Negative when a charge passed its
    /// reservation: the truth is never rounded up to zero.
    pub fn remaining(&self, dimension: Dimension) -> Option<i64> {
        self.remaining_of(&self.cap, dimension)
    }

    /// What can still be reserved in `dimension`: what remains, or the room left to count in.
    pub fn headroom(&self, dimension: Dimension) -> u64 {
        self.headroom_of(&self.cap, dimension)
    }

    /// Whether `worst` fits under the account's cap, beside all that is spent and held.
    pub(super) fn admits(&self, worst: &Usage) -> Result<(), Denial> {
        self.admits_under(&self.cap, worst)
    }

    /// Whether `worst` fits under `cap`, beside all that is spent and held.
    pub(super) fn admits_under(&self, cap: &Cap, worst: &Usage) -> Result<(), Denial> {
        let fits = |&dimension: &Dimension| {
            // An overdrawn account admits nothing, not even what is free.
            let overdrawn = self.remaining_of(cap, dimension).is_some_and(|left| left < 0);
            worst.get(dimension) <= self.headroom_of(cap, dimension) && !overdrawn
        };
        match Dimension::ALL.into_iter().find(|dimension| !fits(dimension)) {
            None => Ok(()),
            Some(dimension) => Err(self.refusal(cap, dimension, worst.get(dimension))),
        }
    }

    pub(super) fn headroom_of(&self, cap: &Cap, dimension: Dimension) -> u64 {
        cap.get(dimension).unwrap_or(MAX_EXACT).saturating_sub(self.used(dimension))
    }

    pub(super) fn hold(&mut self, worst: Usage) {
        self.held = added(self.held, worst);
    }

    pub(super) fn release(&mut self, worst: Usage) {
        self.held = self.held.saturating_sub(worst);
    }

    /// Books `actual` in full. False when the sum left the scale: it then stands at [`MAX_EXACT`].
    pub(super) fn book(&mut self, actual: Usage) -> bool {
        let exact = self.spent.checked_add(actual).is_ok();
        self.spent = added(self.spent, actual);
        exact
    }

    pub(super) fn top_up(&mut self, nano_usd: u64) {
        let money = Dimension::NanoUsd;
        let limit = self.cap.get(money).unwrap_or_default();
        self.cap = self.cap.with(money, limit).unwrap_or(self.cap);
        self.raise(money, nano_usd);
    }

    pub(super) fn take_back(&mut self, nano_usd: u64) {
        let money = Dimension::NanoUsd;
        let limit = self.cap.get(money).map(|limit| limit.saturating_sub(nano_usd));
        self.cap = limit.and_then(|limit| self.cap.with(money, limit)).unwrap_or(self.cap);
    }

    /// Raises a limit, where there is one.
    pub(super) fn raise(&mut self, dimension: Dimension, by: u64) {
        let limit = self.cap.get(dimension).map(|limit| limit.saturating_add(by).min(MAX_EXACT));
        self.cap = limit.and_then(|it| self.cap.with(dimension, it)).unwrap_or(self.cap);
    }

    fn remaining_of(&self, cap: &Cap, dimension: Dimension) -> Option<i64> {
        Some(signed(cap.get(dimension)?) - signed(self.used(dimension)))
    }

    fn used(&self, dimension: Dimension) -> u64 {
        self.spent.get(dimension).saturating_add(self.held.get(dimension))
    }

    fn refusal(&self, cap: &Cap, dimension: Dimension, wanted: u64) -> Denial {
        let (level, name, of) = (self.level.name(), &self.name, dimension.name());
        match self.remaining_of(cap, dimension) {
            Some(left) => Denial::new(
                Code::BudgetExhausted,
                format_args!("{level} `{name}`: {of} wanted {wanted}, remaining {left}"),
            ),
            None => Denial::new(
                Code::BudgetOverflow,
                format_args!("{level} `{name}`: {of} wanted {wanted}, beyond 2^53 − 1 in all"),
            ),
        }
    }
}

/// The sum, at most [`MAX_EXACT`] in each dimension.
pub(super) fn added(sum: Usage, more: Usage) -> Usage {
    sum.checked_add(more).unwrap_or_else(|_| {
        Dimension::ALL.into_iter().fold(sum, |sum, dimension| {
            let amount = sum.get(dimension).saturating_add(more.get(dimension)).min(MAX_EXACT);
            sum.with(dimension, amount).unwrap_or(sum)
        })
    })
}

/// Amounts and sums of two amounts are far below 2^63.
fn signed(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}

/// A limit that is named is a number: `null` would be a second way to say that there is none.
fn limit<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let limit = u64::deserialize(from)?;
    let exact = (limit <= MAX_EXACT).then_some(limit);
    exact.map(Some).ok_or_else(|| serde::de::Error::custom("a limit is at most 2^53 − 1"))
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.level.name(), self.name)
    }
}
