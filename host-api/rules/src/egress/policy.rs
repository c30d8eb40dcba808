//! A list of allow rules. What no rule admits is denied.

use serde::{Deserialize, Serialize};

use super::address;
use super::host::Host;
use super::rule::{BadRule, Part, Rule, RuleDocument};
use super::target::Target;
use crate::denial::{Code, Denial};

/// The most rules in one policy: every request is held against each until one admits it.
pub const RULES_MAX: usize = 256;

/// What one party allows: the operator, a Paper or a grant. The default allows nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "PolicyDocument", into = "PolicyDocument")]
pub struct Policy {
    rules: Vec<Rule>,
}

impl Policy {
    /// Checks and compiles a policy, or names the first rule that cannot be loaded.
    pub fn compile(document: PolicyDocument) -> Result<Self, BadPolicy> {
        if document.rules.len() > RULES_MAX {
            return Err(BadPolicy::TooMany);
        }
        let rules = document.rules.into_iter().enumerate();
        let rules = rules.map(|(position, rule)| Rule::compile(position, rule));
        Ok(Self { rules: rules.collect::<Result<_, _>>()? })
    }

    /// The rule that admits `target`, or the denial of the rule that came nearest: when a rule fits
    /// the host but not the port, the agent reads that the port is missing.
    ///
    /// This judges names and literals. Every address dialled is judged again, by
    /// [`address::check`].
    pub fn admit(&self, target: &Target) -> Result<&Rule, Denial> {
        let mut nearest = Part::Host;
        for rule in &self.rules {
            match rule.miss(target) {
                None => return Ok(rule),
                Some(part) => nearest = nearest.max(part),
            }
        }
        Err(denial(nearest, target))
    }

    /// The rules, in order.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }
}

/// The rules of two policies that both admit a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admitted<'a> {
    /// The operator's rule.
    pub operator: &'a Rule,
    /// The warrant's rule.
    pub warrant: &'a Rule,
}

/// Admits what the operator's policy and the warrant both allow: neither widens the other. The
/// operator is asked first, and a no of the operator's has a code of its own, so that nobody is
/// told to request a scope that cannot be had.
pub fn admit_both<'a>(
    operator: &'a Policy,
    warrant: &'a Policy,
    target: &Target,
) -> Result<Admitted<'a>, Denial> {
    let operator = operator.admit(target).map_err(|denial| {
        let row = denial.row();
        let code = if row.scope_helps { Code::Forbidden } else { row.code };
        Denial::new(code, format_args!("{}: {}", row.name, denial.detail()))
    })?;
    Ok(Admitted { operator, warrant: warrant.admit(target)? })
}

/// How far an operator lets anybody reach. By default, nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ceiling {
    /// As far as these rules.
    Rules(Policy),
    /// As far as the warrant: the operator wrote it for this very run, and can widen it. Whoever is
    /// refused is told what the warrant lacks.
    Warrant,
}

impl Ceiling {
    /// Admits what this and the warrant both allow: see [`admit_both`].
    pub fn admit(&self, warrant: &Policy, target: &Target) -> Result<(), Denial> {
        match self {
            Self::Rules(operator) => admit_both(operator, warrant, target).map(drop),
            Self::Warrant => warrant.admit(target).map(drop),
        }
    }
}

impl Default for Ceiling {
    fn default() -> Self {
        Self::Rules(Policy::default())
    }
}

impl From<Policy> for Ceiling {
    fn from(policy: Policy) -> Self {
        Self::Rules(policy)
    }
}

/// A policy as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyDocument {
    /// The rules, in order.
    pub rules: Vec<RuleDocument>,
}

impl TryFrom<PolicyDocument> for Policy {
    type Error = BadPolicy;

    fn try_from(document: PolicyDocument) -> Result<Self, BadPolicy> {
        Self::compile(document)
    }
}

impl From<Policy> for PolicyDocument {
    fn from(policy: Policy) -> Self {
        Self { rules: policy.rules.iter().map(|rule| rule.document().clone()).collect() }
    }
}

/// A policy that cannot be loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPolicy {
    /// More than [`RULES_MAX`] rules.
    #[error("a policy has at most {RULES_MAX} rules")]
    TooMany,
    /// A rule that cannot be loaded.
    #[error(transparent)]
    Rule(#[from] BadRule),
}

/// Names the part that no rule allows. The query itself is not repeated: it may hold secrets.
fn denial(part: Part, target: &Target) -> Denial {
    let host = target.host();
    let deny = |detail: std::fmt::Arguments<'_>| Denial::new(part.code(), detail);
    match part {
        Part::Host => host_denial(host),
        Part::Scheme => deny(format_args!("`{}` to `{host}`", target.scheme())),
        Part::Port => deny(format_args!("port {} of `{host}`", target.port())),
        Part::Method => deny(format_args!("`{}` to `{host}`", target.method().as_str())),
        Part::Path => deny(format_args!("`{}` of `{host}`", target.path())),
        Part::Query => deny(format_args!("the query to `{}` of `{host}`", target.path())),
    }
}

/// A literal address nobody may reach is no matter of scope, so its own denial comes first.
fn host_denial(host: &Host) -> Denial {
    let address = match host {
        Host::V4(address) => Some((*address).into()),
        Host::V6(address) => Some((*address).into()),
        Host::Name(_) => None,
    };
    let unreachable = address.and_then(|address| address::check(address, &[]).err());
    unreachable.unwrap_or_else(|| Denial::new(Code::EgressHost, format_args!("`{host}`")))
}
