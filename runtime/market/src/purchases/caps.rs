//! What all runs of a purchase may spend together: in one day, and in all. A run takes what it
//! spends of both accounts before it spends it.

use envelope_evidence::Timestamp;
use envelope_node::Calendar;
use envelope_rules::budget::{Level, Shared};
use envelope_store::OrgTx;
use envelope_store::noun::Noun;
use envelope_terms::contract::{Caps, Contract};

use crate::Refused;

/// Runs that one purchase may have, also those that fail: whoever tries for longer buys again. A
/// purchase has room for the receipts of all of them.
pub const RUNS_MAX: i64 = 200;

/// An account, and what it may hold.
pub(super) struct Cap {
    pub(super) account: Shared,
    nano_usd: u64,
}

/// How the days of `purchase` follow each other.
pub(super) fn calendar(purchase: &str, caps: &Caps) -> Calendar {
    let (of, zone) = (purchase.to_owned(), caps.day_zone.to_string());
    Calendar { of, zone, nano_usd: caps.day.nano_usd.get() }
}

/// The caps under which a run of `purchase` stands that is launched at `at`.
pub(super) fn of(purchase: &str, caps: &Caps, at: Timestamp) -> Result<[Cap; 2], Refused> {
    let day = day(purchase, caps, at)?;
    let whole = Shared { level: Level::Purchase, name: purchase.to_owned() };
    Ok([
        Cap { account: day, nano_usd: caps.day.nano_usd.get() },
        Cap { account: whole, nano_usd: caps.agent.nano_usd.get() },
    ])
}

/// Opens what is not open yet. What was spent stays, and so does the cap that a day began with.
pub(super) async fn open(rows: &mut OrgTx<'_>, caps: &[Cap]) -> Result<(), Refused> {
    for Cap { account, nano_usd } in caps {
        if rows.balance(account).await?.is_none() {
            rows.open_account(account, *nano_usd).await?;
        }
    }
    Ok(())
}

/// Refuses one run more than a purchase may have.
pub(super) async fn room(rows: &mut OrgTx<'_>, purchase: &str) -> Result<(), Refused> {
    if rows.count_below(Noun::Run, purchase).await? < RUNS_MAX {
        return Ok(());
    }
    Err(Refused::TooManyRuns { id: purchase.to_owned(), most: RUNS_MAX })
}

/// Refuses a contract whose days begin nowhere: nothing of it could be launched.
pub(crate) fn has_days(contract: &Contract) -> Result<(), Refused> {
    day("", &contract.caps, Timestamp::ZERO).map(drop)
}

/// The account of the day on which `at` falls where the contract counts its days.
fn day(purchase: &str, caps: &Caps, at: Timestamp) -> Result<Shared, Refused> {
    let day = calendar(purchase, caps).day(at);
    day.map_err(|why| Refused::invalid("source", format!("its `caps.day_zone`: {why}")))
}
