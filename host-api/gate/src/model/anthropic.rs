//! The wire format of Anthropic's messages.

mod read;
mod write;

use envelope_rules::budget::Billed;
use envelope_rules::model::{ANTHROPIC, Overheads, ToolCall};
use serde_json::{Value, json};

use super::over_http::{Wire, Written};
use super::provider::{Embedded, Order, Piece, Texts};

/// The version of the interface that this speaks.
const VERSION: &str = "2023-06-01";

/// The tool whose arguments are an answer that has to have a shape: so it is asked for here.
const ANSWER_TOOL: &str = "answer";

/// A provider that speaks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anthropic;

/// What is known of a stream so far.
#[derive(Debug, Default)]
pub struct Heard {
    billed: Billed,
    /// The call that is being written.
    call: Option<ToolCall>,
}

impl Wire for Anthropic {
    type State = Heard;

    fn overheads(&self) -> &'static Overheads {
        &ANTHROPIC
    }

    fn write(&self, order: &Order<'_>) -> Result<Written, String> {
        let mut body = write::body(order)?;
        body.insert("max_tokens".to_owned(), json!(order.max_output));
        let headers = vec![("anthropic-version", VERSION.to_owned())];
        Ok(Written { path: "/messages", headers, body: Value::Object(body) })
    }

    fn bound_in(&self, body: &Value) -> Option<u64> {
        body.get("max_tokens").and_then(Value::as_u64)
    }

    fn whole(&self, body: &Value) -> Result<Vec<Piece>, String> {
        read::whole(body)
    }

    fn event(&self, state: &mut Heard, data: &str) -> Result<Option<Vec<Piece>>, String> {
        read::event(state, data)
    }

    fn write_texts(&self, _: &Texts<'_>) -> Result<Written, String> {
        Err("this provider has no embeddings".to_owned())
    }

    fn embedded(&self, _: &Value) -> Result<Embedded, String> {
        Err("this provider has no embeddings".to_owned())
    }
}
