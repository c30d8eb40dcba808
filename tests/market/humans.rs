//! What a human decides is decided by no program.

use std::collections::BTreeSet;

use envelope_market::approvals::{Answer, decide, view};
use envelope_market::purchases::launch::{Start, launch, ready};
use envelope_market::{Means, Role, Who};
use envelope_node::{Came, now};
use envelope_store::noun::Noun;

use super::house::{Fair, code};
use crate::store::world::both;

#[test]
fn a_question_of_a_run_is_answered_by_a_human() {
    both(async |world| {
        let fair = Fair::open(world).await;
        let stall = fair.open_stall().await;
        let purchase = fair.funded(&stall.listing.id).await.id;
        let args = serde_json::json!(["choose yes|no"]);
        let wish = Start { purchase, args, files: Vec::new() };
        let made = ready(&fair.market, &fair.buyer, wish, now()).await.unwrap();
        let launched =
            fair.act(&fair.buyer, async |market, turn| launch(market, turn, &made).await).await;
        let (node, org) = (fair.node(), fair.buyer.org.clone());
        let run = launched.unwrap().run;
        assert!(matches!(node.one(&org, &run).await.unwrap(), Some(Came::Waits)));

        let mut tx = world.store.read().await.unwrap();
        let rows = tx.of(&org).page(Noun::Approval, "", 10).await.unwrap();
        drop(tx);
        let asked = view(&rows[0]).unwrap();
        let id = asked.id.as_str();
        let decision = serde_json::json!({ "verdict": "choose", "choice": 0 });
        let said = Answer { saw: asked.digest, decision };
        let by = |means| Who {
            org: org.clone(),
            user: "usr_haruka".to_owned(),
            roles: BTreeSet::from([Role::Approver]),
            means,
        };
        let says =
            async |who: Who| fair.act(&who, async |_, turn| decide(turn, id, &said).await).await;
        for program in [Means::Key, Means::House] {
            assert_eq!(code(says(by(program)).await), "HUMAN_NEEDED");
        }
        assert!(node.one(&org, &run).await.unwrap().is_none(), "it waits as it did");
        assert_eq!(says(by(Means::DecidingKey)).await.unwrap().state, "approved");
        assert!(matches!(node.one(&org, &run).await.unwrap(), Some(Came::Ended(..))));
    });
}
