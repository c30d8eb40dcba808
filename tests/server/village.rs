//! A house in which two organisations have done business: there is one of everything.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envelope_evidence::Digest;
use envelope_node::now;
use envelope_store::Org;
use envelope_store::noun::{Change, Noun};
use serde_json::{Value, json};

use super::house::Open;
use super::walk::{id, settle, stall};
use crate::market::house::museum;
use crate::store::world::World;

/// One of everything, and who had it made.
pub struct Village {
    pub open: Open,
    /// The key of the seller's owner.
    pub seller: String,
    /// The key of the buyer's owner.
    pub buyer: String,
    pub things: Vec<Thing>,
    release: String,
}

/// Something that has an id in paths.
#[derive(Debug)]
pub struct Thing {
    /// What stands in braces.
    pub name: &'static str,
    /// Whose it is.
    pub org: &'static str,
    pub noun: Noun,
    /// Its id in paths.
    pub id: String,
}

impl Village {
    pub async fn new(world: &World) -> Self {
        let open = Open::house(world).await;
        let seller = open.join("two-rivers").await;
        let buyer = open.join("kamo").await;
        let release = String::new();
        let mut village = Self { open, seller, buyer, things: Vec::new(), release };
        let listing = village.shop().await;
        village.trade(&listing).await;
        village.people().await;
        village.asked(world).await;
        village
    }

    /// The id of a thing.
    pub fn id(&self, name: &str) -> &str {
        let thing = self.things.iter().find(|thing| thing.name == name);
        &thing.unwrap_or_else(|| panic!("there is no `{name}`: let the village have one")).id
    }

    /// The seller's release: it has no path of its own.
    pub fn release(&self) -> &str {
        &self.release
    }

    fn put(&mut self, name: &'static str, org: &'static str, noun: Noun, id: &str) {
        self.things.push(Thing { name, org, noun, id: id.to_owned() });
    }

    /// An agent with a badge, and what is offered of it: once to everybody, and once not yet.
    async fn shop(&mut self) -> Value {
        let (open, seller) = (&self.open, self.seller.as_str());
        let listing = stall(open, seller).await;
        let draft = json!({
            "release": listing["release"], "msa": listing["msa"], "source": listing["source"],
        });
        let draft = open.ask(seller, "POST /api/v1/listings", Some(&draft)).await.done();
        let oath = json!({
            "org": "two-rivers", "agent": listing["agent"], "pillar": "legal", "seconds": 60,
            "evidence": Digest::of(b"seen again").to_string(),
        });
        let oath = open.ask(&open.operator, "POST /api/v1/attestations", Some(&oath)).await.done();
        let part = |name: &str| listing[name].as_str().unwrap();
        self.release = part("release").to_owned();
        self.put("agent", "two-rivers", Noun::Agent, part("agent"));
        self.put("msa", "two-rivers", Noun::Msa, part("msa"));
        self.put("listing", "two-rivers", Noun::Listing, id(&draft));
        self.put("attestation", "house", Noun::Attestation, id(&oath));
        listing
    }

    /// A Paper that was bought and paid, and a run of it that ended.
    async fn trade(&mut self, listing: &Value) {
        let (open, buyer) = (&self.open, self.buyer.as_str());
        let wish = json!({ "listing": listing["id"], "buyer": museum() });
        let paper = open.ask(buyer, "POST /api/v1/papers", Some(&wish)).await.done();
        let bought = json!({
            "paper": paper["id"], "listing_digest": paper["listing_digest"],
            "msa_digest": paper["msa_digest"],
        });
        let bought = open.ask(buyer, "POST /api/v1/purchases", Some(&bought)).await.done();
        let at = format!("/api/v1/purchases/{}", id(&bought));
        let asked = open.ask(buyer, &format!("POST {at}/pay"), None).await.done();
        settle(open, &at, asked).await;
        let start = json!({
            "purchase": bought["id"], "args": ["read labels/ja.md"],
            "files": [{ "path": "labels/ja.md", "base64": STANDARD.encode("北斎") }],
        });
        let headers = ["idempotency-key: run", "prefer: wait=60"];
        let run = open.ask_with(buyer, "POST /api/v1/runs", Some(&start), &headers).await.done();
        self.put("paper", "kamo", Noun::Paper, id(&paper));
        self.put("purchase", "kamo", Noun::Purchase, id(&bought));
        self.put("run", "kamo", Noun::Run, run["run"].as_str().unwrap());
    }

    /// Somebody with a key, and an address that is told of what happens.
    async fn people(&mut self) {
        let (open, buyer) = (&self.open, self.buyer.as_str());
        let new = json!({ "name": "Kenji Abe", "email": "kenji@x.example", "roles": ["author"] });
        let user = open.ask(buyer, "POST /api/v1/users", Some(&new)).await.done();
        let key = json!({ "name": "a key", "user": user["id"] });
        let key = open.ask(buyer, "POST /api/v1/keys", Some(&key)).await.done();
        let hook = json!({ "url": "https://hooks.example.invalid/x" });
        let hook = open.ask(buyer, "POST /api/v1/hooks", Some(&hook)).await.done();
        self.put("user", "kamo", Noun::User, id(&user));
        self.put("key", "kamo", Noun::Credential, id(&key));
        self.put("hook", "kamo", Noun::Hook, id(&hook));
    }

    /// A question to humans, and something that was told: neither is easily had over HTTP.
    async fn asked(&mut self, world: &World) {
        let (run, hook) = (self.id("run").to_owned(), self.id("hook").to_owned());
        let question = format!("{run}/1");
        let told = json!({ "topic": "run.ended", "at": now(), "body": "{}", "tries": 1 });
        let rows = [
            (Noun::Approval, question.as_str(), &run, "expired", json!({}).to_string()),
            (Noun::Delivery, "dlv_1", &hook, "delivered", told.to_string()),
        ];
        let kamo = Org::new("kamo").unwrap();
        let mut tx = world.store.write().await.unwrap();
        for (noun, id, parent, state, body) in &rows {
            let first = Change { id, state, body, at: now() };
            tx.of(&kamo).add(*noun, Some(parent.as_str()), first).await.unwrap();
        }
        tx.commit().await.unwrap();
        self.put("approval", "kamo", Noun::Approval, &question.replace('/', "-"));
        self.put("delivery", "kamo", Noun::Delivery, "dlv_1");
    }
}
