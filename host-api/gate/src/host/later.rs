//! Models and approvals: published, judged, and denied until their substance comes.

use envelope_evidence::Digest;
use envelope_rules::denial::{Code, Denial};
use envelope_rules::guard::Capability;
use serde::Serialize;
use wasmtime::component::Resource;

use crate::airlock::Airlock;
use crate::bindings::envelope::host::{approvals, model, types};
use crate::request::Request;

/// Stands for the streams that no call returns yet: there is no value of this type.
#[derive(Debug)]
pub enum NoStream {}

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

impl model::Host for Airlock {
    async fn complete(&mut self, request: model::Request) -> Answered<model::Reply> {
        let model::Request { model: name, max_output, .. } = &request;
        let body = (name, *max_output, Digest::of(format!("{request:?}").as_bytes()));
        self.later(Capability::Model, "complete", name, &body).await
    }

    async fn stream(&mut self, request: model::Request) -> Answered<Resource<NoStream>> {
        let model::Request { model: name, max_output, .. } = &request;
        let body = (name, *max_output, Digest::of(format!("{request:?}").as_bytes()));
        self.later(Capability::Model, "stream", name, &body).await
    }

    async fn embed(&mut self, name: String, texts: Vec<String>) -> Answered<Vec<Vec<f32>>> {
        let body = (&name, Digest::of(format!("{texts:?}").as_bytes()));
        self.later(Capability::Model, "embed", &name, &body).await
    }
}

impl model::HostAnswerStream for Airlock {
    async fn next(&mut self, stream: Resource<NoStream>) -> Answered<Option<model::Chunk>> {
        match *self.table.get(&stream)? {}
    }

    async fn drop(&mut self, stream: Resource<NoStream>) -> wasmtime::Result<()> {
        Ok(self.table.delete(stream).map(drop)?)
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
