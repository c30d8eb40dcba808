//! The wire format of Anthropic's messages.

mod read;
mod write;

use envelope_rules::budget::Billed;
use envelope_rules::model::{ANTHROPIC, Overheads, ToolCall};
use serde::Deserialize;

use super::over_http::{Wire, Written, turned_away};
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
    /// Whether it was told what the request counts for, and what the answer does.
    input: bool,
    output: bool,
    /// The call that is being written.
    call: Option<ToolCall>,
}

/// What bounds an answer in a request.
#[derive(Deserialize)]
struct Bounds {
    max_tokens: u64,
}

impl Wire for Anthropic {
    type State = Heard;

    fn overheads(&self) -> &'static Overheads {
        &ANTHROPIC
    }

    fn is_free(&self, status: u16) -> bool {
        turned_away(status)
    }

    fn write(&self, order: &Order<'_>) -> Result<Written, String> {
        let headers = vec![("anthropic-version", VERSION.to_owned())];
        Written::new("/messages", headers, &write::body(order)?)
    }

    fn bound_in(&self, body: &[u8]) -> Option<u64> {
        serde_json::from_slice(body).ok().map(|bounds: Bounds| bounds.max_tokens)
    }

    fn whole(&self, body: &[u8]) -> Result<Vec<Piece>, String> {
        read::whole(body)
    }

    fn event(&self, state: &mut Heard, data: &str) -> Result<Option<Vec<Piece>>, String> {
        read::event(state, data)
    }

    fn write_texts(&self, _: &Texts<'_>) -> Result<Written, String> {
        Err("this provider has no embeddings".to_owned())
    }

    fn embedded(&self, _: &[u8]) -> Result<Embedded, String> {
        Err("this provider has no embeddings".to_owned())
    }
}
