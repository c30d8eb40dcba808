//! The compiler: from one file that people write to the Paper that machines enforce.
//!
//! A source is data in TOML between two lines `+++`, then prose in Markdown. The prose has slots,
//! `{{ price.amount }}`, which stand for values of the data; a heading names its clause and what it
//! is about, `## Liability {#liability kind=liability}`. Between `{{ each criteria }}` and
//! `{{ end }}` prose is repeated for each entry, where a path may begin: `{{ .statement }}`.
//!
//! [`check`] reads, types and cross-checks a source and tells everything it finds at once;
//! [`Checked::paper`] makes the [`Paper`]. The same source makes the same bytes.
//!
//! In rendered prose each value stands between `**`, and nothing else does. So prose can be read
//! back: words between values have to be those of the template, values those of the data. A slot
//! may carry what somebody wrote into it, `{{ price.amount = CHF 2,400.00 }}`; a source that names
//! its template may hold prose that is rendered already.

mod clause;
mod data;
mod diagnostic;
mod draw;
mod field;
mod fill;
mod front;
mod order;
mod paper;
mod prohibited;
mod prose;
mod schedule;
pub(crate) mod shape;
mod template;
mod terms;
mod value;

use std::ops::Range;

use envelope_evidence::Digest;
use serde_json::Value;

use crate::contract::{self, Code, Contract, Flaw, Severity};
use crate::export::{self, AcsVersion, export_digests};
use data::Data;
use fill::Filled;
use template::Apart;

pub use clause::{CLAUSES_MAX, Clause, Kind, Subject};
pub use diagnostic::{DIAGNOSTICS_MAX, Diagnostic, Report};
pub use draw::Look;
pub use fill::{PARTS_MAX, RENDERED_BYTES_MAX};
pub use front::SOURCE_BYTES_MAX;
pub use order::{GrantTemplate, WarrantTemplate};
pub use paper::{BadPaper, Hashes, Paper, Status};
pub use prose::SLOTS_MAX;
pub use template::Template;

/// A source without errors, ready to become a Paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    contract: Contract,
    prose: String,
    template: Digest,
    clauses: Vec<Clause>,
    msa: Option<Digest>,
    warrant: WarrantTemplate,
    grant: GrantTemplate,
    warnings: Report,
}

impl Checked {
    /// The data.
    pub const fn contract(&self) -> &Contract {
        &self.contract
    }

    /// The prose, rendered.
    pub fn prose(&self) -> &str {
        &self.prose
    }

    /// What is worth a look and stops nothing.
    pub const fn warnings(&self) -> &Report {
        &self.warnings
    }

    /// The Paper, with the digests of the policies that follow from its contract. `acs` is the
    /// version of the Agent Control Specification they are written for.
    pub fn paper(self, acs: AcsVersion) -> Result<Paper, export::Refused> {
        Ok(Paper {
            v: Paper::VERSION,
            status: Status::Compiled,
            msa: self.msa,
            exports: export_digests(&self.contract, acs)?,
            hashes: Hashes::of(&self.contract, &self.prose, self.template)?,
            contract: self.contract,
            prose: self.prose,
            clauses: self.clauses,
            warrant: self.warrant,
            grant: self.grant,
        })
    }
}

/// Checks the source of a Paper, called `file` in what is told about it. `templates` are those that
/// a source may name; a source with slots of its own needs none.
pub fn check(file: &str, bytes: &[u8], templates: &[Template]) -> Result<Checked, Report> {
    let text = template::text(file, bytes)?;
    let mut found = Vec::new();
    let checked = checked(text, templates, &mut found);
    let report = Report::new(file, text, found);
    match checked {
        Some(checked) if !report.has_errors() => Ok(Checked { warnings: report, ..checked }),
        _ => Err(report),
    }
}

fn checked(text: &str, templates: &[Template], found: &mut Vec<Diagnostic>) -> Option<Checked> {
    let mut apart = match template::apart(text, found) {
        Ok(apart) => apart,
        Err(diagnostic) => {
            found.push(diagnostic);
            return None;
        }
    };
    let whole = apart.parts.fence.clone();
    let terms = terms(&mut apart.data);
    let contract = contract(&terms, &apart.data, &whole, found);
    let header = apart.header.as_ref();
    if let Some(header) = header.filter(|header| header.kind != Kind::Paper) {
        let span = apart.data.span("/document/kind").unwrap_or(whole);
        let message = format!("`{}` is a template, not a contract", header.kind.name());
        found.push(Diagnostic::new(Code::Source, span, message));
        return None;
    }
    let filled =
        contract.as_ref().map(|contract| serde_json::to_value(contract).unwrap_or_default());
    let (root, partial) = (filled.as_ref().unwrap_or(&terms), filled.is_none());
    let (prose, words) = match said(text, &apart, templates, root, partial, found) {
        Said::Here(prose) => (prose, &apart.prose),
        Said::By(template, prose) => (prose, &template.prose),
        Said::Nothing => return None,
    };
    let contract = contract?;
    let warrant = flawless(WarrantTemplate::of(&contract), &apart, found)?;
    let grant = flawless(GrantTemplate::of(&contract), &apart, found)?;
    Some(Checked {
        prose,
        template: Digest::of(words.text.as_bytes()),
        clauses: words.clauses(),
        msa: header.and_then(|header| header.msa),
        contract,
        warrant,
        grant,
        warnings: Report::new("", "", Vec::new()),
    })
}

/// The data without what they say about their document.
fn terms(data: &mut Data) -> Value {
    let mut terms = data.value.clone();
    if let Some(map) = terms.as_object_mut() {
        map.remove("document");
    }
    terms
}

/// The typed contract, with everything that is wrong with it told.
fn contract(
    terms: &Value,
    data: &Data,
    whole: &Range<usize>,
    found: &mut Vec<Diagnostic>,
) -> Option<Contract> {
    let told: Vec<_> = found.iter().filter(|one| one.code == Code::Shape).cloned().collect();
    let mut tell = |flaws: Vec<Flaw>| {
        let flaws = flaws.iter().map(|flaw| data.diagnostic(flaw, whole));
        // A value that TOML has and contracts have not is told already.
        found.extend(flaws.filter(|new| {
            new.code != Code::Shape
                || !told.iter().any(|one| (one.start, one.end) == (new.start, new.end))
        }));
    };
    let contract: Contract = match contract::located(terms) {
        Ok(contract) => contract,
        Err(_) => {
            tell(contract::read(terms).err().unwrap_or_default());
            return None;
        }
    };
    let flaws = contract.validate();
    let errors = flaws.iter().any(|flaw| flaw.code.severity() == Severity::Error);
    tell(flaws);
    tell(schedule::conflicts(&contract));
    tell(schedule::unattended(&contract));
    found.extend(prohibited::work(&contract, data, whole));
    (!errors).then_some(contract)
}

/// Who says what a source says.
enum Said<'a> {
    /// The source's own words, rendered.
    Here(String),
    /// The words of a template; the source holds them rendered.
    By(&'a Template, String),
    /// What cannot be known.
    Nothing,
}

fn said<'a>(
    text: &str,
    apart: &Apart,
    templates: &'a [Template],
    root: &Value,
    partial: bool,
    found: &mut Vec<Diagnostic>,
) -> Said<'a> {
    let named = apart.header.as_ref().and_then(|header| header.template);
    let template = templates.iter().find(|one| Some(one.digest()) == named);
    if let Some(template) = template.filter(|_| !apart.prose.has_slots()) {
        // What is bold is a value here, and the template answers for all other words.
        let prose = apart.parts.prose.clone();
        found.retain(|one| !prose.contains(&one.start));
        let filled = fill::fill(&template.prose.pieces, root, partial, found);
        if partial {
            return Said::Nothing;
        }
        return match read_back(&filled, text, prose, found) {
            Some(prose) => Said::By(template, prose),
            None => Said::Nothing,
        };
    }
    found.extend(apart.clauses());
    let own = Digest::of(apart.prose.text.as_bytes());
    if let Some(named) = named.filter(|named| *named != own) {
        let span = apart.data.span("/document/template").unwrap_or(0..0);
        let (message, help) = match template {
            Some(_) => (
                format!("the words are not those of the template `{named}`: they are `{own}`"),
                "a source without slots is compared word by word",
            ),
            None => (
                format!("the words are those of `{own}`, not of the template `{named}`"),
                "restore the words, or name the digest of these; values may differ, words may not",
            ),
        };
        found.push(Diagnostic::new(Code::Fidelity, span, message).help(help));
    }
    let filled = fill::fill(&apart.prose.pieces, root, partial, found);
    if partial {
        return Said::Nothing;
    }
    unstated(&filled, root, apart, found);
    let prose = filled.render();
    match filled.read(&prose) {
        Ok(_) => Said::Here(prose),
        Err(misfits) => {
            let fence = &apart.parts.fence;
            found.extend(
                misfits
                    .into_iter()
                    .map(|misfit| Diagnostic::new(Code::Fidelity, fence.clone(), misfit.message)),
            );
            Said::Nothing
        }
    }
}

/// The rendered prose of a source, when it says what the template and the data say.
fn read_back(
    filled: &Filled<'_>,
    text: &str,
    span: Range<usize>,
    found: &mut Vec<Diagnostic>,
) -> Option<String> {
    let prose = text.get(span.clone()).unwrap_or_default();
    let blank = prose.len() - prose.trim_start_matches(['\r', '\n']).len();
    let start = span.start + blank;
    let mut plain = prose.trim().replace("\r\n", "\n");
    plain.push('\n');
    let crlf = prose.contains("\r\n");
    match filled.read(&plain) {
        Ok(_) => Some(plain),
        Err(misfits) => {
            let place = |at: usize| {
                let breaks = plain.get(..at).unwrap_or_default().matches('\n').count();
                start + at + if crlf { breaks } else { 0 }
            };
            found.extend(misfits.into_iter().map(|misfit| {
                let span = place(misfit.span.start)..place(misfit.span.end);
                Diagnostic::new(Code::Fidelity, span, misfit.message)
            }));
            None
        }
    }
}

/// What a court has to find in the prose: who agrees, what is paid, and when the work is done.
fn unstated(filled: &Filled<'_>, root: &Value, apart: &Apart, found: &mut Vec<Diagnostic>) {
    let fixed = ["/parties/buyer/name", "/parties/developer/name", "/price/amount"];
    let criteria = root.get("criteria").and_then(Value::as_array).map_or(0, Vec::len);
    let statements = (0..criteria).map(|at| format!("/criteria/{at}/statement"));
    let wanted = fixed.into_iter().map(str::to_owned).chain(statements);
    for pointer in wanted.filter(|pointer| !filled.states(pointer)) {
        let span = apart.data.span(&pointer).unwrap_or_else(|| apart.parts.fence.clone());
        let path = pointer.trim_start_matches('/').replace('/', ".");
        let message = format!("the prose never states `{path}`");
        let help = format!("write `{{{{ {path} }}}}` where the prose speaks of it");
        found.push(Diagnostic::new(Code::Fidelity, span, message).help(help));
    }
}

fn flawless<T>(derived: Result<T, Flaw>, apart: &Apart, found: &mut Vec<Diagnostic>) -> Option<T> {
    derived.map_err(|flaw| found.push(apart.data.diagnostic(&flaw, &apart.parts.fence))).ok()
}
