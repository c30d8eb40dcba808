//! How many bytes JSON takes at most, whoever spells it anew.
//!
//! A provider need not show a model the JSON of a tool as the guest wrote it: most read it and
//! write it again. The common writers put a blank after each comma and colon, write every letter
//! beyond ASCII as an escape, and write numbers out: `1e20` becomes a one and twenty zeros.

/// Bytes of one number of double precision, written out: `1e20` is 21 digits to some, `1e-300` and
/// the longest fractions are 24 bytes to all.
const NUMBER_BYTES_MAX: u64 = 25;

/// Bytes of one escape: `\u00e9`.
const ESCAPE_BYTES: u64 = 6;

/// Bytes of `text` as a text of JSON, without its quotes.
pub(super) fn escaped(text: &str) -> u64 {
    text.chars().map(letter).fold(0, u64::saturating_add)
}

/// Bytes of the document `json` in the longest spelling in use.
pub(super) fn rewritten(json: &str) -> u64 {
    let (mut bytes, mut number, mut quoted, mut escape) = (0_u64, 0_u64, false, false);
    for c in json.chars() {
        let goes_on = number > 0 && matches!(c, '+' | '.' | 'e' | 'E');
        if !quoted && (goes_on || matches!(c, '0'..='9' | '-')) {
            number = number.saturating_add(1);
            continue;
        }
        bytes = bytes.saturating_add(written_out(number)).saturating_add(match c {
            ',' | ':' if !quoted => 2,
            // What is escaped in the document stands as it is, and so do its marks.
            c if c.is_ascii() => 1,
            c => letter(c),
        });
        number = 0;
        quoted ^= c == '"' && !escape;
        escape = quoted && c == '\\' && !escape;
    }
    bytes.saturating_add(written_out(number))
}

/// Bytes of a number that has so many as it stands. None has no bytes.
fn written_out(number: u64) -> u64 {
    if number == 0 { 0 } else { number.max(NUMBER_BYTES_MAX) }
}

fn letter(c: char) -> u64 {
    match c {
        '"' | '\\' => 2,
        ' '..='~' => 1,
        c => ESCAPE_BYTES.saturating_mul(u64::try_from(c.len_utf16()).unwrap_or(u64::MAX)),
    }
}
