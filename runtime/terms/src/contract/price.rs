//! What is paid, and what the agent may spend on the way.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use envelope_evidence::usage::{Dimension, Usage};
use envelope_rules::budget::Cap;

use super::flaw::{Code, Flaw};
use super::number::{Count, MinorUnits, NanoUsd, WHOLE, Weight};
use super::shape::present;
use super::words::Zone;

/// What the parties settle, in the smallest unit of one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// The currency of every amount here.
    pub currency: Currency,
    /// What the developer earns when everything is accepted.
    pub amount: MinorUnits,
    /// What the marketplace earns; absent when it earns nothing.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "MinorUnits")]
    pub service_fee: Option<MinorUnits>,
    /// What the buyer pays in before the work begins: the amount and the fee.
    pub escrow: MinorUnits,
}

/// The spending caps. They hold at once, and the tightest wins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Caps {
    /// For one run.
    pub task: Spending,
    /// For one day.
    pub day: Spending,
    /// Where the day begins and ends.
    pub day_zone: Zone,
    /// For the agent under this contract, over all its days.
    pub agent: Spending,
}

/// Limits on what may be used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spending {
    /// Money, in billionths of a US dollar.
    pub nano_usd: NanoUsd,
    /// Model tokens, in and out.
    pub tokens: Count,
    /// Bytes through files, network and journal.
    pub bytes: Count,
    /// Calls through the gate.
    pub calls: Count,
}

impl Price {
    /// The amount divided by `weights`, which are basis points that make a whole: each share is
    /// exact or rounded by less than one unit, and together they are the amount.
    pub fn split(&self, weights: impl IntoIterator<Item = Weight>) -> Vec<u64> {
        let upto = |weight: u64| {
            let share = u128::from(self.amount.get()) * u128::from(weight) / u128::from(WHOLE);
            u64::try_from(share).unwrap_or(u64::MAX)
        };
        let shares = weights.into_iter().scan(0_u64, |before, weight| {
            let start = upto(*before);
            *before = before.saturating_add(weight.get());
            Some(upto(*before).saturating_sub(start))
        });
        shares.collect()
    }

    /// What types cannot say: the escrow holds the amount and the fee, and nothing else.
    pub fn validate(&self) -> Vec<Flaw> {
        let fee = self.service_fee.map_or(0, MinorUnits::get);
        let sum = self.amount.get().checked_add(fee);
        if sum == Some(self.escrow.get()) {
            return Vec::new();
        }
        let message = format!(
            "the escrow is {}, but amount and service fee are {} and {fee}",
            self.escrow, self.amount
        );
        vec![Flaw::new(Code::Price, "/escrow", message)]
    }
}

impl Caps {
    /// What types cannot say: a day holds a task, and the agent's life holds a day.
    pub fn validate(&self) -> Vec<Flaw> {
        let steps =
            [("day", &self.day, "task", &self.task), ("agent", &self.agent, "day", &self.day)];
        let mut flaws = Vec::new();
        for (outer_name, outer, inner_name, inner) in steps {
            for ((field, outer), (_, inner)) in outer.amounts().into_iter().zip(inner.amounts()) {
                if outer < inner {
                    let message = format!("{outer} is less than the {inner} of `{inner_name}`");
                    let pointer = format!("/{outer_name}/{field}");
                    flaws.push(Flaw::new(Code::Caps, pointer, message));
                }
            }
        }
        flaws
    }
}

impl Spending {
    /// The same limits as the meter takes them.
    pub fn cap(&self) -> Cap {
        self.rows()
            .into_iter()
            .fold(Cap::NONE, |cap, (dimension, limit)| cap.with(dimension, limit).unwrap_or(cap))
    }

    /// The same limits as a row of usage, zero where there is none.
    pub fn usage(&self) -> Usage {
        self.rows().into_iter().fold(Usage::ZERO, |usage, (dimension, limit)| {
            usage.with(dimension, limit).unwrap_or(usage)
        })
    }

    fn amounts(&self) -> [(&'static str, u64); 4] {
        self.rows().map(|(dimension, limit)| (dimension.name(), limit))
    }

    const fn rows(&self) -> [(Dimension, u64); 4] {
        [
            (Dimension::NanoUsd, self.nano_usd.get()),
            (Dimension::Tokens, self.tokens.get()),
            (Dimension::Bytes, self.bytes.get()),
            (Dimension::Calls, self.calls.get()),
        ]
    }
}

macro_rules! currencies {
    ($($code:ident $name:literal $places:literal)*) => {
        /// A currency by its ISO 4217 code. A code that is not listed cannot be settled.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(Serialize, Deserialize, JsonSchema)]
        pub enum Currency {
            $(#[doc = $name] #[serde(rename = $name)] $code,)*
        }

        impl Currency {
            /// Every currency, by code.
            pub const ALL: &'static [Self] = &[$(Self::$code,)*];

            /// The ISO 4217 code.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$code => $name,)* }
            }

            /// Ten to this power smallest units make one.
            pub const fn places(self) -> u32 {
                match self { $(Self::$code => $places,)* }
            }
        }
    };
}

currencies! {
    Aed "AED" 2  Aud "AUD" 2  Bgn "BGN" 2  Bhd "BHD" 3  Brl "BRL" 2  Cad "CAD" 2  Chf "CHF" 2
    Clp "CLP" 0  Cny "CNY" 2  Czk "CZK" 2  Dkk "DKK" 2  Eur "EUR" 2  Gbp "GBP" 2  Hkd "HKD" 2
    Huf "HUF" 2  Idr "IDR" 2  Ils "ILS" 2  Inr "INR" 2  Isk "ISK" 0  Jod "JOD" 3  Jpy "JPY" 0
    Krw "KRW" 0  Kwd "KWD" 3  Mxn "MXN" 2  Myr "MYR" 2  Nok "NOK" 2  Nzd "NZD" 2  Omr "OMR" 3
    Php "PHP" 2  Pln "PLN" 2  Ron "RON" 2  Sar "SAR" 2  Sek "SEK" 2  Sgd "SGD" 2  Thb "THB" 2
    Tnd "TND" 3  Try "TRY" 2  Twd "TWD" 2  Usd "USD" 2  Vnd "VND" 0  Zar "ZAR" 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::sample;

    #[test]
    fn a_split_conserves_the_amount() {
        let mut price = sample::contract().price;
        let weights = [3333, 3333, 3334].map(|weight| Weight::new(weight).unwrap());
        for amount in [1, 2, 3, 100, 240_001, MinorUnits::MAX.get()] {
            price.amount = MinorUnits::new(amount).unwrap();
            assert_eq!(price.split(weights).iter().sum::<u64>(), amount);
        }
        price.amount = MinorUnits::new(100).unwrap();
        assert_eq!(price.split(weights), [33, 33, 34]);
    }

    #[test]
    fn caps_reach_the_meter() {
        let task = sample::contract().caps.task;
        assert_eq!(task.cap().get(Dimension::NanoUsd), Some(task.nano_usd.get()));
        assert_eq!(task.cap().get(Dimension::Fuel), None);
        assert_eq!(task.usage().get(Dimension::Calls), task.calls.get());
    }
}
