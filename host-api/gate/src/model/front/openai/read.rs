//! What is asked.

use envelope_rules::model::{Ask, Message, Part, Role, ToolCall};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::front::read::{Content, Hint, Unread, content, document, inline, only, sampling};
use crate::model::front::vendor::{Choice, Function, Shape, text_of, tool};
use crate::model::front::{Asked, OUTPUT_DEFAULT, Wire};
use crate::model::provider::Images;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body<'a> {
    model: String,
    #[serde(borrow)]
    messages: Vec<Said<'a>>,
    max_completion_tokens: Option<u32>,
    max_tokens: Option<u32>,
    #[serde(borrow)]
    tools: Option<Vec<Offered<'a>>>,
    #[serde(rename = "tool_choice")]
    _tool_choice: Option<Choice>,
    parallel_tool_calls: Option<bool>,
    #[serde(borrow)]
    response_format: Option<Format<'a>>,
    n: Option<u32>,
    #[serde(borrow)]
    temperature: Option<&'a RawValue>,
    #[serde(borrow)]
    top_p: Option<&'a RawValue>,
    #[serde(borrow)]
    stop: Option<&'a RawValue>,
    seed: Option<u32>,
    store: Option<bool>,
    stream: Option<bool>,
    stream_options: Option<Reports>,
    #[serde(rename = "user")]
    _user: Hint,
    #[serde(rename = "safety_identifier")]
    _safety_identifier: Hint,
    #[serde(rename = "prompt_cache_key")]
    _prompt_cache_key: Hint,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said<'a> {
    role: Speaker,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    refusal: Option<String>,
    tool_calls: Option<Vec<Called>>,
    tool_call_id: Option<String>,
    /// What an answer carried and its client gives back.
    #[serde(rename = "annotations")]
    _annotations: Hint,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Speaker {
    System,
    Developer,
    User,
    Assistant,
    Tool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Piece {
    r#type: Kind,
    text: Option<String>,
    image_url: Option<Address>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Text,
    ImageUrl,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Address {
    url: String,
    #[serde(rename = "detail")]
    _detail: Hint,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Called {
    id: String,
    #[serde(rename = "type")]
    _kind: Option<Function>,
    function: Call,
    #[serde(rename = "index")]
    _index: Hint,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    name: String,
    arguments: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Offered<'a> {
    #[serde(rename = "type")]
    _kind: Function,
    #[serde(borrow)]
    function: Description<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Description<'a> {
    name: String,
    description: Option<String>,
    #[serde(borrow)]
    parameters: Option<&'a RawValue>,
    #[serde(rename = "strict")]
    _strict: Hint,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Format<'a> {
    r#type: Shape,
    #[serde(borrow)]
    json_schema: Option<Named<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named<'a> {
    #[serde(borrow)]
    schema: &'a RawValue,
    #[serde(rename = "name")]
    _name: Hint,
    #[serde(rename = "description")]
    _description: Hint,
    #[serde(rename = "strict")]
    _strict: Hint,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reports {
    include_usage: Option<bool>,
    include_obfuscation: Option<bool>,
}

/// Reads a question.
pub(in crate::model::front) fn asked(json: &[u8]) -> Result<Asked, Unread> {
    let body: Body<'_> = document(json)?;
    only("n", body.n, &1)?;
    only("store", body.store, &false)?;
    only("parallel_tool_calls", body.parallel_tool_calls, &true)?;
    let reports =
        body.stream_options.unwrap_or(Reports { include_usage: None, include_obfuscation: None });
    only("stream_options.include_obfuscation", reports.include_obfuscation, &false)?;
    let mut images = Images::new();
    let messages = body.messages.into_iter().map(|said| message(said, &mut images));
    let messages = messages.collect::<Result<_, _>>()?;
    let tools = body.tools.unwrap_or_default().into_iter().map(|offered| {
        let Description { name, description, parameters, .. } = offered.function;
        tool(name, description, parameters)
    });
    let tools = tools.collect();
    let schema = body.response_format.map_or(Ok(None), |format| {
        format.r#type.schema(format.json_schema.map(|named| named.schema), "response_format")
    })?;
    let max_output = body.max_completion_tokens.or(body.max_tokens).unwrap_or(OUTPUT_DEFAULT);
    let model = Wire::OpenAi.full(body.model);
    let stop = body.stop.map_or(Ok(Vec::new()), |stop| {
        Ok(match content(stop)? {
            Content::Words(text) => vec![text],
            Content::Parts(texts) => texts,
        })
    });
    let sampling = sampling(body.temperature, body.top_p, stop?, body.seed);
    let ask = Ask { model, messages, tools, schema, max_output, sampling };
    let streamed = body.stream.unwrap_or(false);
    Ok(Asked { ask, images, streamed, reports: reports.include_usage.unwrap_or(false) })
}

fn message(said: Said<'_>, images: &mut Images) -> Result<Message, Unread> {
    let Said { role, content: words, refusal, tool_calls, tool_call_id, _annotations } = said;
    let mut parts = words.map_or(Ok(Vec::new()), |words| pieces(words, images))?;
    parts.extend(refusal.map(Part::Text));
    let calls = tool_calls.unwrap_or_default().into_iter().map(|called| {
        let Called { id, function: Call { name, arguments }, .. } = called;
        Part::Call(ToolCall { id, name, arguments })
    });
    parts.extend(calls);
    let role = match role {
        Speaker::System | Speaker::Developer => Role::System,
        Speaker::User => Role::User,
        Speaker::Assistant => Role::Assistant,
        Speaker::Tool => {
            let id = tool_call_id.unwrap_or_default();
            parts = vec![Part::Answer { id, text: text_of(&parts)? }];
            Role::Tool
        }
    };
    Ok(Message { role, parts })
}

fn pieces(words: &RawValue, images: &mut Images) -> Result<Vec<Part>, Unread> {
    let pieces = match content(words)? {
        Content::Words(text) => return Ok(vec![Part::Text(text)]),
        Content::Parts(pieces) => pieces,
    };
    let part = |piece| match piece {
        Piece { r#type: Kind::Text, text: Some(text), image_url: None } => Ok(Part::Text(text)),
        Piece { r#type: Kind::ImageUrl, text: None, image_url: Some(address) } => {
            inline(&address.url, images)
        }
        Piece { .. } => Err(Unread::Wrong("a part is not of its kind".to_owned())),
    };
    pieces.into_iter().map(part).collect()
}
