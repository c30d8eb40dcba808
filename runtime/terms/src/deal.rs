//! A compiled Paper in its chain of documents: drawn up under the master agreement, amended, and
//! read back.
//!
//! The terms of the document are the members of the contract, so that an amendment and precedence
//! speak of `/price/amount`; what the compiler derived from them stands beside them under
//! `compiled`, and the prose is the document's own.

use std::collections::BTreeMap;

use envelope_evidence::{Digest, Label, canonical};
use serde_json::{Map, Value};

use crate::contract::{Code, Contract};
use crate::document::{
    self, Body, Chain, Conflict, CryptoRng, Document, Kind, Layers, ReaderKey, Refused, Salt,
    SideLetter, Signers, Standard, Terms, Text,
};
use crate::source::{self, BadPaper, Paper, Report, Template};

/// In the terms of a Paper's document: what the compiler derived.
const DERIVED: &str = "compiled";

/// A document that cannot be drawn up.
#[derive(Debug, thiserror::Error)]
pub enum Undrawn {
    /// The Paper names another master agreement.
    #[error("the Paper stands under `{named}`, and this is `{given}`")]
    OtherMsa {
        /// What the source names.
        named: Digest,
        /// The words that were given.
        given: Digest,
    },
    /// The Paper names other schedules.
    #[error("the Paper names no schedule `{0}`")]
    OtherSchedule(Digest),
    /// A source that is another kind of document.
    #[error("a source of the kind `{}` does not become {place}", kind.name())]
    Kind {
        /// What it says it is.
        kind: source::Kind,
        /// What it was to become.
        place: &'static str,
    },
    /// The words cannot be filled in, or their terms are not of the contract's types.
    #[error("`{file}` does not fit the contract", file = .0.file())]
    Unfilled(Report),
    /// Documents of equal rank disagree, and this one does not settle it.
    #[error(transparent)]
    Conflict(#[from] Conflict<Digest>),
    /// The title does not fit its field.
    #[error("the title: {0}")]
    Title(#[from] envelope_evidence::text::BadText),
    /// The text is not one that a document takes.
    #[error("the prose: {0}")]
    Prose(#[from] document::BadProse),
    /// The chain does not take it.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// A value without canonical form.
    #[error(transparent)]
    Spelling(#[from] canonical::Refused),
    /// The newest terms are those of this Paper already.
    #[error("the chain says this already: there is nothing to amend")]
    Same,
}

impl Undrawn {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OtherMsa { .. } | Self::OtherSchedule(_) => Code::Reference.name(),
            Self::Kind { .. } => Code::Source.name(),
            Self::Unfilled(_) | Self::Title(_) | Self::Prose(_) => Code::Fidelity.name(),
            Self::Conflict(_) => Code::Schedules.name(),
            Self::Refused(why) => why.code(),
            Self::Spelling(_) => Code::Shape.name(),
            Self::Same => "DOCUMENT_UNCHANGED",
        }
    }
}

/// Draws up a document that stands above `paper`, in the words of `template`, filled in for it. A
/// promise of confidence and terms for personal data stand among the schedules.
pub fn standard(
    chain: &Chain,
    template: &Template,
    paper: &Paper,
    salt: Salt,
) -> Result<Document, Undrawn> {
    let given = template.digest();
    let body = match template.kind() {
        source::Kind::Tos => Body::Tos,
        source::Kind::BaseTerms => Body::BaseTerms,
        source::Kind::Schedule => {
            let mut named = paper.contract.schedules.iter().map(|schedule| schedule.document);
            if !named.any(|document| document == given) {
                return Err(Undrawn::OtherSchedule(given));
            }
            Body::Schedule
        }
        source::Kind::Nda | source::Kind::Dpa => Body::Schedule,
        source::Kind::Msa => match paper.msa.filter(|named| *named != given) {
            Some(named) => return Err(Undrawn::OtherMsa { named, given }),
            None => Body::Msa,
        },
        kind @ (source::Kind::Paper | source::Kind::SideLetter) => {
            return Err(Undrawn::Kind { kind, place: "a document above the Paper" });
        }
    };
    let prose = template.render(&paper.contract).map_err(Undrawn::Unfilled)?;
    let title = Label::new(template.title().as_str())?;
    let standard = Standard { title, terms: template.terms().clone() };
    Ok(chain.standard(body, standard, Text::new(&prose, salt)?)?)
}

/// Draws up `paper`, to be signed by `signers`. What the documents above it leave open between
/// them it has to settle.
pub fn paper(
    chain: &Chain,
    paper: &Paper,
    signers: Signers,
    salt: Salt,
) -> Result<Document, Undrawn> {
    let terms = terms(paper)?;
    let body =
        document::Paper { title: Label::new(paper.contract.title.as_str())?, signers, terms };
    let document = chain.paper(body, Text::new(&paper.prose, salt)?)?;
    settled(chain, &document)?;
    Ok(document)
}

/// Draws up the amendment after which the chain says what `new` says.
pub fn amendment(chain: &Chain, new: &Paper, title: &str, salt: Salt) -> Result<Document, Undrawn> {
    let terms = terms(new)?;
    if chain.terms() == &terms && chain.prose() == Some(new.prose.as_str()) {
        return Err(Undrawn::Same);
    }
    let text = Text::new(&new.prose, salt)?;
    let document = chain.amendment(Label::new(title)?, &terms, text, None)?;
    settled(chain, &document)?;
    Ok(document)
}

/// What a side letter in the words of `template` says, filled in for `contract`.
pub fn letter(template: &Template, contract: &Contract, salt: Salt) -> Result<SideLetter, Undrawn> {
    let kind = template.kind();
    if kind != source::Kind::SideLetter {
        return Err(Undrawn::Kind { kind, place: "a side letter" });
    }
    let prose = template.render(contract).map_err(Undrawn::Unfilled)?;
    let title = Label::new(template.title().as_str())?;
    Ok(SideLetter { title, terms: template.terms().clone(), text: Text::new(&prose, salt)? })
}

/// Draws up the document of `letter`, encrypted to `readers`. `known` are the letters in the chain
/// that its author can read: with these it must not be at odds.
pub fn side_letter(
    chain: &Chain,
    letter: &SideLetter,
    known: &BTreeMap<Digest, SideLetter>,
    readers: &[ReaderKey],
    random: &mut impl CryptoRng,
) -> Result<Document, Undrawn> {
    let document = chain.side_letter(letter, readers, random)?;
    let mut layers = Layers::of(chain, known);
    layers.add(Kind::SideLetter, document.id(), &letter.terms);
    layers.conflicts().into_iter().next().map_or(Ok(document), |conflict| Err(conflict.into()))
}

/// The Paper that the terms and the prose of its document say, checked like one that was compiled.
pub fn read(terms: &Terms, prose: &str) -> Result<Paper, BadPaper> {
    let mut contract = terms.clone();
    let Some(Value::Object(mut whole)) = contract.remove(DERIVED) else {
        return Err(BadPaper::Part(DERIVED));
    };
    whole.insert("contract".to_owned(), Value::Object(contract));
    whole.insert("prose".to_owned(), prose.into());
    Paper::read(&canonical::of(&whole)?)
}

/// The terms of the document of `paper`.
fn terms(paper: &Paper) -> Result<Terms, Undrawn> {
    let object = |value: Option<Value>| match value {
        Some(Value::Object(members)) => members,
        Some(_) | None => Map::new(),
    };
    let mut derived = object(Some(canonical::read(&paper.to_bytes()?)?));
    derived.remove("prose");
    let mut terms = object(derived.remove("contract"));
    terms.insert(DERIVED.to_owned(), Value::Object(derived));
    Ok(terms)
}

/// Whether everything is settled once `document` joins `chain`.
fn settled(chain: &Chain, document: &Document) -> Result<(), Conflict<Digest>> {
    let mut layers = Layers::of(chain, &BTreeMap::new());
    match &document.node().body {
        Body::Paper(paper) => layers.add(Kind::Paper, document.id(), &paper.terms),
        Body::Amendment(amendment) => layers.amend(document.id(), &amendment.difference),
        Body::Tos(_)
        | Body::BaseTerms(_)
        | Body::Schedule(_)
        | Body::Msa(_)
        | Body::SideLetter(_) => {}
    }
    layers.conflicts().into_iter().next().map_or(Ok(()), Err)
}
