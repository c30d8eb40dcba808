//! The same components on the same engine without anything of ours: what wasmtime itself costs.

use std::time::{Duration, Instant};

use envelope_engine::config::Machine;
use wasmtime::component::{Component, InstancePre, Linker, Resource, ResourceType, TypedFunc};
use wasmtime::{Store, UpdateDeadline};

/// When the guest made its first call.
#[derive(Default)]
pub struct State {
    pub first: Option<Instant>,
}

struct Pollable;

pub struct Bare {
    machine: Machine,
    pre: InstancePre<State>,
}

impl Bare {
    pub fn new(machine: &Machine, bytes: &[u8]) -> Self {
        let component = Component::new(machine.engine(), bytes).unwrap();
        let mut linker = Linker::<State>::new(machine.engine());
        let mut random = linker.instance("wasi:random/random@0.2.0").unwrap();
        random
            .func_wrap_async("get-random-u64", |mut store, (): ()| {
                store.data_mut().first.get_or_insert_with(Instant::now);
                Box::new(async { Ok((7_u64,)) })
            })
            .unwrap();
        random
            .func_wrap_async("get-random-bytes", |_, (len,): (u64,)| {
                Box::new(async move { Ok((vec![7_u8; len.try_into().unwrap()],)) })
            })
            .unwrap();
        let mut poll = linker.instance("wasi:io/poll@0.2.0").unwrap();
        poll.resource("pollable", ResourceType::host::<Pollable>(), |_, _| Ok(())).unwrap();
        poll.func_wrap_async("[method]pollable.block", |_, (_,): (Resource<Pollable>,)| {
            Box::new(std::future::pending::<wasmtime::Result<()>>())
        })
        .unwrap();
        let mut clock = linker.instance("wasi:clocks/monotonic-clock@0.2.0").unwrap();
        clock.resource("pollable", ResourceType::host::<Pollable>(), |_, _| Ok(())).unwrap();
        clock
            .func_wrap_async("subscribe-duration", |_, (_,): (u64,)| {
                Box::new(async { Ok((Resource::<Pollable>::new_own(1),)) })
            })
            .unwrap();
        let pre = linker.instantiate_pre(&component).unwrap();
        Self { machine: machine.clone(), pre }
    }

    /// Store, instance, one call.
    pub async fn run(&self) -> Store<State> {
        let mut store = Store::new(self.machine.engine(), State::default());
        store.set_fuel(1 << 40).unwrap();
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Yield(1)));
        let instance = self.pre.instantiate_async(&mut store).await.unwrap();
        let it = instance.get_export_index(&mut store, None, "wasi:cli/run@0.2.0").unwrap();
        let run = instance.get_export_index(&mut store, Some(&it), "run").unwrap();
        let run: TypedFunc<(), (Result<(), ()>,)> =
            instance.get_typed_func(&mut store, run).unwrap();
        run.call_async(&mut store, ()).await.unwrap().0.unwrap();
        store
    }

    /// The time from nothing to the guest's first call of the host.
    pub async fn first_call(&self) -> Duration {
        let start = Instant::now();
        self.run().await.data().first.unwrap() - start
    }
}
