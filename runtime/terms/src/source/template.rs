//! A template: prose with slots, for contracts that are still to come.
//!
//! What its words mean for terms of the contract it may say as data too: `[terms.ip]` and
//! `training = false`. Precedence compares them with what other documents say.

use serde::Deserialize;
use serde_json::Value;

use envelope_evidence::{Digest, canonical};

use super::clause::{self, Clause, Kind};
use super::data::Data;
use super::diagnostic::{Diagnostic, Report};
use super::field;
use super::fill::{self, Filled};
use super::front::{self, Parts};
use super::prohibited;
use super::prose::{Piece, Prose};
use super::terms;
use crate::contract::{Code, Contract, Flaw, Title, present};
use crate::document::Terms;

/// Prose with slots. Its digest names the words, whatever is filled in, and the terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    kind: Kind,
    title: Title,
    terms: Terms,
    data: Data,
    file: String,
    source: String,
    pub(super) prose: Prose,
}

/// What the data say about their document.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    /// The version of the source's shape.
    pub(super) v: u64,
    /// What is written here.
    pub(super) kind: Kind,
    /// The template whose words these are.
    #[serde(default, deserialize_with = "present")]
    pub(super) template: Option<Digest>,
    /// The master agreement this stands under.
    #[serde(default, deserialize_with = "present")]
    pub(super) msa: Option<Digest>,
}

/// The version of sources that this build reads.
pub(super) const VERSION: u64 = 1;

/// A source taken apart: data without their header, and prose.
pub(super) struct Apart {
    pub(super) parts: Parts,
    pub(super) header: Option<Header>,
    pub(super) data: Data,
    pub(super) prose: Prose,
}

impl Template {
    /// Reads a template from its source, called `file`.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, Report> {
        let text = text(file, bytes)?;
        let mut found = Vec::new();
        let apart = apart(text, &mut found).map_err(|one| Report::new(file, text, vec![one]))?;
        let whole = &apart.parts.fence;
        let title = apart.title(&mut found);
        found.extend(apart.clauses());
        fields(&apart.prose.pieces, &mut found);
        if let Some(more) = apart.more(&FIELDS) {
            let message =
                format!("unknown field `{more}`: a template has no data but its title and terms");
            let flaw = Flaw::new(Code::Shape, format!("/{more}"), message);
            found.push(apart.data.diagnostic(&flaw, whole));
        }
        let kind = apart.header.as_ref().map(|header| header.kind);
        let (terms, flaws) = terms::read(&apart.data.value, kind);
        found.extend(flaws.iter().map(|flaw| apart.data.diagnostic(flaw, whole)));
        let report = Report::new(file, text, found);
        match (apart.header, title) {
            (Some(header), Some(title)) if !report.has_errors() => {
                let (file, source) = (file.to_owned(), text.to_owned());
                let Apart { data, prose, .. } = apart;
                Ok(Self { kind: header.kind, title, terms, data, file, source, prose })
            }
            _ => Err(report),
        }
    }

    /// Whether the source in `bytes` is a template: it says so, or it has no data of its own.
    pub fn is_one(bytes: &[u8]) -> bool {
        let apart = text("", bytes).ok().and_then(|text| apart(text, &mut Vec::new()).ok());
        apart.is_some_and(|apart| {
            let said = apart.header.as_ref().map(|header| header.kind);
            said.is_some_and(|kind| kind != Kind::Paper || apart.more(&FIELDS).is_none())
        })
    }

    /// What kind of document it makes.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// What it is called.
    pub const fn title(&self) -> &Title {
        &self.title
    }

    /// What it says about terms, as data.
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The words with their slots, in their one spelling.
    pub fn text(&self) -> &str {
        &self.prose.text
    }

    /// The digest of the words; where there are terms, of the digests of both.
    pub fn digest(&self) -> Digest {
        let words = Digest::of(self.prose.text.as_bytes());
        if self.terms.is_empty() {
            return words;
        }
        let terms = Digest::of(&canonical::of(&self.terms).unwrap_or_default());
        Digest::of_parts(&[terms.as_bytes(), words.as_bytes()])
    }

    /// The clauses.
    pub fn clauses(&self) -> Vec<Clause> {
        self.prose.clauses()
    }

    /// The prose with the values of `contract` in its slots.
    pub fn render(&self, contract: &Contract) -> Result<String, Report> {
        self.with(contract, |filled| filled.render())
    }

    /// Reads rendered prose back: the values it states, each with its JSON pointer. Prose with
    /// other words or other values is refused, and the report points into `prose`.
    pub fn read(
        &self,
        contract: &Contract,
        file: &str,
        prose: &str,
    ) -> Result<Vec<(String, Value)>, Report> {
        self.with(contract, |filled| filled.read(prose))?.map_err(|misfits| {
            let told = misfits
                .into_iter()
                .map(|misfit| Diagnostic::new(Code::Fidelity, misfit.span, misfit.message));
            Report::new(file, prose, told.collect())
        })
    }

    fn with<T>(&self, contract: &Contract, then: impl Fn(&Filled<'_>) -> T) -> Result<T, Report> {
        let mut found = Vec::new();
        let root = serde_json::to_value(contract).unwrap_or_default();
        let filled = fill::fill(&self.prose.pieces, &root, false, &mut found);
        let flaws = terms::misfits(self.kind, &self.terms, &root);
        found.extend(flaws.iter().map(|flaw| self.data.diagnostic(flaw, &(0..0))));
        if !found.is_empty() {
            return Err(Report::new(&self.file, &self.source, found));
        }
        Ok(then(&filled))
    }
}

/// The data that a template may have.
const FIELDS: [&str; 3] = ["document", "title", "terms"];

impl Apart {
    /// Data beside `known`.
    fn more(&self, known: &[&str]) -> Option<&str> {
        let data = self.data.value.as_object()?;
        data.keys().map(String::as_str).find(|key| !known.contains(key))
    }

    /// What is missing or twice among the clauses.
    pub(super) fn clauses(&self) -> Vec<Diagnostic> {
        let place = self.data.span("/document/kind").unwrap_or_else(|| self.parts.fence.clone());
        let kind = self.header.as_ref().map(|header| header.kind);
        kind.map(|kind| clause::check(kind, &self.prose.headings, &place)).unwrap_or_default()
    }

    fn title(&self, found: &mut Vec<Diagnostic>) -> Option<Title> {
        let title = self.data.value.get("title").and_then(Value::as_str).unwrap_or_default();
        let title = Title::new(title);
        if let Err(bad) = &title {
            let flaw = Flaw::new(Code::Shape, "/title", bad);
            found.push(self.data.diagnostic(&flaw, &self.parts.fence));
        }
        title.ok()
    }
}

impl Prose {
    /// The clauses.
    pub(super) fn clauses(&self) -> Vec<Clause> {
        self.headings.iter().map(|heading| heading.clause.clone()).collect()
    }
}

/// The text of a source.
pub(super) fn text<'a>(file: &str, bytes: &'a [u8]) -> Result<&'a str, Report> {
    front::text(bytes).map_err(|(text, one)| Report::new(file, &text, vec![one]))
}

/// Takes a source apart; what is wrong with a part is told among what was `found`.
pub(super) fn apart(text: &str, found: &mut Vec<Diagnostic>) -> Result<Apart, Diagnostic> {
    found.extend(prohibited::hidden(text));
    let parts = front::split(text)?;
    let data = text.get(parts.data.clone()).unwrap_or_default();
    let data = Data::read(data, parts.data.start, found);
    let header = header(&data, &parts, found);
    let prose = Prose::parse(text, parts.prose.clone(), found);
    if prose.text.is_empty() {
        found.push(Diagnostic::new(Code::Source, parts.fence.clone(), "no prose follows the data"));
    }
    Ok(Apart { parts, header, data, prose })
}

fn header(data: &Data, parts: &Parts, found: &mut Vec<Diagnostic>) -> Option<Header> {
    let Some(value) = data.value.get("document") else {
        let message = "the data do not say what they are";
        let help = "begin with `document = { v = 1, kind = \"paper\" }`";
        let diagnostic = Diagnostic::new(Code::Source, parts.fence.clone(), message);
        found.push(diagnostic.help(help));
        return None;
    };
    let read: Result<Header, _> = serde_path_to_error::deserialize(value);
    let flaw = match read {
        Ok(header) if header.v == VERSION => return Some(header),
        Ok(header) => {
            let message = format!("version {} is not known to this build", header.v);
            Flaw::new(Code::Source, "/document/v", message)
        }
        Err(error) => {
            let path = error.path().iter().next().map_or(String::new(), |step| format!("/{step}"));
            Flaw::new(Code::Shape, format!("/document{path}"), error.inner())
        }
    };
    found.push(data.diagnostic(&flaw, &parts.fence));
    None
}

/// Tells every slot that no contract could fill.
fn fields(pieces: &[Piece], found: &mut Vec<Diagnostic>) {
    let mut refuse = |slot: &super::prose::Slot, why: Result<(), String>| {
        found.extend(why.err().map(|why| Diagnostic::new(Code::Slot, slot.span.clone(), why)));
    };
    for piece in pieces {
        match piece {
            Piece::Words(_) => {}
            Piece::Slot(slot) => refuse(slot, field::check(&[&slot.path])),
            Piece::Each(list, body) => {
                refuse(list, field::check(&[&list.path]));
                let slots = body.iter().filter_map(|piece| match piece {
                    Piece::Slot(slot) => Some(slot),
                    Piece::Words(_) | Piece::Each(..) => None,
                });
                for slot in slots {
                    refuse(
                        slot,
                        match slot.path.relative {
                            true => field::in_list(&list.path, &slot.path),
                            false => field::check(&[&slot.path]),
                        },
                    );
                }
            }
        }
    }
}
