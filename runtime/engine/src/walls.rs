//! The proof that the walls stand: a guest of our own tries them on this very engine, and what it
//! was refused is read off the journal that the host wrote of it.
//!
//! It needs neither database nor network, and nothing is dialled even where a wall has fallen: its
//! world has no network at all.

use std::sync::Arc;

use bytes::Bytes;
use envelope_evidence::Digest;
use envelope_evidence::journal::{Event, Journal, Outcome};
use envelope_gate::journal::InMemory;
use envelope_gate::workspace::{Blobs, FileEntry, Manifest};
use envelope_rules::budget::{NanoUsd, PriceBook};
use envelope_rules::denial::Code;
use envelope_rules::egress::rule::RuleDocument;
use envelope_rules::path::Path;

use crate::card::RUN_SKILL;
use crate::component::Components;
use crate::limits::Limits;
use crate::local::{BadJob, Fresh, Job, Keys, LocalWorld, Wishes};
use crate::prepared::{NotRunnable, Prepared};
use crate::run::{Halted, Surroundings, start};

/// The guest, which `walls.wat` shows and a test encodes again.
const GUEST: &[u8] = include_bytes!("walls.wasm");

/// The file that it was given, and the one that it was not.
const OPEN: &str = "open/a.txt";
const SHUT: &str = "shut/b.txt";

/// A host that it may ask, which is another than the one that it asks.
const RULE: &str = "GET https://open.example/**";

/// What it may compute: some hundredths of a second of its loop.
const FUEL: u64 = 50_000_000;

/// Seconds after which it is stopped, should fuel not do it.
const TIMEOUT_SECS: u64 = 10;

/// Calls of the host that it may make: it makes five.
const CALLS: u64 = 100;

/// Bytes that it may move: it moves names.
const BYTES: u64 = 1 << 20;

/// One wall, and what the guest met there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wall {
    /// What was tried.
    pub name: &'static str,
    /// Whether it stands.
    pub stands: bool,
    /// The code of the denial or the limit that was met, or what was met instead.
    pub met: String,
}

/// A proof that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum NoProof {
    /// The guest does not compile or link here.
    #[error("the guest that tries the walls: {0}")]
    Guest(#[from] NotRunnable),
    /// Its run cannot be put together.
    #[error("the run that tries the walls: {0}")]
    Job(#[from] BadJob),
    /// Its run came to no end.
    #[error("the run that tries the walls: {0}")]
    Halted(#[from] Halted),
    /// Something of it cannot be written down.
    #[error("the run that tries the walls: {0}")]
    Document(String),
}

/// Tries every wall once, on the engine of `components`.
pub async fn prove(
    components: &Components,
    fresh: &Fresh,
    keys: &Keys,
) -> Result<Vec<Wall>, NoProof> {
    let guest = Prepared::load(components, &Bytes::from_static(GUEST), "walls", |_| {}).await?;
    let blobs = Blobs::in_memory();
    let manifest = files(&blobs).await?;
    let args = Bytes::from_static(b"[]");
    let job = Job::new(Arc::new(guest), RUN_SKILL, args, manifest, &wishes()?, fresh, keys)?;
    let surroundings = Surroundings {
        blobs,
        world: Arc::new(LocalWorld::new(fresh.run.clone(), None)),
        writer: Box::new(InMemory::default()),
        watcher: None,
    };
    let finished = start(job.order, job.header, surroundings).await?;
    Ok(read_off(&finished.journal))
}

async fn files(blobs: &Blobs) -> Result<Manifest, NoProof> {
    let document = |why: &dyn std::fmt::Display| NoProof::Document(why.to_string());
    let mut files = Vec::new();
    for name in [OPEN, SHUT] {
        let bytes = Bytes::from_static(name.as_bytes());
        let (digest, size) = (Digest::of(&bytes), u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        blobs.put(bytes).await.map_err(|why| document(&why))?;
        let path = Path::parse(name).map_err(|why| document(&why))?;
        files.push(FileEntry { path, digest, size });
    }
    Manifest::new(files).map_err(|why| document(&why))
}

fn wishes() -> Result<Wishes, NoProof> {
    let rule = RULE.parse::<RuleDocument>();
    let rule = rule.map_err(|why| NoProof::Document(format!("`{RULE}`: {why}")))?;
    Ok(Wishes {
        read: vec!["open/**".to_owned()],
        outputs: None,
        egress: vec![rule],
        content: Vec::new(),
        ttl_secs: TIMEOUT_SECS,
        timeout_secs: TIMEOUT_SECS,
        calls: CALLS,
        bytes: BYTES,
        limits: Limits { fuel: FUEL, memory: 1 << 20, ..Limits::default() },
        models: Vec::new(),
        money: NanoUsd::ZERO,
        prices: PriceBook::default(),
        agents: Vec::new(),
        asks: false,
    })
}

/// What the guest met, in the order in which it tried. A door that shuts everybody out proves
/// nothing: so the file that it was given has to open.
fn read_off(journal: &Journal) -> Vec<Wall> {
    let opened = journal.entries().iter().any(|entry| match &entry.event {
        Event::Answered(answered) => answered.call.target.as_str().contains(OPEN),
        Event::Begun(_)
        | Event::Denied(_)
        | Event::Reviewed(_)
        | Event::Evaluated(_)
        | Event::Ended(_) => false,
    });
    let ended = journal.ended();
    let fuel = ended.filter(|it| it.outcome == Outcome::Exhausted && it.reason.as_str() == "fuel");
    let end = ended.map_or("it has no end".to_owned(), |it| {
        format!("{}: {}", it.outcome.name(), it.reason.as_str())
    });
    vec![
        Wall {
            name: "a granted file",
            stands: opened,
            met: if opened { "opened" } else { "it did not open" }.to_owned(),
        },
        denied(journal, "a denied file", SHUT, Code::PathOutside),
        denied(journal, "a denied host", "walls.example", Code::EgressHost),
        Wall { name: "a stopped loop", stands: fuel.is_some(), met: end },
    ]
}

fn denied(journal: &Journal, name: &'static str, target: &str, code: Code) -> Wall {
    let found = journal.entries().iter().find_map(|entry| match &entry.event {
        Event::Denied(denied) if denied.call.target.as_str().contains(target) => {
            Some(denied.code.as_str().to_owned())
        }
        Event::Denied(_)
        | Event::Begun(_)
        | Event::Answered(_)
        | Event::Reviewed(_)
        | Event::Evaluated(_)
        | Event::Ended(_) => None,
    });
    let stands = found.as_deref() == Some(code.row().name);
    Wall { name, stands, met: found.unwrap_or_else(|| "nothing was denied".to_owned()) }
}
