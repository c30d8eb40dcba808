//! A run that another day finds at work: what it spends is charged where it began to spend it, in
//! the database too.

use envelope_evidence::{Dimension, Timestamp};
use envelope_node::{Calendar, now};
use envelope_rules::budget::{Balance, Level, Shared};

use super::house::{Plan, Town};
use crate::store::world::both;

/// What each day may spend, in nano-dollars: more than the run needs.
const DAY: u64 = 500_000_000;

/// The days of some other place.
fn calendar() -> Calendar {
    Calendar { of: "pur_1".to_owned(), zone: "Pacific/Auckland".to_owned(), nano_usd: DAY }
}

#[test]
fn a_run_that_began_on_another_day_spends_of_this_one() {
    both(async |world| {
        let town = Town::found(world).await;
        let (calendar, before) = (calendar(), now());
        let then = calendar.day(Timestamp::from_secs(1_700_000_000).unwrap()).unwrap();
        let whole = Shared { level: Level::Purchase, name: "pur_1".to_owned() };
        let mut tx = world.store.write().await.unwrap();
        for account in [&then, &whole] {
            tx.of(&town.org).open_account(account, DAY).await.unwrap();
        }
        tx.commit().await.unwrap();
        let (shared, acts) = ([then.clone(), whole.clone()], "chat stub/any 200 Why is it blue?");
        let (money, days) = (DAY, Some(&calendar));
        town.launch(Plan { money, days, shared: &shared, ..Plan::of("run_1", acts) }).await;
        let node = town.process("a");
        town.until("run_1", "ended").await;
        assert!(node.leave(), "{}", town.heard());
        let spent = town.finished(&town.org, "run_1").await.journal.used().get(Dimension::NanoUsd);
        assert!(spent > 0);

        let balance = async |account: &Shared| {
            let mut tx = world.store.read().await.unwrap();
            tx.of(&town.org).balance(account).await.unwrap()
        };
        assert_eq!(balance(&then).await, Some(Balance { cap: DAY, spent: 0, leased: 0 }));
        assert_eq!(balance(&whole).await, Some(Balance { cap: DAY, spent, leased: 0 }));
        // Midnight may have come while it ran.
        let mut today = 0;
        let days = [before, now()].map(|at| calendar.day(at).unwrap());
        let other = (days[0] != days[1]).then_some(&days[1]);
        for day in [&days[0]].into_iter().chain(other) {
            let day = balance(day).await.unwrap_or_default();
            assert_eq!(day.leased, 0);
            today += day.spent;
        }
        assert_eq!(today, spent);
    });
}
