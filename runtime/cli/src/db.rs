//! `envelope db`: the database of runs, money and contracts.

use clap::{Args, Subcommand};
use envelope_node::{House, now};
use envelope_store::{Engine, Store, audit, blobs, migrate};
use serde_json::json;

use crate::answer::{Answer, Trouble, give};
use crate::exit::Exit;
use crate::page::{BAD, GOOD, STRONG, plain, styled};
use crate::store::{HouseFlags, Place, trouble, wait};

/// Set up and look after the database
#[derive(Subcommand)]
pub(crate) enum Db {
    Migrate(Migrate),
    Status(Status),
    Check(Check),
    Sweep(Sweep),
}

/// Bring the database up to this program, all steps or none
///
/// Steps are forward only; a database that a newer program wrote is left alone.
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  done, or nothing to do
  1  the database refused
  2  the input cannot be used

Examples:
  envelope db migrate
  envelope db migrate --db postgres://owner@localhost/envelope --admit envelope_app")]
pub(crate) struct Migrate {
    #[command(flatten)]
    place: Place,

    /// Let this role of PostgreSQL do what the program does, and nothing else
    #[arg(long, value_name = "ROLE")]
    admit: Option<String>,

    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

/// Say which steps the database took, and how far its log is
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  told
  1  the database refused
  2  the input cannot be used

Examples:
  envelope db status --json")]
pub(crate) struct Status {
    #[command(flatten)]
    place: Place,

    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

/// Check that the database is this program's and that its file is whole
///
/// What the rows say is checked by `envelope log verify`.
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  all is well
  8  something is not: each finding is told
  1  the database refused
  2  the input cannot be used

Examples:
  envelope db check")]
pub(crate) struct Check {
    #[command(flatten)]
    place: Place,

    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

/// Remove the blobs that nobody needs
///
/// Those go that no version of a workspace names, and nobody touched for a day: what a crash left
/// behind, or a run that was never launched. It may be done at any time, beside any number of
/// nodes.
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  done
  1  the database or the place of the blobs refused
  2  the input cannot be used

Examples:
  envelope db sweep
  envelope db sweep --db postgres://localhost/envelope --blobs s3://bucket/envelope")]
pub(crate) struct Sweep {
    #[command(flatten)]
    house: HouseFlags,

    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

impl Db {
    pub(crate) fn run(&self) -> Exit {
        match self {
            Self::Migrate(migrate) => give(wait(migrate.run()), migrate.json),
            Self::Status(status) => give(wait(status.run()), status.json),
            Self::Check(check) => give(wait(check.run()), check.json),
            Self::Sweep(sweep) => give(wait(sweep.run()), sweep.json),
        }
    }
}

impl Migrate {
    async fn run(&self) -> Result<Answer, Trouble> {
        let store = self.place.migrated().await?;
        if let Some(role) = &self.admit {
            migrate::admit(&store, role).await.map_err(trouble)?;
        }
        let steps = migrate::MIGRATIONS.len();
        let note = format!("{} at step {steps} of {steps}\n", styled(GOOD, "migrated"));
        Ok(Answer::note("migration", note, json!({ "engine": engine(&store), "steps": steps })))
    }
}

impl Status {
    async fn run(&self) -> Result<Answer, Trouble> {
        let store = self.place.look().await?;
        let steps = migrate::status(&store).await.map_err(trouble)?;
        let missing: Vec<_> = steps.iter().filter(|step| !step.1).map(|step| step.0).collect();
        let progress = match missing.as_slice() {
            [] => Some(audit::progress(&store).await.map_err(trouble)?),
            [_, ..] => None,
        };
        let mut page = format!("engine   {}\n", styled(STRONG, engine(&store)));
        page += &format!("steps    {} of {}\n", steps.len() - missing.len(), steps.len());
        for step in &missing {
            page += &format!("missing  {}\n", styled(BAD, step));
        }
        if let Some(audit::Progress { placed, waiting, signed }) = progress {
            let signed = signed.map_or("nothing".to_owned(), |size| size.to_string());
            page += &format!("log      {placed} entries, {waiting} waiting, signed {signed}\n");
        }
        let data = json!({
            "engine": engine(&store),
            "steps": steps.iter().map(|(step, done)| json!({ "name": step, "done": done }))
                .collect::<Vec<_>>(),
            "log": progress.map(|log| json!({
                "entries": log.placed, "waiting": log.waiting, "signed": log.signed,
            })),
        });
        Ok(Answer::page("database", page, data))
    }
}

impl Check {
    async fn run(&self) -> Result<Answer, Trouble> {
        let store = self.place.look().await?;
        let mut findings = store.integrity().await.map_err(trouble)?;
        if let Err(why) = migrate::check(&store).await {
            findings.push(why.to_string());
        }
        let exit = if findings.is_empty() { Exit::Done } else { Exit::Refused };
        let page = match findings.as_slice() {
            [] => format!("{}\n", styled(GOOD, "whole")),
            found => {
                found.iter().map(|line| format!("{} {}\n", styled(BAD, "✗"), plain(line))).collect()
            }
        };
        let data = json!({ "engine": engine(&store), "findings": findings });
        Ok(Answer { exit, ..Answer::page("database-check", page, data) })
    }
}

impl Sweep {
    async fn run(&self) -> Result<Answer, Trouble> {
        let House { store, objects } = self.house.open().await?;
        let swept = blobs::sweep(&store, &objects, now()).await;
        let swept =
            swept.map_err(|why| Trouble::failed(why, "what is left, the next sweep takes"))?;
        let note = format!("{} {swept} blobs\n", styled(GOOD, "removed"));
        Ok(Answer::note("sweep", note, json!({ "removed": swept })))
    }
}

fn engine(store: &Store) -> &'static str {
    match store.engine() {
        Engine::Sqlite => "SQLite",
        Engine::Postgres => "PostgreSQL",
    }
}
