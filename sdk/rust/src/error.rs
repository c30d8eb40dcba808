//! Why a skill gives no result.

use std::error::Error as StdError;
use std::io;

use serde::Serialize;
use serde_json::{Value, json};

use crate::agents::Failure;
use crate::bindings::envelope::host::types;
use crate::{Ctx, Denial};

/// What a skill returns: its result, or any error that `?` meets on the way.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any error. A [`Fail`] reaches the caller as the document it holds; everything else as
/// `{"error": "…"}`, with the refusal beside it (`"denied"`) when the host had refused something.
///
/// Like other catch-all errors it is no [`std::error::Error`] itself, so that every one of those
/// can be turned into it.
#[derive(Debug)]
pub struct Error(Box<dyn StdError>);

impl<E: StdError + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

impl std::fmt::Display for Error {
    /// The error and its causes, outermost first. A cause that the text before it quotes already
    /// is not said twice.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut said = String::new();
        for error in self.chain() {
            let words = error.to_string();
            if said.is_empty() {
                said = words;
            } else if !said.contains(&words) {
                said = format!("{said}: {words}");
            }
        }
        f.write_str(&said)
    }
}

impl Error {
    /// An error with this message and no cause.
    pub fn msg(message: impl Into<String>) -> Self {
        Told { message: message.into(), cause: None }.into()
    }

    /// The failure in this error, when it is one or was caused by one.
    #[must_use]
    pub fn find<E: StdError + 'static>(&self) -> Option<&E> {
        self.chain().find_map(|error| error.downcast_ref())
    }

    fn chain(&self) -> impl Iterator<Item = &(dyn StdError + 'static)> {
        let first: &(dyn StdError + 'static) = &*self.0;
        std::iter::successors(Some(first), |&error| error.source())
    }

    /// What the caller of the skill reads.
    pub(crate) fn document(&self, ctx: &Ctx) -> Value {
        if let Some(fail) = self.find::<Fail>() {
            return fail.document.clone();
        }
        let error = self.to_string();
        match self.denial(ctx) {
            None => json!({ "error": error }),
            Some(Denial { code, detail, next, .. }) => {
                let denied = json!({ "code": code, "detail": detail, "next": next });
                json!({ "error": error, "denied": denied })
            }
        }
    }

    /// The refusal behind this error. A file operation only says that it may not, so the host is
    /// asked for the reason.
    fn denial(&self, ctx: &Ctx) -> Option<Denial> {
        if let Some(failure) = self.find::<Failure>() {
            return failure.denial().cloned();
        }
        match self.find::<Fault>() {
            Some(Fault::Denied(denial)) => Some(denial.clone()),
            Some(_) => None,
            None => self.find::<io::Error>().filter(|e| refused(e)).and(ctx.last_denial()),
        }
    }
}

/// Whether the gate refused a file operation. It says `access` or `quota`; `not-permitted`
/// (`EPERM`) is said of paths that cannot exist, without a refusal.
fn refused(error: &io::Error) -> bool {
    const EPERM: i32 = if cfg!(target_os = "wasi") { 63 } else { 1 };
    let kind = error.kind();
    kind == io::ErrorKind::QuotaExceeded
        || kind == io::ErrorKind::PermissionDenied && error.raw_os_error() != Some(EPERM)
}

/// A message about an error.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct Told {
    message: String,
    #[source]
    cause: Option<Box<dyn StdError>>,
}

/// Says what was being done when an error came.
pub trait Context<T> {
    /// Puts `message` before the error.
    fn context(self, message: impl Into<String>) -> Result<T>;
}

impl<T, E: Into<Error>> Context<T> for std::result::Result<T, E> {
    fn context(self, message: impl Into<String>) -> Result<T> {
        let told = |cause: Error| Told { message: message.into(), cause: Some(cause.0) };
        self.map_err(|error| told(error.into()).into())
    }
}

/// A failure that the caller is meant to read: a document of the author's own shape.
///
/// ```
/// use envelope_sdk::prelude::*;
///
/// fn divide(a: u32, b: u32) -> Result<u32> {
///     a.checked_div(b).ok_or_else(|| Fail::new(json!({ "divisor": b })).into())
/// }
/// assert!(divide(1, 0).unwrap_err().find::<Fail>().is_some());
/// ```
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{document}")]
pub struct Fail {
    document: Value,
}

impl Fail {
    /// A failure with this document. One that JSON cannot express becomes `{"error": "…"}`.
    pub fn new(document: impl Serialize) -> Self {
        let document = serde_json::to_value(document);
        let document = document.unwrap_or_else(|error| json!({ "error": error.to_string() }));
        Self { document }
    }

    /// The document.
    #[must_use]
    pub fn document(&self) -> &Value {
        &self.document
    }
}

/// Why the host gave no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    /// It was refused. The denial says by what, and what can be done.
    #[error("denied ({}): {}; {}", .0.code, .0.detail, .0.next)]
    Denied(Denial),
    /// The request makes no sense.
    #[error("the request is invalid: {0}")]
    Invalid(String),
    /// The world failed; the same request may succeed later.
    #[error("not available: {0}")]
    Unavailable(String),
    /// It took longer than it was allowed to.
    #[error("it took too long")]
    TimedOut,
    /// The run is being stopped.
    #[error("the run is being stopped")]
    Cancelled,
}

impl From<types::Fault> for Fault {
    fn from(fault: types::Fault) -> Self {
        match fault {
            types::Fault::Denied(denial) => Self::Denied(denial),
            types::Fault::Invalid(why) => Self::Invalid(why),
            types::Fault::Unavailable(why) => Self::Unavailable(why),
            types::Fault::TimedOut => Self::TimedOut,
            types::Fault::Cancelled => Self::Cancelled,
        }
    }
}

impl Fault {
    /// The denial, when this is one.
    #[must_use]
    pub fn denial(&self) -> Option<&Denial> {
        match self {
            Self::Denied(denial) => Some(denial),
            Self::Invalid(_) | Self::Unavailable(_) | Self::TimedOut | Self::Cancelled => None,
        }
    }
}
