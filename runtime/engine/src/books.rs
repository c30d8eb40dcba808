//! The books of a run, as its journal left them.

use envelope_evidence::journal::{Event, Journal, Recovery, Settled};
use envelope_evidence::{Dimension, Usage};
use envelope_gate::gate::Authorities;
use envelope_gate::model::{Books, Spent};
use envelope_gate::world::World;
use envelope_rules::budget::{Account, Cap, Level, Meter, Shared};

use crate::run::Halted;

/// The books as the journal left them: what it records as used is spent, and the reservation of a
/// call whose outcome nobody knows with it. One that is repeated sets the same aside again.
///
/// Beside the run's own account stand those that it shares with others, as far as their money is
/// leased to it.
pub(crate) async fn meter(
    journal: &Journal,
    authorities: &Authorities,
    world: &dyn World,
) -> Result<Meter, Halted> {
    let cap = authorities.warrant.document().budget;
    let spent = journal.used().saturating_sub(repeated(journal));
    // Fuel is measured by the engine, which begins anew; the wall clock runs by itself.
    let spent = spent.with(Dimension::Fuel, 0).unwrap_or(spent);
    let spent = spent.with(Dimension::WallMs, 0).unwrap_or(spent);
    let leaf = Account::new(Level::Run, journal.header().run.to_string(), cap, spent);
    let mut chain = vec![leaf];
    if let Some(books) = world.books() {
        chain.extend(shared(journal, books, spent.get(Dimension::NanoUsd)).await?);
    }
    let meter = Meter::new(journal.header_digest(), chain);
    meter.map_err(|why| Halted::SetUp(why.to_string()))
}

/// The accounts that the run shares with others, each of its days with what was spent on it. In all
/// it spent `all`: what is repeated is not in it, and stood on the last of those days.
async fn shared(journal: &Journal, books: &Books, all: u64) -> Result<Vec<Account>, Halted> {
    let mut tabs = Vec::new();
    for spent in books.chain.spent(journal) {
        let out = books.purse.out(spent.tab.lease).await?;
        tabs.push((spent, out));
    }
    let repeated = journal.used().get(Dimension::NanoUsd).saturating_sub(all);
    if let Some((last, _)) = tabs.last_mut() {
        last.nano_usd = last.nano_usd.saturating_sub(repeated);
    }
    let account = |of: &Shared, cap: u64, spent: u64| {
        let cap = Cap::NONE.with(Dimension::NanoUsd, cap).unwrap_or_default();
        let spent = Usage::ZERO.with(Dimension::NanoUsd, spent).unwrap_or_default();
        Account::new(of.level, of.name.clone(), cap, spent)
    };
    // What is given back already is out no more: it was worth what was spent of it.
    let worth = |(spent, out): &(Spent, u64)| spent.nano_usd.max(*out);
    let out = tabs.iter().map(worth).fold(0, u64::saturating_add);
    let mut accounts = Vec::new();
    for one in &books.chain.accounts {
        if one.level == Level::Day {
            let days = tabs.iter().filter_map(|(spent, out)| Some((spent, out, spent.tab.day()?)));
            accounts.extend(days.map(|(spent, out, day)| account(day, *out, spent.nano_usd)));
        } else {
            accounts.push(account(one, out, all));
        }
    }
    Ok(accounts)
}

/// What is reserved for calls that will be repeated.
fn repeated(journal: &Journal) -> Usage {
    let open = journal.calls().iter().filter(|state| state.settled == Settled::Begun);
    let open = open.filter_map(|state| journal.entries().get(state.entry));
    open.fold(Usage::ZERO, |sum, entry| match &entry.event {
        Event::Begun(begun) => match begun.recovery {
            Recovery::Again | Recovery::SameKey => sum.checked_add(begun.reserved).unwrap_or(sum),
            Recovery::Once => sum,
        },
        Event::Answered(_)
        | Event::Denied(_)
        | Event::Reviewed(_)
        | Event::Evaluated(_)
        | Event::Ended(_) => sum,
    })
}
