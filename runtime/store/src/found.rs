//! Rows that are found before it is known whose they are: by what somebody shows who comes, and
//! what is offered to everybody.

use crate::noun::{PAGE_MAX, Record};
use crate::sql::{Text, Wide};
use crate::value::{Row, Value, is_text};
use crate::{Org, StoreError, Tx};

const CREDENTIAL: Wide = Wide(Text::common(
    "found.credential",
    "SELECT id, parent, state, version, body, digest, changed, org FROM credentials WHERE id = $1",
));

const SESSION: Wide = Wide(Text::common(
    "found.session",
    "SELECT id, parent, state, version, body, digest, changed, org FROM sessions WHERE id = $1",
));

const OFFER: Wide = Wide(Text::common(
    "found.offer",
    "SELECT id, parent, state, version, body, digest, changed, org FROM listings
        WHERE state = 'offered' AND id = $1",
));

const OFFERS: Wide = Wide(Text::common(
    "found.offers",
    "SELECT id, parent, state, version, body, digest, changed, org FROM listings
        WHERE state = 'offered' AND id > $1 ORDER BY id LIMIT $2",
));

const AGENT: Wide = Wide(Text::common(
    "found.agent",
    "SELECT id, parent, state, version, body, digest, changed, org FROM agents WHERE id = $1",
));

pub(crate) const WIDE: [Wide; 5] = [CREDENTIAL, SESSION, OFFER, OFFERS, AGENT];

/// A row, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Whose it is.
    pub org: Org,
    /// The row.
    pub record: Record,
}

impl Tx {
    /// A credential, in whatever state.
    pub async fn credential(&mut self, id: &str) -> Result<Option<Found>, StoreError> {
        self.one(&CREDENTIAL, id).await
    }

    /// A session, in whatever state.
    pub async fn session(&mut self, id: &str) -> Result<Option<Found>, StoreError> {
        self.one(&SESSION, id).await
    }

    /// An agent, in whatever state: its identifier is public.
    pub async fn agent(&mut self, id: &str) -> Result<Option<Found>, StoreError> {
        self.one(&AGENT, id).await
    }

    /// A listing that is offered.
    pub async fn offer(&mut self, id: &str) -> Result<Option<Found>, StoreError> {
        self.one(&OFFER, id).await
    }

    /// At most `count` listings that are offered, and [`PAGE_MAX`], by id, from the one after
    /// `after`.
    pub async fn offers(&mut self, after: &str, count: i64) -> Result<Vec<Found>, StoreError> {
        let page = vec![Value::from(after), Value::from(count.clamp(0, PAGE_MAX))];
        let rows = self.wide(&OFFERS, page).await?;
        rows.iter().map(Found::of).collect()
    }

    async fn one(&mut self, statement: &Wide, id: &str) -> Result<Option<Found>, StoreError> {
        if !is_text(id) {
            return Ok(None);
        }
        let rows = self.wide(statement, vec![Value::from(id)]).await?;
        rows.first().map(Found::of).transpose()
    }
}

impl Found {
    fn of(row: &Row) -> Result<Self, StoreError> {
        Ok(Self { org: Org::new(row.text(7)?)?, record: Record::of(row)? })
    }
}
