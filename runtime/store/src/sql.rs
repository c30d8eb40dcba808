//! The statements. Each is a constant with a name, written once where the dialects agree.
//!
//! A [`Scoped`] statement reaches the rows of one organisation, which is its `$1`; only an
//! [`OrgTx`](crate::OrgTx) runs it. A [`Wide`] statement reaches beyond, and is therefore on a list
//! that is reviewed.

use crate::{
    audit, backup, blobs, budget, found, journal, migrate, noun, outbox, stops, store, vault, work,
};

/// A statement's text in both dialects.
#[derive(Debug, Clone, Copy)]
pub struct Text {
    /// What errors call it.
    pub name: &'static str,
    /// For SQLite.
    pub sqlite: &'static str,
    /// For PostgreSQL.
    pub postgres: &'static str,
}

impl Text {
    /// One text for both.
    pub(crate) const fn common(name: &'static str, text: &'static str) -> Self {
        Self { name, sqlite: text, postgres: text }
    }
}

/// A statement over the rows of the organisation `$1`.
#[derive(Debug, Clone, Copy)]
pub struct Scoped(pub(crate) Text);

impl Scoped {
    /// Its text.
    pub const fn text(&self) -> Text {
        self.0
    }
}

/// A statement over the rows of every organisation.
#[derive(Debug, Clone, Copy)]
pub struct Wide(pub(crate) Text);

impl Wide {
    /// Its text.
    pub const fn text(&self) -> Text {
        self.0
    }
}

/// Every statement over one organisation.
pub fn scoped() -> Vec<Scoped> {
    let nouns = noun::Noun::ALL.iter().flat_map(|noun| noun.statements().all());
    let nouns = nouns.chain(work::SCOPED).chain(outbox::SCOPED).chain(journal::SCOPED);
    nouns.chain(budget::SCOPED).chain(blobs::scoped()).chain(vault::SCOPED).collect()
}

/// Every statement over all organisations.
pub fn wide() -> Vec<Wide> {
    let mut all: Vec<_> = migrate::STATEMENTS.into_iter().chain(audit::statements()).collect();
    all.extend(store::STATEMENTS);
    all.extend(stops::WIDE);
    all.extend(vault::WIDE);
    all.extend(work::WIDE);
    all.extend(outbox::WIDE);
    all.extend(blobs::WIDE);
    all.extend(noun::wide());
    all.extend(found::WIDE);
    all.extend(backup::statements());
    all
}
