//! What the journal knows of the next call.

use envelope_evidence::journal::{Begun, Content, Denied, Event, Settled};
use envelope_rules::denial::{Code, Denial};

use super::{Answer, Gate, asked};
use crate::request::Request;
use crate::stop::{Divergence, Stop};

/// What the journal knows of the next call.
pub(super) enum Known {
    Answered(Content),
    Denied(Denial),
    Begun(Box<Begun>),
    Absent,
}

impl Gate {
    /// A call that was under way when the run ended keeps its record as it is: nobody knows how it
    /// came out, so what was set aside for it is not given back. Nothing else is stepped over: a
    /// call that is recorded behind it has to be asked like any other.
    pub(super) fn step_over(&mut self) {
        let state = self.parts.journal.calls().get(self.next);
        self.next += usize::from(state.is_some_and(|state| state.settled == Settled::Begun));
    }

    /// Calls of the journal, but for the one that ends the run.
    pub(super) fn recorded_calls(&self) -> usize {
        self.parts.journal.calls().len() - usize::from(self.closing.is_some())
    }

    pub(super) fn look_up(&mut self, request: &Request<'_>) -> Result<Known, Stop> {
        let known = self.look_up_begun(request)?;
        self.unless_open(known)
    }

    /// The same for a call behind which others may be recorded while it is under way: that its own
    /// end is not recorded is not the end of the record.
    pub(super) fn look_up_begun(&mut self, request: &Request<'_>) -> Result<Known, Stop> {
        if self.next < self.recorded {
            return self.recorded_call(request);
        }
        if self.is_over() {
            return Err(Stop::EndOfRecord);
        }
        if let Some(stop) = self.parts.world.stopped() {
            return Err(stop);
        }
        self.now = self.time();
        self.take_back()?;
        Ok(Known::Absent)
    }

    /// The same for the run's last call, which comes also when a run is stopped.
    pub(super) fn look_up_end(&mut self, request: &Request<'_>) -> Result<Known, Stop> {
        let known = self.next < self.parts.journal.calls().len();
        let known = if known { self.recorded_call(request)? } else { Known::Absent };
        self.unless_open(known)
    }

    /// Whoever takes a run up whose end is written down does nothing more for it.
    fn unless_open(&self, known: Known) -> Result<Known, Stop> {
        let open = matches!(known, Known::Begun(_));
        if open && self.is_over() { Err(Stop::EndOfRecord) } else { Ok(known) }
    }

    /// Whether nothing is done any more, only told.
    pub(super) const fn is_over(&self) -> bool {
        self.parts.replay || self.closing.is_some()
    }

    pub(super) fn recorded_call(&mut self, request: &Request<'_>) -> Result<Known, Stop> {
        let journal = &self.parts.journal;
        let state = journal.calls().get(self.next);
        let entry = state.and_then(|state| journal.entries().get(state.entry));
        let (known, call, settled) = match entry.map(|entry| (&entry.event, entry.at)) {
            Some((Event::Answered(it), at)) => {
                self.now = at;
                (Known::Answered(it.answer.clone()), &it.call, true)
            }
            Some((Event::Denied(it), at)) => {
                self.now = at;
                (Known::Denied(recorded_denial(it)), &it.call, true)
            }
            Some((Event::Begun(it), _)) => (Known::Begun(Box::new(it.clone())), &it.call, false),
            Some((Event::Reviewed(_) | Event::Evaluated(_) | Event::Ended(_), _)) | None => {
                return Err(Stop::EndOfRecord);
            }
        };
        if call.request != request.digest {
            let recorded =
                format!("{} {} `{}`", call.capability, call.operation, call.target.as_str());
            return Err(self.diverges(recorded, asked(request)));
        }
        if settled {
            self.next += 1;
        } else if !self.is_over() {
            self.now = self.time();
            self.take_back()?;
        }
        if let Known::Denied(denial) = &known {
            self.last_denial = Some(denial.clone());
        }
        Ok(known)
    }

    /// A call that this process is the first to see: not one that began before a crash.
    pub(super) fn is_new(&self) -> bool {
        self.next >= self.parts.journal.calls().len()
    }

    pub(super) fn compare(
        &self,
        request: &Request<'_>,
        recorded: &Content,
        answer: &Answer,
    ) -> Result<(), Stop> {
        if recorded.digest() == answer.content.digest() {
            return Ok(());
        }
        let told = |digest| format!("{} answered {digest}", asked(request));
        // It was found, so the next one is counted already.
        let n = u64::try_from(self.next).unwrap_or(u64::MAX).saturating_sub(1);
        let (recorded, asked) = (told(recorded.digest()), told(answer.content.digest()));
        let divergence = Divergence { n, recorded, asked };
        Err(Stop::Diverged(Box::new(divergence)))
    }
}

/// A refusal as it was told the first time.
fn recorded_denial(denied: &Denied) -> Denial {
    let code = Code::named(&denied.code).unwrap_or(Code::Forbidden);
    Denial::new(code, denied.detail.as_str())
}
