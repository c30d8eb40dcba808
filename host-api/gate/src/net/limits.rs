//! How long and how large an exchange may be.

use std::time::Duration;

/// The limits of one exchange. Each is the most that is waited for or taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Until the name is resolved, and again until the connection stands, TLS included.
    pub connect: Duration,
    /// From the request's dispatch to the head of the answer.
    pub first_byte: Duration,
    /// Between two pieces of the body.
    pub between_bytes: Duration,
    /// From the dial to the end of the answer, the guest's own pauses included.
    pub total: Duration,
    /// Bytes a second of waiting that a peer keeps up over a body.
    pub floor: u64,
    /// How long it may be slower than that.
    pub grace: Duration,
    /// Bytes of the request's body.
    pub request_bytes: u64,
    /// Bytes of the answer's body.
    pub response_bytes: u64,
}

/// Bytes of the head of an answer: four times what common servers send at most.
pub const HEAD_BYTES_MAX: usize = 64 << 10;

/// Headers of an answer: more than anybody sends who is not attacking.
pub(super) const HEADERS_MAX: usize = 128;

impl Default for Limits {
    /// Enough for a slow service, too little to be held by one.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(60),
            between_bytes: Duration::from_secs(60),
            total: Duration::from_secs(300),
            floor: 64,
            grace: Duration::from_secs(20),
            request_bytes: 64 << 20,
            response_bytes: 64 << 20,
        }
    }
}

impl Limits {
    /// Whether a peer that moved `bytes` while it was waited for so long is too slow: one that
    /// keeps a connection alive with a byte now and then is, whatever it says.
    pub(super) fn is_slow(&self, waited: Duration, bytes: u64) -> bool {
        let slow = waited.saturating_sub(self.grace).as_millis();
        let slow = u64::try_from(slow).unwrap_or(u64::MAX);
        bytes < slow.saturating_mul(self.floor) / 1000
    }

    /// The tighter of both in every point.
    #[must_use]
    pub fn tightest(&self, other: &Self) -> Self {
        Self {
            connect: self.connect.min(other.connect),
            first_byte: self.first_byte.min(other.first_byte),
            between_bytes: self.between_bytes.min(other.between_bytes),
            total: self.total.min(other.total),
            floor: self.floor.max(other.floor),
            grace: self.grace.min(other.grace),
            request_bytes: self.request_bytes.min(other.request_bytes),
            response_bytes: self.response_bytes.min(other.response_bytes),
        }
    }
}
