//! `wasi:io/poll`: waiting. Only timers are ever waited for; whatever else a guest holds is ready.

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
        let age = self.wait("poll", &due).await?;
        let ready = due.iter().zip(0..).filter(|(due, _)| **due <= age).map(|(_, place)| place);
        Ok(ready.collect())
    }
}

impl poll::HostPollable for Airlock {
    async fn ready(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
        self.table.get(&pollable)?;
        let due = self.due(&pollable);
        // Asks for the time only: a wait that ends at once.
        let request = request("pollable.ready", &[due]);
        let bytes = insist(self.gate.outer(request, Outer::Time).await)?;
        Ok(due <= self.age(time_of(&bytes)))
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

impl Airlock {
    /// When `pollable` is ready, in nanoseconds of the run.
    fn due(&self, pollable: &Resource<DynPollable>) -> u64 {
        self.timers.get(&pollable.rep()).copied().unwrap_or(0)
    }

    /// Waits until the first of `due`. Returns how old the run is then.
    async fn wait(&mut self, operation: &'static str, due: &[u64]) -> wasmtime::Result<u64> {
        let first = due.iter().copied().min().unwrap_or(0);
        let until = self.instant(first).min(self.gate.warrant().deadline());
        let bytes = insist(self.gate.outer(request(operation, due), Outer::Wait(until)).await)?;
        let now = time_of(&bytes);
        if now >= self.gate.warrant().deadline() {
            return Err(Stop::Exhausted("wall time").into());
        }
        Ok(self.age(now))
    }
}

fn request(operation: &'static str, due: &[u64]) -> Request<'static> {
    let body: Vec<_> = due.iter().map(u64::to_string).collect();
    let count = u64::try_from(due.len()).unwrap_or(u64::MAX);
    Request::plain(Capability::Clock, operation, format!("{count} pollables"), &body)
        .moving(8)
        .looking_at(count)
}
