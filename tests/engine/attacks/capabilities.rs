//! Every capability that a warrant can leave out, and what nobody has yet.

use envelope_evidence::journal::Outcome;
use envelope_rules::guard::Capability;

use super::table::{Case, case, hold};
use crate::engine::world::Setup;

const NOT: &[&str] = &["policy.not-granted"];
const NEVER: &[&str] = &["policy.forbidden"];

/// An interface without room for a refusal: the run ends.
const fn ends(
    name: &'static str,
    acts: &'static str,
    under: fn(Setup) -> Setup,
    fine: &'static str,
) -> Case {
    case(20, name, acts, "")
        .under(under)
        .ends(Outcome::Denied, "policy.not-granted")
        .denies(NOT)
        .but_under(|it| it, fine)
}

/// What has no substance yet is refused, and the run goes on.
const fn later(name: &'static str, acts: &'static str, sees: &'static str) -> Case {
    case(20, name, acts, sees).denies(NEVER).but("noop", "noop: ok")
}

const fn socket(name: &'static str, acts: &'static str, sees: &'static str) -> Case {
    case(20, name, acts, sees).denies(NEVER).but("noop", "noop: ok")
}

fn no_clock(setup: Setup) -> Setup {
    setup.deny(Capability::Clock)
}

fn no_random(setup: Setup) -> Setup {
    setup.deny(Capability::Random)
}

fn no_run(setup: Setup) -> Setup {
    setup.deny(Capability::Run)
}

pub const CASES: &[Case] = &[
    ends("no clock: wall clock", "now", no_clock, "now: ok 1748133600.000"),
    ends("no clock: monotonic", "age", no_clock, "age: ok 0"),
    ends("no clock: timer", "sleep 5", no_clock, "sleep: ok"),
    ends("no clock: instant", "wait-until 5", no_clock, "wait-until: ok"),
    ends("no clock: ready", "ready 0", no_clock, "ready: ok true"),
    ends("no clock: poll", "poll 3", no_clock, "poll: ok 3"),
    ends("no random: bytes", "random 0", no_random, "random: ok 0 cbf29ce484222325"),
    ends("no random: number", "random-number", no_random, "random-number: ok true"),
    ends("no random: insecure", "insecure 0", no_random, "insecure: ok 0 cbf29ce484222325"),
    ends("no random: insecure number", "insecure-number", no_random, "insecure-number: ok true"),
    ends("no random: seed", "seed", no_random, "seed: ok true"),
    ends(
        "no environment",
        "environment",
        |it| it.deny(Capability::Environment),
        "environment: ok []",
    ),
    ends(
        "no environment: folder",
        "cwd",
        |it| it.deny(Capability::Environment),
        "cwd: ok Some(\"/\")",
    ),
    ends("no run: about", "about", no_run, "about: ok run_1 run Some(\"out/\")"),
    ends("no run: left", "left", no_run, "left: ok Some(99999)"),
    ends("no run: denial", "denial", no_run, "denial: ok none"),
    case(20, "no stdio: output", "noop", "")
        .under(|it| it.deny(Capability::Stdio))
        .denies(NOT)
        .but("noop", "noop: ok"),
    case(20, "no stdio: input", "stdin 4; exit 3", "")
        .under(|it| it.deny(Capability::Stdio))
        .ends(Outcome::Failed, "exit 3")
        .denies(&["policy.not-granted", "policy.not-granted"])
        .but("stdin 4", "stdin: ok 4"),
    case(20, "no stdio: errors", "stderr x", "")
        .under(|it| it.deny(Capability::Stdio))
        .denies(&["policy.not-granted", "policy.not-granted"])
        .but("stderr x", "stderr: ok"),
    case(20, "no trace: log", "log x", "log: denied policy.not-granted")
        .under(|it| it.deny(Capability::Trace))
        .denies(NOT)
        .but("log x", "log: ok"),
    case(20, "no trace: progress", "progress 1 2", "progress: denied policy.not-granted")
        .under(|it| it.deny(Capability::Trace))
        .denies(NOT)
        .but("progress 1 2", "progress: ok"),
    case(20, "no trace: emit", "emit x", "emit: denied policy.not-granted")
        .under(|it| it.deny(Capability::Trace))
        .denies(NOT)
        .but("emit x", "emit: ok"),
    case(20, "no artifacts", "artifact a x", "artifact: denied policy.not-granted")
        .under(|it| it.deny(Capability::Artifacts))
        .denies(NOT)
        .but("artifact a x", "artifact: ok"),
    later("a model", "model large", "model: denied policy.forbidden"),
    later("a stream of a model", "model-stream large", "model-stream: denied policy.forbidden"),
    later("an embedding", "embed large", "embed: denied policy.forbidden"),
    case(16, "another agent", "agent other@local", "agent: denied policy.forbidden")
        .denies(NEVER)
        .but("noop", "noop: ok"),
    case(
        16,
        "many agents",
        "call-all 2 other@local - - 60 0 9 noop",
        "call-all: ok denied policy.forbidden & denied policy.forbidden",
    )
    .denies(&["policy.forbidden", "policy.forbidden"])
    .but("noop", "noop: ok"),
    later("more scope", "scope everything", "scope: denied policy.forbidden"),
    later("a question", "ask may I", "ask: denied policy.forbidden"),
    later(
        "the reason is told",
        "model large; denial",
        "model: denied policy.forbidden; denial: ok policy.forbidden",
    ),
    case(20, "a request", "send GET|https|example.org|/", "send: 403 policy.forbidden")
        .denies(NEVER)
        .but("noop", "noop: ok"),
    socket("a tcp socket", "tcp", "tcp: access-denied"),
    socket("a udp socket", "udp", "udp: access-denied"),
    // The network is a handle with which nothing can be done.
    case(20, "the network", "network", "network: ok").denies(NEVER).but("noop", "noop: ok"),
    case(20, "a name", "dns example.com", "dns: access-denied")
        .denies(&["policy.forbidden", "policy.forbidden"])
        .but("noop", "noop: ok"),
];

#[test]
fn what_is_not_granted_is_not_done() {
    hold(CASES);
}
