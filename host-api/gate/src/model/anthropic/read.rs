//! What comes back.

use envelope_rules::budget::Billed;
use envelope_rules::model::ToolCall;
use serde::Deserialize;
use serde_json::Value;

use super::{ANSWER_TOOL, Heard};
use crate::model::provider::{Finish, Piece};

#[derive(Deserialize)]
struct Answer {
    content: Vec<Block>,
    stop_reason: Option<String>,
    usage: Option<Value>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block {
    Text {
        #[serde(default)]
        text: String,
    },
    ToolUse {
        id: String,
        name: String,
        #[serde(default)]
        input: Value,
    },
    /// Thoughts, and what later versions bring.
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    MessageStart {
        message: Started,
    },
    ContentBlockStart {
        content_block: Block,
    },
    ContentBlockDelta {
        delta: Delta,
    },
    ContentBlockStop,
    MessageDelta {
        delta: Option<Ending>,
        usage: Option<Value>,
    },
    MessageStop,
    Error {
        error: Value,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Started {
    usage: Option<Value>,
}

#[derive(Deserialize)]
struct Ending {
    stop_reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Delta {
    #[serde(rename = "text_delta")]
    Text { text: String },
    #[serde(rename = "input_json_delta")]
    Input { partial_json: String },
    #[serde(other)]
    Other,
}

pub(super) fn whole(body: &Value) -> Result<Vec<Piece>, String> {
    let answer = Answer::deserialize(body).map_err(|why| format!("an unknown answer: {why}"))?;
    let mut pieces: Vec<_> = answer.content.into_iter().map(block).collect();
    if let Some(usage) = &answer.usage {
        let mut billed = Billed::default();
        if hear(&mut billed, usage) {
            pieces.push(Piece::Billed(billed));
        }
        pieces.extend(unasked(usage));
    }
    pieces.push(Piece::Finish(finish(answer.stop_reason.as_deref())));
    Ok(pieces)
}

pub(super) fn event(heard: &mut Heard, data: &str) -> Result<Option<Vec<Piece>>, String> {
    let event: Event =
        serde_json::from_str(data).map_err(|why| format!("an unknown event: {why}"))?;
    let mut pieces = Vec::new();
    match event {
        Event::MessageStart { message } => {
            if let Some(usage) = message.usage {
                // What was written so far is told again at the end.
                hear(&mut heard.billed, &usage);
            }
        }
        Event::ContentBlockStart { content_block: Block::ToolUse { id, name, .. } } => {
            heard.call = Some(ToolCall { id, name, arguments: String::new() });
            pieces.push(Piece::Hidden);
        }
        Event::ContentBlockStart { content_block } => {
            let piece = block(content_block);
            // A block of words begins empty.
            pieces.extend(Some(piece).filter(|piece| *piece != Piece::Text(String::new())));
        }
        Event::ContentBlockDelta { delta } => pieces.push(delta_piece(heard, delta)),
        Event::ContentBlockStop => {
            pieces.extend(heard.call.take().map(|call| called(call.id, call.name, call.arguments)));
        }
        Event::MessageDelta { delta, usage } => {
            if let Some(usage) = usage {
                if hear(&mut heard.billed, &usage) {
                    pieces.push(Piece::Billed(heard.billed));
                }
                pieces.extend(unasked(&usage));
            }
            let reason = delta.and_then(|delta| delta.stop_reason);
            pieces.extend(reason.map(|reason| Piece::Finish(finish(Some(&reason)))));
        }
        Event::MessageStop => return Ok(None),
        Event::Error { error } => return Err(format!("the provider failed on the way: {error}")),
        Event::Other => {}
    }
    Ok(Some(pieces))
}

fn delta_piece(heard: &mut Heard, delta: Delta) -> Piece {
    match delta {
        Delta::Text { text } => Piece::Text(text),
        Delta::Input { partial_json } => {
            if let Some(call) = &mut heard.call {
                call.arguments.push_str(&partial_json);
            }
            Piece::Hidden
        }
        Delta::Other => Piece::Hidden,
    }
}

fn block(block: Block) -> Piece {
    match block {
        Block::Text { text } => Piece::Text(text),
        Block::ToolUse { id, name, input } => called(id, name, input.to_string()),
        Block::Other => Piece::Hidden,
    }
}

/// A call of a tool, or the answer that had to have a shape.
fn called(id: String, name: String, arguments: String) -> Piece {
    let arguments = if arguments.is_empty() { "{}".to_owned() } else { arguments };
    if name == ANSWER_TOOL {
        return Piece::Text(arguments);
    }
    Piece::Call(ToolCall { id, name, arguments })
}

fn finish(reason: Option<&str>) -> Finish {
    match reason {
        Some("max_tokens" | "model_context_window_exceeded") => Finish::Length,
        Some("tool_use") => Finish::ToolCalls,
        Some("refusal") => Finish::Refused,
        Some(_) | None => Finish::Stop,
    }
}

/// Takes what a report says. Reports on the way say parts of it; the last word holds. Whether it
/// spoke of the answer.
fn hear(billed: &mut Billed, usage: &Value) -> bool {
    let count = |name: &str| usage.get(name).and_then(Value::as_u64);
    let long = usage.get("cache_creation").and_then(|it| it.get("ephemeral_1h_input_tokens"));
    let long = long.and_then(Value::as_u64);
    if let Some(input) = count("input_tokens") {
        billed.input = input;
    }
    if let Some(read) = count("cache_read_input_tokens") {
        billed.cache_read = read;
    }
    if let Some(written) = count("cache_creation_input_tokens") {
        let long = long.unwrap_or_default();
        billed.cache_write = written.checked_sub(long).unwrap_or(written);
        billed.cache_write_long = long;
    }
    if let Some(output) = count("output_tokens") {
        billed.output = output;
        return true;
    }
    false
}

/// Searches of the provider's own, at a fee of their own. None was asked for.
fn unasked(usage: &Value) -> Option<Piece> {
    let used = usage.get("server_tool_use")?.as_object()?;
    let any = used.values().any(|count| count.as_u64().is_some_and(|count| count > 0));
    any.then_some(Piece::Unasked("tools of the provider's own"))
}
