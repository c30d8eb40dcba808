//! A contract's rules for foreign policy engines, and what those rules have to decide.
//!
//! Each export is a list of what is allowed; what it does not list, or what its engine cannot read,
//! is denied. [`permits`] is the meaning that every export has to agree with. Exports are coarser
//! than the runtime, which enforces the contract anyway: [`Format::gaps`] says where.

mod acs;
mod agt;
mod allowed;
mod cedar;
mod quote;
mod rego;
mod request;

use std::fmt;

use envelope_evidence::{Digest, canonical};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::contract::{Classification, Contract, DigestShape};
use allowed::Allowed;

pub use request::{Denied, NO_HOST, Request, decide, permits};

/// Counts changes of what an exporter writes, so that a Paper tells with which it was made.
pub const EXPORTER: u32 = 1;

/// A policy language that a contract can be told in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// An Agent Control Specification manifest and its Rego module.
    Acs(AcsVersion),
    /// Cedar policies and their schema.
    Cedar,
    /// A YAML policy of `governance.toolkit/v1`.
    AgtYaml,
}

/// The versions of the Agent Control Specification whose manifests look as written here.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
pub enum AcsVersion {
    /// The first one read by today's packages.
    #[serde(rename = "0.3.0-alpha")]
    Alpha,
    /// The same in the toolkit's own profile.
    #[serde(rename = "0.3.0-alpha-agt")]
    AlphaAgt,
    /// The newest that a published package reads.
    #[default]
    #[serde(rename = "0.3.1-beta")]
    Beta,
    /// The same in the toolkit's own profile.
    #[serde(rename = "0.3.1-beta-agt")]
    BetaAgt,
}

/// One file of an export. Its bytes follow from the contract and the format alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where it stands below the export's folder.
    pub path: &'static str,
    /// What it says.
    pub text: String,
}

/// What fixes a Paper's exports: each file by its digest, and with what it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Digests {
    /// The exporter's version.
    pub exporter: u32,
    /// For which version of the Agent Control Specification.
    pub acs: AcsVersion,
    /// The files by path.
    pub files: Files,
}

/// Every file of the exports. An exporter that writes others is for another version of the Paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ExportFiles")]
pub struct Files {
    /// The manifest of the Agent Control Specification.
    #[serde(rename = "acs/manifest.json")]
    #[schemars(with = "DigestShape")]
    pub acs_manifest: Digest,
    /// Its rules in Rego.
    #[serde(rename = "acs/policy/paper.rego")]
    #[schemars(with = "DigestShape")]
    pub acs_rego: Digest,
    /// The policy of `governance.toolkit/v1`.
    #[serde(rename = "agt-yaml/paper.yaml")]
    #[schemars(with = "DigestShape")]
    pub agt_yaml: Digest,
    /// The policies in Cedar.
    #[serde(rename = "cedar/paper.cedar")]
    #[schemars(with = "DigestShape")]
    pub cedar: Digest,
    /// What they speak of.
    #[serde(rename = "cedar/paper.cedarschema")]
    #[schemars(with = "DigestShape")]
    pub cedar_schema: Digest,
}

/// A contract that cannot be exported. A contract without flaws always can.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// A host that the runtime would refuse too.
    #[error("egress rule {rule}: {why}")]
    Host {
        /// The rule's place, counted from zero.
        rule: usize,
        /// What is wrong with it.
        why: envelope_rules::egress::rule::BadHostPattern,
    },
    /// Other files than a Paper cites, which no contract can bring about.
    #[error("not the files that a Paper cites: {0}")]
    Files(#[from] serde_json::Error),
    /// No canonical form, and so no digest.
    #[error(transparent)]
    Form(#[from] canonical::Refused),
}

/// The files that tell `contract` to the engines of `format`, by path.
pub fn export(contract: &Contract, format: Format) -> Result<Vec<File>, Refused> {
    let allowed = Allowed::of(contract)?;
    match format {
        Format::Acs(version) => acs::files(&allowed, version),
        Format::Cedar => Ok(cedar::files(&allowed)),
        Format::AgtYaml => Ok(agt::files(&allowed)),
    }
}

/// The digests of all exports of `contract`: what its Paper cites.
pub fn export_digests(contract: &Contract, acs: AcsVersion) -> Result<Digests, Refused> {
    let mut files = Map::new();
    for format in Format::all(acs) {
        for file in export(contract, format)? {
            let path = format!("{}/{}", format.name(), file.path);
            files.insert(path, Digest::of(file.text.as_bytes()).to_string().into());
        }
    }
    let files = serde_json::from_value(Value::Object(files))?;
    Ok(Digests { exporter: EXPORTER, acs, files })
}

impl Format {
    /// Every format, the Agent Control Specification in one version.
    pub const fn all(acs: AcsVersion) -> [Self; 3] {
        [Self::Acs(acs), Self::Cedar, Self::AgtYaml]
    }

    /// The name in commands and folders.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Acs(_) => "acs",
            Self::Cedar => "cedar",
            Self::AgtYaml => "agt-yaml",
        }
    }

    /// What the runtime enforces and this export does not say.
    pub const fn gaps(self) -> &'static [&'static str] {
        match self {
            Self::Acs(_) => &[COARSE_EGRESS, COARSE_BUDGET, NO_FILES, NO_RINGS, HOST_REPORTS],
            Self::Cedar => &[COARSE_EGRESS, COARSE_BUDGET, NO_FILES, HOST_REPORTS],
            Self::AgtYaml => {
                &[COARSE_EGRESS, COARSE_BUDGET, NO_FILES, NO_RINGS, HOST_REPORTS, BYPASS]
            }
        }
    }
}

const COARSE_EGRESS: &str = "egress is told by host alone, without method, path, port and query";
const COARSE_BUDGET: &str =
    "a ceiling denies the call after the one that reached it; bytes and days are not counted";
const NO_FILES: &str = "file patterns and models are not told";
const NO_RINGS: &str =
    "rings are privileges, not classes of data: the ring ceiling is a note to the host";
const HOST_REPORTS: &str = "time, use, labels and hosts are what the calling program reports";
const BYPASS: &str = "the wrapped function can still be called around its wrapper";

/// The most privileged ring of the toolkit for an agent that is handed data of a class. Rings say
/// nothing about data, so this is a convention of ours: 2 is standard, 3 is read-only.
pub const fn ring_ceiling(class: Classification) -> u8 {
    match class {
        Classification::Public | Classification::Internal | Classification::Confidential => 2,
        Classification::Restricted => 3,
    }
}

impl AcsVersion {
    /// Every version.
    pub const ALL: [Self; 4] = [Self::Alpha, Self::AlphaAgt, Self::Beta, Self::BetaAgt];

    /// The version as manifests spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alpha => "0.3.0-alpha",
            Self::AlphaAgt => "0.3.0-alpha-agt",
            Self::Beta => "0.3.1-beta",
            Self::BetaAgt => "0.3.1-beta-agt",
        }
    }

    /// The version called `name`.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.name() == name)
    }
}

impl fmt::Display for AcsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
