//! Calls of other agents: each a call of the journal like any other, several under way at once.
//!
//! All are judged and begun in order, then they run side by side, then their answers are written
//! down in order again: so a replay, which has only the answers, goes the same way.

use bytes::Bytes;
use envelope_evidence::journal::{CHILDREN_MAX, Content, Outcome, Recovery};
use envelope_evidence::{Digest, Dimension, Label, Timestamp, Usage, canonical};
use envelope_rules::budget::Hold;
use envelope_rules::denial::{Code, Denial};
use envelope_rules::grant::{Holder, Jti, Standing, Token, Wish, delegate};
use envelope_rules::guard::Act;
use envelope_rules::path::{Path, Prefix};
use envelope_rules::pattern::PatternSet;

use super::exchange::{fetch, keep};
use super::lookup::Known;
use super::{Answer, Gate};
use crate::cost;
use crate::peers::{Calling, Came, Errand, Returned};
use crate::request::Request;
use crate::stop::{Fault, Stop};
use crate::workspace::{self, FileEntry, FsError, Manifest, NodeId};

/// Bytes of what a callee returns: a document, as its arguments are, and not a file.
const DOCUMENT_BYTES_MAX: usize = 1 << 20;

/// What one agent is asked, by the one that calls it.
pub struct Asked {
    /// The agent, by its service identity.
    pub agent: String,
    /// The skill.
    pub skill: String,
    /// Its arguments, a JSON document.
    pub args: String,
    /// What it may read.
    pub files: PatternSet,
    /// Where it may write.
    pub outputs: Option<Prefix>,
    /// How long it may take, in seconds.
    pub ttl: u32,
    /// What it may use, fuel included.
    pub budget: Usage,
    /// The digest of all that was asked.
    pub digest: Digest,
}

/// How far one of several calls came.
enum Seat {
    Settled(Result<Came, Denial>),
    Open(Hold, Option<Box<Errand>>),
}

/// What a callee sees of its caller's files.
type Found = Vec<(NodeId, Path)>;

impl Gate {
    /// Passes calls of other agents.
    pub async fn call_agents(
        &mut self,
        asked: &[Asked],
    ) -> Result<Vec<Result<Came, Denial>>, Stop> {
        let (mut refused, mut open) = (Vec::new(), Vec::new());
        for one in asked {
            self.carry_handed(one);
            let denial = self.foresee(&request(one)).await?;
            open.extend(denial.is_none().then_some(one));
            refused.push(denial);
        }
        let first = self.next;
        let answers = self.batch(first, &open).await;
        if answers.is_err() {
            // Cut short wherever it was: what is recorded of it is behind the run.
            self.next = self.recorded_calls().min(first + open.len());
        }
        let mut answers = answers?.into_iter();
        let place = |refused: Option<Denial>| refused.map(Err).or_else(|| answers.next());
        Ok(refused.into_iter().filter_map(place).collect())
    }

    async fn batch(
        &mut self,
        first: usize,
        asked: &[&Asked],
    ) -> Result<Vec<Result<Came, Denial>>, Stop> {
        let found: Vec<_> = asked.iter().map(|one| self.look_for(one)).collect();
        let (mut seats, mut latest) = (Vec::new(), self.now);
        // What the guest has left is shared out among the callees of one call.
        let mut fuel = self.fuel.saturating_sub(self.debt);
        for (one, found) in asked.iter().zip(found) {
            self.next = first + seats.len();
            let seat = match self.seat(one, found, &mut fuel).await {
                Err(Stop::EndOfRecord) => return Err(self.rest_of_record(first, asked)),
                seat => seat?,
            };
            latest = latest.max(self.now);
            seats.push(seat);
        }
        let returned = side_by_side(self.calling(&mut seats)).await?;
        let mut returned = returned.into_iter();
        let (mut answers, mut taken) = (Vec::new(), Vec::new());
        for (at, seat) in seats.into_iter().enumerate() {
            self.next = first + at;
            let answer = match seat {
                Seat::Settled(answer) => answer,
                Seat::Open(hold, _) => {
                    let one = asked.get(at).zip(returned.next());
                    let (one, returned) = one.ok_or(Fault::Unavailable("an answer"))?;
                    self.now = self.time().max(latest);
                    latest = self.now;
                    Ok(self.settle_child(one, hold, returned, &taken).await?)
                }
            };
            taken.extend(answer.iter().flat_map(|came| came.outputs.iter().cloned()));
            answers.push(answer);
        }
        (self.next, self.now) = (first + asked.len(), latest);
        for came in answers.iter().flatten() {
            self.charge(came.fuel.saturating_add(came.weight()));
        }
        self.take_in(&taken)?;
        self.caught_up()?;
        Ok(answers)
    }

    /// An open call is where the record of a run ends, but not where that of its batch does: what
    /// is recorded behind it has to be what is asked now.
    fn rest_of_record(&mut self, first: usize, asked: &[&Asked]) -> Stop {
        for (at, one) in asked.iter().enumerate().skip(self.next.saturating_sub(first)) {
            self.next = first + at;
            match self.look_up(&request(one)) {
                // Answers are written down in order: behind an open call there is none.
                Ok(Known::Answered(_)) => {
                    return self.diverges("an answer".to_owned(), super::asked(&request(one)));
                }
                Ok(Known::Denied(_) | Known::Begun(_) | Known::Absent) | Err(Stop::EndOfRecord) => {
                }
                Err(stop) => return stop,
            }
        }
        Stop::EndOfRecord
    }

    /// The files that the callee would see, and what it costs to find and to hash them: charged
    /// before anything is judged, so that a replay, which hands nothing on, charges the same.
    fn look_for(&mut self, asked: &Asked) -> Found {
        let found = self.handed(asked);
        let workspace = &mut self.parts.inside.workspace;
        let looks = 1 + asked.files.patterns().len();
        let looks = u64::try_from(workspace.nodes().saturating_mul(looks)).unwrap_or(u64::MAX);
        let bytes = found.iter().map(|(id, _)| workspace.owe(*id)).fold(0, u64::saturating_add);
        let request = request(asked).looking_at(looks);
        self.charge(request.fuel.saturating_add(bytes.saturating_mul(cost::BYTE)));
        found
    }

    pub(super) fn handed(&self, asked: &Asked) -> Found {
        let below = |path: &_| asked.outputs.as_ref().is_some_and(|it| it.contains(path));
        self.parts.inside.workspace.files(|path| asked.files.matches(path) || below(path))
    }

    /// Judges one call, and writes down that it begins.
    async fn seat(&mut self, asked: &Asked, found: Found, fuel: &mut u64) -> Result<Seat, Stop> {
        let request = request(asked);
        let permit = match self.look_up(&request)? {
            Known::Answered(recorded) => {
                let came = self.recall_child(&recorded).await?;
                self.children += usize::from(came.outcome.is_some());
                return Ok(Seat::Settled(Ok(came)));
            }
            Known::Denied(denial) => return Ok(Seat::Settled(Err(denial))),
            Known::Begun(begun) => match self.readmit(&request, &begun)? {
                // It may have spent already: its record stays open, and all of it counts as used.
                Err(denial) => return Err(Stop::Denied(denial)),
                permit => permit,
            },
            Known::Absent => {
                self.fund(asked.budget.get(Dimension::NanoUsd)).await?;
                self.admit(&request)?
            }
        };
        let permit = match permit {
            Ok(permit) => permit,
            Err(denial) => return self.turn_down(&request, denial).await,
        };
        let wanted = asked.budget.get(Dimension::Fuel);
        let begun = self.begun_at();
        let minted = self.check_share(wanted, *fuel).and_then(|()| self.hand_on(asked, begun));
        let ready = match minted {
            Ok(token) => self.gather(found).await?.map(|files| (token, files)),
            Err(denial) => Err(denial),
        };
        let (token, files) = match ready {
            Ok(ready) => ready,
            Err(denial) => {
                let _ = self.parts.meter.void(permit.spend());
                return self.turn_down(&request, denial).await;
            }
        };
        *fuel = fuel.saturating_sub(wanted);
        let errand = self.errand(asked, token, files, begun);
        if permit.recovery() != Recovery::Again && self.is_new() {
            let key = self.key();
            self.begin(&request, &permit, &key).await?;
        }
        self.children += 1;
        Ok(Seat::Open(permit.spend(), Some(Box::new(errand))))
    }

    async fn turn_down(&mut self, request: &Request<'_>, denial: Denial) -> Result<Seat, Stop> {
        Ok(Seat::Settled(Err(self.deny(request, denial).await?)))
    }

    fn check_share(&self, wanted: u64, left: u64) -> Result<(), Denial> {
        if self.children >= CHILDREN_MAX {
            return Err(Denial::new(Code::DelegationMany, format_args!("{CHILDREN_MAX} agents")));
        }
        if wanted > left {
            let what = format_args!("fuel wanted {wanted}, remaining {left}");
            return Err(Denial::new(Code::BudgetExhausted, what));
        }
        Ok(())
    }

    /// Mints the part of the run's grant that the callee gets.
    fn hand_on(&self, asked: &Asked, begun: Timestamp) -> Result<Token, Denial> {
        let authorities = &self.parts.authorities;
        let no_grant = || Denial::new(Code::NotGranted, "a run without a grant hands nothing on");
        let parent = authorities.grant.as_ref().ok_or_else(no_grant)?;
        let state = self.standing().unwrap_or_default();
        let standing = Standing { bound_run: state.bound_run.as_deref(), revoked: state.revoked };
        let warrant = &authorities.warrant;
        let holder = Holder { agent: warrant.agent(), run: warrant.run(), standing };
        let deadline = self.child_deadline(asked, begun).secs();
        let nano_usd = asked.budget.get(Dimension::NanoUsd);
        let wish = Wish {
            jti: self.child_jti()?,
            aud: asked.agent.clone(),
            run: Some(self.child_run().to_string()),
            paths: asked.files.clone(),
            outputs: asked.outputs.clone(),
            exp: deadline.min(parent.claims().exp),
            nano_usd,
        };
        delegate(parent, wish, nano_usd, &holder, &authorities.keys, begun)
    }

    /// When the call began: the same after a crash, so that it is the same grant and deadline.
    fn begun_at(&self) -> Timestamp {
        let journal = &self.parts.journal;
        let state = journal.calls().get(self.next);
        let entry = state.and_then(|state| journal.entries().get(state.entry));
        entry.map_or(self.now, |entry| entry.at)
    }

    fn child_deadline(&self, asked: &Asked, begun: Timestamp) -> Timestamp {
        // What was lent for a time ends with the grant, in whosever hands it is.
        let grant = self.parts.authorities.grant.as_ref();
        let grant = grant.map_or(u64::MAX, |grant| grant.claims().exp);
        let end = begun.secs().saturating_add(u64::from(asked.ttl)).min(grant);
        let end = Timestamp::from_secs(end).unwrap_or(Timestamp::MAX);
        end.min(self.parts.authorities.warrant.deadline())
    }

    /// What tells this call's run from all others, however often the caller is taken up again.
    fn child_name(&self) -> Digest {
        let run = self.parts.journal.header_digest();
        let n = u64::try_from(self.next).unwrap_or(u64::MAX);
        Digest::of_parts(&[b"envelope child 1", run.as_bytes(), &n.to_be_bytes()])
    }

    fn child_run(&self) -> Label {
        Label::cut(&format!("run_{}", ulid(&self.child_name())))
    }

    fn child_jti(&self) -> Result<Jti, Denial> {
        let text = format!("grt_{}", ulid(&self.child_name()));
        Jti::parse(&text).map_err(|why| Denial::new(Code::GrantMalformed, why))
    }

    fn errand(&self, asked: &Asked, token: Token, files: Manifest, begun: Timestamp) -> Errand {
        let parts = &self.parts;
        Errand {
            run: self.child_run(),
            agent: Label::cut(&asked.agent),
            skill: Label::cut(&asked.skill),
            args: Bytes::copy_from_slice(asked.args.as_bytes()),
            token,
            files,
            blobs: parts.inside.blobs.clone(),
            operator: parts.authorities.operator.clone(),
            ceiling: parts.authorities.warrant.clone(),
            budget: asked.budget,
            deadline: self.child_deadline(asked, begun),
            seed: Digest::of_parts(&[b"envelope seed 1", self.child_name().as_bytes()]),
            secrets: parts.secrets.clone(),
            carried: self.carried.clone(),
            room: self.room.clone(),
        }
    }

    /// The files that the callee sees: those of the caller that it may read, as they are now. More
    /// than a manifest holds are not handed on.
    async fn gather(&mut self, found: Found) -> Result<Result<Manifest, Denial>, Stop> {
        let inside = &mut self.parts.inside;
        let mut entries = Vec::new();
        for (id, path) in found {
            if let Some(digest) = inside.workspace.lacks(id) {
                let bytes = inside.blobs.get(&digest).await.map_err(|why| blob(digest, &why))?;
                inside.workspace.supply(id, bytes).map_err(|why| spoiled(digest, why))?;
            }
            let handed = inside.workspace.hand(id, path);
            let handed = handed.map_err(|why| spoiled(Digest::of(b""), why))?;
            if let Some(bytes) = handed.bytes {
                let put = inside.blobs.put(bytes).await;
                put.map_err(|why| blob(handed.entry.digest, &why))?;
            }
            entries.push(handed.entry);
        }
        Ok(Manifest::new(entries).map_err(|why| Denial::new(Code::DelegationFiles, why)))
    }

    /// All that is open, ready to run.
    fn calling(&self, seats: &mut [Seat]) -> Vec<Calling> {
        let mut calling: Vec<Calling> = Vec::new();
        for seat in seats.iter_mut() {
            let Seat::Open(_, errand) = seat else { continue };
            let Some(errand) = errand.take() else { continue };
            let world = self.parts.world.clone();
            calling.push(match world.peers() {
                Some(peers) => peers.call(*errand, world),
                None => Box::pin(std::future::ready(Ok(Returned::never("no agents run here")))),
            });
        }
        calling
    }

    async fn settle_child(
        &mut self,
        asked: &Asked,
        hold: Hold,
        returned: Returned,
        taken: &[FileEntry],
    ) -> Result<Came, Stop> {
        let Returned { mut came, child } = returned;
        came.outputs.retain(|file| {
            asked.outputs.as_ref().is_some_and(|prefix| prefix.contains(&file.path))
        });
        if let Err((outcome, reason)) = self.check_came(&came, taken) {
            came.outputs.clear();
            (came.outcome, came.reason) = (Some(outcome), Label::cut(reason));
            came.document = None;
        }
        let bytes = canonical::of(&came).map_err(|why| Fault::Journal(why.to_string()))?;
        let content = keep(self.parts.inside.blobs.clone(), &bytes).await?;
        let used = child.as_ref().map_or(Usage::ZERO, |child| within(child.used, hold.worst()));
        let answer = Answer { used, ..Answer::of(content) };
        self.children = self.children.saturating_sub(usize::from(child.is_none()));
        self.settle_as(&request(asked), hold, answer, child, None).await?;
        Ok(came)
    }

    /// Whether what a callee made can be taken in behind what was taken before: asked before it is
    /// recorded, because what is recorded is taken in, now and on every replay.
    fn check_came(&self, came: &Came, taken: &[FileEntry]) -> Result<(), (Outcome, &'static str)> {
        match self.parts.inside.workspace.admits(taken, &came.outputs) {
            Ok(()) => {}
            Err(FsError::Quota) => return Err((Outcome::Exhausted, "room for its files")),
            Err(_) => return Err((Outcome::Failed, "no place for its files")),
        }
        let short = came.document.as_ref().is_none_or(|it| it.len() <= DOCUMENT_BYTES_MAX);
        if short && canonical::of(came).is_ok() {
            return Ok(());
        }
        Err((Outcome::Exhausted, "bytes of its document"))
    }

    async fn recall_child(&mut self, recorded: &Content) -> Result<Came, Stop> {
        let bytes = fetch(self.parts.inside.blobs.clone(), recorded).await?;
        let came = canonical::read(&bytes);
        let digest = recorded.digest();
        Ok(came.map_err(|why| Fault::Blob { digest, why: why.to_string() })?)
    }

    /// Takes in what callees made, now or on a replay.
    fn take_in(&mut self, files: &[FileEntry]) -> Result<(), Stop> {
        let now = self.now;
        for file in files {
            let accepted = self.parts.inside.workspace.accept(file, now);
            accepted.map_err(|why| spoiled(file.digest, why))?;
        }
        Ok(())
    }
}

fn request(asked: &Asked) -> Request<'_> {
    let worst = asked.budget.with(Dimension::Fuel, 0).unwrap_or(asked.budget);
    let target = format!("{} {}", asked.agent, asked.skill);
    let act = Act::Agent(&asked.agent);
    Request { worst, ..Request::new(act, "call", target.into(), &asked.digest) }
}

/// What is charged: never more than was set aside, because the callee's own meter holds it there.
fn within(used: Usage, worst: &Usage) -> Usage {
    let rows = [Dimension::NanoUsd, Dimension::Tokens, Dimension::Bytes, Dimension::Calls];
    rows.into_iter().fold(Usage::ZERO, |row, dimension| {
        let amount = used.get(dimension).min(worst.get(dimension));
        row.with(dimension, amount).unwrap_or(row)
    })
}

/// Lets all of them run at once, and gives what came of them in their order.
async fn side_by_side(mut calling: Vec<Calling>) -> Result<Vec<Returned>, Stop> {
    if calling.len() == 1 {
        let only = calling.pop();
        return match only {
            Some(only) => Ok(vec![only.await?]),
            None => Ok(Vec::new()),
        };
    }
    let mut tasks = tokio::task::JoinSet::new();
    for (at, one) in calling.into_iter().enumerate() {
        tasks.spawn(async move { (at, one.await) });
    }
    let (mut returned, mut aside) = (Vec::new(), None);
    while let Some(done) = tasks.join_next().await {
        match done.map_err(|_| Fault::Unavailable("a callee"))? {
            (at, Ok(one)) => returned.push((at, one)),
            // One waits for a human: that is no reason to tear the others from their work.
            (_, Err(Stop::Suspended)) => aside = Some(Stop::Suspended),
            (_, Err(stop)) => return Err(stop),
        }
    }
    aside.map_or(Ok(()), Err)?;
    returned.sort_by_key(|(at, _)| *at);
    Ok(returned.into_iter().map(|(_, one)| one).collect())
}

/// The shape of a ULID, made from a digest.
pub(super) fn ulid(digest: &Digest) -> String {
    let half = digest.as_bytes().first_chunk::<16>().copied().unwrap_or_default();
    envelope_evidence::ulid(u128::from_be_bytes(half))
}

fn blob(digest: Digest, why: &workspace::Fault) -> Fault {
    Fault::Blob { digest, why: why.to_string() }
}

fn spoiled(digest: Digest, why: FsError) -> Fault {
    Fault::Blob { digest, why: format!("{why:?}") }
}
