//! The folder of a run.
//!
//! ```text
//! receipt/            what anybody can verify: receipt, evidence, journal
//! run/                what a replay needs: component, warrant, inputs, arguments, limits, blobs;
//!                     and the log of the run's life
//! artifacts/          the run's named results
//! keys.json           the public half of the key that signed the receipt
//! agents/             the components of the agents that it may call
//! callees/            the folders of the runs that it called, whose blobs are its own
//! ```
#![expect(clippy::disallowed_methods, reason = "the one file of this crate that keeps run folders")]

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use envelope_evidence::journal::Journal;
use envelope_evidence::key::{ForReceipts, SigningKey};
use envelope_evidence::receipt::JOURNAL_FILE;
use envelope_gate::journal::InFile;
use envelope_gate::workspace::{Blobs, Manifest};
use envelope_rules::budget::PriceBook;
use envelope_rules::guard::Warrant;

use crate::limits::Limits;
use crate::local::job::{Keys, grant_keys};
use crate::local::pinned::{Pinned, Pins};
use crate::local::sealed::{ARTIFACTS, KEYS, RECEIPT, sealed};
use crate::prepared::Prepared;
use crate::run::{Finished, Order};

const RUN: &str = "run";
const COMPONENT: &str = "component.wasm";
const WARRANT: &str = "warrant.json";
const INPUTS: &str = "inputs.json";
const ARGS: &str = "args.json";
const LIMITS: &str = "limits.json";
const BLOBS: &str = "blobs";
const PRICES: &str = "prices.json";
const LIFE: &str = "life.jsonl";
const AGENTS: &str = "agents";
const CALLEES: &str = "callees";

/// The folder of one run.
#[derive(Debug, Clone)]
pub struct RunFolder(PathBuf);

/// A folder that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadFolder {
    /// A file cannot be read or written.
    #[error("`{path}`: {why}", path = path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What happened.
        why: io::Error,
    },
    /// A file is not what it should be.
    #[error("`{path}` is not usable: {why}", path = path.display())]
    Content {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Another run lies there.
    #[error("`{path}` holds a run already", path = path.display())]
    Taken {
        /// The folder.
        path: PathBuf,
    },
    /// A process is at work on it.
    #[error("`{path}` is in use: its run goes on", path = path.display())]
    Busy {
        /// The folder.
        path: PathBuf,
    },
}

impl RunFolder {
    /// The folder at `path`, which has to be there.
    pub fn open(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// A new folder at `path`, with everything in it that pins the run of `component`. The record
    /// of another run is never written over.
    pub fn create<'a>(
        path: &Path,
        component: &[u8],
        pins: impl Into<Pins<'a>>,
    ) -> Result<Self, BadFolder> {
        let folder = Self(path.to_owned());
        folder.is_free()?;
        folder.fill(component, &pins.into())?;
        Ok(folder)
    }

    /// Writes all that pins the run. Where no journal is, nothing of it counts yet.
    pub(super) fn fill(&self, component: &[u8], pins: &Pins<'_>) -> Result<(), BadFolder> {
        for inner in [RECEIPT, RUN, ARTIFACTS] {
            let inner = self.0.join(inner);
            fs::create_dir_all(&inner).map_err(io_error(&inner))?;
        }
        let warrant = envelope_evidence::canonical::of(pins.warrant.document());
        self.write(&self.run(COMPONENT), component)?;
        self.write(&self.run(WARRANT), &warrant.unwrap_or_default())?;
        self.write(&self.run(INPUTS), pins.manifest.as_bytes())?;
        self.write(&self.run(ARGS), pins.args)?;
        let prices = envelope_evidence::canonical::of(pins.prices);
        self.write(&self.run(PRICES), &prices.unwrap_or_default())?;
        self.write(&self.run(LIMITS), &pins.limits.to_bytes())
    }

    /// Whether no run lies here.
    pub fn is_free(&self) -> Result<(), BadFolder> {
        let taken = [self.journal_path(), self.run(COMPONENT)];
        if taken.iter().any(|path| path.symlink_metadata().is_ok()) {
            return Err(BadFolder::Taken { path: self.0.clone() });
        }
        Ok(())
    }

    /// Holds the folder for this process alone, until what it returns is dropped: two that write
    /// one journal would spoil it.
    pub fn hold(&self) -> Result<fs::File, BadFolder> {
        let path = self.run(WARRANT);
        let file = fs::File::open(&path).map_err(io_error(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(fs::TryLockError::WouldBlock) => Err(BadFolder::Busy { path: self.0.clone() }),
            Err(fs::TryLockError::Error(why)) => Err(BadFolder::Io { path, why }),
        }
    }

    /// Whether the run has its receipt.
    pub fn is_sealed(&self) -> bool {
        // The last file that sealing writes.
        self.keys_path().is_file()
    }

    /// Where contents lie.
    pub fn blobs(path: &Path) -> Result<Blobs, BadFolder> {
        let inner = root(path).join(RUN).join(BLOBS);
        fs::create_dir_all(&inner).map_err(io_error(&inner))?;
        let blobs = Blobs::in_folder(&inner);
        blobs.map_err(|why| BadFolder::Content { path: inner, why: why.to_string() })
    }

    /// Keeps the component of an agent that the run may call.
    pub fn keep_agent(&self, service: &str, component: &[u8]) -> Result<(), BadFolder> {
        self.write(&self.0.join(AGENTS).join(format!("{service}.wasm")), component)
    }

    /// The component of an agent that the run may call.
    pub fn agent(&self, service: &str) -> Result<Bytes, BadFolder> {
        self.read(&self.0.join(AGENTS).join(format!("{service}.wasm"))).map(Bytes::from)
    }

    /// The folder of a run that this one called.
    pub fn callee(&self, run: &str) -> Self {
        Self(root(&self.0).join(CALLEES).join(run))
    }

    /// The journal as it is, as bytes: none before its first line.
    pub fn journal_bytes(&self) -> Result<Vec<u8>, BadFolder> {
        let path = self.journal_path();
        if path.is_file() { self.read(&path) } else { Ok(Vec::new()) }
    }

    /// The log of the run's life so far: nothing, before it began. A line that a crash cut in two
    /// is cut off.
    pub(super) fn life(&self) -> Result<Vec<u8>, BadFolder> {
        let path = self.life_path();
        let mut bytes = if path.is_file() { self.read(&path)? } else { Vec::new() };
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        if whole < bytes.len() {
            bytes.truncate(whole);
            self.write(&path, &bytes)?;
        }
        Ok(bytes)
    }

    /// Adds a line to it.
    pub(super) fn add_to_life(&self, line: &[u8]) -> Result<(), BadFolder> {
        let path = self.life_path();
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(io_error(folder))?;
        }
        let append = || {
            let mut file = fs::File::options().create(true).append(true).open(&path)?;
            file.write_all(&[line, b"\n"].concat())
        };
        append().map_err(io_error(&path))
    }

    pub(super) fn life_path(&self) -> PathBuf {
        self.run(LIFE)
    }

    /// Adds a file of a run that was kept elsewhere: of its receipt, or the keys that signed it.
    pub fn add(&self, name: &str, bytes: &[u8]) -> Result<(), BadFolder> {
        let plain =
            |part: std::path::Component<'_>| matches!(part, std::path::Component::Normal(_));
        if !Path::new(name).components().all(plain) {
            let why = "not a name within the folder".to_owned();
            return Err(BadFolder::Content { path: name.into(), why });
        }
        self.write(&self.0.join(name), bytes)
    }

    /// A new journal file.
    pub fn new_journal(&self) -> Result<InFile, BadFolder> {
        let path = self.journal_path();
        InFile::create(&path).map_err(|why| BadFolder::Content { path, why: why.to_string() })
    }

    /// The journal as it is, and the file it goes on in.
    pub fn open_journal(&self) -> Result<(InFile, Journal), BadFolder> {
        let path = self.journal_path();
        let bad = |why: String| BadFolder::Content { path: path.clone(), why };
        let (file, bytes) = InFile::resume(&path).map_err(|why| bad(why.to_string()))?;
        Ok((file, Journal::parse(&bytes).map_err(|why| bad(why.to_string()))?))
    }

    /// The journal as it is.
    pub fn read_journal(&self) -> Result<Journal, BadFolder> {
        let path = self.journal_path();
        let bytes = self.read(&path)?;
        Journal::parse(&bytes).map_err(|why| BadFolder::Content { path, why: why.to_string() })
    }

    /// The component's bytes.
    pub fn component(&self) -> Result<Bytes, BadFolder> {
        self.read(&self.run(COMPONENT)).map(Bytes::from)
    }

    /// What was run, for a replay: without a grant, which a replay has no use for.
    pub fn order(&self, component: Arc<Prepared>, keys: &Keys) -> Result<Order, BadFolder> {
        let warrant = self.run(WARRANT);
        let content = |path: &Path, why: String| BadFolder::Content { path: path.to_owned(), why };
        let document = Warrant::parse(&self.read(&warrant)?);
        let document = document.map_err(|why| content(&warrant, why.to_string()))?;
        let inputs = self.run(INPUTS);
        let manifest = Manifest::read(&self.read(&inputs)?);
        let limits = self.run(LIMITS);
        let parsed = serde_json::from_slice::<Limits>(&self.read(&limits)?);
        let keys = grant_keys(keys).map_err(|why| content(&self.0, why.to_string()))?;
        let pinned = Pinned {
            warrant: document,
            args: self.read(&self.run(ARGS))?.into(),
            manifest: manifest.map_err(|why| content(&inputs, why.to_string()))?,
            limits: parsed.map_err(|why| content(&limits, why.to_string()))?,
            prices: self.prices()?,
        };
        Ok(pinned.order(component, Arc::new(keys)))
    }

    /// The prices by which the run pays. A folder without any is one of a run without models.
    fn prices(&self) -> Result<PriceBook, BadFolder> {
        let path = self.run(PRICES);
        if !path.is_file() {
            return Ok(PriceBook::default());
        }
        let book = envelope_evidence::canonical::read(&self.read(&path)?);
        book.map_err(|why| BadFolder::Content { path, why: why.to_string() })
    }

    /// Writes the signed receipt, its public key and the artifacts.
    pub fn seal(
        &self,
        finished: &Finished,
        key: &SigningKey<ForReceipts>,
    ) -> Result<(), BadFolder> {
        let content = |why: String| BadFolder::Content { path: self.0.clone(), why };
        for (name, bytes) in sealed(finished, key).map_err(|why| content(why.to_string()))? {
            self.write(&self.0.join(name), &bytes)?;
        }
        Ok(())
    }

    /// Where the folder is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The folder of the receipt.
    pub fn receipt_path(&self) -> PathBuf {
        self.0.join(RECEIPT)
    }

    /// The file of public keys.
    pub fn keys_path(&self) -> PathBuf {
        self.0.join(KEYS)
    }

    fn journal_path(&self) -> PathBuf {
        self.0.join(RECEIPT).join(JOURNAL_FILE)
    }

    fn run(&self, name: &str) -> PathBuf {
        self.0.join(RUN).join(name)
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, BadFolder> {
        fs::read(path).map_err(io_error(path))
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), BadFolder> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(io_error(folder))?;
        }
        fs::write(path, bytes).map_err(io_error(path))
    }
}

/// The folder of the run that nobody called: the blobs of all runs of a tree lie there.
fn root(path: &Path) -> &Path {
    let above = path.parent().filter(|above| above.ends_with(CALLEES));
    above.and_then(Path::parent).unwrap_or(path)
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> BadFolder + '_ {
    |why| BadFolder::Io { path: path.to_owned(), why }
}
