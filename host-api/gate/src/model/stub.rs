//! A provider that plays a model, and says so: deterministic, for tests and demonstrations.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use envelope_evidence::Digest;
use envelope_rules::budget::Billed;
use envelope_rules::model::{OPENAI, Overheads, Part, Role};

use super::gathering::TOKEN_BYTES_MAX;
use super::provider::{
    Asking, Coming, Embedded, Embedding, Failed, Finish, Next, Order, Piece, Provider, Texts,
};

/// Characters of a question that the stub repeats.
const REPEATED_CHARS: usize = 240;

/// Numbers of one of its vectors.
const NUMBERS: usize = 8;

/// What a stub does with one question.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// It turns it away.
    pub refuses: Option<Failed>,
    /// What it says.
    pub says: Vec<Result<Piece, Failed>>,
    /// Whether it then keeps the connection open and says nothing more.
    pub hangs: bool,
}

type Play = Box<dyn Fn(&Order<'_>) -> Script + Send + Sync>;

/// The stub.
pub struct Stub {
    play: Play,
    asked: Mutex<Vec<Asked>>,
}

/// What a stub was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Which model.
    pub model: String,
    /// The longest answer.
    pub max_output: u64,
    /// Under which key.
    pub key: String,
}

impl Default for Stub {
    fn default() -> Self {
        Self::playing(repeat)
    }
}

impl Stub {
    /// A stub that does what `play` says.
    pub fn playing(play: impl Fn(&Order<'_>) -> Script + Send + Sync + 'static) -> Self {
        Self { play: Box::new(play), asked: Mutex::new(Vec::new()) }
    }

    /// Everything it was asked.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, model: &str, max_output: u64, key: &str) {
        let asked = Asked { model: model.to_owned(), max_output, key: key.to_owned() };
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
    }
}

impl Provider for Stub {
    fn overheads(&self) -> &'static Overheads {
        &OPENAI
    }

    fn is_stub(&self) -> bool {
        true
    }

    fn ask<'a>(&'a self, order: Order<'a>) -> Asking<'a> {
        self.note(order.model, order.max_output, order.key);
        let Script { refuses, says, hangs } = (self.play)(&order);
        let coming = Played { says: says.into(), hangs };
        let begun: Result<Box<dyn Coming>, Failed> = match refuses {
            Some(failed) => Err(failed),
            None => Ok(Box::new(coming)),
        };
        Box::pin(std::future::ready(begun))
    }

    fn embed<'a>(&'a self, texts: Texts<'a>) -> Embedding<'a> {
        self.note(texts.model, 0, texts.key);
        let vector = |text: &String| {
            let digest = Digest::of(text.as_bytes());
            digest.as_bytes().iter().take(NUMBERS).map(|byte| f32::from(*byte)).collect()
        };
        let vectors = texts.texts.iter().map(vector).collect();
        let bytes = texts.texts.iter().map(String::len).sum::<usize>();
        let billed = Billed { input: tokens(bytes), ..Billed::default() };
        Box::pin(std::future::ready(Ok(Embedded { vectors, billed: Some(billed) })))
    }
}

struct Played {
    says: VecDeque<Result<Piece, Failed>>,
    hangs: bool,
}

impl Coming for Played {
    fn next(&mut self) -> Next<'_> {
        match self.says.pop_front() {
            Some(said) => Box::pin(std::future::ready(said.map(Some))),
            None if self.hangs => Box::pin(std::future::pending()),
            None => Box::pin(std::future::ready(Ok(None))),
        }
    }
}

/// Says that it is a stub, and repeats the beginning of the question.
fn repeat(order: &Order<'_>) -> Script {
    let users = order.ask.messages.iter().filter(|message| message.role == Role::User);
    let mut last = users.flat_map(|message| &message.parts).filter_map(|part| match part {
        Part::Text(text) => Some(text.as_str()),
        Part::Image(_) | Part::Call(_) | Part::Answer { .. } => None,
    });
    let question: String =
        last.next_back().unwrap_or_default().chars().take(REPEATED_CHARS).collect();
    let said = match &order.ask.schema {
        Some(_) => "{}".to_owned(),
        None => format!("(a stub, no model was asked) {question}"),
    };
    let most = usize::try_from(order.max_output).unwrap_or(usize::MAX);
    let words: Vec<_> = said.split_inclusive(' ').collect();
    let finish = if words.len() > most { Finish::Length } else { Finish::Stop };
    let words: Vec<_> = words.into_iter().take(most).map(str::to_owned).collect();
    let output = words.iter().map(|word| word.len().div_ceil(TOKEN_BYTES_MAX)).sum::<usize>();
    let output = u64::try_from(output).unwrap_or(u64::MAX);
    let input = tokens(usize::try_from(order.ask.text_bytes()).unwrap_or(usize::MAX));
    let billed = Billed { input, output, ..Billed::default() };
    let ends = [Piece::Finish(finish), Piece::Billed(billed)];
    let says = words.into_iter().map(Piece::Text).chain(ends).map(Ok).collect();
    Script { refuses: None, says, hangs: false }
}

/// What a tokenizer would make of so many bytes of English.
fn tokens(bytes: usize) -> u64 {
    u64::try_from(bytes.div_ceil(4)).unwrap_or(u64::MAX)
}
