//! An agent's card: what it says it can do, with the schemas its arguments and results must fit.

use envelope_evidence::{Digest, Label};
use envelope_gate::schema::{self, Unfit};
use envelope_rules::Pattern;
use envelope_rules::egress::rule::RuleDocument;
use envelope_rules::path::Prefix;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Bytes of a card: dozens of skills with their schemas.
pub const CARD_BYTES_MAX: usize = 1 << 20;

/// Skills of one agent.
pub const SKILLS_MAX: usize = 64;

/// Rules, models or patterns that one agent needs: as many models as a warrant can name.
pub const NEEDS_MAX: usize = 64;

/// The only skill of a program that is no agent by itself.
pub const RUN_SKILL: &str = "run";

/// A card as the agent describes itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// The agent's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// What it can do.
    pub skills: Vec<Skill>,
    /// What it would need from outside to do it all. It gives nothing: whoever runs the agent
    /// allows what he likes of it.
    #[serde(default, skip_serializing_if = "Needs::is_empty")]
    pub needs: Needs,
}

/// What an agent would need from outside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Needs {
    /// Requests that it sends, as rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub net: Vec<String>,
    /// Models that it asks, by their names in a price book.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// Files that it reads, as patterns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub read: Vec<String>,
    /// The prefix below which it writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<String>,
}

/// One skill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Skill {
    /// Its name.
    pub name: String,
    /// What it does.
    #[serde(default)]
    pub description: String,
    /// The JSON Schema of its arguments.
    #[serde(default)]
    pub input: Value,
    /// The JSON Schema of its result.
    #[serde(default)]
    pub output: Value,
}

/// A card that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadCard {
    /// Larger than a card may be.
    #[error("a card of {0} bytes is larger than {CARD_BYTES_MAX}")]
    TooLarge(usize),
    /// Not the JSON of a card.
    #[error("not a card: {0}")]
    Shape(#[from] serde_json::Error),
    /// Too many skills, or none.
    #[error("{0} skills: an agent has 1 to {SKILLS_MAX}")]
    Skills(usize),
    /// Two skills of one name.
    #[error("the skill `{0}` is listed twice")]
    Twice(String),
    /// A need that nobody could meet.
    #[error("the need `{need}`: {why}")]
    Need {
        /// The rule, the model, the pattern or the prefix.
        need: String,
        /// What is wrong.
        why: String,
    },
    /// More needs than a run can have met.
    #[error("{0} needs: at most {NEEDS_MAX} of a kind")]
    Needs(usize),
    /// A schema that is none.
    #[error("the {which} schema of `{skill}`: {why}")]
    Schema {
        /// `input` or `output`.
        which: &'static str,
        /// Of which skill.
        skill: String,
        /// What is wrong.
        why: String,
    },
}

impl Card {
    /// Reads what an agent says of itself.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadCard> {
        if bytes.len() > CARD_BYTES_MAX {
            return Err(BadCard::TooLarge(bytes.len()));
        }
        let card: Self = serde_json::from_slice(bytes)?;
        if card.skills.is_empty() || card.skills.len() > SKILLS_MAX {
            return Err(BadCard::Skills(card.skills.len()));
        }
        for (place, skill) in card.skills.iter().enumerate() {
            if card.skills.iter().take(place).any(|earlier| earlier.name == skill.name) {
                return Err(BadCard::Twice(skill.name.clone()));
            }
            check_schema("input", skill, &skill.input)?;
            check_schema("output", skill, &skill.output)?;
        }
        card.needs.check()?;
        Ok(card)
    }

    /// The card of a program that has none: one skill, any arguments.
    pub fn of_command(name: &str, digest: Digest) -> Self {
        Self {
            name: name.to_owned(),
            version: digest.hex().chars().take(12).collect(),
            description: "A WASI program: arguments in, standard output out.".to_owned(),
            skills: vec![Skill {
                name: RUN_SKILL.to_owned(),
                description: "Runs the program.".to_owned(),
                input: Value::Bool(true),
                output: Value::Bool(true),
            }],
            needs: Needs::default(),
        }
    }

    /// The skill called `name`.
    pub fn skill(&self, name: &str) -> Option<&Skill> {
        self.skills.iter().find(|skill| skill.name == name)
    }
}

impl Needs {
    /// Whether nothing is needed, or nothing is said.
    pub const fn is_empty(&self) -> bool {
        let Self { net, models, read, outputs } = self;
        net.is_empty() && models.is_empty() && read.is_empty() && outputs.is_none()
    }

    fn check(&self) -> Result<(), BadCard> {
        let most = self.net.len().max(self.models.len()).max(self.read.len());
        if most > NEEDS_MAX {
            return Err(BadCard::Needs(most));
        }
        let bad = |need: &str, why: String| BadCard::Need { need: need.to_owned(), why };
        for rule in &self.net {
            rule.parse::<RuleDocument>().map_err(|why| bad(rule, why.to_string()))?;
        }
        for model in &self.models {
            Label::new(model.as_str()).map_err(|why| bad(model, why.to_string()))?;
        }
        for pattern in &self.read {
            Pattern::parse(pattern).map_err(|why| bad(pattern, why.to_string()))?;
        }
        if let Some(prefix) = &self.outputs {
            Prefix::parse(prefix).map_err(|why| bad(prefix, why.to_string()))?;
        }
        Ok(())
    }
}

impl Skill {
    /// Whether `args` are arguments for this skill.
    pub fn fits_input(&self, args: &[u8]) -> Result<(), Unfit> {
        schema::fits(&self.input, args)
    }

    /// Whether `result` is a result of this skill.
    pub fn fits_output(&self, result: &[u8]) -> Result<(), Unfit> {
        schema::fits(&self.output, result)
    }
}

fn check_schema(which: &'static str, skill: &Skill, schema: &Value) -> Result<(), BadCard> {
    schema::check(schema).map_err(|why| BadCard::Schema { which, skill: skill.name.clone(), why })
}
