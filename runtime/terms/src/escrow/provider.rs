//! What the ledger asks of a settlement provider, and the one provider that is a person.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use envelope_evidence::Label;

use super::order::{Command, CommandId, Order};

/// Who holds and moves the money. Each purchase names one, for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProviderId {
    /// A person with a bank account.
    Manual,
    /// Stripe: separate charges and transfers.
    Stripe,
    /// Wise.
    Wise,
    /// `PayPal`.
    #[serde(rename = "paypal")]
    PayPal,
    /// A ledger of a crypto currency.
    Crypto,
}

impl ProviderId {
    /// Every provider.
    pub const ALL: [Self; 5] = [Self::Manual, Self::Stripe, Self::Wise, Self::PayPal, Self::Crypto];

    /// The name in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Stripe => "stripe",
            Self::Wise => "wise",
            Self::PayPal => "paypal",
            Self::Crypto => "crypto",
        }
    }
}

/// A settlement provider, as the ledger sees it.
///
/// An order sent twice under one id is done once. What became of an order is read from the
/// provider's books: nothing that the provider announces is believed.
pub trait Provider {
    /// Which provider this is.
    fn id(&self) -> ProviderId;

    /// Hands over an order. Accepted is not done.
    fn send(&mut self, command: &Command) -> Result<(), Unsent>;

    /// What the provider's books say of an order.
    fn read(&self, command: &CommandId) -> Report;
}

/// What a provider's books say of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// It never arrived: send it again.
    Unknown,
    /// It is on its way.
    Pending,
    /// The money moved.
    Settled,
    /// The money did not move and will not.
    Failed {
        /// Why.
        why: Label,
    },
}

/// An order that a provider did not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsent {
    /// The id belongs to another order: a mistake of ours, never to be retried.
    #[error("order `{0}` was sent with other contents")]
    Reused(CommandId),
    /// The provider cannot be reached: the same order may be sent again.
    #[error("the provider cannot be reached")]
    Unreachable,
}

/// A person moves the money by hand and says so, with their own books in front of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manual {
    orders: BTreeMap<CommandId, (Order, Report)>,
}

/// An answer about an order that is not waiting for one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no order `{0}` is waiting")]
pub struct NoSuchOrder(pub CommandId);

impl Manual {
    /// What waits for the person, by id.
    pub fn waiting(&self) -> impl Iterator<Item = (&CommandId, &Order)> {
        let waits = |(_, (_, report)): &(&CommandId, &(Order, Report))| *report == Report::Pending;
        self.orders.iter().filter(waits).map(|(id, (order, _))| (id, order))
    }

    /// The person says what became of an order: once.
    pub fn answer(&mut self, id: &CommandId, done: Result<(), Label>) -> Result<(), NoSuchOrder> {
        match self.orders.get_mut(id) {
            Some((_, report @ Report::Pending)) => {
                *report = match done {
                    Ok(()) => Report::Settled,
                    Err(why) => Report::Failed { why },
                };
                Ok(())
            }
            Some((_, Report::Unknown | Report::Settled | Report::Failed { .. })) | None => {
                Err(NoSuchOrder(id.clone()))
            }
        }
    }
}

impl Provider for Manual {
    fn id(&self) -> ProviderId {
        ProviderId::Manual
    }

    fn send(&mut self, command: &Command) -> Result<(), Unsent> {
        let Command { id, order } = command.clone();
        let (known, _) = self.orders.entry(id).or_insert_with(|| (order.clone(), Report::Pending));
        if *known == order { Ok(()) } else { Err(Unsent::Reused(command.id.clone())) }
    }

    fn read(&self, command: &CommandId) -> Report {
        self.orders.get(command).map_or(Report::Unknown, |(_, report)| report.clone())
    }
}
