//! How grants come to be: minted, handed on in part, or replaced by a wider one.
//!
//! Only the runtime mints, and it is in every call: a holder of an HS256 grant cannot attenuate it
//! offline, it asks here.

use envelope_evidence::Timestamp;

use super::claims::{Actor, Budget, Claims, DEPTH_MAX, Jti, Parent};
use super::key::GrantKeys;
use super::{Grant, Holder, Token, ensure, malformed};
use crate::denial::{Code, Denial};
use crate::jws::TOKEN_BYTES_MAX;
use crate::path::Prefix;
use crate::pattern::{Pattern, PatternSet};

/// A fresh grant that says `claims`, signed with the newest live key. Nothing but the shape of the
/// claims is judged: what the operator and the Paper allow is decided before.
pub fn mint(claims: &Claims, keys: &GrantKeys, now: Timestamp) -> Result<Token, Denial> {
    claims.check()?;
    let payload = serde_json::to_vec(claims).map_err(malformed)?;
    let token = keys.sign(&payload, now)?;
    let length = token.as_str().len();
    ensure(length <= TOKEN_BYTES_MAX, Code::GrantMalformed, || {
        format!("the token would be {length} bytes long, more than {TOKEN_BYTES_MAX}")
    })?;
    Ok(token)
}

/// What a holder wants to hand on.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The name of the grant to come. Only the store can tell that nobody bears it yet.
    pub jti: Jti,
    /// The agent that gets it.
    pub aud: String,
    /// That agent's run, where it is known already.
    pub run: Option<String>,
    /// What it may read.
    pub paths: PatternSet,
    /// Where it may write.
    pub outputs: Option<Prefix>,
    /// When it expires, in seconds since 1970.
    pub exp: u64,
    /// What it may spend, in billionths of a US dollar.
    pub nano_usd: u64,
}

/// A part of `parent` for another agent. The holder must be able to use `parent` itself right now;
/// the child reads and writes nothing its parent does not, expires no later, spends no more than
/// the parent's budget and `remaining_nano_usd` allow, and is one step deeper.
///
/// `remaining_nano_usd` is what was [carved](crate::budget::Meter::carve) for this child. What a
/// meter merely has left can be promised to two children.
pub fn delegate(
    parent: &Grant,
    wish: Wish,
    remaining_nano_usd: u64,
    holder: &Holder<'_>,
    keys: &GrantKeys,
    now: Timestamp,
) -> Result<Token, Denial> {
    parent.check_signature(keys, now)?;
    parent.check_audience(holder)?;
    parent.check_time(now)?;
    parent.check_standing(holder)?;
    check_part(&parent.claims, &wish, remaining_nano_usd)?;
    mint(&child(parent, wish, now), keys, now)
}

/// What a human approved to replace a grant with.
#[derive(Debug, Clone)]
pub struct Expansion {
    /// The name of the grant to come. Only the store can tell that nobody bears it yet.
    pub jti: Jti,
    /// What may be read from now on.
    pub paths: PatternSet,
    /// Where may be written from now on.
    pub outputs: Option<Prefix>,
    /// When the new grant expires, in seconds since 1970.
    pub exp: u64,
    /// What may be spent from now on.
    pub budget: Option<Budget>,
    /// The approval that allows all this.
    pub approval: String,
}

/// A grant in the place of another. The authority grew only if both halves are carried out: the
/// old grant is revoked, and the approval is written down beside both scopes.
#[must_use = "the old grant has to be revoked and the approval recorded"]
#[derive(Debug)]
pub struct Rotation {
    /// The new grant.
    pub token: Token,
    /// The grant to revoke, in the same transaction that issues the new one.
    pub revoke: Jti,
    /// The approval to record.
    pub approval: String,
}

/// The widest scope that one party lets an approval give.
#[derive(Debug, Clone, Copy)]
pub struct Ceiling<'a> {
    /// What may be read at most.
    pub paths: &'a PatternSet,
    /// Where may be written at most.
    pub outputs: Option<&'a Prefix>,
    /// The latest expiry: the run's deadline, or the contract's.
    pub exp: u64,
    /// The most that may be spent; `None` leaves it to the meter alone.
    pub budget: Option<Budget>,
}

/// Replaces `old` by the scope a human approved, for the same agent, run and chain.
///
/// `old` may have expired meanwhile, because the approval speaks. It may be neither another's nor
/// revoked: whoever withdrew it meant it, and of two approvals for one grant only the first finds
/// it there. What was delegated from it ends with it.
///
/// An approval widens neither what the operator allows nor what the Paper does: `ceilings` are
/// theirs, in this order. A delegated grant may come to hold more than the one it was delegated
/// from, by the word of the human and never by the agent's.
pub fn expand(
    old: &Grant,
    wider: Expansion,
    ceilings: [Ceiling<'_>; 2],
    holder: &Holder<'_>,
    keys: &GrantKeys,
    now: Timestamp,
) -> Result<Rotation, Denial> {
    old.check_signature(keys, now)?;
    old.check_audience(holder)?;
    old.check_standing(holder)?;
    ceilings.iter().try_for_each(|ceiling| check_ceiling(&wider, ceiling))?;
    let approval = wider.approval.clone();
    ensure(!approval.is_empty(), Code::NotGranted, || "a wider grant needs an approval".into())?;
    check_fresh(&old.claims, &wider.jti)?;
    let token = reissue(old, wider, holder.run, keys, now)?;
    Ok(Rotation { token, revoke: old.claims.jti.clone(), approval })
}

/// The grant that [`expand`] put in the place of `old`, once more: for a process that plays the
/// record of a run whose approval was judged before. It is the same token under the same key, and
/// whoever asks for it has to hold it against the recorded digest.
pub fn reissue(
    old: &Grant,
    wider: Expansion,
    run: &str,
    keys: &GrantKeys,
    now: Timestamp,
) -> Result<Token, Denial> {
    let Expansion { jti, paths, outputs, exp, budget, approval: _ } = wider;
    let claims = Claims {
        run: Some(run.to_owned()),
        paths,
        outputs,
        exp,
        iat: now.secs(),
        jti,
        budget,
        prev: Some(old.claims.jti.clone()),
        ..old.claims.clone()
    };
    mint(&claims, keys, now)
}

fn check_ceiling(wider: &Expansion, ceiling: &Ceiling<'_>) -> Result<(), Denial> {
    let below = |holds, what: &str| ensure(holds, Code::Forbidden, || what.to_owned());
    below(wider.paths.within_any(&readable(ceiling.paths, ceiling.outputs)), "`paths`")?;
    below(outputs_within(wider.outputs.as_ref(), ceiling.outputs), "`outputs`")?;
    below(wider.exp <= ceiling.exp, "`exp`")?;
    let affordable = |most: Budget| wider.budget.is_some_and(|budget| budget.limit <= most.limit);
    below(ceiling.budget.is_none_or(affordable), "`budget`")
}

fn check_part(parent: &Claims, wish: &Wish, remaining_nano_usd: u64) -> Result<(), Denial> {
    let wider = |holds, what: &str| ensure(holds, Code::DelegationWider, || what.to_owned());
    check_fresh(parent, &wish.jti)?;
    let readable = readable(&parent.paths, parent.outputs.as_ref());
    wider(wish.paths.within_any(&readable), "`paths`")?;
    wider(outputs_within(wish.outputs.as_ref(), parent.outputs.as_ref()), "`outputs`")?;
    wider(wish.exp <= parent.exp, "`exp`")?;
    let limit = parent.budget.map_or(u64::MAX, |budget| budget.limit);
    wider(wish.nano_usd <= limit.min(remaining_nano_usd), "`budget`")?;
    ensure(parent.depth() < DEPTH_MAX, Code::DelegationDepth, || format!("{DEPTH_MAX} grants"))
}

/// Everything that may be read: what the patterns match, and the outputs.
fn readable(paths: &PatternSet, outputs: Option<&Prefix>) -> Vec<Pattern> {
    let outputs = outputs.into_iter().map(Pattern::below);
    paths.patterns().iter().cloned().chain(outputs).collect()
}

fn outputs_within(child: Option<&Prefix>, parent: Option<&Prefix>) -> bool {
    child.is_none_or(|child| parent.is_some_and(|parent| child.within(parent)))
}

fn check_fresh(old: &Claims, jti: &Jti) -> Result<(), Denial> {
    ensure(old.jti != *jti, Code::GrantMalformed, || format!("`{jti}` is the old grant's name"))
}

fn child(parent: &Grant, wish: Wish, now: Timestamp) -> Claims {
    let Wish { jti, aud, run, paths, outputs, exp, nano_usd } = wish;
    let claims = &parent.claims;
    Claims {
        iss: claims.iss.clone(),
        aud,
        run,
        paper: claims.paper,
        paths,
        outputs,
        exp,
        iat: now.secs(),
        jti,
        depth: Some(claims.depth().saturating_add(1)),
        budget: Some(Budget::nano_usd(nano_usd)),
        prev: None,
        par: Some(Parent { jti: claims.jti.clone(), s256: parent.token_digest() }),
        act: Some(Box::new(Actor { sub: claims.aud.clone(), act: claims.act.clone() })),
    }
}
