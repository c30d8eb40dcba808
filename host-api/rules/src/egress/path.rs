//! Paths and queries of URLs: what is unambiguous, and the patterns that match a path.

use std::fmt;

/// A path pattern. `*` stands for any run of characters inside one segment, and alone for one whole
/// segment; `**`, only as the last segment, for everything below. So `/v1` is that one path, `/v1/`
/// another, and `/v1/**` the prefix: all that starts with `/v1/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPattern(Box<str>);

impl PathPattern {
    /// Reads a pattern, which is itself a path in normal form.
    pub fn parse(text: &str) -> Result<Self, BadPath> {
        check(text)?;
        let above = text.strip_suffix("/**").unwrap_or(text);
        if above.contains("**") {
            return Err(BadPath::new(above.find("**").unwrap_or(0), Fault::Stars));
        }
        Ok(Self(text.into()))
    }

    /// Whether the pattern covers a path in normal form.
    pub fn matches(&self, path: &str) -> bool {
        let mut segments = path.split('/');
        for pattern in self.0.split('/') {
            let Some(segment) = segments.next() else { return false };
            if pattern == "**" {
                return true;
            }
            if !segment_matches(pattern, segment) {
                return false;
            }
        }
        segments.next().is_none()
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A path or a query that has no single reading, and the byte where that shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("byte {at}: {fault}")]
pub struct BadPath {
    at: usize,
    fault: Fault,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Fault {
    #[error("a path starts with a slash")]
    Relative,
    #[error("an empty segment")]
    Empty,
    #[error("a dot segment: write the path it leads to")]
    Dots,
    #[error("a percent sign needs two hexadecimal digits, upper-case in a path")]
    Hex,
    #[error("an encoded character that must stand for itself or not at all")]
    Encoded,
    #[error("a character that has to be percent-encoded or cannot be sent")]
    Raw,
    #[error("the encoded bytes are not printable UTF-8")]
    Utf8,
    #[error("`**` stands alone and last")]
    Stars,
}

impl BadPath {
    const fn new(at: usize, fault: Fault) -> Self {
        Self { at, fault }
    }
}

/// Checks that every server reads `path` alike.
///
/// Refused are dot and empty segments, `;` (some servers cut a segment there, after the policy saw
/// `..;`), an encoding of anything that needs none or that a second decoding would turn into
/// structure (`/`, `\`, `%`, `;`, `?`, `#`), lower-case hexadecimal digits and text that is not
/// UTF-8.
pub(super) fn check(path: &str) -> Result<(), BadPath> {
    if !path.starts_with('/') {
        return Err(BadPath::new(0, Fault::Relative));
    }
    if let Some(at) = path.find("//") {
        return Err(BadPath::new(at, Fault::Empty));
    }
    let mut at = 0;
    for segment in path.split('/') {
        if matches!(segment, "." | "..") {
            return Err(BadPath::new(at, Fault::Dots));
        }
        at = at.saturating_add(segment.len()).saturating_add(1);
    }
    check_bytes(path, is_path_byte, |octet| octet.upper && !octet.is_structure())?;
    if path.contains('%') { check_text(path) } else { Ok(()) }
}

/// Checks that `query` holds only what every sender leaves as it is. Its encoded bytes are data: a
/// query names no resource by segments, so nothing in it is read twice.
pub(super) fn check_query(query: &str) -> Result<(), BadPath> {
    check_bytes(query, is_query_byte, |_| true)
}

fn segment_matches(pattern: &str, segment: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == segment };
    let (middle, last) = tail.rsplit_once('*').unwrap_or(("", tail));
    let ends = segment.strip_prefix(head).and_then(|rest| rest.strip_suffix(last));
    let Some(mut rest) = ends else { return false };
    for piece in middle.split('*') {
        let Some((_, after)) = rest.split_once(piece) else { return false };
        rest = after;
    }
    !segment.is_empty()
}

/// One percent-encoded byte.
#[derive(Clone, Copy)]
struct Octet {
    value: u8,
    upper: bool,
}

impl Octet {
    fn read(high: u8, low: u8) -> Option<Self> {
        let digit = |byte| char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
        let value = digit(high)? << 4 | digit(low)?;
        let upper = ![high, low].iter().any(u8::is_ascii_lowercase);
        Some(Self { value, upper })
    }

    /// Whether decoding it, once or twice, changes how the path divides.
    const fn is_structure(self) -> bool {
        is_unreserved(self.value)
            || self.value.is_ascii_control()
            || matches!(self.value, b'/' | b'\\' | b'%' | b';' | b'?' | b'#')
    }
}

fn check_bytes(
    text: &str,
    raw: impl Fn(u8) -> bool,
    encoded: impl Fn(Octet) -> bool,
) -> Result<(), BadPath> {
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        if byte != b'%' {
            if !raw(byte) {
                return Err(BadPath::new(at, Fault::Raw));
            }
            continue;
        }
        let digits = bytes.next().zip(bytes.next());
        let octet = digits.and_then(|((_, high), (_, low))| Octet::read(high, low));
        let octet = octet.ok_or(BadPath::new(at, Fault::Hex))?;
        if !encoded(octet) {
            let fault = if octet.is_structure() { Fault::Encoded } else { Fault::Hex };
            return Err(BadPath::new(at, fault));
        }
    }
    Ok(())
}

/// Checks the decoded text: an overlong `/` is no UTF-8, and a control character is never a name.
fn check_text(path: &str) -> Result<(), BadPath> {
    let mut decoded = Vec::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        let octet = if byte == b'%' { bytes.next().zip(bytes.next()) } else { None };
        let octet = octet.and_then(|(high, low)| Octet::read(high, low));
        decoded.push(octet.map_or(byte, |octet| octet.value));
    }
    let printable = |text: &str| !text.chars().any(char::is_control);
    match std::str::from_utf8(&decoded) {
        Ok(text) if printable(text) => Ok(()),
        _ => Err(BadPath::new(path.find('%').unwrap_or(0), Fault::Utf8)),
    }
}

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// RFC 3986 `pchar` without `;`, and the slash.
const fn is_path_byte(byte: u8) -> bool {
    is_unreserved(byte) || matches!(byte, b'!' | b'$' | b'&'..=b',' | b'=' | b':' | b'@' | b'/')
}

/// What the URL standard leaves alone in the query of http: printable ASCII but ` "#'<>\`.
const fn is_query_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'#' | b'\'' | b'<' | b'>' | b'\\')
}
