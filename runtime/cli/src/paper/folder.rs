//! The folder of a chain: begun with a Paper that nobody signed yet, and read again.

use std::path::{Path, PathBuf};

use envelope_evidence::keyring::KeyRing;
use envelope_evidence::{Digest, Label};
use envelope_terms::document::{
    self, Body, Chain, DOCUMENTS_MAX, Document, Files, Kind, Node, Part, Salt, Signers, Standard,
    Terms, Text,
};
use envelope_terms::source::{self, Template};
use serde_json::{Map, Value};

use crate::answer::Trouble;
use crate::disk::{self, CHAIN_FILES_MAX, Existing};
use crate::keys;

const HINT: &str = "give the folder that `envelope paper compile --into` wrote";

/// In the terms of a Paper: what the compiler derived, beside the contract's own members.
const DERIVED: &str = "compiled";

/// The files of a new chain: the master agreement, and the Paper that is still to be signed.
pub(super) fn begin(
    msa: &Template,
    paper: &source::Paper,
    buyer: &[PathBuf],
    developer: &[PathBuf],
) -> Result<(Files, Digest), Trouble> {
    if let Some(named) = paper.msa.filter(|named| *named != msa.digest()) {
        let what = format!("the Paper stands under `{named}`, and this is `{}`", msa.digest());
        return Err(Trouble::failed(what, "give the master agreement that the source names"));
    }
    let rendered = msa.render(&paper.contract).map_err(Trouble::flawed)?;
    let standard = Standard { title: label(msa.title())?, terms: Terms::new() };
    let mut chain = Chain::new();
    let document = chain.standard(Body::Msa, standard, salted(&rendered)?).map_err(refused)?;
    chain.append(document, &KeyRing::default()).map_err(refused)?;

    let body = document::Paper {
        title: label(&paper.contract.title)?,
        signers: signers(buyer, developer)?,
        terms: terms(paper)?,
    };
    let document = chain.paper(body, salted(&paper.prose)?).map_err(refused)?;
    let mut files = chain.export(&[], None).map_err(|why| Trouble::failed(why, HINT))?;
    add(&mut files, &document);
    Ok((files, document.id()))
}

/// Writes a folder that is not there yet.
pub(super) fn write(folder: &Path, files: &Files) -> Result<(), Trouble> {
    let unwritten = |why| Trouble::usage(why, "give the name of a new folder");
    if disk::is_folder(folder) {
        let path = folder.to_owned();
        return Err(unwritten(disk::Unwritable::Exists { path }));
    }
    for (name, bytes) in files {
        disk::write(&folder.join(name), bytes, Existing::Keep).map_err(unwritten)?;
    }
    Ok(())
}

/// The files of a chain.
pub(super) fn read(folder: &Path) -> Result<Files, Trouble> {
    disk::read_folder(folder, CHAIN_FILES_MAX).map_err(|why| Trouble::usage(why, HINT))
}

/// The nodes of a chain, from its root to its head.
fn nodes(files: &Files) -> Result<Vec<Node>, Trouble> {
    let node = |seq| {
        let mut kinds = Kind::ALL.into_iter();
        kinds.find_map(|kind| files.get(&Part::Node.file(seq, kind)))
    };
    let nodes = (0..DOCUMENTS_MAX).map_while(node);
    nodes.map(|bytes| Node::parse(bytes).map_err(refused)).collect()
}

/// The newest document, and whose keys sign it.
pub(super) fn newest(files: &Files) -> Result<(Document, Signers), Trouble> {
    let nodes = nodes(files)?;
    let Some(last) = nodes.last().filter(|node| node.kind().is_signed()) else {
        return Err(Trouble::usage("there is no document to sign", HINT));
    };
    // An amendment that changes the signers is signed by those before it.
    let before = nodes.iter().rev().skip(usize::from(last.kind() != Kind::Paper));
    let signers = before.into_iter().find_map(|node| match &node.body {
        Body::Paper(paper) => Some(paper.signers.clone()),
        Body::Amendment(amendment) => amendment.signers.clone(),
        Body::Tos(_)
        | Body::BaseTerms(_)
        | Body::Schedule(_)
        | Body::Msa(_)
        | Body::SideLetter(_) => None,
    });
    let document = Document::read(files, last.seq, last.kind()).map_err(refused)?;
    let signers = signers.ok_or_else(|| Trouble::usage("there is no Paper", HINT))?;
    Ok((document, signers))
}

/// The Paper of a chain as it was compiled. Amendments are documents of their own.
pub(super) fn paper(files: &Files) -> Result<source::Paper, Trouble> {
    let bad = |why: String| Trouble::failed(format!("the Paper in the folder: {why}"), HINT);
    let nodes = nodes(files)?;
    let found = nodes.into_iter().find_map(|node| match node.body {
        Body::Paper(paper) => Some((node.seq, paper)),
        Body::Tos(_)
        | Body::BaseTerms(_)
        | Body::Schedule(_)
        | Body::Msa(_)
        | Body::Amendment(_)
        | Body::SideLetter(_) => None,
    });
    let (seq, paper) = found.ok_or_else(|| Trouble::usage("there is no Paper", HINT))?;
    let document = Document::read(files, seq, Kind::Paper).map_err(refused)?;
    let mut contract = paper.terms;
    let Some(Value::Object(mut whole)) = contract.remove(DERIVED) else {
        return Err(bad("it was not made by the compiler".to_owned()));
    };
    whole.insert("contract".to_owned(), Value::Object(contract));
    whole.insert("prose".to_owned(), document.text().map(Text::prose).unwrap_or_default().into());
    let bytes = envelope_evidence::canonical::of(&whole).map_err(|why| bad(why.to_string()))?;
    source::Paper::read(&bytes).map_err(|why| bad(why.to_string()))
}

/// The terms of a Paper's document: the contract's members, and what was derived from them. The
/// prose is the document's own.
fn terms(paper: &source::Paper) -> Result<Terms, Trouble> {
    let broken = || Trouble::failed("a Paper that is no object", HINT);
    let Ok(Value::Object(mut derived)) = serde_json::to_value(paper) else { return Err(broken()) };
    derived.remove("prose");
    let Some(Value::Object(contract)) = derived.remove("contract") else { return Err(broken()) };
    let derived = Map::from_iter([(DERIVED.to_owned(), Value::Object(derived))]);
    Ok(contract.into_iter().chain(derived).collect())
}

/// The files of a document that is not part of a chain yet.
fn add(files: &mut Files, document: &Document) {
    let mut add = |part: Part, bytes: Vec<u8>| {
        files.insert(part.file(document.seq(), document.kind()), bytes);
    };
    add(Part::Node, document.bytes().to_vec());
    if let Some(text) = document.text() {
        add(Part::Prose, text.prose().as_bytes().to_vec());
        add(Part::Salt, format!("{}\n", text.salt().hex()).into_bytes());
    }
}

fn signers(buyer: &[PathBuf], developer: &[PathBuf]) -> Result<Signers, Trouble> {
    let ids = |paths: &[PathBuf]| {
        paths
            .iter()
            .map(|path| keys::public(path).map(|key| key.id()))
            .collect::<Result<Vec<_>, _>>()
    };
    let hint = "each party needs a key of its own: `envelope paper sign --new-key --key FILE`";
    Signers::new(ids(buyer)?, ids(developer)?).map_err(|why| Trouble::usage(why, hint))
}

fn salted(prose: &str) -> Result<Text, Trouble> {
    let salt = Salt::new(keys::random()?);
    let hint = "change the prose of the source or of its template";
    Text::new(prose, salt).map_err(|why| Trouble::failed(why, hint))
}

fn label(title: &str) -> Result<Label, Trouble> {
    let hint = "shorten the title, and use no control characters";
    Label::new(title).map_err(|why| Trouble::failed(format!("the title: {why}"), hint))
}

#[expect(clippy::needless_pass_by_value, reason = "it maps errors, which come by value")]
fn refused(why: document::Refused) -> Trouble {
    Trouble::failed(format!("{}: {why}", why.code()), "`envelope chain verify` tells more")
}
