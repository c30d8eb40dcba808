//! Amounts, counted in hundredths: sums of money are not rounded.

use std::fmt;
use std::iter::Sum;
use std::ops::AddAssign;
use std::str::FromStr;

use envelope_sdk::prelude::*;

/// An amount in hundredths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Money(pub i64);

/// A text that is no amount.
#[derive(Debug, PartialEq, Eq)]
pub struct NoAmount(String);

impl std::error::Error for NoAmount {}

impl fmt::Display for NoAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not an amount with at most two decimals", self.0)
    }
}

impl FromStr for Money {
    type Err = NoAmount;

    fn from_str(text: &str) -> Result<Self, NoAmount> {
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let plain = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || part.len() > 2 || !plain(whole) || !plain(part) {
            return Err(NoAmount(text.into()));
        }
        let hundredths = format!("{whole}{part:0<2}").parse::<i64>();
        hundredths.map(|amount| Self(sign * amount)).map_err(|_| NoAmount(text.into()))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, amount) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        write!(f, "{sign}{}.{:02}", amount / 100, amount % 100)
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        self.0 = self.0.saturating_add(other.0);
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::default(), |mut sum, amount| {
            sum += amount;
            sum
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_written() {
        for (text, told) in [("12.5", "12.50"), ("-0.07", "-0.07"), ("3", "3.00")] {
            assert_eq!(text.parse::<Money>().unwrap().to_string(), told);
        }
        for text in ["", "1.234", "1,5", "-", "1e3", "99999999999999999999"] {
            assert_eq!(text.parse::<Money>(), Err(NoAmount(text.into())));
        }
    }
}
