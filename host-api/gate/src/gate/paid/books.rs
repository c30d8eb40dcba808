//! The shared accounts of a run, and what a journal says of broken words.

use envelope_evidence::journal::{Event, Journal};
use envelope_evidence::{Dimension, Usage};
use envelope_rules::budget::{Accounting, Cap, Meter};
use envelope_rules::grant::Standing;

use super::Gate;
use crate::model::{Books, Spent, Tab};
use crate::stop::{Fault, Stop};

impl Gate {
    /// Leases what a call may cost of the accounts that the run shares with others, where its slice
    /// is not enough. What cannot be leased is not there: the call is clamped to what is.
    pub(in crate::gate) async fn fund(&mut self, wanted: u64) -> Result<(), Stop> {
        let world = std::sync::Arc::clone(&self.parts.world);
        let Some(books) = world.books() else { return Ok(()) };
        let tab = self.begin_day(books).await?;
        let (lease, chain) = (tab.lease, &tab.chain);
        let leased = self.parts.meter.leased(chain);
        // What the run may spend by itself decides how much of a slice can be used at all.
        let ceiling = self.authority(Standing { bound_run: None, revoked: false }).ceiling();
        let own = self.parts.meter.unshared_within(&ceiling, chain);
        let Some(short) = wanted.min(own).checked_sub(leased).filter(|short| *short > 0) else {
            return Ok(());
        };
        let wish = short.max(books.slice).min(own.saturating_sub(leased));
        if let Some((day, days)) = tab.day().zip(books.chain.days.as_ref()) {
            books.purse.begin_day(day, days.cap).await?;
        }
        if let Ok(leased) = books.purse.lease(lease, chain, 0, wish).await? {
            self.parts.meter.top_up(chain, leased);
        }
        Ok(())
    }

    /// What the run spends from now. Where another day has begun, new calls are charged to that;
    /// those under way stay with the day on which they began.
    async fn begin_day(&mut self, books: &Books) -> Result<Tab, Stop> {
        let at = self.now.max(self.parts.journal.last_at());
        let tab = books.chain.tab(self.parts.journal.header_digest(), at);
        let day = tab.day().filter(|_| books.chain.days.is_some());
        if let Some(day) = day.filter(|day| !self.parts.meter.is_today(&day.name)) {
            self.end_days(books, &tab).await?;
            // A process that is gone may have leased of it, and spent nothing.
            let out = books.purse.out(tab.lease).await?;
            let cap = Cap::NONE.with(Dimension::NanoUsd, out).unwrap_or_default();
            let begun = self.parts.meter.begin_day(&day.name, cap);
            begun.map_err(|_| Stop::Exhausted("days on which it spends"))?;
        }
        Ok(tab)
    }

    /// Gives back what was leased of days before that of `tab`, and not spent: others may need it,
    /// and this run can spend it no more. While something is under way nobody can tell.
    async fn end_days(&mut self, books: &Books, tab: &Tab) -> Result<(), Stop> {
        if !self.parts.meter.is_idle() {
            return Ok(());
        }
        for spent in books.chain.spent(&self.parts.journal) {
            if spent.tab.lease != tab.lease {
                let returned = account_for(books, &spent).await?;
                self.parts.meter.take_back(&spent.tab.chain, returned);
            }
        }
        Ok(())
    }

    /// Tells the shared books what the run spent, and gives the rest back.
    pub(in crate::gate) async fn give_back(&mut self) -> Result<(), Fault> {
        let world = std::sync::Arc::clone(&self.parts.world);
        let Some(books) = world.books() else { return Ok(()) };
        for spent in books.chain.spent(&self.parts.journal) {
            account_for(books, &spent).await?;
        }
        Ok(())
    }
}

/// Tells what was spent of a tab, and what of it goes back. Told twice, it counts once.
async fn account_for(books: &Books, Spent { tab, nano_usd }: &Spent) -> Result<u64, Fault> {
    let out = books.purse.out(tab.lease).await?;
    let returned = out.saturating_sub(*nano_usd);
    if out > 0 || *nano_usd > 0 {
        let told = Accounting { seq: 0, spent: *nano_usd, returned };
        books.purse.account(tab.lease, told).await?;
    }
    Ok(returned)
}

/// Opens the breaker of a run that is taken up, if a provider broke its word before.
pub(in crate::gate) fn relatch(meter: &mut Meter, journal: &Journal) {
    let mut open: Vec<(u64, Usage)> = Vec::new();
    for entry in journal.entries() {
        match &entry.event {
            Event::Begun(begun) => open.push((begun.call.n, begun.reserved)),
            Event::Answered(answered) => {
                let n = answered.call.n;
                let begun = open.iter().position(|(begun, _)| *begun == n);
                let reserved = begun.map(|place| open.swap_remove(place).1);
                if let Some(reserved) =
                    reserved.filter(|it| answered.used.first_above(it).is_some())
                {
                    meter.latch(n, reserved, answered.used);
                }
            }
            Event::Denied(_) | Event::Reviewed(_) | Event::Evaluated(_) | Event::Ended(_) => {}
        }
    }
}
