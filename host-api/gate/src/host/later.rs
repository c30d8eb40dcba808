//! Agents and approvals: published, judged, and denied until their substance comes.

use envelope_evidence::Digest;
use envelope_rules::denial::{Code, Denial};
use envelope_rules::guard::Capability;
use serde::Serialize;
use wasmtime::component::Resource;

use crate::airlock::Airlock;
use crate::bindings::envelope::host::{agents, approvals, types};
use crate::request::Request;

/// Stands for the children that no call returns yet: there is no value of this type.
#[derive(Debug)]
pub enum NoChild {}

type Answered<T> = wasmtime::Result<Result<T, types::Fault>>;

impl Airlock {
    /// Records the wish and refuses it.
    async fn later<T>(
        &mut self,
        capability: Capability,
        operation: &'static str,
        target: &str,
        body: &impl Serialize,
    ) -> Answered<T> {
        let request = Request::plain(capability, operation, target.to_owned(), body);
        let denial =
            Denial::new(Code::Forbidden, format_args!("{} is not here yet", capability.name()));
        let denial = self.gate.refuse(request, denial).await?;
        Ok(Err(types::Fault::Denied(super::told(&denial))))
    }
}

impl agents::Host for Airlock {
    async fn call(
        &mut self,
        agent: String,
        skill: String,
        args: String,
        delegation: agents::Delegation,
    ) -> Answered<String> {
        let body = (&agent, &skill, Digest::of(args.as_bytes()), format!("{delegation:?}"));
        self.later(Capability::Agents, "call", &agent, &body).await
    }

    async fn spawn(
        &mut self,
        agent: String,
        skill: String,
        args: String,
        delegation: agents::Delegation,
    ) -> Answered<Resource<NoChild>> {
        let body = (&agent, &skill, Digest::of(args.as_bytes()), format!("{delegation:?}"));
        self.later(Capability::Agents, "spawn", &agent, &body).await
    }
}

impl agents::HostChild for Airlock {
    async fn done(&mut self, child: Resource<NoChild>) -> wasmtime::Result<bool> {
        match *self.table.get(&child)? {}
    }

    async fn join(&mut self, child: Resource<NoChild>) -> Answered<String> {
        match *self.table.get(&child)? {}
    }

    async fn cancel(&mut self, child: Resource<NoChild>) -> wasmtime::Result<()> {
        match *self.table.get(&child)? {}
    }

    async fn drop(&mut self, child: Resource<NoChild>) -> wasmtime::Result<()> {
        Ok(self.table.delete(child).map(drop)?)
    }
}

impl approvals::Host for Airlock {
    async fn request_scope(&mut self, scope: approvals::Scope) -> Answered<approvals::Granted> {
        let body = format!("{scope:?}");
        self.later(Capability::Approvals, "request-scope", &scope.reason, &body).await
    }

    async fn ask(
        &mut self,
        text: String,
        question: approvals::Question,
    ) -> Answered<approvals::Answer> {
        let body = (&text, format!("{question:?}"));
        self.later(Capability::Approvals, "ask", &text, &body).await
    }
}
