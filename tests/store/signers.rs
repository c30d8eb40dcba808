//! The history of the keys that sign, in the log that one of them signs.

use envelope_evidence::key::{ForReceipts, Purpose, SigningKey, Window};
use envelope_evidence::keyring::{KeyRecord, NoKey};
use envelope_store::Org;
use envelope_store::audit::verify;
use envelope_store::noun::Noun;
use envelope_store::signers::{Event, REASON_CHARS_MAX, Signer, SignerError, State, ring};

use super::log::{log, publish, publisher};
use super::world::{World, at, both, folder};

fn record(secret: u8) -> KeyRecord {
    let key = SigningKey::<ForReceipts>::from_secret(&[secret; 32].into());
    KeyRecord::of(&key, Window::ALWAYS)
}

async fn step(
    world: &World,
    org: &Org,
    kid: &str,
    event: Event<'_>,
    now: u64,
) -> Result<Signer, SignerError> {
    let mut tx = world.store.write().await?;
    let signer = tx.of(org).step_key(kid, event, at(now)).await?;
    tx.commit().await?;
    Ok(signer)
}

async fn announce(world: &World, org: &Org, secret: u8, now: u64) -> Result<String, SignerError> {
    let mut tx = world.store.write().await?;
    tx.of(org).announce_key(record(secret), at(now)).await?;
    tx.commit().await?;
    Ok(record(secret).key.id())
}

#[test]
fn keys_overlap_and_each_is_trusted_for_its_own_time() {
    both(async |world| {
        let org = world.found("acme", 0).await;
        let old = announce(world, &org, 1, 5).await.unwrap();
        step(world, &org, &old, Event::Activate, 10).await.unwrap();
        let new = announce(world, &org, 2, 15).await.unwrap();
        step(world, &org, &new, Event::Activate, 20).await.unwrap();
        step(world, &org, &old, Event::Retire, 30).await.unwrap();
        let announced = announce(world, &org, 3, 35).await.unwrap();
        let mut tx = world.store.read().await.unwrap();
        let keys = tx.of(&org).keys().await.unwrap();
        drop(tx);
        let states: Vec<_> = keys.iter().map(|key| key.state).collect();
        assert_eq!(states, [State::Next, State::Active, State::Retired]);
        let ring = ring(&keys).unwrap();
        let signs = |kid: &str, now| ring.find(kid, Purpose::Receipt, at(now)).is_ok();
        for (now, by_old, by_new) in [(9, false, false), (10, true, false), (20, true, true)] {
            assert_eq!((signs(&old, now), signs(&new, now)), (by_old, by_new), "{now}");
        }
        assert_eq!((signs(&old, 30), signs(&new, 30)), (false, true));
        let unknown = ring.find(&announced, Purpose::Receipt, at(40));
        assert!(matches!(unknown, Err(NoKey::Unknown { .. })), "{unknown:?}");
        let note = publish(world, &mut publisher(&folder())).await;
        assert_eq!(log().open(&note).unwrap().size, 7, "each step is an entry");
        assert_eq!(verify(&world.store, &log(), &[note]).await.unwrap(), []);
    });
}

#[test]
fn what_a_stolen_key_signed_since_is_not_believed() {
    both(async |world| {
        let org = world.found("acme", 0).await;
        let [stolen, never] = [1, 2];
        let stolen = announce(world, &org, stolen, 0).await.unwrap();
        step(world, &org, &stolen, Event::Activate, 10).await.unwrap();
        step(world, &org, &stolen, Event::Retire, 40).await.unwrap();
        let trusted = async |kid: &str| {
            let mut tx = world.store.read().await.unwrap();
            let ring = ring(&tx.of(&org).keys().await.unwrap()).unwrap();
            ring.find(kid, Purpose::Receipt, at(15)).is_ok()
        };
        assert!(trusted(&stolen).await);
        let since = |millis, why| Event::Revoke { since: at(millis), why };
        let early = step(world, &org, &stolen, since(51, "soon"), 50).await;
        assert!(matches!(early, Err(SignerError::Future)), "{early:?}");
        assert!(trusted(&stolen).await, "nothing happened");
        let key = step(world, &org, &stolen, since(20, "the laptop is gone"), 50).await.unwrap();
        assert_eq!(key.why.as_deref(), Some("the laptop is gone"));
        // Whoever has it can date back.
        assert!(!trusted(&stolen).await);
        let key = step(world, &org, &stolen, since(12, "it went earlier"), 60).await.unwrap();
        assert_eq!(key.record.window.not_after, at(12));
        let later = step(world, &org, &stolen, since(13, "it went later"), 70).await;
        assert!(matches!(later, Err(SignerError::NotNow { .. })), "{later:?}");
        let never = announce(world, &org, never, 0).await.unwrap();
        step(world, &org, &never, since(40, "made on a shared machine"), 50).await.unwrap();
        assert!(!trusted(&never).await, "it never signed");
    });
}

#[test]
fn a_key_has_one_life_in_one_order() {
    both(async |world| {
        let org = world.found("acme", 0).await;
        let revoke = Event::Revoke { since: at(1), why: "lost" };
        let orders = [Event::Activate, Event::Retire, revoke];
        // By the state before: whether each order is followed.
        let table: [(&[Event<'_>], [bool; 3]); 4] = [
            (&[], [true, false, true]),
            (&[Event::Activate], [false, true, true]),
            (&[Event::Activate, Event::Retire], [false, false, true]),
            (&[revoke], [false; 3]),
        ];
        let mut secret = 0;
        for (before, followed) in table {
            for (event, followed) in orders.into_iter().zip(followed) {
                secret += 1;
                let kid = announce(world, &org, secret, 0).await.unwrap();
                for event in before {
                    step(world, &org, &kid, *event, 2).await.unwrap();
                }
                let end = step(world, &org, &kid, event, 3).await;
                assert_eq!(end.is_ok(), followed, "{before:?} then {event:?}");
                if let Err(why) = end {
                    assert!(matches!(why, SignerError::NotNow { .. }), "{why}");
                }
            }
        }
        let twice = announce(world, &org, 1, 9).await;
        assert!(matches!(twice, Err(SignerError::Twice(_))), "{twice:?}");
        let unknown = step(world, &org, "nobody", Event::Activate, 9).await;
        assert!(matches!(unknown, Err(SignerError::Unknown(_))), "{unknown:?}");
        let kid = announce(world, &org, 99, 0).await.unwrap();
        for why in [String::new(), "x".repeat(REASON_CHARS_MAX + 1)] {
            let vague = Event::Revoke { since: at(0), why: &why };
            let vague = step(world, &org, &kid, vague, 9).await;
            assert!(matches!(vague, Err(SignerError::Reason)), "{vague:?}");
        }
        let mut tx = world.store.read().await.unwrap();
        let row = tx.of(&org).get(Noun::Signer, &kid).await.unwrap().unwrap();
        assert_eq!((row.state.as_str(), row.version), ("next", 1), "nothing happened");
    });
}
