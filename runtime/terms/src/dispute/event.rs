//! What happens in a dispute, what the world has to do about it, and why not.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use envelope_evidence::{Digest, Label, canonical};

use super::panel::Million;
use super::record::{BadRecord, SealedRecord};
use super::{Decision, Rules, known};
use crate::contract::{Did, Id, Verdict};

/// Why a dispute was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Cause {
    /// A party says that criteria are unmet, or are met and were not accepted.
    Party {
        /// Which party.
        side: Side,
        /// The criteria it is about: none for all of them.
        criteria: BTreeSet<Id>,
        /// The digest of the party's statement.
        statement: Digest,
    },
    /// The review found criteria unmet and nobody cured them.
    FailedReview {
        /// The criteria.
        criteria: BTreeSet<Id>,
        /// The digest of the reviewed delivery.
        delivery: Digest,
    },
    /// The agent was killed.
    Kill {
        /// The id of the kill.
        kill: Label,
        /// Why, in the words of whoever killed it. The same kill told with other words is the same.
        reason: Label,
    },
}

/// One of the two parties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Who pays.
    Buyer,
    /// Who delivers.
    Developer,
}

impl Cause {
    /// The criteria in dispute; none for all of them.
    pub const fn criteria(&self) -> Option<&BTreeSet<Id>> {
        match self {
            Self::Party { criteria, .. } | Self::FailedReview { criteria, .. } => Some(criteria),
            Self::Kill { .. } => None,
        }
    }

    /// Whether the agent is suspended whatever the remedy says.
    pub const fn suspends(&self) -> bool {
        match self {
            Self::Kill { .. } => true,
            Self::Party { .. } | Self::FailedReview { .. } => false,
        }
    }

    /// The name of the dispute that this cause opens under `paper`.
    pub fn dispute_under(&self, paper: Digest) -> Result<Digest, canonical::Refused> {
        let bytes = match self {
            Self::Kill { kill, .. } => canonical::of(&(paper, "kill", kill))?,
            Self::Party { .. } | Self::FailedReview { .. } => canonical::of(&(paper, self))?,
        };
        Ok(Digest::of(&bytes))
    }
}

/// What happens in a dispute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Event {
    /// The record is complete and will not change.
    Sealed {
        /// The record.
        record: Box<SealedRecord>,
    },
    /// A model answered, or failed to.
    Answered {
        /// Which model, by its name in the contract.
        evaluator: Id,
        /// What it answered.
        answer: Answer,
    },
    /// Time passed: whoever has not answered may count as failed.
    Overdue {},
    /// A person decided.
    Decided {
        /// Who.
        by: Did,
        /// What.
        verdict: Verdict,
        /// The criteria found unmet.
        unmet: BTreeSet<Id>,
    },
}

/// What a model answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Answer {
    /// How likely the buyer is right.
    Belief {
        /// The probability that the buyer is right, in millionths.
        buyer: Million,
        /// How sure the model is of that, in millionths.
        confidence: Million,
        /// The criteria it finds unmet.
        unmet: BTreeSet<Id>,
    },
    /// The record does not decide it. One such answer is enough for a person to look.
    CannotDecide {},
    /// No answer, or none that can be used. It has no say.
    Failed {
        /// Why.
        why: Label,
    },
}

impl Answer {
    pub(super) fn check(&self, rules: &Rules) -> Result<(), Refused> {
        match self {
            Self::Belief { unmet, .. } => known(unmet, rules),
            Self::CannotDecide {} | Self::Failed { .. } => Ok(()),
        }
    }
}

/// Why a person has to decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The stakes ask for it.
    Stakes,
    /// The panel is split.
    Split,
    /// A model says that the record does not decide it.
    CannotDecide,
    /// Fewer than two models have a say, or none of them any confidence.
    TooFewVoices,
}

/// What the world has to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Effect {
    /// Put the record together.
    Seal {
        /// The dispute.
        dispute: Digest,
    },
    /// Suspend the agent.
    Suspend {
        /// The dispute.
        dispute: Digest,
    },
    /// Put the frozen question to a model, with the record and nothing else.
    Ask {
        /// The model, by its name in the contract.
        evaluator: Id,
        /// The digest of the question.
        prompt: Digest,
        /// The digest of the record.
        record: Digest,
    },
    /// Ask a person.
    AskHuman {
        /// The digest of the record.
        record: Digest,
        /// Why a person.
        why: Reason,
        /// What the panel came to.
        advice: Option<Million>,
    },
    /// Tell both parties the same.
    Announce {
        /// The dispute.
        dispute: Digest,
        /// What was decided.
        decision: Decision,
    },
}

/// Why an event does not change the dispute.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The record is not sealed.
    #[error("the record is not sealed yet")]
    NotSealed,
    /// A record cannot be used.
    #[error("the record is refused: {0}")]
    Record(#[from] BadRecord),
    /// The record is fixed.
    #[error("the record was sealed as `{0}` and cannot change")]
    SealedBefore(Digest),
    /// Not on the panel.
    #[error("`{0}` was not asked")]
    NotAsked(Id),
    /// One voice, one answer.
    #[error("`{0}` answered before, and not the same")]
    AnsweredBefore(Id),
    /// The panel has nothing more to say.
    #[error("the panel is closed")]
    PanelClosed,
    /// The panel comes first.
    #[error("the panel has not answered yet")]
    PanelSits,
    /// Too early.
    #[error("the panel has time until {0}")]
    NotDue(super::Timestamp),
    /// Not the person agreed on, or somebody of a party's.
    #[error("`{0}` may not decide this")]
    MayNotDecide(Did),
    /// A person who is asked has to decide.
    #[error("`cannot-decide` ends here: a person has to choose")]
    NoVerdict,
    /// Not among the frozen options.
    #[error("`{0}` is not among the options of the Paper")]
    NotAnOption(&'static str),
    /// It was decided otherwise.
    #[error("the dispute is decided")]
    DecidedBefore,
    /// Not in the Paper.
    #[error("the Paper has no criterion `{0}`")]
    NoSuchCriterion(Id),
}

impl Refused {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotSealed => "DISPUTE_NOT_SEALED",
            Self::Record(_) => "DISPUTE_RECORD",
            Self::SealedBefore(_) => "DISPUTE_SEALED_BEFORE",
            Self::NotAsked(_) => "DISPUTE_NOT_ASKED",
            Self::AnsweredBefore(_) => "DISPUTE_ANSWERED_BEFORE",
            Self::PanelClosed => "DISPUTE_PANEL_CLOSED",
            Self::PanelSits => "DISPUTE_PANEL_SITS",
            Self::NotDue(_) => "DISPUTE_NOT_DUE",
            Self::MayNotDecide(_) => "DISPUTE_MAY_NOT_DECIDE",
            Self::NoVerdict => "DISPUTE_NO_VERDICT",
            Self::NotAnOption(_) => "DISPUTE_NOT_AN_OPTION",
            Self::DecidedBefore => "DISPUTE_DECIDED_BEFORE",
            Self::NoSuchCriterion(_) => "DISPUTE_NO_SUCH_CRITERION",
        }
    }
}
