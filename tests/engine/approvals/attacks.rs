//! Decisions that do not count: forged, copied, edited, late, by the wrong one, for too much. Each
//! leaves the run waiting, and the right word at the same place lets it go on.

use envelope_evidence::Timestamp;
use envelope_gate::desk::Decision;
use envelope_rules::approval::{Bounds, Refused, Request, Verdict, Wanted};
use envelope_rules::path::Prefix;
use envelope_rules::pattern::PatternSet;

use super::office::{
    Office, Says, WINDOW, a_stranger, ada, ada_allows_more, ada_answers_what_nobody_asked,
    ada_before, ada_saw_another, ada_to_another_run, after, an_agent, human, its_caller, itself,
    said, wanted,
};
use super::{is_aside, journal, reviews, rotations};
use crate::engine::world::{Lines, Setup, run, run_into, setup};

const ACTS: &str = "widen top.txt - - - 0 60; read top.txt";

/// It waits and holds nothing new; then somebody decides who may.
fn counts_for_nothing(says: &[Says]) {
    let office = Office::new(says);
    let setup = setup(ACTS).at_desk(office.clone());
    let aside = run(&setup);
    assert!(is_aside(&aside), "{:?}", aside.finished.as_ref().err());
    assert_eq!((reviews(&journal(&aside)), rotations(&journal(&aside))), (vec![], vec![]));
    assert!(aside.world.revoked.lock().unwrap().is_empty());
    office.seat(&[says[0], ada]);
    let ran = run_into(&setup, Lines::of(&aside.journal, None), Some(aside.store.clone()));
    assert_eq!(ran.said(), "widen: ok top.txt - 60; read: ok at the top");
    assert_eq!(reviews(&journal(&ran)).len(), 1, "one decision counts");
    ran.replays_same();
}

#[test]
fn whoever_asked_does_not_decide() {
    counts_for_nothing(&[itself]);
    counts_for_nothing(&[its_caller]);
}

#[test]
fn agents_and_strangers_do_not_decide() {
    counts_for_nothing(&[an_agent]);
    counts_for_nothing(&[a_stranger]);
}

#[test]
fn what_was_said_to_another_request_does_not_count() {
    counts_for_nothing(&[ada_saw_another]);
    counts_for_nothing(&[ada_to_another_run]);
    counts_for_nothing(&[ada_before]);
}

#[test]
fn nothing_counts_that_is_wider_than_the_question() {
    counts_for_nothing(&[ada_allows_more]);
    counts_for_nothing(&[ada_answers_what_nobody_asked]);
}

/// A decision that is copied into the desk a second time decides once.
#[test]
fn a_second_copy_changes_nothing() {
    let ran = run(&setup(ACTS).at_desk(Office::new(&[ada, ada, ada])));
    assert_eq!(ran.said(), "widen: ok top.txt - 60; read: ok at the top");
    assert_eq!((reviews(&journal(&ran)).len(), rotations(&journal(&ran)).len()), (1, 1));
    // And a run that died behind it does not use it again for the next question.
    let twice = "widen top.txt - - - 0 60; widen top.txt - - - 0 60";
    let ran = run(&setup(twice).at_desk(Office::new(&[first_only])));
    assert!(is_aside(&ran));
    assert_eq!(rotations(&journal(&ran)).len(), 1);
}

thread_local! {
    static FIRST: std::cell::RefCell<Option<Request>> = const { std::cell::RefCell::new(None) };
}

/// What she said to the first question, whatever is asked.
fn first_only(request: &Request) -> Option<Decision> {
    let first = FIRST.with_borrow_mut(|first| first.get_or_insert_with(|| request.clone()).clone());
    let verdict = Verdict::Allow { scope: wanted(request) };
    Some(said(&first, human("ada"), verdict))
}

fn at_the_last_moment(request: &Request) -> Option<Decision> {
    let at = Timestamp::from_millis(request.expires.millis() - 1).unwrap();
    Some(Decision { at, ..ada(request)? })
}

fn too_late(request: &Request) -> Option<Decision> {
    Some(Decision { at: request.expires, ..ada(request)? })
}

/// The time of the decision counts, not that at which the run comes back.
#[test]
fn a_decision_comes_in_time_or_not_at_all() {
    for (says, decided) in [
        (at_the_last_moment as Says, "widen: ok top.txt - 60; read: ok at the top"),
        (too_late, "widen: denied approval.expired; read: access"),
    ] {
        let office = Office::new(&[]);
        let waits = setup(ACTS).at_desk(office.clone());
        let aside = run(&waits);
        assert!(is_aside(&aside));
        office.seat(&[says]);
        let back = super::waiting::later(&waits, WINDOW + 60);
        let ran = run_into(&back, Lines::of(&aside.journal, None), Some(aside.store.clone()));
        assert_eq!(ran.said(), decided);
        ran.replays_same();
    }
}

/// What operator and Paper do not allow no human can allow; less than that she can.
#[test]
fn no_decision_is_wider_than_operator_and_paper() {
    let narrow = || Wanted {
        read: PatternSet::parse(&["secret/*"]).unwrap(),
        write: Some(Prefix::parse("out/").unwrap()),
        ttl: 300,
        ..Wanted::default()
    };
    let acts = "widen secret/*,top.txt - - - 0 600; read secret/key.txt; read top.txt";
    let of_operator = |says: Says| {
        let office = Office::with(&[says], |rules| rules.most = Some(narrow()));
        run(&setup(acts).at_desk(office))
    };
    let of_paper = |says: Says| {
        let setup = setup(acts).at_desk(Office::new(&[says]));
        run(&Setup { paper: Some(narrow()), ..setup })
    };
    for ran in [of_operator(ada), of_paper(ada)] {
        assert!(is_aside(&ran), "too much");
    }
    for ran in [of_operator(super::bea_narrows), of_paper(super::bea_narrows)] {
        assert_eq!(ran.said(), "widen: ok secret/* - 300; read: ok the secret; read: access");
        ran.replays_same();
    }
    // Whoever decides is told which key forbids it.
    let request = Office::new(&[]);
    assert!(is_aside(&run(&setup(acts).at_desk(request.clone()))));
    let request = request.requests().remove(0);
    let approval = envelope_rules::approval::Approval::new(
        request.clone(),
        envelope_rules::approval::Policy {
            role: super::label("approver"),
            approvers: 1,
            caller: false,
        },
    );
    let Decision { by, saw, verdict, .. } = ada(&request).unwrap();
    let event = envelope_rules::approval::Event::Decide { by, saw, verdict };
    let most = narrow();
    let refused = approval.unwrap().step(event, &[Bounds::of("Paper", &most)], after(1));
    let forbidden = Refused::Forbidden { party: "Paper", key: "read" };
    assert_eq!(refused.unwrap_err(), forbidden);
}

/// A grant that was withdrawn while the run waited is not widened.
#[test]
fn a_grant_that_was_withdrawn_is_not_replaced() {
    let office = Office::new(&[]);
    let mut waits = setup(ACTS).at_desk(office.clone());
    let aside = run(&waits);
    office.seat(&[ada]);
    waits.state.revoked = true;
    let ran = run_into(&waits, Lines::of(&aside.journal, None), Some(aside.store.clone()));
    assert_eq!(ran.said(), "widen: denied grant.revoked; read: access");
    ran.replays_same();
}
