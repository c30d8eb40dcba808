//! Holding table, log and signatures against one another.
//!
//! Each layer answers for the one below: a row for its document, the log's source for the row, the
//! leaf for the source, a signed checkpoint for the leaves, and a checkpoint that somebody else
//! holds for all of it.

use envelope_evidence::merkle::Tree;
use envelope_evidence::tlog::{Checkpoint, Log};
use envelope_evidence::{Digest, merkle};
use serde_json::{Value as Json, json};

use super::finding::{Finding, Findings};
use super::{
    AuditError, PAGE, RECEIPT, SIGNED, UNPLACED, entry_of, kept, moved, page, signed, unsigned,
};
use crate::noun::Noun;
use crate::value::{Row, Value};
use crate::{Store, StoreError, Tx};

/// Rows of a noun read at once: each may have a document of megabytes.
const ROWS: i64 = 32;

/// What does not fit together; nothing, when all does. `held` are checkpoints that somebody else
/// kept: without one, whoever owns the database and cuts the log's end is not caught.
pub async fn verify(store: &Store, log: &Log, held: &[String]) -> Result<Vec<Finding>, AuditError> {
    let mut tx = store.read().await?;
    let mut findings = Findings::default();
    for &noun in Noun::ALL {
        rows(&mut tx, noun, &mut findings).await?;
    }
    kept::check(&mut tx, &mut findings).await?;
    moved::check(&mut tx, &mut findings).await?;
    for row in tx.wide(&UNPLACED, vec![Value::from(signed(PAGE)?)]).await? {
        findings.push(Finding::Unplaced(row.int(0)?));
    }
    let checkpoints = checkpoints(&mut tx, log, held, &mut findings).await?;
    leaves(&mut tx, checkpoints, &mut findings).await?;
    Ok(findings.told())
}

/// Every row of a noun against its document and against the log.
async fn rows(tx: &mut Tx, noun: Noun, findings: &mut Findings) -> Result<(), StoreError> {
    let (mut org, mut id) = (String::new(), String::new());
    loop {
        let from = vec![Value::from(org.as_str()), id.as_str().into(), ROWS.into()];
        let rows = tx.wide(&noun.rows(), from).await?;
        let Some(last) = rows.last() else { break };
        (org, id) = (last.text(0)?.to_owned(), last.text(1)?.to_owned());
        for row in &rows {
            let name = || Ok::<_, StoreError>(name(noun, row.text(0)?, row.text(1)?));
            if Digest::of(row.text(5)?.as_bytes()).to_string() != row.text(6)? {
                findings.push(Finding::Document(name()?));
            }
            if !is_logged(noun, row)? {
                findings.push(Finding::Row(name()?));
            }
        }
    }
    for row in tx.wide(&noun.lost(), vec![Value::from(signed(PAGE)?)]).await? {
        findings.push(Finding::Lost(name(noun, row.text(0)?, row.text(1)?)));
    }
    Ok(())
}

fn name(noun: Noun, org: &str, id: &str) -> String {
    format!("{}/{org}/{id}", noun.table())
}

/// The log's last word on the row is what it says, and it spoke once for each version.
fn is_logged(noun: Noun, row: &Row) -> Result<bool, StoreError> {
    let says = json!({
        "changed": row.int(7)?, "digest": row.text(6)?, "id": row.text(1)?,
        "noun": noun.table(), "org": row.text(0)?, "parent": row.maybe_text(2)?,
        "state": row.text(3)?, "version": row.int(4)?,
    });
    Ok(said_last(&says, row.maybe_text(8)?, row.int(9)? == row.int(4)?))
}

/// The log's last word is `says`, and it spoke as often as it had to.
pub(super) fn said_last(says: &Json, logged: Option<&str>, as_often: bool) -> bool {
    let logged: Option<Json> = logged.and_then(|payload| serde_json::from_str(payload).ok());
    as_often && logged.as_ref() == Some(says)
}

/// The checkpoints that open, the store's and those held, by size.
async fn checkpoints(
    tx: &mut Tx,
    log: &Log,
    held: &[String],
    findings: &mut Findings,
) -> Result<Vec<Checkpoint>, StoreError> {
    let mut open = Vec::new();
    for row in tx.wide(&SIGNED, Vec::new()).await? {
        let size = unsigned(row.int(0)?)?;
        match log.open(row.text(1)?) {
            Ok(checkpoint) if checkpoint.size == size => open.push(checkpoint),
            Ok(_) => findings.push(Finding::Fork(size)),
            Err(why) => findings.push(Finding::Unsigned(size, why)),
        }
    }
    for note in held {
        match log.open(note) {
            Ok(checkpoint) => open.push(checkpoint),
            Err(why) => findings.push(Finding::Unsigned(0, why)),
        }
    }
    open.sort_by_key(|checkpoint| checkpoint.size);
    Ok(open)
}

/// Every leaf against its source, and the tree against every checkpoint.
async fn leaves(
    tx: &mut Tx,
    checkpoints: Vec<Checkpoint>,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let (mut tree, mut due) = (Tree::default(), checkpoints.into_iter().peekable());
    let mut next = 0;
    loop {
        let rows = page(tx, next).await?;
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            meet(&tree, &mut due, findings);
            let place = unsigned(row.int(0)?)?;
            if place != next {
                findings.push(Finding::Gap(next));
            }
            let leaf = Digest::from_bytes(row.bytes(2)?);
            if source(row)? != Some(leaf) {
                findings.push(Finding::Leaf(place));
            }
            tree.push(leaf);
            next = place + 1;
        }
    }
    meet(&tree, &mut due, findings);
    let found = tree.size();
    due.for_each(|held| findings.push(Finding::Cut { signed: held.size, found }));
    Ok(())
}

/// What the leaf has to be, if its source is still there.
fn source(row: &Row) -> Result<Option<Digest>, StoreError> {
    let Some(payload) = row.maybe_text(3)? else { return Ok(None) };
    if !is_filed(row.text(5)?, row.text(6)?, row.text(7)?, payload) {
        return Ok(None);
    }
    let entry = entry_of(row.text(5)?, &row.bytes(4)?, payload.as_bytes());
    Ok(Some(merkle::leaf(&entry)))
}

/// What is signed is the payload. The columns by which it is found have to say the same, or a
/// change could be filed where nobody looks for it.
fn is_filed(noun: &str, org: &str, id: &str, payload: &str) -> bool {
    if noun == RECEIPT {
        return true;
    }
    let Ok(said) = serde_json::from_str::<Json>(payload) else { return false };
    let text = |name: &str| said.get(name).and_then(Json::as_str).unwrap_or_default();
    let number = |name: &str| said.get(name).and_then(Json::as_i64).unwrap_or(-1);
    let named = match noun {
        "accounts" => format!("{}/{}", text("level"), text("name")),
        "workspaces" => format!("{}/{}", text("id"), number("version")),
        "sealed" => format!("{}/{}", text("id"), text("field")),
        "outbox" => number("id").to_string(),
        "blobs" => text("digest").to_owned(),
        "storage" => text("org").to_owned(),
        _ => text("id").to_owned(),
    };
    (text("noun"), text("org"), named.as_str()) == (noun, org, id)
}

/// Holds the tree against the checkpoints of its size.
fn meet(
    tree: &Tree,
    due: &mut std::iter::Peekable<impl Iterator<Item = Checkpoint>>,
    findings: &mut Findings,
) {
    while let Some(held) = due.next_if(|held| held.size == tree.size()) {
        if held.root != tree.root() {
            findings.push(Finding::Fork(held.size));
        }
    }
}
