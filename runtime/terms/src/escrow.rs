//! The money of one purchase: a ledger that asks a provider to move it and believes only what the
//! provider's books say.
//!
//! It never talks to a provider: what is to be sent is an [`Effect`], what came of it a [`Fact`].
//! One order is on its way at a time, so that each refusal can be retried and no two can race.

mod book;
mod event;
mod order;
mod provider;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use envelope_evidence::Timestamp;

use crate::contract::{Currency, MinorUnits};

pub use book::{Account, Book, Overdrawn, Posting};
pub use event::{Effect, Event, Fact, Refused};
pub use order::{Command, CommandId, Order, Payee};
pub use provider::{Manual, NoSuchOrder, Provider, ProviderId, Report, Unsent};

/// Orders in one purchase: every milestone paid, each part refunded, and many failures retried.
pub const COMMANDS_MAX: usize = 1024;

/// The money of one purchase. Provider and currency never change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Escrow {
    provider: ProviderId,
    currency: Currency,
    state: State,
    book: Book,
    frozen: u64,
    commands: BTreeMap<CommandId, Known>,
}

/// Where the money stands with the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
pub enum State {
    /// Nothing was paid in.
    Unfunded {},
    /// The buyer was asked to pay in.
    HoldPending {
        /// The order on its way.
        command: CommandId,
    },
    /// Some money is held and none is moving.
    Held {
        /// How long it may be held.
        hold: Hold,
    },
    /// Money is on its way to a payee.
    ReleasePending {
        /// The order on its way.
        command: CommandId,
        /// How long the rest may be held.
        hold: Hold,
    },
    /// Money is on its way back to the buyer.
    RefundPending {
        /// The order on its way.
        command: CommandId,
        /// How long the rest may be held.
        hold: Hold,
    },
    /// A payee is asked for money it has already.
    ReversalPending {
        /// The order on its way.
        command: CommandId,
        /// How long what comes back may be held.
        hold: Hold,
    },
    /// A payee kept the money. What is held can still move, and the reversal be tried again.
    ReversalFailed {
        /// The order that failed.
        command: CommandId,
        /// How long the rest may be held.
        hold: Hold,
    },
    /// The provider may hold the money no longer: it can only go back.
    Expired {
        /// How long it might have been held.
        hold: Hold,
    },
    /// Nothing is held and nothing is moving.
    Settled {
        /// How long it might have been held.
        hold: Hold,
    },
}

/// How long the provider may hold the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// The first instant that is too late.
    #[serde(rename = "holdExpiresAt")]
    pub expires: Timestamp,
    /// Whether the expiry was taken note of.
    pub lapsed: bool,
}

/// An order once given, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    order: Order,
    end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum End {
    Open,
    Settled,
    Failed,
}

type Stepped = Result<(Escrow, Vec<Effect>), Refused>;

impl Escrow {
    /// An empty ledger at `provider`.
    pub const fn new(provider: ProviderId, currency: Currency) -> Self {
        let (state, book) = (State::Unfunded {}, Book::EMPTY);
        Self { provider, currency, state, book, frozen: 0, commands: BTreeMap::new() }
    }

    /// The provider, frozen with the purchase.
    pub const fn provider(&self) -> ProviderId {
        self.provider
    }

    /// Where the money stands.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Orders that are on their way, with their names.
    pub fn open_orders(&self) -> impl Iterator<Item = (&CommandId, &Order)> {
        let open = self.commands.iter().filter(|(_, known)| matches!(known.end, End::Open));
        open.map(|(id, known)| (id, &known.order))
    }

    /// Whose it is.
    pub const fn book(&self) -> &Book {
        &self.book
    }

    /// What is held and not frozen.
    pub const fn available(&self) -> u64 {
        self.book.held().saturating_sub(self.frozen)
    }

    /// How many orders were given.
    pub fn orders(&self) -> usize {
        self.commands.len()
    }

    /// The order called `command`.
    pub fn order(&self, command: &CommandId) -> Option<&Order> {
        self.commands.get(command).map(|known| &known.order)
    }

    /// How long the money may be held; none while nothing was paid in or an order is on its way.
    pub fn resting(&self) -> Option<Hold> {
        self.hold().ok()
    }

    /// The same ledger after `event`. A refusal is a reason; what it refuses has no effect.
    pub fn step(self, event: Event, now: Timestamp) -> Stepped {
        match event {
            Event::Order { command } => self.ordered(command, now),
            Event::Fact { fact: Fact::Settled { command } } => self.settled(&command),
            Event::Fact { fact: Fact::Failed { command, .. } } => self.failed(command),
            Event::Fact { fact: Fact::Notified { command } } => self.notified(command),
            Event::Freeze { amount } => Ok((Self { frozen: amount, ..self }, Vec::new())),
            Event::Thaw {} => Ok((Self { frozen: 0, ..self }, Vec::new())),
            Event::Expire {} => self.expired(now),
        }
    }

    fn ordered(mut self, command: Command, now: Timestamp) -> Stepped {
        let Command { id, order } = command.clone();
        if let Some(known) = self.commands.get(&id) {
            return if known.order == order {
                Ok((self, Vec::new()))
            } else {
                Err(Refused::Reused(id))
            };
        }
        if self.commands.len() >= COMMANDS_MAX {
            return Err(Refused::TooMany);
        }
        let moved = self.begun(&id, &order, now)?;
        self.commands.insert(id, Known { order, end: End::Open });
        let (provider, currency) = (self.provider, self.currency);
        let mut effects = self.post(&command.id, moved)?;
        effects.push(Effect::Send { provider, currency, command });
        Ok((self, effects))
    }

    /// Moves on to the state in which `order` is on its way, and says what that moves at once.
    fn begun(&mut self, id: &CommandId, order: &Order, now: Timestamp) -> Result<Moved, Refused> {
        let command = id.clone();
        match order {
            Order::Hold { .. } => match &self.state {
                State::Unfunded {} => {
                    self.state = State::HoldPending { command };
                    Ok(None)
                }
                State::HoldPending { command } => Err(Refused::InFlight(command.clone())),
                State::Held { .. }
                | State::ReleasePending { .. }
                | State::RefundPending { .. }
                | State::ReversalPending { .. }
                | State::ReversalFailed { .. }
                | State::Expired { .. }
                | State::Settled { .. } => Err(Refused::AlreadyFunded),
            },
            Order::Release { amount, .. } => {
                let hold = self.hold()?;
                if hold.lapsed || now >= hold.expires {
                    return Err(Refused::HoldExpired(hold.expires));
                }
                self.enough(*amount, self.available())?;
                self.state = State::ReleasePending { command, hold };
                Ok(Some((Account::Held, Account::Outgoing, *amount)))
            }
            Order::Refund { amount } => {
                let hold = self.hold()?;
                self.enough(*amount, self.available())?;
                self.state = State::RefundPending { command, hold };
                Ok(Some((Account::Held, Account::Returning, *amount)))
            }
            Order::Reverse { from, amount } => {
                let hold = self.hold()?;
                self.enough(*amount, self.book.paid(*from))?;
                self.state = State::ReversalPending { command, hold };
                Ok(None)
            }
        }
    }

    fn settled(mut self, command: &CommandId) -> Stepped {
        let Some(order) = self.end(command, End::Settled)? else { return Ok((self, Vec::new())) };
        let moved = match order {
            Order::Hold { amount, .. } => (Account::Buyer, Account::Held, amount),
            Order::Release { to, amount, .. } => (Account::Outgoing, to.account(), amount),
            Order::Refund { amount } => (Account::Returning, Account::Buyer, amount),
            Order::Reverse { from, amount } => (from.account(), Account::Held, amount),
        };
        let effects = self.post(command, Some(moved))?;
        self.state = match order {
            Order::Hold { expires, .. } => State::Held { hold: Hold { expires, lapsed: false } },
            Order::Release { .. } | Order::Refund { .. } | Order::Reverse { .. } => self.rest()?,
        };
        Ok((self, effects))
    }

    fn failed(mut self, command: CommandId) -> Stepped {
        let Some(order) = self.end(&command, End::Failed)? else { return Ok((self, Vec::new())) };
        let moved = match order {
            Order::Hold { .. } | Order::Reverse { .. } => None,
            Order::Release { amount, .. } => Some((Account::Outgoing, Account::Held, amount)),
            Order::Refund { amount } => Some((Account::Returning, Account::Held, amount)),
        };
        let effects = self.post(&command, moved)?;
        self.state = match order {
            Order::Hold { .. } => State::Unfunded {},
            Order::Release { .. } | Order::Refund { .. } => self.rest()?,
            Order::Reverse { .. } => State::ReversalFailed { command, hold: self.any_hold()? },
        };
        Ok((self, effects))
    }

    fn notified(self, command: CommandId) -> Stepped {
        match self.commands.get(&command) {
            None => Err(Refused::Unknown(command)),
            Some(Known { end: End::Settled | End::Failed, .. }) => Ok((self, Vec::new())),
            Some(Known { end: End::Open, .. }) => {
                let effect = Effect::Read { provider: self.provider, command };
                Ok((self, vec![effect]))
            }
        }
    }

    fn expired(mut self, now: Timestamp) -> Stepped {
        let hold = self.hold()?;
        if now < hold.expires {
            return Err(Refused::NotExpired(hold.expires));
        }
        let hold = Hold { lapsed: true, ..hold };
        self.frozen = 0;
        self.state = self.rest_with(hold);
        Ok((self, Vec::new()))
    }

    /// Ends an order, or finds that it ended this way before.
    fn end(&mut self, command: &CommandId, end: End) -> Result<Option<Order>, Refused> {
        let known = self.commands.get_mut(command);
        let known = known.ok_or_else(|| Refused::Unknown(command.clone()))?;
        match known.end {
            End::Open => {
                known.end = end;
                Ok(Some(known.order.clone()))
            }
            before if before == end => Ok(None),
            End::Settled | End::Failed => Err(Refused::Contradicted(command.clone())),
        }
    }

    /// The hold, when nothing is on its way.
    fn hold(&self) -> Result<Hold, Refused> {
        match &self.state {
            State::Unfunded {} => Err(Refused::NotFunded),
            State::HoldPending { command }
            | State::ReleasePending { command, .. }
            | State::RefundPending { command, .. }
            | State::ReversalPending { command, .. } => Err(Refused::InFlight(command.clone())),
            State::Held { hold }
            | State::ReversalFailed { hold, .. }
            | State::Expired { hold }
            | State::Settled { hold } => Ok(*hold),
        }
    }

    fn any_hold(&self) -> Result<Hold, Refused> {
        match &self.state {
            State::Unfunded {} | State::HoldPending { .. } => Err(Refused::NotFunded),
            State::Held { hold }
            | State::ReleasePending { hold, .. }
            | State::RefundPending { hold, .. }
            | State::ReversalPending { hold, .. }
            | State::ReversalFailed { hold, .. }
            | State::Expired { hold }
            | State::Settled { hold } => Ok(*hold),
        }
    }

    fn rest(&self) -> Result<State, Refused> {
        Ok(self.rest_with(self.any_hold()?))
    }

    const fn rest_with(&self, hold: Hold) -> State {
        match (self.book.held(), hold.lapsed) {
            (0, _) => State::Settled { hold },
            (1.., true) => State::Expired { hold },
            (1.., false) => State::Held { hold },
        }
    }

    fn enough(&self, asked: MinorUnits, there: u64) -> Result<(), Refused> {
        let asked = asked.get();
        if asked <= there { Ok(()) } else { Err(Refused::Insufficient { asked, there }) }
    }

    fn post(&mut self, command: &CommandId, moved: Moved) -> Result<Vec<Effect>, Refused> {
        let Some((from, to, amount)) = moved else { return Ok(Vec::new()) };
        let posting = Posting { command: command.clone(), from, to, amount };
        self.book.post(&posting)?;
        Ok(vec![Effect::Post { posting }])
    }
}

/// From where, to where, how much.
type Moved = Option<(Account, Account, MinorUnits)>;

impl State {
    /// The name in documents.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Unfunded {} => "unfunded",
            Self::HoldPending { .. } => "hold_pending",
            Self::Held { .. } => "held",
            Self::ReleasePending { .. } => "release_pending",
            Self::RefundPending { .. } => "refund_pending",
            Self::ReversalPending { .. } => "reversal_pending",
            Self::ReversalFailed { .. } => "reversal_failed",
            Self::Expired { .. } => "expired",
            Self::Settled { .. } => "settled",
        }
    }
}
