//! Verification of a receipt by somebody who trusts nothing but a few public keys.
//!
//! The answer is a [`Report`]: one line per check, so that a reader sees what was checked, what was
//! withheld and what failed first. Every byte of every file of the folder is covered by a check.
//!
//! Keys are judged at the time the receipt says it was finished, for offline there is no other
//! clock. Whoever steals a key can date a receipt back into its window for ever: a verifier who
//! hears of a theft takes the key off the ring, or accepts its receipts with a proof of inclusion
//! in a checkpoint that it has held since before.

mod agreement;
mod files;

use std::fmt;

use crate::digest::Digest;
use crate::keyring::KeyRing;
use crate::receipt::evidence::{Authority, Eval, Files, Identity, Intent, Replay, Reviews};
use crate::receipt::provenance::Provenance;
use crate::receipt::{Folder, Kind, Receipt};
use crate::statement::Statement;

/// What was checked, in order, and what came of it: of a receipt, or of anything that says `S`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report<S = Said> {
    /// Every check.
    pub checks: Vec<Check>,
    /// What was verified says, once its own signatures hold.
    pub said: Option<S>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was checked, such as `receipt.signature`.
    pub name: String,
    /// What came of it.
    pub result: Finding,
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It holds. The text says what that rests on.
    Holds(String),
    /// The file was not handed over; its digest is all there is.
    Withheld(Digest),
    /// It does not hold, and why.
    Fails(String),
}

/// What a verified receipt says, as far as it was disclosed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The digest of the receipt's payload: its id.
    pub id: Digest,
    /// The receipt statement.
    pub receipt: Receipt,
    /// The evidence that was handed over and holds.
    pub evidence: Disclosed,
}

/// Evidence that was handed over and holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Disclosed {
    /// Who ran.
    pub identity: Option<Identity>,
    /// What was asked.
    pub intent: Option<Intent>,
    /// What was allowed.
    pub authority: Option<Authority>,
    /// Which files were touched.
    pub files: Option<Files>,
    /// What was produced.
    pub output: Option<Provenance>,
    /// How it was evaluated.
    pub eval: Option<Eval>,
    /// Who looked at it.
    pub review: Option<Reviews>,
    /// How to run it again.
    pub replay: Option<Replay>,
}

/// Checks every file of `folder` against the keys in `ring`.
pub fn verify(folder: &Folder, ring: &KeyRing) -> Report {
    let mut report = Report::default();
    if let Some((envelope, statement)) = files::receipt(folder, ring, &mut report) {
        let Statement { subject, predicate: receipt, .. } = statement;
        let at = receipt.finished.0;
        let mut evidence = Disclosed::default();
        let mut check =
            |kind| files::evidence(folder, ring, &receipt, kind, &mut evidence, &mut report);
        let subjects: Vec<_> = Kind::ALL.into_iter().map(|kind| (kind, check(kind))).collect();
        agreement::check(&receipt, &subject, &evidence, &subjects, &mut report);
        files::journal(folder, &receipt, &envelope, &mut report);
        files::proof(folder, ring, &envelope, at, &mut report);
        report.said = Some(Said { id: envelope.digest(), receipt, evidence });
    }
    files::strays(folder, &mut report);
    report
}

impl<S> Report<S> {
    /// Whether nothing failed.
    pub fn verified(&self) -> bool {
        self.first_failure().is_none() && self.said.is_some()
    }

    /// The first check that failed.
    pub fn first_failure(&self) -> Option<&Check> {
        self.checks.iter().find(|check| matches!(check.result, Finding::Fails(_)))
    }

    /// Adds a check that holds.
    pub fn holds(&mut self, name: impl Into<String>, rests_on: impl fmt::Display) {
        self.add(name, Finding::Holds(rests_on.to_string()));
    }

    /// Adds a check that fails.
    pub fn fails(&mut self, name: impl Into<String>, why: impl fmt::Display) {
        self.add(name, Finding::Fails(why.to_string()));
    }

    /// Adds a check.
    pub fn add(&mut self, name: impl Into<String>, result: Finding) {
        self.checks.push(Check { name: name.into(), result });
    }
}

impl<S> Default for Report<S> {
    fn default() -> Self {
        Self { checks: Vec::new(), said: None }
    }
}
