//! What a call or a run used up: one row of exact integers, the same in journal, receipt and meter.

use serde::{Deserialize, Serialize};

/// The largest integer that every JSON reader keeps exact, 2^53 − 1. In nano-dollars: nine million
/// dollars, far above any single run.
pub const MAX_EXACT: u64 = (1 << 53) - 1;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    /// Money, in billionths of a US dollar.
    NanoUsd,
    /// Model tokens, in and out.
    Tokens,
    /// Bytes through files, network and journal.
    Bytes,
    /// Guest instructions and charged host work. Differs between platforms: never in a replay hash.
    Fuel,
    /// Calls through the gate.
    Calls,
    /// Wall-clock milliseconds.
    WallMs,
}

impl Dimension {
    /// Every dimension, in the order of [`Usage`].
    pub const ALL: [Self; 6] =
        [Self::NanoUsd, Self::Tokens, Self::Bytes, Self::Fuel, Self::Calls, Self::WallMs];

    /// The name used in documents and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NanoUsd => "nano_usd",
            Self::Tokens => "tokens",
            Self::Bytes => "bytes",
            Self::Fuel => "fuel",
            Self::Calls => "calls",
            Self::WallMs => "wall_ms",
        }
    }
}

/// Amounts used or reserved, one per [`Dimension`], each at most [`MAX_EXACT`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "Row", try_from = "Row")]
pub struct Usage(Row);

impl Usage {
    /// Nothing used.
    pub const ZERO: Self =
        Self(Row { nano_usd: 0, tokens: 0, bytes: 0, fuel: 0, calls: 0, wall_ms: 0 });

    /// The same row with `amount` in `dimension`, or `None` above [`MAX_EXACT`].
    #[must_use]
    pub const fn with(mut self, dimension: Dimension, amount: u64) -> Option<Self> {
        if amount > MAX_EXACT {
            return None;
        }
        match dimension {
            Dimension::NanoUsd => self.0.nano_usd = amount,
            Dimension::Tokens => self.0.tokens = amount,
            Dimension::Bytes => self.0.bytes = amount,
            Dimension::Fuel => self.0.fuel = amount,
            Dimension::Calls => self.0.calls = amount,
            Dimension::WallMs => self.0.wall_ms = amount,
        }
        Some(self)
    }

    /// The amount in `dimension`.
    pub const fn get(&self, dimension: Dimension) -> u64 {
        match dimension {
            Dimension::NanoUsd => self.0.nano_usd,
            Dimension::Tokens => self.0.tokens,
            Dimension::Bytes => self.0.bytes,
            Dimension::Fuel => self.0.fuel,
            Dimension::Calls => self.0.calls,
            Dimension::WallMs => self.0.wall_ms,
        }
    }

    /// The sum, or the first dimension whose sum would pass [`MAX_EXACT`].
    pub fn checked_add(self, other: Self) -> Result<Self, Dimension> {
        Dimension::ALL.into_iter().try_fold(self, |sum, dimension| {
            let amount = sum.get(dimension).checked_add(other.get(dimension)).ok_or(dimension)?;
            sum.with(dimension, amount).ok_or(dimension)
        })
    }

    /// The difference, zero where `other` is larger.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Dimension::ALL.into_iter().fold(self, |rest, dimension| {
            let amount = rest.get(dimension).saturating_sub(other.get(dimension));
            rest.with(dimension, amount).unwrap_or(rest)
        })
    }

    /// The first dimension in which `self` is larger than `limit`.
    pub fn first_above(&self, limit: &Self) -> Option<Dimension> {
        Dimension::ALL.into_iter().find(|&dimension| self.get(dimension) > limit.get(dimension))
    }
}

/// The shape on paper: every dimension is always written, in the order of canonical JSON.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    bytes: u64,
    calls: u64,
    fuel: u64,
    nano_usd: u64,
    tokens: u64,
    wall_ms: u64,
}

impl From<Usage> for Row {
    fn from(usage: Usage) -> Self {
        usage.0
    }
}

/// An amount above [`MAX_EXACT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an amount is at most 2^53 − 1")]
struct TooLarge;

impl TryFrom<Row> for Usage {
    type Error = TooLarge;

    fn try_from(row: Row) -> Result<Self, TooLarge> {
        let usage = Self(row);
        let exact = |dimension| usage.get(dimension) <= MAX_EXACT;
        if Dimension::ALL.into_iter().all(exact) { Ok(usage) } else { Err(TooLarge) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_stay_exact() {
        for dimension in Dimension::ALL {
            let full = Usage::ZERO.with(dimension, MAX_EXACT).unwrap();
            let one = Usage::ZERO.with(dimension, 1).unwrap();
            assert_eq!(full.checked_add(one), Err(dimension));
            assert_eq!(full.saturating_sub(one).get(dimension), MAX_EXACT - 1);
            assert_eq!(one.saturating_sub(full), Usage::ZERO);
            assert_eq!(full.first_above(&one), Some(dimension));
            assert_eq!(Usage::ZERO.with(dimension, MAX_EXACT + 1), None);
        }
    }

    #[test]
    fn an_inexact_amount_is_not_read() {
        let text =
            r#"{"nano_usd":9007199254740992,"tokens":0,"bytes":0,"fuel":0,"calls":0,"wall_ms":0}"#;
        assert!(serde_json::from_str::<Usage>(text).unwrap_err().to_string().contains("2^53"));
        assert!(serde_json::from_str::<Usage>(&text.replace("992", "991")).is_ok());
    }
}
