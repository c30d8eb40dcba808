//! Amendments: both parties over the same bytes, one line, and a difference that is recomputed.

use envelope_evidence::Digest;
use envelope_evidence::dsse::Envelope;
use envelope_evidence::statement::PAYLOAD_TYPE;
use envelope_terms::document::{
    BadChange, Chain, Change, Document, Files, Kind, Part, Redline, Refused, Signers, Terms, apply,
    difference, redline, sign, verify_chain,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::documents::*;

fn code(chain: &Chain, document: Document) -> &'static str {
    chain.clone().append(document, &ring()).map_or_else(|why| why.code(), |()| "accepted")
}

fn signed(document: &Document, envelope: Envelope) -> Document {
    document.clone().signed(envelope)
}

#[test]
fn both_parties_sign_the_same_bytes() {
    let chain = bought();
    let amendment = new_fee(&chain, 110_000).unwrap();
    let buyers = by_buyer(&amendment, 5);
    let both = buyers.clone().cosign(&developer());
    assert_eq!(code(&chain, signed(&amendment, both.clone())), "accepted");
    assert_eq!(code(&chain, amendment.clone()), "SIGNATURE_MISSING");
    assert_eq!(code(&chain, signed(&amendment, buyers.clone())), "SIGNATURE_ONE_SIDED");
    let twice = buyers.clone().cosign(&buyer());
    assert_eq!(code(&chain, signed(&amendment, twice)), "SIGNATURE_ONE_SIDED");
    let again = both.clone().cosign(&buyer());
    assert_eq!(code(&chain, signed(&amendment, again)), "SIGNATURE_INVALID");
    let foreign = buyers.cosign(&stranger());
    assert_eq!(code(&chain, signed(&amendment, foreign)), "SIGNATURE_FOREIGN_KEY");
    let more = both.cosign(&stranger());
    assert_eq!(code(&chain, signed(&amendment, more)), "SIGNATURE_FOREIGN_KEY");
    // Two envelopes with one signature each are not consent to the same bytes.
    let later = sign(Kind::Amendment, amendment.id(), at(6), &developer()).unwrap();
    assert_eq!(code(&chain, signed(&amendment, later)), "SIGNATURE_ONE_SIDED");
}

#[test]
fn a_signature_is_about_one_document() {
    let chain = bought();
    let amendment = new_fee(&chain, 110_000).unwrap();
    let other = new_fee(&chain, 120_000_000).unwrap();
    let both = |kind, id| sign(kind, id, at(5), &buyer()).unwrap().cosign(&developer());
    let right = both(Kind::Amendment, amendment.id());
    assert_eq!(code(&chain, signed(&amendment, right)), "accepted");
    let wrong = [both(Kind::Amendment, other.id()), both(Kind::Paper, amendment.id())];
    for envelope in wrong {
        assert_eq!(code(&chain, signed(&amendment, envelope)), "SIGNATURE_OTHER_DOCUMENT");
    }
}

/// The payload of a right signature with one thing changed, signed by both.
fn respelled(document: &Document, from: &str, to: &str) -> Envelope {
    let payload = String::from_utf8(by_buyer(document, 5).payload().to_vec()).unwrap();
    assert!(payload.contains(from));
    let payload = payload.replace(from, to).into_bytes();
    Envelope::seal(PAYLOAD_TYPE, payload, &buyer()).cosign(&developer())
}

#[test]
fn a_signature_claims_no_more_than_it_proves() {
    let chain = bought();
    let amendment = new_fee(&chain, 110_000).unwrap();
    let claim = |from, to| code(&chain, signed(&amendment, respelled(&amendment, from, to)));
    assert_eq!(claim("\"key\"", "\"key\""), "accepted");
    assert_eq!(claim("\"key\"", "\"qualified\""), "SIGNATURE_LEVEL");
    assert_eq!(claim("\"key\"", "\"notary\""), "DOCUMENT_SHAPE");
    assert_eq!(claim("document-signature/v1", "receipt/v1"), "DOCUMENT_SHAPE");
    assert_eq!(claim("\"level\"", "\"more\":1,\"level\""), "DOCUMENT_SHAPE");
}

#[test]
fn time_does_not_run_backwards() {
    let chain = bought();
    let amendment = new_fee(&chain, 110_000).unwrap();
    assert_eq!(code(&chain, both_sign(amendment.clone(), 1)), "accepted");
    assert_eq!(code(&chain, both_sign(amendment, 0)), "SIGNATURE_BACKDATED");
}

#[test]
fn amendments_form_one_line() {
    let mut chain = bought();
    let first = both_sign(new_fee(&chain, 110_000).unwrap(), 5);
    let rival = both_sign(new_fee(&chain, 130_000).unwrap(), 5);
    chain.append(first.clone(), &ring()).unwrap();
    // The rival changes a Paper that is no longer what it was.
    let refused = chain.clone().append(rival, &ring()).unwrap_err();
    assert_eq!(refused.code(), "DOCUMENT_STALE_PARENT");
    assert!(matches!(refused, Refused::Stale(why) if why.expected == Some(first.id())));
    assert_eq!(code(&chain, first), "DOCUMENT_STALE_PARENT");
    assert_eq!(code(&chain, both_sign(new_fee(&chain, 130_000).unwrap(), 6)), "accepted");
}

/// The folder of `chain` with its last node changed, and signed by both parties as it is.
fn last_changed(chain: &Chain, change: impl Fn(&mut Value)) -> Files {
    let last = chain.documents().last().unwrap();
    let mut files = chain.export(&[], None).unwrap();
    let mut node: Value = serde_json::from_slice(last.bytes()).unwrap();
    change(&mut node);
    let bytes = envelope_evidence::canonical::of(&node).unwrap();
    let envelope = sign(last.kind(), Digest::of(&bytes), at(9), &buyer()).unwrap();
    let envelope = envelope.cosign(&developer()).to_bytes().unwrap();
    files.insert(Part::Node.file(last.seq(), last.kind()), bytes);
    files.insert(Part::Signatures.file(last.seq(), last.kind()), envelope);
    files
}

fn first_failure(files: &Files) -> String {
    let report = verify_chain(files, &ring());
    report.first_failure().map_or_else(|| "nothing".into(), |it| format!("{} {it:?}", it.name))
}

/// What both parties signed may still contradict itself.
#[test]
fn signatures_do_not_make_it_right() {
    let mut chain = bought();
    append(&mut chain, |chain| new_fee(chain, 110_000).unwrap());
    let failure = |change: fn(&mut Value)| first_failure(&last_changed(&chain, change));
    assert_eq!(failure(|_| {}), "nothing");
    let fails = |change, check: &str, code: &str| {
        let failure = failure(change);
        assert!(failure.starts_with(check) && failure.contains(code), "{failure}");
    };
    fails(|it| it["seq"] = 3.into(), "0002-amendment.node", "DOCUMENT_SHAPE");
    let body = |it: &mut Value, field: &str, value: Value| it["body"][field] = value;
    let difference = |value: Value| {
        json!([{"op": "replace", "path": "/price/minor",
        "old": Digest::of(b"120000"), "value": value}])
    };
    assert_eq!(
        first_failure(&last_changed(&chain, |it| body(it, "difference", difference(7.into())))),
        "nothing"
    );
    for (wrong, code) in [
        (difference(120_000.into()), "changes nothing"),
        (json!([{"op": "add", "path": "/price/minor", "value": 7}]), "before it is added"),
        (json!([{"op": "remove", "path": "/fee", "old": Digest::of(b"1")}]), "not there"),
        (json!([{"op": "remove", "path": "/price", "old": Digest::of(b"1")}]), "another value"),
        (json!([{"op": "remove", "path": "/x/y", "old": Digest::of(b"1")}]), "does not lead"),
    ] {
        let failure =
            first_failure(&last_changed(&chain, |it| body(it, "difference", wrong.clone())));
        assert!(failure.starts_with("0002-amendment.difference"), "{failure}");
        assert!(failure.contains("AMENDMENT_DIFFERENCE") && failure.contains(code), "{failure}");
    }
    let digest = |it: &mut Value| it["body"]["redline"] = json!(Digest::of(b""));
    fails(digest, "0002-amendment.redline", "AMENDMENT_REDLINE");
    let prose = |it: &mut Value| it["prose"] = json!(Digest::of(b""));
    fails(prose, "0002-amendment.prose", "DOCUMENT_OTHER_PROSE");
    let clauses = |it: &mut Value| it["clauses"] = json!(Digest::of(b""));
    fails(clauses, "0002-amendment.prose", "DOCUMENT_OTHER_CLAUSES");
}

#[test]
fn a_wrong_number_is_refused_under_its_own_name() {
    let mut chain = bought();
    append(&mut chain, |chain| new_fee(chain, 110_000).unwrap());
    let mut files = last_changed(&chain, |it| it["seq"] = 7.into());
    for part in [Part::Node, Part::Prose, Part::Salt, Part::Redline, Part::Signatures] {
        let bytes = files.remove(&part.file(2, Kind::Amendment)).unwrap();
        files.insert(part.file(7, Kind::Amendment), bytes);
    }
    let failure = first_failure(&files);
    assert!(failure.starts_with("0007-amendment.node") && failure.contains("DOCUMENT_SEQ"));
}

#[test]
fn an_amendment_changes_something() {
    let chain = bought();
    let same = |seed, signers: Option<Signers>| {
        let text = text(chain.prose().unwrap(), seed);
        chain.amendment(label("Nothing"), chain.terms(), text, signers).unwrap()
    };
    assert_eq!(code(&chain, both_sign(same("a", None), 5)), "AMENDMENT_CHANGES_NOTHING");
    assert_eq!(code(&chain, both_sign(same("a", Some(signers())), 5)), "accepted");
    let prose = chain.prose().unwrap().replace("Fourteen", "15");
    let only_prose =
        chain.amendment(label("Days"), chain.terms(), text(&prose, "b"), None).unwrap();
    assert_eq!(code(&chain, both_sign(only_prose, 5)), "accepted");
}

#[test]
fn keys_change_by_consent() {
    let mut chain = bought();
    let by_successor = |chain: &Chain| {
        let amendment = new_fee(chain, 9).unwrap();
        let envelope = by_buyer(&amendment, 9).cosign(&successor());
        amendment.signed(envelope)
    };
    assert_eq!(code(&chain, by_successor(&chain)), "SIGNATURE_FOREIGN_KEY");
    append(&mut chain, |chain| {
        let signers = Signers::new([buyer().id()], [successor().id()]).unwrap();
        let text = text(chain.prose().unwrap(), "keys");
        chain.amendment(label("Keys"), chain.terms(), text, Some(signers)).unwrap()
    });
    assert_eq!(code(&chain, by_successor(&chain)), "accepted");
    let by_predecessor = both_sign(new_fee(&chain, 9).unwrap(), 9);
    assert_eq!(code(&chain, by_predecessor), "SIGNATURE_FOREIGN_KEY");
}

#[test]
fn signers_are_two_sides() {
    let (one, two) = (buyer().id().to_owned(), developer().id().to_owned());
    assert!(Signers::new([&one], [&two]).is_ok());
    assert!(Signers::new([&one], [&one]).is_err());
    assert!(Signers::new([] as [&String; 0], [&two]).is_err());
    assert!(Signers::new(["abc"], ["def"]).is_err());
    let many: Vec<_> = (0..9).map(|n| Digest::of(&[n]).hex()).collect();
    assert!(Signers::new(many[..8].iter(), [&two].into_iter()).is_ok());
    assert!(Signers::new(many.iter(), [&two].into_iter()).is_err());
}

#[test]
fn a_redline_shows_what_was_struck_and_what_is_new() {
    let (old, new) = (prose("EUR 1,200"), prose("EUR 1,100"));
    let text = redline(&old, &new);
    assert!(text.contains("-The fee is EUR 1,200.\n+The fee is EUR 1,100.\n"), "{text}");
    assert!(text.contains(" Fourteen days.\n"));
    assert_eq!(Redline::parse(&text), Some(Redline { old, new }));
    assert_eq!(Redline::parse("*\n"), None);
}

#[test]
fn a_difference_is_an_rfc_6902_patch_with_digests() {
    let mut new = paper_terms();
    new["price"]["minor"] = 7.into();
    new.remove("egress");
    new.insert("a/b".into(), json!({"~": 1}));
    let changes = difference(&paper_terms(), &new).unwrap();
    let expected = json!([
        {"op": "add", "path": "/a~1b", "value": {"~": 1}},
        {"op": "remove", "path": "/egress", "old": Digest::of(b"[\"api.example.org\"]")},
        {"op": "replace", "path": "/price/minor", "old": Digest::of(b"120000"), "value": 7},
    ]);
    assert_eq!(serde_json::to_value(&changes).unwrap(), expected);
    let mut terms = paper_terms();
    apply(&mut terms, &changes).unwrap();
    assert_eq!(terms, new);
    let twice = apply(&mut terms, &changes).unwrap_err();
    assert_eq!(twice, BadChange::Presence("/a~1b".into()));
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        (0..3_u8).prop_map(Value::from),
        "[ab]?".prop_map(Value::from)
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            any_object(inner).prop_map(Value::from),
        ]
    })
}

fn any_object(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Terms> {
    prop::collection::btree_map("[ab~/]{1,2}", value, 0..4).prop_map(|it| it.into_iter().collect())
}

fn any_terms() -> impl Strategy<Value = Terms> {
    any_object(any_value())
}

proptest! {
    #[test]
    fn a_difference_leads_from_old_to_new(old in any_terms(), new in any_terms()) {
        let changes = difference(&old, &new).unwrap();
        let mut terms = old.clone();
        prop_assert_eq!(apply(&mut terms, &changes), Ok(()));
        prop_assert_eq!(&terms, &new);
        prop_assert_eq!(changes.is_empty(), old == new);
    }

    /// A list that is applied is the one that would be computed: it has one spelling.
    #[test]
    fn what_is_applied_is_the_difference(
        old in any_terms(),
        new in any_terms(),
        pick in any::<prop::sample::Index>(),
        other in any::<prop::sample::Index>(),
        value in any_value(),
        what in 0..5_u8,
    ) {
        let mut changes = difference(&old, &new).unwrap();
        prop_assume!(!changes.is_empty());
        let (pick, other) = (pick.index(changes.len()), other.index(changes.len()));
        match what {
            0 => drop(changes.remove(pick)),
            1 => changes.swap(pick, other),
            2 => changes.insert(other, changes[pick].clone()),
            3 => match &mut changes[pick] {
                Change::Add { value: it, .. } | Change::Replace { value: it, .. } => *it = value,
                Change::Remove { old, .. } => *old = Digest::of(b"another"),
            },
            _ => match &mut changes[pick] {
                Change::Add { path, .. }
                | Change::Remove { path, .. }
                | Change::Replace { path, .. } => path.push_str("/a"),
            },
        }
        let mut terms = old.clone();
        if apply(&mut terms, &changes).is_ok() {
            prop_assert_eq!(difference(&old, &terms).unwrap(), changes);
        }
    }

    #[test]
    fn a_redline_leads_from_old_to_new(
        old in prop::collection::vec("[ab+ -]{0,3}\n", 0..12),
        new in prop::collection::vec("[ab+ -]{0,3}\n", 0..12),
    ) {
        let (old, new) = (old.concat(), new.concat());
        let read = Redline::parse(&redline(&old, &new));
        prop_assert_eq!(read, Some(Redline { old, new }));
    }
}
