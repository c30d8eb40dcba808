//! The world of a run on somebody's own machine: the system's clock, one grant, one stop switch.

use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use envelope_evidence::{Label, Timestamp};
use envelope_gate::model::Models;
use envelope_gate::net::Network;
use envelope_gate::stop::{Fault, Stop};
use envelope_gate::world::{GrantState, Performing, World};

/// The world of one local run.
pub struct LocalWorld {
    run: Label,
    network: Option<Network>,
    stop: Mutex<Option<Stop>>,
    models: Option<Models>,
}

impl LocalWorld {
    /// The world of `run`, which may use `network`.
    pub const fn new(run: Label, network: Option<Network>) -> Self {
        Self { run, network, stop: Mutex::new(None), models: None }
    }

    /// The same world with models in it.
    #[must_use]
    pub fn with_models(mut self, models: Option<Models>) -> Self {
        self.models = models;
        self
    }

    /// Stops the run at its next step. The first reason stays.
    pub fn stop(&self, why: Stop) {
        if let Ok(mut stop) = self.stop.lock() {
            stop.get_or_insert(why);
        }
    }
}

impl World for LocalWorld {
    #[expect(clippy::disallowed_methods, reason = "a local run lives by the system's clock")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        Timestamp::from_millis(millis).unwrap_or(Timestamp::MAX)
    }

    fn sleep_until(&self, instant: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let wait = Duration::from_millis(instant.millis_since(self.now()));
        Box::pin(tokio::time::sleep(wait))
    }

    fn standing(&self, _jti: &str) -> GrantState {
        GrantState { bound_run: Some(self.run.to_string()), revoked: false }
    }

    fn stopped(&self) -> Option<Stop> {
        self.stop.lock().ok().and_then(|stop| stop.clone())
    }

    fn models(&self) -> Option<&Models> {
        self.models.as_ref()
    }

    fn network(&self) -> Option<&Network> {
        self.network.as_ref()
    }

    fn perform<'a>(&'a self, _key: &'a str, _request: &'a [u8]) -> Performing<'a> {
        Box::pin(std::future::ready(Err(Fault::Unavailable("this"))))
    }
}
