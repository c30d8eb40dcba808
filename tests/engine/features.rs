//! What is off is refused, by its name, and by the engine itself; beside each stands the nearest
//! thing that is on.

use std::collections::BTreeSet;

use envelope_engine::component::{Refused, inspect};
use envelope_engine::config::features;
use wasmtime::component::Component;

use super::machine;
use super::wasm::{around, component};

/// A feature, a core module that needs it, and one that does not.
const CORE: [(&str, &str, &str); 14] = [
    ("threads", "(memory 1 1 shared)", "(memory 1 1)"),
    ("threads", "(memory 1) (func (drop (i32.atomic.load (i32.const 0))))", "(memory 1)"),
    ("shared-everything-threads", "(global (shared i32) i32.const 0)", "(global i32 i32.const 0)"),
    ("tail-call", "(func return_call 0)", "(func call 0)"),
    ("exceptions", "(tag)", "(func)"),
    ("legacy-exceptions", "(func try catch_all end)", "(func block end)"),
    ("memory64", "(memory i64 1)", "(memory 1)"),
    ("memory64", "(table i64 1 funcref)", "(table 1 funcref)"),
    ("function-references", "(type $t (func)) (func (param (ref $t)))", "(func (param funcref))"),
    ("gc", "(type (struct (field i32)))", "(type (func (param i32)))"),
    ("gc-types", "(table 1 externref)", "(table 1 funcref)"),
    ("custom-page-sizes", "(memory 1 (pagesize 1))", "(memory 1)"),
    ("stack-switching", "(type $f (func)) (type (cont $f))", "(type $f (func))"),
    (
        "wide-arithmetic",
        "(func (param i64) (result i64 i64) local.get 0 local.get 0 i64.mul_wide_u)",
        "(func (param i64) (result i64) local.get 0 local.get 0 i64.mul)",
    ),
];

/// The same of the component model.
const MODEL: [(&str, &str, &str); 7] = [
    ("cm-async", "(type (stream u8))", "(type (list u8))"),
    ("cm-async", "(type (future u8))", "(type (option u8))"),
    (
        "cm-async",
        "(core func (canon backpressure.inc))",
        "(type $r (resource (rep i32))) (core func (canon resource.drop $r))",
    ),
    ("cm-error-context", "(type error-context)", "(type (result (error string)))"),
    (
        "cm-threading",
        "(core func (canon thread.index))",
        "(type $r (resource (rep i32))) (core func (canon resource.rep $r))",
    ),
    ("cm-fixed-length-lists", "(type (list u8 4))", "(type (list u8))"),
    ("cm-map", "(type (map string u8))", "(type (list (tuple string u8)))"),
];

#[test]
fn what_is_off_is_refused_by_its_name() {
    for (name, off, on) in CORE {
        differ(name, &around(off), &around(on));
    }
    for (name, off, on) in MODEL {
        differ(name, &component(off), &component(on));
    }
}

fn differ(name: &str, off: &[u8], on: &[u8]) {
    match inspect(off, &[]) {
        Err(Refused::Off { features, .. }) if features.contains(&name.to_owned()) => {}
        other => panic!("{name}: {other:?}"),
    }
    assert!(Component::new(machine().engine(), off).is_err(), "{name}");
    inspect(on, &[]).unwrap_or_else(|why| panic!("beside {name}: {why}"));
    assert!(Component::new(machine().engine(), on).is_ok(), "beside {name}");
}

#[test]
fn every_feature_that_has_a_text_is_tried() {
    // What cannot be written as text, or is refused by the reader before its feature is asked for.
    let untried = [
        "cm-async-stackful",
        "cm-canon-names",
        "cm-gc",
        "cm-implements",
        "cm-more-async-builtins",
        "cm-nested-names",
        "cm-values",
        "cm64",
        "compact-imports",
        "custom-descriptors",
        "memory-control",
    ];
    let tried = CORE.map(|(name, ..)| name).into_iter().chain(MODEL.map(|(name, ..)| name));
    let all: BTreeSet<_> = tried.chain(untried).map(str::to_owned).collect();
    assert_eq!(all, features::off().map(|(name, _)| name).collect());
}

/// With `multi-memory` off, the engine would not refuse this but panic.
#[test]
fn components_of_a_composition_copy_from_memory_to_memory() {
    let memory = r#"(core module $m (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 64)
        (func (export "take") (param i32 i32))
        (func (export "give") (param i32 i32)))"#;
    let giver = format!(
        r#"(component $giver {memory}
            (core instance $i (instantiate $m))
            (func (export "take") (param "s" string)
                (canon lift (core func $i "take") (memory $i "memory")
                    (realloc (func $i "realloc")))))"#
    );
    let taker = format!(
        r#"(component $taker
            (import "take" (func $take (param "s" string)))
            {memory}
            (core instance $i (instantiate $m))
            (core func $lowered
                (canon lower (func $take) (memory $i "memory") (realloc (func $i "realloc"))))
            (core module $user (import "" "take" (func (param i32 i32)))
                (func (export "go") i32.const 0 i32.const 1 call 0))
            (core instance $u (instantiate $user
                (with "" (instance (export "take" (func $lowered))))))
            (func (export "go") (canon lift (core func $u "go"))))"#
    );
    let composed = component(&format!(
        r#"{giver} {taker}
        (instance $g (instantiate $giver))
        (instance $t (instantiate $taker (with "take" (func $g "take"))))
        (export "go" (func $t "go"))"#
    ));
    inspect(&composed, &[]).unwrap();
    Component::new(machine().engine(), &composed).unwrap();
}
