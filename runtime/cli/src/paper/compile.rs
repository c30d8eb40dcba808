//! `envelope paper compile`: a Paper from a source, on its own or in the folder of a chain.

use std::path::{Path, PathBuf};

use clap::Args;
use envelope_evidence::Digest;
use envelope_terms::export::AcsVersion;
use envelope_terms::source::Paper;
use serde_json::{Value, json};

use super::{folder, letter, load};
use crate::answer::{Answer, Trouble, joined};
use crate::disk;

/// Compile a source to a Paper: the same source gives the same bytes on any machine
///
/// Without an option the Paper goes to stdout. `--into` begins the folder in which both parties
/// sign: it holds what stands above the Paper, filled in, and the Paper. `--amend` adds the
/// amendment after which that chain says what the source says now, `--letter` a side letter that
/// only its readers can read.
#[derive(Args)]
#[command(after_help = "\
Examples:
  envelope paper compile work.paper.md --out work.paper.json
  envelope paper compile work.paper.md --into deal/ --msa policies/msa.template.md \\
      --buyer buyer.key.pub.pem --developer developer.key.pub.pem
  envelope paper compile work.paper.md --into deal/ --tos policies/tos.template.md \\
      --schedule policies/nda.template.md --msa policies/msa.template.md \\
      --buyer buyer.key.pub.pem --developer developer.key.pub.pem
  envelope paper compile work.paper.md --amend deal/ --title \"First amendment\"
  envelope paper compile quiet.letter.md --letter deal/ \\
      --reader buyer.reader.pub.pem --reader developer.reader.pub.pem")]
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

    /// The template of the platform's terms of service, the root of the chain
    #[arg(long, value_name = "FILE", requires = "into")]
    tos: Option<PathBuf>,

    /// The template of the terms common to all contracts of the platform
    #[arg(long, value_name = "FILE", requires = "into")]
    base_terms: Option<PathBuf>,

    /// The template of a schedule, NDA or DPA; can be given several times
    #[arg(long, value_name = "FILE", requires = "into")]
    schedule: Vec<PathBuf>,

    /// The template of the master agreement that the Paper stands under
    #[arg(long, value_name = "FILE", requires = "into")]
    msa: Option<PathBuf>,

    /// A public key that signs for the buyer; can be given several times
    #[arg(long, value_name = "PEM", requires = "into")]
    buyer: Vec<PathBuf>,

    /// A public key that signs for the developer; can be given several times
    #[arg(long, value_name = "PEM", requires = "into")]
    developer: Vec<PathBuf>,

    /// Amend the Paper of the chain in this folder
    #[arg(long, value_name = "FOLDER", requires = "title", conflicts_with_all = ["into", "out"])]
    amend: Option<PathBuf>,

    /// What the amendment is called
    #[arg(long, value_name = "TEXT", requires = "amend")]
    title: Option<String>,

    /// Add the side letter that the source is to the chain in this folder
    #[arg(long, value_name = "FOLDER", requires = "reader",
          conflicts_with_all = ["into", "out", "amend", "template"])]
    letter: Option<PathBuf>,

    /// A public key that can read the side letter; can be given several times
    #[arg(long, value_name = "PEM", requires = "letter")]
    reader: Vec<PathBuf>,

    /// Your reader key: with the side letters that it opens, this one must not be at odds
    #[arg(long, value_name = "FILE", requires = "letter")]
    key: Option<PathBuf>,

    /// Replace the file if it is there
    #[arg(long, conflicts_with_all = ["into", "amend", "letter"])]
    force: bool,
}

impl Compile {
    pub(crate) fn run(&self) -> Result<Answer, Trouble> {
        if let Some(chain) = &self.letter {
            return letter::seal(&self.file, chain, &self.reader, self.key.as_deref());
        }
        self.contract()?;
        let source = load::source(&self.file, &self.template)?;
        let paper = load::compiled(source, self.acs_version)?;
        let failed = |why: envelope_evidence::canonical::Refused| Trouble::failed(why, "report it");
        let (bytes, digest) = (paper.to_bytes().map_err(failed)?, paper.digest().map_err(failed)?);
        let data = json!({ "digest": digest, "paper": paper });
        if let (Some(into), Some(msa)) = (&self.into, &self.msa) {
            let (tos, base_terms) = (self.tos.as_deref(), self.base_terms.as_deref());
            let above = folder::Above { tos, base_terms, schedules: &self.schedule, msa };
            return self.begin(into, &above, &paper, data);
        }
        if let (Some(chain), Some(title)) = (&self.amend, &self.title) {
            let (files, id) = folder::amend(chain, &paper, title)?;
            folder::add(chain, &files)?;
            let note = format!("wrote an amendment to {}\nit is {id}\n", chain.display());
            return Ok(began("amendment", chain, id, note, data));
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

    /// Refuses a template, which says nothing by itself.
    fn contract(&self) -> Result<(), Trouble> {
        if !load::is_template(&self.file) {
            return Ok(());
        }
        let hint = "compile a Paper, and give what stands above it with `--tos`, `--base-terms`, \
                    `--schedule` and `--msa`; a side letter joins a chain with `--letter`";
        Err(Trouble::usage(format!("`{}` is a template", self.file.display()), hint))
    }

    fn begin(
        &self,
        into: &Path,
        above: &folder::Above<'_>,
        paper: &Paper,
        data: Value,
    ) -> Result<Answer, Trouble> {
        let (files, id) = folder::begin(above, paper, &self.buyer, &self.developer)?;
        folder::write(into, &files)?;
        let note = format!("wrote {}\nthe Paper is {id}\n", into.display());
        Ok(began("paper", into, id, note, data))
    }
}

/// What is told of a document that is to be signed next.
pub(super) fn began(
    kind: &'static str,
    folder: &Path,
    id: Digest,
    note: String,
    data: Value,
) -> Answer {
    let shown = folder.display().to_string();
    let next = format!("next, each party: envelope paper sign {shown} --key …\n");
    Answer::note(kind, note + &next, joined(data, json!({ "folder": shown, "id": id })))
}

/// A version of the specification by its name.
pub(super) fn version(name: &str) -> Result<AcsVersion, String> {
    let known = || AcsVersion::ALL.map(AcsVersion::name).join(", ");
    AcsVersion::parse(name).ok_or_else(|| format!("known are {}", known()))
}
