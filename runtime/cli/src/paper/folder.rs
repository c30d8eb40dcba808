//! The folder of a chain: begun with a Paper that nobody signed yet, read again, and amended.

use std::path::{Path, PathBuf};

use envelope_evidence::Digest;
use envelope_evidence::keyring::KeyRing;
use envelope_terms::deal::{self, Undrawn};
use envelope_terms::document::{self, Body, Chain, Document, Files, Salt, Signers, Text, own_keys};
use envelope_terms::source::{Kind, Paper, Template};

use super::load;
use crate::answer::Trouble;
use crate::disk::{self, CHAIN_FILES_MAX, Existing};
use crate::keys;

const HINT: &str = "give the folder that `envelope paper compile --into` wrote";

/// The documents of a new chain, as they were given.
pub(super) struct Above<'a> {
    pub(super) tos: Option<&'a Path>,
    pub(super) base_terms: Option<&'a Path>,
    pub(super) schedules: &'a [PathBuf],
    pub(super) msa: &'a Path,
}

impl Above<'_> {
    /// The templates in the order of the chain, each of a kind that fits its place.
    fn templates(&self) -> Result<Vec<Template>, Trouble> {
        let addenda = [Kind::Schedule, Kind::Nda, Kind::Dpa];
        let mut given: Vec<(&Path, &[Kind])> = Vec::new();
        given.extend(self.tos.map(|path| (path, [Kind::Tos].as_slice())));
        given.extend(self.base_terms.map(|path| (path, [Kind::BaseTerms].as_slice())));
        given.extend(self.schedules.iter().map(|path| (path.as_path(), addenda.as_slice())));
        given.push((self.msa, &[Kind::Msa]));
        given.into_iter().map(|(path, kinds)| load::template_of(path, kinds)).collect()
    }
}

/// The files of a new chain: what stands above the Paper, and the Paper that is still to be signed.
pub(super) fn begin(
    above: &Above<'_>,
    paper: &Paper,
    buyer: &[PathBuf],
    developer: &[PathBuf],
) -> Result<(Files, Digest), Trouble> {
    let mut chain = Chain::new();
    for template in above.templates()? {
        let document = deal::standard(&chain, &template, paper, salt()?).map_err(undrawn)?;
        chain.append(document, &KeyRing::default()).map_err(refused)?;
    }
    let signers = signers(buyer, developer)?;
    let document = deal::paper(&chain, paper, signers, salt()?).map_err(undrawn)?;
    let mut files = chain.export(&[], None).map_err(|why| Trouble::failed(why, HINT))?;
    document.export(&mut files).map_err(|why| Trouble::failed(why, HINT))?;
    Ok((files, document.id()))
}

/// The files of the amendment after which the chain in `folder` says what `paper` says.
pub(super) fn amend(folder: &Path, paper: &Paper, title: &str) -> Result<(Files, Digest), Trouble> {
    let chain = agreed(&read(folder)?)?;
    let document = deal::amendment(&chain, paper, title, salt()?).map_err(undrawn)?;
    let mut files = Files::new();
    document.export(&mut files).map_err(|why| Trouble::failed(why, HINT))?;
    Ok((files, document.id()))
}

/// The chain, of which both parties signed every document: only then another one follows.
pub(super) fn agreed(files: &Files) -> Result<Chain, Trouble> {
    let (chain, pending) = resume(files)?;
    if let Some(pending) = pending {
        let what = format!("the {} `{}` is not signed by both", pending.kind(), pending.id());
        return Err(Trouble::failed(what, "sign it first, or take its files out of the folder"));
    }
    Ok(chain)
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
    let files = disk::read_folder(folder, CHAIN_FILES_MAX);
    let files = files.map_err(|why| Trouble::usage(why, HINT))?;
    if files.keys().any(|name| name.starts_with("nodes/")) {
        return Ok(files);
    }
    Err(Trouble::usage(format!("`{}` holds no documents", folder.display()), HINT))
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

/// The document at place `seq`, signed or not.
pub(super) fn document(files: &Files, seq: u64) -> Result<Document, Trouble> {
    let (chain, pending) = resume(files)?;
    let mut documents = chain.documents().iter().chain(&pending);
    let count = chain.documents().len() + usize::from(pending.is_some());
    documents.find(|document| document.seq() == seq).cloned().ok_or_else(|| {
        let what = format!("there is no document {seq}, for the chain has {count}");
        Trouble::usage(what, "count from 0, as the files in `nodes/` do")
    })
}

/// The chain as far as it is signed, and the document that is still to be.
pub(super) fn resume(files: &Files) -> Result<(Chain, Option<Document>), Trouble> {
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

pub(super) fn salt() -> Result<Salt, Trouble> {
    keys::random().map(Salt::new)
}

pub(super) fn undrawn(why: Undrawn) -> Trouble {
    let hint = match &why {
        Undrawn::OtherMsa { .. } => "give the master agreement that the source names",
        Undrawn::OtherSchedule(_) => {
            "name it in the source: `envelope paper check` tells the digest of its words and terms"
        }
        Undrawn::Kind { .. } => "`envelope paper new --kind KIND` writes one to start from",
        Undrawn::Same => "change the source first: `envelope paper diff` tells what changed",
        Undrawn::Title(_) => "shorten the title, and use no control characters",
        Undrawn::Conflict(why) if why.kind == document::Kind::SideLetter => {
            "change the terms of this letter, or agree on an amendment instead"
        }
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
