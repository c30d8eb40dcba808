//! How one value is written in prose, and read back: to write and to read is the identity.
//!
//! A value stands between `**`, so that a reader sees what was filled in and a program finds it.
//! Inside, every character that Markdown would act on is escaped, so that no value can end its own
//! slot, open a clause or hide anything.

use serde_json::{Value, json};

/// What surrounds a value in prose.
pub(super) const MARK: &str = "**";

/// How an empty list is written.
const NOTHING: &str = "(none)";

/// What Markdown acts on inside a line, and `;`, which parts a list.
const ESCAPED: &str = "\\`*_[]<>{}|~&;";

/// The spelling of a value in prose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format<'a> {
    /// Words as they are.
    Text,
    /// Several texts, parted by `; `.
    Texts,
    /// A whole number with its thousands parted: `4,000,000`.
    Whole,
    /// Basis points as percent: `2.5 %`.
    Percent,
    /// The smallest units of a currency: `CHF 2,400.00`.
    Money(&'a str, usize),
    /// `yes` or `no`.
    YesNo,
    /// A decimal number: `0.95`.
    Decimal,
}

/// Nano-dollars: the currency with nine places.
pub(super) const NANO_USD: Format<'static> = Format::Money("USD", 9);

impl<'a> Format<'a> {
    /// The format of `value` in the field called `field`, when amounts are in `currency`.
    pub(super) fn of(
        field: &str,
        value: &Value,
        currency: Option<(&'a str, usize)>,
    ) -> Option<Self> {
        Some(match value {
            Value::String(_) => Self::Text,
            Value::Bool(_) => Self::YesNo,
            Value::Number(_) => match (field, currency) {
                ("amount" | "service_fee" | "escrow", Some((code, places))) => {
                    Self::Money(code, places)
                }
                ("nano_usd", _) => NANO_USD,
                _ if SHARES.contains(&field) => Self::Percent,
                _ => Self::Whole,
            },
            Value::Array(list) if list.iter().all(Value::is_string) => Self::Texts,
            Value::Object(map) if map.len() == 2 && map.contains_key("places") => Self::Decimal,
            Value::Array(_) | Value::Object(_) | Value::Null => return None,
        })
    }

    /// `value` as it stands in prose, without its marks.
    pub(super) fn write(self, value: &Value) -> Option<String> {
        let text = match self {
            Self::Text => escape(value.as_str()?),
            Self::Texts => match value.as_array()?.as_slice() {
                [] => NOTHING.to_owned(),
                texts => {
                    let texts = texts.iter().map(|text| text.as_str().map(entry));
                    texts.collect::<Option<Vec<_>>>()?.join("; ")
                }
            },
            Self::Whole => match value.as_i64() {
                Some(number) if number < 0 => format!("-{}", part(number.unsigned_abs())),
                _ => part(value.as_u64()?),
            },
            Self::Percent => format!("{} %", shifted(value.as_u64()?, 2, 0)),
            Self::Money(code, places) => {
                format!("{code} {}", shifted(value.as_u64()?, places, places.min(2)))
            }
            Self::YesNo => (if value.as_bool()? { "yes" } else { "no" }).to_owned(),
            Self::Decimal => decimal(value)?,
        };
        let hidden = text.is_empty() || text.contains(char::is_control);
        (!hidden).then_some(text)
    }

    /// The value that `text` spells. Nothing, when it is not exactly how a value is written.
    pub(super) fn read(self, text: &str) -> Option<Value> {
        let value = match self {
            Self::Text => Value::from(unescape(text)?),
            Self::Texts if text == NOTHING => json!([]),
            Self::Texts => {
                let texts = entries(text).map(unescape);
                Value::from(texts.collect::<Option<Vec<_>>>()?)
            }
            Self::Whole => match text.strip_prefix('-') {
                Some(digits) => Value::from(digits_of(digits, 0)?.checked_neg()?),
                None => Value::from(digits_of(text, 0)?),
            },
            Self::Percent => Value::from(digits_of(text.strip_suffix(" %")?, 2)?),
            Self::Money(code, places) => {
                let amount = text.strip_prefix(code)?.strip_prefix(' ')?;
                Value::from(digits_of(amount, places)?)
            }
            Self::YesNo => json!(text == "yes"),
            Self::Decimal => {
                let places = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
                let plain = text.strip_prefix('-').unwrap_or(text);
                let size = digits_of(plain, places)?;
                json!({ "value": if plain == text { size } else { -size }, "places": places })
            }
        };
        (self.write(&value).as_deref() == Some(text)).then_some(value)
    }
}

/// The fields in which a number counts basis points.
const SHARES: [&str; 8] = [
    "weight",
    "availability",
    "refund_from",
    "release_to",
    "score_min",
    "suspension_credit",
    "unmet",
    "refund",
];

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if ESCAPED.contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// A text of a list: what begins like [`NOTHING`] is told from it.
fn entry(text: &str) -> String {
    let escaped = escape(text);
    if escaped.starts_with('(') { format!("\\{escaped}") } else { escaped }
}

/// The escaped texts of a list.
fn entries(text: &str) -> impl Iterator<Item = &str> {
    let mut before = ' ';
    let parts = text.split(move |c: char| {
        let parted = c == ';' && before != '\\';
        before = if before == '\\' { ' ' } else { c };
        parted
    });
    parts.enumerate().map(|(nth, part)| match nth {
        0 => part,
        _ => part.strip_prefix(' ').unwrap_or(part),
    })
}

fn unescape(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        plain.push(if c == '\\' { chars.next()? } else { c });
    }
    Some(plain)
}

/// The digits of `number` in threes.
fn part(number: u64) -> String {
    let digits = number.to_string();
    let mut parted = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            parted.push(',');
        }
        parted.push(digit);
    }
    parted
}

/// `number` divided by ten to the power of `places`, with at least `least` places shown.
fn shifted(number: u64, places: usize, least: usize) -> String {
    let digits = format!("{number:0>width$}", width = places + 1);
    let (whole, fraction) = digits.split_at_checked(digits.len() - places).unwrap_or((&digits, ""));
    let whole = part(whole.parse().unwrap_or(number));
    let shown = fraction.trim_end_matches('0').len().max(least);
    match fraction.get(..shown) {
        None | Some("") => whole,
        Some(fraction) => format!("{whole}.{fraction}"),
    }
}

/// The number that `text` spells, times ten to the power of `places`.
fn digits_of(text: &str, places: usize) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let missing = places.checked_sub(fraction.len())?;
    let digits = format!("{}{fraction}{}", whole.replace(',', ""), "0".repeat(missing));
    let plain = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    plain.then(|| digits.parse().ok())?
}

fn decimal(value: &Value) -> Option<String> {
    let places = usize::try_from(value.get("places")?.as_u64()?).ok().filter(|&it| it <= 9)?;
    let number = value.get("value")?.as_i64()?;
    let sign = if number < 0 { "-" } else { "" };
    Some(format!("{sign}{}", shifted(number.unsigned_abs(), places, places)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_for_people() {
        let chf = Format::Money("CHF", 2);
        for (format, value, text) in [
            (Format::Text, json!("a*b; {c}"), r"a\*b\; \{c\}"),
            (Format::Texts, json!([]), "(none)"),
            (Format::Texts, json!(["(none)"]), r"\(none)"),
            (Format::Texts, json!(["a; b", "c"]), r"a\; b; c"),
            (Format::Whole, json!(4_000_000), "4,000,000"),
            (Format::Whole, json!(-12), "-12"),
            (Format::Percent, json!(2000), "20 %"),
            (Format::Percent, json!(9950), "99.5 %"),
            (chf, json!(252_000), "CHF 2,520.00"),
            (chf, json!(5), "CHF 0.05"),
            (Format::Money("JPY", 0), json!(1500), "JPY 1,500"),
            (Format::Money("KWD", 3), json!(1500), "KWD 1.50"),
            (NANO_USD, json!(25_000_000_001_u64), "USD 25.000000001"),
            (NANO_USD, json!(25_000_000_000_u64), "USD 25.00"),
            (Format::YesNo, json!(false), "no"),
            (Format::Decimal, json!({"value": 95, "places": 2}), "0.95"),
            (Format::Decimal, json!({"value": -1500, "places": 1}), "-150.0"),
        ] {
            assert_eq!(format.write(&value).as_deref(), Some(text));
            assert_eq!(format.read(text), Some(value), "{text}");
        }
    }

    #[test]
    fn a_second_spelling_is_refused() {
        let chf = Format::Money("CHF", 2);
        for (format, text) in [
            (chf, "CHF 2400.00"),
            (chf, "CHF 2,400"),
            (chf, "CHF 2,400.000"),
            (chf, "EUR 2,400.00"),
            (chf, "CHF -1.00"),
            (Format::Percent, "20%"),
            (Format::Percent, "20.0 %"),
            (Format::Whole, "01"),
            (Format::Whole, "+1"),
            (Format::Whole, "99999999999999999999"),
            (Format::Text, "a*b"),
            (Format::Text, "a\\"),
            (Format::Text, ""),
            (Format::Texts, "a;b"),
            (Format::Decimal, ".5"),
            (Format::YesNo, "maybe"),
        ] {
            assert_eq!(format.read(text), None, "{text}");
        }
    }
}
