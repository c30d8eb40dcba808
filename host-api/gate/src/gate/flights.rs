//! Requests under way: a guest may have more than one.
//!
//! ```text
//! launch   judged → begun (durable, unless it may happen again) → a task of its own
//! land     a wait of the guest's → what has come back is answered → the wait says what it saw
//! take     the guest has it
//! ```
//!
//! A request is one call, and so is every wait. What came back is told to the guest by a wait
//! alone, and the wait's own record says of which requests it told: so a replay tells of the same
//! ones in the same order, whichever peer was faster this time. A request whose end nobody saw
//! keeps its record as it began, and what was set aside for it stays spent.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use envelope_evidence::journal::{Answered, Begun, Call as CallRecord, Event, Recovery};
use envelope_evidence::{Dimension, Timestamp};
use envelope_rules::budget::Hold;
use envelope_rules::denial::{Code, Denial};
use envelope_rules::guard::Permit;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::AbortHandle;

use super::exchange::{attended, fetch, keep};
use super::lookup::Known;
use super::{Answer, BYTES, Effect, Effected, Gate, Passed, Way};
use crate::net::Reply;
use crate::request::{Request, bytes_used};
use crate::stop::Stop;
use crate::world::World;

/// Requests of one run that are on the wire at once: as many connections as a browser opens in all
/// but the busiest moments. More of them wait for their turn.
pub const IN_FLIGHT_MAX: usize = 16;

/// What came back, and the connection its body comes over.
type Came = (Vec<u8>, Option<Box<Reply>>);

type Arrived = Effected<Box<Reply>>;

/// The requests of a run that the guest has not let go of, by the number of their call.
#[derive(Default)]
pub(super) struct Flights {
    all: BTreeMap<usize, Flight>,
    /// How they come back. Most runs never ask for it.
    way_back: Option<WayBack>,
}

struct WayBack {
    sender: Sender<(usize, Arrived)>,
    receiver: Receiver<(usize, Arrived)>,
    slots: Arc<Semaphore>,
}

struct Flight {
    state: State,
    /// Whether the guest was told that it is back.
    told: bool,
}

impl Flight {
    const fn is_out(&self) -> bool {
        match self.state {
            State::Out(_) | State::Arrived(_) => true,
            State::Back(_) | State::Lost(_) => false,
        }
    }
}

enum State {
    /// On the wire, or waiting for its turn.
    Out(Box<Out>),
    /// It came back, and nobody has recorded it yet.
    Arrived(Box<(Out, Arrived)>),
    /// Its answer is recorded.
    Back(Came),
    /// Another process had it, and what came of it is known to nobody.
    Lost(Box<Begun>),
}

struct Out {
    call: CallRecord,
    hold: Hold,
    _task: Task,
}

/// Dropped, it takes the request with it.
struct Task(AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Default for WayBack {
    fn default() -> Self {
        let (sender, receiver) = channel(IN_FLIGHT_MAX);
        Self { sender, receiver, slots: Arc::new(Semaphore::new(IN_FLIGHT_MAX)) }
    }
}

impl WayBack {
    /// What comes back next, if anything does before `instant`.
    async fn before(&mut self, instant: Timestamp, world: &dyn World) -> Option<(usize, Arrived)> {
        let mut late = world.sleep_until(instant);
        poll_fn(|context| match self.receiver.poll_recv(context) {
            Poll::Ready(came) => Poll::Ready(came),
            Poll::Pending => late.as_mut().poll(context).map(|()| None),
        })
        .await
    }
}

impl Flights {
    fn insert(&mut self, number: usize, state: State) {
        self.all.insert(number, Flight { state, told: false });
    }

    /// Sends `effect` on its way.
    fn start<E>(
        &mut self,
        out: (usize, CallRecord, Hold),
        world: Arc<dyn World>,
        (effect, ready): (E, E::Ready),
    ) where
        E: Effect<Kept = Box<Reply>> + 'static,
        E::Ready: 'static,
    {
        let (number, call, hold) = out;
        let way_back = self.way_back();
        let (sender, slots) = (way_back.sender.clone(), Arc::clone(&way_back.slots));
        let task = tokio::spawn(async move {
            let turn: Result<SemaphorePermit<'_>, _> = slots.acquire().await;
            let came = effect.perform(&*world, ready).await;
            drop(turn);
            // Nobody listens any more when the run is over.
            let _ = sender.send((number, came)).await;
        });
        let out = Out { call, hold, _task: Task(task.abort_handle()) };
        self.insert(number, State::Out(Box::new(out)));
    }

    fn way_back(&mut self) -> &mut WayBack {
        self.way_back.get_or_insert_default()
    }

    /// Whether one of `numbers` can be told of.
    fn any_back(&self, numbers: &[usize]) -> bool {
        let is_back = |number: &usize| match self.all.get(number).map(|flight| &flight.state) {
            Some(State::Arrived(_) | State::Back(_)) => true,
            Some(State::Out(_) | State::Lost(_)) | None => false,
        };
        numbers.iter().any(is_back)
    }

    /// Takes in what came back. The guest may have let go of it.
    fn arrive(&mut self, number: usize, arrived: Arrived) {
        let Some(flight) = self.all.remove(&number) else { return };
        let state = match flight.state {
            State::Out(out) => State::Arrived(Box::new((*out, arrived))),
            other @ (State::Arrived(_) | State::Back(_) | State::Lost(_)) => other,
        };
        self.all.insert(number, Flight { state, ..flight });
    }

    /// Waits until one of `numbers` is back, or until `until`.
    async fn come(&mut self, numbers: &[usize], until: Until<'_>) {
        // A guest that looks again and again lets its requests go on.
        tokio::task::yield_now().await;
        loop {
            while let Ok((number, arrived)) = self.way_back().receiver.try_recv() {
                self.arrive(number, arrived);
            }
            if self.any_back(numbers) {
                return;
            }
            let way_back = self.way_back();
            let came = match until {
                Until::Now => None,
                Until::Back => way_back.receiver.recv().await,
                Until::Instant(instant, world) => way_back.before(instant, world).await,
            };
            match came {
                Some((number, arrived)) => self.arrive(number, arrived),
                None => return,
            }
        }
    }
}

/// How long a guest waits for what it sent.
#[derive(Clone, Copy)]
enum Until<'a> {
    /// It only looks.
    Now,
    /// As long as it takes: every request has its own deadline.
    Back,
    /// Until a timer of the guest's is due.
    Instant(Timestamp, &'a dyn World),
}

impl Gate {
    /// Passes a request, and does not wait for its answer. Gives the number of its call.
    pub(crate) async fn launch<E>(&mut self, request: Request<'_>, mut effect: E) -> Passed<usize>
    where
        E: Effect<Kept = Box<Reply>> + 'static,
        E::Ready: 'static,
    {
        self.charge(request.fuel);
        if let Some(denial) = self.foresee(&request).await? {
            return Ok(Err(denial));
        }
        let number = self.next;
        let judged = match self.look_up_begun(&request)? {
            Known::Answered(recorded) => {
                let answer = fetch(self.parts.inside.blobs.clone(), &recorded).await?;
                self.flights.insert(number, State::Back((answer, None)));
                return self.caught_up().map(|()| Ok(number));
            }
            Known::Denied(denial) => return self.caught_up().map(|()| Err(denial)),
            Known::Begun(begun) if !self.may_repeat(&begun) => {
                self.next += 1;
                self.flights.insert(number, State::Lost(begun));
                return self.caught_up().map(|()| Ok(number));
            }
            Known::Begun(begun) => self.readmit(&request, &begun)?,
            Known::Absent => self.admit(&request)?,
        };
        let permit = match judged {
            Ok(permit) => permit,
            Err(denial) => return self.deny(&request, denial).await.map(Err),
        };
        let world = Arc::clone(&self.parts.world);
        let ready = match attended(&*world, effect.prepare(&*world)).await?? {
            Ok(ready) => ready,
            Err(denial) => {
                let _ = self.parts.meter.void(permit.spend());
                return self.deny(&request, denial).await.map(Err);
            }
        };
        let call = self.call(&request);
        self.take_off(&request, &permit).await?;
        self.flights.start((number, call, permit.spend()), world, (effect, ready));
        Ok(Ok(number))
    }

    /// Waits for what is under way, and records it: the guest is told by whoever goes on.
    pub(super) async fn hear_out(&mut self) -> Result<(), Stop> {
        let world = Arc::clone(&self.parts.world);
        while world.stopped().is_some() && world.cut().is_none() {
            let out = self.flights.all.iter();
            let out: Vec<_> = out.filter(|(_, it)| it.is_out()).map(|(at, _)| *at).collect();
            if out.is_empty() {
                break;
            }
            attended(&*world, self.flights.come(&out, Until::Back)).await?;
            self.now = self.time();
            for number in out {
                self.settle_flight(number).await?;
            }
        }
        Ok(())
    }

    /// Whether a request is sent again that another process began. Behind it more may be recorded,
    /// which is played to its end first, also by a run that has to stop.
    fn may_repeat(&self, begun: &Begun) -> bool {
        match begun.recovery {
            Recovery::Again | Recovery::SameKey => {
                !self.is_over() && self.parts.world.cut().is_none()
            }
            Recovery::Once => false,
        }
    }

    /// Writes down that a request begins, where no process before this one did.
    async fn take_off(&mut self, request: &Request<'_>, permit: &Permit) -> Result<(), Stop> {
        let key = self.key();
        match (self.is_new(), permit.recovery()) {
            (false, _) => {}
            (true, Recovery::Again) => self.announce(request, permit, &key)?,
            (true, Recovery::SameKey | Recovery::Once) => {
                self.begin(request, permit, &key).await?;
            }
        }
        self.next += 1;
        self.relieve().await
    }

    /// Passes a wait for any of `numbers`: until one is back, or until `until`. Gives the time, and
    /// which of them the guest is told of now.
    pub(crate) async fn land(
        &mut self,
        request: Request<'_>,
        until: Timestamp,
        numbers: &[usize],
    ) -> Passed<(Timestamp, Vec<usize>)> {
        self.charge(request.fuel);
        let permit = match self.way(&request).await? {
            Way::Recorded(recorded) => {
                let seen = fetch(self.parts.inside.blobs.clone(), &recorded).await?;
                self.caught_up()?;
                return self.seen_before(&seen, &request).map(Ok);
            }
            Way::Refused(denial) => return Ok(Err(denial)),
            Way::Open(permit) => permit,
        };
        let hold = permit.spend();
        if let Some(denial) = self.lost(numbers) {
            let _ = self.parts.meter.void(hold);
            return Err(Stop::Denied(denial));
        }
        self.come_back(until, numbers).await?;
        self.now = self.time();
        let mut told = Vec::new();
        for &number in numbers {
            if self.settle_flight(number).await? {
                told.push(number);
            }
        }
        let content = keep(self.parts.inside.blobs.clone(), &seen(self.now, &told)).await?;
        let moved = content.size().min(hold.worst().get(BYTES));
        let now = self.now;
        self.settle(&request, hold, Answer::of(content).moved(moved)).await?;
        Ok(Ok((now, told)))
    }

    async fn come_back(&mut self, until: Timestamp, numbers: &[usize]) -> Result<(), Stop> {
        let world = Arc::clone(&self.parts.world);
        let until = match until {
            Timestamp::MAX => Until::Back,
            until if until <= self.now => Until::Now,
            until => Until::Instant(until, &*world),
        };
        if !matches!(until, Until::Now) {
            // Who knows how long: what happened so far must not be lost with this process.
            self.parts.writer.flush(false).await?;
        }
        attended(&*world, self.flights.come(numbers, until)).await
    }

    /// What only a human can say: whether a request arrived that must not happen twice.
    fn lost(&self, numbers: &[usize]) -> Option<Denial> {
        numbers.iter().find_map(|number| match &self.flights.all.get(number)?.state {
            State::Lost(begun) => {
                let what = format_args!("{} {}", begun.call.capability, begun.call.operation);
                Some(Denial::new(Code::HumanDecides, what))
            }
            State::Out(_) | State::Arrived(_) | State::Back(_) => None,
        })
    }

    /// Records the answer of a request that is back, unless another process did. Gives whether the
    /// guest is to be told.
    async fn settle_flight(&mut self, number: usize) -> Result<bool, Stop> {
        // A guest may wait for the same one twice at once.
        if self.told_of(number) {
            return Ok(false);
        }
        let Some(Flight { state, .. }) = self.flights.all.remove(&number) else {
            return Ok(false);
        };
        let (state, told) = match state {
            State::Arrived(arrived) => (State::Back(self.record_back(*arrived).await?), true),
            State::Back(came) => (State::Back(came), true),
            out @ (State::Out(_) | State::Lost(_)) => (out, false),
        };
        self.flights.all.insert(number, Flight { state, told });
        Ok(told)
    }

    async fn record_back(&mut self, (out, arrived): (Out, Arrived)) -> Result<Came, Stop> {
        let Out { call, hold, .. } = out;
        let Effected { answer, moved, kept } = arrived;
        let moved = moved.min(hold.worst().get(BYTES));
        let content = keep(self.parts.inside.blobs.clone(), &answer).await?;
        let used = bytes_used(moved).with(Dimension::Calls, 1).unwrap_or_default();
        let settled = self.parts.meter.settle(hold, used);
        debug_assert!(settled.overspent.is_none(), "a request used more than it reserved");
        self.record(Event::Answered(Answered {
            call,
            answer: content,
            used,
            file: None,
            rotation: None,
            child: None,
        }))?;
        Ok((answer, kept))
    }

    /// What a recorded wait told of.
    fn seen_before(
        &mut self,
        bytes: &[u8],
        request: &Request<'_>,
    ) -> Result<(Timestamp, Vec<usize>), Stop> {
        let read = read_seen(bytes).filter(|(_, told)| told.iter().all(|it| self.tell(*it)));
        let unreadable =
            || self.diverges("requests that are not back".into(), super::asked(request));
        read.ok_or_else(unreadable)
    }

    fn tell(&mut self, number: usize) -> bool {
        match self.flights.all.get_mut(&number) {
            Some(flight) if matches!(flight.state, State::Back(_)) => {
                flight.told = true;
                true
            }
            Some(_) | None => false,
        }
    }

    /// Whether the guest was told that request `number` is back.
    pub(crate) fn told_of(&self, number: usize) -> bool {
        self.flights.all.get(&number).is_none_or(|flight| flight.told)
    }

    /// Whether request `number` was sent by this process, and nothing came of it yet.
    pub(crate) fn is_out(&self, number: usize) -> bool {
        self.flights.all.get(&number).is_some_and(Flight::is_out)
    }

    /// What came back, once the guest was told of it.
    pub(crate) fn take_flight(&mut self, number: usize) -> Option<Came> {
        match self.flights.all.remove(&number)?.state {
            State::Back(came) => Some(came),
            State::Out(_) | State::Arrived(_) | State::Lost(_) => None,
        }
    }

    /// The guest lets go of a request. What comes of it is then known to nobody.
    pub(crate) fn let_go(&mut self, number: usize) {
        match self.flights.all.remove(&number).map(|flight| flight.state) {
            Some(State::Out(out)) => self.forfeit(*out),
            Some(State::Arrived(arrived)) => self.forfeit(arrived.0),
            Some(State::Back(_) | State::Lost(_)) | None => {}
        }
    }

    /// The same for all of them, when the run is over.
    pub(super) fn let_all_go(&mut self) {
        let numbers: Vec<_> = self.flights.all.keys().copied().collect();
        numbers.into_iter().for_each(|number| self.let_go(number));
    }

    fn forfeit(&mut self, out: Out) {
        let _ = self.parts.meter.forfeit(out.hold);
    }
}

/// What a wait saw: the time in milliseconds since 1970 as eight bytes, then the number of each
/// call that it told of, as eight bytes too.
fn seen(now: Timestamp, told: &[usize]) -> Vec<u8> {
    let told = told.iter().map(|&number| u64::try_from(number).unwrap_or(u64::MAX));
    std::iter::once(now.millis()).chain(told).flat_map(u64::to_be_bytes).collect()
}

/// What [`seen`] wrote.
fn read_seen(bytes: &[u8]) -> Option<(Timestamp, Vec<usize>)> {
    let (words, rest) = bytes.as_chunks::<8>();
    let (now, told) = words.split_first().filter(|_| rest.is_empty())?;
    let told = told.iter().map(|word| usize::try_from(u64::from_be_bytes(*word)).ok());
    Some((Timestamp::from_millis(u64::from_be_bytes(*now))?, told.collect::<Option<_>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_is_read_as_it_was_written() {
        let now = Timestamp::from_secs(1_700_000_000).unwrap();
        for told in [vec![], vec![7], vec![3, 1, 2]] {
            assert_eq!(read_seen(&seen(now, &told)), Some((now, told)));
        }
        for bad in [&b""[..], b"1234567", &[0; 15], &[255; 8]] {
            assert_eq!(read_seen(bad), None, "{bad:?}");
        }
    }
}
