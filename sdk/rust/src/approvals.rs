//! Questions to humans. In this version of the host every one is denied; agents can be written
//! against the interface and should treat the denial as the value it is.

use crate::Ctx;
use crate::bindings::envelope::host::approvals;
use crate::error::Fault;
use crate::host::Host as _;

pub use approvals::{Answer, Granted, Question, Scope};

impl Ctx {
    /// Asks a human for more authority.
    ///
    /// # Errors
    /// The host denies it (in this version: always), or the human does.
    pub fn request_scope(&self, scope: &Scope) -> Result<Granted, Fault> {
        self.host.request_scope(scope)
    }

    /// Asks a human a question.
    ///
    /// # Errors
    /// The host denies it (in this version: always).
    pub fn ask(&self, text: &str, question: &Question) -> Result<Answer, Fault> {
        self.host.ask(text, question)
    }
}
