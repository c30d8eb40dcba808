//! What happens to a purchase, what the world has to do about it, and why not.

use serde::{Deserialize, Serialize};

use envelope_evidence::{Digest, Label, Timestamp, canonical};

use super::{Division, Seen};
use crate::acceptance::{Delivery, Observation};
use crate::contract::Id;
use crate::dispute::{self, Cause};
use crate::escrow::{self, CommandId, Fact, ProviderId};

/// Something that happens, and its name: told twice it counts once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// The name, never given to two.
    pub id: Label,
    /// What happens.
    pub act: Act,
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Act {
    /// The buyer buys, and says what they saw.
    Buy {
        /// What the buyer saw.
        seen: Seen,
        /// What is listed now, read in the same transaction.
        current: Seen,
        /// Who settles.
        provider: ProviderId,
    },
    /// The buyer is asked to pay in.
    Pay {
        /// How long the provider may hold the money.
        expires: Timestamp,
    },
    /// Work may begin.
    Start {
        /// The digest of the criteria that the work is locked to.
        criteria: Digest,
    },
    /// A run ended, however it ended.
    RunEnded {
        /// The digest of its receipt.
        receipt: Digest,
    },
    /// The receipts add up to a delivery.
    Deliver {
        /// The delivery.
        delivery: Delivery,
    },
    /// A criterion was checked.
    Observe {
        /// What came of it.
        observation: Box<Observation>,
    },
    /// The developer cures a failed review by working again.
    Cure {},
    /// The buyer accepts.
    Accept {},
    /// The buyer accepts a milestone.
    AcceptMilestone {
        /// Which one.
        milestone: Id,
    },
    /// Somebody opens a dispute, or the agent was killed.
    Open {
        /// Why.
        cause: Cause,
    },
    /// Something happens in the dispute.
    Dispute {
        /// What.
        event: dispute::Event,
    },
    /// Something became known about the money.
    Money {
        /// What.
        fact: Fact,
    },
    /// The operator has the provider try again.
    Retry {},
    /// The operator gives up what a payee does not give back.
    WriteOff {},
    /// Time passed.
    Tick {},
}

impl Act {
    /// The name in documents.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Buy { .. } => "buy",
            Self::Pay { .. } => "pay",
            Self::Start { .. } => "start",
            Self::RunEnded { .. } => "run-ended",
            Self::Deliver { .. } => "deliver",
            Self::Observe { .. } => "observe",
            Self::Cure {} => "cure",
            Self::Accept {} => "accept",
            Self::AcceptMilestone { .. } => "accept-milestone",
            Self::Open { .. } => "open",
            Self::Dispute { .. } => "dispute",
            Self::Money { .. } => "money",
            Self::Retry {} => "retry",
            Self::WriteOff {} => "write-off",
            Self::Tick {} => "tick",
        }
    }
}

/// What the world has to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Effect {
    /// Let the agent run.
    AllowRuns {
        /// The digest of the locked criteria, for the warrants.
        criteria: Digest,
    },
    /// Let no further run begin.
    StopRuns {},
    /// Have the criteria checked.
    Check {
        /// The delivery.
        delivery: Delivery,
    },
    /// Ask the buyer to look.
    AskBuyer {
        /// When silence is consent.
        until: Timestamp,
    },
    /// Ask the developer to cure.
    AskCure {
        /// When it becomes a dispute.
        until: Timestamp,
    },
    /// Ask the operator: a provider said no.
    AskOperator {
        /// The order that failed.
        command: CommandId,
    },
    /// Move money, or look where it is.
    Money {
        /// What to do.
        effect: escrow::Effect,
    },
    /// Move the dispute on.
    Dispute {
        /// What to do.
        effect: dispute::Effect,
    },
    /// Tell both parties the same.
    Ended {
        /// Where the money is.
        division: Division,
    },
}

/// Both sides of a listing that changed while it was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the buyer saw listing `{}` and MSA `{}`, but `{}` and `{}` are offered",
    seen.listing, seen.msa, current.listing, current.msa
)]
pub struct Modified {
    /// What the buyer saw.
    pub seen: Seen,
    /// What is offered.
    pub current: Seen,
}

/// Why an event does not change the purchase.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The terms are no longer those that the buyer saw.
    #[error(transparent)]
    ListingModified(Box<Modified>),
    /// It does not belong to this state.
    #[error("cannot {act} in state `{state}`")]
    NotNow {
        /// What was tried.
        act: &'static str,
        /// The state.
        state: &'static str,
    },
    /// A dispute has the purchase in hand.
    #[error("dispute `{0}` is open")]
    Disputed(Digest),
    /// The money is moving.
    #[error("it is decided and the money is on its way")]
    Paying,
    /// No dispute has the purchase in hand.
    #[error("no dispute is open")]
    NoDispute,
    /// Work is locked to other criteria.
    #[error("the criteria are locked as `{locked}`, not `{found}`")]
    OtherCriteria {
        /// The criteria of the Paper.
        locked: Digest,
        /// The others.
        found: Digest,
    },
    /// A receipt counts once.
    #[error("receipt `{0}` is known")]
    RunKnown(Digest),
    /// A delivery rests on receipts of this purchase.
    #[error("receipt `{0}` is of no run of this purchase")]
    RunUnknown(Digest),
    /// Something is not delivered.
    #[error("`{0}` is not delivered")]
    Undelivered(Id),
    /// Not in the Paper.
    #[error("the Paper has no criterion `{0}`")]
    NoSuchCriterion(Id),
    /// Not in the Paper.
    #[error("the Paper has no milestone `{0}`")]
    NoSuchMilestone(Id),
    /// A delivery is checked once by each criterion.
    #[error("criterion `{0}` was checked")]
    ObservedBefore(Id),
    /// A milestone rests on criteria that conform.
    #[error("criterion `{0}` was not found to conform")]
    NotConform(Id),
    /// A milestone is paid once.
    #[error("milestone `{0}` is paid or being paid")]
    MilestonePaid(Id),
    /// Disputes end.
    #[error("a dispute could be opened until {0}")]
    TooLate(Timestamp),
    /// Too early.
    #[error("nothing is due")]
    NothingDue,
    /// A name names one event.
    #[error("event `{0}` was told with other contents")]
    EventReused(Label),
    /// More than a purchase takes.
    #[error("the purchase has too many events or runs")]
    TooMany,
    /// The ledger says no.
    #[error(transparent)]
    Escrow(#[from] escrow::Refused),
    /// The dispute says no.
    #[error(transparent)]
    Dispute(#[from] dispute::Refused),
    /// It has no canonical form.
    #[error(transparent)]
    Canonical(#[from] canonical::Refused),
}

impl Refused {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ListingModified(_) => "LISTING_MODIFIED",
            Self::NotNow { .. } => "PURCHASE_NOT_NOW",
            Self::Disputed(_) => "PURCHASE_DISPUTED",
            Self::Paying => "PURCHASE_PAYING",
            Self::NoDispute => "PURCHASE_NO_DISPUTE",
            Self::OtherCriteria { .. } => "PURCHASE_OTHER_CRITERIA",
            Self::RunKnown(_) => "PURCHASE_RUN_KNOWN",
            Self::RunUnknown(_) => "PURCHASE_RUN_UNKNOWN",
            Self::Undelivered(_) => "PURCHASE_UNDELIVERED",
            Self::NoSuchCriterion(_) => "PURCHASE_NO_SUCH_CRITERION",
            Self::NoSuchMilestone(_) => "PURCHASE_NO_SUCH_MILESTONE",
            Self::ObservedBefore(_) => "PURCHASE_OBSERVED_BEFORE",
            Self::NotConform(_) => "PURCHASE_NOT_CONFORM",
            Self::MilestonePaid(_) => "PURCHASE_MILESTONE_PAID",
            Self::TooLate(_) => "PURCHASE_TOO_LATE",
            Self::NothingDue => "PURCHASE_NOTHING_DUE",
            Self::EventReused(_) => "PURCHASE_EVENT_REUSED",
            Self::TooMany => "PURCHASE_TOO_MANY",
            Self::Escrow(refused) => refused.code(),
            Self::Dispute(refused) => refused.code(),
            Self::Canonical(_) => "PURCHASE_NOT_CANONICAL",
        }
    }
}
