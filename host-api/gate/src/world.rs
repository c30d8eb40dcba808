//! The world outside a run, as arguments: the time, what the store says about a grant, whether
//! somebody wants the run stopped.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use envelope_evidence::{Label, Timestamp};
use envelope_rules::grant::Jti;

use crate::desk::Desk;
use crate::kill::Obeyed;
use crate::model::{Books, Models};
use crate::net::Network;
use crate::peers::{Peers, Room};
use crate::stop::{Fault, Stop};

/// What a run can learn from outside. Asked live, never on replay.
pub trait World: Send + Sync {
    /// The time.
    fn now(&self) -> Timestamp;

    /// Waits until `instant`.
    fn sleep_until(&self, instant: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;

    /// What is known of the grant `jti` at this moment.
    fn standing(&self, jti: &str) -> GrantState;

    /// Whether the run has to stop, or to be put aside. Asked at every passage through the gate.
    fn stopped(&self) -> Option<Stop>;

    /// Whether what is under way outside is not waited for either: what it did is then known to
    /// nobody. A world that puts runs aside may let them hear the answer first.
    fn cut(&self) -> Option<Stop> {
        self.stopped()
    }

    /// The kill switches that the run obeys, where there are any. Whoever runs it asks them.
    fn obeyed(&self) -> Option<&Obeyed> {
        None
    }

    /// The models that can be asked, if any can.
    fn models(&self) -> Option<&Models> {
        None
    }

    /// The shared accounts that the run is charged to, if it is charged to any.
    fn books(&self) -> Option<&Books> {
        None
    }

    /// Those who have other agents run, where there are any.
    fn peers(&self) -> Option<Arc<dyn Peers>> {
        None
    }

    /// The room that a run shares with all that were called together with it. None for a run that
    /// nobody called: it brings its own.
    fn room(&self) -> Option<&Room> {
        None
    }

    /// The classes of data that whoever called the run carried: it carries them too.
    fn carried(&self) -> BTreeSet<Label> {
        BTreeSet::new()
    }

    /// Where humans are asked, if any are.
    fn desk(&self) -> Option<&dyn Desk> {
        None
    }

    /// The run holds the grant `issued` instead of `revoked`, which is good for nothing from here
    /// on. Told again after a crash. A world that cannot keep it replaces no grants.
    fn rotated(&self, _revoked: &Jti, _issued: &Jti) -> Result<(), Fault> {
        Err(Fault::Unavailable("another grant"))
    }

    /// The network, where there is one.
    fn network(&self) -> Option<&Network> {
        None
    }

    /// Performs an effect outside, once, under the idempotency key `key`.
    fn perform<'a>(&'a self, key: &'a str, request: &'a [u8]) -> Performing<'a>;
}

/// An effect under way.
pub type Performing<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, Fault>> + Send + 'a>>;

/// What the store says about a grant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GrantState {
    /// The run that redeemed it.
    pub bound_run: Option<String>,
    /// Whether it was withdrawn.
    pub revoked: bool,
}

/// What an outer call wants of the world.
#[derive(Debug)]
pub enum Outer<'a> {
    /// The time in milliseconds since 1970, as eight bytes.
    Time,
    /// The same, not before the given instant.
    Wait(Timestamp),
    /// What the host knows already.
    Known(Vec<u8>),
    /// An effect, described for whoever performs it.
    Effect(&'a [u8]),
}

impl Outer<'_> {
    /// Whether the answer can take a while.
    pub(crate) fn waits(&self, now: Timestamp) -> bool {
        match self {
            Self::Wait(until) => *until > now,
            Self::Effect(_) => true,
            Self::Time | Self::Known(_) => false,
        }
    }

    pub(crate) async fn perform(
        self,
        world: &dyn World,
        now: Timestamp,
        key: &str,
    ) -> Result<Vec<u8>, Stop> {
        match self {
            Self::Time => Ok(now.millis().to_be_bytes().to_vec()),
            Self::Wait(until) => {
                if until > now {
                    world.sleep_until(until).await;
                }
                if let Some(stop) = world.stopped() {
                    return Err(stop);
                }
                Ok(world.now().max(now).millis().to_be_bytes().to_vec())
            }
            Self::Known(bytes) => Ok(bytes),
            Self::Effect(request) => Ok(world.perform(key, request).await?),
        }
    }
}
