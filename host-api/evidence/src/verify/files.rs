//! The checks of single files.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::canonical;
use crate::dsse::Envelope;
use crate::journal::Journal;
use crate::key::Purpose;
use crate::keyring::KeyRing;
use crate::receipt::{
    BUNDLE_FILE, Bundle, Folder, JOURNAL_FILE, Kind, PROOF_FILE, RECEIPT_FILE, RECEIPT_TYPE,
    Receipt, evidence_file, fold,
};
use crate::statement::{PAYLOAD_TYPE, Statement, Subject};
use crate::time::Timestamp;
use crate::tlog::{Log, Proof};
use crate::verify::{Disclosed, Finding, Report};

/// The receipt statement, from its own file or from the bundle. Both, when both are there, must be
/// the same envelope.
pub(super) fn receipt(
    folder: &Folder,
    ring: &KeyRing,
    report: &mut Report,
) -> Option<(Envelope, Statement<Receipt>)> {
    let envelope = match read_envelope(folder) {
        Ok(envelope) => envelope,
        Err(why) => {
            report.fails("receipt.shape", why);
            return None;
        }
    };
    let statement: Statement<Receipt> = match open(&envelope, RECEIPT_TYPE) {
        Ok(statement) => statement,
        Err(why) => {
            report.fails("receipt.shape", why);
            return None;
        }
    };
    report.holds("receipt.shape", "one canonical DSSE envelope around an in-toto statement");
    match envelope.verify(ring, &[Purpose::Receipt], statement.predicate.finished.0) {
        Ok(()) => report.holds("receipt.signature", signers(&envelope)),
        Err(why) => {
            report.fails("receipt.signature", why);
            return None;
        }
    }
    Some((envelope, statement))
}

fn read_envelope(folder: &Folder) -> Result<Envelope, String> {
    let file = folder.files.get(RECEIPT_FILE).map(|bytes| Envelope::parse(bytes));
    let bundle = folder.files.get(BUNDLE_FILE).map(|bytes| {
        let bundle = canonical::read::<Bundle>(bytes).map_err(|why| why.to_string())?;
        bundle.envelope().ok_or_else(|| "the bundle does not name the key that signed it".into())
    });
    let named = |file: &str, why: String| format!("`{file}`: {why}");
    let file = file.transpose().map_err(|why| named(RECEIPT_FILE, why.to_string()))?;
    let bundle = bundle.transpose().map_err(|why: String| named(BUNDLE_FILE, why))?;
    match (file, bundle) {
        (Some(file), Some(bundle)) if file != bundle => {
            Err(format!("`{RECEIPT_FILE}` and `{BUNDLE_FILE}` are not the same envelope"))
        }
        (Some(envelope), _) | (None, Some(envelope)) => Ok(envelope),
        (None, None) => Err(format!("there is no `{RECEIPT_FILE}`")),
    }
}

/// One piece of evidence: withheld, or exactly the one the receipt links to. Returns what it is
/// about, if it holds.
pub(super) fn evidence(
    folder: &Folder,
    ring: &KeyRing,
    receipt: &Receipt,
    kind: Kind,
    disclosed: &mut Disclosed,
    report: &mut Report,
) -> Option<Vec<Subject>> {
    let name = format!("evidence.{}", kind.name());
    let linked = receipt.evidence.get(kind);
    if linked.name != kind.name() || linked.media_type != PAYLOAD_TYPE {
        report.fails(name, "the receipt links to it under another name or type");
        return None;
    }
    let Some(bytes) = folder.files.get(&evidence_file(kind)) else {
        report.add(name, Finding::Withheld(linked.digest.digest()));
        return None;
    };
    let checked = Envelope::parse(bytes).map_err(|why| why.to_string()).and_then(|envelope| {
        if envelope.digest() != linked.digest.digest() {
            return Err(format!(
                "its payload is {}, the receipt links to {}",
                envelope.digest(),
                linked.digest.digest()
            ));
        }
        let purposes = [Purpose::Receipt, Purpose::Review];
        let accepted = if kind == Kind::Review { &purposes[..] } else { &purposes[..1] };
        envelope.verify(ring, accepted, receipt.finished.0).map_err(|why| why.to_string())?;
        Ok((disclose(&envelope, kind, disclosed)?, signers(&envelope)))
    });
    match checked {
        Ok((subject, signers)) => {
            report.holds(name, signers);
            Some(subject)
        }
        Err(why) => {
            report.fails(name, why);
            None
        }
    }
}

fn disclose(
    envelope: &Envelope,
    kind: Kind,
    disclosed: &mut Disclosed,
) -> Result<Vec<Subject>, String> {
    fn read<T: DeserializeOwned + Serialize>(
        envelope: &Envelope,
        kind: Kind,
        slot: &mut Option<T>,
    ) -> Result<Vec<Subject>, String> {
        let statement = open::<T>(envelope, &kind.predicate_type())?;
        *slot = Some(statement.predicate);
        Ok(statement.subject)
    }
    match kind {
        Kind::Identity => read(envelope, kind, &mut disclosed.identity),
        Kind::Intent => read(envelope, kind, &mut disclosed.intent),
        Kind::Authority => read(envelope, kind, &mut disclosed.authority),
        Kind::Files => read(envelope, kind, &mut disclosed.files),
        Kind::Output => read(envelope, kind, &mut disclosed.output),
        Kind::Eval => read(envelope, kind, &mut disclosed.eval),
        Kind::Review => read(envelope, kind, &mut disclosed.review),
        Kind::Replay => read(envelope, kind, &mut disclosed.replay),
    }
}

/// The journal: its chain, and that the receipt is what it folds to.
pub(super) fn journal(
    folder: &Folder,
    receipt: &Receipt,
    envelope: &Envelope,
    report: &mut Report,
) {
    let Some(bytes) = folder.files.get(JOURNAL_FILE) else { return };
    let journal = match Journal::parse(bytes) {
        Ok(journal) => journal,
        Err(why) => return report.fails("journal.chain", why),
    };
    report.holds("journal.chain", format!("{} linked records", journal.entries().len()));
    let folded = fold(&journal);
    let mut pieces = Kind::ALL.into_iter().zip(&folded.evidence);
    let differs = pieces.find(|(kind, payload)| {
        crate::Digest::of(payload) != receipt.evidence.get(*kind).digest.digest()
    });
    match differs {
        Some((kind, _)) => {
            report.fails("journal.fold", format!("it tells another `{}`", kind.name()));
        }
        None if folded.receipt != envelope.payload() => {
            report.fails("journal.fold", "it folds to another receipt");
        }
        None => report.holds("journal.fold", "it folds to this very receipt"),
    }
}

/// The proof that the receipt is logged.
pub(super) fn proof(
    folder: &Folder,
    ring: &KeyRing,
    envelope: &Envelope,
    at: Timestamp,
    report: &mut Report,
) {
    let Some(bytes) = folder.files.get(PROOF_FILE) else { return };
    let proof = std::str::from_utf8(bytes)
        .map_err(|_| "it is not UTF-8".to_owned())
        .and_then(|text| Proof::parse(text).map_err(|why| why.to_string()));
    let proof = match proof {
        Ok(proof) => proof,
        Err(why) => return report.fails("log.inclusion", why),
    };
    // The log's name is authenticated with the checkpoint, by whichever trusted log key signed it.
    let origin = proof.checkpoint.lines().next().unwrap_or_default();
    let mut refusal = "no key for purpose `log` is trusted at that time".to_owned();
    // A receipt is logged after it is made, perhaps under the next key.
    for key in ring.from(Purpose::Log, at) {
        let opened = Log::new(origin, *key).and_then(|log| log.verify(&proof, envelope.payload()));
        match opened {
            Ok(checkpoint) => {
                let place = format!("entry {} of {} in `{origin}`", proof.index, checkpoint.size);
                return report.holds("log.inclusion", place);
            }
            Err(why) => refusal = why.to_string(),
        }
    }
    report.fails("log.inclusion", refusal);
}

/// Files that no check covers do not belong in a receipt.
pub(super) fn strays(folder: &Folder, report: &mut Report) {
    let known = |name: &str| {
        [RECEIPT_FILE, BUNDLE_FILE, PROOF_FILE, JOURNAL_FILE].contains(&name)
            || Kind::ALL.into_iter().any(|kind| evidence_file(kind) == name)
    };
    let stray = folder.files.keys().find(|name| !known(name));
    if let Some(name) = stray {
        report.fails("folder.strays", format!("`{name}` is not a file of a receipt"));
    }
}

/// The statement in `envelope`, if it is one of the kind `predicate_type`.
fn open<P: DeserializeOwned + Serialize>(
    envelope: &Envelope,
    predicate_type: &str,
) -> Result<Statement<P>, String> {
    if envelope.payload_type() != PAYLOAD_TYPE {
        return Err(format!("its payload type is not `{PAYLOAD_TYPE}`"));
    }
    let statement: Statement<P> =
        canonical::read(envelope.payload()).map_err(|why| why.to_string())?;
    if statement.predicate_type != predicate_type {
        return Err(format!("its predicate type is not `{predicate_type}`"));
    }
    if statement.subject.is_empty() {
        return Err("its subject is empty".to_owned());
    }
    Ok(statement)
}

fn signers(envelope: &Envelope) -> String {
    let ids: Vec<_> = envelope.key_ids().map(|id| id.get(..16).unwrap_or(id).to_owned()).collect();
    format!("signed by {}", ids.join(", "))
}
