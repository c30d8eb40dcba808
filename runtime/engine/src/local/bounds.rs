//! What bounds a run, whoever says so: a contract, or a person on their own machine.

use std::sync::Arc;

use bytes::Bytes;
use envelope_evidence::journal::{Args, Caller, CallerKind, Header, PaperRef};
use envelope_evidence::preview::Secrets;
use envelope_evidence::{Digest, Dimension, Preview, Usage};
use envelope_gate::gate::{Authorities, scope_of};
use envelope_gate::workspace::Manifest;
use envelope_rules::budget::{Cap, PriceBook};
use envelope_rules::grant::{Claims, Grant, mint};
use envelope_rules::guard::{Warrant, WarrantDocument};

use super::job::{BadJob, Fresh, Job, Keys, agent, check, grant_keys, operator};
use crate::limits::Limits;
use crate::prepared::Prepared;
use crate::run::Order;

/// What bounds one run.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// The Paper, and the documents above it, if it was bought.
    pub paper: Option<PaperRef>,
    /// What the run may do.
    pub warrant: WarrantDocument,
    /// What files it may use.
    pub claims: Claims,
    /// What it may take of the machine.
    pub limits: Limits,
    /// What models cost.
    pub prices: PriceBook,
}

impl Job {
    /// The job within `bounds`: that of a contract, or what a person's wishes come to.
    pub fn within(
        component: Arc<Prepared>,
        args: Bytes,
        manifest: Manifest,
        bounds: Bounds,
        fresh: &Fresh,
        keys: &Keys,
    ) -> Result<Self, BadJob> {
        let Bounds { paper, mut warrant, claims, limits, prices } = bounds;
        if component.digest() != warrant.component {
            let (want, is) = (warrant.component, component.digest());
            return Err(BadJob::Document(format!(
                "the warrant names `{want}`, and this is `{is}`"
            )));
        }
        check(&component, warrant.skill.as_str(), &args)?;
        warrant.budget = whole(warrant.budget, &limits);
        let (skill, audience) = (warrant.skill.clone(), warrant.agent.clone());
        let budget = usage(&warrant.budget);
        let warrant = Warrant::new(warrant).map_err(|why| BadJob::Document(why.to_string()))?;
        let grant_keys = grant_keys(keys)?;
        let token = mint(&claims, &grant_keys, fresh.now)?;
        let grant = Grant::open(token.as_str(), &grant_keys, fresh.now)?;
        let scope = scope_of(&grant)?;
        let header = Header {
            v: envelope_evidence::journal::VERSION,
            run: fresh.run.clone(),
            started: fresh.now,
            agent: agent(&component, audience.as_str()),
            caller: Caller { kind: CallerKind::User, id: fresh.caller.clone(), run: None },
            skill,
            args: Args {
                digest: Digest::of(&args),
                size: u64::try_from(args.len()).unwrap_or(u64::MAX),
                preview: Preview::of_bytes(&args, &Secrets::none()),
            },
            paper,
            warrant: warrant.digest(),
            budget,
            limits: Some(limits.digest()),
            prices: (!warrant.document().models.is_empty()).then(|| prices.digest()),
            scope: Some(scope),
            inputs: manifest.digest(),
            engine: component.fingerprint().clone(),
            seed: fresh.seed,
            previous: None,
        };
        let authorities = Authorities {
            operator: Arc::new(operator(&warrant, prices)),
            warrant: Arc::new(warrant),
            grant: Some(grant),
            keys: Arc::new(grant_keys),
        };
        let secrets = Secrets::none();
        let order = Order { component, authorities, args, manifest, limits, secrets };
        Ok(Self { order, header })
    }
}

/// The same cap with a limit in every dimension: what a contract does not speak of is limited by
/// the machine.
fn whole(cap: Cap, limits: &Limits) -> Cap {
    let fuel = cap.get(Dimension::Fuel).unwrap_or(limits.fuel);
    cap.with(Dimension::Fuel, fuel).unwrap_or(cap)
}

fn usage(cap: &Cap) -> Usage {
    let row =
        |row: Usage, dimension| row.with(dimension, cap.get(dimension).unwrap_or(0)).unwrap_or(row);
    Dimension::ALL.into_iter().fold(Usage::ZERO, row)
}
