//! `envelope backup` and `envelope restore`: every row of one moment, for either engine, and the
//! bytes of its blobs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use envelope_store::ObjectStore;
use envelope_store::backup::{self, BackupError, Contents};
use serde_json::json;

use crate::answer::{Answer, Trouble, give};
use crate::disk;
use crate::exit::Exit;
use crate::log::{held, trusted, verified};
use crate::page::{GOOD, styled};
use crate::store::{Place, folder, open_folder, wait};

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

    /// The folder of the blobs, whose bytes are backed up as well; in a bucket they are backed up
    /// where they lie
    #[arg(long, value_name = "FOLDER")]
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

    /// The folder where the bytes of the blobs go, which is made
    #[arg(long, value_name = "FOLDER")]
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
        let blobs = self.blobs.as_deref().map(blobs).transpose()?;
        let written = backup::write(&store, blobs.as_deref(), &folder(&self.folder)?).await;
        let written = written.map_err(failed)?;
        Ok(told("backup", "written", &written))
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
        let blobs = self.blobs.as_deref().map(new_blobs).transpose()?;
        let restored = backup::restore(&store, blobs.as_deref(), &folder).await;
        let restored = restored.map_err(failed)?;
        let Some(log) = log else { return Ok(told("restore", "restored", &restored)) };
        let verified = verified(&store, &log, &held).await?;
        Ok(Answer { note: told("restore", "restored", &restored).note, ..verified })
    }
}

/// The blobs in a folder that is there.
fn blobs(path: &Path) -> Result<Arc<dyn ObjectStore>, Trouble> {
    let named = |why| format!("`{}`: {why}", path.display());
    envelope_store::blobs::folder(path)
        .map_err(|why| Trouble::usage(named(why), "give the folder in which the blobs lie"))
}

/// The blobs in a folder that is made if there is none.
fn new_blobs(path: &Path) -> Result<Arc<dyn ObjectStore>, Trouble> {
    folder(path)?;
    blobs(path)
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
