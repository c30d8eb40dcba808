//! `envelope paper diff`: what changed from one Paper to another, as data and as text.

use std::path::{Path, PathBuf};

use clap::Args;
use envelope_terms::contract::Contract;
use envelope_terms::document::{Change, Terms, difference, redline};
use serde_json::{Value, json};

use super::load;
use crate::answer::{Answer, Trouble};
use crate::page::plain_lines;

/// Tell what changed from one Paper to another: the data as JSON Patch, the prose line by line
///
/// Templates are compared like Papers, their words with the slots.
#[derive(Args)]
pub(crate) struct Diff {
    /// The Paper before: a source, a template, a compiled Paper or the folder of a chain
    old: PathBuf,

    /// The Paper after
    new: PathBuf,
}

impl Diff {
    pub(crate) fn run(&self) -> Result<Answer, Trouble> {
        let ((old, before), (new, after)) = (said(&self.old)?, said(&self.new)?);
        let changes = difference(&old, &new)
            .map_err(|why| Trouble::failed(why, "`envelope paper check` tells more"))?;
        let redline = redline(&before, &after);
        let changed = redline.lines().filter(|line| line.starts_with(['-', '+']));
        let prose: String = changed.map(|line| format!("{line}\n")).collect();
        let page = changes.iter().map(row).collect::<String>() + &prose;
        let mut answer = Answer::page(
            "difference",
            plain_lines(&page),
            json!({ "same": page.is_empty(), "changes": changes, "redline": redline }),
        );
        if page.is_empty() {
            answer.note = "they say the same\n".to_owned();
        }
        Ok(answer)
    }
}

/// The data and the prose of what is at `path`.
fn said(path: &Path) -> Result<(Terms, String), Trouble> {
    if load::is_template(path) {
        let template = load::template(path)?;
        return Ok((template.terms().clone(), template.text().to_owned()));
    }
    let paper = load::paper(path)?;
    Ok((terms(&paper.contract), paper.prose))
}

fn row(change: &Change) -> String {
    let path = change.path();
    match change {
        Change::Add { value, .. } => format!("+{path} = {value}\n"),
        Change::Remove { .. } => format!("-{path}\n"),
        Change::Replace { value, .. } => format!("~{path} = {value}\n"),
    }
}

fn terms(contract: &Contract) -> Terms {
    match serde_json::to_value(contract) {
        Ok(Value::Object(terms)) => terms,
        Ok(_) | Err(_) => Terms::new(),
    }
}
