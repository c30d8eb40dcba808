//! `wasi:clocks`: time passes only from call to call, and a replay sees the recorded time.

use envelope_evidence::Timestamp;
use envelope_rules::guard::Capability;
use wasmtime::component::Resource;
use wasmtime_wasi_io::poll::DynPollable;

use crate::airlock::{Airlock, insist};
use crate::bindings::wasi::clocks::{monotonic_clock, wall_clock};
use crate::gate::Answer;
use crate::request::Request;
use crate::world::Outer;

/// The clocks tick in milliseconds: as exactly as journals record the time.
const TICK_NANOS: u64 = 1_000_000;

impl wall_clock::Host for Airlock {
    async fn now(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        self.tell_time("wall-clock.now").await.map(datetime)
    }

    async fn resolution(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        self.gate.charge(crate::cost::PASSAGE);
        Ok(wall_clock::Datetime { seconds: 0, nanoseconds: 1_000_000 })
    }
}

impl monotonic_clock::Host for Airlock {
    async fn now(&mut self) -> wasmtime::Result<u64> {
        let now = self.tell_time("monotonic-clock.now").await?;
        Ok(self.age(now))
    }

    async fn resolution(&mut self) -> wasmtime::Result<u64> {
        self.gate.charge(crate::cost::PASSAGE);
        Ok(TICK_NANOS)
    }

    async fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.set_timer("monotonic-clock.subscribe-instant", when, when).await
    }

    async fn subscribe_duration(
        &mut self,
        duration: u64,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        // The call itself moves the clock on, so its time is only known inside.
        let request = timer("monotonic-clock.subscribe-duration", duration);
        let passed = self.gate.inner(request, |_, now| (now, Answer::computed(b""))).await;
        let due = self.age(insist(passed)?).saturating_add(duration);
        self.timer(due)
    }
}

impl Airlock {
    async fn tell_time(&mut self, operation: &'static str) -> wasmtime::Result<Timestamp> {
        let request = Request::plain(Capability::Clock, operation, "", &());
        let bytes = insist(self.gate.outer(request.moving(8), Outer::Time).await)?;
        Ok(time_of(&bytes))
    }

    async fn set_timer(
        &mut self,
        operation: &'static str,
        asked: u64,
        due: u64,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        let request = timer(operation, asked);
        insist(self.gate.inner(request, |_, _| ((), Answer::computed(b""))).await)?;
        self.timer(due)
    }

    /// How old the run is at `now`, in nanoseconds.
    pub(crate) fn age(&self, now: Timestamp) -> u64 {
        let started = self.gate.journal().header().started;
        now.millis_since(started).saturating_mul(TICK_NANOS)
    }

    /// The instant at which the run is `age` nanoseconds old, or the end of time.
    pub(crate) fn instant(&self, age: u64) -> Timestamp {
        let started = self.gate.journal().header().started.millis();
        let millis = started.saturating_add(age.div_ceil(TICK_NANOS));
        Timestamp::from_millis(millis).unwrap_or(Timestamp::MAX)
    }
}

fn timer(operation: &'static str, asked: u64) -> Request<'static> {
    // As text: not every number of nanoseconds is an exact JSON number.
    let target = format!("{asked} ns");
    Request::plain(Capability::Clock, operation, target.clone(), &target)
}

/// The time in a recorded answer.
pub(crate) fn time_of(bytes: &[u8]) -> Timestamp {
    let millis = bytes.iter().take(8).fold(0, |sum, byte| (sum << 8) | u64::from(*byte));
    Timestamp::from_millis(millis).unwrap_or(Timestamp::MAX)
}

pub(crate) fn datetime(at: Timestamp) -> wall_clock::Datetime {
    let nanoseconds = u32::try_from(at.millis() % 1000).unwrap_or(0) * 1_000_000;
    wall_clock::Datetime { seconds: at.secs(), nanoseconds }
}
