//! The meter: reserve the worst case, settle the truth.

use envelope_evidence::{Digest, Usage, usage::Dimension, usage::MAX_EXACT};
use serde::{Deserialize, Serialize};

use super::account::{Account, Cap, Level, added};
use super::hold::{Hold, HoldId, OpenHold};
use super::ledger::{Leased, Shared};
use super::state::{BadMeter, MeterState};
use crate::{Code, Denial};

/// Accounts of one meter: the chain of six and as many days as a run can last.
pub const ACCOUNTS_MAX: usize = 64;

/// Holds open at once: far more calls than one run has in flight, few enough to search in no time.
pub const OPEN_HOLDS_MAX: usize = 256;

/// A chain of accounts with the holds that are open on them, and a breaker.
///
/// It is not `Clone`: a copy would spend the same money again.
#[derive(Debug)]
pub struct Meter {
    state: MeterState,
    /// Holds that were open in the state it was loaded from and that nobody took back yet.
    orphans: Vec<u64>,
    /// The shared account that stood in the way of a larger slice: the one to name among those
    /// that have the same left.
    short: Option<Shared>,
}

/// How a hold ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "an overspend has to be reported"]
pub struct Settled {
    /// What was booked on every account: the truth, in full.
    pub booked: Usage,
    /// What went back to every account.
    pub returned: Usage,
    /// The first dimension in which more was used than was held. The breaker is open then.
    pub overspent: Option<Dimension>,
}

/// Why the breaker is open: the first charge above its reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trip {
    /// The hold it was charged to.
    pub hold: HoldId,
    /// What was reserved.
    pub reserved: Usage,
    /// What was charged.
    pub charged: Usage,
    /// Whether a sum left the scale of exact integers. Nothing can close the breaker then, because
    /// nobody knows the sum any more.
    pub off_scale: bool,
}

/// A human closed the breaker: for the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a reset has to be written down"]
pub struct Reset {
    /// The approval that allowed it.
    pub by: Digest,
    /// Why the breaker had been open.
    pub trip: Trip,
}

impl Meter {
    /// A meter over `chain`, from the leaf to the root, at most one account a level. `name` must be
    /// its own (a warrant's or a lease's digest): it makes the names of its holds unique. So a
    /// meter is made once, and [loaded](Self::load) ever after: made again, it would spend the same
    /// budget twice, and give two calls one idempotency key.
    pub fn new(name: Digest, chain: Vec<Account>) -> Result<Self, BadMeter> {
        Self::load(MeterState::new(name, chain))
    }

    /// A meter as it was left, after a crash too. Every hold that is still open can be taken back
    /// once, with [`recover`](Self::recover); until then it stays held.
    pub fn load(mut state: MeterState) -> Result<Self, BadMeter> {
        state.check()?;
        state.holds.reserve_exact(OPEN_HOLDS_MAX.saturating_sub(state.holds.len()));
        let orphans = state.holds.iter().map(|open| open.number).collect();
        Ok(Self { state, orphans, short: None })
    }

    /// The books, the breaker, the open holds: what has to be kept to load this meter again.
    pub const fn state(&self) -> &MeterState {
        &self.state
    }

    /// What can still be reserved in each dimension: the tightest account decides. An open breaker
    /// denies even that.
    pub fn headroom(&self) -> Usage {
        self.headroom_within(&Cap::NONE)
    }

    /// The same under a `ceiling` over all that the leaf used.
    pub fn headroom_within(&self, ceiling: &Cap) -> Usage {
        let leaf = self.state.accounts.first();
        Dimension::ALL.into_iter().fold(Usage::ZERO, |row, dimension| {
            let rows = self.state.charged(self.state.today);
            let rooms = rows.map(|account| account.headroom(dimension));
            let rooms = rooms.chain(leaf.map(|leaf| leaf.headroom_of(ceiling, dimension)));
            row.with(dimension, rooms.min().unwrap_or_default()).unwrap_or(row)
        })
    }

    /// The account that decides what can still be reserved in `dimension`, and how much that is,
    /// in words.
    pub fn tightest_within(&self, ceiling: &Cap, dimension: Dimension) -> String {
        let leaf = self.state.accounts.first();
        let rows = self.state.charged(self.state.today);
        let rows = rows.map(|account| (account.headroom(dimension), account));
        let bounded = leaf.map(|leaf| (leaf.headroom_of(ceiling, dimension), leaf));
        let short = |account: &Account| self.short.as_ref().is_some_and(|it| it.is(account));
        let all = bounded.into_iter().chain(rows);
        let tightest = all.min_by_key(|(room, account)| (*room, !short(account)));
        let of = dimension.name();
        tightest
            .map_or_else(String::new, |(room, account)| format!("{account}: {of} remaining {room}"))
    }

    /// What can still be spent of the slices that were leased of `shared`, in nano-dollars.
    pub fn leased(&self, shared: &[Shared]) -> u64 {
        let mine = |account: &&Account| shared.iter().any(|it| it.is(account));
        let rooms = self.state.accounts.iter().filter(mine);
        rooms.map(|account| account.headroom(Dimension::NanoUsd)).min().unwrap_or_default()
    }

    /// What could still be spent, in nano-dollars, under a `ceiling` over all that the leaf used,
    /// if there were plenty in the accounts that are `shared`.
    pub fn unshared_within(&self, ceiling: &Cap, shared: &[Shared]) -> u64 {
        let money = Dimension::NanoUsd;
        let leaf = self.state.accounts.first().map(|leaf| leaf.headroom_of(ceiling, money));
        let rows = self.state.charged(self.state.today);
        let own = rows.filter(|account| !shared.iter().any(|it| it.is(account)));
        let rooms = own.map(|account| account.headroom(money)).chain(leaf);
        rooms.min().unwrap_or_default()
    }

    /// Raises the caps of the shared accounts by the slice that a store leased.
    pub fn top_up(&mut self, shared: &[Shared], leased: Leased) {
        for account in &mut self.state.accounts {
            if shared.iter().any(|it| it.is(account)) {
                account.top_up(leased.slice);
            }
        }
        self.short = leased.short;
    }

    /// Lowers the caps of the shared accounts by what goes back to a store.
    pub fn take_back(&mut self, shared: &[Shared], returned: u64) {
        for account in &mut self.state.accounts {
            if shared.iter().any(|it| it.is(account)) {
                account.take_back(returned);
            }
        }
    }

    /// Whether nothing is set aside.
    pub const fn is_idle(&self) -> bool {
        self.state.holds.is_empty()
    }

    /// Raises the run's own limit by what a human allowed it. The guard's ceiling ends that again.
    pub fn raise(&mut self, dimension: Dimension, by: u64) {
        if let Some(leaf) = self.state.accounts.first_mut() {
            leaf.raise(dimension, by);
        }
    }

    /// Opens the breaker for a charge that was booked before: by a process that is gone.
    pub fn latch(&mut self, number: u64, reserved: Usage, charged: Usage) {
        let hold = HoldId { meter: self.state.name, number };
        self.trip(Trip { hold, reserved, charged, off_scale: false });
    }

    /// Sets `worst` aside in every account, or in none.
    ///
    /// The denial names the first account from the leaf that refuses, the dimension, what was
    /// wanted and what remains.
    pub fn reserve(&mut self, worst: Usage) -> Result<Hold, Denial> {
        self.reserve_within(worst, &Cap::NONE)
    }

    /// The same under a `ceiling` over all that the leaf used: what holds for this call beside the
    /// caps of the accounts.
    pub fn reserve_within(&mut self, worst: Usage, ceiling: &Cap) -> Result<Hold, Denial> {
        let today = self.state.today;
        self.admit(&worst, ceiling)?;
        let number = self.state.next_hold;
        self.state.next_hold += 1;
        self.state.charged_mut(today).for_each(|account| account.hold(worst));
        self.state.holds.push(OpenHold { number, worst, day: today });
        Ok(Hold::new(HoldId { meter: self.state.name, number }, worst))
    }

    /// Books what the call truly used and returns the rest.
    ///
    /// More than was held is booked in full and opens the breaker. So is whatever is charged to a
    /// hold of another meter, because nothing was held for it here.
    pub fn settle(&mut self, hold: Hold, actual: Usage) -> Settled {
        let id = hold.id();
        let (reserved, day) = self.close_hold(hold);
        let mut exact = true;
        for account in self.state.charged_mut(day) {
            account.release(reserved);
            exact &= account.book(actual);
        }
        let overspent = actual.first_above(&reserved);
        if overspent.is_some() || !exact {
            self.trip(Trip { hold: id, reserved, charged: actual, off_scale: !exact });
        }
        Settled { booked: actual, returned: reserved.saturating_sub(actual), overspent }
    }

    /// The call was certainly never sent: all that was held goes back.
    pub fn void(&mut self, hold: Hold) -> Settled {
        self.settle(hold, Usage::ZERO)
    }

    /// Nobody knows what the call used: the whole worst case counts as spent.
    pub fn forfeit(&mut self, hold: Hold) -> Settled {
        let worst = *hold.worst();
        self.settle(hold, worst)
    }

    /// The hold `id` that was open when this meter was loaded, once. `None` when it was settled
    /// before, was taken back already, or is of another meter.
    pub fn recover(&mut self, id: HoldId) -> Option<Hold> {
        let worst = *self.orphan(id)?;
        self.orphans.retain(|&number| number != id.number);
        Some(Hold::new(id, worst))
    }

    /// What the hold `id` sets aside, if it can be taken back.
    pub fn orphan(&self, id: HoldId) -> Option<&Usage> {
        let known = id.meter == self.state.name && self.orphans.contains(&id.number);
        let mut open = self.state.holds.iter().filter(|_| known);
        open.find(|open| open.number == id.number).map(|open| &open.worst)
    }

    /// The open holds that can be taken back.
    pub fn orphans(&self) -> impl Iterator<Item = HoldId> + '_ {
        let meter = self.state.name;
        self.orphans.iter().map(move |&number| HoldId { meter, number })
    }

    /// Sets a whole budget aside for a child and returns the cap of the child's own run account.
    ///
    /// Settle the hold with what the child's meter [`closes`](Self::close) at. The child's chain
    /// holds accounts of its own only: those of this chain already carry its budget.
    pub fn carve(&mut self, budget: Usage) -> Result<(Hold, Cap), Denial> {
        self.reserve(budget).map(|hold| (hold, Cap::of(&budget)))
    }

    /// Ends the meter and returns what its leaf must be taken to have used: what was booked and the
    /// worst case of every hold still open.
    pub fn close(self) -> Usage {
        let leaf = self.state.accounts.first();
        leaf.map_or(Usage::ZERO, |leaf| added(*leaf.spent(), *leaf.held()))
    }

    /// From now on calls are charged to the day `name`. Holds stay with the day they were admitted
    /// on, and a day that was open before is continued under its old cap, so a clock that steps
    /// back buys nothing.
    pub fn begin_day(&mut self, name: &str, cap: Cap) -> Result<(), BadMeter> {
        let known = self.state.days().find(|(_, day)| day.name() == name).map(|(row, _)| row);
        let row = match known {
            Some(row) => row,
            None => self.state.open(Account::new(Level::Day, name.to_owned(), cap, Usage::ZERO))?,
        };
        self.state.today = Some(row);
        Ok(())
    }

    /// Whether calls are charged to the day `name` now.
    pub fn is_today(&self, name: &str) -> bool {
        let today = self.state.today;
        self.state.days().any(|(row, day)| Some(row) == today && day.name() == name)
    }

    /// Closes the breaker on the word of the approval `by`. `None` when it was closed, or when a
    /// sum is off the scale and it has to stay open.
    pub fn reset(&mut self, by: Digest) -> Option<Reset> {
        let trip = self.state.trip.take_if(|trip| !trip.off_scale)?;
        Some(Reset { by, trip })
    }

    fn admit(&self, worst: &Usage, ceiling: &Cap) -> Result<(), Denial> {
        self.check_breaker()?;
        if self.state.holds.len() >= OPEN_HOLDS_MAX {
            return Err(Denial::new(Code::BudgetBusy, format_args!("{OPEN_HOLDS_MAX} open holds")));
        }
        if self.state.next_hold >= MAX_EXACT {
            return Err(Denial::new(Code::BudgetOverflow, "hold numbers are used up"));
        }
        let mut leaf = self.state.accounts.iter().take(1);
        leaf.try_for_each(|leaf| leaf.admits_under(ceiling, worst))?;
        self.state.charged(self.state.today).try_for_each(|account| account.admits(worst))
    }

    /// Whether anything can be reserved at all: not while the breaker is open.
    pub fn check_breaker(&self) -> Result<(), Denial> {
        let Some(trip) = &self.state.trip else { return Ok(()) };
        let hold = trip.hold.number;
        let what = format_args!("hold {hold} was charged above its reservation");
        Err(Denial::new(Code::BudgetLatched, what))
    }

    /// Forgets an open hold and returns what it held and on which day.
    #[expect(clippy::needless_pass_by_value, reason = "consumed, so that it ends once")]
    fn close_hold(&mut self, hold: Hold) -> (Usage, Option<u32>) {
        let HoldId { meter, number } = hold.id();
        let ours = meter == self.state.name;
        match self.state.holds.binary_search_by_key(&number, |open| open.number) {
            Ok(slot) if ours => {
                let open = self.state.holds.remove(slot);
                (open.worst, open.day)
            }
            Ok(_) | Err(_) => (Usage::ZERO, self.state.today),
        }
    }

    /// The first trip is the one to explain; that a sum is lost must never be forgotten.
    fn trip(&mut self, trip: Trip) {
        let off_scale = trip.off_scale;
        self.state.trip.get_or_insert(trip).off_scale |= off_scale;
    }
}
