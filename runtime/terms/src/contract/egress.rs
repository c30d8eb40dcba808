//! One allow rule for requests that leave, in the runtime's own spelling.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use envelope_rules::egress::rule::{LIST_MAX, QueryRule, RuleDocument};
use envelope_rules::egress::target::Scheme;

use super::list::List;
use super::words::{Line, Place};

/// Which requests may leave: one rule of the runtime's egress policy.
//
// Says the same as `RuleDocument`, with its bounds in the type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EgressRule {
    /// The schemes; plain HTTP has to be named.
    #[serde(default = "https_only")]
    pub schemes: List<EgressScheme, 1, 2>,
    /// One host, or `*.` and the domain above it.
    pub host: Line<255>,
    /// The ports; none is the scheme's own.
    #[serde(default)]
    pub ports: List<Port, 0, LIST_MAX>,
    /// The methods, in capitals.
    pub methods: List<Line<16>, 1, LIST_MAX>,
    /// The path patterns.
    pub paths: List<Place, 1, LIST_MAX>,
    /// The query parameters.
    #[serde(default)]
    pub query: EgressQuery,
}

/// A port number.
pub type Port = super::number::Exact<1, 65_535>;

/// The schemes that can be spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EgressScheme {
    /// HTTP over TLS.
    Https,
    /// HTTP in clear.
    Http,
}

/// Which query parameters may be sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EgressQuery {
    /// None.
    #[default]
    None,
    /// Any.
    Any,
    /// These names alone.
    Only(List<Line<240>, 1, LIST_MAX>),
}

impl EgressRule {
    /// The rule as the runtime reads it.
    pub fn document(&self) -> RuleDocument {
        RuleDocument {
            schemes: self.schemes.iter().map(|scheme| scheme.of_rules()).collect(),
            host: self.host.to_string(),
            ports: self.ports.iter().filter_map(|port| u16::try_from(port.get()).ok()).collect(),
            methods: self.methods.iter().map(ToString::to_string).collect(),
            paths: self.paths.iter().map(ToString::to_string).collect(),
            query: match &self.query {
                EgressQuery::None => QueryRule::None,
                EgressQuery::Any => QueryRule::Any,
                EgressQuery::Only(names) => {
                    QueryRule::Only(names.iter().map(ToString::to_string).collect())
                }
            },
        }
    }
}

impl EgressScheme {
    const fn of_rules(self) -> Scheme {
        match self {
            Self::Https => Scheme::Https,
            Self::Http => Scheme::Http,
        }
    }
}

fn https_only() -> List<EgressScheme, 1, 2> {
    List::one(EgressScheme::Https)
}
