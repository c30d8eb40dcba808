//! What is sent.

use envelope_rules::model::{Ask, Message, Part, Role, Tool, ToolCall, ToolChoice};
use serde_json::{Map, Value, json};

use super::ANSWER_TOOL;
use crate::model::openai::{encoded, number, parsed};
use crate::model::provider::{Images, Order};

/// The body of a request, without its bound. Every field stands here: nothing of the guest's is
/// passed on that this does not know.
pub(super) fn body(order: &Order<'_>) -> Result<Map<String, Value>, String> {
    let Ask { messages, tools, tool_choice, schema, settings, .. } = order.ask;
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(order.model));
    // The lane without a price of its own.
    body.insert("service_tier".to_owned(), json!("standard_only"));
    let system = messages.iter().filter(|it| it.role == Role::System).flat_map(|it| &it.parts);
    let system: Result<Vec<_>, _> = system.map(|part| block(part, order.images)).collect();
    let system = system?;
    if !system.is_empty() {
        body.insert("system".to_owned(), Value::Array(system));
    }
    let spoken = messages.iter().filter(|it| it.role != Role::System);
    let spoken: Result<Vec<_>, _> = spoken.map(|it| message(it, order.images)).collect();
    body.insert("messages".to_owned(), Value::Array(spoken?));
    let mut offered: Vec<_> = tools.iter().map(tool).collect::<Result<_, _>>()?;
    if let Some(schema) = schema {
        let what = "Give the answer by calling this.";
        let shape = parsed(schema)?;
        offered.push(json!({ "name": ANSWER_TOOL, "description": what, "input_schema": shape }));
    }
    if !offered.is_empty() {
        body.insert("tools".to_owned(), Value::Array(offered));
        body.insert("tool_choice".to_owned(), choice(*tool_choice, tools, schema.is_some()));
    }
    if let Some(temperature) = &settings.temperature {
        body.insert("temperature".to_owned(), Value::Number(number(temperature)?));
    }
    if let Some(top_p) = &settings.top_p {
        body.insert("top_p".to_owned(), Value::Number(number(top_p)?));
    }
    if !settings.stop.is_empty() {
        body.insert("stop_sequences".to_owned(), json!(settings.stop));
    }
    if order.streamed {
        body.insert("stream".to_owned(), json!(true));
    }
    Ok(body)
}

fn choice(choice: ToolChoice, tools: &[Tool], shaped: bool) -> Value {
    match (choice, shaped) {
        (_, true) if tools.is_empty() => json!({ "type": "tool", "name": ANSWER_TOOL }),
        (ToolChoice::Auto | ToolChoice::Required | ToolChoice::None, true)
        | (ToolChoice::Required, false) => json!({ "type": "any" }),
        (ToolChoice::Auto, false) => json!({ "type": "auto" }),
        (ToolChoice::None, false) => json!({ "type": "none" }),
    }
}

fn tool(tool: &Tool) -> Result<Value, String> {
    let Tool { name, description, parameters } = tool;
    if name == ANSWER_TOOL {
        return Err(format!("a tool is called `{ANSWER_TOOL}`: give it another name"));
    }
    let parameters = parsed(parameters)?;
    Ok(json!({ "name": name, "description": description, "input_schema": parameters }))
}

fn message(message: &Message, images: &Images) -> Result<Value, String> {
    let role = match message.role {
        Role::Assistant => "assistant",
        Role::System | Role::User | Role::Tool => "user",
    };
    let content: Result<Vec<_>, _> = message.parts.iter().map(|part| block(part, images)).collect();
    Ok(json!({ "role": role, "content": content? }))
}

fn block(part: &Part, images: &Images) -> Result<Value, String> {
    Ok(match part {
        Part::Text(text) => json!({ "type": "text", "text": text }),
        Part::Image(image) => {
            let (kind, data) = (&image.media_type, encoded(image, images)?);
            let source = json!({ "type": "base64", "media_type": kind, "data": data });
            json!({ "type": "image", "source": source })
        }
        Part::Call(ToolCall { id, name, arguments }) => {
            let input = parsed(arguments)?;
            json!({ "type": "tool_use", "id": id, "name": name, "input": input })
        }
        Part::Answer { id, text } => {
            json!({ "type": "tool_result", "tool_use_id": id, "content": text })
        }
    })
}
