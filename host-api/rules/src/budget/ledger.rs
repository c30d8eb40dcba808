//! Accounts that many runs share, on many machines: spent by leases, never by a row per call.
//!
//! A node takes a lease: a slice of every shared account of a run's chain, all of them or none.
//! From then on it spends the slice by itself, in memory ([`Meter`](super::Meter)), and gives back
//! what it did not need. The durable fact is the lease. As long as nobody has shown how much of it
//! was spent, all of it counts as gone: so a crash can only under-spend.
//!
//! This is the arithmetic of a store, pure. A database does the same in one statement for each
//! account: `leased = leased + $slice where spent + leased + $slice <= cap`.

use std::collections::BTreeMap;

use envelope_evidence::Digest;
use envelope_evidence::usage::MAX_EXACT;
use serde::{Deserialize, Serialize};

use super::account::{Account, Level};
use crate::{Code, Denial};

/// Shared accounts of one chain: a task, a day, an agent, a purchase, an organisation.
pub const SHARED_MAX: usize = 5;

/// An account that runs share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shared {
    /// Whose it is.
    pub level: Level,
    /// The task, day, agent, purchase or organisation.
    pub name: String,
}

/// What is known of a shared account, in nano-dollars.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Balance {
    /// What may be spent.
    pub cap: u64,
    /// What was spent, also where it is above the cap.
    pub spent: u64,
    /// What is out on leases.
    pub leased: u64,
}

/// A lease that is out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Out {
    chain: Vec<Shared>,
    /// What is still out.
    left: u64,
    /// The number of the next account of it.
    next: u64,
}

/// Shared accounts and the leases on them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    accounts: BTreeMap<Shared, Balance>,
    leases: BTreeMap<Digest, Out>,
}

/// What was leased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leased {
    /// How much, of every account.
    pub slice: u64,
    /// The account that stood in the way of more.
    pub short: Option<Shared>,
}

/// What a node says of its lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accounting {
    /// Counted from zero for each lease: told twice, it counts once.
    pub seq: u64,
    /// What was spent of it since the last time.
    pub spent: u64,
    /// What is given back.
    pub returned: u64,
}

/// Something that no honest node says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLedger {
    /// An account nobody opened.
    #[error("there is no account of the {} `{name}`", level.name())]
    Unknown {
        /// Whose.
        level: Level,
        /// Its name.
        name: String,
    },
    /// No such lease.
    #[error("the lease {0} is not known")]
    NoLease(Digest),
    /// A gap, or another account under a number that was told before.
    #[error("account {found} of a lease stands where {expected} belongs")]
    Sequence {
        /// The number that belongs here.
        expected: u64,
        /// The number that was told.
        found: u64,
    },
    /// More given back than was out.
    #[error("{returned} are given back of {left}")]
    Returned {
        /// What was given back.
        returned: u64,
        /// What was out.
        left: u64,
    },
    /// A chain that is none.
    #[error("a chain has 1 to {SHARED_MAX} accounts, and a lease keeps its own")]
    Chain,
}

impl Ledger {
    /// Opens an account, or gives one another cap.
    pub fn open(&mut self, account: Shared, cap: u64) {
        self.accounts.entry(account).or_default().cap = cap.min(MAX_EXACT);
    }

    /// What is known of an account.
    pub fn balance(&self, account: &Shared) -> Option<Balance> {
        self.accounts.get(account).copied()
    }

    /// What is out on `lease`.
    pub fn out(&self, lease: &Digest) -> Option<u64> {
        self.leases.get(lease).map(|out| out.left)
    }

    /// Adds to `lease` between `least` and `wish` of every account of `chain`, and says how much.
    /// The denial names the tightest account.
    pub fn lease(
        &mut self,
        lease: Digest,
        chain: &[Shared],
        least: u64,
        wish: u64,
    ) -> Result<Result<Leased, Denial>, BadLedger> {
        if chain.is_empty() || chain.len() > SHARED_MAX {
            return Err(BadLedger::Chain);
        }
        if self.leases.get(&lease).is_some_and(|out| out.chain != chain) {
            return Err(BadLedger::Chain);
        }
        let mut tightest: Option<(&Shared, u64)> = None;
        for account in chain {
            let room = self.accounts.get(account).ok_or_else(|| unknown(account))?.room();
            if tightest.is_none_or(|(_, least)| room < least) {
                tightest = Some((account, room));
            }
        }
        let Some((account, room)) = tightest else { return Err(BadLedger::Chain) };
        if room < least {
            return Ok(Err(refusal(account, least, room)));
        }
        let slice = wish.max(least).min(room);
        let short = (slice < wish).then(|| account.clone());
        for account in chain {
            if let Some(balance) = self.accounts.get_mut(account) {
                balance.leased = balance.leased.saturating_add(slice);
            }
        }
        let fresh = || Out { chain: chain.to_vec(), left: 0, next: 0 };
        let out = self.leases.entry(lease).or_insert_with(fresh);
        out.left = out.left.saturating_add(slice);
        Ok(Ok(Leased { slice, short }))
    }

    /// Books what a node tells of its lease. More spent than was out, which only a provider that
    /// breaks its word brings about, is booked in full: the truth is never rounded down to the cap.
    pub fn account(&mut self, lease: &Digest, told: Accounting) -> Result<(), BadLedger> {
        let Accounting { seq, spent, returned } = told;
        let out = self.leases.get_mut(lease).ok_or(BadLedger::NoLease(*lease))?;
        if seq < out.next {
            return Ok(());
        }
        if seq > out.next {
            return Err(BadLedger::Sequence { expected: out.next, found: seq });
        }
        let taken = spent.min(out.left);
        let left = out.left.saturating_sub(taken);
        if returned > left {
            return Err(BadLedger::Returned { returned, left });
        }
        out.next = out.next.saturating_add(1);
        out.left = left.saturating_sub(returned);
        for account in &out.chain {
            if let Some(balance) = self.accounts.get_mut(account) {
                let gone = taken.saturating_add(returned);
                balance.leased = balance.leased.saturating_sub(gone);
                balance.spent = balance.spent.saturating_add(spent).min(MAX_EXACT);
            }
        }
        Ok(())
    }

    /// The number of the next account of `lease`: where a node that was restarted goes on.
    pub fn next(&self, lease: &Digest) -> u64 {
        self.leases.get(lease).map_or(0, |out| out.next)
    }
}

impl Shared {
    pub(super) fn is(&self, account: &Account) -> bool {
        self.level == account.level() && self.name == account.name()
    }
}

impl Balance {
    /// What can still be leased.
    pub const fn room(&self) -> u64 {
        self.cap.saturating_sub(self.spent.saturating_add(self.leased))
    }
}

fn unknown(account: &Shared) -> BadLedger {
    BadLedger::Unknown { level: account.level, name: account.name.clone() }
}

fn refusal(account: &Shared, wanted: u64, room: u64) -> Denial {
    let (level, name) = (account.level.name(), &account.name);
    let what = format_args!("{level} `{name}`: nano_usd wanted {wanted}, remaining {room}");
    Denial::new(Code::BudgetExhausted, what)
}
