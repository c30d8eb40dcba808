//! What a context asks, and the host that answers when the agent runs as a component.

use crate::agents::{Errand, Failure};
use crate::approvals::{Answer, Granted, Question, Scope};
use crate::bindings::envelope::host::{agents, approvals, artifacts, model, run, trace};
use crate::error::Fault;
use crate::model::{Reply, Request};
use crate::{Denial, Identity, Kept, Level, Remaining};

/// The other side of every capability: the sandbox, or a fake one in a test.
pub(crate) trait Host {
    fn about(&self) -> Identity;
    fn left(&self) -> Remaining;
    fn last_denial(&self) -> Option<Denial>;
    fn log(&self, level: Level, message: &str, fields: &str) -> Result<(), Fault>;
    fn progress(&self, done: u64, total: u64, note: &str) -> Result<(), Fault>;
    fn emit(&self, chunk: &str) -> Result<(), Fault>;
    fn put(&self, name: &str, media_type: &str, bytes: &[u8]) -> Result<Kept, Fault>;
    fn complete(&self, request: &Request) -> Result<Reply, Fault>;
    fn stream(&self, request: &Request) -> Result<model::AnswerStream, Fault>;
    fn embed(&self, model: &str, texts: &[String]) -> Result<Vec<Vec<f32>>, Fault>;
    fn call(&self, errand: &Errand) -> Result<String, Failure>;
    fn call_all(&self, errands: &[Errand]) -> Vec<Result<String, Failure>>;
    fn request_scope(&self, scope: &Scope) -> Result<Granted, Fault>;
    fn ask(&self, text: &str, question: &Question) -> Result<Answer, Fault>;
}

/// The host of this build. Nothing is dispatched at run time, so that a component imports what its
/// skills use and no more.
#[cfg(target_family = "wasm")]
pub(crate) type Here = Sandbox;
#[cfg(not(target_family = "wasm"))]
pub(crate) type Here = crate::fake::Fake;

/// The sandbox around the component.
#[cfg_attr(not(target_family = "wasm"), expect(dead_code, reason = "native builds are faked"))]
#[derive(Clone)]
pub(crate) struct Sandbox;

impl Host for Sandbox {
    fn about(&self) -> Identity {
        run::about()
    }

    fn left(&self) -> Remaining {
        run::left()
    }

    fn last_denial(&self) -> Option<Denial> {
        run::last_denial()
    }

    fn log(&self, level: Level, message: &str, fields: &str) -> Result<(), Fault> {
        Ok(trace::log(level, message, fields)?)
    }

    fn progress(&self, done: u64, total: u64, note: &str) -> Result<(), Fault> {
        Ok(trace::progress(done, total, note)?)
    }

    fn emit(&self, chunk: &str) -> Result<(), Fault> {
        Ok(trace::emit(chunk)?)
    }

    fn put(&self, name: &str, media_type: &str, bytes: &[u8]) -> Result<Kept, Fault> {
        Ok(artifacts::put(name, media_type, bytes)?)
    }

    fn complete(&self, request: &Request) -> Result<Reply, Fault> {
        Ok(model::complete(request)?)
    }

    fn stream(&self, request: &Request) -> Result<model::AnswerStream, Fault> {
        Ok(model::stream(request)?)
    }

    fn embed(&self, model: &str, texts: &[String]) -> Result<Vec<Vec<f32>>, Fault> {
        Ok(model::embed(model, texts)?)
    }

    fn call(&self, errand: &Errand) -> Result<String, Failure> {
        Ok(agents::call(errand)?)
    }

    fn call_all(&self, errands: &[Errand]) -> Vec<Result<String, Failure>> {
        agents::call_all(errands).into_iter().map(|one| one.map_err(Failure::from)).collect()
    }

    fn request_scope(&self, scope: &Scope) -> Result<Granted, Fault> {
        Ok(approvals::request_scope(scope)?)
    }

    fn ask(&self, text: &str, question: &Question) -> Result<Answer, Fault> {
        Ok(approvals::ask(text, question)?)
    }
}
