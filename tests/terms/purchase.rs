//! The purchase: the table of its states, money in every one of them, and receipts that anybody
//! can replay.

use std::collections::{BTreeSet, VecDeque};
use std::sync::LazyLock;

use envelope_evidence::journal::Verdict as Conformity;
use envelope_evidence::{Digest, Timestamp};
use envelope_terms::acceptance::Delivery;
use envelope_terms::contract::{self, Contract, List, Stakes, Verdict};
use envelope_terms::dispute::{self, Answer, Cause, Million, Side};
use envelope_terms::escrow::{self, Account, Fact, Payee, ProviderId};
use envelope_terms::purchase::{
    Act, Effect, Event, Hand, Life, Purchase, Receipt, Refused, Review, Seen, State, Work, purchase,
};
use proptest::prelude::*;

use super::deal::{self, criteria, day, delivery, id, label, paper, record, seen, snapshot};
use super::machine::{Table, kind, outcome};
use super::sample;
use crate::evidence::sample as run;
use crate::golden;

/// A named event and how many days later it happens.
type Named = (String, Act, u64);

static DELIVERED: LazyLock<(Delivery, Digest)> = LazyLock::new(delivery);

/// The sample with three criteria, one of them the buyer's: few states to walk through.
fn contract(stakes: Stakes) -> Contract {
    let kept = ["table-shape", "coverage", "buyer-review"];
    let all = sample::contract();
    let criteria = all.criteria.iter().filter(|one| kept.contains(&one.id.as_str()));
    let criteria = List::new(criteria.cloned().collect()).unwrap();
    Contract { stakes, criteria, ..all }
}

fn new(stakes: Stakes) -> Purchase {
    Purchase::compiled(snapshot(contract(stakes)))
}

fn buy(seen: Seen, current: Seen) -> Act {
    Act::Buy { seen, current, provider: ProviderId::Manual }
}

fn settled(command: &str) -> Act {
    Act::Money { fact: Fact::Settled { command: label(command) } }
}

fn failed(command: &str) -> Act {
    Act::Money { fact: Fact::Failed { command: label(command), why: label("no") } }
}

fn observe(purchase: &Purchase, verdict: Conformity) -> Option<Act> {
    let review = match purchase.state() {
        State::QualityReview { review, .. } | State::DeliverableStaged { review, .. } => review,
        _ => return None,
    };
    let criteria = &purchase.snapshot().contract.criteria;
    let next = criteria.iter().find(|one| !review.observations.contains_key(&one.id))?;
    Some(Act::Observe { observation: Box::new(deal::observation(next, verdict)) })
}

fn in_dispute(purchase: &Purchase) -> Vec<Named> {
    let Hand::Dispute { dispute } = purchase.hand() else {
        let event = dispute::Event::Overdue {};
        return vec![("dispute".to_owned(), Act::Dispute { event }, 0)];
    };
    let record = Box::new(record(dispute.id(), &purchase.snapshot().contract));
    let asked = match dispute.state() {
        dispute::State::Panel { answers, .. } => {
            let panel = &dispute.rules().dispute.panel;
            panel.iter().find(|one| !answers.contains_key(&one.id)).map(|one| one.id.clone())
        }
        _ => None,
    };
    let evaluator = asked.unwrap_or_else(|| id("first"));
    let answer = |parts| Answer::Belief {
        buyer: Million::new(parts).unwrap(),
        confidence: Million::new(900_000).unwrap(),
        unmet: criteria(&["coverage"]),
    };
    let answered = |answer| dispute::Event::Answered { evaluator: evaluator.clone(), answer };
    let decided = |verdict| dispute::Event::Decided {
        by: contract::Did::new("did:web:arbiters.example:chiara-bernasconi").unwrap(),
        verdict,
        unmet: criteria(&["coverage", "table-shape"]),
    };
    [
        ("dispute sealed", dispute::Event::Sealed { record }),
        ("dispute for buyer", answered(answer(950_000))),
        ("dispute for developer", answered(answer(50_000))),
        ("dispute cannot decide", answered(Answer::CannotDecide {})),
        ("dispute human refunds", decided(Verdict::Refund)),
        ("dispute human releases", decided(Verdict::Release)),
        ("dispute human divides", decided(Verdict::Partial)),
    ]
    .map(|(name, event)| (name.to_owned(), Act::Dispute { event }, 0))
    .into()
}

/// Every event worth telling apart, named for the table.
fn acts(purchase: &Purchase) -> Vec<Named> {
    let orders = purchase.escrow().map_or(0, escrow::Escrow::orders);
    let last = format!("pur-1/{}", orders.max(1) - 1);
    let modified = Seen { listing: Digest::of(b"another"), ..seen() };
    let locked = purchase.snapshot().contract.criteria_digest().unwrap();
    let (delivery, receipt) = DELIVERED.clone();
    let party = Cause::Party {
        side: Side::Buyer,
        criteria: criteria(&["coverage"]),
        statement: Digest::of(b"statement"),
    };
    let kill = Cause::Kill { kill: label("kill-1"), reason: label("behavioral_drift") };
    let mut acts: Vec<Named> = [
        ("buy", buy(seen(), seen()), 0),
        ("buy what changed", buy(seen(), modified), 0),
        ("pay", Act::Pay { expires: day(90) }, 0),
        ("pay too late", Act::Pay { expires: day(900) }, 400),
        ("start", Act::Start { criteria: locked }, 0),
        ("start other criteria", Act::Start { criteria: Digest::of(b"other") }, 0),
        ("run-ended", Act::RunEnded { receipt }, 0),
        ("deliver", Act::Deliver { delivery }, 0),
        ("cure", Act::Cure {}, 0),
        ("cure too late", Act::Cure {}, 6),
        ("accept", Act::Accept {}, 0),
        ("accept-milestone", Act::AcceptMilestone { milestone: id("data") }, 0),
        ("open by party", Act::Open { cause: party }, 0),
        ("open by kill", Act::Open { cause: kill }, 0),
        ("money settled", settled(&last), 0),
        ("money failed", failed(&last), 0),
        ("money unknown", settled("nobody"), 0),
        ("retry", Act::Retry {}, 0),
        ("write-off", Act::WriteOff {}, 0),
        ("tick", Act::Tick {}, 0),
        ("tick 8 days later", Act::Tick {}, 8),
        ("tick after the hold", Act::Tick {}, 100),
    ]
    .map(|(name, act, days)| (name.to_owned(), act, days))
    .into();
    for (name, verdict) in
        [("observe conform", Conformity::Conform), ("observe deviate", Conformity::Deviate)]
    {
        acts.extend(observe(purchase, verdict).map(|act| (name.to_owned(), act, 0)));
    }
    acts.extend(in_dispute(purchase));
    acts
}

fn name(purchase: &Purchase) -> String {
    match purchase.hand() {
        Hand::Parties {} => purchase.state().name().to_owned(),
        hand => format!("{}, {}", purchase.state().name(), hand.name()),
    }
}

fn result(step: &Result<(Purchase, Vec<Effect>), Refused>) -> String {
    match step {
        Ok((next, effects)) => {
            let kinds: Vec<_> = effects.iter().map(kind).collect();
            outcome(&name(next), kinds.iter().map(String::as_str))
        }
        Err(refused) => format!("refused {}", refused.code()),
    }
}

/// A purchase somewhere in its life, and how many events it saw.
#[derive(Clone)]
struct Walk {
    purchase: Purchase,
    now: Timestamp,
    told: usize,
}

impl Walk {
    fn new(stakes: Stakes) -> Self {
        Self { purchase: new(stakes), now: day(0), told: 0 }
    }

    fn step(&self, act: Act, days: u64) -> Result<(Self, Vec<Effect>), Refused> {
        let now = Timestamp::from_millis(self.now.millis() + days * deal::DAY).unwrap();
        let event = Event { id: label(&format!("e{}", self.told)), act };
        let (purchase, effects) = self.purchase.clone().step(event, now)?;
        Ok((Self { purchase, now, told: self.told + 1 }, effects))
    }

    fn outcome(&self, act: &Act, days: u64) -> String {
        result(&self.step(act.clone(), days).map(|(walk, effects)| (walk.purchase, effects)))
    }

    /// What tells two purchases apart, as far as the table goes.
    fn key(&self) -> String {
        let (mut review, mut due) = (String::new(), Vec::new());
        match self.purchase.state() {
            State::PendingPayment { pay_by } => due.push(*pay_by),
            State::QualityReview { review: under, cure_until, work } => {
                due.extend(cure_until);
                review = reviewed(under, work);
            }
            State::DeliverableStaged { review: under, review_until, work } => {
                due.push(*review_until);
                review = reviewed(under, work);
            }
            State::ExecutionInProgress { work } => review = format!("{work:?}"),
            State::FundsReleased { ending } => review = format!("{:?}", ending.review.is_some()),
            _ => {}
        }
        let due: Vec<_> = due.iter().map(|until| *until <= self.now).collect();
        let hand = match self.purchase.hand() {
            Hand::Parties {} => String::new(),
            Hand::Provider { payout } => format!("{:?} {}", payout.why, payout.division.is_some()),
            Hand::Dispute { dispute } => {
                let answers = match dispute.state() {
                    dispute::State::Panel { answers, .. } => format!("{answers:?}"),
                    _ => String::new(),
                };
                format!("{} {answers}", dispute.state().name())
            }
        };
        let money = self.purchase.escrow().map(|escrow| {
            let last = label(&format!("pur-1/{}", escrow.orders().max(1) - 1));
            let open = escrow.clone().step(
                escrow::Event::Fact { fact: Fact::Notified { command: last.clone() } },
                self.now,
            );
            let last = escrow.order(&last).map(kind);
            let open = open.map(|(_, effects)| effects.len());
            let book = escrow.book();
            let paid = [Payee::Developer, Payee::Marketplace].map(|payee| book.paid(payee) > 0);
            let expired = self.now >= day(90);
            let amounts = [book.held() > 0, escrow.available() > 0, expired];
            format!("{} {last:?} {open:?} {paid:?} {amounts:?}", escrow.state().name())
        });
        let opens = acts(&self.purchase).into_iter().filter(|(name, ..)| name.starts_with("open"));
        let opens: Vec<_> = opens.map(|(_, act, days)| self.outcome(&act, days)).collect();
        format!("{} {review} {due:?} {hand} {money:?} {opens:?}", name(&self.purchase))
    }
}

fn reviewed(review: &Review, work: &Work) -> String {
    let unmet = review.observations.values().any(|one| one.verdict != Conformity::Conform);
    format!("{} {unmet} {}", review.observations.len(), work.milestones.len())
}

fn table(stakes: Stakes) -> Table {
    let start = Walk::new(stakes);
    let (mut table, mut seen) = (Table::default(), BTreeSet::from([start.key()]));
    let mut open = VecDeque::from([start]);
    while let Some(walk) = open.pop_front() {
        for (event, act, days) in acts(&walk.purchase) {
            table.note(&name(&walk.purchase), &event, walk.outcome(&act, days));
            if let Ok((next, _)) = walk.step(act, days)
                && seen.insert(next.key())
            {
                open.push_back(next);
            }
        }
    }
    table
}

#[test]
fn the_table_is_the_one_reviewed() {
    golden::check("machine-purchase.txt", &ELEVATED.text("Purchase, elevated stakes"));
}

static ELEVATED: LazyLock<Table> = LazyLock::new(|| table(Stakes::Elevated));

/// What holds of the money in every state.
fn sound(purchase: &Purchase) {
    let Some(escrow) = purchase.escrow() else { return };
    let (book, price) = (escrow.book(), &purchase.snapshot().contract.price);
    assert_eq!(book.sum(), 0);
    for account in Account::ALL {
        assert!(account == Account::Buyer || book.balance(account) >= 0, "{account:?}");
    }
    assert!(book.paid_in() <= price.escrow.get());
    let ending = match purchase.state() {
        State::FundsReleased { ending }
        | State::ResolvedRefund { ending }
        | State::ResolvedRelease { ending }
        | State::ResolvedPartial { ending } => ending,
        _ => return,
    };
    let Some(division) = ending.division else { return assert_eq!(book.paid_in(), 0) };
    assert_eq!(division.sum(), price.escrow.get(), "what was paid in is all somewhere");
    if matches!(purchase.hand(), Hand::Parties {}) {
        assert_eq!(book.held(), 0, "an ended purchase holds nothing");
        assert_eq!(book.paid(Payee::Developer), division.developer);
        assert_eq!(book.paid(Payee::Marketplace), division.marketplace);
        assert_eq!(price.escrow.get() - book.paid_in(), division.buyer);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn walks_stay_in_the_table_and_keep_the_money(
        choices in prop::collection::vec(any::<prop::sample::Index>(), 1..300),
    ) {
        let mut walk = Walk::new(Stakes::Elevated);
        for choice in choices {
            let mut acts = acts(&walk.purchase);
            let (event, act, days) = acts.swap_remove(choice.index(acts.len()));
            let came = walk.outcome(&act, days);
            let known = ELEVATED.has(&name(&walk.purchase), &event, &came);
            prop_assert!(known, "{} {event} {came}", name(&walk.purchase));
            let Ok((next, _)) = walk.step(act.clone(), days) else { continue };
            sound(&next.purchase);
            let twice = Event { id: label(&format!("e{}", walk.told)), act };
            let (same, effects) = next.purchase.clone().step(twice, next.now).unwrap();
            prop_assert!(same == next.purchase && effects.is_empty(), "told twice, done twice");
            walk = next;
        }
    }
}

/// The events of a purchase in which all goes well.
fn good_life() -> Vec<(Timestamp, Event)> {
    let (delivery, receipt) = DELIVERED.clone();
    let contract = contract(Stakes::Elevated);
    let mut acts = vec![
        buy(seen(), seen()),
        Act::Pay { expires: day(90) },
        settled("pur-1/0"),
        Act::Start { criteria: contract.criteria_digest().unwrap() },
        Act::RunEnded { receipt },
        Act::Deliver { delivery },
    ];
    acts.extend(contract.criteria.iter().map(|criterion| Act::Observe {
        observation: Box::new(deal::observation(criterion, Conformity::Conform)),
    }));
    acts.extend([Act::AcceptMilestone { milestone: id("data") }, settled("pur-1/1")]);
    acts.extend([Act::Accept {}, settled("pur-1/2"), settled("pur-1/3")]);
    let told = |(n, act)| (day(1), Event { id: label(&format!("e{n}")), act });
    acts.into_iter().enumerate().map(told).collect()
}

#[test]
fn the_same_events_give_the_same_receipts() {
    let snapshot = || snapshot(contract(Stakes::Elevated));
    let events = good_life();
    let (life, receipts) = purchase(snapshot(), &events).unwrap();
    assert_eq!(life.purchase().state().name(), "FUNDS_RELEASED");
    assert_eq!(receipts.len(), events.len());
    let book = life.purchase().escrow().unwrap().book();
    assert_eq!((book.paid(Payee::Developer), book.paid(Payee::Marketplace)), (240_000, 12_000));
    let (again, same) = purchase(snapshot(), &events).unwrap();
    assert_eq!((again.head(), &same), (life.head(), &receipts));
    assert_eq!(Receipt::verify(&receipts).unwrap().head(), life.head());
    golden::check("purchase-head.txt", &format!("{}\n", life.head().unwrap()));
    // Events told twice leave no receipt; other times, other words and other orders do.
    let twice: Vec<_> = events.iter().flat_map(|event| [event.clone(), event.clone()]).collect();
    assert_eq!(purchase(snapshot(), &twice).unwrap().0.head(), life.head());
    let mut later = events.clone();
    later[0].0 = day(2);
    assert_ne!(purchase(snapshot(), &later).unwrap().0.head(), life.head());
    let mut renamed = events.clone();
    renamed[0].1.id = label("other");
    assert_ne!(purchase(snapshot(), &renamed).unwrap().0.head(), life.head());
    let mut swapped = events;
    swapped.swap(1, 2);
    assert_eq!(purchase(snapshot(), &swapped).unwrap_err().index, 1);
}

#[test]
fn a_changed_receipt_breaks_the_chain() {
    let (_, receipts) = purchase(snapshot(contract(Stakes::Elevated)), &good_life()).unwrap();
    let mut changed = receipts.clone();
    changed[3].at = day(5);
    assert_eq!(Receipt::verify(&changed).unwrap_err().index, 4);
    let mut dropped = receipts.clone();
    dropped.remove(0);
    assert!(Receipt::verify(&dropped).is_err());
    let sealed = receipts[0].seal(&run::receipt_key()).unwrap();
    let purposes = [envelope_evidence::key::Purpose::Receipt];
    assert_eq!(sealed.verify(&run::ring(), &purposes, day(1)), Ok(()));
}

#[test]
fn a_modified_listing_is_refused_with_both_digests() {
    let changed = Seen { listing: Digest::of(b"price raised"), ..seen() };
    let newer = Seen { msa: Digest::of(b"new msa"), ..seen() };
    for (saw, offered) in [(changed, seen()), (seen(), changed), (seen(), newer), (newer, newer)] {
        let refused = Walk::new(Stakes::Standard).step(buy(saw, offered), 0).err().unwrap();
        assert_eq!(refused.code(), "LISTING_MODIFIED");
        let Refused::ListingModified(both) = &refused else { panic!("{refused}") };
        assert_eq!((both.seen, both.current), (saw, offered));
        assert!(refused.to_string().contains(&offered.msa.to_string()));
    }
    let bought = Walk::new(Stakes::Standard).step(buy(seen(), seen()), 0).ok().unwrap().0;
    assert_eq!(bought.purchase.provider(), Some(ProviderId::Manual));
}

/// Plays named acts, each of which must be accepted.
fn play(stakes: Stakes, names: &[&str]) -> Walk {
    names.iter().fold(Walk::new(stakes), |walk, wanted| {
        let found = acts(&walk.purchase).into_iter().find(|(name, ..)| name == wanted);
        let (_, act, days) =
            found.unwrap_or_else(|| panic!("{wanted} in {}", name(&walk.purchase)));
        walk.step(act, days).unwrap_or_else(|why| panic!("{wanted}: {why}")).0
    })
}

const WORKING: [&str; 5] = ["buy", "pay", "money settled", "start", "run-ended"];

#[test]
fn a_kill_told_twice_opens_one_dispute() {
    let walk = play(Stakes::Standard, &[&WORKING[..], &["open by kill"]].concat());
    let other_words = Cause::Kill { kill: label("kill-1"), reason: label("manual") };
    let (same, effects) = walk.step(Act::Open { cause: other_words }, 1).unwrap();
    assert!(effects.is_empty());
    assert_eq!(same.purchase.hand(), walk.purchase.hand());
    let another = Cause::Kill { kill: label("kill-2"), reason: label("manual") };
    let refused = walk.step(Act::Open { cause: another }, 1).err().unwrap();
    assert_eq!(refused.code(), "PURCHASE_DISPUTED");
    assert_eq!(walk.purchase.escrow().unwrap().available(), 0, "all of it is frozen");
}

#[test]
fn silence_is_consent_and_an_unmet_criterion_is_not() {
    let reviewed = [&WORKING[..], &["deliver"], &["observe conform"; 2]].concat();
    let staged = play(Stakes::Standard, &reviewed);
    assert_eq!(name(&staged.purchase), "DELIVERABLE_STAGED");
    assert!(staged.step(Act::Tick {}, 4).is_err(), "the buyer may look for five days");
    let silent = staged.step(Act::Tick {}, 5).unwrap().0;
    assert_eq!(name(&silent.purchase), "DELIVERABLE_STAGED, provider");
    let failing = [&reviewed[..], &["observe deviate"]].concat();
    let failed = play(Stakes::Standard, &failing);
    assert_eq!(name(&failed.purchase), "QUALITY_REVIEW");
    assert!(failed.step(Act::Cure {}, 9).is_ok());
    assert!(failed.step(Act::Cure {}, 10).is_err());
    let opened = failed.step(Act::Tick {}, 10).unwrap().0;
    assert_eq!(name(&opened.purchase), "QUALITY_REVIEW, dispute");
    let critical = play(Stakes::Critical, &failing);
    let known = "DELIVERABLE_STAGED, dispute";
    assert_eq!(name(&critical.purchase), known, "critical work has no cure");
}

#[test]
fn a_reversal_that_fails_is_written_off_by_a_person_alone() {
    let paid = [&WORKING[..], &["deliver"], &["observe conform"; 2], &["accept"]].concat();
    let paid = [&paid[..], &["money settled", "money settled", "open by party"]].concat();
    let lost = ["dispute sealed", "dispute for buyer", "dispute for buyer", "money failed"];
    let walk = play(Stakes::Standard, &[&paid[..], &lost].concat());
    assert_eq!(name(&walk.purchase), "FUNDS_RELEASED, provider");
    assert_eq!(walk.purchase.escrow().unwrap().state().name(), "reversal_failed");
    assert!(walk.step(Act::Tick {}, 0).is_err(), "nothing is tried again by itself");
    assert_eq!(walk.purchase.escrow().unwrap().orders(), 4);
    let retried = walk.step(Act::Retry {}, 0).unwrap().0;
    let retried = retried.step(settled("pur-1/4"), 0).unwrap().0;
    assert_eq!(name(&retried.purchase), "FUNDS_RELEASED, provider", "the fee comes back next");
    // The developer keeps the money; the marketplace's fee still comes back.
    let off = walk.step(Act::WriteOff {}, 0).unwrap().0;
    let off = off.step(settled("pur-1/4"), 0).unwrap().0.step(settled("pur-1/5"), 0).unwrap().0;
    assert_eq!(name(&off.purchase), "RESOLVED_PARTIAL");
    sound(&off.purchase);
    let book = off.purchase.escrow().unwrap().book();
    assert_eq!((book.paid(Payee::Developer), book.paid_in()), (240_000, 240_000));
}

#[test]
fn a_chain_of_documents_that_does_not_end_in_the_paper_is_not_sold() {
    let mut broken = snapshot(sample::contract());
    broken.papers.pop();
    let event = Event { id: label("e"), act: buy(seen(), seen()) };
    assert!(Life::new(broken).unwrap().step(event.clone(), day(0)).is_err());
    assert!(Life::new(snapshot(sample::contract())).unwrap().step(event, day(0)).is_ok());
    assert_eq!(snapshot(sample::contract()).paper, paper());
}
