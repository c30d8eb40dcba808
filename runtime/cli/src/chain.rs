//! `envelope chain`: the documents of a contract, checked offline.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use envelope_evidence::verify::Report;
use envelope_terms::document::{Agreed, verify_chain};
use serde_json::{Value, json};

use crate::answer::{Answer, Trouble, give};
use crate::disk::{self, CHAIN_FILES_MAX};
use crate::exit::Exit;
use crate::keys;
use crate::page::{BAD, GOOD, STRONG, styled};
use crate::verify::{check_in_json, row};

/// Check the documents of a contract.
#[derive(Subcommand)]
pub(crate) enum Chain {
    Verify(Verify),
}

/// Check every document of a chain against the keys you trust, without a network
///
/// A chain that was cut short is a chain too: compare the head that is told with the one you know.
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  verified
  8  refused: the first check that failed is named
  2  the input cannot be used

Examples:
  envelope chain verify deal/ --keys keys.json
  envelope chain verify deal/ --keys buyer.pub.pem --keys developer.pub.pem --json")]
pub(crate) struct Verify {
    /// The folder of the chain
    folder: PathBuf,

    /// The keys you trust: one key file (JSON), or single public keys (PEM) to trust for documents
    #[arg(long, value_name = "FILE", required = true)]
    keys: Vec<PathBuf>,

    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

impl Chain {
    pub(crate) fn run(&self) -> Exit {
        match self {
            Self::Verify(verify) => give(verify.run(), verify.json),
        }
    }
}

impl Verify {
    fn run(&self) -> Result<Answer, Trouble> {
        let ring = keys::ring(&self.keys)?;
        let hint = "give the folder of a chain: it holds `nodes/`";
        let files = disk::read_folder(&self.folder, CHAIN_FILES_MAX)
            .map_err(|why| Trouble::usage(why, hint))?;
        if !files.keys().any(|name| name.starts_with("nodes/")) {
            let what = format!("`{}` holds no documents", self.folder.display());
            return Err(Trouble::usage(what, hint));
        }
        let report = verify_chain(&files, &ring);
        let exit = if report.verified() { Exit::Done } else { Exit::Refused };
        Ok(Answer { exit, ..Answer::page("chain-verification", page(&report), data(&report)) })
    }
}

fn page(report: &Report<Agreed>) -> String {
    let width = report.checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    let rows = report.checks.iter().map(|check| row(check, width) + "\n");
    let verdict = match (report.first_failure(), &report.said) {
        (None, Some(said)) => {
            let (documents, head) = (said.documents, styled(STRONG, said.head));
            format!("{} {documents} documents, head {head}", styled(GOOD, "verified"))
        }
        (Some(check), _) => {
            format!("{} at {}", styled(BAD, "refused"), styled(STRONG, &check.name))
        }
        (None, None) => styled(BAD, "refused"),
    };
    format!("{}\n{verdict}\n", rows.collect::<String>())
}

fn data(report: &Report<Agreed>) -> Value {
    let said = report.said.as_ref().filter(|_| report.verified());
    json!({
        "verified": report.verified(),
        "head": said.map(|said| said.head),
        "documents": said.map(|said| said.documents),
        "hashes": said.map(|said| said.hashes),
        "level": said.map(|said| said.level),
        "signed": said.map(|said| said.signed.to_string()),
        "checks": report.checks.iter().map(check_in_json).collect::<Vec<_>>(),
        "first_failure": report.first_failure().map(|check| check.name.as_str()),
    })
}
