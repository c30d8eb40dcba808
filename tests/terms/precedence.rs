//! Side letter over amendment over Paper over MSA, and no answer where that settles nothing.

use std::collections::BTreeMap;

use envelope_evidence::Digest;
use envelope_terms::document::{
    Change, Conflict, Kind, Layers, Signers, Terms, Unsettled, apply, difference,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::documents::*;

#[test]
fn the_most_special_document_wins() {
    let chain = whole();
    let id = |at: usize| chain.documents()[at].id();
    let public = Layers::of(&chain, &BTreeMap::new());
    let answer = |layers: &Layers<Digest>, pointer: &str| {
        let effective = layers.effective(pointer).unwrap()?;
        Some((effective.value.clone(), *effective.set_by, effective.kind))
    };
    assert_eq!(answer(&public, "/notice"), Some((json!("mail"), id(0), Kind::Tos)));
    assert_eq!(answer(&public, "/law"), Some((json!("CH"), id(4), Kind::Msa)));
    assert_eq!(answer(&public, "/review/days"), Some((json!(14), id(5), Kind::Paper)));
    let amended = (json!(115_000), id(9), Kind::Amendment);
    assert_eq!(answer(&public, "/price/minor"), Some(amended));
    assert_eq!(answer(&public, "/egress/0"), Some((json!("api.example.org"), id(5), Kind::Paper)));
    assert_eq!(answer(&public, "/egress/1"), None);
    assert_eq!(answer(&public, "/nothing"), None);
    let insider = Layers::of(&chain, &letters(&chain, &reader(1)));
    let lettered = (json!(100_000), id(7), Kind::SideLetter);
    assert_eq!(answer(&insider, "/price/minor"), Some(lettered));
    assert_eq!(
        answer(&Layers::of(&chain, &letters(&chain, &reader(3))), "/price/minor").unwrap().0,
        115_000
    );
    let effective = insider.effective("/price/minor").unwrap().unwrap();
    assert_eq!(effective.overrides, [&id(9), &id(6), &id(5)]);
    assert_eq!(insider.conflicts(), []);
    assert_eq!(insider.all()["/law"].set_by, &id(4));
    let group = public.effective("/price").unwrap_err();
    assert_eq!(group, Unsettled::Group("/price".into()));
}

fn layers(documents: &[(Kind, &'static str, Value)]) -> Layers<&'static str> {
    let mut layers = Layers::default();
    for (kind, name, value) in documents {
        layers.add(*kind, *name, &terms(value.clone()));
    }
    layers
}

#[test]
fn equals_that_disagree_are_a_conflict() {
    for kind in [Kind::Schedule, Kind::SideLetter] {
        let conflicting =
            |one: Value, two: Value| layers(&[(kind, "one", one), (kind, "two", two)]);
        let settled = conflicting(json!({"days": 30}), json!({"days": 30, "baa": true}));
        assert_eq!(settled.conflicts(), []);
        let conflict = conflicting(json!({"days": 30}), json!({"days": 6, "baa": true}));
        let expected = Conflict { pointer: "/days".to_owned(), kind, sources: vec!["one", "two"] };
        assert_eq!(conflict.conflicts(), std::slice::from_ref(&expected));
        assert_eq!(conflict.effective("/days").unwrap_err(), Unsettled::Conflict(expected));
        assert_eq!(conflict.effective("/baa").unwrap().unwrap().set_by, &"two");
        // One sees a group of terms where the other sees one term.
        let shapes = conflicting(json!({"log": {"days": 6}}), json!({"log": "never"}));
        let pointers: Vec<_> = shapes.conflicts().into_iter().map(|it| it.pointer).collect();
        assert_eq!(pointers, ["/log", "/log/days"]);
    }
}

#[test]
fn an_exception_settles_a_conflict_below_it() {
    let schedules =
        [(Kind::Schedule, "T", json!({"days": 30})), (Kind::Schedule, "H", json!({"days": 6}))];
    assert_eq!(layers(&schedules).conflicts().len(), 1);
    for kind in [Kind::Msa, Kind::Paper, Kind::SideLetter] {
        let [one, two] = schedules.clone();
        let settled = layers(&[one, two, (kind, "exception", json!({"days": 10}))]);
        assert_eq!(settled.conflicts(), []);
        let effective = settled.effective("/days").unwrap().unwrap();
        assert_eq!((effective.value, *effective.set_by), (&json!(10), "exception"));
        assert_eq!(effective.overrides, [&"T", &"H"]);
    }
    // A more general document settles nothing.
    let [one, two] = schedules;
    assert_eq!(layers(&[one, two, (Kind::Tos, "ToS", json!({"days": 1}))]).conflicts().len(), 1);
}

/// Where an amendment takes the Paper's exception away, the rule holds again.
#[test]
fn a_removed_exception_revives_the_rule() {
    let mut layers = layers(&[
        (Kind::Msa, "msa", json!({"days": 30})),
        (Kind::Paper, "paper", json!({"days": 14, "fee": 1})),
    ]);
    assert_eq!(layers.effective("/days").unwrap().unwrap().set_by, &"paper");
    let gone = |path: &str| Change::Remove { path: path.into(), old: Digest::of(b"") };
    layers.amend("amendment", &[gone("/days"), gone("/fee")]);
    assert_eq!(layers.effective("/days").unwrap().unwrap().set_by, &"msa");
    assert_eq!(layers.effective("/fee"), Ok(None));
}

#[test]
fn one_term_overrides_a_group_and_the_other_way_round() {
    let group = layers(&[
        (Kind::Msa, "msa", json!({"log": "never"})),
        (Kind::Paper, "paper", json!({"log": {"days": 6}})),
    ]);
    assert_eq!(group.effective("/log/days").unwrap().unwrap().set_by, &"paper");
    assert_eq!(group.effective("/log"), Err(Unsettled::Group("/log".into())));
    let term = layers(&[
        (Kind::Msa, "msa", json!({"log": {"days": 6}})),
        (Kind::Paper, "paper", json!({"log": "never", "empty": {}})),
    ]);
    assert_eq!(term.effective("/log").unwrap().unwrap().set_by, &"paper");
    assert_eq!(term.effective("/log/days"), Ok(None), "`never` has no days");
    assert_eq!(term.effective("/empty"), Ok(None), "an empty group says nothing");
}

/// Brute force: documents laid over each other, general first, member by member.
fn lay_over(under: &mut Terms, over: &Terms) {
    for (name, value) in over {
        match (under.get_mut(name), value) {
            (Some(Value::Object(under)), Value::Object(over)) => lay_over(under, over),
            (_, Value::Object(over)) if over.is_empty() => {}
            (_, Value::Object(over)) => {
                let mut members = Terms::new();
                lay_over(&mut members, over);
                if !members.is_empty() {
                    under.insert(name.clone(), members.into());
                }
            }
            (_, value) => drop(under.insert(name.clone(), value.clone())),
        }
    }
}

fn any_terms() -> impl Strategy<Value = Terms> {
    let value = (0..4_u8).prop_map(Value::from).prop_recursive(2, 6, 3, |inner| {
        prop::collection::btree_map("[ab]", inner, 0..3)
            .prop_map(|it| Value::Object(it.into_iter().collect()))
    });
    prop::collection::btree_map("[abc]", value, 0..4).prop_map(|it| it.into_iter().collect())
}

fn flat(terms: &Terms, at: &str, into: &mut BTreeMap<String, Value>) {
    for (name, value) in terms {
        let path = format!("{at}/{name}");
        match value {
            Value::Object(members) => flat(members, &path, into),
            _ => drop(into.insert(path, value.clone())),
        }
    }
}

proptest! {
    /// One document of each rank, the Paper amended twice, against laying them over each other.
    #[test]
    fn as_if_laid_over_each_other(
        msa in any_terms(),
        versions in prop::collection::vec(any_terms(), 1..4),
        letter in any_terms(),
    ) {
        let mut layers = Layers::default();
        layers.add(Kind::SideLetter, 99, &letter);
        layers.add(Kind::Paper, 10, &versions[0]);
        layers.add(Kind::Msa, 0, &msa);
        for (pair, number) in versions.windows(2).zip(11..) {
            let changes = difference(&pair[0], &pair[1]).unwrap();
            let mut check = pair[0].clone();
            apply(&mut check, &changes).unwrap();
            layers.amend(number, &changes);
        }
        let mut laid = Terms::new();
        for terms in [&msa, versions.last().unwrap(), &letter] {
            lay_over(&mut laid, terms);
        }
        let mut expected = BTreeMap::new();
        flat(&laid, "", &mut expected);
        let all = layers.all();
        let found: BTreeMap<String, Value> =
            all.iter().map(|(term, it)| ((*term).to_owned(), it.value.clone())).collect();
        prop_assert_eq!(found, expected);
        prop_assert_eq!(layers.conflicts(), vec![]);
        for (term, effective) in all {
            let setter = match effective.set_by {
                0 => &msa,
                99 => &letter,
                number => &versions[number - 10],
            };
            let setter = Value::from(setter.clone());
            prop_assert_eq!(setter.pointer(term), Some(effective.value));
        }
    }
}

#[test]
fn signers_are_no_terms() {
    let signers = Signers::new([buyer().id()], [developer().id()]).unwrap();
    assert_eq!(Layers::of(&bought(), &BTreeMap::new()).effective("/signers"), Ok(None));
    assert_eq!(bought().signers(), Some(&signers));
}
