//! Transparency logs: a proof verifies, and nothing that differs from it does.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer, SigningKey};
use envelope_evidence::Digest;
use envelope_evidence::canonical::is_canonical;
use envelope_evidence::key::PublicKey;
use envelope_evidence::merkle::{self, PROOF_MAX, Unproven};
use envelope_evidence::tlog::{
    Checkpoint, Log, NOTE_BYTES_MAX, ORIGIN_BYTES_MAX, Proof, SIGNATURES_MAX, Untrusted, entry,
};

const ORIGIN: &str = "log.example/receipts";
const PAYLOAD: &[u8] = b"a receipt's payload";

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn public(seed: u8) -> PublicKey {
    PublicKey::from_bytes(key(seed).verifying_key().as_bytes()).unwrap()
}

fn log_of(seed: u8, origin: &str) -> Log {
    Log::new(origin, public(seed)).unwrap()
}

fn log() -> Log {
    log_of(1, ORIGIN)
}

fn signed(seed: u8, origin: &str, checkpoint: Checkpoint) -> String {
    log_of(seed, origin).sign(checkpoint, |text| key(seed).sign(text).to_bytes()).unwrap()
}

fn salt(number: usize) -> [u8; 16] {
    [u8::try_from(number).unwrap(); 16]
}

/// A log of `size` entries, the one at `index` made from [`PAYLOAD`].
fn proof_of(size: usize, index: usize) -> Proof {
    let payload = |number| if number == index { PAYLOAD } else { b"another payload" };
    let leaves: Vec<Digest> =
        (0..size).map(|number| merkle::leaf(&entry(&salt(number), payload(number)))).collect();
    let root = merkle::root(leaves.iter().copied());
    Proof {
        salt: salt(index),
        index: index.try_into().unwrap(),
        hashes: merkle::prove_inclusion(&leaves, index).unwrap(),
        checkpoint: signed(1, ORIGIN, Checkpoint { size: size.try_into().unwrap(), root }),
    }
}

fn verified(file: &str, payload: &[u8]) -> Result<Checkpoint, Untrusted> {
    log().verify(&Proof::parse(file)?, payload)
}

fn malformed(file: &str) -> (usize, &'static str) {
    match verified(file, PAYLOAD) {
        Err(Untrusted::Malformed { line, want }) => (line, want),
        other => panic!("{file}\n{other:?}"),
    }
}

#[test]
fn an_entry_is_a_salted_commitment() {
    let bytes = entry(&[7; 16], PAYLOAD);
    let commit = Digest::of(&[&[7; 16], PAYLOAD].concat());
    let expected = format!(r#"{{"commit":"{commit}","kind":"receipt","v":1}}"#);
    assert_eq!(String::from_utf8(bytes.clone()).unwrap(), expected);
    assert!(is_canonical(&bytes));
}

#[test]
fn a_checkpoint_is_three_lines_and_a_signature() {
    let checkpoint = Checkpoint { size: 42, root: Digest::of(b"root") };
    let note = signed(1, ORIGIN, checkpoint);
    let (text, signature) = note.split_once("\n\n").unwrap();
    let root = STANDARD.encode(Digest::of(b"root").as_bytes());
    assert_eq!(text, format!("{ORIGIN}\n42\n{root}"));

    let raw = key(1).verifying_key().to_bytes();
    let id = Digest::of_parts(&[ORIGIN.as_bytes(), &[0x0a, 0x01], &raw]);
    let id = &id.as_bytes()[..4];
    let encoded = signature.strip_prefix(&format!("— {ORIGIN} ")).unwrap().trim_end();
    let bytes = STANDARD.decode(encoded).unwrap();
    assert_eq!((&bytes[..4], bytes.len()), (id, 68));
    let vkey = log().vkey();
    let key = STANDARD.encode([&[1], raw.as_slice()].concat());
    let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(vkey, format!("{ORIGIN}+{id}+{key}"));
    assert_eq!(Log::of_vkey(&vkey), Ok(log()));
    let other = Digest::of(b"id").hex()[..8].to_owned();
    for wrong in ["", "a+b", &vkey[1..], &format!("{vkey}="), &vkey.replace(&id, &other)] {
        assert_eq!(Log::of_vkey(wrong), Err(Untrusted::Key), "{wrong}");
    }
    assert_eq!(log().open(&note), Ok(checkpoint));
}

#[test]
fn every_place_in_every_log_is_proved() {
    for size in 1..=33 {
        for index in 0..size {
            let proof = proof_of(size, index);
            let file = proof.to_string();
            assert_eq!(Proof::parse(&file).unwrap(), proof);
            assert_eq!(verified(&file, PAYLOAD).unwrap().size, u64::try_from(size).unwrap());
            let other = verified(&file, b"another payload");
            assert_eq!(other, Err(Untrusted::Unproven(Unproven::Root)));
        }
    }
}

/// All of the file counts: flip any bit, drop any byte, double any byte.
#[test]
fn no_mutant_survives() {
    let mut mutants = 0;
    for (size, index) in [(1, 0), (2, 1), (13, 6), (16, 15)] {
        let file = proof_of(size, index).to_string().into_bytes();
        let mut check = |bytes: Vec<u8>, what: &str| {
            let Ok(text) = String::from_utf8(bytes) else { return };
            mutants += 1;
            assert!(verified(&text, PAYLOAD).is_err(), "{what} of {size}, {index}:\n{text}");
        };
        for at in 0..file.len() {
            for bit in 0..8 {
                let mut flipped = file.clone();
                flipped[at] ^= 1 << bit;
                check(flipped, "flipped bit");
            }
            let mut shorter = file.clone();
            let byte = shorter.remove(at);
            check(shorter, "dropped byte");
            let mut longer = file.clone();
            longer.insert(at, byte);
            check(longer, "doubled byte");
            check(file[..at].to_vec(), "cut file");
        }
        for byte in [b' ', b'\n', b'\r', b'0', b'='] {
            check([&file[..], &[byte]].concat(), "longer file");
        }
    }
    assert!(mutants > 14_000, "{mutants}");
}

/// The last digit of padded base64 has bits that carry nothing: other spellings of the same bytes.
#[test]
fn base64_has_one_spelling() {
    let file = proof_of(13, 6).to_string();
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let ends: Vec<usize> = file.match_indices('=').map(|(at, _)| at - 1).collect();
    let mut respelled = 0;
    for at in ends.into_iter().filter(|at| file.as_bytes()[*at] != b'=') {
        for &digit in digits {
            let mut other = file.clone().into_bytes();
            if other[at] != digit {
                other[at] = digit;
                assert!(verified(&String::from_utf8(other).unwrap(), PAYLOAD).is_err());
                respelled += 1;
            }
        }
        let mut unpadded = file.clone();
        unpadded.remove(at + 1);
        assert!(verified(&unpadded, PAYLOAD).is_err());
    }
    assert!(respelled > 63 * 6, "{respelled}");
}

#[test]
fn a_malformed_line_is_named() {
    let file = proof_of(3, 1).to_string();
    let index = "`index` and a plain decimal";
    let size = "the size, a plain decimal";
    for (from, to, expected) in [
        ("@v1", "@v2", (1, "c2sp.org/tlog-proof@v1")),
        ("extra ", "Extra ", (2, "`extra` and a salt of 16 bytes in base64")),
        ("extra ", "extra  ", (2, "`extra` and a salt of 16 bytes in base64")),
        ("extra AQEB", "extra AQ", (2, "`extra` and a salt of 16 bytes in base64")),
        ("index 1", "index 01", (3, index)),
        ("index 1", "index +1", (3, index)),
        ("index 1", "index -1", (3, index)),
        ("index 1", "index 1 ", (3, index)),
        ("index 1", "index 18446744073709551616", (3, index)),
        ("index 1\n", "index 1\r\n", (3, index)),
        ("index 1\n", "index 1\nAAAA\n", (4, "a hash in base64, or an empty line")),
        ("\n3\n", "\n03\n", (2, size)),
        ("\n3\n", "\n\n", (2, size)),
        ("\n\n— ", "\nextension\n\n— ", (4, "an empty line")),
        ("\n— ", "\n- ", (5, "a signature: `— name base64`")),
        ("\n— ", "\n—  ", (5, "a signature: `— name base64`")),
    ] {
        assert!(file.contains(from), "{from}");
        assert_eq!(malformed(&file.replace(from, to)), expected, "{from} → {to}");
    }
    assert_eq!(malformed("").0, 1);
    let untitled = verified(&file.replace(ORIGIN, "other.example"), PAYLOAD).unwrap_err();
    assert_eq!(untitled, Untrusted::OtherLog { found: "other.example".to_owned() });
}

#[test]
fn signatures_of_others_are_carried_but_do_not_count() {
    let mut proof = proof_of(5, 2);
    let checkpoint = log().verify(&proof, PAYLOAD).unwrap();
    let line = |note: &str| note.split_once("\n\n").unwrap().1.to_owned();
    let witness = format!("— witness.example {}\n", STANDARD.encode([9; 76]));
    // The same name under another key is another signer.
    let namesake = line(&signed(2, ORIGIN, checkpoint));
    let own = line(&proof.checkpoint);
    let text = proof.checkpoint.strip_suffix(&own).unwrap().to_owned();

    let mut with = |signatures: &[&str]| {
        proof.checkpoint = text.clone() + &signatures.concat();
        verified(&proof.to_string(), PAYLOAD)
    };
    assert_eq!(with(&[&own, &witness, &namesake]), Ok(checkpoint));
    assert_eq!(with(&[&witness, &own]), Ok(checkpoint));
    assert_eq!(with(&[&witness, &namesake]), Err(Untrusted::Unsigned));
    assert_eq!(with(&[]), Err(Untrusted::Unsigned));
    assert_eq!(with(&[&own, &own]), Err(Untrusted::Forged));
    let crowd = vec![witness.as_str(); SIGNATURES_MAX];
    assert_eq!(with(&[&[own.as_str()], &crowd[1..]].concat()), Ok(checkpoint));
    let crowded = with(&[&[own.as_str()], &crowd[..]].concat());
    assert!(matches!(crowded, Err(Untrusted::Malformed { line: 21, .. })), "{crowded:?}");
    for name in ["", "wit ness", "wit+ness", "wit\u{a0}ness", "wit\u{1}ness"] {
        let strange = format!("— {name} {}\n", STANDARD.encode([9; 76]));
        assert!(matches!(with(&[&own, &strange]), Err(Untrusted::Malformed { line: 6, .. })));
    }
}

#[test]
fn a_forged_signature_is_named() {
    let proof = proof_of(5, 2);
    let forged = proof.checkpoint.replace("\n5\n", "\n6\n");
    assert_eq!(log().open(&forged), Err(Untrusted::Forged));
    let checkpoint = log().open(&proof.checkpoint).unwrap();
    let by_other = log().sign(checkpoint, |text| key(2).sign(text).to_bytes());
    assert_eq!(by_other, Err(Untrusted::Forged));
    let stranger = log_of(2, ORIGIN).verify(&proof, PAYLOAD);
    assert_eq!(stranger, Err(Untrusted::Unsigned));
}

#[test]
fn strange_names_make_no_log() {
    let long = "o".repeat(ORIGIN_BYTES_MAX + 1);
    for name in ["", "a b", "a+b", "a\nb", "a\u{2003}b", &long] {
        assert_eq!(Log::new(name, public(1)), Err(Untrusted::Name), "{name}");
    }
    assert!(Log::new(&long[..ORIGIN_BYTES_MAX], public(1)).is_ok());
}

#[test]
fn files_and_proofs_are_bounded() {
    let mut proof = proof_of(3, 1);
    proof.hashes = vec![Digest::of(b""); PROOF_MAX];
    assert_eq!(Proof::parse(&proof.to_string()).unwrap(), proof);
    proof.hashes.push(Digest::of(b""));
    let long = Proof::parse(&proof.to_string());
    assert_eq!(long, Err(Untrusted::Unproven(Unproven::TooLong)));
    let huge = "x".repeat(NOTE_BYTES_MAX + 1);
    assert_eq!(Proof::parse(&huge), Err(Untrusted::TooLong));
    assert_eq!(log().open(&huge), Err(Untrusted::TooLong));
}
