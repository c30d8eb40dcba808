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
    input: &'a RawValue,
    instructions: Option<String>,
    max_output_tokens: Option<u32>,
    #[serde(borrow)]
    tools: Option<Vec<Offered<'a>>>,
    #[serde(rename = "tool_choice")]
    _tool_choice: Option<Choice>,
    parallel_tool_calls: Option<bool>,
    #[serde(borrow)]
    text: Option<Text<'a>>,
    #[serde(borrow)]
    temperature: Option<&'a RawValue>,
    #[serde(borrow)]
    top_p: Option<&'a RawValue>,
    store: Option<bool>,
    background: Option<bool>,
    truncation: Option<String>,
    include: Option<Vec<String>>,
    stream: Option<bool>,
    stream_options: Option<Reports>,
    #[serde(rename = "metadata")]
    _metadata: Hint,
    #[serde(rename = "user")]
    _user: Hint,
    #[serde(rename = "safety_identifier")]
    _safety_identifier: Hint,
    #[serde(rename = "prompt_cache_key")]
    _prompt_cache_key: Hint,
}

/// A message, a call of a tool, or what one gave.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Item<'a> {
    r#type: Option<Kind>,
    role: Option<Speaker>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    call_id: Option<String>,
    name: Option<String>,
    arguments: Option<String>,
    #[serde(borrow)]
    output: Option<&'a RawValue>,
    /// What an answer carried and its client gives back.
    #[serde(rename = "id")]
    _id: Hint,
    #[serde(rename = "status")]
    _status: Hint,
    #[serde(rename = "phase")]
    _phase: Hint,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Message,
    FunctionCall,
    FunctionCallOutput,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Speaker {
    System,
    Developer,
    User,
    Assistant,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Piece {
    r#type: PieceKind,
    text: Option<String>,
    refusal: Option<String>,
    image_url: Option<String>,
    #[serde(rename = "detail")]
    _detail: Hint,
    #[serde(rename = "annotations")]
    _annotations: Hint,
    #[serde(rename = "logprobs")]
    _logprobs: Hint,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum PieceKind {
    InputText,
    OutputText,
    Refusal,
    InputImage,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Offered<'a> {
    #[serde(rename = "type")]
    _kind: Function,
    name: String,
    description: Option<String>,
    #[serde(borrow)]
    parameters: Option<&'a RawValue>,
    #[serde(rename = "strict")]
    _strict: Hint,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text<'a> {
    #[serde(borrow)]
    format: Option<Format<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Format<'a> {
    r#type: Shape,
    #[serde(borrow)]
    schema: Option<&'a RawValue>,
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
    include_obfuscation: Option<bool>,
}

/// Reads a question. One that does not say whether it is stored is not.
pub(in crate::model::front) fn asked(json: &[u8]) -> Result<Asked, Unread> {
    let body: Body<'_> = document(json)?;
    only("store", body.store, &false)?;
    only("background", body.background, &false)?;
    only("truncation", body.truncation, &"disabled".to_owned())?;
    only("include", body.include, &Vec::new())?;
    only("parallel_tool_calls", body.parallel_tool_calls, &true)?;
    let obfuscation = body.stream_options.and_then(|options| options.include_obfuscation);
    only("stream_options.include_obfuscation", obfuscation, &false)?;
    let mut images = Images::new();
    let mut messages = Vec::new();
    let instructions = body.instructions.into_iter();
    messages.extend(instructions.map(|text| words(Role::System, text)));
    match content(body.input)? {
        Content::Words(text) => messages.push(words(Role::User, text)),
        Content::Parts(items) => {
            for item in items {
                add(item, &mut messages, &mut images)?;
            }
        }
    }
    let tools = body.tools.unwrap_or_default().into_iter();
    let tools = tools.map(|it| tool(it.name, it.description, it.parameters)).collect();
    let format = body.text.and_then(|text| text.format);
    let schema = format.map_or(Ok(None), |it| it.r#type.schema(it.schema, "text.format"))?;
    let max_output = body.max_output_tokens.unwrap_or(OUTPUT_DEFAULT);
    let model = Wire::Responses.full(body.model);
    let sampling = sampling(body.temperature, body.top_p, Vec::new(), None);
    let ask = Ask { model, messages, tools, schema, max_output, sampling };
    Ok(Asked { ask, images, streamed: body.stream.unwrap_or(false), reports: true })
}

fn words(role: Role, text: String) -> Message {
    Message { role, parts: vec![Part::Text(text)] }
}

/// Adds an item. Calls stand in the message of the assistant before them, and what they gave stands
/// together: so the other formats have it.
fn add(item: Item<'_>, to: &mut Vec<Message>, images: &mut Images) -> Result<(), Unread> {
    match item {
        Item {
            r#type: None | Some(Kind::Message),
            role: Some(role),
            content: Some(content),
            call_id: None,
            name: None,
            arguments: None,
            output: None,
            ..
        } => {
            let role = match role {
                Speaker::System | Speaker::Developer => Role::System,
                Speaker::User => Role::User,
                Speaker::Assistant => Role::Assistant,
            };
            to.push(Message { role, parts: pieces(content, images)? });
        }
        Item {
            r#type: Some(Kind::FunctionCall),
            role: None,
            content: None,
            call_id: Some(id),
            name: Some(name),
            arguments: Some(arguments),
            output: None,
            ..
        } => join(Role::Assistant, Part::Call(ToolCall { id, name, arguments }), to),
        Item {
            r#type: Some(Kind::FunctionCallOutput),
            role: None,
            content: None,
            call_id: Some(id),
            name: None,
            arguments: None,
            output: Some(output),
            ..
        } => {
            let text = text_of(&pieces(output, images)?)?;
            join(Role::Tool, Part::Answer { id, text }, to);
        }
        Item { .. } => return Err(Unread::Wrong("an item of `input` is not of its kind".into())),
    }
    Ok(())
}

fn join(role: Role, part: Part, to: &mut Vec<Message>) {
    match to.last_mut().filter(|last| last.role == role) {
        Some(last) => last.parts.push(part),
        None => to.push(Message { role, parts: vec![part] }),
    }
}

fn pieces(words: &RawValue, images: &mut Images) -> Result<Vec<Part>, Unread> {
    let pieces = match content(words)? {
        Content::Words(text) => return Ok(vec![Part::Text(text)]),
        Content::Parts(pieces) => pieces,
    };
    let part = |piece: Piece| {
        let Piece { r#type, text, refusal, image_url, .. } = piece;
        match (r#type, text, refusal, image_url) {
            (PieceKind::InputText | PieceKind::OutputText, Some(text), None, None)
            | (PieceKind::Refusal, None, Some(text), None) => Ok(Part::Text(text)),
            (PieceKind::InputImage, None, None, Some(url)) => inline(&url, images),
            _ => Err(Unread::Wrong("a part is not of its kind".to_owned())),
        }
    };
    pieces.into_iter().map(part).collect()
}
