//! Runs that ask humans: what they get, who may decide, and what waiting costs.

mod attacks;
mod beside;
mod data;
mod foreseen;
pub mod office;
pub mod waiting;

use envelope_engine::run::Halted;
use envelope_evidence::journal::{Event, Journal, Outcome, Review, Reviewed, Rotation};
use envelope_evidence::receipt::fold;
use envelope_evidence::time::Rfc3339;
use envelope_gate::desk::{Decision, Desk as _, decide};
use envelope_gate::stop::Stop;
use envelope_rules::approval::{Approval, Verdict};
use envelope_rules::guard::Capability;

use super::world::{Ran, START, Setup, run, setup};
use office::{Office, Says, ada, bea, bea_narrows, label, no};

/// Reads a secret before and after it asked for it, and writes elsewhere.
pub const ACTS: &str = "read secret/key.txt; write more/x y; widen secret/*,top.txt - - - 0 600; \
                        read secret/key.txt; read top.txt; read in/a.txt; write out/x y";

fn asking(acts: &str, says: &[Says]) -> Setup {
    setup(acts).at_desk(Office::new(says))
}

pub fn journal(ran: &Ran) -> Journal {
    Journal::parse(&ran.journal).unwrap()
}

pub fn reviews(journal: &Journal) -> Vec<Review> {
    let entries = journal.entries().iter();
    let reviews = entries.filter_map(|entry| match &entry.event {
        Event::Reviewed(review) => Some(review.clone()),
        _ => None,
    });
    reviews.collect()
}

pub fn rotations(journal: &Journal) -> Vec<Rotation> {
    let entries = journal.entries().iter();
    let rotations = entries.filter_map(|entry| match &entry.event {
        Event::Answered(answered) => answered.rotation.as_deref().cloned(),
        _ => None,
    });
    rotations.collect()
}

/// It waits, and nothing but its journal is left.
pub fn is_aside(ran: &Ran) -> bool {
    matches!(ran.finished, Err(Halted::Stopped(Stop::Suspended)))
}

#[test]
fn what_a_human_allows_can_be_done_and_both_scopes_are_told() {
    let office = Office::new(&[ada]);
    let ran = run(&setup(ACTS).at_desk(office.clone()));
    let said = "read: access; write: access; widen: ok secret/*,top.txt - 600; read: ok the \
                secret; read: ok at the top; read: ok alpha; write: ok 1";
    assert_eq!(ran.said(), said);
    ran.replays_same();
    ran.books_are_exact();
    let journal = journal(&ran);
    let [request] = &office.requests()[..] else { panic!() };
    let [review] = &reviews(&journal)[..] else { panic!() };
    // Who, when, what they saw, what they said.
    assert_eq!(review.reviewer, label("ada"));
    assert_eq!(review.at, Some(Rfc3339(request.asked)));
    assert_eq!(review.saw, request.digest().unwrap());
    assert_eq!(review.decision, Reviewed::Approved);
    let [rotation] = &rotations(&journal)[..] else { panic!() };
    let first = journal.header().scope.as_ref().unwrap();
    assert_eq!(rotation.scope.previous.as_ref(), Some(&first.jti));
    assert_ne!((&rotation.scope.jti, rotation.scope.token), (&first.jti, first.token));
    assert_eq!(rotation.approval, review.id);
    let receipt = fold(&journal);
    let told = String::from_utf8(receipt.evidence[2].clone()).unwrap();
    for scope in [first, &rotation.scope] {
        assert!(told.contains(scope.jti.as_str()), "{told}");
    }
    assert!(told.contains("secret/*"), "{told}");
    // The old grant is good for nothing.
    assert_eq!(ran.world.revoked.lock().unwrap().len(), 1);
    assert!(ran.world.revoked.lock().unwrap().contains(first.jti.as_str()));
}

/// The whole request stands in the journal, durably, before anybody waits.
#[test]
fn the_request_is_written_before_anybody_waits() {
    let office = Office::new(&[]);
    let ran = run(&setup(ACTS).at_desk(office.clone()));
    assert!(is_aside(&ran));
    let journal = journal(&ran);
    let Event::Begun(begun) = &journal.entries().last().unwrap().event else { panic!() };
    let asked = begun.asks.as_ref().unwrap().inline().unwrap().to_vec();
    let request = office.requests().remove(0);
    assert_eq!(asked, envelope_evidence::canonical::of(&request).unwrap());
    assert_eq!(journal.last_at(), request.asked);
}

#[test]
fn where_it_writes_can_grow_around_where_it_wrote() {
    let acts = "write out/a x; write top y; widen - out/ - - 0 60; write out/a x; write out/b y";
    let mut setup = asking(acts, &[ada]);
    setup.outputs = Some("out/a/");
    setup.args = serde_json::to_vec(&[
        "write out/a/1 x",
        "write out/b y",
        "widen - out/ - - 0 60",
        "write out/b y",
        "write new/c y",
    ])
    .unwrap()
    .into();
    let ran = run(&setup);
    let said = "write: ok 1; write: access; widen: ok  out/ 60; write: ok 1; write: access";
    assert_eq!(ran.said(), said);
    assert_eq!(ran.outputs(), ["out/a/1", "out/b"]);
    ran.replays_same();
    let aside = run(&asking("write out/x y; widen - elsewhere/ - - 0 60", &[ada]));
    assert_eq!(aside.said(), "write: ok 1; widen: invalid");
}

#[test]
fn a_human_may_allow_less() {
    let office = Office::new(&[bea_narrows]);
    let ran = run(&setup(ACTS).at_desk(office));
    let said = "read: access; write: access; widen: ok secret/* - 300; read: ok the secret; read: \
                access; read: ok alpha; write: ok 1";
    assert_eq!(ran.said(), said);
    ran.replays_same();
    assert_eq!(reviews(&journal(&ran))[0].decision, Reviewed::Narrowed);
}

#[test]
fn a_no_is_a_value() {
    let ran = run(&asking(ACTS, &[no]));
    let said = "read: access; write: access; widen: denied approval.rejected; read: access; read: \
                access; read: ok alpha; write: ok 1";
    assert_eq!(ran.said(), said);
    assert_eq!(ran.end().0, Outcome::Ok);
    ran.replays_same();
    ran.books_are_exact();
    let journal = journal(&ran);
    assert_eq!(rotations(&journal), []);
    assert!(ran.world.revoked.lock().unwrap().is_empty());
    let [review] = &reviews(&journal)[..] else { panic!() };
    assert_eq!((review.decision, review.note.as_str()), (Reviewed::Rejected, "not today"));
}

#[test]
fn questions_are_answered() {
    let ran = run(&asking("choose red|green|blue; form How many?; read in/a.txt", &[ada]));
    assert_eq!(ran.said(), "choose: ok 2; form: ok {\"so\":1}; read: ok alpha");
    ran.replays_same();
    let ran = run(&asking("choose red|green", &[no]));
    assert_eq!(ran.said(), "choose: ok declined not today");
    ran.replays_same();
}

#[test]
fn what_makes_no_sense_is_asked_nobody() {
    let office = Office::new(&[ada]);
    let acts = "widen /etc - - - 0 60; widen - - *.com - 0 60; widen in/** - - - 0 0; choose ; \
                widen - ../ - - 0 60";
    let ran = run(&setup(acts).at_desk(office.clone()));
    let said = "widen: invalid; widen: invalid; widen: invalid; choose: invalid; widen: invalid";
    assert_eq!(ran.said(), said);
    assert!(office.requests().is_empty());
    ran.replays_same();
}

/// A document is held against its schema, at the desk and, whatever the desk lets through, at the
/// gate.
#[test]
fn an_answer_that_does_not_fit_decides_nothing() {
    let fits =
        r#"document {"type":"object","required":["so"],"properties":{"so":{"type":"integer"}}}"#;
    let unfit = r#"document {"type":"object","properties":{"so":{"minimum":2}}}"#;
    let ran = run(&asking(fits, &[ada]));
    assert_eq!(ran.said(), "document: ok {\"so\":1}");
    ran.replays_same();
    let office = Office::new(&[ada]);
    let ran = run(&setup(unfit).at_desk(office.clone()));
    assert!(is_aside(&ran), "{:?}", ran.finished.is_ok());
    assert_eq!(reviews(&journal(&ran)), []);
    // Where and why.
    let request = office.requests().remove(0);
    let open = Approval::new(request.clone(), office.rules().policy.clone()).unwrap();
    let said = ada(&request).unwrap();
    let refused = decide(open.clone(), said.clone(), &[], request.asked).unwrap_err();
    assert_eq!(refused.code(), "APPROVAL_NO_ANSWER");
    let words = refused.to_string();
    assert!(words.contains("at `/so`") && words.contains("minimum of 2"), "{words}");
    let document = r#"{"so":2}"#.to_owned();
    let good = Decision { verdict: Verdict::Answer { document }, ..said };
    assert_eq!(decide(open, good, &[], request.asked).unwrap().state().name(), "approved");
    // What is no schema is asked nobody.
    for none in
        [r#"document {"type":7}"#, r#"document {"$ref":"http://example.org/"}"#, "document {"]
    {
        let office = Office::new(&[ada]);
        let ran = run(&setup(none).at_desk(office.clone()));
        assert_eq!(ran.said(), "document: invalid", "{none}");
        assert!(office.requests().is_empty());
    }
}

/// Without the capability, in either hand, nobody is asked; nor where nobody sits.
#[test]
fn who_may_not_ask_is_refused() {
    let office = || Office::new(&[ada]);
    let asked = office();
    let allowed = || setup("choose a").at_desk(asked.clone());
    for (setup, code) in [
        (allowed().deny(Capability::Approvals), "policy.not-granted"),
        (allowed().forbid(Capability::Approvals), "policy.forbidden"),
        (Setup { desk: None, ..allowed() }, "policy.forbidden"),
    ] {
        let ran = run(&setup);
        assert_eq!(ran.said(), format!("choose: denied {code}"));
        ran.replays_same();
    }
    assert!(asked.requests().is_empty());
    assert_eq!(run(&allowed()).said(), "choose: ok 0");
}

#[test]
fn nobody_is_asked_for_ever() {
    let office = Office::new(&[ada]);
    let ran = run(&setup("insist 17 choose a").at_desk(office.clone()));
    assert_eq!(ran.said(), "insist: denied approval.many");
    assert_eq!(office.requests().len(), 16);
    ran.replays_same();
}

#[test]
fn where_two_have_to_agree_both_are_told_and_the_lesser_counts() {
    let two = |says: &[Says]| {
        let office = Office::with(says, |rules| rules.policy.approvers = 2);
        run(&setup("widen secret/*,top.txt - - - 0 600; read top.txt").at_desk(office))
    };
    assert!(is_aside(&two(&[ada])), "one is not enough");
    assert!(is_aside(&two(&[ada, ada])), "nor is one that says it twice");
    let ran = two(&[ada, bea]);
    assert_eq!(ran.said(), "widen: ok secret/*,top.txt - 600; read: ok at the top");
    let who: Vec<_> = reviews(&journal(&ran)).into_iter().map(|review| review.reviewer).collect();
    assert_eq!(who, [label("ada"), label("bea")]);
    ran.replays_same();
    let ran = two(&[ada, bea_narrows]);
    assert_eq!(ran.said(), "widen: ok secret/* - 300; read: access");
    let decisions: Vec<_> = reviews(&journal(&ran)).iter().map(|it| it.decision).collect();
    assert_eq!(decisions, [Reviewed::Approved, Reviewed::Narrowed]);
    ran.replays_same();
}

/// What was allowed for a time ends, and with it all that the grant gave.
#[test]
fn what_is_allowed_for_a_time_ends() {
    let acts = "widen top.txt - - - 0 60; read top.txt; sleep 59000; read top.txt; sleep 1000; \
                read top.txt; read in/a.txt";
    let ran = run(&asking(acts, &[ada]));
    let said = "widen: ok top.txt - 60; read: ok at the top; sleep: ok; read: ok at the top; \
                sleep: ok; read: access; read: access";
    assert_eq!(ran.said(), said);
    ran.replays_same();
    // A second word does not let the first one last longer.
    let acts = "widen top.txt - - - 0 60; widen secret/* - - - 0 600; read top.txt; read \
                secret/key.txt; read in/a.txt";
    let ran = run(&asking(acts, &[ada]));
    let said = "widen: ok top.txt - 60; widen: ok secret/* - 600; read: access; read: ok the \
                secret; read: ok alpha";
    assert_eq!(ran.said(), said);
    ran.replays_same();
    let start = START.secs();
    let scopes = rotations(&journal(&ran)).into_iter().map(|it| it.scope);
    let times: Vec<_> = scopes.map(|it| (it.issued - start, it.expires - start)).collect();
    assert_eq!(times, [(0, 60), (0, 600)]);
}
