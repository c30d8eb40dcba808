//! Money that runs share: accounts, and the leases on them.
//!
//! A node takes a slice of every account of a run's chain, in one transaction, and spends it by
//! itself. The durable fact is the lease: what is out counts as spent until somebody shows that it
//! was not. So no call waits for the database, and a crash can only under-spend. The arithmetic is
//! that of [`Ledger`](envelope_rules::budget::Ledger); a test holds the two against each other.

mod account;
mod freeze;
mod lease;
mod purse;

use envelope_evidence::usage::MAX_EXACT;
use envelope_rules::budget::BadLedger;

use crate::StoreError;
use crate::sql::Scoped;
use crate::value::Value;

pub use account::day;
pub(crate) use account::label;
pub use purse::StorePurse;

pub(crate) const SCOPED: [Scoped; 11] = [
    account::OPEN,
    account::CAP,
    account::SEE,
    account::HOLD,
    account::LEASE,
    account::BOOK,
    lease::OPEN,
    lease::SEE,
    lease::HOLD,
    lease::ADD,
    lease::TELL,
];

/// Why the books were not kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BudgetError {
    /// Something that no honest node says.
    #[error(transparent)]
    Ledger(#[from] BadLedger),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An amount as the database counts: never above what is exact everywhere.
fn amount(nano_usd: u64) -> Value {
    Value::Int(i64::try_from(nano_usd.min(MAX_EXACT)).unwrap_or(i64::MAX))
}

fn unsigned(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| StoreError::Data(format!("a negative amount, {number}")))
}
