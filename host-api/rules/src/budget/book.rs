//! The prices the operator signed. What is not in the book is not for sale.

use std::collections::BTreeMap;
use std::fmt;

use envelope_evidence::{Digest, canonical};
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::price::Price;
use crate::{Code, Denial};

/// Models in one book: nearly four times the largest public table.
pub const MODELS_MAX: usize = 16_384;

/// The longest model name: provider, region, deployment and version fit.
pub const MODEL_CHARS_MAX: usize = 256;

/// Prices by model name (`provider/model`), in the order of names, so that equal books have equal
/// canonical bytes and one digest to name in receipts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceBook {
    #[serde(deserialize_with = "models")]
    models: BTreeMap<String, Price>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<Source>,
}

/// Where prices were taken from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// What it is called, with its version.
    pub name: String,
    /// The digest of its bytes.
    pub digest: Digest,
}

impl PriceBook {
    /// A book of these prices. A name twice is a mistake: nobody could say which price holds.
    pub fn new(prices: impl IntoIterator<Item = (String, Price)>) -> Result<Self, BadBook> {
        let mut book = Self::default();
        prices.into_iter().try_for_each(|(name, price)| book.enter(name, price))?;
        Ok(book)
    }

    /// The same book, saying where its prices were taken from.
    #[must_use]
    pub fn taken_from(mut self, source: Source) -> Self {
        self.source = Some(source);
        self
    }

    /// Where its prices were taken from, if from anywhere.
    pub const fn source(&self) -> Option<&Source> {
        self.source.as_ref()
    }

    /// The price of `model`. There is no default and no guess: an unknown price is a denial.
    pub fn price(&self, model: &str) -> Result<&Price, Denial> {
        let unpriced = || Denial::new(Code::BudgetUnpriced, format_args!("`{model}`"));
        self.models.get(model).ok_or_else(unpriced)
    }

    /// The digest of its canonical bytes: what a receipt names.
    pub fn digest(&self) -> Digest {
        // Names and decimals always have canonical bytes; without them no two books would be one.
        canonical::of(self).map_or(Digest::of(b"a book without a spelling"), |it| Digest::of(&it))
    }

    /// Every model with its price, in the order of names.
    pub fn models(&self) -> impl Iterator<Item = (&str, &Price)> {
        self.models.iter().map(|(name, price)| (name.as_str(), price))
    }

    /// How many models have a price.
    pub fn len(&self) -> usize {
        self.models.len()
    }

    /// Whether nothing has a price.
    pub fn is_empty(&self) -> bool {
        self.models.is_empty()
    }

    fn enter(&mut self, name: String, price: Price) -> Result<(), BadBook> {
        let too_long = name.chars().nth(MODEL_CHARS_MAX).is_some();
        if name.is_empty() || too_long || name.chars().any(char::is_control) {
            return Err(BadBook::Name);
        }
        if self.models.contains_key(&name) {
            return Err(BadBook::Twice(name));
        }
        if self.models.len() == MODELS_MAX {
            return Err(BadBook::TooMany);
        }
        self.models.insert(name, price);
        Ok(())
    }
}

/// A book that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadBook {
    /// The name would not survive a log line.
    #[error("a model name has 1 to {MODEL_CHARS_MAX} characters and no control characters")]
    Name,
    /// Two prices for one model.
    #[error("the model `{0}` has two prices: keep one")]
    Twice(String),
    /// More than a book holds.
    #[error("a price book has at most {MODELS_MAX} models")]
    TooMany,
}

fn models<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, Price>, D::Error> {
    from.deserialize_map(Entries).map(|book| book.models)
}

/// Reads entry by entry, so that a second price for a name is an error and not the last word.
struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = PriceBook;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("prices by model name")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<PriceBook, M::Error> {
        let mut book = PriceBook::default();
        while let Some((name, price)) = map.next_entry()? {
            book.enter(name, price).map_err(M::Error::custom)?;
        }
        Ok(book)
    }
}
