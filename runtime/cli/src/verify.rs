//! `envelope verify`: check a receipt offline, trusting nothing but a key file.

use std::path::{Path, PathBuf};

use clap::Args;
use envelope_evidence::keyring::KeyRing;
use envelope_evidence::receipt::{BUNDLE_FILE, Folder, RECEIPT_FILE};
use envelope_evidence::verify::{Check, Finding, Report, Said, verify};
use envelope_evidence::{Dimension, receipt::evidence};
use serde_json::{Value, json};

use crate::answer::Trouble;
use crate::disk;
use crate::exit::Exit;
use crate::page::{self, BAD, FAINT, GOOD, STRONG, plain, styled};

/// Check a receipt against the keys you trust, without a network and without trusting the host
/// that made it.
///
/// A receipt is a folder, or one file of it: the DSSE envelope, the sigstore bundle, or all
/// envelopes as `.intoto.jsonl`. Evidence that is not there counts as withheld, not as wrong.
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  verified
  8  refused: the first check that failed is named
  2  the input cannot be used

Examples:
  envelope verify receipt/ --keys keys.json
  envelope verify receipt.intoto.jsonl --keys host.pem --json")]
pub(crate) struct Verify {
    /// The receipt: a folder or a file
    receipt: PathBuf,

    /// The keys you trust: a key file (JSON), or one public key (PEM) to trust for receipts
    #[arg(long, value_name = "FILE")]
    keys: PathBuf,

    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

/// Input that cannot be used, and what to do.
pub(crate) struct Unusable {
    what: String,
    hint: &'static str,
}

impl Verify {
    pub(crate) fn run(&self) -> Exit {
        let report = match self.report() {
            Ok(report) => report,
            Err(unusable) => return self.unusable(&unusable),
        };
        let exit = if report.verified() { Exit::Done } else { Exit::Refused };
        if self.json {
            page::line(in_json(&report, exit));
        } else {
            print(&report);
        }
        exit
    }

    /// What the command does with these.
    pub(crate) const fn of(receipt: PathBuf, keys: PathBuf) -> Self {
        Self { receipt, keys, json: false }
    }

    pub(crate) fn report(&self) -> Result<Report, Unusable> {
        let ring = read_keys(&self.keys)?;
        let folder = read_receipt(&self.receipt)?;
        Ok(verify(&folder, &ring))
    }

    fn unusable(&self, Unusable { what, hint }: &Unusable) -> Exit {
        if self.json {
            let exit = Exit::Usage.code();
            page::line(json!({"type": "error", "exit": exit, "error": what, "hint": hint}));
        } else {
            page::error(what, hint);
        }
        Exit::Usage
    }
}

impl From<Unusable> for Trouble {
    fn from(Unusable { what, hint }: Unusable) -> Self {
        Self::usage(what, hint)
    }
}

fn read_keys(path: &Path) -> Result<KeyRing, Unusable> {
    let hint = "a key file is {\"keys\":[…]}, or the PEM of one Ed25519 public key";
    let bytes = disk::read(path).map_err(|why| Unusable { what: why.to_string(), hint })?;
    let named = |why: String| Unusable { what: format!("`{}`: {why}", path.display()), hint };
    match std::str::from_utf8(&bytes) {
        Ok(text) if text.starts_with("-----BEGIN") => {
            KeyRing::from_pem(text).map_err(|why| named(why.to_string()))
        }
        Ok(_) | Err(_) => KeyRing::from_json(&bytes).map_err(|why| named(why.to_string())),
    }
}

fn read_receipt(path: &Path) -> Result<Folder, Unusable> {
    let hint = "give the folder that holds `receipt.dsse.json`, or one file of a receipt";
    let unusable = |what: String| Unusable { what, hint };
    let folder = if disk::is_folder(path) {
        Folder {
            files: disk::read_folder(path, disk::RECEIPT_FILES_MAX)
                .map_err(|why| unusable(why.to_string()))?,
        }
    } else {
        let bytes = disk::read(path).map_err(|why| unusable(why.to_string()))?;
        Folder::of_one_file(&bytes)
            .map_err(|why| unusable(format!("`{}`: {why}", path.display())))?
    };
    if [RECEIPT_FILE, BUNDLE_FILE].iter().any(|name| folder.files.contains_key(*name)) {
        Ok(folder)
    } else {
        Err(unusable(format!("`{}` holds no receipt", path.display())))
    }
}

fn print(report: &Report) {
    let width = report.checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    for check in &report.checks {
        page::line(row(check, width));
    }
    page::line("");
    if let Some(said) = report.said.as_ref().filter(|_| report.verified()) {
        for (question, answer) in answers(said) {
            let answer = plain(answer);
            page::line(format!("{}  {answer}", styled(FAINT, format!("{question:<9}"))));
        }
        page::line("");
    }
    page::line(verdict(report));
}

/// One check as a line, its name filled up to `width`.
pub(crate) fn row(check: &Check, width: usize) -> String {
    let name = format!("{:<width$}", check.name);
    match &check.result {
        Finding::Holds(why) => {
            format!("{} {name}  {}", styled(GOOD, "✓"), styled(FAINT, plain(why)))
        }
        Finding::Withheld(digest) => {
            format!("{} {name}  withheld; its digest is {digest}", styled(FAINT, "–"))
        }
        Finding::Fails(why) => format!("{} {name}  {}", styled(BAD, "✗"), plain(why)),
    }
}

fn verdict(report: &Report) -> String {
    match (report.first_failure(), &report.said) {
        (None, Some(said)) => {
            format!("{} receipt {}", styled(GOOD, "verified"), styled(STRONG, said.id))
        }
        (Some(check), _) => {
            format!("{} at {}", styled(BAD, "refused"), styled(STRONG, &check.name))
        }
        (None, None) => styled(BAD, "refused"),
    }
}

/// The six questions a receipt answers, and what it cost.
fn answers(said: &Said) -> Vec<(&'static str, String)> {
    let withheld = || "withheld".to_owned();
    let shown = &said.evidence;
    let ran = shown.identity.as_ref().map(|it| {
        let (agent, caller) = (&it.agent, &it.caller.id);
        format!("{} {} for {caller}", agent.name, agent.version)
    });
    let allowed = shown.authority.as_ref().map(|it| {
        let grants: Vec<_> = it.scopes.iter().map(|held| held.scope.jti.as_str()).collect();
        let grants = if grants.is_empty() { "no grant".to_owned() } else { grants.join(" → ") };
        format!("{grants}; {} denied", it.denied())
    });
    let files = shown.files.as_ref().map(files_line);
    let made = shown.output.as_ref().map(|it| {
        let names: Vec<_> = it.envelope.outputs.iter().map(|file| file.path.as_str()).collect();
        if names.is_empty() { "no files".to_owned() } else { names.join(", ") }
    });
    let evaluated = shown.eval.as_ref().map(|it| match it.evaluations.len() {
        0 => "no".to_owned(),
        1 => "1 criterion".to_owned(),
        count => format!("{count} criteria"),
    });
    let reviewed = shown.review.as_ref().map(|it| {
        let names: Vec<_> = it.reviews.iter().map(|review| review.reviewer.as_str()).collect();
        if names.is_empty() { "no".to_owned() } else { format!("by {}", names.join(", ")) }
    });
    let nanos = said.receipt.used.get(Dimension::NanoUsd);
    let spent = format!("${}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000);
    vec![
        ("who", ran.unwrap_or_else(withheld)),
        ("outcome", format!("{} ({})", said.receipt.outcome.name(), said.receipt.reason)),
        ("authority", allowed.unwrap_or_else(withheld)),
        ("files", files.unwrap_or_else(withheld)),
        ("produced", made.unwrap_or_else(withheld)),
        ("evaluated", evaluated.unwrap_or_else(withheld)),
        ("reviewed", reviewed.unwrap_or_else(withheld)),
        ("spent", format!("{spent} in {} calls", said.receipt.calls.count)),
    ]
}

fn files_line(files: &evidence::Files) -> String {
    let counts = files
        .operations
        .iter()
        .map(|it| format!("{} {} ({} denied)", it.asked(), it.operation, it.denied));
    let counts: Vec<_> = counts.collect();
    if counts.is_empty() { "none touched".to_owned() } else { counts.join(", ") }
}

fn in_json(report: &Report, exit: Exit) -> Value {
    json!({
        "type": "verification",
        "exit": exit.code(),
        "verified": report.verified(),
        "id": report.said.as_ref().map(|said| said.id),
        "receipt": report.said.as_ref().map(|said| &said.receipt),
        "checks": report.checks.iter().map(check_in_json).collect::<Vec<_>>(),
        "first_failure": report.first_failure().map(|check| check.name.as_str()),
    })
}

/// One check as programs read it.
pub(crate) fn check_in_json(check: &Check) -> Value {
    let (result, detail) = match &check.result {
        Finding::Holds(why) => ("holds", why.clone()),
        Finding::Withheld(digest) => ("withheld", digest.to_string()),
        Finding::Fails(why) => ("fails", why.clone()),
    };
    json!({"name": check.name, "result": result, "detail": detail})
}
