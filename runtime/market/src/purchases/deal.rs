//! A purchase in its row, and one step of it.

use envelope_evidence::{Digest, Label};
use envelope_store::noun::{Change, Noun, Record};
use envelope_store::{Org, OrgTx};
use envelope_terms::purchase::{Act, Effect, Event, Life, Purchase, Receipt};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::clock;
use crate::turn::{read, text};
use crate::{Market, Refused, Turn};

/// What the row of a purchase says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept {
    pub(crate) paper: String,
    pub(crate) listing: String,
    pub(crate) seller: String,
    pub(crate) purchase: Purchase,
    /// The digest of the newest receipt, and how many there are.
    pub(crate) head: Option<Digest>,
    pub(crate) links: u64,
}

/// A purchase that somebody acts on.
pub struct Deal {
    /// The buyer, whose rows it stands in.
    pub(crate) buyer: Org,
    pub(crate) record: Record,
    pub(crate) kept: Kept,
}

/// A purchase that whoever acts is a party of.
pub async fn load(turn: &mut Turn<'_>, id: &str) -> Result<Deal, Refused> {
    let (buyer, record) = turn.seen(Noun::Purchase, id).await?;
    let kept = read(&record)?;
    Ok(Deal { buyer, record, kept })
}

impl Deal {
    /// Begins a purchase of `buyer`, whose first event is `act`.
    pub(crate) async fn begin(
        market: &Market,
        turn: &mut Turn<'_>,
        (id, kept): (String, Kept),
        act: Act,
    ) -> Result<Self, Refused> {
        let (buyer, seller) = (turn.who.org.clone(), Org::new(&kept.seller)?);
        let record = Record {
            id,
            parent: Some(kept.paper.clone()),
            state: String::new(),
            version: 0,
            body: String::new(),
            changed: turn.at,
        };
        let id = record.id.clone();
        let mut deal = Self { buyer: buyer.clone(), record, kept };
        deal.step(market, turn, None, act).await?;
        turn.share(&buyer, &seller, Noun::Purchase, &id).await?;
        Ok(deal)
    }

    /// Whether it is the buyer that acts.
    pub(crate) fn is_buyer(&self, turn: &Turn<'_>) -> bool {
        turn.who.org == self.buyer
    }

    /// Tells the purchase that `act` happened, keeps what it became with its receipt, and tells
    /// both parties. Of an event that was told before under the same `name` nothing follows.
    pub(crate) async fn step(
        &mut self,
        market: &Market,
        turn: &mut Turn<'_>,
        name: Option<&str>,
        act: Act,
    ) -> Result<Vec<Effect>, Refused> {
        let spelled = |why| Refused::kept("purchase", why);
        let named = format!("{:05}-{}", self.kept.links, act.name());
        let event = Event { id: Label::cut(name.unwrap_or(&named)), act };
        let Kept { purchase, head, links, .. } = self.kept.clone();
        let life = Life::resumed(purchase, head, links).map_err(spelled)?;
        let (life, effects, receipt) = life.step(event, turn.at)?;
        let Some(receipt) = receipt else { return Ok(effects) };
        let before = self.kept.purchase.due();
        self.kept.head = life.head();
        self.kept.links = life.links();
        self.kept.purchase = life.purchase().clone();
        self.save(market, turn, &receipt).await?;
        if let Some(due) = self.kept.purchase.due().filter(|due| before != Some(*due)) {
            clock::set(&mut turn.tx.of(&self.buyer), &self.record.id, due).await?;
        }
        Ok(effects)
    }

    async fn save(
        &mut self,
        market: &Market,
        turn: &mut Turn<'_>,
        receipt: &Receipt,
    ) -> Result<(), Refused> {
        let (id, at) = (self.record.id.clone(), turn.at);
        let state = self.kept.purchase.state().name();
        let body = text(&id, &self.kept)?;
        let change = Change { id: &id, state, body: &body, at };
        let mut rows = turn.tx.of(&self.buyer);
        if self.record.version == 0 {
            rows.add(Noun::Purchase, self.record.parent.as_deref(), change).await?;
        } else {
            rows.step(Noun::Purchase, self.record.version, change).await?;
        }
        self.record.version += 1;
        self.record.state = state.to_owned();
        self.record.body = body;
        let sealed = receipt.seal(&market.receipts).and_then(|sealed| sealed.to_bytes());
        let sealed = sealed.map_err(|why| Refused::kept(&id, why))?;
        let sealed = String::from_utf8(sealed).map_err(|why| Refused::kept(&id, why))?;
        let name = format!("{id}-{:05}", receipt.sequence);
        let issued = Change { id: &name, state: "issued", body: &sealed, at };
        rows.add(Noun::Attestation, Some(&id), issued).await?;
        self.hold(&mut rows, at).await?;
        self.tell(turn, receipt).await
    }

    /// The money has a row of its own: operators look for what does not move.
    async fn hold(
        &self,
        rows: &mut OrgTx<'_>,
        at: envelope_evidence::Timestamp,
    ) -> Result<(), Refused> {
        let Some(escrow) = self.kept.purchase.escrow() else { return Ok(()) };
        let id = self.record.id.replacen("pur", "esc", 1);
        let body = text(&id, escrow)?;
        let change = Change { id: &id, state: escrow.state().name(), body: &body, at };
        match rows.get(Noun::Escrow, &id).await? {
            None => rows.add(Noun::Escrow, Some(&self.record.id), change).await?,
            Some(before) if before.body == body => {}
            Some(before) => drop(rows.step(Noun::Escrow, before.version, change).await?),
        }
        Ok(())
    }

    async fn tell(&self, turn: &mut Turn<'_>, receipt: &Receipt) -> Result<(), Refused> {
        let topic = format!("purchase.{}", receipt.act.as_str());
        let told = json!({
            "purchase": self.record.id, "state": self.record.state, "event": receipt.event,
            "sequence": receipt.sequence, "receipt": self.kept.head,
        });
        let (told, at) = (told.to_string(), turn.at);
        let seller = Org::new(&self.kept.seller)?;
        turn.tx.of(&self.buyer).announce(&topic, &told, at).await?;
        Ok(turn.tx.of(&seller).announce(&topic, &told, at).await?)
    }
}
