//! The world of a callee: that of its caller, seen through one more grant.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use envelope_evidence::{Label, Timestamp};
use envelope_gate::desk::Desk;
use envelope_gate::kill::Obeyed;
use envelope_gate::model::Models;
use envelope_gate::net::Network;
use envelope_gate::peers::{Errand, Peers, Room};
use envelope_gate::stop::Stop;
use envelope_gate::world::{GrantState, Performing, World};
use envelope_rules::grant::Grant;

/// What there is to reach is what the caller reaches; what may be reached, the warrant says. Shared
/// accounts are not among it: the caller set all the money of this call aside in them, and pays
/// there what the callee spent. Charged here too, it would be paid twice.
///
/// Whoever stops the caller stops the callee, and a grant is withdrawn with the one it came from.
pub(super) struct Within {
    outer: Arc<dyn World>,
    run: String,
    jti: String,
    parent: Option<String>,
    carried: BTreeSet<Label>,
    room: Room,
}

impl Within {
    pub(super) fn new(outer: Arc<dyn World>, errand: &Errand, grant: &Grant) -> Self {
        let parent = grant.claims().par.as_ref().map(|parent| parent.jti.to_string());
        let (run, jti) = (errand.run.to_string(), grant.claims().jti.to_string());
        let carried = errand.carried.clone();
        Self { outer, run, jti, parent, carried, room: errand.room.clone() }
    }
}

impl World for Within {
    fn now(&self) -> Timestamp {
        self.outer.now()
    }

    fn sleep_until(&self, instant: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.outer.sleep_until(instant)
    }

    fn standing(&self, jti: &str) -> GrantState {
        if self.jti != jti {
            return GrantState { bound_run: None, revoked: true };
        }
        let above = self.parent.as_ref().map(|parent| self.outer.standing(parent));
        let revoked = above.is_none_or(|above| above.revoked);
        GrantState { bound_run: Some(self.run.clone()), revoked }
    }

    fn stopped(&self) -> Option<Stop> {
        self.outer.stopped()
    }

    fn cut(&self) -> Option<Stop> {
        self.outer.cut()
    }

    fn obeyed(&self) -> Option<&Obeyed> {
        self.outer.obeyed()
    }

    fn models(&self) -> Option<&Models> {
        self.outer.models()
    }

    fn carried(&self) -> BTreeSet<Label> {
        self.carried.clone()
    }

    fn desk(&self) -> Option<&dyn Desk> {
        self.outer.desk()
    }

    fn network(&self) -> Option<&Network> {
        self.outer.network()
    }

    fn room(&self) -> Option<&Room> {
        Some(&self.room)
    }

    fn peers(&self) -> Option<Arc<dyn Peers>> {
        self.outer.peers()
    }

    fn perform<'a>(&'a self, key: &'a str, request: &'a [u8]) -> Performing<'a> {
        self.outer.perform(key, request)
    }
}
