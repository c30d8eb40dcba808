//! Approvals: published, judged, and denied until their substance comes.

use envelope_rules::denial::{Code, Denial};
use envelope_rules::guard::Capability;
use serde::Serialize;

use crate::airlock::Airlock;
use crate::bindings::envelope::host::{approvals, types};
use crate::request::Request;

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
