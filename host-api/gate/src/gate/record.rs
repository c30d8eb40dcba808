//! Writing down what happened.

use envelope_evidence::journal::{
    Answered, Begun, Call as CallRecord, Child, Denied, Event, Journal, Rotation,
};
use envelope_evidence::{Dimension, Label, Preview, canonical};
use envelope_rules::budget::Hold;
use envelope_rules::denial::Denial;
use envelope_rules::guard::Permit;

use super::{Answer, Gate};
use crate::journal::PENDING_BYTES_MAX;
use crate::request::Request;
use crate::stop::{Fault, Stop};

/// Bytes of a journal that are kept free for its last records.
const END_ROOM: u64 = 4 << 10;

impl Gate {
    pub(super) async fn begin(
        &mut self,
        request: &Request<'_>,
        permit: &Permit,
        key: &str,
    ) -> Result<(), Stop> {
        self.announce(request, permit, key)?;
        Ok(self.parts.writer.flush(true).await?)
    }

    /// The same where a power cut may forget it.
    pub(super) fn announce(
        &mut self,
        request: &Request<'_>,
        permit: &Permit,
        key: &str,
    ) -> Result<(), Stop> {
        let begun = Begun {
            asks: None,
            call: self.call(request),
            recovery: permit.recovery(),
            key: Label::cut(key),
            reserved: *permit.worst(),
        };
        self.record(Event::Begun(begun))
    }

    pub(super) async fn settle(
        &mut self,
        request: &Request<'_>,
        hold: Hold,
        answer: Answer,
    ) -> Result<(), Stop> {
        self.settle_as(request, hold, answer, None, None).await
    }

    /// The same for a call that was another agent's run, or that brought another grant.
    pub(super) async fn settle_as(
        &mut self,
        request: &Request<'_>,
        hold: Hold,
        mut answer: Answer,
        child: Option<Child>,
        rotation: Option<Box<Rotation>>,
    ) -> Result<(), Stop> {
        let calls = answer.used.get(Dimension::Calls).saturating_add(1);
        answer.used = answer.used.with(Dimension::Calls, calls).unwrap_or(answer.used);
        let settled = self.parts.meter.settle(hold, answer.used);
        debug_assert!(settled.overspent.is_none(), "an effect used more than it reserved");
        let answered = self.answered(request, answer);
        let child = child.map(Box::new);
        self.record(Event::Answered(Answered { child, rotation, ..answered }))?;
        self.next += 1;
        self.relieve().await
    }

    pub(super) async fn deny(
        &mut self,
        request: &Request<'_>,
        denial: Denial,
    ) -> Result<Denial, Stop> {
        let detail = Preview::of(denial.detail(), &self.parts.secrets);
        let denial = Denial::new(denial.code(), detail.as_str());
        let code = Label::cut(denial.row().name);
        self.record(Event::Denied(Denied { call: self.call(request), code, detail }))?;
        self.next += 1;
        self.last_denial = Some(denial.clone());
        self.relieve().await?;
        Ok(denial)
    }

    pub(super) fn record(&mut self, event: Event) -> Result<(), Stop> {
        let line = self.parts.journal.append(self.now.max(self.parts.journal.last_at()), event);
        let line = line.map_err(|why| Fault::Journal(why.to_string()))?;
        self.written += u64::try_from(line.len()).unwrap_or(u64::MAX);
        Ok(self.parts.writer.write(&line)?)
    }

    /// Waits for the journal when it is behind, and stops a run whose journal is full.
    pub(super) async fn relieve(&mut self) -> Result<(), Stop> {
        if self.parts.writer.pending() > PENDING_BYTES_MAX {
            self.parts.writer.flush(false).await?;
        }
        self.check_room()
    }

    /// After the last recorded call the run stands where it stood when that was written: also when
    /// its journal was full by then.
    pub(super) fn caught_up(&self) -> Result<(), Stop> {
        let there = self.next == self.recorded && !self.parts.replay;
        if there { self.check_room() } else { Ok(()) }
    }

    pub(super) fn check_room(&self) -> Result<(), Stop> {
        if self.written.saturating_add(END_ROOM) > self.parts.journal_bytes {
            return Err(Stop::Exhausted("journal bytes"));
        }
        Ok(())
    }

    pub(super) fn answered(&self, request: &Request<'_>, answer: Answer) -> Answered {
        let Answer { content, used, file } = answer;
        Answered {
            call: self.call(request),
            answer: content,
            used,
            file,
            rotation: None,
            child: None,
        }
    }

    pub(super) fn call(&self, request: &Request<'_>) -> CallRecord {
        CallRecord {
            n: u64::try_from(self.next).unwrap_or(u64::MAX),
            capability: Label::cut(request.act.capability().name()),
            operation: Label::cut(request.operation),
            target: Preview::of(&request.target, &self.parts.secrets),
            request: request.digest,
        }
    }
}

/// Bytes of the lines after the header.
pub(super) fn written(journal: &Journal) -> u64 {
    let line = |entry| canonical::of(entry).map_or(0, |line| line.len().saturating_add(1));
    let lines = journal.entries().iter().map(line);
    u64::try_from(lines.sum::<usize>()).unwrap_or(u64::MAX)
}
