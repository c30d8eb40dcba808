//! Webhooks: who asked to be told is told what happened, once at least, and nobody else is.

use envelope_market::Refused;
use envelope_market::hooks::{
    Delivery, HOOKS_MAX, Hook, NewHook, OVERLAP_SECS, TRIES_MAX, Topic, again, deliveries, end,
    renew, subscribe, view,
};
use envelope_market::{Role, Who};
use envelope_store::noun::Noun;
use serde_json::Value;

use super::house::{Fair, code};
use crate::net::LOOPBACK;
use crate::net::peer::Peer;
use crate::store::world::{World, both};

fn owner(fair: &Fair) -> Who {
    fair.with(&fair.buyer, Role::Owner)
}

async fn hook(fair: &Fair, url: &str, topics: &[Topic]) -> Result<Hook, Refused> {
    let new = NewHook { url: url.to_owned(), topics: topics.to_vec() };
    fair.act(&owner(fair), async |market, turn| subscribe(market, turn, new).await).await
}

async fn told(fair: &Fair, hook: &Hook) -> Vec<Delivery> {
    let all = fair.act(&owner(fair), async |_, turn| deliveries(turn, &hook.id, "").await).await;
    all.unwrap()
}

/// Does every errand that is due so many milliseconds from now.
async fn errands(fair: &Fair, millis: u64) -> usize {
    let (market, at) = (&fair.market, fair.later(millis));
    let mut done = 0;
    while market.courier.run(market, at).await.unwrap() {
        done += 1;
    }
    done
}

/// Something happens: a purchase is made.
async fn happen(fair: &Fair) {
    let stall = fair.open_stall().await;
    let paper = fair.quote(&stall.listing.id).await.unwrap();
    fair.buy(&paper).await.unwrap();
    fair.follow().await;
}

/// A house, and a hook of it whose peer answers by `path`.
async fn hooked(world: &World, path: &str) -> (Fair, Peer, Hook) {
    let (fair, peer) = (Fair::open(world).await, Peer::start(LOOPBACK));
    let hook = hook(&fair, &format!("http://{}{path}", peer.authority()), &[]).await.unwrap();
    (fair, peer, hook)
}

fn header<'a>(heard: &'a str, name: &str) -> &'a str {
    let start = format!("{name}: ");
    heard.lines().find_map(|line| line.strip_prefix(&start)).unwrap()
}

#[test]
fn who_asked_is_told_of_what_they_asked_for() {
    both(async |world| {
        let (fair, peer) = (Fair::open(world).await, Peer::start(LOOPBACK));
        let at = |path: &str| format!("http://{}{path}", peer.authority());
        let all = hook(&fair, &at("/all"), &[]).await.unwrap();
        let runs = hook(&fair, &at("/runs"), &[Topic::RunEnded]).await.unwrap();
        happen(&fair).await;
        assert_eq!(errands(&fair, 0).await, 1);
        let [heard] = &peer.heard()[..] else { panic!("{:?}", peer.heard()) };
        assert!(heard.starts_with("POST /all HTTP/1.1\r\n"), "{heard}");
        let (_, body) = heard.split_once("\r\n\r\n").unwrap();
        let body: Value = serde_json::from_str(body).unwrap();
        assert!(body["type"].as_str().unwrap().starts_with("purchase."), "{body}");
        assert!(body["data"]["purchase"].as_str().unwrap().starts_with("pur_"), "{body}");
        let [one] = &told(&fair, &all).await[..] else { panic!() };
        assert_eq!((one.state.as_str(), one.tries), ("delivered", 1));
        assert_eq!(header(heard, "webhook-id"), one.id);
        assert_eq!(told(&fair, &runs).await, []);
        // Nothing is told twice that was heard.
        assert_eq!(errands(&fair, 1 << 40).await, 0);
    });
}

/// The seller's hook is not told what only the buyer's is, and nobody sees another's.
#[test]
fn nobody_else_is_told_or_sees() {
    both(async |world| {
        let (fair, peer, hook) = hooked(world, "/x").await;
        let seller = fair.with(&fair.seller, Role::Owner);
        let seen = fair.act(&seller, async |_, turn| deliveries(turn, &hook.id, "").await).await;
        assert_eq!(code(seen), "NOT_FOUND");
        let ended = fair.act(&seller, async |_, turn| end(turn, &hook.id).await).await;
        assert_eq!(code(ended), "NOT_FOUND");
        let buyer = fair.act(&fair.buyer, async |_, turn| end(turn, &hook.id).await).await;
        assert_eq!(code(buyer), "ROLE_MISSING");
        let ended = fair.act(&owner(&fair), async |_, turn| end(turn, &hook.id).await).await;
        assert_eq!(ended.unwrap().state, "disabled");
        happen(&fair).await;
        assert_eq!((errands(&fair, 1 << 40).await, peer.connections()), (0, 0));
    });
}

#[test]
fn what_fails_is_tried_more_and_more_rarely_and_given_up() {
    both(async |world| {
        let (fair, peer, hook) = hooked(world, "/x/status/500").await;
        happen(&fair).await;
        let tries = usize::try_from(TRIES_MAX).unwrap();
        let mut done = 0;
        for days in 0..40 {
            done += errands(&fair, days * 12 * 3_600_000).await;
        }
        assert_eq!((done, peer.connections()), (tries, tries));
        let ids: Vec<_> =
            peer.heard().iter().map(|it| header(it, "webhook-id").to_owned()).collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        let [one] = &told(&fair, &hook).await[..] else { panic!() };
        assert_eq!((one.state.as_str(), one.last.as_deref()), ("failed", Some("status 500")));
        // Until somebody asks for it.
        let asked = fair.act(&owner(&fair), async |_, turn| again(turn, &one.id).await).await;
        assert_eq!(asked.unwrap().state, "due");
        assert_eq!(errands(&fair, 0).await, 1);
        let twice = fair.act(&owner(&fair), async |_, turn| again(turn, &one.id).await).await;
        assert_eq!(code(twice), "NOT_NOW");
    });
}

/// An address that says that it is gone is asked nothing more.
#[test]
fn an_address_may_say_that_it_is_gone() {
    both(async |world| {
        let (fair, peer, hook) = hooked(world, "/x/status/410").await;
        happen(&fair).await;
        assert_eq!(errands(&fair, 0).await, 1);
        let keeper = owner(&fair);
        let row = fair.act(&keeper, async |_, turn| {
            Ok(turn.rows().get(Noun::Hook, &hook.id).await?.unwrap())
        });
        assert_eq!(view(&row.await.unwrap()).unwrap().state, "disabled");
        assert_eq!(told(&fair, &hook).await[0].state, "failed");
        happen(&fair).await;
        assert_eq!((errands(&fair, 1 << 40).await, peer.connections()), (0, 1));
    });
}

/// Addresses are strangers': the network of the house is not theirs, and a redirect leads nowhere.
#[test]
fn no_address_leads_into_the_house() {
    both(async |world| {
        let (fair, peer) = (Fair::open(world).await, Peer::start(LOOPBACK));
        for url in
            ["http://hooks.example/x", "ftp://hooks.example/x", "https://user@x.example/", ""]
        {
            assert_eq!(code(hook(&fair, url, &[]).await), "INVALID", "{url}");
        }
        // What only a name server could tell is found out when it is told.
        let beside = Peer::start("127.0.0.2".parse().unwrap());
        let beside_at = format!("https://{}/x", beside.authority());
        let inside = [beside_at.as_str(), "https://169.254.169.254/x", "https://[::1]/x"];
        let mut hooks = Vec::new();
        for url in inside {
            hooks.push((url, hook(&fair, url, &[]).await.unwrap()));
        }
        let away = format!("http://{}/x/redirect", peer.authority());
        let away = hook(&fair, &away, &[]).await.unwrap();
        happen(&fair).await;
        errands(&fair, 0).await;
        for (url, hook) in hooks {
            let [one] = &told(&fair, &hook).await[..] else { panic!("{url}") };
            let last = one.last.as_deref().unwrap();
            assert!(one.state == "due" && last.contains("egress.address"), "{url}: {last}");
        }
        assert_eq!(beside.connections(), 0);
        let [one] = &told(&fair, &away).await[..] else { panic!() };
        assert_eq!(one.last.as_deref(), Some("status 302"));
        assert_eq!(peer.connections(), 1);
    });
}

#[test]
fn a_secret_is_followed_by_another() {
    both(async |world| {
        let (fair, peer, first) = hooked(world, "/x").await;
        let renewed = fair
            .act(&owner(&fair), async |market, turn| renew(market, turn, &first.id).await)
            .await;
        let renewed = renewed.unwrap();
        assert!(renewed.secret.is_some() && renewed.secret != first.secret);
        happen(&fair).await;
        happen(&fair).await;
        let (market, later) = (&fair.market, fair.later(OVERLAP_SECS * 1000 + 5_000));
        assert!(market.courier.run(market, fair.later(0)).await.unwrap());
        assert!(market.courier.run(market, later).await.unwrap());
        let signatures = |heard: &String| header(heard, "webhook-signature").split(' ').count();
        assert_eq!(peer.heard().iter().map(signatures).collect::<Vec<_>>(), [2, 1]);
    });
}

#[test]
fn there_are_so_many_hooks_and_no_more() {
    both(async |world| {
        let fair = Fair::open(world).await;
        for _ in 0..HOOKS_MAX {
            hook(&fair, "https://hooks.example/x", &[]).await.unwrap();
        }
        assert_eq!(code(hook(&fair, "https://hooks.example/x", &[]).await), "INVALID");
    });
}
