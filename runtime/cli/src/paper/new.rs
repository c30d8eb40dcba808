//! `envelope paper new`: a source to start from, of a Paper or of what belongs to one.

use std::path::PathBuf;

use clap::Args;
use envelope_terms::source::Kind;
use serde_json::json;

use super::load::existing;
use crate::answer::{Answer, Trouble};
use crate::disk;

/// A whole contract that compiles, to be changed into another one.
const STARTER: &str = include_str!("starter.paper.md");

/// The other examples, as they are offered.
const fn example(kind: Kind) -> &'static str {
    match kind {
        Kind::Paper => STARTER,
        Kind::Tos => include_str!("../../../../policies/tos.template.md"),
        Kind::BaseTerms => include_str!("../../../../policies/base-terms.template.md"),
        Kind::Schedule => include_str!("../../../../policies/schedule.template.md"),
        Kind::Msa => include_str!("../../../../policies/msa.template.md"),
        Kind::Nda => include_str!("../../../../policies/nda.template.md"),
        Kind::Dpa => include_str!("../../../../policies/dpa.template.md"),
        Kind::SideLetter => include_str!("../../../../policies/side-letter.template.md"),
    }
}

/// Write a document to start from: a whole example that compiles, not legal advice
#[derive(Args)]
#[command(after_help = "\
Examples:
  envelope paper new work.paper.md
  envelope paper new quiet.letter.md --kind side-letter")]
pub(crate) struct New {
    /// The source to write, by custom `NAME.paper.md`
    file: PathBuf,

    /// What it is to become: paper, tos, base-terms, schedule, msa, nda, dpa or side-letter
    #[arg(long, value_name = "KIND", default_value = "paper", value_parser = kind)]
    kind: Kind,

    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
}

impl New {
    pub(crate) fn run(&self) -> Result<Answer, Trouble> {
        let hint = "give another name, or `--force` to replace it";
        disk::write(&self.file, example(self.kind).as_bytes(), existing(self.force))
            .map_err(|why| Trouble::usage(why, hint))?;
        let file = self.file.display();
        let note =
            format!("wrote {file}\nchange its data and words, then: envelope paper check {file}\n");
        let data = json!({ "file": file.to_string(), "kind": self.kind });
        Ok(Answer::note("source", note, data))
    }
}

fn kind(name: &str) -> Result<Kind, String> {
    let known = || Kind::ALL.map(Kind::name).join(", ");
    Kind::parse(name).ok_or_else(|| format!("known are {}", known()))
}
