//! Language models. In this version of the host every call is denied; agents can be written against
//! the interface and should treat the denial as the value it is.

use crate::Ctx;
use crate::bindings::envelope::host::model::{self, AnswerStream};
use crate::error::Fault;
use crate::host::Host as _;

pub use model::{Chunk, Finish, Image, Message, Part, Reply, Request, Role, Tool, ToolCall, Usage};

/// The longest answer that [`Model::ask`] asks for, in tokens: a page or two, so that little of the
/// budget is reserved.
pub const ANSWER_TOKENS_MAX: u32 = 1024;

/// A model of the operator's price book.
pub struct Model<'a> {
    ctx: &'a Ctx,
    name: &'a str,
}

impl Ctx {
    /// The model of this name in the operator's price book.
    #[must_use]
    pub fn model<'a>(&'a self, name: &'a str) -> Model<'a> {
        Model { ctx: self, name }
    }
}

impl Model<'_> {
    /// A request with one message of the user's.
    pub fn request(&self, prompt: impl Into<String>) -> Request {
        let message = Message { role: Role::User, parts: vec![Part::Text(prompt.into())] };
        Request {
            model: self.name.into(),
            messages: vec![message],
            tools: Vec::new(),
            schema: None,
            max_output: ANSWER_TOKENS_MAX,
        }
    }

    /// Asks one question and gives the text of the answer.
    ///
    /// # Errors
    /// The host denies it (in this version: always), or the model gave no answer.
    pub fn ask(&self, prompt: impl Into<String>) -> Result<String, Fault> {
        let reply = self.complete(&self.request(prompt))?;
        let texts = reply.parts.into_iter().filter_map(|part| match part {
            Part::Text(text) => Some(text),
            Part::Image(_) | Part::Call(_) | Part::Answer(_) => None,
        });
        Ok(texts.collect())
    }

    /// Sends a request.
    ///
    /// # Errors
    /// As [`Model::ask`].
    pub fn complete(&self, request: &Request) -> Result<Reply, Fault> {
        self.ctx.host.complete(request)
    }

    /// Sends a request whose answer is read as it comes.
    ///
    /// # Errors
    /// As [`Model::ask`].
    pub fn stream(&self, request: &Request) -> Result<Stream, Fault> {
        self.ctx.host.stream(request).map(Stream)
    }

    /// One vector of numbers per text.
    ///
    /// # Errors
    /// As [`Model::ask`].
    pub fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, Fault> {
        self.ctx.host.embed(self.name, texts)
    }
}

/// An answer as it comes.
pub struct Stream(AnswerStream);

impl Iterator for Stream {
    type Item = Result<Chunk, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map_err(Fault::from).transpose()
    }
}
