//! What is asked.

use envelope_rules::model::{Ask, Message, Part, Role, Tool, ToolCall};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::front::read::{
    Content, Hint, Unread, content, document, only, picture, sampling,
};
use crate::model::front::{Asked, Wire};
use crate::model::provider::Images;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body<'a> {
    model: String,
    max_tokens: u32,
    #[serde(borrow)]
    messages: Vec<Said<'a>>,
    #[serde(borrow)]
    system: Option<&'a RawValue>,
    #[serde(borrow)]
    tools: Option<Vec<Offered<'a>>>,
    tool_choice: Option<Choice>,
    #[serde(borrow)]
    temperature: Option<&'a RawValue>,
    #[serde(borrow)]
    top_p: Option<&'a RawValue>,
    stop_sequences: Option<Vec<String>>,
    stream: Option<bool>,
    #[serde(rename = "thinking")]
    _thinking: Option<Thinking>,
    #[serde(rename = "service_tier")]
    _service_tier: Option<Tier>,
    #[serde(rename = "metadata")]
    _metadata: Hint,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said<'a> {
    role: Speaker,
    #[serde(borrow)]
    content: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Speaker {
    User,
    Assistant,
}

/// A block of any kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Block<'a> {
    r#type: Kind,
    text: Option<String>,
    source: Option<Source>,
    id: Option<String>,
    name: Option<String>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    tool_use_id: Option<String>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(rename = "is_error")]
    _is_error: Hint,
    #[serde(rename = "cache_control")]
    _cache_control: Hint,
    #[serde(rename = "citations")]
    _citations: Hint,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Text,
    Image,
    ToolUse,
    ToolResult,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    #[serde(rename = "type")]
    _kind: Base64,
    media_type: String,
    data: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Base64 {
    Base64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Offered<'a> {
    name: String,
    description: Option<String>,
    #[serde(borrow)]
    input_schema: &'a RawValue,
    #[serde(rename = "type")]
    _kind: Option<Custom>,
    #[serde(rename = "cache_control")]
    _cache_control: Hint,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Custom {
    Custom,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Choice {
    #[serde(rename = "type")]
    _kind: Auto,
    disable_parallel_tool_use: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Auto {
    Auto,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Thinking {
    #[serde(rename = "type")]
    _kind: Disabled,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Disabled {
    Disabled,
}

/// The lanes without a price of their own: the standard one is asked for in any case.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Tier {
    Auto,
    StandardOnly,
}

/// Reads a question.
pub(in crate::model::front) fn asked(json: &[u8]) -> Result<Asked, Unread> {
    let body: Body<'_> = document(json)?;
    let parallel = body.tool_choice.and_then(|choice| choice.disable_parallel_tool_use);
    only("tool_choice.disable_parallel_tool_use", parallel, &false)?;
    let mut images = Images::new();
    let mut messages = Vec::new();
    if let Some(system) = body.system {
        messages.push(Message { role: Role::System, parts: parts(system, &mut images)? });
    }
    for said in body.messages {
        let role = match said.role {
            Speaker::User => Role::User,
            Speaker::Assistant => Role::Assistant,
        };
        messages.push(Message { role, parts: parts(said.content, &mut images)? });
    }
    let tools = body.tools.unwrap_or_default().into_iter().map(tool).collect();
    let (model, max_output) = (Wire::Anthropic.full(body.model), body.max_tokens);
    let stop = body.stop_sequences.unwrap_or_default();
    let sampling = sampling(body.temperature, body.top_p, stop, None);
    let ask = Ask { model, messages, tools, schema: None, max_output, sampling };
    Ok(Asked { ask, images, streamed: body.stream.unwrap_or(false), reports: true })
}

fn parts(words: &RawValue, images: &mut Images) -> Result<Vec<Part>, Unread> {
    match content::<Block<'_>>(words)? {
        Content::Words(text) => Ok(vec![Part::Text(text)]),
        Content::Parts(blocks) => blocks.into_iter().map(|it| part(it, images)).collect(),
    }
}

fn part(block: Block<'_>, images: &mut Images) -> Result<Part, Unread> {
    let lacks = |what: &str| Unread::Wrong(format!("a block has no `{what}`"));
    match block.r#type {
        Kind::Text => block.text.map(Part::Text).ok_or_else(|| lacks("text")),
        Kind::Image => {
            let Source { media_type, data, .. } = block.source.ok_or_else(|| lacks("source"))?;
            picture(&media_type, &data, images)
        }
        Kind::ToolUse => {
            let id = block.id.ok_or_else(|| lacks("id"))?;
            let name = block.name.ok_or_else(|| lacks("name"))?;
            let arguments = block.input.ok_or_else(|| lacks("input"))?.get().to_owned();
            Ok(Part::Call(ToolCall { id, name, arguments }))
        }
        Kind::ToolResult => {
            let id = block.tool_use_id.ok_or_else(|| lacks("tool_use_id"))?;
            let parts = block.content.map_or(Ok(Vec::new()), |words| parts(words, images))?;
            let text = parts.into_iter().map(|part| match part {
                Part::Text(text) => Ok(text),
                Part::Image(_) | Part::Call(_) | Part::Answer { .. } => {
                    Err(Unread::Wrong("the answer of a tool is text".to_owned()))
                }
            });
            Ok(Part::Answer { id, text: text.collect::<Result<_, _>>()? })
        }
    }
}

fn tool(offered: Offered<'_>) -> Tool {
    let Offered { name, description, input_schema, .. } = offered;
    let parameters = input_schema.get().to_owned();
    Tool { name, description: description.unwrap_or_default(), parameters }
}
