//! The guard: each denial beside the same call that is admitted, and nothing moved by a denial.

use envelope_evidence::journal::Recovery;
use envelope_evidence::{Digest, Dimension, Usage};
use envelope_rules::budget::{Cap, PriceBook};
use envelope_rules::denial::Code;
use envelope_rules::egress::policy::{Ceiling, Policy};
use envelope_rules::egress::target::Target;
use envelope_rules::grant::{Access, Budget, Claims, FileOp, GrantKeys};
use envelope_rules::guard::{
    Act, BadWarrant, Begun, Call, Capability, CapabilitySet, ModelRule, Warrant, WarrantDocument,
};
use envelope_rules::path::Path;
use proptest::prelude::*;

use super::guard_world::{EXP, World, at, bounds, call, document, egress, file, label};

/// The call is admitted in a sound world, and denied with `code` once `spoil` was at work. The
/// denial moves nothing.
fn check(act: Act<'_>, code: Code, spoil: impl FnOnce(&mut World)) {
    let call = call(act);
    let permit = World::new().admit(&call).expect("the positive control");
    assert_eq!(permit.request(), call.request);
    check_denied(&call, code, spoil);
}

fn check_denied(call: &Call<'_>, code: Code, spoil: impl FnOnce(&mut World)) {
    let mut world = World::new();
    spoil(&mut world);
    let before = world.meter.state().clone();
    assert_eq!(world.admit(call).unwrap_err().code(), code);
    assert_eq!(*world.meter.state(), before, "a denial moves nothing");
}

#[test]
fn every_capability_needs_both_keys() {
    let path = Path::parse("rfp/a.pdf").unwrap();
    let target = Target::parse("GET", "https://api.ok.example.com/v1/x").unwrap();
    let bounds = bounds(100);
    for capability in Capability::ALL {
        let act = match capability {
            Capability::Files => file(Access::Read, &path),
            Capability::Http => Act::Http(&target),
            Capability::Model => Act::Model { model: "fast", bounds: &bounds },
            Capability::Agents => Act::Agent("checker@svc"),
            other => Act::Plain(other),
        };
        assert_eq!(act.capability(), capability);
        let others = Capability::ALL.into_iter().filter(|&other| other != capability);
        let others = others.fold(CapabilitySet::NONE, CapabilitySet::with);
        check(act, Code::Forbidden, |world| world.operator.capabilities = others);
        check(act, Code::NotGranted, |world| {
            let document = WarrantDocument { capabilities: others, ..document() };
            world.warrant = Warrant::new(document).unwrap();
        });
        check(act, Code::DeadlinePassed, |world| world.now = at(EXP + 100));
    }
}

/// Named by its capability alone, a file, a destination, a model or an agent would pass unseen.
#[test]
fn what_has_an_act_of_its_own_is_never_plain() {
    let own = [Capability::Files, Capability::Http, Capability::Model, Capability::Agents];
    for capability in Capability::ALL {
        let answer = World::new().admit(&call(Act::Plain(capability)));
        let expected = own.contains(&capability).then_some(Code::Forbidden);
        assert_eq!(answer.err().map(|denial| denial.code()), expected, "{capability:?}");
    }
}

#[test]
fn files_pass_the_six_checks() {
    let (inside, outside) = (Path::parse("rfp/a.pdf").unwrap(), Path::parse("x/a.pdf").unwrap());
    let read = file(Access::Read, &inside);
    check(read, Code::NotGranted, |world| world.grant = None);
    check(read, Code::GrantKey, |world| world.keys = GrantKeys::new(vec![]).unwrap());
    check(read, Code::GrantAudience, |world| {
        let document = WarrantDocument { agent: label("other@svc"), ..document() };
        world.warrant = Warrant::new(document).unwrap();
    });
    check(read, Code::GrantExpired, |world| world.now = at(EXP));
    check(read, Code::GrantRevoked, |world| world.revoked = true);
    check(read, Code::GrantUnredeemed, |world| world.bound_run = None);
    check(read, Code::GrantUsed, |world| world.bound_run = Some("run_2"));
    for other in [None, Some(Digest::of(b"another Paper"))] {
        check(read, Code::GrantPaper, |world| {
            world.regrant(|claims| claims.paper = Some(Digest::of(b"paper")));
            let _permit = world.admit(&call(read)).expect("of the same Paper");
            *world = World::new();
            world.regrant(|claims| claims.paper = Some(Digest::of(b"paper")));
            world.warrant = Warrant::new(WarrantDocument { paper: other, ..document() }).unwrap();
        });
    }
    check_denied(&call(file(Access::Look, &outside)), Code::PathOutside, |_| {});
    check_denied(&call(file(Access::Read, &outside)), Code::PathOutside, |_| {});
    check_denied(&call(file(Access::Write, &inside)), Code::OutputsOutside, |_| {});
}

/// Files name the grant; the network does not, and ends with it all the same.
#[test]
fn a_grant_that_ended_ends_the_network() {
    let target = Target::parse("GET", "https://api.ok.example.com/v1/x").unwrap();
    for act in [Act::Http(&target), Act::Reply(&target)] {
        check(act, Code::GrantRevoked, |world| world.revoked = true);
        check(act, Code::GrantUnredeemed, |world| world.bound_run = None);
        check(act, Code::GrantUsed, |world| world.bound_run = Some("another"));
        check(act, Code::GrantAudience, |world| {
            world.regrant(|claims| claims.aud = "another@svc".to_owned());
        });
    }
}

#[test]
fn both_ends_of_a_rename_are_judged() {
    let paths = ["rfp/draft/a", "rfp/draft/b", "rfp/a.pdf"].map(|text| Path::parse(text).unwrap());
    let write = |path| FileOp { access: Access::Write, path };
    let rename = |from, to| call(Act::File { op: write(from), also: Some(write(to)) });
    let [a, b, outside] = &paths;
    let _permit = World::new().admit(&rename(a, b)).expect("the positive control");
    check_denied(&rename(a, outside), Code::OutputsOutside, |_| {});
    check_denied(&rename(outside, b), Code::OutputsOutside, |_| {});
}

#[test]
fn destinations_need_operator_and_warrant() {
    let target = Target::parse("GET", "https://api.ok.example.com/v1/x").unwrap();
    let elsewhere = || egress("else.ok.example.com");
    check(Act::Http(&target), Code::Forbidden, |world| {
        world.operator.egress = Policy::compile(elsewhere()).unwrap().into();
    });
    check(Act::Http(&target), Code::EgressHost, |world| {
        let document = WarrantDocument { egress: elsewhere(), ..document() };
        world.warrant = Warrant::new(document).unwrap();
    });
    // The rest of an answer needs what the request needed.
    check(Act::Reply(&target), Code::EgressHost, |world| {
        let document = WarrantDocument { egress: elsewhere(), ..document() };
        world.warrant = Warrant::new(document).unwrap();
    });
    let path = Target::parse("GET", "https://api.ok.example.com/v2/x").unwrap();
    check_denied(&call(Act::Http(&path)), Code::Forbidden, |_| {});
    check_denied(&call(Act::Http(&path)), Code::EgressPath, |world| {
        let mut wide = egress("*.ok.example.com");
        wide.rules[0].paths = vec!["/**".into()];
        world.operator.egress = Policy::compile(wide).unwrap().into();
    });
    // An operator who goes as far as the warrant adds no refusal of his own, and no leave.
    check_denied(&call(Act::Http(&path)), Code::EgressPath, |world| {
        world.operator.egress = Ceiling::Warrant;
    });
    check(Act::Http(&target), Code::EgressHost, |world| {
        let document = WarrantDocument { egress: elsewhere(), ..document() };
        world.warrant = Warrant::new(document).unwrap();
        world.operator.egress = Ceiling::Warrant;
    });
}

#[test]
fn models_need_a_rule_a_price_and_money() {
    let (fits, long) = (bounds(100), bounds(101));
    let fast = Act::Model { model: "fast", bounds: &fits };
    check(fast, Code::BudgetUnpriced, |world| world.operator.prices = PriceBook::default());
    check(fast, Code::BudgetExhausted, |world| {
        *world = World::with_cap(Cap::NONE.with(Dimension::NanoUsd, 209).unwrap());
    });
    let mut exact = World::with_cap(Cap::NONE.with(Dimension::NanoUsd, 210).unwrap());
    let permit = exact.admit(&call(fast)).expect("10 × 1 + 100 × 2 nano-dollars");
    assert_eq!(permit.worst().get(Dimension::NanoUsd), 210);
    let long = call(Act::Model { model: "fast", bounds: &long });
    check_denied(&long, Code::ModelOutside, |_| {});
    let other = call(Act::Model { model: "large", bounds: &fits });
    check_denied(&other, Code::ModelOutside, |_| {});
}

/// The meter's own cap is a million: the warrant's budget, or the grant's, is what denies.
#[test]
fn the_lowest_budget_holds() {
    let bounds = bounds(100);
    let fast = Act::Model { model: "fast", bounds: &bounds };
    let cap = |limit| Cap::NONE.with(Dimension::NanoUsd, limit).unwrap();
    let warrant = |budget| Warrant::new(WarrantDocument { budget, ..document() }).unwrap();
    let granted = |limit| move |claims: &mut Claims| claims.budget = Some(Budget::nano_usd(limit));
    check(fast, Code::BudgetExhausted, |world| world.warrant = warrant(cap(209)));
    check(fast, Code::BudgetExhausted, |world| world.regrant(granted(209)));
    check(fast, Code::BudgetExhausted, |world| {
        world.warrant = warrant(cap(209));
        world.regrant(granted(500));
    });
    let mut world = World::new();
    world.warrant = warrant(cap(500));
    world.regrant(granted(420));
    assert_eq!(world.headroom().get(Dimension::NanoUsd), 420);
    let _first = world.admit(&call(fast)).unwrap();
    let second = world.admit(&call(fast)).unwrap();
    let _settled = world.meter.void(second.spend());
    assert_eq!(world.headroom().get(Dimension::NanoUsd), 210);
    world.regrant(granted(419));
    assert_eq!(world.admit(&call(fast)).unwrap_err().code(), Code::BudgetExhausted);
    world.regrant(|_| ());
    let _third = world.admit(&call(fast)).expect("a rotation can lift the grant's ceiling");
    let denial = world.admit(&call(fast)).unwrap_err();
    assert_eq!(denial.detail(), "run `run_1`: nano_usd wanted 210, remaining 80");
}

#[test]
fn agents_need_a_rule() {
    check(Act::Agent("checker@svc"), Code::AgentOutside, |world| {
        let document = WarrantDocument { agents: Vec::new(), ..document() };
        world.warrant = Warrant::new(document).unwrap();
    });
}

#[test]
fn every_call_is_counted() {
    let mut world = World::with_cap(Cap::NONE.with(Dimension::Calls, 2).unwrap());
    let clock = call(Act::Plain(Capability::Clock));
    for _ in 0..2 {
        let hold = world.admit(&clock).unwrap().spend();
        let worst = *hold.worst();
        assert_eq!(world.meter.settle(hold, worst).overspent, None);
    }
    assert_eq!(world.admit(&clock).unwrap_err().code(), Code::BudgetExhausted);
}

#[test]
fn an_amount_too_large_to_add_is_denied() {
    let most = envelope_evidence::usage::MAX_EXACT;
    let worst = Usage::ZERO.with(Dimension::Calls, most).unwrap();
    let flood = Call { worst, ..call(Act::Plain(Capability::Clock)) };
    check_denied(&flood, Code::BudgetOverflow, |_| {});
}

#[test]
fn what_began_is_recovered_by_its_class() {
    let post = Target::parse("POST", "https://api.ok.example.com/v1/x").unwrap();
    let worst = Usage::ZERO.with(Dimension::NanoUsd, 210).unwrap();
    let begun_as = |class| match class {
        Recovery::SameKey => Call { worst, ..call(Act::Agent("checker@svc")) },
        Recovery::Again => Call { worst, ..call(Act::Plain(Capability::Clock)) },
        Recovery::Once => Call { worst, ..call(Act::Http(&post)) },
    };
    let recover = |class, written, spoil: &dyn Fn(&mut World)| {
        let mut world = World::new();
        let call = begun_as(class);
        let permit = world.admit(&call).unwrap();
        assert_eq!(permit.recovery(), class);
        let hold = permit.hold_id();
        let begun = Begun { request: permit.request(), recovery: written, hold };
        drop(permit);
        world.crash();
        spoil(&mut world);
        let result = world.readmit(&begun, &call).map_err(|denial| denial.code());
        let result = result.map(|permit| (permit.recovery(), permit.hold_id() == hold));
        let (spent, held) = world.books();
        (result, spent.get(Dimension::NanoUsd), held.get(Dimension::NanoUsd))
    };
    let [same_key, again, once] = [Recovery::SameKey, Recovery::Again, Recovery::Once];
    let kept = Ok((same_key, true));
    assert_eq!(recover(same_key, same_key, &|_| {}), (kept, 0, 210), "one reservation, kept");
    let fresh = Ok((again, false));
    assert_eq!(recover(again, again, &|_| {}), (fresh, 210, 210), "the first counts as spent");
    let human = Err(Code::HumanDecides);
    assert_eq!(recover(once, once, &|_| {}), (human, 0, 210), "held until a human decides");

    for (class, written) in
        [(once, again), (once, same_key), (same_key, again), (again, same_key), (same_key, once)]
    {
        let what = format!("{class:?}, written down as {written:?}");
        assert_eq!(recover(class, written, &|_| {}), (human, 0, 210), "{what}");
    }

    let late = |world: &mut World| world.now = at(EXP + 100);
    let denied = Err(Code::DeadlinePassed);
    assert_eq!(recover(same_key, same_key, &late), (denied, 0, 210));
    assert_eq!(recover(again, again, &late), (denied, 210, 0));
}

#[test]
fn a_repeated_call_fits_what_was_held_for_it() {
    let worst = Usage::ZERO.with(Dimension::NanoUsd, 210).unwrap();
    let began = Call { worst, ..call(Act::Agent("checker@svc")) };
    let mut world = World::new();
    let permit = world.admit(&began).unwrap();
    let (hold, recovery) = (permit.hold_id(), Recovery::SameKey);
    let begun = Begun { request: permit.request(), recovery, hold };
    drop(permit);
    world.crash();
    let dearer = Usage::ZERO.with(Dimension::NanoUsd, 211).unwrap();
    let denial = world.readmit(&begun, &Call { worst: dearer, ..began }).unwrap_err();
    assert_eq!(denial.code(), Code::BudgetExhausted);
    assert_eq!(denial.detail(), "nano_usd wanted 211, held 210");
    assert_eq!(world.meter.orphans().collect::<Vec<_>>(), [hold], "it can still be taken back");
    let _permit = world.readmit(&begun, &began).expect("the positive control");
    assert_eq!(world.meter.orphans().count(), 0);
}

#[test]
fn only_the_call_that_began_is_recovered_and_only_once() {
    let act = Act::Agent("checker@svc");
    let mut world = World::new();
    let permit = world.admit(&call(act)).unwrap();
    let hold = permit.hold_id();
    let begun = Begun { request: permit.request(), recovery: Recovery::SameKey, hold };
    drop(permit);
    world.crash();
    let other = Call { request: Digest::of(b"another request"), ..call(act) };
    assert_eq!(world.readmit(&begun, &other).unwrap_err().code(), Code::OtherCall);
    let permit = world.readmit(&begun, &call(act)).expect("the positive control");
    assert_eq!(world.readmit(&begun, &call(act)).unwrap_err().code(), Code::OtherCall);
    let settled = world.meter.settle(permit.spend(), Usage::ZERO);
    assert_eq!(settled.overspent, None);
}

/// A class that changes decides what happens twice after a crash: it never changes unseen.
#[test]
fn recovery_follows_what_may_happen_twice() {
    let (path, bounds) = (Path::parse("a").unwrap(), bounds(1));
    let mut rows = vec![
        ("files: look".to_owned(), file(Access::Look, &path).recovery()),
        ("files: read".to_owned(), file(Access::Read, &path).recovery()),
        ("files: write".to_owned(), file(Access::Write, &path).recovery()),
        ("model".to_owned(), Act::Model { model: "fast", bounds: &bounds }.recovery()),
        ("agents".to_owned(), Act::Agent("a").recovery()),
    ];
    for method in ["GET", "HEAD", "OPTIONS", "QUERY", "POST", "PUT", "PATCH", "DELETE"] {
        let target = Target::parse(method, "https://api.ok.example.com/v1/x").unwrap();
        rows.push((format!("http: {method}"), Act::Http(&target).recovery()));
        assert_eq!(Act::Reply(&target).recovery(), Recovery::Again, "nothing is sent for it");
    }
    let own = [Capability::Files, Capability::Http, Capability::Model, Capability::Agents];
    let plain = Capability::ALL.into_iter().filter(|capability| !own.contains(capability));
    rows.extend(plain.map(|it| (it.name().to_owned(), Act::Plain(it).recovery())));
    let rows = rows.iter().map(|(act, recovery)| format!("| {act} | {recovery:?} |\n"));
    let table = format!("| Act | Recovery |\n|---|---|\n{}", rows.collect::<String>());
    crate::golden::check("recovery.md", &table);
}

#[test]
fn a_warrant_has_one_spelling_and_is_checked_at_load() {
    let warrant = Warrant::new(document()).unwrap();
    let bytes = envelope_evidence::canonical::of(warrant.document()).unwrap();
    assert_eq!(Warrant::parse(&bytes).unwrap().digest(), warrant.digest());
    assert!(Warrant::parse(&[b" ".as_slice(), &bytes].concat()).is_err());
    let paperless = WarrantDocument { paper: None, ..document() };
    let paperless = String::from_utf8(envelope_evidence::canonical::of(&paperless).unwrap());
    let paperless = paperless.unwrap();
    assert!(Warrant::parse(paperless.as_bytes()).is_ok());
    let left_out = paperless.replace(r#""paper":null,"#, "");
    assert!(Warrant::parse(left_out.as_bytes()).is_err(), "its digest would be another's");

    let refused = |change: &dyn Fn(&mut WarrantDocument)| {
        let mut document = document();
        change(&mut document);
        Warrant::new(document).unwrap_err()
    };
    let rule = || ModelRule { model: label("fast"), max_output: 1, nano_usd: None };
    assert_eq!(refused(&|it| it.v = 2), BadWarrant::Version(2));
    assert_eq!(refused(&|it| it.models.push(rule())), BadWarrant::Twice(label("fast")));
    let list = |list, found, max| BadWarrant::List { list, found, max };
    assert_eq!(refused(&|it| it.models = vec![rule(); 65]), list("models", 65, 64));
    assert_eq!(refused(&|it| it.agents = vec![label("a"); 257]), list("agents", 257, 256));
    assert!(matches!(refused(&|it| it.egress.rules[0].host = "*".into()), BadWarrant::Egress(_)));
    let set = serde_json::from_str::<CapabilitySet>;
    assert!(set(r#"["files","clock"]"#).is_ok());
    for wrong in [r#"["clock","files"]"#, r#"["files","files"]"#, r#"["disk"]"#] {
        assert!(set(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn permitting_allocates_nothing() {
    let path = Path::parse("rfp/a.pdf").unwrap();
    let target = Target::parse("GET", "https://api.ok.example.com/v1/x").unwrap();
    let bounds = bounds(100);
    for act in [
        file(Access::Read, &path),
        Act::Http(&target),
        Act::Reply(&target),
        Act::Model { model: "fast", bounds: &bounds },
        Act::Agent("checker@svc"),
        Act::Plain(Capability::Random),
    ] {
        let mut world = World::new();
        let mut admitted = None;
        let info = allocation_counter::measure(|| admitted = Some(world.admit(&call(act))));
        assert!(admitted.unwrap().is_ok());
        assert_eq!(info.count_total, 0, "{act:?}");
    }
}

proptest! {
    /// What is admitted lies in the intersection: a world in which one party allows less admits no
    /// more.
    #[test]
    fn no_party_widens_another(
        operator in any::<u16>(),
        warrant in any::<u16>(),
        // The first four have acts of their own.
        wanted in 4..Capability::ALL.len(),
    ) {
        let set = |bits: u16| {
            let chosen = (0..).zip(Capability::ALL).filter(|(bit, _)| bits >> bit & 1 == 1);
            chosen.fold(CapabilitySet::NONE, |set, (_, capability)| set.with(capability))
        };
        let (operator, warrant) = (set(operator), set(warrant));
        let mut world = World::new();
        world.operator.capabilities = operator;
        let document = WarrantDocument { capabilities: warrant, ..document() };
        world.warrant = Warrant::new(document).unwrap();
        let wanted = Capability::ALL[wanted];
        let admitted = world.admit(&call(Act::Plain(wanted))).is_ok();
        prop_assert_eq!(admitted, operator.contains(wanted) && warrant.contains(wanted));
    }
}
