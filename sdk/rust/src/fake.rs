//! A host for tests: `cargo test` runs an agent natively, as the plain functions it is made of.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use crate::agents::{Errand, Failure};
use crate::approvals::{Answer, Granted, Question, Scope};
use crate::bindings::envelope::host::model;
use crate::error::Fault;
use crate::host::Host;
use crate::model::{Finish, Part, Reply, Request, Usage};
use crate::{Ctx, Denial, DeniedBy, Identity, Kept, Level, Remaining};

/// A host that keeps what an agent says, and denies what it was not told to answer: models, other
/// agents, humans. Files are those of the machine.
///
/// ```
/// use envelope_sdk::fake::Fake;
///
/// let fake = Fake::default();
/// fake.ctx().artifact("plot.svg", "image/svg+xml", "<svg/>").unwrap();
/// assert_eq!(fake.artifacts()["plot.svg"].bytes, b"<svg/>");
/// assert!(fake.ctx().model("fast").ask("Hello?").unwrap_err().denial().is_some());
///
/// let fake = fake.model_says("Good day.");
/// assert_eq!(fake.ctx().model("fast").ask("Hello?").unwrap(), "Good day.");
/// ```
#[derive(Clone, Default)]
pub struct Fake(Rc<RefCell<Notes>>);

#[derive(Default)]
struct Notes {
    outputs: Option<String>,
    lines: Vec<(Level, String)>,
    chunks: Vec<String>,
    artifacts: BTreeMap<String, Artifact>,
    denial: Option<Denial>,
    answers: VecDeque<String>,
}

/// A kept artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Its media type.
    pub media_type: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl Fake {
    /// The context to hand to a skill.
    #[must_use]
    pub fn ctx(&self) -> Ctx {
        Ctx { host: self.clone() }
    }

    /// Lets the run write below `prefix`.
    #[must_use]
    pub fn outputs(self, prefix: impl Into<String>) -> Self {
        self.0.borrow_mut().outputs = Some(prefix.into());
        self
    }

    /// Lets the next call of a model be answered with `text`. Without one it is denied.
    #[must_use]
    pub fn model_says(self, text: impl Into<String>) -> Self {
        self.0.borrow_mut().answers.push_back(text.into());
        self
    }

    /// The lines noted so far.
    #[must_use]
    pub fn lines(&self) -> Vec<(Level, String)> {
        self.0.borrow().lines.clone()
    }

    /// The pieces emitted so far.
    #[must_use]
    pub fn chunks(&self) -> Vec<String> {
        self.0.borrow().chunks.clone()
    }

    /// The artifacts kept so far, by name.
    #[must_use]
    pub fn artifacts(&self) -> BTreeMap<String, Artifact> {
        self.0.borrow().artifacts.clone()
    }

    fn deny<T>(&self, detail: &str) -> Result<T, Fault> {
        let denial = Denial {
            by: DeniedBy::Policy,
            code: "policy.not-granted".into(),
            detail: detail.into(),
            next: "ask for it with `request_scope`".into(),
            scope_helps: true,
        };
        self.0.borrow_mut().denial = Some(denial.clone());
        Err(Fault::Denied(denial))
    }
}

impl Host for Fake {
    fn about(&self) -> Identity {
        Identity {
            run: "run-of-a-test".into(),
            agent: "agent-of-a-test".into(),
            version: "0.0.0".into(),
            skill: "skill-of-a-test".into(),
            caller: "test".into(),
            paper: None,
            outputs: self.0.borrow().outputs.clone(),
            deadline: u64::MAX,
        }
    }

    fn left(&self) -> Remaining {
        Remaining {
            nano_usd: None,
            tokens: None,
            bytes: None,
            fuel: None,
            calls: None,
            wall_ms: None,
        }
    }

    fn last_denial(&self) -> Option<Denial> {
        self.0.borrow().denial.clone()
    }

    fn log(&self, level: Level, message: &str, fields: &str) -> Result<(), Fault> {
        let line = if fields.is_empty() { message.into() } else { format!("{message} {fields}") };
        self.0.borrow_mut().lines.push((level, line));
        Ok(())
    }

    fn progress(&self, done: u64, total: u64, note: &str) -> Result<(), Fault> {
        self.log(Level::Info, &format!("{done}/{total} {note}"), "")
    }

    fn emit(&self, chunk: &str) -> Result<(), Fault> {
        self.0.borrow_mut().chunks.push(chunk.into());
        Ok(())
    }

    fn put(&self, name: &str, media_type: &str, bytes: &[u8]) -> Result<Kept, Fault> {
        let artifact = Artifact { media_type: media_type.into(), bytes: bytes.into() };
        self.0.borrow_mut().artifacts.insert(name.into(), artifact);
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Ok(Kept { digest: "sha256:not-computed-in-tests".into(), size })
    }

    fn complete(&self, request: &Request) -> Result<Reply, Fault> {
        let answer = self.0.borrow_mut().answers.pop_front();
        let Some(text) = answer else {
            return self.deny(&format!("the model `{}`", request.model));
        };
        Ok(Reply {
            model: request.model.clone(),
            stub: true,
            parts: vec![Part::Text(text)],
            finish: Finish::Stop,
            usage: Usage { input: 0, output: 0, nano_usd: 0, confirmed: true },
            clamped_to: None,
            clamped_by: None,
        })
    }

    fn stream(&self, request: &Request) -> Result<model::AnswerStream, Fault> {
        self.deny(&format!("the model `{}`", request.model))
    }

    fn embed(&self, model: &str, _: &[String]) -> Result<Vec<Vec<f32>>, Fault> {
        self.deny(&format!("the model `{model}`"))
    }

    fn call(&self, errand: &Errand) -> Result<String, Failure> {
        Ok(self.deny(&format!("`{}` of the agent `{}`", errand.skill, errand.agent))?)
    }

    fn call_all(&self, errands: &[Errand]) -> Vec<Result<String, Failure>> {
        errands.iter().map(|errand| self.call(errand)).collect()
    }

    fn request_scope(&self, scope: &Scope) -> Result<Granted, Fault> {
        self.deny(&format!("more scope: {}", scope.reason))
    }

    fn ask(&self, text: &str, _: &Question) -> Result<Answer, Fault> {
        self.deny(&format!("the question `{text}`"))
    }
}
