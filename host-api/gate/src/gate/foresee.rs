//! Calls that a human has to allow, though the agent asked nobody: because the operator wants that
//! of all such calls, or for what this one carries.
//!
//! The question is a call of its own, right before the one it is about. A replay finds it in the
//! record, whatever the operator wants by then.

use envelope_evidence::Dimension;
use envelope_evidence::journal::Event;
use envelope_rules::approval::Matter;
use envelope_rules::budget::NanoUsd;
use envelope_rules::denial::{Code, Denial};
use envelope_rules::guard::{Act, Capability};

use super::Gate;
use super::approve::{Kind, Question};
use crate::request::Request;
use crate::stop::Stop;

/// Characters of what the call is about: the whole of it is known by its digest.
const TARGET_CHARS_MAX: usize = 1_000;

/// What comes before a call.
enum Foreseen {
    /// Nothing.
    Nothing,
    /// A question to a human.
    Asked {
        /// What the call can cost.
        nano_usd: u64,
        /// What it carries that may not leave unasked.
        carries: Option<String>,
    },
    /// Its end: it needs a human's leave, and none is there.
    Denied(Denial),
}

impl Gate {
    /// Has a human allow `request`, where the operator wants that. A refusal stands for the call.
    pub(super) async fn foresee(&mut self, request: &Request<'_>) -> Result<Option<Denial>, Stop> {
        match request.act {
            Act::Http(_) | Act::Model { .. } | Act::Agent(_) => {}
            Act::File { .. } | Act::Reply(_) | Act::Answer(_) | Act::Plain(_) => return Ok(None),
        }
        let asking = allowing(request);
        let matter = match self.was_asked(&asking) {
            Some(true) => about(request, 0, None),
            Some(false) => return Ok(None),
            // Few calls come this way, and all would carry it in their futures: it is kept apart.
            None => match Box::pin(self.foreseen(request)).await? {
                Foreseen::Nothing => return Ok(None),
                Foreseen::Asked { nano_usd, carries } => about(request, nano_usd, carries),
                Foreseen::Denied(denial) => {
                    return self.deny(request, denial).await.map(Some);
                }
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

    /// What the call can cost, if a human has to allow it, and what it carries: what would be
    /// refused anyway is asked nobody.
    ///
    /// It is admitted as the call will be: with the money that it can lease, and for as long an
    /// answer as is affordable. What only a shorter answer makes affordable is asked about too.
    async fn foreseen(&mut self, request: &Request<'_>) -> Result<Foreseen, Stop> {
        if self.parts.replay {
            return Ok(Foreseen::Nothing);
        }
        let world = std::sync::Arc::clone(&self.parts.world);
        let rules = world.desk().map(|desk| desk.rules());
        let carries = request.found.question(&self.content());
        if carries.is_none() && rules.is_none_or(|rules| rules.calls.is_empty()) {
            return Ok(Foreseen::Nothing);
        }
        self.now = self.time();
        self.take_back()?;
        let afforded;
        let act = match (request.act, world.models()) {
            (Act::Model { model, bounds }, Some(models)) => {
                let Ok(terms) = self.afford(model, bounds, models).await? else {
                    return Ok(Foreseen::Nothing);
                };
                afforded = terms.clamped.bounds;
                Act::Model { model, bounds: &afforded }
            }
            (Act::Model { .. }, None) => return Ok(Foreseen::Nothing),
            (act, _) => {
                self.fund(request.worst.get(Dimension::NanoUsd)).await?;
                act
            }
        };
        let Request { operation, digest, worst, fuel, found, .. } = *request;
        let target = request.target.clone();
        let asked = Request { act, operation, target, digest, worst, fuel, found };
        let Ok(permit) = self.admit(&asked)? else { return Ok(Foreseen::Nothing) };
        let asks = rules.is_some_and(|rules| rules.ask_about(&act, permit.worst()));
        let nano_usd = permit.worst().get(Dimension::NanoUsd);
        let _ = self.parts.meter.void(permit.spend());
        Ok(match (carries, rules) {
            (Some(carries), None) => {
                let what = format_args!("{carries}, and no human is asked here");
                Foreseen::Denied(Denial::new(Code::EgressContent, what))
            }
            (None, _) if !asks => Foreseen::Nothing,
            (carries, _) => Foreseen::Asked { nano_usd, carries },
        })
    }
}

/// The call that asks for `request`. It is known by what it is about alone.
fn allowing(request: &Request<'_>) -> Request<'static> {
    let target = format!("{} {}", request.operation, request.target);
    let operation = Kind::Call.operation();
    Request::plain(Capability::Approvals, operation, target, &request.digest)
}

fn about(request: &Request<'_>, nano_usd: u64, carries: Option<String>) -> Matter {
    let (capability, operation) = (request.act.capability().name(), request.operation);
    let target: String = request.target.chars().take(TARGET_CHARS_MAX).collect();
    let cost = NanoUsd::new(nano_usd).unwrap_or_default();
    let carries = carries.map_or_else(String::new, |what| format!("; it carries {what}"));
    let text = format!(
        "May this one call pass? {capability} {operation} {target}, for at most {cost} (request \
         {}){carries}",
        request.digest
    );
    Matter::Choice { text, choices: vec!["allow".to_owned()] }
}
