//! Humans at their desks: what they say is fixed by the test, and what they are asked is kept.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use envelope_evidence::journal::CallerKind;
use envelope_evidence::{Digest, Label, Timestamp};
use envelope_gate::desk::{Asking, Decision, Desk};
use envelope_rules::approval::{Class, Matter, Policy, Principal, Request, Rules, Verdict, Wanted};

use crate::engine::world::START;

/// What somebody says to a request, if anything.
pub type Says = fn(&Request) -> Option<Decision>;

/// A desk at which some people sit.
pub struct Office {
    rules: Rules,
    pub asked: Mutex<Vec<Request>>,
    says: Mutex<Vec<Says>>,
}

pub fn label(text: &str) -> Label {
    Label::new(text).unwrap()
}

pub fn after(secs: u64) -> Timestamp {
    Timestamp::from_secs(START.secs() + secs).unwrap()
}

/// Seconds that humans may take.
pub const WINDOW: u64 = 1_800;

impl Office {
    pub fn new(says: &[Says]) -> Arc<Self> {
        Self::with(says, |_| {})
    }

    pub fn with(says: &[Says], change: impl FnOnce(&mut Rules)) -> Arc<Self> {
        let policy = Policy { role: label("approver"), approvers: 1, caller: false };
        let mut rules =
            Rules { policy, window: WINDOW, most: None, calls: Vec::new(), data: Vec::new() };
        change(&mut rules);
        Arc::new(Self { rules, asked: Mutex::default(), says: Mutex::new(says.to_vec()) })
    }

    /// From now on these people sit here.
    pub fn seat(&self, says: &[Says]) {
        *self.says.lock().unwrap() = says.to_vec();
    }

    pub fn requests(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }
}

impl Desk for Office {
    fn rules(&self) -> &Rules {
        &self.rules
    }

    fn grace(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn ask<'a>(&'a self, request: &'a Request) -> Asking<'a> {
        self.asked.lock().unwrap().push(request.clone());
        let says = self.says.lock().unwrap().clone();
        let said: Vec<_> = says.iter().filter_map(|says| says(request)).collect();
        Box::pin(async move {
            match said.is_empty() {
                true => std::future::pending().await,
                false => Ok(said),
            }
        })
    }
}

pub fn human(id: &str) -> Principal {
    Principal { id: label(id), kind: CallerKind::User, roles: vec![label("approver")] }
}

/// What `by` says of what was really asked, right away.
pub fn said(request: &Request, by: Principal, verdict: Verdict) -> Decision {
    Decision { by, at: request.asked, saw: request.digest().unwrap(), verdict }
}

pub fn wanted(request: &Request) -> Wanted {
    match &request.matter {
        Matter::Scope { wanted, .. } => wanted.clone(),
        Matter::Choice { .. } | Matter::Document { .. } => Wanted::default(),
    }
}

/// Yes to whatever it is.
fn yes(request: &Request) -> Verdict {
    match &request.matter {
        Matter::Scope { wanted, .. } => Verdict::Allow { scope: wanted.clone() },
        Matter::Choice { choices, .. } => {
            Verdict::Choose { choice: u32::try_from(choices.len()).unwrap() - 1 }
        }
        Matter::Document { .. } => Verdict::Answer { document: r#"{"so":1}"#.to_owned() },
    }
}

pub fn ada(request: &Request) -> Option<Decision> {
    Some(said(request, human("ada"), yes(request)))
}

pub fn bea(request: &Request) -> Option<Decision> {
    Some(said(request, human("bea"), yes(request)))
}

/// She lets the first file be read, for half as long, and nothing be written.
pub fn bea_narrows(request: &Request) -> Option<Decision> {
    let all = wanted(request);
    let read = all.read.patterns().iter().take(1).cloned().collect();
    let read = envelope_rules::pattern::PatternSet::new(read).unwrap();
    let scope = Wanted { read, ttl: all.ttl / 2, ..Wanted::default() };
    Some(said(request, human("bea"), Verdict::Allow { scope }))
}

pub fn no(request: &Request) -> Option<Decision> {
    let verdict = Verdict::Reject { reason: label("not today") };
    Some(said(request, human("ada"), verdict))
}

/// An agent with the right role and the best intentions.
pub fn an_agent(request: &Request) -> Option<Decision> {
    let by = Principal { kind: CallerKind::Agent, ..human("helper@local") };
    Some(said(request, by, yes(request)))
}

pub fn itself(request: &Request) -> Option<Decision> {
    Some(said(request, human(request.agent.as_str()), yes(request)))
}

pub fn its_caller(request: &Request) -> Option<Decision> {
    Some(said(request, human(request.caller.as_str()), yes(request)))
}

pub fn a_stranger(request: &Request) -> Option<Decision> {
    let by = Principal { roles: vec![label("viewer")], ..human("bob") };
    Some(said(request, by, yes(request)))
}

/// She saw the request before it was edited.
pub fn ada_saw_another(request: &Request) -> Option<Decision> {
    let saw = Digest::of(b"what was shown");
    Some(Decision { saw, ..said(request, human("ada"), yes(request)) })
}

/// What she said to another run's request, copied.
pub fn ada_to_another_run(request: &Request) -> Option<Decision> {
    let other = Request { run: label("run_2"), ..request.clone() };
    Some(said(&other, human("ada"), yes(request)))
}

/// What she said to this run's earlier question, copied.
pub fn ada_before(request: &Request) -> Option<Decision> {
    let other = Request { call: request.call + 1, ..request.clone() };
    Some(said(&other, human("ada"), yes(request)))
}

pub fn ada_allows_more(request: &Request) -> Option<Decision> {
    let mut scope = wanted(request);
    scope.ttl += 1;
    Some(said(request, human("ada"), Verdict::Allow { scope }))
}

pub fn ada_answers_what_nobody_asked(request: &Request) -> Option<Decision> {
    Some(said(request, human("ada"), Verdict::Choose { choice: 99 }))
}

/// A class of calls to one host, model or agent.
pub fn class(capability: envelope_rules::guard::Capability, to: &str) -> Class {
    Class { capability, method: None, to: Some(label(to)), above_nano_usd: None, data: None }
}
