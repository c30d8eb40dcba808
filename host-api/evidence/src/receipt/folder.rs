//! A receipt as files: what is written, and what a verifier is handed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::canonical;
use crate::dsse::{self, Envelope};
use crate::receipt::{Kind, RECEIPT_TYPE, Signed};

/// The receipt statement in its DSSE envelope.
pub const RECEIPT_FILE: &str = "receipt.dsse.json";

/// The same envelope as a sigstore bundle.
pub const BUNDLE_FILE: &str = "receipt.sigstore.json";

/// The proof that the receipt stands in an audit log.
pub const PROOF_FILE: &str = "receipt.tlog-proof";

/// The run's journal. Private: it holds what the guest was answered.
pub const JOURNAL_FILE: &str = "journal.jsonl";

/// Lines of an `.intoto.jsonl` file: the receipt and its evidence.
const LINES_MAX: usize = 9;

/// Files by name, with `/` between folder and file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folder {
    /// The bytes of each file.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// A single file that is no form of a receipt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a receipt: a folder, a DSSE envelope, a sigstore bundle or an `.intoto.jsonl` file of up \
     to {LINES_MAX} envelopes is one"
)]
pub struct Unusable;

impl Folder {
    /// The files of a signed receipt, with the journal if it may be shown.
    pub fn of(signed: &Signed, journal: Option<&[u8]>) -> Result<Self, canonical::Refused> {
        let mut folder = Self::default();
        folder.add(RECEIPT_FILE, signed.receipt().to_bytes()?);
        folder.add(BUNDLE_FILE, canonical::of(&Bundle::of(signed.receipt()))?);
        for (kind, envelope) in signed.evidence() {
            folder.add(&evidence_file(kind), envelope.to_bytes()?);
        }
        if let Some(journal) = journal {
            folder.add(JOURNAL_FILE, journal.to_vec());
        }
        Ok(folder)
    }

    /// Reads a receipt that is one file: an envelope, a bundle, or one envelope per line.
    pub fn of_one_file(bytes: &[u8]) -> Result<Self, Unusable> {
        let mut folder = Self::default();
        if canonical::read::<Bundle>(bytes).is_ok() {
            folder.add(BUNDLE_FILE, bytes.to_vec());
            return Ok(folder);
        }
        for (index, line) in bytes.split_inclusive(|&byte| byte == b'\n').enumerate() {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let name = name_of(line).ok_or(Unusable)?;
            if index >= LINES_MAX || folder.files.contains_key(&name) {
                return Err(Unusable);
            }
            folder.add(&name, line.to_vec());
        }
        if folder.files.is_empty() { Err(Unusable) } else { Ok(folder) }
    }

    /// All envelopes as one `.intoto.jsonl` file, evidence first.
    pub fn to_json_lines(&self) -> Vec<u8> {
        let evidence = Kind::ALL.into_iter().map(evidence_file);
        let names = evidence.chain([RECEIPT_FILE.to_owned()]);
        let lines = names.filter_map(|name| self.files.get(&name));
        lines.flat_map(|line| line.iter().copied().chain([b'\n'])).collect()
    }

    fn add(&mut self, name: &str, bytes: Vec<u8>) {
        self.files.insert(name.to_owned(), bytes);
    }
}

/// The file of a piece of evidence.
pub(crate) fn evidence_file(kind: Kind) -> String {
    format!("evidence/{}.dsse.json", kind.name())
}

/// Where an envelope belongs, by what it claims to be. Whether it is that is the verifier's to say.
fn name_of(envelope: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Claim {
        #[serde(rename = "predicateType")]
        predicate_type: String,
    }
    let envelope = Envelope::parse(envelope).ok()?;
    let claim: Claim = serde_json::from_slice(envelope.payload()).ok()?;
    if claim.predicate_type == RECEIPT_TYPE {
        return Some(RECEIPT_FILE.to_owned());
    }
    Kind::of_predicate_type(&claim.predicate_type).map(evidence_file)
}

/// A sigstore bundle v0.3 with a bare public key. It carries exactly one signature.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Bundle {
    media_type: BundleType,
    verification_material: Material,
    dsse_envelope: dsse::OnPaper,
}

impl Bundle {
    pub(crate) fn of(envelope: &Envelope) -> Self {
        let hint = envelope.key_ids().next().unwrap_or_default().to_owned();
        Self {
            media_type: BundleType::V03,
            verification_material: Material { public_key: Hint { hint }, tlog_entries: [] },
            dsse_envelope: envelope.on_paper(),
        }
    }

    /// The envelope, if the bundle names the key that signed it.
    pub(crate) fn envelope(self) -> Option<Envelope> {
        let envelope = Envelope::from_paper(self.dsse_envelope).ok()?;
        let mut ids = envelope.key_ids();
        let named = ids.next() == Some(&self.verification_material.public_key.hint);
        let single = ids.next().is_none();
        drop(ids);
        (named && single).then_some(envelope)
    }
}

#[derive(Serialize, Deserialize)]
enum BundleType {
    #[serde(rename = "application/vnd.dev.sigstore.bundle.v0.3+json")]
    V03,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Material {
    public_key: Hint,
    tlog_entries: [(); 0],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hint {
    hint: String,
}
