//! One purchase, told in every way a test may need it.

use std::collections::{BTreeMap, BTreeSet};

use envelope_evidence::journal::{
    Ended, Event as Logged, Header, Outcome, Output, OutputValue, PaperRef, Verdict,
};
use envelope_evidence::preview::Secrets;
use envelope_evidence::receipt::Folder;
use envelope_evidence::verify::{Said, verify};
use envelope_evidence::{Digest, Label, PathText, Preview, Timestamp, merkle};
use envelope_terms::acceptance::{Delivery, Method, Observation, Recorded};
use envelope_terms::contract::{Contract, Criterion, Form, Id};
use envelope_terms::dispute::{Delivered, SealedRecord, Telemetry, TraceSlice, Traced};
use envelope_terms::purchase::{Seen, Snapshot};

use super::sample;
use crate::evidence::sample as run;

pub const DAY: u64 = 86_400_000;

/// `days` after the purchase began.
pub fn day(days: u64) -> Timestamp {
    run::at(days * DAY)
}

pub fn label(text: &str) -> Label {
    Label::new(text).unwrap()
}

pub fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

pub fn paper() -> Digest {
    Digest::of(b"paper")
}

pub fn msa() -> Digest {
    Digest::of(b"msa")
}

pub fn seen() -> Seen {
    Seen { listing: Digest::of(b"listing"), msa: msa() }
}

pub fn snapshot(contract: Contract) -> Snapshot {
    let papers = vec![Digest::of(b"tos"), msa(), paper()];
    Snapshot { purchase: id("pur-1"), papers, msa: msa(), paper: paper(), contract }
}

/// The bytes of every deliverable of the sample.
pub fn goods() -> BTreeMap<Id, Vec<u8>> {
    let row = r#"[{"number":"1","title":"a","buyer":"b","deadline":"2026-12-01"}]"#;
    BTreeMap::from([
        (id("digest"), "word ".repeat(400).into_bytes()),
        (id("table"), row.as_bytes().to_vec()),
        (id("summary"), br#"{"coverage":0.97,"looked_at":120}"#.to_vec()),
    ])
}

/// What a stranger learns from the verified receipt of a run that produced `goods`.
pub fn said(contract: &Contract, goods: &BTreeMap<Id, Vec<u8>>, outcome: Outcome) -> Said {
    let parents = vec![msa(), Digest::of(b"tos")];
    let header = Header { paper: Some(PaperRef { digest: paper(), parents }), ..run::header() };
    let mut end = Ended { outcome, reason: label("returned"), result: None, outputs: Vec::new() };
    for deliverable in &*contract.deliverables {
        let Some(bytes) = goods.get(&deliverable.id) else { continue };
        let (digest, size) = (Digest::of(bytes), bytes.len() as u64);
        match &deliverable.form {
            Form::Result {} => {
                let preview = Preview::of_bytes(bytes, &Secrets::none());
                end.result = Some(OutputValue { digest, size, preview });
            }
            Form::File { path, .. } => {
                let path = PathText::new(path.as_str()).unwrap();
                end.outputs.push(Output { path, digest, size });
            }
        }
    }
    let (journal, file) =
        run::record(header, [run::read(0, "rfp/a.pdf", b"a pdf"), Logged::Ended(end)]);
    let folder = Folder::of(&run::sign(&journal), Some(&file)).unwrap();
    let report = verify(&folder, &run::ring());
    assert!(report.verified(), "{report:?}");
    report.said.unwrap()
}

/// The delivery of one good run, and the digest of its receipt.
pub fn delivery() -> (Delivery, Digest) {
    let contract = sample::contract();
    let said = said(&contract, &goods(), Outcome::Ok);
    (Delivery::of(&contract, paper(), std::slice::from_ref(&said)).unwrap(), said.id)
}

pub fn observation(criterion: &Criterion, verdict: Verdict) -> Observation {
    Observation {
        event: Recorded::ConformityObservationRecorded,
        criterion: criterion.id.clone(),
        verdict,
        evidence: vec![Digest::of(b"evidence")],
        method: Method::of(&criterion.check),
        observer: label("host"),
        at: day(2),
        reason: label("as seen"),
    }
}

/// A record of `dispute` with a proven call of one run.
pub fn record(dispute: Digest, contract: &Contract) -> SealedRecord {
    let leaves: Vec<_> = (0..5_u8).map(|n| merkle::leaf(&[n])).collect();
    let proof = merkle::prove_inclusion(&leaves, 2).unwrap();
    let receipt = Digest::of(b"receipt");
    SealedRecord {
        dispute,
        sealed: day(3),
        papers: vec![Digest::of(b"tos"), msa(), paper()],
        question: contract.dispute.question.clone(),
        options: contract.dispute.options.to_vec(),
        receipts: vec![receipt],
        deliverables: vec![Delivered { deliverable: id("digest"), digest: Digest::of(b"report") }],
        observations: vec![Digest::of(b"observation")],
        trace: vec![TraceSlice {
            receipt,
            root: merkle::root(leaves.clone()),
            count: 5,
            calls: vec![Traced { index: 2, leaf: leaves[2], proof }],
        }],
        telemetry: vec![Telemetry { source: label("agt"), digest: Digest::of(b"audit log") }],
    }
}

pub fn criteria(names: &[&str]) -> BTreeSet<Id> {
    names.iter().map(|name| id(name)).collect()
}
