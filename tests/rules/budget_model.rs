//! The cap theorem, checked in every interleaving: two nodes, each with a lease carved from one
//! organisation's account, three calls each, a provider that bills what it may (or lies), answers
//! that get lost, nodes that crash with their log and without it.
//!
//! The tills of the model are the real meter, loaded from its state before every step: each step
//! is therefore also a crash and a recovery. Meters with one planted fault each show that these
//! properties can fail.

mod till;

use stateright::{Checker, Expectation, Model, Property};

use self::till::{Fault, Planted, Till, real};

/// What every call reserves.
const WORST: u64 = 2;
/// What a node asks for, and what it makes do with near the cap.
const LEASES: [u64; 2] = [5, 3];
/// One full lease and one small one.
const CAP: u64 = 8;

#[test]
fn an_honest_provider_never_bills_past_the_cap() {
    let scene = Scene { till: real("model", CAP), nodes: 2, calls: 3, bills: &[1, WORST] };
    let checker = scene.checker().threads(2).spawn_dfs().join();
    checker.assert_properties();
    println!(
        "two nodes of three calls: {} states, {} steps",
        checker.unique_state_count(),
        checker.state_count()
    );
}

#[test]
fn a_lying_provider_is_stopped_at_its_first_lie() {
    let scene = Scene { till: real("model", CAP), nodes: 1, calls: 4, bills: &[1, WORST + 1] };
    let checker = scene.checker().spawn_dfs().join();
    checker.assert_properties();
    println!(
        "one node of four calls, lies: {} states, {} steps",
        checker.unique_state_count(),
        checker.state_count()
    );
}

#[test]
fn every_planted_fault_is_found() {
    assert_eq!(caught(Fault::None), [] as [&str; 0], "the properties accept a sound meter");
    for (fault, property) in [
        (Fault::ChecksWithoutHolding, "billed within the cap"),
        (Fault::ForgivesTheExcess, "the books are the truth"),
        (Fault::NeverLatches, "an overspend latches at once"),
        (Fault::AdmitsWhenLatched, "nothing is admitted after an overspend"),
        (Fault::ForgetsHoldsInACrash, "billed within the books"),
        (Fault::SettlesTwice, "the books are the truth"),
        (Fault::KeepsTheRest, "the books are the truth"),
    ] {
        let found = caught(fault);
        assert!(found.contains(&property), "{fault:?} is found as {found:?}");
    }
}

/// The `always` properties that the faulty till breaks, whatever the provider does.
fn caught(fault: Fault) -> Vec<&'static str> {
    let till = Planted::with(fault);
    let mut found = Vec::new();
    for bills in [&[1, WORST], &[1, WORST + 1]] {
        let scene = Scene { till: till.clone(), nodes: 1, calls: 3, bills };
        let sound = scene.properties();
        let checker = scene.checker().spawn_dfs().join();
        let broken = checker.discoveries();
        let always = sound.iter().filter(|p| p.expectation == Expectation::Always);
        found.extend(always.map(|p| p.name).filter(|name| broken.contains_key(name)));
    }
    found.sort_unstable();
    found.dedup();
    found
}

struct Scene<T> {
    till: T,
    nodes: usize,
    calls: usize,
    /// What the provider may bill for a call.
    bills: &'static [u64],
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World<T> {
    organisation: T,
    nodes: Vec<Node<T>>,
    /// The provider's own count of all it billed: the ground truth.
    billed: u64,
    /// A call was admitted by a till that had booked an overspend.
    admitted_after_overspend: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Node<T> {
    lease: Lease,
    calls: Vec<Call>,
    till: Option<T>,
    billed: u64,
    crashed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Lease {
    Wanted,
    Refused,
    Open { hold: u64, size: u64 },
    Closed { booked: u64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Call {
    New,
    Refused,
    /// Reserved, not sent.
    Held(u64),
    /// Sent and billed; the answer is on its way.
    Sent {
        hold: u64,
        bill: u64,
    },
    /// The node cannot know whether it was sent.
    Unknown(u64),
    Ended {
        hold: u64,
        booked: u64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Lease,
    Reserve(usize),
    Void(usize),
    Send(usize, u64),
    Settle(usize),
    /// The answer is lost, or the node came back and knows nothing: the worst case is booked.
    Forfeit(usize),
    /// The node starts again and settles once more whatever its log says was settled.
    Crash,
    /// The node and its log are gone: its whole lease counts as spent.
    WriteOff,
    Return,
}

impl<T: Till> Model for Scene<T> {
    type State = World<T>;
    type Action = (usize, Act);

    fn init_states(&self) -> Vec<World<T>> {
        let node = Node {
            lease: Lease::Wanted,
            calls: vec![Call::New; self.calls],
            till: None,
            billed: 0,
            crashed: false,
        };
        vec![World {
            organisation: self.till.fresh("organisation", CAP),
            nodes: vec![node; self.nodes],
            billed: 0,
            admitted_after_overspend: false,
        }]
    }

    fn actions(&self, world: &World<T>, actions: &mut Vec<(usize, Act)>) {
        let wanted = |node: &Node<T>| node.lease == Lease::Wanted;
        let first_without = world.nodes.iter().position(wanted);
        for (at, node) in world.nodes.iter().enumerate() {
            let mut may = |act| actions.push((at, act));
            match node.lease {
                // Nodes are alike: they begin in order.
                Lease::Wanted if first_without == Some(at) => may(Act::Lease),
                Lease::Wanted => {}
                Lease::Refused | Lease::Closed { .. } => {}
                Lease::Open { .. } => self.node_actions(node, &mut may),
            }
        }
    }

    fn next_state(&self, last: &World<T>, (at, act): (usize, Act)) -> Option<World<T>> {
        let mut world = last.clone();
        let World { organisation, nodes, billed, admitted_after_overspend } = &mut world;
        let Node { lease, calls, till, billed: node_billed, crashed } = &mut nodes[at];
        match act {
            Act::Lease => {
                let size = LEASES.iter().find_map(|&n| Some((n, organisation.reserve(n)?)));
                *lease = size.map_or(Lease::Refused, |(size, hold)| {
                    *till = Some(self.till.fresh("node", size));
                    Lease::Open { hold, size }
                });
            }
            Act::Reserve(call) => {
                let overspent = calls.iter().any(overspent);
                let hold = till.as_mut()?.reserve(WORST);
                *admitted_after_overspend |= overspent && hold.is_some();
                calls[call] = hold.map_or(Call::Refused, Call::Held);
            }
            Act::Send(call, bill) => {
                let Call::Held(hold) = calls[call] else { return None };
                *billed += bill;
                *node_billed += bill;
                calls[call] = Call::Sent { hold, bill };
            }
            Act::Void(call) | Act::Settle(call) | Act::Forfeit(call) => {
                let (hold, booked) = match (act, calls[call]) {
                    (Act::Void(_), Call::Held(hold)) => (hold, 0),
                    (Act::Settle(_), Call::Sent { hold, bill }) => (hold, bill),
                    (_, Call::Sent { hold, .. } | Call::Unknown(hold)) => (hold, WORST),
                    _ => return None,
                };
                till.as_mut()?.settle(hold, booked);
                calls[call] = Call::Ended { hold, booked };
            }
            Act::Crash => {
                *crashed = true;
                let till = till.as_mut()?;
                till.crash();
                for call in calls {
                    forget(call);
                    if let Call::Ended { hold, booked } = *call {
                        till.settle(hold, booked);
                    }
                }
            }
            Act::WriteOff | Act::Return => {
                let Lease::Open { hold, size } = *lease else { return None };
                let till = till.take()?;
                let returned = act == Act::Return;
                let booked = if returned { till.spent() + till.held() } else { size };
                organisation.settle(hold, booked);
                *lease = Lease::Closed { booked };
                // Nothing more happens here, so equal ends are one state.
                calls.clear();
            }
        }
        Some(world)
    }

    /// A till that books a duplicate again and again would never come to an end.
    fn within_boundary(&self, world: &World<T>) -> bool {
        live(world).all(|(_, till)| till.spent() <= 2 * CAP)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let lies = self.bills.iter().any(|&bill| bill > WORST);
        let mut properties = Self::always();
        properties.extend(if lies { Self::with_lies() } else { Self::without_lies() });
        properties
    }
}

impl<T: Till> Scene<T> {
    /// What holds whatever the provider does.
    fn always() -> Vec<Property<Self>> {
        vec![
            Property::always("an overspend latches at once", |_, world: &World<T>| {
                live(world).all(|(node, till)| till.latched() || !node.calls.iter().any(overspent))
            }),
            Property::always("nothing is admitted after an overspend", |_, world: &World<T>| {
                !world.admitted_after_overspend
            }),
            Property::always("the books are the truth", |_, world: &World<T>| {
                live(world).all(|(node, till)| books(&node.calls) == (till.spent(), till.held()))
                    && leased(world) == (world.organisation.spent(), world.organisation.held())
            }),
            Property::always("nothing is left hanging", |scene: &Self, world: &World<T>| {
                let mut next = Vec::new();
                scene.actions(world, &mut next);
                !next.is_empty() || world.organisation.held() == 0
            }),
            Property::sometimes("a call is refused", |_, world: &World<T>| {
                live(world).any(|(node, _)| node.calls.contains(&Call::Refused))
            }),
        ]
    }

    /// The theorem: what holds while the provider bills at most what was reserved.
    fn without_lies() -> Vec<Property<Self>> {
        vec![
            Property::always("billed within the cap", |_, world: &World<T>| {
                let within = |node: &Node<T>| match node.lease {
                    Lease::Open { size, .. } => node.billed <= size,
                    Lease::Wanted | Lease::Refused | Lease::Closed { .. } => true,
                };
                world.billed <= CAP && world.nodes.iter().all(within)
            }),
            Property::always("booked within the cap", |_, world: &World<T>| {
                world.organisation.spent() + world.organisation.held() <= CAP
            }),
            Property::always("billed within the books", |_, world: &World<T>| {
                live(world).all(|(node, till)| node.billed <= till.spent() + till.held())
                    && world.billed <= world.organisation.spent() + world.organisation.held()
            }),
            Property::sometimes("a lease is used up", |_, world: &World<T>| {
                live(world).any(|(node, _)| node.billed == LEASES[0])
            }),
        ]
    }

    fn with_lies() -> Vec<Property<Self>> {
        vec![
            Property::sometimes("a breaker opens", |_, world: &World<T>| {
                live(world).any(|(_, till)| till.latched())
            }),
            Property::sometimes("the lie reaches the organisation", |_, world: &World<T>| {
                world.organisation.latched()
            }),
        ]
    }

    fn node_actions(&self, node: &Node<T>, may: &mut impl FnMut(Act)) {
        for (at, call) in node.calls.iter().enumerate() {
            // Calls are alike: they begin in order.
            let first_new = node.calls.iter().position(|call| *call == Call::New) == Some(at);
            match call {
                Call::New if first_new => may(Act::Reserve(at)),
                Call::New | Call::Refused => {}
                Call::Held(_) => {
                    may(Act::Void(at));
                    self.bills.iter().for_each(|&bill| may(Act::Send(at, bill)));
                }
                Call::Sent { .. } => {
                    may(Act::Settle(at));
                    may(Act::Forfeit(at));
                }
                Call::Unknown(_) => may(Act::Forfeit(at)),
                Call::Ended { .. } => {}
            }
        }
        let open =
            |call: &Call| matches!(call, Call::Held(_) | Call::Sent { .. } | Call::Unknown(_));
        if !node.calls.iter().any(open) {
            return may(Act::Return);
        }
        may(Act::WriteOff);
        if !node.crashed {
            may(Act::Crash);
        }
    }
}

/// The nodes that hold a lease, with their tills.
fn live<T>(world: &World<T>) -> impl Iterator<Item = (&Node<T>, &T)> {
    world.nodes.iter().filter_map(|node| Some((node, node.till.as_ref()?)))
}

/// After a crash only the log is left, and the log does not tell whether a call was sent.
fn forget(call: &mut Call) {
    if let Call::Held(hold) | Call::Sent { hold, .. } = *call {
        *call = Call::Unknown(hold);
    }
}

fn overspent(call: &Call) -> bool {
    matches!(call, Call::Ended { booked, .. } if *booked > WORST)
}

/// What must be spent and held for these calls: an independent count.
fn books(calls: &[Call]) -> (u64, u64) {
    calls.iter().fold((0, 0), |(spent, held), call| match call {
        Call::New | Call::Refused => (spent, held),
        Call::Held(_) | Call::Sent { .. } | Call::Unknown(_) => (spent, held + WORST),
        Call::Ended { booked, .. } => (spent + booked, held),
    })
}

/// The same for the leases of the organisation.
fn leased<T>(world: &World<T>) -> (u64, u64) {
    world.nodes.iter().fold((0, 0), |(spent, held), node| match node.lease {
        Lease::Wanted | Lease::Refused => (spent, held),
        Lease::Open { size, .. } => (spent, held + size),
        Lease::Closed { booked } => (spent + booked, held),
    })
}
