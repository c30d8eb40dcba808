//! Exact money: amounts in nano-dollars, prices in pico-dollars per unit, no float anywhere.
//!
//! Micro-dollars are too coarse: one token of a small model costs 0.15 of them. A price times a
//! count is kept in pico-dollars ([`PicoUsd`]) until the charge is complete and is then rounded up
//! once, so a charge is never too small and at most one nano-dollar too large.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use envelope_evidence::usage::MAX_EXACT;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::decimal::{self, BadDecimal};
use crate::{Code, Denial};

const PICO_PER_NANO: u128 = 1000;
/// Ten to this power nano-dollars are a dollar.
const NANO_PLACES: u32 = 9;
/// Ten to this power pico-dollars are a dollar.
const PICO_PLACES: u32 = 12;
/// A dollar per million units is ten to this power pico-dollars per unit.
const PICO_PLACES_PER_MILLION: u32 = 6;

/// An amount of money in billionths of a US dollar, at most [`MAX_EXACT`]. Read from and shown in
/// dollars.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NanoUsd(u64);

impl NanoUsd {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The largest amount: nine million dollars.
    pub const MAX: Self = Self(MAX_EXACT);

    /// An amount in nano-dollars, or `None` above [`NanoUsd::MAX`].
    pub const fn new(nano_usd: u64) -> Option<Self> {
        if nano_usd <= MAX_EXACT { Some(Self(nano_usd)) } else { None }
    }

    /// The amount in nano-dollars.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The same amount, finer.
    pub fn pico(self) -> PicoUsd {
        PicoUsd(u128::from(self.0) * PICO_PER_NANO)
    }

    /// The shortest decimal of this amount in dollars, as [`FromStr`] reads it.
    pub fn decimal(self) -> String {
        decimal::spelled(self.0, NANO_PLACES)
    }
}

/// Reads dollars: `12.5` is twelve and a half dollars.
impl FromStr for NanoUsd {
    type Err = BadDecimal;

    fn from_str(text: &str) -> Result<Self, BadDecimal> {
        decimal::scaled(text, NANO_PLACES, MAX_EXACT).map(Self)
    }
}

/// Dollars with the cents always and finer places where they are not zero: `$0.60`, `$0.00000015`.
impl fmt::Display for NanoUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimal = self.decimal();
        let (whole, part) = decimal.split_once('.').unwrap_or((&decimal, ""));
        write!(f, "${whole}.{part:0<2}")
    }
}

/// A price in trillionths of a US dollar per unit (a token, a byte).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PicoUsdPerUnit(u64);

impl PicoUsdPerUnit {
    /// A price in pico-dollars per unit.
    pub const fn new(pico_usd: u64) -> Self {
        Self(pico_usd)
    }

    /// Reads dollars per million units, as price lists print them: `0.15`.
    pub fn per_million(text: &str) -> Result<Self, BadDecimal> {
        decimal::scaled(text, PICO_PLACES_PER_MILLION, u64::MAX).map(Self)
    }

    /// Reads dollars per single unit, as the public price tables spell them: `1.5e-07`.
    pub fn per_unit(text: &str) -> Result<Self, BadDecimal> {
        decimal::scaled(text, PICO_PLACES, u64::MAX).map(Self)
    }

    /// The same, with what is finer than a pico-dollar rounded up.
    pub fn per_unit_rounded_up(text: &str) -> Result<Self, BadDecimal> {
        decimal::scaled_up(text, PICO_PLACES, u64::MAX).map(Self)
    }

    /// Pico-dollars per unit.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The charge for `units`, not yet rounded.
    pub fn times(self, units: u128) -> Result<PicoUsd, Denial> {
        u128::from(self.0).checked_mul(units).map(PicoUsd).ok_or_else(overflow)
    }
}

/// The shortest decimal of the price in dollars per million units: its one spelling in documents.
impl fmt::Display for PicoUsdPerUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&decimal::spelled(self.0, PICO_PLACES_PER_MILLION))
    }
}

impl Serialize for PicoUsdPerUnit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PicoUsdPerUnit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        Self::per_million(&text).map_err(serde::de::Error::custom)
    }
}

/// A charge in trillionths of a US dollar, before it is rounded up to an amount.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct PicoUsd(u128);

impl PicoUsd {
    /// The charge in pico-dollars.
    pub const fn get(self) -> u128 {
        self.0
    }

    /// Both charges together.
    pub fn plus(self, other: Self) -> Result<Self, Denial> {
        self.0.checked_add(other.0).map(Self).ok_or_else(overflow)
    }

    /// What is left after `other`, or `None` when `other` is larger.
    pub fn minus(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The amount that covers the charge: rounded up, never down.
    pub fn round_up(self) -> Result<NanoUsd, Denial> {
        let nano = self.0.div_ceil(PICO_PER_NANO);
        u64::try_from(nano).ok().and_then(NanoUsd::new).ok_or_else(overflow)
    }
}

/// For serde: an amount as a decimal text in dollars.
pub(super) mod dollars {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(amount: &NanoUsd, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&amount.decimal())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<NanoUsd, D::Error> {
        Cow::<str>::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

fn overflow() -> Denial {
    Denial::new(Code::BudgetOverflow, format_args!("above {}", NanoUsd::MAX))
}
