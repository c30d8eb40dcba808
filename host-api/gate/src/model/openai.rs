//! The wire format of OpenAI's chat completions and embeddings, which most providers and local
//! servers speak.

mod read;
mod write;

use std::collections::BTreeMap;

use envelope_rules::model::{OPENAI, Overheads, ToolCall};
use serde::{Deserialize, Serialize};

use super::over_http::{Wire, Written, turned_away};
use super::provider::{Embedded, Order, Piece, Texts};
pub(super) use write::{encoded, raw};

/// A provider that speaks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenAi {
    /// OpenAI itself: its bound covers hidden reasoning and has a name of its own, its lanes differ
    /// in price, and its documents say what is free.
    itself: bool,
}

/// The lane without a price of its own.
const LANE: &str = "default";

impl OpenAi {
    /// OpenAI itself.
    pub const fn itself() -> Self {
        Self { itself: true }
    }

    /// Everybody else.
    pub const fn compatible() -> Self {
        Self { itself: false }
    }
}

/// What bounds an answer in a request.
#[derive(Deserialize)]
struct Bounds {
    max_completion_tokens: Option<u64>,
    max_tokens: Option<u64>,
    n: Option<u64>,
}

/// A request for vectors.
#[derive(Serialize)]
struct Wanted<'a> {
    model: &'a str,
    input: &'a [String],
    encoding_format: &'static str,
}

/// Calls of tools come in parts.
#[derive(Debug, Default)]
pub struct Parts {
    calls: BTreeMap<u64, ToolCall>,
}

impl Wire for OpenAi {
    type State = Parts;

    fn overheads(&self) -> &'static Overheads {
        &OPENAI
    }

    fn is_free(&self, status: u16) -> bool {
        // Some of the others look at a request only after they have begun to answer it.
        turned_away(status) && (self.itself || !matches!(status, 400 | 422))
    }

    fn write(&self, order: &Order<'_>) -> Result<Written, String> {
        let mut body = write::body(order)?;
        if self.itself {
            body.max_completion_tokens = Some(order.max_output);
            body.service_tier = Some(LANE);
        } else {
            body.max_tokens = Some(order.max_output);
        }
        let headers = vec![("idempotency-key", order.key.to_owned())];
        Written::new("/chat/completions", headers, &body)
    }

    fn bound_in(&self, body: &[u8]) -> Option<u64> {
        let bounds: Bounds = serde_json::from_slice(body).ok()?;
        let Bounds { max_completion_tokens, max_tokens, n } = bounds;
        let bound = if self.itself { max_completion_tokens } else { max_tokens };
        bound.filter(|_| n.is_none_or(|n| n == 1))
    }

    fn whole(&self, body: &[u8]) -> Result<Vec<Piece>, String> {
        read::whole(body)
    }

    fn event(&self, state: &mut Parts, data: &str) -> Result<Option<Vec<Piece>>, String> {
        read::event(state, data)
    }

    fn write_texts(&self, texts: &Texts<'_>) -> Result<Written, String> {
        let Texts { model, texts: input, key } = *texts;
        let headers = vec![("idempotency-key", key.to_owned())];
        Written::new("/embeddings", headers, &Wanted { model, input, encoding_format: "float" })
    }

    fn embedded(&self, body: &[u8]) -> Result<Embedded, String> {
        read::embedded(body)
    }
}
