//! Disputes: the money stops, the panel is heard by its receipts, and a human decides the rest.

use std::collections::BTreeSet;

use envelope_market::disputes::decide::{Decide, decide, overdue};
use envelope_market::disputes::open::{Open, open};
use envelope_market::purchases::accept::{Accept, accept, tick};
use envelope_market::{Means, Role, Who};
use envelope_store::noun::Noun;
use envelope_terms::contract::{Id, Verdict};

use super::house::{Fair, code};
use super::story::delivered;
use crate::store::world::both;

/// What does not conform and is not cured becomes a dispute by itself, and goes on like any other.
#[test]
fn what_nobody_cures_is_decided_too() {
    both(async |world| {
        let fair = Fair::open(world).await;
        let stall = fair.open_stall().await;
        let failed = delivered(&fair, &stall.listing.id, "Hiroshige").await;
        assert_eq!((failed.state.as_str(), failed.hand.as_str()), ("QUALITY_REVIEW", "parties"));
        let (id, org) = (&failed.id, &fair.buyer.org);
        let early = fair.act(&fair.buyer, async |market, turn| tick(market, turn, id).await);
        assert_eq!(code(early.await), "PURCHASE_NOTHING_DUE");
        let day = 86_400_000;
        let late = fair.later(11 * day);
        let opened =
            fair.act_at(&fair.buyer, late, async |market, turn| tick(market, turn, id).await);
        assert_eq!(opened.await.unwrap().hand, "dispute");
        let over = fair.later(15 * day);
        let over = fair.act_at(&fair.operator, over, async |market, turn| {
            overdue(market, turn, org, id).await
        });
        over.await.unwrap();
        let wish = Decide {
            org: org.to_string(),
            verdict: Verdict::Refund,
            unmet: BTreeSet::from([Id::new("names").unwrap()]),
        };
        let decided =
            fair.act(&fair.operator, async |market, turn| decide(market, turn, id, wish).await);
        let settled = fair.pay_out(&decided.await.unwrap()).await;
        assert_eq!((settled.state.as_str(), settled.money.unwrap().held), ("RESOLVED_REFUND", 0));
    });
}

/// Nobody has to ask for it: what falls due happens, and not before.
#[test]
fn what_falls_due_happens_by_itself() {
    both(async |world| {
        let fair = Fair::open(world).await;
        let stall = fair.open_stall().await;
        let day = 86_400_000;
        let unpaid = fair.buy(&fair.quote(&stall.listing.id).await.unwrap()).await.unwrap();
        let failed = delivered(&fair, &stall.listing.id, "Hiroshige").await;
        let states = async || {
            let [unpaid, failed] = [&unpaid.id, &failed.id];
            let unpaid = fair.view(&fair.buyer, unpaid).await.unwrap();
            let failed = fair.view(&fair.buyer, failed).await.unwrap();
            [unpaid.state, failed.state, failed.hand]
        };
        fair.follow().await;
        assert_eq!(states().await, ["PENDING_PAYMENT", "QUALITY_REVIEW", "parties"]);
        fair.follow_at(fair.later(11 * day)).await;
        assert_eq!(states().await, ["RESOLVED_REFUND", "QUALITY_REVIEW", "dispute"]);
        // The panel had its time: now a human has the word, as if somebody had asked.
        fair.follow_at(fair.later(15 * day)).await;
        let (id, org) = (&failed.id, fair.buyer.org.to_string());
        let wish = Decide { org, verdict: Verdict::Refund, unmet: BTreeSet::new() };
        let decided =
            fair.act(&fair.operator, async |market, turn| decide(market, turn, id, wish).await);
        assert_eq!(fair.pay_out(&decided.await.unwrap()).await.state, "RESOLVED_REFUND");
    });
}

#[test]
fn a_dispute_stops_the_money_until_a_human_decides() {
    both(async |world| {
        let fair = Fair::open(world).await;
        let stall = fair.open_stall().await;
        let staged = delivered(&fair, &stall.listing.id, "Hokusai").await;
        let id = &staged.id;
        let wish = Open {
            criteria: BTreeSet::from([Id::new("names").unwrap()]),
            statement: "the second artist is misspelt".to_owned(),
        };
        let opened = fair.act(&fair.buyer, async |market, turn| open(market, turn, id, wish).await);
        let opened = opened.await.unwrap();
        assert_eq!(
            (opened.hand.as_str(), opened.money.as_ref().unwrap().held),
            ("dispute", 180_000)
        );
        let all = Accept::default();
        let accepted =
            fair.act(&fair.buyer, async |market, turn| accept(market, turn, id, all).await);
        assert_eq!(code(accepted.await), "PURCHASE_DISPUTED");
        let verdict = || Decide {
            org: fair.buyer.org.to_string(),
            verdict: Verdict::Refund,
            unmet: BTreeSet::new(),
        };
        let say =
            |who, wish| fair.act(who, async |market, turn| decide(market, turn, id, wish).await);
        assert_eq!(code(say(&fair.operator, verdict()).await), "DISPUTE_PANEL_SITS");
        let org = fair.buyer.org.clone();
        let late =
            fair.act(&fair.operator, async |market, turn| overdue(market, turn, &org, id).await);
        assert_eq!(code(late.await), "DISPUTE_NOT_DUE");
        // The panel has three days; nobody is heard.
        let later = fair.later(4 * 86_400_000);
        let org = fair.buyer.org.clone();
        let late = fair.act_at(&fair.operator, later, async |market, turn| {
            overdue(market, turn, &org, id).await
        });
        late.await.unwrap();
        // Neither a party nor a program decides.
        let party = fair.with(&fair.buyer, Role::Operator);
        assert_eq!(code(say(&party, verdict()).await), "WRONG_PARTY");
        let program = Who { means: Means::Key, ..fair.operator.clone() };
        assert_eq!(code(say(&program, verdict()).await), "HUMAN_NEEDED");
        let before = fair.view(&fair.buyer, id).await.unwrap();
        assert_eq!((before.hand.as_str(), before.money.unwrap().held), ("dispute", 180_000));
        let decided = say(&fair.operator, verdict()).await.unwrap();
        let settled = fair.pay_out(&decided).await;
        assert_eq!(settled.state, "RESOLVED_REFUND");
        let money = settled.money.unwrap();
        assert_eq!((money.held, money.developer, money.marketplace), (0, 0, 0));
        let mut tx = fair.market.house.store.read().await.unwrap();
        let mut rows = tx.of(&fair.buyer.org);
        let dispute = rows.below(Noun::Dispute, id, "").await.unwrap().remove(0);
        assert_eq!(dispute.state, "decided");
        assert_eq!(rows.below(Noun::SealedRecord, &dispute.id, "").await.unwrap().len(), 1);
    });
}
