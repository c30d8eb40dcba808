//! Kill switches that all nodes of a database obey.

use envelope_evidence::Label;
use envelope_gate::kill::Switches as _;
use envelope_gate::stop::Fault;
use envelope_rules::kill::{Event, SWITCHES_MAX, Subject, Target, Thrown};
use envelope_store::audit::verify;
use envelope_store::noun::Noun;
use envelope_store::stops::{Board, note, thrown};
use envelope_store::{Engine, Org};

use super::log::{log, publish, publisher};
use super::world::{World, at, both, folder};
use crate::patience::until_async;

fn label(text: &str) -> Label {
    Label::new(text).unwrap()
}

fn word(by: &str, millis: u64) -> Thrown {
    Thrown { by: label(by), reason: label("it loops"), at: at(millis) }
}

fn throws(target: &Target) -> Event {
    Event::Thrown { target: target.clone(), word: word("ada", 7) }
}

fn lifts(target: &Target) -> Event {
    Event::Lifted { target: target.clone(), word: word("bea", 9) }
}

/// Who stops a run, in words.
fn why(board: &Board, run: &str, agent: &str, organisation: &str) -> Option<String> {
    let (run, agent, organisation) = (label(run), label(agent), label(organisation));
    let subject =
        Subject { run: &run, agent: &agent, paper: None, organisation: Some(&organisation) };
    let mut found = None;
    board.look(subject, &mut |standing| found = Some(standing.words().to_string())).unwrap();
    found
}

#[test]
fn every_node_obeys_and_every_change_is_logged() {
    both(async |world| {
        let acme = world.found("acme", 0).await;
        let node = Board::open(world.store.clone()).await.unwrap();
        let run = Target::Run(label("r"));
        let by_ada = "run r stopped by ada at 1970-01-01T00:00:00.007Z: it loops".to_owned();
        let before = node.generation();
        assert!(!node.refresh().await.unwrap(), "nothing changed");
        assert_eq!((why(&node, "r", "a", "acme"), node.generation()), (None, before));
        assert!(note(&world.store, Some(&acme), throws(&run)).await.unwrap());
        assert!(!note(&world.store, Some(&acme), throws(&run)).await.unwrap(), "the first stays");
        assert!(node.refresh().await.unwrap());
        assert_ne!(node.generation(), before);
        assert_eq!(why(&node, "r", "a", "acme"), Some(by_ada.clone()));
        // Neither another run nor one of the same name that is somebody else's.
        assert_eq!(why(&node, "s", "a", "acme"), None);
        assert_eq!(why(&node, "r", "a", "other"), None);
        assert_eq!(
            thrown(&world.store, Some(&acme)).await.unwrap(),
            [(run.clone(), word("ada", 7))]
        );
        assert_eq!(thrown(&world.store, None).await.unwrap(), []);
        // A node that starts later knows it too.
        let late = Board::open(world.store.clone()).await.unwrap();
        assert_eq!(why(&late, "r", "a", "acme"), Some(by_ada));
        assert!(note(&world.store, Some(&acme), lifts(&run)).await.unwrap());
        assert!(!note(&world.store, Some(&acme), lifts(&run)).await.unwrap());
        assert!(node.refresh().await.unwrap());
        assert_eq!(why(&node, "r", "a", "acme"), None);
        assert!(note(&world.store, Some(&acme), throws(&run)).await.unwrap(), "thrown once more");
        // Who threw it, who lifted it, and once more: each is in the log, and the log holds.
        let note = publish(world, &mut publisher(&folder())).await;
        assert_eq!(verify(&world.store, &log(), &[note]).await.unwrap(), []);
        let logged = world.own("SELECT payload FROM audit_in WHERE noun = 'stops' ORDER BY seq");
        let states: Vec<_> = logged.await.unwrap();
        let states = states.iter().map(|it| it.contains("\"state\":\"thrown\""));
        assert_eq!(states.collect::<Vec<_>>(), [true, false, true]);
    });
}

#[test]
fn the_operator_stops_anybody_and_an_organisation_its_own() {
    both(async |world| {
        let acme = world.found("acme", 0).await;
        let board = Board::open(world.store.clone()).await.unwrap();
        let stops = async |org: Option<&Org>, target: Target| {
            note(&world.store, org, throws(&target)).await.unwrap();
            board.refresh().await.unwrap();
            let subjects =
                [("r", "a", "acme"), ("r", "a", "other"), ("s", "b", "acme"), ("s", "b", "o")];
            let stopped = subjects.map(|(r, a, o)| why(&board, r, a, o).is_some());
            note(&world.store, org, lifts(&target)).await.unwrap();
            stopped
        };
        let organisation = || Target::Organisation(label("acme"));
        assert_eq!(
            stops(Some(&acme), Target::Agent(label("a"))).await,
            [true, false, false, false]
        );
        assert_eq!(stops(Some(&acme), organisation()).await, [true, false, true, false]);
        assert_eq!(stops(None, Target::Agent(label("a"))).await, [true, true, false, false]);
        assert_eq!(stops(None, organisation()).await, [true, false, true, false]);
        assert_eq!(stops(None, Target::All).await, [true; 4]);
        for beyond in [Target::All, Target::Organisation(label("other"))] {
            assert!(note(&world.store, Some(&acme), throws(&beyond)).await.is_err(), "{beyond}");
        }
        assert_eq!(thrown(&world.store, Some(&acme)).await.unwrap(), []);
    });
}

/// A node finds out by itself.
#[test]
fn a_node_looks_by_itself() {
    both(async |world| {
        let board = Board::open(world.store.clone()).await.unwrap();
        let watching = board.watch();
        note(&world.store, None, throws(&Target::All)).await.unwrap();
        until_async("a switch", async || why(&board, "r", "a", "o").is_some()).await;
        drop(watching);
    });
}

/// Where nobody can look any more, nobody goes on; and everybody does when somebody can again.
#[test]
fn a_node_that_cannot_look_lets_nobody_go_on() {
    both(async |world| {
        let board = Board::open(world.store.clone()).await.unwrap();
        let (run, agent) = (label("r"), label("a"));
        let subject = Subject { run: &run, agent: &agent, paper: None, organisation: None };
        let rename = async |from: &str, to: &str| {
            world.own(&format!("ALTER TABLE {from} RENAME TO {to}")).await.unwrap();
        };
        let watching = board.watch();
        let before = board.generation();
        rename("stops", "gone").await;
        assert!(board.look(subject, &mut |_| {}).is_ok(), "for a while it is borne");
        while board.generation() == before {
            tokio::time::sleep(envelope_store::stops::LOOK).await;
        }
        assert!(matches!(board.look(subject, &mut |_| {}), Err(Fault::Switches(_))));
        rename("gone", "stops").await;
        while board.look(subject, &mut |_| {}).is_err() {
            tokio::time::sleep(envelope_store::stops::LOOK).await;
        }
        drop(watching);
    });
}

/// An organisation that has the operator's name would stop everybody.
#[test]
fn nobody_is_called_like_the_operator() {
    for name in ["-", "-acme", "acme-", "--"] {
        assert!(Org::new(name).is_err(), "{name}");
    }
    assert!(Org::new("a-b").is_ok());
}

/// Puts `rows` switches of a kind into the database, as `note` would, were there room.
async fn fill(world: &World, kind: &str, rows: usize) {
    let body = format!(r#"[{{"kind":"{kind}","id":"r"}},{{"by":"ada","reason":"x","at":1}}]"#);
    let digest = envelope_evidence::Digest::of(body.as_bytes());
    world
        .own(&format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
            INSERT INTO stops (org, id, state, version, body, digest, changed)
            SELECT '-', '{kind}-' || i, 'thrown', 1, '{body}', '{digest}', 1 FROM n"
        ))
        .await
        .unwrap();
}

/// There is room for so many runs and so many agents of one owner, and for what is above them
/// always. Another owner has room of its own.
#[test]
fn switches_of_one_owner_are_bounded() {
    both(async |world| {
        if world.engine == Engine::Postgres {
            return;
        }
        let acme = world.found("acme", 0).await;
        let (run, agent) = (Target::Run(label("more")), Target::Agent(label("more")));
        for (kind, target) in [("run", &run), ("agent", &agent)] {
            fill(world, kind, SWITCHES_MAX - 1).await;
            assert!(note(&world.store, None, throws(target)).await.unwrap(), "the last {kind}");
            let beyond = match kind {
                "run" => Target::Run(label("beyond")),
                _ => Target::Agent(label("beyond")),
            };
            let refused = note(&world.store, None, throws(&beyond)).await.unwrap_err();
            assert!(refused.to_string().contains("throw the one above"), "{kind}: {refused}");
            assert!(note(&world.store, Some(&acme), throws(&beyond)).await.unwrap());
        }
        assert!(note(&world.store, None, throws(&Target::All)).await.unwrap());
        // Who lifts one makes room for one.
        assert!(note(&world.store, None, lifts(&agent)).await.unwrap());
        assert!(note(&world.store, None, throws(&agent)).await.unwrap());
        let all = thrown(&world.store, None).await.unwrap();
        assert_eq!(all.len(), 2 * SWITCHES_MAX + 1);
    });
}

/// More than a node reads at once it does not take for all there are.
#[test]
fn a_read_that_is_full_is_no_read() {
    both(async |world| {
        if world.engine == Engine::Postgres {
            return;
        }
        let node = Board::open(world.store.clone()).await.unwrap();
        fill(world, "run", 99_999).await;
        assert!(node.refresh().await.unwrap());
        fill(world, "agent", 1).await;
        let refused = node.refresh().await.unwrap_err();
        assert!(refused.to_string().contains("100000 kill switches or more"), "{refused}");
    });
}

/// What its owner types, and a word of the refusal.
#[test]
fn the_rules_of_the_table_hold() {
    both(async |world: &World| {
        note(&world.store, None, throws(&Target::All)).await.unwrap();
        for (attack, word) in [
            ("DELETE FROM stops", "never deleted"),
            ("UPDATE stops SET state = 'lifted'", "raises the version"),
            ("UPDATE stops SET org = 'acme', version = version + 1", "keeps its row"),
            ("UPDATE stops SET state = 'asleep', version = version + 1", "constraint"),
        ] {
            let refused = world.own(attack).await.expect_err(attack);
            assert!(refused.contains(word), "{attack}: {refused}");
        }
        assert_eq!(thrown(&world.store, None).await.unwrap().len(), 1);
        assert_eq!(Noun::Stop.table(), "stops");
    });
}
