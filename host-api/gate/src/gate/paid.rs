//! Calls that cost money: what a model is asked, one physical attempt at a time.
//!
//! ```text
//! look up → frozen? → leased, clamped, reserved → begun (durable) → asked → settled → answered
//! ```
//!
//! An attempt whose end nobody saw counts as spent in full and is not made again: a process that
//! takes the run up tells the guest that it was interrupted.

mod books;
mod streams;
mod terms;

use std::sync::Arc;
use std::time::Duration;

use envelope_evidence::Digest;
use envelope_evidence::journal::{Answered, Begun, Call as CallRecord, Content, Event, Recovery};
use envelope_evidence::{Label, Preview, Usage};
use envelope_rules::budget::ModelCall;
use envelope_rules::denial::{Code, Denial};
use envelope_rules::guard::Act;
use envelope_rules::model::{Ask, OPENAI, embedding_bound};

use super::exchange::{attended, fetch, keep};
use super::lookup::Known;
use super::{Gate, Passed};
use crate::model::{
    Embedded, Failed, Gathering, Images, Live, Models, Order, Outcome, Reply, Seat, Texts,
    response_bytes,
};
use crate::request::Request;
use crate::stop::Stop;
pub(super) use books::relatch;
pub(super) use streams::Streams;
use terms::{Owed, Terms};

/// What a guest wants of a model.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wish<'a> {
    /// An answer, whole or as it comes.
    Answer { ask: &'a Ask, images: &'a Images, streamed: bool },
    /// The vectors of texts.
    Vectors(&'a [String]),
}

/// One attempt at it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt<'a> {
    pub(crate) wish: Wish<'a>,
    /// The digest of the whole wish.
    pub(crate) digest: Digest,
    /// The models tried for it, this one last.
    pub(crate) tried: &'a [String],
}

/// How an attempt came out.
pub(crate) enum Paid {
    /// It is over.
    Over(Box<Outcome>),
    /// An answer has begun: the number of its call.
    Stream(usize),
}

impl Gate {
    /// Passes one attempt.
    pub(crate) async fn pay(&mut self, attempt: Attempt<'_>) -> Passed<Paid> {
        let world = Arc::clone(&self.parts.world);
        let model = attempt.model();
        let asked = attempt.wish.bounds(model, world.models());
        let found = self.look_through_wish(&attempt.wish).await;
        let request = attempt.request(model, &asked).carrying(found);
        self.charge(request.fuel);
        if let Some(denial) = self.foresee(&request).await? {
            return Ok(Err(denial));
        }
        match self.look_up(&request)? {
            Known::Answered(recorded) => return self.paid_before(&attempt, &recorded).await,
            Known::Denied(denial) => return self.caught_up().map(|()| Err(denial)),
            Known::Begun(begun) => return self.interrupted(&attempt, *begun),
            Known::Absent => {}
        }
        let Some(models) = world.models() else {
            let what = Denial::new(Code::Forbidden, "no provider of models is set up");
            return self.deny(&request, what).await.map(Err);
        };
        let terms = match self.admit_paid(&attempt, &request, models, &asked).await? {
            Ok(terms) => terms,
            Err(denial) => return self.deny(&request, denial).await.map(Err),
        };
        let Some(seat) = models.seat(model) else {
            let _ = self.parts.meter.void(terms.hold);
            let what = format!("nobody is set up who answers for `{model}`");
            return self.deny(&request, Denial::new(Code::Forbidden, what)).await.map(Err);
        };
        let call = self.call(&request);
        self.begin_paid(&call, &terms).await?;
        let paid = match attempt.wish {
            Wish::Answer { ask, images, streamed } => {
                let (key, max_output) = (terms.key.clone(), terms.clamped.bounds.max_output);
                let order =
                    Order { ask, model: seat.model, max_output, images, streamed, key: &key };
                self.answer(&attempt, models, &seat, terms, call, order).await?
            }
            Wish::Vectors(texts) => {
                self.vectors(&attempt, models, &seat, terms, call, texts).await?
            }
        };
        Ok(Ok(paid))
    }

    /// What is recorded of an attempt.
    async fn paid_before(&mut self, attempt: &Attempt<'_>, recorded: &Content) -> Passed<Paid> {
        let outcome: Outcome = self.read_back(recorded, attempt.model()).await?;
        self.caught_up()?;
        let number = self.next.saturating_sub(1);
        let began = !matches!(outcome, Outcome::Failed { .. } | Outcome::Interrupted);
        if attempt.wish.is_streamed() && began {
            self.streams.over(number, attempt.model(), outcome);
            return Ok(Ok(Paid::Stream(number)));
        }
        Ok(Ok(Paid::Over(Box::new(outcome))))
    }

    /// An attempt that another process made: nobody knows how it came out.
    fn interrupted(&mut self, attempt: &Attempt<'_>, begun: Begun) -> Passed<Paid> {
        let number = self.next;
        if attempt.wish.is_streamed() {
            self.next += 1;
            self.streams.broken(number, attempt.model(), begun);
            return Ok(Ok(Paid::Stream(number)));
        }
        let outcome = Outcome::Interrupted;
        let content = Content::of(&written(&outcome));
        self.record_paid(begun.call, content, begun.reserved)?;
        self.next += 1;
        Ok(Ok(Paid::Over(Box::new(outcome))))
    }

    async fn begin_paid(&mut self, call: &CallRecord, terms: &Terms) -> Result<(), Stop> {
        let begun = Begun {
            asks: None,
            call: call.clone(),
            recovery: Recovery::Once,
            key: Label::cut(&terms.key),
            reserved: *terms.hold.worst(),
        };
        self.record(Event::Begun(begun))?;
        Ok(self.parts.writer.flush(true).await?)
    }

    async fn answer(
        &mut self,
        attempt: &Attempt<'_>,
        models: &Models,
        seat: &Seat<'_>,
        terms: Terms,
        call: CallRecord,
        order: Order<'_>,
    ) -> Result<Paid, Stop> {
        let world = Arc::clone(&self.parts.world);
        let mut gathering = Gathering::new(order.max_output);
        let begun = attended(&*world, models.begin(seat, order, self.now)).await?;
        let came = match begun {
            Ok(live) if order.streamed => {
                let number = self.next;
                self.next += 1;
                self.streams.live(number, call, live, gathering, terms);
                return Ok(Paid::Stream(number));
            }
            Ok(mut live) => attended(&*world, gather(&mut live, &mut gathering)).await?,
            Err(failed) => Err(failed),
        };
        let (outcome, wait) = match came {
            Ok(()) => (self.done(terms, &call, gathering).await?, Duration::ZERO),
            Err(failed) => self.failed(attempt, models, terms, &call, &failed).await?,
        };
        self.over(outcome, wait).await
    }

    async fn vectors(
        &mut self,
        attempt: &Attempt<'_>,
        models: &Models,
        seat: &Seat<'_>,
        terms: Terms,
        call: CallRecord,
        texts: &[String],
    ) -> Result<Paid, Stop> {
        let world = Arc::clone(&self.parts.world);
        let key = terms.key.clone();
        let texts = Texts { model: seat.model, texts, key: &key };
        let embedded = attended(&*world, models.embed(seat, texts, self.now)).await?;
        let (outcome, wait) = match embedded {
            Ok(Embedded { vectors, billed }) => {
                let moved = response_bytes(0, vectors.len());
                let (owed, stub) = (billed.map_or(Owed::All, Owed::Said), terms.stub);
                let (used, usage) = self.settle_paid(terms, owed, moved).await?;
                let outcome = Outcome::Embedded { vectors, usage, stub };
                self.record_outcome(&call, &outcome, used).await?;
                (outcome, Duration::ZERO)
            }
            Err(failed) => self.failed(attempt, models, terms, &call, &failed).await?,
        };
        self.over(outcome, wait).await
    }

    /// Counts an attempt that is on record, then waits as long as its provider wants to be left
    /// alone: whoever is stopped meanwhile loses nothing of it.
    async fn over(&mut self, outcome: Outcome, wait: Duration) -> Result<Paid, Stop> {
        self.next += 1;
        self.relieve().await?;
        if !wait.is_zero() {
            let world = Arc::clone(&self.parts.world);
            attended(&*world, tokio::time::sleep(wait)).await?;
        }
        Ok(Paid::Over(Box::new(outcome)))
    }

    /// Settles an answer that came to its end, or was cut, and records it.
    async fn done(
        &mut self,
        terms: Terms,
        call: &CallRecord,
        gathering: Gathering,
    ) -> Result<Outcome, Stop> {
        let owed = Owed::for_answer(&gathering);
        let (parts, finish) = gathering.into_parts();
        let clamped = terms.clamped.clone();
        let lowered = clamped.because.as_ref().map(|_| clamped.bounds.max_output);
        let (model, stub) = (terms.model.clone(), terms.stub);
        let size = serde_json::to_vec(&parts).map_or(0, |bytes| bytes.len());
        let moved = u64::try_from(size).unwrap_or(u64::MAX);
        let (used, usage) = self.settle_paid(terms, owed, moved).await?;
        let clamped_to = lowered.and_then(|most| u32::try_from(most).ok());
        let because = clamped.because;
        let reply = Reply { model, stub, parts, finish, usage, clamped_to, because };
        let outcome = Outcome::Done(reply);
        self.record_outcome(call, &outcome, used).await?;
        Ok(outcome)
    }

    /// Settles an attempt without an answer, and records what is done next, and after how long.
    async fn failed(
        &mut self,
        attempt: &Attempt<'_>,
        models: &Models,
        terms: Terms,
        call: &CallRecord,
        failed: &Failed,
    ) -> Result<(Outcome, Duration), Stop> {
        let owed = match failed {
            Failed::Unwritable(_) | Failed::NotSent(_) | Failed::Free { .. } => Owed::Nothing,
            Failed::Refused { .. } | Failed::Unknown(_) | Failed::TimedOut => Owed::All,
        };
        let (used, _) = self.settle_paid(terms, owed, 0).await?;
        let (then, wait) = models.then(attempt.tried, failed);
        let why = Preview::of(&failed.to_string(), &self.parts.secrets).as_str().to_owned();
        let timed_out = matches!(failed, Failed::TimedOut);
        let outcome = Outcome::Failed { why, timed_out, then };
        self.record_outcome(call, &outcome, used).await?;
        Ok((outcome, wait))
    }

    async fn record_outcome(
        &mut self,
        call: &CallRecord,
        outcome: &impl serde::Serialize,
        used: Usage,
    ) -> Result<(), Stop> {
        let content = self.kept(written(outcome)).await?;
        self.now = self.time();
        self.record_paid(call.clone(), content, used)
    }

    async fn kept(&mut self, bytes: Vec<u8>) -> Result<Content, Stop> {
        Ok(keep(self.parts.inside.blobs.clone(), &bytes).await?)
    }

    fn record_paid(&mut self, call: CallRecord, answer: Content, used: Usage) -> Result<(), Stop> {
        self.record(Event::Answered(Answered {
            call,
            answer,
            used,
            file: None,
            rotation: None,
            child: None,
        }))
    }

    /// A recorded outcome, from the journal or from where contents lie.
    async fn read_back<T: serde::de::DeserializeOwned>(
        &mut self,
        recorded: &Content,
        model: &str,
    ) -> Result<T, Stop> {
        let bytes = fetch(self.parts.inside.blobs.clone(), recorded).await?;
        let other = |_| self.diverges("an answer of another shape".to_owned(), model.to_owned());
        serde_json::from_slice(&bytes).map_err(other)
    }
}

impl Attempt<'_> {
    fn model(&self) -> &str {
        self.tried.last().map_or("", String::as_str)
    }

    fn request<'a>(&'a self, model: &'a str, bounds: &'a ModelCall) -> Request<'a> {
        let operation = match self.wish {
            Wish::Answer { streamed: false, .. } => "complete",
            Wish::Answer { streamed: true, .. } => "stream",
            Wish::Vectors(_) => "embed",
        };
        let act = Act::Model { model, bounds };
        let request = Request::new(act, operation, model.into(), &(self.digest, self.tried));
        request.moving(self.wish.bytes())
    }
}

impl Wish<'_> {
    const fn is_streamed(&self) -> bool {
        matches!(self, Self::Answer { streamed: true, .. })
    }

    /// How many tokens it can be at worst, unclamped.
    fn bounds(&self, model: &str, models: Option<&Models>) -> ModelCall {
        let overheads = models.map_or(&OPENAI, |models| models.overheads(model));
        match self {
            Self::Answer { ask, .. } => ask.bound(overheads),
            Self::Vectors(texts) => embedding_bound(texts, overheads),
        }
    }

    /// Bytes that the guest sends.
    fn bytes(&self) -> u64 {
        match self {
            Self::Answer { ask, images, .. } => {
                let images = images.values().map(|image| wide(image.len()));
                images.fold(ask.text_bytes(), u64::saturating_add)
            }
            Self::Vectors(texts) => {
                texts.iter().map(|text| wide(text.len())).fold(0, u64::saturating_add)
            }
        }
    }

    /// Bytes that may come back.
    fn answer_bytes(&self, max_output: u64) -> u64 {
        match self {
            Self::Answer { .. } => response_bytes(max_output, 0),
            Self::Vectors(texts) => response_bytes(0, texts.len()),
        }
    }
}

/// Takes the whole answer. Cut, it is closed as soon as more comes than was paid for.
async fn gather(live: &mut Live, gathering: &mut Gathering) -> Result<(), Failed> {
    while let Some(piece) = live.next().await? {
        if !gathering.take(piece) {
            return Ok(());
        }
    }
    if gathering.ended() { Ok(()) } else { Err(broken_off()) }
}

fn broken_off() -> Failed {
    Failed::Unknown("the answer broke off".to_owned())
}

/// The bytes of an outcome. There is none that JSON cannot say.
fn written(outcome: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(outcome).unwrap_or_default()
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
