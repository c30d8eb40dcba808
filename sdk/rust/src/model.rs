//! Language models, under a budget that the host keeps.
//!
//! Which models may be called is said by whoever starts the run; so is what they may cost. The host
//! lowers the longest answer to what is affordable and says so ([`Reply::clamped_to`]); below that
//! it denies the call, and sends nothing. An agent treats a denial as the value it is.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::Ctx;
use crate::bindings::envelope::host::model::{self, AnswerStream};
use crate::error::Fault;
use crate::host::Host as _;

pub use model::{
    Chunk, Finish, Image, Message, Part, Reply, Request, Role, Sampling, Tool, ToolCall, Usage,
};

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
            sampling: Sampling { temperature: None, top_p: None, stop: Vec::new(), seed: None },
        }
    }

    /// Asks one question and gives the text of the answer.
    ///
    /// # Errors
    /// The host denies it, or the model gave no answer.
    pub fn ask(&self, prompt: impl Into<String>) -> Result<String, Fault> {
        Ok(self.complete(&self.request(prompt))?.text())
    }

    /// Asks one question whose answer has the shape of `T`.
    ///
    /// # Errors
    /// As [`Model::ask`]; and the answer has another shape, whatever the model was told.
    pub fn ask_for<T: JsonSchema + DeserializeOwned>(
        &self,
        prompt: impl Into<String>,
    ) -> crate::Result<T> {
        let schema = serde_json::to_string(&schemars::schema_for!(T))?;
        let request = Request { schema: Some(schema), ..self.request(prompt) };
        let text = self.complete(&request)?.text();
        Ok(serde_json::from_str(&text)?)
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

impl Request {
    /// The same, drawn so daringly: from zero to two.
    #[must_use]
    pub const fn temperature(mut self, temperature: f64) -> Self {
        self.sampling.temperature = Some(temperature);
        self
    }

    /// The same, drawn out of that part of the likely words: from zero to one.
    #[must_use]
    pub const fn top_p(mut self, top_p: f64) -> Self {
        self.sampling.top_p = Some(top_p);
        self
    }

    /// The same, whose answer ends at this text too.
    #[must_use]
    pub fn stop(mut self, text: impl Into<String>) -> Self {
        self.sampling.stop.push(text.into());
        self
    }

    /// The same, drawn from this seed. Providers that know of none are not asked.
    #[must_use]
    pub const fn seed(mut self, seed: u32) -> Self {
        self.sampling.seed = Some(seed);
        self
    }
}

impl Reply {
    /// Its words, calls of tools aside.
    #[must_use]
    pub fn text(&self) -> String {
        let texts = self.parts.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            Part::Image(_) | Part::Call(_) | Part::Answer(_) => None,
        });
        texts.collect()
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
