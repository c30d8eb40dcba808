//! How runs stand.

use envelope_store::Org;
use envelope_store::noun::{Noun, PAGE_MAX};

use crate::sheet::{Over, Sheet};
use crate::{House, NodeError, load};

/// The states of a run's row, in the order of its life.
const STATES: [&str; 4] = ["queued", "running", "suspended", "ended"];

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

/// The first page of the runs in `state`, or in any.
pub async fn list(house: &House, org: &Org, state: Option<&str>) -> Result<Vec<Listed>, NodeError> {
    let mut tx = house.store.read().await?;
    let (mut all, most) = (Vec::new(), usize::try_from(PAGE_MAX).unwrap_or(usize::MAX));
    for wanted in STATES.into_iter().filter(|it| state.is_none_or(|state| state == *it)) {
        for record in tx.of(org).list(Noun::Run, wanted, "").await? {
            let over = Sheet::of(&record)?.over;
            all.push(Listed { id: record.id, state: record.state, over });
        }
    }
    all.truncate(most);
    Ok(all)
}
