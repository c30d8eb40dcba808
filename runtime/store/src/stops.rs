//! Kill switches that all nodes of a database obey.
//!
//! A switch is a row of whose runs it stops: an organisation's, or the operator's, who stops
//! anybody. Every change of one is in the audit log. A node keeps a [`Board`] of them in memory,
//! which its runs ask at every passage, and adds up their versions every few milliseconds to know
//! whether it is still the true one.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use envelope_evidence::Label;
use envelope_gate::kill::Switches;
use envelope_gate::stop::Fault;
use envelope_rules::kill::{self, Event, Full, SWITCHES_MAX, Standing, Subject, Target, Thrown};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::noun::{Change, Noun, Record};
use crate::sql::{Text, Wide};
use crate::tx::OPERATOR;
use crate::{Org, OrgTx, Store, StoreError};

/// How often a node looks whether a switch was thrown: half a beat of the engine's heart.
pub const LOOK: Duration = Duration::from_millis(5);

/// How long one look may take: a server that does not answer by then is not there.
const LOOK_MAX: Duration = Duration::from_secs(1);

/// How old what a watching node knows may be before runs are told that nobody can tell whether they
/// have to stop: as long as a server takes to change its primary.
pub const BLIND_MAX: Duration = Duration::from_secs(5);

/// What the generation is told apart by while nobody can look.
const BLIND: u64 = 1 << 62;

/// Switches in one database: where there are more, no node can know all of them, and none goes on.
const ROWS_MAX: i64 = 100_000;

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
        (None, _) | (Some(_), Target::Run(_) | Target::Paper(_) | Target::Agent(_)) => false,
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
    let operator = Org::operator();
    let mut tx = store.write().await?;
    let new = tx.of(org.unwrap_or(&operator)).note_stop(event).await?;
    tx.commit().await.map(|()| new)
}

/// The switches of `org`, or else of the operator, that are thrown.
pub async fn thrown(store: &Store, org: Option<&Org>) -> Result<Vec<(Target, Thrown)>, StoreError> {
    let operator = Org::operator();
    store.read().await?.of(org.unwrap_or(&operator)).stops().await
}

impl OrgTx<'_> {
    /// Throws or lifts a switch, if and when this transaction is committed. True, if that is
    /// anything new.
    pub async fn note_stop(&mut self, event: Event) -> Result<bool, StoreError> {
        let (state, target, word) = match event {
            Event::Thrown { target, word } => (THROWN, target, word),
            Event::Lifted { target, word } => (LIFTED, target, word),
        };
        let org = Some(self.org()).filter(|org| **org != Org::operator());
        check(org, &target)?;
        let (at, id, body) = (word.at, json(&target)?, json(&(&target, word))?);
        let change = Change { id: &id, state, body: &body, at };
        match self.get(Noun::Stop, &id).await? {
            Some(record) if record.state == state => return Ok(false),
            None if state == LIFTED => return Ok(false),
            known => {
                if state == THROWN && alike(self, &target).await? >= SWITCHES_MAX {
                    return Err(StoreError::Data(Full.to_string()));
                }
                match known {
                    Some(record) => {
                        self.step(Noun::Stop, record.version, change).await?;
                    }
                    None => self.add(Noun::Stop, None, change).await?,
                }
            }
        }
        Ok(true)
    }

    /// The switch of `target`, if it is thrown.
    pub async fn stop(&mut self, target: &Target) -> Result<Option<Thrown>, StoreError> {
        let known = self.get(Noun::Stop, &json(target)?).await?;
        let thrown = known.filter(|record| record.state == THROWN);
        thrown.map(|record| Ok(read(&record.body)?.1)).transpose()
    }

    /// The switches that are thrown.
    pub async fn stops(&mut self) -> Result<Vec<(Target, Thrown)>, StoreError> {
        held(self).await?.iter().map(|record| read(&record.body)).collect()
    }
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

/// How many switches of the same kind are thrown.
async fn alike(rows: &mut OrgTx<'_>, target: &Target) -> Result<usize, StoreError> {
    let mut count = 0;
    for record in held(rows).await? {
        let (other, _) = read(&record.body)?;
        count += usize::from(mem::discriminant(&other) == mem::discriminant(target));
    }
    Ok(count)
}

/// The switches in the memory of a node.
pub struct Board {
    store: Store,
    generation: AtomicU64,
    known: Mutex<Known>,
    since: Instant,
    /// When somebody last looked, in milliseconds since then.
    seen: AtomicU64,
    /// Whether somebody looks again and again.
    watching: AtomicBool,
}

/// What is known of them.
#[derive(Default)]
struct Known {
    /// The sum of all versions, by which another state of the table is known.
    turn: Option<i64>,
    operator: kill::Switches,
    organisations: BTreeMap<String, kill::Switches>,
    /// Whose switches are more than one set holds.
    full: BTreeSet<String>,
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
        let (since, seen) = (Instant::now(), AtomicU64::new(0));
        let watching = AtomicBool::new(false);
        let board = Self { store, generation, known, since, seen, watching };
        board.refresh().await?;
        Ok(Arc::new(board))
    }

    /// Looks again every [`LOOK`]. What was not seen for [`BLIND_MAX`] lets nobody go on.
    pub fn watch(self: &Arc<Self>) -> Watching {
        let board = Arc::clone(self);
        self.watching.store(true, Ordering::Release);
        Watching(tokio::spawn(async move {
            loop {
                tokio::time::sleep(LOOK).await;
                // What goes wrong shows in what is not seen.
                let _ = tokio::time::timeout(LOOK_MAX, board.refresh()).await;
            }
        }))
    }

    /// Looks whether a switch was thrown or lifted, and takes it over. True, if one was.
    pub async fn refresh(&self) -> Result<bool, StoreError> {
        let mut tx = self.store.read().await?;
        let turn = tx.wide(&TURN, Vec::new()).await?;
        let turn = turn.first().map_or(Ok(0), |row| row.int(0))?;
        if self.known().turn == Some(turn) {
            self.seen_now();
            return Ok(false);
        }
        let rows = tx.wide(&ALL, vec![ROWS_MAX.into()]).await?;
        if i64::try_from(rows.len()) == Ok(ROWS_MAX) {
            return Err(StoreError::Data(format!("{ROWS_MAX} kill switches or more are thrown")));
        }
        let mut known = Known { turn: Some(turn), ..Known::default() };
        for row in &rows {
            let (org, (target, thrown)) = (row.text(0)?, read(row.text(1)?)?);
            let switches = match org {
                OPERATOR => &mut known.operator,
                org => known.organisations.entry(org.to_owned()).or_default(),
            };
            if switches.throw(target, thrown).is_err() {
                known.full.insert(org.to_owned());
            }
        }
        *self.known() = known;
        self.seen_now();
        self.generation.fetch_add(1, Ordering::AcqRel);
        Ok(true)
    }

    /// What is known is true now. That there is something new is not enough: it has to be read.
    fn seen_now(&self) {
        let now = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.seen.store(now, Ordering::Release);
    }

    /// Whether somebody should have looked, and could not.
    fn is_blind(&self) -> bool {
        let seen = Duration::from_millis(self.seen.load(Ordering::Acquire));
        let age = self.since.elapsed().saturating_sub(seen);
        self.watching.load(Ordering::Acquire) && age > BLIND_MAX
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        // Whoever held it only ever puts one whole state in the place of another.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Switches for Board {
    fn generation(&self) -> u64 {
        let generation = self.generation.load(Ordering::Acquire);
        if self.is_blind() { generation | BLIND } else { generation }
    }

    fn look(&self, subject: Subject<'_>, told: &mut dyn FnMut(Standing<'_>)) -> Result<(), Fault> {
        if self.is_blind() {
            let secs = BLIND_MAX.as_secs();
            return Err(Fault::Switches(format!("nobody could look for {secs} seconds")));
        }
        let known = self.known();
        let owners = [Some(OPERATOR), subject.organisation.map(Label::as_str)];
        if let Some(owner) = owners.into_iter().flatten().find(|it| known.full.contains(*it)) {
            return Err(Fault::Switches(format!("`{owner}` has more switches than are held")));
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
