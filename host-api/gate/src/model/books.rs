//! The shared accounts of one run: which they are, day by day, and what its journal says was spent
//! of each.

use std::sync::Arc;

use envelope_evidence::journal::{Event, Journal};
use envelope_evidence::{Digest, Dimension, Timestamp};
use envelope_rules::budget::{Level, Shared};

use super::purse::Purse;

/// The shared accounts that one run is charged to, and who keeps them.
#[derive(Clone)]
pub struct Books {
    /// Who keeps them.
    pub purse: Arc<dyn Purse>,
    /// Which they are.
    pub chain: Chain,
    /// How much is taken at once: what is not needed comes back at the end.
    pub slice: u64,
}

/// Which shared accounts a run is charged to.
#[derive(Debug, Clone, Default)]
pub struct Chain {
    /// The task, the day on which the run started, the agent and so on.
    pub accounts: Vec<Shared>,
    /// How its days follow each other. Without, the first lasts as long as the run.
    pub days: Option<Days>,
}

/// Days that follow each other, each with an account of its own.
#[derive(Clone)]
pub struct Days {
    /// What may be spent on each, in nano-dollars.
    pub cap: u64,
    /// The account of the day on which a moment falls.
    pub name: Arc<dyn Fn(Timestamp) -> String + Send + Sync>,
}

/// What a run spends from on one day. Each day has a lease of its own: so nobody has to know more
/// than the journal to tell what was spent on which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tab {
    /// The lease.
    pub lease: Digest,
    /// The accounts that it is taken of.
    pub chain: Vec<Shared>,
}

/// What was spent of a tab, in nano-dollars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spent {
    /// What it was spent from.
    pub tab: Tab,
    /// All of it. What began and was never settled counts as spent.
    pub nano_usd: u64,
}

impl Chain {
    /// What `run` spends from at `at`.
    pub fn tab(&self, run: Digest, at: Timestamp) -> Tab {
        let first = Tab { lease: run, chain: self.accounts.clone() };
        match (&self.days, first.day()) {
            (Some(days), Some(day)) => {
                let name = (days.name)(at);
                if day.name == name { first } else { Self::later(run, first.chain, &name) }
            }
            (Some(_) | None, _) => first,
        }
    }

    fn later(run: Digest, mut chain: Vec<Shared>, name: &str) -> Tab {
        let lease = Digest::of(format!("{run} {name}").as_bytes());
        for day in chain.iter_mut().filter(|account| account.level == Level::Day) {
            name.clone_into(&mut day.name);
        }
        Tab { lease, chain }
    }

    /// What the run of `journal` spent, of every tab that it may have a lease on: a call is charged
    /// to the day on which it began. The tab that it began with comes first; the last is the one on
    /// which calls stand open, or on which it was written last.
    pub fn spent(&self, journal: &Journal) -> Vec<Spent> {
        let (run, started) = (journal.header_digest(), journal.header().started);
        let used = journal.used().get(Dimension::NanoUsd);
        if self.days.is_none() {
            return vec![Spent { tab: self.tab(run, started), nano_usd: used }];
        }
        let mut tabs = vec![Spent { tab: self.tab(run, started), nano_usd: 0 }];
        let mut open: Vec<(u64, usize, u64)> = Vec::new();
        let mut last = 0;
        for entry in journal.entries() {
            last = place(&mut tabs, self.tab(run, entry.at));
            match &entry.event {
                Event::Begun(begun) => {
                    open.push((begun.call.n, last, begun.reserved.get(Dimension::NanoUsd)));
                }
                Event::Answered(answered) => {
                    let begun = open.iter().position(|(n, ..)| *n == answered.call.n);
                    let at = begun.map_or(last, |begun| open.swap_remove(begun).1);
                    charge(&mut tabs, at, answered.used.get(Dimension::NanoUsd));
                }
                Event::Denied(denied) => open.retain(|(n, ..)| *n != denied.call.n),
                Event::Reviewed(_) | Event::Evaluated(_) | Event::Ended(_) => {}
            }
        }
        for (_, at, reserved) in &open {
            charge(&mut tabs, *at, *reserved);
            last = *at;
        }
        // All that is spent stands somewhere, whatever else a journal may hold.
        let told = tabs.iter().fold(0, |sum: u64, spent| sum.saturating_add(spent.nano_usd));
        charge(&mut tabs, 0, used.saturating_sub(told));
        if last > 0 {
            let last = tabs.remove(last);
            tabs.push(last);
        }
        tabs
    }
}

impl Tab {
    /// The account of its day, if it has one.
    pub fn day(&self) -> Option<&Shared> {
        self.chain.iter().find(|account| account.level == Level::Day)
    }
}

impl std::fmt::Debug for Days {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Days").field("cap", &self.cap).finish_non_exhaustive()
    }
}

/// Where `tab` stands among `tabs`.
fn place(tabs: &mut Vec<Spent>, tab: Tab) -> usize {
    let known = tabs.iter().rposition(|spent| spent.tab.lease == tab.lease);
    known.unwrap_or_else(|| {
        tabs.push(Spent { tab, nano_usd: 0 });
        tabs.len().saturating_sub(1)
    })
}

fn charge(tabs: &mut [Spent], at: usize, nano_usd: u64) {
    if let Some(spent) = tabs.get_mut(at) {
        spent.nano_usd = spent.nano_usd.saturating_add(nano_usd);
    }
}
