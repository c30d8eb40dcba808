//! Puts an answer together from its pieces, and counts what comes.

use envelope_rules::budget::Billed;
use envelope_rules::model::Part;

use super::provider::{Finish, Piece};

/// The longest token of the tokenizers in use, in bytes: a run of blanks.
pub(super) const TOKEN_BYTES_MAX: usize = 128;

/// An answer as far as it came.
#[derive(Debug)]
pub struct Gathering {
    parts: Vec<Part>,
    finish: Option<Finish>,
    billed: Option<Billed>,
    unasked: bool,
    /// Tokens that came, if an event carries one or more and a token has so many bytes: by this an
    /// answer is cut.
    observed: u64,
    /// Bytes that came. Some cut tokens into several events, but no token has more bytes than the
    /// longest: by this a bill is held against what came.
    bytes: u64,
    max_output: u64,
}

impl Gathering {
    /// Nothing yet, of at most `max_output` tokens.
    pub const fn new(max_output: u64) -> Self {
        Self {
            parts: Vec::new(),
            finish: None,
            billed: None,
            unasked: false,
            observed: 0,
            bytes: 0,
            max_output,
        }
    }

    /// Takes a piece. False when more came than was paid for: then the connection is closed.
    pub fn take(&mut self, piece: Piece) -> bool {
        let mut said = 0;
        match piece {
            Piece::Text(text) => {
                self.count(text.len());
                self.weigh(&text);
                match self.parts.last_mut() {
                    Some(Part::Text(last)) => last.push_str(&text),
                    Some(Part::Image(_) | Part::Call(_) | Part::Answer { .. }) | None => {
                        self.parts.push(Part::Text(text));
                    }
                }
            }
            Piece::Call(call) => {
                self.weigh(&call.arguments);
                self.parts.push(Part::Call(call));
            }
            Piece::Hidden => self.count(1),
            Piece::Billed(billed) => {
                said = output(&billed);
                self.billed = Some(billed);
            }
            Piece::Unasked(_) => self.unasked = true,
            Piece::Finish(finish) => self.finish = Some(finish),
        }
        self.observed.max(said) <= self.max_output
    }

    /// What the provider says it bills, if it says it.
    pub const fn billed(&self) -> Option<&Billed> {
        self.billed.as_ref()
    }

    /// Whether it bills for something without having been asked.
    pub const fn unasked(&self) -> bool {
        self.unasked
    }

    /// Whether it bills for as many tokens as what came must have been, at least.
    pub fn is_covered_by(&self, billed: &Billed) -> bool {
        let longest = u64::try_from(TOKEN_BYTES_MAX).unwrap_or(u64::MAX);
        self.bytes.div_ceil(longest) <= output(billed)
    }

    /// Whether the provider said that it is over.
    pub const fn ended(&self) -> bool {
        self.finish.is_some()
    }

    /// What was gathered, and why it ended: `cut`, if the provider did not end it.
    pub fn into_parts(self) -> (Vec<Part>, Finish) {
        let calls = self.parts.iter().any(|part| matches!(part, Part::Call(_)));
        let finish = match self.finish {
            // An answer with a shape is a call of a tool on some wires, and none for the guest.
            Some(Finish::ToolCalls) if !calls => Finish::Stop,
            Some(finish) => finish,
            None => Finish::Cut,
        };
        (self.parts, finish)
    }

    fn weigh(&mut self, text: &str) {
        let bytes = u64::try_from(text.len()).unwrap_or(u64::MAX);
        self.bytes = self.bytes.saturating_add(bytes);
    }

    fn count(&mut self, bytes: usize) {
        if bytes > 0 {
            let least = u64::try_from(bytes.div_ceil(TOKEN_BYTES_MAX)).unwrap_or(u64::MAX);
            self.observed = self.observed.saturating_add(least);
        }
    }
}

/// Tokens of the answer, those that it does not show too.
const fn output(billed: &Billed) -> u64 {
    billed.output.saturating_add(billed.reasoning)
}
