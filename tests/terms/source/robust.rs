//! No source makes the compiler panic, whatever was done to it, and limits hold.

use envelope_terms::contract::Code;
use envelope_terms::source::{DIAGNOSTICS_MAX, Look, Report, SOURCE_BYTES_MAX, Template, check};
use proptest::prelude::*;

use super::samples::{PAPERS, TEMPLATES, paper};

/// Everything that can be asked of a report holds together.
fn sound(report: &Report) {
    let text = report.text();
    for one in report.diagnostics() {
        assert!(text.get(one.start..one.end).is_some(), "{one:?}");
    }
    assert!(report.diagnostics().len() <= DIAGNOSTICS_MAX);
    for unicode in [false, true] {
        assert!(report.draw(Look { unicode, colour: unicode }).contains(report.file()));
    }
    let json = report.to_json().unwrap();
    assert!(envelope_evidence::canonical::is_canonical(&json));
}

fn tried(bytes: &[u8]) {
    match check("a.paper.md", bytes, &[]) {
        Ok(checked) => sound(checked.warnings()),
        Err(report) => {
            assert!(report.has_errors());
            sound(&report);
        }
    }
    if let Err(report) = Template::parse("a.template.md", bytes) {
        sound(&report);
    }
}

#[test]
fn cut_short_anywhere() {
    for (_, text) in [PAPERS[4], TEMPLATES[0]] {
        for end in (0..text.len()).step_by(7) {
            tried(&text.as_bytes()[..end]);
        }
    }
}

#[test]
fn limits_are_kept() {
    let code = |bytes: &[u8]| check("a", bytes, &[]).unwrap_err().diagnostics()[0].code;
    assert_eq!(code(&vec![b'x'; SOURCE_BYTES_MAX + 1]), Code::TooMany);
    assert_eq!(code(b"+++\n\xff"), Code::Source);
    let source = paper("museum-labels");
    let many = format!("{source}{}", "{{ nothing }}\n".repeat(20_000));
    let report = check("a", many.as_bytes(), &[]).unwrap_err();
    assert_eq!(report.diagnostics().len(), DIAGNOSTICS_MAX);
    assert!(report.more() > 0);
    let body = format!("{{{{ each criteria }}}}\n{}\n{{{{ end }}}}\n", "x".repeat(900_000));
    let report = check("a", format!("{source}{body}").as_bytes(), &[]).unwrap_err();
    assert!(report.diagnostics().iter().any(|one| one.code == Code::TooMany));
    let deep = format!("+++\na = {}1{}\n+++\n", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(code(deep.as_bytes()), Code::Source);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn edited_at_random(
        which in 0..10_usize,
        edits in prop::collection::vec(
            (any::<prop::sample::Index>(), 0..40_usize, prop_oneof![
                Just("".to_owned()), Just("{{ ".to_owned()), Just(" }}".to_owned()),
                Just("+++\n".to_owned()), Just("{{ each criteria }}\n".to_owned()),
                Just("{{ end }}\n".to_owned()), Just("## A {#a kind=price}\n".to_owned()),
                Just("\"".to_owned()), Just("[[criteria]]\n".to_owned()), Just("**".to_owned()),
                Just("\u{202e}".to_owned()), Just("\\".to_owned()), Just("\r".to_owned()),
                Just("-1".to_owned()), Just("1.5".to_owned()), "\\PC{0,6}",
            ]), 1..6),
    ) {
        let text = PAPERS.iter().chain(&TEMPLATES).nth(which).unwrap().1;
        let mut text = text.to_owned();
        for (at, length, with) in edits {
            let start = text.floor_char_boundary(at.index(text.len() + 1));
            let end = text.floor_char_boundary((start + length).min(text.len()));
            text.replace_range(start..end.max(start), &with);
        }
        tried(text.as_bytes());
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        tried(&bytes);
        tried(&[b"+++\n", &bytes[..], b"\n+++\n", &bytes[..]].concat());
    }
}
