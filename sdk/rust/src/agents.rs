//! Other agents. In this version of the host every call is denied; agents can be written against
//! the interface and should treat the denial as the value it is.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Ctx;
use crate::bindings::envelope::host::agents;
use crate::error::{Fault, Result};
use crate::host::Host as _;

pub use agents::Delegation;

/// Another agent.
pub struct Peer<'a> {
    ctx: &'a Ctx,
    name: &'a str,
}

impl Ctx {
    /// The agent of this name.
    #[must_use]
    pub fn agent<'a>(&'a self, name: &'a str) -> Peer<'a> {
        Peer { ctx: self, name }
    }
}

impl Peer<'_> {
    /// Has the agent do `skill`, with what `delegation` hands on, and waits for the result.
    ///
    /// # Errors
    /// The host denies it (in this version: always), the agent failed, or its result is not an `R`.
    pub fn call<R: DeserializeOwned>(
        &self,
        skill: &str,
        args: &impl Serialize,
        delegation: &Delegation,
    ) -> Result<R> {
        let args = serde_json::to_string(args)?;
        Ok(serde_json::from_str(&self.ctx.host.call(self.name, skill, &args, delegation)?)?)
    }

    /// Has the agent begin with `skill`.
    ///
    /// # Errors
    /// The host denies it (in this version: always).
    pub fn spawn(
        &self,
        skill: &str,
        args: &impl Serialize,
        delegation: &Delegation,
    ) -> Result<Child> {
        let args = serde_json::to_string(args)?;
        Ok(Child(self.ctx.host.spawn(self.name, skill, &args, delegation)?))
    }
}

/// An agent under way.
pub struct Child(agents::Child);

impl Child {
    /// Whether it has ended.
    #[must_use]
    pub fn done(&self) -> bool {
        self.0.done()
    }

    /// Waits for its result.
    ///
    /// # Errors
    /// The agent failed, or its result is not an `R`.
    pub fn join<R: DeserializeOwned>(self) -> Result<R> {
        Ok(serde_json::from_str(&self.0.join().map_err(Fault::from)?)?)
    }

    /// Stops it. Its receipt says so.
    pub fn cancel(self) {
        self.0.cancel();
    }
}
