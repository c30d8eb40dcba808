//! The run, as its agent sees it.

use std::path::PathBuf;

use serde::Serialize;
use serde_json::Value;

use crate::error::{Error, Fault, Result};
use crate::host::{Here, Host};
use crate::{Denial, Identity, Kept, Level, Remaining};

/// The context of a run: who it is, what is left, and where its notes and artifacts go.
///
/// Files, time and chance need no context: `std::fs` and `std::time` work as everywhere, and pass
/// the same gate.
#[derive(Clone)]
pub struct Ctx {
    pub(crate) host: Here,
}

impl Ctx {
    /// The context inside the sandbox, for the attribute. Tests take `Fake::ctx`.
    #[cfg(target_family = "wasm")]
    #[doc(hidden)]
    #[must_use]
    pub fn sandbox() -> Self {
        Self { host: crate::host::Sandbox }
    }

    /// Who this is: the run, its agent, its caller, its deadline.
    #[must_use]
    pub fn about(&self) -> Identity {
        self.host.about()
    }

    /// What may still be used.
    #[must_use]
    pub fn left(&self) -> Remaining {
        self.host.left()
    }

    /// The latest refusal, also of a file operation, whose own error says less.
    #[must_use]
    pub fn last_denial(&self) -> Option<Denial> {
        self.host.last_denial()
    }

    /// The folder below which the run may write. It need not exist yet.
    ///
    /// # Errors
    /// The run may write nowhere.
    pub fn outputs(&self) -> Result<PathBuf> {
        let nowhere = || Error::msg("the run has no outputs prefix, so it may write nowhere");
        self.about().outputs.map(PathBuf::from).ok_or_else(nowhere)
    }

    /// Notes a line for whoever watches, with `fields` (a struct, a map, a `json!` object, or `()`
    /// for none).
    ///
    /// # Errors
    /// The host refuses it, or `fields` is not an object.
    pub fn log(&self, level: Level, message: &str, fields: impl Serialize) -> Result<(), Fault> {
        let fields = match serde_json::to_value(fields) {
            Ok(Value::Null) => String::new(),
            Ok(fields @ Value::Object(_)) => fields.to_string(),
            Ok(_) => return Err(Fault::Invalid("the fields of a line are an object".into())),
            Err(error) => return Err(Fault::Invalid(error.to_string())),
        };
        self.host.log(level, message, &fields)
    }

    /// Notes a line. Should the host refuse it, the work goes on; [`Ctx::last_denial`] knows.
    pub fn info(&self, message: impl AsRef<str>) {
        let _ = self.log(Level::Info, message.as_ref(), ());
    }

    /// Notes a line that deserves attention. Should the host refuse it, the work goes on.
    pub fn warn(&self, message: impl AsRef<str>) {
        let _ = self.log(Level::Warn, message.as_ref(), ());
    }

    /// Says how far the work is. A `total` of zero means that nobody knows.
    ///
    /// # Errors
    /// The host refuses it.
    pub fn progress(&self, done: u64, total: u64, note: &str) -> Result<(), Fault> {
        self.host.progress(done, total, note)
    }

    /// Gives a piece of the result before the whole is there.
    ///
    /// # Errors
    /// The host refuses it.
    pub fn emit(&self, chunk: &str) -> Result<(), Fault> {
        self.host.emit(chunk)
    }

    /// Keeps `bytes` under `name` (letters, digits, `.`, `-` and `_`). The receipt names it by
    /// digest. A second one of the same name replaces the first.
    ///
    /// # Errors
    /// The host refuses it, or the name is not of that form.
    pub fn artifact(
        &self,
        name: &str,
        media_type: &str,
        bytes: impl AsRef<[u8]>,
    ) -> Result<Kept, Fault> {
        self.host.put(name, media_type, bytes.as_ref())
    }
}
