//! The warrant: what one run was bought to do, and what the operator lets anybody do.

use envelope_evidence::canonical::{self, Refused};
use envelope_evidence::journal::Beside;
use envelope_evidence::usage::MAX_EXACT;
use envelope_evidence::{Digest, Dimension, Label, Timestamp, Usage};
use serde::{Deserialize, Serialize};

use crate::approval::Wanted;
use crate::budget::{Cap, PriceBook};
use crate::content;
use crate::denial::{Code, Denial};
use crate::egress::policy::{BadPolicy, Ceiling, Policy, PolicyDocument};
use crate::egress::rule::{QueryRule, RuleDocument};
use crate::egress::target::Scheme;
use crate::guard::call::{Capability, CapabilitySet};

/// Models in one warrant: each call is held against each.
pub const MODELS_MAX: usize = 64;

/// Agents that one warrant lets call.
pub const AGENTS_MAX: usize = 256;

/// The operator's policy: nobody gets more, whatever was bought.
#[derive(Debug, Default)]
pub struct Operator {
    /// Which capabilities exist here.
    pub capabilities: CapabilitySet,
    /// Which destinations may be reached.
    pub egress: Ceiling,
    /// What models cost. A model without a price is not called.
    pub prices: PriceBook,
    /// What must not leave in what anybody sends.
    pub content: Vec<content::Rule>,
}

/// A warrant as it is written and hashed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WarrantDocument {
    /// The version of the document.
    pub v: u64,
    /// The run it is for.
    pub run: Label,
    /// The agent's service identity, the audience of its grants.
    pub agent: Label,
    /// The only code it lets run.
    pub component: Digest,
    /// The skill it lets run.
    pub skill: Label,
    /// The contract it was bought under.
    pub paper: Option<Digest>,
    /// The first instant that is too late.
    pub deadline: Timestamp,
    /// What it lets the run do at all.
    pub capabilities: CapabilitySet,
    /// Which destinations it lets the run reach.
    pub egress: PolicyDocument,
    /// What must not leave in what the run sends, to hosts and to models.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub content: Vec<content::Rule>,
    /// Which models it lets the run call.
    pub models: Vec<ModelRule>,
    /// Which agents it lets the run call, by service identity.
    pub agents: Vec<Label>,
    /// What it lets the run use up.
    pub budget: Cap,
    /// By which criteria the work will be judged: locked before the first token is paid for.
    /// Without them no model is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criteria: Option<Digest>,
    /// The widest that a human's word may let the run reach beyond all this. Without it nothing
    /// more can be had under a Paper; a run without one is bounded by its operator alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approvals: Option<Wanted>,
}

/// A model that may be called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelRule {
    /// Its name in the operator's price book.
    pub model: Label,
    /// The longest answer that may be asked for. It bounds one answer; how many are asked for at
    /// once is bounded by their price.
    pub max_output: u64,
    /// The most that one call of it may cost, in nano-dollars. None: what the budget affords.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nano_usd: Option<u64>,
}

/// A warrant, compiled once and then only read.
#[derive(Debug)]
pub struct Warrant {
    document: WarrantDocument,
    digest: Digest,
    egress: Policy,
}

/// A warrant that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadWarrant {
    /// Not a warrant in canonical JSON.
    #[error("not a warrant: {0}")]
    Shape(#[from] Refused),
    /// Its egress rules do not compile.
    #[error("its egress rules: {0}")]
    Egress(#[from] BadPolicy),
    /// Written by a newer build.
    #[error("version {0} is not known to this build")]
    Version(u64),
    /// A list that is too long.
    #[error("`{list}` has {found} entries, at most {max} fit")]
    List {
        /// Which list.
        list: &'static str,
        /// How many there are.
        found: usize,
        /// How many fit.
        max: usize,
    },
    /// A model listed twice: which rule holds?
    #[error("model `{0}` is listed twice")]
    Twice(Label),
}

impl Warrant {
    /// The version this build writes.
    pub const VERSION: u64 = 1;

    /// Compiles a warrant.
    pub fn new(document: WarrantDocument) -> Result<Self, BadWarrant> {
        if document.v != Self::VERSION {
            return Err(BadWarrant::Version(document.v));
        }
        check_length("models", document.models.len(), MODELS_MAX)?;
        check_length("content", document.content.len(), content::RULES_MAX)?;
        check_length("agents", document.agents.len(), AGENTS_MAX)?;
        check_models(&document.models)?;
        let digest = Digest::of(&canonical::of(&document)?);
        let egress = Policy::compile(document.egress.clone())?;
        Ok(Self { document, digest, egress })
    }

    /// Reads the canonical bytes of a warrant.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadWarrant> {
        Self::new(canonical::read(bytes)?)
    }

    /// The same warrant with what a human allowed beside files. It is a warrant for the same run
    /// and never written down: its digest stands in no document.
    pub fn widened(&self, beside: &Beside) -> Result<Self, BadWarrant> {
        let mut document = self.document.clone();
        let needed = [
            (Capability::Http, beside.hosts.is_empty()),
            (Capability::Model, beside.models.is_empty()),
        ];
        for (capability, _) in needed.into_iter().filter(|(_, none)| !none) {
            document.capabilities = document.capabilities.with(capability);
        }
        document.egress.rules.extend(beside.hosts.iter().map(whole_host));
        for model in &beside.models {
            if !document.models.iter().any(|rule| rule.model == *model) {
                let rule =
                    ModelRule { model: model.clone(), max_output: OUTPUT_MAX, nano_usd: None };
                document.models.push(rule);
            }
        }
        let budget = &mut document.budget;
        for (dimension, more) in
            [(Dimension::NanoUsd, beside.nano_usd), (Dimension::Tokens, tokens_with(beside))]
        {
            let most = budget.get(dimension).map(|limit| limit.saturating_add(more));
            let raised = most.and_then(|most| budget.with(dimension, most.min(MAX_EXACT)));
            *budget = raised.unwrap_or(*budget);
        }
        Self::new(document)
    }

    /// The same warrant after more was spent than it allows, because a human allowed that: it
    /// allows what was spent, and nothing on top.
    pub fn overspent(&self, used: &Usage) -> Result<Self, BadWarrant> {
        let mut document = self.document.clone();
        let budget = &mut document.budget;
        for dimension in [Dimension::NanoUsd, Dimension::Tokens] {
            let most = budget.get(dimension).map(|limit| limit.max(used.get(dimension)));
            *budget = most.and_then(|most| budget.with(dimension, most)).unwrap_or(*budget);
        }
        Self::new(document)
    }

    /// What is written.
    pub const fn document(&self) -> &WarrantDocument {
        &self.document
    }

    /// The digest of the document: what pins it in a journal.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The run it is for.
    pub fn run(&self) -> &str {
        &self.document.run
    }

    /// The agent's service identity.
    pub fn agent(&self) -> &str {
        &self.document.agent
    }

    /// The first instant that is too late.
    pub const fn deadline(&self) -> Timestamp {
        self.document.deadline
    }

    /// What it lets the run do at all.
    pub const fn capabilities(&self) -> CapabilitySet {
        self.document.capabilities
    }

    /// Which destinations it lets the run reach.
    pub const fn egress(&self) -> &Policy {
        &self.egress
    }

    /// The rule for `model`, if it may be called and its work can be judged.
    pub(super) fn model(&self, model: &str) -> Result<&ModelRule, Denial> {
        let rule = self.document.models.iter().find(|rule| *rule.model == *model);
        let refused = || Denial::new(Code::ModelOutside, format_args!("`{model}`"));
        let rule = rule.ok_or_else(refused)?;
        if self.document.criteria.is_none() {
            return Err(Denial::new(Code::CriteriaUnlocked, format_args!("`{model}`")));
        }
        Ok(rule)
    }

    pub(super) fn admit_model(&self, model: &str, max_output: u64) -> Result<&ModelRule, Denial> {
        let rule = self.model(model)?;
        let most = rule.max_output;
        if max_output > most {
            let what = format_args!("{max_output} output tokens of `{model}`, at most {most}");
            return Err(Denial::new(Code::ModelOutside, what));
        }
        Ok(rule)
    }

    pub(super) fn admit_agent(&self, agent: &str) -> Result<(), Denial> {
        let known = self.document.agents.iter().any(|known| **known == *agent);
        if known { Ok(()) } else { Err(Denial::new(Code::AgentOutside, format_args!("`{agent}`"))) }
    }
}

/// Tokens that come with money that a human allowed: a bound that the money reaches first.
const TOKENS_WITH_MONEY: u64 = 1_000_000_000;

/// Tokens of one answer of a model that a human allowed: above what any model gives.
const OUTPUT_MAX: u64 = 1_000_000;

/// The tokens that come with what a human allowed.
pub fn tokens_with(beside: &Beside) -> u64 {
    if beside.nano_usd > 0 { TOKENS_WITH_MONEY } else { 0 }
}

/// What it means that a human allowed a host: its pages over https, by every ordinary method.
fn whole_host(host: &Label) -> RuleDocument {
    let methods = ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"];
    RuleDocument {
        schemes: vec![Scheme::Https],
        host: host.to_string(),
        ports: Vec::new(),
        methods: methods.map(str::to_owned).into(),
        paths: vec!["/**".to_owned()],
        query: QueryRule::Any,
    }
}

fn check_length(list: &'static str, found: usize, max: usize) -> Result<(), BadWarrant> {
    if found > max { Err(BadWarrant::List { list, found, max }) } else { Ok(()) }
}

fn check_models(models: &[ModelRule]) -> Result<(), BadWarrant> {
    let twice = models.iter().enumerate().find(|(place, rule)| {
        models.iter().take(*place).any(|earlier| earlier.model == rule.model)
    });
    twice.map_or(Ok(()), |(_, rule)| Err(BadWarrant::Twice(rule.model.clone())))
}
