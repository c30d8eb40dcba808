//! WASI 0.2, function by function: what is implemented, what is denied by design, and the check
//! that a guest makes of it (`tests/guests/src/wasi.rs`), which is called like the function.
//!
//! Whoever serves one more function has one more row, and the guest one more check.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use envelope_evidence::journal::Outcome;

use super::imports::served;
use super::world::{Ran, run, setup};
use crate::net::peer::Peer;
use crate::net::{LOOPBACK, online};

const DONE: &str = "implemented";
const GRANT: &str = "implemented, but for `mutate-directory`: what may be changed is for the grant \
                     to say, and libraries open folders without that flag";
const MEBIBYTE: &str = "implemented, for 1 MiB at once: above, the run ends by that limit's name";
const MANY: &str = "implemented, for 1024 pollables at once: above, the run ends by that limit's \
                    name";
const NO_LINKS: &str = "denied by design: in a workspace a path is what it says, so that what was \
                        judged is what is opened";
const NO_SOCKETS: &str = "denied by design: a raw socket would pass by the list of destinations; \
                          `wasi:http` is judged";

const SMALL: &str = "implemented; names come in small letters, as newer versions of HTTP send them";
const TRAILERS: &str = "implemented, but for trailers: they are refused, as every part of a \
                        request that is not judged";
const NO_SERVER: &str = "denied by design: a run is asked nothing over HTTP, so no guest ever has \
                         a handle to call it with";
/// The check of what cannot be called.
const NONE: &str = "–";

const TYPES: &str = "filesystem/types";
const HTTP: &str = "http/types";
const TCP: &str = "sockets/tcp-create-socket create-tcp-socket";
const UDP: &str = "sockets/udp-create-socket create-udp-socket";
const NAMES: &str = "sockets/ip-name-lookup resolve-addresses";

/// What is not implemented, or not to the letter: the interface, its functions (`*` is all), why,
/// and the check of another function, where nobody gets a handle to call this one with.
const APART: &[(&str, &str, &str, Option<&str>)] = &[
    (TYPES, "descriptor.open-at", GRANT, None),
    ("random/random", "get-random-bytes", MEBIBYTE, None),
    ("random/insecure", "get-insecure-random-bytes", MEBIBYTE, None),
    ("io/poll", "poll", MANY, None),
    (TYPES, "descriptor.link-at descriptor.symlink-at", NO_LINKS, None),
    (HTTP, "fields.entries", SMALL, None),
    (HTTP, "[static]outgoing-body.finish", TRAILERS, None),
    (
        HTTP,
        "incoming-request.authority incoming-request.consume incoming-request.headers \
         incoming-request.method incoming-request.path-with-query incoming-request.scheme",
        NO_SERVER,
        Some(NONE),
    ),
    (HTTP, "[static]response-outparam.set", NO_SERVER, Some(NONE)),
    ("sockets/instance-network", "*", NO_SOCKETS, None),
    ("sockets/ip-name-lookup", "resolve-addresses", NO_SOCKETS, None),
    ("sockets/ip-name-lookup", "*", NO_SOCKETS, Some(NAMES)),
    ("sockets/tcp-create-socket", "*", NO_SOCKETS, None),
    ("sockets/tcp", "*", NO_SOCKETS, Some(TCP)),
    ("sockets/udp-create-socket", "*", NO_SOCKETS, None),
    ("sockets/udp", "*", NO_SOCKETS, Some(UDP)),
];

const PERMIT: &str = "a write that `check-write` did not permit";
const BLOCKING: &str = "a blocking write of more than 4096 bytes";
const CHILDREN: &str = "resource has children";

/// Acts that end the run: those that shall, and those that break a rule for which WASI has a trap.
const ENDS: &[(&str, Outcome, &str)] = &[
    ("cli/exit exit", Outcome::Ok, "exit 0"),
    ("cli/exit exit, failing", Outcome::Failed, "exit 1"),
    ("cli/exit exit-with-code", Outcome::Failed, "exit 7"),
    ("io/poll poll, of nothing", Outcome::Crashed, "a poll of an empty list"),
    ("io/streams output-stream.write, unpermitted", Outcome::Crashed, PERMIT),
    ("io/streams output-stream.write, above the permit", Outcome::Crashed, PERMIT),
    ("io/streams output-stream.write, a permit used twice", Outcome::Crashed, PERMIT),
    ("io/streams output-stream.write-zeroes, unpermitted", Outcome::Crashed, PERMIT),
    ("io/streams output-stream.blocking-write-and-flush, 4097 bytes", Outcome::Crashed, BLOCKING),
    (
        "io/streams output-stream.blocking-write-zeroes-and-flush, 4097 bytes",
        Outcome::Crashed,
        BLOCKING,
    ),
    ("http/types [static]incoming-body.finish, its stream open", Outcome::Crashed, CHILDREN),
    ("http/types [static]outgoing-body.finish, its stream open", Outcome::Crashed, CHILDREN),
];

/// A function of WASI: its interface, its name, whether it is implemented, its check.
struct Row {
    interface: String,
    function: String,
    state: &'static str,
    check: String,
}

fn rows() -> Vec<Row> {
    let functions = served().into_iter();
    let wasi = functions.filter_map(|(interface, function)| {
        let interface = interface.strip_prefix("wasi:")?.to_owned();
        Some((interface, function.replace("[method]", "")))
    });
    wasi.map(|(interface, function)| row(interface, function)).collect()
}

fn row(interface: String, function: String) -> Row {
    let apart = APART.iter().find(|(of, names, ..)| {
        *of == interface && (*names == "*" || names.split(' ').any(|name| name == function))
    });
    let own = format!("{interface} {function}");
    let (state, check) = match apart {
        Some((_, _, why, check)) => (*why, check.map_or(own, str::to_owned)),
        None => (DONE, own),
    };
    Row { interface, function, state, check }
}

/// Runs a check; one of HTTP with a peer, which is gone when the run is played again.
fn checked(check: &str) -> Ran {
    let ran = if check.starts_with("http/") {
        let peer = Peer::start(LOOPBACK);
        let act = format!("wasi {check} @PEER");
        run(&online(&peer, &["GET,POST http://PEER/v1/**"], &[&act]))
    } else {
        run(&setup(&format!("wasi {check}")))
    };
    ran.replays_same();
    ran.books_are_exact();
    ran
}

#[test]
fn every_function_has_its_row() {
    let mut table = String::from("| interface | function | | the check |\n|---|---|---|---|\n");
    for Row { interface, function, state, check } in rows() {
        writeln!(table, "| wasi:{interface} | {function} | {state} | {check} |").unwrap();
    }
    for (act, outcome, reason) in ENDS {
        let (interface, function) = act.split_once(' ').unwrap();
        let state = format!("ends the run: {} ({reason})", outcome.name());
        writeln!(table, "| wasi:{interface} | {function} | {state} | {act} |").unwrap();
    }
    crate::golden::check("wasi.md", &table);
}

#[test]
fn every_function_does_what_wasi_says() {
    let ends = |check: &String| check == NONE || ENDS.iter().any(|(act, ..)| act == check);
    let checks: BTreeSet<_> = rows().into_iter().map(|row| row.check).collect();
    let wrong = checks.iter().filter(|check| !ends(check)).filter_map(|check| {
        let said = checked(check).said();
        (!said.ends_with("wasi: ok")).then(|| format!("{check}: {said}"))
    });
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn what_ends_a_run_ends_it_by_its_name() {
    for (act, outcome, reason) in ENDS {
        let ran = checked(act);
        assert_eq!((ran.said(), ran.end()), (String::new(), (*outcome, (*reason).to_owned())));
    }
    assert_eq!(checked("no such function").said(), "wasi: no check", "a check that is missing");
}
