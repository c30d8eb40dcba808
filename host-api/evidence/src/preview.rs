//! A glimpse of arguments and results that is safe to show: redacted first, then cut.
//!
//! Redaction removes the values the host knows to be secret, in the encodings they travel in, and
//! what has the shape of a credential. It is a net under the rule that guests hold no secrets, not
//! the rule itself.

mod secrets;
mod shapes;

use serde::{Deserialize, Serialize};

use crate::text::{BadText, Text};
pub use secrets::{SECRET_BYTES_MIN, Secrets};
pub use shapes::KEY_PREFIXES;

/// Characters of a preview.
pub const PREVIEW_CHARS_MAX: usize = 240;

/// Bytes of text that are looked at, so that a gigabyte of arguments costs nothing.
const SCANNED_BYTES_MAX: usize = 64 * 1024;

/// Bytes of a longer text that can be shown: whatever secret begins in them ends within
/// [`SCANNED_BYTES_MAX`], so that no secret is shown because it was cut in two.
const SHOWN_BYTES_MAX: usize = 16 * 1024;

/// What stands where a secret stood.
const REDACTED: &str = "[redacted]";

/// Redacted text of at most [`PREVIEW_CHARS_MAX`] characters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Preview(Text<PREVIEW_CHARS_MAX>);

impl Preview {
    /// The preview of `text`, without `secrets` and without what looks like one.
    pub fn of(text: &str, secrets: &Secrets) -> Self {
        let scanned = head(text, SCANNED_BYTES_MAX);
        let shown = if scanned.len() < text.len() { SHOWN_BYTES_MAX } else { text.len() };
        let known = secrets.redact(scanned, shown);
        Self(Text::cut(&shapes::redact(&known)))
    }

    /// The preview of bytes that may not be text.
    pub fn of_bytes(bytes: &[u8], secrets: &Secrets) -> Self {
        // One byte more than is scanned, so that a longer text is seen to be longer.
        let head = bytes.get(..=SCANNED_BYTES_MAX).unwrap_or(bytes);
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

/// At most `max` bytes of `text`, cut between characters.
fn head(text: &str, max: usize) -> &str {
    text.get(..text.floor_char_boundary(max)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redacted_before_it_is_cut() {
        let mut secrets = Secrets::none();
        assert!(secrets.add("correct horse"));
        let text = format!("{}correct horse", "a".repeat(PREVIEW_CHARS_MAX - 5));
        let preview = Preview::of(&text, &secrets);
        assert!(!preview.as_str().contains("corr"));
        assert_eq!(preview.as_str().chars().count(), PREVIEW_CHARS_MAX);
        assert_eq!(Preview::of_bytes(&[0xff; 100_000], &secrets).as_str().chars().count(), 240);
    }

    /// What is redacted shrinks, so text from far behind moves into view: never half a secret.
    #[test]
    fn the_border_of_what_is_scanned_cuts_no_secret() {
        let secret = "0123456789".repeat(500);
        let mut secrets = Secrets::none();
        assert!(secrets.add(&secret));
        for spaces in [1, 7, 4000] {
            let text = format!("{secret}{}", " ".repeat(spaces)).repeat(30);
            for preview in
                [Preview::of(&text, &secrets), Preview::of_bytes(text.as_bytes(), &secrets)]
            {
                assert!(!preview.as_str().contains("01"), "{preview:?}");
                assert!(preview.as_str().starts_with(REDACTED));
            }
        }
    }
}
