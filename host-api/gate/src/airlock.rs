//! What stands between one guest and its gate: the gate, and the handles the guest holds.

use std::collections::BTreeMap;

use wasmtime::component::{HasData, Resource, ResourceTable};
use wasmtime_wasi_io::poll::{DynPollable, Pollable, subscribe};

use crate::gate::{Gate, Passed};
use crate::stop::Stop;
use crate::wasi::http::UnderWay;
use crate::wasi::streams::Stream;

/// The data of a guest's store, as far as the gate is concerned.
pub struct Airlock {
    /// The only door.
    pub gate: Gate,
    /// Every handle of the guest.
    pub table: ResourceTable,
    /// The command line, the program's name first. Empty for agents.
    pub arguments: Vec<String>,
    /// What the streams of the table are, by their place in it.
    pub(crate) streams: BTreeMap<u32, Stream>,
    /// How much of the standard input was read, by whichever of its streams.
    pub(crate) stdin_read: usize,
    /// How many bytes `check-write` permitted and nobody wrote yet, by the stream's place.
    pub(crate) permitted: BTreeMap<u32, u64>,
    /// When the timers of the table are due, by their place in it, in nanoseconds of the run.
    /// What is not in here is always ready.
    pub(crate) timers: BTreeMap<u32, u64>,
    /// Requests and answers under way.
    pub(crate) http: UnderWay,
}

/// Finds the airlock in a store's data.
#[derive(Debug)]
pub struct InAirlock;

impl HasData for InAirlock {
    type Data<'a> = &'a mut Airlock;
}

impl Airlock {
    /// The airlock of a run whose guest may hold `handles` handles.
    pub fn new(gate: Gate, handles: usize, arguments: Vec<String>) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(handles);
        let (streams, stdin_read, permitted, timers) = Default::default();
        let http = UnderWay::default();
        Self { gate, table, arguments, streams, stdin_read, permitted, timers, http }
    }

    /// Writes down all that happened, so that another process can go on from here. What the guest
    /// was in the middle of sending will never be whole.
    pub async fn put_down(self) -> Result<(), Stop> {
        let Self { mut gate, table, streams, .. } = self;
        drop((table, streams));
        gate.put_down().await
    }

    /// A pollable that is always ready.
    pub(crate) fn ready(&mut self) -> wasmtime::Result<Resource<DynPollable>> {
        let always = self.table.push(Always)?;
        subscribe(&mut self.table, always)
    }

    /// A pollable that is ready when the run is `due` nanoseconds old.
    pub(crate) fn timer(&mut self, due: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let pollable = self.ready()?;
        self.timers.insert(pollable.rep(), due);
        Ok(pollable)
    }
}

/// What stands behind our pollables: whether they are ready is decided at the gate.
struct Always;

#[wasmtime_wasi_io::async_trait]
impl Pollable for Always {
    async fn ready(&mut self) {}
}

/// The answer of a call whose interface has no room for a refusal: refused, the run is over.
pub(crate) fn insist<T>(passed: Passed<T>) -> wasmtime::Result<T> {
    passed?.map_err(|denial| Stop::Denied(denial).into())
}
