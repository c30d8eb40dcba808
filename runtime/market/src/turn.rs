//! One person's act, in one transaction.

use envelope_evidence::Timestamp;
use envelope_store::noun::{Change, Noun, Record};
use envelope_store::{Org, OrgTx, Tx};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Refused, Role, Who};

/// One person's act: who, when, and the transaction in which all of it happens. It is whoever
/// opened the transaction that commits it.
pub struct Turn<'a> {
    /// The transaction.
    pub tx: &'a mut Tx,
    /// Who acts.
    pub who: &'a Who,
    /// When.
    pub at: Timestamp,
}

/// That another organisation may read a row.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shared {
    pub(crate) owner: String,
    pub(crate) noun: String,
}

impl Turn<'_> {
    /// Refuses whoever may not do what `role` may.
    pub fn needs(&self, role: Role) -> Result<(), Refused> {
        self.who.needs(role)
    }

    /// The rows of whoever acts.
    pub const fn rows(&mut self) -> OrgTx<'_> {
        self.tx.of(&self.who.org)
    }

    /// A row of whoever acts.
    pub async fn own(&mut self, noun: Noun, id: &str) -> Result<Record, Refused> {
        let record = self.rows().get(noun, id).await?;
        record.ok_or_else(|| Refused::Unknown { what: noun.table(), id: id.to_owned() })
    }

    /// A row that whoever acts may read, and whose it is: their own, or one that is shared with
    /// them.
    pub async fn seen(&mut self, noun: Noun, id: &str) -> Result<(Org, Record), Refused> {
        let unknown = || Refused::Unknown { what: noun.table(), id: id.to_owned() };
        if let Some(record) = self.rows().get(noun, id).await? {
            return Ok((self.who.org.clone(), record));
        }
        let share = self.rows().get(Noun::Share, id).await?.ok_or_else(unknown)?;
        let shared: Shared = read(&share)?;
        if shared.noun != noun.table() || share.state != "open" {
            return Err(unknown());
        }
        let owner = Org::new(&shared.owner)?;
        let record = self.tx.of(&owner).get(noun, id).await?.ok_or_else(unknown)?;
        Ok((owner, record))
    }

    /// Refuses to change a row that is at another version than whoever acts saw, if they say so.
    pub async fn unchanged(
        &mut self,
        noun: Noun,
        id: &str,
        saw: Option<i64>,
    ) -> Result<(), Refused> {
        let (is, Some(saw)) = (self.own(noun, id).await?.version, saw) else { return Ok(()) };
        if is == saw { Ok(()) } else { Err(Refused::Stale { id: id.to_owned(), is, saw }) }
    }

    /// Lets `reader` read a row of `owner`.
    pub async fn share(
        &mut self,
        owner: &Org,
        reader: &Org,
        noun: Noun,
        id: &str,
    ) -> Result<(), Refused> {
        let shared = Shared { owner: owner.to_string(), noun: noun.table().to_owned() };
        let body = text(id, &shared)?;
        let first = Change { id, state: "open", body: &body, at: self.at };
        Ok(self.tx.of(reader).add(Noun::Share, None, first).await?)
    }
}

/// The document of a row.
pub(crate) fn read<T: DeserializeOwned>(record: &Record) -> Result<T, Refused> {
    serde_json::from_str(&record.body).map_err(|why| Refused::kept(&record.id, why))
}

/// The document of a row, as it is written.
pub(crate) fn text(id: &str, document: &impl Serialize) -> Result<String, Refused> {
    serde_json::to_string(document).map_err(|why| Refused::kept(id, why))
}
