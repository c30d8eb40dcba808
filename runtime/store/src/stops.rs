//! Kill switches that all nodes of a database obey.
//!
//! A switch is a row of whose runs it stops: an organisation's, or the operator's, who stops
//! anybody. Every change of one is in the audit log. A node keeps a [`Board`] of them in memory,
//! which its runs ask at every passage, and adds up their versions every few milliseconds to know
//! whether it is still the true one.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use envelope_evidence::Label;
use envelope_gate::kill::Switches;
use envelope_gate::stop::Fault;
use envelope_rules::kill::{self, Event, Full, SWITCHES_MAX, Standing, Subject, Target, Thrown};
use tokio::task::JoinHandle;

use crate::noun::{Change, Noun, Record};
use crate::sql::{Text, Wide};
use crate::{Org, OrgTx, Store, StoreError};

/// How often a node looks whether a switch was thrown: half a beat of the engine's heart.
pub const LOOK: Duration = Duration::from_millis(5);

/// Looks that may fail, one after the other, before runs are told that nobody can tell whether they
/// have to stop: some seconds, as long as a server takes to change its primary.
pub const FAILED_LOOKS_MAX: u32 = 1_000;

/// Switches read at once: as many as may be thrown of single runs, and all the wider ones.
const ROWS_MAX: i64 = 100_000;

/// The operator, among organisations.
const OPERATOR: &str = "-";

/// The states of a row.
const THROWN: &str = "thrown";
const LIFTED: &str = "lifted";

const TURN: Wide =
    Wide(Text::common("stops.turn", "SELECT CAST(coalesce(sum(version), 0) AS BIGINT) FROM stops"));

const ALL: Wide = Wide(Text::common(
    "stops.all",
    "SELECT org, body FROM stops WHERE state = 'thrown' ORDER BY org, id LIMIT $1",
));

pub(crate) const WIDE: [Wide; 2] = [TURN, ALL];

/// A switch that an organisation may not throw.
fn check(org: Option<&Org>, target: &Target) -> Result<(), StoreError> {
    let beyond = match (org, target) {
        (None, _) | (Some(_), Target::Run(_) | Target::Agent(_)) => false,
        (Some(org), Target::Organisation(named)) => **named != *org.as_str(),
        (Some(_), Target::All) => true,
    };
    if beyond {
        return Err(StoreError::Data(format!("no organisation stops {target}")));
    }
    Ok(())
}

/// Throws or lifts a switch of `org`, or else of the operator. True, if that is anything new: the
/// first reason stays. A switch that was lifted can be thrown again.
pub async fn note(store: &Store, org: Option<&Org>, event: Event) -> Result<bool, StoreError> {
    let (state, target, word) = match event {
        Event::Thrown { target, word } => (THROWN, target, word),
        Event::Lifted { target, word } => (LIFTED, target, word),
    };
    check(org, &target)?;
    let (operator, at) = (Org::new(OPERATOR)?, word.at);
    let (id, body) = (json(&target)?, json(&(&target, word))?);
    let is_run = matches!(target, Target::Run(_));
    let change = Change { id: &id, state, body: &body, at };
    let mut tx = store.write().await?;
    let mut rows = tx.of(org.unwrap_or(&operator));
    match rows.get(Noun::Stop, &id).await? {
        Some(record) if record.state == state => return Ok(false),
        // Thrown once more, it finds the room that it had.
        Some(record) => rows.step(Noun::Stop, record.version, change).await.map(drop)?,
        None if state == LIFTED => return Ok(false),
        None if is_run && held(&mut rows).await?.len() >= SWITCHES_MAX => {
            return Err(StoreError::Data(Full.to_string()));
        }
        None => rows.add(Noun::Stop, None, change).await?,
    }
    tx.commit().await.map(|()| true)
}

/// The switches of `org`, or else of the operator, that are thrown.
pub async fn thrown(store: &Store, org: Option<&Org>) -> Result<Vec<(Target, Thrown)>, StoreError> {
    let operator = Org::new(OPERATOR)?;
    let mut tx = store.read().await?;
    let held = held(&mut tx.of(org.unwrap_or(&operator))).await?;
    held.iter().map(|record| read(&record.body)).collect()
}

async fn held(rows: &mut OrgTx<'_>) -> Result<Vec<Record>, StoreError> {
    let mut found: Vec<Record> = Vec::new();
    loop {
        let after = found.last().map_or("", |record| record.id.as_str()).to_owned();
        let page = rows.list(Noun::Stop, THROWN, &after).await?;
        if page.is_empty() {
            return Ok(found);
        }
        found.extend(page);
    }
}

/// The switches in the memory of a node.
pub struct Board {
    store: Store,
    generation: AtomicU64,
    known: Mutex<Known>,
}

/// What is known of them.
#[derive(Default)]
struct Known {
    /// The sum of all versions, by which another state of the table is known.
    turn: Option<i64>,
    operator: kill::Switches,
    organisations: BTreeMap<String, kill::Switches>,
    /// Looks that failed since the last one that did not.
    failed: u32,
    /// Why nobody can tell any more.
    lost: Option<String>,
}

/// Looks at the table until it is dropped.
#[derive(Debug)]
pub struct Watching(JoinHandle<()>);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Board {
    /// The switches as they are now. They stay so unless somebody [looks](Self::refresh) again.
    pub async fn open(store: Store) -> Result<Arc<Self>, StoreError> {
        let (generation, known) = (AtomicU64::new(0), Mutex::default());
        let board = Self { store, generation, known };
        board.refresh().await?;
        Ok(Arc::new(board))
    }

    /// Looks again every [`LOOK`].
    pub fn watch(self: &Arc<Self>) -> Watching {
        let board = Arc::clone(self);
        Watching(tokio::spawn(async move {
            loop {
                tokio::time::sleep(LOOK).await;
                // What went wrong is counted; runs are told when it is too much.
                let _ = board.look_again().await;
            }
        }))
    }

    /// The same as [`refresh`](Self::refresh), once: what fails [too often](FAILED_LOOKS_MAX) lets
    /// nobody go on.
    pub async fn look_again(&self) -> Result<bool, StoreError> {
        let looked = self.refresh().await;
        if let Err(why) = &looked {
            self.missed(why);
        }
        looked
    }

    /// Looks whether a switch was thrown or lifted, and takes it over. True, if one was.
    pub async fn refresh(&self) -> Result<bool, StoreError> {
        let mut tx = self.store.read().await?;
        let turn = tx.wide(&TURN, Vec::new()).await?;
        let turn = turn.first().map_or(Ok(0), |row| row.int(0))?;
        if self.is_known(turn) {
            return Ok(false);
        }
        let rows = tx.wide(&ALL, vec![ROWS_MAX.into()]).await?;
        let mut known = Known { turn: Some(turn), ..Known::default() };
        for row in &rows {
            let (org, (target, thrown)) = (row.text(0)?, read(row.text(1)?)?);
            let switches = match org {
                OPERATOR => &mut known.operator,
                org => known.organisations.entry(org.to_owned()).or_default(),
            };
            // Beyond what one set holds nobody is let through for want of room.
            if switches.throw(target, thrown.clone()).is_err() {
                let _ = switches.throw(Target::All, thrown);
            }
        }
        *self.known() = known;
        self.generation.fetch_add(1, Ordering::AcqRel);
        Ok(true)
    }

    /// Whether the table is as it was, and was seen in time.
    fn is_known(&self, turn: i64) -> bool {
        let mut known = self.known();
        known.failed = 0;
        known.turn == Some(turn) && known.lost.is_none()
    }

    fn missed(&self, why: &StoreError) {
        let mut known = self.known();
        known.failed = known.failed.saturating_add(1);
        if known.failed == FAILED_LOOKS_MAX {
            known.lost = Some(why.to_string());
            self.generation.fetch_add(1, Ordering::AcqRel);
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        // Whoever held it only ever puts one whole state in the place of another.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Switches for Board {
    fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    fn look(&self, subject: Subject<'_>, told: &mut dyn FnMut(Standing<'_>)) -> Result<(), Fault> {
        let known = self.known();
        if let Some(why) = &known.lost {
            return Err(Fault::Switches(why.clone()));
        }
        let own = |org: &Label| known.organisations.get(org.as_str())?.standing(subject);
        let above = known.operator.standing(subject);
        if let Some(standing) = above.or_else(|| subject.organisation.and_then(own)) {
            told(standing);
        }
        Ok(())
    }
}

fn json(document: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(document).map_err(|why| StoreError::Data(why.to_string()))
}

fn read(body: &str) -> Result<(Target, Thrown), StoreError> {
    serde_json::from_str(body).map_err(|why| StoreError::Data(format!("a kill switch: {why}")))
}
