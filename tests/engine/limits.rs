//! What a run may have of memory and tables, counted over all of them.

use envelope_engine::limits::{Limiter, Limits, Met};
use wasmtime::Store;
use wasmtime::component::{Component, Linker};

use super::wasm::command;
use super::{machine, wait};

/// A page of linear memory.
const PAGE: usize = 64 << 10;

/// What `run` of the program returns, and which limit it met.
fn run(limits: &Limits, body: &str, beside: &str) -> (wasmtime::Result<bool>, Option<Met>) {
    let (returned, met, _) = measured(limits, body, beside);
    (returned, met)
}

/// The same, and the fuel it took.
fn measured(
    limits: &Limits,
    body: &str,
    beside: &str,
) -> (wasmtime::Result<bool>, Option<Met>, u64) {
    const FUEL: u64 = 1_000_000_000;
    let engine = machine().engine();
    let component = Component::new(engine, command(body, beside)).unwrap();
    let mut store = Store::new(engine, Limiter::new(limits));
    limits.hold(&mut store, |limiter| limiter);
    store.set_fuel(FUEL).unwrap();
    store.set_epoch_deadline(u64::MAX / 2);
    let returned = wait(async {
        let linker = Linker::new(engine);
        let instance = linker.instantiate_async(&mut store, &component).await?;
        let it = instance.get_export_index(&mut store, None, "wasi:cli/run@0.2.0").unwrap();
        let run = instance.get_export_index(&mut store, Some(&it), "run").unwrap();
        let run = instance.get_typed_func::<(), (Result<(), ()>,)>(&mut store, run)?;
        Ok(run.call_async(&mut store, ()).await?.0.is_ok())
    });
    (returned, store.data().met(), FUEL - store.get_fuel().unwrap())
}

fn pages(count: usize) -> Limits {
    Limits { memory: count * PAGE, ..Limits::default() }
}

/// Whether growing says what is expected: the program returns whether it was wrong.
fn grows(by: i64, expected: i64) -> String {
    format!("(i32.ne (memory.grow (i32.const {by})) (i32.const {expected}))")
}

#[test]
fn a_guest_that_is_refused_memory_may_cope() {
    let memory = "(memory 1)";
    let (returned, met) = run(&pages(4), &grows(3, 1), memory);
    assert!(returned.unwrap());
    assert_eq!(met, None);
    let (returned, met) = run(&pages(4), &grows(4, -1), memory);
    assert!(returned.unwrap());
    assert_eq!(met, Some(Met::Memory));
}

#[test]
fn memories_share_what_there_is() {
    let memories = "(memory $a 1) (memory $b 2)";
    let grow = |a: i32| {
        let first = "(i32.ne (memory.grow $a (i32.const 2)) (i32.const 1))";
        format!("(i32.or {first} (i32.ne (memory.grow $b (i32.const 1)) (i32.const {a})))")
    };
    let (returned, met) = run(&pages(6), &grow(2), memories);
    assert!(returned.unwrap());
    assert_eq!(met, None);
    let (returned, met) = run(&pages(5), &grow(-1), memories);
    assert!(returned.unwrap());
    assert_eq!(met, Some(Met::Memory));
}

#[test]
fn a_growth_that_fails_gives_nothing_back() {
    // The second growth is more than 32 bits can point at; the engine reports it as failed without
    // having asked.
    let (one, two, three) = (grows(2, 1), grows(65_535, -1), grows(2, -1));
    let (returned, met) =
        run(&pages(4), &format!("(i32.or (i32.or {one} {two}) {three})"), "(memory 1)");
    assert!(returned.unwrap());
    assert_eq!(met, Some(Met::Memory));
}

#[test]
fn what_the_guest_set_itself_is_no_limit_of_ours() {
    let (returned, met) = run(&pages(100), &grows(3, -1), "(memory 1 3)");
    assert!(returned.unwrap());
    assert_eq!(met, None);
}

#[test]
fn a_guest_that_begins_above_its_limit_does_not_start() {
    let (returned, met) = run(&pages(4), "i32.const 0", "(memory 5)");
    assert!(returned.unwrap_err().to_string().contains("memory limits"));
    assert_eq!(met, Some(Met::Memory));
    let (returned, met) = run(&pages(4), "i32.const 0", "(memory 4)");
    assert!(returned.unwrap());
    assert_eq!(met, None);
}

#[test]
fn no_limit_is_above_the_engines() {
    let much = Limits { memory: usize::MAX, table: usize::MAX, ..Limits::default() };
    let (returned, met) = run(&much, &grows(16_384, -1), "(memory 1)");
    assert!(returned.unwrap());
    assert_eq!(met, Some(Met::Memory));
    let (returned, met) = run(&much, &grows(16_383, 1), "(memory 1)");
    assert!(returned.unwrap());
    assert_eq!(met, None);
}

#[test]
fn tables_share_what_there_is() {
    let limits = Limits { table: 10, ..Limits::default() };
    let tables = "(table $a 4 funcref) (table $b 4 funcref)";
    let grow = |by: i32, expected: i32| {
        format!("(i32.ne (table.grow $b (ref.null func) (i32.const {by})) (i32.const {expected}))")
    };
    let (returned, met) = run(&limits, &grow(2, 4), tables);
    assert!(returned.unwrap());
    assert_eq!(met, None);
    let (returned, met) = run(&limits, &grow(3, -1), tables);
    assert!(returned.unwrap());
    assert_eq!(met, Some(Met::Table));
}

/// Growing leaves WebAssembly, so it has a price, whether it is granted or not.
#[test]
fn growing_costs_fuel() {
    let fuel = |body: &str| measured(&pages(4), body, "(memory 1)").2;
    let idle = fuel("(drop (i32.const 0)) (i32.const 0)");
    let asked = fuel("(drop (memory.grow (i32.const 0))) (i32.const 0)") - idle;
    assert_eq!(asked, 255);
    let granted = fuel("(drop (memory.grow (i32.const 2))) (i32.const 0)") - idle;
    assert_eq!(granted, 3 * 255);
    let refused = fuel("(drop (memory.grow (i32.const 9))) (i32.const 0)") - idle;
    assert_eq!(refused, 10 * 255);
}
