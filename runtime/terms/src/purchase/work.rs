//! From payment to delivery.

use envelope_evidence::{Digest, Timestamp};

use super::{Effect, Purchase, RUNS_MAX, Refused, Review, State, Stepped, Work};
use crate::acceptance::Delivery;
use crate::escrow::{self, Order};

impl Purchase {
    pub(super) fn asked_to_pay(self, expires: Timestamp, now: Timestamp) -> Stepped {
        match &self.state {
            State::PendingPayment { pay_by } if now < *pay_by && now < expires => {
                let amount = self.snapshot.contract.price.escrow;
                self.order(Order::Hold { amount, expires }, now)
            }
            State::PendingPayment { .. }
            | State::Compiled {}
            | State::EscrowFunded {}
            | State::ExecutionInProgress { .. }
            | State::QualityReview { .. }
            | State::DeliverableStaged { .. }
            | State::FundsReleased { .. }
            | State::ResolvedRefund { .. }
            | State::ResolvedRelease { .. }
            | State::ResolvedPartial { .. } => Err(self.not_now("pay")),
        }
    }

    /// The criteria are locked before the first token is consumed.
    pub(super) fn started(self, criteria: Digest) -> Stepped {
        self.parties()?;
        match &self.state {
            State::EscrowFunded {} => {
                let locked = self.snapshot.contract.criteria_digest()?;
                if criteria != locked {
                    return Err(Refused::OtherCriteria { locked, found: criteria });
                }
                let work = Work::default();
                let state = State::ExecutionInProgress { work };
                Ok((self.at(state), vec![Effect::AllowRuns { criteria }]))
            }
            State::Compiled {}
            | State::PendingPayment { .. }
            | State::ExecutionInProgress { .. }
            | State::QualityReview { .. }
            | State::DeliverableStaged { .. }
            | State::FundsReleased { .. }
            | State::ResolvedRefund { .. }
            | State::ResolvedRelease { .. }
            | State::ResolvedPartial { .. } => Err(self.not_now("start")),
        }
    }

    /// A run ends with a receipt also when the parties dispute by then.
    pub(super) fn run_ended(mut self, receipt: Digest) -> Stepped {
        match &mut self.state {
            State::ExecutionInProgress { work } => {
                if work.runs.contains(&receipt) {
                    return Err(Refused::RunKnown(receipt));
                }
                if work.runs.len() >= RUNS_MAX {
                    return Err(Refused::TooMany);
                }
                work.runs.push(receipt);
                Ok((self, Vec::new()))
            }
            State::Compiled {}
            | State::PendingPayment { .. }
            | State::EscrowFunded {}
            | State::QualityReview { .. }
            | State::DeliverableStaged { .. }
            | State::FundsReleased { .. }
            | State::ResolvedRefund { .. }
            | State::ResolvedRelease { .. }
            | State::ResolvedPartial { .. } => Err(self.not_now("end a run")),
        }
    }

    pub(super) fn delivered(self, delivery: Delivery, now: Timestamp) -> Stepped {
        self.parties()?;
        match &self.state {
            State::ExecutionInProgress { work } => {
                let unknown =
                    delivery.items().iter().find(|item| !work.runs.contains(&item.receipt));
                if let Some(item) = unknown {
                    return Err(Refused::RunUnknown(item.receipt));
                }
                let wanted = self.snapshot.contract.deliverables.iter();
                if let Some(missing) =
                    wanted.into_iter().find(|one| delivery.item(&one.id).is_none())
                {
                    return Err(Refused::Undelivered(missing.id.clone()));
                }
                let observations = std::collections::BTreeMap::new();
                let work = work.clone();
                let check = Effect::Check { delivery: delivery.clone() };
                let review = Review { delivery, delivered: now, observations };
                let state = State::QualityReview { work, review, cure_until: None };
                Ok((self.at(state), vec![Effect::StopRuns {}, check]))
            }
            State::Compiled {}
            | State::PendingPayment { .. }
            | State::EscrowFunded {}
            | State::QualityReview { .. }
            | State::DeliverableStaged { .. }
            | State::FundsReleased { .. }
            | State::ResolvedRefund { .. }
            | State::ResolvedRelease { .. }
            | State::ResolvedPartial { .. } => Err(self.not_now("deliver")),
        }
    }

    /// Orders a movement of money under a name that follows from how many there were.
    pub(super) fn order(mut self, order: Order, now: Timestamp) -> Stepped {
        let Some(escrow) = self.escrow.take() else { return Err(self.not_now("pay")) };
        let id = format!("{}/{}", self.snapshot.purchase, escrow.orders());
        let command = escrow::Command { id: escrow::CommandId::cut(&id), order };
        let (escrow, effects) = escrow.step(escrow::Event::Order { command }, now)?;
        self.escrow = Some(escrow);
        Ok((self, effects.into_iter().map(|effect| Effect::Money { effect }).collect()))
    }
}
