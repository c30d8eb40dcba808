//! Accounts and leases against the log, and against each other: what is leased of an account is
//! what is out on the leases of it.

use std::collections::BTreeMap;

use envelope_rules::budget::Shared;
use serde_json::json;

use super::verify::{Finding, said_last};
use super::{PAGE, signed};
use crate::sql::{Text, Wide};
use crate::value::{Row, Value};
use crate::{StoreError, Tx, budget};

pub(super) const ACCOUNTS: Wide = Wide(Text::common(
    "accounts.rows",
    "SELECT r.org, r.level, r.name, r.cap, r.spent, r.leased, r.version,
    (SELECT a.payload FROM audit_in a WHERE a.noun = 'accounts' AND a.org = r.org
        AND a.id = r.level || '/' || r.name ORDER BY a.version DESC LIMIT 1),
    (SELECT count(*) FROM audit_in a WHERE a.noun = 'accounts' AND a.org = r.org
        AND a.id = r.level || '/' || r.name)
    FROM accounts r WHERE (r.org, r.level, r.name) > ($1, $2, $3)
    ORDER BY r.org, r.level, r.name LIMIT $4",
));

pub(super) const ACCOUNTS_LOST: Wide = Wide(Text::common(
    "accounts.lost",
    "SELECT a.org, a.id FROM audit_in a WHERE a.noun = 'accounts' AND a.version = 1
    AND NOT EXISTS (SELECT 1 FROM accounts r WHERE r.org = a.org
        AND r.level || '/' || r.name = a.id) ORDER BY a.seq LIMIT $1",
));

pub(super) const LEASES: Wide = Wide(Text::common(
    "leases.rows",
    "SELECT r.org, r.id, r.chain, r.rest, r.next, r.version,
    (SELECT a.payload FROM audit_in a WHERE a.noun = 'leases' AND a.org = r.org
        AND a.id = r.id ORDER BY a.version DESC LIMIT 1),
    (SELECT count(*) FROM audit_in a WHERE a.noun = 'leases' AND a.org = r.org AND a.id = r.id)
    FROM leases r WHERE (r.org, r.id) > ($1, $2) ORDER BY r.org, r.id LIMIT $3",
));

pub(super) const LEASES_LOST: Wide = Wide(Text::common(
    "leases.lost",
    "SELECT a.org, a.id FROM audit_in a WHERE a.noun = 'leases' AND a.version = 1
    AND NOT EXISTS (SELECT 1 FROM leases r WHERE r.org = a.org AND r.id = a.id)
    ORDER BY a.seq LIMIT $1",
));

/// What is out on leases, by account.
type Leased = BTreeMap<(String, String), i64>;

/// Every account and lease.
pub(super) async fn check(tx: &mut Tx, findings: &mut Vec<Finding>) -> Result<(), StoreError> {
    let mut leased = Leased::new();
    leases(tx, &mut leased, findings).await?;
    accounts(tx, &leased, findings).await?;
    for (statement, noun) in [(&ACCOUNTS_LOST, "accounts"), (&LEASES_LOST, "leases")] {
        for row in tx.wide(statement, vec![Value::from(signed(PAGE)?)]).await? {
            findings.push(Finding::Lost(format!("{noun}/{}/{}", row.text(0)?, row.text(1)?)));
        }
    }
    Ok(())
}

async fn leases(
    tx: &mut Tx,
    leased: &mut Leased,
    findings: &mut Vec<Finding>,
) -> Result<(), StoreError> {
    let mut from = vec![Value::from(""), "".into()];
    loop {
        from.push(signed(PAGE)?.into());
        let rows = tx.wide(&LEASES, from).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        from = vec![last.text(0)?.into(), last.text(1)?.into()];
        for row in &rows {
            lease(row, leased, findings)?;
        }
    }
}

fn lease(row: &Row, leased: &mut Leased, findings: &mut Vec<Finding>) -> Result<(), StoreError> {
    let (org, id, chain, rest) = (row.text(0)?, row.text(1)?, row.text(2)?, row.int(3)?);
    let says = json!({
        "chain": chain, "id": id, "next": row.int(4)?, "noun": "leases", "org": org,
        "rest": rest, "version": row.int(5)?,
    });
    let name = || format!("leases/{org}/{id}");
    if !said_last(&says, row.maybe_text(6)?, row.int(7)? == row.int(5)?) {
        findings.push(Finding::Row(name()));
    }
    match serde_json::from_str::<Vec<Shared>>(chain) {
        Ok(chain) => {
            for account in chain {
                let out = leased.entry((org.to_owned(), budget::label(&account))).or_default();
                *out = out.saturating_add(rest);
            }
        }
        Err(_) => findings.push(Finding::Document(name())),
    }
    Ok(())
}

async fn accounts(
    tx: &mut Tx,
    leased: &Leased,
    findings: &mut Vec<Finding>,
) -> Result<(), StoreError> {
    let mut from = vec![Value::from(""), "".into(), "".into()];
    loop {
        from.push(signed(PAGE)?.into());
        let rows = tx.wide(&ACCOUNTS, from).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        from = vec![last.text(0)?.into(), last.text(1)?.into(), last.text(2)?.into()];
        for row in &rows {
            let (org, level, name) = (row.text(0)?, row.text(1)?, row.text(2)?);
            let says = json!({
                "cap": row.int(3)?, "leased": row.int(5)?, "level": level, "name": name,
                "noun": "accounts", "org": org, "spent": row.int(4)?, "version": row.int(6)?,
            });
            let id = format!("{level}/{name}");
            let full = format!("accounts/{org}/{id}");
            if !said_last(&says, row.maybe_text(7)?, row.int(8)? == row.int(6)?) {
                findings.push(Finding::Row(full.clone()));
            }
            let out = leased.get(&(org.to_owned(), id)).copied().unwrap_or_default();
            if out != row.int(5)? {
                findings.push(Finding::Books(full));
            }
        }
    }
}
