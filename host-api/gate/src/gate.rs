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

use std::sync::Arc;

use envelope_evidence::journal::{
    Answered, Begun, Call as CallRecord, Content, Denied, Ended, Event, FileTouch, Journal,
    Outcome, Recovery, Scope, Settled,
};
use envelope_evidence::preview::Secrets;
use envelope_evidence::{Digest, Dimension, Label, Preview, Timestamp, Usage, canonical};
use envelope_rules::budget::{Hold, Meter};
use envelope_rules::denial::{Code, Denial};
use envelope_rules::grant::{Claims, Grant, GrantKeys, Jti, Standing};
use envelope_rules::guard::{self, Authority, Call, Operator, Permit, Warrant};
use envelope_rules::path::Prefix;
use envelope_rules::pattern::PatternSet;

use crate::inside::Inside;
use crate::journal::{JournalWriter, PENDING_BYTES_MAX};
use crate::request::Request;
use crate::stop::{Divergence, Fault, Stop};
use crate::world::{Outer, World};

/// Bytes of a journal that are kept free for its last records.
const END_ROOM: u64 = 4 << 10;

/// The name of the call that ends a run. No guest can make it.
const FINISH: &str = "finish";

/// Every way to end.
const OUTCOMES: [Outcome; 7] = [
    Outcome::Ok,
    Outcome::Failed,
    Outcome::Denied,
    Outcome::Exhausted,
    Outcome::Killed,
    Outcome::Crashed,
    Outcome::Interrupted,
];

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
    /// Calls that were recorded before this process took over.
    recorded: usize,
    /// The number of the next call.
    next: usize,
    /// Journal bytes written so far.
    written: u64,
    now: Timestamp,
    last_denial: Option<Denial>,
    /// What the grant says, as the header records it: a replay has no grant, only this.
    claims: Option<Claims>,
    /// Fuel that the host's work cost and the guest has not paid yet.
    debt: u64,
    /// How the recorded run came to its end, if it did.
    closing: Option<(Outcome, String)>,
}

/// What the journal knows of the next call.
enum Known {
    Answered(Box<Answered>),
    Denied(Denial),
    Begun(Box<Begun>),
    Absent,
}

impl Gate {
    /// A gate in front of a run that begins, goes on, or is replayed.
    pub fn new(parts: Parts) -> Self {
        let closing = closing(&parts.journal);
        let recorded = parts.journal.calls().len() - usize::from(closing.is_some());
        let now = parts.journal.header().started;
        let claims = parts.journal.header().scope.as_ref().and_then(claims);
        // Whoever goes on with a run has no more room than was left.
        let written = if parts.replay { 0 } else { written(&parts.journal) };
        let (next, last_denial, debt) = (0, None, 0);
        Self { parts, recorded, next, written, now, last_denial, claims, debt, closing }
    }

    /// Passes a call whose effect is a function of what the run owns.
    pub async fn inner<T>(
        &mut self,
        request: Request<'_>,
        effect: impl FnOnce(&mut Inside, Timestamp) -> (T, Answer),
    ) -> Passed<T> {
        self.debt = self.debt.saturating_add(request.fuel);
        let permit = match self.look_up(&request)? {
            Known::Answered(recorded) => {
                let (value, answer) = effect(&mut self.parts.inside, self.now);
                self.compare(&request, &recorded, &answer)?;
                self.caught_up()?;
                return Ok(Ok(value));
            }
            Known::Denied(denial) => return self.caught_up().map(|()| Err(denial)),
            Known::Begun(begun) => self.readmit(&request, &begun)?,
            Known::Absent => self.admit(&request)?,
        };
        let permit = match permit {
            Ok(permit) => permit,
            Err(denial) => return self.deny(&request, denial).await.map(Err),
        };
        let hold = permit.spend();
        let (value, answer) = effect(&mut self.parts.inside, self.now);
        self.settle(&request, hold, answer).await?;
        Ok(Ok(value))
    }

    /// Passes a call whose effect asks the world.
    pub async fn outer(&mut self, request: Request<'_>, outer: Outer<'_>) -> Passed<Vec<u8>> {
        self.debt = self.debt.saturating_add(request.fuel);
        let permit = match self.look_up(&request)? {
            Known::Answered(recorded) => {
                let bytes = self.recall(&recorded)?;
                self.caught_up()?;
                return Ok(Ok(bytes));
            }
            Known::Denied(denial) => return self.caught_up().map(|()| Err(denial)),
            Known::Begun(begun) => self.readmit(&request, &begun)?,
            Known::Absent => self.admit(&request)?,
        };
        let permit = match permit {
            Ok(permit) => permit,
            Err(denial) => return self.deny(&request, denial).await.map(Err),
        };
        let key = self.key();
        if permit.recovery() != Recovery::Again && self.is_new() {
            self.begin(&request, &permit, &key).await?;
        }
        let hold = permit.spend();
        let world = Arc::clone(&self.parts.world);
        let bytes = outer.perform(&*world, self.now, &key).await?;
        self.now = self.time();
        let moved = u64::try_from(bytes.len()).unwrap_or(u64::MAX).min(hold.worst().get(BYTES));
        let answer = Answer::of(Content::of(&bytes)).moved(moved);
        self.settle(&request, hold, answer).await?;
        Ok(Ok(bytes))
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
    pub const fn claims(&self) -> Option<&Claims> {
        self.claims.as_ref()
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

    /// Adds work that is no call of its own.
    pub const fn charge(&mut self, fuel: u64) {
        self.debt = self.debt.saturating_add(fuel);
    }

    /// Ends the record: what the run used in all, then how it ended. On replay the recorded end is
    /// held against it.
    pub async fn finish(&mut self, ended: Ended, fuel: u64) -> Result<(), Stop> {
        self.step_over();
        let request = finishing(ended.outcome, &ended.reason);
        if matches!(self.look_up_end(&request)?, Known::Absent) && !self.parts.replay {
            let wall = self.time().millis_since(self.parts.journal.header().started);
            let used = Usage::ZERO.with(Dimension::Fuel, fuel);
            let used = used.and_then(|used| used.with(Dimension::WallMs, wall));
            let answer = Answer { used: used.unwrap_or_default(), ..Answer::computed(b"") };
            self.record(Event::Answered(self.answered(&request, answer)))?;
        }
        self.next += 1;
        match self.parts.journal.ended() {
            Some(recorded) if *recorded == ended => Ok(()),
            Some(recorded) => Err(self.diverges(words(recorded), words(&ended))),
            None if self.parts.replay => Err(self.diverges("no end".into(), words(&ended))),
            None => {
                self.record(Event::Ended(ended))?;
                Ok(self.parts.writer.flush(true).await?)
            }
        }
    }

    /// Writes what is pending, so that another process can go on from here.
    pub async fn put_aside(&mut self) -> Result<(), Fault> {
        self.parts.writer.flush(true).await
    }

    /// How the recorded run came to its end, and why, if its record tells.
    pub fn recorded_end(&self) -> Option<(Outcome, &str)> {
        self.closing.as_ref().map(|(outcome, reason)| (*outcome, reason.as_str()))
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

    /// What to say of a run that ended before all that is recorded was asked again.
    pub fn too_early(&self) -> Stop {
        self.diverges("another call".to_owned(), "the end".to_owned())
    }

    /// Whether calls are recorded that were not asked again: a run that ends too early.
    pub fn unplayed(&self) -> bool {
        self.next < self.recorded
    }

    /// A call that was under way when the run ended keeps its record as it is: nobody knows how it
    /// came out, so what was set aside for it is not given back.
    fn step_over(&mut self) {
        let state = self.parts.journal.calls().get(self.next);
        if state.is_some_and(|state| state.settled == Settled::Begun) {
            self.next += 1;
        }
    }

    fn look_up(&mut self, request: &Request<'_>) -> Result<Known, Stop> {
        if self.next < self.recorded {
            return self.recorded_call(request);
        }
        if self.parts.replay || self.closing.is_some() {
            return Err(Stop::EndOfRecord);
        }
        if let Some(stop) = self.parts.world.stopped() {
            return Err(stop);
        }
        self.now = self.time();
        Ok(Known::Absent)
    }

    /// The same for the run's last call, which comes also when a run is stopped.
    fn look_up_end(&mut self, request: &Request<'_>) -> Result<Known, Stop> {
        let known = self.next < self.parts.journal.calls().len();
        if known { self.recorded_call(request) } else { Ok(Known::Absent) }
    }

    fn recorded_call(&mut self, request: &Request<'_>) -> Result<Known, Stop> {
        let journal = &self.parts.journal;
        let state = journal.calls().get(self.next);
        let entry = state.and_then(|state| journal.entries().get(state.entry));
        let (known, call, settled) = match entry.map(|entry| (&entry.event, entry.at)) {
            Some((Event::Answered(it), at)) => {
                self.now = at;
                (Known::Answered(Box::new(it.clone())), &it.call, true)
            }
            Some((Event::Denied(it), at)) => {
                self.now = at;
                (Known::Denied(recorded_denial(it)), &it.call, true)
            }
            Some((Event::Begun(it), _)) => (Known::Begun(Box::new(it.clone())), &it.call, false),
            Some((Event::Reviewed(_) | Event::Evaluated(_) | Event::Ended(_), _)) | None => {
                return Err(Stop::EndOfRecord);
            }
        };
        if call.request != request.digest {
            let recorded =
                format!("{} {} `{}`", call.capability, call.operation, call.target.as_str());
            return Err(self.diverges(recorded, asked(request)));
        }
        if !settled && self.parts.replay {
            return Err(Stop::EndOfRecord);
        }
        if settled {
            self.next += 1;
        } else {
            self.now = self.time();
        }
        if let Known::Denied(denial) = &known {
            self.last_denial = Some(denial.clone());
        }
        Ok(known)
    }

    /// A call that this process is the first to see: not one that began before a crash.
    fn is_new(&self) -> bool {
        self.next >= self.parts.journal.calls().len()
    }

    fn compare(
        &self,
        request: &Request<'_>,
        recorded: &Answered,
        answer: &Answer,
    ) -> Result<(), Stop> {
        if recorded.answer.digest() == answer.content.digest() {
            return Ok(());
        }
        let told = |digest| format!("{} answered {digest}", asked(request));
        let n = recorded.call.n;
        let divergence = Divergence {
            n,
            recorded: told(recorded.answer.digest()),
            asked: told(answer.content.digest()),
        };
        Err(Stop::Diverged(Box::new(divergence)))
    }

    fn recall(&self, recorded: &Answered) -> Result<Vec<u8>, Stop> {
        if let Some(bytes) = recorded.answer.inline() {
            return Ok(bytes.to_vec());
        }
        let digest = recorded.answer.digest();
        let kept = self.parts.inside.kept(&digest);
        let why = || Fault::Blob { digest, why: "it is not among the run's blobs".to_owned() };
        Ok(kept.ok_or_else(why)?)
    }

    fn admit(&mut self, request: &Request<'_>) -> Result<Result<Permit, Denial>, Stop> {
        let call = Call { act: request.act, worst: request.worst, request: request.digest };
        let standing = self.standing();
        let (now, authority) = (self.now, standing.as_ref());
        let authority = authority_of(&self.parts.authorities, authority);
        Ok(guard::admit(&call, &authority, &mut self.parts.meter, now))
    }

    fn readmit(
        &mut self,
        request: &Request<'_>,
        begun: &Begun,
    ) -> Result<Result<Permit, Denial>, Stop> {
        match begun.recovery {
            // Its reservation was booked when the journal was loaded: nobody knows what it used.
            Recovery::Again | Recovery::SameKey => self.admit(request),
            Recovery::Once => {
                let what = format_args!("{} {}", begun.call.capability, begun.call.operation);
                Err(Stop::Denied(Denial::new(Code::HumanDecides, what)))
            }
        }
    }

    fn standing(&self) -> Option<crate::world::GrantState> {
        let grant = self.parts.authorities.grant.as_ref()?;
        Some(self.parts.world.standing(grant.claims().jti.as_str()))
    }

    fn authority<'a>(&'a self, standing: Standing<'a>) -> Authority<'a> {
        let Authorities { operator, warrant, grant, keys } = &self.parts.authorities;
        Authority { operator, warrant, grant: grant.as_ref(), keys, standing }
    }

    async fn begin(
        &mut self,
        request: &Request<'_>,
        permit: &Permit,
        key: &str,
    ) -> Result<(), Stop> {
        let begun = Begun {
            call: self.call(request),
            recovery: permit.recovery(),
            key: Label::cut(key),
            reserved: *permit.worst(),
        };
        self.record(Event::Begun(begun))?;
        Ok(self.parts.writer.flush(true).await?)
    }

    async fn settle(
        &mut self,
        request: &Request<'_>,
        hold: Hold,
        mut answer: Answer,
    ) -> Result<(), Stop> {
        answer.used = answer.used.with(Dimension::Calls, 1).unwrap_or(answer.used);
        let settled = self.parts.meter.settle(hold, answer.used);
        debug_assert!(settled.overspent.is_none(), "an effect used more than it reserved");
        self.record(Event::Answered(self.answered(request, answer)))?;
        self.next += 1;
        self.relieve().await
    }

    async fn deny(&mut self, request: &Request<'_>, denial: Denial) -> Result<Denial, Stop> {
        let detail = Preview::of(denial.detail(), &self.parts.secrets);
        let denial = Denial::new(denial.code(), detail.as_str());
        let code = Label::cut(denial.row().name);
        self.record(Event::Denied(Denied { call: self.call(request), code, detail }))?;
        self.next += 1;
        self.last_denial = Some(denial.clone());
        self.relieve().await?;
        Ok(denial)
    }

    fn record(&mut self, event: Event) -> Result<(), Stop> {
        let line = self.parts.journal.append(self.now.max(self.parts.journal.last_at()), event);
        let line = line.map_err(|why| Fault::Journal(why.to_string()))?;
        self.written += u64::try_from(line.len()).unwrap_or(u64::MAX);
        Ok(self.parts.writer.write(&line)?)
    }

    /// Waits for the journal when it is behind, and stops a run whose journal is full.
    async fn relieve(&mut self) -> Result<(), Stop> {
        if self.parts.writer.pending() > PENDING_BYTES_MAX {
            self.parts.writer.flush(false).await?;
        }
        self.check_room()
    }

    /// After the last recorded call the run stands where it stood when that was written: also when
    /// its journal was full by then.
    fn caught_up(&self) -> Result<(), Stop> {
        let there = self.next == self.recorded && !self.parts.replay;
        if there { self.check_room() } else { Ok(()) }
    }

    fn check_room(&self) -> Result<(), Stop> {
        if self.written.saturating_add(END_ROOM) > self.parts.journal_bytes {
            return Err(Stop::Exhausted("journal bytes"));
        }
        Ok(())
    }

    fn answered(&self, request: &Request<'_>, answer: Answer) -> Answered {
        let Answer { content, used, file } = answer;
        Answered { call: self.call(request), answer: content, used, file, rotation: None }
    }

    fn call(&self, request: &Request<'_>) -> CallRecord {
        CallRecord {
            n: u64::try_from(self.next).unwrap_or(u64::MAX),
            capability: Label::cut(request.act.capability().name()),
            operation: Label::cut(request.operation),
            target: Preview::of(&request.target, &self.parts.secrets),
            request: request.digest,
        }
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

/// The last call of a run, which says what it used.
fn finishing(outcome: Outcome, reason: &str) -> Request<'_> {
    let body = (outcome.name(), reason);
    Request::plain(guard::Capability::Run, FINISH, reason, &body)
}

/// How the run came to its end, if its last call is recorded: the end itself may be missing.
fn closing(journal: &Journal) -> Option<(Outcome, String)> {
    let state = journal.calls().last()?;
    let Event::Answered(Answered { call, .. }) = &journal.entries().get(state.entry)?.event else {
        return None;
    };
    if call.operation.as_str() != FINISH {
        return None;
    }
    let reason = call.target.as_str();
    let is_it = |outcome: &Outcome| finishing(*outcome, reason).digest == call.request;
    OUTCOMES.into_iter().find(is_it).map(|outcome| (outcome, reason.to_owned()))
}

/// Bytes of the lines after the header.
fn written(journal: &Journal) -> u64 {
    let line = |entry| canonical::of(entry).map_or(0, |line| line.len().saturating_add(1));
    let lines = journal.entries().iter().map(line);
    u64::try_from(lines.sum::<usize>()).unwrap_or(u64::MAX)
}

fn authority_of<'a>(
    authorities: &'a Authorities,
    standing: Option<&'a crate::world::GrantState>,
) -> Authority<'a> {
    let Authorities { operator, warrant, grant, keys } = authorities;
    let standing = Standing {
        bound_run: standing.and_then(|state| state.bound_run.as_deref()),
        revoked: standing.is_none_or(|state| state.revoked),
    };
    Authority { operator, warrant, grant: grant.as_ref(), keys, standing }
}

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

/// A refusal as it was told the first time.
fn recorded_denial(denied: &Denied) -> Denial {
    let code = Code::named(&denied.code).unwrap_or(Code::Forbidden);
    Denial::new(code, denied.detail.as_str())
}

fn asked(request: &Request<'_>) -> String {
    let capability = request.act.capability().name();
    format!("{capability} {} `{}`", request.operation, request.target)
}

fn words(ended: &Ended) -> String {
    let outputs = ended.outputs.iter().map(|file| format!(", {} {}", file.path, file.digest));
    let result = ended.result.as_ref().map(|result| format!(", result {}", result.digest));
    let outputs: String = result.into_iter().chain(outputs).collect();
    format!("end {} ({}){outputs}", ended.outcome.name(), ended.reason)
}
