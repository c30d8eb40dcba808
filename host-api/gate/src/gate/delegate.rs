//! Calls of other agents: each a call of the journal like any other, several under way at once.
//!
//! All are judged and begun in order, then they run side by side, then their answers are written
//! down in order again: so a replay, which has only the answers, goes the same way.

use bytes::Bytes;
use envelope_evidence::journal::{CHILDREN_MAX, Content, Event, Outcome, Recovery};
use envelope_evidence::{Digest, Dimension, Label, Timestamp, Usage, canonical};
use envelope_rules::budget::Hold;
use envelope_rules::denial::{Code, Denial};
use envelope_rules::grant::{Holder, Jti, Standing, Token, Wish, delegate};
use envelope_rules::guard::Act;
use envelope_rules::path::Prefix;
use envelope_rules::pattern::PatternSet;

use super::exchange::{fetch, keep};
use super::lookup::Known;
use super::{Answer, Gate};
use crate::peers::{Calling, Came, Errand, Returned};
use crate::request::Request;
use crate::stop::{Fault, Stop};
use crate::workspace::{self, FsError, Manifest};

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

impl Gate {
    /// Passes calls of other agents.
    pub async fn call_agents(
        &mut self,
        asked: &[Asked],
    ) -> Result<Vec<Result<Came, Denial>>, Stop> {
        let first = self.next;
        let (mut seats, mut latest) = (Vec::new(), self.now);
        // What the guest has left is shared out among the callees of one call.
        let mut fuel = self.fuel.saturating_sub(self.debt);
        for one in asked {
            self.next = first + seats.len();
            let seat = self.seat(one, &mut fuel).await?;
            latest = latest.max(self.now);
            seats.push(seat);
        }
        let returned = side_by_side(self.calling(&mut seats)).await?;
        let mut returned = returned.into_iter();
        let mut answers = Vec::new();
        for (at, seat) in seats.into_iter().enumerate() {
            self.next = first + at;
            let answer = match seat {
                Seat::Settled(answer) => answer,
                Seat::Open(hold, _) => {
                    let one = asked.get(at).zip(returned.next());
                    let (one, returned) = one.ok_or(Fault::Unavailable("an answer"))?;
                    self.now = self.time().max(latest);
                    latest = self.now;
                    Ok(self.settle_child(one, hold, returned).await?)
                }
            };
            answers.push(answer);
        }
        (self.next, self.now) = (first + asked.len(), latest);
        for came in answers.iter().flatten() {
            self.debt = self.debt.saturating_add(came.fuel);
            self.take_in(came)?;
        }
        self.caught_up()?;
        Ok(answers)
    }

    /// Judges one call, and writes down that it begins.
    async fn seat(&mut self, asked: &Asked, fuel: &mut u64) -> Result<Seat, Stop> {
        let request = request(asked);
        self.debt = self.debt.saturating_add(request.fuel);
        let permit = match self.look_up(&request)? {
            Known::Answered(recorded) => {
                let came = self.recall_child(&recorded).await?;
                return Ok(Seat::Settled(Ok(came)));
            }
            Known::Denied(denial) => return Ok(Seat::Settled(Err(denial))),
            Known::Begun(begun) => self.readmit(&request, &begun)?,
            Known::Absent => self.admit(&request)?,
        };
        let permit = match permit {
            Ok(permit) => permit,
            Err(denial) => return self.turn_down(&request, denial).await,
        };
        let wanted = asked.budget.get(Dimension::Fuel);
        let begun = self.begun_at();
        let minted = self.check_share(wanted, *fuel).and_then(|()| self.hand_on(asked, begun));
        let token = match minted {
            Ok(token) => token,
            Err(denial) => {
                let _ = self.parts.meter.void(permit.spend());
                return self.turn_down(&request, denial).await;
            }
        };
        *fuel = fuel.saturating_sub(wanted);
        let errand = self.errand(asked, token, begun).await?;
        if permit.recovery() != Recovery::Again && self.is_new() {
            let key = self.key();
            self.begin(&request, &permit, &key).await?;
        }
        Ok(Seat::Open(permit.spend(), Some(Box::new(errand))))
    }

    async fn turn_down(&mut self, request: &Request<'_>, denial: Denial) -> Result<Seat, Stop> {
        Ok(Seat::Settled(Err(self.deny(request, denial).await?)))
    }

    fn check_share(&self, wanted: u64, left: u64) -> Result<(), Denial> {
        if self.next_child() >= CHILDREN_MAX {
            return Err(Denial::new(Code::DelegationMany, format_args!("{CHILDREN_MAX} agents")));
        }
        if wanted > left {
            let what = format_args!("fuel wanted {wanted}, remaining {left}");
            return Err(Denial::new(Code::BudgetExhausted, what));
        }
        Ok(())
    }

    /// Agents called so far, those under way included.
    fn next_child(&self) -> usize {
        let journal = &self.parts.journal;
        let called = journal.calls().iter().filter_map(|state| journal.entries().get(state.entry));
        let called = called.filter(|entry| match &entry.event {
            Event::Answered(answered) => answered.child.is_some(),
            Event::Begun(begun) => begun.call.capability.as_str() == AGENTS,
            Event::Denied(_) | Event::Reviewed(_) | Event::Evaluated(_) | Event::Ended(_) => false,
        });
        called.count()
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
        let end = begun.secs().saturating_add(u64::from(asked.ttl));
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

    async fn errand(
        &mut self,
        asked: &Asked,
        token: Token,
        begun: Timestamp,
    ) -> Result<Errand, Stop> {
        let files = self.gather(asked).await?;
        let parts = &self.parts;
        Ok(Errand {
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
        })
    }

    /// The files that the callee sees: those of the caller that it may read, as they are now.
    async fn gather(&mut self, asked: &Asked) -> Result<Manifest, Stop> {
        let inside = &mut self.parts.inside;
        let below = |path: &_| asked.outputs.as_ref().is_some_and(|it| it.contains(path));
        let found = inside.workspace.files(|path| asked.files.matches(path) || below(path));
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
        let manifest = Manifest::new(entries);
        Ok(manifest.map_err(|why| Fault::Journal(why.to_string()))?)
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
    ) -> Result<Came, Stop> {
        let Returned { mut came, child } = returned;
        came.outputs.retain(|file| {
            asked.outputs.as_ref().is_some_and(|prefix| prefix.contains(&file.path))
        });
        if !self.parts.inside.workspace.has_room(&came.outputs) {
            came.outputs.clear();
            came.outcome = Some(Outcome::Exhausted);
            (came.reason, came.document) = (Label::cut("room for its files"), None);
        }
        let bytes = canonical::of(&came).map_err(|why| Fault::Journal(why.to_string()))?;
        let content = keep(self.parts.inside.blobs.clone(), &bytes).await?;
        let used = child.as_ref().map_or(Usage::ZERO, |child| within(child.used, hold.worst()));
        let answer = Answer { used, ..Answer::of(content) };
        self.settle_with(&request(asked), hold, answer, child).await?;
        Ok(came)
    }

    async fn recall_child(&mut self, recorded: &Content) -> Result<Came, Stop> {
        let bytes = fetch(self.parts.inside.blobs.clone(), recorded).await?;
        let came = canonical::read(&bytes);
        let digest = recorded.digest();
        Ok(came.map_err(|why| Fault::Blob { digest, why: why.to_string() })?)
    }

    /// Takes in what a callee made, now or on a replay.
    fn take_in(&mut self, came: &Came) -> Result<(), Stop> {
        let now = self.now;
        for file in &came.outputs {
            let accepted = self.parts.inside.workspace.accept(file, now);
            accepted.map_err(|why| spoiled(file.digest, why))?;
        }
        Ok(())
    }
}

/// The name of the capability in journals.
const AGENTS: &str = "agents";

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
    let mut returned = Vec::new();
    while let Some(done) = tasks.join_next().await {
        let (at, one) = done.map_err(|_| Fault::Unavailable("a callee"))?;
        returned.push((at, one?));
    }
    returned.sort_by_key(|(at, _)| *at);
    Ok(returned.into_iter().map(|(_, one)| one).collect())
}

/// 26 characters of Crockford's base 32: the shape of a ULID, made from a digest.
fn ulid(digest: &Digest) -> String {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let half = digest.as_bytes().first_chunk::<16>().copied().unwrap_or_default();
    let number = u128::from_be_bytes(half);
    let digit = |place: u32| {
        let value = usize::try_from((number >> (place * 5)) & 31).unwrap_or_default();
        DIGITS.get(value).copied().map_or('0', char::from)
    };
    (0..26).rev().map(digit).collect()
}

fn blob(digest: Digest, why: &workspace::Fault) -> Fault {
    Fault::Blob { digest, why: why.to_string() }
}

fn spoiled(digest: Digest, why: FsError) -> Fault {
    Fault::Blob { digest, why: format!("{why:?}") }
}
