//! A price book from the public table that most gateways share, `model_prices_and_context_window`.
//!
//! Its numbers are decimals; a JSON reader would make floats of them. So they are turned into texts
//! before it is read, and taken exactly, what is finer than a pico-dollar rounded up. A model whose
//! worst case cannot be computed from the table is left out, with the reason counted: a price that
//! is too low would be a hole in every cap.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::book::PriceBook;
use super::money::{NanoUsd, PicoUsdPerUnit};
use super::price::{Price, Rates, Tier};

/// Bytes of a table: ten times today's.
pub const TABLE_BYTES_MAX: usize = 32 << 20;

const INPUT: &str = "input_cost_per_token";
const OUTPUT: &str = "output_cost_per_token";
const CACHE_READ: &str = "cache_read_input_token_cost";
const CACHE_WRITE: &str = "cache_creation_input_token_cost";
const LONG: &str = "_above_1hr";
const REASONING: &str = "output_cost_per_reasoning_token";
const REQUEST: &str = "input_cost_per_request";
const IMAGE_TOKEN: &str = "input_cost_per_image_token";

/// Lanes that no request of ours takes: each names its lane, and the host pins another.
const LANES: [&str; 6] =
    ["_priority", "_flex", "_batches", "_balanced", "_ultrafast", "_decisions"];

/// Charges that no request of ours can reach: it holds no sound and no film, and asks for none of
/// the provider's own tools.
const UNREACHED: [&str; 8] = [
    "audio",
    "video",
    "grounding",
    "code_interpreter",
    "search_context",
    "ocr",
    "output_cost_per_image",
    "file_search",
];

/// What came of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The prices.
    pub book: PriceBook,
    /// How many entries were left out, by reason.
    pub left: BTreeMap<&'static str, usize>,
}

/// A table that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTable {
    /// More than a table is.
    #[error("a price table of {0} bytes is larger than {TABLE_BYTES_MAX}")]
    TooLarge(usize),
    /// Not JSON, or not an object of objects.
    #[error("not a price table: {0}")]
    Shape(String),
}

/// Reads `table`. `wanted` says which providers' models are taken.
pub fn import(table: &[u8], wanted: impl Fn(&str) -> bool) -> Result<Imported, BadTable> {
    if table.len() > TABLE_BYTES_MAX {
        return Err(BadTable::TooLarge(table.len()));
    }
    let shape = |why: serde_json::Error| BadTable::Shape(why.to_string());
    let entries: BTreeMap<String, Map<String, Value>> =
        serde_json::from_slice(&numbers_as_texts(table)).map_err(shape)?;
    let (mut prices, mut left) = (BTreeMap::<_, Vec<_>>::new(), BTreeMap::new());
    for (key, entry) in &entries {
        let outcome = Entry::of(key, entry).and_then(|entry| {
            let (name, provider) = entry.name();
            if !wanted(provider) {
                return Err("another provider");
            }
            Ok((name, entry.price()?))
        });
        match outcome {
            Ok((name, price)) => prices.entry(name).or_default().push(price),
            Err(why) => count(&mut left, why, 1),
        }
    }
    let prices = prices.into_iter().filter_map(|(name, found)| match one(&found) {
        Some(price) => {
            count(&mut left, "named twice", found.len().saturating_sub(1));
            Some((name, price))
        }
        None => {
            count(&mut left, "named twice, at different prices", found.len());
            None
        }
    });
    let prices: Vec<_> = prices.collect();
    let book = PriceBook::new(prices).map_err(|why| BadTable::Shape(why.to_string()))?;
    Ok(Imported { book, left })
}

/// The price that all of them are, if they are one.
fn one(found: &[Price]) -> Option<Price> {
    let (first, others) = found.split_first()?;
    others.iter().all(|other| other == first).then(|| first.clone())
}

fn count(left: &mut BTreeMap<&'static str, usize>, why: &'static str, more: usize) {
    if more > 0 {
        *left.entry(why).or_default() += more;
    }
}

/// One model of the table.
struct Entry<'a> {
    key: &'a str,
    fields: &'a Map<String, Value>,
    about: About,
}

/// What is said of a model beside its prices. The numbers are texts by now.
#[derive(Deserialize)]
struct About {
    litellm_provider: Option<String>,
    mode: Option<String>,
    max_output_tokens: Option<Value>,
}

type Found<T> = Result<T, &'static str>;

impl<'a> Entry<'a> {
    fn of(key: &'a str, fields: &'a Map<String, Value>) -> Found<Self> {
        let about = About::deserialize(Value::Object(fields.clone()));
        let about = about.map_err(|_| "not an entry of a model")?;
        let talks = ["chat", "responses", "completion", "embedding"];
        match about.mode.as_deref().filter(|mode| talks.contains(mode)) {
            Some(_) => Ok(Self { key, fields, about }),
            None => Err("neither answers nor embeds"),
        }
    }

    /// `provider/model`, and the provider.
    fn name(&self) -> (String, &str) {
        let provider = self.about.litellm_provider.as_deref().unwrap_or("unknown");
        let prefixed = self.key.strip_prefix(provider).is_some_and(|rest| rest.starts_with('/'));
        let name = if prefixed { self.key.to_owned() } else { format!("{provider}/{}", self.key) };
        (name, provider)
    }

    fn price(&self) -> Found<Price> {
        self.check_fields()?;
        let base = self.rates("")?.ok_or("no price for a token")?;
        let zero = PicoUsdPerUnit::default();
        if base.input == zero && base.output == zero {
            return Err("costs nothing, which mostly means that nobody knows");
        }
        let tiers = self.tiers()?;
        let fee = self.fields.get(REQUEST).map(|fee| text(fee)?.parse().map_err(|_| BAD));
        let price = Price::new(base, tiers, fee.transpose()?.unwrap_or(NanoUsd::ZERO));
        let price = price.map_err(|_| "its tiers cannot be used")?;
        let longest = self.about.max_output_tokens.as_ref().and_then(|it| text(it).ok());
        Ok(price.with_max_output(longest.and_then(|it| it.parse().ok())))
    }

    /// What a call could be charged for beside tokens makes the model one without a worst case.
    fn check_fields(&self) -> Found<()> {
        // These search by themselves, unasked.
        let searches = ["search", "sonar", "online", "deep-research"];
        if searches.iter().any(|word| self.key.contains(word)) {
            return Err("searches by itself, at a fee");
        }
        let costs = self.fields.keys().filter(|name| name.contains("cost"));
        let mut reached = costs.filter(|name| !is_lane(name) && !is_unreached(name));
        match reached.find(|name| !is_known(name)) {
            None => Ok(()),
            Some(_) => Err("charges for something that is not counted here"),
        }
    }

    /// The rates under the suffix of a tier. None, if there is none.
    fn rates(&self, tier: &str) -> Found<Option<Rates>> {
        let rate = |name: &str| self.rate(&format!("{name}{tier}"));
        let Some(input) = rate(INPUT)? else { return Ok(None) };
        // A picture's tokens may cost more than words: then all input costs as much.
        let input = input.max(self.rate(IMAGE_TOKEN)?.unwrap_or_default());
        let output = match rate(OUTPUT)? {
            None if self.about.mode.as_deref() == Some("embedding") => PicoUsdPerUnit::default(),
            None => return Err("no price for a token of an answer"),
            Some(output) => output,
        };
        Ok(Some(Rates {
            input,
            cache_read: rate(CACHE_READ)?,
            cache_write: rate(CACHE_WRITE)?,
            cache_write_long: rate(&format!("{CACHE_WRITE}{LONG}"))?,
            output,
            reasoning: rate(REASONING)?.or(self.rate(REASONING)?),
        }))
    }

    fn tiers(&self) -> Found<Vec<Tier>> {
        let bounds = self.fields.keys().filter_map(|name| tier_of(name));
        let bounds: std::collections::BTreeSet<u64> = bounds.collect();
        let tier = |thousands: u64| {
            let rates = self.rates(&format!("_above_{thousands}k_tokens"))?;
            let rates = rates.ok_or("a tier without a price for input")?;
            Ok(Tier { above: thousands.saturating_mul(1000), rates })
        };
        bounds.into_iter().map(tier).collect()
    }

    fn rate(&self, name: &str) -> Found<Option<PicoUsdPerUnit>> {
        let Some(rate) = self.fields.get(name).filter(|rate| !rate.is_null()) else {
            return Ok(None);
        };
        PicoUsdPerUnit::per_unit_rounded_up(text(rate)?).map(Some).map_err(|_| BAD)
    }
}

const BAD: &str = "a price that is no decimal";

fn text(value: &Value) -> Found<&str> {
    value.as_str().ok_or(BAD)
}

fn is_lane(name: &str) -> bool {
    LANES.iter().any(|lane| name.ends_with(lane))
}

fn is_unreached(name: &str) -> bool {
    UNREACHED.iter().any(|word| name.contains(word))
}

/// Whether [`Entry::price`] reads it: a rate, a rate of a tier, a fee.
fn is_known(name: &str) -> bool {
    let rates = [INPUT, OUTPUT, CACHE_READ, CACHE_WRITE, REASONING];
    let base = tier_of(name).map_or(name, |_| name.rsplit_once("_above_").map_or(name, |it| it.0));
    let base = base.strip_suffix(LONG).unwrap_or(base);
    rates.contains(&base) || [REQUEST, IMAGE_TOKEN].contains(&name)
}

/// The thousands of tokens above which the rate `name` holds, if it is a rate of a tier that can be
/// reached.
fn tier_of(name: &str) -> Option<u64> {
    let (_, above) = name.rsplit_once("_above_")?;
    above.strip_suffix("k_tokens")?.parse().ok()
}

/// The same JSON with every number in quotes.
fn numbers_as_texts(json: &[u8]) -> Vec<u8> {
    let (mut kept, mut in_text, mut escaped, mut in_number) =
        (Vec::with_capacity(json.len()), false, false, false);
    for &byte in json {
        let of_number = byte.is_ascii_digit()
            || matches!(byte, b'-' | b'+' | b'.')
            || (in_number && matches!(byte, b'e' | b'E'));
        if !in_text && of_number != in_number {
            kept.push(b'"');
            in_number = of_number;
        }
        match byte {
            b'"' if !escaped => in_text = !in_text,
            _ => {}
        }
        escaped = in_text && byte == b'\\' && !escaped;
        kept.push(byte);
    }
    kept
}
