//! Recognises what has a shape, one byte at a time and in memory of a fixed size.

use std::sync::LazyLock;

use envelope_evidence::preview::KEY_PREFIXES;

use super::Sought;

/// Digits of the longest card number.
const CARD_DIGITS_MAX: usize = 19;

/// The first four digits of card numbers, from and to, and how many digits their issuers give them.
const ISSUERS: [(u32, u32, &[usize]); 14] = [
    (2200, 2204, &[16, 17, 18, 19]),
    (2221, 2720, &[16]),
    (3000, 3059, &[14, 16, 17, 18, 19]),
    (3095, 3095, &[14, 16, 17, 18, 19]),
    (3400, 3499, &[15]),
    (3528, 3589, &[16, 17, 18, 19]),
    (3600, 3699, &[14, 15, 16, 17, 18, 19]),
    (3700, 3799, &[15]),
    (3800, 3999, &[14, 15, 16, 17, 18, 19]),
    (4000, 4999, &[13, 16, 19]),
    (5000, 5099, &[16, 17, 18, 19]),
    (5100, 5599, &[16]),
    (5600, 5899, &[16, 17, 18, 19]),
    (6000, 6999, &[16, 17, 18, 19]),
];

/// How every private key in PEM begins, and how the words after that end. Equally long.
const PEM: (&[u8; 11], &[u8; 11]) = (b"-----BEGIN ", b"PRIVATE KEY");

/// Letters between them.
const PEM_LABEL_MAX: u8 = 40;

/// The middle of a signed token: the second of its parts begins like its first.
const SIGNED_TOKEN: (&str, usize) = (".eyJ", 16);

/// A key by its shape.
struct Shape {
    prefix: u128,
    mask: u128,
    bits: u32,
    /// The prefix's last letter.
    last: u8,
    least: u8,
    /// Whether it stands at the beginning of a word alone.
    fresh: bool,
}

static SHAPES: LazyLock<Vec<Shape>> = LazyLock::new(|| {
    let issued = KEY_PREFIXES.iter().map(|shape| (shape, true));
    let shapes = issued.chain([(&SIGNED_TOKEN, false)]);
    shapes.filter_map(|((prefix, least), fresh)| Shape::new(prefix, *least, fresh)).collect()
});

/// The letters with which prefixes end: after any other there is nothing to look up.
static ENDS: LazyLock<[bool; 256]> = LazyLock::new(|| {
    let mut ends = [false; 256];
    for shape in &*SHAPES {
        if let Some(end) = ends.get_mut(usize::from(shape.last)) {
            *end = true;
        }
    }
    ends
});

impl Shape {
    fn new(prefix: &str, least: usize, fresh: bool) -> Option<Self> {
        let bits = u32::try_from(prefix.len()).ok()?.checked_mul(8)?;
        let mask = 1_u128.checked_shl(bits)?.wrapping_sub(1);
        let (last, least) = (*prefix.as_bytes().last()?, u8::try_from(least).ok()?);
        Some(Self { prefix: number(prefix.as_bytes()), mask, bits, last, least, fresh })
    }

    fn ends(&self, tail: u128) -> bool {
        let before = tail.checked_shr(self.bits).unwrap_or_default().to_be_bytes()[15];
        tail & self.mask == self.prefix && !(self.fresh && before.is_ascii_alphanumeric())
    }
}

fn number(bytes: &[u8]) -> u128 {
    bytes.iter().fold(0, |number, byte| number << 8 | u128::from(*byte))
}

/// One reading of what passes.
#[derive(Debug, Clone, Default)]
pub(super) struct Detector {
    /// The last sixteen bytes.
    tail: u128,
    /// Letters that the name of a PEM block may still have.
    label: u8,
    /// Letters still missing of a key, for each shape that began.
    missing: Vec<(u8, usize)>,
    digits: Digits,
}

impl Detector {
    /// Takes one byte, and tells what it completes.
    pub(super) fn push(&mut self, byte: u8, hit: &mut impl FnMut(Sought)) {
        // A blank, in forms. No prefix holds a plus.
        let letter = if byte == b'+' { b' ' } else { byte };
        self.tail = self.tail << 8 | u128::from(letter);
        if self.digits.push(byte) {
            hit(Sought::CardNumber);
        }
        self.pem(letter, hit);
        self.key(byte, hit);
    }

    /// Nothing follows.
    pub(super) fn end(&mut self, hit: &mut impl FnMut(Sought)) {
        self.push(b'\n', hit);
        *self = Self::default();
    }

    fn pem(&mut self, byte: u8, hit: &mut impl FnMut(Sought)) {
        const BITS: u128 = (1 << 88) - 1;
        if self.label > 0 {
            let goes_on = matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b' ');
            self.label = if goes_on { self.label - 1 } else { 0 };
            if self.tail & BITS == number(PEM.1) {
                hit(Sought::PrivateKey);
            }
        }
        if byte == b' ' && self.tail & BITS == number(PEM.0) {
            self.label = PEM_LABEL_MAX;
        }
    }

    fn key(&mut self, byte: u8, hit: &mut impl FnMut(Sought)) {
        if !self.missing.is_empty() {
            if is_token(byte) {
                for (missing, _) in &mut self.missing {
                    *missing = missing.saturating_sub(1);
                }
            } else {
                self.missing.clear();
            }
            if self.missing.iter().any(|(missing, _)| *missing == 0) {
                hit(Sought::ApiKey);
                self.missing.retain(|(missing, _)| *missing > 0);
            }
        }
        if ENDS.get(usize::from(byte)).is_some_and(|ends| *ends) {
            for (which, shape) in SHAPES.iter().enumerate().filter(|(_, it)| it.ends(self.tail)) {
                // A second beginning within the first needs more than is missing already.
                if !self.missing.iter().any(|(_, begun)| *begun == which) {
                    self.missing.push((shape.least, which));
                }
            }
        }
    }
}

const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'=' | b'+' | b'/' | b'~')
}

/// Digits of the first group of a card number, as cards and people have them.
const FIRST_GROUP: usize = 4;

/// A digit, and where it stands.
#[derive(Debug, Clone, Copy, Default)]
struct Digit {
    value: u8,
    /// Whether it begins a group.
    starts: bool,
    /// Whether it stands behind a point.
    fraction: bool,
}

/// The last digits in groups.
#[derive(Debug, Clone, Copy, Default)]
struct Digits {
    digits: [Digit; CARD_DIGITS_MAX],
    len: usize,
    gap: bool,
    /// Whether a digit came last, or a point after one: what follows the point is a fraction.
    point: Number,
}

/// Where a number stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Number {
    #[default]
    Outside,
    Digit,
    AfterPoint,
    Fraction,
}

impl Number {
    const fn is_fraction(self) -> bool {
        match self {
            Self::Fraction => true,
            Self::Outside | Self::Digit | Self::AfterPoint => false,
        }
    }
}

impl Digits {
    /// Takes one byte. True where it ends the number of a card, which begins and ends with a group.
    fn push(&mut self, byte: u8) -> bool {
        let digit = byte.is_ascii_digit();
        self.point = match (self.point, digit, byte) {
            (Number::AfterPoint | Number::Fraction, true, _) => Number::Fraction,
            (_, true, _) => Number::Digit,
            (Number::Digit, false, b'.') => Number::AfterPoint,
            _ => Number::Outside,
        };
        if digit {
            if self.len == CARD_DIGITS_MAX {
                self.digits.rotate_left(1);
                self.len -= 1;
            }
            if let Some(place) = self.digits.get_mut(self.len) {
                let (starts, fraction) = (self.gap || self.len == 0, self.point.is_fraction());
                *place = Digit { value: byte - b'0', starts, fraction };
                self.len += 1;
            }
            self.gap = false;
            return false;
        }
        if self.len == 0 {
            return false;
        }
        let found = !self.gap && self.holds_card();
        // One separator between groups; `+` is a blank in forms.
        if matches!(byte, b' ' | b'-' | b'+') && !self.gap {
            self.gap = true;
        } else {
            *self = Self { point: self.point, ..Self::default() };
        }
        found
    }

    fn holds_card(&self) -> bool {
        let digits = self.digits.get(..self.len).unwrap_or_default();
        let mut starts = digits.iter().enumerate().filter(|(_, digit)| digit.starts);
        starts.any(|(at, _)| digits.get(at..).is_some_and(|them| is_card(them) && !is_number(them)))
    }
}

/// Whether what begins behind a point goes on like a number, and not in the groups of a card: where
/// it has none nobody could tell `1.` in front of a card from a number with so many places.
fn is_number(digits: &[Digit]) -> bool {
    let grouped = digits.iter().skip(1).position(|digit| digit.starts);
    let behind_point = digits.first().is_some_and(|digit| digit.fraction);
    behind_point && grouped != Some(FIRST_GROUP - 1)
}

fn is_card(digits: &[Digit]) -> bool {
    let first = digits.iter().take(FIRST_GROUP);
    let first = first.fold(0, |sum, digit| sum * 10 + u32::from(digit.value));
    let issued = |(from, to, lengths): &(u32, u32, &[usize])| {
        (*from..=*to).contains(&first) && lengths.contains(&digits.len())
    };
    let doubled = |(place, digit): (usize, &Digit)| {
        let digit = u32::from(digit.value);
        if place % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 }
    };
    let sum: u32 = digits.iter().rev().enumerate().map(doubled).sum();
    ISSUERS.iter().any(issued) && sum.is_multiple_of(10)
}
