//! `envelope log`: the audit log, checked, proven and published.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use envelope_evidence::receipt::PROOF_FILE;
use envelope_evidence::tlog::{self, Witness};
use envelope_gate::net::Network;
use envelope_store::audit::{self, AuditError, Publisher};
use envelope_store::noun::Noun;
use envelope_store::{Org, Store};
use serde_json::json;

use crate::answer::{Answer, Trouble, give};
use crate::disk::{self, Existing};
use crate::exit::Exit;
use crate::home;
use crate::page::{BAD, GOOD, STRONG, plain, styled};
use crate::store::{Place, folder, trouble, wait};

/// Check, prove and publish the audit log
#[derive(Subcommand)]
pub(crate) enum Log {
    Verify(Verify),
    Prove(Prove),
    Export(Export),
}

/// Hold every row, every entry and every signature of the log against one another
///
/// Whoever owns the database and cuts the end of the log, with the checkpoint over it, is caught
/// only by a checkpoint that somebody else kept: give it with `--held`.
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  verified
  8  refused: each finding is told
  1  the database refused
  2  the input cannot be used

Examples:
  envelope log verify --log envelope.example/log+8c2a4f0e+AQ… --held checkpoint")]
pub(crate) struct Verify {
    #[command(flatten)]
    place: Place,

    #[command(flatten)]
    trusted: Trusted,

    /// A checkpoint that was kept elsewhere
    #[arg(long, value_name = "FILE")]
    held: Vec<PathBuf>,

    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

/// Prove that a row stood in the log as one of its versions says
///
/// The proof of a receipt is the file `receipt.tlog-proof` of its folder: `envelope verify` reads
/// it there, and needs no database.
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  proven
  1  the log does not know it, or it has no checkpoint yet
  2  the input cannot be used

Examples:
  envelope log prove receipts acme run-7 --out receipt/ --log envelope.example/log+8c2a4f0e+AQ…
  envelope log prove papers acme deal --version 2 --log envelope.example/log+8c2a4f0e+AQ…")]
pub(crate) struct Prove {
    /// The table
    noun: String,

    /// The organisation
    org: String,

    /// The row
    id: String,

    /// The version that is proven; a receipt has one
    #[arg(long, default_value_t = 1)]
    version: i64,

    /// A folder for the proof
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,

    #[command(flatten)]
    place: Place,

    #[command(flatten)]
    trusted: Trusted,

    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

/// Sign the log as far as it is, and publish it into a folder that any web server can serve
///
/// What is published are commitments: they tell nothing without their salts. The key is made on
/// first use, in the home folder. A witness keeps what it saw of the log and signs only what
/// continues it, so that nobody can be shown another history.
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  published, and every witness signed
  1  the log cannot be continued, or the disk refused; or published, and a witness did not sign
  2  the input cannot be used

Examples:
  envelope log export public/ --name envelope.example/log
  envelope log export public/ --name envelope.example/log \\
    --witness witness.example/w1+8d66cf3f+BA… https://witness.example")]
pub(crate) struct Export {
    /// The folder
    folder: PathBuf,

    /// The name of the log: where it will be served
    #[arg(long)]
    name: String,

    /// Have a witness sign as well: its key in one line, and where it answers
    #[arg(long, num_args = 2, value_names = ["KEY", "URL"])]
    witness: Vec<String>,

    #[command(flatten)]
    place: Place,

    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

/// The log that is trusted.
#[derive(Args)]
pub(crate) struct Trusted {
    /// The log's key: the line that `envelope log export` told
    #[arg(long = "log", value_name = "KEY")]
    key: String,
}

impl Trusted {
    pub(crate) fn log(&self) -> Result<tlog::Log, Trouble> {
        trusted(&self.key)
    }
}

/// The log whose key is `key`.
pub(crate) fn trusted(key: &str) -> Result<tlog::Log, Trouble> {
    let hint = "give the line that `envelope log export` told";
    tlog::Log::of_vkey(key).map_err(|why| Trouble::usage(why, hint))
}

impl Log {
    pub(crate) fn run(&self) -> Exit {
        match self {
            Self::Verify(verify) => give(wait(verify.run()), verify.json),
            Self::Prove(prove) => give(wait(prove.run()), prove.json),
            Self::Export(export) => give(wait(export.run()), export.json),
        }
    }
}

impl Verify {
    async fn run(&self) -> Result<Answer, Trouble> {
        let (log, held) = (self.trusted.log()?, held(&self.held)?);
        verified(&self.place.open().await?, &log, &held).await
    }
}

/// What `log verify` says of a store.
pub(crate) async fn verified(
    store: &Store,
    log: &tlog::Log,
    held: &[String],
) -> Result<Answer, Trouble> {
    let findings = audit::verify(store, log, held).await.map_err(failed)?;
    let findings: Vec<_> = findings.iter().map(ToString::to_string).collect();
    let entries = audit::progress(store).await.map_err(trouble)?.placed;
    let exit = if findings.is_empty() { Exit::Done } else { Exit::Refused };
    let mut page: String =
        findings.iter().map(|line| format!("{} {}\n", styled(BAD, "✗"), plain(line))).collect();
    page += &if findings.is_empty() {
        format!("{} {entries} entries\n", styled(GOOD, "verified"))
    } else {
        format!("{} with {} findings\n", styled(BAD, "refused"), findings.len())
    };
    let data = json!({ "verified": findings.is_empty(), "entries": entries, "findings": findings });
    Ok(Answer { exit, ..Answer::page("log-verification", page, data) })
}

/// Checkpoints in files.
pub(crate) fn held(paths: &[PathBuf]) -> Result<Vec<String>, Trouble> {
    paths.iter().map(|path| note(path)).collect()
}

fn note(path: &Path) -> Result<String, Trouble> {
    let hint = "give a checkpoint as `envelope log export` published it";
    let bytes = disk::read(path).map_err(|why| Trouble::usage(why, hint))?;
    let text = String::from_utf8(bytes);
    text.map_err(|_| Trouble::usage(format!("`{}` is not text", path.display()), hint))
}

impl Prove {
    async fn run(&self) -> Result<Answer, Trouble> {
        let log = self.trusted.log()?;
        let noun = Noun::ALL.iter().find(|noun| noun.table() == self.noun);
        let noun = noun.copied().ok_or_else(|| {
            let tables: Vec<_> = Noun::ALL.iter().map(|noun| noun.table()).collect();
            let hint = format!("one of {}", tables.join(", "));
            Trouble::usage(format!("there is no table `{}`", self.noun), hint)
        })?;
        let org = Org::new(&self.org).map_err(trouble)?;
        let store = self.place.open().await?;
        let (proof, payload) = if noun == Noun::Receipt {
            let proof = audit::prove_receipt(&store, &log, &org, &self.id).await;
            (proof.map_err(failed)?, None)
        } else {
            let row = (self.id.as_str(), self.version);
            let (proof, payload) =
                audit::prove_inclusion(&store, &log, noun, &org, row).await.map_err(failed)?;
            (proof, Some(payload))
        };
        let data = json!({ "index": proof.index, "payload": payload, "proof": proof.to_string() });
        let Some(out) = &self.out else {
            return Ok(Answer::page("log-proof", proof.to_string(), data));
        };
        let path = out.join(PROOF_FILE);
        disk::write(&path, proof.to_string().as_bytes(), Existing::Replace)
            .map_err(|why| Trouble::failed(why, "give a folder that can be written"))?;
        let note = format!("{} entry {}\n", styled(GOOD, "proven"), proof.index);
        Ok(Answer::note("log-proof", note, data))
    }
}

impl Export {
    async fn run(&self) -> Result<Answer, Trouble> {
        let hint = "keys lie in the home folder of this program";
        let key = home::log_key().map_err(|why| Trouble::usage(why, hint))?;
        let hint = "give the host and path where the folder will be served";
        let log = tlog::Log::new(&self.name, key.public());
        let log = log.map_err(|why| Trouble::usage(why, hint))?;
        let witnesses = witnesses(&self.witness)?;
        let store = self.place.open().await?;
        while audit::sequence(&store).await.map_err(trouble)? > 0 {}
        let vkey = log.vkey();
        let mut publisher = Publisher::new(log.clone(), folder(&self.folder)?);
        let note = publisher.publish(&store, &key).await.map_err(failed)?;
        let size = note.lines().nth(1).unwrap_or_default();
        let mut text = format!("{} {size} entries\n", styled(GOOD, "published"));
        let (mut said, mut silent) = (Vec::new(), Vec::new());
        for witness in &witnesses {
            match witness.ask(&store, &log, &note).await {
                Ok(cosigned) => said.push(cosigned),
                Err(why) => silent.push(format!("{}: {why}", witness.key.name())),
            }
        }
        let note = tlog::joined(&note, &said);
        if !said.is_empty() {
            publisher.show_witnessed(&note).await.map_err(failed)?;
            text += &format!(
                "{} by {} of {}\n",
                styled(GOOD, "witnessed"),
                said.len(),
                witnesses.len()
            );
        }
        for line in &silent {
            text += &format!("{} {}\n", styled(BAD, "✗"), plain(line));
        }
        let data = json!({
            "size": size, "log": vkey, "checkpoint": note, "witnessed": said.len(),
            "silent": silent,
        });
        let page = format!("{}\n", styled(STRONG, &vkey));
        let exit = if silent.is_empty() { Exit::Done } else { Exit::Failed };
        Ok(Answer { note: text, exit, ..Answer::page("log-export", page, data) })
    }
}

fn failed(why: AuditError) -> Trouble {
    Trouble::failed(why, "`envelope log verify` says what does not fit")
}

/// A witness, and the way to it.
struct Way {
    key: Witness,
    url: String,
    network: Network,
}

/// Keys and addresses in turn, as they were given.
fn witnesses(given: &[String]) -> Result<Vec<Way>, Trouble> {
    let hint = "give the witness's key in one line, and the address where it answers";
    let (pairs, _) = given.as_chunks::<2>();
    let way = |[key, url]: &[String; 2]| {
        let wrong = |why: String| Trouble::usage(format!("witness `{url}`: {why}"), hint);
        let key = Witness::of_vkey(key).map_err(|why| wrong(why.to_string()))?;
        let network = Network::to(url).map_err(wrong)?;
        Ok(Way { key, url: url.clone(), network })
    };
    pairs.iter().map(way).collect()
}

impl Way {
    async fn ask(
        &self,
        store: &Store,
        log: &tlog::Log,
        note: &str,
    ) -> Result<tlog::Cosigned, audit::NotWitnessed> {
        audit::cosign(store, (log, note), (&self.key, &self.url), &self.network).await
    }
}
