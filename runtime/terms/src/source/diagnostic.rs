//! What the compiler has to say about a source, in the order of the text.

use std::ops::Range;

use serde::Serialize;

use envelope_evidence::canonical;

use super::draw::{self, Look};
use crate::contract::{Code, Severity};

/// Diagnostics of one source: nobody mends more at once, and a report must not outgrow its source.
pub const DIAGNOSTICS_MAX: usize = 100;

/// One thing to say about one place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// The first byte of the place.
    pub start: usize,
    /// The first byte after it.
    pub end: usize,
    /// The stable code.
    pub code: Code,
    /// What is wrong there.
    pub message: String,
    /// What to do about it; the code's own help when there is nothing nearer.
    pub help: String,
}

impl Diagnostic {
    /// `message` about `span`, with the code's own help.
    pub(super) fn new(code: Code, span: Range<usize>, message: impl Into<String>) -> Self {
        let (help, message) = (code.help().to_owned(), message.into());
        Self { start: span.start, end: span.end.max(span.start), code, message, help }
    }

    /// The same with a nearer help.
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// Whether it stops the compiler.
    pub const fn severity(&self) -> Severity {
        self.code.severity()
    }
}

/// The diagnostics of one file, sorted, each once, with the text they point into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    file: String,
    text: String,
    diagnostics: Vec<Diagnostic>,
    more: usize,
}

impl Report {
    /// Sorts and bounds `diagnostics`. Errors are kept before warnings when there are too many.
    pub(super) fn new(file: &str, text: &str, mut diagnostics: Vec<Diagnostic>) -> Self {
        for one in &mut diagnostics {
            one.start = text.floor_char_boundary(one.start);
            one.end = text.ceil_char_boundary(one.end.max(one.start));
        }
        diagnostics.sort_by(|a, b| (a.severity(), a).cmp(&(b.severity(), b)));
        diagnostics.dedup();
        let more = diagnostics.len().saturating_sub(DIAGNOSTICS_MAX);
        diagnostics.truncate(DIAGNOSTICS_MAX);
        diagnostics.sort();
        Self { file: file.to_owned(), text: text.to_owned(), diagnostics, more }
    }

    /// The file's name, as it was given.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The text that spans point into.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The diagnostics in the order of the text.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// How many more there were than are told.
    pub const fn more(&self) -> usize {
        self.more
    }

    /// Whether one of them stops the compiler.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|one| one.severity() == Severity::Error)
    }

    /// The diagnostics drawn into the text, for a person.
    pub fn draw(&self, look: Look) -> String {
        draw::report(self, look)
    }

    /// The diagnostics as canonical JSON, for a program.
    pub fn to_json(&self) -> Result<Vec<u8>, canonical::Refused> {
        let places = Places::of(&self.text);
        let diagnostics = self.diagnostics.iter().map(|one| OnPaper {
            code: one.code,
            severity: severity_name(one.severity()),
            file: &self.file,
            start: places.place(&self.text, one.start),
            end: places.place(&self.text, one.end),
            message: &one.message,
            help: &one.help,
        });
        let report = ReportOnPaper { v: 1, diagnostics: diagnostics.collect(), more: self.more };
        canonical::of(&report)
    }
}

/// The name of a severity in documents.
pub(super) const fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// The shape of a report in JSON.
#[derive(Serialize)]
struct ReportOnPaper<'a> {
    v: u64,
    diagnostics: Vec<OnPaper<'a>>,
    more: usize,
}

#[derive(Serialize)]
struct OnPaper<'a> {
    code: Code,
    severity: &'static str,
    file: &'a str,
    start: Place,
    end: Place,
    message: &'a str,
    help: &'a str,
}

/// A place in a text: the byte counted from zero, line and column (in characters) from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Place {
    pub(super) byte: usize,
    pub(super) line: usize,
    pub(super) column: usize,
}

/// Where the lines of a text begin.
pub(super) struct Places(Vec<usize>);

impl Places {
    pub(super) fn of(text: &str) -> Self {
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        Self(std::iter::once(0).chain(ends).collect())
    }

    pub(super) fn place(&self, text: &str, byte: usize) -> Place {
        let line = self.0.partition_point(|&start| start <= byte);
        let start = self.0.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let before = text.get(start..byte).unwrap_or_default();
        Place { byte, line, column: before.chars().count() + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters() {
        let text = "a\né€x\n";
        let places = Places::of(text);
        let place = |byte| {
            let place = places.place(text, byte);
            (place.line, place.column)
        };
        assert_eq!(
            [place(0), place(1), place(2), place(7), place(9)],
            [(1, 1), (1, 2), (2, 1), (2, 3), (3, 1)]
        );
    }

    #[test]
    fn errors_are_kept_before_warnings() {
        let one = |at, code| Diagnostic::new(code, at..at, at.to_string());
        let many = (0..DIAGNOSTICS_MAX).map(|at| one(at, Code::HumanReview));
        let diagnostics = many.chain([one(900, Code::Slot), one(900, Code::Slot)]).collect();
        let report = Report::new("a", &"x".repeat(1000), diagnostics);
        assert_eq!((report.diagnostics().len(), report.more()), (DIAGNOSTICS_MAX, 1));
        assert!(report.has_errors());
    }
}
