//! A house that is open, and people who ask it by `curl`.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;

use envelope_market::identity::organisation::{NewOrganisation, Owner, found};
use envelope_market::{Role, Who};
use envelope_node::{House, now};
use envelope_server::App;
use envelope_server::serve::{Door, serve};
use envelope_store::{Org, blobs};
use envelope_terms::contract::{Email, Title};
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::market::house::{market, node};
use crate::store::world::{World, folder};

/// A house with its door open.
pub struct Open {
    pub at: SocketAddr,
    /// The operator's key.
    pub operator: String,
    over: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
}

/// What the program prints that is given `sent`.
fn said(mut program: Command, sent: &[u8]) -> String {
    let program = program.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = program.spawn().expect("curl is installed");
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        // Who is refused before all was read stops listening.
        scope.spawn(move || drop(stdin.write_all(sent)));
        child.wait_with_output()
    });
    String::from_utf8(output.unwrap().stdout).unwrap()
}

/// What was answered.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub text: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|why| panic!("{why}: {self:?}"))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.as_str())
    }

    /// The document, of a success.
    pub fn done(self) -> Value {
        assert!((200..300).contains(&self.status), "{self:?}");
        self.json()
    }

    /// The code, of a problem told as RFC 9457 says.
    pub fn code(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{self:?}");
        problem["code"].as_str().unwrap().to_owned()
    }
}

impl Open {
    pub async fn house(world: &World) -> Self {
        Self::house_at(world, Some("mailto:security@house.example")).await
    }

    /// The same, where weaknesses are told at `contact`, if anywhere.
    pub async fn house_at(world: &World, contact: Option<&str>) -> Self {
        let objects = blobs::folder(folder()).unwrap();
        let house = House { store: world.store.clone(), objects };
        let market = market(house.clone());
        let org = Org::new("house").unwrap();
        let nobody = Who::house(org.clone());
        let new = NewOrganisation {
            id: "house".to_owned(),
            name: Title::new("The house").unwrap(),
            owner: Owner {
                name: Title::new("Olga").unwrap(),
                email: Email::new("olga@house.example").unwrap(),
            },
        };
        let founded = market.act((&nobody, now()), &new, |market, turn, new| {
            let roles = BTreeSet::from([Role::Operator, Role::Owner]);
            Box::pin(found(market, turn, new.clone(), roles))
        });
        let operator = founded.await.unwrap().key.token.unwrap();
        let app = App::new(market, org, |what| println!("{what}"));
        let contact = contact.map(|contact| contact.parse().unwrap());
        let app = Arc::new(app.reached_at(contact));
        let node = node(house);
        let door = Door::open("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let at = door.address().unwrap();
        let (over, told) = oneshot::channel();
        let serving = tokio::spawn(async move {
            serve(app, door, Some(node), async move { drop(told.await) }).await;
        });
        Self { at, operator, over: Some(over), serving: Some(serving) }
    }

    /// Closes the house, and waits until everybody has left.
    pub async fn close(mut self) {
        drop(self.over.take());
        self.serving.take().unwrap().await.unwrap();
    }

    /// Asks, as whoever has `key`, with a new `Idempotency-Key`.
    pub async fn ask(&self, key: &str, line: &str, body: Option<&Value>) -> Reply {
        let once = envelope_market::id("once", now()).unwrap();
        self.ask_with(key, line, body, &[&format!("idempotency-key: {once}")]).await
    }

    /// The same with headers of one's own.
    pub async fn ask_with(
        &self,
        key: &str,
        line: &str,
        body: Option<&Value>,
        headers: &[&str],
    ) -> Reply {
        let body = body.map(|body| ("application/json", body.to_string().into_bytes()));
        self.send(key, line, body, headers).await
    }

    /// The same with any body.
    pub async fn send(
        &self,
        key: &str,
        line: &str,
        body: Option<(&str, Vec<u8>)>,
        headers: &[&str],
    ) -> Reply {
        let (method, path) = line.split_once(' ').unwrap();
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--include", "--max-time", "120"]);
        curl.args(["--request", method, &format!("http://{}{path}", self.at)]);
        if !key.is_empty() {
            curl.args(["--header", &format!("authorization: Bearer {key}")]);
        }
        for header in headers {
            curl.args(["--header", header]);
        }
        if let Some((kind, _)) = &body {
            curl.args(["--header", &format!("content-type: {kind}"), "--data-binary", "@-"]);
            curl.args(["--header", "expect:"]);
        }
        let sent = body.map(|(_, bytes)| bytes).unwrap_or_default();
        let text = tokio::task::spawn_blocking(move || said(curl, &sent)).await.unwrap();
        let (head, text) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{line}: {text}"));
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Reply { status, headers, text: text.to_owned() }
    }

    /// A new organisation, and its owner's key.
    pub async fn join(&self, id: &str) -> String {
        let new = serde_json::json!({
            "id": id, "name": id,
            "owner": { "name": "Owner", "email": format!("owner@{id}.example") },
        });
        let joined = self.ask(&self.operator, "POST /api/v1/organisations", Some(&new)).await;
        joined.done()["key"]["token"].as_str().unwrap().to_owned()
    }

    /// Somebody of the organisation of `owner` with one role, by their key.
    pub async fn person(&self, owner: &str, role: Role) -> String {
        let new = serde_json::json!({
            "name": role.name(), "email": format!("{role}@x.example"), "roles": [role],
        });
        let user = self.ask(owner, "POST /api/v1/users", Some(&new)).await.done();
        let new = serde_json::json!({ "name": "a key", "user": user["id"] });
        let key = self.ask(owner, "POST /api/v1/keys", Some(&new)).await.done();
        key["token"].as_str().unwrap().to_owned()
    }
}
