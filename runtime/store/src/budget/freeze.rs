//! Models that charged more than was reserved: frozen for an organisation until a human thaws them.

use envelope_evidence::{Digest, Timestamp};
use envelope_rules::budget::{Freezer, Frost, Place, Thaw};
use envelope_rules::denial::Denial;

use crate::noun::{Change, Noun, Record};
use crate::{OrgTx, StoreError};

/// The state of a model that nothing is sent to.
const FROZEN: &str = "frozen";

impl OrgTx<'_> {
    /// Freezes. True when it was not frozen yet: the first reason stays.
    pub async fn freeze(&mut self, frost: &Frost) -> Result<bool, StoreError> {
        let (id, body) = (id(&frost.place), json(frost)?);
        let change = Change { id: &id, state: FROZEN, body: &body, at: frost.at };
        match self.get(Noun::Frost, &id).await? {
            Some(record) if record.state == FROZEN => return Ok(false),
            Some(record) => self.step(Noun::Frost, record.version, change).await.map(|_| ())?,
            None => self.add(Noun::Frost, None, change).await?,
        }
        Ok(true)
    }

    /// Whether anything may be sent there.
    pub async fn check_frost(&mut self, place: &Place) -> Result<Result<(), Denial>, StoreError> {
        let mut freezer = Freezer::default();
        if let Some(record) = self.frozen(place).await? {
            freezer.freeze(frost(&record)?);
        }
        Ok(freezer.check(place))
    }

    /// Every model that nothing is sent to: the first page of them, which is more than there are.
    pub async fn frosts(&mut self) -> Result<Vec<Frost>, StoreError> {
        self.list(Noun::Frost, FROZEN, "").await?.iter().map(frost).collect()
    }

    /// Thaws on somebody's `word`, which is kept. `None` when it was not frozen.
    pub async fn thaw(
        &mut self,
        place: &Place,
        word: &str,
        at: Timestamp,
    ) -> Result<Option<Thaw>, StoreError> {
        let Some(record) = self.frozen(place).await? else { return Ok(None) };
        let by = Digest::of(word.as_bytes());
        let thaw = Thaw { by, at, frost: frost(&record)? };
        let body = json(&(&thaw, word))?;
        let change = Change { id: &record.id, state: "thawed", body: &body, at };
        self.step(Noun::Frost, record.version, change).await?;
        Ok(Some(thaw))
    }

    async fn frozen(&mut self, place: &Place) -> Result<Option<Record>, StoreError> {
        let record = self.get(Noun::Frost, &id(place)).await?;
        Ok(record.filter(|record| record.state == FROZEN))
    }
}

fn id(place: &Place) -> String {
    // A pair in JSON: no two places have one name, whatever their names contain.
    serde_json::json!([place.provider, place.model]).to_string()
}

fn frost(record: &Record) -> Result<Frost, StoreError> {
    let wrong = |why: serde_json::Error| StoreError::Data(format!("a frost: {why}"));
    serde_json::from_str(&record.body).map_err(wrong)
}

fn json(document: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(document).map_err(|why| StoreError::Data(why.to_string()))
}
