//! `envelope vault`: what is sealed for persons, and the master key that it is all under.

use clap::{Args, Subcommand};
use envelope_store::Org;
use envelope_store::vault::{self, VaultError};
use serde_json::json;

use crate::answer::{Answer, Trouble, give};
use crate::exit::Exit;
use crate::fresh::now;
use crate::home;
use crate::page::{GOOD, STRONG, styled};
use crate::store::{Place, trouble, wait};

/// Erase what is sealed for a person, and change the master key
#[derive(Subcommand)]
pub(crate) enum Vault {
    Erase(Erase),
    Expire(Whole),
    Rotate(Rotate),
}

/// Destroy the key of a person, and with it everything that is sealed under it, for good
///
/// The log stays valid: it only ever held commitments. Change the master key afterwards, or old
/// pages and backups still hold the destroyed key under it.
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  erased, or nothing was kept
  1  the database refused
  2  the input cannot be used, or `--yes` is missing

Example:
  envelope vault erase acme usr_ada --yes")]
pub(crate) struct Erase {
    /// The organisation
    org: String,

    /// The person, or whatever else has a key
    subject: String,

    /// Yes: this cannot be undone
    #[arg(long)]
    yes: bool,

    #[command(flatten)]
    place: Place,

    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

/// Remove the fields whose time is over
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  done        1  the database refused        2  the input cannot be used

Example:
  envelope vault expire")]
pub(crate) struct Whole {
    #[command(flatten)]
    place: Place,

    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

/// Seal every key under a new master key
///
/// The master key lies in the home folder, and is that of all databases of this home. The older one
/// is kept beside it: rotate the other databases with `--current`, which brings them under the new
/// key and makes none, and delete the older one when all of them are.
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  done        1  the database refused        2  the input cannot be used

Examples:
  envelope vault rotate
  envelope vault rotate --current --db postgres://owner@localhost/envelope")]
pub(crate) struct Rotate {
    /// Under the master key that is there, without making a new one
    #[arg(long)]
    current: bool,

    #[command(flatten)]
    whole: Whole,
}

impl Vault {
    pub(crate) fn run(&self) -> Exit {
        match self {
            Self::Erase(erase) => give(wait(erase.run()), erase.json),
            Self::Expire(whole) => give(wait(whole.expire()), whole.json),
            Self::Rotate(rotate) => give(wait(rotate.run()), rotate.whole.json),
        }
    }
}

impl Erase {
    async fn run(&self) -> Result<Answer, Trouble> {
        if !self.yes {
            let what = format!("what is kept of `{}` would be gone for good", self.subject);
            return Err(Trouble::usage(what, "say `--yes` if that is what you want"));
        }
        let hint = "give the organisation's name";
        let org = Org::new(&self.org).map_err(|why| Trouble::usage(why, hint))?;
        let store = self.place.open().await?;
        let mut tx = store.write().await.map_err(trouble)?;
        let was = tx.of(&org).erase(&self.subject, now()).await.map_err(failed)?;
        tx.commit().await.map_err(trouble)?;
        let note = if was {
            format!(
                "{} now change the master key: `envelope vault rotate`\n",
                styled(GOOD, "erased")
            )
        } else {
            "nothing is kept under that name\n".to_owned()
        };
        Ok(Answer::note("erasure", note, json!({ "erased": was })))
    }
}

impl Whole {
    async fn expire(&self) -> Result<Answer, Trouble> {
        let store = self.place.open().await?;
        let mut gone = 0;
        loop {
            match vault::expire(&store, now()).await.map_err(failed)? {
                0 => break,
                some => gone += some,
            }
        }
        let note = format!("{} {gone} fields\n", styled(GOOD, "removed"));
        Ok(Answer::note("expiry", note, json!({ "removed": gone })))
    }
}

impl Rotate {
    async fn run(&self) -> Result<Answer, Trouble> {
        let hint = "keys lie in the home folder of this program";
        let store = self.whole.place.open().await?;
        let keys = if self.current { home::master_keys() } else { home::new_master() };
        let (keys, older) = keys.map_err(|why| Trouble::usage(why, hint))?;
        let mut sealed = 0;
        loop {
            match vault::rotate(&store, &keys).await.map_err(failed)? {
                0 => break,
                some => sealed += some,
            }
        }
        let mut note = format!("{} {sealed} keys are sealed anew\n", styled(GOOD, "rotated"));
        if !older.is_empty() {
            note += "rotate the other databases of this home with `--current`; then delete\n";
        }
        for path in &older {
            note += &format!("  {}\n", styled(STRONG, path.display().to_string()));
        }
        let older: Vec<_> = older.iter().map(|path| path.display().to_string()).collect();
        let data = json!({ "master": keys.current(), "sealed": sealed, "older": older });
        Ok(Answer::note("rotation", note, data))
    }
}

fn failed(why: VaultError) -> Trouble {
    Trouble::failed(why, "older master keys lie beside the new one in the home folder")
}
