//! What comes back.

use envelope_rules::budget::Billed;
use envelope_rules::model::ToolCall;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::Parts;
use crate::model::over_http::{report, words};
use crate::model::provider::{Embedded, Finish, Piece};

/// Calls of tools in one answer.
const CALLS_MAX: u64 = 128;

/// The marker after the last event.
const DONE: &str = "[DONE]";

/// An answer, whole or a piece of it: both have one shape here.
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow, default)]
    choices: Vec<Choice<'a>>,
    usage: Option<&'a RawValue>,
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    index: Option<u64>,
    #[serde(borrow, alias = "delta")]
    message: Option<Said<'a>>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Said<'a> {
    content: Option<String>,
    refusal: Option<String>,
    /// Thoughts, as some servers show them.
    #[serde(borrow, alias = "reasoning")]
    reasoning_content: Option<&'a RawValue>,
    tool_calls: Option<Vec<Called>>,
}

#[derive(Deserialize)]
struct Called {
    index: Option<u64>,
    id: Option<String>,
    function: Option<Function>,
}

#[derive(Deserialize)]
struct Function {
    name: Option<String>,
    arguments: Option<String>,
}

pub(super) fn whole(body: &[u8]) -> Result<Vec<Piece>, String> {
    let mut parts = Parts::default();
    let mut pieces = answer(&mut parts, body)?;
    if pieces.is_empty() {
        return Err("the provider's answer holds nothing".to_owned());
    }
    pieces.extend(calls(&mut parts));
    // The bill is for all of it.
    pieces.sort_by_key(|piece| matches!(piece, Piece::Billed(_)));
    // A whole answer has come to its end, whether it says why or not.
    if !pieces.iter().any(|piece| matches!(piece, Piece::Finish(_))) {
        pieces.push(Piece::Finish(Finish::Stop));
    }
    Ok(pieces)
}

pub(super) fn event(parts: &mut Parts, data: &str) -> Result<Option<Vec<Piece>>, String> {
    if data.trim() == DONE {
        return Ok(None);
    }
    answer(parts, data.as_bytes()).map(Some)
}

fn answer(parts: &mut Parts, body: &[u8]) -> Result<Vec<Piece>, String> {
    let said: Answer<'_> =
        serde_json::from_slice(body).map_err(|why| format!("an unknown answer: {why}"))?;
    if let Some(error) = said.error {
        return Err(format!("the provider failed on the way: {}", words(error.get().as_bytes())));
    }
    let mut pieces = Vec::new();
    let (asked, others): (Vec<_>, Vec<_>) =
        said.choices.into_iter().partition(|choice| choice.index.unwrap_or_default() == 0);
    if asked.len() > 1 || !others.is_empty() {
        pieces.push(Piece::Unasked("more than one answer"));
    }
    if let Some(choice) = asked.into_iter().next() {
        if let Some(message) = choice.message {
            spoken(parts, message, &mut pieces)?;
        }
        if let Some(reason) = choice.finish_reason {
            pieces.extend(calls(parts));
            pieces.push(Piece::Finish(finish(&reason)));
        }
    }
    pieces.extend(said.usage.and_then(report).as_ref().and_then(billed).map(Piece::Billed));
    Ok(pieces)
}

fn spoken(parts: &mut Parts, said: Said<'_>, pieces: &mut Vec<Piece>) -> Result<(), String> {
    let Said { content, refusal, reasoning_content, tool_calls } = said;
    let thought = |it: &RawValue| it.get().starts_with('"') && it.get() != "\"\"";
    if let Some(thought) = reasoning_content.filter(|it| thought(it)) {
        pieces.push(Piece::Hidden(thought.get().len().saturating_sub(2)));
    }
    pieces.extend(content.into_iter().chain(refusal).filter(|it| !it.is_empty()).map(Piece::Text));
    for (place, called) in (0..).zip(tool_calls.unwrap_or_default()) {
        let index = called.index.unwrap_or(place);
        if index >= CALLS_MAX {
            return Err("more calls of tools than an answer has".to_owned());
        }
        let empty =
            || ToolCall { id: String::new(), name: String::new(), arguments: String::new() };
        let call = parts.calls.entry(index).or_insert_with(empty);
        let before = call.id.len() + call.name.len() + call.arguments.len();
        call.id.push_str(called.id.as_deref().unwrap_or_default());
        if let Some(Function { name, arguments }) = called.function {
            call.name.push_str(name.as_deref().unwrap_or_default());
            call.arguments.push_str(arguments.as_deref().unwrap_or_default());
        }
        let now = call.id.len() + call.name.len() + call.arguments.len();
        pieces.push(Piece::Hidden(now.saturating_sub(before)));
    }
    Ok(())
}

/// The calls that are complete, in order.
fn calls(parts: &mut Parts) -> Vec<Piece> {
    std::mem::take(&mut parts.calls).into_values().map(Piece::Call).collect()
}

fn finish(reason: &str) -> Finish {
    match reason {
        "length" => Finish::Length,
        "tool_calls" | "function_call" => Finish::ToolCalls,
        "content_filter" => Finish::Refused,
        // `stop`, and what servers make up.
        _ => Finish::Stop,
    }
}

/// What it says it bills. Parts are taken off their wholes; a part that is larger than its whole is
/// a lie, and is counted beside it. Thoughts are a part of the answer to most, and stand beside it
/// for some: then the total is larger than what goes in and comes out, and all of it is counted.
fn billed(usage: &Value) -> Option<Billed> {
    let count = |name: &str| usage.get(name).and_then(Value::as_u64);
    let detail = |of: &str, name: &str| {
        usage.get(of).and_then(|details| details.get(name)).and_then(Value::as_u64)
    };
    let (input, output) = (count("prompt_tokens")?, count("completion_tokens")?);
    let cached = detail("prompt_tokens_details", "cached_tokens").unwrap_or_default();
    let thought = detail("completion_tokens_details", "reasoning_tokens").unwrap_or_default();
    let total = count("total_tokens").unwrap_or_default();
    let beside = total.saturating_sub(input.saturating_add(output));
    let shown = match beside {
        0 => output.checked_sub(thought).unwrap_or(output),
        more => output.saturating_add(more.saturating_sub(thought)),
    };
    Some(Billed {
        input: input.checked_sub(cached).unwrap_or(input),
        cache_read: cached,
        output: shown,
        reasoning: thought,
        ..Billed::default()
    })
}

#[derive(Deserialize)]
struct Vectors<'a> {
    data: Vec<Vector>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Vector {
    index: Option<usize>,
    embedding: Vec<f32>,
}

pub(super) fn embedded(body: &[u8]) -> Result<Embedded, String> {
    let read: Vectors<'_> =
        serde_json::from_slice(body).map_err(|why| format!("unknown vectors: {why}"))?;
    let mut placed: Vec<_> = (0..).zip(read.data).collect();
    placed.sort_by_key(|(place, vector)| vector.index.unwrap_or(*place));
    let vectors = placed.into_iter().map(|(_, vector)| vector.embedding).collect();
    let input = read.usage.and_then(report).and_then(|it| it.get("prompt_tokens")?.as_u64());
    Ok(Embedded { vectors, billed: input.map(|input| Billed { input, ..Billed::default() }) })
}
