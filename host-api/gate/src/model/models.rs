//! The models an operator has set up: who answers for which, for how long, and what is done when
//! nobody does.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use envelope_evidence::{Label, Timestamp};
use envelope_rules::budget::{OUTPUT_FLOOR_DEFAULT, Place};
use envelope_rules::model::{OPENAI, Overheads};
use tokio::time::{Instant, timeout, timeout_at};

use super::outcome::Then;
use super::provider::{Coming, Embedded, Failed, Order, Piece, Provider, Texts};
use super::purse::Purse;

/// Attempts for one question of a guest, whoever is asked: a policy that goes in circles ends.
pub const ATTEMPTS_MAX: usize = 8;

/// Failures in a row after which a provider is left alone with a model for a while.
pub const RESTS_AFTER: u32 = 5;

/// How long it is left alone, in milliseconds.
pub const REST_MILLIS: u64 = 30_000;

/// The longest that a provider's wish to be left alone is waited for, in seconds.
const PATIENCE_SECS_MAX: u64 = 20;

/// How long an answer may take, if nothing else is said: long thoughts take minutes.
const DEADLINE: Duration = Duration::from_secs(300);

/// What is done when an attempt gives no answer, and how little is not worth asking for.
#[derive(Debug, Clone)]
pub struct Policy {
    /// How often the same model is asked again, where nothing is owed for the attempt before.
    pub retries: usize,
    /// Which models are asked instead, in order, also where something is owed.
    pub fallbacks: BTreeMap<String, Vec<String>>,
    /// The shortest answer that is worth its input, in tokens. Who wishes for less gets it.
    pub floor: u64,
    /// How long an answer may take, by provider.
    pub deadlines: BTreeMap<String, Duration>,
}

impl Default for Policy {
    fn default() -> Self {
        let (fallbacks, deadlines) = (BTreeMap::new(), BTreeMap::new());
        Self { retries: 1, fallbacks, floor: OUTPUT_FLOOR_DEFAULT, deadlines }
    }
}

/// Everybody who can be asked.
pub struct Models {
    providers: BTreeMap<String, Arc<dyn Provider>>,
    policy: Policy,
    purse: Arc<dyn Purse>,
    /// By provider and model.
    rests: Mutex<BTreeMap<String, Rest>>,
}

/// How a provider did lately with a model.
#[derive(Debug, Clone, Copy, Default)]
struct Rest {
    failures: u32,
    until: Option<Timestamp>,
}

/// An answer that has begun.
pub(crate) struct Live {
    coming: Box<dyn Coming>,
    deadline: Instant,
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

impl Live {
    /// The next piece, in time.
    pub(crate) async fn next(&mut self) -> Result<Option<Piece>, Failed> {
        let next = timeout_at(self.deadline, self.coming.next()).await;
        next.unwrap_or(Err(Failed::TimedOut))
    }
}

/// Who answers for a model.
pub(crate) struct Seat<'a> {
    /// The provider, by the operator's name for it.
    pub(crate) name: &'a str,
    /// The model, as the provider calls it.
    pub(crate) model: &'a str,
    pub(crate) provider: &'a dyn Provider,
}

impl Models {
    /// Everybody in `providers`, by name: the part before the first `/` of a model's name in the
    /// price book. The rest is the provider's own name for the model.
    pub fn new(
        providers: BTreeMap<String, Arc<dyn Provider>>,
        policy: Policy,
        purse: Arc<dyn Purse>,
    ) -> Self {
        Self { providers, policy, purse, rests: Mutex::new(BTreeMap::new()) }
    }

    /// The shortest answer worth asking for.
    pub(crate) const fn floor(&self) -> u64 {
        self.policy.floor
    }

    /// Who knows what is frozen.
    pub(crate) fn purse(&self) -> &dyn Purse {
        &*self.purse
    }

    /// Who answers for `model`.
    pub(crate) fn seat<'a>(&'a self, model: &'a str) -> Option<Seat<'a>> {
        let (name, model) = model.split_once('/').unwrap_or((model, model));
        let provider = self.providers.get(name)?;
        Some(Seat { name, model, provider: &**provider })
    }

    /// What the wire format of `model` adds.
    pub(crate) fn overheads(&self, model: &str) -> &'static Overheads {
        self.seat(model).map_or(&OPENAI, |seat| seat.provider.overheads())
    }

    /// Begins an answer.
    pub(crate) async fn begin(
        &self,
        seat: &Seat<'_>,
        order: Order<'_>,
        now: Timestamp,
    ) -> Result<Live, Failed> {
        self.check_rest(seat, now)?;
        let within = self.deadline(seat.name);
        let deadline = Instant::now() + within;
        let asked = timeout(within, seat.provider.ask(order)).await;
        let asked = asked.unwrap_or(Err(Failed::TimedOut));
        self.note(seat, asked.as_ref().err(), now);
        Ok(Live { coming: asked?, deadline })
    }

    /// Gets the vectors of texts.
    pub(crate) async fn embed(
        &self,
        seat: &Seat<'_>,
        texts: Texts<'_>,
        now: Timestamp,
    ) -> Result<Embedded, Failed> {
        self.check_rest(seat, now)?;
        let asked = timeout(self.deadline(seat.name), seat.provider.embed(texts)).await;
        let asked = asked.unwrap_or(Err(Failed::TimedOut));
        self.note(seat, asked.as_ref().err(), now);
        asked.and_then(finite)
    }

    /// What the policy says after the models in `tried` gave no answer, and how long to wait.
    pub(crate) fn then(&self, tried: &[String], failed: &Failed) -> (Then, Duration) {
        let at_once = Duration::ZERO;
        let Some(last) = tried.last().filter(|_| tried.len() < ATTEMPTS_MAX) else {
            return (Then::Stop, at_once);
        };
        let times = tried.iter().rev().take_while(|model| *model == last).count();
        // How long until it may be asked again. Never, if something may be owed or it said no.
        let after = match failed {
            Failed::NotSent(_) => Some(0),
            Failed::Free { status: 429, after, .. } => Some(after.unwrap_or(1)),
            Failed::Unwritable(_)
            | Failed::Free { .. }
            | Failed::Refused { .. }
            | Failed::Unknown(_)
            | Failed::TimedOut => None,
        };
        if let Some(after) = after.filter(|_| times <= self.policy.retries) {
            let wait = Duration::from_secs(after.min(PATIENCE_SECS_MAX));
            return (Then::Ask(last.clone()), wait);
        }
        // Whoever turns the request itself away is not the only one who would.
        let request_is_wrong = match failed {
            Failed::Unwritable(_) | Failed::Refused { .. } => true,
            Failed::Free { status, .. } => matches!(status, 400 | 413 | 422),
            Failed::NotSent(_) | Failed::Unknown(_) | Failed::TimedOut => false,
        };
        if request_is_wrong {
            return (Then::Stop, at_once);
        }
        let first = tried.first().map_or("", String::as_str);
        let others = self.policy.fallbacks.get(first).into_iter().flatten();
        let mut others = others.filter(|other| !tried.contains(other));
        let next = others.next().cloned();
        (next.map_or(Then::Stop, Then::Ask), at_once)
    }

    fn deadline(&self, provider: &str) -> Duration {
        self.policy.deadlines.get(provider).copied().unwrap_or(DEADLINE)
    }

    /// A provider that failed often in a row with a model is left alone with it; then one question
    /// finds out. Behind one address may stand many models, of which one is ill.
    fn check_rest(&self, seat: &Seat<'_>, now: Timestamp) -> Result<(), Failed> {
        let rests = self.rests.lock().unwrap_or_else(PoisonError::into_inner);
        let who = seat.full();
        let until = rests.get(&who).and_then(|rest| rest.until);
        match until.filter(|until| now < *until) {
            Some(until) => {
                let what = format!("`{who}` failed {RESTS_AFTER} times and rests until {until}");
                Err(Failed::NotSent(what))
            }
            None => Ok(()),
        }
    }

    fn note(&self, seat: &Seat<'_>, failed: Option<&Failed>, now: Timestamp) {
        let mut rests = self.rests.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = rests.entry(seat.full()).or_default();
        match failed {
            // It never heard of it.
            Some(Failed::Unwritable(_)) => {}
            None | Some(Failed::Free { .. } | Failed::Refused { .. }) => *rest = Rest::default(),
            Some(Failed::NotSent(_) | Failed::Unknown(_) | Failed::TimedOut) => {
                rest.failures = rest.failures.saturating_add(1);
                let until = now.millis().saturating_add(REST_MILLIS);
                let tired = rest.failures >= RESTS_AFTER;
                rest.until = Timestamp::from_millis(until).filter(|_| tired);
            }
        }
    }
}

/// A number beyond all bounds has no JSON: it could not be recorded.
fn finite(embedded: Embedded) -> Result<Embedded, Failed> {
    if embedded.vectors.iter().flatten().all(|number| number.is_finite()) {
        return Ok(embedded);
    }
    Err(Failed::Unknown("the provider gave a number beyond all bounds".to_owned()))
}

impl Seat<'_> {
    fn full(&self) -> String {
        format!("{}/{}", self.name, self.model)
    }

    /// What is frozen when this one breaks its word.
    pub(crate) fn place(&self, model: &str) -> Place {
        Place { provider: Label::cut(self.name), model: Label::cut(model) }
    }
}
