//! Side letters: everybody sees a commitment, the named readers see the letter.

use envelope_evidence::{Digest, canonical};
use envelope_terms::document::{
    Chain, Document, Files, Kind, Part, ReaderKey, SideLetter, Unreadable, open, seal, verify_chain,
};
use serde_json::Value;

use super::documents::*;

fn with_letter(letter: &SideLetter, chance_seed: u8) -> (Chain, Document) {
    let mut chain = bought();
    append(&mut chain, |chain| {
        let readers = [reader(1).public(), reader(2).public()];
        chain.side_letter(letter, &readers, &mut chance(chance_seed)).unwrap()
    });
    let document = chain.documents().last().unwrap().clone();
    (chain, document)
}

#[test]
fn named_readers_read_it_and_nobody_else() {
    let (_, document) = with_letter(&letter(), 1);
    assert_eq!(open(&document, &reader(1)), Ok(letter()));
    assert_eq!(open(&document, &reader(2)), Ok(letter()));
    let other = reader(3);
    assert_eq!(open(&document, &other), Err(Unreadable::NotForYou(other.public().id())));
    let sealed: Value = serde_json::from_slice(document.sealed().unwrap()).unwrap();
    let readers = sealed["readers"].as_array().unwrap();
    let mut ids = [reader(1).public().id(), reader(2).public().id()];
    ids.sort();
    assert_eq!(readers.iter().map(|it| it["reader"].as_str().unwrap()).collect::<Vec<_>>(), ids);
    assert_eq!(open(&bought().documents()[0], &reader(1)), Err(Unreadable::Kind));
}

#[test]
fn a_non_party_sees_hashes_only() {
    let (chain, document) = with_letter(&letter(), 1);
    let files = export(&chain);
    for (name, bytes) in &files {
        let text = String::from_utf8_lossy(bytes);
        for secret in ["Ten per cent", "Discount", "100000"] {
            assert!(!text.contains(secret), "`{name}` tells `{secret}`");
        }
    }
    let node: Value = serde_json::from_slice(document.bytes()).unwrap();
    let fields: Vec<_> = node["body"].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["commitment"]);
    // The sealed file may be withheld as well.
    let mut files = files;
    files.remove(&Part::Sealed.file(2, Kind::SideLetter)).unwrap();
    let report = verify_chain(&files, &ring());
    assert!(report.verified(), "{:?}", report.first_failure());
    assert!(report.checks.iter().any(|check| check.name == "0002-side-letter.sealed"));
}

/// Two short letters with the same words have nothing in common, and neither shows its length.
#[test]
fn a_short_letter_is_not_guessed() {
    let salted = |seed| SideLetter { text: text("Yes.\n", seed), ..letter() };
    let (_, one) = with_letter(&salted("one"), 1);
    let (_, two) = with_letter(&salted("two"), 1);
    assert_ne!(one.node().body, two.node().body);
    assert_ne!(one.node().clauses, two.node().clauses);
    assert_ne!(one.node().prose, two.node().prose);
    let longer = SideLetter { text: text(&"No. ".repeat(50), "one"), ..letter() };
    let (_, longer) = with_letter(&longer, 1);
    assert_eq!(one.sealed().unwrap().len(), longer.sealed().unwrap().len());
    // A guess with the right words and no salt leads nowhere.
    let guess = SideLetter { text: text("Yes.\n", "guess"), ..letter() };
    assert_ne!(guess.commitment().unwrap(), salted("one").commitment().unwrap());
    assert_eq!(salted("one").commitment(), salted("one").commitment());
}

/// The same letter sealed with other chance is another file behind the same commitment.
#[test]
fn sealing_is_a_function_of_chance() {
    let (_, one) = with_letter(&letter(), 1);
    let (_, same) = with_letter(&letter(), 1);
    let (_, other) = with_letter(&letter(), 2);
    assert_eq!(one, same);
    assert_ne!(one.sealed(), other.sealed());
    assert_eq!(one.node().body, other.node().body);
}

/// The side letter `document` with another sealed file, as its author could have made it.
fn resealed(chain: &Chain, change: impl Fn(&mut Value)) -> Document {
    let document = chain.documents().last().unwrap();
    let mut sealed: Value = serde_json::from_slice(document.sealed().unwrap()).unwrap();
    change(&mut sealed);
    let mut node: Value = serde_json::from_slice(document.bytes()).unwrap();
    let file = canonical::of(&sealed).unwrap();
    node["prose"] = Digest::of(&file).to_string().into();
    let files = Files::from([
        (Part::Node.file(2, Kind::SideLetter), canonical::of(&node).unwrap()),
        (Part::Sealed.file(2, Kind::SideLetter), file),
    ]);
    Document::read(&files, 2, Kind::SideLetter).unwrap()
}

#[test]
fn a_damaged_letter_is_noticed() {
    let (chain, document) = with_letter(&letter(), 1);
    assert_eq!(open(&resealed(&chain, |_| {}), &reader(1)), Ok(letter()));
    let id = reader(1).public().id();
    let mine = |sealed: &mut Value| -> usize {
        let readers = sealed["readers"].as_array().unwrap();
        readers.iter().position(|it| it["reader"] == id.as_str()).unwrap()
    };
    for field in ["enc", "sealed"] {
        let damaged = resealed(&chain, |sealed| {
            let at = mine(sealed);
            let text = sealed["readers"][at][field].as_str().unwrap();
            let first = if text.starts_with('A') { "B" } else { "A" };
            sealed["readers"][at][field] = format!("{first}{}", &text[1..]).into();
        });
        assert_eq!(open(&damaged, &reader(1)), Err(Unreadable::Damaged(id.clone())), "{field}");
    }
    // One reader's letter under another's name.
    let swapped = resealed(&chain, |sealed| {
        let at = mine(sealed);
        sealed["readers"][at]["sealed"] = sealed["readers"][1 - at]["sealed"].clone();
    });
    assert_eq!(open(&swapped, &reader(1)), Err(Unreadable::Damaged(id)));
    assert_eq!(open(&document, &reader(1)), Ok(letter()));
}

/// Who sends one reader another letter is found out: what is encrypted is bound to its commitment.
#[test]
fn all_readers_have_the_same_letter() {
    let (chain, _) = with_letter(&letter(), 1);
    let other = SideLetter { title: label("Another"), ..letter() };
    let sealed = seal(&other, &[reader(1).public()], &mut chance(3)).unwrap();
    let sealed: Value = serde_json::from_slice(&sealed.to_bytes().unwrap()).unwrap();
    let id = reader(1).public().id();
    let swapped = resealed(&chain, |mine| {
        for it in mine["readers"].as_array_mut().unwrap() {
            if it["reader"] == id.as_str() {
                *it = sealed["readers"][0].clone();
            }
        }
    });
    assert_eq!(open(&swapped, &reader(1)), Err(Unreadable::Damaged(id)));
    assert_eq!(open(&swapped, &reader(2)), Ok(letter()));
}

#[test]
fn readers_are_few_and_strong() {
    let sealed = |readers: &[ReaderKey]| seal(&letter(), readers, &mut chance(1)).map(|_| ());
    let many: Vec<_> = (1..=17).map(|n| reader(n).public()).collect();
    assert_eq!(sealed(&many[..16]), Ok(()));
    assert_eq!(sealed(&many), Err(Unreadable::Readers));
    assert_eq!(sealed(&[]), Err(Unreadable::Readers));
    let weak = ReaderKey::from_bytes([0; 32]);
    assert_eq!(sealed(&[weak]), Err(Unreadable::WeakKey(weak.id())));
    // Named twice is named once.
    let twice = [many[0], many[0]];
    assert_eq!(seal(&letter(), &twice, &mut chance(1)).unwrap().readers().count(), 1);
}

/// A letter is agreed like everything after the Paper.
#[test]
fn both_parties_sign_a_side_letter() {
    let chain = bought();
    let document = chain.side_letter(&letter(), &[reader(1).public()], &mut chance(1)).unwrap();
    let mut one_sided = chain.clone();
    let refused = one_sided.append(document.clone().signed(by_buyer(&document, 5)), &ring());
    assert_eq!(refused.unwrap_err().code(), "SIGNATURE_ONE_SIDED");
    assert!(one_sided.append(both_sign(document, 5), &ring()).is_ok());
}
