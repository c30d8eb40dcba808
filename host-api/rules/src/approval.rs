//! Approvals: a human decides what a run may not decide for itself.
//!
//! A [`Request`] is shown to a human exactly as it is [written](Request::shown), and a decision
//! names the digest of what was seen: an edited request is another request. Who decides is a human
//! with the right role, and never who asked. What is decided is within what was asked, within what
//! the operator allows and within what the Paper allows. It answers one call of one run, whose
//! journal holds it once.

mod class;
mod decision;
mod request;

pub use class::{CLASSES_MAX, Class, Labelled, Rules};
pub use decision::{Principal, Refused, Verdict};
pub use request::{
    BadRequest, CHOICES_MAX, DOCUMENT_BYTES_MAX, LIST_MAX, Matter, Request, TEXT_CHARS_MAX, Wanted,
    answer_fits,
};

use envelope_evidence::journal::{CallerKind, Reviewed};
use envelope_evidence::{Digest, Label, Timestamp};
use serde::{Deserialize, Serialize};

use crate::path::Prefix;
use crate::pattern::PatternSet;

/// The most humans that have to agree: each costs the others' time.
pub const APPROVERS_MAX: u8 = 2;

/// Who may decide: the operator's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The role that may.
    pub role: Label,
    /// How many humans have to agree, 1 to [`APPROVERS_MAX`].
    pub approvers: u8,
    /// Whether the human who started the run may be one of them.
    pub caller: bool,
}

/// The widest that one party lets an approval reach.
#[derive(Debug, Clone, Copy)]
pub struct Bounds<'a> {
    /// Whose word it is: the operator's or the Paper's.
    pub party: &'static str,
    /// What may be read at most.
    pub read: &'a PatternSet,
    /// Where may be written at most.
    pub write: Option<&'a Prefix>,
    /// Which hosts may be reached.
    pub hosts: &'a [Label],
    /// Which models may be called.
    pub models: &'a [Label],
    /// The most money.
    pub nano_usd: u64,
    /// The longest life of a grant, in seconds.
    pub ttl: u64,
}

impl<'a> Bounds<'a> {
    /// What `party` lets an approval give: no more than `most`.
    pub fn of(party: &'static str, most: &'a Wanted) -> Self {
        let Wanted { read, write, hosts, models, nano_usd, ttl } = most;
        let (write, nano_usd, ttl) = (write.as_ref(), *nano_usd, *ttl);
        Self { party, read, write, hosts, models, nano_usd, ttl }
    }
}

/// A request and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    request: Request,
    policy: Policy,
    given: Vec<Given>,
    state: State,
}

/// One human's decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// Who.
    pub by: Label,
    /// When.
    pub at: Timestamp,
    /// The digest of what they saw.
    pub saw: Digest,
    /// What they said.
    pub verdict: Verdict,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case", deny_unknown_fields)]
pub enum State {
    /// It waits.
    Open {},
    /// As asked, or less: what the run may have.
    Allowed {
        /// How.
        reviewed: Reviewed,
        /// What.
        allowed: Verdict,
    },
    /// No.
    Rejected {
        /// In the human's words.
        reason: Label,
    },
    /// Nobody decided in time.
    Expired {},
    /// The run went away.
    Withdrawn {},
}

impl State {
    /// The name in documents and tables.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Open {} => "open",
            Self::Allowed { reviewed: Reviewed::Narrowed, .. } => "narrowed",
            Self::Allowed { .. } => "approved",
            Self::Rejected { .. } => "rejected",
            Self::Expired {} => "expired",
            Self::Withdrawn {} => "withdrawn",
        }
    }
}

/// What can happen to a request.
#[derive(Debug, Clone)]
pub enum Event {
    /// A human decides.
    Decide {
        /// Who.
        by: Principal,
        /// The digest of what they saw.
        saw: Digest,
        /// What they say.
        verdict: Verdict,
    },
    /// Its time is over.
    Expire,
    /// Its run went away.
    Withdraw,
}

impl Approval {
    /// A request that waits for `policy`'s humans.
    pub fn new(request: Request, policy: Policy) -> Result<Self, BadRequest> {
        request.check()?;
        if policy.approvers == 0 || policy.approvers > APPROVERS_MAX {
            return Err(BadRequest::Approvers);
        }
        Ok(Self { request, policy, given: Vec::new(), state: State::Open {} })
    }

    /// What was asked.
    pub const fn request(&self) -> &Request {
        &self.request
    }

    /// What became of it.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Every decision, in order.
    pub fn given(&self) -> &[Given] {
        &self.given
    }

    /// The same request after `event`. What is refused has no effect.
    pub fn step(
        self,
        event: Event,
        bounds: &[Bounds<'_>],
        now: Timestamp,
    ) -> Result<Self, Refused> {
        match event {
            Event::Decide { by, saw, verdict } => self.decide(&by, saw, verdict, bounds, now),
            Event::Expire => {
                self.check_open()?;
                check(now >= self.request.expires, Refused::Early)?;
                Ok(Self { state: State::Expired {}, ..self })
            }
            Event::Withdraw => {
                self.check_open()?;
                Ok(Self { state: State::Withdrawn {}, ..self })
            }
        }
    }

    fn decide(
        mut self,
        by: &Principal,
        saw: Digest,
        verdict: Verdict,
        bounds: &[Bounds<'_>],
        now: Timestamp,
    ) -> Result<Self, Refused> {
        let given = Given { by: by.id.clone(), at: now, saw, verdict };
        if let Some(before) = self.given.iter().find(|before| before.by == given.by) {
            // A second click says the same and changes nothing.
            let same = before.saw == given.saw && before.verdict == given.verdict;
            return if same { Ok(self) } else { Err(Refused::Decided) };
        }
        self.check_open()?;
        self.check_approver(by)?;
        check(self.request.digest() == Ok(given.saw), Refused::Edited)?;
        check(now < self.request.expires, Refused::Late)?;
        given.verdict.check(&self.request.matter, bounds)?;
        let agreed = self.agree(&given.verdict)?;
        self.given.push(given);
        if let Some(state) = agreed {
            self.state = state;
        }
        Ok(self)
    }

    fn check_approver(&self, by: &Principal) -> Result<(), Refused> {
        let human = match by.kind {
            CallerKind::User => true,
            CallerKind::Agent | CallerKind::System => false,
        };
        check(human, Refused::NotHuman)?;
        let asked = by.id == self.request.agent;
        let caller = by.id == self.request.caller && !self.policy.caller;
        check(!asked && !caller, Refused::Requester)?;
        check(by.roles.contains(&self.policy.role), Refused::Role)
    }

    /// What is decided with `verdict`, if anything is yet.
    fn agree(&self, verdict: &Verdict) -> Result<Option<State>, Refused> {
        if let Verdict::Reject { reason } = verdict {
            return Ok(Some(State::Rejected { reason: reason.clone() }));
        }
        let earlier = self.given.iter().map(|given| &given.verdict);
        let allowed = earlier.into_iter().try_fold(verdict.clone(), |both, one| both.meet(one))?;
        if self.given.len() + 1 < usize::from(self.policy.approvers) {
            return Ok(None);
        }
        let reviewed = allowed.reviewed(&self.request.matter);
        Ok(Some(State::Allowed { reviewed, allowed }))
    }

    fn check_open(&self) -> Result<(), Refused> {
        check(self.state == State::Open {}, Refused::Decided)
    }
}

fn check(holds: bool, refused: Refused) -> Result<(), Refused> {
    if holds { Ok(()) } else { Err(refused) }
}
