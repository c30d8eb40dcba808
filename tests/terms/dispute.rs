//! Disputes: the table, exact beliefs against brute force, mirrored parties, and remedies that
//! never weaken.

use std::collections::{BTreeSet, VecDeque};

use envelope_evidence::Digest;
use envelope_terms::contract::{
    Contract, Did, Dispute as Agreed, HumanDecides, Id, List, Model, ModelName, Share, Stakes,
    TieBreaker, Verdict, Version, WHOLE,
};
use envelope_terms::dispute::{
    Answer, Cause, Dispute, Effect, Event, MILLION, Million, Reason, Refused, Rules, Side, State,
    Voice, posterior, refund_share, weight_of,
};
use proptest::prelude::*;

use super::deal::{criteria, day, id, label, paper, record};
use super::machine::{Table, kind, outcome};
use super::sample;
use crate::golden;

const CHIARA: &str = "did:web:arbiters.example:chiara-bernasconi";

fn million(parts: u64) -> Million {
    Million::new(parts).unwrap()
}

fn belief(buyer: u64) -> Answer {
    let (buyer, confidence) = (million(buyer), million(800_000));
    Answer::Belief { buyer, confidence, unmet: criteria(&["coverage"]) }
}

fn cause() -> Cause {
    let (criteria, statement) = (criteria(&["coverage"]), Digest::of(b"statement"));
    Cause::Party { side: Side::Buyer, criteria, statement }
}

fn rules(human: HumanDecides, tie_breaker: TieBreaker) -> Rules {
    let mut rules = Rules::of(&sample::contract(), paper());
    rules.remedy.human = human;
    rules.dispute.tie_breaker = tie_breaker;
    rules
}

fn further() -> TieBreaker {
    let model = Model {
        provider: id("tertium"),
        name: ModelName::new("tertium/t-1").unwrap(),
        version: Version::new("1").unwrap(),
    };
    TieBreaker::Ai { id: id("third"), model, prompt: Digest::of(b"question") }
}

fn human() -> TieBreaker {
    sample::contract().dispute.tie_breaker
}

fn open(rules: Rules) -> Dispute {
    Dispute::open(rules, cause()).unwrap().0
}

fn decided(by: &str, verdict: Verdict) -> Event {
    Event::Decided { by: Did::new(by).unwrap(), verdict, unmet: criteria(&["coverage"]) }
}

/// Every event worth telling apart, and how many days after the opening it happens.
fn events(dispute: &Dispute) -> Vec<(&'static str, Event, u64)> {
    let own = record(dispute.id(), &sample::contract());
    let changed = {
        let mut other = own.clone();
        other.telemetry.clear();
        other
    };
    let foreign = record(Digest::of(b"another"), &sample::contract());
    let seal = |record| Event::Sealed { record: Box::new(record) };
    let answered = |who: &str, answer| Event::Answered { evaluator: id(who), answer };
    let failed = || Answer::Failed { why: label("timeout") };
    vec![
        ("seal", seal(own), 0),
        ("seal another record", seal(changed), 0),
        ("seal a foreign record", seal(foreign), 0),
        ("first for buyer", answered("first", belief(900_000)), 0),
        ("first for developer", answered("first", belief(100_000)), 0),
        ("first cannot decide", answered("first", Answer::CannotDecide {}), 0),
        ("first failed", answered("first", failed()), 0),
        ("second for buyer", answered("second", belief(900_000)), 0),
        ("second for developer", answered("second", belief(100_000)), 0),
        ("third for buyer", answered("third", belief(900_000)), 0),
        ("third torn", answered("third", belief(500_000)), 0),
        ("overdue", Event::Overdue {}, 2),
        ("overdue late", Event::Overdue {}, 3),
        ("arbiter refunds", decided(CHIARA, Verdict::Refund), 0),
        ("arbiter divides", decided(CHIARA, Verdict::Partial), 0),
        ("arbiter cannot decide", decided(CHIARA, Verdict::CannotDecide), 0),
        ("buyer decides", decided("did:web:helvetia-hochbau.example", Verdict::Refund), 0),
    ]
}

fn result(step: &Result<(Dispute, Vec<Effect>), Refused>) -> String {
    match step {
        Ok((next, effects)) => {
            let kinds: Vec<_> = effects.iter().map(kind).collect();
            let verdict = next.decision().map(|decision| decision.verdict.name());
            let state = [Some(next.state().name()), verdict].into_iter().flatten();
            let state = state.collect::<Vec<_>>().join(": ");
            outcome(&state, kinds.iter().map(String::as_str))
        }
        Err(refused) => format!("refused {}", refused.code()),
    }
}

fn table(title: &str, rules: Rules) -> String {
    let start = open(rules);
    let (mut table, mut seen) = (Table::default(), BTreeSet::new());
    let mut queue = VecDeque::from([start]);
    while let Some(dispute) = queue.pop_front() {
        for (name, event, days) in events(&dispute) {
            let step = dispute.clone().step(event.clone(), day(days));
            table.note(dispute.state().name(), name, result(&step));
            if let Ok((next, _)) = step {
                // Told again it does nothing: where it is not refused, it has no effects.
                if let Ok((same, effects)) = next.clone().step(event, day(days)) {
                    assert!(same == next && effects.is_empty(), "{name} told twice, done twice");
                }
                if seen.insert(format!("{:?}", next.state())) {
                    queue.push_back(next);
                }
            }
        }
    }
    table.text(title)
}

#[test]
fn the_tables_are_those_reviewed() {
    let tables = [
        table("Dispute, a person always decides", rules(HumanDecides::Always, human())),
        table("Dispute, a person decides splits", rules(HumanDecides::OnSplit, further())),
        table("Dispute, a model breaks ties", rules(HumanDecides::LastResort, further())),
        table("Dispute, nobody breaks ties", rules(HumanDecides::LastResort, TieBreaker::None {})),
    ];
    golden::check("machine-dispute.txt", &tables.join("\n\n"));
}

/// What the panel comes to after these answers.
fn tried(rules: Rules, answers: [Answer; 2]) -> State {
    let dispute = open(rules);
    let record = Box::new(record(dispute.id(), &sample::contract()));
    let mut dispute = dispute.step(Event::Sealed { record }, day(0)).unwrap().0;
    for (name, answer) in ["first", "second"].into_iter().zip(answers) {
        let event = Event::Answered { evaluator: id(name), answer };
        dispute = dispute.step(event, day(0)).unwrap().0;
    }
    dispute.state().clone()
}

fn verdict(state: &State) -> Option<Verdict> {
    match state {
        State::Decided { decision, .. } => Some(decision.verdict),
        _ => None,
    }
}

#[test]
fn what_the_panel_cannot_decide_a_person_does() {
    let why = |human_decides, answers| match tried(rules(human_decides, human()), answers) {
        State::Human { why, .. } => Some(why),
        _ => None,
    };
    let (for_buyer, for_developer) = (belief(900_000), belief(100_000));
    let last = HumanDecides::LastResort;
    assert_eq!(why(last, [for_buyer.clone(), for_buyer.clone()]), None);
    let always = why(HumanDecides::Always, [for_buyer.clone(), for_buyer.clone()]);
    assert_eq!(always, Some(Reason::Stakes));
    assert_eq!(why(last, [for_buyer.clone(), for_developer]), Some(Reason::Split));
    let undecided = why(last, [for_buyer.clone(), Answer::CannotDecide {}]);
    assert_eq!(undecided, Some(Reason::CannotDecide));
    let failed = Answer::Failed { why: label("timeout") };
    assert_eq!(why(last, [for_buyer, failed]), Some(Reason::TooFewVoices));
    let unsure =
        Answer::Belief { buyer: million(900_000), confidence: million(0), unmet: BTreeSet::new() };
    assert_eq!(why(last, [unsure.clone(), unsure]), Some(Reason::TooFewVoices));
}

#[test]
fn thresholds_are_exact() {
    let at = |buyer| {
        let rules = rules(HumanDecides::LastResort, TieBreaker::None {});
        verdict(&tried(rules, [belief(buyer), belief(buyer)])).unwrap()
    };
    assert_eq!(at(600_000), Verdict::Refund);
    assert_eq!(at(599_999), Verdict::Partial);
    assert_eq!(at(400_001), Verdict::Partial);
    assert_eq!(at(400_000), Verdict::Release);
}

#[test]
fn a_record_with_a_call_that_was_not_made_is_refused() {
    let dispute = open(rules(HumanDecides::LastResort, human()));
    let good = record(dispute.id(), &sample::contract());
    let seal = |record| dispute.clone().step(Event::Sealed { record: Box::new(record) }, day(0));
    assert!(seal(good.clone()).is_ok());
    let spoil: [fn(&mut envelope_terms::dispute::SealedRecord); 6] = [
        |record| record.trace[0].calls[0].leaf = Digest::of(b"made up"),
        |record| record.trace[0].calls[0].index = 3,
        |record| record.trace[0].receipt = Digest::of(b"of another purchase"),
        |record| record.papers.push(Digest::of(b"another Paper")),
        |record| record.options.truncate(2),
        |record| record.observations = vec![Digest::of(b"x"); 401],
    ];
    for spoil in spoil {
        let mut bad = good.clone();
        spoil(&mut bad);
        assert_eq!(seal(bad).unwrap_err().code(), "DISPUTE_RECORD");
    }
}

#[test]
fn a_kill_is_one_dispute_by_its_id() {
    let kill = |kill: &str, reason: &str| Cause::Kill { kill: label(kill), reason: label(reason) };
    let name = |cause: Cause| cause.dispute_under(paper()).unwrap();
    assert_eq!(name(kill("k1", "manual")), name(kill("k1", "ring_breach")));
    assert_ne!(name(kill("k1", "manual")), name(kill("k2", "manual")));
    assert_ne!(name(cause()), name(kill("k1", "manual")));
}

fn mirrored(agreed: &Agreed) -> Agreed {
    let turned = |share: Share| Share::new(WHOLE - share.get()).unwrap();
    let (refund_from, release_to) = (turned(agreed.release_to), turned(agreed.refund_from));
    Agreed { refund_from, release_to, ..agreed.clone() }
}

fn other(verdict: Option<Verdict>) -> Option<Verdict> {
    verdict.map(|verdict| match verdict {
        Verdict::Refund => Verdict::Release,
        Verdict::Release => Verdict::Refund,
        Verdict::Partial | Verdict::CannotDecide => verdict,
    })
}

prop_compose! {
    fn voice()(weight in 1_u64..=WHOLE, confidence in 0..=MILLION, buyer in 0..=MILLION) -> Voice {
        let (confidence, buyer) = (million(confidence), million(buyer));
        Voice { weight, confidence, buyer, unmet: BTreeSet::new() }
    }
}

proptest! {
    #[test]
    fn beliefs_agree_with_brute_force(
        voices in prop::collection::vec(voice(), 0..8),
        from in 1_u64..=WHOLE,
        to in 0..WHOLE,
    ) {
        let mut agreed = sample::contract().dispute;
        agreed.refund_from = Share::new(from.max(to + 1)).unwrap();
        agreed.release_to = Share::new(to.min(from.max(to + 1) - 1)).unwrap();
        let say = |voice: &Voice| u128::from(voice.weight) * u128::from(voice.confidence.get());
        let all: u128 = voices.iter().map(say).sum();
        let sum: u128 = voices.iter().map(|one| say(one) * u128::from(one.buyer.get())).sum();
        let Some(belief) = posterior(&voices) else {
            prop_assert_eq!(all, 0);
            return Ok(());
        };
        prop_assert_eq!(u128::from(belief.millionths().get()), sum / all);
        let threshold = |share: Share| all * u128::from(share.get()) * u128::from(MILLION / WHOLE);
        let expected = if sum >= threshold(agreed.refund_from) {
            Some(Verdict::Refund)
        } else if sum <= threshold(agreed.release_to) {
            Some(Verdict::Release)
        } else {
            None
        };
        prop_assert_eq!(belief.verdict(&agreed), expected);
        let swap = |voice: &Voice| {
            Voice { buyer: million(MILLION - voice.buyer.get()), ..voice.clone() }
        };
        let swapped = posterior(&voices.iter().map(swap).collect::<Vec<_>>()).unwrap();
        prop_assert_eq!(swapped.verdict(&mirrored(&agreed)), other(expected));
    }

    #[test]
    fn swapping_the_parties_mirrors_the_verdict(first in 0..=MILLION, second in 0..=MILLION) {
        let rules = || rules(HumanDecides::LastResort, TieBreaker::None {});
        let swapped = Rules { dispute: mirrored(&rules().dispute), ..rules() };
        let here = verdict(&tried(rules(), [belief(first), belief(second)]));
        let there = [belief(MILLION - first), belief(MILLION - second)];
        prop_assert_eq!(verdict(&tried(swapped, there)), other(here));
    }

    #[test]
    fn the_remedy_never_weakens(
        fewer in prop::sample::subsequence(names(), 0..=7),
        more in prop::sample::subsequence(names(), 0..=7),
        verdict in prop::sample::select(vec![Verdict::Refund, Verdict::Release, Verdict::Partial]),
    ) {
        let contract = sample::contract();
        let few: BTreeSet<Id> = fewer.into_iter().collect();
        let many: BTreeSet<Id> = few.iter().cloned().chain(more).collect();
        let share = |stakes, unmet: &BTreeSet<Id>| {
            let rules = Rules::of(&Contract { stakes, ..sample::contract() }, paper());
            let weight = weight_of(unmet, &rules.weights);
            refund_share(verdict, contract.remedy.of(stakes), weight).unwrap()
        };
        for (low, high) in Stakes::ALL.into_iter().zip(Stakes::ALL.into_iter().skip(1)) {
            prop_assert!(share(low, &few) <= share(low, &many));
            prop_assert!(share(high, &few) <= share(high, &many));
            prop_assert!(share(low, &many) <= share(high, &many));
        }
    }
}

fn names() -> Vec<Id> {
    sample::contract().criteria.iter().map(|criterion| criterion.id.clone()).collect()
}

#[test]
fn only_the_agreed_person_decides_and_only_as_agreed() {
    let dispute = || {
        let dispute = open(rules(HumanDecides::Always, human()));
        let record = Box::new(record(dispute.id(), &sample::contract()));
        let dispute = dispute.step(Event::Sealed { record }, day(0)).unwrap().0;
        dispute.step(Event::Overdue {}, day(3)).unwrap().0
    };
    let code = |event| dispute().step(event, day(3)).map_err(|refused| refused.code());
    assert!(code(decided(CHIARA, Verdict::Release)).is_ok());
    let someone = code(decided("did:web:someone.example", Verdict::Release));
    assert_eq!(someone.unwrap_err(), "DISPUTE_MAY_NOT_DECIDE");
    let nothing = code(decided(CHIARA, Verdict::CannotDecide));
    assert_eq!(nothing.unwrap_err(), "DISPUTE_NO_VERDICT");
    let options = vec![Verdict::Refund, Verdict::Release, Verdict::CannotDecide];
    let mut narrow = rules(HumanDecides::Always, human());
    narrow.dispute.options = List::new(options).unwrap();
    let dispute = open(narrow.clone());
    let mut sealed = record(dispute.id(), &sample::contract());
    sealed.options = narrow.dispute.options.to_vec();
    let dispute = dispute.step(Event::Sealed { record: Box::new(sealed) }, day(0)).unwrap().0;
    let dispute = dispute.step(Event::Overdue {}, day(3)).unwrap().0;
    let decide = |verdict| dispute.clone().step(decided(CHIARA, verdict), day(3));
    assert_eq!(decide(Verdict::Partial).unwrap_err().code(), "DISPUTE_NOT_AN_OPTION");
    assert!(decide(Verdict::Refund).is_ok());
}

#[test]
fn critical_work_is_decided_by_a_person_whatever_the_paper_says() {
    let rules = |stakes| {
        let mut contract = Contract { stakes, ..sample::contract() };
        contract.remedy.critical = contract.remedy.standard.clone();
        Rules::of(&contract, paper())
    };
    let sure = || [belief(999_999), belief(999_999)];
    assert_eq!(verdict(&tried(rules(Stakes::Standard), sure())), Some(Verdict::Refund));
    assert_eq!(tried(rules(Stakes::Critical), sure()).name(), "human");
}
