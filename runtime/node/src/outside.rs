//! What the operator of a node lets runs reach outside.

use std::sync::Arc;

use envelope_evidence::preview::Secrets;
use envelope_gate::model::{Models, Purse};
use envelope_gate::net::Network;
use envelope_rules::guard::Warrant;

use crate::NodeError;

/// What a run sees of the world.
pub struct Seen {
    /// The network, if it may be used.
    pub network: Option<Network>,
    /// The models that answer, if any do.
    pub models: Option<Models>,
    /// What must be shown to nobody.
    pub secrets: Secrets,
}

/// The operator's settings.
pub trait Outside: Send + Sync {
    /// What the run under `warrant` sees. `asks`: a human may let it out later. `purse` knows which
    /// models are frozen.
    fn seen(&self, warrant: &Warrant, asks: bool, purse: Arc<dyn Purse>)
    -> Result<Seen, NodeError>;
}
