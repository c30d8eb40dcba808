//! What is sent.

use envelope_rules::model::{Ask, Image, Message, Part, Role, Sampling, Tool, ToolCall};
use serde::Serialize;
use serde_json::value::RawValue;

use super::ANSWER_TOOL;
use crate::model::openai::{encoded, raw};
use crate::model::provider::{Images, Order};

/// The body of a request. Every field stands here: nothing of the guest's is passed on that this
/// does not know.
#[derive(Serialize)]
pub(super) struct Body<'a> {
    model: &'a str,
    max_tokens: u64,
    service_tier: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    system: Vec<Block<'a>>,
    messages: Vec<Said<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Offered<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<Choice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    stop_sequences: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<bool>,
}

#[derive(Serialize)]
struct Said<'a> {
    role: &'static str,
    content: Vec<Block<'a>>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block<'a> {
    Text { text: &'a str },
    Image { source: Source<'a> },
    ToolUse { id: &'a str, name: &'a str, input: &'a RawValue },
    ToolResult { tool_use_id: &'a str, content: &'a str },
}

#[derive(Serialize)]
struct Source<'a> {
    r#type: &'static str,
    media_type: &'a str,
    data: String,
}

#[derive(Serialize)]
struct Offered<'a> {
    name: &'a str,
    description: &'a str,
    input_schema: &'a RawValue,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Choice {
    Auto,
    Any,
    Tool { name: &'static str },
}

/// The body of a request, with its bound.
pub(super) fn body<'a>(order: &Order<'a>) -> Result<Body<'a>, String> {
    let Ask { model: _, messages, tools, schema, max_output: _, sampling } = order.ask;
    let Sampling { temperature, top_p, stop, seed } = sampling;
    if seed.is_some() {
        return Err("this provider knows of no seeds: leave `seed` out".to_owned());
    }
    let system = messages.iter().filter(|it| it.role == Role::System).flat_map(|it| &it.parts);
    let spoken = messages.iter().filter(|it| it.role != Role::System);
    let mut offered: Vec<_> = tools.iter().map(tool).collect::<Result<_, _>>()?;
    if let Some(schema) = schema {
        let description = "Give the answer by calling this.";
        offered.push(Offered { name: ANSWER_TOOL, description, input_schema: raw(schema)? });
    }
    Ok(Body {
        model: order.model,
        max_tokens: order.max_output,
        // The lane without a price of its own.
        service_tier: "standard_only",
        system: system.map(|part| block(part, order.images)).collect::<Result<_, _>>()?,
        messages: spoken.map(|it| message(it, order.images)).collect::<Result<_, _>>()?,
        tool_choice: match (tools.is_empty(), schema.is_some()) {
            (true, false) => None,
            (true, true) => Some(Choice::Tool { name: ANSWER_TOOL }),
            (false, true) => Some(Choice::Any),
            (false, false) => Some(Choice::Auto),
        },
        temperature: temperature.as_deref().map(raw).transpose()?,
        top_p: top_p.as_deref().map(raw).transpose()?,
        stop_sequences: stop,
        tools: offered,
        stream: order.streamed.then_some(true),
    })
}

fn tool(tool: &Tool) -> Result<Offered<'_>, String> {
    let Tool { name, description, parameters } = tool;
    if name == ANSWER_TOOL {
        return Err(format!("a tool is called `{ANSWER_TOOL}`: give it another name"));
    }
    Ok(Offered { name, description, input_schema: raw(parameters)? })
}

fn message<'a>(message: &'a Message, images: &Images) -> Result<Said<'a>, String> {
    let role = match message.role {
        Role::Assistant => "assistant",
        Role::System | Role::User | Role::Tool => "user",
    };
    let content: Result<Vec<_>, _> = message.parts.iter().map(|part| block(part, images)).collect();
    Ok(Said { role, content: content? })
}

fn block<'a>(part: &'a Part, images: &Images) -> Result<Block<'a>, String> {
    Ok(match part {
        Part::Text(text) => Block::Text { text },
        Part::Image(image) => {
            let (Image { media_type, digest: _ }, data) = (image, encoded(image, images)?);
            Block::Image { source: Source { r#type: "base64", media_type, data } }
        }
        Part::Call(ToolCall { id, name, arguments }) => {
            Block::ToolUse { id, name, input: raw(arguments)? }
        }
        Part::Answer { id, text } => Block::ToolResult { tool_use_id: id, content: text },
    })
}
