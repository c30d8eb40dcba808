//! Approvals: who may decide, what a decision is bound to, and what it may not widen.

mod classes;

use std::collections::BTreeSet;

use envelope_evidence::journal::{CallerKind, Reviewed};
use envelope_evidence::usage::MAX_EXACT;
use envelope_evidence::{Digest, Label, Timestamp};
use envelope_rules::approval::{
    Approval, BadRequest, Bounds, Event, Matter, Policy, Principal, Refused, Request, State,
    Verdict, Wanted,
};
use envelope_rules::path::Prefix;
use envelope_rules::pattern::PatternSet;
use proptest::prelude::*;

use crate::golden;
use crate::terms::machine::Table;

const EARLY: u64 = 100;
const EXPIRES: u64 = 1_000;

fn at(secs: u64) -> Timestamp {
    Timestamp::from_secs(secs).unwrap()
}

fn label(text: &str) -> Label {
    Label::new(text).unwrap()
}

fn wanted(read: &[&str], write: Option<&str>) -> Wanted {
    Wanted {
        read: PatternSet::parse(read).unwrap(),
        write: write.map(|text| Prefix::parse(text).unwrap()),
        nano_usd: 50,
        ttl: 600,
        ..Wanted::default()
    }
}

fn asked() -> Wanted {
    wanted(&["rfp/*.pdf", "prices/**"], Some("rfp/draft/"))
}

fn request() -> Request {
    Request {
        run: label("run_1"),
        call: 7,
        agent: label("planner@local"),
        caller: label("carol"),
        asked: at(10),
        expires: at(EXPIRES),
        matter: Matter::Scope { reason: "the price list".to_owned(), wanted: asked() },
    }
}

fn policy(approvers: u8) -> Policy {
    Policy { role: label("approver"), approvers, caller: false }
}

fn open(approvers: u8) -> Approval {
    Approval::new(request(), policy(approvers)).unwrap()
}

fn human(id: &str) -> Principal {
    Principal { id: label(id), kind: CallerKind::User, roles: vec![label("approver")] }
}

fn decide(by: Principal, verdict: Verdict) -> Event {
    Event::Decide { by, saw: request().digest().unwrap(), verdict }
}

fn allow(scope: Wanted) -> Verdict {
    Verdict::Allow { scope }
}

fn reject() -> Verdict {
    Verdict::Reject { reason: label("not today") }
}

/// What operator and Paper allow: more than is asked.
struct Room {
    read: PatternSet,
    write: Option<Prefix>,
}

impl Room {
    fn new(read: &[&str], write: Option<&str>) -> Self {
        let write = write.map(|text| Prefix::parse(text).unwrap());
        Self { read: PatternSet::parse(read).unwrap(), write }
    }

    fn of(&self, party: &'static str) -> Bounds<'_> {
        Bounds {
            party,
            read: &self.read,
            write: self.write.as_ref(),
            hosts: &[],
            models: &[],
            nano_usd: 100,
            ttl: 3_600,
        }
    }
}

fn step(approval: Approval, event: Event, secs: u64) -> Result<Approval, Refused> {
    let room = Room::new(&["**"], Some("rfp/"));
    approval.step(event, &[room.of("operator"), room.of("Paper")], at(secs))
}

#[test]
fn a_human_with_the_role_decides() {
    let approved = step(open(1), decide(human("ada"), allow(asked())), EARLY).unwrap();
    let State::Allowed { reviewed, allowed } = approved.state() else { panic!() };
    assert_eq!(*reviewed, Reviewed::Approved);
    assert_eq!(*allowed, allow(asked()));
    assert_eq!(approved.given()[0].saw, request().digest().unwrap());
    let less = wanted(&["rfp/a.pdf"], None);
    let narrowed = step(open(1), decide(human("ada"), allow(less.clone())), EARLY).unwrap();
    let State::Allowed { reviewed, allowed, .. } = narrowed.state() else { panic!() };
    assert_eq!((*reviewed, allowed.clone()), (Reviewed::Narrowed, allow(less)));
}

/// Each with the positive control of the test above: the same event by the right human counts.
#[test]
fn nobody_else_does() {
    let agent = Principal { kind: CallerKind::Agent, ..human("helper@local") };
    let system = Principal { kind: CallerKind::System, ..human("cron") };
    let stranger = Principal { roles: vec![label("viewer")], ..human("bob") };
    let cases = [
        (agent, Refused::NotHuman),
        (system, Refused::NotHuman),
        (human("planner@local"), Refused::Requester),
        (human("carol"), Refused::Requester),
        (stranger, Refused::Role),
    ];
    for (by, refused) in cases {
        assert_eq!(step(open(1), decide(by, allow(asked())), EARLY), Err(refused));
    }
}

#[test]
fn the_caller_decides_only_where_the_operator_says_so() {
    let policy = Policy { caller: true, ..policy(1) };
    let approval = Approval::new(request(), policy).unwrap();
    assert!(step(approval, decide(human("carol"), allow(asked())), EARLY).is_ok());
}

#[test]
fn what_was_edited_after_it_was_seen_is_not_decided() {
    let mut edited = request();
    edited.matter =
        Matter::Scope { reason: "the price list".into(), wanted: wanted(&["**"], None) };
    let saw = edited.digest().unwrap();
    let event = Event::Decide { by: human("ada"), saw, verdict: allow(asked()) };
    assert_eq!(step(open(1), event, EARLY), Err(Refused::Edited));
}

/// Every field is in what is shown, so every edit is another digest.
#[test]
fn every_field_is_shown() {
    let edits: [fn(&mut Request); 8] = [
        |it| it.run = label("run_2"),
        |it| it.call = 8,
        |it| it.agent = label("other@local"),
        |it| it.caller = label("dave"),
        |it| it.asked = at(11),
        |it| it.expires = at(EXPIRES + 1),
        |it| it.matter = Matter::Choice { text: "so?".into(), choices: vec!["yes".into()] },
        |it| {
            let Matter::Scope { wanted, .. } = &mut it.matter else { panic!() };
            wanted.ttl += 1;
        },
    ];
    let mut digests = BTreeSet::from([request().digest().unwrap()]);
    for edit in edits {
        let mut edited = request();
        edit(&mut edited);
        assert!(digests.insert(edited.digest().unwrap()), "{}", edited.shown().unwrap());
    }
}

/// An agent's words cannot pass for a field of the request.
#[test]
fn words_cannot_forge_fields() {
    let mut forged = request();
    let reason = "fine\",\n  \"ttl\": 1\n}\u{1b}[2J".to_owned();
    forged.matter = Matter::Scope { reason: reason.clone(), wanted: asked() };
    let shown = forged.shown().unwrap();
    assert!(!shown.contains('\u{1b}'));
    assert_eq!(shown.lines().count(), request().shown().unwrap().lines().count());
    let read: Request = serde_json::from_str(&shown).unwrap();
    let Matter::Scope { reason: back, .. } = read.matter else { panic!() };
    assert_eq!(back, reason);
}

/// What moves other text is spelled out, and says the same.
#[test]
fn nothing_turns_the_text_around() {
    for character in ['\u{2028}', '\u{2029}', '\u{202e}', '\u{2066}', '\u{200f}', '\u{61c}'] {
        let mut forged = request();
        let reason = format!("fine {character} enif");
        forged.matter = Matter::Scope { reason: reason.clone(), wanted: asked() };
        let shown = forged.shown().unwrap();
        assert!(!shown.contains(character), "{shown}");
        let read: Request = serde_json::from_str(&shown).unwrap();
        assert_eq!(read, forged);
    }
    let mut foreign = request();
    foreign.matter = Matter::Scope { reason: "für שלום".to_owned(), wanted: asked() };
    assert!(foreign.shown().unwrap().contains("für שלום"));
}

/// Numbers that no document says exactly would all look alike.
#[test]
fn what_cannot_be_shown_is_not_asked() {
    let edits: [fn(&mut Request, u64); 3] = [
        |it, amount| it.call = amount,
        |it, amount| {
            let Matter::Scope { wanted, .. } = &mut it.matter else { panic!() };
            wanted.nano_usd = amount;
        },
        |it, amount| {
            let Matter::Scope { wanted, .. } = &mut it.matter else { panic!() };
            wanted.ttl = amount;
        },
    ];
    for edit in edits {
        let with = |amount| {
            let mut edited = request();
            edit(&mut edited, amount);
            edited
        };
        assert!(with(MAX_EXACT).shown().unwrap().contains(&MAX_EXACT.to_string()));
        assert!(Approval::new(with(MAX_EXACT), policy(1)).is_ok());
        for amount in [MAX_EXACT + 1, u64::MAX] {
            assert_eq!(with(amount).shown(), Err(BadRequest::Amount));
            assert_eq!(with(amount).digest(), Err(BadRequest::Amount));
            assert_eq!(Approval::new(with(amount), policy(1)).err(), Some(BadRequest::Amount));
        }
    }
}

#[test]
fn a_decision_comes_in_time_or_not_at_all() {
    let event = || decide(human("ada"), allow(asked()));
    assert!(step(open(1), event(), EXPIRES - 1).is_ok());
    assert_eq!(step(open(1), event(), EXPIRES), Err(Refused::Late));
    assert_eq!(step(open(1), Event::Expire, EXPIRES - 1), Err(Refused::Early));
    let expired = step(open(1), Event::Expire, EXPIRES).unwrap();
    assert_eq!(step(expired, event(), EARLY), Err(Refused::Decided));
}

#[test]
fn a_double_click_decides_once() {
    let click = || decide(human("ada"), allow(asked()));
    let once = step(open(1), click(), EARLY).unwrap();
    assert_eq!(step(once.clone(), click(), EARLY + 1), Ok(once.clone()));
    assert_eq!(step(once, decide(human("ada"), reject()), EARLY), Err(Refused::Decided));
}

#[test]
fn where_two_have_to_agree_one_is_not_enough() {
    let one = step(open(2), decide(human("ada"), allow(asked())), EARLY).unwrap();
    assert_eq!(one.state(), &State::Open {});
    let again = step(one.clone(), decide(human("ada"), allow(asked())), EARLY).unwrap();
    assert_eq!(again.state(), &State::Open {}, "the same human twice is one human");
    let less = wanted(&["rfp/*.pdf"], None);
    for (first, second) in [(asked(), less.clone()), (less.clone(), asked())] {
        let one = step(open(2), decide(human("ada"), allow(first)), EARLY).unwrap();
        let two = step(one, decide(human("bea"), allow(second)), EARLY).unwrap();
        let State::Allowed { allowed, .. } = two.state() else { panic!() };
        assert_eq!(*allowed, allow(less.clone()), "the lesser of both");
    }
    let apart = decide(human("bea"), allow(wanted(&["prices/**"], Some("rfp/draft/"))));
    let one = step(open(2), decide(human("ada"), allow(less)), EARLY).unwrap();
    assert_eq!(step(one.clone(), apart, EARLY), Err(Refused::Apart));
    let no = step(one, decide(human("bea"), reject()), EARLY).unwrap();
    assert!(matches!(no.state(), State::Rejected { .. }));
}

/// An edit of a request: its name, and what it does.
type Edit = (&'static str, fn(&mut Wanted));

#[test]
fn nothing_is_wider_than_what_was_asked() {
    let cases: [Edit; 6] = [
        ("read", |it| it.read = PatternSet::parse(&["**"]).unwrap()),
        ("write-prefix", |it| it.write = Some(Prefix::parse("rfp/").unwrap())),
        ("hosts", |it| it.hosts = vec![label("example.org")]),
        ("models", |it| it.models = vec![label("m")]),
        ("nano-usd", |it| it.nano_usd += 1),
        ("ttl", |it| it.ttl += 1),
    ];
    for (key, widen) in cases {
        let mut scope = asked();
        widen(&mut scope);
        let decided = step(open(1), decide(human("ada"), allow(scope)), EARLY);
        assert_eq!(decided, Err(Refused::Wider(key)));
    }
}

#[test]
fn nothing_is_wider_than_operator_and_paper_and_the_refusal_names_the_key() {
    let (wide, narrow) = (Room::new(&["**"], Some("rfp/")), Room::new(&["rfp/**"], None));
    for (operator, paper, party) in [(&narrow, &wide, "operator"), (&wide, &narrow, "Paper")] {
        let bounds = [operator.of("operator"), paper.of("Paper")];
        let try_for = |scope| open(1).step(decide(human("ada"), allow(scope)), &bounds, at(EARLY));
        assert_eq!(try_for(asked()), Err(Refused::Forbidden { party, key: "read" }));
        let writes = wanted(&["rfp/*.pdf"], Some("rfp/draft/"));
        assert_eq!(try_for(writes), Err(Refused::Forbidden { party, key: "write-prefix" }));
        assert!(try_for(wanted(&["rfp/*.pdf"], None)).is_ok());
    }
    let refused = Refused::Forbidden { party: "Paper", key: "read" };
    assert_eq!(refused.to_string(), "`read` is forbidden by the Paper");
}

#[test]
fn questions_are_answered_with_what_was_offered() {
    let choice = Matter::Choice { text: "Which?".into(), choices: vec!["a".into(), "b".into()] };
    let document = Matter::Document { text: "What?".into(), schema: "{}".into() };
    let answer = |text: &str| Verdict::Answer { document: text.to_owned() };
    let cases = [
        (&choice, Verdict::Choose { choice: 1 }, true),
        (&choice, Verdict::Choose { choice: 2 }, false),
        (&choice, answer("{}"), false),
        (&choice, allow(asked()), false),
        (&document, answer("{}"), true),
        (&document, answer("{"), false),
        (&document, Verdict::Choose { choice: 0 }, false),
    ];
    for (matter, verdict, counts) in cases {
        let request = Request { matter: matter.clone(), ..request() };
        let saw = request.digest().unwrap();
        let approval = Approval::new(request, policy(1)).unwrap();
        let decided = step(approval, Event::Decide { by: human("ada"), saw, verdict }, EARLY);
        assert_eq!(decided.is_ok(), counts, "{decided:?}");
    }
}

/// Every event worth telling apart, named for the table.
fn events() -> Vec<(&'static str, Event, u64)> {
    let agent = Principal { kind: CallerKind::Agent, ..human("helper") };
    let edited =
        Event::Decide { by: human("ada"), saw: Digest::of(b"another"), verdict: allow(asked()) };
    vec![
        ("ada allows", decide(human("ada"), allow(asked())), EARLY),
        ("ada allows less", decide(human("ada"), allow(wanted(&["rfp/*.pdf"], None))), EARLY),
        ("ada allows more", decide(human("ada"), allow(wanted(&["**"], None))), EARLY),
        ("ada allows what was edited", edited, EARLY),
        ("ada allows late", decide(human("ada"), allow(asked())), EXPIRES),
        ("ada rejects", decide(human("ada"), reject()), EARLY),
        ("bea allows", decide(human("bea"), allow(asked())), EARLY),
        ("bea rejects", decide(human("bea"), reject()), EARLY),
        ("an agent allows", decide(agent, allow(asked())), EARLY),
        ("the caller allows", decide(human("carol"), allow(asked())), EARLY),
        ("expire early", Event::Expire, EARLY),
        ("expire", Event::Expire, EXPIRES),
        ("withdraw", Event::Withdraw, EARLY),
    ]
}

fn name(approval: &Approval) -> String {
    let given: Vec<_> = approval.given().iter().map(|given| given.by.as_str()).collect();
    format!("{} ({})", approval.state().name(), given.join(", "))
}

#[test]
fn the_table_is_the_one_reviewed() {
    let mut text = String::new();
    for approvers in [1, 2] {
        let mut table = Table::default();
        let (mut seen, mut waiting) = (BTreeSet::new(), vec![open(approvers)]);
        while let Some(approval) = waiting.pop() {
            for (event_name, event, secs) in events() {
                let stepped = step(approval.clone(), event, secs);
                let came = match &stepped {
                    Ok(next) => name(next),
                    Err(refused) => format!("refused {}", refused.code()),
                };
                table.note(&name(&approval), event_name, came);
                if let Ok(next) = stepped
                    && seen.insert(serde_json::to_string(&next).unwrap())
                {
                    waiting.push(next);
                }
            }
        }
        text += &table.text(&format!("Approval by {approvers}"));
    }
    golden::check("machine-approval.txt", &text);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever happens, in whatever order: what was decided stays so, never without as many humans
    /// as the operator wants, and never for more than was asked.
    #[test]
    fn no_order_of_events_widens_anything(
        approvers in 1..=2_u8,
        picks in prop::collection::vec(0..13_usize, 0..30),
    ) {
        let mut approval = open(approvers);
        for pick in picks {
            let (_, event, secs) = events().swap_remove(pick);
            if let Ok(next) = step(approval.clone(), event, secs) {
                let open = *approval.state() == State::Open {};
                prop_assert!(open || next.state() == approval.state());
                approval = next;
            }
            if let State::Allowed { allowed: Verdict::Allow { scope }, .. } = approval.state() {
                prop_assert_eq!(scope.beyond(&asked()), None);
                let humans: BTreeSet<_> = approval.given().iter().map(|it| &it.by).collect();
                prop_assert!(humans.len() >= usize::from(approvers));
            }
        }
    }
}
