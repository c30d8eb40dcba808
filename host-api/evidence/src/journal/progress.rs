//! What the records so far amount to, and which record may follow them.

use crate::journal::entry::{Begun, Call, Ended, Entry, Evaluation, Event};
use crate::journal::header::Header;
use crate::time::Timestamp;
use crate::usage::{Dimension, Usage};

/// Files that one run can produce.
pub(super) const OUTPUTS_MAX: usize = 10_000;

/// Calls under way at once: far above what a guest can await.
pub(super) const OPEN_CALLS_MAX: usize = 1024;

/// Times that one run can be given new authority, and judgements of each kind on it. A receipt
/// lists them all, so they have to be few.
pub(super) const JUDGEMENTS_MAX: usize = 64;

/// Runs of other agents on behalf of one. A receipt lists them all.
pub const CHILDREN_MAX: usize = 256;

/// Digests that one evaluation can rest on.
pub(super) const EVIDENCE_MAX: usize = 64;

/// One million: a perfect score.
pub(super) const SCORE_MAX: u32 = 1_000_000;

/// A call and how far it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallState {
    /// Where in the journal its latest record stands.
    pub entry: usize,
    /// How far it came.
    pub settled: Settled,
}

/// How far a call came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It began; no answer is recorded.
    Begun,
    /// It was answered.
    Answered,
    /// It was denied.
    Denied,
}

/// A record that does not fit those before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// Records are numbered without gaps.
    #[error("record {found} stands where record {expected} belongs")]
    Sequence {
        /// The number that belongs here.
        expected: u64,
        /// The number that stands here.
        found: u64,
    },
    /// Time does not run backwards.
    #[error("it is dated {found}, before the record it follows ({last})")]
    Backwards {
        /// The time of the record before.
        last: Timestamp,
        /// The time of this record.
        found: Timestamp,
    },
    /// Calls are numbered without gaps.
    #[error("call {found} stands where call {expected} belongs")]
    CallNumber {
        /// The number that belongs here.
        expected: u64,
        /// The number that stands here.
        found: u64,
    },
    /// An answer to something else.
    #[error("it settles call {0} as another call than the one that began")]
    OtherCall(u64),
    /// A second answer.
    #[error("call {0} is settled already")]
    Settled(u64),
    /// Something after the end that is not a judgement on the run.
    #[error("the run has ended: only evaluations and reviews may follow")]
    Ended,
    /// Amounts that cannot be added exactly.
    #[error("the sum of `{}` passes 2^53 − 1", .0.name())]
    Sum(Dimension),
    /// More than a list holds.
    #[error("a list of {found} is longer than {max}")]
    List {
        /// How many there are.
        found: usize,
        /// How many fit.
        max: usize,
    },
    /// A score above one million millionths.
    #[error("a score is at most {SCORE_MAX} millionths")]
    Score,
    /// No more records fit.
    #[error("the journal is full")]
    Full,
}

#[derive(Debug, Clone)]
pub(super) struct Progress {
    calls: Vec<CallState>,
    /// Calls that began and have no answer.
    under_way: usize,
    rotations: usize,
    children: usize,
    evaluations: usize,
    reviews: usize,
    used: Usage,
    ended: bool,
    last_at: Timestamp,
}

impl Progress {
    pub(super) fn new(header: &Header) -> Self {
        Self {
            calls: Vec::new(),
            under_way: 0,
            rotations: 0,
            children: 0,
            evaluations: 0,
            reviews: 0,
            used: Usage::ZERO,
            ended: false,
            last_at: header.started,
        }
    }

    pub(super) fn calls(&self) -> &[CallState] {
        &self.calls
    }

    pub(super) const fn used(&self) -> Usage {
        self.used
    }

    pub(super) const fn last_at(&self) -> Timestamp {
        self.last_at
    }

    /// Takes `entry`, which follows `before`, or says why it cannot. Nothing changes on refusal.
    pub(super) fn follow(&mut self, before: &[Entry], entry: &Entry) -> Result<(), Broken> {
        if entry.at < self.last_at {
            return Err(Broken::Backwards { last: self.last_at, found: entry.at });
        }
        let place = before.len();
        match &entry.event {
            Event::Begun(begun) => self.begin(place, begun)?,
            Event::Answered(answered) => {
                let rotations = self.rotations + usize::from(answered.rotation.is_some());
                check_length(rotations, JUDGEMENTS_MAX)?;
                let children = self.children + usize::from(answered.child.is_some());
                check_length(children, CHILDREN_MAX)?;
                let state = CallState { entry: place, settled: Settled::Answered };
                self.settle(before, &answered.call, answered.used, state)?;
                self.rotations = rotations;
                self.children = children;
            }
            Event::Denied(denied) => {
                let state = CallState { entry: place, settled: Settled::Denied };
                self.settle(before, &denied.call, Usage::ZERO, state)?;
            }
            Event::Ended(ended) => self.end(ended)?,
            Event::Evaluated(evaluation) => {
                check_evaluation(evaluation)?;
                self.evaluations = one_more(self.evaluations)?;
            }
            Event::Reviewed(_) => self.reviews = one_more(self.reviews)?,
        }
        self.last_at = entry.at;
        Ok(())
    }

    fn begin(&mut self, place: usize, begun: &Begun) -> Result<(), Broken> {
        self.open(&begun.call)?;
        check_length(self.under_way + 1, OPEN_CALLS_MAX)?;
        self.used = self.used.checked_add(begun.reserved).map_err(Broken::Sum)?;
        self.calls.push(CallState { entry: place, settled: Settled::Begun });
        self.under_way += 1;
        Ok(())
    }

    /// Settles a new call, or one that began: then its reservation gives way to what it used.
    fn settle(
        &mut self,
        before: &[Entry],
        call: &Call,
        used: Usage,
        state: CallState,
    ) -> Result<(), Broken> {
        let known = usize::try_from(call.n).ok().and_then(|n| self.calls.get_mut(n));
        let Some(begun) = known.filter(|known| known.settled == Settled::Begun) else {
            self.open(call)?;
            self.used = self.used.checked_add(used).map_err(Broken::Sum)?;
            self.calls.push(state);
            return Ok(());
        };
        if self.ended {
            return Err(Broken::Ended);
        }
        let reserved = reserved_for(call, before.get(begun.entry))?;
        let rest = self.used.saturating_sub(reserved);
        self.used = rest.checked_add(used).map_err(Broken::Sum)?;
        *begun = state;
        self.under_way -= 1;
        Ok(())
    }

    /// Whether `call` may be the next new one.
    fn open(&self, call: &Call) -> Result<(), Broken> {
        if self.ended {
            return Err(Broken::Ended);
        }
        let expected = u64::try_from(self.calls.len()).unwrap_or(u64::MAX);
        match call.n.cmp(&expected) {
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Less => Err(Broken::Settled(call.n)),
            std::cmp::Ordering::Greater => Err(Broken::CallNumber { expected, found: call.n }),
        }
    }

    fn end(&mut self, ended: &Ended) -> Result<(), Broken> {
        if self.ended {
            return Err(Broken::Ended);
        }
        check_length(ended.outputs.len(), OUTPUTS_MAX)?;
        self.ended = true;
        Ok(())
    }
}

/// What the record that began `call` reserved.
fn reserved_for(call: &Call, record: Option<&Entry>) -> Result<Usage, Broken> {
    match record.map(|record| &record.event) {
        Some(Event::Begun(begun)) if begun.call == *call => Ok(begun.reserved),
        Some(_) | None => Err(Broken::OtherCall(call.n)),
    }
}

fn check_evaluation(evaluation: &Evaluation) -> Result<(), Broken> {
    check_length(evaluation.evidence.len(), EVIDENCE_MAX)?;
    match evaluation.score {
        Some(score) if score > SCORE_MAX => Err(Broken::Score),
        Some(_) | None => Ok(()),
    }
}

fn one_more(count: usize) -> Result<usize, Broken> {
    check_length(count + 1, JUDGEMENTS_MAX).map(|()| count + 1)
}

fn check_length(found: usize, max: usize) -> Result<(), Broken> {
    if found > max { Err(Broken::List { found, max }) } else { Ok(()) }
}
