//! Computing without end, memory and tables at their limits, and what one run leaves for the next.

use envelope_evidence::journal::Outcome;

use envelope_gate::stop::Stop;

use super::table::{Case, case, hold};
use crate::engine::world::{Beating, Change, Setup, run, setup};

const fn burns(name: &'static str, acts: &'static str) -> Case {
    case(1, name, acts, "").under(|it| it.fuel(100_000_000)).ends(Outcome::Exhausted, "fuel")
}

fn small(setup: Setup) -> Setup {
    setup.memory(4 << 20)
}

pub const CASES: &[Case] = &[
    burns("a loop without end", "spin").but("count 1000", "count: ok 499500"),
    burns("a long loop", "count 1000000000").but("count 10", "count: ok 45"),
    burns("filling memory", "refill 100000000").but("refill 3", "refill: ok 2"),
    burns("copying memory", "copy 100000000").but("copy 3", "copy: ok 1"),
    // Compilers keep what a function has in memory on a second stack, in the guest's own memory.
    // When that one is full first, the guest writes below address zero, and nobody outside can tell
    // this from any other stray write.
    case(1, "recursion without end", "recurse", "")
        .ends(Outcome::Crashed, "out of bounds memory access")
        .but("noop", "noop: ok"),
    case(1, "recursion without end, on the engine's stack", "descend", "")
        .ends(Outcome::Exhausted, "stack")
        .but("noop", "noop: ok"),
    case(1, "a panic", "panic oh", "")
        .ends(Outcome::Crashed, "wasm `unreachable` instruction executed")
        .but("noop", "noop: ok"),
    case(1, "leaving with a status", "exit 7; noop", "")
        .ends(Outcome::Failed, "exit 7")
        .but("exit 0", ""),
    case(5, "memory above the cap", "grow 1000; noop", "grow: refused; noop: ok")
        .under(small)
        .but_under(|it| it.memory(128 << 20), "grow: ok; noop: ok"),
    case(5, "memory page by page", "grow-gently 1000; noop", "grow-gently: refused; noop: ok")
        .under(small)
        .but_under(|it| it.memory(128 << 20), "grow-gently: ok; noop: ok"),
    case(5, "memory of the address space", "grow 65535; noop", "grow: refused; noop: ok")
        .but("grow 1", "grow: ok"),
    case(5, "allocating without end", "allocate-forever", "")
        .under(small)
        .ends(Outcome::Exhausted, "memory")
        .but("pattern 1000", "pattern: ok"),
    case(6, "nothing of an earlier run", "residue 400", "residue: ok 0")
        .but("pattern 20000000; residue 10", "pattern: ok; residue: ok 0"),
];

#[test]
fn bodies_stay_within_their_limits() {
    hold(CASES);
}

/// A guest that never calls is stopped by the clock, or by its owner, in the middle.
#[test]
fn a_loop_is_stopped_from_outside() {
    let beating = Beating::start();
    let spins = Setup { component: beating.guest.clone(), ..setup("spin").fuel(1 << 50) };
    let killed = Change::Stop(Stop::Killed("by the owner".to_owned()));
    for (spins, outcome, reason) in [
        (Setup { drift: 500_000, ..spins.clone() }, Outcome::Exhausted, "wall time"),
        (spins.after(5, killed), Outcome::Killed, "by the owner"),
    ] {
        let ran = run(&spins);
        assert_eq!(ran.end(), (outcome, reason.to_owned()));
        ran.outside_unchanged();
        ran.replays_same();
    }
}
