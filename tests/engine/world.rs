//! A world that a test holds in its hand: its clock, its grants, its stop switch, its blobs.

mod guest;
mod levers;
mod setup;

pub use guest::{Beating, component, fetch, file, guest, machine, prepared};
pub use levers::{Levers, label};
pub use setup::{START, Setup, keys, rules, setup};

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use envelope_engine::replay::{Unplayable, Verdict, replay};
use envelope_engine::run::{Finished, Halted, Surroundings, resume, start};
use envelope_evidence::journal::{Event, Journal, Outcome, Settled};
use envelope_evidence::{Dimension, Timestamp};
use envelope_gate::desk::Desk;
use envelope_gate::journal::{JournalWriter, Writing};
use envelope_gate::kill::Obeyed;
use envelope_gate::model::{Books, Models};
use envelope_gate::net::Network;
use envelope_gate::peers::{Peers, Room};
use envelope_gate::stop::{Fault, Stop};
use envelope_gate::workspace::Blobs;
use envelope_gate::world::{GrantState, Performing, World};
use envelope_rules::grant::Jti;
use envelope_rules::kill::Target;
use object_store::memory::InMemory;
use stored::names;

/// What happens outside while a run is under way, at its n-th question whether it has to stop.
#[derive(Clone)]
pub enum Change {
    /// The clock is set to so many milliseconds after the start.
    Clock(u64),
    /// The grant is withdrawn.
    Revoke,
    /// Somebody stops the run.
    Stop(Stop),
    /// Somebody throws a kill switch.
    Throw(Arc<Levers>, Target),
    /// Somebody lifts one.
    Lift(Arc<Levers>, Target),
    /// The kill switches cannot be read any more.
    Break(Arc<Levers>),
}

/// The world of one run.
pub struct Fake {
    now: AtomicU64,
    /// Milliseconds by which every look at the clock moves it on.
    pub drift: u64,
    state: Mutex<GrantState>,
    stop: Mutex<Option<Stop>>,
    changes: Vec<(usize, Change)>,
    network: Option<Arc<Network>>,
    desk: Option<Arc<dyn Desk>>,
    gentle: bool,
    obeyed: Option<Obeyed>,
    /// Grants that were replaced.
    pub revoked: Mutex<BTreeSet<String>>,
    pub models: Option<Models>,
    pub books: Option<Books>,
    pub peers: Option<Arc<dyn Peers>>,
    pub room: Option<Room>,
    /// Whoever waits waits for ever.
    pub endless: bool,
    pub asked: AtomicUsize,
    pub performed: AtomicUsize,
}

impl Fake {
    pub fn new(setup: &Setup) -> Self {
        Self {
            now: AtomicU64::new(setup::START.millis()),
            drift: setup.drift,
            state: Mutex::new(setup.state.clone()),
            stop: Mutex::default(),
            changes: setup.changes.clone(),
            network: setup.network.clone(),
            desk: setup.desk.clone(),
            gentle: setup.gentle,
            obeyed: setup.obeyed.clone(),
            revoked: Mutex::default(),
            models: None,
            books: None,
            peers: None,
            room: None,
            endless: false,
            asked: AtomicUsize::new(0),
            performed: AtomicUsize::new(0),
        }
    }

    fn happen(&self, change: &Change) {
        match change {
            Change::Clock(after) => {
                self.now.store(setup::START.millis() + after, Ordering::SeqCst);
            }
            Change::Revoke => self.state.lock().unwrap().revoked = true,
            Change::Throw(levers, target) => levers.throw(target),
            Change::Lift(levers, target) => levers.lift(target),
            Change::Break(levers) => levers.set_broken(true),
            Change::Stop(stop) => *self.stop.lock().unwrap() = Some(stop.clone()),
        }
    }
}

impl World for Fake {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.fetch_add(self.drift, Ordering::SeqCst)).unwrap()
    }

    fn sleep_until(&self, instant: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        if self.endless {
            return Box::pin(std::future::pending());
        }
        self.now.fetch_max(instant.millis(), Ordering::SeqCst);
        Box::pin(std::future::ready(()))
    }

    fn standing(&self, jti: &str) -> GrantState {
        let state = self.state.lock().unwrap().clone();
        let revoked = state.revoked || self.revoked.lock().unwrap().contains(jti);
        GrantState { revoked, ..state }
    }

    fn desk(&self) -> Option<&dyn Desk> {
        self.desk.as_deref()
    }

    fn rotated(&self, revoked: &Jti, _issued: &Jti) -> Result<(), Fault> {
        self.revoked.lock().unwrap().insert(revoked.to_string());
        Ok(())
    }

    fn obeyed(&self) -> Option<&Obeyed> {
        self.obeyed.as_ref()
    }

    fn stopped(&self) -> Option<Stop> {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst);
        for (_, change) in self.changes.iter().filter(|(at, _)| *at == asked) {
            self.happen(change);
        }
        self.stop.lock().unwrap().clone()
    }

    fn cut(&self) -> Option<Stop> {
        let stop = self.stopped();
        stop.filter(|stop| !self.gentle || !matches!(stop, Stop::Suspended))
    }

    fn network(&self) -> Option<&Network> {
        self.network.as_deref()
    }

    fn models(&self) -> Option<&Models> {
        self.models.as_ref()
    }

    fn books(&self) -> Option<&Books> {
        self.books.as_ref()
    }

    fn peers(&self) -> Option<Arc<dyn Peers>> {
        self.peers.clone()
    }

    fn room(&self) -> Option<&Room> {
        self.room.as_ref()
    }

    fn perform<'a>(&'a self, _key: &'a str, _request: &'a [u8]) -> Performing<'a> {
        self.performed.fetch_add(1, Ordering::SeqCst);
        Box::pin(std::future::ready(Ok(b"done".to_vec())))
    }
}

/// A journal whose lines a test reads, and that fails after so many of them.
#[derive(Clone, Default)]
pub struct Lines {
    pub bytes: Arc<Mutex<Vec<u8>>>,
    pub room: Option<usize>,
}

impl Lines {
    /// Those that another process left, and room for so many more.
    pub fn of(bytes: &[u8], room: Option<usize>) -> Self {
        Self { bytes: Arc::new(Mutex::new(bytes.to_vec())), room }
    }
}

impl JournalWriter for Lines {
    fn write(&mut self, line: &[u8]) -> Result<(), Fault> {
        match &mut self.room {
            Some(0) => return Err(Fault::Journal("the disk is gone".to_owned())),
            Some(room) => *room -= 1,
            None => {}
        }
        self.bytes.lock().unwrap().extend_from_slice(line);
        Ok(())
    }

    fn pending(&self) -> usize {
        0
    }

    fn flush(&mut self, _durable: bool) -> Writing<'_> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// A run that is over, with everything around it.
pub struct Ran {
    pub setup: Setup,
    pub finished: Result<Finished, Halted>,
    pub world: Arc<Fake>,
    pub store: Arc<InMemory>,
    pub journal: Vec<u8>,
}

pub fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Runs `setup` to its end.
pub fn run(setup: &Setup) -> Ran {
    run_into(setup, Lines::default(), None)
}

/// Runs `setup` into `lines`, or goes on with what they hold.
pub fn run_into(setup: &Setup, lines: Lines, store: Option<Arc<InMemory>>) -> Ran {
    let store = store.unwrap_or_else(|| setup.store());
    let world = Arc::new(Fake::new(setup));
    let surroundings = Surroundings {
        blobs: Blobs::new(store.clone()),
        world: world.clone(),
        writer: Box::new(lines.clone()),
        watcher: None,
    };
    let (order, header) = setup.order();
    let before = lines.bytes.lock().unwrap().clone();
    let finished = if before.is_empty() {
        wait(start(order, header, surroundings))
    } else {
        wait(resume(order, Journal::parse(&before).unwrap(), surroundings))
    };
    let journal = lines.bytes.lock().unwrap().clone();
    Ran { setup: setup.clone(), finished, world, store, journal }
}

impl Ran {
    pub fn finished(&self) -> &Finished {
        self.finished.as_ref().unwrap_or_else(|why| panic!("the run halted: {why}"))
    }

    /// How it ended, in words.
    pub fn end(&self) -> (Outcome, String) {
        let ended = self.finished().ended().expect("an end");
        (ended.outcome, ended.reason.to_string())
    }

    /// What the guest said, one act after the other.
    pub fn said(&self) -> String {
        said(self.finished())
    }

    /// The codes of everything that was denied, in order.
    pub fn denied(&self) -> Vec<String> {
        denied(&self.finished().journal)
    }

    pub fn outputs(&self) -> Vec<String> {
        let outputs = self.finished().outputs.iter();
        outputs.map(|output| output.path.as_str().to_owned()).collect()
    }

    /// Nothing happened outside that was not allowed to: no effect, no blob but the run's own.
    pub fn outside_unchanged(&self) {
        assert_eq!(self.world.performed.load(Ordering::SeqCst), 0, "an effect was performed");
        let finished = self.finished();
        let mut expected = names(&self.setup.store());
        for bytes in finished.outputs.iter().filter_map(|output| output.bytes.clone()) {
            expected.insert(setup::key(&bytes));
        }
        for (_, artifact) in &finished.artifacts {
            expected.insert(setup::key(&artifact.bytes));
        }
        assert_eq!(names(&self.store), expected, "the blobs");
    }

    /// The books are exactly what the journal says: every answered call counts once, also one whose
    /// answer nobody heard, a denied one not at all, and no more than was allowed is used.
    pub fn books_are_exact(&self) {
        let journal = Journal::parse(&self.journal).unwrap();
        let answered = |entry: &&envelope_evidence::journal::Entry| match &entry.event {
            Event::Answered(it) => it.call.operation.as_str() != "finish",
            _ => false,
        };
        let unheard = journal.calls().iter().filter(|it| it.settled == Settled::Begun).count();
        let calls = journal.entries().iter().filter(answered).count() + unheard;
        let used = journal.used();
        assert_eq!(used.get(Dimension::Calls), u64::try_from(calls).unwrap());
        assert!(used.get(Dimension::Calls) <= self.setup.calls);
        assert!(used.get(Dimension::Bytes) <= self.setup.bytes);
        assert!(used.get(Dimension::Fuel) <= self.setup.limits.fuel);
        let entries = self.finished().journal.entries();
        assert_eq!(journal.entries(), entries, "what was written is what is told");
    }

    /// Plays it again, and finds the same.
    pub fn replays_same(&self) {
        let (order, _) = self.setup.order();
        let journal = Journal::parse(&self.journal).unwrap();
        let again = self.verdict(order, journal);
        let finished = match again {
            Ok(Verdict::Same(finished)) => finished,
            Ok(Verdict::Diverged(divergence)) => panic!("{divergence}"),
            Err(why) => panic!("{why}"),
        };
        assert_eq!(said(&finished), self.said());
        assert_eq!(denied(&finished.journal), self.denied());
        assert_eq!(finished.journal.head(), self.finished().journal.head());
        assert_eq!(self.world.performed.load(Ordering::SeqCst), 0);
    }

    /// What a replay of `journal` under `order` says, with this run's blobs.
    pub fn verdict(
        &self,
        order: envelope_engine::run::Order,
        journal: Journal,
    ) -> Result<Verdict, Unplayable> {
        wait(replay(order, journal, Blobs::new(self.store.clone())))
    }
}

fn said(finished: &Finished) -> String {
    String::from_utf8_lossy(&finished.stdout).trim_end().replace('\n', "; ")
}

fn denied(journal: &Journal) -> Vec<String> {
    let codes = journal.entries().iter().filter_map(|entry| match &entry.event {
        Event::Denied(denied) => Some(denied.code.to_string()),
        _ => None,
    });
    codes.collect()
}

pub use stored::names as blobs;

mod stored {
    use std::collections::BTreeSet;

    use object_store::ObjectStore;
    use object_store::memory::InMemory;

    /// The names of everything in a store.
    pub fn names(store: &InMemory) -> BTreeSet<String> {
        let listed = super::wait(store.list_with_delimiter(None)).unwrap();
        let mut waiting = listed.common_prefixes;
        let mut found = BTreeSet::new();
        while let Some(prefix) = waiting.pop() {
            let listed = super::wait(store.list_with_delimiter(Some(&prefix))).unwrap();
            waiting.extend(listed.common_prefixes);
            found.extend(listed.objects.into_iter().map(|it| it.location.to_string()));
        }
        found
    }
}
