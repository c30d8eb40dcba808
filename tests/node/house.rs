//! A house on a database, runs that are launched into it, and the nodes that work there.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, LazyLock, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use envelope_engine::component::Components;
use envelope_engine::limits::Limits;
use envelope_engine::local::{Fresh, Job, Wishes, grant_keys};
use envelope_evidence::key::SigningKey;
use envelope_evidence::preview::Secrets;
use envelope_evidence::{Digest, Label, Timestamp};
use envelope_gate::link;
use envelope_gate::model::Purse;
use envelope_gate::workspace::Manifest;
use envelope_node::launch::{Launch, launch};
use envelope_node::{Calendar, House, Keys, Node, NodeError, Outside, Seen, Settings, Tell, now};
use envelope_rules::approval::{Policy, Rules};
use envelope_rules::budget::{NanoUsd, PicoUsdPerUnit, Price, PriceBook, Rates, Shared};
use envelope_rules::grant::Jti;
use envelope_rules::guard::Warrant;
use envelope_store::{Org, blobs};

use crate::cargo::envelope;
use crate::engine::world::{file, guest, machine};
use crate::patience::PATIENCE;
use crate::store::world::{World, folder};

/// How long a node may be silent here: some beats of a busy machine.
pub const LEASE: Duration = Duration::from_millis(600);

const GRANTS: [u8; 32] = [7; 32];
const RECEIPTS: [u8; 32] = [8; 32];

/// What the organisation may keep.
const QUOTA: i64 = 1 << 30;

pub static COMPONENT: LazyLock<Bytes> = LazyLock::new(|| fs::read(file("guests")).unwrap().into());

/// A house in a folder, which holds its keys and blobs.
pub struct Town {
    pub house: House,
    pub org: Org,
    pub url: String,
    pub folder: PathBuf,
    /// Plays runs again, and compiles their component once for all of them.
    reader: OnceLock<Node>,
}

/// One run to launch.
pub struct Plan<'a> {
    pub run: &'a str,
    pub acts: &'a str,
    /// Rules of requests.
    pub net: Vec<String>,
    /// What it may spend on its model, in nano-dollars; with nothing there are no models.
    pub money: u64,
    pub model: &'a str,
    pub shared: &'a [Shared],
    pub days: Option<&'a Calendar>,
    pub asks: bool,
    /// Seconds that humans may take.
    pub window: u64,
    pub at: Timestamp,
}

impl<'a> Plan<'a> {
    pub fn of(run: &'a str, acts: &'a str) -> Self {
        Self {
            run,
            acts,
            net: Vec::new(),
            money: 0,
            model: "stub/any",
            shared: &[],
            days: None,
            asks: false,
            window: 3600,
            at: now(),
        }
    }
}

impl Town {
    /// A house on the database of `world`, with the organisation `acme`.
    pub async fn found(world: &World) -> Self {
        let folder = folder();
        let (keys, blobs) = (folder.join("home/keys"), folder.join("home/blobs"));
        for inner in [&keys, &blobs] {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(inner).unwrap();
        }
        for (name, secret) in [("grants.key", GRANTS), ("receipts.key", RECEIPTS)] {
            let mut options = fs::OpenOptions::new();
            options.write(true).create_new(true).mode(0o600);
            options.open(keys.join(name)).unwrap().write_all(&secret).unwrap();
        }
        let house = House { store: world.store.clone(), objects: blobs::folder(&blobs).unwrap() };
        let org = world.found("acme", 0).await;
        house.blobs(&org).set_quota(QUOTA).await.unwrap();
        Self { house, org, url: world.url.clone(), folder, reader: OnceLock::new() }
    }

    /// Puts a run into the queue.
    pub async fn launch(&self, plan: Plan<'_>) {
        self.launch_as(&self.org, plan).await;
    }

    /// The same for another organisation.
    pub async fn launch_as(&self, org: &Org, plan: Plan<'_>) {
        let acts: Vec<_> = plan.acts.split("; ").collect();
        let args = Bytes::from(serde_json::to_vec(&acts).unwrap());
        let models = plan.money > 0;
        let wishes = Wishes {
            read: vec!["**".to_owned()],
            outputs: Some("out/".to_owned()),
            egress: plan.net.iter().map(|rule| rule.parse().unwrap()).collect(),
            ttl_secs: 3600,
            timeout_secs: 3600,
            calls: 100_000,
            bytes: 1 << 30,
            limits: Limits { memory: 64 << 20, fuel: 20_000_000_000, ..Limits::default() },
            models: models.then(|| plan.model.to_owned()).into_iter().collect(),
            money: NanoUsd::new(plan.money).unwrap(),
            prices: if models { prices(plan.model) } else { PriceBook::default() },
            agents: Vec::new(),
            asks: plan.asks,
            content: Vec::new(),
        };
        let fresh = Fresh {
            run: Label::cut(plan.run),
            jti: Jti::parse("grt_00000000000000000000000001").unwrap(),
            seed: Digest::of(plan.run.as_bytes()),
            now: plan.at,
            caller: Label::cut("local"),
        };
        let nothing = Manifest::new(Vec::new()).unwrap();
        let keys = envelope_engine::local::Keys { grants: GRANTS.into() };
        // Compiled on a thread of its own, which may wait.
        let guest = thread::spawn(guest).join().unwrap();
        let job = Job::new(guest, "run", args, nothing, &wishes, &fresh, &keys).unwrap();
        let rules = plan.asks.then(|| Rules { window: plan.window, ..rules() });
        let new = Launch {
            job: &job,
            component: &COMPONENT,
            name: "guests",
            rules: rules.as_ref(),
            purchase: None,
            shared: plan.shared,
            days: plan.days,
        };
        launch(&self.house, org, new).await.unwrap();
    }

    /// A node of this process.
    pub fn node(&self, settings: Settings) -> Node {
        self.node_with(settings, Box::new(Nothing), Arc::new(|_| ()))
    }

    /// The same, with something outside, and somebody who hears of its runs.
    pub fn node_with(&self, settings: Settings, outside: Box<dyn Outside>, tell: Tell) -> Node {
        let keys = envelope_engine::local::Keys { grants: GRANTS.into() };
        let keys = Keys {
            grants: Arc::new(grant_keys(&keys).unwrap()),
            receipts: Arc::new(SigningKey::from_secret(&RECEIPTS.into())),
        };
        let components = Components::new(machine().clone(), link::SERVED);
        Node::new(self.house.clone(), keys, outside, components, settings, tell)
    }

    /// The program, not started yet, at home here.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(envelope());
        command.args(words).args(["--db", &self.url, "--org", "acme"]);
        command.current_dir(&self.folder).env("ENVELOPE_HOME", self.folder.join("home"));
        command.stdout(Stdio::null());
        command
    }

    /// A node that is a process. What it says is added to `said`.
    pub fn process(&self, name: &str) -> Process {
        self.process_with(name, "stub")
    }

    /// The same with a provider of its own.
    pub fn process_with(&self, name: &str, provider: &str) -> Process {
        let said = File::options().create(true).append(true).open(self.said()).unwrap();
        let lease = LEASE.as_millis().to_string();
        let mut node = self.command(&["node", "--name", name, "--lease", &lease, "--runs", "4"]);
        Process(node.args(["--provider", provider]).stderr(said).spawn().unwrap())
    }

    fn said(&self) -> PathBuf {
        self.folder.join("said")
    }

    /// What all node processes said so far.
    pub fn heard(&self) -> String {
        fs::read_to_string(self.said()).unwrap_or_default()
    }

    /// Waits until something holds.
    pub async fn wait(&self, holds: impl AsyncFn() -> bool) {
        let begun = Instant::now();
        while !holds().await {
            assert!(begun.elapsed() < PATIENCE, "it does not come: {}", self.heard());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the run stands as `state`.
    pub async fn until(&self, run: &str, state: &str) {
        self.wait(async || {
            envelope_node::state(&self.house, &self.org, run).await.unwrap() == state
        })
        .await;
    }

    /// The run played again from what is kept of it.
    pub async fn finished(&self, org: &Org, run: &str) -> envelope_engine::run::Finished {
        let node = self.reader.get_or_init(|| self.node(Settings::of("reader")));
        envelope_node::finished(node, org, run).await.unwrap()
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// A process that does not outlive its test.
pub struct Process(Child);

impl Process {
    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        // The shell's own, which is everywhere.
        let kill = format!("kill -{name} {}", self.0.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Kills it, as a power cut would.
    pub fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Tells it to leave, and whether it left well.
    pub fn leave(mut self) -> bool {
        self.signal("TERM");
        self.0.wait().unwrap().success()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whoever holds the keys decides, within an hour.
pub fn rules() -> Rules {
    let policy = Policy { role: Label::cut("keyholder"), approvers: 1, caller: true };
    Rules { policy, window: 3600, most: None, calls: Vec::new(), data: Vec::new() }
}

/// What its tokens cost.
pub fn prices(model: &str) -> PriceBook {
    let rate = |text| PicoUsdPerUnit::per_million(text).unwrap();
    let (cache_read, cache_write, cache_write_long, reasoning) = (None, None, None, None);
    let rates = Rates {
        input: rate("1"),
        cache_read,
        cache_write,
        cache_write_long,
        output: rate("4"),
        reasoning,
    };
    let price = Price::new(rates, Vec::new(), NanoUsd::ZERO).unwrap();
    PriceBook::new([(model.to_owned(), price)]).unwrap()
}

/// Nothing is outside.
pub struct Nothing;

impl Outside for Nothing {
    fn seen(&self, _: &Warrant, _: bool, _: Arc<dyn Purse>) -> Result<Seen, NodeError> {
        Ok(Seen { network: None, models: None, secrets: Secrets::none() })
    }
}
