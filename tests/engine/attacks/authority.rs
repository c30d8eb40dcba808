//! Grants that are of no use: expired or withdrawn in the middle, of somebody else, missing; and
//! budgets, deadlines and switches that end a run.

use envelope_evidence::journal::Outcome;
use envelope_gate::stop::Stop;
use envelope_gate::world::GrantState;
use envelope_rules::guard::Capability;

use super::table::{Case, case, hold};
use crate::engine::world::{Change, Setup};

const READ: &str = "read in/a.txt";
const FINE: &str = "read: ok alpha";
const REFUSED: &str = "read: access";

/// A grant that lets nothing be read.
const fn useless(
    name: &'static str,
    code: &'static [&'static str],
    under: fn(Setup) -> Setup,
) -> Case {
    case(7, name, READ, REFUSED).under(under).denies(code).but(READ, FINE)
}

const fn as_is(setup: Setup) -> Setup {
    setup
}

pub const CASES: &[Case] = &[
    useless("no grant", &["policy.not-granted"], |it| Setup { granted: false, ..it }),
    useless("a grant for another agent", &["grant.audience"], |it| Setup {
        audience: "other@local",
        ..it
    }),
    useless("a grant of another run", &["grant.used"], |it| Setup { grant_run: "run_2", ..it }),
    useless("a grant that another run redeemed", &["grant.used"], |it| {
        let bound_run = Some("run_2".to_owned());
        Setup { state: GrantState { bound_run, revoked: false }, ..it }
    }),
    useless("a grant that nobody redeemed", &["grant.unredeemed"], |it| Setup {
        state: GrantState { bound_run: None, revoked: false },
        ..it
    }),
    useless("a revoked grant", &["grant.revoked"], |it| it.after(0, Change::Revoke)),
    useless("an expired grant", &["grant.expired"], |it| {
        Setup { ttl: 60, ..it }.after(0, Change::Clock(60_000))
    }),
    useless("a grant for nothing", &["path.outside"], |it| Setup { read: vec!["x/*"], ..it }),
    case(
        7,
        "revoked between two reads",
        "hold in/a.txt; held-read; held-read",
        "hold: ok; held-read: ok alpha; held-read: access",
    )
    .under(|it| it.after(5, Change::Revoke))
    .denies(&["grant.revoked"])
    .but_under(
        as_is,
        "hold: ok; held-read: ok alpha; \
        held-read: ok alpha",
    ),
    case(
        7,
        "expired between two reads",
        "hold in/a.txt; held-read; held-read",
        "hold: ok; held-read: ok alpha; held-read: access",
    )
    .under(|it| Setup { ttl: 60, ..it }.after(5, Change::Clock(60_000)))
    .denies(&["grant.expired"])
    .but_under(
        |it| Setup { ttl: 60, ..it }.after(5, Change::Clock(59_999)),
        "hold: ok; held-read: ok alpha; held-read: ok alpha",
    ),
    case(
        7,
        "revoked with a file open for writing",
        "hold-write out/a; held-write x",
        "hold-write: ok; held-write: access",
    )
    .under(|it| Setup { outputs: Some("out/"), ..it }.after(3, Change::Revoke))
    .denies(&["grant.revoked"])
    .leaves(&["out/a"])
    .but_under(as_is, "hold-write: ok; held-write: ok 1"),
    case(7, "no prefix to write below", "write out/a x", "write: access")
        .under(|it| Setup { outputs: None, ..it })
        .denies(&["outputs.outside"])
        .but_under(as_is, "write: ok 1"),
    case(2, "calls are used up", "repeat 30 stat in/a.txt", "")
        .under(|it| Setup { calls: 20, ..it })
        .denies(&["budget.exhausted", "budget.exhausted"])
        .but_under(as_is, "repeat: ok file 5"),
    case(2, "bytes are used up", "repeat 30 insecure 1000; noop", "")
        .under(|it| Setup { bytes: 20_000, ..it })
        .ends(Outcome::Denied, "budget.exhausted")
        .denies(&["budget.exhausted"])
        .but_under(as_is, "repeat: ok 1000 f8aef73d869ac712; noop: ok"),
    case(2, "the journal is full", "repeat 1000 now", "")
        .under(|it| it.journal(20_000))
        .ends(Outcome::Exhausted, "journal bytes")
        .but("now", "now: ok 1748133600.000"),
    case(2, "the output is full", "noop; noop; noop", "noop: ok")
        .under(|it| it.output(10))
        .ends(Outcome::Exhausted, "output bytes")
        .but("stdout x", "xstdout: ok"),
    case(2, "the log is full", "repeat 100 stderr 0123456789", "")
        .under(|it| it.output(100))
        .ends(Outcome::Exhausted, "output bytes")
        .but("stderr x", "stderr: ok"),
    case(1, "sleeping past the deadline", "sleep 10000000; noop", "")
        .ends(Outcome::Exhausted, "wall time")
        .but("sleep 1000; noop", "sleep: ok; noop: ok"),
    case(1, "waiting for the end of time", "wait-until 18446744073709551615", "")
        .ends(Outcome::Exhausted, "wall time")
        .but("wait-until 0", "wait-until: ok"),
    case(1, "calls after the deadline", "now; now", "now: ok 1748133600.000")
        .under(|it| it.after(3, Change::Clock(3_600_000)))
        .ends(Outcome::Denied, "run.deadline")
        .denies(&["run.deadline"])
        .but("now", "now: ok 1748133600.000"),
    case(1, "the kill switch", "now; now", "now: ok 1748133600.000")
        .under(|it| it.after(3, Change::Stop(Stop::Killed("by the owner".to_owned()))))
        .ends(Outcome::Killed, "by the owner")
        .but("now", "now: ok 1748133600.000"),
    case(7, "the warrant without files", READ, REFUSED)
        .under(|it| it.deny(Capability::Files))
        .denies(&["policy.not-granted"])
        .but(READ, FINE),
    case(7, "the operator without files", READ, REFUSED)
        .under(|it| it.forbid(Capability::Files))
        .denies(&["policy.forbidden"])
        .but(READ, FINE),
];

#[test]
fn authority_ends_where_it_ends() {
    hold(CASES);
}
