//! A grant in the place of another, because a human said so.
//!
//! What the run was granted at its start goes on, and with it what is allowed now; what was allowed
//! before ends. So nothing that a human allowed for a minute lasts longer on another human's word.

use std::sync::{Arc, OnceLock};

use envelope_evidence::journal::{Beside, CallerKind, Event, Rotation, Scope};
use envelope_evidence::{Digest, Dimension, Label, PathText};
use envelope_rules::approval::{Request as Asked, Verdict, Wanted};
use envelope_rules::denial::{Code, Denial};
use envelope_rules::grant::{
    Budget, Ceiling, Claims, Expansion, Grant, Holder, Jti, LIFE_SECS_MAX, Standing, expand,
    reissue,
};
use envelope_rules::guard::tokens_with;
use envelope_rules::path::Prefix;
use envelope_rules::pattern::{Pattern, PatternSet};

use super::approve::{Fate, Kind};
use super::delegate::ulid;
use super::{Gate, claims};
use crate::stop::{Fault, Stop};

/// What the run holds from here on.
pub(super) struct Turned {
    pub(super) rotation: Rotation,
    /// What was allowed, as far as it can be held. None, where nothing was asked for.
    allowed: Option<Wanted>,
    /// The grant, and the one to revoke. A replay has none.
    grant: Option<(Grant, Jti)>,
}

/// What a human allowed beside files, for as long as the grant lasts that came with it.
pub(super) struct Lent {
    beside: Beside,
    /// The first second that is too late.
    until: u64,
}

impl Turned {
    /// What was allowed, as the guest is told.
    pub(super) fn fate(&self, fate: &Fate) -> Fate {
        let allowed = self.allowed.clone();
        allowed.map_or_else(|| fate.clone(), |scope| Fate::Allowed(Verdict::Allow { scope }))
    }
}

impl Gate {
    /// What the run holds after `fate`: a wider grant where it was asked for one, the same for as
    /// long as it had left where it waited for something else. Nothing moves yet.
    pub(super) fn turn(
        &self,
        kind: Kind,
        asked: &Asked,
        fate: &Fate,
        approval: &Label,
    ) -> Result<Option<Turned>, Denial> {
        let old = self.parts.authorities.grant.as_ref();
        match (kind, fate, old) {
            (Kind::Scope, Fate::Allowed(Verdict::Allow { scope }), Some(old)) => {
                self.widen_grant(old, scope.clone(), approval).map(Some)
            }
            (Kind::Scope, _, None) => {
                Err(Denial::new(Code::NotGranted, "a run without a grant has none to widen"))
            }
            // Withdrawn or never redeemed, it stays what it is: the answer is one all the same.
            // A no to a question is an answer like any other: it takes none of the run's time.
            (_, Fate::Allowed(_), Some(old))
            | (Kind::Ask, Fate::Declined(_) | Fate::Expired, Some(old)) => {
                Ok(self.renew(old, asked, approval).ok().flatten())
            }
            (_, _, _) => Ok(None),
        }
    }

    fn widen_grant(
        &self,
        old: &Grant,
        mut allowed: Wanted,
        approval: &Label,
    ) -> Result<Turned, Denial> {
        let first = self.first_claims().unwrap_or_else(|| old.claims().clone());
        let had = first.outputs.as_ref();
        // One grant has one place to write: what would move it elsewhere is not held.
        let holds = |wider: &Prefix| had.is_none_or(|had| had.within(wider));
        allowed.write = allowed.write.filter(holds);
        let outputs = allowed.write.clone().or_else(|| first.outputs.clone());
        let paths = union(&first.paths, &allowed.read)?;
        let now = self.now.secs();
        allowed.ttl = allowed.ttl.min(LIFE_SECS_MAX).min(self.deadline_secs().saturating_sub(now));
        let beside = self.beside(&allowed);
        let budget = self.first_budget.map(|first| {
            let more = beside.as_ref().map_or(0, |beside| beside.nano_usd);
            Budget::nano_usd(first.limit.saturating_add(more))
        });
        let exp = now.saturating_add(allowed.ttl);
        let wider = Expansion {
            jti: self.next_jti()?,
            paths,
            outputs,
            exp,
            budget,
            approval: approval.to_string(),
        };
        if let Some(beside) = &beside {
            let widened = self.bought.widened(beside);
            widened.map_err(|why| Denial::new(Code::Forbidden, why))?;
        }
        self.replace(old, wider, beside, Some(allowed))
    }

    /// The time that humans take is not the run's: it has as much left as when it asked.
    fn renew(
        &self,
        old: &Grant,
        asked: &Asked,
        approval: &Label,
    ) -> Result<Option<Turned>, Denial> {
        // A callee has no more time than its caller, however long it waits.
        if self.parts.journal.header().caller.kind == CallerKind::Agent {
            return Ok(None);
        }
        let Claims { paths, outputs, exp, budget, .. } = old.claims().clone();
        let left = exp.saturating_sub(asked.asked.secs()).min(LIFE_SECS_MAX);
        let exp = self.now.secs().saturating_add(left).min(self.deadline_secs());
        if left == 0 || exp <= self.now.secs() {
            return Ok(None);
        }
        let (jti, approval) = (self.next_jti()?, approval.to_string());
        let same = Expansion { jti, paths, outputs, exp, budget, approval };
        let beside = self.lent.as_ref().map(|lent| lent.beside.clone());
        self.replace(old, same, beside, None).map(Some)
    }

    fn replace(
        &self,
        old: &Grant,
        wider: Expansion,
        beside: Option<Beside>,
        allowed: Option<Wanted>,
    ) -> Result<Turned, Denial> {
        let authorities = &self.parts.authorities;
        let state = self.standing().unwrap_or_default();
        let standing = Standing { bound_run: state.bound_run.as_deref(), revoked: state.revoked };
        let warrant = &authorities.warrant;
        let holder = Holder { agent: warrant.agent(), run: warrant.run(), standing };
        // What the parties allow at most was judged with the decision, key by key.
        let (paths, outputs) = (wider.paths.clone(), wider.outputs.clone());
        let exp = self.deadline_secs();
        let most = Ceiling { paths: &paths, outputs: outputs.as_ref(), exp, budget: None };
        let rotated = expand(old, wider, [most, most], &holder, &authorities.keys, self.now)?;
        let grant = Grant::open(rotated.token.as_str(), &authorities.keys, self.now)?;
        let scope = scope_of(&grant)?;
        let rotation = Rotation { approval: Label::cut(&rotated.approval), beside, scope };
        Ok(Turned { rotation, allowed, grant: Some((grant, rotated.revoke)) })
    }

    /// What an earlier process held after its approval: the same grant, known by its digest.
    pub(super) fn turn_again(&self, rotation: Rotation) -> Result<Turned, Stop> {
        let held = self.parts.authorities.grant.as_ref();
        let Some(old) = held.filter(|_| !self.parts.replay) else {
            return Ok(Turned { rotation, allowed: None, grant: None });
        };
        let spoiled = || Fault::Journal("a grant of the record cannot be made again".to_owned());
        let said = claims(&rotation.scope).ok_or_else(spoiled)?;
        let money = rotation.beside.as_ref().map_or(0, |beside| beside.nano_usd);
        let first = self.first_budget;
        let budget = first.map(|first| Budget::nano_usd(first.limit.saturating_add(money)));
        let approval = rotation.approval.to_string();
        let Claims { jti, paths, outputs, exp, .. } = said;
        let wider = Expansion { jti, paths, outputs, exp, budget, approval };
        let (keys, run) = (&self.parts.authorities.keys, self.parts.authorities.warrant.run());
        let again = reissue(old, wider, run, keys, self.now)
            .and_then(|token| Grant::open(token.as_str(), keys, self.now));
        let grant = again.map_err(|_| spoiled())?;
        if grant.token_digest() != rotation.scope.token {
            return Err(spoiled().into());
        }
        let revoke = old.claims().jti.clone();
        Ok(Turned { rotation, allowed: None, grant: Some((grant, revoke)) })
    }

    /// Holds it: the old grant is good for nothing any more.
    pub(super) fn hold(&mut self, turned: Turned) -> Result<(), Stop> {
        let Turned { rotation, grant, .. } = turned;
        let says = claims(&rotation.scope);
        if let Some(prefix) = says.as_ref().and_then(|claims| claims.outputs.as_ref()) {
            self.parts.inside.workspace.imply(&prefix.folder(), self.now);
        }
        self.claims = OnceLock::from(says);
        let Some((grant, revoke)) = grant else { return Ok(()) };
        self.parts.world.rotated(&revoke, &grant.claims().jti)?;
        let until = grant.claims().exp;
        self.parts.authorities.grant = Some(grant);
        self.lend(rotation.beside, until)
    }

    /// Widens the warrant until the grant ends.
    fn lend(&mut self, beside: Option<Beside>, until: u64) -> Result<(), Stop> {
        let Some(beside) = beside else {
            self.lent = None;
            return self.narrow();
        };
        let widened = self.bought.widened(&beside);
        let widened = widened.map_err(|why| Fault::Journal(why.to_string()))?;
        self.parts.authorities.warrant = Arc::new(widened);
        self.parts.meter.raise(Dimension::NanoUsd, beside.nano_usd);
        self.parts.meter.raise(Dimension::Tokens, tokens_with(&beside));
        self.lent = Some(Lent { beside, until });
        Ok(())
    }

    /// What was lent for a time ends with it.
    pub(crate) fn take_back(&mut self) -> Result<(), Stop> {
        let now = self.now.secs();
        match self.lent.take_if(|lent| lent.until <= now) {
            Some(_) => self.narrow(),
            None => Ok(()),
        }
    }

    /// Back to what was bought. What was spent beyond it is spent: the run goes on without.
    fn narrow(&mut self) -> Result<(), Stop> {
        let narrowed = self.bought.overspent(&self.parts.journal.used());
        let narrowed = narrowed.map_err(|why| Fault::Journal(why.to_string()))?;
        self.parts.authorities.warrant = Arc::new(narrowed);
        Ok(())
    }

    /// The rotation of the call that was looked up last.
    pub(super) fn recorded_rotation(&self) -> Option<Rotation> {
        let journal = &self.parts.journal;
        let state = journal.calls().get(self.next.checked_sub(1)?)?;
        match &journal.entries().get(state.entry)?.event {
            Event::Answered(answered) => answered.rotation.as_deref().cloned(),
            Event::Begun(_)
            | Event::Denied(_)
            | Event::Reviewed(_)
            | Event::Evaluated(_)
            | Event::Ended(_) => None,
        }
    }

    pub(crate) fn first_claims(&self) -> Option<Claims> {
        self.parts.journal.header().scope.as_ref().and_then(claims)
    }

    fn deadline_secs(&self) -> u64 {
        self.parts.authorities.warrant.deadline().secs()
    }

    /// What is allowed beside files. Money is counted in all: what was spent beyond what was
    /// bought, and what is allowed on top of it.
    fn beside(&self, allowed: &Wanted) -> Option<Beside> {
        let Wanted { hosts, models, nano_usd, .. } = allowed;
        let bought = self.bought.document().budget.get(Dimension::NanoUsd).unwrap_or(u64::MAX);
        let beyond = self.parts.journal.used().get(Dimension::NanoUsd).saturating_sub(bought);
        let nano_usd = if *nano_usd > 0 { beyond.saturating_add(*nano_usd) } else { beyond };
        let beside = Beside { hosts: hosts.clone(), models: models.clone(), nano_usd };
        (beside != Beside::default()).then_some(beside)
    }

    /// The name of the grant that the call under way brings: the same after a crash.
    fn next_jti(&self) -> Result<Jti, Denial> {
        let run = self.parts.journal.header_digest();
        let n = u64::try_from(self.next).unwrap_or(u64::MAX);
        let name = Digest::of_parts(&[b"envelope rotation 1", run.as_bytes(), &n.to_be_bytes()]);
        let text = format!("grt_{}", ulid(&name));
        Jti::parse(&text).map_err(|why| Denial::new(Code::GrantMalformed, why))
    }
}

/// Both, each pattern once.
pub(crate) fn union(first: &PatternSet, more: &PatternSet) -> Result<PatternSet, Denial> {
    let mut all: Vec<Pattern> = first.patterns().to_vec();
    for pattern in more.patterns() {
        if !all.iter().any(|known| pattern.within(known)) {
            all.push(pattern.clone());
        }
    }
    PatternSet::new(all).map_err(|why| Denial::new(Code::GrantMalformed, why))
}

/// What evidence says of a grant.
pub fn scope_of(grant: &Grant) -> Result<Scope, Denial> {
    let claims = grant.claims();
    let paths = claims.paths.patterns().iter().map(|it| PathText::new(it.to_string()));
    let paths = paths.collect::<Result<Vec<_>, _>>();
    Ok(Scope {
        jti: Label::cut(claims.jti.as_str()),
        token: grant.token_digest(),
        audience: Label::cut(&claims.aud),
        paths: paths.map_err(|why| Denial::new(Code::GrantMalformed, why))?,
        outputs: PathText::cut(claims.outputs.as_ref().map_or("", Prefix::as_str)),
        issued: claims.iat,
        expires: claims.exp,
        depth: claims.depth.unwrap_or_default(),
        parent: claims.par.as_ref().map(|parent| Label::cut(parent.jti.as_str())),
        previous: claims.prev.as_ref().map(|prev| Label::cut(prev.as_str())),
    })
}
