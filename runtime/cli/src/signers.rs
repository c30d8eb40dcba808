//! `envelope keys`: which keys sign for an organisation, and since when. The history is in the log.

use clap::{Args, Subcommand};
use envelope_evidence::Timestamp;
use envelope_evidence::key::Window;
use envelope_evidence::keyring::KeyRecord;
use envelope_store::signers::{Event, Signer, SignerError, ring};
use envelope_store::{Org, Store};
use serde_json::{Value as Json, json};

use crate::answer::{Answer, Trouble, give};
use crate::exit::Exit;
use crate::fresh::now;
use crate::home::{self, LocalKeys};
use crate::page::{GOOD, plain, styled};
use crate::store::{Place, trouble, wait};

/// Keep the history of the keys that sign: announced, in use, retired, revoked
///
/// Each change stands in the audit log. Secrets stay where they are: only public halves are kept.
#[derive(Subcommand)]
pub(crate) enum Keys {
    Record(Record),
    List(Record),
    Ring(Record),
    Retire(One),
    Revoke(Revoke),
}

/// Record, list or hand out the keys of an organisation
///
/// `record` puts the keys of this machine that sign receipts and the log to use from now on;
/// `ring` prints what `envelope verify --keys` reads.
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  done        1  the database refused        2  the input cannot be used

Examples:
  envelope keys record acme
  envelope keys ring acme > keys.json")]
pub(crate) struct Record {
    /// The organisation
    org: String,

    #[command(flatten)]
    place: Place,

    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

/// Let a key sign no more; what it signed stays good
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  retired        1  it is past that        2  the input cannot be used

Example:
  envelope keys retire acme fd110d301d2f077d…")]
pub(crate) struct One {
    /// The organisation
    org: String,

    /// The id of the key, as `envelope keys list` tells it
    key: String,

    #[command(flatten)]
    place: Place,

    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

/// Believe nothing that a key signed, unless the log shows that it was there before a moment
///
/// It was lost or stolen: who has it can date back, so `ring` names it no more. A moment that turns
/// out to have been earlier is told by revoking it again.
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  revoked        1  it is past that        2  the input cannot be used

Example:
  envelope keys revoke acme fd110d301d2f077d… --since 2026-11-28T09:00:00.000Z \\
    --because 'the laptop is gone'")]
pub(crate) struct Revoke {
    #[command(flatten)]
    one: One,

    /// The first instant of doubt, which has passed [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Timestamp>,

    /// What happened
    #[arg(long, value_name = "TEXT")]
    because: String,
}

impl Keys {
    pub(crate) fn run(&self) -> Exit {
        match self {
            Self::Record(asked) => give(wait(asked.record()), asked.json),
            Self::List(asked) => give(wait(asked.list()), asked.json),
            Self::Ring(asked) => give(wait(asked.ring()), asked.json),
            Self::Retire(one) => give(wait(one.step(Event::Retire, "retired")), one.json),
            Self::Revoke(revoke) => {
                let since = revoke.since.unwrap_or_else(now);
                let event = Event::Revoke { since, why: &revoke.because };
                give(wait(revoke.one.step(event, "revoked")), revoke.one.json)
            }
        }
    }
}

impl Record {
    async fn record(&self) -> Result<Answer, Trouble> {
        let hint = "keys lie in the home folder of this program";
        let local = LocalKeys::load().map_err(|why| Trouble::usage(why, hint))?;
        let log = home::log_key().map_err(|why| Trouble::usage(why, hint))?;
        let records =
            [KeyRecord::of(&local.receipts, Window::ALWAYS), KeyRecord::of(&log, Window::ALWAYS)];
        let (org, store) = (org(&self.org)?, self.place.open().await?);
        let (mut new, at) = (Vec::new(), now());
        let mut tx = store.write().await.map_err(trouble)?;
        let mut rows = tx.of(&org);
        for record in records {
            let kid = record.key.id();
            if rows.key(&kid).await.map_err(trouble)?.is_none() {
                rows.announce_key(record, at).await.map_err(failed)?;
                new.push(rows.step_key(&kid, Event::Activate, at).await.map_err(failed)?);
            }
        }
        tx.commit().await.map_err(trouble)?;
        let note = match new.as_slice() {
            [] => format!("{} these keys are known\n", styled(GOOD, "nothing to do:")),
            new => new
                .iter()
                .map(|key| format!("{} {}\n", styled(GOOD, "recorded"), line(key)))
                .collect(),
        };
        Ok(Answer::note("keys", note, json!({ "keys": said(&new) })))
    }

    async fn list(&self) -> Result<Answer, Trouble> {
        let keys = keys(&self.place.open().await?, &org(&self.org)?).await?;
        let page: String = keys.iter().map(|key| line(key) + "\n").collect();
        Ok(Answer::page("keys", page, json!({ "keys": said(&keys) })))
    }

    async fn ring(&self) -> Result<Answer, Trouble> {
        let keys = keys(&self.place.open().await?, &org(&self.org)?).await?;
        let ring = ring(&keys).map_err(trouble)?.to_json();
        let ring = ring.map_err(|why| Trouble::failed(why, "tell whoever keeps the database"))?;
        let data: Json = serde_json::from_slice(&ring).unwrap_or_default();
        let page = String::from_utf8_lossy(&ring).into_owned() + "\n";
        Ok(Answer::page("key-ring", page, json!({ "ring": data })))
    }
}

impl One {
    async fn step(&self, event: Event<'_>, done: &str) -> Result<Answer, Trouble> {
        let (org, store) = (org(&self.org)?, self.place.open().await?);
        let mut tx = store.write().await.map_err(trouble)?;
        let key = tx.of(&org).step_key(&self.key, event, now()).await.map_err(failed)?;
        tx.commit().await.map_err(trouble)?;
        let note = format!("{} {}\n", styled(GOOD, done), line(&key));
        Ok(Answer::note("keys", note, json!({ "keys": said(&[key]) })))
    }
}

async fn keys(store: &Store, org: &Org) -> Result<Vec<Signer>, Trouble> {
    let mut tx = store.read().await.map_err(trouble)?;
    tx.of(org).keys().await.map_err(trouble)
}

/// A moment, as RFC 3339 writes it.
fn moment(text: &str) -> Result<Timestamp, String> {
    let moment: jiff::Timestamp = text.parse().map_err(|why: jiff::Error| why.to_string())?;
    let millis = u64::try_from(moment.as_millisecond()).ok().and_then(Timestamp::from_millis);
    millis.ok_or_else(|| "a time before 1970".to_owned())
}

fn org(name: &str) -> Result<Org, Trouble> {
    Org::new(name).map_err(|why| Trouble::usage(why, "give the organisation's name"))
}

fn line(key: &Signer) -> String {
    let (kid, purpose) = (key.record.key.id(), key.record.purpose);
    let why = key.why.as_deref().map(|why| format!("  {}", plain(why))).unwrap_or_default();
    format!("{kid}  {purpose:8} {}{why}", key.state.name())
}

fn said(keys: &[Signer]) -> Vec<Json> {
    let said = |key: &Signer| {
        let window = key.record.window;
        json!({
            "key": key.record.key.id(), "purpose": key.record.purpose, "state": key.state.name(),
            "from": window.not_before, "until": window.not_after, "why": key.why,
        })
    };
    keys.iter().map(said).collect()
}

fn failed(why: SignerError) -> Trouble {
    if let SignerError::Store(why) = why {
        return trouble(why);
    }
    Trouble::failed(why, "`envelope keys list` tells the keys and where they stand")
}
