//! Side letters: drawn up for a chain, and read again by their readers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use envelope_evidence::Digest;
use envelope_terms::deal;
use envelope_terms::document::{
    Chain, Document, Files, Kind, ReaderKey, ReaderSecret, SideLetter, Unreadable, open,
};
use envelope_terms::source;
use serde_json::json;

use super::compile::began;
use super::{folder, load};
use crate::answer::{Answer, Trouble};
use crate::keys;

/// Adds the side letter that `file` is to the chain in `path`.
pub(super) fn seal(
    file: &Path,
    path: &Path,
    readers: &[PathBuf],
    key: Option<&Path>,
) -> Result<Answer, Trouble> {
    let template = load::template_of(file, &[source::Kind::SideLetter])?;
    let readers = readers.iter().map(|path| keys::reader(path)).collect::<Result<Vec<_>, _>>()?;
    let named: BTreeSet<_> = readers.iter().map(ReaderKey::id).collect();
    let files = folder::read(path)?;
    let contract = folder::paper(&files)?.contract;
    let chain = folder::agreed(&files)?;
    let known = key.map(|key| known(&chain, &keys::reading(key)?)).transpose()?.unwrap_or_default();
    let unknown = letters(chain.documents()).count().saturating_sub(known.len());
    let letter = deal::letter(&template, &contract, folder::salt()?).map_err(folder::undrawn)?;
    let random = &mut keys::chance()?;
    let document = deal::side_letter(&chain, &letter, &known, &readers, random);
    let document = document.map_err(folder::undrawn)?;
    let mut added = Files::new();
    document.export(&mut added).map_err(|why| Trouble::failed(why, HINT))?;
    folder::add(path, &added)?;
    let (id, count) = (document.id(), named.len());
    let mut note = format!("wrote a side letter to {}\nreaders: {count}\n", path.display());
    if unknown > 0 {
        let told = format!("{unknown} earlier letters are closed to you: nobody compared them\n");
        note.push_str(&told);
    }
    let data = json!({
        "readers": named,
        "not_compared": unknown,
    });
    Ok(began("side-letter", path, id, note + &format!("it is {id}\n"), data))
}

/// The side letters among `documents`.
pub(super) fn letters<'a>(
    documents: impl IntoIterator<Item = &'a Document>,
) -> impl Iterator<Item = &'a Document> {
    documents.into_iter().filter(|document| document.kind() == Kind::SideLetter)
}

/// What `key` reads of a side letter; nothing when it is for others.
pub(super) fn read(document: &Document, key: &ReaderSecret) -> Result<Option<SideLetter>, Trouble> {
    match open(document, key) {
        Ok(letter) => Ok(Some(letter)),
        Err(Unreadable::NotForYou(_)) => Ok(None),
        Err(why) => {
            let what = format!("SIDE_LETTER: document {}: {why}", document.seq());
            Err(Trouble::failed(what, "ask who drew it up for another, and do not sign this one"))
        }
    }
}

/// The letters of `chain` that `key` opens.
fn known(chain: &Chain, key: &ReaderSecret) -> Result<BTreeMap<Digest, SideLetter>, Trouble> {
    let mut known = BTreeMap::new();
    for document in letters(chain.documents()) {
        known.extend(read(document, key)?.map(|letter| (document.id(), letter)));
    }
    Ok(known)
}

const HINT: &str = "give the folder of a chain";
