//! Calls that the operator wants a human to allow, though the agent asked nobody.
//!
//! The question is a call of its own, right before the one it is about. A replay finds it in the
//! record, whatever the operator wants by then.

use envelope_evidence::Dimension;
use envelope_evidence::journal::Event;
use envelope_rules::approval::Matter;
use envelope_rules::budget::NanoUsd;
use envelope_rules::denial::Denial;
use envelope_rules::guard::{Act, Capability};

use super::Gate;
use super::approve::{Kind, Question};
use crate::request::Request;
use crate::stop::Stop;

/// Characters of what the call is about: the whole of it is known by its digest.
const TARGET_CHARS_MAX: usize = 1_000;

impl Gate {
    /// Has a human allow `request`, where the operator wants that. A refusal stands for the call.
    pub(super) async fn foresee(&mut self, request: &Request<'_>) -> Result<Option<Denial>, Stop> {
        match request.act {
            Act::Http(_) | Act::Model { .. } | Act::Agent(_) => {}
            Act::File { .. } | Act::Reply(_) | Act::Answer(_) | Act::Plain(_) => return Ok(None),
        }
        let asking = allowing(request);
        let matter = match self.was_asked(&asking) {
            Some(true) => about(request, 0),
            Some(false) => return Ok(None),
            // Few calls come this way, and all would carry it in their futures: it is kept apart.
            None => match Box::pin(self.worst_if_asked(request)).await? {
                Some(nano_usd) => about(request, nano_usd),
                None => return Ok(None),
            },
        };
        let question = Question { kind: Kind::Call, matter, request: asking };
        Ok(Box::pin(self.ask_human(question)).await?.err())
    }

    /// Whether the next recorded call is that question. None, where nothing is recorded any more.
    fn was_asked(&self, asking: &Request<'_>) -> Option<bool> {
        let journal = &self.parts.journal;
        let state = journal.calls().get(self.next)?;
        let call = match &journal.entries().get(state.entry)?.event {
            Event::Begun(it) => &it.call,
            Event::Answered(it) => &it.call,
            Event::Denied(it) => &it.call,
            Event::Reviewed(_) | Event::Evaluated(_) | Event::Ended(_) => return Some(false),
        };
        Some(call.request == asking.digest)
    }

    /// What the call can cost, if a human has to allow it: what would be refused anyway is asked
    /// nobody.
    ///
    /// It is admitted as the call will be: with the money that it can lease, and for as long an
    /// answer as is affordable. What only a shorter answer makes affordable is asked about too.
    async fn worst_if_asked(&mut self, request: &Request<'_>) -> Result<Option<u64>, Stop> {
        if self.parts.replay {
            return Ok(None);
        }
        let world = std::sync::Arc::clone(&self.parts.world);
        let Some(rules) = world.desk().map(|desk| desk.rules()) else { return Ok(None) };
        if rules.calls.is_empty() {
            return Ok(None);
        }
        self.now = self.time();
        self.take_back()?;
        let afforded;
        let act = match (request.act, world.models()) {
            (Act::Model { model, bounds }, Some(models)) => {
                let Ok(terms) = self.afford(model, bounds, models).await? else { return Ok(None) };
                afforded = terms.clamped.bounds;
                Act::Model { model, bounds: &afforded }
            }
            (Act::Model { .. }, None) => return Ok(None),
            (act, _) => {
                self.fund(request.worst.get(Dimension::NanoUsd)).await?;
                act
            }
        };
        let Request { operation, digest, worst, fuel, .. } = *request;
        let asked = Request { act, operation, target: request.target.clone(), digest, worst, fuel };
        let Ok(permit) = self.admit(&asked)? else { return Ok(None) };
        let asks = rules.ask_about(&act, permit.worst());
        let cost = permit.worst().get(Dimension::NanoUsd);
        let _ = self.parts.meter.void(permit.spend());
        Ok(asks.then_some(cost))
    }
}

/// The call that asks for `request`. It is known by what it is about alone.
fn allowing(request: &Request<'_>) -> Request<'static> {
    let target = format!("{} {}", request.operation, request.target);
    let operation = Kind::Call.operation();
    Request::plain(Capability::Approvals, operation, target, &request.digest)
}

fn about(request: &Request<'_>, nano_usd: u64) -> Matter {
    let (capability, operation) = (request.act.capability().name(), request.operation);
    let target: String = request.target.chars().take(TARGET_CHARS_MAX).collect();
    let cost = NanoUsd::new(nano_usd).unwrap_or_default();
    let text = format!(
        "May this one call pass? {capability} {operation} {target}, for at most {cost} (request \
         {})",
        request.digest
    );
    Matter::Choice { text, choices: vec!["allow".to_owned()] }
}
