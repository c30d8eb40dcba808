//! What a contract decides about one call: the meaning of every export.

use envelope_rules::egress::host::Host;
use envelope_rules::egress::rule::HostPattern;
use serde_json::{Value, json};

use super::quote;
use super::rego::label;
use crate::contract::{Classification, Contract};

/// Stands where the host would, in a call that reaches none. No host is spelled like this.
pub const NO_HOST: &str = "-";

/// A call that an agent is about to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request<'a> {
    /// Who calls.
    pub agent: &'a str,
    /// The tool that is called.
    pub action: &'a str,
    /// The most sensitive data that is handed to it.
    pub data: Classification,
    /// The host that it reaches, if any.
    pub host: Option<&'a Host>,
    /// How long the session has lasted, in seconds.
    pub elapsed_seconds: u64,
    /// How many calls the session has made before this one.
    pub calls: u64,
    /// How many tokens it has used.
    pub tokens: u64,
    /// How much it has spent, in billionths of a US dollar.
    pub nano_usd: u64,
}

/// Why a call is denied: the first reason in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Denied {
    /// Another agent than the one engaged.
    Agent,
    /// An action that is not listed.
    Action,
    /// Data above the action's clearance or the contract's class.
    Data,
    /// A host that is not listed.
    Host,
    /// The session's time is up.
    Session,
    /// No call is left.
    Calls,
    /// No token is left.
    Tokens,
    /// No money is left.
    Spending,
}

/// Whether `contract` permits the call.
pub fn permits(contract: &Contract, request: &Request<'_>) -> bool {
    decide(contract, request).is_ok()
}

/// Whether `contract` permits the call, and if not, why.
pub fn decide(contract: &Contract, request: &Request<'_>) -> Result<(), Denied> {
    let (scope, caps) = (&contract.scope, &contract.caps.task);
    let holds = |holds: bool, denied: Denied| if holds { Ok(()) } else { Err(denied) };
    holds(request.agent == contract.agent.did.as_str(), Denied::Agent)?;
    let action = scope.actions.iter().find(|action| action.name.as_str() == request.action);
    let action = action.ok_or(Denied::Action)?;
    holds(request.data <= action.clearance.min(scope.data_classification), Denied::Data)?;
    let mut hosts = scope.egress.iter().map(|rule| HostPattern::parse(&rule.host));
    let reached = request.host.is_none_or(|host| hosts.any(|p| p.is_ok_and(|p| p.matches(host))));
    holds(reached, Denied::Host)?;
    holds(request.elapsed_seconds < scope.max_session_seconds.get(), Denied::Session)?;
    holds(request.calls < caps.calls.get(), Denied::Calls)?;
    holds(request.tokens < caps.tokens.get(), Denied::Tokens)?;
    holds(request.nano_usd < caps.nano_usd.get(), Denied::Spending)
}

impl Denied {
    /// Every reason, in order.
    pub const ALL: [Self; 8] = [
        Self::Agent,
        Self::Action,
        Self::Data,
        Self::Host,
        Self::Session,
        Self::Calls,
        Self::Tokens,
        Self::Spending,
    ];

    /// The reason as exports give it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Agent => "paper_agent",
            Self::Action => "paper_action",
            Self::Data => "paper_data",
            Self::Host => "paper_host",
            Self::Session => "paper_session",
            Self::Calls => "paper_calls",
            Self::Tokens => "paper_tokens",
            Self::Spending => "paper_spending",
        }
    }
}

impl Request<'_> {
    /// The call as an Agent Control Specification snapshot, taken before the tool is called.
    pub fn snapshot(&self) -> Value {
        let cost: Value =
            serde_json::from_str(&quote::dollars(self.nano_usd)).unwrap_or(Value::Null);
        json!({
            "envelope": {
                "agent": { "id": self.agent },
                "budgets": {
                    "elapsed_seconds": self.elapsed_seconds,
                    "tool_call_count": self.calls,
                    "token_count": self.tokens,
                    "cost_usd": cost,
                },
            },
            "tool_call": { "name": self.action, "args": {} },
            "ifc": { "source_labels": [label(self.data)] },
            "egress": { "host": self.host_name() },
        })
    }

    /// The call as the context of a Cedar request and of `governance.toolkit/v1`. What is used up
    /// is told as what remains, because there a number that is missing counts as zero.
    pub fn context(&self, contract: &Contract) -> Value {
        let caps = &contract.caps.task;
        let seconds = contract.scope.max_session_seconds.get();
        json!({
            "action": { "type": self.action },
            "data": { "class": self.data.name() },
            "egress": { "host": self.host_name(), "above": self.name_above() },
            "session": { "remaining_seconds": seconds.saturating_sub(self.elapsed_seconds) },
            "budget": {
                "remaining_calls": caps.calls.get().saturating_sub(self.calls),
                "remaining_tokens": caps.tokens.get().saturating_sub(self.tokens),
                "remaining_nano_usd": caps.nano_usd.get().saturating_sub(self.nano_usd),
            },
        })
    }

    fn host_name(&self) -> String {
        self.host.map_or_else(|| NO_HOST.to_owned(), Host::to_string)
    }

    /// The name that the host stands directly below: what a wildcard compares.
    fn name_above(&self) -> String {
        let above = match self.host {
            Some(Host::Name(name)) => name.as_str().split_once('.').map(|(_, above)| above),
            Some(Host::V4(_) | Host::V6(_)) | None => None,
        };
        above.unwrap_or(NO_HOST).to_owned()
    }
}
