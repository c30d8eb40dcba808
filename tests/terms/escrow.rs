//! The ledger: no money appears or vanishes, no state is reached outside the table, and any
//! provider that keeps the rules of one suite will do.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::LazyLock;

use envelope_evidence::{Label, Timestamp};
use envelope_terms::contract::{Currency, MinorUnits};
use envelope_terms::escrow::{
    Account, Command, Effect, Escrow, Event, Fact, Manual, Order, Payee, Provider, ProviderId,
    Refused, Report, State, Unsent,
};
use proptest::prelude::*;

use super::machine::{Table, kind, outcome};
use crate::golden;

const EARLY: u64 = 1_000;
const EXPIRES: u64 = 2_000;
const LATE: u64 = 3_000;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis).unwrap()
}

fn label(text: &str) -> Label {
    Label::new(text).unwrap()
}

fn units(amount: u64) -> MinorUnits {
    MinorUnits::new(amount).unwrap()
}

fn empty() -> Escrow {
    Escrow::new(ProviderId::Manual, Currency::Chf)
}

fn hold(amount: u64) -> Order {
    Order::Hold { amount: units(amount), expires: at(EXPIRES) }
}

fn release(to: Payee, amount: u64) -> Order {
    Order::Release { to, amount: units(amount), milestone: None }
}

fn order(id: &str, order: Order) -> Event {
    Event::Order { command: Command { id: label(id), order } }
}

fn settled(id: &str) -> Event {
    Event::Fact { fact: Fact::Settled { command: label(id) } }
}

fn failed(id: &str) -> Event {
    Event::Fact { fact: Fact::Failed { command: label(id), why: label("no") } }
}

fn notified(id: &str) -> Event {
    Event::Fact { fact: Fact::Notified { command: label(id) } }
}

/// Every event worth telling apart at `escrow`, where `n` orders were given, named for the table.
fn events(escrow: &Escrow, part: u64) -> Vec<(&'static str, Event, u64)> {
    let (next, last) =
        (format!("c{}", escrow.orders()), format!("c{}", escrow.orders().max(1) - 1));
    let developer = Payee::Developer;
    let reverse = Order::Reverse { from: developer, amount: units(part) };
    let held = units(escrow.book().held().max(1));
    let paid = units(escrow.book().paid(developer).max(1));
    vec![
        ("hold", order(&next, hold(100)), EARLY),
        ("release", order(&next, release(developer, part)), EARLY),
        (
            "release all",
            order(&next, Order::Release { to: developer, amount: held, milestone: None }),
            EARLY,
        ),
        ("release late", order(&next, release(developer, part)), LATE),
        ("release too much", order(&next, release(developer, 10_000)), EARLY),
        ("refund", order(&next, Order::Refund { amount: units(part) }), EARLY),
        ("refund all", order(&next, Order::Refund { amount: held }), LATE),
        ("reverse", order(&next, reverse), EARLY),
        ("reverse all", order(&next, Order::Reverse { from: developer, amount: paid }), EARLY),
        ("order again", again(escrow, &last), EARLY),
        ("order reused", order(&last, hold(101)), EARLY),
        ("settled", settled(&last), EARLY),
        ("failed", failed(&last), EARLY),
        ("notified", notified(&last), EARLY),
        ("settled unknown", settled("nobody"), EARLY),
        ("freeze", Event::Freeze { amount: u64::MAX }, EARLY),
        ("thaw", Event::Thaw {}, EARLY),
        ("expire early", Event::Expire {}, EARLY),
        ("expire", Event::Expire {}, LATE),
    ]
}

fn again(escrow: &Escrow, id: &str) -> Event {
    let known = escrow.order(&label(id)).cloned();
    order(id, known.unwrap_or_else(|| hold(100)))
}

fn result(step: &Result<(Escrow, Vec<Effect>), Refused>) -> String {
    match step {
        Ok((next, effects)) => {
            let kinds: Vec<_> = effects.iter().map(kind).collect();
            outcome(next.state().name(), kinds.iter().map(String::as_str))
        }
        Err(refused) => format!("refused {}", refused.code()),
    }
}

/// What tells two ledgers apart: what each event does to them.
fn key(escrow: &Escrow) -> Vec<String> {
    let steps = [20, 70].into_iter().flat_map(|part| events(escrow, part));
    let steps = steps.map(|(_, event, millis)| escrow.clone().step(event, at(millis)));
    // While an order is on its way, events say nothing about the balances behind it.
    let book = escrow.book();
    let behind = [book.held(), book.paid(Payee::Developer)].map(|balance| balance > 0);
    let last = escrow.order(&label(&format!("c{}", escrow.orders().max(1) - 1)));
    let state = format!("{} {behind:?} {last:?}", escrow.state().name());
    [state].into_iter().chain(steps.map(|step| result(&step))).collect()
}

fn table() -> Table {
    let (mut table, mut seen) = (Table::default(), BTreeSet::from([key(&empty())]));
    let mut open = VecDeque::from([empty()]);
    while let Some(escrow) = open.pop_front() {
        for (name, event, millis) in [20, 70].into_iter().flat_map(|part| events(&escrow, part)) {
            let step = escrow.clone().step(event, at(millis));
            table.note(escrow.state().name(), name, result(&step));
            if let Ok((next, _)) = step
                && seen.insert(key(&next))
            {
                open.push_back(next);
            }
        }
    }
    table
}

#[test]
fn the_table_is_the_one_reviewed() {
    golden::check("machine-escrow.txt", &table().text("Escrow"));
}

/// A ledger kept by somebody else, from the postings alone.
#[derive(Default)]
struct Shadow(BTreeMap<Account, i64>);

impl Shadow {
    fn follow(&mut self, effects: &[Effect]) {
        for effect in effects {
            if let Effect::Post { posting } = effect {
                let amount = i64::try_from(posting.amount.get()).unwrap();
                *self.0.entry(posting.from).or_default() -= amount;
                *self.0.entry(posting.to).or_default() += amount;
            }
        }
    }

    fn agrees(&self, escrow: &Escrow) {
        for account in Account::ALL {
            let balance = escrow.book().balance(account);
            assert_eq!(self.0.get(&account).copied().unwrap_or_default(), balance, "{account:?}");
            assert!(account == Account::Buyer || balance >= 0, "{account:?} is overdrawn");
        }
        assert_eq!(escrow.book().sum(), 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn money_is_conserved_and_states_are_those_of_the_table(
        steps in prop::collection::vec((0_usize..19, 1_u64..60), 1..80),
    ) {
        static TABLE: LazyLock<Table> = LazyLock::new(table);
        let (mut escrow, mut shadow) = (empty(), Shadow::default());
        for (choice, part) in steps {
            let (name, event, millis) = events(&escrow, part).swap_remove(choice);
            let step = escrow.clone().step(event.clone(), at(millis));
            let state = escrow.state().name();
            prop_assert!(TABLE.has(state, name, &result(&step)), "{state} {name} {step:?}");
            if let Ok((next, effects)) = step {
                shadow.follow(&effects);
                shadow.agrees(&next);
                let (again, effects) = next.clone().step(event, at(millis)).unwrap();
                prop_assert!(again == next, "told twice, done twice");
                let moves = effects.iter().any(|effect| !matches!(effect, Effect::Read { .. }));
                prop_assert!(!moves, "told twice, sent twice");
                escrow = next;
            }
        }
    }
}

#[test]
fn a_release_after_the_hold_expired_is_refused() {
    let run = |steps: &[(Event, u64)]| {
        steps.iter().try_fold(empty(), |escrow, (event, millis)| {
            escrow.step(event.clone(), at(*millis)).map(|(next, _)| next)
        })
    };
    let funded = [(order("h", hold(100)), EARLY), (settled("h"), EARLY)];
    let with = |more: (Event, u64)| run(&[&funded[..], &[more]].concat());
    let pay = || order("r", release(Payee::Developer, 100));
    assert!(with((pay(), EXPIRES - 1)).is_ok());
    assert_eq!(with((pay(), EXPIRES)).unwrap_err(), Refused::HoldExpired(at(EXPIRES)));
    assert_eq!(with((Event::Expire {}, EXPIRES - 1)).unwrap_err().code(), "ESCROW_NOT_EXPIRED");
    let expired = with((Event::Expire {}, EXPIRES)).unwrap();
    assert_eq!(expired.state().name(), "expired");
    let back = expired.step(order("b", Order::Refund { amount: units(100) }), at(LATE));
    let (back, _) = back.unwrap().0.step(settled("b"), at(LATE)).unwrap();
    assert!(matches!(back.state(), State::Settled { .. }));
    assert_eq!(back.book().paid_in(), 0);
}

#[test]
fn what_is_frozen_stays() {
    let escrow = empty().step(order("h", hold(100)), at(EARLY)).unwrap().0;
    let escrow = escrow.step(settled("h"), at(EARLY)).unwrap().0;
    let escrow = escrow.step(Event::Freeze { amount: 70 }, at(EARLY)).unwrap().0;
    let pay =
        |amount| escrow.clone().step(order("r", release(Payee::Developer, amount)), at(EARLY));
    assert!(pay(30).is_ok());
    assert_eq!(pay(31).unwrap_err(), Refused::Insufficient { asked: 31, there: 30 });
}

/// What every provider has to do. `finish` makes the provider end an order one way or the other.
fn conforms<P: Provider>(mut provider: P, mut finish: impl FnMut(&mut P, &Label, bool)) {
    let commands = [
        ("h", hold(100)),
        ("r", release(Payee::Developer, 40)),
        ("v", Order::Reverse { from: Payee::Developer, amount: units(10) }),
        ("b", Order::Refund { amount: units(60) }),
    ];
    assert!(ProviderId::ALL.contains(&provider.id()));
    let mut escrow = Escrow::new(provider.id(), Currency::Eur);
    for (round, done) in [(0, false), (1, true)] {
        for (name, order) in &commands {
            if round == 0 && *name != "h" {
                continue;
            }
            let id = label(&format!("{name}{round}"));
            let command = Command { id: id.clone(), order: order.clone() };
            assert_eq!(provider.read(&id), Report::Unknown);
            let event = Event::Order { command: command.clone() };
            let (next, effects) = escrow.step(event, at(EARLY)).unwrap();
            let sent: Vec<_> =
                effects.iter().filter(|effect| matches!(effect, Effect::Send { .. })).collect();
            assert_eq!(sent.len(), 1);
            provider.send(&command).unwrap();
            provider.send(&command).unwrap();
            let other = Command { id: id.clone(), order: hold(101) };
            assert_eq!(provider.send(&other), Err(Unsent::Reused(id.clone())));
            assert_eq!(provider.read(&id), Report::Pending, "accepted is not done");
            // A webhook makes the books be read, and moves nothing by itself.
            let (next, effects) = next.step(notified(&id), at(EARLY)).unwrap();
            let read = Effect::Read { provider: provider.id(), command: id.clone() };
            assert_eq!(effects, [read]);
            finish(&mut provider, &id, done);
            provider.send(&command).unwrap();
            let event = match provider.read(&id) {
                Report::Settled => settled(&id),
                Report::Failed { why } => Event::Fact { fact: Fact::Failed { command: id, why } },
                report @ (Report::Unknown | Report::Pending) => panic!("{report:?}"),
            };
            escrow = next.step(event, at(EARLY)).unwrap().0;
            assert_eq!(escrow.book().sum(), 0);
        }
    }
    assert_eq!((escrow.book().paid_in(), escrow.book().held()), (40, 10));
    assert_eq!(escrow.book().paid(Payee::Developer), 30);
}

#[test]
fn the_manual_provider_conforms() {
    conforms(Manual::default(), |manual, id, done| {
        assert_eq!(manual.waiting().map(|(id, _)| id).collect::<Vec<_>>(), [id]);
        let answer = || if done { Ok(()) } else { Err(label("account closed")) };
        manual.answer(id, answer()).unwrap();
        assert!(manual.answer(id, answer()).is_err(), "answered twice");
    });
}

#[test]
fn simulated_providers_conform() {
    for shape in Simulation::ALL {
        conforms(Simulated { shape, orders: BTreeMap::new() }, Simulated::finish);
    }
}

/// Simulations of the shapes of four providers: what they call their states, and how many steps
/// lie between accepted and done. None of them has ever met its namesake.
#[derive(Clone, Copy)]
enum Simulation {
    Stripe,
    Wise,
    PayPal,
    X402,
}

impl Simulation {
    const ALL: [Self; 4] = [Self::Stripe, Self::Wise, Self::PayPal, Self::X402];

    /// The states on the way, the good end and the bad one.
    const fn words(self) -> (&'static [&'static str], &'static str, &'static str) {
        match self {
            Self::Stripe => {
                (&["requires_capture", "processing"], "succeeded", "requires_payment_method")
            }
            Self::Wise => (
                &["incoming_payment_waiting", "funds_converted"],
                "outgoing_payment_sent",
                "bounced_back",
            ),
            Self::PayPal => (&["PENDING"], "COMPLETED", "DENIED"),
            Self::X402 => (&["verified", "broadcast", "1 of 2 blocks"], "settled", "reverted"),
        }
    }
}

struct Simulated {
    shape: Simulation,
    orders: BTreeMap<Label, (Order, &'static str)>,
}

impl Simulated {
    fn finish(&mut self, id: &Label, done: bool) {
        let (between, good, bad) = self.shape.words();
        for state in between.iter().copied().chain([if done { good } else { bad }]) {
            assert!(matches!(self.read(id), Report::Pending));
            self.orders.get_mut(id).unwrap().1 = state;
        }
    }
}

impl Provider for Simulated {
    fn id(&self) -> ProviderId {
        match self.shape {
            Simulation::Stripe => ProviderId::Stripe,
            Simulation::Wise => ProviderId::Wise,
            Simulation::PayPal => ProviderId::PayPal,
            Simulation::X402 => ProviderId::Crypto,
        }
    }

    fn send(&mut self, command: &Command) -> Result<(), Unsent> {
        let first = (command.order.clone(), self.shape.words().0[0]);
        let known = self.orders.entry(command.id.clone()).or_insert(first);
        if known.0 == command.order { Ok(()) } else { Err(Unsent::Reused(command.id.clone())) }
    }

    fn read(&self, command: &Label) -> Report {
        let (_, good, bad) = self.shape.words();
        match self.orders.get(command) {
            None => Report::Unknown,
            Some((_, state)) if *state == good => Report::Settled,
            Some((_, state)) if *state == bad => Report::Failed { why: label(bad) },
            Some(_) => Report::Pending,
        }
    }
}
