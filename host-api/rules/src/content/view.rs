//! Other readings of the same bytes, one byte at a time.

/// The escapes of addresses (`%41`) and of JSON (`\u0041`, `\n`) undone.
///
/// What is looked for is ASCII. A letter beyond that is read as a zero byte, which stands in none.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Unescape {
    #[default]
    Plain,
    Percent,
    High(u8),
    Slash,
    Unicode {
        digits: u8,
        value: u32,
    },
}

impl Unescape {
    /// Takes one byte, and gives what it stands for.
    pub(super) fn push(&mut self, byte: u8, out: &mut impl FnMut(u8)) {
        match *self {
            Self::Plain => self.begin(byte, out),
            Self::Percent if byte.is_ascii_hexdigit() => *self = Self::High(byte),
            Self::Percent => {
                out(b'%');
                self.begin(byte, out);
            }
            Self::High(high) => match (digit(high), digit(byte)) {
                (Some(high), Some(low)) => {
                    out(u8::try_from(high * 16 + low).unwrap_or_default());
                    *self = Self::Plain;
                }
                _ => {
                    out(b'%');
                    out(high);
                    self.begin(byte, out);
                }
            },
            Self::Slash => {
                *self = Self::Plain;
                match byte {
                    b'u' => *self = Self::Unicode { digits: 0, value: 0 },
                    b'n' => out(b'\n'),
                    b'r' => out(b'\r'),
                    b't' => out(b'\t'),
                    other => out(other),
                }
            }
            Self::Unicode { digits, value } => match digit(byte) {
                Some(digit) if digits < 3 => {
                    *self = Self::Unicode { digits: digits + 1, value: value * 16 + digit };
                }
                Some(digit) => {
                    let letter = u8::try_from(value * 16 + digit).ok().filter(u8::is_ascii);
                    out(letter.unwrap_or_default());
                    *self = Self::Plain;
                }
                None => self.begin(byte, out),
            },
        }
    }

    fn begin(&mut self, byte: u8, out: &mut impl FnMut(u8)) {
        *self = match byte {
            b'%' => Self::Percent,
            b'\\' => Self::Slash,
            other => {
                out(other);
                Self::Plain
            }
        };
    }
}

fn digit(byte: u8) -> Option<u32> {
    char::from(byte).to_digit(16)
}

/// Words in base64 of either alphabet, decoded from each of the four places where a group of four
/// digits may begin. Lines may be broken.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Base64 {
    /// The last four digits.
    digits: u32,
    /// How many came, by four.
    phase: usize,
}

/// Zero digits after a word, so that every group of it is complete.
const FILL: usize = 3;

impl Base64 {
    /// Takes one byte. Gives the three bytes that end with it, and which of four readings they
    /// belong to; none of them at the end of a word.
    pub(super) fn push(&mut self, byte: u8, out: &mut impl FnMut(usize, Option<[u8; 3]>)) {
        match sextet(byte) {
            Some(digit) => self.take(digit, out),
            None if matches!(byte, b'\r' | b'\n') => {}
            None => self.end(out),
        }
    }

    /// The word is over.
    pub(super) fn end(&mut self, out: &mut impl FnMut(usize, Option<[u8; 3]>)) {
        if self.digits == 0 && self.phase == 0 {
            return;
        }
        (0..FILL).for_each(|_| self.take(0, out));
        (0..4).for_each(|reading| out(reading, None));
        *self = Self::default();
    }

    fn take(&mut self, digit: u32, out: &mut impl FnMut(usize, Option<[u8; 3]>)) {
        self.digits = (self.digits << 6 | digit) & 0x00ff_ffff;
        let [_, bytes @ ..] = self.digits.to_be_bytes();
        out(self.phase, Some(bytes));
        self.phase = (self.phase + 1) % 4;
    }
}

fn sextet(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unescaped(text: &str) -> String {
        let (mut view, mut seen) = (Unescape::default(), Vec::new());
        text.bytes().for_each(|byte| view.push(byte, &mut |byte| seen.push(byte)));
        String::from_utf8(seen).unwrap()
    }

    #[test]
    fn escapes_are_undone() {
        for (text, expected) in [
            ("plain", "plain"),
            ("%41%2fB", "A/B"),
            ("\\u0041\\n\\/\\\"", "A\n/\""),
            ("100%", "100"),
            ("%zz%4z", "%zz%4z"),
            ("%%41", "%A"),
            ("\\u00e9\\u12x", "\0x"),
        ] {
            assert_eq!(unescaped(text), expected, "{text}");
        }
    }

    #[test]
    fn base64_is_read_from_every_place() {
        for lead in ["", "a", "ab", "abc"] {
            let (mut view, mut readings) = (Base64::default(), [const { Vec::new() }; 4]);
            let mut keep = |reading: usize, bytes: Option<[u8; 3]>| {
                readings[reading].extend_from_slice(&bytes.unwrap_or_default());
            };
            // `c2VjcmV0LTE` is `secret-1`.
            let text = format!("{lead}c2VjcmV0LTE=");
            text.bytes().for_each(|byte| view.push(byte, &mut keep));
            let found =
                readings.iter().filter(|bytes| bytes.windows(8).any(|it| it == b"secret-1"));
            assert_eq!(found.count(), 1, "{lead}");
        }
    }
}
