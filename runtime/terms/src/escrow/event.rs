//! What happens to the money of a purchase, what the world has to do about it, and why not.

use serde::{Deserialize, Serialize};

use envelope_evidence::{Label, Timestamp};

use super::COMMANDS_MAX;
use super::book::{Overdrawn, Posting};
use super::order::{Command, CommandId};
use super::provider::ProviderId;
use crate::contract::Currency;

/// What happens to the money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Event {
    /// Somebody with the right to do so orders a movement.
    Order {
        /// The order.
        command: Command,
    },
    /// Something became known about an order.
    Fact {
        /// What.
        fact: Fact,
    },
    /// A dispute stops this much of what is held from moving, in smallest units.
    Freeze {
        /// How much.
        amount: u64,
    },
    /// The dispute is decided.
    Thaw {},
    /// Time passed: the hold may have expired.
    Expire {},
}

/// What became known about an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fact {
    /// The provider's books show that the money moved.
    Settled {
        /// The order.
        command: CommandId,
    },
    /// The provider's books show that it did not and will not.
    Failed {
        /// The order.
        command: CommandId,
        /// Why, in the provider's words.
        why: Label,
    },
    /// Somebody says that something happened: a reason to read the provider's books, no more.
    Notified {
        /// The order.
        command: CommandId,
    },
}

/// What the world has to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Effect {
    /// Send the order to the provider, under its id: sent twice it is done once.
    Send {
        /// The provider.
        provider: ProviderId,
        /// The currency of the amount.
        currency: Currency,
        /// The order.
        command: Command,
    },
    /// Read from the provider's books what became of the order.
    Read {
        /// The provider.
        provider: ProviderId,
        /// The order.
        command: CommandId,
    },
    /// Write a posting.
    Post {
        /// The posting.
        posting: Posting,
    },
}

/// Why an event does not change the ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The money is there or on its way.
    #[error("the escrow is funded already")]
    AlreadyFunded,
    /// Nothing was paid in.
    #[error("the escrow is not funded")]
    NotFunded,
    /// Orders go one by one.
    #[error("order `{0}` is on its way: wait for what becomes of it")]
    InFlight(CommandId),
    /// An id names one order.
    #[error("order `{0}` was given with other contents")]
    Reused(CommandId),
    /// A fact about an order that was never given.
    #[error("order `{0}` was never given")]
    Unknown(CommandId),
    /// An order ends once.
    #[error("order `{0}` is known to have ended the other way")]
    Contradicted(CommandId),
    /// More than there is to move.
    #[error("{asked} were asked for, {there} can move")]
    Insufficient {
        /// The amount asked for.
        asked: u64,
        /// What can move.
        there: u64,
    },
    /// The provider may no longer pay out.
    #[error("the hold expired at {0}: the money can only go back")]
    HoldExpired(Timestamp),
    /// Too early.
    #[error("the hold expires at {0}")]
    NotExpired(Timestamp),
    /// More than [`COMMANDS_MAX`].
    #[error("a purchase has at most {COMMANDS_MAX} orders")]
    TooMany,
}

impl Refused {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AlreadyFunded => "ESCROW_ALREADY_FUNDED",
            Self::NotFunded => "ESCROW_NOT_FUNDED",
            Self::InFlight(_) => "ESCROW_IN_FLIGHT",
            Self::Reused(_) => "ESCROW_COMMAND_REUSED",
            Self::Unknown(_) => "ESCROW_COMMAND_UNKNOWN",
            Self::Contradicted(_) => "ESCROW_CONTRADICTED",
            Self::Insufficient { .. } => "ESCROW_INSUFFICIENT",
            Self::HoldExpired(_) => "ESCROW_HOLD_EXPIRED",
            Self::NotExpired(_) => "ESCROW_NOT_EXPIRED",
            Self::TooMany => "ESCROW_TOO_MANY",
        }
    }
}

impl From<Overdrawn> for Refused {
    fn from(Overdrawn { asked, there }: Overdrawn) -> Self {
        Self::Insufficient { asked, there }
    }
}
