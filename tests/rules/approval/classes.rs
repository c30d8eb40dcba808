//! Calls that a human has to allow one by one, and what a human allows beside files.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use envelope_evidence::journal::Beside;
use envelope_evidence::{Dimension, Usage};
use envelope_rules::approval::{Class, Labelled, Rules};
use envelope_rules::budget::{Cap, ModelCall};
use envelope_rules::egress::target::Target;
use envelope_rules::guard::{Act, Capability, CapabilitySet, Warrant, WarrantDocument};
use envelope_rules::path::Path;
use envelope_rules::pattern::PatternSet;

use super::{label, policy};
use crate::rules::guard_world::document;

/// What the operator wants humans to allow one by one.
#[test]
fn a_class_holds_what_it_names_and_no_more() {
    let class = |capability, method: Option<&str>, to: Option<&str>, above_nano_usd| Class {
        capability,
        method: method.map(label),
        to: to.map(label),
        above_nano_usd,
        data: None,
    };
    let post = Target::parse("POST", "https://api.example.org/v1").unwrap();
    let choices = NonZeroU32::MIN;
    let bounds = ModelCall { input: 1, max_output: 1, choices, writes_cache: false };
    let (http, agent) = (Act::Http(&post), Act::Agent("helper@local"));
    let model = Act::Model { model: "stub/a", bounds: &bounds };
    let dear = Usage::ZERO.with(Dimension::NanoUsd, 100).unwrap();
    let cases = [
        (class(Capability::Http, None, None, None), &http, true),
        (class(Capability::Http, Some("POST"), Some("api.example.org"), None), &http, true),
        (class(Capability::Http, Some("GET"), None, None), &http, false),
        (class(Capability::Http, None, Some("example.org"), None), &http, false),
        (class(Capability::Model, None, None, None), &http, false),
        (class(Capability::Agents, None, Some("helper@local"), None), &agent, true),
        (class(Capability::Agents, None, Some("other@local"), None), &agent, false),
        (class(Capability::Model, None, None, Some(99)), &model, true),
        (class(Capability::Model, None, None, Some(100)), &model, false),
        (class(Capability::Model, Some("POST"), None, None), &model, false),
        (class(Capability::Files, None, None, None), &Act::Reply(&post), false),
        (class(Capability::Http, None, None, None), &Act::Reply(&post), false),
    ];
    for (class, act, holds) in cases {
        let rules = Rules {
            policy: policy(1),
            window: 60,
            most: None,
            calls: vec![class.clone()],
            data: Vec::new(),
        };
        assert_eq!(rules.ask_about(act, &dear, &BTreeSet::new()), holds, "{class:?}");
        // Of data only where the run carries it, and everything else as before.
        let calls = vec![Class { data: Some(label("medical")), ..class.clone() }];
        let files = PatternSet::parse(&["patients/**"]).unwrap();
        let data = vec![Labelled { class: label("medical"), files }];
        let rules = Rules { calls, data, ..rules };
        for (carried, of_it) in
            [(&[][..], false), (&["legal"], false), (&["legal", "medical"], true)]
        {
            let carried = carried.iter().map(|it| label(it)).collect();
            assert_eq!(rules.ask_about(act, &dear, &carried), holds && of_it, "{class:?}");
        }
        let classes = |path| rules.classes_of(&Path::parse(path).unwrap()).count();
        assert_eq!((classes("patients/a/b.txt"), classes("a/patients")), (1, 0));
        let text = serde_json::to_string(&rules).unwrap();
        assert_eq!(serde_json::from_str::<Rules>(&text).unwrap(), rules);
    }
}

/// Hosts, models and money that a human allows come to the warrant, and what was spent stays spent.
#[test]
fn a_warrant_grows_and_shrinks_again() {
    let plain = WarrantDocument {
        models: Vec::new(),
        capabilities: CapabilitySet::NONE,
        budget: Cap::NONE.with(Dimension::NanoUsd, 100).unwrap(),
        ..document()
    };
    let bought = Warrant::new(plain).unwrap();
    let money = |warrant: &Warrant| warrant.document().budget.get(Dimension::NanoUsd);
    let beside = Beside {
        hosts: vec![label("api.example.org")],
        models: vec![label("stub/a")],
        nano_usd: 7,
    };
    let wide = bought.widened(&beside).unwrap();
    assert_eq!(money(&wide), money(&bought).map(|limit| limit + 7));
    assert!(wide.capabilities().contains(Capability::Http));
    assert!(wide.capabilities().contains(Capability::Model));
    assert_eq!(wide.document().models.len(), 1);
    let rules = &wide.document().egress.rules;
    assert_eq!(rules.len(), bought.document().egress.rules.len() + 1);
    let same = bought.widened(&Beside::default()).unwrap();
    assert_eq!(same.digest(), bought.digest());
    let used = Usage::ZERO.with(Dimension::NanoUsd, 1 << 50).unwrap();
    assert_eq!(money(&bought.overspent(&used).unwrap()), Some(1 << 50));
    assert_eq!(bought.overspent(&Usage::ZERO).unwrap().digest(), bought.digest());
    let bad = Beside { hosts: vec![label("*.com")], ..Beside::default() };
    assert!(bought.widened(&bad).is_err());
}
