//! How many bytes an answer may have on the wire.

/// Bytes of the longest answer, however many tokens it may have.
pub const LIMIT_BYTES_MAX: u64 = 64 << 20;

/// Bytes around an answer: its head, its usage, an error's page.
const FRAME_BYTES: u64 = 64 << 10;

/// Bytes that one token takes on the wire at most, with the event around it.
const TOKEN_WIRE_BYTES: u64 = 2 << 10;

/// Bytes of one number of a vector, written out.
const NUMBER_WIRE_BYTES: u64 = 32;

/// Numbers of one vector: above those of every model sold.
const NUMBERS_MAX: u64 = 8192;

/// What an answer of `max_output` tokens, or vectors of `texts` texts, may take on the wire.
pub fn response_bytes(max_output: u64, texts: usize) -> u64 {
    let texts = u64::try_from(texts).unwrap_or(u64::MAX);
    let vectors = texts.saturating_mul(NUMBERS_MAX.saturating_mul(NUMBER_WIRE_BYTES));
    let tokens = max_output.saturating_mul(TOKEN_WIRE_BYTES);
    FRAME_BYTES.saturating_add(tokens).saturating_add(vectors).min(LIMIT_BYTES_MAX)
}
