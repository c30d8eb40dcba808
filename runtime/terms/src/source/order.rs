//! What a Paper fixes about each of its runs: the warrant and the grant, but for what is known only
//! when a run is launched.

use envelope_evidence::{Digest, Dimension, Label, Timestamp};
use envelope_rules::budget::Cap;
use envelope_rules::content::Rule as Content;
use envelope_rules::egress::policy::PolicyDocument;
use envelope_rules::grant::{Budget, Claims, Jti, LIFE_SECS_MAX};
use envelope_rules::guard::{Capability, CapabilitySet, ModelRule, Warrant, WarrantDocument};
use envelope_rules::path::Prefix;
use envelope_rules::pattern::PatternSet;
use serde::{Deserialize, Serialize};

use crate::contract::{Code, Contract, DependencyKind, Flaw, SessionSecs};

/// A warrant without its run, its Paper and its deadline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WarrantTemplate {
    /// The agent's identifier, the audience of its grants.
    pub agent: Label,
    /// The only code that may run.
    pub component: Digest,
    /// The skill that is engaged.
    pub skill: Label,
    /// What the run may do at all.
    pub capabilities: CapabilitySet,
    /// Which destinations it may reach.
    pub egress: PolicyDocument,
    /// What must not leave in what it sends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub content: Vec<Content>,
    /// Which models it may call.
    pub models: Vec<ModelRule>,
    /// Which agents it may call.
    pub agents: Vec<Label>,
    /// What it may use up.
    pub budget: Cap,
    /// How long it may last.
    pub session_seconds: SessionSecs,
}

/// A grant without its name, its run, its Paper and its times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantTemplate {
    /// Who may use it.
    pub agent: Label,
    /// What may be read.
    pub paths: PatternSet,
    /// Where may be written.
    pub outputs: Prefix,
    /// What may be spent under it, in billionths of a US dollar.
    pub nano_usd: u64,
    /// How long it lives.
    pub life_seconds: u64,
}

impl WarrantTemplate {
    /// What `contract` fixes. A flaw where the runtime could not enforce it.
    pub(super) fn of(contract: &Contract) -> Result<Self, Flaw> {
        let seconds = contract.scope.max_session_seconds;
        let budget = contract.caps.task.cap();
        let millis = seconds.get().saturating_mul(1000);
        Ok(Self {
            agent: label(&contract.agent.did, "/agent/did")?,
            component: contract.agent.release.component,
            skill: label(&contract.agent.skill, "/agent/skill")?,
            capabilities: capabilities(contract),
            egress: contract.scope.egress_document(),
            content: contract.scope.content(),
            models: models(contract)?,
            agents: agents(contract)?,
            budget: budget.with(Dimension::WallMs, millis).unwrap_or(budget),
            session_seconds: seconds,
        })
    }

    /// The warrant of one run that is launched `now` under the document `paper`.
    pub fn warrant(
        &self,
        run: Label,
        paper: Digest,
        criteria: Digest,
        now: Timestamp,
    ) -> WarrantDocument {
        let end = now.millis().saturating_add(self.session_seconds.get().saturating_mul(1000));
        WarrantDocument {
            v: Warrant::VERSION,
            run,
            agent: self.agent.clone(),
            component: self.component,
            skill: self.skill.clone(),
            paper: Some(paper),
            deadline: Timestamp::from_millis(end).unwrap_or(Timestamp::MAX),
            capabilities: self.capabilities,
            egress: self.egress.clone(),
            content: self.content.clone(),
            models: self.models.clone(),
            agents: self.agents.clone(),
            budget: self.budget,
            criteria: Some(criteria),
            approvals: None,
        }
    }
}

impl GrantTemplate {
    /// What `contract` fixes. A flaw where the runtime could not enforce it.
    pub(super) fn of(contract: &Contract) -> Result<Self, Flaw> {
        let scope = |pointer: &'static str| move |why: String| Flaw::new(Code::Scope, pointer, why);
        let paths =
            contract.scope.patterns().map_err(|bad| scope("/scope/read")(bad.to_string()))?;
        let outputs =
            contract.scope.prefix().map_err(|bad| scope("/scope/outputs")(bad.to_string()))?;
        Ok(Self {
            agent: label(&contract.agent.did, "/agent/did")?,
            paths,
            outputs,
            nano_usd: contract.caps.task.nano_usd.get(),
            life_seconds: contract.scope.max_session_seconds.get().min(LIFE_SECS_MAX),
        })
    }

    /// The claims of the grant that a run is launched with.
    pub fn claims(&self, jti: Jti, run: &Label, paper: Digest, now: Timestamp) -> Claims {
        Claims {
            iss: None,
            aud: self.agent.as_str().to_owned(),
            run: Some(run.as_str().to_owned()),
            paper: Some(paper),
            paths: self.paths.clone(),
            outputs: Some(self.outputs.clone()),
            exp: now.secs().saturating_add(self.life_seconds),
            iat: now.secs(),
            jti,
            depth: None,
            budget: Some(Budget::nano_usd(self.nano_usd)),
            prev: None,
            par: None,
            act: None,
        }
    }
}

/// What is listed can be done. What reaches nothing outside the run is always there, and so is the
/// question to a human.
fn capabilities(contract: &Contract) -> CapabilitySet {
    let scope = &contract.scope;
    Capability::ALL
        .into_iter()
        .filter(|capability| match capability {
            Capability::Http => !scope.egress.is_empty(),
            Capability::Model => !scope.models.is_empty(),
            Capability::Agents => dependent_agents(contract).next().is_some(),
            Capability::Files
            | Capability::Approvals
            | Capability::Clock
            | Capability::Random
            | Capability::Stdio
            | Capability::Environment
            | Capability::Trace
            | Capability::Artifacts
            | Capability::Run => true,
        })
        .fold(CapabilitySet::NONE, CapabilitySet::with)
}

/// No single answer is longer than all that the run may use.
fn models(contract: &Contract) -> Result<Vec<ModelRule>, Flaw> {
    let max_output = contract.caps.task.tokens.get();
    let rules = contract.scope.models.iter().enumerate().map(|(at, name)| {
        Ok(ModelRule {
            model: label(name, &format!("/scope/models/{at}"))?,
            max_output,
            nano_usd: None,
        })
    });
    rules.collect()
}

fn agents(contract: &Contract) -> Result<Vec<Label>, Flaw> {
    dependent_agents(contract)
        .map(|(at, locator)| {
            label(locator, &format!("/agent/release/fingerprint/dependencies/{at}/locator"))
        })
        .collect()
}

fn dependent_agents(contract: &Contract) -> impl Iterator<Item = (usize, &str)> {
    let dependencies = contract.agent.release.fingerprint.dependencies.iter().enumerate();
    dependencies
        .filter(|(_, one)| one.kind == DependencyKind::Agent)
        .map(|(at, one)| (at, one.locator.as_str()))
}

fn label(text: &str, pointer: &str) -> Result<Label, Flaw> {
    Label::new(text).map_err(|bad| Flaw::new(Code::Scope, pointer, bad))
}
