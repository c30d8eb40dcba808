//! A host with two agents and somebody who decides.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use envelope_engine::config::Machine;
use envelope_engine::limits::Limits;
use envelope_engine::local::{Fresh, Job, Keys, Wishes, grant_keys};
use envelope_engine::peers::{Callee, Neighbours, Records};
use envelope_engine::prepared::Prepared;
use envelope_engine::run::{Finished, Halted, Order, Surroundings, resume, start};
use envelope_evidence::journal::{CallerKind, Journal, Outcome};
use envelope_evidence::{Digest, Label, Timestamp};
use envelope_gate::desk::{Asking, Decision, Desk};
use envelope_gate::journal::{InMemory, JournalWriter, Writing};
use envelope_gate::peers::Peers;
use envelope_gate::stop::{Fault, Stop};
use envelope_gate::workspace::{Blobs, Manifest};
use envelope_gate::world::{GrantState, Performing, World};
use envelope_rules::approval::{Policy, Principal, Request, Rules, Verdict};
use envelope_rules::budget::{Cap, NanoUsd, PriceBook};
use envelope_rules::grant::Jti;
use envelope_rules::guard::{CapabilitySet, WarrantDocument};

const START: Timestamp = Timestamp::from_secs(1_748_133_600).unwrap();
const RUN: &str = "run_01HW2CQZ5B3YJ8V0K4M6N7P9RT";
const ROLE: &str = "approver";

/// Does nothing.
const NOTHING: &str = r#"(component
    (core module $main (func (export "run") (result i32) (i32.const 0)))
    (core instance $main (instantiate $main))
    (func $run (result (result)) (canon lift (core func $main "run")))
    (instance $it (export "run" (func $run)))
    (export "wasi:cli/run@0.2.0" (instance $it)))"#;

/// Somebody who says yes at once, or nobody.
pub struct Office {
    rules: Rules,
    yes: bool,
}

impl Office {
    pub fn yes() -> Arc<Self> {
        Self::new(true)
    }

    fn new(yes: bool) -> Arc<Self> {
        let policy = Policy { role: Label::cut(ROLE), approvers: 1, caller: false };
        let rules = Rules { policy, window: 3000, most: None, calls: Vec::new(), data: Vec::new() };
        Arc::new(Self { rules, yes })
    }
}

impl Desk for Office {
    fn rules(&self) -> &Rules {
        &self.rules
    }

    fn grace(&self) -> Duration {
        Duration::ZERO
    }

    fn ask<'a>(&'a self, request: &'a Request) -> Asking<'a> {
        let by = Principal {
            id: Label::cut("ada"),
            kind: CallerKind::User,
            roles: vec![Label::cut(ROLE)],
        };
        let (saw, verdict) = (request.digest().unwrap(), Verdict::Choose { choice: 0 });
        let decision = Decision { by, at: request.asked, saw, verdict };
        let said = if self.yes { vec![decision] } else { Vec::new() };
        Box::pin(std::future::ready(Ok(said)))
    }
}

struct Around {
    desk: Arc<Office>,
    peers: Arc<dyn Peers>,
}

impl World for Around {
    fn now(&self) -> Timestamp {
        START
    }

    fn sleep_until(&self, _: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::ready(()))
    }

    fn standing(&self, _: &str) -> GrantState {
        GrantState { bound_run: Some(RUN.to_owned()), revoked: false }
    }

    fn rotated(&self, _: &Jti, _: &Jti) -> Result<(), Fault> {
        Ok(())
    }

    fn stopped(&self) -> Option<Stop> {
        None
    }

    fn desk(&self) -> Option<&dyn Desk> {
        Some(&*self.desk)
    }

    fn peers(&self) -> Option<Arc<dyn Peers>> {
        Some(self.peers.clone())
    }

    fn perform<'a>(&'a self, _: &'a str, _: &'a [u8]) -> Performing<'a> {
        Box::pin(std::future::ready(Err(Fault::Unavailable("the world"))))
    }
}

/// Journals that somebody reads later.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

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

/// Callees are new every time, and their records are written nowhere: what is measured is the call.
struct Nowhere;

impl Records for Nowhere {
    fn open(&self, _: &Label) -> Result<(Vec<u8>, Box<dyn JournalWriter>), Fault> {
        Ok((Vec::new(), Box::new(InMemory::default())))
    }

    fn begin(&self, _: &Label, _: &Order) -> Result<(), Fault> {
        Ok(())
    }

    fn keep(&self, _: &Finished) -> Result<(), Fault> {
        Ok(())
    }
}

/// A guest whose arguments are its acts, and a callee that does nothing.
pub struct Host {
    guest: Arc<Prepared>,
    helper: Arc<Prepared>,
    blobs: Blobs,
}

impl Host {
    pub async fn new(machine: &Machine) -> Self {
        let prepare = async |bytes: &[u8]| {
            Arc::new(Prepared::compile(machine, bytes, "guests").await.unwrap())
        };
        let guest = prepare(&guests()).await;
        let helper = prepare(&wat::parse_str(NOTHING).unwrap()).await;
        Self { guest, helper, blobs: Blobs::in_memory() }
    }

    fn job(&self, acts: &str) -> Job {
        let list: Vec<_> = acts.split("; ").collect();
        let args = Bytes::from(serde_json::to_vec(&list).unwrap());
        let wishes = Wishes {
            read: vec!["in/**".to_owned()],
            outputs: Some("out/".to_owned()),
            egress: Vec::new(),
            ttl_secs: 900,
            timeout_secs: 3600,
            calls: 10_000_000,
            bytes: 1 << 40,
            limits: Limits { fuel: 1 << 50, ..Limits::default() },
            models: Vec::new(),
            money: NanoUsd::ZERO,
            prices: PriceBook::default(),
            content: Vec::new(),
            agents: vec!["helper@local".to_owned()],
            asks: true,
        };
        let fresh = Fresh {
            run: Label::cut(RUN),
            jti: Jti::parse("grt_01HW2CQZ5B3YJ8V0K4M6N7P9RT").unwrap(),
            seed: Digest::of(b"seed"),
            now: START,
            caller: Label::cut("somebody"),
        };
        let manifest = Manifest::new(Vec::new()).unwrap();
        Job::new(self.guest.clone(), "run", args, manifest, &wishes, &fresh, &keys()).unwrap()
    }

    fn around(&self, order: &Order, desk: Arc<Office>, lines: Lines) -> Surroundings {
        let own = WarrantDocument {
            agent: Label::cut("helper@local"),
            component: self.helper.digest(),
            deadline: Timestamp::MAX,
            capabilities: CapabilitySet::all(),
            budget: Cap::NONE,
            ..order.authorities.warrant.document().clone()
        };
        let helper = Callee { component: self.helper.clone(), own, limits: Limits::default() };
        let agents = BTreeMap::from([(Label::cut("helper@local"), helper)]);
        let keys = Arc::new(grant_keys(&keys()).unwrap());
        let peers: Arc<dyn Peers> = Arc::new(Neighbours::new(agents, keys, Arc::new(Nowhere)));
        let (blobs, writer) = (self.blobs.clone(), Box::new(lines));
        Surroundings { blobs, world: Arc::new(Around { desk, peers }), writer, watcher: None }
    }

    /// Runs to the end.
    pub async fn run(&self, acts: &str) {
        let Job { order, header } = self.job(acts);
        let around = self.around(&order, Office::yes(), Lines::default());
        ended_well(start(order, header, around).await);
    }

    /// Runs until it waits, and returns its journal.
    pub async fn put_aside(&self, acts: &str) -> Vec<u8> {
        let Job { order, header } = self.job(acts);
        let lines = Lines::default();
        let around = self.around(&order, Office::new(false), lines.clone());
        let halted = start(order, header, around).await;
        assert!(matches!(halted, Err(Halted::Stopped(Stop::Suspended))));
        let kept = lines.0.lock().unwrap();
        kept.clone()
    }

    /// Goes on to the end.
    pub async fn take_up(&self, acts: &str, journal: Journal, desk: Arc<Office>) {
        let order = self.job(acts).order;
        let around = self.around(&order, desk, Lines::default());
        ended_well(resume(order, journal, around).await);
    }
}

fn ended_well(finished: Result<Finished, Halted>) {
    let finished = finished.unwrap_or_else(|why| panic!("{why}"));
    let ended = finished.ended().unwrap();
    assert_eq!(ended.outcome, Outcome::Ok, "{}", ended.reason);
    let said = String::from_utf8_lossy(&finished.stdout);
    assert!(!said.contains("denied") && !said.contains("unavailable"), "{said}");
}

fn keys() -> Keys {
    Keys { grants: [7; 32].into() }
}

/// The guest of the tests, built.
fn guests() -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("guests");
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--release", "--locked", "--target", "wasm32-wasip2", "-p", "guests"]);
    build.current_dir(&folder).env_remove("RUSTFLAGS").env_remove("CARGO_TARGET_DIR");
    assert!(build.status().unwrap().success());
    std::fs::read(folder.join("target/wasm32-wasip2/release/guests.wasm")).unwrap()
}
