//! Runs that wait for a human: nothing of them is in memory, nobody wakes them by hand.

use std::process::Command;

use envelope_evidence::Label;
use envelope_evidence::journal::CallerKind;
use envelope_evidence::journal::Outcome;
use envelope_gate::desk::Decision;
use envelope_node::{Came, Settings, decide, state, waiting};
use envelope_rules::approval::{Principal, Verdict};
use envelope_store::Org;

use super::house::{Plan, Town};
use crate::engine::approvals::waiting::timeless;
use crate::store::world::both;
use envelope_store::noun::Noun;

/// Asks, and uses what it was told.
const ACTS: &str = "write out/a before; choose red|green; write out/b after; left";

fn approve(town: &Town, run: &str) -> Command {
    town.command(&["approvals", "approve", run, "--choice", "1"])
}

#[test]
fn a_run_whose_node_is_killed_goes_on_when_another_process_decides() {
    let began = envelope_node::now();
    both(async |world| {
        let town = Town::found(world).await;
        let plan = || Plan { asks: true, at: began, ..Plan::of("run_1", ACTS) };
        town.launch(plan()).await;
        let first = town.process("first");
        town.until("run_1", "suspended").await;
        first.kill();
        let open = waiting(&town.house, &town.org, Some("run_1")).await.unwrap();
        assert_eq!(open.len(), 1);
        assert!(approve(&town, "run_1").status().unwrap().success());
        assert_eq!(state(&town.house, &town.org, "run_1").await.unwrap(), "suspended");
        let second = town.process("second");
        town.until("run_1", "ended").await;
        assert!(second.leave());

        // The same run that nobody killed, under the same name in another organisation.
        let other = Org::new("other").unwrap();
        world.add(&other, Noun::Organisation, "other").await.unwrap();
        town.house.blobs(&other).set_quota(1 << 30).await.unwrap();
        town.launch_as(&other, plan()).await;
        let node = town.node(Settings::of("calm"));
        assert!(matches!(node.one(&other, "run_1").await.unwrap(), Some(Came::Waits)));
        let open = waiting(&town.house, &other, Some("run_1")).await.unwrap();
        let saw = open[0].request.digest().unwrap();
        decide(&town.house, &other, &open[0].id(), saw, said("local", saw, 1)).await.unwrap();
        let ended = node.one(&other, "run_1").await.unwrap();
        assert!(matches!(ended, Some(Came::Ended(..))));

        let killed = town.finished(&town.org, "run_1").await;
        let calm = town.finished(&other, "run_1").await;
        assert_eq!(killed.ended().unwrap().outcome, Outcome::Ok);
        assert_eq!(killed.stdout, calm.stdout);
        assert_eq!(timeless(&killed.journal), timeless(&calm.journal), "the same but for when");
    });
}

fn said(who: &str, saw: envelope_evidence::Digest, choice: u32) -> Decision {
    let roles = vec![Label::cut("keyholder")];
    let by = Principal { id: Label::cut(who), kind: CallerKind::User, roles };
    Decision { by, at: envelope_node::now(), saw, verdict: Verdict::Choose { choice } }
}

#[test]
fn nobody_but_the_right_people_decide_and_only_once() {
    both(async |world| {
        let town = Town::found(world).await;
        town.launch(Plan { asks: true, ..Plan::of("run_1", ACTS) }).await;
        let node = town.node(Settings::of("a"));
        assert!(matches!(node.one(&town.org, "run_1").await.unwrap(), Some(Came::Waits)));
        assert!(node.one(&town.org, "run_1").await.unwrap().is_none(), "it is not due");
        let open = waiting(&town.house, &town.org, None).await.unwrap();
        let (id, saw) = (open[0].id(), open[0].request.digest().unwrap());
        let decides = async |id: &str, saw, said| {
            decide(&town.house, &town.org, id, saw, said).await.map(|asked| asked.is_decided())
        };
        let wrong = envelope_evidence::Digest::of(b"another question");
        decides(&id, wrong, said("ada", wrong, 0)).await.unwrap_err();
        decides("run_1/99", saw, said("ada", saw, 0)).await.unwrap_err();
        let mut stranger = said("ada", saw, 0);
        stranger.by.roles.clear();
        decides(&id, saw, stranger).await.unwrap_err();
        let mut agent = said("ada", saw, 0);
        agent.by.kind = CallerKind::Agent;
        decides(&id, saw, agent).await.unwrap_err();
        decides(&id, saw, said("ada", saw, 9)).await.unwrap_err();
        assert_eq!(state(&town.house, &town.org, "run_1").await.unwrap(), "suspended");
        assert!(node.one(&town.org, "run_1").await.unwrap().is_none(), "nothing woke it");
        let elsewhere = Org::new("elsewhere").unwrap();
        let strange = decide(&town.house, &elsewhere, &id, saw, said("ada", saw, 0)).await;
        assert!(strange.is_err(), "another organisation's");

        assert!(decides(&id, saw, said("ada", saw, 0)).await.unwrap());
        decides(&id, saw, said("bob", saw, 1)).await.unwrap_err();
        assert!(matches!(node.one(&town.org, "run_1").await.unwrap(), Some(Came::Ended(..))));
        decides(&id, saw, said("bob", saw, 1)).await.unwrap_err();
        let finished = town.finished(&town.org, "run_1").await;
        let text = String::from_utf8_lossy(&finished.stdout).into_owned();
        assert!(text.contains("choose: ok 0"), "{text}");
    });
}

/// Two questions, which people have a second for: each expires by itself, and while the second is
/// open the first, whose time is over, does not call the run up again.
#[test]
fn what_nobody_decides_expires_by_itself() {
    both(async |world| {
        let town = Town::found(world).await;
        let acts = "choose red|green; choose up|down; write out/b after";
        town.launch(Plan { asks: true, window: 1, ..Plan::of("run_1", acts) }).await;
        let node = town.node(Settings::of("a"));
        for asked in 1..=2 {
            town.wait(async || match node.one(&town.org, "run_1").await.unwrap() {
                Some(Came::Waits) => true,
                Some(_) => panic!("it does not wait"),
                None => false,
            })
            .await;
            let open = waiting(&town.house, &town.org, Some("run_1")).await.unwrap();
            assert_eq!(open.len(), asked);
            let last = open.iter().map(|asked| asked.request.expires).max().unwrap();
            let due = "SELECT CAST(due AS TEXT) FROM work WHERE id = 'run_1'";
            assert_eq!(world.own(due).await.unwrap(), [last.millis().to_string()], "{asked}");
        }
        town.wait(async || match node.one(&town.org, "run_1").await.unwrap() {
            Some(Came::Ended(..)) => true,
            Some(_) => panic!("it does not end"),
            None => false,
        })
        .await;
        let finished = town.finished(&town.org, "run_1").await;
        let said = String::from_utf8_lossy(&finished.stdout).into_owned();
        assert!(said.starts_with("choose: ok expired\nchoose: ok expired\nwrite: ok"), "{said}");
        let open = waiting(&town.house, &town.org, Some("run_1")).await.unwrap();
        assert!(open.is_empty(), "nobody is asked any more");
    });
}

/// A clock that was ahead when it queued a run, and has gone back since.
#[test]
fn a_run_that_was_queued_by_a_clock_ahead_is_run() {
    both(async |world| {
        let town = Town::found(world).await;
        town.launch(Plan::of("run_1", "write out/a x")).await;
        world.own("UPDATE work SET due = due + 86400000").await.unwrap();
        let node = town.process("behind");
        town.until("run_1", "ended").await;
        assert!(node.leave(), "{}", town.heard());
        let played = town.finished(&town.org, "run_1").await;
        assert_eq!(played.ended().unwrap().outcome, Outcome::Ok);
    });
}
