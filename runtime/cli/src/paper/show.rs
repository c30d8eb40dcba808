//! `envelope paper show`: a Paper in plain words.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::load;
use crate::answer::{Answer, Trouble};
use crate::page::plain_lines;

/// Show the prose of a Paper, its values filled in, and the digests that fix it
#[derive(Args)]
pub(crate) struct Show {
    /// A source, a compiled Paper or the folder of a chain
    paper: PathBuf,
}

impl Show {
    pub(crate) fn run(&self) -> Result<Answer, Trouble> {
        let paper = load::paper(&self.paper)?;
        let hashes = &paper.hashes;
        let rows = [
            ("contract", hashes.contract),
            ("criteria", hashes.criteria),
            ("fingerprint", hashes.fingerprint),
            ("prose", hashes.prose),
            ("template", hashes.template),
        ];
        let rows = rows.map(|(name, digest)| format!("{name:<11}  {digest}\n")).concat();
        let page = plain_lines(&paper.prose);
        let mut answer = Answer::page("paper", page, json!({ "paper": paper }));
        answer.note = format!("\n{rows}");
        Ok(answer)
    }
}
