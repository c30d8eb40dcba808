//! Requests through the gate, timed from one to the next.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use envelope_engine::config::Machine;
use envelope_engine::limits::Limits;
use envelope_engine::local::{Fresh, Job, Keys, Wishes};
use envelope_engine::prepared::Prepared;
use envelope_engine::run::{Surroundings, start};
use envelope_evidence::journal::Event;
use envelope_evidence::{Digest, Label, Timestamp};
use envelope_gate::journal::{JournalWriter, Writing};
use envelope_gate::net::{Network, Reach, Settings};
use envelope_gate::stop::{Fault, Stop};
use envelope_gate::workspace::{Blobs, Manifest};
use envelope_gate::world::{GrantState, Performing, World};
use envelope_rules::budget::{NanoUsd, PriceBook};
use envelope_rules::egress::rule::RuleDocument;
use envelope_rules::grant::Jti;

use crate::cargo::root;

const START: Timestamp = Timestamp::from_secs(1_748_133_600).unwrap();
const RUN: &str = "run_01HW2CQZ5B3YJ8V0K4M6N7P9RT";

/// A journal that notes when each of its lines came.
#[derive(Clone, Default)]
struct Timed(Arc<Mutex<Vec<Instant>>>);

impl JournalWriter for Timed {
    fn write(&mut self, _: &[u8]) -> Result<(), Fault> {
        self.0.lock().unwrap().push(Instant::now());
        Ok(())
    }

    fn pending(&self) -> usize {
        0
    }

    fn flush(&mut self, _: bool) -> Writing<'_> {
        Box::pin(std::future::ready(Ok(())))
    }
}

struct Online(Arc<Network>);

impl World for Online {
    fn now(&self) -> Timestamp {
        START
    }

    fn sleep_until(&self, _: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::ready(()))
    }

    fn standing(&self, _: &str) -> GrantState {
        GrantState { bound_run: Some(RUN.to_owned()), revoked: false }
    }

    fn stopped(&self) -> Option<Stop> {
        None
    }

    fn network(&self) -> Option<&Network> {
        Some(&self.0)
    }

    fn perform<'a>(&'a self, _: &'a str, _: &'a [u8]) -> Performing<'a> {
        Box::pin(std::future::ready(Err(Fault::Unavailable("the world"))))
    }
}

/// A guest that sends requests to one place.
pub struct Guarded {
    place: SocketAddr,
    component: Arc<Prepared>,
    rule: RuleDocument,
    network: Arc<Network>,
}

impl Guarded {
    pub async fn new(place: SocketAddr) -> Self {
        let machine = Machine::without_heartbeat().unwrap();
        let component = Prepared::compile(&machine, &built(), "guests").await.unwrap();
        let rule: RuleDocument = format!("GET http://{place}/v1/**").parse().unwrap();
        let reach = vec![Reach::named_by(&rule).unwrap()];
        let network = Network::new(Settings { reach, ..Settings::default() }).unwrap();
        Self { place, component: Arc::new(component), rule, network: Arc::new(network) }
    }

    /// The time from each of `times` requests to the next.
    pub async fn turn(&self, times: usize) -> Vec<Duration> {
        let act = format!("insist {} send GET|http|{}|/v1/x", times + 1, self.place);
        let job = self.job(&serde_json::to_vec(&[act]).unwrap());
        let lines = Timed::default();
        let surroundings = Surroundings {
            blobs: Blobs::in_memory(),
            world: Arc::new(Online(Arc::clone(&self.network))),
            writer: Box::new(lines.clone()),
            watcher: None,
        };
        let finished = start(job.order, job.header, surroundings).await.unwrap();
        let said = String::from_utf8_lossy(&finished.stdout).into_owned();
        assert_eq!(said.trim_end(), "insist: ok 200 hello");
        let entries = finished.journal.entries().iter();
        let is_request = |event: &Event| match event {
            Event::Answered(it) => it.call.operation.as_str() == "request",
            _ => false,
        };
        let came = lines.0.lock().unwrap();
        let requests: Vec<_> = entries
            // The first line is the header.
            .zip(came.iter().skip(1))
            .filter(|(entry, _)| is_request(&entry.event))
            .map(|(_, came)| *came)
            .collect();
        assert_eq!(requests.len(), times + 1);
        requests.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    fn job(&self, args: &[u8]) -> Job {
        let wishes = Wishes {
            read: Vec::new(),
            outputs: None,
            egress: vec![self.rule.clone()],
            ttl_secs: 900,
            timeout_secs: 3600,
            calls: 1_000_000,
            bytes: 1 << 40,
            limits: Limits { fuel: 1 << 50, journal_bytes: 1 << 30, ..Limits::default() },
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
        let (keys, none) = (Keys { grants: [7; 32].into() }, Manifest::new(Vec::new()).unwrap());
        let (component, args) = (self.component.clone(), args.to_vec().into());
        let skill = component.card().skills[0].name.clone();
        Job::new(component, &skill, args, none, &wishes, &fresh, &keys).unwrap()
    }
}

/// The guest of the tests, whose arguments are its acts.
fn built() -> Vec<u8> {
    let folder = root().join("tests/guests");
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "--release", "--locked", "--target", "wasm32-wasip2"]);
    command.current_dir(&folder).env_remove("RUSTFLAGS").env_remove("CARGO_TARGET_DIR");
    assert!(command.status().unwrap().success());
    std::fs::read(folder.join("target/wasm32-wasip2/release/guests.wasm")).unwrap()
}
