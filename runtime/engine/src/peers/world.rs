//! The world of a callee: that of its caller, seen through one more grant.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use envelope_evidence::Timestamp;
use envelope_gate::peers::{Errand, Peers};
use envelope_gate::stop::Stop;
use envelope_gate::world::{GrantState, Performing, World};
use envelope_rules::grant::Grant;

/// Whoever stops the caller stops the callee, and a grant is withdrawn with the one it came from.
pub(super) struct Within {
    outer: Arc<dyn World>,
    run: String,
    jti: String,
    parent: Option<String>,
}

impl Within {
    pub(super) fn new(outer: Arc<dyn World>, errand: &Errand, grant: &Grant) -> Self {
        let parent = grant.claims().par.as_ref().map(|parent| parent.jti.to_string());
        Self { outer, run: errand.run.to_string(), jti: grant.claims().jti.to_string(), parent }
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
        if jti != self.jti {
            return GrantState { bound_run: None, revoked: true };
        }
        let above = self.parent.as_ref().map(|parent| self.outer.standing(parent));
        let revoked = above.is_none_or(|above| above.revoked);
        GrantState { bound_run: Some(self.run.clone()), revoked }
    }

    fn stopped(&self) -> Option<Stop> {
        self.outer.stopped()
    }

    fn peers(&self) -> Option<Arc<dyn Peers>> {
        self.outer.peers()
    }

    fn perform<'a>(&'a self, key: &'a str, request: &'a [u8]) -> Performing<'a> {
        self.outer.perform(key, request)
    }
}
