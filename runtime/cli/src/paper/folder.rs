//! The folder of a chain: begun with a Paper that nobody signed yet, read again, and amended.

use std::path::{Path, PathBuf};

use envelope_evidence::Digest;
use envelope_evidence::keyring::KeyRing;
use envelope_terms::deal::{self, Undrawn};
use envelope_terms::document::{self, Body, Chain, Document, Files, Salt, Signers, Text, own_keys};
use envelope_terms::source::{Paper, Template};

use crate::answer::Trouble;
use crate::disk::{self, CHAIN_FILES_MAX, Existing};
use crate::keys;

const HINT: &str = "give the folder that `envelope paper compile --into` wrote";

/// The files of a new chain: the master agreement, and the Paper that is still to be signed.
pub(super) fn begin(
    msa: &Template,
    paper: &Paper,
    buyer: &[PathBuf],
    developer: &[PathBuf],
) -> Result<(Files, Digest), Trouble> {
    let mut chain = Chain::new();
    let master = deal::msa(&chain, msa, paper, salt()?).map_err(undrawn)?;
    chain.append(master, &KeyRing::default()).map_err(refused)?;
    let signers = signers(buyer, developer)?;
    let document = deal::paper(&chain, paper, signers, salt()?).map_err(undrawn)?;
    let mut files = chain.export(&[], None).map_err(|why| Trouble::failed(why, HINT))?;
    document.export(&mut files).map_err(|why| Trouble::failed(why, HINT))?;
    Ok((files, document.id()))
}

/// The files of the amendment after which the chain in `folder` says what `paper` says.
pub(super) fn amend(folder: &Path, paper: &Paper, title: &str) -> Result<(Files, Digest), Trouble> {
    let (chain, pending) = resume(&read(folder)?)?;
    if let Some(pending) = pending {
        let what = format!("the {} `{}` is not signed by both", pending.kind(), pending.id());
        return Err(Trouble::failed(what, "sign it first, or take its files out of the folder"));
    }
    let document = deal::amendment(&chain, paper, title, salt()?).map_err(undrawn)?;
    let mut files = Files::new();
    document.export(&mut files).map_err(|why| Trouble::failed(why, HINT))?;
    Ok((files, document.id()))
}

/// Writes a folder that is not there yet.
pub(super) fn write(folder: &Path, files: &Files) -> Result<(), Trouble> {
    if disk::is_folder(folder) {
        let why = disk::Unwritable::Exists { path: folder.to_owned() };
        return Err(Trouble::usage(why, "give the name of a new folder, or `--amend` it"));
    }
    add(folder, files)
}

/// Writes new files into a folder.
pub(super) fn add(folder: &Path, files: &Files) -> Result<(), Trouble> {
    for (name, bytes) in files {
        disk::write(&folder.join(name), bytes, Existing::Keep)
            .map_err(|why| Trouble::usage(why, "give the name of a new folder"))?;
    }
    Ok(())
}

/// The files of a chain.
pub(super) fn read(folder: &Path) -> Result<Files, Trouble> {
    disk::read_folder(folder, CHAIN_FILES_MAX).map_err(|why| Trouble::usage(why, HINT))
}

/// The newest document, and whose keys sign it.
pub(super) fn newest(files: &Files) -> Result<(Document, Signers), Trouble> {
    let (chain, pending) = resume(files)?;
    let last = || chain.documents().last().filter(|it| it.kind().is_signed()).cloned();
    let Some(document) = pending.or_else(last) else {
        return Err(Trouble::usage("there is no document to sign", HINT));
    };
    let signers = match &document.node().body {
        Body::Paper(paper) => Some(paper.signers.clone()),
        Body::Tos(_)
        | Body::BaseTerms(_)
        | Body::Schedule(_)
        | Body::Msa(_)
        | Body::Amendment(_)
        | Body::SideLetter(_) => chain.signers().cloned(),
    };
    let signers = signers.ok_or_else(|| Trouble::usage("there is no Paper", HINT))?;
    Ok((document, signers))
}

/// The Paper of a chain with all amendments that both parties signed; the Paper alone while it is
/// still to be signed.
pub(super) fn paper(files: &Files) -> Result<Paper, Trouble> {
    let (chain, pending) = resume(files)?;
    let drawn = pending.as_ref().and_then(|document| match &document.node().body {
        Body::Paper(paper) => Some((&paper.terms, document.text().map(Text::prose)?)),
        Body::Tos(_)
        | Body::BaseTerms(_)
        | Body::Schedule(_)
        | Body::Msa(_)
        | Body::Amendment(_)
        | Body::SideLetter(_) => None,
    });
    let agreed = || chain.prose().map(|prose| (chain.terms(), prose));
    let (terms, prose) =
        drawn.or_else(agreed).ok_or_else(|| Trouble::usage("there is no Paper", HINT))?;
    deal::read(terms, prose)
        .map_err(|why| Trouble::failed(format!("the Paper in the folder: {why}"), HINT))
}

/// The chain as far as it is signed, and the document that is still to be.
fn resume(files: &Files) -> Result<(Chain, Option<Document>), Trouble> {
    own_keys(files).and_then(|ring| Chain::resume(files, &ring)).map_err(refused)
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

fn salt() -> Result<Salt, Trouble> {
    keys::random().map(Salt::new)
}

fn undrawn(why: Undrawn) -> Trouble {
    let hint = match &why {
        Undrawn::OtherMsa { .. } => "give the master agreement that the source names",
        Undrawn::Same => "change the source first: `envelope paper diff` tells what changed",
        Undrawn::Title(_) => "shorten the title, and use no control characters",
        Undrawn::Conflict(_) => "let the Paper say which of the values holds",
        Undrawn::Unfilled(_) | Undrawn::Prose(_) | Undrawn::Spelling(_) => {
            "change the prose of the source or of its template"
        }
        Undrawn::Refused(_) => "`envelope chain verify` tells more",
    };
    let told = format!("{}: {why}", why.code());
    if let Undrawn::Unfilled(report) = why {
        return Trouble::flawed(report);
    }
    Trouble::failed(told, hint)
}

#[expect(clippy::needless_pass_by_value, reason = "it maps errors, which come by value")]
fn refused(why: document::Refused) -> Trouble {
    Trouble::failed(format!("{}: {why}", why.code()), "`envelope chain verify` tells more")
}
