//! `envelope paper new`: a source to start from.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::load::existing;
use crate::answer::{Answer, Trouble};
use crate::disk;

/// A whole contract that compiles, to be changed into another one.
const STARTER: &str = include_str!("starter.paper.md");

/// Write a contract to start from: a whole example that compiles, not legal advice
#[derive(Args)]
pub(crate) struct New {
    /// The source to write, by custom `NAME.paper.md`
    file: PathBuf,

    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
}

impl New {
    pub(crate) fn run(&self) -> Result<Answer, Trouble> {
        let hint = "give another name, or `--force` to replace it";
        disk::write(&self.file, STARTER.as_bytes(), existing(self.force))
            .map_err(|why| Trouble::usage(why, hint))?;
        let file = self.file.display();
        let note =
            format!("wrote {file}\nchange its data and words, then: envelope paper check {file}\n");
        Ok(Answer::note("source", note, json!({ "file": file.to_string() })))
    }
}
