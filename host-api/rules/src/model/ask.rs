//! The request, whatever wire format it will take.

use envelope_evidence::Digest;
use serde::{Deserialize, Serialize};

use super::sampling::Sampling;

/// Messages of one request: a long conversation.
pub const MESSAGES_MAX: usize = 4096;

/// Parts of one message.
pub const PARTS_MAX: usize = 256;

/// Tools of one request: what providers accept.
pub const TOOLS_MAX: usize = 128;

/// Bytes of all text of a request: above every context window sold.
pub const TEXT_BYTES_MAX: u64 = 8 << 20;

/// Characters of a tool's name: what providers accept.
const TOOL_NAME_CHARS_MAX: usize = 64;

/// A request for an answer. Its digest is what a journal compares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// The model, by its name in the operator's price book.
    pub model: String,
    /// The conversation so far.
    pub messages: Vec<Message>,
    /// What the model may ask the guest to do.
    pub tools: Vec<Tool>,
    /// The JSON Schema of the answer, as it was written.
    pub schema: Option<String>,
    /// The longest answer, in tokens.
    pub max_output: u32,
    /// How its words are drawn.
    #[serde(default, skip_serializing_if = "Sampling::is_default")]
    pub sampling: Sampling,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Whose it is.
    pub role: Role,
    /// What it says.
    pub parts: Vec<Part>,
}

/// Whose message it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The author of the agent.
    System,
    /// Whoever uses it.
    User,
    /// The model.
    Assistant,
    /// The answer of a tool.
    Tool,
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Words.
    Text(String),
    /// A picture of the workspace.
    Image(Image),
    /// A call of a tool that the model asked for.
    Call(ToolCall),
    /// What the call with the id gave.
    Answer {
        /// The id of the call.
        id: String,
        /// What it gave.
        text: String,
    },
}

/// A picture: its content is a blob, known here by its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// `image/png` or another that models read.
    pub media_type: String,
    /// Its content.
    pub digest: Digest,
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The provider's name for it.
    pub id: String,
    /// Which tool.
    pub name: String,
    /// A JSON object, as it was written.
    pub arguments: String,
}

/// A tool of the guest's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: String,
    /// The JSON Schema of its arguments, as it was written.
    pub parameters: String,
}

/// A request that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAsk {
    /// Nothing is asked.
    #[error("a request has at least one message")]
    NoMessage,
    /// More than fits.
    #[error("{found} {what}: at most {max}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many fit.
        max: usize,
    },
    /// More text than any model reads.
    #[error("{0} bytes of text: at most {TEXT_BYTES_MAX}")]
    TooLong(u64),
    /// An answer of no tokens is read as one without a bound by some.
    #[error("an answer has at least one token: set `max-output`")]
    NoOutput,
    /// Not the JSON it should be.
    #[error("{0} is not a JSON object")]
    NotObject(&'static str),
    /// A name no provider takes.
    #[error("the name of a tool has 1 to {TOOL_NAME_CHARS_MAX} letters, digits, `_` and `-`")]
    ToolName,
    /// A number that providers do not take.
    #[error("`{0}` is not a number that models are drawn with")]
    Sampling(&'static str),
    /// Nothing ends with nothing.
    #[error("a text that ends an answer has at least one letter")]
    EmptyStop,
    /// A picture that is none.
    #[error("`{0}` is not a kind of picture that models read: use PNG, JPEG, GIF or WebP")]
    MediaType(String),
    /// A part in a message of somebody who cannot say it.
    #[error("a message of the {} holds no {what}", role.name())]
    Place {
        /// Whose message it is.
        role: Role,
        /// What stands in it.
        what: &'static str,
    },
}

impl Ask {
    /// Whether it makes sense. What does not is never priced.
    pub fn check(&self) -> Result<(), BadAsk> {
        if self.messages.is_empty() {
            return Err(BadAsk::NoMessage);
        }
        if self.max_output == 0 {
            return Err(BadAsk::NoOutput);
        }
        check_count("messages", self.messages.len(), MESSAGES_MAX)?;
        check_count("tools", self.tools.len(), TOOLS_MAX)?;
        self.sampling.check()?;
        let bytes = self.text_bytes();
        if bytes > TEXT_BYTES_MAX {
            return Err(BadAsk::TooLong(bytes));
        }
        self.messages.iter().try_for_each(check_message)?;
        self.tools.iter().try_for_each(check_tool)?;
        self.schema.as_deref().map_or(Ok(()), |schema| check_object("the schema", schema))
    }

    /// How many pictures there are.
    pub fn images(&self) -> usize {
        let parts = self.messages.iter().flat_map(|message| &message.parts);
        parts.filter(|part| matches!(part, Part::Image(_))).count()
    }

    /// The UTF-8 bytes of everything the guest wrote.
    pub fn text_bytes(&self) -> u64 {
        let parts = self.messages.iter().flat_map(|message| &message.parts).map(Part::text_bytes);
        let tools = self.tools.iter().map(Tool::text_bytes);
        let rest = len(&self.model).saturating_add(self.schema.as_deref().map_or(0, len));
        let stop = self.sampling.stop.iter().map(|text| len(text));
        parts.chain(tools).chain(stop).fold(rest, u64::saturating_add)
    }
}

impl Role {
    const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
        }
    }
}

impl Part {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "words",
            Self::Image(_) => "picture",
            Self::Call(_) => "call of a tool",
            Self::Answer { .. } => "answer of a tool",
        }
    }

    fn text_bytes(&self) -> u64 {
        match self {
            Self::Text(text) => len(text),
            Self::Image(image) => len(&image.media_type),
            Self::Call(ToolCall { id, name, arguments }) => {
                len(id).saturating_add(len(name)).saturating_add(len(arguments))
            }
            Self::Answer { id, text } => len(id).saturating_add(len(text)),
        }
    }
}

impl Tool {
    fn text_bytes(&self) -> u64 {
        let Self { name, description, parameters } = self;
        len(name).saturating_add(len(description)).saturating_add(len(parameters))
    }
}

fn check_count(what: &'static str, found: usize, max: usize) -> Result<(), BadAsk> {
    if found > max { Err(BadAsk::TooMany { what, found, max }) } else { Ok(()) }
}

fn check_message(message: &Message) -> Result<(), BadAsk> {
    check_count("parts of a message", message.parts.len(), PARTS_MAX)?;
    message.parts.iter().try_for_each(|part| check_part(message.role, part))
}

fn check_part(role: Role, part: &Part) -> Result<(), BadAsk> {
    let fits = match part {
        Part::Text(_) => role != Role::Tool,
        Part::Image(_) => role == Role::User,
        Part::Call(_) => role == Role::Assistant,
        // Some providers want them in a message of the user.
        Part::Answer { .. } => matches!(role, Role::Tool | Role::User),
    };
    if !fits {
        return Err(BadAsk::Place { role, what: part.kind() });
    }
    match part {
        Part::Image(image) => check_media_type(&image.media_type),
        Part::Call(call) => {
            check_tool_name(&call.name)?;
            check_object("the arguments of a call", &call.arguments)
        }
        Part::Text(_) | Part::Answer { .. } => Ok(()),
    }
}

fn check_tool(tool: &Tool) -> Result<(), BadAsk> {
    check_tool_name(&tool.name)?;
    check_object("the parameters of a tool", &tool.parameters)
}

fn check_tool_name(name: &str) -> Result<(), BadAsk> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let good = !name.is_empty() && name.len() <= TOOL_NAME_CHARS_MAX && name.chars().all(plain);
    if good { Ok(()) } else { Err(BadAsk::ToolName) }
}

fn check_media_type(media_type: &str) -> Result<(), BadAsk> {
    match media_type {
        "image/png" | "image/jpeg" | "image/gif" | "image/webp" => Ok(()),
        other => Err(BadAsk::MediaType(other.chars().take(TOOL_NAME_CHARS_MAX).collect())),
    }
}

fn check_object(what: &'static str, text: &str) -> Result<(), BadAsk> {
    let object = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text);
    object.map(drop).map_err(|_| BadAsk::NotObject(what))
}

fn len(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap_or(u64::MAX)
}
