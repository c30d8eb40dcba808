//! What every command may need beside its transaction.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use envelope_engine::component::Components;
use envelope_engine::local;
use envelope_evidence::Timestamp;
use envelope_evidence::key::{ForReceipts, SigningKey};
use envelope_node::House;
use envelope_rules::budget::PriceBook;
use envelope_store::vault::MasterKeys;

use crate::hooks::Courier;
use crate::keys::chance;
use crate::{Refused, Turn, Who};

/// The house in which the market is held: its keys, its prices, and where things are kept.
pub struct Market {
    /// The database and the bytes.
    pub house: House,
    /// What seals the keys of its parties.
    pub masters: MasterKeys,
    /// What signs receipts, of runs and of purchases.
    pub receipts: Arc<SigningKey<ForReceipts>>,
    /// What signs grants.
    pub grants: local::Keys,
    /// What models cost.
    pub prices: PriceBook,
    /// Compiles what is published.
    pub components: Components,
    /// The name under which the house is reached, of which agents get identifiers.
    pub domain: String,
    /// Tells those outside who asked to be told.
    pub courier: Courier,
}

/// What somebody does in a turn.
pub type Act<'t, T> = Pin<Box<dyn Future<Output = Result<T, Refused>> + Send + 't>>;

/// How often something is tried that others contradict: more luck than that means that it will not
/// be possible soon.
const TRIES: usize = 8;

/// What the first pause lasts at most, in milliseconds: some transactions.
const PAUSE: u64 = 4;

impl Market {
    /// The name under which the house, and all that is kept in it, is known.
    pub fn did(&self) -> String {
        // A colon would begin a path.
        format!("did:web:{}", self.domain.replace(':', "%3A"))
    }

    /// What somebody does with `input`, all of it in one transaction that is as good as alone. When
    /// others decide at the same moment it is tried again, and decided afresh.
    pub async fn act<I: Sync, T>(
        &self,
        (who, at): (&Who, Timestamp),
        input: &I,
        act: impl for<'t, 'u> Fn(&'t Self, &'t mut Turn<'u>, &'t I) -> Act<'t, T>,
    ) -> Result<T, Refused> {
        let mut tries = 1;
        loop {
            match self.once((who, at), input, &act).await {
                Err(refused) if refused.passes() && tries < TRIES => {
                    tokio::time::sleep(pause(tries)).await;
                    tries += 1;
                }
                done => return done,
            }
        }
    }

    async fn once<I: Sync, T>(
        &self,
        (who, at): (&Who, Timestamp),
        input: &I,
        act: impl for<'t, 'u> Fn(&'t Self, &'t mut Turn<'u>, &'t I) -> Act<'t, T>,
    ) -> Result<T, Refused> {
        let mut tx = self.house.store.alone().await?;
        let done = act(self, &mut Turn { tx: &mut tx, who, at }, input).await?;
        tx.commit().await?;
        Ok(done)
    }
}

/// How long to wait before the next try: twice as long each time, and never quite as long as those
/// do who failed at the same moment.
fn pause(tries: usize) -> Duration {
    let chance = chance().map_or(0, |[first, ..]| u64::from(first));
    let most = PAUSE.saturating_mul(1 << tries.min(TRIES));
    Duration::from_millis(most / 2 + most.saturating_mul(chance) / 512)
}
