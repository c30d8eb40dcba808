//! Accounts: what may be spent, what was, and what is out on leases.

use envelope_rules::budget::{Balance, Level, Shared};

use super::{BudgetError, amount, unsigned};
use crate::sql::{Scoped, Text};
use crate::value::{Row, Value};
use crate::{OrgTx, StoreError};

pub(super) const OPEN: Scoped = Scoped(Text {
    name: "account.open",
    sqlite: "INSERT INTO accounts (org, level, name, version, cap, spent, leased)
        VALUES ($1, $2, $3, 1, $4, 0, 0) RETURNING version",
    postgres: "INSERT INTO accounts (org, level, name, version, cap, spent, leased)
        VALUES ($1, $2, $3, 1, $4, 0, 0) ON CONFLICT DO NOTHING RETURNING version",
});

pub(super) const CAP: Scoped = Scoped(Text::common(
    "account.cap",
    "UPDATE accounts SET cap = $4, version = version + 1
    WHERE org = $1 AND level = $2 AND name = $3 RETURNING version",
));

pub(super) const SEE: Scoped = Scoped(Text::common(
    "account.see",
    "SELECT cap, spent, leased FROM accounts WHERE org = $1 AND level = $2 AND name = $3",
));

/// Keeps the account until the transaction ends; on SQLite the transaction itself does.
pub(super) const HOLD: Scoped = Scoped(Text {
    name: "account.hold",
    sqlite: SEE.text().sqlite,
    postgres: "SELECT cap, spent, leased FROM accounts WHERE org = $1 AND level = $2 AND name = $3
        FOR NO KEY UPDATE",
});

pub(super) const LEASE: Scoped = Scoped(Text::common(
    "account.lease",
    "UPDATE accounts SET leased = leased + $4, version = version + 1
    WHERE org = $1 AND level = $2 AND name = $3 AND spent + leased + $4 <= cap RETURNING version",
));

pub(super) const BOOK: Scoped = Scoped(Text::common(
    "account.book",
    "UPDATE accounts SET leased = $4, spent = $5, version = version + 1
    WHERE org = $1 AND level = $2 AND name = $3 RETURNING version",
));

impl OrgTx<'_> {
    /// Opens an account, or gives one another cap. What is spent and leased stays.
    pub async fn open_account(&mut self, account: &Shared, cap: u64) -> Result<(), StoreError> {
        if self.new_account(account, cap).await? {
            return Ok(());
        }
        self.run(&CAP, keyed(account, [amount(cap)])).await.map(|_| ())
    }

    /// Opens the account of an agent's day, if it is not open yet: a day keeps the cap that it
    /// began with, so a clock that steps back buys nothing.
    pub async fn begin_day(&mut self, day: &Shared, cap: u64) -> Result<(), StoreError> {
        self.new_account(day, cap).await.map(|_| ())
    }

    /// What is known of an account.
    pub async fn balance(&mut self, account: &Shared) -> Result<Option<Balance>, StoreError> {
        let rows = self.run(&SEE, keyed(account, [])).await?;
        rows.first().map(balance).transpose()
    }

    /// Whether the account is new.
    async fn new_account(&mut self, account: &Shared, cap: u64) -> Result<bool, StoreError> {
        if !self.run(&HOLD, keyed(account, [])).await?.is_empty() {
            return Ok(false);
        }
        let new = self.run(&OPEN, keyed(account, [amount(cap)])).await?;
        Ok(!new.is_empty())
    }

    /// An account of a chain, kept until the transaction ends.
    pub(super) async fn hold_account(&mut self, account: &Shared) -> Result<Balance, BudgetError> {
        let rows = self.run(&HOLD, keyed(account, [])).await?;
        let unknown = || envelope_rules::budget::BadLedger::Unknown {
            level: account.level,
            name: account.name.clone(),
        };
        Ok(balance(rows.first().ok_or_else(unknown)?)?)
    }
}

/// The account of `agent` on `date`, in whatever zone the date was read.
pub fn day(agent: &str, date: &str) -> Shared {
    Shared { level: Level::Day, name: format!("{agent} {date}") }
}

/// An account as the audit log names it.
pub(crate) fn label(account: &Shared) -> String {
    format!("{}/{}", level(account.level), account.name)
}

pub(super) fn keyed<const N: usize>(account: &Shared, more: [Value; N]) -> Vec<Value> {
    let mut key = vec![Value::from(level(account.level)), account.name.as_str().into()];
    key.extend(more);
    key
}

const fn level(level: Level) -> &'static str {
    match level {
        Level::Run => "run",
        Level::Task => "task",
        Level::Day => "day",
        Level::Agent => "agent",
        Level::Purchase => "purchase",
        Level::Organisation => "organisation",
    }
}

fn balance(row: &Row) -> Result<Balance, StoreError> {
    let (cap, spent, leased) = (row.int(0)?, row.int(1)?, row.int(2)?);
    Ok(Balance { cap: unsigned(cap)?, spent: unsigned(spent)?, leased: unsigned(leased)? })
}
