//! Which document sets a term, by default logic: each layer is the rule unless a more special one,
//! its exception, says otherwise.
//!
//! The layers, from general to special: terms of service, base terms, schedules, MSA, the Paper
//! with its amendments, side letters. Within the Paper's layer an amendment is the exception to
//! what stood before it; where it removes a term, the Paper is silent again and the MSA holds.
//! Nothing makes one schedule more special than another, or one side letter: where they set
//! different values and no exception settles it, there is no answer but a [`Conflict`].

use std::collections::{BTreeMap, BTreeSet};

use envelope_evidence::Digest;
use serde_json::Value;

use super::chain::Chain;
use super::difference::{Change, Terms, escape};
use super::kind::Kind;
use super::node::Body;
use super::side_letter::SideLetter;

/// The documents that say something about terms, from the most general layer to the most special.
/// `S` names a document: its digest in a chain, its place in a source for a compiler.
#[derive(Debug, Clone)]
pub struct Layers<S> {
    layers: BTreeMap<Kind, Layer<S>>,
}

/// Documents of equal rank.
#[derive(Debug, Clone)]
struct Layer<S> {
    voices: Vec<Voice<S>>,
}

/// What one document says; the Paper and its amendments say one thing together. A term is a member
/// that is not itself an object; a list is one term.
#[derive(Debug, Clone)]
struct Voice<S> {
    says: BTreeMap<String, Said<S>>,
}

/// A term as one voice sets it.
#[derive(Debug, Clone)]
struct Said<S> {
    value: Value,
    source: S,
    kind: Kind,
    /// The earlier documents of the same voice that set it.
    over: Vec<S>,
}

/// The value of a term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective<'a, S> {
    /// The value.
    pub value: &'a Value,
    /// The document that sets it.
    pub set_by: &'a S,
    /// The kind of that document.
    pub kind: Kind,
    /// The documents it overrides, the most special first.
    pub overrides: Vec<&'a S>,
}

/// A question without an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsettled<S> {
    /// Documents of equal rank disagree.
    #[error(transparent)]
    Conflict(#[from] Conflict<S>),
    /// The question is about several terms, which may come from several documents.
    #[error("`{0}` is a group of terms: ask for one of them")]
    Group(String),
}

/// Documents of equal rank that set different values, and nothing more special to settle it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("documents of kind `{kind}` disagree about `{pointer}`, and nothing overrides them")]
pub struct Conflict<S> {
    /// The term.
    pub pointer: String,
    /// The rank of the documents.
    pub kind: Kind,
    /// All that speak of the term at this rank.
    pub sources: Vec<S>,
}

impl<S> Default for Layers<S> {
    fn default() -> Self {
        Self { layers: BTreeMap::new() }
    }
}

impl Layers<Digest> {
    /// The layers of `chain`, with those side letters that the asker can read, by their ids.
    pub fn of(chain: &Chain, letters: &BTreeMap<Digest, SideLetter>) -> Self {
        let mut layers = Self::default();
        for document in chain.documents() {
            let (id, kind) = (document.id(), document.kind());
            match &document.node().body {
                Body::Tos(it) | Body::BaseTerms(it) | Body::Schedule(it) | Body::Msa(it) => {
                    layers.add(kind, id, &it.terms);
                }
                Body::Paper(paper) => layers.add(kind, id, &paper.terms),
                Body::Amendment(amendment) => layers.amend(id, &amendment.difference),
                Body::SideLetter(_) => {
                    if let Some(letter) = letters.get(&id) {
                        layers.add(kind, id, &letter.terms);
                    }
                }
            }
        }
        layers
    }
}

impl<S: Clone> Layers<S> {
    /// Adds a document. The order in which documents are added matters to amendments alone.
    pub fn add(&mut self, kind: Kind, source: S, terms: &Terms) {
        let mut voice = Voice { says: BTreeMap::new() };
        voice.set(terms, "", kind, &source);
        self.layer(kind).voices.push(voice);
    }

    /// Adds an amendment of the Paper that was added before.
    pub fn amend(&mut self, source: S, changes: &[Change]) {
        let layer = self.layer(Kind::Paper);
        if layer.voices.is_empty() {
            layer.voices.push(Voice { says: BTreeMap::new() });
        }
        for voice in &mut layer.voices {
            changes.iter().for_each(|change| voice.amend(change, &source));
        }
    }

    /// The layer of `kind`, in its place.
    fn layer(&mut self, kind: Kind) -> &mut Layer<S> {
        self.layers.entry(kind).or_insert_with(|| Layer { voices: Vec::new() })
    }
}

impl<S: Clone + Ord> Layers<S> {
    /// The value of the term at `pointer` and the document that sets it; nothing where none does.
    pub fn effective(&self, pointer: &str) -> Result<Option<Effective<'_, S>>, Unsettled<S>> {
        let mut layers = self.layers.iter().rev();
        while let Some((&kind, layer)) = layers.next() {
            let answers = layer.answers(pointer);
            let Some(answer) = answers.first() else { continue };
            if answers.iter().any(|other| other.value != answer.value) {
                let sources = answers.iter().map(|answer| answer.source.clone()).collect();
                return Err(Conflict { pointer: pointer.to_owned(), kind, sources }.into());
            }
            let general = layers.flat_map(|(_, layer)| layer.answers(pointer));
            let general = general.flat_map(|answer| [answer.source].into_iter().chain(answer.over));
            return match answer.value {
                Meant::Group => Err(Unsettled::Group(pointer.to_owned())),
                Meant::Absent => Ok(None),
                Meant::Value(value) => Ok(Some(Effective {
                    value,
                    set_by: answer.source,
                    kind: answer.kind,
                    overrides: answer.over.iter().chain(general).collect(),
                })),
            };
        }
        Ok(None)
    }

    /// Every term that some document speaks of, with the value that holds.
    pub fn all(&self) -> BTreeMap<&str, Effective<'_, S>> {
        let answer = |term| Some((term, self.effective(term).ok().flatten()?));
        self.terms().into_iter().filter_map(answer).collect()
    }

    /// Every conflict that precedence does not settle.
    pub fn conflicts(&self) -> Vec<Conflict<S>> {
        let conflict = |term| match self.effective(term) {
            Err(Unsettled::Conflict(conflict)) => Some(conflict),
            Err(Unsettled::Group(_)) | Ok(_) => None,
        };
        self.terms().into_iter().filter_map(conflict).collect()
    }

    fn terms(&self) -> BTreeSet<&str> {
        let voices = self.layers.values().flat_map(|layer| &layer.voices);
        voices.flat_map(|voice| voice.says.keys().map(String::as_str)).collect()
    }
}

/// What one voice answers.
struct Answer<'a, S> {
    value: Meant<'a>,
    source: &'a S,
    kind: Kind,
    over: &'a [S],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Meant<'a> {
    Value(&'a Value),
    /// A value stands above it in which it does not occur.
    Absent,
    Group,
}

impl<S> Layer<S> {
    /// The answers of those voices that speak of `pointer`.
    fn answers(&self, pointer: &str) -> Vec<Answer<'_, S>> {
        self.voices.iter().filter_map(|voice| voice.answer(pointer)).collect()
    }
}

impl<S> Voice<S> {
    fn answer(&self, pointer: &str) -> Option<Answer<'_, S>> {
        // A term set above `pointer` speaks of all that could stand below it.
        let ends = pointer.match_indices('/').map(|(at, _)| at).chain([pointer.len()]);
        for end in ends {
            let (above, below) = pointer.split_at_checked(end)?;
            if let Some(Said { value, source, kind, over }) = self.says.get(above) {
                let value = value.pointer(below).map_or(Meant::Absent, Meant::Value);
                return Some(Answer { value, source, kind: *kind, over });
            }
        }
        let (_, member) = self.says.range(below(pointer)).next()?;
        let (source, kind) = (&member.source, member.kind);
        Some(Answer { value: Meant::Group, source, kind, over: &[] })
    }
}

impl<S: Clone> Voice<S> {
    fn set(&mut self, terms: &Terms, at: &str, kind: Kind, source: &S) {
        for (name, value) in terms {
            let path = format!("{at}/{}", escape(name));
            self.set_one(path, value, kind, source, Vec::new());
        }
    }

    /// Sets one term, or the members of a group; an empty group says nothing.
    fn set_one(&mut self, path: String, value: &Value, kind: Kind, source: &S, over: Vec<S>) {
        if let Value::Object(members) = value {
            return self.set(members, &path, kind, source);
        }
        let (value, source) = (value.clone(), source.clone());
        self.says.insert(path, Said { value, source, kind, over });
    }

    fn amend(&mut self, change: &Change, source: &S) {
        let path = change.path();
        let members: Vec<_> = self.says.range(below(path)).map(|(term, _)| term.clone()).collect();
        members.iter().for_each(|term| drop(self.says.remove(term)));
        let before = self.says.remove(path);
        let over = before.map(|said| [vec![said.source], said.over].concat()).unwrap_or_default();
        if let Some(value) = change.value() {
            self.set_one(path.to_owned(), value, Kind::Amendment, source, over);
        }
    }
}

/// The pointers that lead below `pointer`: `0` is the character after `/`.
fn below(pointer: &str) -> std::ops::Range<String> {
    format!("{pointer}/")..format!("{pointer}0")
}
