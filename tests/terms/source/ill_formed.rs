//! Ill-formed contracts, each made from a whole one by one edit, told by its code at its place.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use envelope_terms::contract::Code;
use envelope_terms::source::{Look, Report, check};

use super::samples::{draw, paper};
use crate::golden;

/// A contract to spoil: its Paper, what is replaced by what, and then the code and the text at the
/// place that is told.
type Case = (&'static str, &'static str, &'static str, Code, &'static str);

const TENDER: &str = "tender-digest";
const CLINIC: &str = "clinic-letters";
const MEMO: &str = "credit-memo";
const LABELS: &str = "museum-labels";

/// What is wrong with the file, its data and their types.
const FORM: [Case; 16] = [
    (
        LABELS,
        "+++\ndocument",
        "document",
        Code::Source,
        "document = { v = 1, kind = \"paper\", msa \
     = \"sha256:dd015c8a9a30da1baf782ef867c702e26ce93f926b00e493d493d710ca808625\" }",
    ),
    (LABELS, "+++\n\n# {{ title }}", "\n# {{ title }}", Code::Source, "+++"),
    (LABELS, "v = 1,", "v = 2,", Code::Source, "2"),
    (LABELS, "kind = \"paper\"", "kind = \"msa\"", Code::Source, "\"msa\""),
    (LABELS, "kind = \"paper\"", "kind = \"lease\"", Code::Shape, "\"lease\""),
    (LABELS, "amount = 180_000", "amount =", Code::Syntax, ""),
    (LABELS, "amount = 180_000", "amount = 180_000\namount = 1", Code::Syntax, "amount"),
    (LABELS, "amount = 180_000", "amount = 180000.0", Code::Shape, "180000.0"),
    (LABELS, "amount = 180_000", "amount = \"180000\"", Code::Shape, "\"180000\""),
    (LABELS, "amount = 180_000", "amount = 0", Code::Shape, "0"),
    (
        LABELS,
        "amount = 180_000",
        "amount = 9_007_199_254_740_992",
        Code::Shape,
        "9_007_199_254_740_992",
    ),
    (LABELS, "amount = 180_000", "ammount = 180_000", Code::Shape, "ammount"),
    (LABELS, "currency = \"JPY\"\n", "", Code::Shape, "price"),
    (LABELS, "version = \"0.9.0\"", "version = 2026-11-21", Code::Shape, "2026-11-21"),
    (LABELS, "id = \"there\"", "id = \"There\"", Code::Shape, "\"There\""),
    (
        LABELS,
        "{ email = \"contracts@kamo-museum.example\", address = [\"Kamo River Museum of Prints\", \
         \"Sakyo-ku\", \"Kyoto 606-8343\", \"Japan\"] }",
        "[\"contracts@kamo-museum.example\", [\"Kamo River Museum of Prints\", \"Sakyo-ku\", \
         \"Kyoto 606-8343\", \"Japan\"] ]",
        Code::Shape,
        "notice",
    ),
];

/// What several fields say together.
const SENSE: [Case; 20] = [
    (TENDER, "escrow = 252_000", "escrow = 251_999", Code::Price, "251_999"),
    (TENDER, "calls = 4000", "calls = 1999", Code::Caps, "1999"),
    (TENDER, "id = \"coverage\"", "id = \"table-shape\"", Code::Duplicate, "\"table-shape\""),
    (TENDER, "deliverable = \"table\"", "deliverable = \"tables\"", Code::Reference, "\"tables\""),
    (TENDER, "weight = 4000\ndue", "weight = 4001\ndue", Code::Weights, "milestones"),
    (
        TENDER,
        "criteria = [\"table-shape\", \"coverage\"]",
        "criteria = [\"coverage\"]",
        Code::Milestones,
        "\"table-shape\"",
    ),
    (TENDER, "\"outputs/digest/report.md\"", "\"report.md\"", Code::Outputs, "\"report.md\""),
    (TENDER, "\"profile/**\"", "\"/etc/**\"", Code::Scope, "\"/etc/**\""),
    (TENDER, "\"*.gazette.example\"", "\"*.com\"", Code::Scope, "\"*.com\""),
    (TENDER, "min = 300, max = 5000", "min = 5000, max = 300", Code::Check, "rule"),
    (
        TENDER,
        "evidence = [\"file\", \"evaluation\"]",
        "evidence = [\"file\"]",
        Code::Evidence,
        "evidence",
    ),
    (
        TENDER,
        "models = [\"northwind/atlas-2\", ",
        "models = [",
        Code::Model,
        "\"northwind/atlas-2\"",
    ),
    (
        TENDER,
        "class = \"VERSION_PINNED\"",
        "class = \"ATTESTED\"",
        Code::Fingerprint,
        "\"ATTESTED\"",
    ),
    (TENDER, "refund_from = 6000", "refund_from = 4000", Code::Panel, "4000"),
    (
        TENDER,
        "did:web:arbiters.example:chiara-bernasconi",
        "did:web:lantern.example",
        Code::Neutrality,
        "\"did:web:lantern.example\"",
    ),
    (TENDER, "resolution_hours = 48", "resolution_hours = 4", Code::Service, "4"),
    (TENDER, "human = \"always\"", "human = \"last-resort\"", Code::Remedy, "\"last-resort\""),
    (
        TENDER,
        "did = \"did:web:lantern.example\"",
        "did = \"did:web:helvetia-hochbau.example\"",
        Code::Parties,
        "\"did:web:helvetia-hochbau.example\"",
    ),
    (
        LABELS,
        "data_classification = \"internal\"",
        "data_classification = \"restricted\"",
        Code::Clearance,
        "\"internal\"",
    ),
    (MEMO, "provider = \"halcyon\"", "provider = \"boreal\"", Code::Neutrality, "\"boreal\""),
];

/// What schedules, the law and common sense ask.
const RULES: [Case; 13] = [
    (TENDER, "letters = \"T\"", "letters = \"CY\"", Code::Schedules, "\"CY\""),
    (TENDER, "letters = \"T\"", "letters = \"QQ\"", Code::Schedules, "\"QQ\""),
    (TENDER, "response_hours = 8", "response_hours = 36", Code::Schedules, "36"),
    (CLINIC, "training = false", "training = true", Code::Schedules, "true"),
    (CLINIC, "stakes = \"critical\"", "stakes = \"standard\"", Code::Schedules, "\"standard\""),
    (CLINIC, "class = \"CONTENT_HASHED\"", "class = \"DECLARED\"", Code::Schedules, "\"DECLARED\""),
    (
        MEMO,
        "host = \"data.filings.example\"",
        "host = \"data.filings.example\"\nschemes = [\"http\"]",
        Code::Schedules,
        "schemes",
    ),
    (
        TENDER,
        "name = \"web.search\"",
        "name = \"web.face-scraping\"",
        Code::Prohibited,
        "\"web.face-scraping\"",
    ),
    (
        LABELS,
        "title = \"The labels\"",
        "title = \"Social scoring of staff\"",
        Code::Prohibited,
        "\"Social scoring of staff\"",
    ),
    (LABELS, "shows woodblock", "shows\u{200b} woodblock", Code::Prohibited, "\u{200b}"),
    (LABELS, "shows woodblock", "shows <!-- not --> woodblock", Code::Prohibited, "<"),
    (
        LABELS,
        "shows woodblock",
        "shows ![](https://a.example/b.png) woodblock",
        Code::Prohibited,
        "![",
    ),
    (
        LABELS,
        "outputs = \"labels/\"",
        "outputs = \"labels/\"\nactions = [{ name = \"mail.send\", \
     clearance = \"public\" }]",
        Code::HumanReview,
        "\"mail.send\"",
    ),
];

/// What the prose does not say as it should.
const PROSE: [Case; 19] = [
    (LABELS, "{{ price.amount }}", "{{ price.amunt }}", Code::Slot, "{{ price.amunt }}"),
    (
        LABELS,
        "{{ price.amount }}",
        "{{ price.service_fee }}",
        Code::Slot,
        "{{ price.service_fee }}",
    ),
    (LABELS, "{{ price.amount }}", "{{ price }}", Code::Slot, "{{ price }}"),
    (LABELS, "{{ price.amount }}", "{{ price amount }}", Code::Slot, "{{ price amount }}"),
    (
        LABELS,
        "{{ price.amount }}",
        "{{ price.amount",
        Code::Slot,
        "{{ price.amount, paid in before \
     the work begins, and back in part as far as a label is missing.",
    ),
    (LABELS, "{{ .statement }}", "{{ .sentence }}", Code::Slot, "{{ .sentence }}"),
    (LABELS, "{{ price.amount }}", "{{ .amount }}", Code::Slot, "{{ .amount }}"),
    (
        LABELS,
        "weighs {{ .weight }}.\n{{ end }}",
        "weighs {{ .weight }}.",
        Code::Slot,
        "{{ each price.service_fee }}",
    ),
    (
        LABELS,
        "earns {{ . }}.\n{{ end }}",
        "earns {{ . }}.\n{{ end }}\n{{ end }}",
        Code::Slot,
        "{{ end }}",
    ),
    (LABELS, "without any access", "without **any** access", Code::Slot, "**"),
    (LABELS, "{#price kind=price}", "{#price}", Code::Clause, "\"paper\""),
    (LABELS, "{#price kind=price}", "{#Price kind=price}", Code::Clause, "{#Price kind=price}"),
    (LABELS, "{#price kind=price}", "{#price kind=cost}", Code::Clause, "{#price kind=cost}"),
    (
        LABELS,
        "{#price kind=price}",
        "{#acceptance kind=price}",
        Code::Duplicate,
        "## What is paid {#acceptance kind=price}",
    ),
    (
        LABELS,
        "The {{ ip.deliverables }}. {{ ip.licence }} May the developer learn from them? \
     {{ ip.training }}.\n",
        "",
        Code::Clause,
        "## Who owns the labels {#ip kind=ip}",
    ),
    (
        LABELS,
        "{{ price.amount }}",
        "{{ price.amount = JPY 180,001 }}",
        Code::Fidelity,
        "{{ price.amount = JPY 180,001 }}",
    ),
    (LABELS, "{{ price.amount }}", "JPY 180,000", Code::Fidelity, "JPY 180,000"),
    (
        LABELS,
        "- {{ .statement }} This weighs {{ .weight }}.",
        "- A criterion.",
        Code::Fidelity,
        "\"The labels are delivered.\"",
    ),
    (
        LABELS,
        "kind = \"paper\"",
        "kind = \"paper\", template = \"sha256:\
     dd015c8a9a30da1baf782ef867c702e26ce93f926b00e493d493d710ca808625\"",
        Code::Fidelity,
        "\"sha256:dd015c8a9a30da1baf782ef867c702e26ce93f926b00e493d493d710ca808625\"",
    ),
];

#[test]
fn each_is_told_by_its_code_at_its_place() {
    let (mut drawn, mut wrong) = (String::new(), Vec::new());
    for (at, case) in cases().enumerate() {
        let (name, from, to, code, place) = *case;
        let report = spoiled(case);
        let told = report.diagnostics().iter();
        let mut told = told.map(|one| (one.code, &report.text()[one.start..one.end]));
        if !told.any(|one| one == (code, place)) {
            wrong.push(format!("{from:?} -> {to:?}\n{}", draw(&report)));
        }
        writeln!(drawn, "# {} {name}: {from:?} -> {to:?}\n\n{}", at + 1, draw(&report)).unwrap();
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    golden::check("terms/diagnostics.txt", &drawn);
}

#[test]
fn every_code_is_in_the_set() {
    let told: BTreeSet<_> = cases().map(|case| case.3).collect();
    let all = Code::ALL.iter().filter(|code| !told.contains(code)).map(|code| code.name());
    // Limits are tested where sources are made that pass them.
    assert_eq!(all.collect::<Vec<_>>(), ["COMPILE_ERROR_TOO_MANY"]);
    assert!(cases().count() >= 40);
}

#[test]
fn the_codes_are_the_ones_published() {
    let rows = Code::ALL
        .iter()
        .map(|code| format!("{}\n    {}\n    {}\n", code.name(), code.meaning(), code.help()));
    golden::check("terms/codes.txt", &rows.collect::<String>());
}

#[test]
fn a_report_is_told_to_programs_too() {
    let source = paper(LABELS)
        .replace("amount = 180_000", "amount = 180_001")
        .replace("{{ title }}", "{{ titel }}")
        .replace("outputs = \"labels/\"", "outputs = \"/\"");
    let report = check("a.paper.md", source.as_bytes(), &[]).unwrap_err();
    assert_eq!(report.diagnostics().len(), 3);
    let json: serde_json::Value = serde_json::from_slice(&report.to_json().unwrap()).unwrap();
    golden::check("terms/report.json", &(serde_json::to_string_pretty(&json).unwrap() + "\n"));
    let unicode = report.draw(Look { unicode: true, colour: false });
    golden::check("terms/report.txt", &unicode);
}

#[test]
fn a_warning_does_not_stop_the_compiler() {
    let case = RULES.iter().find(|case| case.3 == Code::HumanReview).unwrap();
    let source = paper(case.0).replacen(case.1, case.2, 1);
    let checked = check("a.paper.md", source.as_bytes(), &[]).unwrap();
    assert_eq!(checked.warnings().diagnostics().len(), 1);
}

fn cases() -> impl Iterator<Item = &'static Case> {
    FORM.iter().chain(&SENSE).chain(&RULES).chain(&PROSE)
}

/// What is told of a spoiled contract.
fn spoiled((name, from, to, ..): &Case) -> Report {
    let source = paper(name);
    assert!(source.contains(from), "{name} has no {from:?}");
    let source = source.replacen(from, to, 1);
    match check(&format!("{name}.paper.md"), source.as_bytes(), &[]) {
        Ok(checked) => checked.warnings().clone(),
        Err(report) => report,
    }
}
