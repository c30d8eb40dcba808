//! Many who do what contradicts each other, at once: one of them is right, and money is conserved.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use envelope_market::Refused;
use envelope_market::disputes::open::{Open, open};
use envelope_market::papers::listing::{Listing, change, look};
use envelope_market::purchases::accept::{Accept, accept};
use envelope_market::purchases::buy::{Buy, buy};
use envelope_market::purchases::launch::{Start, launch, ready};
use envelope_node::now;
use envelope_store::noun::Noun;
use tokio::task::JoinSet;

use super::house::{Fair, Stall, offer};
use super::story::delivered;
use crate::store::world::both;

/// Who edits and buys at once.
const CLIENTS: usize = 50;

/// How often each of them tries.
const ROUNDS: usize = 8;

/// The offer is edited for ever, while many buy what they saw a moment ago.
#[test]
fn nobody_buys_what_was_changed_meanwhile() {
    both(async |world| {
        let fair = Arc::new(Fair::open(world).await);
        let stall = Arc::new(fair.open_stall().await);
        let (mut all, sold) = (JoinSet::new(), Arc::new(AtomicUsize::new(0)));
        for client in 0..CLIENTS {
            let (fair, stall, sold) = (fair.clone(), stall.clone(), sold.clone());
            all.spawn(async move {
                for round in 0..ROUNDS {
                    if client % 5 == 0 {
                        edit(&fair, &stall, client * ROUNDS + round).await;
                    } else {
                        attempt(&fair, &stall, &sold).await;
                    }
                }
            });
        }
        while let Some(done) = all.join_next().await {
            done.unwrap();
        }
        // When nobody edits any more, it is bought.
        attempt(&fair, &stall, &sold).await;
        let mut tx = fair.market.house.store.read().await.unwrap();
        let bought = tx.of(&fair.buyer.org).page(Noun::Purchase, "", 1000).await.unwrap();
        assert_eq!(bought.len(), sold.load(Ordering::SeqCst));
        assert!(!bought.is_empty());
    });
}

async fn edit(fair: &Fair, stall: &Stall, number: usize) {
    let price = 180_000 + u64::try_from(number).unwrap();
    let new = offer(&stall.agent, &stall.release, &stall.msa, price);
    let input = (stall.listing.id.clone(), new);
    let changed = fair.market.act((&fair.seller, now()), &input, |market, turn, (id, new)| {
        Box::pin(change(market, turn, id, new.clone()))
    });
    settled(changed.await);
}

/// Buys. What is bought is what is offered in that very transaction.
async fn attempt(fair: &Fair, stall: &Stall, sold: &AtomicUsize) {
    let Ok(paper) = fair.quote(&stall.listing.id).await else { return };
    let wish = Buy {
        paper: paper.id.clone(),
        listing_digest: paper.listing_digest.clone(),
        msa_digest: paper.msa_digest.clone(),
    };
    let input = (fair.operator.org.clone(), wish);
    let bought = fair.market.act((&fair.buyer, now()), &input, |market, turn, (house, wish)| {
        Box::pin(async move {
            let bought = buy(market, turn, house, wish).await?;
            let offered: Listing = look(turn.tx, &bought.listing).await?;
            assert_eq!(offered.digest, wish.listing_digest, "bought on unseen terms");
            Ok(bought)
        })
    });
    match bought.await {
        Ok(_) => drop(sold.fetch_add(1, Ordering::SeqCst)),
        Err(refused) if refused.passes() => {}
        Err(refused) => assert_eq!(refused.code(), "LISTING_MODIFIED", "{refused}"),
    }
}

/// What was done, or was bad luck.
fn settled<T>(done: Result<T, Refused>) {
    match done {
        Ok(_) => {}
        Err(refused) if refused.passes() => {}
        Err(refused) => panic!("{refused}"),
    }
}

/// The buyer accepts and disputes, twenty times each, all at once: one of both holds, once.
#[test]
fn accepted_or_disputed_and_never_both() {
    both(async |world| {
        let fair = Arc::new(Fair::open(world).await);
        let stall = fair.open_stall().await;
        for _ in 0..3 {
            let staged = delivered(&fair, &stall.listing.id, "Hokusai").await;
            let (mut all, held) = (JoinSet::new(), Arc::new(AtomicUsize::new(0)));
            for number in 0..40 {
                let (fair, id, held) = (fair.clone(), staged.id.clone(), held.clone());
                all.spawn(async move {
                    let wish = Open { criteria: [].into(), statement: format!("no {number}") };
                    let (who, input) = ((&fair.buyer, now()), (id, wish));
                    let done = fair.market.act(who, &input, |market, turn, (id, wish)| {
                        if number % 2 == 0 {
                            Box::pin(accept(market, turn, id, Accept::default()))
                        } else {
                            Box::pin(open(market, turn, id, wish.clone()))
                        }
                    });
                    if done.await.is_ok() {
                        held.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
            while let Some(done) = all.join_next().await {
                done.unwrap();
            }
            assert_eq!(held.load(Ordering::SeqCst), 1);
            let after = fair.pay_out(&fair.view(&fair.buyer, &staged.id).await.unwrap()).await;
            let money = after.money.unwrap();
            assert_eq!(money.held + money.developer + money.marketplace, 180_000);
        }
    });
}

/// Many launch at once: each run is one, and the criteria were locked once.
#[test]
fn a_purchase_begins_once_however_many_launch() {
    both(async |world| {
        let fair = Arc::new(Fair::open(world).await);
        let stall = fair.open_stall().await;
        let funded = fair.funded(&stall.listing.id).await;
        let mut all = JoinSet::new();
        for _ in 0..12 {
            let (fair, purchase) = (fair.clone(), funded.id.clone());
            all.spawn(async move {
                let start = Start {
                    purchase,
                    args: serde_json::json!(["write labels/en Hokusai"]),
                    files: Vec::new(),
                };
                let made = ready(&fair.market, &fair.buyer, start, now()).await.unwrap();
                let who = (&fair.buyer, now());
                let launched = fair
                    .market
                    .act(who, &made, |market, turn, made| Box::pin(launch(market, turn, made)));
                launched.await.is_ok()
            });
        }
        let mut launched = 0;
        while let Some(done) = all.join_next().await {
            launched += usize::from(done.unwrap());
        }
        let mut tx = fair.market.house.store.read().await.unwrap();
        let runs = tx.of(&fair.buyer.org).below(Noun::Run, &funded.id, "").await.unwrap();
        assert_eq!(runs.len(), launched);
        assert!(launched > 0);
        drop(tx);
        let after = fair.view(&fair.buyer, &funded.id).await.unwrap();
        assert_eq!(after.receipts, funded.receipts + 1, "started once");
    });
}
