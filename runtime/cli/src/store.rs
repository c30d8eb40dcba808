//! The database of a command: where it is, and how it is asked.
#![expect(
    clippy::disallowed_methods,
    reason = "where the database is may stand in the environment"
)]

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use clap::Args;
use envelope_node::{House, NodeError, now};
use envelope_store::noun::{Change, Noun};
use envelope_store::{Org, Store, StoreError};

use crate::answer::Trouble;
use crate::{blobs, disk, home, run};

/// The variables that say where the database is, and its blobs.
const DB: &str = "ENVELOPE_DB";
const BLOBS: &str = "ENVELOPE_BLOBS";

/// Which database.
#[derive(Args, Default)]
pub(crate) struct Place {
    /// The database: `sqlite:<file>` or `postgres://…` [default: `ENVELOPE_DB`, or `store.db` in
    /// the home folder]
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
        if let Some(url) = self.db.clone().or_else(named_db) {
            return Ok(url);
        }
        let home = home::made_home().map_err(|why| Trouble::usage(why, "name one with `--db`"))?;
        Ok(format!("sqlite:{}", home.join("store.db").display()))
    }
}

/// The organisation of this machine's runs, unless another is named.
pub(crate) const LOCAL: &str = "local";

/// What an organisation may keep that is met for the first time: a laptop has room for it.
const QUOTA: i64 = 16 << 30;

/// Where runs are kept.
#[derive(Args)]
pub(crate) struct HouseFlags {
    #[command(flatten)]
    place: Place,
    /// Where the bytes of its blobs lie, a folder or `s3://<bucket>/<prefix>` (asked for as the
    /// variables `AWS_…` say): the same for all who share the database [default: `ENVELOPE_BLOBS`,
    /// or `blobs` in the home folder]
    #[arg(long, value_name = "PLACE")]
    blobs: Option<PathBuf>,
    /// Whose runs
    #[arg(long, value_name = "NAME", default_value = LOCAL)]
    org: String,
}

impl Default for HouseFlags {
    fn default() -> Self {
        Self { place: Place::default(), blobs: None, org: LOCAL.to_owned() }
    }
}

impl HouseFlags {
    /// Whether somebody said that runs are kept in a database.
    pub(crate) fn is_named(&self) -> bool {
        self.place.db.is_some() || named(DB).is_some()
    }

    /// The same flags once more, for whoever is told what to do next. A password is not repeated.
    pub(crate) fn words(&self) -> String {
        let db = self.place.db.as_ref().map(|url| if url.contains('@') { "…" } else { url });
        let blobs = self.blobs.as_ref().map(|blobs| blobs.display().to_string());
        let org = (self.org != LOCAL).then_some(self.org.as_str());
        let flags = [("--db", db), ("--blobs", blobs.as_deref()), ("--org", org)];
        let flags =
            flags.into_iter().filter_map(|(flag, value)| Some(format!(" {flag} {}", value?)));
        flags.collect()
    }

    /// Where it is.
    pub(crate) async fn open(&self) -> Result<House, Trouble> {
        self.house(self.place.open().await?)
    }

    /// The same, made if there is none.
    pub(crate) async fn made(&self) -> Result<House, Trouble> {
        self.house(self.place.migrated().await?)
    }

    fn house(&self, store: Store) -> Result<House, Trouble> {
        Ok(House { store, objects: blobs::at(&self.blobs()?, true)? })
    }

    /// Which database, whatever its state.
    pub(crate) async fn look(&self) -> Result<Store, Trouble> {
        self.place.look().await
    }

    /// Where the bytes of blobs lie: a folder or a bucket.
    pub(crate) fn blobs(&self) -> Result<PathBuf, Trouble> {
        let blobs = self.blobs.clone().or_else(|| named(BLOBS).map(PathBuf::from));
        let home = || home::made_home().map(|home| home.join("blobs"));
        let blobs = blobs.map_or_else(home, Ok);
        blobs.map_err(|why| Trouble::usage(why, "name a folder with `--blobs`"))
    }

    /// Whose runs.
    pub(crate) fn org(&self) -> Result<Org, Trouble> {
        Org::new(&self.org).map_err(|why| Trouble::usage(why, "name another with `--org`"))
    }

    /// The same, founded if nobody did.
    pub(crate) async fn found(&self, house: &House) -> Result<Org, Trouble> {
        let org = self.org()?;
        let mut tx = house.store.write().await.map_err(trouble)?;
        let mut rows = tx.of(&org);
        if rows.get(Noun::Organisation, org.as_str()).await.map_err(trouble)?.is_some() {
            return Ok(org);
        }
        let first = Change { id: org.as_str(), state: "active", body: "{}", at: now() };
        rows.add(Noun::Organisation, None, first).await.map_err(trouble)?;
        tx.commit().await.map_err(trouble)?;
        let quota = house.blobs(&org).set_quota(QUOTA).await;
        quota.map_err(|why| Trouble::failed(why, "`envelope db status` says how it stands"))?;
        Ok(org)
    }
}

/// The database that the environment names.
pub(crate) fn named_db() -> Option<String> {
    named(DB)?.into_string().ok()
}

/// What the environment says.
fn named(variable: &str) -> Option<OsString> {
    std::env::var_os(variable).filter(|it| !it.is_empty())
}

/// A node, or the house it works in, that cannot do it.
pub(crate) fn kept(why: NodeError) -> Trouble {
    Trouble::failed(why, "`envelope runs list` says how runs stand")
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
