//! Whole, realistic sources, and what tests do with them.

use envelope_terms::source::{Checked, Look, Report, Template, check};

/// The sources of Papers, by name.
pub const PAPERS: [(&str, &str); 5] = [
    ("tender-digest", include_str!("../papers/tender-digest.paper.md")),
    ("invoice-coding", include_str!("../papers/invoice-coding.paper.md")),
    ("clinic-letters", include_str!("../papers/clinic-letters.paper.md")),
    ("credit-memo", include_str!("../papers/credit-memo.paper.md")),
    ("museum-labels", include_str!("../papers/museum-labels.paper.md")),
];

/// The templates that the operator offers, by name.
pub const TEMPLATES: [(&str, &str); 8] = [
    ("msa", include_str!("../../../policies/msa.template.md")),
    ("service-paper", include_str!("../../../policies/service-paper.template.md")),
    ("tos", include_str!("../../../policies/tos.template.md")),
    ("base-terms", include_str!("../../../policies/base-terms.template.md")),
    ("schedule", include_str!("../../../policies/schedule.template.md")),
    ("nda", include_str!("../../../policies/nda.template.md")),
    ("dpa", include_str!("../../../policies/dpa.template.md")),
    ("side-letter", include_str!("../../../policies/side-letter.template.md")),
];

/// The source of the Paper called `name`.
pub fn paper(name: &str) -> &'static str {
    PAPERS.iter().find(|(known, _)| *known == name).unwrap().1
}

/// The template called `name`.
pub fn template(name: &str) -> Template {
    let (_, text) = TEMPLATES.iter().find(|(known, _)| *known == name).unwrap();
    let parsed = Template::parse(&format!("{name}.template.md"), text.as_bytes());
    parsed.unwrap_or_else(|report| panic!("{}", draw(&report)))
}

/// The source called `name`, without errors.
pub fn checked(name: &str) -> Checked {
    compiled(&format!("{name}.paper.md"), paper(name))
}

/// A source without errors.
pub fn compiled(file: &str, text: &str) -> Checked {
    check(file, text.as_bytes(), &[]).unwrap_or_else(|report| panic!("{}", draw(&report)))
}

/// The report, drawn plainly.
pub fn draw(report: &Report) -> String {
    report.draw(Look::default())
}
