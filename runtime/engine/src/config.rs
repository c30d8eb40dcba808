//! The engine: which one, how it is set, and what a run's header says of it.
//!
//! Every setting is a row of one table, and the digest in the header is made from the same rows.

pub mod features;
mod table;

use std::sync::Arc;

use envelope_evidence::journal::Engine as Fingerprint;
use envelope_evidence::{Digest, Label, canonical};
use envelope_gate::cost;
use wasmtime::Engine;

use crate::epoch::Heartbeat;
use table::Concerns;

/// The oldest engine that may be used: older ones have holes that are known.
pub const MINIMUM: [u64; 3] = [48, 0, 8];

/// The version of wasmtime this was built with.
pub const VERSION: &str = env!("ENVELOPE_WASMTIME_VERSION");

/// Live runs at once: a thousand, and room for those that come and go. Each reserves address space,
/// not memory; past it, a start fails as the host's fault.
pub const RUNS_MAX: u32 = 1_200;

/// Bytes of one linear memory that any run can ever have: a copy of all of it, in which nothing can
/// interrupt, ends in a quarter of a second. A warrant says how many a run gets.
pub const MEMORY_BYTES_MAX: usize = 1 << 30;

/// Core instances of one component. An interpreter with its libraries is linked of some thirty.
pub const CORE_INSTANCES_MAX: u32 = 128;

/// Linear memories of one component: one for each part of a composition that has its own.
pub const MEMORIES_MAX: u32 = 4;

/// Tables of one component: one for functions, one for the links between its instances, times the
/// parts of a composition.
pub const TABLES_MAX: u32 = 16;

/// Elements of one table: every function of the largest program can be pointed at.
pub const TABLE_ELEMENTS_MAX: usize = 200_000;

/// Bytes of a guest's stack. With twice as much, programs run over the end of their own stack in
/// linear memory first, which looks like a bug and not like a limit.
const STACK_BYTES: usize = 512 << 10;

/// Bytes of the fibre on which a guest waits: its own stack, and what the host's side of a call
/// needs below it, three times over.
const FIBRE_BYTES: usize = 2 << 20;

/// Bytes of address space for each memory: all that 32 bits can point at.
const RESERVED_BYTES: u64 = 4 << 30;

/// Bytes of guard behind each memory: more than compilers add to an address in an instruction.
const GUARD_BYTES: u64 = 32 << 20;

/// Bytes of the engine's own state for one core instance, mostly pointers to functions that are
/// handed around: 32 bytes for each of some thirty thousand.
const INSTANCE_STATE_BYTES_MAX: usize = 1 << 20;

/// Bytes of the same for all core instances of a component together.
const COMPONENT_STATE_BYTES_MAX: usize = 4 << 20;

/// What a guest pays for asking for more memory or table, and again for each page: the engine
/// leaves WebAssembly to do it, for the price of one addition. It takes no larger price.
const GROWTH_FUEL: u8 = u8::MAX;

/// Bytes of an image in which data lies far apart. A module of a hundred bytes can ask for that
/// much in the compiled file, so it is not the 16 MiB of the default.
const DENSE_IMAGE_BYTES: u64 = 1 << 20;

/// Slots that keep the mapping of the component that was last in them.
const WARM_SLOTS_MAX: u32 = 100;

/// An engine with its heartbeat and its fingerprint. Clones are the same engine.
#[derive(Clone)]
pub struct Machine {
    engine: Engine,
    fingerprint: Fingerprint,
    _heartbeat: Option<Arc<Heartbeat>>,
}

/// An engine that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum NoMachine {
    /// It is older than it may be.
    #[error("engine {found} is older than {min}: update `wasmtime`", min = version(MINIMUM))]
    Old {
        /// The version that was found.
        found: String,
    },
    /// The host cannot do what the settings ask for.
    #[error("the engine does not start: {0}")]
    Engine(String),
}

impl Machine {
    /// The engine of this build.
    pub fn new() -> Result<Self, NoMachine> {
        check_minimum(VERSION)?;
        let engine = Engine::new(&table::config());
        let engine = engine.map_err(|error| NoMachine::Engine(format!("{error:#}")))?;
        let heartbeat = Heartbeat::start(&engine);
        let heartbeat = heartbeat.map_err(|error| NoMachine::Engine(error.to_string()))?;
        let heartbeat = Some(Arc::new(heartbeat));
        Ok(Self { engine, fingerprint: fingerprint(), _heartbeat: heartbeat })
    }

    /// The same without a heartbeat: a guest on it is only ever stopped at a call. For tests in
    /// which nothing may happen by chance.
    pub fn without_heartbeat() -> Result<Self, NoMachine> {
        Ok(Self { _heartbeat: None, ..Self::new()? })
    }

    /// The engine.
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What a run's header says of it.
    pub const fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }
}

/// Whether `found` may be used. What is no version is older than all.
pub fn check_minimum(found: &str) -> Result<(), NoMachine> {
    let mut parts = found.split('.').map(|part| part.parse().unwrap_or(0));
    let parts = [(); 3].map(|()| parts.next().unwrap_or(0));
    if parts < MINIMUM { Err(NoMachine::Old { found: found.to_owned() }) } else { Ok(()) }
}

/// Every setting with its value in words: those that decide what a guest computes, what it may use
/// and what it pays. Another value is another engine.
pub fn settings() -> Vec<(String, String)> {
    let rows = table::rows().filter(|row| row.concerns == Concerns::Guest);
    let rows = rows.map(|row| (row.value(), row.name)).map(|(value, name)| (name, value));
    let prices = cost::TABLE.iter();
    let prices = prices.map(|(name, price)| (format!("price.{name}"), price.to_string()));
    rows.chain(prices).collect()
}

/// The settings that only the host can tell: how many runs fit, how fast they start, what a
/// debugger sees. They are in no digest.
pub fn settings_of_host() -> Vec<(String, String)> {
    let rows = table::rows().filter(|row| row.concerns == Concerns::Host);
    rows.map(|row| (row.value(), row.name)).map(|(value, name)| (name, value)).collect()
}

/// What a run's header says of the engine of this build.
pub fn fingerprint() -> Fingerprint {
    let settings = canonical::of(&settings()).unwrap_or_default();
    Fingerprint {
        name: Label::cut("wasmtime"),
        version: Label::cut(VERSION),
        settings: Digest::of(&settings),
        platform: Label::cut(std::env::consts::ARCH),
    }
}

fn version([major, minor, patch]: [u64; 3]) -> String {
    format!("{major}.{minor}.{patch}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads the engine back, so that a row that sets something else than it says is noticed.
    #[test]
    fn the_engine_has_the_settings_of_the_table() {
        let machine = Machine::new().unwrap();
        let read = [switches(machine.engine()), sizes(machine.engine())].concat();
        let rows = Vec::from_iter(table::rows());
        for (name, value) in &read {
            let row = rows.iter().find(|row| row.name == *name).expect(name);
            assert_eq!(row.value(), *value, "{name}");
        }
        assert_eq!(machine.engine().get_wasm_features(), features::on());
    }

    fn switches(engine: &Engine) -> Vec<(&'static str, String)> {
        let on = |on: bool| if on { "on" } else { "off" }.to_owned();
        let word = |word: &dyn std::fmt::Debug| format!("{word:?}").to_lowercase();
        vec![
            ("strategy", word(&engine.get_strategy().unwrap())),
            ("consume-fuel", on(engine.get_consume_fuel())),
            ("epoch-interruption", on(engine.get_epoch_interruption())),
            (
                "cranelift-nan-canonicalization",
                on(engine.get_cranelift_nan_canonicalization().unwrap()),
            ),
            ("relaxed-simd-deterministic", on(engine.get_relaxed_simd_deterministic())),
            ("cranelift-opt-level", word(&engine.get_cranelift_opt_level().unwrap())),
            (
                "cranelift-regalloc-algorithm",
                word(&engine.get_cranelift_regalloc_algorithm().unwrap()),
            ),
            ("compiler-inlining", word(&engine.get_compiler_inlining())),
            ("async-stack-zeroing", on(engine.get_async_stack_zeroing())),
            ("shared-memory", on(engine.get_shared_memory())),
            ("concurrency-support", on(engine.get_concurrency_support())),
            ("signals-based-traps", on(engine.get_signals_based_traps())),
            ("memory-may-move", on(engine.get_memory_may_move())),
            ("guard-before-linear-memory", on(engine.get_guard_before_linear_memory())),
            ("memory-init-cow", on(engine.get_memory_init_cow())),
            ("table-lazy-init", on(engine.get_table_lazy_init())),
            ("parallel-compilation", on(engine.get_parallel_compilation())),
            ("generate-address-map", on(engine.get_generate_address_map())),
            ("debug-info", on(engine.get_debug_info())),
            ("debug-symbols", on(engine.get_debug_symbols())),
            ("native-unwind-info", on(engine.get_native_unwind_info().unwrap())),
            ("cranelift-debug-verifier", on(engine.get_cranelift_debug_verifier().unwrap())),
            ("metadata-for-internal-asserts", on(engine.get_metadata_for_internal_asserts())),
            ("wasm-branch-hinting", on(engine.get_wasm_branch_hinting())),
        ]
    }

    fn sizes(engine: &Engine) -> Vec<(&'static str, String)> {
        let pool = engine.get_pooling_config().unwrap();
        let size = |size: usize| size.to_string();
        let count = |count: u32| count.to_string();
        let image = engine.get_memory_guaranteed_dense_image_size();
        vec![
            ("max-wasm-stack", size(engine.get_max_wasm_stack())),
            ("async-stack-size", size(engine.get_async_stack_size())),
            ("memory-reservation", engine.get_memory_reservation().to_string()),
            ("memory-guard-size", engine.get_memory_guard_size().to_string()),
            ("memory-guaranteed-dense-image-size", image.to_string()),
            ("pool.max-memory-size", size(pool.get_max_memory_size())),
            ("pool.table-elements", size(pool.get_table_elements())),
            (
                "pool.max-core-instances-per-component",
                count(pool.get_max_core_instances_per_component()),
            ),
            ("pool.max-memories-per-component", count(pool.get_max_memories_per_component())),
            ("pool.max-memories-per-module", count(pool.get_max_memories_per_module())),
            ("pool.max-tables-per-component", count(pool.get_max_tables_per_component())),
            ("pool.max-tables-per-module", count(pool.get_max_tables_per_module())),
            ("pool.max-core-instance-size", size(pool.get_max_core_instance_size())),
            ("pool.max-component-instance-size", size(pool.get_max_component_instance_size())),
            ("pool.total-component-instances", count(pool.get_total_component_instances())),
            ("pool.total-core-instances", count(pool.get_total_core_instances())),
            ("pool.total-memories", count(pool.get_total_memories())),
            ("pool.total-tables", count(pool.get_total_tables())),
            ("pool.total-stacks", count(pool.get_total_stacks())),
            ("pool.max-unused-warm-slots", count(pool.get_max_unused_warm_slots())),
            ("pool.linear-memory-keep-resident", size(pool.get_memory_keep_resident())),
            ("pool.table-keep-resident", size(pool.get_table_keep_resident())),
        ]
    }

    #[test]
    fn an_old_engine_is_refused() {
        for old in ["48.0.7", "47.9.9", "0.48.8", "48", "48.0", "", "48.0.8-rc1", "latest"] {
            assert!(check_minimum(old).is_err(), "{old}");
        }
        for new in ["48.0.8", "48.0.10", "48.1.0", "49.0.0", VERSION] {
            assert!(check_minimum(new).is_ok(), "{new}");
        }
        let said = check_minimum("48.0.7").unwrap_err().to_string();
        assert_eq!(said, "engine 48.0.7 is older than 48.0.8: update `wasmtime`");
    }
}
