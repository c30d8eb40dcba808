//! Prose with slots: words, values of the data, and repetitions over a list.

use std::ops::Range;

use super::clause::{self, Heading};
use super::diagnostic::Diagnostic;
use super::front::Lines;
use super::prohibited;
use super::value::MARK;
use crate::contract::Code;

/// Slots and repetitions of one source: thirty pages have some hundred.
pub const SLOTS_MAX: usize = 10_000;

/// Steps of one path: the deepest field of a contract has six.
const STEPS_MAX: usize = 16;

/// Parsed prose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Prose {
    /// What stands in it, in order.
    pub(super) pieces: Vec<Piece>,
    /// Its clauses, in order.
    pub(super) headings: Vec<Heading>,
    /// The text in its one spelling, which is hashed: slots without what they were filled with.
    pub(super) text: String,
}

/// A piece of prose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// Words as they stand.
    Words(String),
    /// One value.
    Slot(Slot),
    /// The same for each entry of a list, or once for a value that may be absent.
    Each(Slot, Vec<Piece>),
}

/// A place for a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slot {
    /// Which value.
    pub(super) path: Path,
    /// What somebody wrote into it.
    pub(super) filled: Option<String>,
    /// Where it stands.
    pub(super) span: Range<usize>,
}

/// The way to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    /// Whether it begins at the entry of the repetition around it.
    pub(super) relative: bool,
    /// The fields, ids and places on the way.
    pub(super) steps: Vec<String>,
}

impl Prose {
    /// Parses the prose of `text` that stands in `span`.
    pub(super) fn parse(text: &str, span: Range<usize>, found: &mut Vec<Diagnostic>) -> Self {
        let whole = text.get(..span.end).unwrap_or_default();
        let mut parser = Parser { prose: Self::default(), open: None, slots: 0, found };
        let lines = Lines { text: whole, at: span.start };
        for (span, line) in lines.skip_while(|(_, line)| line.trim().is_empty()) {
            parser.line(line, span.start);
        }
        if let Some((slot, _)) = parser.open.take() {
            parser.refuse(slot.span, "no `{{ end }}` closes it");
        }
        parser.prose.finish();
        parser.prose
    }

    /// Whether it has a slot.
    pub(super) fn has_slots(&self) -> bool {
        self.pieces.iter().any(|piece| !matches!(piece, Piece::Words(_)))
    }

    /// Ends with one line break.
    fn finish(&mut self) {
        if let Some(Piece::Words(words)) = self.pieces.last_mut() {
            words.truncate(words.trim_end().len());
        }
        self.text.truncate(self.text.trim_end().len());
        if !self.text.is_empty() {
            self.text.push('\n');
            self.pieces.push(Piece::Words("\n".to_owned()));
        }
    }
}

struct Parser<'a> {
    prose: Prose,
    /// The repetition that is not closed yet.
    open: Option<(Slot, Vec<Piece>)>,
    slots: usize,
    found: &'a mut Vec<Diagnostic>,
}

/// What stands between `{{` and `}}`.
enum Mark {
    Slot(Slot),
    Each(Slot),
    End,
}

impl Parser<'_> {
    fn refuse(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.found.push(Diagnostic::new(Code::Slot, span, message));
    }

    fn line(&mut self, line: &str, at: usize) {
        let trimmed = line.trim();
        let inside = trimmed.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
        if let Some(inside) = inside.filter(|inside| !inside.contains("}}")) {
            let start = at + (line.len() - line.trim_start().len());
            let span = start..start + trimmed.len();
            let directive = self.mark(inside, span.clone());
            if let Some(mark @ (Mark::Each(_) | Mark::End)) = directive {
                self.prose.text.push_str(trimmed);
                self.prose.text.push('\n');
                return self.place(mark, span);
            }
        }
        match clause::line(line, at) {
            clause::Line::Plain => {
                self.spans(line, at);
                let blank = line.trim().is_empty();
                if let Some(heading) = self.prose.headings.last_mut().filter(|_| !blank) {
                    heading.empty = false;
                }
            }
            clause::Line::Wrong(diagnostic) => self.found.push(diagnostic),
            clause::Line::Heading(heading, _) if self.open.is_some() => {
                let message = "a clause does not begin inside a repetition";
                self.found.push(Diagnostic::new(Code::Clause, heading.span, message));
            }
            clause::Line::Heading(heading, title) => {
                let (title, marks) = line.split_at_checked(title).unwrap_or((line, ""));
                self.spans(title, at);
                self.words(&format!("{{#{}}}", heading.clause.id));
                self.prose.text.push_str(marks.trim_end());
                self.prose.headings.push(heading);
            }
        }
        self.words("\n");
        self.prose.text.push('\n');
    }

    /// The words and slots of a line.
    fn spans(&mut self, line: &str, at: usize) {
        let mut rest = line;
        loop {
            let here = at + (line.len() - rest.len());
            let Some((words, after)) = rest.split_once("{{") else {
                return self.plain(rest, here);
            };
            self.plain(words, here);
            let start = here + words.len();
            let Some(length) = closing(after) else {
                return self.refuse(start..at + line.len(), "no `}}` on this line ends the slot");
            };
            let (inside, _) = after.split_at_checked(length).unwrap_or((after, ""));
            let span = start..start + length + 4;
            match self.mark(inside, span.clone()) {
                Some(mark @ Mark::Slot(_)) => self.place(mark, span),
                Some(Mark::Each(_) | Mark::End) => {
                    self.refuse(span, "`each` and `end` stand on a line of their own");
                }
                None => self.refuse(span, "not a path like `price.amount`"),
            }
            rest = after.get(length + 2..).unwrap_or_default();
        }
    }

    /// Words of the author's: what is bold comes from the data alone.
    fn plain(&mut self, words: &str, at: usize) {
        if let Some((before, _)) = words.split_once(MARK) {
            let start = at + before.len();
            let message = "`**` marks what comes from the data";
            let help = "for emphasis write `_so_`";
            let diagnostic = Diagnostic::new(Code::Slot, start..start + MARK.len(), message);
            self.found.push(diagnostic.help(help));
        }
        if let Some((before, c)) = before_control(words) {
            let start = at + before;
            let span = start..start + c.len_utf8();
            let message = format!("a control character, U+{:04X}", u32::from(c));
            self.found.push(Diagnostic::new(Code::Prohibited, span, message));
        }
        self.found.extend(prohibited::plain(words, at));
        self.words(words);
        self.prose.text.push_str(words);
    }

    fn words(&mut self, words: &str) {
        let pieces = self.pieces();
        match pieces.last_mut() {
            Some(Piece::Words(before)) => before.push_str(words),
            _ => pieces.push(Piece::Words(words.to_owned())),
        }
    }

    fn pieces(&mut self) -> &mut Vec<Piece> {
        match &mut self.open {
            Some((_, pieces)) => pieces,
            None => &mut self.prose.pieces,
        }
    }

    /// Reads what stands between the braces; nothing, when it is not a mark.
    fn mark(&self, inside: &str, span: Range<usize>) -> Option<Mark> {
        let inside = inside.trim();
        if inside == "end" {
            return Some(Mark::End);
        }
        if let Some(path) = inside.strip_prefix("each ") {
            let slot = Slot { path: Path::parse(path.trim())?, filled: None, span };
            return Some(Mark::Each(slot));
        }
        let (path, filled) = match inside.split_once('=') {
            Some((path, filled)) => (path, Some(filled.trim().to_owned())),
            None => (inside, None),
        };
        Some(Mark::Slot(Slot { path: Path::parse(path.trim())?, filled, span }))
    }

    fn place(&mut self, mark: Mark, span: Range<usize>) {
        self.slots += 1;
        if self.slots == SLOTS_MAX + 1 {
            let message = format!("more than {SLOTS_MAX} slots");
            self.found.push(Diagnostic::new(Code::TooMany, span.clone(), message));
        }
        if self.slots > SLOTS_MAX {
            return;
        }
        match mark {
            Mark::Slot(slot) if slot.path.relative && self.open.is_none() => {
                self.refuse(span, "a path begins with `.` inside `{{ each … }}` alone");
            }
            Mark::Slot(slot) => {
                self.prose.text.push_str(&format!("{{{{ {} }}}}", slot.path.spell()));
                self.pieces().push(Piece::Slot(slot));
            }
            Mark::Each(slot) if self.open.is_some() || slot.path.relative => {
                self.refuse(slot.span, "a repetition does not stand in another");
            }
            Mark::Each(slot) => self.open = Some((slot, Vec::new())),
            Mark::End => match self.open.take() {
                Some((slot, pieces)) => self.prose.pieces.push(Piece::Each(slot, pieces)),
                None => self.refuse(span, "nothing is open that `end` could close"),
            },
        }
    }
}

impl Path {
    fn parse(text: &str) -> Option<Self> {
        let (relative, rest) = match text.strip_prefix('.') {
            Some("") => return Some(Self { relative: true, steps: Vec::new() }),
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let steps: Vec<String> = rest.split('.').map(str::to_owned).collect();
        let fits = |step: &String| !step.is_empty() && step.chars().all(letter);
        (steps.len() <= STEPS_MAX && steps.iter().all(fits)).then_some(Self { relative, steps })
    }

    /// The path as it is written.
    pub(super) fn spell(&self) -> String {
        let dot = if self.relative { "." } else { "" };
        format!("{dot}{}", self.steps.join("."))
    }
}

/// The bytes before the `}}` that ends a slot: one whose first brace is not escaped.
fn closing(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().map(|(at, _)| at).find(|&at| {
        let rest = text.get(at..).unwrap_or_default();
        let ends = !escaped && rest.starts_with("}}");
        escaped = !escaped && rest.starts_with('\\');
        ends
    })
}

fn before_control(words: &str) -> Option<(usize, char)> {
    words.char_indices().find(|(_, c)| c.is_control() && !matches!(c, '\t' | '\n'))
}
