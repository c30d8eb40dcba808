//! Work that a guest has the host do: it is paid for in fuel, it is bounded, and it never panics.

use envelope_evidence::journal::Outcome;

use super::table::{Case, case, hold};

/// A flood that ends when the fuel does.
const fn flood(name: &'static str, acts: &'static str) -> Case {
    case(2, name, acts, "").under(|it| it.fuel(20_000_000)).ends(Outcome::Exhausted, "fuel")
}

const fn fails(class: u8, name: &'static str, acts: &'static str, sees: &'static str) -> Case {
    case(class, name, acts, sees).but("noop", "noop: ok")
}

const END_OF_TIME: &str = "write out/a x; times out/a 18446744073709551615:0";
const WRITTEN: &[&str] = &["out/a"];

pub const CASES: &[Case] = &[
    flood("a flood of clocks", "repeat 100000 now").but("now", "now: ok 1748133600.000"),
    flood("a flood of ages", "repeat 100000 age").but("age", "age: ok 0"),
    flood("a flood of chance", "repeat 100000 random 65536")
        .but("random 0", "random: ok 0 cbf29ce484222325"),
    flood("a flood of numbers", "repeat 100000 random-number")
        .but("random-number", "random-number: ok true"),
    flood("a flood of notes", "repeat 100000 log x").but("log x", "log: ok"),
    flood("a flood of lines", "repeat 100000 stderr x").but("stderr x", "stderr: ok"),
    flood("a flood of headers", "pure-http 1000000").but("pure-http 1", "pure-http: ok"),
    case(3, "headers without end", "fields 129", "")
        .ends(Outcome::Exhausted, "headers")
        .but("fields 128", "fields: ok 128"),
    flood("reading byte by byte", "bytewise in/a.txt").but("read in/a.txt", "read: ok alpha"),
    flood("a flood of looks", "repeat 100000 stat in/a.txt")
        .but("stat in/a.txt", "stat: ok file 5"),
    flood("a flood of lists", "repeat 100000 list in").but("list in", "list: ok a.txt,b.txt,deep"),
    flood("a flood of opens", "repeat 100000 open-folder in")
        .but("open-folder in", "open-folder: ok"),
    flood("a flood of resolutions", "repeat 1000000 resolution")
        .but("resolution", "resolution: ok 1000000 0"),
    flood("a flood of terminals", "repeat 1000000 terminal").but("terminal", "terminal: ok true"),
    flood("a flood of polls", "repeat 100000 poll 50").but("poll 50", "poll: ok 50"),
    flood("a flood of denials", "insist 100000 agent x")
        .but("noop", "noop: ok")
        .denies_many(&["policy.forbidden"]),
    case(2, "twenty thousand timers", "poll 20000", "")
        .ends(Outcome::Exhausted, "handles")
        .but("poll 1000", "poll: ok 1000"),
    case(2, "one timer twenty thousand times", "poll-same 20000", "")
        .ends(Outcome::Exhausted, "handles")
        .but("poll-same 1024", "poll-same: ok 1024"),
    case(2, "a gibibyte of chance", "random 1073741824", "")
        .ends(Outcome::Exhausted, "random bytes in one call")
        .but("random 0", "random: ok 0 cbf29ce484222325"),
    case(2, "all the chance there is", "insecure 18446744073709551615", "")
        .ends(Outcome::Exhausted, "random bytes in one call")
        .but("insecure 0", "insecure: ok 0 cbf29ce484222325"),
    case(2, "five thousand open files", "repeat 5000 hold in/a.txt", "")
        .ends(Outcome::Exhausted, "handles")
        .but("repeat 4000 hold in/a.txt", "repeat: ok"),
    case(3, "a list of a million texts", "embed-many 1000000", "")
        .ends(Outcome::Exhausted, "bytes of one call")
        .but("noop", "noop: ok"),
    case(3, "an artifact above what a call carries", "artifact-large 33554432", "")
        .ends(Outcome::Exhausted, "bytes of one call")
        .but("artifact-large 1048576", "artifact-large: ok"),
    case(3, "a note of a megabyte", "log-long 1048576", "log-long: invalid")
        .but("log-long 16384", "log-long: ok"),
    case(3, "more output than there is room", "too-much 65537", "")
        .ends(Outcome::Crashed, "a write that `check-write` did not permit")
        .but("noop", "noop: ok"),
    case(
        3,
        "a write at the end of numbers",
        "write-at 18446744073709551615 out/a",
        "write-at: file-too-large",
    )
    .leaves(WRITTEN)
    .but("write-at 0 out/a", "write-at: ok 1"),
    case(3, "a hole of a tebibyte", "write-at 1099511627776 out/a", "write-at: file-too-large")
        .leaves(WRITTEN)
        .but("write-at 100 out/a", "write-at: ok 1"),
    case(
        3,
        "a size of a tebibyte",
        "create out/a; size out/a 1099511627776",
        "create: ok; size: file-too-large",
    )
    .leaves(WRITTEN)
    .but("create out/a; size out/a 100", "create: ok; size: ok"),
    case(4, "a poll of an empty list", "poll-nothing", "")
        .ends(Outcome::Crashed, "a poll of an empty list")
        .but("poll 1", "poll: ok 1"),
    case(4, "times at the end of time", END_OF_TIME, "write: ok 1; times: ok")
        .leaves(WRITTEN)
        .but("write out/a x; times out/a 1:0", "write: ok 1; times: ok"),
    case(
        4,
        "times with too many nanoseconds",
        "write out/a x; times out/a 1:4294967295",
        "write: ok 1; times: invalid",
    )
    .leaves(WRITTEN)
    .but("write out/a x; times out/a 1:999999999", "write: ok 1; times: ok"),
    case(
        4,
        "times before the epoch",
        "write out/a x; times out/a -1:0; stat out/a",
        "write: ok 1; times: ok; stat: ok file 1",
    )
    .leaves(WRITTEN)
    .but("write out/a x; times out/a 0:0", "write: ok 1; times: ok"),
    fails(4, "reading past the end", "read-at in/a.txt 1099511627776", "read-at: ok 0 true"),
    fails(
        4,
        "reading at the end of numbers",
        "read-at in/a.txt 18446744073709551615",
        "read-at: invalid",
    ),
    fails(4, "skipping everything", "skip in/a.txt", "skip: ok 5"),
    case(4, "fields that are no object", "log-fields [1]", "log-fields: invalid")
        .but("log-fields {\"a\":1}", "log-fields: ok"),
    case(4, "an artifact's name with a path", "artifact ../x y", "artifact: invalid")
        .but("artifact x y", "artifact: ok"),
    case(4, "an artifact without a name", "artifact  y", "artifact: invalid")
        .but("artifact x y", "artifact: ok"),
    case(8, "an artifact that hides", "artifact .hidden y", "artifact: invalid")
        .but("artifact hidden y", "artifact: ok"),
    case(
        8,
        "an output where a folder is",
        "mkdir out/a; write out/a x",
        "mkdir: ok; write: is-directory",
    )
    .but("mkdir out/a; write out/a/b x", "mkdir: ok; write: ok 1"),
    case(8, "syncing for ever", "hold in/a.txt; repeat 1000000 held-sync", "hold: ok")
        .under(|it| it.fuel(20_000_000))
        .ends(Outcome::Exhausted, "fuel")
        .but("hold in/a.txt; held-sync", "hold: ok; held-sync: ok"),
    case(8, "five thousand files", "repeat 5000 mkdir out/{n}", "repeat: quota after 4096")
        .but("repeat 4095 mkdir out/{n}", "repeat: ok"),
];

#[test]
fn the_hosts_work_is_paid_for() {
    hold(CASES);
}
