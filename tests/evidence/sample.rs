//! One run, told in every way a test may need it.

use envelope_evidence::journal::{
    Agent, Answered, Args, Begun, Call, Caller, CallerKind, Content, Denied, Ended, Engine,
    Evaluation, Event, FileTouch, Header, Journal, Outcome, Output, OutputValue, PaperRef,
    Recovery, Review, Reviewed, Rotation, Scope, VERSION, Verdict,
};
use envelope_evidence::key::{ForLogs, ForReceipts, ForReviews, SigningKey, Window};
use envelope_evidence::keyring::{KeyRecord, KeyRing};
use envelope_evidence::preview::Secrets;
use envelope_evidence::receipt::{self, Folder, PROOF_FILE, Signed};
use envelope_evidence::{Digest, Dimension, Label, PathText, Preview, Timestamp, Usage};
use envelope_evidence::{merkle, tlog};

pub const START: u64 = 1_748_133_600_000;
pub const LOG_ORIGIN: &str = "log.envelope.example/test";

pub fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(START + millis).unwrap()
}

pub fn label(text: &str) -> Label {
    Label::new(text).unwrap()
}

fn preview(text: &str) -> Preview {
    Preview::of(text, &Secrets::none())
}

pub fn receipt_key() -> SigningKey<ForReceipts> {
    SigningKey::from_secret(&[1; 32].into())
}

pub fn review_key() -> SigningKey<ForReviews> {
    SigningKey::from_secret(&[2; 32].into())
}

pub fn log_key() -> SigningKey<ForLogs> {
    SigningKey::from_secret(&[3; 32].into())
}

/// The keys an auditor trusts.
pub fn ring() -> KeyRing {
    KeyRing::new([
        KeyRecord::of(&receipt_key(), year()),
        KeyRecord::of(&review_key(), year()),
        KeyRecord::of(&log_key(), year()),
    ])
    .unwrap()
}

pub fn year() -> Window {
    let year = 365 * 86_400_000;
    Window { not_before: at(0), not_after: at(year) }
}

pub fn header() -> Header {
    Header {
        v: VERSION,
        run: label("run_01hw2c0000000000000000000"),
        started: at(0),
        agent: Agent {
            name: label("rfp-responder"),
            version: label("1.2.0"),
            card: Digest::of(b"card"),
            component: Digest::of(b"component"),
            endpoint: Some(label("https://agents.example/rfp-responder")),
            service: label("rfp-responder@svc"),
        },
        caller: Caller { kind: CallerKind::User, id: label("usr_ada"), run: None },
        skill: label("draft"),
        args: Args {
            digest: Digest::of(b"{\"tone\":\"warm\"}"),
            size: 15,
            preview: preview("{\"tone\":\"warm\"}"),
        },
        paper: Some(PaperRef {
            digest: Digest::of(b"paper"),
            parents: vec![Digest::of(b"msa"), Digest::of(b"tos")],
        }),
        warrant: Digest::of(b"warrant"),
        budget: money(5_000_000_000),
        limits: None,
        prices: None,
        scope: Some(scope("grt_01HW2C00000000000000000001", None)),
        inputs: Digest::of(b"manifest"),
        engine: Engine {
            name: label("wasmtime"),
            version: label("48.0.8"),
            settings: Digest::of(b"settings"),
            platform: label("x86_64-linux"),
        },
        seed: Digest::of(b"seed"),
        previous: None,
    }
}

fn scope(jti: &str, previous: Option<&str>) -> Scope {
    Scope {
        jti: label(jti),
        token: Digest::of(jti.as_bytes()),
        audience: label("rfp-responder@svc"),
        paths: vec![PathText::new("rfp/*.pdf").unwrap()],
        outputs: PathText::new("rfp/draft/").unwrap(),
        issued: START / 1000,
        expires: START / 1000 + 3600,
        depth: 0,
        parent: None,
        previous: previous.map(label),
    }
}

pub fn money(nano_usd: u64) -> Usage {
    Usage::ZERO.with(Dimension::NanoUsd, nano_usd).unwrap()
}

pub fn call(n: u64, capability: &str, operation: &str, target: &str) -> Call {
    Call {
        n,
        capability: label(capability),
        operation: label(operation),
        target: preview(target),
        request: Digest::of(format!("{capability} {operation} {target}").as_bytes()),
    }
}

pub fn answered(call: Call, answer: &[u8], used: Usage) -> Answered {
    Answered { call, answer: Content::of(answer), used, file: None, rotation: None, child: None }
}

pub fn read(n: u64, path: &str, bytes: &[u8]) -> Event {
    let file = FileTouch {
        path: PathText::new(path).unwrap(),
        digest: Digest::of(bytes),
        size: bytes.len() as u64,
    };
    let used = Usage::ZERO.with(Dimension::Bytes, bytes.len() as u64).unwrap();
    let answered = answered(call(n, "files", "read", path), bytes, used);
    Event::Answered(Answered { file: Some(file), ..answered })
}

pub fn denied(n: u64, path: &str) -> Event {
    Event::Denied(Denied {
        call: call(n, "files", "read", path),
        code: label("path.outside"),
        detail: preview(path),
    })
}

pub fn begun(n: u64, reserved: u64) -> Event {
    Event::Begun(Begun {
        call: call(n, "model", "complete", "fast"),
        recovery: Recovery::SameKey,
        key: label("idem-1"),
        reserved: money(reserved),
    })
}

pub fn completed(n: u64, used: u64) -> Event {
    Event::Answered(answered(call(n, "model", "complete", "fast"), b"Dear Ada", money(used)))
}

pub fn ended(outcome: Outcome, reason: &str) -> Event {
    Event::Ended(Ended { outcome, reason: label(reason), result: None, outputs: Vec::new() })
}

/// A run with everything in it: reads, a denial, a model call, wider authority, an output, an
/// evaluation and a review.
pub fn events() -> Vec<Event> {
    let expansion = Answered {
        rotation: Some(Box::new(Rotation {
            approval: label("apr_1"),
            scope: scope("grt_01HW2C00000000000000000002", Some("grt_01HW2C00000000000000000001")),
        })),
        ..answered(call(4, "approvals", "request-scope", "rfp/annex/*.pdf"), b"ok", Usage::ZERO)
    };
    vec![
        read(0, "rfp/a.pdf", b"a pdf"),
        denied(1, "secret.txt"),
        begun(2, 900_000),
        completed(2, 750_000),
        read(3, "rfp/b.pdf", b"another pdf"),
        Event::Answered(expansion),
        Event::Ended(Ended {
            outcome: Outcome::Ok,
            reason: label("returned"),
            result: Some(OutputValue {
                digest: Digest::of(b"{\"pages\":2}"),
                size: 11,
                preview: preview("{\"pages\":2}"),
            }),
            outputs: vec![Output {
                path: PathText::new("rfp/draft/out.md").unwrap(),
                digest: Digest::of(b"# Draft"),
                size: 7,
            }],
        }),
        Event::Evaluated(Evaluation {
            criterion: label("C1"),
            verdict: Verdict::Conform,
            score: Some(930_000),
            method: label("output-schema"),
            evaluator: label("host"),
            evidence: vec![Digest::of(b"# Draft")],
        }),
        Event::Reviewed(Review {
            id: label("rev_1"),
            reviewer: label("usr_grace"),
            decision: Reviewed::Approved,
            saw: Digest::of(b"what was shown"),
            note: preview("reads well"),
        }),
    ]
}

/// A journal of `events` and its file.
pub fn record(header: Header, events: impl IntoIterator<Item = Event>) -> (Journal, Vec<u8>) {
    let (mut journal, mut file) = Journal::start(header).unwrap();
    for (event, second) in events.into_iter().zip(1..) {
        file.extend(journal.append(at(1000 * second), event).unwrap());
    }
    (journal, file)
}

pub fn sign(journal: &Journal) -> Signed {
    receipt::fold(journal).sign(&receipt_key()).countersign(&review_key())
}

/// The folder of the whole run: receipt, bundle, evidence, journal and proof of inclusion.
pub fn folder() -> Folder {
    let (journal, file) = record(header(), events());
    let signed = sign(&journal);
    let mut folder = Folder::of(&signed, Some(&file)).unwrap();
    let proof = logged(signed.receipt().payload()).to_string();
    folder.files.insert(PROOF_FILE.to_owned(), proof.into_bytes());
    folder
}

/// A log of five entries with `payload` as the fourth.
fn logged(payload: &[u8]) -> tlog::Proof {
    let salt = [9; 16];
    let entries = [b"a", b"b", b"c"].map(|other| tlog::entry(&salt, other));
    let mut leaves: Vec<_> = entries.iter().map(|entry| merkle::leaf(entry)).collect();
    let index = leaves.len();
    leaves.push(merkle::leaf(&tlog::entry(&salt, payload)));
    leaves.push(merkle::leaf(b"another"));
    let key = log_key();
    let log = tlog::Log::new(LOG_ORIGIN, key.public()).unwrap();
    let checkpoint =
        tlog::Checkpoint { size: leaves.len() as u64, root: merkle::root(leaves.clone()) };
    tlog::Proof {
        salt,
        index: index as u64,
        hashes: merkle::prove_inclusion(&leaves, index).unwrap(),
        checkpoint: log.sign(checkpoint, |text| key.sign(text)).unwrap(),
    }
}
