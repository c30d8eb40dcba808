//! How runs stand.

use envelope_store::Org;
use envelope_store::noun::Noun;

use crate::sheet::{Over, Sheet};
use crate::{House, NodeError, load};

/// The states of a run's row, in the order of its life.
const STATES: [&str; 4] = ["queued", "running", "suspended", "ended"];

/// Runs in one list: a page of the store's.
pub const LIST_MAX: usize = 1000;

/// A run as its row stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The run.
    pub id: String,
    /// Where it stands.
    pub state: String,
    /// How it ended.
    pub over: Option<Over>,
}

/// Where the run stands.
pub async fn state(house: &House, org: &Org, run: &str) -> Result<String, NodeError> {
    let (record, _) = load::row(house, org, run).await?;
    Ok(record.state)
}

/// Runs in `state`, or in any, by id, which is by age: at most a page of those after `after`.
pub async fn list(
    house: &House,
    org: &Org,
    state: Option<&str>,
    after: &str,
) -> Result<Vec<Listed>, NodeError> {
    let mut tx = house.store.read().await?;
    let mut all = Vec::new();
    for wanted in STATES.into_iter().filter(|it| state.is_none_or(|state| state == *it)) {
        for record in tx.of(org).list(Noun::Run, wanted, after).await? {
            let over = Sheet::of(&record)?.over;
            all.push(Listed { id: record.id, state: record.state, over });
        }
    }
    all.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    all.truncate(LIST_MAX);
    Ok(all)
}
