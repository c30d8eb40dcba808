//! Tiny components, from text where text is short and byte by byte where they are large.

use bytes::Bytes;

/// A component from its text.
pub(super) fn component(text: &str) -> Bytes {
    wat::parse_str(format!("(component {text})"))
        .unwrap_or_else(|why| panic!("{text}: {why}"))
        .into()
}

/// A component that instantiates one core module.
pub(super) fn around(module: &str) -> Bytes {
    component(&format!("(core module $m {module}) (core instance (instantiate $m))"))
}

/// A program whose `run` is the body given, with whatever its module holds beside.
pub(super) fn command(body: &str, beside: &str) -> Bytes {
    component(&format!(
        r#"(core module $m {beside} (func (export "run") (result i32) {body}))
        (core instance $i (instantiate $m))
        (func $run (result (result)) (canon lift (core func $i "run")))
        (instance $it (export "run" (func $run)))
        (export "wasi:cli/run@0.2.0" (instance $it))"#
    ))
}

/// The component that consists of `sections`.
pub(super) fn component_of(sections: &[Vec<u8>]) -> Bytes {
    [b"\0asm\x0d\0\x01\0".as_slice(), &sections.concat()].concat().into()
}

/// A core module of `sections`, as a section of a component.
pub(super) fn module_of(sections: &[Vec<u8>]) -> Vec<u8> {
    section(1, &[b"\0asm\x01\0\0\0".as_slice(), &sections.concat()].concat())
}

/// A section.
pub(super) fn section(id: u8, content: &[u8]) -> Vec<u8> {
    [&[id], leb(content.len()).as_slice(), content].concat()
}

/// A section of `count` times the same.
pub(super) fn section_of(id: u8, count: usize, item: &[u8]) -> Vec<u8> {
    section(id, &[leb(count), item.repeat(count)].concat())
}

/// A number as WebAssembly writes it.
pub(super) fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(number & 0x7f).unwrap();
        number >>= 7;
        bytes.push(if number > 0 { low | 0x80 } else { low });
        if number == 0 {
            return bytes;
        }
    }
}
