//! One allow rule: which requests an operator, a Paper or a grant lets through.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::host::{Host, HostName};
use super::path::PathPattern;
use super::target::{Method, Scheme, Target};
use crate::denial::Code;

/// The most entries in one list of a rule: a list is scanned at every request.
pub const LIST_MAX: usize = 64;

/// A rule as it is written. Host, methods and paths have to be named; what may be left out is
/// narrow by default: https, the scheme's own port, no query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleDocument {
    /// The schemes allowed.
    #[serde(default = "https_only")]
    pub schemes: Vec<Scheme>,
    /// A [`HostPattern`].
    pub host: String,
    /// The ports allowed; empty for the scheme's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<u16>,
    /// The methods allowed.
    pub methods: Vec<String>,
    /// [`PathPattern`]s, one of which has to match.
    pub paths: Vec<String>,
    /// Which queries are allowed.
    #[serde(default)]
    pub query: QueryRule,
}

/// Which queries a rule allows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QueryRule {
    /// No question mark at all.
    #[default]
    None,
    /// Any query.
    Any,
    /// `key=value` pairs joined by `&`, whose keys are all listed, spelled as listed. A `;` refuses
    /// the query: some servers read a second pair after it.
    Only(Vec<String>),
}

impl QueryRule {
    fn admits(&self, query: Option<&str>) -> bool {
        match (self, query) {
            (_, None) | (Self::Any, _) => true,
            (Self::None, Some(_)) => false,
            (Self::Only(keys), Some(query)) => !query.contains(';') && only(keys, query),
        }
    }
}

/// A compiled rule and its place in the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    position: usize,
    document: RuleDocument,
    host: HostPattern,
    paths: Vec<PathPattern>,
}

impl Rule {
    /// Checks and compiles the rule at `position` of a policy.
    pub fn compile(position: usize, document: RuleDocument) -> Result<Self, BadRule> {
        let refuse = |field, why: String| BadRule { rule: position, field, why };
        let host = HostPattern::parse(&document.host)
            .map_err(|why| refuse("host", format!("`{}`: {why}", document.host.escape_debug())))?;
        check_lists(&document).map_err(|(field, why)| refuse(field, why))?;
        for method in &document.methods {
            Method::parse(method).map_err(|why| refuse("methods", why.detail().to_owned()))?;
        }
        let compile = |text: &String| {
            let refuse = |why| refuse("paths", format!("`{}`, {why}", text.escape_debug()));
            PathPattern::parse(text).map_err(refuse)
        };
        let paths = document.paths.iter().map(compile).collect::<Result<_, _>>()?;
        Ok(Self { position, document, host, paths })
    }

    /// The rule's place in its policy, counted from zero.
    pub const fn position(&self) -> usize {
        self.position
    }

    /// The rule as it was written.
    pub const fn document(&self) -> &RuleDocument {
        &self.document
    }

    /// The first part of `target` that the rule does not allow; none when it admits the target.
    pub fn miss(&self, target: &Target) -> Option<Part> {
        Part::ALL.into_iter().find(|&part| !self.allows(part, target))
    }

    fn allows(&self, part: Part, target: &Target) -> bool {
        let document = &self.document;
        match part {
            Part::Host => self.host.matches(target.host()),
            Part::Scheme => document.schemes.contains(&target.scheme()),
            Part::Port if document.ports.is_empty() => target.port() == target.scheme().port(),
            Part::Port => document.ports.contains(&target.port()),
            Part::Method => document.methods.iter().any(|name| name == target.method().as_str()),
            Part::Path => self.paths.iter().any(|path| path.matches(target.path())),
            Part::Query => document.query.admits(target.query()),
        }
    }
}

/// The parts of a target, in the order they are judged: a later miss means a nearer rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The host.
    Host,
    /// The scheme.
    Scheme,
    /// The port.
    Port,
    /// The method.
    Method,
    /// The path.
    Path,
    /// The query.
    Query,
}

impl Part {
    /// Every part, in order.
    pub const ALL: [Self; 6] =
        [Self::Host, Self::Scheme, Self::Port, Self::Method, Self::Path, Self::Query];

    /// The reason given when no rule allows this part.
    pub const fn code(self) -> Code {
        match self {
            Self::Host => Code::EgressHost,
            Self::Scheme => Code::EgressScheme,
            Self::Port => Code::EgressPort,
            Self::Method => Code::EgressMethod,
            Self::Path => Code::EgressPath,
            Self::Query => Code::EgressQuery,
        }
    }
}

/// The hosts a rule is about: one host in its one spelling, or `*.` and a name, which stands for
/// exactly one more label.
///
/// A wildcard is refused below a public suffix (`*.com`, `*.co.uk`, `*.github.io`), by the Public
/// Suffix List compiled into this build, and below a reserved name. What the list does not know it
/// cannot refuse: a provider that hands out labels to strangers without being listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostPattern {
    /// This host.
    Exact(Host),
    /// Every name with one label more than this one.
    Below(HostName),
}

impl HostPattern {
    /// Reads a pattern. Only the spelling that is sent is accepted: lower-case A-labels.
    pub fn parse(text: &str) -> Result<Self, BadHostPattern> {
        let (wildcard, rest) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if rest.contains('*') {
            return Err(BadHostPattern::Star);
        }
        let host = Host::parse(rest).map_err(|why| BadHostPattern::Host(why.to_string()))?;
        if host.to_string() != rest {
            return Err(BadHostPattern::Spelling(host.to_string()));
        }
        match (wildcard, host) {
            (false, host) => Ok(Self::Exact(host)),
            (true, Host::Name(base)) => Self::below(base),
            (true, Host::V4(_) | Host::V6(_)) => Err(BadHostPattern::Address),
        }
    }

    /// Whether the pattern stands for `host`.
    pub fn matches(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Exact(exact), host) => exact == host,
            (Self::Below(base), Host::Name(name)) => {
                let label = name.as_str().strip_suffix(base.as_str());
                let label = label.and_then(|rest| rest.strip_suffix('.'));
                label.is_some_and(|label| !label.is_empty() && !label.contains('.'))
            }
            (Self::Below(_), Host::V4(_) | Host::V6(_)) => false,
        }
    }

    fn below(base: HostName) -> Result<Self, BadHostPattern> {
        let suffix = psl::suffix(base.as_str().as_bytes());
        if suffix.is_none_or(|suffix| suffix.as_bytes() == base.as_str().as_bytes()) {
            return Err(BadHostPattern::PublicSuffix);
        }
        if base.is_reserved() {
            return Err(BadHostPattern::Reserved);
        }
        Ok(Self::Below(base))
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(host) => host.fmt(f),
            Self::Below(base) => write!(f, "*.{base}"),
        }
    }
}

/// Why a text is not a host pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadHostPattern {
    /// A star that is not the whole first label of a name.
    #[error("a star stands only for the whole first label, as in `*.example.org`")]
    Star,
    /// Not a host.
    #[error("{0}")]
    Host(String),
    /// A host in another spelling than the one sent.
    #[error("hosts are compared as they are sent: write `{0}`")]
    Spelling(String),
    /// A wildcard over an address.
    #[error("a star stands before a name, not an address")]
    Address,
    /// A wildcard over names of strangers.
    #[error("anyone can register a name there: name the host, or a domain with one owner")]
    PublicSuffix,
    /// A wildcard over the machine's surroundings.
    #[error("reserved names are reached only by a rule for the exact name")]
    Reserved,
}

/// A rule that cannot be loaded: which one, where and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("rule {rule}, `{field}`: {why}")]
pub struct BadRule {
    /// The rule's place in its policy, counted from zero.
    pub rule: usize,
    /// The field of its document.
    pub field: &'static str,
    /// What is wrong and what to write instead.
    pub why: String,
}

fn https_only() -> Vec<Scheme> {
    vec![Scheme::Https]
}

fn only(keys: &[String], query: &str) -> bool {
    query.split('&').all(|pair| {
        let key = pair.split_once('=').map_or(pair, |(key, _)| key);
        keys.iter().any(|listed| listed == key)
    })
}

fn check_lists(document: &RuleDocument) -> Result<(), (&'static str, String)> {
    let keys = match &document.query {
        QueryRule::Only(keys) => keys.len(),
        QueryRule::None | QueryRule::Any => 1,
    };
    let lists = [
        ("schemes", document.schemes.len()),
        ("ports", document.ports.len().max(1)),
        ("methods", document.methods.len()),
        ("paths", document.paths.len()),
        ("query", keys),
    ];
    match lists.into_iter().find(|(_, len)| !(1..=LIST_MAX).contains(len)) {
        Some((field, 0)) => Err((field, "an empty list allows nothing".to_owned())),
        Some((field, _)) => Err((field, format!("at most {LIST_MAX} entries"))),
        None if document.ports.contains(&0) => Err(("ports", "a port is 1 to 65535".to_owned())),
        None => Ok(()),
    }
}
