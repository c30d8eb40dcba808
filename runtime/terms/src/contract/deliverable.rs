//! What is handed over, and in which steps it is paid.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::list::List;
use super::number::{Count, Days, Weight};
use super::words::{Id, MediaType, Place, Sentence, Title};

/// One thing that is handed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deliverable {
    /// Its name in this contract.
    pub id: Id,
    /// Its title.
    pub title: Title,
    /// What it is, in words.
    pub description: Sentence,
    /// Where it is found when the run has ended.
    pub form: Form,
}

/// Where a deliverable is found when the run has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Form {
    /// The answer of the run itself, a JSON value.
    Result {},
    /// A file below the outputs prefix.
    File {
        /// The path in the workspace.
        path: Place,
        /// What kind of file it is.
        media_type: MediaType,
        /// The largest size that is taken over.
        bytes_max: Count,
    },
}

/// One step of delivery, with its share of the price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Milestone {
    /// Its name in this contract.
    pub id: Id,
    /// Its title.
    pub title: Title,
    /// Its share of the price, in basis points.
    pub weight: Weight,
    /// When it is due, in days from the purchase.
    pub due_days: Days,
    /// The criteria that release its share.
    pub criteria: List<Id, 1, 20>,
}
