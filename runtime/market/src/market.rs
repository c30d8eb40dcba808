//! What every command may need beside its transaction.

use std::sync::Arc;

use envelope_engine::component::Components;
use envelope_engine::local;
use envelope_evidence::key::{ForReceipts, SigningKey};
use envelope_node::House;
use envelope_rules::budget::PriceBook;
use envelope_store::vault::MasterKeys;

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
}
