//! What comes back.

use envelope_rules::model::ToolCall;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{ANSWER_TOOL, Heard};
use crate::model::over_http::{report, words};
use crate::model::provider::{Finish, Piece};

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    content: Vec<Block<'a>>,
    stop_reason: Option<String>,
    usage: Option<&'a RawValue>,
}

/// A block of any kind. Of those that are not known (thoughts, and what later versions bring) only
/// the kind is looked at.
#[derive(Deserialize)]
struct Block<'a> {
    r#type: String,
    text: Option<String>,
    thinking: Option<String>,
    id: Option<String>,
    name: Option<String>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
}

/// An event of any kind.
#[derive(Deserialize)]
struct Event<'a> {
    r#type: String,
    #[serde(borrow)]
    message: Option<Started<'a>>,
    content_block: Option<Block<'a>>,
    delta: Option<Delta>,
    usage: Option<&'a RawValue>,
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Started<'a> {
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Delta {
    r#type: Option<String>,
    text: Option<String>,
    thinking: Option<String>,
    partial_json: Option<String>,
    stop_reason: Option<String>,
}

pub(super) fn whole(body: &[u8]) -> Result<Vec<Piece>, String> {
    let answer: Answer<'_> =
        serde_json::from_slice(body).map_err(|why| format!("an unknown answer: {why}"))?;
    let mut pieces: Vec<_> = answer.content.into_iter().map(block).collect();
    pieces.extend(settled(&mut Heard::default(), answer.usage));
    pieces.push(Piece::Finish(finish(answer.stop_reason.as_deref())));
    Ok(pieces)
}

pub(super) fn event(heard: &mut Heard, data: &str) -> Result<Option<Vec<Piece>>, String> {
    let event: Event<'_> =
        serde_json::from_str(data).map_err(|why| format!("an unknown event: {why}"))?;
    let mut pieces = Vec::new();
    match event.r#type.as_str() {
        "message_start" => {
            if let Some(usage) = event.message.and_then(|it| it.usage).and_then(report) {
                hear(heard, &usage);
                // What was written so far is told again at the end.
                heard.output = false;
            }
        }
        "content_block_start" => pieces.extend(event.content_block.and_then(|it| begun(heard, it))),
        "content_block_delta" => pieces.extend(event.delta.and_then(|it| more(heard, it))),
        "content_block_stop" => {
            pieces.extend(heard.call.take().map(|call| called(call.id, call.name, call.arguments)));
        }
        "message_delta" => {
            pieces.extend(settled(heard, event.usage));
            let reason = event.delta.and_then(|delta| delta.stop_reason);
            pieces.extend(reason.map(|reason| Piece::Finish(finish(Some(&reason)))));
        }
        "message_stop" => return Ok(None),
        "error" => {
            let why = words(event.error.map_or("", RawValue::get).as_bytes());
            return Err(format!("the provider failed on the way: {why}"));
        }
        _ => {}
    }
    Ok(Some(pieces))
}

/// What a block shows when it begins. One of words begins empty.
fn begun(heard: &mut Heard, block: Block<'_>) -> Option<Piece> {
    match block.r#type.as_str() {
        "tool_use" => {
            let (id, name) = (block.id.unwrap_or_default(), block.name.unwrap_or_default());
            let bytes = id.len().saturating_add(name.len());
            heard.call = Some(ToolCall { id, name, arguments: String::new() });
            Some(Piece::Hidden(bytes))
        }
        "text" => block.text.filter(|text| !text.is_empty()).map(Piece::Text),
        _ => Some(Piece::Hidden(block.thinking.map_or(1, |it| it.len()))),
    }
}

fn more(heard: &mut Heard, delta: Delta) -> Option<Piece> {
    match delta.r#type.as_deref() {
        Some("text_delta") => delta.text.map(Piece::Text),
        Some("input_json_delta") => {
            let part = delta.partial_json.unwrap_or_default();
            if let Some(call) = &mut heard.call {
                call.arguments.push_str(&part);
            }
            // The first is empty: no token of anything.
            (!part.is_empty()).then_some(Piece::Hidden(part.len()))
        }
        Some(_) | None => Some(Piece::Hidden(delta.thinking.map_or(1, |it| it.len()))),
    }
}

fn block(block: Block<'_>) -> Piece {
    let Block { r#type, text, thinking, id, name, input } = block;
    match r#type.as_str() {
        "text" => Piece::Text(text.unwrap_or_default()),
        "tool_use" => {
            let input = input.map_or("", RawValue::get).to_owned();
            called(id.unwrap_or_default(), name.unwrap_or_default(), input)
        }
        _ => Piece::Hidden(thinking.map_or(1, |it| it.len())),
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

/// What the last report says: the bill, if by now everything was told that makes one up.
fn settled(heard: &mut Heard, usage: Option<&RawValue>) -> Vec<Piece> {
    let Some(usage) = usage.and_then(report) else { return Vec::new() };
    hear(heard, &usage);
    let told = (heard.input && heard.output).then_some(Piece::Billed(heard.billed));
    told.into_iter().chain(unasked(&usage)).collect()
}

/// Takes what a report says. Reports on the way say parts of it; the last word holds.
fn hear(heard: &mut Heard, usage: &Value) {
    let billed = &mut heard.billed;
    let count = |name: &str| usage.get(name).and_then(Value::as_u64);
    let long = usage.get("cache_creation").and_then(|it| it.get("ephemeral_1h_input_tokens"));
    let long = long.and_then(Value::as_u64);
    if let Some(input) = count("input_tokens") {
        (billed.input, heard.input) = (input, true);
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
        (billed.output, heard.output) = (output, true);
    }
}

/// Searches of the provider's own, at a fee of their own. None was asked for.
fn unasked(usage: &Value) -> Option<Piece> {
    let used = usage.get("server_tool_use")?.as_object()?;
    let any = used.values().any(|count| count.as_u64().is_some_and(|count| count > 0));
    any.then_some(Piece::Unasked("tools of the provider's own"))
}
