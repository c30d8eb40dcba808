//! What must not leave in what the agent sends, in the runtime's own spelling.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use envelope_rules::content::{Rule, Sought, Then};

/// What is looked for in all that the agent sends to hosts and models, and what is done about it.
//
// Says the same as the runtime's rule, with its words in the type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ContentRule {
    /// Numbers of payment cards do not leave.
    #[serde(rename = "deny:card-number")]
    DenyCardNumber,
    /// Private keys do not leave.
    #[serde(rename = "deny:private-key")]
    DenyPrivateKey,
    /// Keys and tokens of known issuers do not leave.
    #[serde(rename = "deny:api-key")]
    DenyApiKey,
    /// A human is asked before the number of a payment card leaves.
    #[serde(rename = "ask:card-number")]
    AskCardNumber,
    /// A human is asked before a private key leaves.
    #[serde(rename = "ask:private-key")]
    AskPrivateKey,
    /// A human is asked before a key or token of a known issuer leaves.
    #[serde(rename = "ask:api-key")]
    AskApiKey,
}

impl ContentRule {
    /// The rule as the runtime reads it.
    pub const fn rule(self) -> Rule {
        let (then, what) = match self {
            Self::DenyCardNumber => (Then::Deny, Sought::CardNumber),
            Self::DenyPrivateKey => (Then::Deny, Sought::PrivateKey),
            Self::DenyApiKey => (Then::Deny, Sought::ApiKey),
            Self::AskCardNumber => (Then::Ask, Sought::CardNumber),
            Self::AskPrivateKey => (Then::Ask, Sought::PrivateKey),
            Self::AskApiKey => (Then::Ask, Sought::ApiKey),
        };
        Rule { then, what }
    }
}
