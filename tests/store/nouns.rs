//! Rows: whose they are, and who wins when two change one.

use envelope_store::noun::{BODY_BYTES_MAX, Change, Noun};
use envelope_store::outbox::take;
use envelope_store::{Org, StoreError};

use super::world::{active, at, both};

#[test]
fn a_row_is_read_as_it_was_written() {
    both(async |world| {
        let org = world.found("acme", 2).await;
        let withdrawn = Change {
            id: "agent-000",
            state: "withdrawn",
            body: "{\"name\":\"zwei \u{1f980} \\u0001 '; DROP TABLE agents; --\"}",
            at: at(1_700_000_000_000),
        };
        assert_eq!(world.step(&org, Noun::Agent, 1, withdrawn).await.unwrap(), 2);
        let mut tx = world.store.read().await.unwrap();
        let found = tx.of(&org).get(Noun::Agent, "agent-000").await.unwrap().unwrap();
        assert_eq!((found.state.as_str(), found.version), ("withdrawn", 2));
        assert_eq!((found.body.as_str(), found.changed), (withdrawn.body, withdrawn.at));
        let active = tx.of(&org).list(Noun::Agent, "active", "").await.unwrap();
        assert_eq!(active.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["agent-001"]);
        assert_eq!(tx.of(&org).list(Noun::Agent, "active", "agent-001").await.unwrap(), []);
    });
}

#[test]
fn a_change_decided_on_an_older_state_is_refused() {
    both(async |world| {
        let org = world.found("acme", 1).await;
        world.step(&org, Noun::Agent, 1, active("agent-000")).await.unwrap();
        for stale in [0, 1, 3] {
            let refused = world.step(&org, Noun::Agent, stale, active("agent-000")).await;
            assert!(matches!(refused, Err(StoreError::Changed { .. })), "{stale}: {refused:?}");
        }
        assert_eq!(world.step(&org, Noun::Agent, 2, active("agent-000")).await.unwrap(), 3);
    });
}

#[test]
fn of_many_who_change_one_row_at_once_one_wins() {
    both(async |world| {
        let org = world.found("acme", 1).await;
        let mut racers = tokio::task::JoinSet::new();
        for _ in 0..16 {
            let (store, org) = (world.store.clone(), org.clone());
            racers.spawn(async move {
                let mut tx = store.write().await?;
                tx.of(&org).step(Noun::Agent, 1, active("agent-000")).await?;
                tx.commit().await
            });
        }
        let ends = racers.join_all().await;
        let won = ends.iter().filter(|end| end.is_ok()).count();
        let told = ends.iter().filter(|end| matches!(end, Err(StoreError::Changed { .. }))).count();
        assert_eq!((won, told), (1, 15), "{ends:?}");
    });
}

#[test]
fn another_organisation_sees_and_changes_nothing() {
    both(async |world| {
        let acme = world.found("acme", 1).await;
        let other = world.found("other", 0).await;
        let mut tx = world.store.write().await.unwrap();
        assert_eq!(tx.of(&other).get(Noun::Agent, "agent-000").await.unwrap(), None);
        assert_eq!(tx.of(&other).list(Noun::Agent, "active", "").await.unwrap(), []);
        let step = tx.of(&other).step(Noun::Agent, 1, active("agent-000")).await;
        assert!(matches!(step, Err(StoreError::Changed { .. })));
        let adopt = tx.of(&other).add(Noun::Release, Some("agent-000"), passed("one")).await;
        assert!(matches!(adopt, Err(StoreError::Database { .. })), "a parent of somebody else");
        drop(tx);
        let mut tx = world.store.write().await.unwrap();
        tx.of(&acme).add(Noun::Release, Some("agent-000"), passed("one")).await.unwrap();
        assert!(tx.of(&acme).get(Noun::Release, "one").await.unwrap().is_some());
    });
}

#[test]
fn a_state_that_is_none_is_refused_and_nothing_of_its_transaction_happens() {
    both(async |world| {
        let org = world.found("acme", 0).await;
        let mut tx = world.store.write().await.unwrap();
        tx.of(&org).add(Noun::Agent, None, active("first")).await.unwrap();
        let wrong = Change { state: "flying", ..active("second") };
        assert!(tx.of(&org).add(Noun::Agent, None, wrong).await.is_err());
        drop(tx);
        let mut tx = world.store.read().await.unwrap();
        assert_eq!(tx.of(&org).get(Noun::Agent, "first").await.unwrap(), None);
        let logged = "SELECT noun FROM audit_in WHERE noun = 'agents'";
        assert_eq!(world.own(logged).await.unwrap(), Vec::<String>::new());
        world.add(&org, Noun::Agent, "first").await.unwrap();
        assert_eq!(world.own(logged).await.unwrap(), ["agents"]);
    });
}

#[test]
fn a_body_has_an_end() {
    both(async |world| {
        let org = world.found("acme", 1).await;
        let body = "a".repeat(BODY_BYTES_MAX + 1);
        let long = Change { body: &body, ..active("agent-000") };
        let mut tx = world.store.write().await.unwrap();
        let mut rows = tx.of(&org);
        for refused in [
            rows.add(Noun::Agent, None, Change { id: "new", ..long }).await,
            rows.step(Noun::Agent, 1, long).await.map(|_| ()),
            rows.announce("topic", &body, at(0)).await,
        ] {
            let refused = refused.unwrap_err();
            let told = matches!(refused, StoreError::TooLong { bytes, .. } if bytes == body.len());
            assert!(told, "{refused}");
        }
        let fits = Change { body: &body[1..], ..long };
        rows.add(Noun::Agent, None, Change { id: "new", ..fits }).await.unwrap();
        assert_eq!(rows.step(Noun::Agent, 1, fits).await.unwrap(), 2);
        rows.announce("topic", fits.body, at(0)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(take(&world.store, at(0)).await.unwrap().unwrap().body, fits.body);
    });
}

#[test]
fn an_organisation_has_a_plain_name() {
    assert!(Org::new("acme-2").is_ok());
    for wrong in ["", "Acme", "a b", "a/b", "ä", &"a".repeat(65)] {
        assert!(matches!(Org::new(wrong), Err(StoreError::Org(64))), "{wrong}");
    }
}

fn passed(id: &str) -> Change<'_> {
    Change { state: "passed", ..active(id) }
}
