//! Whole Papers compile, always to the same bytes, and fix what their runs may do.

use envelope_evidence::{Dimension, Label, Timestamp};
use envelope_rules::grant::Jti;
use envelope_rules::guard::{Capability, Warrant};
use envelope_terms::export::AcsVersion;
use envelope_terms::source::{BadPaper, Kind, Paper, check};

use super::samples::{PAPERS, TEMPLATES, checked, paper, template};
use crate::golden;

const ACS: AcsVersion = AcsVersion::Beta;

#[test]
fn papers_compile_to_the_reviewed_bytes() {
    for (name, _) in PAPERS {
        let checked = checked(name);
        assert_eq!(checked.warnings().diagnostics(), [], "{name}");
        golden::check(&format!("terms/papers/{name}.md"), checked.prose());
        let paper = checked.paper(ACS).unwrap();
        let pretty = serde_json::to_string_pretty(&paper).unwrap() + "\n";
        golden::check(&format!("terms/papers/{name}.json"), &pretty);
    }
}

#[test]
fn line_ends_do_not_matter() {
    for (name, text) in PAPERS {
        let windows = text.replace('\n', "\r\n");
        let other = check(&format!("{name}.paper.md"), windows.as_bytes(), &[]).unwrap();
        let bytes = |checked: envelope_terms::source::Checked| {
            checked.paper(ACS).unwrap().to_bytes().unwrap()
        };
        assert_eq!(bytes(other), bytes(checked(name)), "{name}");
    }
}

#[test]
fn a_paper_is_read_back_and_an_altered_one_is_not() {
    let paper = checked("credit-memo").paper(ACS).unwrap();
    let bytes = paper.to_bytes().unwrap();
    let terms = paper.terms().unwrap();
    assert!(terms.contains_key("contract") && !terms.contains_key("prose"));
    assert_eq!(Paper::read(&bytes), Ok(paper));
    let text = String::from_utf8(bytes).unwrap();
    for (from, to, part) in [
        ("The memo is a draft.", "The memo is final.", "hashes"),
        ("\"amount\":175000,\"currency\"", "\"amount\":175001,\"currency\"", ""),
        ("\"life_seconds\":7200", "\"life_seconds\":7201", "grant"),
        ("\"capabilities\":[\"files\"", "\"capabilities\":[", "shape"),
        ("\"cedar/", "\"cedax/", "shape"),
        ("\"acs\":\"0.3.1-beta\"", "\"acs\":\"0.3.0-alpha\"", "exports"),
        ("\"session_seconds\":7200", "\"session_seconds\":7201", "warrant"),
    ] {
        let altered = text.replace(from, to);
        assert_ne!(altered, text, "{from}");
        match (Paper::read(altered.as_bytes()), part) {
            (Err(BadPaper::Part(found)), part) => assert_eq!(found, part),
            (Err(BadPaper::Contract(_)), "") | (Err(BadPaper::Shape(_)), "shape") => {}
            (other, _) => panic!("{from}: {other:?}"),
        }
    }
}

#[test]
fn a_warrant_says_what_the_paper_fixes() {
    let paper = checked("clinic-letters").paper(ACS).unwrap();
    let now = Timestamp::from_secs(1_800_000_000).unwrap();
    let document = paper.warrant(Label::new("run-7").unwrap(), now).unwrap();
    let warrant = Warrant::new(document.clone()).unwrap();
    let contract = &paper.contract;
    assert_eq!(warrant.run(), "run-7");
    assert_eq!(warrant.agent(), "did:web:plainword.example:letter-writer");
    assert_eq!(warrant.deadline().millis_since(now), 600_000);
    assert_eq!(document.paper, Some(paper.digest().unwrap()));
    assert_eq!(document.criteria, Some(paper.hashes.criteria));
    assert_eq!(document.component, contract.agent.release.component);
    assert_eq!(document.budget.get(Dimension::NanoUsd), Some(800_000_000));
    assert_eq!(document.budget.get(Dimension::WallMs), Some(600_000));
    assert_eq!(document.models[0].max_output, contract.caps.task.tokens.get());
    assert_eq!(document.agents[0].as_str(), "did:web:plainword.example:style-checker");
    let can = |capability| warrant.capabilities().contains(capability);
    assert!(can(Capability::Agents) && can(Capability::Files) && can(Capability::Model));
    assert!(!can(Capability::Http), "no host is listed");
    let content: Vec<_> = document.content.iter().map(ToString::to_string).collect();
    assert_eq!(content, ["deny:card-number", "ask:api-key"]);
    let sealed = checked("museum-labels").paper(ACS).unwrap();
    assert!(!sealed.warrant.capabilities.contains(Capability::Agents));

    let jti = Jti::parse("grt_01ARZ3NDEKTSV4RRFFQ69G5FAV").unwrap();
    let claims = paper.grant.claims(jti, &document.run, document.paper.unwrap(), now);
    assert_eq!((claims.exp - claims.iat, claims.iat), (600, 1_800_000_000));
    assert_eq!(claims.outputs.unwrap().as_str(), "outputs/");
    assert_eq!(serde_json::to_value(&claims.paths).unwrap(), serde_json::json!(["episode/*.json"]));
}

#[test]
fn templates_have_their_clauses_and_serve_every_paper() {
    let kinds = TEMPLATES.map(|(name, _)| template(name).kind());
    let mut known = Kind::ALL.to_vec();
    known.retain(|kind| !kinds.contains(kind));
    assert_eq!(known, [], "each kind has a template");
    for (name, _) in TEMPLATES {
        let template = template(name);
        for (paper, _) in PAPERS {
            let contract = checked(paper).contract().clone();
            let prose = template.render(&contract).unwrap();
            template.read(&contract, "rendered.md", &prose).unwrap();
        }
    }
    let contract = checked("tender-digest").contract().clone();
    golden::check("terms/papers/msa.md", &template("msa").render(&contract).unwrap());
}

#[test]
fn a_template_cannot_do_without_its_clauses() {
    let text = TEMPLATES[0].1;
    for subject in Kind::Msa.mandatory() {
        let mark = format!(" kind={}", subject.name());
        let missing = text.replacen(&format!("{mark}}}"), "}", 1);
        assert_ne!(missing, text);
        let report =
            envelope_terms::source::Template::parse("msa", missing.as_bytes()).unwrap_err();
        let told = &report.diagnostics()[0];
        assert_eq!(told.code.name(), "COMPILE_ERROR_CLAUSE");
        assert!(told.message.contains(subject.name()), "{}", told.message);
        assert_eq!(&report.text()[told.start..told.end], "\"msa\"");
    }
}

#[test]
fn a_paper_may_be_written_in_the_words_of_a_template() {
    let service = template("service-paper");
    let words = paper("invoice-coding");
    let named = format!("kind = \"paper\", template = \"{}\"", service.digest());
    let slots = words.replace("kind = \"paper\"", &named);
    let own = check("a.paper.md", slots.as_bytes(), &[]).unwrap();
    let data = slots.split("+++\n").nth(1).unwrap();
    let rendered = format!("+++\n{data}+++\n\n{}", own.prose());
    let by = check("b.paper.md", rendered.as_bytes(), &[service]).unwrap();
    assert_eq!(by.paper(ACS).unwrap(), own.paper(ACS).unwrap());
}
