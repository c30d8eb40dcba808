//! The Paper: what two parties sign, as one value with one spelling.

use envelope_evidence::{Digest, Label, Timestamp, canonical};
use envelope_rules::guard::WarrantDocument;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::clause::Clause;
use super::order::{GrantTemplate, WarrantTemplate};
use crate::contract::{Contract, DigestShape, Flaw, Severity, present};
use crate::export::{Digests, EXPORTER, export_digests};

/// A contract that was compiled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paper {
    /// The version of this shape.
    pub v: u64,
    /// Where it stands in its life. A compiled Paper is not signed yet.
    pub status: Status,
    /// The digest of the master agreement it stands under.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub msa: Option<Digest>,
    /// The data.
    pub contract: Contract,
    /// The prose, rendered.
    pub prose: String,
    /// The clauses of the prose.
    pub clauses: Vec<Clause>,
    /// What its parts are hashed to.
    pub hashes: Hashes,
    /// What each run is allowed.
    pub warrant: WarrantTemplate,
    /// What files each run may use.
    pub grant: GrantTemplate,
    /// The policies that were derived from it for other engines.
    pub exports: Digests,
}

/// Where a Paper stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Compiled, and nothing else.
    Compiled,
}

/// The digests of the parts of a Paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hashes {
    /// The canonical bytes of the data.
    #[schemars(with = "DigestShape")]
    pub contract: Digest,
    /// The acceptance criteria, which no one changes afterwards.
    #[schemars(with = "DigestShape")]
    pub criteria: Digest,
    /// The declared state of the release.
    #[schemars(with = "DigestShape")]
    pub fingerprint: Digest,
    /// The rendered prose.
    #[schemars(with = "DigestShape")]
    pub prose: Digest,
    /// The words without their values.
    #[schemars(with = "DigestShape")]
    pub template: Digest,
}

/// A Paper that is not what it says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPaper {
    /// Not a Paper in canonical JSON.
    #[error("not a Paper: {0}")]
    Shape(#[from] canonical::Refused),
    /// Written by a newer build.
    #[error("version {0} is not known to this build")]
    Version(u64),
    /// Its data have flaws.
    #[error("the contract in it has flaws, the first: {0}")]
    Contract(Flaw),
    /// Its data cannot be exported.
    #[error("no policies follow from it: {0}")]
    Export(String),
    /// One part does not follow from the others.
    #[error("its `{0}` does not follow from its contract and prose")]
    Part(&'static str),
}

impl Paper {
    /// The version that this build writes.
    pub const VERSION: u64 = 1;

    /// The canonical bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, canonical::Refused> {
        canonical::of(self)
    }

    /// The digest of the canonical bytes.
    pub fn digest(&self) -> Result<Digest, canonical::Refused> {
        Ok(Digest::of(&self.to_bytes()?))
    }

    /// Reads canonical bytes, and checks that everything derived follows from what it is derived
    /// from. Whether the prose says what the data say is for its template to tell.
    pub fn read(bytes: &[u8]) -> Result<Self, BadPaper> {
        let paper: Self = canonical::read(bytes)?;
        if paper.v != Self::VERSION {
            return Err(BadPaper::Version(paper.v));
        }
        let errors = paper.contract.validate().into_iter();
        let mut errors = errors.filter(|flaw| flaw.code.severity() == Severity::Error);
        if let Some(flaw) = errors.next() {
            return Err(BadPaper::Contract(flaw));
        }
        let hashes = Hashes::of(&paper.contract, &paper.prose, paper.hashes.template)?;
        let warrant = WarrantTemplate::of(&paper.contract).map_err(BadPaper::Contract)?;
        let grant = GrantTemplate::of(&paper.contract).map_err(BadPaper::Contract)?;
        let exports = export_digests(&paper.contract, paper.exports.acs)
            .map_err(|refused| BadPaper::Export(refused.to_string()))?;
        let parts = [
            ("hashes", hashes == paper.hashes),
            ("warrant", warrant == paper.warrant),
            ("grant", grant == paper.grant),
            // Another exporter writes other bytes, which this one cannot judge.
            ("exports", exports == paper.exports || paper.exports.exporter != EXPORTER),
        ];
        match parts.into_iter().find(|(_, follows)| !follows) {
            Some((part, _)) => Err(BadPaper::Part(part)),
            None => Ok(paper),
        }
    }

    /// Everything but the prose, as the terms of a document whose text the prose is.
    pub fn terms(&self) -> serde_json::Result<Map<String, Value>> {
        let mut terms = match serde_json::to_value(self)? {
            Value::Object(terms) => terms,
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => Map::new(),
        };
        terms.remove("prose");
        Ok(terms)
    }

    /// The warrant of one run that is launched `now` under this Paper.
    pub fn warrant(
        &self,
        run: Label,
        now: Timestamp,
    ) -> Result<WarrantDocument, canonical::Refused> {
        Ok(self.warrant.warrant(run, self.digest()?, self.hashes.criteria, now))
    }
}

impl Hashes {
    pub(super) fn of(
        contract: &Contract,
        prose: &str,
        template: Digest,
    ) -> Result<Self, canonical::Refused> {
        Ok(Self {
            contract: Digest::of(&contract.canonical()?),
            criteria: contract.criteria_digest()?,
            fingerprint: contract.agent.release.fingerprint.digest()?,
            prose: Digest::of(prose.as_bytes()),
            template,
        })
    }
}
