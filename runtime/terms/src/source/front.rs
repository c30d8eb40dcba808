//! The two parts of a source: data between two lines `+++`, then prose.

use std::ops::Range;

use super::diagnostic::Diagnostic;
use crate::contract::Code;

/// The longest source, in bytes: a contract of three hundred pages with its data.
pub const SOURCE_BYTES_MAX: usize = 1024 * 1024;

/// The line that opens and closes the data.
const FENCE: &str = "+++";

/// The parts of a source as spans of its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parts {
    /// The line that opens the data: the place of what is wrong with all of them.
    pub(super) fence: Range<usize>,
    /// The data.
    pub(super) data: Range<usize>,
    /// The prose.
    pub(super) prose: Range<usize>,
}

/// The text of a file, or why it has none.
pub(super) fn text(bytes: &[u8]) -> Result<&str, (String, Diagnostic)> {
    let refused = |text: &[u8], code, at: usize, message: String| {
        let text = String::from_utf8_lossy(text).into_owned();
        Err((text, Diagnostic::new(code, at..at, message)))
    };
    if bytes.len() > SOURCE_BYTES_MAX {
        let message = format!("the source is longer than {SOURCE_BYTES_MAX} bytes");
        return refused(b"", Code::TooMany, 0, message);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) => {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let message = format!("byte {} is not UTF-8", valid.len());
            refused(valid, Code::Source, valid.len(), message)
        }
    }
}

/// Finds the parts.
pub(super) fn split(text: &str) -> Result<Parts, Diagnostic> {
    let refused = |span, message: &str| Err(Diagnostic::new(Code::Source, span, message));
    let mut lines = Lines { text, at: 0 };
    let Some((fence, first)) = lines.next() else {
        return refused(0..0, "the file is empty");
    };
    if first.trim_end() != FENCE {
        return refused(fence, "the first line is not `+++`");
    }
    let start = lines.at;
    match lines.find(|(_, line)| line.trim_end() == FENCE) {
        Some((close, _)) => {
            Ok(Parts { fence, data: start..close.start, prose: lines.at..text.len() })
        }
        None => refused(fence, "no second line `+++` ends the data"),
    }
}

/// The lines of a text with their spans, line ends left out.
pub(super) struct Lines<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = (Range<usize>, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let whole = rest.split_inclusive('\n').next()?;
        let line = whole.strip_suffix('\n').unwrap_or(whole);
        let line = line.strip_suffix('\r').unwrap_or(line);
        let span = self.at..self.at + line.len();
        self.at += whole.len();
        Some((span, line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_has_two_parts() {
        for (fence, end) in [("+++", "\n"), ("+++", "\r\n"), ("+++ ", "\n")] {
            let source = format!("{fence}{end}a = 1{end}{fence}{end}# T{end}");
            let parts = split(&source).unwrap();
            assert_eq!(source.get(parts.data).unwrap().trim(), "a = 1");
            assert_eq!(source.get(parts.prose).unwrap().trim(), "# T");
        }
        for wrong in ["", "+++", "+++\na = 1\n", "a = 1\n+++\n", "\n+++\n+++\n"] {
            assert_eq!(split(wrong).unwrap_err().code, Code::Source, "{wrong:?}");
        }
    }
}
