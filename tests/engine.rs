//! The engine: its settings, what it refuses to compile, what it keeps, where a run ends.

pub mod approvals;
mod attacks;
mod bombs;
mod cache;
mod crash;
mod determinism;
mod endings;
mod examples;
mod features;
mod imports;
mod inspect;
pub mod kills;
mod left;
mod limits;
pub mod peers;
mod python;
mod send;
mod settings;
mod walls;
mod wasi;
mod wasm;
pub mod world;

use std::sync::LazyLock;

use envelope_engine::config::Machine;

/// One engine for all tests: its pool reserves terabytes of address space.
fn machine() -> &'static Machine {
    static MACHINE: LazyLock<Machine> = LazyLock::new(|| Machine::new().unwrap());
    &MACHINE
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.unwrap().block_on(future)
}
