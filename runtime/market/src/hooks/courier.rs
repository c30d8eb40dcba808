//! Whoever tells hooks. Their addresses are strangers': names are resolved once, private addresses
//! are refused unless the operator opened them, no redirect is followed, and nothing of an answer
//! is read but its status.

use std::time::Duration;

use bytes::Bytes;
use envelope_evidence::Timestamp;
use envelope_gate::net::{
    BadRoot, Body, Limits, Network, NoRoute, Outgoing, Reach, Roots, Settings,
};
use envelope_rules::egress::target::{Scheme, Target};
use envelope_store::noun::{Change, Noun, Record};
use envelope_store::outbox::{self, Message};
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::delivery::{Errand, Kept};
use super::{hook, seal};
use crate::turn::{read, text};
use crate::{Market, Refused};

/// How often a delivery is tried, over two days.
pub const TRIES_MAX: i64 = 20;

/// How long an address may take, all in all: less than until the errand falls due again.
const PATIENCE: Duration = Duration::from_secs(15);

/// The status by which an address says that it wants to hear nothing more.
const GONE: u16 = 410;

/// Tells hooks.
#[derive(Debug)]
pub struct Courier {
    network: Network,
    /// Hosts that the operator opened: to them he may tell in clear.
    open: Vec<Reach>,
}

/// What is sent.
struct Letter {
    delivery: Record,
    kept: Kept,
    hook: Record,
    url: String,
    headers: Vec<(&'static str, String)>,
}

/// What came of it.
struct Came {
    well: bool,
    gone: bool,
    words: String,
}

impl Courier {
    /// One who reaches public addresses, and of those that are `open` the others too.
    pub fn new(open: Vec<Reach>, roots: Roots) -> Result<Self, BadRoot> {
        let limits = Limits {
            connect: PATIENCE,
            first_byte: PATIENCE,
            between_bytes: PATIENCE,
            total: PATIENCE,
            ..Limits::default()
        };
        let reach = open.clone();
        let network = Network::new(Settings { reach, roots, limits, ..Settings::default() })?;
        Ok(Self { network, open })
    }

    /// Whether hooks may have this address, as far as that can be seen of it.
    pub(super) fn judge(&self, url: &str) -> Result<Target, String> {
        let target = Target::parse("POST", url).map_err(|denial| denial.to_string())?;
        let open = self.open.iter().any(|reach| reach.is_of(target.host()));
        if target.scheme() == Scheme::Http && !open {
            return Err("it has to begin with `https://`".to_owned());
        }
        Ok(target)
    }

    /// Does the errand that is due the longest. False when there is none.
    pub async fn run(&self, market: &Market, at: Timestamp) -> Result<bool, Refused> {
        let Some(errand) = outbox::take_errand(&market.house.store, at).await? else {
            return Ok(false);
        };
        let came = match self.letter(market, &errand, at).await? {
            Some(letter) => {
                let came = self.post(&letter).await;
                Some((letter, came))
            }
            None => None,
        };
        put_down(market, &errand, came, at).await.map(|()| true)
    }

    /// What is to be sent, if anybody still wants it.
    async fn letter(
        &self,
        market: &Market,
        errand: &Message,
        at: Timestamp,
    ) -> Result<Option<Letter>, Refused> {
        let Errand { delivery } =
            serde_json::from_str(&errand.body).map_err(|why| Refused::kept("errand", why))?;
        let mut tx = market.house.store.read().await?;
        let mut rows = tx.of(&errand.org);
        let Some(delivery) = rows.get(Noun::Delivery, &delivery).await? else { return Ok(None) };
        let hook = delivery.parent.as_deref().unwrap_or_default();
        let Some(hook) = rows.get(Noun::Hook, hook).await? else { return Ok(None) };
        let (kept, hook::Kept { url, before_until, .. }) = (read::<Kept>(&delivery)?, read(&hook)?);
        if hook.state != "active" || delivery.state != "due" {
            return Ok(None);
        }
        let still = before_until.is_some_and(|until| at < until);
        let (secs, whose) = (at.secs(), (hook.id.as_str(), still));
        let signed = (delivery.id.as_str(), secs, kept.body.as_str());
        let signed = seal::signatures(&mut rows, &market.masters, whose, signed).await?;
        let Some(signed) = signed else { return Ok(None) };
        let headers = vec![
            ("webhook-id", delivery.id.clone()),
            ("webhook-timestamp", secs.to_string()),
            ("webhook-signature", signed),
        ];
        Ok(Some(Letter { delivery, kept, hook, url, headers }))
    }

    async fn post(&self, letter: &Letter) -> Came {
        match self.send(letter).await {
            Ok(status) => Came {
                well: (200..300).contains(&status),
                gone: status == GONE,
                words: format!("status {status}"),
            },
            Err(words) => Came { well: false, gone: false, words },
        }
    }

    async fn send(&self, Letter { url, headers, kept, .. }: &Letter) -> Result<u16, String> {
        let target = self.judge(url)?;
        let mut sent = HeaderMap::new();
        sent.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        sent.insert(USER_AGENT, HeaderValue::from_static("envelope"));
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).map_err(|why| why.to_string())?;
            sent.insert(HeaderName::from_static(name), value);
        }
        let route = self.network.resolve(&target, PATIENCE).await.map_err(|why| match why {
            NoRoute::Denied(denial) => denial.to_string(),
            NoRoute::Failed(failure) => failure.to_string(),
        })?;
        let body = Body::Whole(Bytes::copy_from_slice(kept.body.as_bytes()));
        let outgoing = Outgoing { headers: sent, body, limits: *self.network.limits() };
        let came = self.network.send(route, outgoing).await;
        came.map(|came| came.status).map_err(|failure| failure.to_string())
    }
}

/// Writes down what came of an errand, and whether it is over.
async fn put_down(
    market: &Market,
    errand: &Message,
    came: Option<(Letter, Came)>,
    at: Timestamp,
) -> Result<(), Refused> {
    let mut tx = market.house.store.write().await?;
    let mut rows = tx.of(&errand.org);
    let mut over = true;
    if let Some((Letter { delivery, mut kept, hook, .. }, came)) = came {
        let given_up = came.gone || errand.tries >= TRIES_MAX;
        over = came.well || given_up;
        let state = match (came.well, given_up) {
            (true, _) => "delivered",
            (false, true) => "failed",
            (false, false) => "due",
        };
        kept.tries = kept.tries.saturating_add(1);
        kept.last = Some(came.words);
        let body = text(&delivery.id, &kept)?;
        let change = Change { id: &delivery.id, state, body: &body, at };
        rows.step(Noun::Delivery, delivery.version, change).await?;
        if came.gone {
            hook::close(&mut rows, &hook, at).await?;
        }
    }
    if over {
        rows.heard(errand.seq).await?;
    }
    Ok(tx.commit().await?)
}
