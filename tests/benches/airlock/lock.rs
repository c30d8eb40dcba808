//! Runs behind the airlock, and the world they find.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use envelope_engine::config::Machine;
use envelope_engine::limits::Limits;
use envelope_engine::local::{Fresh, Job, Keys, Wishes};
use envelope_engine::prepared::Prepared;
use envelope_engine::run::{Finished, Halted, Surroundings, resume, start};
use envelope_evidence::journal::{Journal, Outcome};
use envelope_evidence::{Digest, Label, Timestamp};
use envelope_gate::journal::{InMemory, JournalWriter, Writing};
use envelope_gate::stop::{Fault, Stop};
use envelope_gate::workspace::{Blobs, FileEntry, Manifest, Quota, Workspace};
use envelope_gate::world::{GrantState, Performing, World};
use envelope_rules::budget::{NanoUsd, PriceBook};
use envelope_rules::grant::Jti;
use envelope_rules::path::{Path, Prefix};

const START: Timestamp = Timestamp::from_secs(1_748_133_600).unwrap();
const RUN: &str = "run_01HW2CQZ5B3YJ8V0K4M6N7P9RT";

/// A world that notes when it was first asked.
pub struct Watched {
    since: Instant,
    first: OnceLock<Instant>,
    stop: Option<Stop>,
}

impl World for Watched {
    fn now(&self) -> Timestamp {
        let millis = START.millis() + u64::try_from(self.since.elapsed().as_millis()).unwrap();
        Timestamp::from_millis(millis).unwrap()
    }

    fn sleep_until(&self, _: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::pending())
    }

    fn standing(&self, _: &str) -> GrantState {
        GrantState { bound_run: Some(RUN.to_owned()), revoked: false }
    }

    fn stopped(&self) -> Option<Stop> {
        self.first.get_or_init(Instant::now);
        self.stop.clone()
    }

    fn perform<'a>(&'a self, _: &'a str, _: &'a [u8]) -> Performing<'a> {
        Box::pin(std::future::ready(Err(Fault::Unavailable("the world"))))
    }
}

/// A journal that somebody reads later.
#[derive(Clone, Default)]
pub struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    pub fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }
}

impl JournalWriter for Lines {
    fn write(&mut self, line: &[u8]) -> Result<(), Fault> {
        self.0.lock().unwrap().extend_from_slice(line);
        Ok(())
    }

    fn pending(&self) -> usize {
        0
    }

    fn flush(&mut self, _: bool) -> Writing<'_> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// A component, with what a run of it takes.
pub struct Lock {
    component: Arc<Prepared>,
    blobs: Blobs,
    file: Bytes,
}

impl Lock {
    pub async fn new(machine: &Machine, bytes: &[u8]) -> Self {
        let component = Arc::new(Prepared::compile(machine, bytes, "guest").await.unwrap());
        let blobs = Blobs::in_memory();
        let file = Bytes::from(vec![7; 1024]);
        blobs.put(file.clone()).await.unwrap();
        Self { component, blobs, file }
    }

    /// What an admitted request hands to the engine.
    pub fn job(&self) -> Job {
        let (size, digest) = (self.file.len().try_into().unwrap(), Digest::of(&self.file));
        let entry = FileEntry { path: Path::parse("in/a").unwrap(), digest, size };
        let wishes = Wishes {
            read: vec!["in/**".to_owned(), "annexes/*/prices.csv".to_owned()],
            outputs: Some("out/".to_owned()),
            egress: Vec::new(),
            ttl_secs: 900,
            timeout_secs: 3600,
            calls: 10_000_000,
            bytes: 1 << 40,
            limits: Limits { fuel: 1 << 50, journal_bytes: 1 << 40, ..Limits::default() },
            models: Vec::new(),
            money: NanoUsd::ZERO,
            prices: PriceBook::default(),
            content: Vec::new(),
            agents: Vec::new(),
            asks: false,
        };
        let fresh = Fresh {
            run: Label::cut(RUN),
            jti: Jti::parse("grt_01HW2CQZ5B3YJ8V0K4M6N7P9RT").unwrap(),
            seed: Digest::of(b"seed"),
            now: START,
            caller: Label::cut("somebody"),
        };
        let keys = Keys { grants: [7; 32].into() };
        let manifest = Manifest::new(vec![entry]).unwrap();
        let (component, args) = (self.component.clone(), Bytes::from_static(b"[]"));
        let skill = component.card().skills[0].name.clone();
        Job::new(component, &skill, args, manifest, &wishes, &fresh, &keys).unwrap()
    }

    fn surroundings(&self, writer: Box<dyn JournalWriter>) -> (Surroundings, Arc<Watched>) {
        let (since, first) = (Instant::now(), OnceLock::new());
        let world = Arc::new(Watched { since, first, stop: None });
        let blobs = self.blobs.clone();
        (Surroundings { blobs, world: world.clone(), writer, watcher: None }, world)
    }

    pub async fn run(&self, job: Job, writer: Box<dyn JournalWriter>) -> Result<Finished, Halted> {
        let finished = start(job.order, job.header, self.surroundings(writer).0).await?;
        let ended = finished.ended().unwrap();
        assert_eq!(ended.outcome, Outcome::Ok, "{}", ended.reason);
        Ok(finished)
    }

    /// Begins a run and puts it aside at its first call of the host.
    pub async fn put_aside(&self) {
        let Job { order, header } = self.job();
        let (surroundings, _) = self.surroundings(Box::new(InMemory::default()));
        let (since, first) = (Instant::now(), OnceLock::new());
        let world = Arc::new(Watched { since, first, stop: Some(Stop::Suspended) });
        let halted = start(order, header, Surroundings { world, ..surroundings }).await;
        assert!(matches!(halted, Err(Halted::Stopped(Stop::Suspended))));
    }

    /// The time to the guest's first call of the host, with the header written or from there on.
    pub async fn first_call(&self, with_header: bool) -> Duration {
        let Job { order, header } = self.job();
        let (surroundings, world) = self.surroundings(Box::new(InMemory::default()));
        let begun = if with_header {
            let begun = Instant::now();
            start(order, header, surroundings).await.unwrap();
            begun
        } else {
            let (journal, _) = Journal::start(header).unwrap();
            let begun = Instant::now();
            resume(order, journal, surroundings).await.unwrap();
            begun
        };
        *world.first.get().unwrap() - begun
    }

    /// The time to find that a journal is not this run's, by the last thing that is compared: what
    /// a start compares, and nothing else.
    pub async fn pins(&self) -> Duration {
        let Job { order, mut header } = self.job();
        header.engine.version = Label::cut("another");
        let (journal, _) = Journal::start(header).unwrap();
        let surroundings = self.surroundings(Box::new(InMemory::default())).0;
        let begun = Instant::now();
        assert!(resume(order, journal, surroundings).await.is_err());
        begun.elapsed()
    }

    /// The time to lay out the files of a run.
    pub fn files(&self) -> Duration {
        let Job { order, header } = self.job();
        let outputs = Prefix::parse("out/").unwrap();
        let begun = Instant::now();
        let files =
            Workspace::new(&order.manifest, Some(&outputs), Quota::default(), header.started);
        let taken = begun.elapsed();
        assert!(files.is_ok());
        taken
    }

    pub fn blobs(&self) -> Blobs {
        self.blobs.clone()
    }
}
