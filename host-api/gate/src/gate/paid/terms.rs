//! What an attempt is admitted under, and what it came to.

use envelope_evidence::{Dimension, Label, Usage};
use envelope_rules::budget::{Billed, Frost, Hold, ModelCall, NanoUsd, Place, Price};
use envelope_rules::denial::Denial;
use envelope_rules::grant::Standing;
use envelope_rules::guard::{Act, Clamped, clamp, within};

use super::{Attempt, Gate};
use crate::model::{Gathering, Models, Usage as Shown};
use crate::request::{Request, bytes_used};
use crate::stop::Stop;

/// What an attempt was admitted under.
pub(super) struct Terms {
    pub(super) hold: Hold,
    pub(super) price: Price,
    pub(super) place: Option<Place>,
    pub(super) model: String,
    pub(super) clamped: Clamped,
    pub(super) key: String,
    /// Bytes of the request.
    pub(super) sent: u64,
    pub(super) stub: bool,
}

/// What can be paid for of what is asked.
pub(in crate::gate) struct Afforded {
    pub(in crate::gate) clamped: Clamped,
    price: Price,
    place: Option<Place>,
    stub: bool,
}

/// What is owed for an attempt.
pub(super) enum Owed {
    /// Nothing: it was not sent, or turned away.
    Nothing,
    /// All that was set aside: nobody knows better.
    All,
    /// What the provider says.
    Said(Billed),
    /// What the provider says, or all that was set aside, whichever is more: it spoke before the
    /// answer was over, or of less than came.
    AtLeast(Billed),
    /// More than all that was set aside: it also billed for what nobody asked for, and nobody knows
    /// how much.
    Unasked(Billed),
}

impl Owed {
    /// What is owed for an answer that came to its end, or was cut.
    pub(super) fn for_answer(gathering: &Gathering) -> Self {
        match gathering.billed() {
            billed if gathering.unasked() => Self::Unasked(billed.copied().unwrap_or_default()),
            None => Self::All,
            Some(billed) if gathering.ended() && gathering.is_covered_by(billed) => {
                Self::Said(*billed)
            }
            Some(billed) => Self::AtLeast(*billed),
        }
    }
}

impl Gate {
    /// For how long an answer it may be, and what that costs. Nothing is set aside yet.
    pub(in crate::gate) async fn afford(
        &mut self,
        model: &str,
        asked: &ModelCall,
        models: &Models,
    ) -> Result<Result<Afforded, Denial>, Stop> {
        let now = self.now;
        let authority = self.authority(Standing { bound_run: None, revoked: false });
        let fits = match within(asked, model, &authority, now) {
            Ok(fits) => fits,
            Err(denial) => return Ok(Err(denial)),
        };
        let price = match authority.operator.prices.price(model) {
            Ok(price) => price.clone(),
            Err(denial) => return Ok(Err(denial)),
        };
        let seat = models.seat(model);
        let place = seat.as_ref().map(|seat| seat.place(model));
        if let Some(place) = &place
            && let Err(denial) = models.purse().check(place).await?
        {
            return Ok(Err(denial));
        }
        let worst = price.worst(&fits).map_or(u64::MAX, NanoUsd::get);
        self.fund(worst).await?;
        let authority = self.authority(Standing { bound_run: None, revoked: false });
        let floor = models.floor();
        let clamped = clamp(asked, model, floor, &authority, &self.parts.meter, now);
        let stub = seat.is_some_and(|seat| seat.provider.is_stub());
        Ok(clamped.map(|clamped| Afforded { clamped, price, place, stub }))
    }

    /// May it happen, for how long an answer, and is it affordable? Nothing is sent to find out.
    pub(super) async fn admit_paid(
        &mut self,
        attempt: &Attempt<'_>,
        request: &Request<'_>,
        models: &Models,
        asked: &ModelCall,
    ) -> Result<Result<Terms, Denial>, Stop> {
        let model = attempt.model();
        let afforded = match self.afford(model, asked, models).await? {
            Ok(afforded) => afforded,
            Err(denial) => return Ok(Err(denial)),
        };
        let Afforded { clamped, price, place, stub } = afforded;
        let sent = attempt.wish.bytes();
        let back = attempt.wish.answer_bytes(clamped.bounds.max_output);
        let admitted = Request {
            act: Act::Model { model, bounds: &clamped.bounds },
            operation: request.operation,
            target: request.target.clone(),
            digest: request.digest,
            worst: bytes_used(sent.saturating_add(back)),
            fuel: request.fuel,
            found: request.found,
        };
        let permit = match self.admit(&admitted)? {
            Ok(permit) => permit,
            Err(denial) => return Ok(Err(denial)),
        };
        let (model, key) = (model.to_owned(), self.key());
        let hold = permit.spend();
        Ok(Ok(Terms { hold, price, place, model, clamped, key, sent, stub }))
    }

    /// Books what an attempt came to. More than was set aside is booked in full, stops the run's
    /// spending, and freezes the model for everybody.
    pub(super) async fn settle_paid(
        &mut self,
        terms: Terms,
        owed: Owed,
        moved: u64,
    ) -> Result<(Usage, Shown), Stop> {
        let Terms { hold, price, place, model: _, clamped, key, sent, stub: _ } = terms;
        let reserved = *hold.worst();
        let (money, bounds) = (Dimension::NanoUsd, clamped.bounds);
        let paid = match &owed {
            Owed::Nothing => Usage::ZERO,
            Owed::All => reserved,
            Owed::Said(billed) => price.settlement(billed),
            Owed::AtLeast(billed) => larger(&price.settlement(billed), &reserved),
            Owed::Unasked(billed) => above(&larger(&price.settlement(billed), &reserved)),
        };
        let bytes = sent.saturating_add(moved).min(reserved.get(Dimension::Bytes));
        let used = [
            (money, paid.get(money)),
            (Dimension::Tokens, paid.get(Dimension::Tokens)),
            (Dimension::Bytes, bytes),
            (Dimension::Calls, 1),
        ];
        let used = used.into_iter().fold(Usage::ZERO, |row, (dimension, amount)| {
            row.with(dimension, amount).unwrap_or(row)
        });
        let settled = self.parts.meter.settle(hold, used);
        let overcharged = settled.overspent.is_some();
        if let Some(place) = place.filter(|_| overcharged) {
            let run = Label::cut(&self.parts.journal.header().run);
            let key = Label::cut(&key);
            let frost = Frost { place, run, key, reserved, charged: used, at: self.now };
            let world = std::sync::Arc::clone(&self.parts.world);
            if let Some(models) = world.models() {
                models.purse().freeze(frost).await?;
            }
        }
        let nano_usd = used.get(money);
        let shown = match owed {
            Owed::Said(billed) => Shown::reported(&billed, nano_usd, overcharged),
            Owed::AtLeast(billed) | Owed::Unasked(billed) if overcharged => {
                Shown { confirmed: false, ..Shown::reported(&billed, nano_usd, true) }
            }
            Owed::All | Owed::AtLeast(_) | Owed::Unasked(_) => Shown {
                input: bounds.input,
                output: bounds.max_output,
                nano_usd,
                ..Shown::default()
            },
            Owed::Nothing => Shown::default(),
        };
        Ok((used, shown))
    }
}

/// A nano-dollar more: so the books, and whoever reads the journal, know that a word was broken.
fn above(usage: &Usage) -> Usage {
    let money = Dimension::NanoUsd;
    usage.with(money, usage.get(money).saturating_add(1)).unwrap_or(*usage)
}

/// The larger amount in every dimension.
fn larger(left: &Usage, right: &Usage) -> Usage {
    Dimension::ALL.into_iter().fold(*left, |row, dimension| {
        let amount = left.get(dimension).max(right.get(dimension));
        row.with(dimension, amount).unwrap_or(row)
    })
}
