//! The chain of documents: what may follow what, and that no change of an exported folder goes
//! unnoticed.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use envelope_evidence::verify::{Finding, Report};
use envelope_evidence::{Digest, canonical, merkle};
use envelope_terms::document::{
    Agreed, Body, Chain, ClauseProof, Disclosure, Document, Files, Kind, Node, Part, Refused,
    SNAPSHOT_FILE, Standard, Text, verify_chain,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::documents::*;

fn verified(files: &Files) -> Agreed {
    let report = verify_chain(files, &ring());
    assert_eq!(report.first_failure(), None);
    report.said.unwrap()
}

fn refusal(files: &Files) -> String {
    let report: Report<Agreed> = verify_chain(files, &ring());
    assert!(!report.verified());
    let check = report.first_failure().expect("something failed");
    let Finding::Fails(why) = &check.result else { unreachable!() };
    format!("{} {why}", check.name)
}

#[test]
fn a_whole_chain_verifies() {
    let chain = whole();
    let agreed = verified(&export(&chain));
    assert_eq!(Some(agreed.head), chain.head());
    assert_eq!(agreed.documents, 10);
    assert_eq!(&agreed.terms, chain.terms());
    assert_eq!(agreed.terms["price"]["minor"], 115_000);
    let id = |at: usize| Some(chain.documents()[at].id());
    let hashes = agreed.hashes;
    assert_eq!([hashes.tos_hash, hashes.base_terms_hash], [id(0), id(1)]);
    assert_eq!([hashes.schedule_hash, hashes.msa_hash], [id(3), id(4)]);
    assert_eq!([hashes.paper_content_hash, hashes.amendment_hash], [id(5), id(9)]);
    assert_eq!(hashes.side_letter_hash, id(7));
    assert_eq!(hashes.paper_snapshot_hash, Some(snapshot(&chain).digest()));
    assert_eq!(chain.hashes().paper_content_hash, id(5));
    let names = serde_json::to_value(hashes).unwrap();
    assert!(names["paperContentHash"].as_str().unwrap().starts_with("sha256:"));
}

#[test]
fn a_node_is_one_file_whose_digest_is_the_id() {
    let chain = bought();
    let msa = &chain.documents()[0];
    let files = export(&chain);
    assert_eq!(Digest::of(&files["nodes/0000-msa.json"]), msa.id());
    let node: Value = serde_json::from_slice(&files["nodes/0001-paper.json"]).unwrap();
    assert_eq!(node["parent"], msa.id().to_string());
    assert_eq!(node["kind"], "paper");
    let keys: Vec<_> = node.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["body", "clauses", "kind", "parent", "prose", "seq"]);
    assert_eq!(Node::parse(msa.bytes()).as_ref(), Ok(msa.node()));
}

#[test]
fn a_node_has_one_spelling() {
    let chain = bought();
    let bytes = chain.documents()[0].bytes();
    assert!(Node::parse(bytes).is_ok());
    let value: Value = serde_json::from_slice(bytes).unwrap();
    let respelled = |change: fn(&mut Value)| {
        let mut value = value.clone();
        change(&mut value);
        Node::parse(&canonical::of(&value).unwrap()).map_err(|why| why.code())
    };
    assert!(respelled(|_| {}).is_ok());
    let shape = Err("DOCUMENT_SHAPE");
    assert_eq!(respelled(|it| drop(it.as_object_mut().unwrap().remove("parent"))), shape);
    assert_eq!(respelled(|it| it["more"] = json!(1)), shape);
    assert_eq!(respelled(|it| it["body"]["more"] = json!(1)), shape);
    assert_eq!(respelled(|it| it["kind"] = json!("paper")), shape);
    let spaced = [b" ", bytes].concat();
    assert_eq!(Node::parse(&spaced).map_err(|why| why.code()), shape);
}

/// Every pair of kinds, against the table in words.
#[test]
fn kinds_follow_each_other_in_order() {
    let allowed = [
        "first: tos base-terms schedule msa",
        "tos: base-terms schedule msa",
        "base-terms: schedule msa",
        "schedule: schedule msa",
        "msa: paper",
        "paper: amendment side-letter",
        "amendment: amendment side-letter",
        "side-letter: amendment side-letter",
    ];
    let before = [None].into_iter().chain(Kind::ALL.map(Some));
    for (before, line) in before.zip(allowed) {
        let name = before.map_or("first", Kind::name);
        let after = Kind::ALL.into_iter().filter(|kind| kind.follows(before)).map(Kind::name);
        assert_eq!(format!("{name}: {}", Vec::from_iter(after).join(" ")), line);
    }
}

#[test]
fn a_document_that_does_not_fit_is_refused() {
    let chain = bought();
    let code = |document: Document| chain.clone().append(document, &ring()).unwrap_err().code();
    let second = Standard { title: label("MSA 2"), terms: terms(json!({})) };
    let msa = chain.standard(Body::Msa, second, text("x", "x")).unwrap();
    assert_eq!(code(msa), "DOCUMENT_ORDER");
    assert_eq!(code(paper(&chain)), "DOCUMENT_ORDER");
    let mut unsigned = chain.clone();
    let amendment = new_fee(&chain, 1).unwrap();
    let refused = unsigned.append(amendment.clone(), &ring()).unwrap_err();
    assert_eq!(refused, Refused::Unsigned);
    assert_eq!(unsigned.head(), chain.head(), "a refused document changes nothing");
    assert!(unsigned.append(both_sign(amendment, 2), &ring()).is_ok());
}

#[test]
fn without_a_signed_paper_nothing_is_agreed() {
    let mut chain = Chain::new();
    standard(&mut chain, Body::Msa, "MSA", json!({}));
    let files = chain.export(&[], None).unwrap();
    assert!(refusal(&files).starts_with("chain.paper"));
    assert!(refusal(&Files::new()).starts_with("chain.paper"));
    append(&mut chain, paper);
    verified(&chain.export(&[], None).unwrap());
    let mut files = export(&chain);
    files.remove(&Part::Signatures.file(1, Kind::Paper));
    assert!(refusal(&files).starts_with("0001-paper.signatures SIGNATURE_MISSING"));
}

#[test]
fn a_key_that_is_not_trusted_signs_nothing() {
    let files = export(&bought());
    verified(&files);
    let report = verify_chain(&files, &Default::default());
    assert_eq!(report.first_failure().unwrap().name, "0001-paper.signatures");
}

#[test]
fn keys_in_the_folder_are_the_signers() {
    let chain = bought();
    let mut files = chain.export(&[buyer().public()], None).unwrap();
    verified(&files);
    let pem = stranger().public().to_pem().into_bytes();
    files.insert(format!("keys/{}.pem", stranger().id()), pem.clone());
    assert!(refusal(&files).contains("SIGNATURE_FOREIGN_KEY"));
    let files = Files::from_iter(
        chain
            .export(&[], None)
            .unwrap()
            .into_iter()
            .chain([(format!("keys/{}.pem", buyer().id()), pem)]),
    );
    assert!(refusal(&files).starts_with("keys DOCUMENT_SHAPE"));
}

#[test]
fn a_snapshot_is_the_buyers_and_of_this_chain() {
    let mut chain = bought();
    let taken = snapshot(&chain);
    let with = |chain: &Chain, snapshot| chain.export(&[], Some(snapshot)).unwrap();
    verified(&with(&chain, &taken));
    // What was agreed after the purchase does not disturb it.
    append(&mut chain, |chain| new_fee(chain, 5).unwrap());
    assert_eq!(verified(&with(&chain, &taken)).hashes.paper_snapshot_hash, Some(taken.digest()));
    let later = snapshot(&chain);
    assert_ne!(later.digest(), taken.digest());
    assert!(refusal(&with(&bought(), &later)).starts_with("snapshot SNAPSHOT_OTHER_CHAIN"));
    let seller = envelope_terms::document::Snapshot::of(&chain, at(60)).unwrap().sign(&developer());
    assert!(refusal(&with(&chain, &seller)).starts_with("snapshot SIGNATURE_ONE_SIDED"));
    let foreign = taken.clone().cosign(&stranger());
    assert!(refusal(&with(&chain, &foreign)).starts_with("snapshot SIGNATURE_FOREIGN_KEY"));
    let mut early = Chain::new();
    standard(&mut early, Body::Msa, "MSA", json!({"law": "CH", "review": {"days": 30}}));
    let before = snapshot(&early);
    assert!(refusal(&with(&chain, &before)).starts_with("snapshot SNAPSHOT_OTHER_CHAIN"));
}

/// After a change of keys, a snapshot from before it is still the buyer's.
#[test]
fn a_snapshot_is_judged_by_the_keys_of_its_time() {
    let mut chain = bought();
    let taken = snapshot(&chain);
    append(&mut chain, |chain| {
        let signers = envelope_terms::document::Signers::new([stranger().id()], [developer().id()]);
        let text = text(chain.prose().unwrap(), "new keys");
        chain.amendment(label("Keys"), chain.terms(), text, Some(signers.unwrap())).unwrap()
    });
    verified(&chain.export(&[], Some(&taken)).unwrap());
    let now = snapshot(&chain);
    let refused = refusal(&chain.export(&[], Some(&now)).unwrap());
    assert!(refused.starts_with("snapshot SIGNATURE_FOREIGN_KEY"), "{refused}");
}

#[test]
fn one_clause_is_proven_alone() {
    let text = text(&prose("EUR 1,200"), "paper");
    let chain = bought();
    let node = chain.documents()[1].node();
    assert_eq!(node.clauses, text.root());
    for id in ["preamble", "payment", "review"] {
        let proof = text.prove(id).unwrap();
        assert_eq!(proof.shown.clause, id);
        assert_eq!(proof.verify(node.clauses), Ok(()));
        let read: ClauseProof = canonical::read(&canonical::of(&proof).unwrap()).unwrap();
        assert_eq!(read, proof);
    }
    assert_eq!(text.prove("nothing"), None);
    let proof = text.prove("payment").unwrap();
    let other = |change: fn(&mut ClauseProof)| {
        let mut proof = proof.clone();
        change(&mut proof);
        proof.verify(node.clauses)
    };
    assert_eq!(other(|_| {}), Ok(()));
    let wrong = Err(merkle::Unproven::Root);
    assert_eq!(other(|it| it.shown.text = it.shown.text.replace("1,200", "1,300")), wrong);
    assert_eq!(other(|it| it.shown.clause = "fee".into()), wrong);
    assert_eq!(other(|it| it.shown.salt = salt("other")), wrong);
    assert_eq!(other(|it| it.hashes.reverse()), wrong);
    assert!(other(|it| it.index = 2).is_err());
    assert!(other(|it| it.size = 9).is_err());
}

/// A short clause has few possible texts: its leaf must not tell which.
#[test]
fn a_redacted_clause_is_not_guessed() {
    let proof = |seed| text(&prose("EUR 1,200"), seed).prove("payment").unwrap();
    let (one, two) = (proof("one"), proof("two"));
    assert_eq!(one.shown.text, two.shown.text);
    assert_ne!(one.shown.leaf(), two.shown.leaf());
    // The salts of the clauses that are shown do not lead to the one that is not.
    let shown: BTreeSet<_> =
        text(&prose("x"), "one").clauses().map(|clause| clause.salt.hex()).collect();
    assert_eq!(shown.len(), 3);
    assert!(!shown.contains(&salt("one").hex()));
}

#[test]
fn a_redacted_chain_verifies() {
    let chain = whole();
    let mut files = export(&chain);
    let hidden = |document: &Document, clause: &str| document.seq() == 5 && clause == "payment";
    chain.redact(&mut files, hidden).unwrap();
    let report = verify_chain(&files, &ring());
    assert!(report.verified(), "{:?}", report.first_failure());
    let withheld: Vec<_> = report
        .checks
        .iter()
        .filter(|check| matches!(check.result, Finding::Withheld(_)))
        .map(|check| check.name.as_str())
        .collect();
    assert_eq!(withheld, ["0005-paper.prose", "0006-amendment.redline"]);
    for (name, bytes) in &files {
        let told = String::from_utf8_lossy(bytes).contains("EUR 1,200");
        assert!(!told, "`{name}` tells the clause");
    }
    let file = Part::Clauses.file(5, Kind::Paper);
    let shown: Disclosure = canonical::read(&files[&file]).unwrap();
    assert_eq!(shown.shown().count(), 2);
    for swapped in ["Fourteen", "Between"] {
        let mut files = files.clone();
        let text = String::from_utf8(files[&file].clone()).unwrap();
        files.insert(file.clone(), text.replace(swapped, "Forty").into_bytes());
        assert!(refusal(&files).starts_with("0005-paper.clauses DOCUMENT_OTHER_CLAUSES"));
    }
    // A redline that nothing can check is not believed.
    let redline = Part::Redline.file(6, Kind::Amendment);
    files.insert(redline.clone(), export(&chain)[&redline].clone());
    assert!(refusal(&files).starts_with("folder.strays"));
}

#[test]
fn an_exported_chain_goes_on() {
    let chain = whole();
    let files = export(&chain);
    let imported = Chain::import(&files, &ring()).unwrap();
    assert_eq!(imported.documents(), chain.documents());
    assert_eq!(export(&imported), files);
    let mut missing = files.clone();
    missing.remove(&Part::Prose.file(5, Kind::Paper));
    assert_eq!(Chain::import(&missing, &ring()).unwrap_err().code(), "DOCUMENT_SHAPE");
    let untrusting = Chain::import(&files, &Default::default()).unwrap_err();
    assert_eq!(untrusting.code(), "SIGNATURE_INVALID");
}

#[test]
fn a_shorter_chain_has_another_head() {
    let mut chain = bought();
    let before = verified(&chain.export(&[], None).unwrap());
    append(&mut chain, |chain| new_fee(chain, 5).unwrap());
    let mut files = chain.export(&[], Some(&snapshot(&chain))).unwrap();
    let after = verified(&files);
    assert_ne!(before.head, after.head);
    files.retain(|name, _| !name.contains("0002-"));
    assert!(refusal(&files).starts_with("snapshot SNAPSHOT_OTHER_CHAIN"));
    files.remove(SNAPSHOT_FILE);
    assert_eq!(verified(&files).head, before.head);
}

/// A file of the folder and what it was changed into; nothing when it was taken away.
type Mutant = Vec<(String, Option<Vec<u8>>)>;

/// Counts the mutants that still verify, over two threads.
fn none_survives(what: &str, whole: &Files, mutants: &[Mutant]) {
    let (next, survived) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let ring = ring();
    let work = || {
        let mut files = whole.clone();
        while let Some(mutant) = mutants.get(next.fetch_add(1, Ordering::Relaxed)) {
            for (name, bytes) in mutant {
                match bytes {
                    Some(bytes) => drop(files.insert(name.clone(), bytes.clone())),
                    None => drop(files.remove(name)),
                }
            }
            if verify_chain(&files, &ring).verified() {
                println!("survived: a mutant of {:?}", mutant.first().map(|(name, _)| name));
                survived.fetch_add(1, Ordering::Relaxed);
            }
            for (name, _) in mutant {
                match whole.get(name) {
                    Some(bytes) => drop(files.insert(name.clone(), bytes.clone())),
                    None => drop(files.remove(name)),
                }
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    println!("{} {what}, {} survivors", mutants.len(), survived.load(Ordering::Relaxed));
    assert!(!mutants.is_empty());
    assert_eq!(survived.into_inner(), 0);
}

/// Each kind of file there is, and as few of each as will do.
fn small() -> Files {
    let mut chain = Chain::new();
    let short = Standard { title: label("MSA"), terms: terms(json!({"law": "CH"})) };
    let msa = chain.standard(Body::Msa, short, text("# Law {#law}\nCH\n", "msa")).unwrap();
    chain.append(msa, &ring()).unwrap();
    append(&mut chain, paper);
    append(&mut chain, |chain| new_fee(chain, 110_000).unwrap());
    append(&mut chain, |chain| {
        chain.side_letter(&letter(), &[reader(1).public()], &mut chance(9)).unwrap()
    });
    export(&chain)
}

#[test]
fn no_single_bit_survives() {
    let files = small();
    verified(&files);
    let mut mutants = Vec::new();
    for (name, bytes) in &files {
        for bit in 0..bytes.len() * 8 {
            let mut mutant = bytes.clone();
            mutant[bit / 8] ^= 1 << (bit % 8);
            mutants.push(vec![(name.clone(), Some(mutant))]);
        }
    }
    none_survives("single-bit mutants", &files, &mutants);
}

#[test]
fn no_cut_no_added_byte_and_no_added_file_survives() {
    let files = small();
    let mut mutants = Vec::new();
    for (name, bytes) in &files {
        mutants
            .extend((0..bytes.len()).map(|cut| vec![(name.clone(), Some(bytes[..cut].to_vec()))]));
        for extra in [b" ", b"\n", b"\0", b"}"] {
            mutants.push(vec![(name.clone(), Some([extra, bytes.as_slice()].concat()))]);
            mutants.push(vec![(name.clone(), Some([bytes.as_slice(), extra].concat()))]);
        }
        mutants.push(vec![(format!("{name}x"), Some(bytes.clone()))]);
        mutants.push(vec![(format!("x{name}"), Some(bytes.clone()))]);
    }
    none_survives("cut, extended and added files", &files, &mutants);
}

/// What may be withheld is said to be; nothing else may be missing.
#[test]
fn no_missing_file_survives() {
    let files = small();
    let may_be_missing = |name: &str| {
        name.starts_with("keys/") || name == SNAPSHOT_FILE || name.starts_with("sealed/")
    };
    let gone = |name: &String| vec![(name.clone(), None)];
    let mutants: Vec<_> = files.keys().filter(|it| !may_be_missing(it)).map(gone).collect();
    let (prose, others): (Vec<_>, Vec<_>) =
        mutants.into_iter().partition(|mutant| mutant[0].0.ends_with(".md"));
    // Prose without its salt is a stray salt; prose without both is withheld, unless a redline
    // shows it.
    none_survives("missing files", &files, &others);
    none_survives("missing proses", &files, &prose);
}

/// Every leaf of every node is changed, and all that comes after is linked anew, as somebody
/// without the keys would have to.
#[test]
fn no_leaf_survives() {
    let chain = whole();
    let files = export(&chain);
    verified(&files);
    let mut mutants = Vec::new();
    for (at, document) in chain.documents().iter().enumerate() {
        let node: Value = serde_json::from_slice(document.bytes()).unwrap();
        for leaf in leaves(&node, String::new()) {
            let mut changed = node.clone();
            change(changed.pointer_mut(&leaf).unwrap());
            let Ok(bytes) = canonical::of(&changed) else { continue };
            let name = Part::Node.file(document.seq(), document.kind());
            mutants.push(vec![(name.clone(), Some(bytes.clone()))]);
            mutants.push(relinked(&chain, at, name, bytes));
        }
    }
    none_survives("changed leaves", &files, &mutants);
}

fn relinked(chain: &Chain, at: usize, name: String, bytes: Vec<u8>) -> Mutant {
    let mut parent = Digest::of(&bytes);
    let mut mutant = vec![(name, Some(bytes))];
    for document in &chain.documents()[at + 1..] {
        let mut node: Value = serde_json::from_slice(document.bytes()).unwrap();
        node["parent"] = parent.to_string().into();
        let bytes = canonical::of(&node).unwrap();
        parent = Digest::of(&bytes);
        mutant.push((Part::Node.file(document.seq(), document.kind()), Some(bytes)));
    }
    mutant
}

fn leaves(value: &Value, at: String) -> Vec<String> {
    match value {
        Value::Object(members) if !members.is_empty() => {
            members.iter().flat_map(|(name, it)| leaves(it, format!("{at}/{name}"))).collect()
        }
        Value::Array(items) if !items.is_empty() => {
            items.iter().enumerate().flat_map(|(n, it)| leaves(it, format!("{at}/{n}"))).collect()
        }
        _ => vec![at],
    }
}

fn change(leaf: &mut Value) {
    *leaf = match leaf.take() {
        Value::String(text) => match text.strip_suffix(['0', 'a']) {
            Some(head) => format!("{head}1").into(),
            None => format!("{}0", &text[..text.len().saturating_sub(1)]).into(),
        },
        Value::Number(number) => (number.as_u64().unwrap() ^ 1).into(),
        Value::Bool(is) => (!is).into(),
        Value::Null => Digest::of(b"").to_string().into(),
        Value::Array(_) => vec![Value::Null].into(),
        Value::Object(_) => json!({"a": 1}),
    };
}

proptest! {
    /// The clauses are the prose, whatever is in it, and each is proven.
    #[test]
    fn clauses_partition_any_prose(lines in prop::collection::vec("[ #a-c{}\r\t]{0,12}", 0..20)) {
        let prose = lines.join("\n");
        if let Ok(text) = Text::new(&prose, salt("any")) {
            let joined: String = text.clauses().map(|clause| clause.text).collect();
            prop_assert_eq!(&joined, text.prose());
            for clause in text.clauses() {
                let proof = text.prove(&clause.clause).unwrap();
                prop_assert_eq!(&proof.shown, &clause);
                prop_assert_eq!(proof.verify(text.root()), Ok(()));
            }
            prop_assert_eq!(text.redact(|_| true).root(), text.root());
        }
    }
}
