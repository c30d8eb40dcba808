//! `envelope backup` and `envelope restore`: every row of one moment, for either engine, and the
//! bytes of its blobs.

use std::path::PathBuf;

use clap::Args;
use envelope_store::backup::{self, BackupError, Contents};
use serde_json::json;

use crate::answer::{Answer, Trouble, give};
use crate::exit::Exit;
use crate::log::{held, trusted, verified};
use crate::page::{GOOD, styled};
use crate::store::{Place, folder, open_folder, wait};
use crate::{blobs, disk};

/// Write every row of this moment into a new folder
///
/// Runs may go on meanwhile. The folder can be restored on SQLite and on PostgreSQL, whichever it
/// came from.
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  written
  1  the database or the disk refused
  2  the input cannot be used

Examples:
  envelope backup monday/
  envelope backup monday/ --blobs /var/lib/envelope/blobs")]
pub(crate) struct Backup {
    /// The folder, which is made
    folder: PathBuf,

    #[command(flatten)]
    place: Place,

    /// Where the bytes of the blobs lie, a folder or `s3://<bucket>/<prefix>`: they are backed up
    /// as well. Without it they are not
    #[arg(long, value_name = "PLACE")]
    blobs: Option<PathBuf>,

    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

/// Read a backup into an empty database, all of it or nothing
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  restored, and verified where that was asked
  8  restored, and what it says does not fit together: each finding is told
  1  the backup, the database or the disk refused: nothing was restored
  2  the input cannot be used

Examples:
  envelope restore monday/ --db sqlite:new.db --verify envelope.example/log+8c2a4f0e+AQ…")]
pub(crate) struct Restore {
    /// The folder
    folder: PathBuf,

    #[command(flatten)]
    place: Place,

    /// Where the bytes of the blobs go: a folder, which is made, or `s3://<bucket>/<prefix>`
    #[arg(long, value_name = "PLACE")]
    blobs: Option<PathBuf>,

    /// Verify the log that was restored, by its key
    #[arg(long, value_name = "KEY")]
    verify: Option<String>,

    /// A checkpoint that was kept elsewhere
    #[arg(long, value_name = "FILE", requires = "verify")]
    held: Vec<PathBuf>,

    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

impl Backup {
    pub(crate) fn run(&self) -> Exit {
        give(wait(self.carry_out()), self.json)
    }

    async fn carry_out(&self) -> Result<Answer, Trouble> {
        if disk::is_there(&self.folder) {
            let what = format!("`{}` is there already", self.folder.display());
            return Err(Trouble::usage(what, "give another name: a backup is never overwritten"));
        }
        let store = self.place.open().await?;
        let blobs = self.blobs.as_deref().map(|at| blobs::at(at, false)).transpose()?;
        let written = backup::write(&store, blobs.as_deref(), &folder(&self.folder)?).await;
        let written = written.map_err(failed)?;
        let mut answer = told("backup", "written", &written);
        if written.blobs().is_none() {
            answer.note += "the bytes of its blobs are not in it: name where they lie with \
                `--blobs`, or back them up there\n";
        }
        Ok(answer)
    }
}

impl Restore {
    pub(crate) fn run(&self) -> Exit {
        give(wait(self.carry_out()), self.json)
    }

    async fn carry_out(&self) -> Result<Answer, Trouble> {
        let folder = open_folder(&self.folder)?;
        let log = self.verify.as_deref().map(trusted);
        let (log, held) = (log.transpose()?, held(&self.held)?);
        let store = self.place.migrated().await?;
        let blobs = self.blobs.as_deref().map(|at| blobs::at(at, true)).transpose()?;
        let restored = backup::restore(&store, blobs.as_deref(), &folder).await;
        let restored = restored.map_err(failed)?;
        let Some(log) = log else { return Ok(told("restore", "restored", &restored)) };
        let verified = verified(&store, &log, &held).await?;
        Ok(Answer { note: told("restore", "restored", &restored).note, ..verified })
    }
}

fn told(kind: &'static str, done: &str, contents: &Contents) -> Answer {
    let (rows, blobs) = (contents.rows(), contents.blobs());
    let and = blobs.map(|count| format!(" and {count} blobs")).unwrap_or_default();
    let note = format!("{} {rows} rows{and}\n", styled(GOOD, done));
    Answer::note(kind, note, json!({ "rows": rows, "blobs": blobs }))
}

fn failed(why: BackupError) -> Trouble {
    Trouble::failed(why, "nothing was changed that was there before")
}
