//! What a component's bytes say of it.

use envelope_engine::component::{Refused, Shape, inspect};

use super::wasm::{command, component};

const SERVED: &[&str] = &["wasi:io/poll@0.2.12", "envelope:host/run@0.1.0"];

fn exporting(names: &[&str]) -> bytes::Bytes {
    let exports = names.iter().map(|name| format!("(export \"{name}\" (instance $i))"));
    component(&format!("(instance $i) {}", exports.collect::<String>()))
}

#[test]
fn the_shape_is_what_is_exported() {
    let (agent, program, http) =
        ("envelope:host/skills@0.1.0", "wasi:cli/run@0.2.3", "wasi:http/incoming-handler@0.2.0");
    for (exports, shape) in [
        (vec![agent], Some(Shape::Agent)),
        (vec!["envelope:host/skills@0.1.7"], Some(Shape::Agent)),
        (vec![program], Some(Shape::Command)),
        (vec![http], Some(Shape::Http)),
        // An agent may be a program too, and a program a server.
        (vec![http, program, agent], Some(Shape::Agent)),
        (vec![http, program], Some(Shape::Command)),
        // Another line of releases, another interface, no interface.
        (vec!["envelope:host/skills@0.2.0"], None),
        (vec!["envelope:host/skills@1.1.0"], None),
        (vec!["wasi:cli/run@0.3.0"], None),
        (vec!["wasi:cli/environment@0.2.0"], None),
        (vec![], None),
    ] {
        let inspection = inspect(&exporting(&exports), SERVED).unwrap();
        assert_eq!(inspection.shape, shape, "{exports:?}");
        assert_eq!(inspection.exports, exports);
        assert_eq!(inspection.admit(), shape.ok_or(Refused::Shapeless), "{exports:?}");
    }
    let said = Refused::Shapeless.to_string();
    assert!(said.contains("`envelope:host/skills@0.1.0`, `wasi:cli/run@0.2.0`"), "{said}");
}

#[test]
fn foreign_imports_are_listed() {
    let imports = [
        "wasi:io/poll@0.2.0",
        "wasi:io/poll@0.3.0",
        "wasi:sockets/tcp@0.2.12",
        "envelope:host/run@0.1.4",
        "envelope:host/run@0.2.0",
        "plain",
    ];
    let text = imports.map(|name| format!("(import \"{name}\" (instance))")).concat();
    let inspection = inspect(&component(&text), SERVED).unwrap();
    assert_eq!(inspection.imports, imports);
    let foreign =
        ["wasi:io/poll@0.3.0", "wasi:sockets/tcp@0.2.12", "envelope:host/run@0.2.0", "plain"];
    assert_eq!(inspection.foreign, foreign);
    let refused = inspection.admit().unwrap_err();
    assert_eq!(
        refused.to_string(),
        "it imports what is not offered here: `wasi:io/poll@0.3.0`, `wasi:sockets/tcp@0.2.12`, \
         `envelope:host/run@0.2.0`, `plain`"
    );
}

#[test]
fn imports_inside_are_nobodys_business() {
    let inner =
        "(component $c (import \"secret\" (func))) (import \"wasi:io/poll@0.2.0\" (instance))";
    let inspection = inspect(&component(inner), SERVED).unwrap();
    assert_eq!(inspection.imports, ["wasi:io/poll@0.2.0"]);
    assert_eq!(inspection.foreign, Vec::<String>::new());
}

#[test]
fn a_core_module_is_told_how_to_become_a_component() {
    let module = wat::parse_str("(module (func))").unwrap();
    let refused = inspect(&module, SERVED).unwrap_err();
    assert_eq!(refused, Refused::CoreModule);
    assert!(refused.to_string().contains("`--target wasm32-wasip2`"), "{refused}");
}

#[test]
fn what_is_no_webassembly_is_refused() {
    let good = command("i32.const 0", "");
    assert_eq!(inspect(&good, SERVED).unwrap().shape, Some(Shape::Command));
    for (bytes, refused) in [
        (b"".as_slice(), Refused::NotWasm("an empty file")),
        (b"#!/bin/sh\n", Refused::NotWasm("text")),
        (b"(component)", Refused::NotWasm("the text format of WebAssembly")),
        (&[0xff; 100], Refused::NotWasm("no WebAssembly")),
        (b"\0as", Refused::NotWasm("text")),
        (b"\0asm", Refused::Truncated { byte: 4 }),
        (b"\0asm\x0d\0\x01\0\x01", Refused::Truncated { byte: 9 }),
        (b"\0asm\x0d\0\x01\0\x01\x09\0", Refused::Truncated { byte: 10 }),
    ] {
        assert_eq!(inspect(bytes, SERVED), Err(refused), "{bytes:?}");
    }
    let new = inspect(b"\0asm\x0d\0\x02\0", SERVED);
    assert!(matches!(new, Err(Refused::Malformed { byte: 4, .. })), "{new:?}");
    // Whatever is cut off or flipped, looking at it ends with an answer.
    for end in 0..good.len() {
        let _ = inspect(&good[..end], SERVED);
    }
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut flipped = good.to_vec();
            flipped[at] ^= 1 << bit;
            let _ = inspect(&flipped, SERVED);
        }
    }
}
