//! Calls that the operator wants a human to allow, though the agent asked nobody.
//!
//! The question is a call of its own, right before the one it is about. A replay finds it in the
//! record, whatever the operator wants by then.

use envelope_evidence::Dimension;
use envelope_evidence::journal::Event;
use envelope_rules::approval::Matter;
use envelope_rules::budget::NanoUsd;
use envelope_rules::denial::Denial;
use envelope_rules::grant::{Access, FileOp};
use envelope_rules::guard::{Act, Capability};
use envelope_rules::path::Path;

use super::approve::{Kind, Question};
use super::{Asked, Gate};
use crate::desk::Desk;
use crate::request::Request;
use crate::stop::Stop;

/// Characters of what the call is about: the whole of it is known by its digest.
const TARGET_CHARS_MAX: usize = 1_000;

/// Characters of the classes of data that a human is told of: dozens of them.
const CLASSES_CHARS_MAX: usize = 500;

impl Gate {
    /// Has a human allow `request`, where the operator wants that. A refusal stands for the call.
    pub(super) async fn foresee(&mut self, request: &Request<'_>) -> Result<Option<Denial>, Stop> {
        match request.act {
            Act::Http(_) | Act::Model { .. } | Act::Agent(_) => {}
            Act::File { .. } | Act::Reply(_) | Act::Answer(_) | Act::Plain(_) => return Ok(None),
        }
        let asking = allowing(request);
        let matter = match self.was_asked(&asking) {
            Some(true) => self.about(request, 0),
            Some(false) => return Ok(None),
            // Few calls come this way, and all would carry it in their futures: it is kept apart.
            None => match Box::pin(self.worst_if_asked(request)).await? {
                Some(nano_usd) => self.about(request, nano_usd),
                None => return Ok(None),
            },
        };
        let question = Question { kind: Kind::Call, matter, request: asking };
        Ok(Box::pin(self.ask_human(question)).await?.err())
    }

    /// Takes note of the data in the files of an act that may happen. Their names and sizes are not
    /// what is in them; but whoever moves one could read it elsewhere.
    pub(super) fn carry(&mut self, act: &Act<'_>) {
        let Act::File { op, also } = act else { return };
        let touches = |op: &&FileOp<'_>| op.access != Access::Look;
        for op in [Some(op), also.as_ref()].into_iter().flatten().filter(touches) {
            self.carry_file(op.path);
        }
    }

    /// Takes note of the data in the file at `path`.
    fn carry_file(&mut self, path: &Path) {
        let Some(desk) = self.parts.world.desk() else { return };
        for class in desk.rules().classes_of(path) {
            if !self.carried.contains(class) {
                self.carried.insert(class.clone());
            }
        }
    }

    /// Takes note of the data in what is handed on: also when it is handed to nobody in the end.
    pub(super) fn carry_handed(&mut self, asked: &Asked) {
        let labelled = |desk: &dyn Desk| !desk.rules().data.is_empty();
        if self.parts.world.desk().is_some_and(labelled) {
            for (_, path) in self.handed(asked) {
                self.carry_file(&path);
            }
        }
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
        let asks = rules.ask_about(&act, permit.worst(), &self.carried);
        let cost = permit.worst().get(Dimension::NanoUsd);
        let _ = self.parts.meter.void(permit.spend());
        Ok(asks.then_some(cost))
    }

    /// The question. Whoever answers is told which data the run carries.
    fn about(&self, request: &Request<'_>, nano_usd: u64) -> Matter {
        let (capability, operation) = (request.act.capability().name(), request.operation);
        let target: String = request.target.chars().take(TARGET_CHARS_MAX).collect();
        let cost = NanoUsd::new(nano_usd).unwrap_or_default();
        let classes: Vec<_> = self.carried.iter().map(|class| format!("`{class}`")).collect();
        let classes: String = classes.join(", ").chars().take(CLASSES_CHARS_MAX).collect();
        let data = if classes.is_empty() {
            String::new()
        } else {
            format!(" The run has had data of {classes} in hand.")
        };
        let text = format!(
            "May this one call pass? {capability} {operation} {target}, for at most {cost} \
             (request {}).{data}",
            request.digest
        );
        Matter::Choice { text, choices: vec!["allow".to_owned()] }
    }
}

/// The call that asks for `request`. It is known by what it is about alone.
fn allowing(request: &Request<'_>) -> Request<'static> {
    let target = format!("{} {}", request.operation, request.target);
    let operation = Kind::Call.operation();
    Request::plain(Capability::Approvals, operation, target, &request.digest)
}
