//! The database of a command: where it is, and how it is asked.

use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use clap::Args;
use envelope_store::{Store, StoreError};

use crate::answer::Trouble;
use crate::{disk, home, run};

/// Which database.
#[derive(Args)]
pub(crate) struct Place {
    /// The database: `sqlite:<file>` or `postgres://…` [default: `store.db` in the home folder]
    #[arg(long, value_name = "URL")]
    db: Option<String>,
}

impl Place {
    /// A database whose migrations are those of this program.
    pub(crate) async fn open(&self) -> Result<Store, Trouble> {
        open(&self.url()?).await
    }

    /// A database with whatever migrations.
    pub(crate) async fn look(&self) -> Result<Store, Trouble> {
        Store::look(&self.url()?).await.map_err(trouble)
    }

    /// A database brought up to this program.
    pub(crate) async fn migrated(&self) -> Result<Store, Trouble> {
        Store::migrated(&self.url()?).await.map_err(trouble)
    }

    fn url(&self) -> Result<String, Trouble> {
        if let Some(url) = &self.db {
            return Ok(url.clone());
        }
        let home = home::made_home().map_err(|why| Trouble::usage(why, "name one with `--db`"))?;
        Ok(format!("sqlite:{}", home.join("store.db").display()))
    }
}

/// The database at `url`, whose migrations are those of this program.
pub(crate) async fn open(url: &str) -> Result<Store, Trouble> {
    Store::open(url).await.map_err(trouble)
}

/// Waits for a command that asks a database.
pub(crate) fn wait<T>(asked: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
    run::runtime()?.block_on(asked)
}

/// A database that does not do what it is asked.
pub(crate) fn trouble(why: StoreError) -> Trouble {
    Trouble::failed(why, "`envelope db status` says how the database stands")
}

/// A folder, made if there is none.
pub(crate) fn folder(path: &Path) -> Result<Dir, Trouble> {
    let hint = "give a folder that can be written";
    disk::make_folder(path).map_err(|why| Trouble::usage(why, hint))?;
    open_folder(path)
}

/// A folder that is there.
pub(crate) fn open_folder(path: &Path) -> Result<Dir, Trouble> {
    let dir = Dir::open_ambient_dir(path, ambient_authority());
    dir.map_err(|why| Trouble::usage(format!("`{}`: {why}", path.display()), "give a folder"))
}
