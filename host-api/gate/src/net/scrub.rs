//! Takes secrets out of an answer that echoes them, also where they come in pieces.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use envelope_evidence::preview::Secrets;

/// What stands in the place of every byte of a secret: an answer keeps its length.
const MASK: u8 = b'*';

/// Looks at a stream of bytes as it passes.
pub(super) struct Scrub {
    secrets: Arc<Secrets>,
    /// The end of what came, which may be the beginning of a secret.
    held: BytesMut,
}

impl Scrub {
    pub(super) fn new(secrets: Arc<Secrets>) -> Self {
        Self { secrets, held: BytesMut::new() }
    }

    /// Takes `more` and gives what can be seen of all so far.
    pub(super) fn pass(&mut self, more: Bytes) -> Bytes {
        let open = self.secrets.begun(&more);
        if self.held.is_empty() && open == 0 {
            let places = self.secrets.places(&more);
            return if places.is_empty() { more } else { masked(BytesMut::from(more), &places) };
        }
        self.held.extend_from_slice(&more);
        let places = self.secrets.places(&self.held);
        let seen = masked(std::mem::take(&mut self.held), &places);
        // What is masked can begin nothing any more.
        let open = self.secrets.begun(&seen);
        let mut seen = seen;
        self.held = BytesMut::from(&*seen.split_off(seen.len().saturating_sub(open)));
        seen
    }

    /// What was held back, when nothing follows.
    pub(super) fn rest(&mut self) -> Bytes {
        std::mem::take(&mut self.held).freeze()
    }
}

/// The value of a header without what is secret in it.
pub(super) fn value(value: &[u8], secrets: &Secrets) -> Vec<u8> {
    masked(BytesMut::from(value), &secrets.places(value)).to_vec()
}

fn masked(mut bytes: BytesMut, places: &[std::ops::Range<usize>]) -> Bytes {
    for place in places {
        let end = place.end.min(bytes.len());
        if let Some(secret) = bytes.get_mut(place.start..end) {
            secret.fill(MASK);
        }
    }
    bytes.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "sesame-0815";

    fn scrub() -> Scrub {
        let mut secrets = Secrets::none();
        assert!(secrets.add(SECRET));
        Scrub::new(Arc::new(secrets))
    }

    fn through(pieces: &[&[u8]]) -> Vec<u8> {
        let mut scrub = scrub();
        let mut seen = Vec::new();
        for piece in pieces {
            seen.extend_from_slice(&scrub.pass(Bytes::copy_from_slice(piece)));
        }
        seen.extend_from_slice(&scrub.rest());
        seen
    }

    /// However an answer is cut, it comes out the same, and as long as it went in.
    #[test]
    fn a_secret_is_seen_in_no_cut() {
        let text = format!("a {SECRET} b {SECRET}{SECRET} sesame-08");
        let expected = format!("a {m} b {m}{m} sesame-08", m = "*".repeat(SECRET.len()));
        let bytes = text.as_bytes();
        for at in 0..=bytes.len() {
            for to in at..=bytes.len() {
                let pieces = [&bytes[..at], &bytes[at..to], &bytes[to..]];
                assert_eq!(through(&pieces), expected.as_bytes(), "cut at {at} and {to}");
            }
        }
        let single: Vec<_> = bytes.chunks(1).collect();
        assert_eq!(through(&single), expected.as_bytes());
    }

    /// Also where it is escaped, once and twice.
    #[test]
    fn an_escaped_secret_is_seen_in_no_cut() {
        let escaped = ["%73esame-0815", "s%65same%2D0815", "\\u0073esame-0815", "se%2573ame-0815"];
        for secret in escaped {
            let text = format!("a %20 {secret} b {secret} %");
            let mask = "*".repeat(secret.len());
            let expected = format!("a %20 {mask} b {mask} %");
            let bytes = text.as_bytes();
            for at in 0..=bytes.len() {
                for to in at..=bytes.len() {
                    let seen = through(&[&bytes[..at], &bytes[at..to], &bytes[to..]]);
                    assert_eq!(seen, expected.as_bytes(), "{secret} cut at {at} and {to}");
                }
            }
        }
    }

    #[test]
    fn what_is_not_secret_passes_at_once() {
        let mut scrub = scrub();
        assert_eq!(scrub.pass(Bytes::from_static(b"data: 1\n\n")), "data: 1\n\n");
        assert_eq!(scrub.pass(Bytes::from_static(b"sesam")), "");
        assert_eq!(scrub.pass(Bytes::from_static(b" street")), "sesam street");
    }
}
