//! A source is a Paper that reads back as itself, or a report whose places lie in the source. A
//! compiled Paper has one spelling.
#![no_main]

use envelope_terms::export::AcsVersion;
use envelope_terms::source::{Look, Paper, Report, Template, check};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match check("a.paper.md", bytes, &[]) {
        Ok(checked) => {
            sound(checked.warnings());
            let paper = checked.paper(AcsVersion::default()).unwrap();
            assert_eq!(Paper::read(&paper.to_bytes().unwrap()).as_ref(), Ok(&paper));
        }
        Err(report) => sound(&report),
    }
    if let Err(report) = Template::parse("a.template.md", bytes) {
        sound(&report);
    }
    if let Ok(paper) = Paper::read(bytes) {
        assert_eq!(paper.to_bytes().as_deref(), Ok(bytes));
    }
});

fn sound(report: &Report) {
    let text = report.text();
    assert!(report.diagnostics().iter().all(|one| text.get(one.start..one.end).is_some()));
    assert!(!report.to_json().unwrap().is_empty());
    report.draw(Look::default());
}
