//! What only several parts together can say.

use envelope_rules::Path;

use super::check::{unique, whole};
use super::flaw::{self, Code, Flaw};
use super::{Check, Contract, Criterion, Evidence, Form, HumanDecides, Model, Stakes, TieBreaker};

/// Every flaw that lies between two parts.
pub(super) fn flaws(contract: &Contract) -> Vec<Flaw> {
    let mut flaws = lists(contract);
    flaws.extend(outputs(contract));
    for (at, criterion) in contract.criteria.iter().enumerate() {
        let prefix = format!("/criteria/{at}");
        flaws.extend(flaw::under(&prefix, criterion.validate()));
        flaws.extend(flaw::under(&prefix, about_deliverable(contract, criterion)));
        if let Check::Evaluator { model, .. } = &criterion.check {
            let at = format!("{prefix}/check/model");
            flaws.extend(partial(contract, &at, model));
        }
    }
    flaws.extend(milestones(contract));
    flaws.extend(
        contract
            .dispute
            .models()
            .filter_map(|(at, model)| partial(contract, &format!("/dispute{at}"), model)),
    );
    flaws.extend(model_not_allowed(contract));
    flaws.extend(uncleared(contract));
    flaws.extend(interested(contract));
    flaws.extend(nobody_asked(contract));
    flaws
}

fn lists(contract: &Contract) -> Vec<Flaw> {
    let deliverables = contract.deliverables.iter().map(|deliverable| deliverable.id.as_str());
    let mut flaws = unique("/deliverables", "/id", deliverables);
    flaws.extend(unique("/criteria", "/id", contract.criteria.iter().map(|one| one.id.as_str())));
    let milestones = contract.milestones.iter().map(|milestone| milestone.id.as_str());
    flaws.extend(unique("/milestones", "/id", milestones));
    let schedules = contract.schedules.iter().map(|schedule| schedule.letters.as_str());
    for flaw in unique("/schedules", "/letters", schedules) {
        flaws.push(Flaw { code: Code::Schedules, ..flaw });
    }
    flaws.extend(whole("/criteria", contract.criteria.iter().map(|one| one.weight)));
    if !contract.milestones.is_empty() {
        flaws.extend(whole("/milestones", contract.milestones.iter().map(|one| one.weight)));
    }
    flaws
}

/// Each delivered file lies where the agent may write, and no two at one place.
fn outputs(contract: &Contract) -> Vec<Flaw> {
    let paths = contract.deliverables.iter().enumerate().filter_map(|(at, one)| match &one.form {
        Form::File { path, .. } => Some((at, path)),
        Form::Result {} => None,
    });
    let mut seen = std::collections::BTreeSet::new();
    let prefix = contract.scope.prefix().ok();
    let mut flaws = Vec::new();
    for (at, text) in paths {
        let pointer = format!("/deliverables/{at}/form/path");
        if !seen.insert(text) {
            let message = format!("`{text}` is delivered twice");
            flaws.push(Flaw::new(Code::Duplicate, pointer.clone(), message));
        }
        match (Path::parse(text), &prefix) {
            (Err(bad), _) => flaws.push(Flaw::new(Code::Scope, pointer, bad)),
            (Ok(path), Some(prefix)) if !prefix.contains(&path) => {
                let message = format!("`{path}` is not below `{}`", prefix.as_str());
                flaws.push(Flaw::new(Code::Outputs, pointer, message));
            }
            (Ok(_), _) => {}
        }
    }
    flaws
}

fn about_deliverable(contract: &Contract, criterion: &Criterion) -> Vec<Flaw> {
    let Some(deliverable) = contract.deliverable(&criterion.deliverable) else {
        let message = format!("there is no deliverable `{}`", criterion.deliverable);
        return vec![Flaw::new(Code::Reference, "/deliverable", message)];
    };
    let stored = match deliverable.form {
        Form::Result {} => Evidence::Output,
        Form::File { .. } => Evidence::File,
    };
    let mut flaws = Vec::new();
    if let (Check::FileExists { .. }, Form::Result {}) = (&criterion.check, &deliverable.form) {
        let message = format!("`{}` is the run's answer, not a file", deliverable.id);
        flaws.push(Flaw::new(Code::Check, "/check", message));
    }
    if let (Check::FileExists { bytes_min }, Form::File { bytes_max, .. }) =
        (&criterion.check, &deliverable.form)
        && bytes_min.get() > bytes_max.get()
    {
        let message =
            format!("at least {bytes_min} bytes, but `{}` has at most {bytes_max}", deliverable.id);
        flaws.push(Flaw::new(Code::Check, "/check/bytes_min", message));
    }
    let reads = criterion.check.reads(stored);
    if !criterion.evidence.contains(&reads) {
        let message = format!("the check reads `{}`, which is not named", reads.name());
        flaws.push(Flaw::new(Code::Evidence, "/evidence", message));
    }
    flaws
}

/// With milestones, each criterion releases the share of exactly one.
fn milestones(contract: &Contract) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    if contract.milestones.is_empty() {
        return flaws;
    }
    let weights = contract.milestones.iter().map(|milestone| milestone.weight);
    for (at, share) in contract.price.split(weights).into_iter().enumerate() {
        if share == 0 {
            let message = "its share of the price rounds to nothing";
            flaws.push(Flaw::new(Code::Price, format!("/milestones/{at}/weight"), message));
        }
    }
    let mut due: Vec<&str> = Vec::new();
    for (at, milestone) in contract.milestones.iter().enumerate() {
        for (nth, id) in milestone.criteria.iter().enumerate() {
            let pointer = format!("/milestones/{at}/criteria/{nth}");
            if contract.criterion(id).is_none() {
                let message = format!("there is no criterion `{id}`");
                flaws.push(Flaw::new(Code::Reference, pointer, message));
            } else if due.contains(&id.as_str()) {
                let message = format!("`{id}` is due already");
                flaws.push(Flaw::new(Code::Milestones, pointer, message));
            }
            due.push(id);
        }
    }
    for (at, criterion) in contract.criteria.iter().enumerate() {
        if !due.contains(&criterion.id.as_str()) {
            let message = format!("no milestone is due when `{}` is met", criterion.id);
            flaws.push(Flaw::new(Code::Milestones, format!("/criteria/{at}/id"), message));
        }
    }
    flaws
}

/// Who judges the work does not also serve the model that did it.
fn partial(contract: &Contract, at: &str, judge: &Model) -> Option<Flaw> {
    let worker = &contract.agent.release.fingerprint.model;
    (judge.provider == worker.provider).then(|| {
        let message = format!("`{}` also serves the agent's model", judge.provider);
        Flaw::new(Code::Neutrality, format!("{at}/provider"), message)
    })
}

fn model_not_allowed(contract: &Contract) -> Option<Flaw> {
    let model = &contract.agent.release.fingerprint.model.name;
    (!contract.scope.models.contains(model)).then(|| {
        let message = format!("`{model}` is not among the models of `/scope/models`");
        Flaw::new(Code::Model, "/agent/release/fingerprint/model/name", message)
    })
}

/// A memory keeps what the agent is given, so it is cleared for all of it.
fn uncleared(contract: &Contract) -> Vec<Flaw> {
    let given = contract.scope.data_classification;
    let dependencies = contract.agent.release.fingerprint.dependencies.iter().enumerate();
    let keeps = dependencies.filter(|(_, one)| {
        one.kind == super::DependencyKind::MemoryStore && one.classification < given
    });
    let flaw = |(at, one): (usize, &super::Dependency)| {
        let message = format!(
            "`{}` keeps {} data, and the agent is given {} data",
            one.id,
            one.classification.name(),
            given.name()
        );
        let pointer = format!("/agent/release/fingerprint/dependencies/{at}/classification");
        Flaw::new(Code::Clearance, pointer, message)
    };
    keeps.map(flaw).collect()
}

/// The person who breaks a tie is neither party nor acts for one.
fn interested(contract: &Contract) -> Option<Flaw> {
    let TieBreaker::Human { did, .. } = &contract.dispute.tie_breaker else { return None };
    let parties = [&contract.parties.buyer, &contract.parties.developer];
    let acts = parties.into_iter().find(|party| {
        party.did == *did
            || party.human_root.did == *did
            || party.principals.iter().any(|principal| principal.did == *did)
    })?;
    let message = format!("`{did}` acts for `{}`", acts.name);
    Some(Flaw::new(Code::Neutrality, "/dispute/tie_breaker/did", message))
}

/// From elevated stakes on a human looks at the work before it is paid.
fn nobody_asked(contract: &Contract) -> Option<Flaw> {
    let asks = |one: &Criterion| matches!(one.check, Check::HumanReview { .. });
    let asked = contract.criteria.iter().any(asks);
    let decides = contract.agreed_remedy().human == HumanDecides::Always;
    (contract.stakes > Stakes::Standard && !asked && !decides).then(|| {
        let message = "no criterion is reviewed by a human, and none decides in a dispute";
        Flaw::new(Code::HumanReview, "/stakes", message)
    })
}
