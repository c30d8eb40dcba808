//! Compiled Papers in their chain: under the templates they name, amended, and read back.

use envelope_evidence::keyring::KeyRing;
use envelope_terms::contract::MinorUnits;
use envelope_terms::deal::{self, Undrawn};
use envelope_terms::document::{self, Body, Chain, Document, Standard, Text, verify_chain};
use envelope_terms::export::AcsVersion;
use envelope_terms::source::{Kind, Paper, Template, check};
use serde_json::json;

use super::documents::{both_sign, export, label, ring, salt, signers, terms};
use super::source::samples::{PAPERS, TEMPLATES, checked, paper, template};

fn compiled(name: &str) -> Paper {
    checked(name).paper(AcsVersion::Beta).unwrap()
}

/// A chain with the master agreement alone.
fn under_msa(paper: &Paper) -> Chain {
    let mut chain = Chain::new();
    let msa = deal::standard(&chain, &template("msa"), paper, salt("msa")).unwrap();
    chain.append(msa, &KeyRing::default()).unwrap();
    chain
}

fn agreed(paper: &Paper) -> Chain {
    let mut chain = under_msa(paper);
    let document = deal::paper(&chain, paper, signers(), salt("paper")).unwrap();
    chain.append(both_sign(document, 1), &ring()).unwrap();
    chain
}

fn standard(chain: &mut Chain, body: fn(Standard) -> Body, said: serde_json::Value) {
    let standard = Standard { title: label("A schedule"), terms: terms(said) };
    let text = Text::new("# A schedule\n", salt("schedule")).unwrap();
    let document = chain.standard(body, standard, text).unwrap();
    chain.append(document, &KeyRing::default()).unwrap();
}

/// Every whole Paper names the words of the master agreement that is offered, joins a chain under
/// it that verifies, and is read back out of it.
#[test]
fn every_paper_is_found_again_in_its_chain() {
    for (name, _) in PAPERS {
        let paper = compiled(name);
        assert_eq!(paper.msa, Some(template("msa").digest()), "{name}");
        let chain = agreed(&paper);
        assert!(verify_chain(&export(&chain), &ring()).verified(), "{name}");
        assert_eq!(deal::read(chain.terms(), chain.prose().unwrap()), Ok(paper), "{name}");
    }
}

#[test]
fn a_paper_stands_under_no_other_agreement() {
    let paper = compiled("tender-digest");
    let other = TEMPLATES[0].1.replace("The buyer runs only", "The buyer runs");
    let other = Template::parse("other.md", other.as_bytes()).unwrap();
    let refused = deal::standard(&Chain::new(), &other, &paper, salt("msa")).unwrap_err();
    assert!(matches!(refused, Undrawn::OtherMsa { given, .. } if given == other.digest()));
    assert_eq!(refused.code(), "COMPILE_ERROR_REFERENCE");
}

/// Every template becomes a document of its kind, but the words of a Paper and side letters.
#[test]
fn templates_become_documents_in_their_place() {
    let paper = compiled("museum-labels");
    for (name, kind) in [
        ("tos", Some(document::Kind::Tos)),
        ("base-terms", Some(document::Kind::BaseTerms)),
        ("nda", Some(document::Kind::Schedule)),
        ("dpa", Some(document::Kind::Schedule)),
        ("msa", Some(document::Kind::Msa)),
        ("service-paper", None),
        ("side-letter", None),
    ] {
        let template = template(name);
        match deal::standard(&Chain::new(), &template, &paper, salt(name)) {
            Ok(document) => {
                assert_eq!(Some(document.kind()), kind, "{name}");
                let (Body::Tos(it) | Body::BaseTerms(it) | Body::Schedule(it) | Body::Msa(it)) =
                    &document.node().body
                else {
                    panic!("{name}")
                };
                assert_eq!(&it.terms, template.terms(), "{name}");
            }
            Err(refused) => {
                assert_eq!((refused.code(), kind), ("COMPILE_ERROR_SOURCE", None), "{name}");
            }
        }
    }
    let letter = deal::letter(&template("nda"), &paper.contract, salt("nda")).unwrap_err();
    assert!(matches!(letter, Undrawn::Kind { kind: Kind::Nda, .. }), "{letter}");
    let letter = deal::letter(&template("side-letter"), &paper.contract, salt("nda")).unwrap();
    assert!(letter.text.prose().contains("about the Paper"), "{letter:?}");
}

/// A schedule is named by its words and its terms; another one is not what was agreed.
#[test]
fn a_paper_names_its_schedules() {
    let schedule = template("schedule");
    let source = paper("invoice-coding").replace(
        "schedules = []",
        &format!(
            "schedules = [{{ letters = \"T\", title = \"Technology\", version = \"1.0.0\", \
             document = \"{}\" }}]",
            schedule.digest()
        ),
    );
    let named = check("a.paper.md", source.as_bytes(), &[]).unwrap().paper(AcsVersion::Beta);
    let named = named.unwrap();
    let chain = Chain::new();
    let drawn = deal::standard(&chain, &schedule, &named, salt("t")).unwrap();
    assert_eq!(drawn.kind(), document::Kind::Schedule);
    let text = include_str!("../../policies/schedule.template.md");
    for (from, to) in [("within 24 hours", "within 25 hours"), ("hours = 24", "hours = 25")] {
        assert!(text.contains(from), "{from}");
        let other = Template::parse("t.md", text.replace(from, to).as_bytes()).unwrap();
        let refused = deal::standard(&chain, &other, &named, salt("t")).unwrap_err();
        assert!(matches!(refused, Undrawn::OtherSchedule(_)), "{refused}");
        assert_eq!(refused.code(), "COMPILE_ERROR_REFERENCE");
    }
}

#[test]
fn an_amended_paper_is_a_whole_paper_again() {
    let old = compiled("credit-memo");
    let mut chain = agreed(&old);
    let same = deal::amendment(&chain, &old, "Nothing", salt("a")).unwrap_err();
    assert_eq!(same.code(), "DOCUMENT_UNCHANGED");
    let text = paper("credit-memo");
    let longer = text.replacen("review_days = ", "review_days = 9 # ", 1);
    assert_ne!(longer, text);
    let new = check("a.paper.md", longer.as_bytes(), &[]).unwrap().paper(AcsVersion::Beta);
    let new = new.unwrap();
    assert_eq!(new.contract.service.review_days.get(), 9);
    let amendment = deal::amendment(&chain, &new, "Longer review", salt("a")).unwrap();
    let changed: Vec<_> = changes(&amendment);
    assert!(changed.contains(&"/service/review_days".to_owned()), "{changed:?}");
    // What was derived is derived anew, for its digests and exports cite the contract.
    let derived = |path: &String| path.starts_with("/compiled/");
    let rest = changed.iter().filter(|path| !derived(path) && **path != "/service/review_days");
    assert_eq!(rest.collect::<Vec<_>>(), [] as [&String; 0]);
    chain.append(both_sign(amendment, 2), &ring()).unwrap();
    assert_eq!(deal::read(chain.terms(), chain.prose().unwrap()), Ok(new));
}

fn changes(document: &Document) -> Vec<String> {
    match &document.node().body {
        Body::Amendment(it) => it.difference.iter().map(|it| it.path().to_owned()).collect(),
        other => panic!("{other:?}"),
    }
}

/// Two schedules of equal rank disagree: where the Paper says which value holds, that is settled;
/// where it is silent, it does not compile into the chain.
#[test]
fn what_precedence_does_not_settle_is_an_error() {
    let paper = compiled("museum-labels");
    let under = |first: serde_json::Value, second: serde_json::Value| {
        let mut chain = Chain::new();
        standard(&mut chain, Body::Schedule, first);
        standard(&mut chain, Body::Schedule, second);
        let msa = deal::standard(&chain, &template("msa"), &paper, salt("msa")).unwrap();
        chain.append(msa, &KeyRing::default()).unwrap();
        deal::paper(&chain, &paper, signers(), salt("paper"))
    };
    let settled = under(
        json!({ "service": { "review_days": 3 } }),
        json!({ "service": { "review_days": 30 } }),
    );
    assert!(settled.is_ok(), "the Paper says how long the review takes");
    let open = json!({ "audit": { "days": 3 } });
    assert!(under(open.clone(), open.clone()).is_ok(), "they agree");
    let refused = under(open, json!({ "audit": { "days": 30 } })).unwrap_err();
    assert_eq!(refused.code(), "COMPILE_ERROR_SCHEDULE_CONFLICT");
    assert!(refused.to_string().contains("`/audit/days`"), "{refused}");
}

/// What an amendment changes by hand, without deriving anew, is no Paper any more.
#[test]
fn data_that_were_changed_by_hand_are_noticed() {
    let paper = compiled("invoice-coding");
    let chain = agreed(&paper);
    let mut terms = chain.terms().clone();
    let cheaper = MinorUnits::new(1).unwrap().get();
    terms["price"]["amount"] = cheaper.into();
    assert!(deal::read(&terms, chain.prose().unwrap()).is_err());
    assert!(deal::read(chain.terms(), "Other words.\n").is_err());
}
