//! The author's side of Envelope. It never reaches for the world itself: files, time and chance
//! come through the standard library, everything else through [`Ctx`], and both pass the host's
//! gate.
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
pub use envelope_sdk_macros::skill;

/// Makes a function, or the `#[skill]` functions of an `impl` block, this crate's agent.
///
/// A skill takes `ctx: &Ctx` and one argument, and returns a [`Result`]. Its name is that of the
/// function in kebab-case, its description is the doc comment, and its schemas come from the types.
/// The card's name, version and description are those of the crate. Beside the item stands
/// `AGENT`, an [`Agent`], for tests. A panic in a skill ends the run: the caller reads "crashed".
///
/// What it would need from outside is said in the attribute, in the words that would allow it, and
/// `envelope inspect` shows it. It gives nothing: whoever runs the agent allows what he likes.
///
/// ```
/// # use envelope_sdk::prelude::*;
/// /// Sums up the news.
/// #[envelope_sdk::agent(
///     net = ["GET https://news.example.org/**"],
///     models = ["openai/gpt-4o-mini"],
///     read = ["topics.txt"],
///     outputs = "out/",
/// )]
/// fn news(_: &Ctx, _: NoArgs) -> Result<()> { Ok(()) }
/// # fn main() {
/// assert!(AGENT.card().contains(r#""needs":{"models":["openai/gpt-4o-mini"]"#));
/// # }
/// ```
///
/// What cannot be a skill is refused with a reason:
///
/// ```compile_fail
/// # use envelope_sdk::prelude::*;
/// /// Waits.
/// #[envelope_sdk::agent]
/// async fn wait(_: &Ctx, _: NoArgs) -> Result<()> { Ok(()) } // a skill is not `async`
/// # fn main() {}
/// ```
/// ```compile_fail
/// # use envelope_sdk::prelude::*;
/// #[envelope_sdk::agent]
/// fn mute(_: &Ctx, _: NoArgs) -> Result<()> { Ok(()) } // a skill needs a doc comment
/// # fn main() {}
/// ```
/// ```compile_fail
/// # use envelope_sdk::prelude::*;
/// /// Adds.
/// #[envelope_sdk::agent]
/// fn add(_: &Ctx, a: u32, b: u32) -> Result<u32> { Ok(a + b) } // one struct with its arguments
/// # fn main() {}
/// ```
/// ```compile_fail
/// # use envelope_sdk::prelude::*;
/// struct Ask;
/// /// Takes what has no schema.
/// #[envelope_sdk::agent]
/// fn take(_: &Ctx, ask: Ask) -> Result<()> { Ok(()) } // `Ask` is no `JsonSchema`
/// # fn main() {}
/// ```
/// ```compile_fail
/// # use envelope_sdk::prelude::*;
/// struct Desk;
/// #[envelope_sdk::agent]
/// impl Desk { // no function here is marked `#[skill]`
///     /// Quotes.
///     fn quote(_: &Ctx, _: NoArgs) -> Result<()> { Ok(()) }
/// }
/// # fn main() {}
/// ```
/// ```compile_fail
/// # use envelope_sdk::prelude::*;
/// struct Desk;
/// impl Desk {
///     /// Quotes.
///     #[skill] // stands inside an `impl` block marked `#[envelope_sdk::agent]`
///     fn quote(_: &Ctx, _: NoArgs) -> Result<()> { Ok(()) }
/// }
/// # fn main() {}
/// ```
pub use envelope_sdk_macros::agent;

#[cfg(test)]
extern crate self as envelope_sdk;
#[cfg(test)]
mod tests;

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
    pub use crate::agent::{Needs, Skill, input, output, run};
    pub use crate::bindings;
    pub use crate::bindings::export;
    pub use crate::bindings::exports::envelope::host::skills::{Failure, Guest};
    pub use schemars::JsonSchema;
    pub use serde::de::DeserializeOwned;
}
