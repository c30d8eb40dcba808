//! Models that charged more than was set aside: nothing more is sent to them from this machine
//! until a human says so. Every trip and every thaw is a line of one file at home, and what is
//! frozen is what the file adds up to.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use envelope_evidence::{Digest, Label, canonical};
use envelope_gate::model::{InMemoryPurse, Pending, Purse};
use envelope_gate::stop::Fault;
use envelope_rules::budget::{Accounting, Freezer, Frost, Leased, Place, Shared, Thaw};
use envelope_rules::denial::Denial;
use envelope_store::Org;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::answer::{Answer, Trouble, give};
use crate::disk::{self, Existing};
use crate::exit::Exit;
use crate::fresh::now;
use crate::home::home;
use crate::store;

/// Models that are asked nothing more
#[derive(Subcommand)]
pub(crate) enum Breaker {
    Show(Show),
    Thaw(Word),
}

/// Whose models.
#[derive(Args)]
struct Whose {
    /// Those that runs of this database froze: `sqlite:<file>` or `postgres://…` [default:
    /// `ENVELOPE_DB`, or those of the runs of this machine, in the home folder]
    #[arg(long, value_name = "URL")]
    db: Option<String>,
    /// The organisation, in a database
    #[arg(long, value_name = "NAME", default_value = store::LOCAL)]
    org: String,
}

impl Whose {
    /// The database, if there is one, and the organisation in it.
    fn kept(&self) -> Result<Option<(String, Org)>, Trouble> {
        let Some(url) = self.db.clone().or_else(store::named_db) else { return Ok(None) };
        let org = Org::new(&self.org).map_err(|why| Trouble::usage(why, "see its name"))?;
        Ok(Some((url, org)))
    }
}

/// Show which models are frozen, since when, and by which run
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  shown        1  the file at home or the database cannot be used

Examples:
  envelope breaker show
  envelope breaker show --db postgres://localhost/envelope --org acme")]
pub(crate) struct Show {
    #[command(flatten)]
    whose: Whose,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

/// Let a model be asked again, on your word
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  thawed
  1  the file at home or the database cannot be used
  2  it is not frozen

Example:
  envelope breaker thaw openai/gpt-4o-mini --by ada --because 'the provider paid it back'")]
pub(crate) struct Word {
    /// The model, by its name in the price book
    model: String,
    /// Who decides
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    because: String,
    #[command(flatten)]
    whose: Whose,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

/// What happened to the breaker.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Event {
    /// A model broke its word.
    Tripped(Frost),
    /// A human thawed it.
    Thawed { thaw: Thaw, word: Said },
}

/// A human's word: its digest is what the thaw names.
#[derive(Debug, Serialize, Deserialize)]
struct Said {
    by: String,
    because: String,
    place: Place,
}

impl Breaker {
    pub(crate) fn run(&self) -> Exit {
        match self {
            Self::Show(show) => give(show.answer(), show.json),
            Self::Thaw(word) => give(word.answer(), word.json),
        }
    }
}

impl Show {
    fn answer(&self) -> Result<Answer, Trouble> {
        let frozen = match self.whose.kept()? {
            None => Book::at_home()?.freezer().map_err(unusable)?.frozen().to_vec(),
            Some((url, org)) => store::wait(async {
                let mut tx = store::open(&url).await?.read().await.map_err(store::trouble)?;
                tx.of(&org).frosts().await.map_err(store::trouble)
            })?,
        };
        let line = |frost: &Frost| {
            let Frost { place: Place { model, .. }, run, at, .. } = frost;
            format!("{model}  since {at}, by {run}")
        };
        let lines: Vec<_> = frozen.iter().map(line).collect();
        let page = if lines.is_empty() { "nothing is frozen".to_owned() } else { lines.join("\n") };
        Ok(Answer::page("breaker", page + "\n", json!({ "frozen": frozen })))
    }
}

impl Word {
    fn answer(&self) -> Result<Answer, Trouble> {
        let place = place(&self.model)?;
        let (by, because) = (self.by.clone(), self.because.clone());
        let word = Said { by, because, place };
        let bytes = canonical::of(&word).map_err(|why| Trouble::usage(why, "use plain words"))?;
        let thawed = match self.whose.kept()? {
            None => at_home(word, Digest::of(&bytes))?,
            Some((url, org)) => {
                let said = String::from_utf8_lossy(&bytes);
                store::wait(in_store(&url, &org, &word.place, &said))?
            }
        };
        if thawed {
            let data = json!({ "model": self.model, "by": self.by });
            let note = format!("`{}` may be asked again\n", self.model);
            return Ok(Answer::note("thaw", note, data));
        }
        let what = format!("`{}` is not frozen", self.model);
        Err(Trouble::usage(what, "see `envelope breaker show`"))
    }
}

/// Thaws what runs of this machine froze. True, if they did.
fn at_home(word: Said, digest: Digest) -> Result<bool, Trouble> {
    let at = now();
    let thaw = Book::at_home()?.change(|freezer| {
        let thaw = freezer.thaw(&word.place, digest, at)?;
        Some(Event::Thawed { thaw, word })
    });
    thaw.map_err(unusable)
}

/// Thaws what runs of an organisation froze. True, if they did.
async fn in_store(url: &str, org: &Org, place: &Place, word: &str) -> Result<bool, Trouble> {
    let mut tx = store::open(url).await?.write().await.map_err(store::trouble)?;
    let thaw = tx.of(org).thaw(place, word, now()).await.map_err(store::trouble)?;
    tx.commit().await.map_err(store::trouble)?;
    Ok(thaw.is_some())
}

/// The file at home.
#[derive(Debug)]
struct Book {
    path: PathBuf,
}

impl Book {
    fn at_home() -> Result<Self, Trouble> {
        let home = home().map_err(|why| Trouble::failed(why, "see `ENVELOPE_HOME`"))?;
        Ok(Self { path: home.join("breaker.jsonl") })
    }

    /// What the file adds up to. A file that cannot be read lets nobody be asked.
    fn freezer(&self) -> Result<Freezer, String> {
        self.lines().and_then(|lines| folded(&lines))
    }

    fn lines(&self) -> Result<Vec<u8>, String> {
        if !disk::is_there(&self.path) {
            return Ok(Vec::new());
        }
        disk::read(&self.path).map_err(|why| why.to_string())
    }

    /// Adds what `change` makes of it, while nobody else does. False when that is nothing.
    fn change(&self, change: impl FnOnce(&mut Freezer) -> Option<Event>) -> Result<bool, String> {
        let lock = self.path.with_extension("lock");
        let _held = disk::lock(&lock).map_err(|why| why.to_string())?;
        let mut lines = self.lines()?;
        let mut freezer = folded(&lines)?;
        let Some(event) = change(&mut freezer) else { return Ok(false) };
        serde_json::to_writer(&mut lines, &event).map_err(|why| why.to_string())?;
        lines.push(b'\n');
        let written = disk::write(&self.path, &lines, Existing::Replace);
        written.map(|()| true).map_err(|why| why.to_string())
    }
}

fn folded(lines: &[u8]) -> Result<Freezer, String> {
    let mut freezer = Freezer::default();
    for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match serde_json::from_slice(line).map_err(|why| format!("no event: {why}"))? {
            Event::Tripped(frost) => {
                freezer.freeze(frost);
            }
            Event::Thawed { thaw, .. } => {
                let _ = freezer.thaw(&thaw.frost.place, thaw.by, thaw.at);
            }
        }
    }
    Ok(freezer)
}

/// What the runs of this machine share: no caps, but the word that a model is frozen.
#[derive(Debug)]
pub(crate) struct LocalPurse {
    accounts: InMemoryPurse,
    book: Book,
}

impl LocalPurse {
    pub(crate) fn at_home() -> Result<Self, Trouble> {
        Ok(Self { accounts: InMemoryPurse::default(), book: Book::at_home()? })
    }
}

impl Purse for LocalPurse {
    fn lease<'a>(
        &'a self,
        lease: Digest,
        chain: &'a [Shared],
        least: u64,
        wish: u64,
    ) -> Pending<'a, Result<Leased, Denial>> {
        self.accounts.lease(lease, chain, least, wish)
    }

    fn begin_day<'a>(&'a self, day: &'a Shared, cap: u64) -> Pending<'a, ()> {
        self.accounts.begin_day(day, cap)
    }

    fn out(&self, lease: Digest) -> Pending<'_, u64> {
        self.accounts.out(lease)
    }

    fn account(&self, lease: Digest, told: Accounting) -> Pending<'_, ()> {
        self.accounts.account(lease, told)
    }

    fn check<'a>(&'a self, place: &'a Place) -> Pending<'a, Result<(), Denial>> {
        let freezer = self.book.freezer().map_err(Fault::Books);
        Box::pin(std::future::ready(freezer.map(|freezer| freezer.check(place))))
    }

    fn freeze(&self, frost: Frost) -> Pending<'_, ()> {
        let written = self
            .book
            .change(|freezer| freezer.freeze(frost.clone()).then_some(Event::Tripped(frost)));
        Box::pin(std::future::ready(written.map(drop).map_err(Fault::Books)))
    }
}

fn place(model: &str) -> Result<Place, Trouble> {
    let provider = model.split_once('/').map_or(model, |(provider, _)| provider);
    let label = |text| Label::new(text).map_err(|why| Trouble::usage(why, "name a model"));
    Ok(Place { provider: label(provider)?, model: label(model)? })
}

fn unusable(why: String) -> Trouble {
    Trouble::failed(why, "see `breaker.jsonl` in `ENVELOPE_HOME`")
}
