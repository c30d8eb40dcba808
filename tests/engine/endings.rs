//! How a run ends, said by the engine itself: every trap and every limit that a guest can reach.

use envelope_engine::ending::{Ending, of};
use envelope_engine::limits::{Limiter, Limits, Met};
use envelope_evidence::journal::Outcome;
use envelope_gate::stop::{Fault, Stop};
use wasmtime::component::{Component, Linker, ResourceTableError};
use wasmtime::{
    Config, Engine, Error, InstanceAllocationStrategy, PoolingAllocationConfig, Store, Trap,
};

use super::wasm::{command, component};
use super::{machine, wait};

/// How a program ends whose `run` has this body.
fn ending(limits: &Limits, body: &str, beside: &str) -> Ending {
    ending_of(limits, &command(body, beside))
}

fn ending_of(limits: &Limits, bytes: &[u8]) -> Ending {
    let engine = machine().engine();
    let mut store = Store::new(engine, Limiter::new(limits));
    limits.hold(&mut store, |limiter| limiter);
    store.set_fuel(limits.fuel).unwrap();
    store.set_epoch_deadline(10_000);
    let component = Component::new(engine, bytes).unwrap();
    let returned = wait(call(&mut store, &component));
    of(&returned.expect_err("it ends badly"), store.data().met())
}

async fn call(store: &mut Store<Limiter>, component: &Component) -> wasmtime::Result<()> {
    let mut linker = Linker::new(store.engine());
    let mut host = linker.root();
    host.func_wrap("take", |_, (_,): (Vec<u8>,)| Ok(()))?;
    host.func_wrap("stop", |_, ()| -> wasmtime::Result<()> { Err(Stop::Exit(7).into()) })?;
    let instance = linker.instantiate_async(&mut *store, component).await?;
    let it = instance.get_export_index(&mut *store, None, "wasi:cli/run@0.2.0").unwrap();
    let run = instance.get_export_index(&mut *store, Some(&it), "run").unwrap();
    let run = instance.get_typed_func::<(), (Result<(), ()>,)>(&mut *store, run)?;
    run.call_async(store, ()).await.map(drop)
}

fn ended(outcome: Outcome, reason: &str) -> Ending {
    Ending::Ended(outcome, reason.to_owned())
}

#[test]
fn traps_are_crashes_with_their_name() {
    let table = "(table 1 funcref) (type $t (func (result i32)))";
    for (body, beside, reason) in [
        ("unreachable", "", "wasm `unreachable` instruction executed"),
        ("(i32.load (i32.const -1))", "(memory 1)", "out of bounds memory access"),
        ("(i32.div_u (i32.const 1) (i32.const 0))", "", "integer divide by zero"),
        ("(i32.div_s (i32.const -2147483648) (i32.const -1))", "", "integer overflow"),
        ("(i32.trunc_f32_s (f32.const nan))", "", "invalid conversion to integer"),
        ("(call_indirect (type $t) (i32.const 0))", table, "uninitialized element"),
        (
            "(call_indirect (type $t) (i32.const 9))",
            table,
            "undefined element: out of bounds table access",
        ),
        (
            "(call_indirect (type $t) (i32.const 0))",
            "(table funcref (elem $f)) (func $f) (type $t (func (result i32)))",
            "indirect call type mismatch",
        ),
        ("(i32.const 9)", "", "invalid expected discriminant"),
    ] {
        let found = ending(&Limits::default(), body, beside);
        assert_eq!(found, ended(Outcome::Crashed, reason), "{body}");
    }
}

#[test]
fn limits_are_named() {
    let limits = Limits::default();
    let endless = "(loop $again (br $again)) unreachable";
    let little = Limits { fuel: 10_000, ..Limits::default() };
    assert_eq!(ending(&little, endless, ""), ended(Outcome::Exhausted, "fuel"));
    let deep = "(func $deep (result i32) (i32.add (i32.const 1) (call $deep)))";
    assert_eq!(ending(&limits, "call $deep", deep), ended(Outcome::Exhausted, "stack"));
    let small = Limits { memory: 4 << 16, table: 10, ..Limits::default() };
    assert_eq!(ending(&small, "i32.const 0", "(memory 5)"), ended(Outcome::Exhausted, "memory"));
    assert_eq!(
        ending(&small, "i32.const 0", "(table 11 funcref)"),
        ended(Outcome::Exhausted, "table elements")
    );
    let one = Limits { memories: 1, tables: 1, ..Limits::default() };
    let two = "(memory 1) (memory 1)";
    assert_eq!(ending(&one, "i32.const 0", two), ended(Outcome::Exhausted, "memories"));
    let two = "(table 1 funcref) (table 1 funcref)";
    assert_eq!(ending(&one, "i32.const 0", two), ended(Outcome::Exhausted, "tables"));
    let none = Limits { instances: 0, ..Limits::default() };
    assert_eq!(ending(&none, "i32.const 0", ""), ended(Outcome::Exhausted, "instances"));
}

#[test]
fn a_guest_that_gives_up_without_memory_is_exhausted() {
    let small = Limits { memory: 4 << 16, ..Limits::default() };
    let give_up = "(if (i32.eq (memory.grow (i32.const 9)) (i32.const -1)) (then unreachable))
                   (i32.const 0)";
    assert_eq!(ending(&small, give_up, "(memory 1)"), ended(Outcome::Exhausted, "memory"));
    let other = "(drop (memory.grow (i32.const 9))) (i32.div_u (i32.const 1) (i32.const 0))";
    assert_eq!(
        ending(&small, other, "(memory 1)"),
        ended(Outcome::Crashed, "integer divide by zero")
    );
}

/// A program over something that its host, or the component model, gives it.
fn over(imports: &str, function: &str, signature: &str, body: &str) -> bytes::Bytes {
    component(&format!(
        r#"{imports}
        (core module $libc (memory (export "memory") 20))
        (core instance $libc (instantiate $libc))
        (core func $f {function})
        (core module $m (import "" "f" (func $f {signature}))
            (func (export "run") (result i32) {body}))
        (core instance $i (instantiate $m (with "" (instance (export "f" (func $f))))))
        (func $run (result (result)) (canon lift (core func $i "run")))
        (instance $it (export "run" (func $run)))
        (export "wasi:cli/run@0.2.0" (instance $it))"#
    ))
}

#[test]
fn what_the_engine_only_says_in_words_is_named_too() {
    let few = Limits { handles: 10, ..Limits::default() };
    let handles = over(
        "(type $r (resource (rep i32)))",
        "(canon resource.new $r)",
        "(param i32) (result i32)",
        "(loop $again (drop (call $f (i32.const 0))) (br $again)) unreachable",
    );
    assert_eq!(ending_of(&few, &handles), ended(Outcome::Exhausted, "handles"));
    let little = Limits { hostcall_bytes: 1000, ..Limits::default() };
    let bytes = over(
        "(import \"take\" (func $take (param \"bytes\" (list u8))))",
        "(canon lower (func $take) (memory $libc \"memory\"))",
        "(param i32 i32)",
        "(call $f (i32.const 0) (i32.const 1001)) (unreachable)",
    );
    assert_eq!(ending_of(&little, &bytes), ended(Outcome::Exhausted, "bytes of one call"));
    // With room for them, both come to their own end.
    let enough = Limits { hostcall_bytes: 2000, ..Limits::default() };
    let unreachable = ended(Outcome::Crashed, "wasm `unreachable` instruction executed");
    assert_eq!(ending_of(&enough, &bytes), unreachable);
    let beyond = over(
        "(import \"take\" (func $take (param \"bytes\" (list u8))))",
        "(canon lower (func $take) (memory $libc \"memory\"))",
        "(param i32 i32)",
        "(call $f (i32.const -1) (i32.const 9)) (unreachable)",
    );
    let Ending::Ended(Outcome::Crashed, words) = ending_of(&enough, &beyond) else { panic!() };
    assert!(words.contains("out of bounds"), "{words}");
}

#[test]
fn the_heartbeat_ends_what_does_not_end() {
    let engine = machine().engine();
    let limits = Limits::default();
    let mut store = Store::new(engine, Limiter::new(&limits));
    store.set_fuel(u64::MAX).unwrap();
    store.set_epoch_deadline(1);
    let endless = command("(loop $again (br $again)) unreachable", "");
    let component = Component::new(engine, &endless).unwrap();
    let error = wait(call(&mut store, &component)).unwrap_err();
    assert_eq!(of(&error, None), ended(Outcome::Exhausted, "wall time"));
}

#[test]
fn what_the_gate_says_goes_through() {
    let stop = over(
        "(import \"stop\" (func $stop))",
        "(canon lower (func $stop))",
        "",
        "call $f unreachable",
    );
    assert_eq!(ending_of(&Limits::default(), &stop), ended(Outcome::Failed, "exit 7"));
    for stop in [Stop::Suspended, Stop::EndOfRecord, Fault::Unavailable("x").into()] {
        assert_eq!(of(&Error::from(stop.clone()), None), Ending::Stopped(stop));
    }
    // A stop is a stop, whatever limit was met before.
    let killed = Error::from(Stop::Killed("by hand".to_owned()));
    assert_eq!(of(&killed, Some(Met::Memory)), ended(Outcome::Killed, "by hand"));
    let full = Error::from(ResourceTableError::Full);
    assert_eq!(of(&full, None), ended(Outcome::Exhausted, "handles"));
    let gone = Error::from(ResourceTableError::NotPresent);
    assert_eq!(of(&gone, None), ended(Outcome::Crashed, "resource not present"));
    let trap = Error::from(Trap::CannotEnterComponent);
    assert_eq!(of(&trap, None), ended(Outcome::Crashed, "cannot enter component instance"));
}

/// Other runs took what this one would need: the world's fault, and none of the guest's.
#[test]
fn a_full_house_is_nobodys_crime() {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_memories(1).total_tables(1).total_stacks(4).total_core_instances(4);
    let mut config = Config::new();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    let engine = Engine::new(&config).unwrap();
    let component = Component::new(&engine, command("i32.const 0", "(memory 1)")).unwrap();
    let start = || {
        let mut store = Store::new(&engine, ());
        let started = wait(Linker::new(&engine).instantiate_async(&mut store, &component));
        started.map(|_| store)
    };
    let _first = start().unwrap();
    let Err(error) = start() else { panic!("there is one memory") };
    assert_eq!(of(&error, None), Ending::Stopped(Fault::NoRoom.into()));
}
