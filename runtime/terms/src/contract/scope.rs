//! What the agent may do: actions, files, hosts, models, data, time. What is not listed is denied.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use envelope_rules::content::{RULES_MAX as CONTENT_MAX, Rule as Content};
use envelope_rules::egress::policy::{BadPolicy, Policy, PolicyDocument};
use envelope_rules::egress::rule::Rule;
use envelope_rules::path::Prefix;
use envelope_rules::pattern::{BadPattern, PatternSet};

use super::check::unique;
use super::content::ContentRule;
use super::egress::EgressRule;
use super::flaw::{Code, Flaw};
use super::list::List;
use super::number::Exact;
use super::words::{ActionName, ModelName, Place};

/// How long a session lasts at most when nothing is said, in seconds.
pub const SESSION_SECS_DEFAULT: u64 = 3600;

/// The longest session: a week, the most that policy engines take.
pub const SESSION_SECS_MAX: u64 = 604_800;

/// A session's length in seconds.
pub type SessionSecs = Exact<1, SESSION_SECS_MAX>;

/// What the agent may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// The tools it may call.
    #[serde(default)]
    pub actions: List<Action, 0, 256>,
    /// The files it may read, as patterns; none is none.
    #[serde(default)]
    pub read: List<Place, 0, 64>,
    /// The folder below which it may write, with a final `/`.
    pub outputs: Place,
    /// The requests that may leave; none is sealed.
    #[serde(default)]
    pub egress: List<EgressRule, 0, 256>,
    /// What must not leave in what it sends to hosts and models; none is nothing but the secrets of
    /// whoever runs it.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub content: List<ContentRule, 0, CONTENT_MAX>,
    /// The models it may use.
    #[serde(default)]
    pub models: List<ModelName, 0, 64>,
    /// The most sensitive data it is given.
    pub data_classification: Classification,
    /// How long a session may last, in seconds.
    #[serde(default = "session_default")]
    pub max_session_seconds: SessionSecs,
}

/// A tool the agent may call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// The tool's name.
    pub name: ActionName,
    /// The most sensitive data that may be handed to it.
    pub clearance: Classification,
}

/// How sensitive data is. The order is the sensitivity.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Classification {
    /// Anyone may see it.
    Public,
    /// For the organisation.
    Internal,
    /// For those who need it.
    Confidential,
    /// For named persons.
    Restricted,
}

impl Classification {
    /// Every class, the least sensitive first.
    pub const ALL: [Self; 4] = [Self::Public, Self::Internal, Self::Confidential, Self::Restricted];

    /// The name in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Confidential => "confidential",
            Self::Restricted => "restricted",
        }
    }
}

impl Scope {
    /// The read patterns as grants take them.
    pub fn patterns(&self) -> Result<PatternSet, BadPattern> {
        let texts: Vec<&str> = self.read.iter().map(|pattern| pattern.as_str()).collect();
        PatternSet::parse(&texts)
    }

    /// The outputs prefix as grants take it.
    pub fn prefix(&self) -> Result<Prefix, envelope_rules::path::BadPath> {
        Prefix::parse(&self.outputs)
    }

    /// What must not leave, as the runtime reads it.
    pub fn content(&self) -> Vec<Content> {
        self.content.iter().map(|rule| rule.rule()).collect()
    }

    /// The egress rules as the runtime's document.
    pub fn egress_document(&self) -> PolicyDocument {
        PolicyDocument { rules: self.egress.iter().map(EgressRule::document).collect() }
    }

    /// The egress rules, compiled.
    pub fn egress_policy(&self) -> Result<Policy, BadPolicy> {
        Policy::compile(self.egress_document())
    }

    /// What types cannot say: the runtime can enforce each entry, and each stands there once.
    pub fn validate(&self) -> Vec<Flaw> {
        let mut flaws =
            unique("/actions", "/name", self.actions.iter().map(|action| action.name.as_str()));
        let content: Vec<_> = self.content.iter().map(|rule| rule.rule().to_string()).collect();
        flaws.extend(unique("/content", "", content.iter().map(String::as_str)));
        flaws.extend(unique("/models", "", self.models.iter().map(ModelName::as_str)));
        flaws.extend(unique("/read", "", self.read.iter().map(|pattern| pattern.as_str())));
        for (at, pattern) in self.read.iter().enumerate() {
            if let Err(bad) = envelope_rules::Pattern::parse(pattern) {
                flaws.push(Flaw::new(Code::Scope, format!("/read/{at}"), bad));
            }
        }
        match self.prefix() {
            // Whoever buys work has files of their own, and the work has its place among them.
            Ok(prefix) if prefix.is_root() => {
                let why = "a contract names the folder that is written: `./` is all of them";
                flaws.push(Flaw::new(Code::Scope, "/outputs", why));
            }
            Ok(_) => {}
            Err(bad) => flaws.push(Flaw::new(Code::Scope, "/outputs", bad)),
        }
        for (at, rule) in self.egress.iter().enumerate() {
            if let Err(bad) = Rule::compile(at, rule.document()) {
                let pointer = format!("/egress/{at}/{}", bad.field);
                flaws.push(Flaw::new(Code::Scope, pointer, bad.why));
            }
        }
        flaws
    }
}

const fn session_default() -> SessionSecs {
    match SessionSecs::new(SESSION_SECS_DEFAULT) {
        Ok(seconds) => seconds,
        Err(_) => SessionSecs::MIN,
    }
}
