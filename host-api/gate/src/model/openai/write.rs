//! What is sent.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envelope_rules::model::{Ask, Image, Message, Part, Role, Tool, ToolCall, ToolChoice};
use serde_json::{Map, Number, Value, json};

use crate::model::provider::{Images, Order};

/// The body of a request, without its bound. Every field stands here: nothing of the guest's is
/// passed on that this does not know.
pub(super) fn body(order: &Order<'_>) -> Result<Map<String, Value>, String> {
    let Ask { messages, tools, tool_choice, schema, settings, .. } = order.ask;
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(order.model));
    let mut sent = Vec::new();
    for message in messages {
        write_message(message, order.images, &mut sent)?;
    }
    body.insert("messages".to_owned(), Value::Array(sent));
    if !tools.is_empty() {
        let tools: Result<Vec<_>, _> = tools.iter().map(tool).collect();
        body.insert("tools".to_owned(), Value::Array(tools?));
        body.insert("tool_choice".to_owned(), json!(choice(*tool_choice)));
    }
    if let Some(schema) = schema {
        body.insert("response_format".to_owned(), response_format(schema)?);
    }
    if let Some(temperature) = &settings.temperature {
        body.insert("temperature".to_owned(), Value::Number(number(temperature)?));
    }
    if let Some(top_p) = &settings.top_p {
        body.insert("top_p".to_owned(), Value::Number(number(top_p)?));
    }
    if !settings.stop.is_empty() {
        body.insert("stop".to_owned(), json!(settings.stop));
    }
    if order.streamed {
        body.insert("stream".to_owned(), json!(true));
        body.insert("stream_options".to_owned(), json!({ "include_usage": true }));
    }
    Ok(body)
}

/// A decimal, passed on as it was written.
pub(in crate::model) fn number(text: &str) -> Result<Number, String> {
    serde_json::from_str(text).map_err(|_| format!("`{text}` is not a number"))
}

/// JSON of the guest's, which was looked at before.
pub(in crate::model) fn parsed(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|why| why.to_string())
}

/// The picture in base64.
pub(in crate::model) fn encoded(image: &Image, images: &Images) -> Result<String, String> {
    let bytes = images.get(&image.digest);
    let bytes = bytes.ok_or_else(|| format!("the picture {} is not at hand", image.digest))?;
    Ok(STANDARD.encode(bytes))
}

const fn choice(choice: ToolChoice) -> &'static str {
    match choice {
        ToolChoice::Auto => "auto",
        ToolChoice::None => "none",
        ToolChoice::Required => "required",
    }
}

fn tool(tool: &Tool) -> Result<Value, String> {
    let Tool { name, description, parameters } = tool;
    let parameters = parsed(parameters)?;
    Ok(json!({
        "type": "function",
        "function": { "name": name, "description": description, "parameters": parameters },
    }))
}

/// Strict where the schema is of the kind that can be held strictly: closed.
fn response_format(schema: &str) -> Result<Value, String> {
    let schema = parsed(schema)?;
    let strict = schema.get("additionalProperties") == Some(&Value::Bool(false));
    Ok(json!({
        "type": "json_schema",
        "json_schema": { "name": "answer", "schema": schema, "strict": strict },
    }))
}

/// Answers of tools are messages of their own here.
fn write_message(message: &Message, images: &Images, sent: &mut Vec<Value>) -> Result<(), String> {
    let (mut content, mut calls) = (Vec::new(), Vec::new());
    for part in &message.parts {
        match part {
            Part::Text(text) => content.push(json!({ "type": "text", "text": text })),
            Part::Image(image) if message.role == Role::User => {
                let (kind, data) = (&image.media_type, encoded(image, images)?);
                let url = format!("data:{kind};base64,{data}");
                content.push(json!({ "type": "image_url", "image_url": { "url": url } }));
            }
            Part::Image(_) => return Err("a picture stands in a message of the user".to_owned()),
            Part::Call(ToolCall { id, name, arguments }) => calls.push(json!({
                "id": id,
                "type": "function",
                "function": { "name": name, "arguments": arguments },
            })),
            Part::Answer { id, text } => {
                sent.push(json!({ "role": "tool", "tool_call_id": id, "content": text }));
            }
        }
    }
    let role = match message.role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool => {
            let alone = content.is_empty() && calls.is_empty();
            let what = "a message of a tool holds answers alone".to_owned();
            return if alone { Ok(()) } else { Err(what) };
        }
    };
    if !calls.is_empty() && message.role != Role::Assistant {
        return Err("a call of a tool stands in a message of the assistant".to_owned());
    }
    if content.is_empty() && calls.is_empty() {
        return Ok(());
    }
    let content = match content.as_slice() {
        [] => Value::Null,
        [one] if one.get("text").is_some() => one.get("text").cloned().unwrap_or_default(),
        [..] => Value::Array(content),
    };
    let mut written = json!({ "role": role, "content": content });
    if let (Value::Object(written), false) = (&mut written, calls.is_empty()) {
        written.insert("tool_calls".to_owned(), Value::Array(calls));
    }
    sent.push(written);
    Ok(())
}
