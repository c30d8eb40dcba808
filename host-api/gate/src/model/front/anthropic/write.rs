//! What is answered.

use bytes::BytesMut;
use envelope_rules::model::{Part, ToolCall};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::model::front::read::event;
use crate::model::front::{Mark, beside_reply};
use crate::model::outcome::{Chunk, Reply, Usage};
use crate::model::provider::Finish;

/// A whole answer.
pub(in crate::model::front) fn whole(reply: &Reply, mark: &Mark) -> Value {
    let content: Vec<_> = reply.parts.iter().filter_map(block).collect();
    let mut message = message(&reply.model, mark, &content);
    if let Some(message) = message.as_object_mut() {
        message.insert("stop_reason".to_owned(), finish(reply.finish).into());
        message.insert("usage".to_owned(), usage(&reply.usage));
        message.insert("envelope".to_owned(), beside_reply(reply));
    }
    message
}

/// The models of a run.
pub(in crate::model::front) fn list(names: &[&str]) -> Value {
    let model = |name: &&str| {
        let created = "1970-01-01T00:00:00Z";
        json!({ "type": "model", "id": name, "display_name": name, "created_at": created })
    };
    json!({
        "data": names.iter().map(model).collect::<Vec<_>>(),
        "has_more": false,
        "first_id": names.first(),
        "last_id": names.last(),
    })
}

/// An answer in pieces.
#[derive(Debug)]
pub(in crate::model::front) struct Stream {
    model: String,
    /// How many blocks are closed.
    blocks: u64,
    /// Whether one of words is open.
    open: bool,
}

impl Stream {
    pub(in crate::model::front) const fn new(model: String) -> Self {
        Self { model, blocks: 0, open: false }
    }

    /// Before anything came.
    pub(in crate::model::front) fn begin(&self, mark: &Mark, to: &mut BytesMut) {
        let message = message(&self.model, mark, &[]);
        event(Some("message_start"), &json!({ "type": "message_start", "message": message }), to);
    }

    pub(in crate::model::front) fn say(&mut self, chunk: &Chunk, to: &mut BytesMut) {
        match chunk {
            Chunk::Text(text) => {
                if !std::mem::replace(&mut self.open, true) {
                    self.start(&json!({ "type": "text", "text": "" }), to);
                }
                self.delta(&json!({ "type": "text_delta", "text": text }), to);
            }
            Chunk::Call(ToolCall { id, name, arguments }) => {
                self.close(to);
                let call = json!({ "type": "tool_use", "id": id, "name": name, "input": {} });
                self.start(&call, to);
                self.delta(&json!({ "type": "input_json_delta", "partial_json": arguments }), to);
                self.open = true;
                self.close(to);
            }
            Chunk::Done(reply) => {
                self.close(to);
                let stop = finish(reply.finish);
                let end = json!({
                    "type": "message_delta",
                    "delta": { "stop_reason": stop, "stop_sequence": Value::Null },
                    "usage": usage(&reply.usage),
                    "envelope": beside_reply(reply),
                });
                event(Some("message_delta"), &end, to);
                event(Some("message_stop"), &json!({ "type": "message_stop" }), to);
            }
            Chunk::End | Chunk::Failed { .. } => {}
        }
    }

    fn start(&self, block: &Value, to: &mut BytesMut) {
        let name = "content_block_start";
        let data = json!({ "type": name, "index": self.blocks, "content_block": block });
        event(Some(name), &data, to);
    }

    fn delta(&self, delta: &Value, to: &mut BytesMut) {
        let name = "content_block_delta";
        event(Some(name), &json!({ "type": name, "index": self.blocks, "delta": delta }), to);
    }

    fn close(&mut self, to: &mut BytesMut) {
        if std::mem::replace(&mut self.open, false) {
            let name = "content_block_stop";
            event(Some(name), &json!({ "type": name, "index": self.blocks }), to);
            self.blocks = self.blocks.saturating_add(1);
        }
    }
}

fn message(model: &str, mark: &Mark, content: &[Value]) -> Value {
    json!({
        "id": format!("msg_{}", mark.number),
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": Value::Null,
        "stop_sequence": Value::Null,
        "usage": usage(&Usage::default()),
    })
}

fn block(part: &Part) -> Option<Value> {
    match part {
        Part::Text(text) => Some(json!({ "type": "text", "text": text })),
        Part::Call(ToolCall { id, name, arguments }) => {
            let input = serde_json::from_str::<&RawValue>(arguments);
            let input = input.map_or_else(|_| json!({}), |input| json!(input));
            Some(json!({ "type": "tool_use", "id": id, "name": name, "input": input }))
        }
        Part::Image(_) | Part::Answer { .. } => None,
    }
}

const fn finish(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "end_turn",
        Finish::Length | Finish::Cut => "max_tokens",
        Finish::ToolCalls => "tool_use",
        Finish::Refused => "refusal",
    }
}

fn usage(usage: &Usage) -> Value {
    json!({ "input_tokens": usage.input, "output_tokens": usage.output })
}
