//! What the runs of this machine asked and were told, one file for each.

use std::path::PathBuf;

use envelope_evidence::Digest;
use envelope_gate::desk::Decision;
use envelope_node::{Asked, Late};
use envelope_rules::approval::{Request, Rules};
use serde::{Deserialize, Serialize};

use crate::disk::{self, Existing};
use crate::home::{file_of, home};

/// The folder of these files, at home.
const FOLDER: &str = "desk";

/// Runs that are listed: more than anybody reads.
const RUNS_MAX: usize = 10_000;

/// All that one run and those it called asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept {
    /// Where the run lies.
    pub(crate) folder: PathBuf,
    /// How people are asked.
    pub(crate) rules: Rules,
    /// What was asked, in order.
    pub(crate) asked: Vec<Asked>,
}

/// Why it cannot be kept, or does not count.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unkept {
    #[error("there is no home folder")]
    Home,
    #[error("{0}")]
    Disk(String),
    #[error("nothing of this was asked")]
    Unknown,
    #[error(transparent)]
    Late(#[from] Late),
}

/// The file of one run.
pub(crate) struct Book {
    path: Option<PathBuf>,
}

impl Book {
    /// The book of `run`.
    pub(crate) fn of(run: &str) -> Self {
        Self { path: file_of(FOLDER, run) }
    }

    /// The runs that have one.
    pub(crate) fn runs() -> Vec<String> {
        let Ok(home) = home() else { return Vec::new() };
        let names = disk::names(&home.join(FOLDER), RUNS_MAX);
        let runs = names.iter().filter_map(|name| name.strip_suffix(".json"));
        runs.map(str::to_owned).collect()
    }

    /// What is in each of them.
    pub(crate) fn all() -> Vec<Kept> {
        Self::runs().iter().filter_map(|run| Self::of(run).read()).collect()
    }

    /// Opens it.
    pub(crate) fn open(&self, folder: PathBuf, rules: Rules) -> Result<(), Unkept> {
        self.write(&Kept { folder, rules, asked: Vec::new() })
    }

    /// What is in it.
    pub(crate) fn read(&self) -> Option<Kept> {
        serde_json::from_slice(&disk::read(self.path.as_ref()?).ok()?).ok()
    }

    /// Takes a request in, or finds it again.
    pub(crate) fn take_in(&self, request: &Request) -> Result<Asked, Unkept> {
        self.change(|kept| {
            if let Some(known) = kept.asked.iter().find(|asked| asked.request == *request) {
                return Ok(known.clone());
            }
            let policy = kept.rules.policy.clone();
            let asked = Asked { request: request.clone(), decisions: Vec::new(), policy };
            kept.asked.push(asked.clone());
            Ok(asked)
        })
    }

    /// Takes a decision on what has this digest, if it counts.
    pub(crate) fn decide(&self, digest: Digest, decision: Decision) -> Result<Asked, Unkept> {
        self.change(|kept| {
            let is_it = |asked: &&mut Asked| asked.request.digest() == Ok(digest);
            let asked = kept.asked.iter_mut().find(is_it).ok_or(Unkept::Unknown)?;
            asked.decide(decision)?;
            Ok(asked.clone())
        })
    }

    pub(crate) fn forget(&self) {
        if let Some(path) = &self.path {
            disk::remove(path);
            disk::remove(&path.with_extension("lock"));
        }
    }

    /// Two who decide at once do so one after the other.
    fn change<T>(&self, change: impl FnOnce(&mut Kept) -> Result<T, Unkept>) -> Result<T, Unkept> {
        let path = self.path.as_ref().ok_or(Unkept::Home)?;
        let lock = path.with_extension("lock");
        let _held = disk::lock(&lock).map_err(|why| Unkept::Disk(why.to_string()))?;
        let mut kept = self.read().ok_or(Unkept::Unknown)?;
        let done = change(&mut kept)?;
        self.write(&kept)?;
        Ok(done)
    }

    fn write(&self, kept: &Kept) -> Result<(), Unkept> {
        let path = self.path.as_ref().ok_or(Unkept::Home)?;
        let bytes = serde_json::to_vec(kept).map_err(|why| Unkept::Disk(why.to_string()))?;
        let written = disk::write(path, &bytes, Existing::Replace);
        written.map_err(|why| Unkept::Disk(why.to_string()))
    }
}
