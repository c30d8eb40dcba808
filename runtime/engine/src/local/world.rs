//! The world of a run on somebody's own machine: the system's clock, one grant, one stop switch.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use envelope_evidence::{Label, Timestamp};
use envelope_gate::desk::Desk;
use envelope_gate::kill::{Obeyed, Switches};
use envelope_gate::model::{Books, Models};
use envelope_gate::net::Network;
use envelope_gate::peers::Peers;
use envelope_gate::stop::{Fault, Stop};
use envelope_gate::world::{GrantState, Performing, World};
use envelope_rules::grant::Jti;

/// How often a run that sleeps looks whether it has to stop: no person feels the difference.
const LOOK: Duration = Duration::from_millis(100);

/// The world of one local run.
pub struct LocalWorld {
    run: Label,
    network: Option<Network>,
    stop: Mutex<Option<Stop>>,
    /// Whether the run is put aside at its next step, and may hear what it asked before.
    gentle: AtomicBool,
    models: Option<Models>,
    books: Option<Books>,
    desk: Option<Arc<dyn Desk>>,
    peers: Option<Arc<dyn Peers>>,
    obeyed: Option<Obeyed>,
    /// Grants that were replaced.
    revoked: Mutex<BTreeSet<String>>,
}

impl LocalWorld {
    /// The world of `run`, which may use `network`.
    pub const fn new(run: Label, network: Option<Network>) -> Self {
        Self {
            run,
            network,
            stop: Mutex::new(None),
            gentle: AtomicBool::new(false),
            models: None,
            books: None,
            desk: None,
            peers: None,
            obeyed: None,
            revoked: Mutex::new(BTreeSet::new()),
        }
    }

    /// The same world with models in it.
    #[must_use]
    pub fn with_models(mut self, models: Option<Models>) -> Self {
        self.models = models;
        self
    }

    /// The same world, charged to shared accounts too.
    #[must_use]
    pub fn with_books(mut self, books: Option<Books>) -> Self {
        self.books = books;
        self
    }

    /// The same world with humans who are asked at `desk`.
    #[must_use]
    pub fn with_desk(mut self, desk: Option<Arc<dyn Desk>>) -> Self {
        self.desk = desk;
        self
    }

    /// The same world with other agents in it.
    #[must_use]
    pub fn with_peers(mut self, peers: Option<Arc<dyn Peers>>) -> Self {
        self.peers = peers;
        self
    }

    /// The same world with kill switches in it. A local run is run for no organisation.
    #[must_use]
    pub fn with_switches(self, switches: Option<Arc<dyn Switches>>) -> Self {
        self.with_obeyed(switches.map(|switches| Obeyed { switches, organisation: None }))
    }

    /// The same world that obeys kill switches for an organisation.
    #[must_use]
    pub fn with_obeyed(mut self, obeyed: Option<Obeyed>) -> Self {
        self.obeyed = obeyed;
        self
    }

    /// Puts the run aside at its next step: what it waits for outside it hears first.
    pub fn put_aside(&self) {
        if let Ok(mut stop) = self.stop.lock()
            && stop.is_none()
        {
            self.gentle.store(true, Ordering::Release);
            *stop = Some(Stop::Suspended);
        }
    }

    /// Stops the run at once, whatever it waits for. The first reason stays.
    pub fn stop(&self, why: Stop) {
        if let Ok(mut stop) = self.stop.lock() {
            self.gentle.store(false, Ordering::Release);
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
        Box::pin(async move {
            while self.now() < instant && self.stopped().is_none() {
                let left = Duration::from_millis(instant.millis_since(self.now()));
                tokio::time::sleep(left.min(LOOK)).await;
            }
        })
    }

    fn standing(&self, jti: &str) -> GrantState {
        let revoked = self.revoked.lock().map_or(true, |revoked| revoked.contains(jti));
        GrantState { bound_run: Some(self.run.to_string()), revoked }
    }

    fn rotated(&self, revoked: &Jti, _issued: &Jti) -> Result<(), Fault> {
        let mut all = self.revoked.lock().map_err(|_| Fault::Unavailable("another grant"))?;
        all.insert(revoked.to_string());
        Ok(())
    }

    fn desk(&self) -> Option<&dyn Desk> {
        self.desk.as_deref()
    }

    fn peers(&self) -> Option<Arc<dyn Peers>> {
        self.peers.clone()
    }

    fn obeyed(&self) -> Option<&Obeyed> {
        self.obeyed.as_ref()
    }

    fn stopped(&self) -> Option<Stop> {
        self.stop.lock().ok().and_then(|stop| stop.clone())
    }

    fn cut(&self) -> Option<Stop> {
        self.stopped().filter(|_| !self.gentle.load(Ordering::Acquire))
    }

    fn models(&self) -> Option<&Models> {
        self.models.as_ref()
    }

    fn books(&self) -> Option<&Books> {
        self.books.as_ref()
    }

    fn network(&self) -> Option<&Network> {
        self.network.as_ref()
    }

    fn perform<'a>(&'a self, _key: &'a str, _request: &'a [u8]) -> Performing<'a> {
        Box::pin(std::future::ready(Err(Fault::Unavailable("this"))))
    }
}
