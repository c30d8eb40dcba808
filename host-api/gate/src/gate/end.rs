//! The end of a run: its last call, and how a replay knows it again.

use envelope_evidence::journal::{Answered, Call, Ended, Event, Journal, Outcome};
use envelope_evidence::preview::Secrets;
use envelope_evidence::{Dimension, Label, Preview, Timestamp, Usage};
use envelope_rules::guard;

use super::lookup::Known;
use super::{Answer, Gate};
use crate::journal::JournalWriter;
use crate::request::Request;
use crate::stop::{Fault, Stop};

/// The name of the call that ends a run. No guest can make it.
const FINISH: &str = "finish";

/// Every way to end.
const OUTCOMES: [Outcome; 7] = [
    Outcome::Ok,
    Outcome::Failed,
    Outcome::Denied,
    Outcome::Exhausted,
    Outcome::Killed,
    Outcome::Crashed,
    Outcome::Interrupted,
];

impl Gate {
    /// Ends the record: what the run used in all, then how it ended. On replay the recorded end is
    /// held against it.
    pub async fn finish(&mut self, ended: Ended, fuel: u64) -> Result<(), Stop> {
        self.drop_streams().await?;
        self.let_all_go();
        self.step_over();
        let request = finishing(ended.outcome, &ended.reason);
        if matches!(self.look_up_end(&request)?, Known::Absent) && !self.parts.replay {
            let wall = self.time().millis_since(self.parts.journal.header().started);
            let used = Usage::ZERO.with(Dimension::Fuel, fuel);
            let used = used.and_then(|used| used.with(Dimension::WallMs, wall));
            let answer = Answer { used: used.unwrap_or_default(), ..Answer::computed(b"") };
            self.record(Event::Answered(self.answered(&request, answer)))?;
        }
        self.next += 1;
        match self.parts.journal.ended() {
            Some(recorded) if *recorded == ended => Ok(self.give_back().await?),
            Some(recorded) => Err(self.diverges(words(recorded), words(&ended))),
            None if self.parts.replay => Err(self.diverges("no end".into(), words(&ended))),
            None => {
                self.record(Event::Ended(ended))?;
                self.parts.writer.flush(true).await?;
                Ok(self.give_back().await?)
            }
        }
    }

    /// Ends the record of a run that nobody goes on with, without running it: what it used since
    /// its last call nobody measured.
    pub async fn give_up(
        journal: &mut Journal,
        writer: &mut dyn JournalWriter,
        now: Timestamp,
        reason: &str,
    ) -> Result<(), Fault> {
        let at = now.max(journal.last_at());
        let reason = Label::cut(reason);
        let request = finishing(Outcome::Interrupted, &reason);
        let wall = at.millis_since(journal.header().started);
        let last = Answered {
            call: Call {
                n: u64::try_from(journal.calls().len()).unwrap_or(u64::MAX),
                capability: Label::cut(request.act.capability().name()),
                operation: Label::cut(request.operation),
                target: Preview::of(&request.target, &Secrets::none()),
                request: request.digest,
            },
            answer: Answer::computed(b"").content,
            used: Usage::ZERO.with(Dimension::WallMs, wall).unwrap_or_default(),
            file: None,
            rotation: None,
            child: None,
        };
        let outcome = Outcome::Interrupted;
        let ended = Ended { outcome, reason: reason.clone(), result: None, outputs: Vec::new() };
        for event in [Event::Answered(last), Event::Ended(ended)] {
            let line = journal.append(at, event);
            writer.write(&line.map_err(|why| Fault::Journal(why.to_string()))?)?;
        }
        writer.flush(true).await
    }

    /// How the recorded run came to its end, and why, if its record tells.
    pub fn recorded_end(&self) -> Option<(Outcome, &str)> {
        self.closing.as_ref().map(|(outcome, reason)| (*outcome, reason.as_str()))
    }

    /// Why somebody stopped the run, if that was before its end was written down: then it was
    /// stopped, whatever its guest came to.
    pub fn killed(&self) -> Option<String> {
        let stop = match self.recorded_end() {
            Some((outcome, reason)) => {
                return (outcome == Outcome::Killed).then(|| reason.to_owned());
            }
            None if self.parts.replay => None,
            None => self.parts.world.stopped(),
        };
        match stop.as_ref().and_then(Stop::ending) {
            Some((Outcome::Killed, reason)) => Some(reason),
            Some(_) | None => None,
        }
    }

    /// What to say of a run that ended before all that is recorded was asked again.
    pub fn too_early(&self) -> Stop {
        self.diverges("another call".to_owned(), "the end".to_owned())
    }

    /// Whether the record is played still: calls, or the end that it tells of.
    pub const fn plays(&self) -> bool {
        self.unplayed() || self.closing.is_some()
    }

    /// Whether calls are recorded that were not asked again: a run that ends too early.
    pub const fn unplayed(&self) -> bool {
        self.next < self.recorded
    }
}

/// The last call of a run, which says what it used.
fn finishing(outcome: Outcome, reason: &str) -> Request<'_> {
    let body = (outcome.name(), reason);
    Request::plain(guard::Capability::Run, FINISH, reason, &body)
}

/// How the run came to its end, if its last call is recorded: the end itself may be missing.
pub(super) fn closing(journal: &Journal) -> Option<(Outcome, String)> {
    let state = journal.calls().last()?;
    let Event::Answered(Answered { call, .. }) = &journal.entries().get(state.entry)?.event else {
        return None;
    };
    if call.operation.as_str() != FINISH {
        return None;
    }
    let reason = call.target.as_str();
    let is_it = |outcome: &Outcome| finishing(*outcome, reason).digest == call.request;
    OUTCOMES.into_iter().find(is_it).map(|outcome| (outcome, reason.to_owned()))
}

fn words(ended: &Ended) -> String {
    let outputs = ended.outputs.iter().map(|file| format!(", {} {}", file.path, file.digest));
    let result = ended.result.as_ref().map(|result| format!(", result {}", result.digest));
    let outputs: String = result.into_iter().chain(outputs).collect();
    format!("end {} ({}){outputs}", ended.outcome.name(), ended.reason)
}
