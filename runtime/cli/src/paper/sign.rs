//! `envelope paper sign`: one party's signature on the newest document of a chain.

use std::path::{Path, PathBuf};

use clap::Args;
use envelope_evidence::canonical;
use envelope_evidence::dsse::Envelope;
use envelope_evidence::key::{ForDocuments, SigningKey};
use envelope_evidence::statement::Statement;
use envelope_terms::document::{Document, Part, Side, Signing, sign};
use serde_json::json;

use super::folder;
use crate::answer::{Answer, Trouble};
use crate::disk::{self, Existing};
use crate::fresh::now;
use crate::keys;

/// Sign the newest document of a chain with your key
///
/// Both parties sign the same bytes. Read what you sign first: `envelope paper show FOLDER`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  envelope paper sign --new-key --key buyer.key      make a key, and its public half beside it
  envelope paper sign deal/ --key buyer.key")]
pub(crate) struct Sign {
    /// The folder of the chain
    #[arg(required_unless_present = "new_key", conflicts_with = "new_key")]
    folder: Option<PathBuf>,

    /// Your key: 32 secret bytes that only you may read
    #[arg(long, value_name = "FILE")]
    key: PathBuf,

    /// Make the key, and nothing else; an existing one is never overwritten
    #[arg(long)]
    new_key: bool,
}

impl Sign {
    pub(crate) fn run(&self) -> Result<Answer, Trouble> {
        let Some(folder) = &self.folder else {
            let (key, public) = keys::new(&self.key)?;
            return Ok(keys::made("key", key.id(), &self.key, &public));
        };
        signed(folder, &keys::signing(&self.key)?)
    }
}

fn signed(path: &Path, key: &SigningKey<ForDocuments>) -> Result<Answer, Trouble> {
    let files = folder::read(path)?;
    let (document, signers) = folder::newest(&files)?;
    let Some(side) = signers.side_of(key.id()) else {
        let what = format!("key `{}` signs for neither party", key.id());
        return Err(Trouble::failed(what, "the keys of the parties are fixed in the document"));
    };
    let envelope = match document.signatures() {
        Some(envelope) => cosigned(envelope, &document, key)?,
        None => sign(document.kind(), document.id(), now(), key).map_err(unspelled)?,
    };
    write(path, &document, &envelope, key)?;
    let sides: Vec<_> = envelope.key_ids().filter_map(|id| signers.side_of(id)).collect();
    let missing: Vec<_> = Side::ALL.into_iter().filter(|side| !sides.contains(side)).collect();
    let missing: Vec<_> = missing.iter().map(ToString::to_string).collect();
    let next = match missing.first() {
        Some(side) => format!("the {side} has still to sign"),
        None => format!("all have signed; next: envelope chain verify {}", path.display()),
    };
    let note = format!("signed {} for the {side}\n{next}\n", document.id());
    let data = json!({ "id": document.id(), "side": side, "key": key.id(), "missing": missing });
    Ok(Answer::note("signature", note, data))
}

/// The signature added to those of the others, whose bytes say what we would have said.
fn cosigned(
    envelope: &Envelope,
    document: &Document,
    key: &SigningKey<ForDocuments>,
) -> Result<Envelope, Trouble> {
    if envelope.key_ids().any(|id| id == key.id()) {
        return Err(Trouble::failed("this key has signed already", "nothing is left to do"));
    }
    let said: Statement<Signing> = canonical::read(envelope.payload()).map_err(unspelled)?;
    let ours = sign(document.kind(), document.id(), said.predicate.signed.0, key);
    if ours.map_err(unspelled)?.payload() != envelope.payload() {
        let hint = "ask the other party what was signed there, and do not sign";
        return Err(Trouble::failed("the signature there is of something else", hint));
    }
    Ok(envelope.clone().cosign(key))
}

fn write(
    folder: &Path,
    document: &Document,
    envelope: &Envelope,
    key: &SigningKey<ForDocuments>,
) -> Result<(), Trouble> {
    let public = format!("keys/{}.pem", key.id());
    let signatures = Part::Signatures.file(document.seq(), document.kind());
    let files = [
        (public, key.public().to_pem().into_bytes()),
        (signatures, envelope.to_bytes().map_err(unspelled)?),
    ];
    for (name, bytes) in files {
        disk::write(&folder.join(name), &bytes, Existing::Replace)
            .map_err(|why| Trouble::usage(why, "the folder has to be writable"))?;
    }
    Ok(())
}

fn unspelled(why: canonical::Refused) -> Trouble {
    Trouble::failed(why, "`envelope chain verify` tells more")
}
