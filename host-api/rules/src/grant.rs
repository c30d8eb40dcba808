//! Grants: signed, narrow, short-lived authority over files, judged anew on every operation.
//!
//! A grant is a [`jws`] token. Six checks stand before every file operation, always in
//! this order, and nothing is remembered from one operation to the next:
//!
//! 1. the signature, over the token's bytes, under a key that is alive now;
//! 2. the audience: the agent that asks is the one the grant was issued to;
//! 3. the time: `now < exp`, without leeway;
//! 4. for reads, the path: a pattern of `paths` matches it, or it lies below `outputs`, for an
//!    agent may read back what it wrote. For looks, that, or the path is a folder above something
//!    that may be read or written: who may reach a file may walk to it;
//! 5. for writes, the prefix: the path lies below `outputs`, whatever `paths` says;
//! 6. single use and revocation: the store bound the grant to this run and nobody withdrew it.
//!
//! Whoever can verify an HS256 grant can mint one: its key never leaves the runtime. Across
//! organisations the same claims travel under Ed25519.

mod claims;
mod key;
mod mint;

use std::fmt;

use envelope_evidence::{Digest, Timestamp};
use zeroize::Zeroizing;

pub use claims::{
    Actor, BadJti, Budget, Claims, DEPTH_MAX, Jti, LIFE_SECS_MAX, NAME_BYTES_MAX, Parent, Unit,
};
pub use key::{BadKey, GrantKey, GrantKeys, KEYS_MAX, derive};
pub use mint::{Ceiling, Expansion, Rotation, Wish, delegate, expand, mint};

use crate::denial::{Code, Denial};
use crate::jws::{self, Compact};
use crate::path::Path;

/// How far in the future a grant may have been issued: two clocks of one data centre may differ by
/// this much. There is no such leeway for the expiry.
pub const IAT_LEEWAY_SECS: u64 = 5;

/// A grant whose signature was right when it was opened. Opening permits nothing: an expired grant
/// opens too, because its holder needs it to ask for a fresh one. [`Grant::check`] decides.
pub struct Grant {
    token: Token,
    claims: Claims,
}

/// What an operation does to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It looks at the metadata of a file or folder, or at the names in a folder.
    Look,
    /// It reads the file.
    Read,
    /// It creates, changes or deletes the file.
    Write,
}

/// One operation on one file.
#[derive(Debug, Clone, Copy)]
pub struct FileOp<'a> {
    /// What it does.
    pub access: Access,
    /// The file.
    pub path: &'a Path,
}

/// Who presents a grant, and what the store says about the grant at this moment.
#[derive(Debug, Clone, Copy)]
pub struct Holder<'a> {
    /// The agent that asks, spelled like `aud`.
    pub agent: &'a str,
    /// The run in which it asks.
    pub run: &'a str,
    /// The store's word.
    pub standing: Standing<'a>,
}

/// What the store knows of a grant's `jti`. Read anew for every operation; a store that does not
/// answer means `revoked`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing<'a> {
    /// The run that redeemed the grant, if one did.
    pub bound_run: Option<&'a str>,
    /// Whether the grant, or one it descends from, was withdrawn.
    pub revoked: bool,
}

impl Grant {
    /// Reads `token`: its shape, its signature, then its claims, compiling the patterns once.
    pub fn open(token: &str, keys: &GrantKeys, now: Timestamp) -> Result<Self, Denial> {
        let compact = Compact::split(token).map_err(malformed)?;
        keys.verify(&compact, now)?;
        let payload = jws::decode(compact.payload).ok_or(jws::BadToken::Payload);
        let claims = Claims::read(&payload.map_err(malformed)?)?;
        Ok(Self { token: Token::new(token), claims })
    }

    /// The six checks. `Ok` is an answer about this operation at this moment, and is not kept.
    /// Allocates nothing when it permits.
    pub fn check(
        &self,
        keys: &GrantKeys,
        op: &FileOp<'_>,
        holder: &Holder<'_>,
        now: Timestamp,
    ) -> Result<(), Denial> {
        self.check_signature(keys, now)?;
        self.check_claims(op, holder, now)
    }

    /// Every check but that of a file: whether the grant is good at this moment, whatever for.
    /// Whoever withdraws it ends what goes on without files too.
    pub fn check_live(
        &self,
        keys: &GrantKeys,
        holder: &Holder<'_>,
        now: Timestamp,
    ) -> Result<(), Denial> {
        self.check_signature(keys, now)?;
        self.check_audience(holder)?;
        self.check_time(now)?;
        self.check_standing(holder)
    }

    /// Opens `token` for its first operation: [`Grant::open`] and [`Grant::check`] at one moment,
    /// for which one look at the signature is enough.
    pub fn open_for(
        token: &str,
        keys: &GrantKeys,
        op: &FileOp<'_>,
        holder: &Holder<'_>,
        now: Timestamp,
    ) -> Result<Self, Denial> {
        let grant = Self::open(token, keys, now)?;
        grant.check_claims(op, holder, now)?;
        Ok(grant)
    }

    /// What the grant says.
    pub const fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The digest of the token's bytes: what evidence names instead of the token, a bearer secret.
    pub fn token_digest(&self) -> Digest {
        Digest::of(self.token.as_str().as_bytes())
    }

    fn check_signature(&self, keys: &GrantKeys, now: Timestamp) -> Result<(), Denial> {
        keys.verify(&Compact::split(self.token.as_str()).map_err(malformed)?, now)
    }

    /// The five checks after the signature.
    fn check_claims(
        &self,
        op: &FileOp<'_>,
        holder: &Holder<'_>,
        now: Timestamp,
    ) -> Result<(), Denial> {
        self.check_audience(holder)?;
        self.check_time(now)?;
        match op.access {
            Access::Look => self.check_look(op.path)?,
            Access::Read => self.check_path(op.path)?,
            Access::Write => self.check_outputs(op.path)?,
        }
        self.check_standing(holder)
    }

    fn check_audience(&self, holder: &Holder<'_>) -> Result<(), Denial> {
        let aud = &self.claims.aud;
        ensure(aud == holder.agent, Code::GrantAudience, || {
            format!("issued to `{aud}`, presented by `{}`", holder.agent)
        })
    }

    fn check_time(&self, now: Timestamp) -> Result<(), Denial> {
        let Claims { iat, exp, .. } = self.claims;
        let now = now.secs();
        ensure(iat <= now.saturating_add(IAT_LEEWAY_SECS), Code::GrantEarly, || {
            format!("issued at {iat}, now is {now}")
        })?;
        ensure(now < exp, Code::GrantExpired, || format!("expired at {exp}, now is {now}"))
    }

    fn check_look(&self, path: &Path) -> Result<(), Denial> {
        ensure(self.claims.shows(path), Code::PathOutside, || format!("`{path}`"))
    }

    fn check_path(&self, path: &Path) -> Result<(), Denial> {
        ensure(self.claims.readable(path), Code::PathOutside, || format!("`{path}`"))
    }

    fn check_outputs(&self, path: &Path) -> Result<(), Denial> {
        ensure(self.claims.writable(path), Code::OutputsOutside, || match &self.claims.outputs {
            Some(prefix) => format!("`{path}` is not below `{prefix}`"),
            None => format!("`{path}`, and the grant allows no writes"),
        })
    }

    fn check_standing(&self, holder: &Holder<'_>) -> Result<(), Denial> {
        let jti = &self.claims.jti;
        ensure(!holder.standing.revoked, Code::GrantRevoked, || jti.to_string())?;
        self.check_run(holder)?;
        ensure(holder.standing.bound_run.is_some(), Code::GrantUnredeemed, || jti.to_string())
    }

    /// Neither the store nor the grant itself ties it to a run other than the holder's.
    fn check_run(&self, holder: &Holder<'_>) -> Result<(), Denial> {
        let named = [holder.standing.bound_run, self.claims.run.as_deref()];
        let stranger = named.into_iter().flatten().find(|&run| run != holder.run);
        ensure(stranger.is_none(), Code::GrantUsed, || {
            format!("{} belongs to run `{}`", self.claims.jti, stranger.unwrap_or_default())
        })
    }
}

/// Names the grant and never shows its token.
impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant").field("claims", &self.claims).finish_non_exhaustive()
    }
}

/// A token: a bearer secret. Never printed, wiped when dropped.
#[derive(Clone)]
pub struct Token(Zeroizing<String>);

impl Token {
    /// The text to hand to its holder, and to nobody else.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn new(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

fn malformed(why: impl fmt::Display) -> Denial {
    Denial::new(Code::GrantMalformed, why)
}

fn ensure(holds: bool, code: Code, detail: impl FnOnce() -> String) -> Result<(), Denial> {
    if holds { Ok(()) } else { Err(Denial::new(code, detail())) }
}
