//! The shared accounts of a run, and what a journal says of broken words.

use envelope_evidence::journal::{Event, Journal};
use envelope_evidence::{Dimension, Usage};
use envelope_rules::budget::{Accounting, Meter};
use envelope_rules::grant::Standing;

use super::Gate;
use crate::stop::{Fault, Stop};

impl Gate {
    /// Leases what a call may cost of the accounts that the run shares with others, where its slice
    /// is not enough. What cannot be leased is not there: the call is clamped to what is.
    pub(in crate::gate) async fn fund(&mut self, wanted: u64) -> Result<(), Stop> {
        let world = std::sync::Arc::clone(&self.parts.world);
        let Some(books) = world.books() else { return Ok(()) };
        let leased = self.parts.meter.leased(&books.chain);
        // What the run may spend by itself decides how much of a slice can be used at all.
        let ceiling = self.authority(Standing { bound_run: None, revoked: false }).ceiling();
        let own = self.parts.meter.unshared_within(&ceiling, &books.chain);
        let Some(short) = wanted.min(own).checked_sub(leased).filter(|short| *short > 0) else {
            return Ok(());
        };
        let lease = self.parts.journal.header_digest();
        let wish = short.max(books.slice).min(own.saturating_sub(leased));
        if let Ok(leased) = books.purse.lease(lease, &books.chain, 0, wish).await? {
            self.parts.meter.top_up(&books.chain, leased);
        }
        Ok(())
    }

    /// Tells the shared books what the run spent, and gives the rest back.
    pub(in crate::gate) async fn give_back(&mut self) -> Result<(), Fault> {
        let world = std::sync::Arc::clone(&self.parts.world);
        let Some(books) = world.books() else { return Ok(()) };
        let lease = self.parts.journal.header_digest();
        let out = books.purse.out(lease).await?;
        // What began and was never settled counts as spent: the journal says so.
        let spent = self.parts.journal.used().get(Dimension::NanoUsd);
        let returned = out.saturating_sub(spent);
        if out == 0 && spent == 0 {
            return Ok(());
        }
        books.purse.account(lease, Accounting { seq: 0, spent, returned }).await
    }
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
