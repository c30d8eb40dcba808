//! What the row of a run says: all that pins it, and how it ended.

use envelope_engine::limits::Limits;
use envelope_evidence::journal::Outcome;
use envelope_evidence::{Digest, Label};
use envelope_rules::approval::Rules;
use envelope_rules::budget::{PriceBook, Shared};
use envelope_rules::guard::WarrantDocument;
use envelope_store::noun::Record;
use serde::{Deserialize, Serialize};

use crate::{Calendar, NodeError};

/// The form of the document. A node refuses another.
pub(crate) const VERSION: u32 = 1;

/// The document of a run's row. Component, arguments and inputs are blobs of its workspace.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sheet {
    /// The form of this document.
    pub v: u32,
    /// What a program that does not describe itself is called.
    pub name: String,
    /// The component.
    pub component: Digest,
    /// The arguments.
    pub args: Digest,
    /// The manifest of the files at the start.
    pub inputs: Digest,
    /// What it may do.
    pub warrant: WarrantDocument,
    /// What it may take of the machine.
    pub limits: Limits,
    /// The prices by which it pays.
    pub prices: PriceBook,
    /// How people are asked. Nobody is, where nothing stands here.
    pub rules: Option<Rules>,
    /// The accounts that it is charged to with others.
    pub shared: Vec<Shared>,
    /// How the days among them follow each other, if they do.
    #[serde(default)]
    pub days: Option<Calendar>,
    /// How it ended.
    pub over: Option<Over>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Over {
    /// How.
    pub outcome: Outcome,
    /// Why.
    pub reason: Label,
    /// The digest of the receipt's payload, which is its name.
    pub receipt: Digest,
}

impl Sheet {
    /// The sheet of a row.
    pub(crate) fn of(record: &Record) -> Result<Self, NodeError> {
        let sheet: Self = serde_json::from_str(&record.body)
            .map_err(|why| NodeError::kept(&record.id, format!("its row does not read: {why}")))?;
        if sheet.v != VERSION {
            return Err(NodeError::kept(&record.id, format!("its row has the form {}", sheet.v)));
        }
        Ok(sheet)
    }

    /// As it is written.
    pub(crate) fn text(&self, run: &str) -> Result<String, NodeError> {
        serde_json::to_string(self).map_err(|why| NodeError::kept(run, why))
    }
}
