//! Every setting of the engine, one row each: its name, whom it concerns, its value, and how it is
//! set. What is set and what is digested are read from the same rows.

use wasmtime::{
    Config, Enabled, Inlining, InstanceAllocationStrategy, OperatorCost, OptLevel,
    PoolingAllocationConfig, ProfilingStrategy, RegallocAlgorithm, Strategy, VariableOperatorCost,
    WasmBacktraceDetails,
};

use super::features;
use super::{
    COMPONENT_STATE_BYTES_MAX, CORE_INSTANCES_MAX, DENSE_IMAGE_BYTES, FIBRE_BYTES, GROWTH_FUEL,
    GUARD_BYTES, INSTANCE_STATE_BYTES_MAX, MEMORIES_MAX, MEMORY_BYTES_MAX, RESERVED_BYTES,
    RUNS_MAX, STACK_BYTES, TABLE_ELEMENTS_MAX, TABLES_MAX, WARM_SLOTS_MAX,
};

/// A row.
pub(super) struct Setting {
    pub(super) name: String,
    pub(super) concerns: Concerns,
    knob: Knob,
}

/// Whom a setting concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Concerns {
    /// A guest can tell the difference: another value is another engine, and a run is only replayed
    /// on the same one.
    Guest,
    /// Only the host can: how many runs fit, how fast they start, what a debugger sees.
    Host,
}

/// A value, with the function that sets it.
enum Knob {
    Feature(bool, wasmparser::WasmFeatures),
    Switch(bool, fn(&mut Config, bool) -> &mut Config),
    Size(usize, fn(&mut Config, usize) -> &mut Config),
    Extent(u64, fn(&mut Config, u64) -> &mut Config),
    Price(u8, fn(&mut Config, u8) -> &mut Config),
    Word(&'static str, fn(&mut Config) -> &mut Config),
    PoolCount(u32, fn(&mut Pool, u32) -> &mut Pool),
    PoolSize(usize, fn(&mut Pool, usize) -> &mut Pool),
    PoolWord(&'static str, fn(&mut Pool) -> &mut Pool),
}

type Pool = PoolingAllocationConfig;

use Concerns::{Guest, Host};
use Knob::{Extent, PoolCount, PoolSize, PoolWord, Price, Size, Switch, Word};

/// A row as it is written below.
type Row = (&'static str, Concerns, Knob);

/// What a guest computes, and how it is measured and stopped.
const COMPUTING: [Row; 9] = [
    // Winch compiles faster and is not the compiler that advisories call hardened.
    ("strategy", Guest, Word("cranelift", |c| c.strategy(Strategy::Cranelift))),
    // The meter of computing, and the way to stop it in the middle.
    ("consume-fuel", Guest, Switch(true, Config::consume_fuel)),
    ("epoch-interruption", Guest, Switch(true, Config::epoch_interruption)),
    // One unit an instruction, and one a byte or element for those that move many. Growing has no
    // such price by itself.
    ("operator-cost.growth", Guest, Price(GROWTH_FUEL, growth)),
    // The same bits everywhere: machines differ in what a failed division leaves in a float.
    ("cranelift-nan-canonicalization", Guest, Switch(true, Config::cranelift_nan_canonicalization)),
    ("relaxed-simd-deterministic", Guest, Switch(true, Config::relaxed_simd_deterministic)),
    // They decide how large a frame is, and so at which depth a recursion ends.
    ("cranelift-opt-level", Guest, Word("speed", |c| c.cranelift_opt_level(OptLevel::Speed))),
    (
        "cranelift-regalloc-algorithm",
        Guest,
        Word("backtracking", |c| c.cranelift_regalloc_algorithm(RegallocAlgorithm::Backtracking)),
    ),
    // Inlining across functions is more compiler to trust, and makes compile bombs of small ones.
    ("compiler-inlining", Guest, Word("no", |c| c.compiler_inlining(Inlining::No))),
];

/// What the guest's code may lean on.
const RUNTIME: [Row; 10] = [
    ("max-wasm-stack", Guest, Size(STACK_BYTES, Config::max_wasm_stack)),
    ("async-stack-size", Host, Size(FIBRE_BYTES, Config::async_stack_size)),
    // Stacks are used again: what the host's side of a call left there is not for the next run.
    ("async-stack-zeroing", Host, Switch(true, Config::async_stack_zeroing)),
    // No two things happen at once in a run.
    ("shared-memory", Guest, Switch(false, Config::shared_memory)),
    // Twice to three times the price of every call of the host, for what no guest can use here.
    ("concurrency-support", Guest, Switch(false, Config::concurrency_support)),
    // A memory out of bounds is caught by the machine, which is faster than comparing, and keeps
    // the mitigations for speculative reads.
    ("signals-based-traps", Host, Switch(true, Config::signals_based_traps)),
    // All that 32 bits can point at is reserved and stays where it is, so no comparison is needed.
    ("memory-reservation", Host, Extent(RESERVED_BYTES, Config::memory_reservation)),
    ("memory-may-move", Host, Switch(false, Config::memory_may_move)),
    ("memory-guard-size", Host, Extent(GUARD_BYTES, Config::memory_guard_size)),
    // For the bug that reaches below the memory instead of above it.
    ("guard-before-linear-memory", Host, Switch(true, Config::guard_before_linear_memory)),
];

/// What is made of a component, and what is left out.
const ARTIFACT: [Row; 16] = [
    // Copy-on-write images start a run in microseconds; what no run writes they all share.
    ("memory-init-cow", Host, Switch(true, Config::memory_init_cow)),
    (
        "memory-guaranteed-dense-image-size",
        Host,
        Extent(DENSE_IMAGE_BYTES, Config::memory_guaranteed_dense_image_size),
    ),
    // An image lies in the compiled file; a second one in memory has no use.
    ("force-memory-init-memfd", Host, Switch(false, Config::force_memory_init_memfd)),
    // A large table is filled when it is used, entry by entry.
    ("table-lazy-init", Host, Switch(true, Config::table_lazy_init)),
    ("parallel-compilation", Host, Switch(true, Config::parallel_compilation)),
    // A trap's name is enough for a receipt. Traces of guests' frames, their debugging information
    // and the tables from machine code back to WebAssembly are parsers over foreign bytes, and
    // double the size of what is kept.
    ("wasm-backtrace-max-frames", Host, Word("none", |c| c.wasm_backtrace_max_frames(None))),
    (
        "wasm-backtrace-details",
        Host,
        Word("disable", |c| c.wasm_backtrace_details(WasmBacktraceDetails::Disable)),
    ),
    ("generate-address-map", Host, Switch(false, Config::generate_address_map)),
    ("debug-info", Host, Switch(false, Config::debug_info)),
    ("debug-symbols", Host, Switch(false, Config::debug_symbols)),
    // Only for debuggers of the host: registering it takes longer the more components there are.
    ("native-unwind-info", Host, Switch(cfg!(windows), Config::native_unwind_info)),
    ("profiler", Host, Word("none", |c| c.profiler(ProfilingStrategy::None))),
    // Debugging aids of the engine's authors.
    ("cranelift-debug-verifier", Host, Switch(false, Config::cranelift_debug_verifier)),
    (
        "cranelift-wasmtime-debug-checks",
        Host,
        Switch(false, Config::cranelift_wasmtime_debug_checks),
    ),
    ("metadata-for-internal-asserts", Host, Switch(false, Config::metadata_for_internal_asserts)),
    // Hints in a section that nothing validates.
    ("wasm-branch-hinting", Host, Switch(false, Config::wasm_branch_hinting)),
];

/// The pool from which runs get their slots. What one component may have concerns guests; how many
/// there are in all does not.
const POOL: [Row; 18] = [
    ("pool.max-memory-size", Guest, PoolSize(MEMORY_BYTES_MAX, Pool::max_memory_size)),
    ("pool.table-elements", Guest, PoolSize(TABLE_ELEMENTS_MAX, Pool::table_elements)),
    (
        "pool.max-core-instances-per-component",
        Guest,
        PoolCount(CORE_INSTANCES_MAX, Pool::max_core_instances_per_component),
    ),
    (
        "pool.max-memories-per-component",
        Guest,
        PoolCount(MEMORIES_MAX, Pool::max_memories_per_component),
    ),
    ("pool.max-memories-per-module", Guest, PoolCount(MEMORIES_MAX, Pool::max_memories_per_module)),
    ("pool.max-tables-per-component", Guest, PoolCount(TABLES_MAX, Pool::max_tables_per_component)),
    ("pool.max-tables-per-module", Guest, PoolCount(TABLES_MAX, Pool::max_tables_per_module)),
    (
        "pool.max-core-instance-size",
        Guest,
        PoolSize(INSTANCE_STATE_BYTES_MAX, Pool::max_core_instance_size),
    ),
    (
        "pool.max-component-instance-size",
        Guest,
        PoolSize(COMPONENT_STATE_BYTES_MAX, Pool::max_component_instance_size),
    ),
    // Every run that fits may have all that a component may have.
    ("pool.total-component-instances", Host, PoolCount(RUNS_MAX, Pool::total_component_instances)),
    (
        "pool.total-core-instances",
        Host,
        PoolCount(RUNS_MAX * CORE_INSTANCES_MAX, Pool::total_core_instances),
    ),
    ("pool.total-memories", Host, PoolCount(RUNS_MAX * MEMORIES_MAX, Pool::total_memories)),
    ("pool.total-tables", Host, PoolCount(RUNS_MAX * TABLES_MAX, Pool::total_tables)),
    ("pool.total-stacks", Host, PoolCount(RUNS_MAX, Pool::total_stacks)),
    ("pool.max-unused-warm-slots", Host, PoolCount(WARM_SLOTS_MAX, Pool::max_unused_warm_slots)),
    // No byte of one run is seen by the next: slots are given back to the system, not wiped by us.
    ("pool.linear-memory-keep-resident", Host, PoolSize(0, Pool::linear_memory_keep_resident)),
    ("pool.table-keep-resident", Host, PoolSize(0, Pool::table_keep_resident)),
    // A new way of the system to find what has to be wiped; nothing is wiped here.
    ("pool.pagemap-scan", Host, PoolWord("no", |p| p.pagemap_scan(Enabled::No))),
];

/// Every row. What is not a row is at the default of a pinned version, and does not concern guests:
/// `settings` of the tests lists what the engine has.
pub(super) fn rows() -> impl Iterator<Item = Setting> {
    let features = features::all().map(|(name, feature)| {
        let knob = Knob::Feature(features::on().contains(feature), feature);
        Setting { name: format!("feature.{name}"), concerns: Guest, knob }
    });
    let row = |(name, concerns, knob): Row| Setting { name: name.to_owned(), concerns, knob };
    features.chain(COMPUTING.into_iter().chain(RUNTIME).chain(ARTIFACT).chain(POOL).map(row))
}

/// The configuration that the rows make.
pub(super) fn config() -> Config {
    let (mut config, mut pool) = (Config::new(), Pool::new());
    for row in rows() {
        row.knob.turn(&mut config, &mut pool);
    }
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

/// The prices of the engine, but for what grows.
fn growth(config: &mut Config, price: u8) -> &mut Config {
    let variable =
        VariableOperatorCost { memory_grow_per_page: price, ..VariableOperatorCost::new() };
    config.operator_cost(OperatorCost {
        MemoryGrow: price,
        TableGrow: price,
        variable,
        ..OperatorCost::new()
    })
}

impl Setting {
    /// The value in words.
    pub(super) fn value(&self) -> String {
        match self.knob {
            Knob::Feature(on, _) | Switch(on, _) => if on { "on" } else { "off" }.to_owned(),
            Size(size, _) | PoolSize(size, _) => size.to_string(),
            Extent(size, _) => size.to_string(),
            PoolCount(count, _) => count.to_string(),
            Price(price, _) => price.to_string(),
            Word(word, _) | PoolWord(word, _) => word.to_owned(),
        }
    }
}

impl Knob {
    fn turn(&self, config: &mut Config, pool: &mut Pool) {
        match *self {
            Self::Feature(on, feature) => {
                config.wasm_features(feature, on);
            }
            Switch(on, set) => {
                set(config, on);
            }
            Size(size, set) => {
                set(config, size);
            }
            Extent(size, set) => {
                set(config, size);
            }
            Price(price, set) => {
                set(config, price);
            }
            Word(_, set) => {
                set(config);
            }
            PoolCount(count, set) => {
                set(pool, count);
            }
            PoolSize(size, set) => {
                set(pool, size);
            }
            PoolWord(_, set) => {
                set(pool);
            }
        }
    }
}
