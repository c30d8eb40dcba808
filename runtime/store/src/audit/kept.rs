//! The tables beside the nouns against the log: accounts and leases, and those against each other;
//! versions of workspaces; keys, and what is sealed under them.

use std::collections::BTreeMap;

use envelope_rules::budget::Shared;
use serde_json::json;

use super::finding::{Finding, Findings};
use super::table::{each, logged, lost, table, texts};
use crate::sql::{Text, Wide};
use crate::value::{Row, Value};
use crate::{StoreError, Tx, budget};

table!(
    ACCOUNTS,
    ACCOUNTS_LOST,
    "accounts",
    "r.level || '/' || r.name",
    "r.org, r.level, r.name" > "$1, $2, $3",
    "$4",
    "r.org, r.level, r.name, r.cap, r.spent, r.leased, r.version"
);
table!(
    LEASES,
    LEASES_LOST,
    "leases",
    "r.id",
    "r.org, r.id" > "$1, $2",
    "$3",
    "r.org, r.id, r.chain, r.rest, r.next, r.version"
);
table!(
    WORKSPACES,
    WORKSPACES_LOST,
    "workspaces",
    "r.id || '/' || r.version",
    "r.org, r.id, r.version" > "$1, $2, $3",
    "$4",
    "r.org, r.id, r.version, r.manifest, r.state, r.changed"
);
table!(
    KEYS,
    KEYS_LOST,
    "keys",
    "r.id",
    "r.org, r.id" > "$1, $2",
    "$3",
    "r.org, r.id, r.version, r.state, r.master, r.changed"
);
table!(
    SEALED,
    SEALED_LOST,
    "sealed",
    "r.id || '/' || r.field",
    "r.org, r.id, r.field" > "$1, $2, $3",
    "$4",
    "r.org, r.id, r.field, r.version, r.until",
    until "gone"
);

const LOST: [(&str, Wide); 5] = [
    ("accounts", ACCOUNTS_LOST),
    ("leases", LEASES_LOST),
    ("workspaces", WORKSPACES_LOST),
    ("keys", KEYS_LOST),
    ("sealed", SEALED_LOST),
];

pub(super) fn statements() -> impl Iterator<Item = Wide> {
    let rows = [ACCOUNTS, LEASES, WORKSPACES, KEYS, SEALED];
    rows.into_iter().chain(LOST.map(|(_, lost)| lost))
}

/// What is out on leases, by account.
type Leased = BTreeMap<(String, String), i64>;

/// Every row of these tables.
pub(super) async fn check(tx: &mut Tx, findings: &mut Findings) -> Result<(), StoreError> {
    let mut leased = Leased::new();
    each(tx, &LEASES, texts(2), |row| lease(row, &mut leased, findings)).await?;
    each(tx, &ACCOUNTS, texts(3), |row| account(row, &leased, findings)).await?;
    let versions = vec![Value::from(""), "".into(), Value::Int(-1)];
    each(tx, &WORKSPACES, versions, |row| workspace(row, findings)).await?;
    each(tx, &KEYS, texts(2), |row| key(row, findings)).await?;
    each(tx, &SEALED, texts(3), |row| sealed(row, findings)).await?;
    lost(tx, &LOST, findings).await
}

fn lease(row: &Row, leased: &mut Leased, findings: &mut Findings) -> Result<(), StoreError> {
    let (org, id, chain, rest) = (row.text(0)?, row.text(1)?, row.text(2)?, row.int(3)?);
    let says = json!({
        "chain": chain, "id": id, "next": row.int(4)?, "noun": "leases", "org": org,
        "rest": rest, "version": row.int(5)?,
    });
    let name = || format!("leases/{org}/{id}");
    logged(row, 6, (&says, Some(row.int(5)?)), name, findings)?;
    let Ok(chain) = serde_json::from_str::<Vec<Shared>>(chain) else {
        findings.push(Finding::Document(name()));
        return Ok(());
    };
    for account in chain {
        let out = leased.entry((org.to_owned(), budget::label(&account))).or_default();
        *out = out.saturating_add(rest);
    }
    Ok(())
}

fn account(row: &Row, leased: &Leased, findings: &mut Findings) -> Result<(), StoreError> {
    let (org, level, name) = (row.text(0)?, row.text(1)?, row.text(2)?);
    let says = json!({
        "cap": row.int(3)?, "leased": row.int(5)?, "level": level, "name": name,
        "noun": "accounts", "org": org, "spent": row.int(4)?, "version": row.int(6)?,
    });
    let id = format!("{level}/{name}");
    let full = format!("accounts/{org}/{id}");
    logged(row, 7, (&says, Some(row.int(6)?)), || full.clone(), findings)?;
    if leased.get(&(org.to_owned(), id)).copied().unwrap_or_default() != row.int(5)? {
        findings.push(Finding::Books(full));
    }
    Ok(())
}

fn workspace(row: &Row, findings: &mut Findings) -> Result<(), StoreError> {
    let (org, id, version, state) = (row.text(0)?, row.text(1)?, row.int(2)?, row.text(4)?);
    let says = json!({
        "changed": row.int(5)?, "id": id, "manifest": row.text(3)?, "noun": "workspaces",
        "org": org, "state": state, "version": version,
    });
    let times = if state == "kept" { 1 } else { 2 };
    let name = || format!("workspaces/{org}/{id}/{version}");
    logged(row, 6, (&says, Some(times)), name, findings)
}

fn key(row: &Row, findings: &mut Findings) -> Result<(), StoreError> {
    let (org, id, version) = (row.text(0)?, row.text(1)?, row.int(2)?);
    let says = json!({
        "changed": row.int(5)?, "id": id, "master": row.text(4)?, "noun": "keys", "org": org,
        "state": row.text(3)?, "version": version,
    });
    logged(row, 6, (&says, Some(version)), || format!("keys/{org}/{id}"), findings)
}

/// A field that went may come again, and counts anew: only the last word has to be right. Its bytes
/// are sealed with their place.
fn sealed(row: &Row, findings: &mut Findings) -> Result<(), StoreError> {
    let (org, id, field) = (row.text(0)?, row.text(1)?, row.text(2)?);
    let says = json!({
        "field": field, "id": id, "noun": "sealed", "org": org, "state": "kept",
        "until": row.int(4)?, "version": row.int(3)?,
    });
    logged(row, 5, (&says, None), || format!("sealed/{org}/{id}/{field}"), findings)
}
