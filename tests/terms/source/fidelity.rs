//! Prose and data say the same: rendered prose is read back, and a changed word or number is found.

use envelope_terms::contract::Code;
use envelope_terms::source::{Report, check};
use proptest::prelude::*;
use serde_json::Value;

use super::samples::{PAPERS, TEMPLATES, checked, compiled, paper, template};

#[test]
fn prose_to_data_to_prose_is_the_identity() {
    for (name, _) in PAPERS {
        let checked = checked(name);
        let contract = serde_json::to_value(checked.contract()).unwrap();
        for (template_name, _) in TEMPLATES {
            let template = template(template_name);
            let prose = template.render(checked.contract()).unwrap();
            let values = template.read(checked.contract(), "prose.md", &prose).unwrap();
            let slots = template.text().contains("{{");
            assert_eq!(values.len() >= 2, slots, "{template_name}");
            for (pointer, value) in values {
                assert_eq!(contract.pointer(&pointer), Some(&value), "{pointer}");
            }
        }
    }
}

/// Every single change of a byte in rendered prose is found, at its place.
#[test]
fn every_changed_letter_is_found() {
    let (service, checked) = (template("service-paper"), checked("museum-labels"));
    let prose = service.render(checked.contract()).unwrap();
    for (at, letter) in prose.char_indices() {
        let other = if letter == 'x' { 'y' } else { 'x' };
        let changed = format!("{}{other}{}", &prose[..at], &prose[at + letter.len_utf8()..]);
        let report = service.read(checked.contract(), "prose.md", &changed).unwrap_err();
        let told = &report.diagnostics()[0];
        assert_eq!(told.code, Code::Fidelity);
        let near = told.start <= at + 2 && at <= told.end + 2;
        assert!(near, "{at} {told:?}");
    }
}

#[test]
fn changed_prose_in_a_source_is_found() {
    let service = template("service-paper");
    let named = format!("kind = \"paper\", template = \"{}\"", service.digest());
    let source = paper("invoice-coding").replace("kind = \"paper\"", &named);
    let prose = compiled("a.paper.md", &source).prose().to_owned();
    let data = source.split("+++\n").nth(1).unwrap();
    let rendered = format!("+++\n{data}+++\n\n{prose}");
    let told = |from: &str, to: &str, newline: &str| {
        let changed = rendered.replace(from, to).replace('\n', newline);
        let report = check("a.paper.md", changed.as_bytes(), &[template("service-paper")]);
        let report = report.unwrap_err();
        let marked = |one: &envelope_terms::source::Diagnostic| {
            (one.code.name(), report.text()[one.start..one.end].to_owned())
        };
        report.diagnostics().iter().map(marked).collect::<Vec<_>>()
    };
    let fidelity = "COMPILE_ERROR_FIDELITY";
    for newline in ["\n", "\r\n"] {
        let amount = told("earns **EUR 480.00**", "earns **EUR 470.00**", newline);
        assert_eq!(amount, [(fidelity, "EUR 470.00".to_owned())]);
        let two = told("**EUR 480.00**", "**EUR 480**", newline);
        assert_eq!(two.len(), 2);
        let words = told("is not allowed", "is allowed", newline);
        assert_eq!(words[0].0, fidelity);
        assert!(words[0].1.starts_with("allowed"), "{words:?}");
        let more =
            told("courts sit in\n**Bolzano**.", "courts sit in\n**Bolzano**.\n\nNot.", newline);
        assert_eq!(more, [(fidelity, "Not.".to_owned())]);
    }
}

#[test]
fn a_filled_slot_has_to_say_what_the_data_say() {
    let source = paper("museum-labels");
    let filled = |said: &str| {
        let slot = format!("{{{{ price.amount = {said} }}}}");
        check("a", source.replace("{{ price.amount }}", &slot).as_bytes(), &[])
    };
    let plain = compiled("a", source);
    assert_eq!(filled("JPY 180,000").unwrap().prose(), plain.prose());
    for wrong in ["JPY 180,001", "JPY 180000", "180,000", "", "EUR 180,000"] {
        let report = filled(wrong).unwrap_err();
        assert_eq!(codes(&report), [Code::Fidelity], "{wrong}");
    }
}

fn codes(report: &Report) -> Vec<Code> {
    report.diagnostics().iter().map(|one| one.code).collect()
}

proptest! {
    /// Whatever a value holds, it stays in its slot: it is read back, and opens no clause.
    #[test]
    fn no_value_leaves_its_slot(
        title in "[ -~éß€]{0,12}[!-~]",
        words in "[*_#{}<>;\\\\`|~&\\[\\]()a-c ]{0,16}",
    ) {
        let (title, words) = (title.trim(), format!("{words}."));
        let (title, words) = (title.trim(), words.trim());
        let checked = checked("tender-digest");
        let mut contract = serde_json::to_value(checked.contract()).unwrap();
        contract["title"] = Value::from(title);
        contract["deliverables"][0]["title"] = Value::from(words);
        contract["liability"]["carve_outs"] = Value::from(vec![words, title]);
        let contract = envelope_terms::contract::read(&contract).unwrap().contract;
        for (name, _) in TEMPLATES {
            let template = template(name);
            let prose = template.render(&contract).unwrap();
            let headings = |prose: &str| {
                prose.lines().filter(|line| line.starts_with('#')).count()
            };
            prop_assert_eq!(headings(&prose), headings(template.text()));
            let values = template.read(&contract, "prose.md", &prose);
            prop_assert!(values.is_ok(), "{}", prose);
        }
    }
}
