//! Secrets the host knows by value, found in whatever spelling they travel.

use std::borrow::Cow;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use memchr::memmem;
use zeroize::Zeroizing;

use super::{REDACTED, head};
use crate::digest::hex;

/// A secret shorter than this would redact ordinary words.
pub const SECRET_BYTES_MIN: usize = 6;

/// Longer secrets are looked for in parts of this many bytes. Twice escaped as `\\u0000` a part
/// still fits between what is shown and what is scanned.
const PART_BYTES_MAX: usize = 4096;

/// More bytes than stand for one byte when it is escaped twice.
const ESCAPE_BYTES_MAX: usize = 16;

/// How often text is unescaped: JSON in JSON, an address in the query of an address.
const UNESCAPED_MAX: usize = 2;

/// The secret values the host knows, in the spellings in which they could show up. Wiped on drop.
#[derive(Clone, Default)]
pub struct Secrets {
    /// As they are, with `+` for spaces, and in base64.
    spellings: Vec<Zeroizing<Vec<u8>>>,
    /// In lower-case hexadecimal digits.
    hexadecimal: Vec<Zeroizing<Vec<u8>>>,
}

impl Secrets {
    /// Nothing is secret.
    pub const fn none() -> Self {
        Self { spellings: Vec::new(), hexadecimal: Vec::new() }
    }

    /// Adds a value. It is found as it stands, in base64 and hexadecimal digits of either case, and
    /// each of them escaped as in JSON or in addresses. A value shorter than [`SECRET_BYTES_MIN`]
    /// is not added and `false` comes back.
    pub fn add(&mut self, value: &str) -> bool {
        if value.len() < SECRET_BYTES_MIN {
            return false;
        }
        for part in value.as_bytes().chunks(PART_BYTES_MAX) {
            if part.len() >= SECRET_BYTES_MIN {
                let plus = |byte: &u8| if *byte == b' ' { b'+' } else { *byte };
                let plain = [part.to_vec(), part.iter().map(plus).collect()];
                let spellings = plain.into_iter().chain(in_base64(part));
                self.spellings.extend(spellings.map(Zeroizing::new));
                self.hexadecimal.push(Zeroizing::new(hex(part).into_bytes()));
            }
        }
        self.spellings.sort_unstable_by(|a, b| a.as_slice().cmp(b));
        self.spellings.dedup();
        true
    }

    /// The first `shown` bytes of `text`, without what is secret in all of it.
    pub(super) fn redact<'text>(&self, text: &'text str, shown: usize) -> Cow<'text, str> {
        let mut found = self.find(text);
        let shown = head(text, shown);
        if found.is_empty() {
            return Cow::Borrowed(shown);
        }
        found.sort_unstable_by_key(|range| range.start);
        let (mut kept, mut end) = (String::with_capacity(shown.len()), None);
        for Range { start, end: next } in found {
            // Secrets that overlap or touch are one stretch of secret text.
            if end.is_none_or(|end| start > end) && start < shown.len() {
                kept.push_str(shown.get(end.unwrap_or(0)..start).unwrap_or_default());
                kept.push_str(REDACTED);
            }
            end = end.max(Some(next));
        }
        kept.push_str(shown.get(end.unwrap_or(0)..).unwrap_or_default());
        Cow::Owned(kept)
    }

    /// Where in `bytes` secrets stand, in any spelling: in no order, and they may overlap.
    pub fn places(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        if self.spellings.is_empty() {
            return found;
        }
        self.find_in(bytes, |at| at, &mut found);
        let mut view = View::unescaped(bytes, |at| at);
        for _ in 0..UNESCAPED_MAX {
            let Some(next) = view else { break };
            self.find_in(&next.bytes, |at| next.place(at), &mut found);
            view = View::unescaped(&next.bytes, |at| next.place(at));
        }
        found
    }

    /// Whether a secret stands in `bytes`, in any spelling.
    pub fn holds(&self, bytes: &[u8]) -> bool {
        if self.spellings.is_empty() {
            return false;
        }
        let mut text = Cow::Borrowed(bytes);
        for _ in 0..UNESCAPED_MAX {
            if self.stands_in(&text) {
                return true;
            }
            match unescaped(&text) {
                Some(next) => text = Cow::Owned(next),
                None => return false,
            }
        }
        self.stands_in(&text)
    }

    /// How many bytes at the end of `bytes` may be the beginning of a secret that goes on in what
    /// follows them, escaped or not.
    pub fn begun(&self, bytes: &[u8]) -> usize {
        let longest = self.spellings.iter().chain(&self.hexadecimal).map(|it| it.len()).max();
        let window = longest.unwrap_or(0).saturating_mul(ESCAPE_BYTES_MAX);
        let tail = bytes.get(bytes.len().saturating_sub(window)..).unwrap_or_default();
        self.begun_in(tail, UNESCAPED_MAX)
    }

    fn begun_in(&self, bytes: &[u8], unescape: usize) -> usize {
        let cut = if unescape > 0 { cut_escape(bytes) } else { 0 };
        let whole = bytes.get(..bytes.len().saturating_sub(cut)).unwrap_or_default();
        let plain = self.spellings.iter().map(|spelling| overlap(whole, spelling));
        let digit = |(text, digit): (&u8, &u8)| text.to_ascii_lowercase() == *digit;
        let hex = self.hexadecimal.iter().map(|spelling| overlap_by(whole, spelling, digit));
        let escaped = unescape.checked_sub(1).and_then(|unescape| {
            let view = View::unescaped(whole, |at| at)?;
            let begun = self.begun_in(&view.bytes, unescape);
            let first = view.bytes.len().checked_sub(begun).filter(|_| begun > 0)?;
            Some(whole.len().saturating_sub(view.place(first)))
        });
        plain.chain(hex).chain(escaped).max().unwrap_or(0).saturating_add(cut)
    }

    fn stands_in(&self, bytes: &[u8]) -> bool {
        let stands = |bytes: &[u8], spelling: &[u8]| memmem::find(bytes, spelling).is_some();
        let plain = self.spellings.iter().any(|spelling| stands(bytes, spelling));
        plain || {
            let lower = Zeroizing::new(bytes.to_ascii_lowercase());
            self.hexadecimal.iter().any(|spelling| stands(&lower, spelling))
        }
    }

    fn find(&self, text: &str) -> Vec<Range<usize>> {
        let whole = |Range { start, end }: Range<usize>| {
            text.floor_char_boundary(start)..text.ceil_char_boundary(end)
        };
        self.places(text.as_bytes()).into_iter().map(whole).collect()
    }

    fn find_in(&self, bytes: &[u8], place: impl Fn(usize) -> usize, found: &mut Vec<Range<usize>>) {
        let mut look = |bytes: &[u8], spelling: &[u8]| {
            let mut from = 0;
            while let Some(at) = bytes.get(from..).and_then(|rest| memmem::find(rest, spelling)) {
                let start = from + at;
                found.push(place(start)..place(start + spelling.len()));
                from = start + 1;
            }
        };
        self.spellings.iter().for_each(|spelling| look(bytes, spelling));
        if self.hexadecimal.iter().any(|spelling| spelling.len() <= bytes.len()) {
            let lower = Zeroizing::new(bytes.to_ascii_lowercase());
            self.hexadecimal.iter().for_each(|spelling| look(&lower, spelling));
        }
    }
}

/// How long a proper beginning of `spelling` the end of `bytes` is.
fn overlap(bytes: &[u8], spelling: &[u8]) -> usize {
    overlap_by(bytes, spelling, |(byte, other)| byte == other)
}

fn overlap_by(bytes: &[u8], spelling: &[u8], same: impl Fn((&u8, &u8)) -> bool) -> usize {
    let longest = spelling.len().saturating_sub(1).min(bytes.len());
    let fits = |length: &usize| {
        let tail = bytes.len().checked_sub(*length).and_then(|at| bytes.get(at..));
        tail.is_some_and(|tail| tail.iter().zip(spelling).all(&same))
    };
    (1..=longest).rev().find(fits).unwrap_or(0)
}

/// The base64 digits that depend on `bytes` alone, at each of the three places where they can
/// begin inside a longer encoded text.
fn in_base64(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let at = |offset: usize| {
        let padded: Vec<u8> = std::iter::repeat_n(0, offset).chain(bytes.iter().copied()).collect();
        let skip = (offset * 8).div_ceil(6);
        let end = (padded.len() * 8) / 6;
        let inner = move |text: String| text.into_bytes().get(skip..end).map(<[u8]>::to_vec);
        [inner(STANDARD_NO_PAD.encode(&padded)), inner(URL_SAFE_NO_PAD.encode(&padded))]
    };
    (0..3).flat_map(at).flatten().collect::<Vec<_>>().into_iter()
}

/// A text with its escapes undone, and where in the text each byte came from.
struct View {
    bytes: Zeroizing<Vec<u8>>,
    places: Vec<usize>,
}

impl View {
    /// Undoes `%2F` and JSON's `\u002f`, `\/` and `\n`. None if there is nothing to undo.
    fn unescaped(bytes: &[u8], place: impl Fn(usize) -> usize) -> Option<Self> {
        memchr::memchr2(b'%', b'\\', bytes)?;
        let mut view = Self { bytes: Zeroizing::default(), places: Vec::new() };
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let taken = take(rest, &mut view.bytes);
            view.places.resize(view.bytes.len(), place(at));
            at += taken;
        }
        Some(view)
    }

    /// Where byte `at` begins in the text; past the last one, the end of any text.
    fn place(&self, at: usize) -> usize {
        self.places.get(at).copied().unwrap_or(usize::MAX)
    }
}

/// A text with its escapes undone. None if there is nothing to undo.
fn unescaped(bytes: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr2(b'%', b'\\', bytes)?;
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        at += take(rest, &mut out);
    }
    Some(out)
}

/// How many bytes at the end of `bytes` are the beginning of an escape. Of a surrogate pair each
/// half counts by itself.
fn cut_escape(bytes: &[u8]) -> usize {
    const LONGEST: usize = 6;
    let from = bytes.len().saturating_sub(LONGEST - 1);
    let tail = bytes.get(from..).unwrap_or_default();
    let is_cut = |rest: &[u8]| match rest {
        [b'%'] | [b'%', _] | [b'\\'] => true,
        [b'\\', b'u', digits @ ..] => digits.len() < 4,
        _ => false,
    };
    let cut = (0..tail.len()).find(|at| tail.get(*at..).is_some_and(is_cut));
    cut.map_or(0, |at| tail.len() - at)
}

/// Moves the first character of `rest` to `out`, unescaped. Returns how many bytes it took.
fn take(rest: &[u8], out: &mut Vec<u8>) -> usize {
    if let Some((character, taken)) = character(rest) {
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        return taken;
    }
    let (byte, taken) = match rest {
        [b'%', high, low, ..] => match number(&[*high, *low]).map(u8::try_from) {
            Some(Ok(byte)) => (byte, 3),
            Some(Err(_)) | None => (b'%', 1),
        },
        [b'\\', b'n', ..] => (b'\n', 2),
        [b'\\', b'r', ..] => (b'\r', 2),
        [b'\\', b't', ..] => (b'\t', 2),
        [b'\\', other, ..] => (*other, 2),
        [byte, ..] => (*byte, 1),
        [] => return 1,
    };
    out.push(byte);
    taken
}

/// The character that `rest` begins with as `\u` and four digits, twice for a surrogate pair.
fn character(rest: &[u8]) -> Option<(char, usize)> {
    let unit = |rest: &[u8]| match rest {
        [b'\\', b'u', digits @ ..] => number(digits.get(..4)?),
        _ => None,
    };
    let second = rest.get(6..).and_then(unit);
    let character = char::decode_utf16([unit(rest)?].into_iter().chain(second)).next()?.ok()?;
    Some((character, 6 * character.len_utf16()))
}

fn number(digits: &[u8]) -> Option<u16> {
    digits.iter().try_fold(0, |number, &digit| {
        let digit = u16::try_from(char::from(digit).to_digit(16)?).ok()?;
        Some(number << 4 | digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;

    const VALUE: &str = "correct horse \"bättery\"/";

    fn redacted(text: &str, values: &[&str]) -> String {
        let mut secrets = Secrets::none();
        values.iter().for_each(|value| assert!(secrets.add(value)));
        secrets.redact(text, text.len()).into_owned()
    }

    fn check(text: &str, expected: &str) {
        assert_eq!(redacted(text, &[VALUE]), expected);
    }

    #[test]
    fn known_values_go_in_every_spelling() {
        check(&format!("x {VALUE} y"), "x [redacted] y");
        check(&hex(VALUE.as_bytes()), REDACTED);
        check(&hex(VALUE.as_bytes()).to_uppercase(), REDACTED);
        for lead in ["", "a", "ab", "abc"] {
            let text = STANDARD.encode(format!("{lead}{VALUE}{lead}"));
            assert!(redacted(&text, &[VALUE]).contains(REDACTED), "{lead}");
        }
    }

    #[test]
    fn known_values_go_when_escaped() {
        let json = serde_json::to_string(VALUE).unwrap();
        check(&json, "\"[redacted]\"");
        check(&serde_json::to_string(&json).unwrap(), "\"\\\"[redacted]\\\"\"");
        check(r#"["correct\u0020horse \"b\u00E4ttery\"\/"]"#, "[\"[redacted]\"]");
        check("?q=correct%20horse%20%22b%C3%A4ttery%22%2F&n=1", "?q=[redacted]&n=1");
        check("?q=correct+horse+%22b%c3%a4ttery%22/&n=1", "?q=[redacted]&n=1");
        check("correct%2520horse%2520%2522b%25C3%25A4ttery%2522%252F", REDACTED);
        assert_eq!(redacted("\\ud83d\\ude00 secret!", &["😀 secret"]), "[redacted]!");
    }

    #[test]
    fn overlapping_values_go_whole() {
        assert_eq!(redacted("abcdef123ghijkl", &["abcdef123", "123ghijkl"]), REDACTED);
        assert_eq!(redacted("123ghijkl.", &["abcdef123", "123ghijkl", "3ghijk"]), "[redacted].");
        assert_eq!(redacted("aaaaaaaaa!", &["aaaaaa"]), "[redacted]!");
        assert_eq!(redacted("-secret1 secret2-", &["secret1", "secret2"]).matches('[').count(), 2);
    }

    #[test]
    fn what_may_go_on_is_counted_from_the_end() {
        let mut secrets = Secrets::none();
        assert_eq!(secrets.begun(b"secr"), 0, "nothing is secret");
        assert!(secrets.add("secret-1"));
        assert_eq!(secrets.begun(b"a secr"), 4);
        assert_eq!(secrets.begun(b"secret-"), 7);
        assert_eq!(secrets.begun(b"secret-1"), 0, "it is whole");
        assert_eq!(secrets.begun(b"secret-2"), 0);
        assert_eq!(secrets.begun(b"73656372"), 8, "in hexadecimal digits");
        assert_eq!(secrets.begun(b"7365637265742D"), 14, "of either case");
        assert_eq!(secrets.begun(b"c2VjcmV0L"), 9, "in base64");
        assert_eq!(secrets.begun(b""), 0);
    }

    #[test]
    fn places_are_found_in_bytes_that_are_no_text() {
        let mut secrets = Secrets::none();
        assert!(secrets.add("secret-1"));
        assert_eq!(secrets.places(b"\xff\xfesecret-1\xff"), std::slice::from_ref(&(2..10)));
        assert!(secrets.places(b"\xff\xfesecret-2").is_empty());
    }

    #[test]
    fn short_values_and_ordinary_text_stay() {
        assert!(!Secrets::none().add("short"));
        for text in ["", "100%", "50% \\", "%zz\\u12", "\\ud800", "a\\", "%", "correct horse"] {
            check(text, text);
        }
    }
}
