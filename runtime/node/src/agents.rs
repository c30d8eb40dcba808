//! Components that are ready to run, so that a node asks each but once what it is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use envelope_engine::component::Components;
use envelope_engine::prepared::Prepared;
use envelope_evidence::Digest;
use envelope_store::Org;

use crate::sheet::Sheet;
use crate::{House, NodeError};

/// Components at hand: each is some megabytes of machine code.
const READY_MAX: usize = 256;

/// A component, and what it is called if it does not say so itself.
type Key = (Digest, String);

/// The components of a node.
pub(crate) struct Agents {
    components: Components,
    ready: Mutex<BTreeMap<Key, Arc<Prepared>>>,
}

impl Agents {
    pub(crate) fn new(components: Components) -> Self {
        Self { components, ready: Mutex::default() }
    }

    /// The component of a run, which its organisation keeps.
    pub(crate) async fn of(
        &self,
        house: &House,
        org: &Org,
        sheet: &Sheet,
    ) -> Result<Arc<Prepared>, NodeError> {
        let key = (sheet.component, sheet.name.clone());
        let known = self.ready.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let bytes = house.blobs(org).get(sheet.component).await?;
        let prepared = Prepared::load(&self.components, &bytes, &sheet.name, |_| {}).await?;
        let prepared = Arc::new(prepared);
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if ready.len() >= READY_MAX {
            ready.pop_first();
        }
        ready.insert(key, Arc::clone(&prepared));
        Ok(prepared)
    }
}
