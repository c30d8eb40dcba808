//! The whole story: offered, bought, paid, run, delivered, accepted, settled.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envelope_evidence::keyring::KeyRing;
use envelope_market::purchases::accept::{Accept, accept};
use envelope_market::purchases::deliver::{assemble, deliver};
use envelope_market::purchases::launch::{File, Start, launch, ready};
use envelope_market::purchases::{Purchase, receipts};
use envelope_node::now;
use envelope_terms::document::{Files, verify_chain};

use super::house::{Fair, code};
use crate::store::world::both;

/// Launches a run of what was bought, has a node work on it, and tells its purchase.
async fn run(fair: &Fair, purchase: &Purchase, acts: &[&str]) -> String {
    let file = File { path: "labels/ja.md".to_owned(), base64: STANDARD.encode("北斎") };
    let start =
        Start { purchase: purchase.id.clone(), args: serde_json::json!(acts), files: vec![file] };
    let made = ready(&fair.market, &fair.buyer, start, now()).await.unwrap();
    let launched =
        fair.act(&fair.buyer, async |market, turn| launch(market, turn, &made).await).await;
    let run = launched.unwrap().run;
    let came = fair.node().one(&fair.buyer.org, &run).await.unwrap();
    assert!(came.is_some());
    fair.follow().await;
    run
}

/// A purchase whose delivery, which says `text`, was looked at.
pub async fn delivered(fair: &Fair, listing: &str, text: &str) -> Purchase {
    let funded = fair.funded(listing).await;
    run(fair, &funded, &[&format!("write labels/en {text}")]).await;
    let made = assemble(&fair.market, &fair.seller, &funded.id, now()).await.unwrap();
    fair.act(&fair.seller, async |market, turn| deliver(market, turn, &made).await).await.unwrap()
}

#[test]
fn an_agent_is_offered_bought_run_accepted_and_paid() {
    both(async |world| {
        let fair = Fair::open(world).await;
        let stall = fair.open_stall().await;
        let paper = fair.quote(&stall.listing.id).await.unwrap();
        let bought = fair.buy(&paper).await.unwrap();
        assert_eq!((bought.state.as_str(), bought.receipts), ("PENDING_PAYMENT", 1));
        assert_eq!(code(fair.buy(&paper).await), "NOT_NOW", "a Paper is bought once");
        let funded = fair.funded(&stall.listing.id).await;
        assert_eq!(funded.state, "ESCROW_FUNDED");
        assert_eq!(funded.money.as_ref().unwrap().held, 180_000);

        run(&fair, &funded, &["read labels/ja.md", "write labels/en Hokusai"]).await;
        let running = fair.view(&fair.seller, &funded.id).await.unwrap();
        assert_eq!((running.state.as_str(), running.runs.len()), ("EXECUTION_IN_PROGRESS", 1));

        let made = assemble(&fair.market, &fair.seller, &funded.id, now()).await.unwrap();
        let staged =
            fair.act(&fair.seller, async |market, turn| deliver(market, turn, &made).await).await;
        assert_eq!(staged.unwrap().state, "DELIVERABLE_STAGED");
        let all = Accept { milestone: None };
        let id = &funded.id;
        let seller = all.clone();
        let other =
            fair.act(&fair.seller, async |market, turn| accept(market, turn, id, seller).await);
        assert_eq!(code(other.await), "ROLE_MISSING");
        let accepted =
            fair.act(&fair.buyer, async |market, turn| accept(market, turn, id, all).await).await;
        let settled = fair.pay_out(&accepted.unwrap()).await;
        let money = settled.money.clone().unwrap();
        assert_eq!(settled.state, "FUNDS_RELEASED");
        assert_eq!((money.held, money.developer + money.marketplace), (0, 180_000));

        let signed = fair.act(&fair.seller, async |_, turn| receipts(turn, id, "").await).await;
        assert_eq!(u64::try_from(signed.unwrap().len()).unwrap(), settled.receipts);
    });
}

#[test]
fn what_the_buyer_holds_is_a_chain_that_strangers_verify() {
    both(async |world| {
        let fair = Fair::open(world).await;
        let stall = fair.open_stall().await;
        let paper = fair.quote(&stall.listing.id).await.unwrap();
        fair.buy(&paper).await.unwrap();
        let held = fair
            .act(&fair.buyer, async |_, turn| {
                let record = turn.own(envelope_store::noun::Noun::Paper, &paper.id).await?;
                envelope_market::papers::quote::view(&record)
            })
            .await
            .unwrap();
        assert_eq!(held.state, "exacted");
        let unpack =
            |(name, text): (&String, &String)| (name.clone(), STANDARD.decode(text).unwrap());
        let files: Files = held.files.iter().map(unpack).collect();
        let ring = envelope_terms::document::own_keys(&files).unwrap();
        let report = verify_chain(&files, &ring);
        assert!(report.verified(), "{:?}", report.first_failure());
        // Nobody's keys: the same files prove nothing.
        assert!(!verify_chain(&files, &KeyRing::default()).verified());
    });
}
