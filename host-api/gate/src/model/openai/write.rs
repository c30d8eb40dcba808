//! What is sent.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envelope_rules::model::{Ask, Image, Message, Part, Role, Sampling, Tool, ToolCall};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::model::provider::{Images, Order};

/// The body of a request. Every field stands here: nothing of the guest's is passed on that this
/// does not know.
#[derive(Serialize)]
pub(super) struct Body<'a> {
    model: &'a str,
    messages: Vec<Said<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Offered<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<Shape<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    stop: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<Reports>,
    /// The bound of an answer, under the name that the provider honours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_completion_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) service_tier: Option<&'static str>,
}

#[derive(Serialize)]
struct Reports {
    include_usage: bool,
}

#[derive(Default, Serialize)]
struct Said<'a> {
    role: &'static str,
    content: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Called<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Content<'a> {
    Text(&'a str),
    Parts(Vec<Piece<'a>>),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Piece<'a> {
    Text { text: &'a str },
    ImageUrl { image_url: Address },
}

#[derive(Serialize)]
struct Address {
    url: String,
}

#[derive(Serialize)]
struct Called<'a> {
    id: &'a str,
    r#type: &'static str,
    function: Call<'a>,
}

#[derive(Serialize)]
struct Call<'a> {
    name: &'a str,
    arguments: &'a str,
}

#[derive(Serialize)]
struct Offered<'a> {
    r#type: &'static str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    description: &'a str,
    parameters: &'a RawValue,
}

#[derive(Serialize)]
struct Shape<'a> {
    r#type: &'static str,
    json_schema: Schema<'a>,
}

#[derive(Serialize)]
struct Schema<'a> {
    name: &'static str,
    schema: &'a RawValue,
    strict: bool,
}

/// The body of a request, without its bound.
pub(super) fn body<'a>(order: &Order<'a>) -> Result<Body<'a>, String> {
    let Ask { model: _, messages, tools, schema, max_output: _, sampling } = order.ask;
    let Sampling { temperature, top_p, stop, seed } = sampling;
    let mut said = Vec::new();
    for message in messages {
        say(message, order.images, &mut said)?;
    }
    let streamed = order.streamed.then_some(true);
    Ok(Body {
        model: order.model,
        messages: said,
        tools: tools.iter().map(offered).collect::<Result<_, _>>()?,
        tool_choice: (!tools.is_empty()).then_some("auto"),
        response_format: schema.as_deref().map(shape).transpose()?,
        temperature: temperature.as_deref().map(raw).transpose()?,
        top_p: top_p.as_deref().map(raw).transpose()?,
        stop,
        seed: *seed,
        stream: streamed,
        stream_options: streamed.map(|include_usage| Reports { include_usage }),
        max_completion_tokens: None,
        max_tokens: None,
        service_tier: None,
    })
}

/// JSON of the guest's, passed on as it was written: so what is sent is what was counted.
pub(in crate::model) fn raw(text: &str) -> Result<&RawValue, String> {
    serde_json::from_str(text).map_err(|why| why.to_string())
}

/// The picture in base64.
pub(in crate::model) fn encoded(image: &Image, images: &Images) -> Result<String, String> {
    let bytes = images.get(&image.digest);
    let bytes = bytes.ok_or_else(|| format!("the picture {} is not at hand", image.digest))?;
    Ok(STANDARD.encode(bytes))
}

fn offered(tool: &Tool) -> Result<Offered<'_>, String> {
    let Tool { name, description, parameters } = tool;
    let function = Function { name, description, parameters: raw(parameters)? };
    Ok(Offered { r#type: "function", function })
}

/// Whether a schema is of the kind that can be held strictly: closed.
#[derive(Deserialize)]
struct Closed {
    #[serde(rename = "additionalProperties")]
    others: bool,
}

fn shape(text: &str) -> Result<Shape<'_>, String> {
    let schema = raw(text)?;
    let strict = serde_json::from_str(text).is_ok_and(|closed: Closed| !closed.others);
    let json_schema = Schema { name: "answer", schema, strict };
    Ok(Shape { r#type: "json_schema", json_schema })
}

/// Answers of tools are messages of their own here.
fn say<'a>(message: &'a Message, images: &Images, said: &mut Vec<Said<'a>>) -> Result<(), String> {
    let (mut content, mut tool_calls) = (Vec::new(), Vec::new());
    for part in &message.parts {
        match part {
            Part::Text(text) => content.push(Piece::Text { text }),
            Part::Image(image) => {
                let (kind, data) = (&image.media_type, encoded(image, images)?);
                let url = format!("data:{kind};base64,{data}");
                content.push(Piece::ImageUrl { image_url: Address { url } });
            }
            Part::Call(ToolCall { id, name, arguments }) => {
                let function = Call { name, arguments };
                tool_calls.push(Called { id, r#type: "function", function });
            }
            Part::Answer { id, text } => {
                let content = Some(Content::Text(text));
                let tool_call_id = Some(id.as_str());
                said.push(Said { role: "tool", content, tool_call_id, ..Said::default() });
            }
        }
    }
    if content.is_empty() && tool_calls.is_empty() {
        return Ok(());
    }
    let role = match message.role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
        // It holds answers alone, and they stand above.
        Role::Tool => return Ok(()),
    };
    let content = match content.as_slice() {
        [] => None,
        [Piece::Text { text }] => Some(Content::Text(text)),
        [..] => Some(Content::Parts(content)),
    };
    said.push(Said { role, content, tool_calls, tool_call_id: None });
    Ok(())
}
