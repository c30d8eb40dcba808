//! What a callee may do: what it may by itself, and what its caller may.

use envelope_evidence::{Digest, canonical};
use envelope_gate::peers::Errand;
use envelope_rules::budget::Cap;
use envelope_rules::content::Rule;
use envelope_rules::egress::policy::PolicyDocument;
use envelope_rules::guard::{
    BadWarrant, Capability, CapabilitySet, ModelRule, Warrant, WarrantDocument,
};

/// The warrant of a callee.
///
/// Of the destinations those stay that both name in the same words: a rule that is only covered by
/// another is left out. That is less than could be allowed, and never more.
pub(super) fn warrant(own: &WarrantDocument, errand: &Errand) -> Result<Warrant, BadWarrant> {
    let most = errand.ceiling.document();
    let rules = own.egress.rules.iter().filter(|rule| most.egress.rules.contains(rule));
    let agents = own.agents.iter().filter(|agent| most.agents.contains(agent));
    Warrant::new(WarrantDocument {
        v: Warrant::VERSION,
        run: errand.run.clone(),
        agent: errand.agent.clone(),
        component: own.component,
        skill: errand.skill.clone(),
        paper: most.paper,
        deadline: errand.deadline.min(own.deadline),
        capabilities: both(own.capabilities, most.capabilities),
        egress: PolicyDocument { rules: rules.cloned().collect() },
        content: content(own, most),
        models: models(own, most),
        agents: agents.cloned().collect(),
        budget: Cap::of(&errand.budget).tightest(&own.budget),
        criteria: most.criteria,
        approvals: None,
    })
}

/// The digest of all that an agent may do by itself.
pub(super) fn own(own: &WarrantDocument) -> Digest {
    Digest::of(&canonical::of(own).unwrap_or_default())
}

fn both(own: CapabilitySet, most: CapabilitySet) -> CapabilitySet {
    let shared = Capability::ALL.into_iter();
    let shared = shared.filter(|&it| own.contains(it) && most.contains(it));
    shared.fold(CapabilitySet::NONE, CapabilitySet::with)
}

/// Whatever either has looked for: of that a callee is held to more than its caller, never to less.
fn content(own: &WarrantDocument, most: &WarrantDocument) -> Vec<Rule> {
    let more = own.content.iter().filter(|rule| !most.content.contains(rule));
    most.content.iter().chain(more).copied().collect()
}

fn models(own: &WarrantDocument, most: &WarrantDocument) -> Vec<ModelRule> {
    let lesser = |rule: &ModelRule| {
        let other = most.models.iter().find(|other| other.model == rule.model)?;
        let max_output = rule.max_output.min(other.max_output);
        let nano_usd = [rule.nano_usd, other.nano_usd].into_iter().flatten().min();
        Some(ModelRule { model: rule.model.clone(), max_output, nano_usd })
    };
    own.models.iter().filter_map(lesser).collect()
}
