//! Vendors' wire formats as guests speak them: the virtual host `model.envelope`.
//!
//! A program that was written for a vendor's own client points it at `http://model.envelope` and
//! gives any key. Nothing is dialled: its request is read here, becomes the [`Ask`] that
//! `envelope:host/model` makes of its own, and passes the same grant, meter and journal.
//!
//! The formats are read closed. A field that is not known here could be one that costs money, and
//! is refused by its name. What only helps a provider along (who the user is, what to cache) is
//! read over and not passed on.

mod anthropic;
mod openai;
mod read;
mod responses;
mod vendor;

use bytes::Bytes;
use envelope_rules::model::Ask;
use serde_json::{Value, json};

use super::outcome::{Chunk, Outcome, Reply, Usage};
use super::provider::Images;
pub(crate) use openai::{Texts, embedded, texts};
pub(crate) use read::Unread;

/// The host that is dialled by nobody.
pub(crate) const HOST: &str = "model.envelope";

/// What it answers to, for whoever asks for something else.
pub(crate) const PLACES: &str = "`POST /v1/chat/completions`, `POST /v1/responses`, \
                                 `POST /v1/embeddings`, `POST /v1/messages` and `GET /v1/models`";

/// Tokens of an answer whose length the request leaves open: a long page. All that is affordable
/// would leave nothing for a second question beside it.
const OUTPUT_DEFAULT: u32 = 4096;

/// Whose format it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    /// OpenAI's, and that of all who speak it.
    OpenAi,
    /// OpenAI's newer one.
    Responses,
    /// Anthropic's.
    Anthropic,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// An answer.
    Chat(Wire),
    /// Vectors of texts.
    Vectors,
    /// Which models there are.
    List(Wire),
}

/// A question in our own words.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) ask: Ask,
    pub(crate) images: Images,
    pub(crate) streamed: bool,
    /// Whether the stream is to end with what was paid.
    pub(crate) reports: bool,
}

/// What every answer is marked with: the same on every replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Which of the run's answers it is.
    pub(crate) number: u64,
    /// When the run began, in seconds: what is recorded of an answer is of its end, and pieces of
    /// it are heard before.
    pub(crate) created: u64,
}

impl Place {
    /// What `method` and `path`, with its query, ask for. Anthropic's clients name their version.
    pub(crate) fn of(method: &str, path: &str, versioned: bool) -> Option<Self> {
        let wire = if versioned { Wire::Anthropic } else { Wire::OpenAi };
        match (method, path) {
            ("POST", "/v1/chat/completions") => Some(Self::Chat(Wire::OpenAi)),
            ("POST", "/v1/responses") => Some(Self::Chat(Wire::Responses)),
            ("POST", "/v1/messages") => Some(Self::Chat(Wire::Anthropic)),
            ("POST", "/v1/embeddings") => Some(Self::Vectors),
            ("GET", "/v1/models") => Some(Self::List(wire)),
            _ => None,
        }
    }
}

impl Wire {
    /// Reads a question.
    pub(crate) fn read(self, body: &[u8]) -> Result<Asked, Unread> {
        let asked = match self {
            Self::OpenAi => openai::asked(body),
            Self::Responses => responses::asked(body),
            Self::Anthropic => anthropic::asked(body),
        }?;
        asked.ask.check().map_err(|why| Unread::Wrong(why.to_string()))?;
        Ok(asked)
    }

    /// A whole answer.
    pub(crate) fn whole(self, reply: &Reply, mark: &Mark) -> Value {
        match self {
            Self::OpenAi => openai::whole(reply, mark),
            Self::Responses => responses::whole(reply, mark),
            Self::Anthropic => anthropic::whole(reply, mark),
        }
    }

    /// The models of a run, by their names in the price book.
    pub(crate) fn list(self, names: &[&str]) -> Value {
        match self {
            Self::OpenAi | Self::Responses => openai::list(names),
            Self::Anthropic => anthropic::list(names),
        }
    }

    /// The name in the price book of what a client calls `name`: a vendor's own client leaves the
    /// vendor out.
    fn full(self, name: String) -> String {
        match self {
            _ if name.contains('/') => name,
            Self::OpenAi | Self::Responses => format!("openai/{name}"),
            Self::Anthropic => format!("anthropic/{name}"),
        }
    }
}

/// An answer on its way to a guest, as events.
#[derive(Debug)]
pub(crate) struct Speech {
    /// The number of the call that opened it.
    pub(crate) call: usize,
    /// What was written and not read yet.
    pub(crate) pending: bytes::BytesMut,
    /// Whether nothing more is written.
    pub(crate) over: bool,
    style: Style,
}

/// How events are written, and what was written so far.
#[derive(Debug)]
enum Style {
    OpenAi(openai::Stream),
    Responses(responses::Stream),
    Anthropic(anthropic::Stream),
}

impl Speech {
    /// The events of the answer that `call` opened.
    pub(crate) fn new(wire: Wire, call: usize, asked: &Asked, mark: Mark) -> Self {
        let model = asked.ask.model.clone();
        let mut pending = bytes::BytesMut::new();
        let style = match wire {
            Wire::OpenAi => Style::OpenAi(openai::Stream::new(model, mark, asked.reports)),
            Wire::Responses => {
                let mut stream = responses::Stream::new(model, mark);
                stream.begin(&mut pending);
                Style::Responses(stream)
            }
            Wire::Anthropic => {
                let stream = anthropic::Stream::new(model);
                stream.begin(&mark, &mut pending);
                Style::Anthropic(stream)
            }
        };
        Self { call, pending, over: false, style }
    }

    /// Writes the next piece.
    pub(crate) fn say(&mut self, chunk: &Chunk) {
        self.over = !matches!(chunk, Chunk::Text(_) | Chunk::Call(_));
        match (&mut self.style, chunk) {
            (style, Chunk::Failed { why, .. }) => style.fail("api_error", why, &mut self.pending),
            (Style::OpenAi(stream), chunk) => stream.say(chunk, &mut self.pending),
            (Style::Responses(stream), chunk) => stream.say(chunk, &mut self.pending),
            (Style::Anthropic(stream), chunk) => stream.say(chunk, &mut self.pending),
        }
    }

    /// Ends with a refusal.
    pub(crate) fn refuse(&mut self, code: &str, why: &str) {
        self.over = true;
        self.style.fail(code, why, &mut self.pending);
    }
}

impl Style {
    fn fail(&mut self, kind: &str, why: &str, to: &mut bytes::BytesMut) {
        match self {
            Self::OpenAi(_) => read::event(None, &fault(kind, why), to),
            Self::Responses(stream) => stream.fail(kind, why, to),
            Self::Anthropic(_) => read::event(Some("error"), &fault(kind, why), to),
        }
    }
}

/// What the clients of both vendors show of a failure.
pub(crate) fn fault(kind: &str, why: &str) -> Value {
    json!({ "type": "error",
        "error": { "type": kind, "code": kind, "message": why, "param": Value::Null } })
}

/// The status and the words of an outcome without an answer.
pub(crate) fn failed(outcome: &Outcome) -> (u16, Bytes) {
    let (status, why) = match outcome {
        Outcome::Failed { timed_out: true, .. } => (504, "the provider took too long"),
        Outcome::Failed { why, .. } => (502, why.as_str()),
        Outcome::Interrupted => {
            (502, "the process that asked is gone: what was set aside is spent")
        }
        Outcome::Done(_) | Outcome::Embedded { .. } | Outcome::Dropped => {
            (502, "there is no such answer")
        }
    };
    (status, fault("api_error", why).to_string().into())
}

/// What no vendor's format has a place for.
fn beside(stub: bool, usage: &Usage, clamped: Option<(u32, &str)>) -> Value {
    json!({
        "stub": stub,
        "nano_usd": usage.nano_usd,
        "confirmed": usage.confirmed,
        "clamped_to": clamped.map(|(most, _)| most),
        "clamped_by": clamped.map(|(_, whose)| whose),
    })
}

fn beside_reply(reply: &Reply) -> Value {
    let clamped = reply.clamped_to.zip(reply.because.as_deref());
    beside(reply.stub, &reply.usage, clamped)
}
