//! `wasi:io/poll`: waiting. Timers are waited for, and requests that are under way; whatever else a
//! guest holds is ready.

use envelope_evidence::Timestamp;
use envelope_rules::guard::Capability;
use wasmtime::component::Resource;
use wasmtime_wasi_io::poll::DynPollable;

use crate::airlock::{Airlock, insist};
use crate::bindings::wasi::io::poll;
use crate::request::Request;
use crate::stop::Stop;
use crate::wasi::clocks::time_of;
use crate::world::Outer;

/// Pollables of one poll: more than a guest with its limit of handles has use for.
pub const POLLABLES_MAX: usize = 1024;

impl poll::Host for Airlock {
    async fn poll(&mut self, list: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        if list.is_empty() {
            return Err(Stop::Misuse("a poll of an empty list").into());
        }
        if list.len() > POLLABLES_MAX {
            return Err(Stop::Exhausted("pollables of one poll").into());
        }
        for pollable in &list {
            self.table.get(pollable)?;
        }
        let due: Vec<_> = list.iter().map(|pollable| self.due(pollable)).collect();
        let seen = self.wait("poll", &due).await?;
        let ready = due.iter().zip(0..).filter(|(due, _)| seen.shows(**due));
        Ok(ready.map(|(_, place)| place).collect())
    }
}

impl poll::HostPollable for Airlock {
    async fn ready(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
        self.table.get(&pollable)?;
        let due = self.due(&pollable);
        Ok(self.glance("pollable.ready", due).await?.shows(due))
    }

    async fn block(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        self.table.get(&pollable)?;
        let due = self.due(&pollable);
        self.wait("pollable.block", &[due]).await.map(drop)
    }

    async fn drop(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        self.timers.remove(&pollable.rep());
        self.http.waiting.remove(&pollable.rep());
        use wasmtime_wasi_io::bindings::wasi::io::poll::HostPollable as _;
        self.table.drop(pollable)
    }
}

/// When something is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// When the run is so many nanoseconds old.
    At(u64),
    /// When the request is back that this call sent.
    Back(usize),
}

/// What a wait showed: how old the run is, and which requests are back.
pub(crate) struct Seen {
    age: u64,
    back: Vec<usize>,
}

impl Seen {
    /// Whether what is `due` is ready.
    pub(crate) fn shows(&self, due: Due) -> bool {
        match due {
            Due::At(at) => at <= self.age,
            Due::Back(number) => self.back.contains(&number),
        }
    }
}

impl Airlock {
    /// When `pollable` is ready.
    fn due(&self, pollable: &Resource<DynPollable>) -> Due {
        match self.http.waiting.get(&pollable.rep()) {
            Some(future) => self.answer_due(*future),
            None => Due::At(self.timers.get(&pollable.rep()).copied().unwrap_or(0)),
        }
    }

    /// Waits until the first of `due`.
    async fn wait(&mut self, operation: &'static str, due: &[Due]) -> wasmtime::Result<Seen> {
        let first = due.iter().filter_map(|due| due.at()).min().unwrap_or(u64::MAX);
        let until = self.instant(first).min(self.gate.warrant().deadline());
        let back: Vec<_> = due.iter().filter_map(|due| due.back()).collect();
        let (now, back) = match back.as_slice() {
            [] => {
                let wait = Outer::Wait(until);
                let bytes = insist(self.gate.outer(request(operation, due), wait).await)?;
                (time_of(&bytes), Vec::new())
            }
            back => {
                // Without a timer they are waited for as long as each of them may take.
                let until = if first == u64::MAX { Timestamp::MAX } else { until };
                insist(self.gate.land(request(operation, due), until, back).await)?
            }
        };
        if now >= self.gate.warrant().deadline() {
            return Err(Stop::Exhausted("wall time").into());
        }
        Ok(Seen { age: self.age(now), back })
    }

    /// A wait that ends at once: asks for the time, and whether a request is back.
    pub(crate) async fn glance(
        &mut self,
        operation: &'static str,
        due: Due,
    ) -> wasmtime::Result<Seen> {
        let request = request(operation, &[due]);
        let (now, back) = match due {
            Due::At(_) => {
                (time_of(&insist(self.gate.outer(request, Outer::Time).await)?), Vec::new())
            }
            Due::Back(number) => insist(self.gate.land(request, Timestamp::ZERO, &[number]).await)?,
        };
        Ok(Seen { age: self.age(now), back })
    }
}

impl Due {
    const fn at(self) -> Option<u64> {
        match self {
            Self::At(at) => Some(at),
            Self::Back(_) => None,
        }
    }

    const fn back(self) -> Option<usize> {
        match self {
            Self::At(_) => None,
            Self::Back(number) => Some(number),
        }
    }
}

impl std::fmt::Display for Due {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::At(at) => write!(f, "{at}"),
            Self::Back(number) => write!(f, "call {number}"),
        }
    }
}

fn request(operation: &'static str, due: &[Due]) -> Request<'static> {
    let body: Vec<_> = due.iter().map(Due::to_string).collect();
    let count = u64::try_from(due.len()).unwrap_or(u64::MAX);
    let back = due.iter().filter(|due| due.back().is_some()).count();
    // The time, and the number of each request that is back.
    let words = 1_u64.saturating_add(u64::try_from(back).unwrap_or(u64::MAX));
    Request::plain(Capability::Clock, operation, format!("{count} pollables"), &body)
        .moving(words.saturating_mul(8))
        .looking_at(count)
}
