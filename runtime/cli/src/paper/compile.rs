//! `envelope paper compile`: a Paper from a source, on its own or in the folder of a chain.

use std::path::{Path, PathBuf};

use clap::Args;
use envelope_terms::export::AcsVersion;
use envelope_terms::source::Paper;
use serde_json::{Value, json};

use super::{folder, load};
use crate::answer::{Answer, Trouble, joined};
use crate::disk;

/// Compile a source to a Paper: the same source gives the same bytes on any machine
///
/// Without an option the Paper goes to stdout. `--into` begins the folder in which both parties
/// sign: it holds the master agreement, filled in, and the Paper that names it.
#[derive(Args)]
#[command(after_help = "\
Examples:
  envelope paper compile work.paper.md --out work.paper.json
  envelope paper compile work.paper.md --into deal/ --msa policies/msa.template.md \\
      --buyer buyer.key.pub.pem --developer developer.key.pub.pem")]
pub(crate) struct Compile {
    /// The source
    file: PathBuf,

    /// A template whose words the source may name; can be given several times
    #[arg(long, value_name = "FILE")]
    template: Vec<PathBuf>,

    /// The version of the Agent Control Specification whose policies the Paper cites
    #[arg(long, value_name = "VERSION", default_value_t, value_parser = version)]
    acs_version: AcsVersion,

    /// Write the Paper to this file
    #[arg(long, value_name = "FILE", conflicts_with = "into")]
    out: Option<PathBuf>,

    /// Begin a chain in this folder, which is not there yet
    #[arg(long, value_name = "FOLDER", requires_all = ["msa", "buyer", "developer"])]
    into: Option<PathBuf>,

    /// The template of the master agreement that the Paper stands under
    #[arg(long, value_name = "FILE", requires = "into")]
    msa: Option<PathBuf>,

    /// A public key that signs for the buyer; can be given several times
    #[arg(long, value_name = "PEM", requires = "into")]
    buyer: Vec<PathBuf>,

    /// A public key that signs for the developer; can be given several times
    #[arg(long, value_name = "PEM", requires = "into")]
    developer: Vec<PathBuf>,

    /// Replace the file if it is there
    #[arg(long, conflicts_with = "into")]
    force: bool,
}

impl Compile {
    pub(crate) fn run(&self) -> Result<Answer, Trouble> {
        let source = load::source(&self.file, &self.template)?;
        let paper = load::compiled(source, self.acs_version)?;
        let failed = |why: envelope_evidence::canonical::Refused| Trouble::failed(why, "report it");
        let (bytes, digest) = (paper.to_bytes().map_err(failed)?, paper.digest().map_err(failed)?);
        let data = json!({ "digest": digest, "paper": paper });
        if let (Some(into), Some(msa)) = (&self.into, &self.msa) {
            return self.begin(into, msa, &paper, data);
        }
        let Some(out) = &self.out else {
            let page = String::from_utf8_lossy(&bytes).into_owned() + "\n";
            return Ok(Answer::page("paper", page, data));
        };
        let hint = "give another name, or `--force` to replace it";
        disk::write(out, &bytes, load::existing(self.force))
            .map_err(|why| Trouble::usage(why, hint))?;
        let data = joined(data, json!({ "file": out.display().to_string() }));
        let note = format!("wrote {}\nits digest is {digest}\n", out.display());
        Ok(Answer::note("paper", note, data))
    }

    fn begin(
        &self,
        into: &Path,
        msa: &Path,
        paper: &Paper,
        data: Value,
    ) -> Result<Answer, Trouble> {
        let msa = load::template(msa)?;
        let (files, id) = folder::begin(&msa, paper, &self.buyer, &self.developer)?;
        folder::write(into, &files)?;
        let data = joined(data, json!({ "folder": into.display().to_string(), "id": id }));
        let into = into.display();
        let next = format!("next, each party: envelope paper sign {into} --key …");
        let note = format!("wrote {into}\nthe Paper is {id}\n{next}\n");
        Ok(Answer::note("paper", note, data))
    }
}

/// A version of the specification by its name.
pub(super) fn version(name: &str) -> Result<AcsVersion, String> {
    let known = || AcsVersion::ALL.map(AcsVersion::name).join(", ");
    AcsVersion::parse(name).ok_or_else(|| format!("known are {}", known()))
}
