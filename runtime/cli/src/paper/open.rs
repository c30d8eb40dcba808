//! `envelope paper open`: the side letters that a key can read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use envelope_terms::document::{Document, Layers, ReaderSecret, SideLetter};
use serde_json::{Value, json};

use super::{folder, letter};
use crate::answer::{Answer, Trouble};
use crate::keys;
use crate::page::{plain, plain_lines};

/// Read the side letters of a chain that are meant for you
///
/// Each is checked against the commitment in the public chain: every reader has the same letter.
/// Whether the parties signed it with keys you trust, `envelope chain verify` tells.
#[derive(Args)]
#[command(after_help = "\
Examples:
  envelope paper open --new-key --key buyer.reader   make a reader key, its public half beside it
  envelope paper open deal/ --key buyer.reader")]
pub(crate) struct Open {
    /// The folder of the chain
    #[arg(required_unless_present = "new_key", conflicts_with = "new_key")]
    folder: Option<PathBuf>,

    /// Your reader key: 32 secret bytes that only you may read
    #[arg(long, value_name = "FILE")]
    key: PathBuf,

    /// Make the key, and nothing else; an existing one is never overwritten
    #[arg(long)]
    new_key: bool,
}

impl Open {
    pub(crate) fn run(&self) -> Result<Answer, Trouble> {
        let Some(folder) = &self.folder else {
            let (key, public) = keys::new_reader(&self.key)?;
            return Ok(keys::made("reader key", &key.public().id(), &self.key, &public));
        };
        opened(folder, &keys::reading(&self.key)?)
    }
}

fn opened(path: &Path, key: &ReaderSecret) -> Result<Answer, Trouble> {
    let (chain, pending) = folder::resume(&folder::read(path)?)?;
    let documents = || letter::letters(chain.documents().iter().chain(&pending));
    let mut letters = BTreeMap::new();
    let (mut page, mut told) = (String::new(), Vec::new());
    for document in documents() {
        let Some(letter) = letter::read(document, key)? else { continue };
        let signed = pending.as_ref().is_none_or(|pending| pending.id() != document.id());
        page.push_str(&drawn(document, &letter, signed));
        told.push(in_json(document, &letter, signed));
        letters.insert(document.id(), letter);
    }
    let closed = documents().count() - letters.len();
    if letters.is_empty() {
        return Err(nothing(closed, key));
    }
    let mut layers = Layers::of(&chain, &letters);
    for document in pending.iter() {
        if let Some(letter) = letters.get(&document.id()) {
            layers.add(document.kind(), document.id(), &letter.terms);
        }
    }
    let conflicts: Vec<_> = layers.conflicts().iter().map(ToString::to_string).collect();
    let data = json!({ "letters": told, "closed": closed, "conflicts": conflicts });
    let note = conflicts.iter().map(|conflict| format!("{conflict}\n")).collect();
    Ok(Answer { note, ..Answer::page("side-letters", page, data) })
}

fn nothing(closed: usize, key: &ReaderSecret) -> Trouble {
    if closed == 0 {
        let hint = "`envelope paper compile FILE --letter FOLDER` adds one";
        return Trouble::failed("the chain has no side letter", hint);
    }
    let what = format!(
        "SIDE_LETTER: key `{}` is not among the readers of its {closed} side letters",
        key.public().id()
    );
    Trouble::failed(what, "only the readers named when a letter was drawn up can ever open it")
}

fn drawn(document: &Document, letter: &SideLetter, signed: bool) -> String {
    let signed = if signed { "signed by both" } else { "not signed by both yet" };
    let title = plain(&letter.title);
    let mut page = format!("document {}, {title}, {signed}\n\n", document.seq());
    page.push_str(&plain_lines(letter.text.prose()));
    for (name, value) in &letter.terms {
        page.push_str(&format!("{} = {}\n", plain(name), plain(value)));
    }
    page + "\n"
}

fn in_json(document: &Document, letter: &SideLetter, signed: bool) -> Value {
    json!({
        "seq": document.seq(),
        "id": document.id(),
        "signed": signed,
        "title": letter.title,
        "prose": letter.text.prose(),
        "terms": letter.terms,
    })
}
