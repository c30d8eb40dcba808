//! `envelope runs`: the runs of a database.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use envelope_engine::config::Machine;
use envelope_node::{LIST_MAX, export, finished, list, now};
use serde_json::json;

use crate::answer::{Answer, Trouble, give};
use crate::exit::Exit;
use crate::home::LocalKeys;
use crate::models::Providers;
use crate::net::Edge;
use crate::node::{Operator, node_of};
use crate::page::plain;
use crate::run::give_out;
use crate::store::{HouseFlags, kept, wait};

/// See the runs of a database
#[derive(Subcommand)]
pub(crate) enum Runs {
    List(List),
    Export(Export),
}

/// List runs, by state
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  told
  1  the database refused
  2  the input cannot be used

Examples:
  envelope runs list
  envelope runs list --state suspended")]
pub(crate) struct List {
    /// Only those that are queued, running, suspended or ended
    #[arg(long, value_name = "STATE",
        value_parser = ["queued", "running", "suspended", "ended"])]
    state: Option<String>,
    /// Only those after this one: what a list that was cut says to go on with
    #[arg(long, value_name = "RUN", default_value = "", hide_default_value = true)]
    after: String,
    #[command(flatten)]
    house: HouseFlags,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

/// Write a run as the folder that `envelope run` leaves
///
/// It can be verified, replayed and shown to others. Of one that has not ended there is no receipt
/// yet.
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  written
  1  the database refused, or there is no such run
  2  the input cannot be used

Examples:
  envelope runs export run_01… run_01…
  envelope verify run_01…/receipt --keys run_01…/keys.json")]
pub(crate) struct Export {
    /// The run
    run: String,
    /// The folder, which is made
    folder: PathBuf,
    /// Put its outputs here too, as `envelope run --dir` would have
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    house: HouseFlags,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

impl Runs {
    pub(crate) fn run(&self) -> Exit {
        match self {
            Self::List(list) => give(wait(list.answer()), list.json),
            Self::Export(export) => give(wait(export.answer()), export.json),
        }
    }
}

impl List {
    async fn answer(&self) -> Result<Answer, Trouble> {
        let (house, org) = (self.house.open().await?, self.house.org()?);
        let runs = list(&house, &org, self.state.as_deref(), &self.after).await.map_err(kept)?;
        let mut page = String::new();
        for run in &runs {
            let over = run.over.as_ref();
            let over = over.map(|over| format!("  {} ({})", over.outcome.name(), over.reason));
            page += &format!("{}  {}{}\n", run.id, run.state, plain(over.unwrap_or_default()));
        }
        let cut = runs.last().filter(|_| runs.len() >= LIST_MAX).map(|last| &last.id);
        let note = match cut {
            Some(last) => format!("the list is cut here: go on with `--after {last}`\n"),
            None if runs.is_empty() => "no runs\n".to_owned(),
            None => String::new(),
        };
        let rows = runs.iter().map(|run| {
            json!({
                "run": run.id, "state": run.state, "over": run.over,
            })
        });
        let data = json!({ "runs": rows.collect::<Vec<_>>(), "after": cut });
        Ok(Answer { note, ..Answer::page("runs", page, data) })
    }
}

impl Export {
    async fn answer(&self) -> Result<Answer, Trouble> {
        let (house, org) = (self.house.open().await?, self.house.org()?);
        let folder = export(&house, &org, &self.run, &self.folder).await.map_err(kept)?;
        if self.dir.is_some() {
            let keys = LocalKeys::load();
            let keys = keys.map_err(|why| Trouble::failed(why, "see `ENVELOPE_HOME`"))?;
            let machine = Machine::new().map_err(|why| Trouble::failed(why, "update Envelope"))?;
            let nowhere = Operator::of(&Edge::default(), &Providers::default());
            let node = node_of(&house, &keys, nowhere, &machine, None)?;
            let finished = finished(&node, &org, &self.run).await.map_err(kept)?;
            let blobs = house.blobs(&org).of_nobody(now);
            give_out(&finished, self.dir.as_deref(), &blobs).await?;
        }
        let path = folder.path().display().to_string();
        let sealed = folder.is_sealed();
        let note = if sealed {
            let (receipt, keys) = (folder.receipt_path(), folder.keys_path());
            format!("next  envelope verify {} --keys {}\n", receipt.display(), keys.display())
        } else {
            "the run has not ended: there is no receipt yet\n".to_owned()
        };
        Ok(Answer::note("run-export", note, json!({ "folder": path, "ended": sealed })))
    }
}
