//! A compiled Paper in its chain of documents: drawn up under the master agreement, amended, and
//! read back.
//!
//! The terms of the document are the members of the contract, so that an amendment and precedence
//! speak of `/price/amount`; what the compiler derived from them stands beside them under
//! `compiled`, and the prose is the document's own.

use envelope_evidence::{Digest, Label, canonical};
use serde_json::{Map, Value};

use crate::contract::Code;
use crate::document::{
    self, Body, Chain, Conflict, Document, Kind, Layers, Refused, Salt, Signers, Standard, Terms,
    Text,
};
use crate::source::{BadPaper, Paper, Report, Template};

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
    /// The words cannot be filled in.
    #[error("the master agreement does not fit the contract")]
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
            Self::OtherMsa { .. } => Code::Reference.name(),
            Self::Unfilled(_) | Self::Title(_) | Self::Prose(_) => Code::Fidelity.name(),
            Self::Conflict(_) => Code::Schedules.name(),
            Self::Refused(why) => why.code(),
            Self::Spelling(_) => Code::Shape.name(),
            Self::Same => "DOCUMENT_UNCHANGED",
        }
    }
}

/// Draws up the master agreement in the words of `msa`, filled in for `paper`.
pub fn msa(chain: &Chain, msa: &Template, paper: &Paper, salt: Salt) -> Result<Document, Undrawn> {
    let given = msa.digest();
    if let Some(named) = paper.msa.filter(|named| *named != given) {
        return Err(Undrawn::OtherMsa { named, given });
    }
    let prose = msa.render(&paper.contract).map_err(Undrawn::Unfilled)?;
    let standard = Standard { title: Label::new(msa.title().as_str())?, terms: Terms::new() };
    Ok(chain.standard(Body::Msa, standard, Text::new(&prose, salt)?)?)
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
    let mut layers = Layers::of(chain, &std::collections::BTreeMap::new());
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
