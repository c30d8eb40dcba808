//! Double-entry accounts: whatever leaves one arrives at another, so all of them add up to nothing.

use serde::{Deserialize, Serialize};

use envelope_evidence::usage::MAX_EXACT;

use super::order::{CommandId, Payee};
use crate::contract::MinorUnits;

/// Where money of a purchase can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Account {
    /// With the buyer: below zero by what the buyer is out of pocket.
    Buyer,
    /// Held by the provider.
    Held,
    /// On its way to a payee.
    Outgoing,
    /// On its way back to the buyer.
    Returning,
    /// With the developer.
    Developer,
    /// With the marketplace.
    Marketplace,
}

impl Account {
    /// Every account.
    pub const ALL: [Self; 6] = [
        Self::Buyer,
        Self::Held,
        Self::Outgoing,
        Self::Returning,
        Self::Developer,
        Self::Marketplace,
    ];
}

/// One movement between two accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Posting {
    /// The order it belongs to.
    pub command: CommandId,
    /// The account that has less afterwards.
    pub from: Account,
    /// The account that has more.
    pub to: Account,
    /// How much, in smallest units.
    pub amount: MinorUnits,
}

/// The balances, in smallest units of the purchase's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Book {
    /// What the buyer is out of pocket.
    paid_in: u64,
    held: u64,
    outgoing: u64,
    returning: u64,
    developer: u64,
    marketplace: u64,
}

/// More than an account has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{asked} were asked for, {there} can move")]
pub struct Overdrawn {
    /// The amount asked for.
    pub asked: u64,
    /// What the account can give.
    pub there: u64,
}

impl Book {
    /// Before anything was paid.
    pub const EMPTY: Self =
        Self { paid_in: 0, held: 0, outgoing: 0, returning: 0, developer: 0, marketplace: 0 };

    /// What the buyer is out of pocket.
    pub const fn paid_in(&self) -> u64 {
        self.paid_in
    }

    /// What the provider holds.
    pub const fn held(&self) -> u64 {
        self.held
    }

    /// What `payee` was paid and has not given back.
    pub const fn paid(&self, payee: Payee) -> u64 {
        match payee {
            Payee::Developer => self.developer,
            Payee::Marketplace => self.marketplace,
        }
    }

    /// The balance of `account`. Only the buyer's is ever below zero.
    pub fn balance(&self, account: Account) -> i64 {
        let size = |amount: u64| i64::try_from(amount).unwrap_or(i64::MAX);
        match account {
            Account::Buyer => -size(self.paid_in),
            Account::Held => size(self.held),
            Account::Outgoing => size(self.outgoing),
            Account::Returning => size(self.returning),
            Account::Developer => size(self.developer),
            Account::Marketplace => size(self.marketplace),
        }
    }

    /// The sum of all balances: zero, always.
    pub fn sum(&self) -> i64 {
        Account::ALL.iter().map(|account| self.balance(*account)).sum()
    }

    /// Moves money. What would overdraw an account, or hold more than can be told exactly, moves
    /// nothing.
    pub fn post(&mut self, posting: &Posting) -> Result<(), Overdrawn> {
        let asked = posting.amount.get();
        let mut after = *self;
        after.take(posting.from, asked)?;
        after.give(posting.to, asked)?;
        *self = after;
        Ok(())
    }

    fn take(&mut self, account: Account, asked: u64) -> Result<(), Overdrawn> {
        if account == Account::Buyer {
            return grow(&mut self.paid_in, asked);
        }
        shrink(self.slot(account), asked)
    }

    fn give(&mut self, account: Account, asked: u64) -> Result<(), Overdrawn> {
        if account == Account::Buyer {
            return shrink(&mut self.paid_in, asked);
        }
        grow(self.slot(account), asked)
    }

    const fn slot(&mut self, account: Account) -> &mut u64 {
        match account {
            Account::Buyer => &mut self.paid_in,
            Account::Held => &mut self.held,
            Account::Outgoing => &mut self.outgoing,
            Account::Returning => &mut self.returning,
            Account::Developer => &mut self.developer,
            Account::Marketplace => &mut self.marketplace,
        }
    }
}

fn grow(balance: &mut u64, asked: u64) -> Result<(), Overdrawn> {
    let there = MAX_EXACT.saturating_sub(*balance);
    if asked > there {
        return Err(Overdrawn { asked, there });
    }
    *balance = balance.saturating_add(asked);
    Ok(())
}

const fn shrink(balance: &mut u64, asked: u64) -> Result<(), Overdrawn> {
    let there = *balance;
    match there.checked_sub(asked) {
        Some(rest) => {
            *balance = rest;
            Ok(())
        }
        None => Err(Overdrawn { asked, there }),
    }
}
