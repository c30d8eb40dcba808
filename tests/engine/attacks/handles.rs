//! Handles outlive a grant; what they are good for does not.

use envelope_evidence::journal::Outcome;

use super::table::{Case, case, hold};
use crate::engine::world::{Change, Setup};

const REVOKED: &[&str] = &["grant.revoked"];
const LEFT: &[&str] = &["out/a"];

const fn as_is(setup: Setup) -> Setup {
    setup
}

/// The grant is withdrawn when the file is open.
fn when_open(setup: Setup) -> Setup {
    setup.after(2, Change::Revoke)
}

/// The same, after the line that says so.
fn when_told(setup: Setup) -> Setup {
    setup.after(3, Change::Revoke)
}

const fn stream(name: &'static str, acts: &'static str, fine: &'static str) -> Case {
    case(7, name, acts, "in: access").under(when_open).denies(REVOKED).but_under(as_is, fine)
}

const fn sink(name: &'static str, acts: &'static str, fine: &'static str) -> Case {
    case(7, name, acts, "out: access")
        .under(when_told)
        .denies(REVOKED)
        .leaves(LEFT)
        .but_under(as_is, fine)
}

const fn held(
    name: &'static str,
    acts: &'static str,
    sees: &'static str,
    fine: &'static str,
) -> Case {
    case(7, name, acts, sees).under(when_told).denies(REVOKED).but_under(as_is, fine)
}

pub const CASES: &[Case] = &[
    stream("revoked before a read", "in read in/a.txt", "in: ok 5"),
    stream("revoked before a blocking read", "in blocking-read in/a.txt", "in: ok 5"),
    stream("revoked before a skip", "in skip in/a.txt", "in: ok 5"),
    stream("revoked before a blocking skip", "in blocking-skip in/a.txt", "in: ok 5"),
    sink("revoked before a write", "out write out/a", "out: ok"),
    sink("revoked before a flushed write", "out flushed out/a", "out: ok"),
    sink("revoked before an append", "out append out/a", "out: ok"),
    sink("revoked before zeroes", "out zeroes out/a", "out: ok"),
    sink("revoked before flushed zeroes", "out zeroes-flushed out/a", "out: ok"),
    sink("revoked before a splice", "out splice out/a", "out: ok 5"),
    sink("revoked before a blocking splice", "out blocking-splice out/a", "out: ok 5"),
    held(
        "revoked before a look",
        "hold in/a.txt; held-stat",
        "hold: ok; held-stat: access",
        "hold: ok; held-stat: ok 5",
    ),
    held(
        "revoked before a hash",
        "hold in/a.txt; held-hash",
        "hold: ok; held-hash: access",
        "hold: ok; held-hash: ok",
    ),
    held(
        "revoked before a list",
        "hold in; held-list",
        "hold: ok; held-list: access",
        "hold: ok; held-list: ok a.txt,b.txt,deep",
    ),
    held(
        "revoked before a size",
        "hold-write out/a; held-size 9",
        "hold-write: ok; held-size: access",
        "hold-write: ok; held-size: ok",
    )
    .leaves(LEFT),
    held(
        "revoked before times",
        "hold-write out/a; held-times",
        "hold-write: ok; held-times: access",
        "hold-write: ok; held-times: ok",
    )
    .leaves(LEFT),
    case(
        7,
        "times through a handle for reading",
        "hold in/a.txt; held-times",
        "hold: ok; held-times: access",
    )
    .denies(&["outputs.outside"])
    .but("hold-write out/a; held-times", "hold-write: ok; held-times: ok"),
    case(
        7,
        "a size through a handle for reading",
        "hold in/a.txt; held-size 0",
        "hold: ok; held-size: bad-descriptor",
    )
    .but("hold-write out/a; held-size 0", "hold-write: ok; held-size: ok"),
    case(
        7,
        "what no link can be read as",
        "readlink in/a.txt; readlink secret/key.txt",
        "readlink: invalid; readlink: access",
    )
    .denies(&["path.outside"])
    .but("noop", "noop: ok"),
    case(2, "a flood of passages", "passages 1000000", "")
        .under(|it| it.fuel(20_000_000))
        .ends(Outcome::Exhausted, "fuel")
        .but("passages 3", "passages: ok"),
    case(2, "a flood of complaints", "broken out/a", "")
        .under(|it| it.fuel(20_000_000))
        .ends(Outcome::Exhausted, "fuel")
        .but("noop", "noop: ok"),
];

#[test]
fn a_handle_is_no_permit() {
    hold(CASES);
}
