//! The author's side of Envelope. It never reaches for the world itself: files, time and chance
//! come through the standard library, everything else through [`Ctx`], and both pass the host's
//! gate.
//!
#![doc = include_str!("../README.md")]

pub mod agent;
pub mod agents;
pub mod approvals;
#[doc(hidden)]
pub mod bindings;
mod ctx;
pub mod error;
#[cfg(not(target_family = "wasm"))]
pub mod fake;
mod host;
pub mod model;

pub use crate::agent::{Agent, Failure, NoArgs};
pub use crate::bindings::envelope::host::artifacts::Kept;
pub use crate::bindings::envelope::host::run::{Identity, Remaining};
pub use crate::bindings::envelope::host::trace::Level;
pub use crate::bindings::envelope::host::types::{Denial, DeniedBy};
pub use crate::ctx::Ctx;
pub use crate::error::{Context, Error, Fail, Fault, Result};
pub use envelope_sdk_macros::{agent, skill};

/// What an agent's file begins with.
pub mod prelude {
    pub use crate::{Context, Ctx, Denial, Error, Fail, Fault, Level, NoArgs, Result, skill};
    pub use schemars::JsonSchema;
    pub use serde::{Deserialize, Serialize};
    pub use serde_json::{Value, json};
}

/// What the attribute's output names.
#[doc(hidden)]
pub mod __private {
    pub use crate::agent::{Skill, input, output, run};
    pub use crate::bindings;
    pub use crate::bindings::export;
    pub use crate::bindings::exports::envelope::host::skills::{Failure, Guest};
    pub use schemars::JsonSchema;
    pub use serde::de::DeserializeOwned;
}
