//! Clauses: where they begin, what they are about, and which a document cannot do without.

use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::diagnostic::Diagnostic;
use crate::contract::{Code, Id, List};

/// Clauses of one source: a contract of a thousand pages has fewer.
pub const CLAUSES_MAX: usize = 2000;

/// The kind of a document that is written as a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The platform's terms of service.
    Tos,
    /// Terms common to all its contracts.
    BaseTerms,
    /// An addendum for an industry or a service.
    Schedule,
    /// The Paper: the terms of one engagement, with data.
    Paper,
    /// The master agreement.
    Msa,
    /// A promise of confidence.
    Nda,
    /// Terms for personal data.
    Dpa,
    /// A side letter.
    SideLetter,
}

macro_rules! subjects {
    ($($name:ident $spelling:literal $doc:literal;)*) => {
        /// What a clause is about, as far as documents are held to it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(Serialize, Deserialize, JsonSchema)]
        pub enum Subject {
            $(#[doc = $doc] #[serde(rename = $spelling)] $name,)*
        }

        impl Subject {
            /// Every subject.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The spelling in headings: `kind=liability`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $spelling,)* }
            }
        }
    };
}

subjects! {
    Acceptance         "acceptance"          "When the work counts as done.";
    Confidentiality    "confidentiality"     "Who keeps what to themselves.";
    DataProtection     "data-protection"     "How personal data are handled.";
    Deliverables       "deliverables"        "What is handed over.";
    DisputeResolution  "dispute-resolution"  "Who decides when the parties do not agree.";
    Ip                 "ip"                  "Who owns what.";
    Liability          "liability"           "Who answers for what.";
    LiabilityCaps      "liability-caps"      "How much a party can owe at most.";
    MarketplaceAccess  "marketplace-access"  "Who may use the marketplace and on what terms.";
    PaymentProcessing  "payment-processing"  "How money is held and paid out.";
    Price              "price"               "What is paid.";
    Termination        "termination"         "How the contract ends.";
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Tos,
        Self::BaseTerms,
        Self::Schedule,
        Self::Paper,
        Self::Msa,
        Self::Nda,
        Self::Dpa,
        Self::SideLetter,
    ];

    /// The kind called `name`.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The name in sources.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tos => "tos",
            Self::BaseTerms => "base-terms",
            Self::Schedule => "schedule",
            Self::Paper => "paper",
            Self::Msa => "msa",
            Self::Nda => "nda",
            Self::Dpa => "dpa",
            Self::SideLetter => "side-letter",
        }
    }

    /// The subjects that a document of this kind has a clause for.
    pub const fn mandatory(self) -> &'static [Subject] {
        match self {
            Self::Tos => &[Subject::MarketplaceAccess, Subject::Termination],
            Self::Paper => &[Subject::Deliverables, Subject::Acceptance, Subject::Price],
            Self::Msa => &[
                Subject::Liability,
                Subject::Ip,
                Subject::Termination,
                Subject::MarketplaceAccess,
                Subject::PaymentProcessing,
                Subject::DisputeResolution,
                Subject::LiabilityCaps,
            ],
            Self::Nda => &[Subject::Confidentiality, Subject::Termination],
            Self::Dpa => &[Subject::DataProtection, Subject::Termination],
            Self::BaseTerms | Self::Schedule | Self::SideLetter => &[],
        }
    }
}

/// One clause: its name and what it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    /// The name under which it is cited.
    pub id: Id,
    /// What it is about.
    #[serde(default)]
    pub subjects: List<Subject, 0, 12>,
}

/// A clause with its place and whether it says anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heading {
    pub(super) clause: Clause,
    pub(super) span: Range<usize>,
    pub(super) empty: bool,
}

/// What a line says about clauses.
pub(super) enum Line {
    /// Nothing.
    Plain,
    /// It begins a clause; the title ends after so many bytes.
    Heading(Heading, usize),
    /// It would begin one if it could be read.
    Wrong(Diagnostic),
}

/// Reads `line`, which stands at byte `at`.
pub(super) fn line(line: &str, at: usize) -> Line {
    let title = line.trim_start_matches('#');
    let heading = (1..=6).contains(&(line.len() - title.len())) && title.starts_with(' ');
    let Some((before, marks)) = line.split_once("{#").filter(|_| heading) else {
        return Line::Plain;
    };
    let span = at + before.len()..at + line.trim_end().len();
    let read = marks.trim_end().strip_suffix('}').ok_or_else(|| "no `}` ends it".to_owned());
    match read.and_then(clause) {
        Ok(clause) => {
            Line::Heading(Heading { clause, span: at..at + line.len(), empty: true }, before.len())
        }
        Err(why) => Line::Wrong(Diagnostic::new(Code::Clause, span, why)),
    }
}

/// Reads `liability kind=liability`.
fn clause(marks: &str) -> Result<Clause, String> {
    let mut marks = marks.split_ascii_whitespace();
    let id = Id::new(marks.next().unwrap_or_default()).map_err(|bad| bad.to_string())?;
    let mut subjects = Vec::new();
    for mark in marks {
        let name = mark.strip_prefix("kind=").ok_or_else(|| format!("`{mark}` is no mark"))?;
        let subject = Subject::ALL.iter().find(|subject| subject.name() == name);
        subjects.push(*subject.ok_or_else(|| format!("no clause is of the kind `{name}`"))?);
    }
    let subjects = List::new(subjects).map_err(|bad| bad.to_string())?;
    Ok(Clause { id, subjects })
}

/// What is missing or twice among the clauses of a document; `place` is where its kind is named.
pub(super) fn check(kind: Kind, headings: &[Heading], place: &Range<usize>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut seen = std::collections::BTreeSet::from(["preamble"]);
    for heading in headings {
        let clause = &heading.clause;
        if !seen.insert(clause.id.as_str()) {
            let message = format!("two clauses are called `{}`", clause.id);
            found.push(Diagnostic::new(Code::Duplicate, heading.span.clone(), message));
        }
        if heading.empty && !clause.subjects.is_empty() {
            let message = format!("the clause `{}` says nothing", clause.id);
            found.push(Diagnostic::new(Code::Clause, heading.span.clone(), message));
        }
    }
    if headings.len() > CLAUSES_MAX {
        let message = format!("more than {CLAUSES_MAX} clauses");
        found.push(Diagnostic::new(Code::TooMany, place.clone(), message));
    }
    for subject in kind.mandatory() {
        if !headings.iter().any(|heading| heading.clause.subjects.contains(subject)) {
            let (kind, subject) = (kind.name(), subject.name());
            let message = format!("a document of the kind `{kind}` has a clause about `{subject}`");
            let help = format!("mark a heading: `## Title {{#{subject} kind={subject}}}`");
            found.push(Diagnostic::new(Code::Clause, place.clone(), message).help(help));
        }
    }
    found
}
