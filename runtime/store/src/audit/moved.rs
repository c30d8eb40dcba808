//! The tables that move beside the nouns, against the log: work and its journals, messages, blobs
//! and who may keep how much of them. Of what workspaces need the log has the manifest's digest.

use std::collections::BTreeMap;

use envelope_evidence::Digest;
use envelope_evidence::journal::Journal;
use envelope_evidence::receipt::fold;
use serde_json::{Value as Json, json};

use super::finding::{Finding, Findings};
use super::table::{each, logged, lost, table, texts};
use crate::sql::{Text, Wide};
use crate::value::{Row, Value};
use crate::{Org, StoreError, Tx, journal};

table!(
    WORK,
    WORK_LOST,
    "work",
    "r.id",
    "r.org, r.id" > "$1, $2",
    "$3",
    "r.org, r.id, r.state, r.node, r.epoch,
    (SELECT coalesce(max(j.chunk) + 1, 0) FROM journal j WHERE j.org = r.org AND j.id = r.id)"
);
table!(
    OUTBOX,
    OUTBOX_LOST,
    "outbox",
    "CAST(r.seq AS TEXT)",
    "r.seq" > "$1",
    "$2",
    "r.seq, r.org, r.topic, r.body, r.digest",
    until "heard"
);
table!(
    BLOBS,
    BLOBS_LOST,
    "blobs",
    "r.digest",
    "r.org, r.digest" > "$1, $2",
    "$3",
    "r.org, r.digest, r.size, r.state",
    until "gone"
);
table!(STORAGE, STORAGE_LOST, "storage", "r.org", "r.org" > "$1", "$2", "r.org, r.used, r.cap");

/// What is needed for nothing, or for what is not kept.
const NEEDLESS: Wide = Wide(Text::common(
    "needs.needless",
    "SELECT n.org, n.id, n.version FROM needs n WHERE NOT EXISTS (
        SELECT 1 FROM workspaces w WHERE w.org = n.org AND w.id = n.id
            AND w.version = n.version AND w.state = 'kept'
    ) ORDER BY n.org, n.id, n.version LIMIT $1",
));

/// What is kept and does not even need its own manifest.
const NEEDY: Wide = Wide(Text::common(
    "needs.missing",
    "SELECT w.org, w.id, w.version FROM workspaces w WHERE w.state = 'kept' AND NOT EXISTS (
        SELECT 1 FROM needs n WHERE n.org = w.org AND n.id = w.id
            AND n.version = w.version AND n.digest = w.manifest
    ) ORDER BY w.org, w.id, w.version LIMIT $1",
));

/// What was signed of a run. Its row bears the run's name.
const SIGNED: Wide =
    Wide(Text::common("receipts.of_run", "SELECT body FROM receipts WHERE org = $1 AND id = $2"));

const LOST: [(&str, Wide); 4] = [
    ("work", WORK_LOST),
    ("outbox", OUTBOX_LOST),
    ("blobs", BLOBS_LOST),
    ("storage", STORAGE_LOST),
];

pub(super) fn statements() -> impl Iterator<Item = Wide> {
    [WORK, OUTBOX, BLOBS, STORAGE, NEEDLESS, NEEDY, SIGNED]
        .into_iter()
        .chain(LOST.map(|(_, lost)| lost))
}

/// Every row of these tables.
pub(super) async fn check(tx: &mut Tx, findings: &mut Findings) -> Result<(), StoreError> {
    let mut kept = BTreeMap::<String, i64>::new();
    let mut begun = Vec::new();
    each(tx, &WORK, texts(2), |row| work(row, &mut begun, findings)).await?;
    each(tx, &OUTBOX, vec![Value::Int(-1)], |row| message(row, findings)).await?;
    each(tx, &BLOBS, texts(2), |row| blob(row, &mut kept, findings)).await?;
    each(tx, &STORAGE, texts(1), |row| storage(row, &kept, findings)).await?;
    for statement in [NEEDLESS, NEEDY] {
        for row in tx.wide(&statement, vec![Value::Int(1)]).await? {
            let (org, id, version) = (row.text(0)?, row.text(1)?, row.int(2)?);
            findings.push(Finding::Books(format!("needs/{org}/{id}/{version}")));
        }
    }
    lost(tx, &LOST, findings).await?;
    for (org, id) in begun {
        let read = journal::lines(tx, &Org::new(&org)?, &id).await;
        let journal = read.ok().and_then(|(lines, _)| Journal::parse(&lines).ok());
        let run = vec![Value::from(org.as_str()), id.as_str().into()];
        let signed = tx.wide(&SIGNED, run).await?;
        let signed = signed.first().map(|row| row.text(0)).transpose()?;
        // Another journal that is whole in itself folds to another receipt.
        let is_it = |journal| signed.is_none_or(|body| fold(journal).receipt == body.as_bytes());
        if !journal.as_ref().is_some_and(is_it) {
            findings.push(Finding::Journal(format!("work/{org}/{id}")));
        }
    }
    Ok(())
}

/// A journal may be longer than it was when the log last spoke of the work, unless that is done.
fn work(
    row: &Row,
    begun: &mut Vec<(String, String)>,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let (org, id, state, chunks) = (row.text(0)?, row.text(1)?, row.text(2)?, row.int(5)?);
    let last: Option<Json> = row.maybe_text(6)?.and_then(|last| serde_json::from_str(last).ok());
    let pinned = last.as_ref().and_then(|last| last.get("chunks")?.as_i64()).unwrap_or_default();
    let says = json!({
        "chunks": pinned, "epoch": row.int(4)?, "id": id, "node": row.maybe_text(3)?,
        "noun": "work", "org": org, "state": state,
    });
    let name = || format!("work/{org}/{id}");
    logged(row, 6, (&says, None), name, findings)?;
    if chunks < pinned || (state == "done" && chunks != pinned) {
        findings.push(Finding::Journal(name()));
    } else if chunks > 0 {
        begun.push((org.to_owned(), id.to_owned()));
    }
    Ok(())
}

/// A message of before there were digests has none.
fn message(row: &Row, findings: &mut Findings) -> Result<(), StoreError> {
    let (seq, org, digest) = (row.int(0)?, row.text(1)?, row.maybe_text(4)?);
    let says = json!({
        "digest": digest, "id": seq, "noun": "outbox", "org": org, "state": "waiting",
        "topic": row.text(2)?,
    });
    let name = || format!("outbox/{org}/{seq}");
    let body = Digest::of(row.text(3)?.as_bytes()).to_string();
    if digest.is_some_and(|digest| digest != body) {
        findings.push(Finding::Document(name()));
    }
    logged(row, 5, (&says, None), name, findings)
}

/// A blob that went may come again, and counts anew: only the last word has to be right.
fn blob(
    row: &Row,
    kept: &mut BTreeMap<String, i64>,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let (org, digest, size) = (row.text(0)?, row.text(1)?, row.int(2)?);
    let says = json!({
        "digest": digest, "noun": "blobs", "org": org, "size": size, "state": row.text(3)?,
    });
    let sum = kept.entry(org.to_owned()).or_default();
    *sum = sum.saturating_add(size);
    logged(row, 4, (&says, None), || format!("blobs/{org}/{digest}"), findings)
}

fn storage(
    row: &Row,
    kept: &BTreeMap<String, i64>,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let org = row.text(0)?;
    let says = json!({ "cap": row.int(2)?, "noun": "storage", "org": org });
    let name = || format!("storage/{org}");
    if kept.get(org).copied().unwrap_or_default() != row.int(1)? {
        findings.push(Finding::Books(name()));
    }
    logged(row, 3, (&says, None), name, findings)
}
