//! A glimpse of arguments and results that is safe to show: redacted first, then cut.
//!
//! Redaction removes the values the host knows to be secret, in the encodings they travel in, and
//! what has the shape of a credential. It is a net under the rule that guests hold no secrets, not
//! the rule itself.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::digest::hex;
use crate::text::{BadText, Text};

/// Characters of a preview.
pub const PREVIEW_CHARS_MAX: usize = 240;

/// Bytes of text that are looked at: enough to fill any preview, so that a gigabyte of arguments
/// costs nothing. A secret cut in two by this border lies far behind what is shown.
const SCANNED_BYTES_MAX: usize = 64 * 1024;

/// A secret shorter than this would redact ordinary words.
pub const SECRET_BYTES_MIN: usize = 6;

/// What stands where a secret stood.
const REDACTED: &str = "[redacted]";

/// Redacted text of at most [`PREVIEW_CHARS_MAX`] characters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Preview(Text<PREVIEW_CHARS_MAX>);

impl Preview {
    /// The preview of `text`, without `secrets` and without what looks like one.
    pub fn of(text: &str, secrets: &Secrets) -> Self {
        let head = head(text, SCANNED_BYTES_MAX);
        Self(Text::cut(&redact_shapes(&secrets.redact(head))))
    }

    /// The preview of bytes that may not be text.
    pub fn of_bytes(bytes: &[u8], secrets: &Secrets) -> Self {
        let head = bytes.get(..SCANNED_BYTES_MAX).unwrap_or(bytes);
        Self::of(&String::from_utf8_lossy(head), secrets)
    }

    /// A text that was redacted before, such as one read from a receipt.
    pub fn already_redacted(text: impl Into<String>) -> Result<Self, BadText> {
        Text::new(text).map(Self)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// The secret values the host knows, in the spellings in which they could show up. Wiped on drop.
#[derive(Default)]
pub struct Secrets {
    spellings: Vec<Zeroizing<String>>,
}

impl Secrets {
    /// Nothing is secret.
    pub const fn none() -> Self {
        Self { spellings: Vec::new() }
    }

    /// Adds a value and its base64, hexadecimal and JSON-escaped spellings. A value shorter than
    /// [`SECRET_BYTES_MIN`] is not added and `false` comes back.
    pub fn add(&mut self, value: &str) -> bool {
        if value.len() < SECRET_BYTES_MIN {
            return false;
        }
        let bytes = value.as_bytes();
        let escaped = serde_json::to_string(value).unwrap_or_default();
        let escaped = escaped.get(1..escaped.len().saturating_sub(1)).unwrap_or(value).to_owned();
        let spellings =
            [value.to_owned(), escaped, hex(bytes), hex(bytes).to_uppercase()].into_iter();
        self.spellings.extend(spellings.chain(in_base64(bytes)).map(Zeroizing::new));
        self.spellings.sort_by_key(|spelling| std::cmp::Reverse(spelling.len()));
        true
    }

    fn redact(&self, text: &str) -> String {
        self.spellings.iter().fold(text.to_owned(), |text, spelling| {
            if text.contains(spelling.as_str()) {
                text.replace(spelling.as_str(), REDACTED)
            } else {
                text
            }
        })
    }
}

/// The base64 digits that depend on `bytes` alone, at each of the three places where they can
/// begin inside a longer encoded text.
fn in_base64(bytes: &[u8]) -> impl Iterator<Item = String> {
    let at = |offset: usize| {
        let padded: Vec<u8> = std::iter::repeat_n(0, offset).chain(bytes.iter().copied()).collect();
        let skip = (offset * 8).div_ceil(6);
        let keep = (padded.len() * 8) / 6 - skip;
        let inner = move |text: String| text.chars().skip(skip).take(keep).collect::<String>();
        [inner(STANDARD_NO_PAD.encode(&padded)), inner(URL_SAFE_NO_PAD.encode(&padded))]
    };
    (0..3).flat_map(at).collect::<Vec<_>>().into_iter()
}

/// Prefixes of credentials in the wild, with the fewest characters that follow in a real one.
const SHAPES: [(&str, usize); 11] = [
    ("sk-", 16),
    ("eyJ", 20),
    ("ghp_", 20),
    ("gho_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("xoxb-", 10),
    ("xoxp-", 10),
    ("AKIA", 16),
    ("AIza", 30),
    ("Bearer ", 8),
];

/// Member names whose values are credentials, compared without case, `-` and `_`.
const SENSITIVE: [&str; 9] = [
    "password",
    "passwd",
    "secret",
    "token",
    "apikey",
    "authorization",
    "accesstoken",
    "clientsecret",
    "privatekey",
];

/// Replaces credentials by their shape: PEM blocks, known prefixes, values of sensitive names.
fn redact_shapes(text: &str) -> String {
    let text = match text.split_once("-----BEGIN ") {
        Some((before, key)) if key.contains("PRIVATE KEY") => format!("{before}{REDACTED}"),
        _ => text.to_owned(),
    };
    let text = SHAPES.iter().fold(text, |text, (prefix, min)| redact_prefixed(&text, prefix, *min));
    redact_named(&text)
}

fn redact_prefixed(text: &str, prefix: &str, min: usize) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(prefix) {
        let tail = after.find(|c: char| !is_token_char(c)).unwrap_or(after.len());
        let (token, following) = after.split_at_checked(tail).unwrap_or((after, ""));
        let fresh = !before.ends_with(|c: char| c.is_ascii_alphanumeric());
        kept.push_str(before);
        if token.len() >= min && fresh {
            kept.push_str(REDACTED);
        } else {
            kept.push_str(prefix);
            kept.push_str(token);
        }
        rest = following;
    }
    kept.push_str(rest);
    kept
}

const fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '=' | '+' | '/' | '~')
}

/// `"api_key": "…"`, `api-key=…`, `Authorization: …`: the value goes, the name stays.
fn redact_named(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find([':', '=']) {
        let (name, value) = rest.split_at_checked(at + 1).unwrap_or((rest, ""));
        kept.push_str(name);
        rest = value;
        if is_sensitive(name.trim_end_matches([':', '='])) {
            let body = value.trim_start_matches([' ', '"', '\'']);
            let (lead, _) = value.split_at_checked(value.len() - body.len()).unwrap_or(("", ""));
            let end = body.find(['"', '\'', ',', '&', '\n', ';', '}']).unwrap_or(body.len());
            let (_, following) = body.split_at_checked(end).unwrap_or((body, ""));
            kept.push_str(lead);
            if end > 0 {
                kept.push_str(REDACTED);
            }
            rest = following;
        }
    }
    kept.push_str(rest);
    kept
}

/// Whether the word at the end of `before` names a credential.
fn is_sensitive(before: &str) -> bool {
    let before = before.trim_end_matches([' ', '"', '\'']);
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let word: String = before
        .chars()
        .rev()
        .take_while(|&c| is_name(c))
        .filter(|c| c.is_ascii_alphanumeric())
        .collect();
    let word: String = word.chars().rev().collect::<String>().to_ascii_lowercase();
    SENSITIVE.iter().any(|name| word.ends_with(name))
}

/// At most `max` bytes of `text`, cut between characters.
fn head(text: &str, max: usize) -> &str {
    let cut = (0..=max).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    text.get(..cut.min(text.len())).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUE: &str = "correct horse \"battery\"";

    fn secrets() -> Secrets {
        let mut secrets = Secrets::none();
        assert!(secrets.add(VALUE));
        assert!(!secrets.add("short"));
        secrets
    }

    fn check(text: &str, expected: &str) {
        assert_eq!(Preview::of(text, &secrets()).as_str(), expected);
    }

    #[test]
    fn known_values_go_in_every_spelling() {
        check(&format!("x {VALUE} y"), "x [redacted] y");
        check(&format!("x {} y", serde_json::to_string(VALUE).unwrap()), "x \"[redacted]\" y");
        check(&format!("x {} y", hex(VALUE.as_bytes())), "x [redacted] y");
        for lead in ["", "a", "ab", "abc"] {
            let text = STANDARD_NO_PAD.encode(format!("{lead}{VALUE}{lead}"));
            assert!(Preview::of(&text, &secrets()).as_str().contains(REDACTED), "{lead}");
        }
    }

    #[test]
    fn shapes_of_credentials_go() {
        check("use sk-abcdefghijklmnop0123 now", "use [redacted] now");
        check(r#"{"api_key": "abc", "n": 1}"#, r#"{"api_key": "[redacted]", "n": 1}"#);
        check("X-Api-Key=abc&page=2", "X-Api-Key=[redacted]&page=2");
        check("Authorization: Basic Zm9v\nHost: a", "Authorization: [redacted] Host: a");
        check("key\n-----BEGIN PRIVATE KEY-----\nMC4C", "key [redacted]");
    }

    #[test]
    fn ordinary_text_stays() {
        for text in ["a risk-free plan", "tokens: 12", "see https://a.test/?page=2", "sk-", "{}"] {
            check(text, text);
        }
    }

    #[test]
    fn redacted_before_it_is_cut() {
        let text = format!("{}{VALUE}", "a".repeat(PREVIEW_CHARS_MAX - 5));
        let preview = Preview::of(&text, &secrets());
        assert!(!preview.as_str().contains("corr"));
        assert_eq!(preview.as_str().chars().count(), PREVIEW_CHARS_MAX);
        assert_eq!(Preview::of_bytes(&[0xff; 100_000], &secrets()).as_str().chars().count(), 240);
    }
}
