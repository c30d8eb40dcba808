//! Components that a compiler would not make: foreign imports, no exports, many memories, cards
//! that lie.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use envelope_engine::prepared::NotRunnable;
use envelope_evidence::journal::Outcome;

use crate::engine::world::{Setup, component, run, setup};

/// Rows of the published table that are no rows of data.
pub const ROWS: &[(u8, &str, &str)] = &[
    (5, "memory above what any run may have", "it is not registered"),
    (5, "a 64-bit memory", "it is not registered"),
    (5, "a table above what any run may have", "it is not registered"),
    (5, "a table that grows to its cap and above", "`exit 0`: it grows to the cap, not above"),
    (6, "threads and shared memory", "it is not registered"),
    (6, "tail calls", "it is not registered"),
    (6, "exceptions", "it is not registered"),
    (6, "garbage collection", "it is not registered"),
    (6, "typed references to functions", "it is not registered"),
    (21, "a foreign import", "it is not registered"),
    (21, "a foreign function of a served interface", "it is not registered"),
    (21, "no exports", "it is not registered"),
    (21, "a module that is no component", "it is not registered"),
    (21, "a card that is no card", "it is not registered"),
    (3, "a result that does not fit its schema", "failed"),
    (3, "arguments that do not fit their schema", "refused before the run begins"),
    (3, "an unknown skill", "failed (unknown skill)"),
];

/// A program that does `$body` and ends well.
pub const COMMAND: &str = r#"(component
    (core module $m (func (export "run") (result i32) (i32.const 0)))
    (core instance $i (instantiate $m))
    (func $run (result (result)) (canon lift (core func $i "run")))
    (instance $out (export "run" (func $run)))
    (export "wasi:cli/run@0.2.0" (instance $out)))"#;

fn command(items: &str, body: &str) -> String {
    COMMAND.replace(
        r#"(core module $m (func (export "run") (result i32) (i32.const 0)))"#,
        &format!(r#"(core module $m {items} (func (export "run") (result i32) {body}))"#),
    )
}

fn run_of(text: &str, change: impl FnOnce(Setup) -> Setup) -> (Outcome, String) {
    let component = Arc::new(component(text).unwrap());
    let ran = run(&change(Setup { component, ..setup("") }));
    ran.replays_same();
    ran.outside_unchanged();
    ran.end()
}

#[test]
fn what_no_guest_needs_is_not_registered() {
    component(COMMAND).unwrap();
    for (items, body) in [
        ("(memory 16385)", "(i32.const 0)"),
        ("(memory i64 1)", "(i32.const 0)"),
        ("(memory 1 2 shared)", "(i32.const 0)"),
        ("(table 200001 funcref)", "(i32.const 0)"),
        ("(func $f (result i32) (return_call $f))", "(i32.const 0)"),
        ("(tag $t)", "(throw $t)"),
        ("(type (struct))", "(i32.const 0)"),
        ("(type $t (func (result i32))) (func $f (param (ref $t)))", "(i32.const 0)"),
    ] {
        let Err(why) = component(&command(items, body)) else { panic!("{items}: registered") };
        assert!(matches!(why, NotRunnable::Refused(_)), "{items}: {why}");
    }
}

#[test]
fn foreign_shapes_are_not_registered() {
    let foreign = r#"(component (import "evil:host/shell" (instance (export "run" (func)))))"#;
    let Err(NotRunnable::Refused(why)) = component(foreign) else { panic!("a foreign import") };
    assert!(why.to_string().contains("evil:host/shell"), "{why}");
    let import = r#"(component
        (import "wasi:random/random@0.2.0" (instance (export "get-secret" (func))))"#;
    let function = COMMAND.replacen("(component", import, 1);
    let Err(NotRunnable::Link(why)) = component(&function) else { panic!("a foreign function") };
    assert!(why.contains("get-secret"), "{why}");
    assert!(matches!(component("(component)"), Err(NotRunnable::Refused(_))));
    assert!(matches!(component("(module)"), Err(NotRunnable::Refused(_))));
}

#[test]
fn a_table_grows_to_its_cap_and_not_above() {
    let grow = |by: u32| {
        let body = format!("(i32.eq (table.grow (ref.null func) (i32.const {by})) (i32.const -1))");
        command("(table 10 funcref)", &body)
    };
    let small = |it: Setup| {
        let limits = envelope_engine::limits::Limits { table: 1000, ..it.limits.clone() };
        Setup { limits, ..it }
    };
    assert_eq!(run_of(&grow(990), small), (Outcome::Ok, "exit 0".to_owned()));
    assert_eq!(run_of(&grow(991), small), (Outcome::Failed, "exit 1".to_owned()));
}

#[test]
fn memory_grows_to_its_cap_and_not_above() {
    let grow = |by: u32| {
        let body = format!("(i32.eq (memory.grow (i32.const {by})) (i32.const -1))");
        command("(memory 1)", &body)
    };
    let small = |it: Setup| it.memory(10 << 16);
    assert_eq!(run_of(&grow(9), small), (Outcome::Ok, "exit 0".to_owned()));
    assert_eq!(run_of(&grow(10), small), (Outcome::Failed, "exit 1".to_owned()));
}

#[test]
fn a_slot_is_clean_for_the_next_run() {
    let writes = command(
        "(memory 100)",
        "(memory.fill (i32.const 0) (i32.const 165) \
        (i32.const 6553600)) (i32.const 0)",
    );
    let looks = command(
        "(memory 100) (global $at (mut i32) (i32.const 0))",
        "(loop $next \
        (if (i64.ne (i64.load (global.get $at)) (i64.const 0)) (then (return (i32.const 1)))) \
        (global.set $at (i32.add (global.get $at) (i32.const 8))) \
        (br_if $next (i32.lt_u (global.get $at) (i32.const 6553600)))) (i32.const 0)",
    );
    for _ in 0..20 {
        assert_eq!(run_of(&writes, |it| it).0, Outcome::Ok);
        assert_eq!(run_of(&looks, |it| it).0, Outcome::Ok, "a byte of another run was seen");
    }
}

/// An agent whose card and whose only answer are these texts.
fn agent(card: &str, answer: &str) -> String {
    let data = |text: &str| text.replace('"', "\\22");
    let (card_at, answer_at) = (64, 64 + card.len());
    let (card_len, answer_len) = (card.len(), answer.len());
    let (card, answer) = (data(card), data(answer));
    format!(
        r#"(component
    (core module $m
        (memory (export "memory") 1)
        (data (i32.const {card_at}) "{card}{answer}")
        (global $free (mut i32) (i32.const 32768))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (global.get $free)
            (global.set $free (i32.add (global.get $free) (local.get 3))))
        (func (export "describe") (result i32)
            (i32.store (i32.const 0) (i32.const {card_at}))
            (i32.store (i32.const 4) (i32.const {card_len}))
            (i32.const 0))
        (func (export "invoke") (param i32 i32 i32 i32) (result i32)
            (i32.store8 (i32.const 16) (i32.const 0))
            (i32.store (i32.const 20) (i32.const {answer_at}))
            (i32.store (i32.const 24) (i32.const {answer_len}))
            (i32.const 16)))
    (core instance $i (instantiate $m))
    (alias core export $i "memory" (core memory $memory))
    (type $failure (variant (case "unknown-skill" string) (case "invalid-args" string)
        (case "failed" string)))
    (func $describe (result string)
        (canon lift (core func $i "describe") (memory $memory)))
    (func $invoke (param "skill" string) (param "args" string)
        (result (result string (error $failure)))
        (canon lift (core func $i "invoke") (memory $memory)
            (realloc (core func $i "realloc"))))
    (component $shim
        (import "describe" (func $d (result string)))
        (type $f0 (variant (case "unknown-skill" string) (case "invalid-args" string)
            (case "failed" string)))
        (import "failure" (type $f (eq $f0)))
        (import "invoke" (func $n (param "skill" string) (param "args" string)
            (result (result string (error $f)))))
        (export $e "failure" (type $f))
        (export "describe" (func $d))
        (export "invoke" (func $n)
            (func (param "skill" string) (param "args" string)
                (result (result string (error $e))))))
    (instance $skills (instantiate $shim
        (with "describe" (func $describe))
        (with "failure" (type $failure))
        (with "invoke" (func $invoke))))
    (export "envelope:host/skills@0.1.0" (instance $skills)))"#
    )
}

const CARD: &str = r#"{"name":"liar","version":"1","skills":[{"name":"count","input":{"type":
"object"},"output":{"type":"integer"}}]}"#;

fn ask(answer: &str) -> (Outcome, String) {
    let args = Bytes::from_static(b"{}");
    let text = agent(&CARD.replace('\n', ""), answer);
    run_of(&text, |it| Setup { skill: "count", args, ..it })
}

#[test]
fn results_are_held_to_their_schema() {
    assert_eq!(ask("12"), (Outcome::Ok, "returned".to_owned()));
    for answer in ["\"twelve\"", "12.5", "{}", "", "12 13"] {
        let (outcome, reason) = ask(answer);
        assert_eq!(outcome, Outcome::Failed, "{answer}");
        assert!(reason.starts_with("the result does not fit its schema"), "{reason}");
    }
}

/// An agent whose card has sixteen letters in it that it computes from what `function` of
/// `interface` answers.
fn asking(interface: &str, function: &str) -> String {
    let card = CARD.replace('\n', "").replace("liar", "aaaaaaaaaaaaaaaa");
    let letters = 64 + card.find("aaaa").unwrap();
    let import = format!(
        r#"(component (import "{interface}" (instance $asked (export "{function}"
            (func (result u64)))))
        (core func $ask (canon lower (func $asked "{function}")))"#
    );
    let tell = format!(
        r#"(func (export "describe") (result i32) (local $rest i64) (local $at i32)
            (local.set $rest (call $ask))
            (loop $next
                (i32.store8 (i32.add (i32.const {letters}) (local.get $at)) (i32.add
                    (i32.const 97) (i32.wrap_i64 (i64.and (local.get $rest) (i64.const 15)))))
                (local.set $rest (i64.shr_u (local.get $rest) (i64.const 4)))
                (local.set $at (i32.add (local.get $at) (i32.const 1)))
                (br_if $next (i32.lt_u (local.get $at) (i32.const 16))))"#
    );
    let host = r#"(instantiate $m (with "host" (instance (export "ask" (func $ask)))))"#;
    let module = r#"(core module $m (import "host" "ask" (func $ask (result i64)))"#;
    agent(&card, "1")
        .replacen("(component", &import, 1)
        .replacen("(core module $m", module, 1)
        .replacen("(instantiate $m)", host, 1)
        .replacen(r#"(func (export "describe") (result i32)"#, &tell, 1)
}

/// What an agent says of itself depends on nothing: it is told the same time and the same chance
/// wherever and whenever it is asked, and its runs are told others.
#[test]
fn a_card_is_a_function_of_the_component() {
    let mut names = BTreeSet::new();
    for (interface, function, told) in [
        ("wasi:clocks/monotonic-clock@0.2.0", "now", Some("aaaaaaaaaaaaaaaa")),
        ("wasi:random/random@0.2.0", "get-random-u64", None),
        ("wasi:random/insecure@0.2.0", "get-insecure-random-u64", None),
    ] {
        let text = asking(interface, function);
        let (one, other) = (component(&text).unwrap(), component(&text).unwrap());
        assert_eq!(one.card_digest(), other.card_digest(), "{function}");
        assert_eq!(told.unwrap_or(&one.card().name), one.card().name, "{function}");
        names.insert(one.card().name.clone());
    }
    assert_eq!(names.len(), 2, "the first of chance is the first of chance");
}

#[test]
fn a_card_that_is_no_card_is_refused() {
    for card in ["{}", "", "[]", r#"{"name":"x","version":"1","skills":[]}"#] {
        assert!(matches!(component(&agent(card, "1")), Err(NotRunnable::Card(_))), "{card}");
    }
}
