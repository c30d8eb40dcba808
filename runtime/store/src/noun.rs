//! The nouns of the vocabulary: one shape of row, one body of statements for all of them.
//!
//! A change is a compare-and-set by version: whoever decided on an older state is told so. The
//! document of a row is kept with its digest, and the digest is what the audit log commits to.

use std::time::Duration;

use envelope_evidence::{Digest, Timestamp};

use crate::sql::{Scoped, Text, Wide};
use crate::value::{Row, Value, is_text};
use crate::work::moment;
use crate::{OrgTx, StoreError};

/// Rows in one answer at most: a list is read page by page.
pub const PAGE_MAX: i64 = 1000;

/// Bytes of a document: what a person or a program reads in one go. What is larger is a blob.
pub const BODY_BYTES_MAX: usize = 16 << 20;

/// The statements over one noun's table.
#[derive(Debug, Clone, Copy)]
pub struct Statements {
    add: Scoped,
    get: Scoped,
    step: Scoped,
    all: Scoped,
    list: Scoped,
    below: Scoped,
    count: Scoped,
}

impl Statements {
    /// All of them.
    pub const fn all(self) -> [Scoped; 7] {
        [self.add, self.get, self.step, self.all, self.list, self.below, self.count]
    }
}

macro_rules! nouns {
    ($($(#[$doc:meta])* $variant:ident $table:literal)*) => {
        /// A noun, which is a table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Noun {
            $($(#[$doc])* $variant,)*
        }

        impl Noun {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The table.
            pub const fn table(self) -> &'static str {
                match self {
                    $(Self::$variant => $table,)*
                }
            }

            /// What is asked of the table.
            pub const fn statements(self) -> Statements {
                match self {
                    $(Self::$variant => Statements {
                        add: Scoped(Text::common(concat!($table, ".add"), concat!(
                            "INSERT INTO ", $table,
                            " (org, id, parent, state, version, body, digest, changed)",
                            " VALUES ($1, $2, $3, $4, 1, $5, $6, $7)",
                        ))),
                        get: Scoped(Text::common(concat!($table, ".get"), concat!(
                            "SELECT id, parent, state, version, body, digest, changed FROM ",
                            $table, " WHERE org = $1 AND id = $2",
                        ))),
                        step: Scoped(Text::common(concat!($table, ".step"), concat!(
                            "UPDATE ", $table, " SET state = $4, version = version + 1,",
                            " body = $5, digest = $6, changed = $7",
                            " WHERE org = $1 AND id = $2 AND version = $3 RETURNING version",
                        ))),
                        all: Scoped(Text::common(concat!($table, ".all"), concat!(
                            "SELECT id, parent, state, version, body, digest, changed FROM ",
                            $table, " WHERE org = $1 AND id > $2 ORDER BY id LIMIT $3",
                        ))),
                        list: Scoped(Text::common(concat!($table, ".list"), concat!(
                            "SELECT id, parent, state, version, body, digest, changed FROM ",
                            $table, " WHERE org = $1 AND state = $2 AND id > $3",
                            " ORDER BY id LIMIT $4",
                        ))),
                        below: Scoped(Text::common(concat!($table, ".below"), concat!(
                            "SELECT id, parent, state, version, body, digest, changed FROM ",
                            $table, " WHERE org = $1 AND parent = $2 AND id > $3",
                            " ORDER BY id LIMIT $4",
                        ))),
                        count: Scoped(Text::common(concat!($table, ".count"), concat!(
                            "SELECT count(*) FROM ", $table, " WHERE org = $1 AND parent = $2",
                        ))),
                    },)*
                }
            }

            /// Every row beside what the log last said of it, and how often it spoke.
            pub(crate) const fn rows(self) -> Wide {
                match self {
                    $(Self::$variant => Wide(Text::common(concat!($table, ".rows"), concat!(
                        "SELECT r.org, r.id, r.parent, r.state, r.version, r.body, r.digest,",
                        " r.changed, (SELECT a.payload FROM audit_in a WHERE a.noun = '", $table,
                        "' AND a.org = r.org AND a.id = r.id ORDER BY a.version DESC LIMIT 1),",
                        " (SELECT count(*) FROM audit_in a WHERE a.noun = '", $table,
                        "' AND a.org = r.org AND a.id = r.id) FROM ", $table,
                        " r WHERE r.org > $1 OR (r.org = $1 AND r.id > $2)",
                        " ORDER BY r.org, r.id LIMIT $3",
                    ))),)*
                }
            }

            /// Rows that the log knows and the table does not.
            pub(crate) const fn lost(self) -> Wide {
                match self {
                    $(Self::$variant => Wide(Text::common(concat!($table, ".lost"), concat!(
                        "SELECT a.org, a.id, a.version FROM audit_in a WHERE a.noun = '", $table,
                        "' AND a.version = 1 AND NOT EXISTS (SELECT 1 FROM ", $table,
                        " r WHERE r.org = a.org AND r.id = a.id) ORDER BY a.seq LIMIT $1",
                    ))),)*
                }
            }
        }
    };
}

nouns! {
    /// Whose everything is.
    Organisation "organisations"
    /// A person.
    User "users"
    /// What is offered.
    Agent "agents"
    /// One version of an agent.
    Release "releases"
    /// An offer.
    Listing "listings"
    /// A standing agreement.
    Msa "msas"
    /// A compiled contract.
    Paper "papers"
    /// A change to a Paper.
    Amendment "amendments"
    /// A private change to a Paper.
    SideLetter "side_letters"
    /// What becomes of a Paper.
    Purchase "purchases"
    /// Money held.
    Escrow "escrows"
    /// A quarrel.
    Dispute "disputes"
    /// What a dispute is decided on.
    SealedRecord "sealed_records"
    /// What a decision orders.
    Remedy "remedies"
    /// What a run may do.
    Warrant "warrants"
    /// What somebody may do.
    Grant "grants"
    /// An execution.
    Run "runs"
    /// What an execution did.
    Receipt "receipts"
    /// A run's wish for more.
    ScopeRequest "scope_requests"
    /// A human's answer.
    Approval "approvals"
    /// A release's standing.
    Badge "badges"
    /// What somebody swore.
    Attestation "attestations"
    /// A model that broke its word.
    Frost "frosts"
    /// A kill switch.
    Stop "stops"
    /// A key that signs for an organisation.
    Signer "signers"
    /// What another organisation may read.
    Share "shares"
    /// By what somebody proves who it is.
    Credential "credentials"
    /// Somebody who is signed in.
    Session "sessions"
    /// What was answered, for whoever asks twice.
    Answer "answers"
    /// Who wants to be told.
    Hook "hooks"
    /// What somebody was told.
    Delivery "deliveries"
}

pub(crate) fn wide() -> impl Iterator<Item = Wide> {
    Noun::ALL.iter().flat_map(|noun| [noun.rows(), noun.lost()])
}

/// What a row says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its name within the organisation.
    pub id: String,
    /// The row that it belongs to, fixed for its life.
    pub parent: Option<String>,
    /// Where it stands in its life.
    pub state: String,
    /// Raised by one with each change.
    pub version: i64,
    /// The document.
    pub body: String,
    /// When it last changed.
    pub changed: Timestamp,
}

/// What a row is to become.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// The row.
    pub id: &'a str,
    /// Its state from now on.
    pub state: &'a str,
    /// Its document from now on.
    pub body: &'a str,
    /// Now.
    pub at: Timestamp,
}

impl OrgTx<'_> {
    /// Adds a row, at version 1.
    pub async fn add(
        &mut self,
        noun: Noun,
        parent: Option<&str>,
        first: Change<'_>,
    ) -> Result<(), StoreError> {
        let mut row = vec![Value::from(first.id), Value::from(parent)];
        row.extend(content(noun, first)?);
        self.run(&noun.statements().add, row).await.map(|_| ())
    }

    /// Changes the row that is at `version`, and returns its new version.
    pub async fn step(
        &mut self,
        noun: Noun,
        version: i64,
        change: Change<'_>,
    ) -> Result<i64, StoreError> {
        let mut row = vec![Value::from(change.id), Value::from(version)];
        row.extend(content(noun, change)?);
        let changed = self.run(&noun.statements().step, row).await?;
        let missed =
            || StoreError::Changed { noun: noun.table(), id: change.id.to_owned(), version };
        changed.first().ok_or_else(missed)?.int(0)
    }

    /// A row. None is named by what [no text](crate::value::is_text) is.
    pub async fn get(&mut self, noun: Noun, id: &str) -> Result<Option<Record>, StoreError> {
        if !is_text(id) {
            return Ok(None);
        }
        let rows = self.run(&noun.statements().get, vec![Value::from(id)]).await?;
        rows.first().map(Record::of).transpose()
    }

    /// At most `count` rows, and [`PAGE_MAX`], by id, from the one after `after`.
    pub async fn page(
        &mut self,
        noun: Noun,
        after: &str,
        count: i64,
    ) -> Result<Vec<Record>, StoreError> {
        let page = vec![Value::from(after), Value::from(count.clamp(0, PAGE_MAX))];
        let rows = self.run(&noun.statements().all, page).await?;
        rows.iter().map(Record::of).collect()
    }

    /// At most [`PAGE_MAX`] rows in a state, by id, from the one after `after`.
    pub async fn list(
        &mut self,
        noun: Noun,
        state: &str,
        after: &str,
    ) -> Result<Vec<Record>, StoreError> {
        let page = vec![Value::from(state), Value::from(after), Value::from(PAGE_MAX)];
        let rows = self.run(&noun.statements().list, page).await?;
        rows.iter().map(Record::of).collect()
    }

    /// How many rows belong to `parent`.
    pub async fn count_below(&mut self, noun: Noun, parent: &str) -> Result<i64, StoreError> {
        let rows = self.run(&noun.statements().count, vec![Value::from(parent)]).await?;
        rows.first().map_or(Ok(0), |row| row.int(0))
    }

    /// At most [`PAGE_MAX`] rows that belong to `parent`, by id, from the one after `after`.
    pub async fn below(
        &mut self,
        noun: Noun,
        parent: &str,
        after: &str,
    ) -> Result<Vec<Record>, StoreError> {
        let page = vec![Value::from(parent), Value::from(after), Value::from(PAGE_MAX)];
        let rows = self.run(&noun.statements().below, page).await?;
        rows.iter().map(Record::of).collect()
    }
}

fn content(noun: Noun, change: Change<'_>) -> Result<[Value; 4], StoreError> {
    let body = fitting(noun.table(), change.id, change.body)?;
    let digest = Digest::of(body.as_bytes()).to_string();
    let at = moment(change.at, Duration::ZERO)?;
    Ok([change.state.into(), body.into(), digest.as_str().into(), at])
}

/// The body, if it is no longer than it may be.
pub(crate) fn fitting<'a>(
    table: &'static str,
    name: &str,
    body: &'a str,
) -> Result<&'a str, StoreError> {
    if body.len() > BODY_BYTES_MAX {
        return Err(StoreError::TooLong { table, name: name.to_owned(), bytes: body.len() });
    }
    Ok(body)
}

impl Record {
    pub(crate) fn of(row: &Row) -> Result<Self, StoreError> {
        let body = row.text(4)?;
        let id = row.text(0)?;
        if row.text(5)? != Digest::of(body.as_bytes()).to_string() {
            return Err(StoreError::Data(format!("`{id}` is not what its digest names")));
        }
        let millis = u64::try_from(row.int(6)?).ok().and_then(Timestamp::from_millis);
        Ok(Self {
            id: id.to_owned(),
            parent: row.maybe_text(1)?.map(str::to_owned),
            state: row.text(2)?.to_owned(),
            version: row.int(3)?,
            body: body.to_owned(),
            changed: millis.ok_or_else(|| StoreError::Data(format!("the time of `{id}`")))?,
        })
    }
}
