//! Prose and data as one: slots are rendered from the data, and rendered prose is read back.

use std::ops::Range;

use serde_json::Value;

use super::diagnostic::Diagnostic;
use super::field;
use super::prose::{Path, Piece, Slot};
use super::value::{Format, MARK};
use crate::contract::{Code, Currency};

/// Pieces of filled prose: repetitions multiply what stands in them.
pub const PARTS_MAX: usize = 50_000;

/// The longest rendered prose, in bytes: the most that a document takes.
pub const RENDERED_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Prose whose slots have their values.
#[derive(Debug, Default)]
pub(super) struct Filled<'a> {
    parts: Vec<Part<'a>>,
    bytes: usize,
}

/// A piece of filled prose.
#[derive(Debug)]
enum Part<'a> {
    Words(&'a str),
    Value { pointer: String, format: Format<'a>, value: &'a Value, text: String },
}

/// What prose says otherwise than it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misfit {
    /// Where, in bytes of the prose.
    pub(super) span: Range<usize>,
    /// What.
    pub(super) message: String,
}

/// Fills `pieces` from `root`. What is absent is told, unless the data are known to be `partial`.
pub(super) fn fill<'a>(
    pieces: &'a [Piece],
    root: &'a Value,
    partial: bool,
    found: &mut Vec<Diagnostic>,
) -> Filled<'a> {
    let currency = root.pointer("/price/currency").and_then(Value::as_str).and_then(|code| {
        let currency = Currency::ALL.iter().find(|currency| currency.code() == code)?;
        Some((currency.code(), usize::try_from(currency.places()).ok()?))
    });
    let mut filler = Filler { root, currency, partial, found, filled: Filled::default() };
    filler.pieces(pieces, &Here { pointer: String::new(), value: root });
    filler.filled
}

impl Filled<'_> {
    /// The prose.
    pub(super) fn render(&self) -> String {
        let mut prose = String::with_capacity(self.bytes);
        for part in &self.parts {
            match part {
                Part::Words(words) => prose.push_str(words),
                Part::Value { text, .. } => prose.extend([MARK, text, MARK]),
            }
        }
        prose
    }

    /// Whether the prose states the value at `pointer`.
    pub(super) fn states(&self, wanted: &str) -> bool {
        let pointer = |part: &Part<'_>| match part {
            Part::Words(_) => false,
            Part::Value { pointer, .. } => pointer == wanted,
        };
        self.parts.iter().any(pointer)
    }

    /// Reads rendered prose: the values it states, each with its pointer, in order. Words between
    /// them have to be these words, and values these values.
    pub(super) fn read(&self, prose: &str) -> Result<Vec<(String, Value)>, Vec<Misfit>> {
        let (mut values, mut misfits, mut at) = (Vec::new(), Vec::new(), 0);
        for part in &self.parts {
            let rest = prose.get(at..).unwrap_or_default();
            match part {
                Part::Words(words) => match rest.strip_prefix(words) {
                    Some(_) => at += words.len(),
                    None => {
                        misfits.push(other_words(words, rest, at));
                        return Err(misfits);
                    }
                },
                Part::Value { pointer, format, value, text } => {
                    let Some(said) = rest.strip_prefix(MARK).and_then(until_mark) else {
                        misfits.push(other_words(&[MARK, text, MARK].concat(), rest, at));
                        return Err(misfits);
                    };
                    let span = at + MARK.len()..at + MARK.len() + said.len();
                    at = span.end + MARK.len();
                    match format.read(said) {
                        Some(read) if read == **value => values.push((pointer.clone(), read)),
                        _ => misfits.push(Misfit { span, message: differs(pointer, said, text) }),
                    }
                }
            }
        }
        let more = prose.get(at..).unwrap_or_default().trim_end();
        if !more.trim_start().is_empty() {
            let start = at + (more.len() - more.trim_start().len());
            let line = more.trim_start().lines().next().unwrap_or_default();
            let message = "these words are not in the template".to_owned();
            misfits.push(Misfit { span: start..start + line.len(), message });
        }
        if misfits.is_empty() { Ok(values) } else { Err(misfits) }
    }
}

/// What is told when prose and data state two values.
fn differs(pointer: &str, said: &str, meant: &str) -> String {
    format!("the prose says `{said}`, and the data say `{meant}` at `{pointer}`")
}

/// The text before the mark that ends a value.
fn until_mark(text: &str) -> Option<&str> {
    let mut escaped = false;
    let end = text.char_indices().find(|&(_, c)| {
        let ends = (c == '*' || c == '\n') && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    let (said, rest) = text.split_at_checked(end?.0)?;
    rest.starts_with(MARK).then_some(said)
}

fn other_words(meant: &str, found: &str, at: usize) -> Misfit {
    let same = meant.chars().zip(found.chars()).take_while(|(a, b)| a == b);
    let same: usize = same.map(|(c, _)| c.len_utf8()).sum();
    // Whole words are shown, not the letters in which they differ.
    let before = meant.get(..same).unwrap_or_default();
    let from = before.rfind(char::is_whitespace).map_or(0, |blank| blank + 1);
    let word = |text: &str| {
        let rest = text.get(from..).unwrap_or_default();
        let end = rest.char_indices().skip(1).find(|(at, c)| from + at >= same && *c == '\n');
        let line = rest.get(..end.map_or(rest.len(), |(end, _)| end)).unwrap_or_default();
        line.split_inclusive(char::is_whitespace).take(6).collect::<String>()
    };
    let (meant, said) = (word(meant), word(found));
    let length = said.trim_end().len().max(found.len().min(1));
    let message =
        format!("the template says `{}` here, and the prose says `{}`", meant.trim(), said.trim());
    Misfit { span: at + from..at + from + length, message }
}

/// A value and the pointer to it.
struct Here<'a> {
    pointer: String,
    value: &'a Value,
}

struct Filler<'a, 'f> {
    root: &'a Value,
    currency: Option<(&'a str, usize)>,
    partial: bool,
    found: &'f mut Vec<Diagnostic>,
    filled: Filled<'a>,
}

impl<'a> Filler<'a, '_> {
    fn pieces(&mut self, pieces: &'a [Piece], here: &Here<'a>) {
        for piece in pieces {
            match piece {
                Piece::Words(words) => self.push(Part::Words(words), words.len(), None),
                Piece::Slot(slot) => self.slot(slot, here),
                Piece::Each(slot, body) => self.each(slot, body, here),
            }
        }
    }

    fn each(&mut self, slot: &Slot, body: &'a [Piece], here: &Here<'a>) {
        let Some(list) = self.resolve(&slot.path, here) else {
            if let Err(why) = field::check(&[&slot.path]) {
                self.refuse(slot, why);
            }
            return;
        };
        let Value::Array(entries) = list.value else { return self.pieces(body, &list) };
        for (nth, value) in entries.iter().enumerate() {
            let pointer = format!("{}/{nth}", list.pointer);
            self.pieces(body, &Here { pointer, value });
        }
    }

    fn slot(&mut self, slot: &Slot, here: &Here<'a>) {
        let Some(Here { pointer, value }) = self.resolve(&slot.path, here) else {
            return self.absent(slot, here);
        };
        let name = pointer.rsplit('/').next().unwrap_or_default();
        let format = Format::of(name, value, self.currency);
        let text = format.and_then(|format| Some((format, format.write(value)?)));
        let Some((format, text)) = text else {
            if !self.partial {
                let path = slot.path.spell();
                self.refuse(slot, format!("`{path}` is not one value: name one of its fields"));
            }
            return;
        };
        if let Some(said) =
            slot.filled.as_ref().filter(|said| format.read(said).as_ref() != Some(value))
        {
            let message = differs(&pointer, said, &text);
            self.found.push(Diagnostic::new(Code::Fidelity, slot.span.clone(), message));
        }
        let bytes = text.len() + 2 * MARK.len();
        self.push(Part::Value { pointer, format, value, text }, bytes, Some(slot));
    }

    fn absent(&mut self, slot: &Slot, here: &Here<'a>) {
        let path = slot.path.spell();
        let around = Path::of_pointer(&here.pointer);
        let known = if slot.path.relative {
            field::check(&[&around, &slot.path])
        } else {
            field::check(&[&slot.path])
        };
        match known {
            Err(why) => self.refuse(slot, why),
            Ok(()) if self.partial => {}
            Ok(()) => {
                let message = format!("this contract has no `{path}`");
                let help = format!(
                    "set it, or write `{{{{ each {path} }}}}` before and `{{{{ end }}}}` after"
                );
                let diagnostic = Diagnostic::new(Code::Slot, slot.span.clone(), message);
                self.found.push(diagnostic.help(help));
            }
        }
    }

    fn refuse(&mut self, slot: &Slot, message: impl Into<String>) {
        self.found.push(Diagnostic::new(Code::Slot, slot.span.clone(), message));
    }

    fn push(&mut self, part: Part<'a>, bytes: usize, slot: Option<&Slot>) {
        let full = self.filled.parts.len() >= PARTS_MAX
            || self.filled.bytes.saturating_add(bytes) > RENDERED_BYTES_MAX;
        if !full {
            self.filled.bytes += bytes;
            self.filled.parts.push(part);
            return;
        }
        let span = slot.map_or(0..0, |slot| slot.span.clone());
        let told = self.found.last().is_some_and(|last| last.code == Code::TooMany);
        if !told {
            let message = "repetitions make the prose longer than a document can be";
            self.found.push(Diagnostic::new(Code::TooMany, span, message));
        }
    }

    /// The value at the end of `path`: a field, the entry of a list with this id, or its place.
    fn resolve(&self, path: &Path, here: &Here<'a>) -> Option<Here<'a>> {
        let (mut pointer, mut value) = match path.relative {
            true => (here.pointer.clone(), here.value),
            false => (String::new(), self.root),
        };
        for step in &path.steps {
            let (token, next) = match value {
                Value::Object(map) => (step.clone(), map.get(step)?),
                Value::Array(list) => {
                    let named = |entry: &Value| {
                        let name = entry.get("id").or_else(|| entry.get("letters"));
                        name.and_then(Value::as_str) == Some(step)
                    };
                    let at = list.iter().position(named).or_else(|| step.parse().ok())?;
                    (at.to_string(), list.get(at)?)
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
            };
            pointer.push('/');
            pointer.push_str(&token);
            value = next;
        }
        Some(Here { pointer, value })
    }
}

impl Path {
    fn of_pointer(pointer: &str) -> Self {
        let steps = pointer.split('/').skip(1).map(str::to_owned).collect();
        Self { relative: false, steps }
    }
}
