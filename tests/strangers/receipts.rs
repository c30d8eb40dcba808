//! securesystemslib, in-toto-attestation and sigstore-js accept a receipt and refuse its mutants.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envelope_evidence::dsse::Envelope;
use envelope_evidence::key::{ForReceipts, SigningKey};
use envelope_evidence::receipt::{BUNDLE_FILE, Folder, RECEIPT_FILE};
use envelope_evidence::statement::PAYLOAD_TYPE;
use envelope_evidence::verify::verify;
use serde_json::{Value, json};

use super::stranger::{NODE, PYTHON, Stranger};
use crate::evidence::sample::{folder, receipt_key, review_key, ring};

/// Every so manieth bit is flipped. The same bits are all flipped for our own verifier elsewhere;
/// a prime strides over every place inside a byte.
const BIT_STRIDE: usize = 17;

/// What strangers are shown instead of a receipt, at the least.
const MUTANTS_MIN: usize = 200;

#[test]
fn securesystemslib_accepts_the_envelopes_and_no_mutant() {
    let (mut accepted, mut refused) = (Vec::new(), Vec::new());
    for (text, envelope) in envelopes() {
        accepted.push(text);
        refused.extend(mutants(&envelope).iter().map(Value::to_string));
    }
    assert_eq!(accepted.len(), 9);
    judge(&PYTHON, "dsse.py", accepted, refused);
}

#[test]
fn in_toto_attestation_accepts_the_statements_and_no_other_shape() {
    let (mut accepted, mut refused) = (Vec::new(), Vec::new());
    for (_, envelope) in envelopes() {
        let payload = decoded(&envelope["payload"]);
        let statement = serde_json::from_slice(&payload).unwrap();
        accepted.push(String::from_utf8(payload).unwrap());
        refused.extend(misshapen(&statement).iter().map(Value::to_string));
    }
    assert_eq!(accepted.len(), 9);
    judge(&PYTHON, "statement.py", accepted, refused);
}

#[test]
fn sigstore_accepts_the_bundle_and_no_mutant() {
    let text = String::from_utf8(folder().files[BUNDLE_FILE].clone()).unwrap();
    let bundle: Value = serde_json::from_str(&text).unwrap();
    let with = |place: &str, value: Value| {
        let mut mutant = bundle.clone();
        *mutant.pointer_mut(place).unwrap() = value;
        mutant.to_string()
    };
    let envelopes = mutants(&bundle["dsseEnvelope"]).into_iter();
    let mut refused: Vec<_> = envelopes.map(|envelope| with("/dsseEnvelope", envelope)).collect();
    refused.push(with("/verificationMaterial/publicKey/hint", json!(stranger_key().id())));
    refused.push(with("/verificationMaterial/publicKey/hint", json!(review_key().id())));
    refused.push(with("/mediaType", json!("application/json")));
    refused.push(with("/dsseEnvelope/signatures", json!([])));
    judge(&NODE, "sigstore.mjs", vec![text], refused);
}

/// The last digit of a signature's base64 has four bits that carry nothing. Strangers ignore them,
/// so that fifteen other files pass for the receipt; here each of them is refused.
#[test]
fn strangers_accept_a_respelled_signature_and_we_do_not() {
    assert!(verify(&folder(), &ring()).verified());
    let strangers: [(&Stranger, _, _); 2] =
        [(&PYTHON, "dsse.py", RECEIPT_FILE), (&NODE, "sigstore.mjs", BUNDLE_FILE)];
    for (stranger, script, name) in strangers {
        let texts = respelled(std::str::from_utf8(&folder().files[name]).unwrap());
        assert_eq!(texts.len(), 15);
        for text in &texts {
            let mut folder = folder();
            folder.files.insert(name.to_owned(), text.clone().into_bytes());
            assert!(!verify(&folder, &ring()).verified());
        }
        if let Some(answers) = ask(stranger, script, &texts) {
            assert_eq!(answers, [true; 15], "{script}");
        }
    }
}

fn judge(stranger: &Stranger, script: &str, mut files: Vec<String>, mutants: Vec<String>) {
    let originals = files.len();
    files.extend(mutants);
    let Some(answers) = ask(stranger, script, &files) else { return };
    let wrong = |&at: &usize| answers[at] != (at < originals);
    let wrong = (0..files.len()).find(wrong).map(|at| &files[at]);
    let refused = files.len() - originals;
    println!("{script}: {originals} accepted, {refused} mutants refused");
    assert_eq!(wrong, None, "{script}");
    assert!(refused >= MUTANTS_MIN || script == "statement.py", "{refused} mutants are too few");
}

fn ask(stranger: &Stranger, script: &str, files: &[String]) -> Option<Vec<bool>> {
    let (receipts, reviews) = (receipt_key(), review_key());
    let keys = json!({
        receipts.id(): receipts.public().to_pem(),
        reviews.id(): reviews.public().to_pem(),
    });
    let answers = stranger.ask(script, &json!({"keys": keys, "files": files}))?;
    Some(serde_json::from_value(answers).unwrap())
}

/// Every envelope of the folder, as it is and read.
fn envelopes() -> impl Iterator<Item = (String, Value)> {
    let Folder { files } = folder();
    files.into_iter().filter(|(name, _)| name.ends_with(".dsse.json")).map(|(_, bytes)| {
        let text = String::from_utf8(bytes).unwrap();
        let envelope = serde_json::from_str(&text).unwrap();
        (text, envelope)
    })
}

/// What `envelope` may be changed into by somebody without its keys.
fn mutants(envelope: &Value) -> Vec<Value> {
    let with = |place: &str, value: Value| {
        let mut mutant = envelope.clone();
        *mutant.pointer_mut(place).unwrap() = value;
        mutant
    };
    let forged = stranger_envelope(&decoded(&envelope["payload"]));
    let elsewhere = stranger_envelope(b"{}");
    let mut mutants = vec![
        with("/payloadType", json!("application/json")),
        with("/payloadType", json!("application/vnd.in-toto+json ")),
        with("/payload", json!(STANDARD.encode("{}"))),
        forged.clone(),
        elsewhere,
    ];
    mutants.extend(flips(&envelope["payload"]).map(|payload| with("/payload", payload)));
    for (at, signature) in envelope["signatures"].as_array().unwrap().iter().enumerate() {
        let sig = format!("/signatures/{at}/sig");
        mutants.extend(flips(&signature["sig"]).map(|flipped| with(&sig, flipped)));
        mutants.push(with(&sig, forged["signatures"][0]["sig"].clone()));
    }
    mutants
}

/// What `statement` may be changed into that is no statement any more.
fn misshapen(statement: &Value) -> Vec<Value> {
    let change = |change: &dyn Fn(&mut Value)| {
        let mut mutant = statement.clone();
        change(&mut mutant);
        mutant
    };
    let mut mutants = vec![
        change(&|it| it["_type"] = json!("https://in-toto.io/Statement/v0.1")),
        change(&|it| it["subject"] = json!([])),
        change(&|it| it["subject"][0]["digest"] = json!({})),
        change(&|it| it["predicate"] = json!("text")),
        change(&|it| it["extra"] = json!(1)),
    ];
    for member in ["_type", "subject", "predicateType", "predicate"] {
        mutants.push(change(&|it| drop(it.as_object_mut().unwrap().remove(member))));
    }
    mutants
}

/// The base64 text `encoded` with single bits of its bytes flipped.
fn flips(encoded: &Value) -> impl Iterator<Item = Value> {
    let bytes = decoded(encoded);
    (0..bytes.len() * 8).step_by(BIT_STRIDE).map(move |bit| {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        STANDARD.encode(bytes).into()
    })
}

/// The other spellings of the only signature in `text`.
fn respelled(text: &str) -> Vec<String> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let last = text.find("==\"}]").unwrap() - 1;
    let value = DIGITS.iter().position(|&digit| digit == text.as_bytes()[last]).unwrap();
    let others = DIGITS[value..][1..16].iter().map(|&digit| char::from(digit).to_string());
    others.map(|digit| [&text[..last], &digit, &text[last + 1..]].concat()).collect()
}

fn stranger_key() -> SigningKey<ForReceipts> {
    SigningKey::from_secret(&[7; 32].into())
}

/// An envelope that a stranger signed in the name of our key.
fn stranger_envelope(payload: &[u8]) -> Value {
    let envelope = Envelope::seal(PAYLOAD_TYPE, payload.to_vec(), &stranger_key());
    let mut forged: Value = serde_json::from_slice(&envelope.to_bytes().unwrap()).unwrap();
    forged["signatures"][0]["keyid"] = json!(receipt_key().id());
    forged
}

fn decoded(encoded: &Value) -> Vec<u8> {
    STANDARD.decode(encoded.as_str().unwrap()).unwrap()
}
