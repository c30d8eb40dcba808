//! What pins a run, wherever that is kept, and the order it is made into again.

use std::sync::Arc;

use bytes::Bytes;
use envelope_evidence::Dimension;
use envelope_evidence::journal::Header;
use envelope_evidence::preview::Secrets;
use envelope_gate::gate::Authorities;
use envelope_gate::workspace::Manifest;
use envelope_rules::budget::PriceBook;
use envelope_rules::grant::{Budget, Claims, Grant, GrantKeys, mint};
use envelope_rules::guard::Warrant;

use crate::limits::Limits;
use crate::local::job::operator;
use crate::prepared::Prepared;
use crate::run::Order;

/// What pins a local run beside its component and its journal.
pub struct Pinned {
    /// What it may do.
    pub warrant: Warrant,
    /// Its arguments.
    pub args: Bytes,
    /// Its files at the start.
    pub manifest: Manifest,
    /// What it may take of the machine.
    pub limits: Limits,
    /// The prices by which it pays.
    pub prices: PriceBook,
}

/// The same, as it is written down.
#[derive(Clone, Copy)]
pub struct Pins<'a> {
    pub(super) warrant: &'a Warrant,
    pub(super) args: &'a [u8],
    pub(super) manifest: &'a Manifest,
    pub(super) limits: &'a Limits,
    pub(super) prices: &'a PriceBook,
}

impl<'a> From<&'a Order> for Pins<'a> {
    fn from(order: &'a Order) -> Self {
        Self {
            warrant: &order.authorities.warrant,
            args: &order.args,
            manifest: &order.manifest,
            limits: &order.limits,
            prices: &order.authorities.operator.prices,
        }
    }
}

impl<'a> From<&'a Pinned> for Pins<'a> {
    fn from(pinned: &'a Pinned) -> Self {
        let Pinned { warrant, args, manifest, limits, prices } = pinned;
        Self { warrant, args, manifest, limits, prices }
    }
}

/// These keys did not sign the run's grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the run's grant was not made with the keys of this machine: it cannot go on here")]
pub struct OtherKeys;

impl Pinned {
    /// What was run, without a grant, which a replay has no use for.
    pub fn order(self, component: Arc<Prepared>, keys: Arc<GrantKeys>) -> Order {
        let operator = operator(&self.warrant, self.prices);
        Order {
            component,
            authorities: Authorities {
                operator: Arc::new(operator),
                warrant: Arc::new(self.warrant),
                grant: None,
                keys,
            },
            args: self.args,
            manifest: self.manifest,
            limits: self.limits,
            secrets: Secrets::none(),
        }
    }
}

/// Gives `order` its grant back: made again from what the journal says, and known to be the same by
/// its digest.
pub fn regrant(order: &mut Order, header: &Header) -> Result<(), OtherKeys> {
    let Some(scope) = &header.scope else { return Ok(()) };
    let claims = envelope_gate::gate::claims(scope).ok_or(OtherKeys)?;
    // A first grant comes from nobody else's, and does not speak of depth: see `Job::new`. One that
    // was bought names its Paper, and what that lets one run spend: see `Job::within`.
    let paper = header.paper.as_ref().map(|paper| paper.digest);
    let money = order.authorities.warrant.document().budget.get(Dimension::NanoUsd);
    let budget = paper.and(money).map(Budget::nano_usd);
    let run = Some(header.run.to_string());
    let claims = Claims { run, paper, budget, depth: None, ..claims };
    let (keys, now) = (&order.authorities.keys, header.started);
    let grant = mint(&claims, keys, now)
        .and_then(|token| Grant::open(token.as_str(), keys, now))
        .map_err(|_| OtherKeys)?;
    if grant.token_digest() != scope.token {
        return Err(OtherKeys);
    }
    order.authorities.grant = Some(grant);
    Ok(())
}
