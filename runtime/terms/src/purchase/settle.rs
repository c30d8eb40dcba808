//! The money catches up with what was decided.

use envelope_evidence::Timestamp;

use super::{
    Division, Effect, Ending, Hand, Payout, Purchase, Refused, Review, State, Stepped, Why, Work,
};
use crate::contract::{MinorUnits, Share};
use crate::escrow::{self, Fact, Order};

/// What happens when nobody did anything in time.
enum Falls<'a> {
    /// The money may be held no longer.
    Expired,
    /// Nobody paid in.
    Unpaid,
    /// Silence is consent.
    Accepted,
    /// What did not conform was not cured.
    Uncured(&'a Review),
}

impl Purchase {
    /// Orders the next movement, or ends the purchase when all money is where it belongs. Does
    /// nothing while an order is on its way.
    pub(super) fn settle(mut self, now: Timestamp) -> Stepped {
        let Hand::Provider { payout } = &self.hand else { return Ok((self, Vec::new())) };
        let mut payout = payout.clone();
        let Some(escrow) = &self.escrow else { return Err(self.not_now("settle")) };
        let Some(hold) = escrow.resting() else { return Ok((self, Vec::new())) };
        let (funded, fee) = (self.funded(), self.fee());
        if escrow.book().held() > 0 && now >= hold.expires && !hold.lapsed {
            // What the provider may hold no longer can only go back, whatever was decided.
            let refund = Share::MAX;
            payout = Payout { why: Why::HoldExpired, refund, division: None };
            let (escrow, _) = escrow.clone().step(escrow::Event::Expire {}, now)?;
            self.escrow = Some(escrow);
        }
        let Some(escrow) = &self.escrow else { return Err(self.not_now("settle")) };
        let book = *escrow.book();
        let refund = payout.refund;
        let division =
            *payout.division.get_or_insert_with(|| Division::of(&book, funded, fee, refund));
        let why = payout.why;
        self.hand = Hand::Provider { payout };
        match division.next(&book, funded) {
            Some(order) => self.order(order, now),
            None => Ok(self.ended(why, Division::actual(&book, funded))),
        }
    }

    fn ended(self, why: Why, division: Division) -> (Self, Vec<Effect>) {
        let (work, review) = self.history();
        let ending = Ending { division: Some(division), review, work };
        let paid = division.developer > 0 || division.marketplace > 0;
        let state = match why {
            Why::Accepted => State::FundsReleased { ending },
            Why::Refund => State::ResolvedRefund { ending },
            Why::Release => State::ResolvedRelease { ending },
            Why::Partial => State::ResolvedPartial { ending },
            Why::HoldExpired | Why::WrittenOff if !paid => State::ResolvedRefund { ending },
            Why::HoldExpired | Why::WrittenOff if division.buyer == 0 => {
                State::ResolvedRelease { ending }
            }
            Why::HoldExpired | Why::WrittenOff => State::ResolvedPartial { ending },
        };
        let ended = Self { hand: Hand::Parties {}, ..self.at(state) };
        (ended, vec![Effect::Ended { division }])
    }

    /// Takes note of what the provider's books say.
    pub(super) fn told(mut self, fact: Fact, now: Timestamp) -> Stepped {
        let Some(before) = self.escrow.take() else { return Err(self.not_now("move money")) };
        let event = escrow::Event::Fact { fact: fact.clone() };
        let (escrow, effects) = before.clone().step(event, now)?;
        let news = escrow != before;
        let funded = matches!(escrow.state(), escrow::State::Held { .. });
        let effects: Vec<_> = effects.into_iter().map(|effect| Effect::Money { effect }).collect();
        self.escrow = Some(escrow);
        if !news {
            return Ok((self, effects));
        }
        if funded && matches!(self.state, State::PendingPayment { .. }) {
            return Ok((self.at(State::EscrowFunded {}), effects));
        }
        match fact {
            Fact::Settled { .. } => self
                .settle(now)
                .map(|(purchase, next)| (purchase, effects.into_iter().chain(next).collect())),
            Fact::Failed { command, .. } => Ok(self.stuck(&command, effects)),
            Fact::Notified { .. } => Ok((self, effects)),
        }
    }

    /// An order failed. Nothing is tried again by itself: a provider that says no would be asked
    /// for ever.
    fn stuck(
        mut self,
        command: &escrow::CommandId,
        mut effects: Vec<Effect>,
    ) -> (Self, Vec<Effect>) {
        let order = self.escrow.as_ref().and_then(|escrow| escrow.order(command));
        let milestone = match order {
            Some(Order::Release { milestone, .. }) => milestone.clone(),
            Some(Order::Hold { .. } | Order::Refund { .. } | Order::Reverse { .. }) | None => None,
        };
        if let (Some(milestone), Some(work)) = (milestone, self.work_mut()) {
            work.milestones.remove(&milestone);
        }
        effects.push(Effect::AskOperator { command: command.clone() });
        (self, effects)
    }

    /// Tries again what the provider refused.
    pub(super) fn retried(self, now: Timestamp) -> Stepped {
        self.waits_for_operator()?;
        self.settle(now)
    }

    /// Gives up what a payee does not give back: a person decides that, and it is written down.
    pub(super) fn written_off(mut self, now: Timestamp) -> Stepped {
        self.waits_for_operator()?;
        let funded = self.funded();
        let (Some(escrow), Hand::Provider { payout }) = (&self.escrow, &mut self.hand) else {
            return Err(self.not_now("write off"));
        };
        let lost = match escrow.state() {
            escrow::State::ReversalFailed { command, .. } => escrow.order(command),
            escrow::State::Unfunded {}
            | escrow::State::HoldPending { .. }
            | escrow::State::Held { .. }
            | escrow::State::ReleasePending { .. }
            | escrow::State::RefundPending { .. }
            | escrow::State::ReversalPending { .. }
            | escrow::State::Expired { .. }
            | escrow::State::Settled { .. } => None,
        };
        let (Some(Order::Reverse { from, .. }), Some(due)) = (lost, payout.division) else {
            return Err(self.not_now("write off"));
        };
        payout.division = Some(due.without(*from, escrow.book(), funded));
        payout.why = Why::WrittenOff;
        self.settle(now)
    }

    fn waits_for_operator(&self) -> Result<(), Refused> {
        let rests = self.escrow.as_ref().is_some_and(|escrow| escrow.resting().is_some());
        match &self.hand {
            Hand::Provider { .. } if rests => Ok(()),
            Hand::Provider { .. } => Err(Refused::Paying),
            Hand::Parties {} | Hand::Dispute { .. } => Err(self.not_now("retry")),
        }
    }

    /// When something happens by itself next, if nobody does anything before.
    pub fn due(&self) -> Option<Timestamp> {
        let dispute = match &self.hand {
            Hand::Dispute { dispute } => dispute.due(),
            Hand::Parties {} | Hand::Provider { .. } => None,
        };
        let own = self.awaited().into_iter().flatten().map(|(at, _)| at);
        own.chain(dispute).min()
    }

    /// Does what is due by now.
    pub(super) fn ticked(self, now: Timestamp) -> Stepped {
        let due = self.awaited().into_iter().flatten().find(|(at, _)| now >= *at);
        match due.map(|(_, falls)| falls).ok_or(Refused::NothingDue)? {
            Falls::Expired => self.pay(Why::HoldExpired, Share::MAX, now),
            Falls::Unpaid => {
                let (work, review) = (Work::default(), None);
                let ending = Ending { division: None, review, work };
                Ok((self.at(State::ResolvedRefund { ending }), Vec::new()))
            }
            Falls::Accepted => self.pay(Why::Accepted, Share::MIN, now),
            Falls::Uncured(review) => {
                let review = review.clone();
                self.fail_review(&review, now)
            }
        }
    }

    /// What time brings about, and when: of the money, which comes first, and of the purchase.
    fn awaited(&self) -> [Option<(Timestamp, Falls<'_>)>; 2] {
        let hold = self.escrow.as_ref().and_then(escrow::Escrow::resting);
        let held = self.escrow.as_ref().map_or(0, |escrow| escrow.book().held());
        let decided = matches!(self.hand, Hand::Provider { .. });
        let hold = hold.filter(|_| held > 0 && !decided).map(|hold| (hold.expires, Falls::Expired));
        let parties = matches!(self.hand, Hand::Parties {});
        let state = match &self.state {
            State::PendingPayment { pay_by } if !self.paying_in() => Some((*pay_by, Falls::Unpaid)),
            State::DeliverableStaged { review_until, .. } if parties => {
                Some((*review_until, Falls::Accepted))
            }
            State::QualityReview { cure_until: Some(until), review, .. } if parties => {
                Some((*until, Falls::Uncured(review)))
            }
            State::PendingPayment { .. }
            | State::DeliverableStaged { .. }
            | State::QualityReview { .. }
            | State::Compiled {}
            | State::EscrowFunded {}
            | State::ExecutionInProgress { .. }
            | State::FundsReleased { .. }
            | State::ResolvedRefund { .. }
            | State::ResolvedRelease { .. }
            | State::ResolvedPartial { .. } => None,
        };
        [hold, state]
    }

    fn paying_in(&self) -> bool {
        let state = self.escrow.as_ref().map(escrow::Escrow::state);
        !matches!(state, Some(escrow::State::Unfunded {}) | None)
    }

    const fn work_mut(&mut self) -> Option<&mut Work> {
        match &mut self.state {
            State::ExecutionInProgress { work }
            | State::QualityReview { work, .. }
            | State::DeliverableStaged { work, .. } => Some(work),
            State::Compiled {}
            | State::PendingPayment { .. }
            | State::EscrowFunded {}
            | State::FundsReleased { .. }
            | State::ResolvedRefund { .. }
            | State::ResolvedRelease { .. }
            | State::ResolvedPartial { .. } => None,
        }
    }

    const fn funded(&self) -> u64 {
        self.snapshot.contract.price.escrow.get()
    }

    fn fee(&self) -> u64 {
        self.snapshot.contract.price.service_fee.map_or(0, MinorUnits::get)
    }
}
