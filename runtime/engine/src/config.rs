//! The engine's settings: one table, from which both the engine and the digest in every run's
//! header are made, so that they cannot disagree.

use envelope_evidence::journal::Engine as Fingerprint;
use envelope_evidence::{Digest, Label, canonical};
use envelope_gate::cost;
use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Strategy, WasmFeatures,
};

/// The oldest engine that may be used: older ones have holes that are known.
pub const MINIMUM: [u64; 3] = [48, 0, 8];

/// Live runs at once. Each reserves address space, not memory.
pub const RUNS_MAX: u32 = 1_200;

/// Bytes of linear memory that one run can ever have: its warrant says how many it gets.
pub const MEMORY_BYTES_MAX: usize = 1 << 30;

/// Bytes of stack. A guest's own stack, in its linear memory, usually ends first.
const STACK_BYTES: usize = 512 << 10;

/// Bytes of stack that the host's side of a call has on top: the fibre on which a guest waits.
const FIBRE_BYTES: usize = 2 << 20;

/// Core instances of one component: a language runtime has a handful.
const CORE_INSTANCES_MAX: u32 = 64;

/// Elements of one table.
const TABLE_ELEMENTS_MAX: usize = 200_000;

/// A switch of the engine: its name in the digest, its state, and how it is set.
type Switch = (&'static str, bool, fn(&mut Config, bool) -> &mut Config);

/// What is on and what is off. Off is whatever guests do not need: each feature is more engine to
/// trust, and some make two machines compute two things.
const SWITCHES: &[Switch] = &[
    // The meter of computing, and the way to stop it in the middle.
    ("consume-fuel", true, Config::consume_fuel),
    ("epoch-interruption", true, Config::epoch_interruption),
    // The same bits everywhere.
    ("nan-canonicalization", true, Config::cranelift_nan_canonicalization),
    ("relaxed-simd-deterministic", true, Config::relaxed_simd_deterministic),
    // What compilers of today emit.
    ("bulk-memory", true, Config::wasm_bulk_memory),
    ("component-model", true, Config::wasm_component_model),
    ("multi-value", true, Config::wasm_multi_value),
    ("simd", true, Config::wasm_simd),
    ("relaxed-simd", true, Config::wasm_relaxed_simd),
    // Python and Go guests are built with them.
    ("multi-memory", true, Config::wasm_multi_memory),
    // What they do not.
    ("threads", false, |it, on| it.wasm_features(WasmFeatures::THREADS, on)),
    ("shared-everything", false, |it, on| {
        it.wasm_features(WasmFeatures::SHARED_EVERYTHING_THREADS, on)
    }),
    ("function-references", false, |it, on| {
        it.wasm_features(WasmFeatures::FUNCTION_REFERENCES, on)
    }),
    ("gc", false, |it, on| it.wasm_features(WasmFeatures::GC, on)),
    ("exceptions", false, |it, on| it.wasm_features(WasmFeatures::EXCEPTIONS, on)),
    ("stack-switching", false, |it, on| it.wasm_features(WasmFeatures::STACK_SWITCHING, on)),
    ("tail-call", false, Config::wasm_tail_call),
    ("memory64", false, Config::wasm_memory64),
    ("custom-page-sizes", false, Config::wasm_custom_page_sizes),
    ("wide-arithmetic", false, Config::wasm_wide_arithmetic),
    ("extended-const", false, Config::wasm_extended_const),
    // Copy-on-write images start a run in microseconds.
    ("memory-init-cow", true, Config::memory_init_cow),
];

/// An engine with its fingerprint.
#[derive(Clone)]
pub struct Machine {
    engine: Engine,
    fingerprint: Fingerprint,
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
        let engine = Engine::new(&config());
        let engine = engine.map_err(|error| NoMachine::Engine(format!("{error:#}")))?;
        Ok(Self { engine, fingerprint: fingerprint() })
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

/// The version of wasmtime this was built with.
pub const VERSION: &str = env!("ENVELOPE_WASMTIME_VERSION");

/// Whether `found` may be used.
pub fn check_minimum(found: &str) -> Result<(), NoMachine> {
    let mut parts = found.split('.').map(|part| part.parse().unwrap_or(0));
    let parts = [(); 3].map(|()| parts.next().unwrap_or(0));
    if parts < MINIMUM { Err(NoMachine::Old { found: found.to_owned() }) } else { Ok(()) }
}

/// Every setting that decides what a guest computes or what it may use, by name.
pub fn settings() -> Vec<(&'static str, u64)> {
    let switches = SWITCHES.iter().map(|(name, on, _)| (*name, u64::from(*on)));
    let sizes = [("stack-bytes", size(STACK_BYTES)), ("memory-bytes-max", size(MEMORY_BYTES_MAX))];
    switches.chain(sizes).chain(cost::TABLE.map(|(name, price)| (name, price))).collect()
}

fn fingerprint() -> Fingerprint {
    let settings = canonical::of(&settings()).unwrap_or_default();
    Fingerprint {
        name: Label::cut("wasmtime"),
        version: Label::cut(VERSION),
        settings: Digest::of(&settings),
        platform: Label::cut(std::env::consts::ARCH),
    }
}

fn config() -> Config {
    let mut config = Config::new();
    for (_, on, set) in SWITCHES {
        set(&mut config, *on);
    }
    config.strategy(Strategy::Cranelift);
    config.max_wasm_stack(STACK_BYTES);
    config.async_stack_size(FIBRE_BYTES);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool()));
    // A trap's own words are enough, and backtraces cost each run.
    config.wasm_backtrace_max_frames(None);
    config
}

fn pool() -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(RUNS_MAX)
        .total_core_instances(RUNS_MAX * 4)
        .total_memories(RUNS_MAX * 2)
        .total_tables(RUNS_MAX * 4)
        .total_stacks(RUNS_MAX)
        .max_core_instances_per_component(CORE_INSTANCES_MAX)
        .max_memories_per_component(8)
        .max_tables_per_component(CORE_INSTANCES_MAX)
        .max_memory_size(MEMORY_BYTES_MAX)
        .table_elements(TABLE_ELEMENTS_MAX)
        // No byte of one run is ever seen by the next: slots are cleared, not kept warm.
        .linear_memory_keep_resident(0)
        .table_keep_resident(0);
    pool
}

fn size(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

fn version([major, minor, patch]: [u64; 3]) -> String {
    format!("{major}.{minor}.{patch}")
}
