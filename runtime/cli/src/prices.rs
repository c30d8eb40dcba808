//! `envelope prices`: the price book of models.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use envelope_evidence::{Digest, canonical};
use envelope_rules::budget::{Source, import};
use serde_json::json;

use crate::answer::Trouble;
use crate::disk::{self, Existing};
use crate::exit::Exit;
use crate::page::{self, STRONG, styled};

/// Prices of models
#[derive(Subcommand)]
pub(crate) enum Prices {
    Import(Import),
}

/// Make a price book from the public table of model prices
///
/// The table is `model_prices_and_context_window.json`, as the Python package `litellm` carries it.
/// Prices are taken exactly, to a trillionth of a dollar. A model whose worst case cannot be
/// computed from the table is left out: it could cost more than a budget holds.
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  the book is written        1  it could not be        2  the table cannot be used

Example:
  envelope prices import model_prices.json --source 'litellm 1.106.2' --only openai,anthropic")]
pub(crate) struct Import {
    /// The table
    table: PathBuf,
    /// What the table is called, with its version: the book records it
    #[arg(long, value_name = "TEXT")]
    source: String,
    /// Of which providers the models are taken; of all by default
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    only: Vec<String>,
    /// Where the book goes
    #[arg(long, value_name = "FILE", default_value = "prices.json")]
    out: PathBuf,
    /// Replace a file that is there already
    #[arg(long)]
    force: bool,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

impl Prices {
    pub(crate) fn run(&self) -> Exit {
        match self {
            Self::Import(import) => import.run(),
        }
    }
}

impl Import {
    fn run(&self) -> Exit {
        match self.carry_out() {
            Ok(()) => Exit::Done,
            Err(trouble) => trouble.tell(self.json),
        }
    }

    fn carry_out(&self) -> Result<(), Trouble> {
        let advice = "give the table as it was published";
        let table = disk::read(&self.table).map_err(|why| Trouble::usage(why, advice))?;
        let only: BTreeSet<_> = self.only.iter().map(String::as_str).collect();
        let imported = import(&table, |provider| only.is_empty() || only.contains(provider));
        let imported = imported.map_err(|why| Trouble::usage(why, advice))?;
        if imported.book.is_empty() {
            let left = imported.left.iter().map(|(why, count)| format!("{count}: {why}"));
            let left = left.collect::<Vec<_>>().join(", ");
            let what = format!("no model of the table can be taken ({left})");
            return Err(Trouble::usage(what, "name providers of the table after `--only`"));
        }
        let source = Source { name: self.source.clone(), digest: Digest::of(&table) };
        let book = imported.book.taken_from(source);
        let mut bytes = canonical::of(&book).map_err(|why| Trouble::failed(why, "tell us"))?;
        bytes.push(b'\n');
        let existing = if self.force { Existing::Replace } else { Existing::Keep };
        disk::write(&self.out, &bytes, existing)
            .map_err(|why| Trouble::failed(why, "give another `--out`, or `--force`"))?;
        let (digest, models) = (book.digest(), book.len());
        if self.json {
            page::line(json!({"type": "prices", "exit": 0, "models": models, "digest": digest,
                "left": imported.left}));
            return Ok(());
        }
        page::line(format!("{models} models, book {}", styled(STRONG, digest)));
        for (why, count) in &imported.left {
            page::aside(format!("left out {count}: {why}"));
        }
        Ok(())
    }
}
