//! Money that runs share, on both engines: what the ledger of the rules says, the database says,
//! and whatever dies at whatever moment, nothing is spent beyond a cap.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use envelope_evidence::{Digest, Label, Usage};
use envelope_gate::model::Purse as _;
use envelope_rules::Code;
use envelope_rules::budget::{Accounting, BadLedger, Balance, Frost, Ledger, Level, Place, Shared};
use envelope_store::audit::{Finding, verify};
use envelope_store::budget::{BudgetError, StorePurse, day};
use envelope_store::work::{LEASE, Lease, claim};
use envelope_store::{Org, Store};

use super::log::{log, publish, publisher};
use super::world::{World, at, both, folder};
use crate::cargo::store_node;
use crate::chance::Chance;
use crate::patience::until_async;

fn account(level: Level, name: &str) -> Shared {
    Shared { level, name: name.to_owned() }
}

fn chain() -> [Shared; 2] {
    [account(Level::Agent, "a"), account(Level::Organisation, "o")]
}

async fn open(store: &Store, org: &Org, accounts: &[(Shared, u64)]) {
    let mut tx = store.write().await.unwrap();
    for (account, cap) in accounts {
        tx.of(org).open_account(account, *cap).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn balance(store: &Store, org: &Org, account: &Shared) -> Balance {
    let mut tx = store.read().await.unwrap();
    tx.of(org).balance(account).await.unwrap().unwrap()
}

/// The same questions to the ledger of the rules and to the database, where any transaction may be
/// lost before it is committed.
#[test]
fn the_database_keeps_the_books_of_the_rules() {
    both(async |world| {
        let org = world.found("acme", 0).await;
        let (mut seed, mut ledger) = (Chance(0x5eed), Ledger::default());
        let all = [day("a", "2026-05-01"), chain()[0].clone(), chain()[1].clone()];
        let (mut refused, mut denied, mut lost) = (0, 0, 0);
        for _ in 0..400 {
            let keep = seed.below(5) > 0;
            let lease = Digest::of(&seed.below(12).to_le_bytes());
            let mut after = ledger.clone();
            let mut tx = world.store.write().await.unwrap();
            let mut rows = tx.of(&org);
            match seed.below(8) {
                0 => {
                    let of = &all[usize::try_from(seed.below(3)).unwrap()];
                    let cap = 100 + seed.below(900);
                    after.open(of.clone(), cap);
                    rows.open_account(of, cap).await.unwrap();
                }
                1..=3 => {
                    let least = seed.below(40);
                    let wish = seed.below(120);
                    // Mostly the lease's own chain, sometimes another.
                    let from = usize::from(lease.as_bytes()[0] % 2 + u8::from(seed.below(9) == 0));
                    let chain = &all[from.min(2)..];
                    let want = after.lease(lease, chain, least, wish);
                    match (want, rows.lease(lease, chain, (least, wish)).await) {
                        (Ok(want), Ok(got)) => {
                            denied += u64::from(want.is_err());
                            assert_eq!(want, got);
                        }
                        (Err(want), Err(BudgetError::Ledger(got))) => {
                            refused += 1;
                            assert_eq!(want, got);
                        }
                        other => panic!("{other:?}"),
                    }
                }
                _ => {
                    let seq = (after.next(&lease) + seed.below(3)).saturating_sub(1);
                    let told = Accounting { seq, spent: seed.below(50), returned: seed.below(60) };
                    let want = after.account(&lease, told);
                    match (want, rows.account(lease, told).await) {
                        (Ok(()), Ok(())) => {}
                        (Err(want), Err(BudgetError::Ledger(got))) => {
                            refused += 1;
                            assert_eq!(want, got);
                        }
                        other => panic!("{other:?}"),
                    }
                }
            }
            if keep {
                tx.commit().await.unwrap();
                ledger = after;
            } else {
                lost += 1;
            }
            for account in &all {
                let mut tx = world.store.read().await.unwrap();
                let found = tx.of(&org).balance(account).await.unwrap();
                assert_eq!(found, ledger.balance(account));
            }
        }
        assert!(refused > 20 && denied > 5 && lost > 40, "{refused} {denied} {lost}");
        publish(world, &mut publisher(&folder())).await;
        assert_eq!(verify(&world.store, &log(), &[]).await.unwrap(), []);
    });
}

#[test]
fn a_day_keeps_the_cap_it_began_with_and_each_is_its_own() {
    both(async |world| {
        let org = world.found("acme", 0).await;
        let (first, second) = (day("a", "2026-05-01"), day("a", "2026-05-02"));
        let mut tx = world.store.write().await.unwrap();
        for (day, cap) in [(&first, 100), (&second, 50), (&first, 9_000)] {
            tx.of(&org).begin_day(day, cap).await.unwrap();
        }
        tx.commit().await.unwrap();
        let purse = StorePurse::new(world.store.clone(), org.clone());
        let lease = |name: &[u8], day: &Shared| {
            let (lease, day) = (Digest::of(name), [day.clone()]);
            let purse = purse.clone();
            async move { purse.lease(lease, &day, 1, 80).await.unwrap() }
        };
        assert_eq!(lease(b"1", &first).await.unwrap().slice, 80);
        assert_eq!(lease(b"2", &second).await.unwrap().slice, 50);
        let denial = lease(b"3", &second).await.unwrap_err();
        assert_eq!(denial.code(), Code::BudgetExhausted);
        assert_eq!(denial.detail(), "agent's day `a 2026-05-02`: nano_usd wanted 1, remaining 0");
        assert_eq!(lease(b"4", &first).await.unwrap().slice, 20, "yesterday has money left");
        let full = Balance { cap: 50, spent: 0, leased: 50 };
        assert_eq!(balance(&world.store, &org, &second).await, full);
    });
}

#[test]
fn an_organisation_spends_its_own_money_only() {
    both(async |world| {
        let (acme, other) = (world.found("acme", 0).await, world.found("other", 0).await);
        open(&world.store, &acme, &chain().map(|account| (account, 100))).await;
        let lease = Digest::of(b"lease");
        let theirs = StorePurse::new(world.store.clone(), other.clone());
        let refused = theirs.lease(lease, &chain(), 1, 10).await.unwrap_err();
        assert!(refused.to_string().contains("no account"), "{refused}");
        let ours = StorePurse::new(world.store.clone(), acme.clone());
        assert_eq!(ours.lease(lease, &chain(), 1, 10).await.unwrap().unwrap().slice, 10);
        assert_eq!((ours.out(lease).await.unwrap(), theirs.out(lease).await.unwrap()), (10, 0));
        let mut tx = world.store.write().await.unwrap();
        let told = Accounting { seq: 0, spent: 10, returned: 0 };
        let stolen = tx.of(&other).account(lease, told).await;
        assert!(matches!(stolen, Err(BudgetError::Ledger(BadLedger::NoLease(_)))), "{stolen:?}");
    });
}

#[test]
fn a_model_that_broke_its_word_is_frozen_for_every_node_until_a_human_thaws_it() {
    both(async |world| {
        let (org, other) = (world.found("acme", 0).await, world.found("other", 0).await);
        let place = Place { provider: Label::cut("p"), model: Label::cut("p/m") };
        let frost = |run: &str| Frost {
            place: place.clone(),
            run: Label::cut(run),
            key: Label::cut("k"),
            reserved: Usage::ZERO,
            charged: Usage::ZERO,
            at: at(5),
        };
        let purse = |org: &Org| StorePurse::new(world.store.clone(), org.clone());
        assert_eq!(purse(&org).check(&place).await.unwrap(), Ok(()));
        purse(&org).freeze(frost("r1")).await.unwrap();
        purse(&org).freeze(frost("r2")).await.unwrap();
        let denial = purse(&org).check(&place).await.unwrap().unwrap_err();
        assert_eq!(denial.code(), Code::BudgetFrozen);
        assert!(denial.detail().contains("by run `r1`"), "the first reason stays: {denial:?}");
        assert_eq!(purse(&other).check(&place).await.unwrap(), Ok(()));
        let neighbour = Place { model: Label::cut("p/n"), ..place.clone() };
        assert_eq!(purse(&org).check(&neighbour).await.unwrap(), Ok(()));
        let mut tx = world.store.write().await.unwrap();
        assert_eq!(tx.of(&org).frosts().await.unwrap(), [frost("r1")]);
        let thaw = tx.of(&org).thaw(&place, "paid back", at(9)).await.unwrap().unwrap();
        assert_eq!((thaw.by, thaw.frost), (Digest::of(b"paid back"), frost("r1")));
        assert_eq!(tx.of(&org).thaw(&place, "paid back", at(9)).await.unwrap(), None);
        assert_eq!(tx.of(&org).frosts().await.unwrap(), []);
        tx.commit().await.unwrap();
        assert_eq!(purse(&org).check(&place).await.unwrap(), Ok(()));
        // A node that lost its run freezes nothing; one that holds it does.
        let mut tx = world.store.write().await.unwrap();
        tx.of(&org).queue("r3", at(0)).await.unwrap();
        tx.commit().await.unwrap();
        let held = claim(&world.store, "a", at(0), LEASE).await.unwrap().unwrap();
        let lost = Lease { epoch: held.epoch - 1, ..held.clone() };
        purse(&org).under(lost).freeze(frost("r3")).await.unwrap_err();
        assert_eq!(purse(&org).check(&place).await.unwrap(), Ok(()));
        purse(&org).under(held).freeze(frost("r3")).await.unwrap();
        assert!(purse(&org).check(&place).await.unwrap().is_err(), "frozen anew");
    });
}

#[test]
fn the_rules_of_the_database_keep_the_books_and_verify_names_what_went_past_them() {
    both(async |world| {
        let org = world.found("acme", 0).await;
        open(&world.store, &org, &chain().map(|account| (account, 100))).await;
        let purse = StorePurse::new(world.store.clone(), org.clone());
        let lease = Digest::of(b"lease");
        purse.lease(lease, &chain(), 1, 60).await.unwrap().unwrap();
        publish(world, &mut publisher(&folder())).await;
        let attacks = [
            ("UPDATE accounts SET leased = leased + 41, version = version + 1", "beyond the cap"),
            ("UPDATE accounts SET leased = 0", "raises the version"),
            ("UPDATE accounts SET spent = spent - 1, version = version + 1", ""),
            ("DELETE FROM leases", "never deleted"),
            ("DELETE FROM accounts", "never deleted"),
            ("UPDATE leases SET chain = '[]', version = version + 1", "keeps its row"),
        ];
        for (attack, word) in attacks {
            let refused = world.own(attack).await.expect_err(attack);
            assert!(refused.contains(word), "{attack}: {refused}");
        }
        assert_eq!(verify(&world.store, &log(), &[]).await.unwrap(), []);
        // Within the rules, and yet not what the leases say.
        let raise = "UPDATE accounts SET leased = leased - 10, version = version + 1
            WHERE level = 'agent'";
        world.own(raise).await.unwrap();
        let found = verify(&world.store, &log(), &[]).await.unwrap();
        assert_eq!(found, [Finding::Books("accounts/acme/agent/a".to_owned())]);
    });
}

/// A node in a process of its own, and what it said.
struct Node {
    name: String,
    child: Child,
}

impl Node {
    fn start(world: &World, name: String) -> Self {
        let mut command = Command::new(store_node());
        command.args(["spend", &world.url, &name]).stdout(Stdio::piped());
        Self { name, child: command.spawn().unwrap() }
    }

    /// Kills it as the kernel does, and returns what it spent, by lease, and whether it was denied.
    fn kill(mut self) -> (BTreeMap<Digest, u64>, bool) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let mut spent = BTreeMap::new();
        let mut denied = false;
        for line in BufReader::new(self.child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            let lease = |number: &str| Digest::of(format!("{}-{number}", self.name).as_bytes());
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["asks", number] => assert_eq!(spent.insert(lease(number), 0), None),
                ["spends", number, amount] => {
                    spent.insert(lease(number), amount.parse().unwrap());
                }
                _ => denied |= line == "denied",
            }
        }
        (spent, denied)
    }
}

/// Waits until the server has done what the dead asked for last.
async fn quiet(world: &World) {
    let busy = "SELECT pid::text FROM pg_stat_activity WHERE datname = current_database()
        AND state <> 'idle' AND pid <> pg_backend_pid()";
    let busy = world.spell("SELECT 1 WHERE false", busy);
    until_async("quiet", async || world.own(busy).await.unwrap().is_empty()).await;
}

#[test]
fn nodes_that_are_killed_at_any_moment_spend_within_the_cap() {
    both(async |world| {
        let org = world.found("acme", 0).await;
        let cap = 20_000;
        let accounts = [(chain()[0].clone(), cap), (chain()[1].clone(), cap + 500)];
        open(&world.store, &org, &accounts).await;
        let purse = StorePurse::new(world.store.clone(), org.clone());
        let (mut seed, mut billed, mut denials, mut stranded) = (Chance(77), 0, 0, 0);
        for round in 0..100 {
            let names = ["a", "b", "c"].map(|name| format!("{name}{round}"));
            let nodes = names.map(|name| Node::start(world, name));
            for node in nodes {
                tokio::time::sleep(Duration::from_millis(10 + seed.below(120))).await;
                let (spent, denied) = node.kill();
                quiet(world).await;
                denials += u64::from(denied);
                billed += spent.values().sum::<u64>();
                for account in chain() {
                    let Balance { cap, spent, leased } =
                        balance(&world.store, &org, &account).await;
                    assert!(spent + leased <= cap, "{spent} + {leased} of {cap}");
                    assert!(billed <= spent + leased, "{billed} of {spent} + {leased}");
                }
                // The node's own log shows what became of its leases.
                for (lease, spent) in spent {
                    let out = purse.out(lease).await.unwrap();
                    stranded += u64::from(out > 0);
                    if out > 0 {
                        let told = Accounting { seq: 0, spent, returned: out - spent };
                        purse.account(lease, told).await.unwrap();
                    }
                }
            }
            if denials > 0 && stranded >= 5 {
                break;
            }
            if denials > 0 {
                // The money was gone before enough was torn: more of it.
                let more = accounts.clone().map(|(account, cap)| (account, cap * (round + 2)));
                open(&world.store, &org, &more).await;
            }
        }
        assert!(denials > 0 && stranded >= 5, "{denials} denials, {stranded} stranded");
        for account in chain() {
            let Balance { spent, leased, .. } = balance(&world.store, &org, &account).await;
            assert_eq!((spent, leased), (billed, 0), "nothing is lost");
        }
        publish(world, &mut publisher(&folder())).await;
        assert_eq!(verify(&world.store, &log(), &[]).await.unwrap(), []);
    });
}
