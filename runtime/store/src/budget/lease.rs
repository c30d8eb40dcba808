//! Leases: taken of every account of a chain or of none, and accounted for under a number.

use std::collections::BTreeMap;

use envelope_evidence::Digest;
use envelope_evidence::usage::MAX_EXACT;
use envelope_rules::budget::{Accounting, BadLedger, Balance, Leased, SHARED_MAX, Shared};
use envelope_rules::denial::{Code, Denial};

use super::account::{self, keyed};
use super::{BudgetError, amount, unsigned};
use crate::sql::{Scoped, Text};
use crate::value::{Row, Value};
use crate::{OrgTx, StoreError};

pub(super) const OPEN: Scoped = Scoped(Text {
    name: "lease.open",
    sqlite: "INSERT INTO leases (org, id, version, chain, rest, next)
        VALUES ($1, $2, 1, $3, $4, 0) RETURNING version",
    postgres: "INSERT INTO leases (org, id, version, chain, rest, next)
        VALUES ($1, $2, 1, $3, $4, 0) ON CONFLICT DO NOTHING RETURNING version",
});

pub(super) const SEE: Scoped = Scoped(Text::common(
    "lease.see",
    "SELECT chain, rest, next FROM leases WHERE org = $1 AND id = $2",
));

/// Keeps the lease until the transaction ends; on SQLite the transaction itself does.
pub(super) const HOLD: Scoped = Scoped(Text {
    name: "lease.hold",
    sqlite: SEE.text().sqlite,
    postgres: "SELECT chain, rest, next FROM leases WHERE org = $1 AND id = $2 FOR NO KEY UPDATE",
});

pub(super) const ADD: Scoped = Scoped(Text::common(
    "lease.add",
    "UPDATE leases SET rest = rest + $3, version = version + 1
    WHERE org = $1 AND id = $2 RETURNING version",
));

pub(super) const TELL: Scoped = Scoped(Text::common(
    "lease.tell",
    "UPDATE leases SET rest = $3, next = $4, version = version + 1
    WHERE org = $1 AND id = $2 RETURNING version",
));

/// A lease as it stands.
struct Out {
    chain: Vec<Shared>,
    rest: u64,
    next: u64,
}

impl OrgTx<'_> {
    /// Adds to `lease` between `least` and `wish` nano-dollars of every account of `chain`, all or
    /// none. The denial names the tightest account. Nothing holds before the transaction does.
    pub async fn lease(
        &mut self,
        lease: Digest,
        chain: &[Shared],
        (least, wish): (u64, u64),
    ) -> Result<Result<Leased, Denial>, BudgetError> {
        if chain.is_empty() || chain.len() > SHARED_MAX {
            return Err(BadLedger::Chain.into());
        }
        let out = self.hold_lease(lease).await?;
        if out.as_ref().is_some_and(|out| out.chain != chain) {
            return Err(BadLedger::Chain.into());
        }
        let balances = self.hold_chain(chain).await?;
        let room = |account: &Shared| balances.get(account).map_or(0, Balance::room);
        let tightest = chain.iter().map(|account| (account, room(account)));
        let (account, room) = tightest.min_by_key(|(_, room)| *room).ok_or(BadLedger::Chain)?;
        if room < least {
            return Ok(Err(refusal(account, least, room)));
        }
        let slice = wish.max(least).min(room);
        // Nothing is nothing, also of an account that is above its cap.
        for account in balances.keys().filter(|_| slice > 0) {
            let taken = self.run(&account::LEASE, keyed(account, [amount(slice)])).await?;
            taken.first().ok_or_else(|| StoreError::Data("an account that moved".to_owned()))?;
        }
        self.grow(lease, chain, slice, out.is_some()).await?;
        Ok(Ok(Leased { slice, short: (slice < wish).then(|| account.clone()) }))
    }

    /// What is out on `lease`.
    pub async fn out(&mut self, lease: Digest) -> Result<Option<u64>, StoreError> {
        let rows = self.run(&SEE, vec![named(lease)]).await?;
        rows.first().map(|row| unsigned(row.int(1)?)).transpose()
    }

    /// Books what a node tells of its lease; told twice, it counts once. More spent than was out,
    /// which only a provider that breaks its word brings about, is booked in full.
    pub async fn account(&mut self, lease: Digest, told: Accounting) -> Result<(), BudgetError> {
        let Accounting { seq, spent, returned } = told;
        let Some(out) = self.hold_lease(lease).await? else {
            return Err(BadLedger::NoLease(lease).into());
        };
        if seq < out.next {
            return Ok(());
        }
        if seq > out.next {
            return Err(BadLedger::Sequence { expected: out.next, found: seq }.into());
        }
        let taken = spent.min(out.rest);
        let left = out.rest.saturating_sub(taken);
        if returned > left {
            return Err(BadLedger::Returned { returned, left }.into());
        }
        for (account, now) in self.hold_chain(&out.chain).await? {
            let leased = now.leased.saturating_sub(taken.saturating_add(returned));
            let spent = now.spent.saturating_add(spent).min(MAX_EXACT);
            self.run(&account::BOOK, keyed(&account, [amount(leased), amount(spent)])).await?;
        }
        let rest = amount(left.saturating_sub(returned));
        let next = amount(out.next.saturating_add(1));
        self.run(&TELL, vec![named(lease), rest, next]).await?;
        Ok(())
    }

    /// The lease, kept until the transaction ends.
    async fn hold_lease(&mut self, lease: Digest) -> Result<Option<Out>, StoreError> {
        let rows = self.run(&HOLD, vec![named(lease)]).await?;
        rows.first().map(Out::of).transpose()
    }

    /// The accounts of a chain, kept until the transaction ends. In one order everywhere, or two
    /// nodes could wait for each other.
    async fn hold_chain(
        &mut self,
        chain: &[Shared],
    ) -> Result<BTreeMap<Shared, Balance>, BudgetError> {
        let mut sorted: Vec<_> = chain.iter().collect();
        sorted.sort();
        let mut balances = BTreeMap::new();
        for account in sorted {
            balances.insert(account.clone(), self.hold_account(account).await?);
        }
        Ok(balances)
    }

    async fn grow(
        &mut self,
        lease: Digest,
        chain: &[Shared],
        slice: u64,
        known: bool,
    ) -> Result<(), StoreError> {
        let grown = if known {
            self.run(&ADD, vec![named(lease), amount(slice)]).await?
        } else {
            let text = serde_json::to_string(chain);
            let text = text.map_err(|why| StoreError::Data(why.to_string()))?;
            self.run(&OPEN, vec![named(lease), text.as_str().into(), amount(slice)]).await?
        };
        // Two who open one lease at once: the second is told to ask again.
        let twice = || StoreError::Data(format!("the lease {lease} was opened meanwhile"));
        grown.first().map(|_| ()).ok_or_else(twice)
    }
}

impl Out {
    fn of(row: &Row) -> Result<Self, StoreError> {
        let chain = serde_json::from_str(row.text(0)?);
        let chain =
            chain.map_err(|why| StoreError::Data(format!("the chain of a lease: {why}")))?;
        Ok(Self { chain, rest: unsigned(row.int(1)?)?, next: unsigned(row.int(2)?)? })
    }
}

fn named(lease: Digest) -> Value {
    Value::from(lease.to_string().as_str())
}

fn refusal(account: &Shared, wanted: u64, room: u64) -> Denial {
    let (level, name) = (account.level.name(), &account.name);
    let what = format_args!("{level} `{name}`: nano_usd wanted {wanted}, remaining {room}");
    Denial::new(Code::BudgetExhausted, what)
}
