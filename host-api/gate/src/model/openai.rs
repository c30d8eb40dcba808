//! The wire format of OpenAI's chat completions and embeddings, which most providers and local
//! servers speak.

mod read;
mod write;

use std::collections::BTreeMap;

use envelope_rules::model::{OPENAI, Overheads, ToolCall};
use serde_json::{Value, json};

use super::over_http::{Wire, Written};
use super::provider::{Embedded, Order, Piece, Texts};
pub(super) use write::{encoded, number, parsed};

/// A provider that speaks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenAi {
    /// The field by which this provider bounds an answer. One that it does not honour would bound
    /// nothing.
    bound: &'static str,
    /// The lane that is asked for, where lanes have prices of their own.
    lane: Option<&'static str>,
}

const NEW_BOUND: &str = "max_completion_tokens";
const OLD_BOUND: &str = "max_tokens";

impl OpenAi {
    /// OpenAI itself: its bound covers hidden reasoning, and its lanes differ in price.
    pub const fn itself() -> Self {
        Self { bound: NEW_BOUND, lane: Some("default") }
    }

    /// Everybody else.
    pub const fn compatible() -> Self {
        Self { bound: OLD_BOUND, lane: None }
    }
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

    fn write(&self, order: &Order<'_>) -> Result<Written, String> {
        let mut body = write::body(order)?;
        body.insert(self.bound.to_owned(), json!(order.max_output));
        if let Some(lane) = self.lane {
            body.insert("service_tier".to_owned(), json!(lane));
        }
        let headers = vec![("idempotency-key", order.key.to_owned())];
        Ok(Written { path: "/chat/completions", headers, body: Value::Object(body) })
    }

    fn bound_in(&self, body: &Value) -> Option<u64> {
        let one = body.get("n").is_none_or(|n| *n == json!(1));
        body.get(self.bound).and_then(Value::as_u64).filter(|_| one)
    }

    fn whole(&self, body: &Value) -> Result<Vec<Piece>, String> {
        read::whole(body)
    }

    fn event(&self, state: &mut Parts, data: &str) -> Result<Option<Vec<Piece>>, String> {
        read::event(state, data)
    }

    fn write_texts(&self, texts: &Texts<'_>) -> Result<Written, String> {
        let body = json!({
            "model": texts.model, "input": texts.texts, "encoding_format": "float",
        });
        let headers = vec![("idempotency-key", texts.key.to_owned())];
        Ok(Written { path: "/embeddings", headers, body })
    }

    fn embedded(&self, body: &Value) -> Result<Embedded, String> {
        read::embedded(body)
    }
}
