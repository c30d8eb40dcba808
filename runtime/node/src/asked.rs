//! A question to humans and what they said, as it is kept.

use envelope_evidence::Timestamp;
use envelope_gate::desk::{Decision, NotCounted, decide};
use envelope_rules::approval::{Approval, Policy, Request, State};
use serde::{Deserialize, Serialize};

/// One question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// What is asked.
    pub request: Request,
    /// What was said so far, in order.
    pub decisions: Vec<Decision>,
    /// Who has to decide.
    pub policy: Policy,
}

/// Why a decision does not count.
#[derive(Debug, thiserror::Error)]
pub enum Late {
    /// What is kept is no question.
    #[error("what was asked does not read")]
    Unknown,
    /// It is refused.
    #[error("{0} (`{code}`)", code = .0.code())]
    Refused(NotCounted),
}

impl Asked {
    /// What became of it.
    pub fn state(&self) -> State {
        self.approval().map_or(State::Open {}, |approval| approval.state().clone())
    }

    /// Whether nobody needs to decide any more.
    pub fn is_decided(&self) -> bool {
        self.state() != State::Open {}
    }

    /// Whether it is too late to decide.
    pub fn is_late(&self, now: Timestamp) -> bool {
        now >= self.request.expires
    }

    /// The id of the question: the run that asks, and its call.
    pub fn id(&self) -> String {
        format!("{}/{}", self.request.run, self.request.call)
    }

    /// Takes a decision, if it counts. One who says the same twice has said it once.
    pub fn decide(&mut self, decision: Decision) -> Result<(), Late> {
        let approval = self.approval().ok_or(Late::Unknown)?;
        let before = approval.given().len();
        let after = step(approval, decision.clone()).map_err(Late::Refused)?;
        if after.given().len() > before {
            self.decisions.push(decision);
        }
        Ok(())
    }

    fn approval(&self) -> Option<Approval> {
        let mut approval = Approval::new(self.request.clone(), self.policy.clone()).ok()?;
        for decision in &self.decisions {
            approval = step(approval, decision.clone()).ok()?;
        }
        Some(approval)
    }
}

/// Bounds are the gate's to judge, when the run goes on.
fn step(approval: Approval, decision: Decision) -> Result<Approval, NotCounted> {
    let at = decision.at;
    decide(approval, decision, &[], at)
}
