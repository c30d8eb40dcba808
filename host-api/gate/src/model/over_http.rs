//! Providers that are reached over HTTP, whatever their wire format.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use envelope_rules::model::Overheads;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

pub use super::anthropic::Anthropic;
use super::credit::response_bytes;
use super::events::Events;
pub use super::openai::OpenAi;
use super::provider::{
    Asking, Coming, Embedded, Embedding, Failed, Next, Order, Piece, Provider, Texts,
};
use super::transport::{Body, Letter, Lost, Posted, Transport};

/// Characters of a provider's own words that are told on.
const WORDS_CHARS_MAX: usize = 300;

/// Bytes of an error's page that are looked at.
const ERROR_BYTES_MAX: usize = 16 << 10;

/// Bytes of a report of what is billed: a few dozen numbers. What is longer is none.
const REPORT_BYTES_MAX: usize = 16 << 10;

/// A wire format: what is written, and what is read. It knows no sockets and no keys.
pub trait Wire: Send + Sync + Clone + 'static {
    /// What has to be remembered between two events of a stream.
    type State: Default + Send;

    /// What it adds to what a guest wrote.
    fn overheads(&self) -> &'static Overheads;
    /// Whether nothing is billed for a request that was answered with `status`, by the documents of
    /// whoever speaks it.
    fn is_free(&self, status: u16) -> bool;
    /// The request, with the longest answer written into it.
    fn write(&self, order: &Order<'_>) -> Result<Written, String>;
    /// The longest answer that stands in a request: read back from the bytes that are sent.
    fn bound_in(&self, body: &[u8]) -> Option<u64>;
    /// An answer in one piece.
    fn whole(&self, body: &[u8]) -> Result<Vec<Piece>, String>;
    /// An event of a stream. `None` is the end of it.
    fn event(&self, state: &mut Self::State, data: &str) -> Result<Option<Vec<Piece>>, String>;
    /// A request for embeddings.
    fn write_texts(&self, texts: &Texts<'_>) -> Result<Written, String>;
    /// The answer to it.
    fn embedded(&self, body: &[u8]) -> Result<Embedded, String>;
}

/// Whether `status` says that a request was turned away before a model saw it.
pub(super) const fn turned_away(status: u16) -> bool {
    matches!(status, 400 | 401 | 403 | 404 | 405 | 413 | 415 | 422 | 429)
}

/// A request in a wire format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The path below the provider's address.
    pub path: &'static str,
    /// Headers that the format wants.
    pub headers: Vec<(&'static str, String)>,
    /// The body, JSON.
    pub body: Vec<u8>,
}

impl Written {
    /// A request with `body` in JSON.
    pub(super) fn new(
        path: &'static str,
        headers: Vec<(&'static str, String)>,
        body: &impl Serialize,
    ) -> Result<Self, String> {
        let body = serde_json::to_vec(body).map_err(|why| why.to_string())?;
        Ok(Self { path, headers, body })
    }
}

/// A provider that speaks the wire format `W`.
pub struct OverHttp<W> {
    wire: W,
    transport: Arc<dyn Transport>,
}

impl<W: Wire> OverHttp<W> {
    /// The provider at the other end of `transport`.
    pub const fn new(wire: W, transport: Arc<dyn Transport>) -> Self {
        Self { wire, transport }
    }

    /// The request as bytes, proved to hold the bound that was paid for.
    fn letter(&self, order: &Order<'_>) -> Result<Letter, Failed> {
        let written = self.wire.write(order).map_err(Failed::Unwritable)?;
        if self.wire.bound_in(&written.body) == Some(order.max_output) {
            return Ok(letter(written, response_bytes(order.max_output, 0)));
        }
        Err(Failed::Unwritable("the bound of the answer is not in the request".to_owned()))
    }

    async fn begin(&self, order: Order<'_>) -> Result<Box<dyn Coming>, Failed> {
        let posted = self.transport.post(self.letter(&order)?).await.map_err(lost)?;
        let mut posted = self.accepted(posted).await?;
        if order.streamed {
            let wire = self.wire.clone();
            return Ok(Box::new(Streaming::new(wire, posted.body)));
        }
        let body = read_all(&mut *posted.body, response_bytes(order.max_output, 0)).await?;
        let pieces = self.wire.whole(&body).map_err(Failed::Unknown)?;
        Ok(Box::new(AtOnce(pieces.into())))
    }

    async fn vectors(&self, texts: Texts<'_>) -> Result<Embedded, Failed> {
        let written = self.wire.write_texts(&texts).map_err(Failed::Unwritable)?;
        let count = texts.texts.len();
        let letter = letter(written, response_bytes(0, count));
        let posted = self.transport.post(letter).await.map_err(lost)?;
        let mut posted = self.accepted(posted).await?;
        let body = read_all(&mut *posted.body, response_bytes(0, count)).await?;
        let embedded = self.wire.embedded(&body).map_err(Failed::Unknown)?;
        if embedded.vectors.len() == count {
            return Ok(embedded);
        }
        let found = embedded.vectors.len();
        Err(Failed::Unknown(format!("the provider gave {found} vectors for {count} texts")))
    }
}

impl<W: Wire> OverHttp<W> {
    /// Passes an answer on, or says what its status means for the money.
    async fn accepted(&self, mut posted: Posted) -> Result<Posted, Failed> {
        let status = posted.status;
        if status == 200 {
            return Ok(posted);
        }
        let mut page = Vec::new();
        while let Ok(Some(bytes)) = posted.body.next().await {
            page.extend_from_slice(&bytes);
            if page.len() > ERROR_BYTES_MAX {
                break;
            }
        }
        let why = words(&page);
        Err(if self.wire.is_free(status) {
            Failed::Free { status, why, after: posted.retry_after }
        } else if turned_away(status) {
            Failed::Refused { status, why }
        } else {
            Failed::Unknown(format!("the provider answered {status}: {why}"))
        })
    }
}

impl<W: Wire> Provider for OverHttp<W> {
    fn overheads(&self) -> &'static Overheads {
        self.wire.overheads()
    }

    fn ask<'a>(&'a self, order: Order<'a>) -> Asking<'a> {
        Box::pin(self.begin(order))
    }

    fn embed<'a>(&'a self, texts: Texts<'a>) -> Embedding<'a> {
        Box::pin(self.vectors(texts))
    }
}

fn letter(written: Written, response_bytes: u64) -> Letter {
    let Written { path, headers, body } = written;
    Letter { path, headers, body: Bytes::from(body), response_bytes }
}

fn lost(lost: Lost) -> Failed {
    match lost {
        Lost::NotSent(why) => Failed::NotSent(why),
        Lost::Unknown(why) => Failed::Unknown(why),
    }
}

/// A provider's own words, as far as they can be told.
pub(super) fn words(page: &[u8]) -> String {
    let page = page.get(..ERROR_BYTES_MAX).unwrap_or(page);
    let said: Option<Value> = serde_json::from_slice(page).ok();
    let message = said.as_ref().and_then(|said| {
        let error = said.get("error").unwrap_or(said);
        error.get("message").or(Some(error)).and_then(Value::as_str)
    });
    let text = message.map_or_else(|| String::from_utf8_lossy(page), Into::into);
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.take(WORDS_CHARS_MAX).collect()
}

/// A report of what is billed, if it is one.
pub(super) fn report(usage: &RawValue) -> Option<Value> {
    let text = Some(usage.get()).filter(|text| text.len() <= REPORT_BYTES_MAX);
    text.and_then(|text| serde_json::from_str(text).ok())
}

async fn read_all(body: &mut dyn Body, most: u64) -> Result<Vec<u8>, Failed> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let mut whole = Vec::new();
    while let Some(bytes) = body.next().await.map_err(Failed::Unknown)? {
        whole.extend_from_slice(&bytes);
        if whole.len() > most {
            return Err(Failed::Unknown(format!("the provider's answer is above {most} bytes")));
        }
    }
    Ok(whole)
}

/// An answer that came in one piece.
struct AtOnce(VecDeque<Piece>);

impl Coming for AtOnce {
    fn next(&mut self) -> Next<'_> {
        Box::pin(std::future::ready(Ok(self.0.pop_front())))
    }
}

/// An answer as it streams in.
struct Streaming<W: Wire> {
    wire: W,
    state: W::State,
    body: Box<dyn Body>,
    events: Events,
    ready: VecDeque<Piece>,
    ended: bool,
}

impl<W: Wire> Streaming<W> {
    fn new(wire: W, body: Box<dyn Body>) -> Self {
        let (state, events, ready) = (W::State::default(), Events::default(), VecDeque::new());
        Self { wire, state, body, events, ready, ended: false }
    }

    async fn piece(&mut self) -> Result<Option<Piece>, Failed> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                return Ok(Some(piece));
            }
            if self.ended {
                return Ok(None);
            }
            if !self.take_events(Events::next)? {
                match self.body.next().await.map_err(Failed::Unknown)? {
                    Some(bytes) => {
                        let pushed = self.events.push(&bytes);
                        pushed.map_err(|why| Failed::Unknown(why.to_string()))?;
                    }
                    None => {
                        self.take_events(Events::last)?;
                        self.ended = true;
                    }
                }
            }
        }
    }

    /// Takes the events that are whole by now. Whether there was one.
    fn take_events(
        &mut self,
        next: fn(&mut Events) -> Result<Option<String>, super::events::BadEvents>,
    ) -> Result<bool, Failed> {
        let event = next(&mut self.events).map_err(|why| Failed::Unknown(why.to_string()))?;
        let Some(data) = event else { return Ok(false) };
        match self.wire.event(&mut self.state, &data).map_err(Failed::Unknown)? {
            Some(pieces) => self.ready.extend(pieces),
            None => self.ended = true,
        }
        Ok(true)
    }
}

impl<W: Wire> Coming for Streaming<W> {
    fn next(&mut self) -> Next<'_> {
        Box::pin(self.piece())
    }
}
