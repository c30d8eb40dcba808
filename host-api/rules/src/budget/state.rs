//! The meter on paper: what survives a crash, and what is checked when it is read again.

use envelope_evidence::{Digest, Usage, usage::MAX_EXACT};
use serde::{Deserialize, Serialize};

use super::account::{ACCOUNT_NAME_CHARS_MAX, Account, Level};
use super::hold::OpenHold;
use super::meter::{ACCOUNTS_MAX, OPEN_HOLDS_MAX, Trip};

/// The version of the shape on paper.
const VERSION: u32 = 1;

/// All that a [`Meter`](super::Meter) has to remember. Only `Meter::load` can use it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeterState {
    version: u32,
    pub(super) name: Digest,
    pub(super) accounts: Vec<Account>,
    /// The row of the day that new holds are charged to.
    pub(super) today: Option<u32>,
    /// By rising number.
    pub(super) holds: Vec<OpenHold>,
    pub(super) next_hold: u64,
    /// The breaker: open while this is something.
    pub(super) trip: Option<Trip>,
}

/// Accounts or a state that no meter can stand on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadMeter {
    /// A state of another version.
    #[error("the meter's state has version {0}, this program reads {VERSION}")]
    Version(u32),
    /// Without an account nothing would be limited.
    #[error("a meter has at least one account")]
    NoAccount,
    /// More than fit.
    #[error("a meter has at most {ACCOUNTS_MAX} accounts, days included")]
    TooManyAccounts,
    /// The name would not survive a log line.
    #[error(
        "account {0} needs a name of 1 to {ACCOUNT_NAME_CHARS_MAX} characters, none of them control"
    )]
    Name(usize),
    /// Two accounts of one level, or the root before the leaf.
    #[error("account {0} is out of order: leaf first, one a level, the first of them no day")]
    Order(usize),
    /// Two rows would share one day's cap.
    #[error("account {0} is a day that is listed before")]
    DayTwice(usize),
    /// A row that is no day, or none although there are days.
    #[error("`today` has to be the row of a day, or nothing without days")]
    NoToday,
    /// More than a meter makes.
    #[error("a meter has at most {OPEN_HOLDS_MAX} open holds")]
    TooManyHolds,
    /// A hold that this meter cannot have made.
    #[error("hold {0} is out of order, on no day of the meter, or too much with the others")]
    Hold(u64),
}

impl MeterState {
    /// The accounts, leaf first, then any further days.
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// Why the breaker is open, if it is.
    pub const fn tripped(&self) -> Option<&Trip> {
        self.trip.as_ref()
    }

    /// Nothing held; the day, where the chain has one, is today.
    pub(super) fn new(name: Digest, accounts: Vec<Account>) -> Self {
        let mut state = Self {
            version: VERSION,
            name,
            accounts,
            today: None,
            holds: Vec::new(),
            next_hold: 0,
            trip: None,
        };
        state.today = state.days().last().map(|(row, _)| row);
        state
    }

    /// Checks everything that a meter relies on, and adds up what is held.
    pub(super) fn check(&mut self) -> Result<(), BadMeter> {
        if self.version != VERSION {
            return Err(BadMeter::Version(self.version));
        }
        self.check_accounts()?;
        self.check_today()?;
        self.check_holds()?;
        self.add_up_held()
    }

    /// The days and their rows.
    pub(super) fn days(&self) -> impl Iterator<Item = (u32, &Account)> {
        (0..).zip(&self.accounts).filter(|(_, account)| account.level() == Level::Day)
    }

    /// The accounts that a hold admitted on `day` is charged to.
    pub(super) fn charged(&self, day: Option<u32>) -> impl Iterator<Item = &Account> {
        let rows = (0..).zip(&self.accounts);
        rows.filter(move |(row, account)| charges(day, *row, account)).map(|(_, account)| account)
    }

    /// As [`charged`](Self::charged), to hold, release and book.
    pub(super) fn charged_mut(&mut self, day: Option<u32>) -> impl Iterator<Item = &mut Account> {
        let rows = (0..).zip(&mut self.accounts);
        rows.filter(move |(row, account)| charges(day, *row, account)).map(|(_, account)| account)
    }

    /// Adds a further day and returns its row.
    pub(super) fn open(&mut self, day: Account) -> Result<u32, BadMeter> {
        self.accounts.push(day);
        let row = u32::try_from(self.accounts.len()).unwrap_or(u32::MAX).saturating_sub(1);
        self.check_accounts().map(|()| row).inspect_err(|_| {
            self.accounts.pop();
        })
    }

    fn check_accounts(&self) -> Result<(), BadMeter> {
        if self.accounts.len() > ACCOUNTS_MAX {
            return Err(BadMeter::TooManyAccounts);
        }
        let leaf = self.accounts.first().ok_or(BadMeter::NoAccount)?;
        let mut deepest = None;
        for (row, account) in self.accounts.iter().enumerate() {
            if !is_name(account.name()) {
                return Err(BadMeter::Name(row));
            }
            if account.level() == Level::Day {
                let mut earlier = self.accounts.iter().take(row);
                if earlier.any(|other| is_day(other) && other.name() == account.name()) {
                    return Err(BadMeter::DayTwice(row));
                }
            } else if deepest.replace(account.level()) >= Some(account.level()) {
                return Err(BadMeter::Order(row));
            }
        }
        // The leaf stands for all that was used, so it cannot change at midnight.
        if is_day(leaf) { Err(BadMeter::Order(0)) } else { Ok(()) }
    }

    fn check_today(&self) -> Result<(), BadMeter> {
        let open = match self.today {
            Some(today) => self.days().any(|(row, _)| row == today),
            None => self.days().next().is_none(),
        };
        if open { Ok(()) } else { Err(BadMeter::NoToday) }
    }

    fn check_holds(&self) -> Result<(), BadMeter> {
        if self.holds.len() > OPEN_HOLDS_MAX {
            return Err(BadMeter::TooManyHolds);
        }
        let mut from = 0;
        for open in &self.holds {
            let dated = open.day.is_none_or(|day| self.days().any(|(row, _)| row == day));
            if !dated || open.number < from || open.number >= self.next_hold.min(MAX_EXACT) {
                return Err(BadMeter::Hold(open.number));
            }
            from = open.number + 1;
        }
        Ok(())
    }

    fn add_up_held(&mut self) -> Result<(), BadMeter> {
        let Self { accounts, holds, .. } = self;
        for (row, account) in (0..).zip(accounts) {
            let mine = holds.iter().filter(|open| charges(open.day, row, account));
            let held = mine
                .map(|open| (open.number, open.worst))
                .try_fold(Usage::ZERO, |sum, (number, worst)| {
                    sum.checked_add(worst).map_err(|_| BadMeter::Hold(number))
                })?;
            account.release(*account.held());
            account.hold(held);
        }
        Ok(())
    }
}

/// A day bears the holds admitted on it, every other account bears all.
fn charges(day: Option<u32>, row: u32, account: &Account) -> bool {
    !is_day(account) || day == Some(row)
}

fn is_day(account: &Account) -> bool {
    account.level() == Level::Day
}

fn is_name(name: &str) -> bool {
    let too_long = name.chars().nth(ACCOUNT_NAME_CHARS_MAX).is_some();
    !name.is_empty() && !too_long && !name.chars().any(char::is_control)
}
