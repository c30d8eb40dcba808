//! One run's store: made for it, used once, thrown away.

use std::sync::Arc;

use envelope_evidence::Timestamp;
use envelope_gate::airlock::Airlock;
use envelope_gate::cost;
use envelope_gate::stop::Stop;
use envelope_gate::world::World;
use wasmtime::{CallHook, Engine, Store, StoreContextMut, Trap, UpdateDeadline};

use crate::limits::{Limiter, Limits};

/// The data of a store.
pub(crate) struct Cell {
    pub(crate) airlock: Airlock,
    pub(crate) limiter: Limiter,
    /// Whether the engine looked up from the guest because of its heartbeat.
    pub(crate) beaten: bool,
}

impl Cell {
    pub(crate) const fn airlock(&mut self) -> &mut Airlock {
        &mut self.airlock
    }
}

/// A store for `airlock` under `limits`, with `fuel` to spend.
pub(crate) fn store(
    engine: &Engine,
    airlock: Airlock,
    limits: &Limits,
    fuel: u64,
    clock: Option<Clock>,
) -> wasmtime::Result<Store<Cell>> {
    let cell = Cell { airlock, limiter: Limiter::new(limits), beaten: false };
    let mut store = Store::new(engine, cell);
    limits.hold(&mut store, |cell| &mut cell.limiter);
    store.set_fuel(fuel)?;
    store.call_hook(charge);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |mut store| {
        store.data_mut().beaten = true;
        // What is recorded happened, whatever the clock says now.
        match &clock {
            Some(clock) if !store.data().airlock.gate.plays() => clock.tick(),
            Some(_) | None => Ok(UpdateDeadline::Yield(1)),
        }
    });
    Ok(store)
}

/// What can end a run between two calls. A replay has none: it ends where the record does.
pub(crate) struct Clock {
    pub(crate) world: Arc<dyn World>,
    pub(crate) deadline: Timestamp,
}

impl Clock {
    fn tick(&self) -> wasmtime::Result<UpdateDeadline> {
        if let Some(stop) = self.world.stopped() {
            return Err(stop.into());
        }
        if self.world.now() >= self.deadline {
            return Err(Stop::Exhausted("wall time").into());
        }
        Ok(UpdateDeadline::Yield(1))
    }
}

/// Takes the fuel that the host's work cost, each time the guest gets control back.
fn charge(mut store: StoreContextMut<'_, Cell>, hook: CallHook) -> wasmtime::Result<()> {
    if matches!(hook, CallHook::CallingHost) {
        let left = store.get_fuel()?;
        store.data_mut().airlock.gate.set_fuel(left);
    }
    if !matches!(hook, CallHook::ReturningFromHost) {
        return Ok(());
    }
    // The heartbeat comes this way too. It is nothing the guest asked for, and no two runs have the
    // same: charged, it would make fuel a matter of chance.
    if std::mem::take(&mut store.data_mut().beaten) {
        return Ok(());
    }
    let debt = store.data_mut().airlock.gate.take_debt().saturating_add(cost::PASSAGE);
    let left = store.get_fuel()?;
    store.set_fuel(left.saturating_sub(debt))?;
    if left < debt { Err(Trap::OutOfFuel.into()) } else { Ok(()) }
}
