//! The gate's purse over the database: what it says lasts.

use envelope_evidence::Digest;
use envelope_gate::model::{Pending, Purse};
use envelope_gate::stop::Fault;
use envelope_rules::budget::{Accounting, Frost, Leased, Place, Shared};
use envelope_rules::denial::Denial;

use super::BudgetError;
use crate::work::Lease;
use crate::{Org, Store, StoreError, Tx};

/// The shared books of one organisation.
#[derive(Debug, Clone)]
pub struct StorePurse {
    store: Store,
    org: Org,
    held: Option<Lease>,
}

impl StorePurse {
    /// The books of `org` in `store`.
    pub const fn new(store: Store, org: Org) -> Self {
        Self { store, org, held: None }
    }

    /// The same for a run that this node holds: once another has it, nothing more is taken or told.
    #[must_use]
    pub fn under(self, held: Lease) -> Self {
        Self { held: Some(held), ..self }
    }

    /// A transaction that writes, while the run is ours.
    async fn held(&self) -> Result<Tx, StoreError> {
        let mut tx = self.store.write().await?;
        if let Some(held) = &self.held {
            tx.of(&held.org).hold(held).await?;
        }
        Ok(tx)
    }

    async fn try_lease(
        &self,
        lease: Digest,
        chain: &[Shared],
        amounts: (u64, u64),
    ) -> Result<Result<Leased, Denial>, BudgetError> {
        let mut tx = self.held().await?;
        let leased = tx.of(&self.org).lease(lease, chain, amounts).await?;
        tx.commit().await?;
        Ok(leased)
    }

    async fn try_account(&self, lease: Digest, told: Accounting) -> Result<(), BudgetError> {
        let mut tx = self.held().await?;
        tx.of(&self.org).account(lease, told).await?;
        Ok(tx.commit().await?)
    }

    async fn try_begin_day(&self, day: &Shared, cap: u64) -> Result<(), BudgetError> {
        let mut tx = self.held().await?;
        tx.of(&self.org).begin_day(day, cap).await?;
        Ok(tx.commit().await?)
    }

    async fn try_out(&self, lease: Digest) -> Result<u64, BudgetError> {
        let mut tx = self.store.read().await?;
        Ok(tx.of(&self.org).out(lease).await?.unwrap_or_default())
    }

    async fn try_check(&self, place: &Place) -> Result<Result<(), Denial>, BudgetError> {
        let mut tx = self.store.read().await?;
        Ok(tx.of(&self.org).check_frost(place).await?)
    }

    async fn try_freeze(&self, frost: Frost) -> Result<(), BudgetError> {
        let mut tx = self.held().await?;
        tx.of(&self.org).freeze(&frost).await?;
        Ok(tx.commit().await?)
    }
}

impl Purse for StorePurse {
    fn lease<'a>(
        &'a self,
        lease: Digest,
        chain: &'a [Shared],
        least: u64,
        wish: u64,
    ) -> Pending<'a, Result<Leased, Denial>> {
        told(self.try_lease(lease, chain, (least, wish)))
    }

    fn begin_day<'a>(&'a self, day: &'a Shared, cap: u64) -> Pending<'a, ()> {
        told(self.try_begin_day(day, cap))
    }

    fn out(&self, lease: Digest) -> Pending<'_, u64> {
        told(self.try_out(lease))
    }

    fn account(&self, lease: Digest, accounting: Accounting) -> Pending<'_, ()> {
        told(self.try_account(lease, accounting))
    }

    fn check<'a>(&'a self, place: &'a Place) -> Pending<'a, Result<(), Denial>> {
        told(self.try_check(place))
    }

    fn freeze(&self, frost: Frost) -> Pending<'_, ()> {
        told(self.try_freeze(frost))
    }
}

fn told<'a, T: Send + 'a>(
    asked: impl Future<Output = Result<T, BudgetError>> + Send + 'a,
) -> Pending<'a, T> {
    Box::pin(async move { asked.await.map_err(|why| Fault::Books(why.to_string())) })
}
