//! Orders: what a provider is asked to do with the money.

use serde::{Deserialize, Serialize};

use envelope_evidence::{Label, Timestamp};

use super::book::Account;
use crate::contract::{Id, MinorUnits};

/// The name of an order, never given to two: the provider's idempotency key.
pub type CommandId = Label;

/// An order and its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// The name.
    pub id: CommandId,
    /// What is to be done.
    pub order: Order,
}

/// What a provider is to do. Amounts are in smallest units of the purchase's currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Order {
    /// Collect from the buyer and hold. Not called escrow: not every provider may say so.
    Hold {
        /// How much.
        amount: MinorUnits,
        /// How long the provider may hold it.
        expires: Timestamp,
    },
    /// Pay out of what is held: all of it, a part, or the share of a milestone.
    Release {
        /// Who is paid.
        to: Payee,
        /// How much.
        amount: MinorUnits,
        /// The milestone that earned it.
        milestone: Option<Id>,
    },
    /// Give back to the buyer out of what is held.
    Refund {
        /// How much.
        amount: MinorUnits,
    },
    /// Take back what a payee has already. It may fail: the money is no longer the provider's.
    Reverse {
        /// Who has it.
        from: Payee,
        /// How much.
        amount: MinorUnits,
    },
}

/// Who earns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Payee {
    /// The developer, for the work.
    Developer,
    /// The marketplace, its service fee.
    Marketplace,
}

impl Payee {
    /// The payee's account.
    pub const fn account(self) -> Account {
        match self {
            Self::Developer => Account::Developer,
            Self::Marketplace => Account::Marketplace,
        }
    }
}
