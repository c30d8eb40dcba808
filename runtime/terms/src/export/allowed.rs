//! What a contract allows, in the one order in which every export tells it.

use std::collections::{BTreeMap, BTreeSet};

use envelope_evidence::Digest;
use envelope_rules::egress::rule::HostPattern;

use super::request::NO_HOST;
use super::{Refused, ring_ceiling};
use crate::contract::{Classification, Contract};

pub(super) struct Allowed<'a> {
    pub(super) title: &'a str,
    /// The contract that is told.
    pub(super) contract: Digest,
    pub(super) agent: &'a str,
    /// Each action with the most sensitive data it may be handed.
    pub(super) actions: BTreeMap<&'a str, Classification>,
    /// The hosts by name, and the mark of a call that reaches none.
    pub(super) hosts: BTreeSet<String>,
    /// The names that a host may stand directly below.
    pub(super) below: BTreeSet<String>,
    pub(super) seconds: u64,
    pub(super) calls: u64,
    pub(super) tokens: u64,
    pub(super) nano_usd: u64,
    pub(super) ring: u8,
}

impl<'a> Allowed<'a> {
    pub(super) fn of(contract: &'a Contract) -> Result<Self, Refused> {
        let scope = &contract.scope;
        let mut actions = BTreeMap::new();
        for action in &scope.actions {
            let clearance = action.clearance.min(scope.data_classification);
            let known = actions.entry(action.name.as_str()).or_insert(clearance);
            *known = clearance.max(*known);
        }
        let mut hosts = BTreeSet::from([NO_HOST.to_owned()]);
        let mut below = BTreeSet::new();
        for (rule, egress) in scope.egress.iter().enumerate() {
            let pattern = HostPattern::parse(&egress.host);
            match pattern.map_err(|why| Refused::Host { rule, why })? {
                HostPattern::Exact(host) => hosts.insert(host.to_string()),
                HostPattern::Below(base) => below.insert(base.to_string()),
            };
        }
        Ok(Self {
            title: contract.title.as_str(),
            contract: Digest::of(&contract.canonical()?),
            agent: contract.agent.did.as_str(),
            actions,
            hosts,
            below,
            seconds: scope.max_session_seconds.get(),
            calls: contract.caps.task.calls.get(),
            tokens: contract.caps.task.tokens.get(),
            nano_usd: contract.caps.task.nano_usd.get(),
            ring: ring_ceiling(scope.data_classification),
        })
    }

    /// The actions of each clearance.
    pub(super) fn by_clearance(&self) -> BTreeMap<Classification, Vec<&'a str>> {
        let mut groups: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (action, clearance) in &self.actions {
            groups.entry(*clearance).or_default().push(*action);
        }
        groups
    }
}

/// The classes of data that may be handed to whoever is cleared for `clearance`.
pub(super) fn classes(clearance: Classification) -> impl Iterator<Item = Classification> {
    Classification::ALL.into_iter().filter(move |class| *class <= clearance)
}
