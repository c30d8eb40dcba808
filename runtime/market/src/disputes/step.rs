//! One step of the dispute that has a purchase in hand, and the row that tells where it stands.

use envelope_evidence::Digest;
use envelope_store::noun::{Change, Noun};
use envelope_terms::dispute::{Event, State};
use envelope_terms::purchase::{Act, Hand, Refused as Unmoved};

use crate::purchases::deal::Deal;
use crate::turn::text;
use crate::{Market, Refused, Turn};

/// The dispute that has `deal` in hand.
pub(super) fn in_hand(deal: &Deal) -> Result<Digest, Refused> {
    match deal.kept.purchase.hand() {
        Hand::Dispute { dispute } => Ok(dispute.id()),
        Hand::Parties {} | Hand::Provider { .. } => Err(Unmoved::NoDispute.into()),
    }
}

/// Tells the dispute that has `deal` in hand what happened.
pub(super) async fn step(
    market: &Market,
    turn: &mut Turn<'_>,
    deal: &mut Deal,
    event: Event,
) -> Result<(), Refused> {
    let about = row_of(in_hand(deal)?);
    deal.step(market, turn, None, Act::Dispute { event }).await?;
    keep(turn, deal, &about).await
}

/// Whoever has not answered in time has no say.
pub(crate) async fn overdue(
    market: &Market,
    turn: &mut Turn<'_>,
    deal: &mut Deal,
) -> Result<(), Refused> {
    step(market, turn, deal, Event::Overdue {}).await
}

/// The row of the dispute that has `deal` in hand, or had it.
async fn keep(turn: &mut Turn<'_>, deal: &Deal, id: &str) -> Result<(), Refused> {
    let at = turn.at;
    let mut rows = turn.tx.of(&deal.buyer);
    let before = rows.get(Noun::Dispute, id).await?;
    let (state, body) = match deal.kept.purchase.hand() {
        Hand::Dispute { dispute } => (state(dispute.state()), text(id, dispute)?),
        // It is decided, and the money moves: what it said last stands in the row.
        Hand::Parties {} | Hand::Provider { .. } => {
            ("decided", before.as_ref().map(|row| row.body.clone()).unwrap_or_default())
        }
    };
    let change = Change { id, state, body: &body, at };
    match before {
        None => Ok(rows.add(Noun::Dispute, Some(&deal.record.id), change).await?),
        Some(before) => {
            rows.step(Noun::Dispute, before.version, change).await?;
            Ok(())
        }
    }
}

/// The name of a dispute's row.
pub(super) fn row_of(dispute: Digest) -> String {
    format!("dsp_{}", dispute.hex())
}

const fn state(state: &State) -> &'static str {
    match state {
        State::Opened {} | State::Panel { .. } => "panel",
        State::TieBreak { .. } => "tie-break",
        State::Human { .. } => "human",
        State::Decided { .. } => "decided",
    }
}
