//! Decimals read as text, exactly. No price or amount ever passes through a float.

/// The longest decimal read: room for 38 digits, a point and an exponent, and no more.
pub const DECIMAL_CHARS_MAX: usize = 48;

/// The largest power of ten that fits an `u128`.
const POWER_MAX: u32 = 38;

/// Digits of an exponent that are read: prices reach down to `1e-13`, float noise to `1e-24`.
const EXPONENT_DIGITS_MAX: usize = 3;

/// A text that is not a decimal of the accepted form, and the byte where it stops being one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the decimal `{text}` cannot be used at byte {at}: {why}")]
pub struct BadDecimal {
    /// The text, cut at [`DECIMAL_CHARS_MAX`].
    pub text: String,
    /// The byte offset of the first offence.
    pub at: usize,
    /// What is wrong there and what to write instead.
    pub why: Why,
}

/// What is wrong with a decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// A digit is missing.
    #[error("a digit is expected, as in `0.15` or `1.5e-07`")]
    Digit,
    /// A leading zero, which some readers take for octal.
    #[error("a leading zero is not accepted: leave it out")]
    LeadingZero,
    /// Anything after the number: a unit, a blank, a separator.
    #[error("the number ends here: write no sign, blank, separator or unit")]
    Trailing,
    /// More text than any amount needs.
    #[error("a decimal has at most {DECIMAL_CHARS_MAX} characters and 38 digits")]
    TooLong,
    /// Finer than the unit of account.
    #[error("finer than the smallest unit: round it up by hand")]
    NotExact,
    /// Above the largest amount.
    #[error("above the largest amount")]
    TooLarge,
}

/// Reads `text` times ten to the power of `scale` as a whole number of at most `max`, or says where
/// it is not one.
///
/// The grammar is that of a JSON number without a sign. Exponents are read, because the public
/// price tables spell `1.5e-07`: as text they are as exact as any other spelling.
pub(super) fn scaled(text: &str, scale: u32, max: u64) -> Result<u64, BadDecimal> {
    let bad =
        |(at, why)| BadDecimal { text: text.chars().take(DECIMAL_CHARS_MAX).collect(), at, why };
    if text.len() > DECIMAL_CHARS_MAX {
        return Err(bad((DECIMAL_CHARS_MAX, Why::TooLong)));
    }
    let decimal = parse(text.as_bytes()).map_err(bad)?;
    let value = decimal.shifted(scale).map_err(|why| bad((0, why)))?;
    u64::try_from(value).ok().filter(|&value| value <= max).ok_or_else(|| bad((0, Why::TooLarge)))
}

/// The same, but what is finer than ten to the power of `-scale` is rounded up: public tables hold
/// the noise of the floats that they once were.
pub(super) fn scaled_up(text: &str, scale: u32, max: u64) -> Result<u64, BadDecimal> {
    match scaled(text, scale, max) {
        Err(bad) if bad.why == Why::NotExact => {}
        exact => return exact,
    }
    let bad = |why| BadDecimal { text: text.to_owned(), at: 0, why };
    let decimal = parse(text.as_bytes()).map_err(|(_, why)| bad(why))?;
    let down = decimal.power.saturating_add_unsigned(scale).unsigned_abs();
    let value = 10_u128.checked_pow(down).map_or(1, |unit| decimal.digits.div_ceil(unit));
    u64::try_from(value).ok().filter(|&value| value <= max).ok_or_else(|| bad(Why::TooLarge))
}

/// Spells `value` divided by ten to the power of `places`, in the shortest way.
pub(super) fn spelled(value: u64, places: u32) -> String {
    let unit = 10_u64.saturating_pow(places);
    let width = usize::try_from(places).unwrap_or_default();
    let (whole, part) = (value / unit, value % unit);
    let text = format!("{whole}.{part:0width$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `digits × 10^power`, exactly as written.
struct Decimal {
    digits: u128,
    power: i32,
}

impl Decimal {
    fn shifted(&self, scale: u32) -> Result<u128, Why> {
        if self.digits == 0 {
            return Ok(0);
        }
        let power = self.power.saturating_add_unsigned(scale);
        let ten = |power: u32| (power <= POWER_MAX).then(|| 10_u128.saturating_pow(power));
        if power >= 0 {
            let factor = ten(power.unsigned_abs()).ok_or(Why::TooLarge)?;
            return self.digits.checked_mul(factor).ok_or(Why::TooLarge);
        }
        let divisor = ten(power.unsigned_abs()).ok_or(Why::NotExact)?;
        let exact = self.digits.is_multiple_of(divisor);
        if exact { Ok(self.digits / divisor) } else { Err(Why::NotExact) }
    }
}

type Located<T> = Result<T, (usize, Why)>;

fn parse(text: &[u8]) -> Located<Decimal> {
    let mut cursor = Cursor { text, at: 0 };
    let mut decimal = Decimal { digits: 0, power: 0 };
    let whole = cursor.digits(&mut decimal.digits)?;
    if whole > 1 && text.first() == Some(&b'0') {
        return Err((0, Why::LeadingZero));
    }
    if cursor.eat(b".") {
        let places = cursor.digits(&mut decimal.digits)?;
        decimal.power = decimal.power.saturating_sub_unsigned(narrow(places));
    }
    if cursor.eat(b"eE") {
        let negative = !cursor.eat(b"+") && cursor.eat(b"-");
        let (from, mut exponent) = (cursor.at, 0);
        if cursor.digits(&mut exponent)? > EXPONENT_DIGITS_MAX {
            return Err((from, Why::TooLong));
        }
        let exponent = u32::try_from(exponent).unwrap_or(u32::MAX);
        decimal.power = if negative {
            decimal.power.saturating_sub_unsigned(exponent)
        } else {
            decimal.power.saturating_add_unsigned(exponent)
        };
    }
    if cursor.at < text.len() { Err((cursor.at, Why::Trailing)) } else { Ok(decimal) }
}

struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn next(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn eat(&mut self, any_of: &[u8]) -> bool {
        let found = self.next().is_some_and(|byte| any_of.contains(&byte));
        self.at += usize::from(found);
        found
    }

    /// Appends one digit or more to `number`, and counts them.
    fn digits(&mut self, number: &mut u128) -> Located<usize> {
        let from = self.at;
        while let Some(digit) = self.next().filter(u8::is_ascii_digit) {
            let longer = number.checked_mul(10).and_then(|n| n.checked_add((digit - b'0').into()));
            *number = longer.ok_or((self.at, Why::TooLong))?;
            self.at += 1;
        }
        if self.at == from { Err((from, Why::Digit)) } else { Ok(self.at - from) }
    }
}

/// Counts of digits fit: a text is at most [`DECIMAL_CHARS_MAX`] long.
fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
