//! From delivery to acceptance, or to a dispute.

use std::collections::BTreeSet;

use envelope_evidence::journal::Verdict;
use envelope_evidence::{Timestamp, canonical};

use super::division::share_up;
use super::{
    DAY, Effect, Hand, Payout, Purchase, Refused, Review, State, Stepped, Why, Work, after,
};
use crate::acceptance::Observation;
use crate::contract::{Check, Hold, Id, Reviewer, Share};
use crate::dispute::{self, Cause, Dispute, Rules};
use crate::escrow::{self, Order, Payee};

impl Purchase {
    pub(super) fn observed(mut self, observation: Observation, now: Timestamp) -> Stepped {
        self.parties()?;
        let id = observation.criterion.clone();
        if self.snapshot.contract.criterion(&id).is_none() {
            return Err(Refused::NoSuchCriterion(id));
        }
        match &mut self.state {
            State::QualityReview { review, .. } | State::DeliverableStaged { review, .. } => {
                if review.observations.contains_key(&id) {
                    return Err(Refused::ObservedBefore(id));
                }
                review.observations.insert(id, observation);
            }
            State::Compiled {}
            | State::PendingPayment { .. }
            | State::EscrowFunded {}
            | State::ExecutionInProgress { .. }
            | State::FundsReleased { .. }
            | State::ResolvedRefund { .. }
            | State::ResolvedRelease { .. }
            | State::ResolvedPartial { .. } => return Err(self.not_now("observe")),
        }
        self.concluded(now)
    }

    /// Stages the delivery when all that can be checked without the buyer conforms, and fails the
    /// review when something does not.
    fn concluded(self, now: Timestamp) -> Stepped {
        let (work, review) = self.history();
        let Some(review) = review else { return Ok((self, Vec::new())) };
        if !self.all_checked(&review) {
            return Ok((self, Vec::new()));
        }
        let service = &self.snapshot.contract.service;
        let review_until = after(now, service.review_days.get().saturating_mul(DAY));
        let cure_days = self.snapshot.contract.agreed_remedy().cure_days.get();
        match (&self.state, unmet(&review).is_empty()) {
            (State::QualityReview { .. }, true) => {
                let state = State::DeliverableStaged { work, review, review_until };
                Ok((self.at(state), vec![Effect::AskBuyer { until: review_until }]))
            }
            (State::QualityReview { cure_until: None, .. }, false)
            | (State::DeliverableStaged { .. }, false) => {
                if cure_days == 0 {
                    return self.fail_review(&review, now);
                }
                let until = after(now, cure_days.saturating_mul(DAY));
                let state = State::QualityReview { work, review, cure_until: Some(until) };
                Ok((self.at(state), vec![Effect::AskCure { until }]))
            }
            (
                State::QualityReview { .. }
                | State::DeliverableStaged { .. }
                | State::Compiled {}
                | State::PendingPayment { .. }
                | State::EscrowFunded {}
                | State::ExecutionInProgress { .. }
                | State::FundsReleased { .. }
                | State::ResolvedRefund { .. }
                | State::ResolvedRelease { .. }
                | State::ResolvedPartial { .. },
                _,
            ) => Ok((self, Vec::new())),
        }
    }

    /// Whether each criterion that does not wait for the buyer was observed.
    fn all_checked(&self, review: &Review) -> bool {
        self.snapshot.contract.criteria.iter().all(|criterion| {
            matches!(criterion.check, Check::HumanReview { reviewer: Reviewer::Buyer, .. })
                || review.observations.contains_key(&criterion.id)
        })
    }

    pub(super) fn fail_review(self, review: &Review, now: Timestamp) -> Stepped {
        let delivery = envelope_evidence::Digest::of(&canonical::of(&review.delivery)?);
        self.opened(Cause::FailedReview { criteria: unmet(review), delivery }, now)
    }

    /// The developer cures a failed review by working again.
    pub(super) fn cured(self, now: Timestamp) -> Stepped {
        self.parties()?;
        match &self.state {
            State::QualityReview { work, cure_until: Some(until), .. } if now < *until => {
                let work = work.clone();
                let criteria = self.snapshot.contract.criteria_digest()?;
                let state = State::ExecutionInProgress { work };
                Ok((self.at(state), vec![Effect::AllowRuns { criteria }]))
            }
            State::QualityReview { .. }
            | State::Compiled {}
            | State::PendingPayment { .. }
            | State::EscrowFunded {}
            | State::ExecutionInProgress { .. }
            | State::DeliverableStaged { .. }
            | State::FundsReleased { .. }
            | State::ResolvedRefund { .. }
            | State::ResolvedRelease { .. }
            | State::ResolvedPartial { .. } => Err(self.not_now("cure")),
        }
    }

    pub(super) fn accepted(self, now: Timestamp) -> Stepped {
        self.parties()?;
        match &self.state {
            State::DeliverableStaged { .. } => self.pay(Why::Accepted, Share::MIN, now),
            State::Compiled {}
            | State::PendingPayment { .. }
            | State::EscrowFunded {}
            | State::ExecutionInProgress { .. }
            | State::QualityReview { .. }
            | State::FundsReleased { .. }
            | State::ResolvedRefund { .. }
            | State::ResolvedRelease { .. }
            | State::ResolvedPartial { .. } => Err(self.not_now("accept")),
        }
    }

    /// Pays the share of one milestone: its criteria conform, or the buyer says so where the buyer
    /// was to be asked.
    pub(super) fn milestone_accepted(mut self, id: &Id, now: Timestamp) -> Stepped {
        let milestones = &self.snapshot.contract.milestones;
        let Some(at) = milestones.iter().position(|milestone| milestone.id == *id) else {
            return Err(Refused::NoSuchMilestone(id.clone()));
        };
        let shares = self.snapshot.contract.price.split(milestones.iter().map(|one| one.weight));
        let criteria = milestones.get(at).map(|milestone| milestone.criteria.clone());
        let (amount, Some(criteria)) = (shares.get(at).copied().unwrap_or(0), criteria) else {
            return Err(Refused::NoSuchMilestone(id.clone()));
        };
        self.may_pay_milestone()?;
        let now_refused = self.not_now("accept a milestone");
        let (work, review) = match &mut self.state {
            State::QualityReview { work, review, .. }
            | State::DeliverableStaged { work, review, .. } => (work, review),
            State::Compiled {}
            | State::PendingPayment { .. }
            | State::EscrowFunded {}
            | State::ExecutionInProgress { .. }
            | State::FundsReleased { .. }
            | State::ResolvedRefund { .. }
            | State::ResolvedRelease { .. }
            | State::ResolvedPartial { .. } => return Err(now_refused),
        };
        if let Some(open) = criteria.iter().find(|criterion| !conforms(review, criterion)) {
            return Err(Refused::NotConform(open.clone()));
        }
        if !work.milestones.insert(id.clone()) {
            return Err(Refused::MilestonePaid(id.clone()));
        }
        let Ok(amount) = crate::contract::MinorUnits::new(amount) else {
            return Err(Refused::NoSuchMilestone(id.clone()));
        };
        let milestone = Some(id.clone());
        self.order(Order::Release { to: Payee::Developer, amount, milestone }, now)
    }

    fn may_pay_milestone(&self) -> Result<(), Refused> {
        match &self.hand {
            // What a dispute does not freeze, it does not stop.
            Hand::Dispute { dispute } if dispute.rules().remedy.hold == Hold::Disputed => Ok(()),
            Hand::Parties {} | Hand::Dispute { .. } | Hand::Provider { .. } => self.parties(),
        }
    }

    /// Opens a dispute. The same cause again, also after it was decided, opens none.
    pub(super) fn opened(mut self, cause: Cause, now: Timestamp) -> Stepped {
        let rules = Rules::of(&self.snapshot.contract, self.snapshot.paper);
        let id = cause.dispute_under(rules.paper)?;
        if self.disputes.contains(&id) {
            return Ok((self, Vec::new()));
        }
        self.parties()?;
        self.may_open(&cause, now)?;
        let frozen = self.disputed_amount(&cause, &rules);
        let (dispute, effects) = Dispute::open(rules, cause)?;
        self.disputes.insert(id);
        self.hand = Hand::Dispute { dispute: Box::new(dispute) };
        if let Some(escrow) = self.escrow.take() {
            let (escrow, _) = escrow.step(escrow::Event::Freeze { amount: frozen }, now)?;
            self.escrow = Some(escrow);
        }
        let effects = effects.into_iter().map(|effect| Effect::Dispute { effect });
        let stop = Effect::StopRuns {};
        Ok((self, effects.chain([stop]).collect()))
    }

    fn may_open(&self, cause: &Cause, now: Timestamp) -> Result<(), Refused> {
        if let Some(criteria) = cause.criteria() {
            let known = |id: &&Id| self.snapshot.contract.criterion(id).is_none();
            if let Some(stranger) = criteria.iter().find(known) {
                return Err(Refused::NoSuchCriterion(stranger.clone()));
            }
        }
        match &self.state {
            State::EscrowFunded {}
            | State::ExecutionInProgress { .. }
            | State::QualityReview { .. }
            | State::DeliverableStaged { .. } => Ok(()),
            State::FundsReleased { ending } => {
                let days = self.snapshot.contract.dispute.open_days.get();
                let delivered = ending.review.as_ref().map(|review| review.delivered);
                let until = delivered.map(|at| after(at, days.saturating_mul(DAY)));
                match until {
                    Some(until) if now >= until => Err(Refused::TooLate(until)),
                    Some(_) | None => Ok(()),
                }
            }
            State::Compiled {}
            | State::PendingPayment { .. }
            | State::ResolvedRefund { .. }
            | State::ResolvedRelease { .. }
            | State::ResolvedPartial { .. } => Err(self.not_now("dispute")),
        }
    }

    /// How much a dispute stops: the share that its criteria weigh, or everything.
    fn disputed_amount(&self, cause: &Cause, rules: &Rules) -> u64 {
        let held = self.escrow.as_ref().map_or(0, |escrow| escrow.book().held());
        let criteria = cause.criteria().filter(|criteria| !criteria.is_empty());
        match (rules.remedy.hold, criteria) {
            (Hold::Disputed, Some(criteria)) => {
                share_up(held, dispute::weight_of(criteria, &rules.weights))
            }
            (Hold::Disputed, None) | (Hold::Full, _) => u64::MAX,
        }
    }

    pub(super) fn disputed(mut self, event: dispute::Event, now: Timestamp) -> Stepped {
        let dispute = match &self.hand {
            Hand::Dispute { dispute } => dispute.as_ref().clone(),
            Hand::Parties {} | Hand::Provider { .. } => return Err(Refused::NoDispute),
        };
        let (dispute, effects) = dispute.step(event, now)?;
        let mut effects: Vec<_> =
            effects.into_iter().map(|effect| Effect::Dispute { effect }).collect();
        let decision = dispute.decision().cloned();
        let rules = dispute.rules().clone();
        self.hand = Hand::Dispute { dispute: Box::new(dispute) };
        let Some(decision) = decision else { return Ok((self, effects)) };
        let unmet = dispute::weight_of(&decision.unmet, &rules.weights);
        let Some(refund) = dispute::refund_share(decision.verdict, &rules.remedy, unmet) else {
            return Ok((self, effects));
        };
        let why = match decision.verdict {
            crate::contract::Verdict::Refund => Why::Refund,
            crate::contract::Verdict::Release => Why::Release,
            crate::contract::Verdict::Partial | crate::contract::Verdict::CannotDecide => {
                Why::Partial
            }
        };
        let (purchase, moved) = self.pay(why, refund, now)?;
        effects.extend(moved);
        Ok((purchase, effects))
    }

    /// Puts the purchase into the provider's hand and orders the first movement.
    pub(super) fn pay(mut self, why: Why, refund: Share, now: Timestamp) -> Stepped {
        if let Some(escrow) = self.escrow.take() {
            let (escrow, _) = escrow.step(escrow::Event::Thaw {}, now)?;
            self.escrow = Some(escrow);
        }
        self.hand = Hand::Provider { payout: Payout { why, refund, division: None } };
        self.settle(now)
    }
}

/// The criteria that were observed and do not conform.
fn unmet(review: &Review) -> BTreeSet<Id> {
    let fails = |(_, observation): &(&Id, &Observation)| observation.verdict != Verdict::Conform;
    review.observations.iter().filter(fails).map(|(id, _)| id.clone()).collect()
}

fn conforms(review: &Review, criterion: &Id) -> bool {
    let observation = review.observations.get(criterion);
    observation.is_some_and(|observation| observation.verdict == Verdict::Conform)
}

impl Work {
    /// Whether the milestone was paid or its payment is on its way.
    pub fn paid(&self, milestone: &Id) -> bool {
        self.milestones.contains(milestone)
    }
}
