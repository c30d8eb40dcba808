//! Answers that are read as they come.
//!
//! A stream is one call that costs money and stays open, and calls that cost nothing: one for each
//! piece. So a piece that a guest has seen is in the journal, and a run that is taken up gives it
//! again. The open call is settled when the answer ends, when the guest lets go of it, or with the
//! run.

use std::collections::BTreeMap;
use std::sync::Arc;

use envelope_evidence::journal::{Begun, Call as CallRecord, Content};
use envelope_evidence::{Preview, Usage};
use envelope_rules::denial::Denial;
use envelope_rules::guard::Act;

use super::terms::{Owed, Terms};
use super::{Gate, broken_off, written};
use crate::gate::exchange::attended;
use crate::gate::lookup::Known;
use crate::gate::{Answer, Passed};
use crate::model::{Chunk, Failed, Gathering, Live, Outcome, Piece};
use crate::request::Request;
use crate::stop::Stop;

/// Bytes of one piece of a stream, as it is written down: more than an event may have.
const CHUNK_BYTES_MAX: u64 = 4 << 20;

/// Streams that have begun, by the number of their call.
#[derive(Default)]
pub(in crate::gate) struct Streams(BTreeMap<usize, Stream>);

struct Stream {
    model: String,
    state: State,
}

enum State {
    /// This process has it in hand.
    Live(Box<Flow>),
    /// Another process had it, and recorded no end.
    Broken(Box<Begun>),
    /// Its end is recorded. What came of it is there until the guest was told, which a process that
    /// is gone may not have come to.
    Over(Option<Box<Outcome>>),
}

/// An answer in hand: what it was admitted under, and what came so far.
struct Flow {
    call: CallRecord,
    live: Live,
    gathering: Gathering,
    terms: Terms,
}

impl Streams {
    pub(super) fn live(
        &mut self,
        number: usize,
        call: CallRecord,
        live: Live,
        gathering: Gathering,
        terms: Terms,
    ) {
        let model = terms.model.clone();
        let state = State::Live(Box::new(Flow { call, live, gathering, terms }));
        self.0.insert(number, Stream { model, state });
    }

    pub(super) fn broken(&mut self, number: usize, model: &str, begun: Begun) {
        let state = State::Broken(Box::new(begun));
        self.0.insert(number, Stream { model: model.to_owned(), state });
    }

    pub(super) fn over(&mut self, number: usize, model: &str, outcome: Outcome) {
        let state = State::Over(Some(Box::new(outcome)));
        self.0.insert(number, Stream { model: model.to_owned(), state });
    }

    /// The guest was told the end.
    fn told(&mut self, number: usize) {
        if let Some(stream) = self.0.get_mut(&number) {
            stream.state = State::Over(None);
        }
    }
}

impl Gate {
    /// Passes the question for the next piece of the stream that call `number` opened.
    pub(crate) async fn next_chunk(&mut self, number: usize) -> Passed<Chunk> {
        let model = self.streams.0.get(&number).map(|stream| stream.model.clone());
        let model = model.unwrap_or_default();
        let request = Request::new(Act::Answer(&model), "next", model.as_str().into(), &number);
        let request = request.moving(CHUNK_BYTES_MAX);
        // Only what comes is charged for.
        self.charge(crate::cost::CALL);
        match self.look_up(&request)? {
            Known::Answered(recorded) => {
                let moved = recorded.size().min(CHUNK_BYTES_MAX);
                self.charge(moved.saturating_mul(crate::cost::BYTE));
                let chunk = self.read_back(&recorded, &model).await?;
                if !matches!(chunk, Chunk::Text(_) | Chunk::Call(_)) {
                    self.streams.told(number);
                }
                self.caught_up()?;
                return Ok(Ok(chunk));
            }
            Known::Denied(denial) => return self.caught_up().map(|()| Err(denial)),
            Known::Begun(_) | Known::Absent => {}
        }
        let permit = match self.admit(&request)? {
            Ok(permit) => permit,
            Err(denial) => return self.deny(&request, denial).await.map(Err::<Chunk, Denial>),
        };
        let hold = permit.spend();
        let chunk = self.flow(number).await?;
        let bytes = written(&chunk);
        let moved = super::wide(bytes.len()).min(CHUNK_BYTES_MAX);
        self.charge(moved.saturating_mul(crate::cost::BYTE));
        let content = self.kept(bytes).await?;
        self.now = self.time();
        self.settle(&request, hold, Answer::of(content).moved(moved)).await?;
        Ok(Ok(chunk))
    }

    /// The guest let go of a stream.
    pub(crate) async fn drop_stream(&mut self, number: usize) -> Result<(), Stop> {
        match self.streams.0.remove(&number).map(|stream| stream.state) {
            Some(state) => self.abandon(state).await,
            None => Ok(()),
        }
    }

    /// Settles what is still open when the run is over.
    pub(in crate::gate) async fn drop_streams(&mut self) -> Result<(), Stop> {
        for stream in std::mem::take(&mut self.streams.0).into_values() {
            self.abandon(stream.state).await?;
        }
        Ok(())
    }

    async fn abandon(&mut self, state: State) -> Result<(), Stop> {
        if self.parts.replay {
            return Ok(());
        }
        match state {
            State::Over(_) => Ok(()),
            State::Broken(begun) => self.record_broken(*begun),
            State::Live(flow) => {
                let Flow { call, live, terms, .. } = *flow;
                drop(live);
                self.end(call, terms, Owed::All, &Outcome::Dropped).await
            }
        }
    }

    /// The next piece of the world's.
    async fn flow(&mut self, number: usize) -> Result<Chunk, Stop> {
        let state = self.streams.0.get_mut(&number);
        let state = state.map(|stream| std::mem::replace(&mut stream.state, State::Over(None)));
        let mut flow = match state {
            None | Some(State::Over(None)) => return Ok(Chunk::End),
            Some(State::Over(Some(outcome))) => return Ok(end_of(*outcome)),
            Some(State::Broken(begun)) => {
                self.record_broken(*begun)?;
                let why = "the process that asked is gone: what was set aside is spent".to_owned();
                return Ok(Chunk::Failed { why, timed_out: false });
            }
            Some(State::Live(flow)) => flow,
        };
        let world = Arc::clone(&self.parts.world);
        loop {
            let next = attended(&*world, flow.live.next()).await;
            let piece = match next {
                Ok(piece) => piece,
                Err(stop) => {
                    self.put_back(number, flow);
                    return Err(stop);
                }
            };
            let shown = match piece {
                Err(failed) => return self.broke(*flow, &failed).await,
                Ok(None) if flow.gathering.ended() => return self.ended(*flow).await,
                Ok(None) => return self.broke(*flow, &broken_off()).await,
                Ok(Some(piece)) => {
                    let shown = shown(&piece);
                    if !flow.gathering.take(piece) {
                        return self.ended(*flow).await;
                    }
                    shown
                }
            };
            if let Some(chunk) = shown {
                self.put_back(number, flow);
                return Ok(chunk);
            }
        }
    }

    fn put_back(&mut self, number: usize, flow: Box<Flow>) {
        if let Some(stream) = self.streams.0.get_mut(&number) {
            stream.state = State::Live(flow);
        }
    }

    /// The answer came to its end, or was cut.
    async fn ended(&mut self, flow: Flow) -> Result<Chunk, Stop> {
        let Flow { call, gathering, terms, live } = flow;
        drop(live);
        Ok(end_of(self.done(terms, &call, gathering).await?))
    }

    /// The answer broke off. What the guest has seen of it cannot be taken back: nobody else is
    /// asked.
    async fn broke(&mut self, flow: Flow, failed: &Failed) -> Result<Chunk, Stop> {
        let Flow { call, terms, .. } = flow;
        let why = Preview::of(&failed.to_string(), &self.parts.secrets).as_str().to_owned();
        self.end(call, terms, Owed::All, &Outcome::Dropped).await?;
        Ok(Chunk::Failed { why, timed_out: matches!(failed, Failed::TimedOut) })
    }

    async fn end(
        &mut self,
        call: CallRecord,
        terms: Terms,
        owed: Owed,
        outcome: &Outcome,
    ) -> Result<(), Stop> {
        let (used, _) = self.settle_paid(terms, owed, 0).await?;
        self.record_outcome(&call, outcome, used).await
    }

    /// What it reserved was booked when the journal was loaded.
    fn record_broken(&mut self, begun: Begun) -> Result<(), Stop> {
        let reserved: Usage = begun.reserved;
        self.record_paid(begun.call, Content::of(&written(&Outcome::Dropped)), reserved)
    }
}

/// What a guest is told at the end.
fn end_of(outcome: Outcome) -> Chunk {
    match outcome {
        Outcome::Done(reply) => Chunk::Done(Box::new(reply)),
        Outcome::Dropped => Chunk::Failed { why: broken_off().to_string(), timed_out: false },
        Outcome::Embedded { .. } | Outcome::Failed { .. } | Outcome::Interrupted => Chunk::End,
    }
}

/// What a guest sees of a piece at once.
fn shown(piece: &Piece) -> Option<Chunk> {
    match piece {
        Piece::Text(text) => Some(Chunk::Text(text.clone())),
        Piece::Call(call) => Some(Chunk::Call(call.clone())),
        Piece::Hidden(_) | Piece::Billed(_) | Piece::Unasked(_) | Piece::Finish(_) => None,
    }
}
