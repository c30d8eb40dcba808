//! What the market refuses, each beside the same act that succeeds, and that nothing happened.

use envelope_market::Role;
use envelope_market::agents::badge::revoke;
use envelope_market::agents::publish::{inspect, publish};
use envelope_market::papers::listing::{NewListing, change, draft, withdraw};
use envelope_market::purchases::buy::{Buy, buy};
use envelope_market::purchases::money::{Moved, moved, pay};
use envelope_node::now;
use envelope_store::noun::Noun;
use envelope_terms::badge::Pillar;

use super::house::{Fair, code, offer};
use crate::node::house::COMPONENT;
use crate::store::world::both;

#[test]
fn nobody_buys_what_they_did_not_see() {
    both(async |world| {
        let fair = Fair::open(world).await;
        let stall = fair.open_stall().await;
        let seen = fair.quote(&stall.listing.id).await.unwrap();
        let dearer = offer(&stall.agent, &stall.release, &stall.msa, 190_000);
        let id = &stall.listing.id;
        let changed =
            fair.act(&fair.seller, async |market, turn| change(market, turn, id, dearer).await);
        let changed = changed.await.unwrap();
        assert_ne!(changed.digest, stall.listing.digest);
        let refused = fair.buy(&seen).await.unwrap_err();
        assert_eq!(refused.code(), "LISTING_MODIFIED");
        let told = refused.to_string();
        assert!(told.contains(&stall.listing.digest) && told.contains(&changed.digest), "{told}");
        assert!(purchases(&fair).await.is_empty());
        let fresh = fair.quote(id).await.unwrap();
        // What was seen of another offer does not count for this one either.
        let wrong = Buy {
            paper: fresh.id.clone(),
            listing_digest: seen.listing_digest.clone(),
            msa_digest: fresh.msa_digest.clone(),
        };
        let operator = fair.operator.org.clone();
        let bought =
            fair.act(&fair.buyer, async |market, turn| buy(market, turn, &operator, &wrong).await);
        assert_eq!(code(bought.await), "LISTING_MODIFIED");
        assert_eq!(fair.buy(&fresh).await.unwrap().state, "PENDING_PAYMENT");
        assert_eq!(purchases(&fair).await.len(), 1);
    });
}

#[test]
fn without_a_badge_nothing_is_offered_or_bought() {
    both(async |world| {
        let fair = Fair::open(world).await;
        let stall = fair.stall().await;
        let id = &stall.listing.id;
        assert_eq!(code(fair.offer(id).await), "BADGE_MISSING");
        fair.vouch(&stall.agent, &Pillar::ALL[..4]).await;
        assert_eq!(code(fair.offer(id).await), "BADGE_MISSING", "one pillar is missing");
        assert_eq!(code(fair.quote(id).await), "NOT_FOUND", "a draft is nobody else's");
        let last = fair.vouch(&stall.agent, &Pillar::ALL[4..]).await;
        fair.offer(id).await.unwrap();
        let (one, other) = (fair.quote(id).await.unwrap(), fair.quote(id).await.unwrap());
        fair.buy(&one).await.unwrap();
        let oath = last.first().unwrap();
        fair.act(&fair.operator, async |_, turn| revoke(turn, oath).await).await.unwrap();
        assert_eq!(code(fair.buy(&other).await), "BADGE_MISSING");
        assert_eq!(purchases(&fair).await.len(), 1);
    });
}

#[test]
fn an_offer_names_no_buyer_of_its_own() {
    both(async |world| {
        let fair = Fair::open(world).await;
        let stall = fair.stall().await;
        let good = offer(&stall.agent, &stall.release, &stall.msa, 180_000);
        let list = async |new: NewListing| {
            fair.act(&fair.seller, async |market, turn| draft(market, turn, new).await).await
        };
        let (data, prose) = good.source.split_once("\n+++\n").unwrap();
        let own =
            data[data.find("[parties.developer]").unwrap()..].split("[agent]").next().unwrap();
        let own = own.replace("[parties.developer]", "[parties.buyer]").replace("two-rivers", "x");
        for fence in ["+++", "+++ ", "+++\r"] {
            let source = format!("{data}\n{own}\n{fence}\n{prose}\n+++\nmore");
            let refused = list(NewListing { source, ..good.clone() }).await;
            assert!(["CONTRACT_FLAWED", "INVALID"].contains(&code(refused)), "{fence:?}");
        }
        let judged = good.source.replace(
            "check = { kind = \"file-exists\", bytes_min = 5 }",
            "check = { kind = \"human-review\", reviewer = \"independent\", \
             question = \"Is it?\" }",
        );
        assert_ne!(judged, good.source);
        let refused = list(NewListing { source: judged, ..good.clone() }).await.unwrap_err();
        assert!(["CONTRACT_FLAWED", "INVALID"].contains(&refused.code()), "{refused}");
        assert_eq!(list(good).await.unwrap().state, "draft");
    });
}

#[test]
fn strangers_and_the_wrong_party_are_refused() {
    both(async |world| {
        let fair = Fair::open(world).await;
        let stall = fair.open_stall().await;
        let paper = fair.quote(&stall.listing.id).await.unwrap();
        let bought = fair.buy(&paper).await.unwrap();
        let stranger = fair.somebody(world, "stranger", &[Role::Owner]).await;
        assert_eq!(code(fair.view(&stranger, &bought.id).await), "NOT_FOUND");
        assert_eq!(fair.view(&fair.seller, &bought.id).await.unwrap().id, bought.id);
        let id = &bought.id;
        let paid = |who| fair.act(who, async |market, turn| pay(market, turn, id).await);
        assert_eq!(code(paid(&stranger).await), "NOT_FOUND");
        assert_eq!(code(paid(&fair.seller).await), "ROLE_MISSING");
        let owner = fair.with(&fair.seller, Role::Owner);
        assert_eq!(code(paid(&owner).await), "WRONG_PARTY");
        let asked = paid(&fair.buyer).await.unwrap();
        let order = asked.money.unwrap().orders[0].id.clone();
        // Whoever owes the money does not say that it came.
        let said = Moved { org: fair.buyer.org.to_string(), order, failed: None };
        let own = fair.with(&fair.buyer, Role::Owner);
        let told =
            |who, said| fair.act(who, async |market, turn| moved(market, turn, id, said).await);
        assert_eq!(code(told(&own, said.clone()).await), "ROLE_MISSING");
        assert_eq!(fair.view(&fair.buyer, id).await.unwrap().state, "PENDING_PAYMENT");
        assert_eq!(told(&fair.operator, said).await.unwrap().state, "ESCROW_FUNDED");
    });
}

#[test]
fn a_version_is_published_once_and_a_withdrawn_offer_is_gone() {
    both(async |world| {
        let fair = Fair::open(world).await;
        let stall = fair.open_stall().await;
        assert!(stall.release.reach.more.iter().any(|one| one.starts_with("import wasi:")));
        let (agent, component) = (&stall.agent.id, COMPONENT.clone());
        let looked = inspect(&fair.market, &fair.seller, agent, component, now()).await.unwrap();
        let again = fair.act(&fair.seller, async |_, turn| publish(turn, &looked).await).await;
        assert_eq!(code(again), "EXISTS");
        let junk = inspect(&fair.market, &fair.seller, agent, b"junk".as_slice().into(), now());
        assert_eq!(junk.await.err().unwrap().code(), "COMPONENT_REFUSED");
        let id = &stall.listing.id;
        let paper = fair.quote(id).await.unwrap();
        fair.act(&fair.seller, async |_, turn| withdraw(turn, id).await).await.unwrap();
        assert_eq!(code(fair.quote(id).await), "NOT_FOUND");
        assert_eq!(code(fair.buy(&paper).await), "NOT_FOUND");
    });
}

async fn purchases(fair: &Fair) -> Vec<String> {
    let mut tx = fair.market.house.store.read().await.unwrap();
    let rows = tx.of(&fair.buyer.org).page(Noun::Purchase, "", 100).await.unwrap();
    rows.into_iter().map(|row| row.id).collect()
}
