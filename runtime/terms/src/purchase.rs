//! The life of a purchase: from the Paper to the last payment, as a function of events.
//!
//! The money is part of the machine. A final state is reached when the money is where the decision
//! says, not when it was decided. Only [`Purchase::step`] orders movements of money, and only facts
//! from the provider's books report them.

mod division;
mod event;
mod receipt;
mod review;
mod settle;
mod snapshot;
mod work;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use envelope_evidence::{Digest, Label, Timestamp, canonical};

use crate::acceptance::{Delivery, Observation};
use crate::contract::{Id, Share};
use crate::dispute::Dispute;
use crate::escrow::{Escrow, ProviderId};

pub use division::Division;
pub use event::{Act, Effect, Event, Modified, Refused};
pub use receipt::{Life, PURCHASE_TYPE, Receipt, Unplayable, purchase};
pub use snapshot::{Seen, Snapshot};

/// Events in one purchase: a year of daily runs, with everything that is observed about them.
pub const EVENTS_MAX: usize = 20_000;

/// Runs in one purchase: a year of daily ones, each repeated once.
pub const RUNS_MAX: usize = 800;

/// How long the buyer has to pay in. An offer that is open for longer is another offer.
pub const PAY_MILLIS: u64 = 7 * DAY;

pub(crate) const DAY: u64 = 86_400_000;

/// A purchase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Purchase {
    snapshot: Snapshot,
    state: State,
    escrow: Option<Escrow>,
    hand: Hand,
    /// Every dispute there ever was: none is opened twice.
    disputes: BTreeSet<Digest>,
    /// Every event that counted, with the digest of what it said.
    events: BTreeMap<Label, Digest>,
}

/// Where the purchase stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "SCREAMING_SNAKE_CASE", deny_unknown_fields)]
pub enum State {
    /// The Paper exists and nobody has bought it.
    Compiled {},
    /// Bought and not paid in.
    PendingPayment {
        /// When the purchase lapses.
        pay_by: Timestamp,
    },
    /// Paid in, and no run has begun.
    EscrowFunded {},
    /// The agent works.
    ExecutionInProgress {
        /// The runs so far.
        work: Work,
    },
    /// Something was delivered, and its criteria are being checked.
    QualityReview {
        /// The runs so far.
        work: Work,
        /// What was delivered.
        review: Review,
        /// When a failed review becomes a dispute, unless it is cured.
        cure_until: Option<Timestamp>,
    },
    /// All that can be checked without the buyer holds, and the buyer may look.
    DeliverableStaged {
        /// The runs so far.
        work: Work,
        /// What was delivered.
        review: Review,
        /// When silence is consent.
        review_until: Timestamp,
    },
    /// Accepted and paid.
    FundsReleased {
        /// How it ended.
        ending: Ending,
    },
    /// The money is back with the buyer, or never left.
    ResolvedRefund {
        /// How it ended.
        ending: Ending,
    },
    /// A dispute ended in the developer's favour.
    ResolvedRelease {
        /// How it ended.
        ending: Ending,
    },
    /// The money was divided.
    ResolvedPartial {
        /// How it ended.
        ending: Ending,
    },
}

/// The runs of a purchase.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// The receipts, oldest first.
    pub runs: Vec<Digest>,
    /// The milestones that were paid or whose payment is on its way.
    pub milestones: BTreeSet<Id>,
}

/// A delivery under review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// What was delivered.
    pub delivery: Delivery,
    /// When.
    pub delivered: Timestamp,
    /// What was observed, by criterion.
    pub observations: BTreeMap<Id, Observation>,
}

/// How a purchase ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ending {
    /// Where the money is; none if it was never paid in.
    pub division: Option<Division>,
    /// What was delivered, if anything was.
    pub review: Option<Review>,
    /// The runs.
    pub work: Work,
}

/// Who has the purchase in hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Hand {
    /// The parties.
    Parties {},
    /// Those who decide a dispute.
    Dispute {
        /// The dispute.
        dispute: Box<Dispute>,
    },
    /// The provider: it is decided, and the money moves.
    Provider {
        /// What was decided.
        payout: Payout,
    },
}

/// A decision about the money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payout {
    /// Why the money moves.
    pub why: Why,
    /// The share that goes back.
    pub refund: Share,
    /// Where the money goes, once what was on its way has arrived.
    pub division: Option<Division>,
}

/// Why the money moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The buyer accepted, or was silent.
    Accepted,
    /// A dispute gave it to the buyer.
    Refund,
    /// A dispute gave it to the developer.
    Release,
    /// A dispute divided it.
    Partial,
    /// The provider may hold it no longer.
    HoldExpired,
    /// A payee does not give back what it owes.
    WrittenOff,
}

type Stepped = Result<(Purchase, Vec<Effect>), Refused>;

impl Purchase {
    /// A Paper that can be bought.
    pub const fn compiled(snapshot: Snapshot) -> Self {
        Self {
            snapshot,
            state: State::Compiled {},
            escrow: None,
            hand: Hand::Parties {},
            disputes: BTreeSet::new(),
            events: BTreeMap::new(),
        }
    }

    /// What was bought.
    pub const fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Where it stands.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Who has it in hand.
    pub const fn hand(&self) -> &Hand {
        &self.hand
    }

    /// The money, once it was bought.
    pub const fn escrow(&self) -> Option<&Escrow> {
        self.escrow.as_ref()
    }

    /// The settlement provider, once it was bought: it never changes.
    pub fn provider(&self) -> Option<ProviderId> {
        self.escrow.as_ref().map(Escrow::provider)
    }

    /// The same purchase after `event`. The same event again changes nothing and has no effects;
    /// so does one that is refused.
    pub fn step(mut self, event: Event, now: Timestamp) -> Stepped {
        let Event { id, act } = event;
        let said = Digest::of(&canonical::of(&act)?);
        match self.events.get(&id) {
            Some(before) if *before == said => return Ok((self, Vec::new())),
            Some(_) => return Err(Refused::EventReused(id)),
            None if self.events.len() >= EVENTS_MAX => return Err(Refused::TooMany),
            None => self.events.insert(id, said),
        };
        match act {
            Act::Buy { seen, current, provider } => self.bought(seen, current, provider, now),
            Act::Pay { expires } => self.asked_to_pay(expires, now),
            Act::Start { criteria } => self.started(criteria),
            Act::RunEnded { receipt } => self.run_ended(receipt),
            Act::Deliver { delivery } => self.delivered(delivery, now),
            Act::Observe { observation } => self.observed(*observation, now),
            Act::Cure {} => self.cured(now),
            Act::Accept {} => self.accepted(now),
            Act::AcceptMilestone { milestone } => self.milestone_accepted(&milestone, now),
            Act::Open { cause } => self.opened(cause, now),
            Act::Dispute { event } => self.disputed(event, now),
            Act::Money { fact } => self.told(fact, now),
            Act::Retry {} => self.retried(now),
            Act::WriteOff {} => self.written_off(now),
            Act::Tick {} => self.ticked(now),
        }
    }

    fn bought(self, seen: Seen, current: Seen, provider: ProviderId, now: Timestamp) -> Stepped {
        match &self.state {
            State::Compiled {} => {}
            State::PendingPayment { .. }
            | State::EscrowFunded {}
            | State::ExecutionInProgress { .. }
            | State::QualityReview { .. }
            | State::DeliverableStaged { .. }
            | State::FundsReleased { .. }
            | State::ResolvedRefund { .. }
            | State::ResolvedRelease { .. }
            | State::ResolvedPartial { .. } => return Err(self.not_now("buy")),
        }
        let Some(msa) = self.snapshot.msa() else { return Err(self.not_now("buy")) };
        if seen != current || current.msa != msa {
            return Err(Refused::ListingModified(Box::new(Modified { seen, current })));
        }
        let pay_by = after(now, PAY_MILLIS);
        let currency = self.snapshot.contract.price.currency;
        let escrow = Some(Escrow::new(provider, currency));
        Ok((Self { escrow, ..self.at(State::PendingPayment { pay_by }) }, Vec::new()))
    }

    fn at(self, state: State) -> Self {
        Self { state, ..self }
    }

    /// The refusal of an act that does not belong to this state.
    fn not_now(&self, act: &'static str) -> Refused {
        Refused::NotNow { act, state: self.state.name() }
    }

    /// Refuses what only the parties may do while they have the purchase in hand.
    fn parties(&self) -> Result<(), Refused> {
        match &self.hand {
            Hand::Parties {} => Ok(()),
            Hand::Dispute { dispute } => Err(Refused::Disputed(dispute.id())),
            Hand::Provider { .. } => Err(Refused::Paying),
        }
    }

    /// The runs and the review, as far as there are any.
    fn history(&self) -> (Work, Option<Review>) {
        match &self.state {
            State::Compiled {} | State::PendingPayment { .. } | State::EscrowFunded {} => {
                (Work::default(), None)
            }
            State::ExecutionInProgress { work } => (work.clone(), None),
            State::QualityReview { work, review, .. }
            | State::DeliverableStaged { work, review, .. } => (work.clone(), Some(review.clone())),
            State::FundsReleased { ending }
            | State::ResolvedRefund { ending }
            | State::ResolvedRelease { ending }
            | State::ResolvedPartial { ending } => (ending.work.clone(), ending.review.clone()),
        }
    }
}

impl State {
    /// The name in documents.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Compiled {} => "COMPILED",
            Self::PendingPayment { .. } => "PENDING_PAYMENT",
            Self::EscrowFunded {} => "ESCROW_FUNDED",
            Self::ExecutionInProgress { .. } => "EXECUTION_IN_PROGRESS",
            Self::QualityReview { .. } => "QUALITY_REVIEW",
            Self::DeliverableStaged { .. } => "DELIVERABLE_STAGED",
            Self::FundsReleased { .. } => "FUNDS_RELEASED",
            Self::ResolvedRefund { .. } => "RESOLVED_REFUND",
            Self::ResolvedRelease { .. } => "RESOLVED_RELEASE",
            Self::ResolvedPartial { .. } => "RESOLVED_PARTIAL",
        }
    }
}

impl Hand {
    /// The name in documents.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Parties {} => "parties",
            Self::Dispute { .. } => "dispute",
            Self::Provider { .. } => "provider",
        }
    }
}

pub(crate) fn after(now: Timestamp, millis: u64) -> Timestamp {
    Timestamp::from_millis(now.millis().saturating_add(millis)).unwrap_or(Timestamp::MAX)
}
