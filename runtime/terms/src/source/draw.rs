//! Diagnostics drawn into the text they are about.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::diagnostic::{Diagnostic, Report, severity_name};
use crate::contract::Severity;

/// The columns that a drawing fills: a source line is cut to fit, a message is not.
const COLUMNS: usize = 120;

/// How diagnostics are drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Look {
    /// With line-drawing characters.
    pub unicode: bool,
    /// With the colours of a terminal.
    pub colour: bool,
}

/// Every diagnostic, one below the other, and how many there are.
pub(super) fn report(report: &Report, look: Look) -> String {
    let renderer = if look.colour { Renderer::styled() } else { Renderer::plain() };
    let decor = if look.unicode { DecorStyle::Unicode } else { DecorStyle::Ascii };
    let renderer = renderer.decor_style(decor).term_width(COLUMNS);
    let mut drawn = String::new();
    for one in report.diagnostics() {
        drawn.push_str(&diagnostic(report, one, &renderer));
        drawn.push_str("\n\n");
    }
    drawn.push_str(&sum(report));
    drawn
}

fn diagnostic(report: &Report, one: &Diagnostic, renderer: &Renderer) -> String {
    let level = match one.severity() {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mark = AnnotationKind::Primary.span(one.start..one.end).label(one.code.meaning());
    let snippet = Snippet::source(report.text()).path(report.file()).annotation(mark);
    let title = level.primary_title(one.message.as_str()).id(one.code.name());
    let group = title.element(snippet).element(Level::HELP.message(one.help.as_str()));
    renderer.render(&[group])
}

fn sum(report: &Report) -> String {
    let count = |severity| {
        let found = report.diagnostics().iter().filter(|one| one.severity() == severity).count();
        (found > 0).then(|| {
            let plural = if found == 1 { "" } else { "s" };
            format!("{found} {}{plural}", severity_name(severity))
        })
    };
    let counts = [count(Severity::Error), count(Severity::Warning)];
    let mut sum = Vec::from_iter(counts.into_iter().flatten()).join(", ");
    if report.more() > 0 {
        sum.push_str(&format!(", and {} more", report.more()));
    }
    format!("{}: {}\n", report.file(), if sum.is_empty() { "no flaw" } else { &sum })
}
