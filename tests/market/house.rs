//! A market on a database, with a seller, a buyer and the house that keeps both.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use envelope_engine::component::Components;
use envelope_engine::local;
use envelope_evidence::key::SigningKey;
use envelope_evidence::{Digest, Timestamp};
use envelope_gate::link;
use envelope_gate::net::Roots;
use envelope_market::agents::badge::{Attest, attest};
use envelope_market::agents::publish::{Release, inspect, publish};
use envelope_market::agents::register::{Agent, NewAgent, register};
use envelope_market::hooks::Courier;
use envelope_market::papers::listing::{self, Listing, NewListing};
use envelope_market::papers::msa::{self, Msa, NewMsa};
use envelope_market::papers::quote::{Paper, Quote, quote};
use envelope_market::purchases::buy::{Buy, buy};
use envelope_market::purchases::follow::hear;
use envelope_market::purchases::money::{Moved, moved, pay};
use envelope_market::purchases::{Purchase, view};
use envelope_market::{Market, Means, Refused, Role, Turn, Who};
use envelope_node::{House, Keys, Node, Outside, Settings, now};
use envelope_rules::budget::PriceBook;
use envelope_store::vault::MasterKeys;
use envelope_store::{Org, blobs};
use envelope_terms::badge::Pillar;
use envelope_terms::contract::Title;
use serde_json::Value;

use crate::engine::world::machine;
use crate::node::house::{COMPONENT, Nothing};
use crate::store::world::{World, folder};

const GRANTS: [u8; 32] = [7; 32];
const RECEIPTS: [u8; 32] = [8; 32];

/// The market of one test.
pub struct Fair {
    pub market: Market,
    pub operator: Who,
    pub seller: Who,
    pub buyer: Who,
    folder: PathBuf,
}

/// What is offered.
pub struct Stall {
    pub agent: Agent,
    pub release: Release,
    pub msa: Msa,
    pub listing: Listing,
}

impl Fair {
    pub async fn open(world: &World) -> Self {
        let folder = folder();
        let objects = blobs::folder(&folder).unwrap();
        let house = House { store: world.store.clone(), objects };
        let who = async |org: &str, roles: &[Role]| {
            let org = world.found(org, 0).await;
            house.blobs(&org).set_quota(1 << 30).await.unwrap();
            somebody(org, roles)
        };
        let operator = who("house", &[Role::Operator]).await;
        let seller = who("two-rivers", &[Role::Author]).await;
        let buyer = who("kamo", &[Role::Buyer]).await;
        let market = market(house);
        Self { market, operator, seller, buyer, folder }
    }

    /// Somebody of an organisation that is new here.
    pub async fn somebody(&self, world: &World, org: &str, roles: &[Role]) -> Who {
        let org = world.found(org, 0).await;
        somebody(org, roles)
    }

    /// The same person with another role.
    pub fn with(&self, who: &Who, role: Role) -> Who {
        Who { roles: BTreeSet::from([role]), ..who.clone() }
    }

    /// What `who` does in one transaction, which only what succeeds commits.
    pub async fn act<T>(
        &self,
        who: &Who,
        act: impl AsyncFnOnce(&Market, &mut Turn<'_>) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        self.act_at(who, now(), act).await
    }

    /// So many milliseconds from now.
    pub fn later(&self, millis: u64) -> Timestamp {
        Timestamp::from_millis(now().millis() + millis).unwrap()
    }

    /// The same at some other time.
    pub async fn act_at<T>(
        &self,
        who: &Who,
        at: Timestamp,
        act: impl AsyncFnOnce(&Market, &mut Turn<'_>) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        let mut tx = self.market.house.store.alone().await?;
        let done = act(&self.market, &mut Turn { tx: &mut tx, who, at }).await?;
        tx.commit().await?;
        Ok(done)
    }

    /// The seller's agent, with a badge, offered to everybody.
    pub async fn stall(&self) -> Stall {
        let name = Title::new("Label Translator").unwrap();
        let agent = self.act(&self.seller, async |market, turn| {
            register(market, turn, NewAgent { name }).await
        });
        let agent = agent.await.unwrap();
        let component = COMPONENT.clone();
        let looked = inspect(&self.market, &self.seller, &agent.id, component, now()).await;
        let looked = looked.unwrap();
        let release =
            self.act(&self.seller, async |_, turn| publish(turn, &looked).await).await.unwrap();
        let text = fs::read_to_string("../policies/msa.template.md").unwrap();
        let msa = self.act(&self.seller, async |_, turn| msa::offer(turn, NewMsa { text }).await);
        let msa = msa.await.unwrap();
        let new = offer(&agent, &release, &msa, 180_000);
        let listing = self
            .act(&self.seller, async |market, turn| listing::draft(market, turn, new).await)
            .await
            .unwrap();
        assert_eq!(listing.state, "draft");
        Stall { agent, release, msa, listing }
    }

    /// The house swears that every pillar of the agent's badge stands.
    pub async fn vouch(&self, agent: &Agent, pillars: &[Pillar]) -> Vec<String> {
        let mut sworn = Vec::new();
        for &pillar in pillars {
            let wish = Attest {
                org: self.seller.org.to_string(),
                agent: agent.id.clone(),
                pillar,
                evidence: Digest::of(pillar.name().as_bytes()).to_string(),
                seconds: 3600,
            };
            let oath =
                self.act(&self.operator, async |market, turn| attest(market, turn, wish).await);
            sworn.push(oath.await.unwrap().id);
        }
        sworn
    }

    /// A stall that is open.
    pub async fn open_stall(&self) -> Stall {
        let stall = self.stall().await;
        self.vouch(&stall.agent, &Pillar::ALL).await;
        let listing = self.offer(&stall.listing.id).await.unwrap();
        Stall { listing, ..stall }
    }

    pub async fn offer(&self, id: &str) -> Result<Listing, Refused> {
        let operator = self.operator.org.clone();
        self.act(&self.seller, async |_, turn| listing::offer(turn, &operator, id).await).await
    }

    pub async fn quote(&self, listing: &str) -> Result<Paper, Refused> {
        let wish = Quote { listing: listing.to_owned(), buyer: museum() };
        self.act(&self.buyer, async |market, turn| quote(market, turn, wish).await).await
    }

    pub async fn buy(&self, paper: &Paper) -> Result<Purchase, Refused> {
        let wish = Buy {
            paper: paper.id.clone(),
            listing_digest: paper.listing_digest.clone(),
            msa_digest: paper.msa_digest.clone(),
        };
        let operator = self.operator.org.clone();
        self.act(&self.buyer, async |market, turn| buy(market, turn, &operator, &wish).await).await
    }

    /// A purchase that is paid in.
    pub async fn funded(&self, listing: &str) -> Purchase {
        let paper = self.quote(listing).await.unwrap();
        let bought = self.buy(&paper).await.unwrap();
        let asked = self.act(&self.buyer, async |market, turn| pay(market, turn, &bought.id).await);
        let asked = asked.await.unwrap();
        self.pay_out(&asked).await
    }

    /// The house moves all money that it was told to move.
    pub async fn pay_out(&self, purchase: &Purchase) -> Purchase {
        let mut purchase = purchase.clone();
        while let Some(order) = purchase.money.as_ref().and_then(|money| money.orders.first()) {
            let said = Moved { org: purchase.buyer.clone(), order: order.id.clone(), failed: None };
            let id = purchase.id.clone();
            let told =
                self.act(&self.operator, async |market, turn| moved(market, turn, &id, said).await);
            purchase = told.await.unwrap();
        }
        purchase
    }

    pub async fn view(&self, who: &Who, id: &str) -> Result<Purchase, Refused> {
        self.act(who, async |_, turn| view(turn, id).await).await
    }

    /// A node of this house.
    pub fn node(&self) -> Node {
        node(self.market.house.clone())
    }

    /// Hears every message, and tells purchases of their runs.
    pub async fn follow(&self) {
        self.follow_at(now()).await;
    }

    /// The same at some other time.
    pub async fn follow_at(&self, at: Timestamp) {
        while hear(&self.market, &self.operator, at).await.unwrap() {}
    }
}

impl Drop for Fair {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// Somebody who is signed in.
fn somebody(org: Org, roles: &[Role]) -> Who {
    let (user, roles) = (format!("usr_{org}"), BTreeSet::from_iter(roles.to_vec()));
    Who { org, user, roles, means: Means::Session }
}

/// A market in `house`, whose keys are always the same.
pub fn market(house: House) -> Market {
    Market {
        house,
        masters: MasterKeys::new([9; 32].into(), []),
        receipts: Arc::new(SigningKey::from_secret(&RECEIPTS.into())),
        grants: local::Keys { grants: GRANTS.into() },
        prices: PriceBook::default(),
        components: Components::new(machine().clone(), link::SERVED),
        domain: "market.example".to_owned(),
        // The receivers of tests are on this machine.
        courier: Courier::new(vec!["127.0.0.1=127.0.0.0/8".parse().unwrap()], Roots::Public)
            .unwrap(),
    }
}

/// A node with the same keys, and nothing outside.
pub fn node(house: House) -> Node {
    node_with(house, Box::new(Nothing))
}

/// The same with something outside.
pub fn node_with(house: House, outside: Box<dyn Outside>) -> Node {
    let grants = local::grant_keys(&local::Keys { grants: GRANTS.into() });
    let receipts = Arc::new(SigningKey::from_secret(&RECEIPTS.into()));
    let keys = Keys { grants: Arc::new(grants.unwrap()), receipts };
    let components = Components::new(machine().clone(), link::SERVED);
    let settings = Settings::of("node");
    Node::new(house, keys, outside, components, settings, Arc::new(|_| ()))
}

/// The code of a refusal.
pub fn code<T: Debug>(refused: Result<T, Refused>) -> &'static str {
    refused.unwrap_err().code()
}

/// The same of what an API tells.
pub fn offered(agent: &Value, release: &Value, msa: &Value, price: u64) -> Value {
    let read = |value: &Value| value.clone();
    let agent = serde_json::from_value(read(agent)).unwrap();
    let release = serde_json::from_value(read(release)).unwrap();
    let msa = serde_json::from_value(read(msa)).unwrap();
    serde_json::to_value(offer(&agent, &release, &msa, price)).unwrap()
}

/// Somebody who buys.
pub fn museum() -> envelope_terms::contract::Party {
    serde_json::from_value(serde_json::json!({
        "name": "Kamo River Museum of \"Prints\"",
        "did": "did:web:kamo-museum.example",
        "principals": [{
            "name": "Haruka Mori", "did": "did:web:kamo-museum.example:haruka-mori",
            "role": "Curator",
        }],
        "human_root": {
            "name": "Kamo River Museum of Prints", "kind": "legal",
            "did": "did:web:kamo-museum.example:register",
            "verification": Digest::of(b"register").to_string(),
        },
        "notice": { "email": "contracts@kamo-museum.example", "address": ["Kyoto", "Japan"] },
    }))
    .unwrap()
}

/// An offer of `release` at a price in yen.
pub fn offer(agent: &Agent, release: &Release, msa: &Msa, price: u64) -> NewListing {
    let paper = fs::read_to_string("terms/papers/museum-labels.paper.md").unwrap();
    let (start, rest) = paper.split_once("[parties.buyer]").unwrap();
    let (_, developer) = rest.split_once("[parties.developer]").unwrap();
    let (developer, rest) = developer.split_once("[agent]").unwrap();
    let (_, rest) = rest.split_once("[agent.release.fingerprint]").unwrap();
    let (fingerprint, rest) = rest.split_once("[[deliverables]]").unwrap();
    let start = {
        let (before, after) = start.split_once("msa = \"").unwrap();
        let (_, after) = after.split_once('"').unwrap();
        format!("{before}msa = \"{}\"{after}", msa.digest)
    };
    let rest = rest
        .replace("labels/en.md", "labels/en")
        .replace("min = 1000, max = 60_000", "min = 1, max = 60_000")
        .replace("bytes_min = 500", "bytes_min = 5")
        .replace("180_000", &price.to_string());
    let source = format!(
        "{start}[parties.developer]{developer}[agent]\nname = \"{}\"\ndid = \"{}\"\nskill = \
         \"run\"\n\n[agent.release]\nversion = \"{}\"\ncomponent = \"{}\"\ncard = \"{}\"\n\n\
         [agent.release.fingerprint]{fingerprint}[[deliverables]]{rest}",
        agent.name, agent.did, release.version, release.component, release.card_digest
    );
    NewListing { release: release.id.clone(), msa: msa.id.clone(), source }
}
