//! How many tokens a request can be, proved without anybody's tokenizer.

use std::num::NonZeroU32;

use super::ask::{Ask, Part, Tool, ToolCall};
use super::spelling::{escaped, rewritten};
use crate::budget::ModelCall;

/// Texts of one request for embeddings: what providers accept.
pub const TEXTS_MAX: usize = 2048;

/// Bytes of three numbers with their names, and of the frame of a list: `"temperature":0.5`.
const SAMPLING_BYTES: u64 = 128;

/// What a wire format and its providers add to what the guest wrote, in tokens, at most.
///
/// Each number covers the bytes of the keys and marks that the adapter writes around what the guest
/// wrote. JSON of the guest's is sent as it was written and counted no shorter, so the whole bound
/// is never below the bytes of the request as it is sent, once the texts of its messages are
/// decoded: as a model is shown them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overheads {
    /// The frame of the request.
    pub request: u64,
    /// The frame of a message: role, separators, and the bytes that spell them on the wire.
    pub message: u64,
    /// The frame of a part: its kind, and the bytes that spell it.
    pub part: u64,
    /// What presents tools to the model, once.
    pub tools: u64,
    /// The frame of a tool.
    pub tool: u64,
    /// What presents the schema of the answer.
    pub schema: u64,
    /// A picture, whatever its size.
    pub image: u64,
}

/// For the wire format of OpenAI and of those that speak it.
///
/// A picture is what the dearest model documents at high detail: 2 833 tokens and 5 667 for each of
/// eight tiles, rounded up.
pub const OPENAI: Overheads = Overheads {
    request: 256,
    message: 96,
    part: 128,
    tools: 1024,
    tool: 192,
    schema: 512,
    image: 49_152,
};

/// For the wire format of Anthropic's messages.
///
/// Tools are presented in at most some 800 tokens of prose, as documented. A picture is scaled down
/// to what the largest documented size costs, 4 784 tokens; twice that is left for it.
pub const ANTHROPIC: Overheads = Overheads {
    request: 256,
    message: 96,
    part: 128,
    tools: 1024,
    tool: 192,
    schema: 1024,
    image: 9_568,
};

impl Ask {
    /// The bounds of one answer. What is not bounded by the guest's own text is bounded by `table`.
    pub fn bound(&self, table: &Overheads) -> ModelCall {
        let parts = self.messages.iter().map(|message| message.parts.len()).sum::<usize>();
        let counted = [
            (self.messages.len(), table.message),
            (parts, table.part),
            (usize::from(!self.tools.is_empty()), table.tools),
            (self.tools.len(), table.tool),
            (usize::from(self.schema.is_some()), table.schema),
            (self.images(), table.image),
            (usize::from(!self.sampling.is_default()), SAMPLING_BYTES),
            (self.sampling.stop.len(), table.part),
        ];
        let framed = counted.into_iter().fold(table.request, |sum, (count, each)| {
            sum.saturating_add(wide(count).saturating_mul(each))
        });
        ModelCall {
            input: framed.saturating_add(self.shown_bytes()),
            max_output: self.max_output.into(),
            choices: NonZeroU32::MIN,
            // Some providers cache by themselves and bill the writing.
            writes_cache: true,
        }
    }

    /// Bytes of everything the guest wrote, as a model may be shown it.
    fn shown_bytes(&self) -> u64 {
        let parts = self.messages.iter().flat_map(|message| &message.parts).map(part);
        let tools = self.tools.iter().map(tool);
        let schema = self.schema.as_deref().map_or(0, rewritten);
        let rest = escaped(&self.model).saturating_add(schema);
        let stop = self.sampling.stop.iter().map(|text| escaped(text));
        parts.chain(tools).chain(stop).fold(rest, u64::saturating_add)
    }
}

fn part(part: &Part) -> u64 {
    match part {
        Part::Text(text) => wide(text.len()),
        Part::Image(image) => wide(image.media_type.len()),
        Part::Call(ToolCall { id, name, arguments }) => {
            escaped(id).saturating_add(escaped(name)).saturating_add(rewritten(arguments))
        }
        Part::Answer { id, text } => escaped(id).saturating_add(wide(text.len())),
    }
}

fn tool(tool: &Tool) -> u64 {
    let Tool { name, description, parameters } = tool;
    escaped(name).saturating_add(escaped(description)).saturating_add(rewritten(parameters))
}

/// The bounds of a request for embeddings: it has no answer that is paid for.
pub fn embedding_bound(texts: &[String], table: &Overheads) -> ModelCall {
    let bytes = texts.iter().map(|text| wide(text.len()));
    let framed = table.request.saturating_add(wide(texts.len()).saturating_mul(table.part));
    ModelCall {
        input: bytes.fold(framed, u64::saturating_add),
        max_output: 0,
        choices: NonZeroU32::MIN,
        writes_cache: false,
    }
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
