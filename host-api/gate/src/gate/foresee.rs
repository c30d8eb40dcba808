//! Calls that a human has to allow, though the agent asked nobody: because the operator wants that
//! of all such calls, or for what this one carries.
//!
//! The question is a call of its own, right before the one it is about. A replay finds it in the
//! record, whatever the operator wants by then.

use envelope_evidence::journal::{Call as CallRecord, Event};
use envelope_evidence::{Digest, Dimension, Preview};
use envelope_rules::approval::Matter;
use envelope_rules::budget::NanoUsd;
use envelope_rules::denial::{Code, Denial};
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

impl Foreseen {
    /// What comes before a call that would be refused. Between now and then money may be given
    /// back: a call that nobody may make unasked is refused at once.
    fn refused(carries: bool, denial: Denial) -> Self {
        if carries { Self::Denied(denial) } else { Self::Nothing }
    }
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
            Some(true) => self.about(request, 0, None),
            Some(false) => return Ok(None),
            // Few calls come this way, and all would carry it in their futures: it is kept apart.
            None => match Box::pin(self.foreseen(request)).await? {
                Foreseen::Nothing => return Ok(None),
                Foreseen::Asked { nano_usd, carries } => self.about(request, nano_usd, carries),
                Foreseen::Denied(denial) => {
                    return self.deny(request, denial).await.map(Some);
                }
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
        // A folder is moved with all that is in it.
        if also.is_some() {
            self.carry_below(op.path);
        }
    }

    fn carry_below(&mut self, path: &Path) {
        let Some(desk) = self.parts.world.desk() else { return };
        let classes: Vec<_> = desk.rules().classes_below(path).cloned().collect();
        self.carried.extend(classes);
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
        Some(*self.recorded_request(self.next)? == asking.digest)
    }

    /// What call `number` asked for, as it is recorded.
    fn recorded_request(&self, number: usize) -> Option<&Digest> {
        let journal = &self.parts.journal;
        let state = journal.calls().get(number)?;
        let call: &CallRecord = match &journal.entries().get(state.entry)?.event {
            Event::Begun(it) => &it.call,
            Event::Answered(it) => &it.call,
            Event::Denied(it) => &it.call,
            Event::Reviewed(_) | Event::Evaluated(_) | Event::Ended(_) => return None,
        };
        Some(&call.request)
    }

    /// Whether `request` goes out ahead of its body. Whoever is to be asked about a body is told of
    /// all of it. What was recorded stands, whatever is wanted by now.
    pub(crate) fn goes_ahead(&self, request: &Request<'_>) -> bool {
        match self.recorded_request(self.next) {
            Some(recorded) => [request.digest, allowing(request).digest].contains(recorded),
            None => !self.is_over() && !self.content().ask(),
        }
    }

    /// What a human would have to be asked about before `request`, which a process began before
    /// this one, if nobody was: the rule is newer. There is no place for the question any more.
    pub(super) fn unasked(&self, request: &Request<'_>) -> Option<Denial> {
        let carries = request.found.question(&self.content())?;
        let before = self.next.checked_sub(1).and_then(|it| self.recorded_request(it));
        if before == Some(&allowing(request).digest) {
            return None;
        }
        let what = format_args!("{carries}, and nobody was asked before it began");
        Some(Denial::new(Code::EgressContent, what))
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
                let terms = match self.afford(model, bounds, models).await? {
                    Ok(terms) => terms,
                    Err(denial) => return Ok(Foreseen::refused(carries.is_some(), denial)),
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
        let permit = match self.admit(&asked)? {
            Ok(permit) => permit,
            Err(denial) => return Ok(Foreseen::refused(carries.is_some(), denial)),
        };
        let asks = rules.is_some_and(|rules| rules.ask_about(&act, permit.worst(), &self.carried));
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

    /// The question. Whoever answers is told which data the run carries.
    fn about(&self, request: &Request<'_>, nano_usd: u64, carries: Option<String>) -> Matter {
        let (capability, operation) = (request.act.capability().name(), request.operation);
        let target = Preview::of(&request.target, &self.parts.secrets);
        let target: String = target.as_str().chars().take(TARGET_CHARS_MAX).collect();
        let cost = NanoUsd::new(nano_usd).unwrap_or_default();
        let classes: Vec<_> = self.carried.iter().map(|class| format!("`{class}`")).collect();
        let classes: String = classes.join(", ").chars().take(CLASSES_CHARS_MAX).collect();
        let data = if classes.is_empty() {
            String::new()
        } else {
            format!(" The run has had data of {classes} in hand.")
        };
        let carries = carries.map_or_else(String::new, |what| format!("; it carries {what}"));
        let text = format!(
            "May this one call pass? {capability} {operation} {target}, for at most {cost} \
             (request {}){carries}.{data}",
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
