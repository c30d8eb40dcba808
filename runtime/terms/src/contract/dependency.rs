//! What a release depends on outside its component, and how firmly each thing is pinned.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use envelope_evidence::Digest;

use super::flaw::{Code, Flaw};
use super::scope::Classification;
use super::shape::{DigestShape, present};
use super::words::{Id, Line, Place, Title, Version};

/// One thing outside the component that shapes what the agent does.
///
/// Whether its maker is a verified partner is computed when asked and never written here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dependency {
    /// Its name in this contract.
    pub id: Id,
    /// What it is.
    pub kind: DependencyKind,
    /// Where it is found.
    pub locator: Place,
    /// How firmly it is pinned.
    pub class: FingerprintClass,
    /// The most sensitive data it may be given.
    pub classification: Classification,
    /// Its version.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Version")]
    pub version: Option<Version>,
    /// The digest of its content; for a plugin, of the signed artifact.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "DigestShape")]
    pub digest: Option<Digest>,
    /// The signature of its manifest, in base64.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Line<512>")]
    pub signature: Option<Line<512>>,
    /// The name of the key that signed.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Title")]
    pub signer_key_id: Option<Title>,
    /// The digest of the attestation that vouches for it.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "DigestShape")]
    pub attestation: Option<Digest>,
}

/// What a dependency is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum DependencyKind {
    /// A server of tools.
    McpServer,
    /// An index that answers are looked up in.
    RagIndex,
    /// A memory that outlives the run.
    MemoryStore,
    /// A further model.
    Model,
    /// A signed plugin.
    Plugin,
    /// Another agent.
    Agent,
    /// A plain service.
    HttpApi,
}

/// How firmly a dependency is pinned, from a mere claim to proof. The order is the strength.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FingerprintClass {
    /// Named, no more.
    Declared,
    /// The version is fixed.
    VersionPinned,
    /// The content is fixed.
    ContentHashed,
    /// The content is fixed and its maker signed it.
    PluginSigned,
    /// A third party vouches for the content.
    Attested,
}

impl Dependency {
    /// What types cannot say: the fields that the class stands on are there.
    pub fn validate(&self) -> Vec<Flaw> {
        let needed: [(bool, &str); 5] = match self.class {
            FingerprintClass::Declared => [NOT_NEEDED; 5],
            FingerprintClass::VersionPinned => {
                [self.version(), NOT_NEEDED, NOT_NEEDED, NOT_NEEDED, NOT_NEEDED]
            }
            FingerprintClass::ContentHashed => {
                [self.version(), self.content(), NOT_NEEDED, NOT_NEEDED, NOT_NEEDED]
            }
            FingerprintClass::PluginSigned => {
                [self.version(), self.content(), self.signed(), self.signer(), NOT_NEEDED]
            }
            FingerprintClass::Attested => {
                [self.version(), self.content(), NOT_NEEDED, NOT_NEEDED, self.attested()]
            }
        };
        let missing = needed.into_iter().filter(|(there, _)| !there);
        let flaw = |(_, field)| {
            let message = format!("the class claims more than is given: `{field}` is missing");
            Flaw::new(Code::Fingerprint, "/class", message)
        };
        missing.map(flaw).collect()
    }

    const fn version(&self) -> (bool, &'static str) {
        (self.version.is_some(), "version")
    }

    const fn content(&self) -> (bool, &'static str) {
        (self.digest.is_some(), "digest")
    }

    const fn signed(&self) -> (bool, &'static str) {
        (self.signature.is_some(), "signature")
    }

    const fn signer(&self) -> (bool, &'static str) {
        (self.signer_key_id.is_some(), "signer_key_id")
    }

    const fn attested(&self) -> (bool, &'static str) {
        (self.attestation.is_some(), "attestation")
    }
}

const NOT_NEEDED: (bool, &str) = (true, "");
