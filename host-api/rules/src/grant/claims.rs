//! What a grant says: the claims of the payload, read strictly.

use std::fmt;

use envelope_evidence::Digest;
use envelope_evidence::usage::{Dimension, MAX_EXACT};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::budget::Cap;
use crate::denial::{Code, Denial};
use crate::jws;
use crate::path::{Path, Prefix};
use crate::pattern::PatternSet;

/// The longest life of a grant: a leaked one is worthless the next day.
pub const LIFE_SECS_MAX: u64 = 24 * 60 * 60;

/// The longest chain of delegated grants: the depth at which the agents in use today stop too.
pub const DEPTH_MAX: u32 = 40;

/// The longest name of an agent, issuer or run, in bytes. Names stand in every log line.
pub const NAME_BYTES_MAX: usize = 256;

/// The claims of a grant. Six are required; the others are left out where they are unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// The organisation that issued it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub iss: Option<String>,
    /// The agent that may use it, `name@svc`.
    pub aud: String,
    /// The only run that may use it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub run: Option<String>,
    /// The contract under which it was issued.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub paper: Option<Digest>,
    /// What may be read.
    pub paths: PatternSet,
    /// Where may be written; `null` for nowhere, which no reader takes for everywhere.
    #[serde(deserialize_with = "Option::deserialize")]
    pub outputs: Option<Prefix>,
    /// When it expires, in seconds since 1970. It is of no use in that second.
    pub exp: u64,
    /// When it was issued, in seconds since 1970.
    pub iat: u64,
    /// Its own name.
    pub jti: Jti,
    /// How many grants it is away from one that was not delegated.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub depth: Option<u32>,
    /// What may be spent under it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "objects")]
    pub budget: Option<Budget>,
    /// The grant it replaces.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub prev: Option<Jti>,
    /// The grant it was delegated from.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "objects")]
    pub par: Option<Parent>,
    /// Who handed it on, the last one first (RFC 8693, section 4.1).
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "objects")]
    pub act: Option<Box<Actor>>,
}

/// A ceiling on what the run that holds a grant may spend in all, before a rotation too. The guard
/// holds the run's meter under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// What `limit` counts.
    pub unit: Unit,
    /// The ceiling, at most 2^53 − 1.
    pub limit: u64,
}

impl Budget {
    /// A ceiling in billionths of a US dollar.
    pub const fn nano_usd(limit: u64) -> Self {
        Self { unit: Unit::NanoUsd, limit }
    }

    /// The same ceiling for a meter.
    pub(crate) fn cap(self) -> Cap {
        let Self { unit: Unit::NanoUsd, limit } = self;
        Cap::NONE.with(Dimension::NanoUsd, limit.min(MAX_EXACT)).unwrap_or_default()
    }
}

/// The one unit of budgets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// Billionths of a US dollar.
    #[serde(rename = "USD-nanos")]
    NanoUsd,
}

/// The grant that another was delegated from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parent {
    /// Its name.
    pub jti: Jti,
    /// The digest of its token, on paper in base64url.
    #[serde(serialize_with = "write_s256", deserialize_with = "read_s256")]
    pub s256: Digest,
}

/// One agent of the chain that handed a grant on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// The agent.
    pub sub: String,
    /// Who handed it to that agent.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "objects")]
    pub act: Option<Box<Actor>>,
}

impl Actor {
    /// How many agents the chain holds.
    fn length(&self) -> usize {
        std::iter::successors(Some(self), |actor| actor.act.as_deref()).count()
    }
}

/// The name of a grant: `grt_` and a ULID.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Jti(String);

impl Jti {
    /// The name `text` spells: `grt_` and 26 characters of Crockford's base 32, upper case, not
    /// above the largest ULID.
    pub fn parse(text: &str) -> Result<Self, BadJti> {
        Self::try_from(text.to_owned())
    }

    /// The name's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Jti {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Jti {
    type Error = BadJti;

    fn try_from(text: String) -> Result<Self, BadJti> {
        let ulid = text.strip_prefix("grt_").ok_or(BadJti)?.as_bytes();
        let digit =
            |byte: &u8| matches!(byte, b'0'..=b'9' | b'A'..=b'Z') && !b"ILOU".contains(byte);
        let fits = matches!(ulid.first(), Some(b'0'..=b'7'));
        if ulid.len() == 26 && fits && ulid.iter().all(digit) {
            Ok(Self(text))
        } else {
            Err(BadJti)
        }
    }
}

/// A text that is not the name of a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a grant is named `grt_` and a ULID in upper case")]
pub struct BadJti;

/// Claims that are read but make no grant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum BadClaims {
    /// A name is missing or too long, or cannot be shown.
    #[error("`{0}` is 1 to {NAME_BYTES_MAX} bytes without control characters")]
    Name(&'static str),
    /// It expires before it is issued.
    #[error("`exp` is later than `iat`")]
    Life,
    /// An amount that not every reader keeps exact.
    #[error("a budget is at most 2^53 − 1")]
    Budget,
    /// The chain is too long.
    #[error("a chain of grants is at most {DEPTH_MAX} deep")]
    Depth,
}

impl Claims {
    /// Whether `path` may be looked at: it may be read, or it is a folder above something that may
    /// be read or written, as the root always is. A listing shows these names and no others, or it
    /// would tell what may not be read. Says nothing about time, holder or standing, so it permits
    /// nothing; allocates nothing.
    pub fn shows(&self, path: &Path) -> bool {
        path.is_root()
            || self.readable(path)
            || self.paths.reaches_below(path)
            || self.outputs.as_ref().is_some_and(|prefix| prefix.is_reached_through(path))
    }

    pub(super) fn readable(&self, path: &Path) -> bool {
        self.paths.matches(path) || self.writable(path)
    }

    pub(super) fn writable(&self, path: &Path) -> bool {
        self.outputs.as_ref().is_some_and(|prefix| prefix.contains(path))
    }

    /// Reads the payload of a token.
    pub(super) fn read(payload: &[u8]) -> Result<Self, Denial> {
        let malformed = |why| Denial::new(Code::GrantMalformed, why);
        if payload.first() != Some(&b'{') || payload.last() != Some(&b'}') {
            return Err(malformed("the payload is one JSON object and nothing around it"));
        }
        let claims: Self = serde_json::from_slice(payload)
            .map_err(|error| Denial::new(Code::GrantMalformed, error))?;
        claims.check()?;
        Ok(claims)
    }

    /// What holds for every grant, whenever and by whomever it is used.
    pub(super) fn check(&self) -> Result<(), Denial> {
        self.shape().map_err(|bad| Denial::new(Code::GrantMalformed, bad))?;
        let life = self.exp.saturating_sub(self.iat);
        if life > LIFE_SECS_MAX {
            return Err(Denial::new(Code::GrantLifetime, format!("it lives for {life} s")));
        }
        Ok(())
    }

    fn shape(&self) -> Result<(), BadClaims> {
        let names =
            [("aud", Some(&self.aud)), ("iss", self.iss.as_ref()), ("run", self.run.as_ref())];
        let actors = std::iter::successors(self.act.as_deref(), |actor| actor.act.as_deref())
            .take(usize::try_from(DEPTH_MAX).unwrap_or(usize::MAX))
            .map(|actor| ("act", Some(&actor.sub)));
        for (claim, name) in names.into_iter().chain(actors) {
            if name.is_some_and(|name| !is_name(name)) {
                return Err(BadClaims::Name(claim));
            }
        }
        if self.exp <= self.iat || self.exp > MAX_EXACT {
            return Err(BadClaims::Life);
        }
        if self.budget.is_some_and(|budget| budget.limit > MAX_EXACT) {
            return Err(BadClaims::Budget);
        }
        if self.depth() > DEPTH_MAX { Err(BadClaims::Depth) } else { Ok(()) }
    }

    /// How deep in a chain of delegated grants this one stands, by its own word or by the actors
    /// it names, whichever is more.
    pub(super) fn depth(&self) -> u32 {
        let actors = self.act.as_ref().map_or(0, |actor| actor.length());
        self.depth.unwrap_or(0).max(u32::try_from(actors).unwrap_or(u32::MAX))
    }
}

fn is_name(text: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// Reads a value where a derived reader would also take `null` for none.
fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// Reads an object where a derived reader would also take an array of its values.
fn objects<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    struct Object<T>(std::marker::PhantomData<T>);

    impl<'de, T: DeserializeOwned> Visitor<'de> for Object<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map))
        }
    }

    deserializer.deserialize_map(Object(std::marker::PhantomData)).map(Some)
}

fn write_s256<S: Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&jws::encode(digest.as_bytes()))
}

fn read_s256<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
    let text = String::deserialize(deserializer)?;
    let bytes = jws::decode(&text).and_then(|bytes| bytes.try_into().ok());
    bytes.map(Digest::from_bytes).ok_or_else(|| D::Error::custom("`s256` is 32 bytes in base64url"))
}
