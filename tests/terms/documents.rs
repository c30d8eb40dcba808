//! One chain of documents, told in every way a test may need it.

use std::collections::BTreeMap;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng as _;
use envelope_evidence::dsse::Envelope;
use envelope_evidence::key::{ForDocuments, SigningKey, Window};
use envelope_evidence::keyring::{KeyRecord, KeyRing};
use envelope_evidence::{Digest, Label, Timestamp};
use envelope_terms::document::{
    Body, Chain, Document, Files, Kind, Paper, ReaderSecret, Refused, Salt, SideLetter, Signers,
    Snapshot, Standard, Terms, Text, sign,
};
use serde_json::{Value, json};

pub const START: u64 = 1_763_700_000_000;

pub fn at(minutes: u64) -> Timestamp {
    Timestamp::from_millis(START + 60_000 * minutes).unwrap()
}

pub fn label(text: &str) -> Label {
    Label::new(text).unwrap()
}

pub fn buyer() -> SigningKey<ForDocuments> {
    SigningKey::from_secret(&[11; 32].into())
}

pub fn developer() -> SigningKey<ForDocuments> {
    SigningKey::from_secret(&[12; 32].into())
}

/// The key that the developer changes to.
pub fn successor() -> SigningKey<ForDocuments> {
    SigningKey::from_secret(&[13; 32].into())
}

/// A key that is trusted, and signs for neither party.
pub fn stranger() -> SigningKey<ForDocuments> {
    SigningKey::from_secret(&[14; 32].into())
}

/// The keys a verifier trusts.
pub fn ring() -> KeyRing {
    let keys = [buyer(), developer(), successor(), stranger()];
    KeyRing::new(keys.map(|key| KeyRecord::of(&key, Window::ALWAYS))).unwrap()
}

pub fn signers() -> Signers {
    Signers::new([buyer().id()], [developer().id()]).unwrap()
}

pub fn reader(number: u8) -> ReaderSecret {
    ReaderSecret::from_secret(&[number; 32].into())
}

/// Chance that is the same in every test.
pub fn chance(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

pub fn salt(seed: &str) -> Salt {
    Salt::new(*Digest::of(seed.as_bytes()).as_bytes())
}

pub fn terms(value: Value) -> Terms {
    match value {
        Value::Object(terms) => terms,
        other => panic!("terms are an object, not {other}"),
    }
}

pub fn paper_terms() -> Terms {
    terms(json!({
        "egress": ["api.example.org"],
        "price": {"currency": "EUR", "minor": 120_000},
        "review": {"days": 14},
    }))
}

pub fn prose(fee: &str) -> String {
    format!(
        "# Tender service\n\nBetween Buyer AG and Maker Ltd.\n\n\
         ## Payment {{#payment}}\n\nThe fee is {fee}.\n\n\
         ## Review {{#review}}\n\nFourteen days.\n"
    )
}

pub fn text(prose: &str, seed: &str) -> Text {
    Text::new(prose, salt(seed)).unwrap()
}

pub fn standard(chain: &mut Chain, body: fn(Standard) -> Body, title: &str, value: Value) {
    let prose = format!("# {title}\n\n## Law {{#law}}\n\nThe law of {title} applies.\n");
    let standard = Standard { title: label(title), terms: terms(value) };
    let document = chain.standard(body, standard, text(&prose, title)).unwrap();
    chain.append(document, &ring()).unwrap();
}

pub fn paper(chain: &Chain) -> Document {
    let paper = Paper { title: label("Tender"), signers: signers(), terms: paper_terms() };
    chain.paper(paper, text(&prose("EUR 1,200"), "paper")).unwrap()
}

pub fn both_sign(document: Document, minutes: u64) -> Document {
    let envelope = by_buyer(&document, minutes).cosign(&developer());
    document.signed(envelope)
}

pub fn by_buyer(document: &Document, minutes: u64) -> Envelope {
    sign(document.kind(), document.id(), at(minutes), &buyer()).unwrap()
}

/// Terms with the fee `minor`, and the amendment that makes it so.
pub fn new_fee(chain: &Chain, minor: u64) -> Result<Document, Refused> {
    let mut terms = chain.terms().clone();
    terms["price"]["minor"] = minor.into();
    let prose = prose(&format!("EUR {minor} cents"));
    let title = label(&format!("Fee {minor}"));
    chain.amendment(title, &terms, text(&prose, &minor.to_string()), None)
}

pub fn letter() -> SideLetter {
    SideLetter {
        title: label("Discount"),
        terms: terms(json!({"price": {"minor": 100_000}})),
        text: text("Ten per cent off.\n", "letter"),
    }
}

/// From the MSA to the signed Paper.
pub fn bought() -> Chain {
    let mut chain = Chain::new();
    standard(&mut chain, Body::Msa, "MSA", json!({"law": "CH", "review": {"days": 30}}));
    append(&mut chain, paper);
    chain
}

/// Every kind of document, two of some, and a change of keys.
pub fn whole() -> Chain {
    let mut chain = Chain::new();
    standard(&mut chain, Body::Tos, "ToS", json!({"law": "IE", "notice": "mail"}));
    standard(&mut chain, Body::BaseTerms, "Base terms", json!({"law": "DE"}));
    standard(&mut chain, Body::Schedule, "Schedule T", json!({"log_days": 30}));
    standard(&mut chain, Body::Schedule, "Schedule H", json!({"log_days": 30, "baa": true}));
    standard(&mut chain, Body::Msa, "MSA", json!({"law": "CH", "review": {"days": 30}}));
    append(&mut chain, paper);
    append(&mut chain, |chain| new_fee(chain, 110_000).unwrap());
    append(&mut chain, |chain| {
        let readers = [reader(1).public(), reader(2).public()];
        chain.side_letter(&letter(), &readers, &mut chance(9)).unwrap()
    });
    append(&mut chain, |chain| {
        let signers = Signers::new([buyer().id()], [successor().id()]).unwrap();
        let text = text(chain.prose().unwrap(), "new keys");
        chain.amendment(label("New keys"), chain.terms(), text, Some(signers)).unwrap()
    });
    let last = new_fee(&chain, 115_000).unwrap();
    let envelope = by_buyer(&last, chain.documents().len() as u64).cosign(&successor());
    chain.append(last.signed(envelope), &ring()).unwrap();
    chain
}

/// Appends a document that both parties sign, a minute after the one before.
pub fn append(chain: &mut Chain, draw_up: impl Fn(&Chain) -> Document) {
    let minutes = chain.documents().len() as u64;
    let document = both_sign(draw_up(chain), minutes);
    chain.append(document, &ring()).unwrap();
}

/// The snapshot of `chain` as it stood when the Paper was bought.
pub fn snapshot(chain: &Chain) -> Envelope {
    Snapshot::of(chain, at(60)).unwrap().sign(&buyer())
}

/// The files of `chain`, with a snapshot of all of it and the keys that signed.
pub fn export(chain: &Chain) -> Files {
    let signs = |key: &SigningKey<ForDocuments>| {
        let signers = chain.documents().iter().filter_map(Document::signatures);
        signers.flat_map(Envelope::key_ids).any(|id| id == key.id())
    };
    let keys: Vec<_> = [buyer(), developer(), successor()]
        .into_iter()
        .filter(signs)
        .map(|key| key.public())
        .collect();
    chain.export(&keys, Some(&snapshot(chain))).unwrap()
}

/// The readable side letters of `chain`.
pub fn letters(chain: &Chain, key: &ReaderSecret) -> BTreeMap<Digest, SideLetter> {
    let documents = chain.documents().iter().filter(|it| it.kind() == Kind::SideLetter);
    let open = |it: &Document| Some((it.id(), envelope_terms::document::open(it, key).ok()?));
    documents.filter_map(open).collect()
}
