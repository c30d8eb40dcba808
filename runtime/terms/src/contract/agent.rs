//! What is engaged: an agent, one release of it, and the state that the developer warrants.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use envelope_evidence::{Digest, canonical};

use super::check::unique;
use super::dependency::Dependency;
use super::flaw::{self, Flaw};
use super::list::List;
use super::shape::DigestShape;
use super::words::{Did, Id, ModelName, Title, Version};

/// The agent that does the work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// The agent's name in the registry.
    pub name: Title,
    /// The agent's identifier.
    pub did: Did,
    /// The skill of the agent that is engaged.
    pub skill: Id,
    /// The release that runs, and no other.
    pub release: Release,
}

/// One release: the bytes that run and what they depend on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The release's version.
    pub version: Version,
    /// The digest of the component.
    #[schemars(with = "DigestShape")]
    pub component: Digest,
    /// The digest of the agent card.
    #[schemars(with = "DigestShape")]
    pub card: Digest,
    /// The declared state, warranted by the developer.
    pub fingerprint: Fingerprint,
}

/// The declared state of a release. Its digest names the behaviour that was bought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fingerprint {
    /// The model that the agent thinks with.
    pub model: Model,
    /// The digest of the system prompt.
    #[schemars(with = "DigestShape")]
    pub system_prompt: Digest,
    /// The digest of the tool manifest.
    #[schemars(with = "DigestShape")]
    pub tools: Digest,
    /// Everything outside the component that shapes its answers.
    #[serde(default)]
    pub dependencies: List<Dependency, 0, 64>,
}

/// A model and who serves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Who serves the model: providers with one name are one provider.
    pub provider: Id,
    /// The model as its provider names it.
    pub name: ModelName,
    /// The model's version.
    pub version: Version,
}

impl Agent {
    /// What types cannot say about the release's fingerprint.
    pub fn validate(&self) -> Vec<Flaw> {
        flaw::under("/release/fingerprint", self.release.fingerprint.validate()).collect()
    }
}

impl Fingerprint {
    /// The digest of the declared state.
    pub fn digest(&self) -> Result<Digest, canonical::Refused> {
        Ok(Digest::of(&canonical::of(self)?))
    }

    /// What types cannot say: each dependency once, pinned as firmly as its class claims.
    pub fn validate(&self) -> Vec<Flaw> {
        let ids = self.dependencies.iter().map(|dependency| dependency.id.as_str());
        let mut flaws = unique("/dependencies", "/id", ids);
        for (at, dependency) in self.dependencies.iter().enumerate() {
            flaws.extend(flaw::under(&format!("/dependencies/{at}"), dependency.validate()));
        }
        flaws
    }
}
