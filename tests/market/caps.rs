//! What the runs of one purchase spend together, and how many there may be.

use std::sync::Arc;

use envelope_engine::run::Finished;
use envelope_evidence::preview::Secrets;
use envelope_evidence::{Dimension, Timestamp};
use envelope_gate::model::{Models, Policy, Provider, Purse, Stub};
use envelope_market::papers::listing::change;
use envelope_market::purchases::launch::{Launched, Start, launch, ready};
use envelope_market::purchases::{Purchase, RUNS_MAX};
use envelope_node::{Node, NodeError, Outside, Seen, list, now};
use envelope_rules::budget::{Balance, Level, Shared};
use envelope_rules::guard::Warrant;
use envelope_store::noun::{Change, Noun};
use tokio::task::JoinSet;

use super::house::{Fair, code, node_with, offer};
use crate::node::house::prices;
use crate::store::world::both;

/// Launched at once, and what each asks its model.
const RUNS: usize = 20;
const MORE: usize = 6;
const ACTS: [&str; 4] = ["chat boreal/lingua 100 Translate: red Fuji."; 4];

/// What may be spent by one run, in one day, and in all, in nano-dollars: less than all would.
const CAPS: [u64; 3] = [1_500_000, 2_000_000, 3_000_000];

/// One model, which answers with the words it is asked.
struct Boreal;

impl Outside for Boreal {
    fn seen(&self, _: &Warrant, _: bool, purse: Arc<dyn Purse>) -> Result<Seen, NodeError> {
        let stub: Arc<dyn Provider> = Arc::new(Stub::default());
        let models = Models::new([("boreal".to_owned(), stub)].into(), Policy::default(), purse);
        Ok(Seen { network: None, models: Some(models), secrets: Secrets::none() })
    }
}

/// A purchase under these caps that is paid in.
async fn bought(fair: &Fair, [task, day, agent]: [u64; 3]) -> Purchase {
    let stall = fair.stall().await;
    fair.vouch(&stall.agent, &envelope_terms::badge::Pillar::ALL).await;
    let mut new = offer(&stall.agent, &stall.release, &stall.msa, 180_000);
    let cap = |of: &str, nano: u64| format!("{of}nano_usd = {nano}");
    new.source = new
        .source
        .replace("task = { nano_usd = 1_500_000_000", &cap("task = { ", task))
        .replace("day = { nano_usd = 1_500_000_000", &cap("day = { ", day))
        .replace("nano_usd = 3_000_000_000", &cap("", agent));
    let id = &stall.listing.id;
    let changed = fair.act(&fair.seller, async |market, turn| change(market, turn, id, new).await);
    changed.await.unwrap();
    fair.offer(id).await.unwrap();
    fair.funded(id).await
}

/// Launches as a client does: what others made fail at the same moment is tried again.
async fn start(fair: &Fair, purchase: &str) -> Launched {
    let (purchase, args) = (purchase.to_owned(), serde_json::json!(ACTS));
    let wish = Start { purchase, args, files: Vec::new() };
    let made = ready(&fair.market, &fair.buyer, wish, now()).await.unwrap();
    loop {
        let who = (&fair.buyer, now());
        let done = fair
            .market
            .act(who, &made, |market, turn, made| Box::pin(launch(market, turn, made)))
            .await;
        match done {
            Err(refused) if refused.passes() => {}
            done => return done.unwrap(),
        }
    }
}

async fn balance(fair: &Fair, account: &Shared) -> Option<Balance> {
    let mut tx = fair.market.house.store.read().await.unwrap();
    tx.of(&fair.buyer.org).balance(account).await.unwrap()
}

/// Runs all of them at once, and plays each again.
async fn worked(node: &Node, fair: &Fair, runs: &[String]) -> Vec<Finished> {
    // The first has the component compiled, for all of them.
    let (first, others) = runs.split_first().unwrap();
    assert!(node.one(&fair.buyer.org, first).await.unwrap().is_some());
    let mut all = JoinSet::new();
    for run in others {
        let (node, org, run) = (node.clone(), fair.buyer.org.clone(), run.clone());
        all.spawn(async move { node.one(&org, &run).await.map(|came| came.is_some()) });
    }
    while let Some(came) = all.join_next().await {
        assert!(came.unwrap().unwrap());
    }
    let mut finished = Vec::new();
    for run in runs {
        finished.push(envelope_node::finished(node, &fair.buyer.org, run).await.unwrap());
    }
    finished
}

fn spent(finished: &[Finished]) -> u64 {
    finished.iter().map(|one| one.journal.used().get(Dimension::NanoUsd)).sum()
}

fn said(finished: &[Finished]) -> String {
    finished.iter().map(|one| String::from_utf8_lossy(&one.stdout).into_owned()).collect()
}

/// The account of the day, which a run of the purchase names.
async fn day(fair: &Fair, run: &str) -> Shared {
    let mut tx = fair.market.house.store.read().await.unwrap();
    let row = tx.of(&fair.buyer.org).get(Noun::Run, run).await.unwrap().unwrap();
    let sheet: envelope_node::Sheet = serde_json::from_str(&row.body).unwrap();
    sheet.shared.into_iter().find(|account| account.level == Level::Day).unwrap()
}

/// However many are launched at once: together they spend what was bought, and no more.
#[test]
fn the_runs_of_a_purchase_share_its_caps() {
    both(async |world| {
        let mut fair = Fair::open(world).await;
        fair.market.prices = prices("boreal/lingua");
        let fair = Arc::new(fair);
        let purchase = bought(&fair, CAPS).await;
        let mut all = JoinSet::new();
        for _ in 0..RUNS {
            let (fair, id) = (fair.clone(), purchase.id.clone());
            all.spawn(async move { start(&fair, &id).await.run });
        }
        let mut runs = Vec::new();
        while let Some(run) = all.join_next().await {
            runs.push(run.unwrap());
        }
        let node = node_with(fair.market.house.clone(), Box::new(Boreal));
        let day = day(&fair, &runs[0]).await;
        let whole = Shared { level: Level::Purchase, name: purchase.id.clone() };
        let finished = worked(&node, &fair, &runs).await;
        let first = spent(&finished);
        assert!(0 < first && first <= CAPS[1], "{first}");
        for account in [&day, &whole] {
            let balance = balance(&fair, account).await.unwrap();
            assert_eq!((balance.spent, balance.leased), (first, 0), "{account:?}");
        }
        let told = said(&finished);
        assert!(told.contains(&format!("agent's day `{}`", day.name)), "{told}");

        // Another day has room, and the purchase has what is left of it.
        let mut tx = world.store.write().await.unwrap();
        tx.of(&fair.buyer.org).open_account(&day, 1 << 40).await.unwrap();
        tx.commit().await.unwrap();
        let mut more = Vec::new();
        for _ in 0..MORE {
            more.push(start(&fair, &purchase.id).await.run);
        }
        let finished = worked(&node, &fair, &more).await;
        let second = spent(&finished);
        assert!(0 < second && first + second <= CAPS[2], "{first} {second}");
        let told = said(&finished);
        assert!(told.contains(&format!("purchase `{}`", purchase.id)), "{told}");
        assert_eq!(balance(&fair, &whole).await.unwrap().spent, first + second);
    });
}

/// Days begin where the Paper says so.
#[test]
fn a_day_is_one_of_the_place_that_the_paper_names() {
    both(async |world| {
        let fair = Fair::open(world).await;
        let purchase = bought(&fair, CAPS).await;
        // Five past midnight in Tokyo, and five to, where it is the day before in Greenwich.
        let midnight = 1_790_002_800;
        for (secs, date) in [(midnight + 300, "2026-09-22"), (midnight - 300, "2026-09-21")] {
            let at = Timestamp::from_secs(secs).unwrap();
            let (purchase, args) = (purchase.id.clone(), serde_json::json!(ACTS));
            let name = format!("{purchase}/{date}");
            let wish = Start { purchase, args, files: Vec::new() };
            let made = ready(&fair.market, &fair.buyer, wish, at).await.unwrap();
            let launched =
                fair.act(&fair.buyer, async |market, turn| launch(market, turn, &made).await).await;
            assert_eq!(day(&fair, &launched.unwrap().run).await.name, name);
        }
        let stall = fair.stall().await;
        let mut new = offer(&stall.agent, &stall.release, &stall.msa, 180_000);
        new.source = new.source.replace("Asia/Tokyo", "Asia/Nowhere");
        let id = &stall.listing.id;
        let refused =
            fair.act(&fair.seller, async |market, turn| change(market, turn, id, new).await).await;
        assert_eq!(code(refused), "INVALID");
    });
}

#[test]
fn a_purchase_has_so_many_runs_and_no_more() {
    both(async |world| {
        let fair = Fair::open(world).await;
        let purchase = bought(&fair, CAPS).await;
        let mut tx = world.store.write().await.unwrap();
        for number in 1..RUNS_MAX {
            let id = format!("run_{number:026}");
            let first = Change { id: &id, state: "ended", body: "{}", at: now() };
            let mut rows = tx.of(&fair.buyer.org);
            rows.add(Noun::Run, Some(&purchase.id), first).await.unwrap();
        }
        tx.commit().await.unwrap();
        let ready_one = async || {
            let (purchase, args) = (purchase.id.clone(), serde_json::json!(ACTS));
            let wish = Start { purchase, args, files: Vec::new() };
            ready(&fair.market, &fair.buyer, wish, now()).await.unwrap()
        };
        let [last, beyond] = [ready_one().await, ready_one().await];
        let launched =
            fair.act(&fair.buyer, async |market, turn| launch(market, turn, &last).await).await;
        launched.unwrap();
        let refused =
            fair.act(&fair.buyer, async |market, turn| launch(market, turn, &beyond).await).await;
        assert_eq!(code(refused), "RUNS_MAX");
        let queued = list(&fair.market.house, &fair.buyer.org, Some("queued"), "").await.unwrap();
        assert_eq!(queued.len(), 1, "nothing of it is queued");
    });
}
