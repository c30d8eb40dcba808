//! Questions to humans: written down, waited for, decided, and never asked again on a replay.
//!
//! ```text
//! look up → admitted → begun, with the whole request (durable) → decided? → reviewed → answered
//!                                                              ↘ nobody yet: the run is put aside
//! ```
//!
//! A run that is put aside has nothing in memory. Taken up again, it comes to the same open call
//! and finds what was decided meanwhile.

use std::sync::Arc;
use std::time::Duration;

use envelope_evidence::journal::{Begun, CallerKind, Content, Event, Review, Reviewed};
use envelope_evidence::time::Rfc3339;
use envelope_evidence::{Digest, Label, Preview, Timestamp, canonical};
use envelope_rules::approval::{self, Approval, Bounds, Matter, State, Verdict, Wanted};
use envelope_rules::budget::Hold;
use envelope_rules::denial::{Code, Denial};
use envelope_rules::guard::{Capability, Permit};
use serde::{Deserialize, Serialize};

use super::exchange::{attended, fetch, keep};
use super::lookup::Known;
use super::rotate::Turned;
use super::{Answer, Gate, Passed};
use crate::cost;
use crate::desk::decide;
use crate::request::Request;
use crate::stop::{Fault, Stop};

/// Questions of one run: a receipt lists every decision, and humans have other things to do.
pub const ASKS_MAX: usize = 16;

/// The least time that a desk has to say what it knows. Only the waiting for people ends with the
/// time of the question: what they decided before counts, however late somebody looks.
const LOOK: Duration = Duration::from_secs(10);

/// Who decided, where no human did: the time was over, or the run was.
const NOBODY: &str = "host";

/// What kind of question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// For more authority: a no is a refusal.
    Scope,
    /// For an answer: a no is one.
    Ask,
    /// Whether one call may pass: a no is a refusal of it.
    Call,
}

impl Kind {
    pub(super) const fn operation(self) -> &'static str {
        match self {
            Self::Scope => "request-scope",
            Self::Ask => "ask",
            Self::Call => "allow",
        }
    }
}

/// A question, and the call that asks it.
pub(crate) struct Question {
    pub(crate) kind: Kind,
    pub(crate) matter: Matter,
    pub(crate) request: Request<'static>,
}

impl Question {
    /// A question that is known by all that is asked.
    pub(crate) fn new(kind: Kind, matter: Matter) -> Self {
        let request = asking(kind, &matter);
        Self { kind, matter, request }
    }
}

/// What became of a question: for the guest, now and on every replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Decided {
    /// The id of the approval.
    pub(crate) approval: Label,
    /// What was decided.
    pub(crate) fate: Fate,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Fate {
    /// Yes, so far.
    Allowed(Verdict),
    /// No, and why.
    Declined(Label),
    /// Nobody decided in time.
    Expired,
}

impl Gate {
    /// Passes a question to humans.
    pub(crate) async fn ask_human(&mut self, question: Question) -> Passed<Decided> {
        let Question { kind, matter, request } = question;
        self.charge(request.fuel);
        let (permit, asked) = match self.look_up(&request)? {
            Known::Answered(recorded) => return self.decided_before(&recorded).await.map(Ok),
            Known::Denied(denial) => {
                self.asks += 1;
                // The run was over: nobody told the guest.
                let over = denial.code() == Code::ApprovalWithdrawn && self.closing.is_some();
                if over && !self.unplayed() {
                    return Err(Stop::EndOfRecord);
                }
                return self.caught_up().map(|()| Err(denial));
            }
            Known::Begun(begun) => {
                let asked = self.asked_before(&begun).await?;
                (self.readmit(&request, &begun)?, Ok(asked))
            }
            Known::Absent => (self.admit(&request)?, self.open_question(kind, matter)),
        };
        let ready = match (permit, asked) {
            (Ok(permit), Ok(asked)) => Ok((permit, asked)),
            (Ok(permit), Err(denial)) => {
                let _ = self.parts.meter.void(permit.spend());
                Err(denial)
            }
            (Err(denial), _) => Err(denial),
        };
        self.asks += 1;
        let (permit, asked) = match ready {
            Ok(ready) => ready,
            Err(denial) => return self.deny(&request, denial).await.map(Err),
        };
        if self.is_new() {
            self.begin_asking(&request, &permit, &asked).await?;
        }
        let hold = permit.spend();
        let approval = self.wait_for_humans(&request, &asked).await?;
        self.conclude(kind, &request, hold, &approval).await
    }

    /// The question as humans see it, if it may be asked.
    fn open_question(&self, kind: Kind, matter: Matter) -> Result<approval::Request, Denial> {
        let world = &self.parts.world;
        let nobody = || Denial::new(Code::Forbidden, "no human is asked here");
        let desk = world.desk().ok_or_else(nobody)?;
        if self.asks >= ASKS_MAX {
            return Err(Denial::new(Code::ApprovalMany, format_args!("{ASKS_MAX} questions")));
        }
        let header = self.parts.journal.header();
        if kind == Kind::Scope && header.caller.kind == CallerKind::Agent {
            return Err(Denial::new(Code::ApprovalCallee, &header.caller.id));
        }
        let end = self.now.millis().saturating_add(desk.rules().window.saturating_mul(1000));
        let end = Timestamp::from_millis(end).unwrap_or(Timestamp::MAX);
        let asked = approval::Request {
            run: header.run.clone(),
            call: u64::try_from(self.next).unwrap_or(u64::MAX),
            agent: header.agent.service.clone(),
            caller: header.caller.id.clone(),
            asked: self.now,
            expires: end.min(self.parts.authorities.warrant.deadline()),
            matter,
        };
        asked.check().map_err(|why| Denial::new(Code::Forbidden, why))?;
        Ok(asked)
    }

    /// Writes down what is asked, before anybody waits for the answer.
    async fn begin_asking(
        &mut self,
        request: &Request<'_>,
        permit: &Permit,
        asked: &approval::Request,
    ) -> Result<(), Stop> {
        let bytes = canonical::of(asked).map_err(|why| Fault::Journal(why.to_string()))?;
        let asks = Some(keep(self.parts.inside.blobs.clone(), &bytes).await?);
        let (call, key) = (self.call(request), Label::cut(&self.key()));
        let (recovery, reserved) = (permit.recovery(), *permit.worst());
        self.record(Event::Begun(Begun { asks, call, recovery, key, reserved }))?;
        Ok(self.parts.writer.flush(true).await?)
    }

    /// What was asked before a process went away.
    async fn asked_before(&mut self, begun: &Begun) -> Result<approval::Request, Stop> {
        let content = begun.asks.as_ref().ok_or(Fault::Unavailable("what was asked"))?;
        self.read_content(content).await
    }

    async fn read_content<T: serde::de::DeserializeOwned + Serialize>(
        &mut self,
        content: &Content,
    ) -> Result<T, Stop> {
        let bytes = fetch(self.parts.inside.blobs.clone(), content).await?;
        let (digest, read) = (content.digest(), canonical::read(&bytes));
        Ok(read.map_err(|why| Fault::Blob { digest, why: why.to_string() })?)
    }

    /// Waits until it is decided, for as long as a guest may wait in memory.
    async fn wait_for_humans(
        &mut self,
        request: &Request<'_>,
        asked: &approval::Request,
    ) -> Result<Approval, Stop> {
        let world = Arc::clone(&self.parts.world);
        let desk = world.desk().ok_or(Fault::Unavailable("a desk that humans sit at"))?;
        let approval = Approval::new(asked.clone(), desk.rules().policy.clone());
        let mut approval = approval.map_err(|why| Fault::Journal(why.to_string()))?;
        if let Some(stop) = world.stopped() {
            return self.withdraw(request, approval, stop).await;
        }
        let left = Duration::from_millis(asked.expires.millis_since(self.time()));
        let waiting = tokio::time::timeout(desk.grace().min(left.max(LOOK)), desk.ask(asked));
        let given = match attended(&*world, waiting).await {
            Ok(given) => given.unwrap_or(Ok(Vec::new()))?,
            Err(stop) => return self.withdraw(request, approval, stop).await,
        };
        self.now = self.time();
        let (most, paper) = (desk.rules().most.as_ref(), self.paper_bound());
        let bounds = most.map(|most| Bounds::of("operator", most));
        let paper = paper.as_ref().map(|paper| Bounds::of("Paper", paper));
        let bounds: Vec<_> = bounds.into_iter().chain(paper).collect();
        for decision in given {
            let at = decision.at.max(asked.asked).min(self.now);
            // What does not count changes nothing, whoever says that it was decided.
            approval = decide(approval.clone(), decision, &bounds, at).unwrap_or(approval);
        }
        let late = approval.clone().step(approval::Event::Expire, &bounds, self.now);
        approval = late.unwrap_or(approval);
        if *approval.state() == (State::Open {}) {
            return Err(Stop::Suspended);
        }
        Ok(approval)
    }

    /// The widest that the Paper lets an approval reach. None without a Paper.
    fn paper_bound(&self) -> Option<Wanted> {
        let document = self.parts.authorities.warrant.document();
        let bound = document.approvals.clone();
        bound.or_else(|| document.paper.map(|_| Wanted::default()))
    }

    /// The run is over: nobody needs to answer any more.
    async fn withdraw(
        &mut self,
        request: &Request<'_>,
        approval: Approval,
        stop: Stop,
    ) -> Result<Approval, Stop> {
        if let Some((_, reason)) = stop.ending() {
            self.now = self.time();
            let withdrawn = approval.step(approval::Event::Withdraw, &[], self.now);
            let withdrawn = withdrawn.map_err(|why| Fault::Journal(why.to_string()))?;
            self.review_by_nobody(&withdrawn, Reviewed::Withdrawn, &reason)?;
            self.deny(request, Denial::new(Code::ApprovalWithdrawn, reason)).await?;
        }
        Err(stop)
    }

    /// Writes down who decided what, then what the guest is told.
    async fn conclude(
        &mut self,
        kind: Kind,
        request: &Request<'_>,
        hold: Hold,
        approval: &Approval,
    ) -> Passed<Decided> {
        let id = Label::cut(&self.key());
        self.record_reviews(approval)?;
        let fate = match approval.state() {
            State::Allowed { allowed, .. } => Fate::Allowed(allowed.clone()),
            State::Rejected { reason } => Fate::Declined(reason.clone()),
            State::Expired {} => Fate::Expired,
            State::Open {} | State::Withdrawn {} => return Err(Stop::Suspended),
        };
        let refusal = match (&fate, kind) {
            (Fate::Allowed(_), _) | (_, Kind::Ask) => None,
            (Fate::Declined(reason), _) => Some(Denial::new(Code::ApprovalRejected, reason)),
            (Fate::Expired, _) => Some(Denial::new(Code::ApprovalExpired, &id)),
        };
        let asked = approval.request();
        let turned = match refusal {
            None => self.turn(kind, asked, &fate, &id),
            Some(denial) => Err(denial),
        };
        let turned = match turned {
            Ok(turned) => turned,
            Err(denial) => {
                let _ = self.parts.meter.void(hold);
                return self.deny(request, denial).await.map(Err);
            }
        };
        let fate = turned.as_ref().map_or(fate.clone(), |turned| turned.fate(&fate));
        let decided = Decided { approval: id, fate };
        self.settle_decided(request, hold, &decided, turned).await?;
        Ok(Ok(decided))
    }

    async fn settle_decided(
        &mut self,
        request: &Request<'_>,
        hold: Hold,
        decided: &Decided,
        turned: Option<Turned>,
    ) -> Result<(), Stop> {
        let bytes = canonical::of(decided).map_err(|why| Fault::Journal(why.to_string()))?;
        let content = keep(self.parts.inside.blobs.clone(), &bytes).await?;
        let rotation = turned.as_ref().map(|turned| Box::new(turned.rotation.clone()));
        self.settle_as(request, hold, Answer::of(content), None, rotation).await?;
        // A decision counts once: what rests on it does not go on before that is certain.
        self.parts.writer.flush(true).await?;
        turned.map_or(Ok(()), |turned| self.hold(turned))
    }

    /// What a human decided, as far as an earlier process did not write it down.
    fn record_reviews(&mut self, approval: &Approval) -> Result<(), Stop> {
        if *approval.state() == (State::Expired {}) {
            return self.review_by_nobody(approval, Reviewed::Expired, "");
        }
        let asked = approval.request();
        for given in approval.given() {
            let note = match &given.verdict {
                Verdict::Reject { reason } => reason.as_str(),
                Verdict::Allow { .. } | Verdict::Choose { .. } | Verdict::Answer { .. } => "",
            };
            let decision = given.verdict.reviewed(&asked.matter);
            self.review(given.by.clone(), decision, given.saw, note, given.at)?;
        }
        Ok(())
    }

    fn review_by_nobody(
        &mut self,
        approval: &Approval,
        decision: Reviewed,
        note: &str,
    ) -> Result<(), Stop> {
        let saw = approval.request().digest().map_err(|why| Fault::Journal(why.to_string()))?;
        self.review(Label::cut(NOBODY), decision, saw, note, self.now)
    }

    fn review(
        &mut self,
        reviewer: Label,
        decision: Reviewed,
        saw: Digest,
        note: &str,
        at: Timestamp,
    ) -> Result<(), Stop> {
        let id = Label::cut(&self.key());
        let known = self.parts.journal.entries().iter().rev().any(|entry| match &entry.event {
            Event::Reviewed(known) => known.id == id && known.reviewer == reviewer,
            Event::Begun(_)
            | Event::Answered(_)
            | Event::Denied(_)
            | Event::Evaluated(_)
            | Event::Ended(_) => false,
        });
        if known {
            return Ok(());
        }
        let note = Preview::of(note, &self.parts.secrets);
        let at = Some(Rfc3339(at));
        self.record(Event::Reviewed(Review { id, reviewer, decision, saw, note, at }))
    }

    /// What was decided before, and what it brought.
    async fn decided_before(&mut self, recorded: &Content) -> Result<Decided, Stop> {
        self.asks += 1;
        let decided: Decided = self.read_content(recorded).await?;
        if let Some(rotation) = self.recorded_rotation() {
            let turned = self.turn_again(rotation)?;
            self.hold(turned)?;
        }
        self.caught_up()?;
        Ok(decided)
    }
}

/// The call that asks.
fn asking(kind: Kind, matter: &Matter) -> Request<'static> {
    let text = match matter {
        Matter::Scope { reason, .. } => reason,
        Matter::Choice { text, .. } | Matter::Document { text, .. } => text,
    };
    let size = serde_json::to_vec(matter).map_or(0, |bytes| bytes.len());
    let size = u64::try_from(size).unwrap_or(u64::MAX);
    let target = text.clone();
    let request = Request::plain(Capability::Approvals, kind.operation(), target, matter);
    let fuel = request.fuel.saturating_add(size.saturating_mul(cost::BYTE));
    Request { fuel, ..request }
}
