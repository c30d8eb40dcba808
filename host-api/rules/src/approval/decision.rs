//! What a human says, and why it may not count.

use envelope_evidence::Label;
use envelope_evidence::journal::{CallerKind, Reviewed};
use serde::{Deserialize, Serialize};

use super::request::{Matter, Wanted, answer_fits};
use super::{Bounds, check};

/// Who decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Principal {
    /// Who.
    pub id: Label,
    /// Human, agent or machine.
    pub kind: CallerKind,
    /// What they are here.
    pub roles: Vec<Label>,
}

/// What a human says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Verdict {
    /// So much authority, and no more.
    Allow {
        /// How much.
        scope: Wanted,
    },
    /// This one of the answers.
    Choose {
        /// Its place.
        choice: u32,
    },
    /// This document.
    Answer {
        /// In JSON.
        document: String,
    },
    /// No.
    Reject {
        /// Why.
        reason: Label,
    },
}

impl Verdict {
    /// Whether it answers `matter`, and reaches no further than anybody allows.
    pub(super) fn check(&self, matter: &Matter, bounds: &[Bounds<'_>]) -> Result<(), Refused> {
        match (self, matter) {
            (Self::Reject { .. }, _) => Ok(()),
            (Self::Allow { scope }, Matter::Scope { wanted, .. }) => {
                scope.beyond(wanted).map_or(Ok(()), |key| Err(Refused::Wider(key)))?;
                bounds.iter().try_for_each(|bounds| bounds.check(scope))
            }
            (Self::Choose { choice }, Matter::Choice { choices, .. }) => {
                let known = usize::try_from(*choice).is_ok_and(|at| at < choices.len());
                check(known, Refused::Answer)
            }
            (Self::Answer { document }, Matter::Document { .. }) => {
                check(answer_fits(document), Refused::Answer)
            }
            (Self::Allow { .. } | Self::Choose { .. } | Self::Answer { .. }, _) => {
                Err(Refused::Answer)
            }
        }
    }

    /// What both humans say: the lesser of two scopes, or the same answer.
    pub(super) fn meet(self, other: &Self) -> Result<Self, Refused> {
        match (&self, other) {
            (Self::Allow { scope }, Self::Allow { scope: earlier }) => {
                if scope.beyond(earlier).is_none() {
                    return Ok(self);
                }
                let lesser = earlier.beyond(scope).is_none();
                if lesser { Ok(other.clone()) } else { Err(Refused::Apart) }
            }
            (this, that) if this == that => Ok(self),
            (Self::Allow { .. } | Self::Choose { .. } | Self::Answer { .. }, _)
            | (Self::Reject { .. }, _) => Err(Refused::Apart),
        }
    }

    /// What a record says of it: whether it gives all that was asked.
    pub fn reviewed(&self, matter: &Matter) -> Reviewed {
        match (self, matter) {
            (Self::Reject { .. }, _) => Reviewed::Rejected,
            (Self::Allow { scope }, Matter::Scope { wanted, .. }) if scope != wanted => {
                Reviewed::Narrowed
            }
            (Self::Allow { .. } | Self::Choose { .. } | Self::Answer { .. }, _) => {
                Reviewed::Approved
            }
        }
    }
}

impl Bounds<'_> {
    /// Whether `scope` is within what this party allows; else the key that forbids it.
    pub fn check(&self, scope: &Wanted) -> Result<(), Refused> {
        let most = Wanted {
            read: self.read.clone(),
            write: self.write.cloned(),
            hosts: self.hosts.to_vec(),
            models: self.models.to_vec(),
            nano_usd: self.nano_usd,
            ttl: self.ttl,
        };
        let party = self.party;
        scope.beyond(&most).map_or(Ok(()), |key| Err(Refused::Forbidden { party, key }))
    }
}

/// A decision that does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Agents and machines decide nothing.
    #[error("only a human decides")]
    NotHuman,
    /// Who asked.
    #[error("whoever asked does not decide")]
    Requester,
    /// Not one of those who may.
    #[error("the role that may decide is missing")]
    Role,
    /// Another request.
    #[error("the request is not the one that was seen")]
    Edited,
    /// The time to decide is over.
    #[error("the request has expired")]
    Late,
    /// The time to decide is not over.
    #[error("the request has not expired")]
    Early,
    /// Decided before.
    #[error("the request is decided")]
    Decided,
    /// More than was asked.
    #[error("`{0}` is wider than what was asked for")]
    Wider(&'static str),
    /// More than somebody allows.
    #[error("`{key}` is forbidden by the {party}")]
    Forbidden {
        /// Whose word it is.
        party: &'static str,
        /// The key that forbids it.
        key: &'static str,
    },
    /// No answer to this question.
    #[error("it does not answer what was asked")]
    Answer,
    /// Two humans said what does not go together.
    #[error("it does not go together with what another approver said")]
    Apart,
}

impl Refused {
    /// The stable spelling.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotHuman => "APPROVAL_NOT_HUMAN",
            Self::Requester => "APPROVAL_SELF",
            Self::Role => "APPROVAL_ROLE",
            Self::Edited => "APPROVAL_EDITED",
            Self::Late => "APPROVAL_EXPIRED",
            Self::Early => "APPROVAL_NOT_EXPIRED",
            Self::Decided => "APPROVAL_DECIDED",
            Self::Wider(_) => "APPROVAL_WIDER",
            Self::Forbidden { .. } => "APPROVAL_FORBIDDEN",
            Self::Answer => "APPROVAL_NO_ANSWER",
            Self::Apart => "APPROVAL_APART",
        }
    }
}
