//! Who decides when the parties do not agree: question, options, panel, frozen with the contract.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use envelope_evidence::Digest;

use super::agent::Model;
use super::check::{unique, whole};
use super::flaw::{Code, Flaw};
use super::list::List;
use super::number::{Days, Share, Weight};
use super::shape::DigestShape;
use super::words::{Did, Id, Sentence, Title};

/// How a dispute is decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dispute {
    /// Days from delivery in which a dispute can be opened.
    pub open_days: Days,
    /// What the panel is asked, besides the criteria, which it is shown word for word.
    pub question: Sentence,
    /// What the panel may answer. `cannot-decide` is always among them.
    pub options: List<Verdict, 3, 4>,
    /// Who is asked.
    pub panel: List<Evaluator, 2, 7>,
    /// Who decides when the panel is split.
    pub tie_breaker: TieBreaker,
    /// From this belief in the buyer on the money goes back, in basis points.
    pub refund_from: Share,
    /// Up to this belief in the buyer the money is released, in basis points.
    pub release_to: Share,
}

/// An answer of the panel.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The money goes back to the buyer.
    Refund,
    /// The money goes to the developer.
    Release,
    /// The money is divided by the remedy.
    Partial,
    /// A human has to decide.
    CannotDecide,
}

impl Verdict {
    /// The name in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refund => "refund",
            Self::Release => "release",
            Self::Partial => "partial",
            Self::CannotDecide => "cannot-decide",
        }
    }
}

/// One member of the panel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evaluator {
    /// Its name in this contract.
    pub id: Id,
    /// The model and who serves it.
    pub model: Model,
    /// The digest of the question as it is put to this model.
    #[schemars(with = "DigestShape")]
    pub prompt: Digest,
    /// Its say, in basis points.
    pub weight: Weight,
}

/// Who decides when the panel is split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum TieBreaker {
    /// A person.
    Human {
        /// The name.
        name: Title,
        /// The identifier whose keys sign the decision.
        did: Did,
    },
    /// A further model.
    Ai {
        /// Its name in this contract.
        id: Id,
        /// The model and who serves it.
        model: Model,
        /// The digest of the question as it is put to this model.
        #[schemars(with = "DigestShape")]
        prompt: Digest,
    },
    /// Nobody: what is split is divided by the remedy.
    None {},
}

impl Dispute {
    /// What types cannot say: a panel of independent voices whose answers cover every belief.
    pub fn validate(&self) -> Vec<Flaw> {
        let mut flaws = unique("/panel", "/id", self.panel.iter().map(|one| one.id.as_str()));
        flaws.extend(unique("/options", "", self.options.iter().map(|option| option.name())));
        flaws.extend(whole("/panel", self.panel.iter().map(|one| one.weight)));
        flaws.extend(self.voices());
        for needed in [Verdict::Refund, Verdict::Release, Verdict::CannotDecide] {
            if !self.options.contains(&needed) {
                let message = format!("`{}` is not among the options", needed.name());
                flaws.push(Flaw::new(Code::Panel, "/options", message));
            }
        }
        if self.refund_from <= self.release_to {
            let message = format!(
                "one belief would both refund (from {}) and release (to {})",
                self.refund_from, self.release_to
            );
            flaws.push(Flaw::new(Code::Panel, "/refund_from", message));
        }
        flaws
    }

    /// The models that judge, each with its place.
    pub fn models(&self) -> impl Iterator<Item = (String, &Model)> {
        let panel = self.panel.iter().enumerate();
        let panel = panel.map(|(at, one)| (format!("/panel/{at}/model"), &one.model));
        let last = match &self.tie_breaker {
            TieBreaker::Ai { model, .. } => Some(("/tie_breaker/model".to_owned(), model)),
            TieBreaker::Human { .. } | TieBreaker::None {} => None,
        };
        panel.chain(last)
    }

    /// A flaw for each judge whose provider judges already.
    fn voices(&self) -> impl Iterator<Item = Flaw> {
        let mut seen = BTreeSet::new();
        self.models().filter(move |(_, model)| !seen.insert(&model.provider)).map(|(at, model)| {
            let message =
                format!("`{}` has a voice already: judges are independent", model.provider);
            Flaw::new(Code::Panel, format!("{at}/provider"), message)
        })
    }
}
