//! Confused deputies: a narrow caller behind a wide callee. Each with what is allowed beside it.

use envelope_evidence::journal::Outcome;
use envelope_rules::guard::Capability;

use super::town::town;
use super::{counted, denied_once, handing};

/// The callee's own warrant lets it do everything: it does no more than its caller may.
#[test]
fn a_wide_callee_reads_nothing_that_its_caller_may_not() {
    let ran = town(&handing("read secret/key.txt|read top.txt|write out/x y|read in/b.txt")).run();
    assert_eq!(ran.said(), "call: ok read: access, read: access, write: access, read: ok beta");
    ran.replays_same();
}

#[test]
fn a_callee_has_no_capability_that_its_caller_lacks() {
    let ran = town(&handing("log x")).run();
    assert_eq!(ran.said(), "call: ok log: ok");
    let mut narrow = town(&handing("log x|read in/a.txt"));
    narrow.setup = narrow.setup.deny(Capability::Trace);
    let ran = narrow.run();
    assert_eq!(ran.said(), "call: ok log: denied policy.not-granted, read: ok alpha");
    ran.replays_same();
}

#[test]
fn nothing_wider_is_handed_on() {
    let cases = [
        ("call helper@local ** out/ 60 0 9 noop", "delegation.wider"),
        ("call helper@local in/**,secret/* out/ 60 0 9 noop", "delegation.wider"),
        ("call helper@local in/** in/ 60 0 9 noop", "delegation.wider"),
        ("call helper@local in/** - 60 1 9 noop", "budget.exhausted"),
        ("call helper@local in/** - 60 0 999999999 noop", "budget.exhausted"),
        ("call stranger@local in/** - 60 0 9 noop", "agent.outside"),
    ];
    for (acts, code) in cases {
        let town = town(acts);
        let ran = town.run();
        assert_eq!(ran.said(), format!("call: denied {code}"), "{acts}");
        denied_once(&ran, code);
        assert_eq!(counted(&town), 0, "{acts}: nobody ran");
    }
    let control = town("call helper@local in/** out/ 60 0 9 noop").run();
    assert_eq!(control.said(), "call: ok noop: ok");
}

/// A caller whose grant is another's, has expired or was withdrawn hands nothing on.
#[test]
fn a_grant_that_is_not_good_is_not_handed_on() {
    let acts = handing("noop");
    let mut others = town(&acts);
    others.setup.audience = "somebody@local";
    denied_once(&others.run(), "grant.audience");
    let mut elsewhere = town(&acts);
    elsewhere.setup.grant_run = "run_2";
    denied_once(&elsewhere.run(), "grant.used");
    let mut revoked = town(&acts);
    revoked.setup.state.revoked = true;
    denied_once(&revoked.run(), "grant.revoked");
    let mut none = town(&acts);
    none.setup.granted = false;
    denied_once(&none.run(), "policy.not-granted");
    for town in [&others, &elsewhere, &revoked, &none] {
        assert_eq!(counted(town), 0, "nobody ran");
    }
    assert_eq!(town(&acts).run().said(), "call: ok noop: ok");
}

/// A callee's callee is within both.
#[test]
fn what_was_handed_on_is_handed_on_in_part() {
    let wide = "call-deep helper@local in/** out/ 60 0 500 call-small guests@local ** out/ 60 0 9 \
                noop";
    let ran = town(wide).run();
    assert_eq!(ran.said(), "call-deep: ok call-small: denied delegation.wider");
    ran.replays_same();
    let part = "call-deep helper@local in/** out/ 60 0 500 call-small guests@local in/deep/* - 60 \
                0 99 read in/deep/c.txt^read in/a.txt";
    let ran = town(part).run();
    assert_eq!(ran.said(), "call-deep: ok call-small: ok read: ok gamma, read: access");
    assert_eq!(ran.end().0, Outcome::Ok);
}
