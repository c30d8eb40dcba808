//! Guests that do one thing, a given number of times.

/// Bytes that the reading guests ask for at once.
pub const READ: u32 = 1024;

/// Linear memory and initial data as a small compiled program has them.
const MEMORY: &str = r#"(memory (export "memory") 17)
    (data (i32.const 65536) "data that a program brings along")
    (global $top (mut i32) (i32.const 131072))
    ;; Gives the upper 900 KiB away round and round, in pieces of 16 bytes.
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
        (if (i32.gt_u (global.get $top) (i32.const 1000000))
            (then (global.set $top (i32.const 131072))))
        (global.get $top)
        (global.set $top (i32.add (global.get $top)
            (i32.and (i32.add (local.get 3) (i32.const 15)) (i32.const -16)))))"#;

/// Counts `$n` up to `times` around `body`.
fn repeat(times: u32, body: &str) -> String {
    format!(
        "(local $n i32) (loop $again {body}
            (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $n) (i32.const {times}))))"
    )
}

/// A program whose core module imports `host`, lowered from `imports`, and runs `body`.
fn program(imports: &str, core_imports: &str, host: &str, body: &str) -> Vec<u8> {
    let text = format!(
        r#"(component
        {imports}
        (core module $memory {MEMORY})
        (core instance $memory (instantiate $memory))
        (alias core export $memory "memory" (core memory $mem))
        (alias core export $memory "realloc" (core func $realloc))
        {host}
        (core module $main
            (import "memory" "memory" (memory 17))
            {core_imports}
            (func (export "run") (result i32) {body} (i32.const 0)))
        (core instance $main (instantiate $main
            (with "memory" (instance $memory)) (with "host" (instance $host))))
        (func $run (result (result)) (canon lift (core func $main "run")))
        (instance $it (export "run" (func $run)))
        (export "wasi:cli/run@0.2.0" (instance $it)))"#
    );
    wat::parse_str(&text).unwrap_or_else(|why| panic!("{why}"))
}

/// Does nothing.
pub fn nothing() -> Vec<u8> {
    program("", "", "(core instance $host)", "")
}

/// Asks for a random number.
pub fn chance(times: u32) -> Vec<u8> {
    program(
        r#"(import "wasi:random/random@0.2.0" (instance $random
            (export "get-random-u64" (func (result u64)))))"#,
        r#"(import "host" "number" (func $number (result i64)))"#,
        r#"(core func $number (canon lower (func $random "get-random-u64")))
        (core instance $host (export "number" (func $number)))"#,
        &repeat(times, "(drop (call $number))"),
    )
}

/// Asks for as many random bytes as the reading guest reads.
pub fn bytes(times: u32) -> Vec<u8> {
    program(
        r#"(import "wasi:random/random@0.2.0" (instance $random
            (export "get-random-bytes" (func (param "len" u64) (result (list u8))))))"#,
        r#"(import "host" "bytes" (func $bytes (param i64 i32)))"#,
        r#"(core func $bytes (canon lower (func $random "get-random-bytes")
            (memory $mem) (realloc (func $realloc))))
        (core instance $host (export "bytes" (func $bytes)))"#,
        &repeat(times, &format!("(call $bytes (i64.const {READ}) (i32.const 64))")),
    )
}

/// Waits for a day.
pub fn idle() -> Vec<u8> {
    program(
        r#"(import "wasi:io/poll@0.2.0" (instance $poll
            (export "pollable" (type $pollable (sub resource)))
            (export "[method]pollable.block" (func (param "self" (borrow $pollable))))))
        (alias export $poll "pollable" (type $pollable))
        (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
            (alias outer 1 $pollable (type $outer))
            (export "pollable" (type $pollable (eq $outer)))
            (export "subscribe-duration" (func (param "when" u64) (result (own $pollable))))))"#,
        r#"(import "host" "timer" (func $timer (param i64) (result i32)))
        (import "host" "block" (func $block (param i32)))"#,
        r#"(core func $timer (canon lower (func $clock "subscribe-duration")))
        (core func $block (canon lower (func $poll "[method]pollable.block")))
        (core instance $host
            (export "timer" (func $timer)) (export "block" (func $block)))"#,
        "(i32.store (i32.const 80000) (i32.const 1))
        (call $block (call $timer (i64.const 86400000000000)))",
    )
}

/// Opens the file `in/a` and reads it from its start.
pub fn reads(times: u32) -> Vec<u8> {
    let error = ERROR_CODES.map(|code| format!("{code:?}")).join(" ");
    let imports = format!(
        r#"(import "wasi:filesystem/types@0.2.0" (instance $types
            (export "descriptor" (type $descriptor (sub resource)))
            (type $error0 (enum {error}))
            (export "error-code" (type $error (eq $error0)))
            (type $path0 (flags "symlink-follow"))
            (export "path-flags" (type $path (eq $path0)))
            (type $open0 (flags "create" "directory" "exclusive" "truncate"))
            (export "open-flags" (type $open (eq $open0)))
            (type $how0 (flags "read" "write" "file-integrity-sync" "data-integrity-sync"
                "requested-write-sync" "mutate-directory"))
            (export "descriptor-flags" (type $how (eq $how0)))
            (export "[method]descriptor.open-at" (func
                (param "self" (borrow $descriptor)) (param "path-flags" $path)
                (param "path" string) (param "open-flags" $open) (param "flags" $how)
                (result (result (own $descriptor) (error $error)))))
            (export "[method]descriptor.read" (func
                (param "self" (borrow $descriptor)) (param "length" u64) (param "offset" u64)
                (result (result (tuple (list u8) bool) (error $error)))))))
        (alias export $types "descriptor" (type $descriptor))
        (import "wasi:filesystem/preopens@0.2.0" (instance $preopens
            (alias outer 1 $descriptor (type $outer))
            (export "descriptor" (type $descriptor (eq $outer)))
            (export "get-directories"
                (func (result (list (tuple (own $descriptor) string)))))))"#
    );
    let once = format!(
        "(call $read (local.get $file) (i64.const {READ}) (i64.const 0) (i32.const 64))
        (if (i32.load8_u (i32.const 64)) (then unreachable))"
    );
    let body = format!(
        r#"(local $file i32)
        (i32.store (i32.const 1024) (i32.const 0x612f6e69))
        (call $folders (i32.const 16))
        (call $open (i32.load (i32.load (i32.const 16))) (i32.const 0)
            (i32.const 1024) (i32.const 4) (i32.const 0) (i32.const 1) (i32.const 32))
        (if (i32.load8_u (i32.const 32)) (then unreachable))
        (local.set $file (i32.load (i32.const 36)))
        {}"#,
        repeat(times, &once).replace("(local $n i32)", "")
    );
    program(
        &imports,
        r#"(import "host" "folders" (func $folders (param i32)))
        (import "host" "open" (func $open (param i32 i32 i32 i32 i32 i32 i32)))
        (import "host" "read" (func $read (param i32 i64 i64 i32)))"#,
        r#"(core func $folders (canon lower (func $preopens "get-directories")
            (memory $mem) (realloc (func $realloc))))
        (core func $open (canon lower (func $types "[method]descriptor.open-at")
            (memory $mem) (realloc (func $realloc))))
        (core func $read (canon lower (func $types "[method]descriptor.read")
            (memory $mem) (realloc (func $realloc))))
        (core instance $host (export "folders" (func $folders))
            (export "open" (func $open)) (export "read" (func $read)))"#,
        &format!("(local $n i32) {body}"),
    )
}

const ERROR_CODES: [&str; 37] = [
    "access",
    "would-block",
    "already",
    "bad-descriptor",
    "busy",
    "deadlock",
    "quota",
    "exist",
    "file-too-large",
    "illegal-byte-sequence",
    "in-progress",
    "interrupted",
    "invalid",
    "io",
    "is-directory",
    "loop",
    "too-many-links",
    "message-size",
    "name-too-long",
    "no-device",
    "no-entry",
    "no-lock",
    "insufficient-memory",
    "insufficient-space",
    "not-directory",
    "not-empty",
    "not-recoverable",
    "unsupported",
    "no-tty",
    "no-such-device",
    "overflow",
    "not-permitted",
    "pipe",
    "read-only",
    "invalid-seek",
    "text-file-busy",
    "cross-device",
];
