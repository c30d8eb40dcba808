//! The gate: every call of a run passes here, and only here.
//!
//! ```text
//! pass: journal has an answer → that answer, once more   (replay; never judged, never performed)
//!       journal has a refusal → that refusal
//!       journal has a begin   → by the call's class: again, under the same key, or a human decides
//!       journal has nothing   → admit → begin (durable, unless it may happen again) → effect
//!                               → settle → answer
//! ```
//!
//! Effects are of two kinds. *Inner* ones change or read what the run itself owns: its workspace,
//! its output, its stream of chance. They are functions of what happened before, so a replay
//! computes them again, as it does the guest's own memory, and holds the result against the
//! recorded digest. *Outer* ones ask the world, and a replay gives the recorded answer.

mod approve;
mod content;
mod delegate;
mod end;
mod exchange;
mod flights;
mod foresee;
mod judge;
mod lookup;
mod paid;
mod record;
mod rotate;

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use envelope_evidence::journal::{Content, FileTouch, Journal, Outcome, Recovery, Scope};
use envelope_evidence::preview::Secrets;
use envelope_evidence::{Digest, Dimension, Label, Timestamp, Usage};
use envelope_rules::budget::Meter;
use envelope_rules::denial::Denial;
use envelope_rules::grant::{Budget, Claims, Grant, GrantKeys, Jti, Standing};
use envelope_rules::guard::{Operator, Permit, Warrant};
use envelope_rules::path::Prefix;
use envelope_rules::pattern::PatternSet;

use crate::inside::Inside;
use crate::journal::JournalWriter;
use crate::peers::Room;
use crate::request::Request;
use crate::stop::{Divergence, Fault, Stop};
use crate::world::{Outer, World};
pub use approve::ASKS_MAX;
pub(crate) use approve::{Decided, Fate, Kind, Question};
pub(crate) use content::Lookout;
pub use delegate::Asked;
use end::closing;
pub(crate) use exchange::{Effect, Effected};
use exchange::{attended, fetch, keep};
pub use flights::IN_FLIGHT_MAX;
use lookup::Known;
pub(crate) use paid::{Attempt, Paid, Wish};
use record::written;
use rotate::Lent;
pub use rotate::scope_of;
pub(crate) use rotate::union;

/// Who may do what: fixed for a run, but for the grant.
pub struct Authorities {
    /// The operator's policy.
    pub operator: Arc<Operator>,
    /// What was bought.
    pub warrant: Arc<Warrant>,
    /// The grant the run holds.
    pub grant: Option<Grant>,
    /// The keys that verify grants.
    pub keys: Arc<GrantKeys>,
}

/// What an effect answers, for the journal.
#[derive(Debug)]
pub struct Answer {
    /// Its bytes, or their digest.
    pub content: Content,
    /// What it used, money and calls aside.
    pub used: Usage,
    /// The file it read.
    pub file: Option<FileTouch>,
}

impl Answer {
    /// An answer that a replay computes again: only its digest is kept.
    pub fn computed(bytes: &[u8]) -> Self {
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Self::of(Content::named(Digest::of(bytes), size))
    }

    /// An answer that uses nothing.
    pub const fn of(content: Content) -> Self {
        Self { content, used: Usage::ZERO, file: None }
    }

    /// The same answer, having moved `bytes`.
    #[must_use]
    pub fn moved(mut self, bytes: u64) -> Self {
        self.used = crate::request::bytes_used(bytes);
        self
    }
}

/// A call's way through the gate: refused or answered, or the run is over.
pub type Passed<T> = Result<Result<T, Denial>, Stop>;

/// What becomes of a call.
enum Way {
    /// It was answered before.
    Recorded(Content),
    /// It is refused, now or before.
    Refused(Denial),
    /// It may pass.
    Open(Permit),
}

/// Everything a gate is made of.
pub struct Parts {
    /// Who may do what.
    pub authorities: Authorities,
    /// The run's books.
    pub meter: Meter,
    /// The journal so far: a header, or all that an earlier process recorded.
    pub journal: Journal,
    /// Where its lines go.
    pub writer: Box<dyn JournalWriter>,
    /// The world outside.
    pub world: Arc<dyn World>,
    /// What the run owns.
    pub inside: Inside,
    /// Values that no record may show.
    pub secrets: Secrets,
    /// The most bytes of journal.
    pub journal_bytes: u64,
    /// Whether only the record is played: then nothing is performed and nothing written.
    pub replay: bool,
}

/// The door between one run and the world.
pub struct Gate {
    parts: Parts,
    /// What the guest has left to burn: what it may hand on to others at most.
    fuel: u64,
    /// Calls that were recorded before this process took over.
    recorded: usize,
    /// The number of the next call.
    next: usize,
    /// Journal bytes written so far.
    written: u64,
    now: Timestamp,
    last_denial: Option<Denial>,
    /// What the grant says, as the header records it: a replay has no grant, only this.
    /// Read when first asked for: most runs begin without.
    claims: OnceLock<Option<Claims>>,
    /// Fuel that the host's work cost and the guest has not paid yet.
    debt: u64,
    /// How the recorded run came to its end, if it did.
    closing: Option<(Outcome, String)>,
    /// Answers of models that are read as they come.
    streams: paid::Streams,
    /// Requests that are under way.
    flights: flights::Flights,
    /// Agents called so far, those under way included.
    children: usize,
    /// Questions to humans so far.
    asks: usize,
    /// What the first grant lets spend, if it says: what a wider one is counted from.
    first_budget: Option<Budget>,
    /// What a human allowed beside files, and until when.
    lent: Option<Lent>,
    /// What was bought, whatever a human allowed since.
    bought: Arc<Warrant>,
    /// The classes of data that it has read or handed on.
    carried: BTreeSet<Label>,
    /// Where callees find room, those of this run and those of all above and below it.
    room: Room,
}

impl Gate {
    /// A gate in front of a run that begins, goes on, or is replayed.
    pub fn new(mut parts: Parts) -> Self {
        paid::relatch(&mut parts.meter, &parts.journal);
        let closing = closing(&parts.journal);
        let recorded = parts.journal.calls().len() - usize::from(closing.is_some());
        let now = parts.journal.header().started;
        let claims = OnceLock::new();
        // Whoever goes on with a run has no more room than was left.
        let written = if parts.replay { 0 } else { written(&parts.journal) };
        let (next, last_denial, debt, fuel) = (0, None, 0, 0);
        let (streams, flights) = (paid::Streams::default(), flights::Flights::default());
        let (children, asks) = (0, 0);
        let grant = parts.authorities.grant.as_ref();
        let first_budget = grant.and_then(|grant| grant.claims().budget);
        let (lent, bought) = (None, Arc::clone(&parts.authorities.warrant));
        let room = parts.world.room().cloned().unwrap_or_default();
        let carried = parts.world.carried();
        Self {
            parts,
            fuel,
            recorded,
            next,
            written,
            now,
            last_denial,
            claims,
            debt,
            closing,
            streams,
            flights,
            children,
            asks,
            first_budget,
            lent,
            bought,
            carried,
            room,
        }
    }

    /// Writes down all that was recorded so far: the run goes on elsewhere, or later. Requests that
    /// are under way are heard first, where the world lets them.
    pub async fn put_down(&mut self) -> Result<(), Stop> {
        self.hear_out().await?;
        Ok(self.parts.writer.flush(true).await?)
    }

    /// Passes a call whose effect is a function of what the run owns.
    pub async fn inner<T>(
        &mut self,
        request: Request<'_>,
        effect: impl FnOnce(&mut Inside, Timestamp) -> (T, Answer),
    ) -> Passed<T> {
        self.debt = self.debt.saturating_add(request.fuel);
        let hold = match self.way(&request).await? {
            Way::Recorded(recorded) => {
                let (value, answer) = effect(&mut self.parts.inside, self.now);
                self.compare(&request, &recorded, &answer)?;
                self.caught_up()?;
                return Ok(Ok(value));
            }
            Way::Refused(denial) => return Ok(Err(denial)),
            Way::Open(permit) => permit.spend(),
        };
        let (value, answer) = effect(&mut self.parts.inside, self.now);
        self.settle(&request, hold, answer).await?;
        Ok(Ok(value))
    }

    /// Passes a call whose effect asks the world.
    pub async fn outer(&mut self, request: Request<'_>, outer: Outer<'_>) -> Passed<Vec<u8>> {
        self.debt = self.debt.saturating_add(request.fuel);
        let permit = match self.way(&request).await? {
            Way::Recorded(recorded) => {
                let bytes = fetch(self.parts.inside.blobs.clone(), &recorded).await?;
                self.caught_up()?;
                return Ok(Ok(bytes));
            }
            Way::Refused(denial) => return Ok(Err(denial)),
            Way::Open(permit) => permit,
        };
        let key = self.key();
        if permit.recovery() != Recovery::Again && self.is_new() {
            self.begin(&request, &permit, &key).await?;
        }
        if outer.waits(self.now) {
            // Who knows how long: what happened so far must not be lost with this process.
            self.parts.writer.flush(false).await?;
        }
        let hold = permit.spend();
        let world = Arc::clone(&self.parts.world);
        let bytes = attended(&*world, outer.perform(&*world, self.now, &key)).await??;
        self.now = self.time();
        let moved = u64::try_from(bytes.len()).unwrap_or(u64::MAX).min(hold.worst().get(BYTES));
        let content = keep(self.parts.inside.blobs.clone(), &bytes).await?;
        let answer = Answer::of(content).moved(moved);
        self.settle(&request, hold, answer).await?;
        Ok(Ok(bytes))
    }

    /// Whether a call was answered before, and if not, whether it may pass.
    async fn way(&mut self, request: &Request<'_>) -> Result<Way, Stop> {
        if let Some(denial) = self.foresee(request).await? {
            return Ok(Way::Refused(denial));
        }
        let judged = match self.look_up(request)? {
            Known::Answered(recorded) => {
                self.carry(&request.act);
                return Ok(Way::Recorded(recorded));
            }
            Known::Denied(denial) => return self.caught_up().map(|()| Way::Refused(denial)),
            Known::Begun(begun) => {
                // What is open is not begun again by a run that has to stop.
                self.parts.world.cut().map_or(Ok(()), Err)?;
                self.readmit(request, &begun)?
            }
            Known::Absent => self.admit(request)?,
        };
        match judged {
            Ok(permit) => {
                self.carry(&request.act);
                Ok(Way::Open(permit))
            }
            Err(denial) => self.deny(request, denial).await.map(Way::Refused),
        }
    }

    /// Passes a call whose answer is at hand but could not be computed again: it is recorded whole.
    pub async fn noted(&mut self, request: Request<'_>, answer: Vec<u8>) -> Passed<Vec<u8>> {
        self.outer(request, Outer::Known(answer)).await
    }

    /// Records a call that is refused whatever the rules say.
    pub async fn refuse(&mut self, request: Request<'_>, denial: Denial) -> Result<Denial, Stop> {
        self.debt = self.debt.saturating_add(request.fuel);
        match self.look_up(&request)? {
            Known::Denied(denial) => self.caught_up().map(|()| denial),
            Known::Absent => self.deny(&request, denial).await,
            Known::Answered(_) | Known::Begun(_) => {
                Err(self.diverges("an answer".to_owned(), asked(&request)))
            }
        }
    }

    /// What the run owns, for what needs no passage: a handle that is dropped.
    pub const fn inside(&mut self) -> &mut Inside {
        &mut self.parts.inside
    }

    /// The run's time: that of the latest call.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// What pins the run, and all that was recorded.
    pub const fn journal(&self) -> &Journal {
        &self.parts.journal
    }

    /// What was bought.
    pub fn warrant(&self) -> &Warrant {
        &self.parts.authorities.warrant
    }

    /// What the run's grant says, for what is shown to the guest. It permits nothing.
    pub fn claims(&self) -> Option<&Claims> {
        let read = || self.journal().header().scope.as_ref().and_then(claims);
        self.claims.get_or_init(read).as_ref()
    }

    /// The latest refusal.
    pub const fn last_denial(&self) -> Option<&Denial> {
        self.last_denial.as_ref()
    }

    /// What can still be used.
    pub fn headroom(&self) -> Usage {
        let ceiling = self.authority(Standing { bound_run: None, revoked: false }).ceiling();
        self.parts.meter.headroom_within(&ceiling)
    }

    /// Fuel the guest owes for the host's work since the last time this was asked.
    pub const fn take_debt(&mut self) -> u64 {
        std::mem::replace(&mut self.debt, 0)
    }

    /// Takes note of what the guest has left to burn.
    pub const fn set_fuel(&mut self, left: u64) {
        self.fuel = left;
    }

    /// Adds work that is no call of its own.
    pub const fn charge(&mut self, fuel: u64) {
        self.debt = self.debt.saturating_add(fuel);
    }

    /// Writes what is pending, so that another process can go on from here.
    pub async fn put_aside(&mut self) -> Result<(), Fault> {
        self.parts.writer.flush(true).await
    }

    /// Whether only the record is played.
    pub const fn is_replay(&self) -> bool {
        self.parts.replay
    }

    /// Values that no record may show.
    pub const fn secrets(&self) -> &Secrets {
        &self.parts.secrets
    }

    /// The run is over: its record, and what it owned.
    pub fn into_parts(self) -> (Journal, Inside) {
        (self.parts.journal, self.parts.inside)
    }

    /// The idempotency key of the next call: the same however often the run is taken up again.
    fn key(&self) -> String {
        format!("{}/{}", self.parts.journal.header().run, self.next)
    }

    /// The world's time, which does not run backwards for a run.
    fn time(&self) -> Timestamp {
        self.parts.world.now().max(self.parts.journal.last_at())
    }

    fn diverges(&self, recorded: String, asked: String) -> Stop {
        let n = u64::try_from(self.next).unwrap_or(u64::MAX);
        Stop::Diverged(Box::new(Divergence { n, recorded, asked }))
    }
}

const BYTES: Dimension = Dimension::Bytes;

/// What a recorded scope says. None, if it says what no grant can.
pub fn claims(scope: &Scope) -> Option<Claims> {
    let paths: Vec<_> = scope.paths.iter().map(|path| path.as_str()).collect();
    let outputs = Some(scope.outputs.as_str()).filter(|prefix| !prefix.is_empty());
    Some(Claims {
        iss: None,
        aud: scope.audience.to_string(),
        run: None,
        paper: None,
        paths: PatternSet::parse(&paths).ok()?,
        outputs: outputs.map(Prefix::parse).transpose().ok()?,
        exp: scope.expires,
        iat: scope.issued,
        jti: Jti::parse(&scope.jti).ok()?,
        depth: Some(scope.depth),
        budget: None,
        prev: None,
        par: None,
        act: None,
    })
}

fn asked(request: &Request<'_>) -> String {
    let capability = request.act.capability().name();
    format!("{capability} {} `{}`", request.operation, request.target)
}
