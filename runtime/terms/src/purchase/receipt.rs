//! The receipts of a purchase: one per event that counted, each linked to the one before, so that
//! whoever replays the events ends at the same digest.

use serde::{Deserialize, Serialize};

use envelope_evidence::chain::{Broken, Chain};
use envelope_evidence::dsse::Envelope;
use envelope_evidence::key::{ForReceipts, SigningKey};
use envelope_evidence::statement::{PAYLOAD_TYPE, Statement, Subject};
use envelope_evidence::{Digest, Label, Timestamp, canonical};

use super::{Act, Effect, Event, Purchase, Refused, Snapshot};
use crate::contract::Id;
use crate::escrow::Book;

/// The predicate type of a purchase receipt.
pub const PURCHASE_TYPE: &str = "https://envelope.example/predicate/purchase/v1";

/// What one event did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The purchase.
    pub purchase: Id,
    /// The digest of what was bought.
    pub snapshot: Digest,
    /// The digest of the receipt before; none for the first.
    pub previous: Option<Digest>,
    /// Which receipt it is, from zero.
    pub sequence: u64,
    /// When.
    pub at: Timestamp,
    /// The event's name.
    pub event: Label,
    /// What happened, in a word.
    pub act: Label,
    /// The digest of the event.
    pub said: Digest,
    /// The state before.
    pub from: Label,
    /// The state after.
    pub to: Label,
    /// Who has it in hand after.
    pub hand: Label,
    /// The digest of what the world had to do.
    pub effects: Digest,
    /// The receipt of the run that ended by this event.
    pub run: Option<Digest>,
    /// Where the money is; none before it was bought.
    pub book: Option<Book>,
    /// The digest of state, hand and money after.
    pub after: Digest,
}

/// A purchase and the end of its chain of receipts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    purchase: Purchase,
    snapshot: Digest,
    chain: Chain,
}

/// The event at which a replay stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event {index}: {why}")]
pub struct Unplayable {
    /// Its place, from zero.
    pub index: usize,
    /// Why it is refused.
    pub why: Refused,
}

/// Replays `events` on what was bought. The same events give the same receipts, everywhere.
pub fn purchase(
    snapshot: Snapshot,
    events: &[(Timestamp, Event)],
) -> Result<(Life, Vec<Receipt>), Unplayable> {
    let mut life = Life::new(snapshot).map_err(|why| Unplayable { index: 0, why: why.into() })?;
    let mut receipts = Vec::new();
    for (index, (at, event)) in events.iter().enumerate() {
        let (next, _, receipt) =
            life.step(event.clone(), *at).map_err(|why| Unplayable { index, why })?;
        life = next;
        receipts.extend(receipt);
    }
    Ok((life, receipts))
}

impl Life {
    /// A Paper that can be bought.
    pub fn new(snapshot: Snapshot) -> Result<Self, canonical::Refused> {
        let digest = snapshot.digest()?;
        let purchase = Purchase::compiled(snapshot);
        Ok(Self { purchase, snapshot: digest, chain: Chain::default() })
    }

    /// A life that goes on where it was left: with the digest of its newest receipt, and how many
    /// there are.
    pub fn resumed(
        purchase: Purchase,
        head: Option<Digest>,
        links: u64,
    ) -> Result<Self, canonical::Refused> {
        let snapshot = purchase.snapshot.digest()?;
        Ok(Self { purchase, snapshot, chain: Chain::resumed(head, links) })
    }

    /// The purchase.
    pub const fn purchase(&self) -> &Purchase {
        &self.purchase
    }

    /// The digest of the newest receipt.
    pub const fn head(&self) -> Option<Digest> {
        self.chain.head()
    }

    /// How many receipts there are.
    pub const fn links(&self) -> u64 {
        self.chain.links()
    }

    /// The same life after `event`, what the world has to do, and the receipt: none when the event
    /// was told before.
    pub fn step(
        self,
        event: Event,
        now: Timestamp,
    ) -> Result<(Self, Vec<Effect>, Option<Receipt>), Refused> {
        let Self { purchase, snapshot, mut chain } = self;
        let (name, act) = (event.id.clone(), event.act.clone());
        let (from, known) = (purchase.state.name(), purchase.events.len());
        let (purchase, effects) = purchase.step(event, now)?;
        if purchase.events.len() == known {
            return Ok((Self { purchase, snapshot, chain }, effects, None));
        }
        let receipt = Receipt {
            purchase: purchase.snapshot.purchase.clone(),
            snapshot,
            previous: chain.head(),
            sequence: chain.links(),
            at: now,
            event: name,
            act: Label::cut(act.name()),
            said: Digest::of(&canonical::of(&act)?),
            from: Label::cut(from),
            to: Label::cut(purchase.state.name()),
            hand: Label::cut(purchase.hand.name()),
            effects: Digest::of(&canonical::of(&effects)?),
            run: run_of(&act),
            book: purchase.escrow.as_ref().map(|escrow| *escrow.book()),
            after: Digest::of(&canonical::of(&(
                &purchase.state,
                &purchase.hand,
                &purchase.escrow,
            ))?),
        };
        // The receipt names the head that stands there: this cannot break.
        let linked = chain.accept(&receipt.canonical()?, receipt.previous);
        linked.map_err(|Broken { .. }| Refused::TooMany)?;
        Ok((Self { purchase, snapshot, chain }, effects, Some(receipt)))
    }
}

impl Receipt {
    /// The canonical bytes, which the next receipt names by their digest.
    pub fn canonical(&self) -> Result<Vec<u8>, canonical::Refused> {
        canonical::of(self)
    }

    /// The digest that the next receipt names.
    pub fn digest(&self) -> Result<Digest, canonical::Refused> {
        Ok(Digest::of(&self.canonical()?))
    }

    /// Signs the receipt as a statement about the snapshot.
    pub fn seal(&self, key: &SigningKey<ForReceipts>) -> Result<Envelope, canonical::Refused> {
        let subject = vec![Subject::new(self.purchase.as_str(), self.snapshot)];
        let statement = Statement::new(subject, PURCHASE_TYPE.to_owned(), self);
        Ok(Envelope::seal(PAYLOAD_TYPE, canonical::of(&statement)?, key))
    }

    /// Whether `receipts` are one chain from the first event on; gives the head.
    pub fn verify(receipts: &[Self]) -> Result<Chain, Broken> {
        let mut chain = Chain::default();
        for receipt in receipts {
            let bytes = receipt.canonical().unwrap_or_default();
            chain.accept(&bytes, receipt.previous)?;
        }
        Ok(chain)
    }
}

const fn run_of(act: &Act) -> Option<Digest> {
    match act {
        Act::RunEnded { receipt } => Some(*receipt),
        Act::Buy { .. }
        | Act::Pay { .. }
        | Act::Start { .. }
        | Act::Deliver { .. }
        | Act::Observe { .. }
        | Act::Cure {}
        | Act::Accept {}
        | Act::AcceptMilestone { .. }
        | Act::Open { .. }
        | Act::Dispute { .. }
        | Act::Money { .. }
        | Act::Retry {}
        | Act::WriteOff {}
        | Act::Tick {} => None,
    }
}
