//! How well and how fast the developer serves, and how long the buyer may look.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::flaw::{Code, Flaw};
use super::number::{Exact, Weight};
use super::words::Sentence;

/// The service level and the review that follows delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceLevel {
    /// The share of each month in which the agent can be started, in basis points.
    pub availability: Weight,
    /// Hours until a fault is answered.
    pub response_hours: Exact<1, 720>,
    /// Hours until a fault is mended or worked around.
    pub resolution_hours: Exact<1, 2160>,
    /// What supports the buyer, in words.
    pub support: Sentence,
    /// Days from delivery until what nobody objects to is accepted.
    pub review_days: Exact<1, 90>,
}

impl ServiceLevel {
    /// What types cannot say: nothing is mended before it is answered.
    pub fn validate(&self) -> Vec<Flaw> {
        if self.resolution_hours.get() >= self.response_hours.get() {
            return Vec::new();
        }
        let message = format!(
            "{} hours until a fault is mended, but {} until it is answered",
            self.resolution_hours, self.response_hours
        );
        vec![Flaw::new(Code::Service, "/resolution_hours", message)]
    }
}
