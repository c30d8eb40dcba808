//! A standing agreement that somebody offers: a template, whose words every Paper under it cites.

use envelope_store::noun::{Change, Noun};
use envelope_terms::source::{Kind, Template};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::turn::text;
use crate::{Refused, Role, Turn, id};

/// A new standing agreement.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMsa {
    /// The template: data between two lines `+++`, then prose with slots.
    pub text: String,
}

/// A standing agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Msa {
    /// Its id.
    pub id: String,
    /// The digest of its words, which Papers name.
    pub digest: String,
    /// The template.
    pub text: String,
}

/// Offers a standing agreement.
pub async fn offer(turn: &mut Turn<'_>, new: NewMsa) -> Result<Msa, Refused> {
    turn.needs(Role::Author)?;
    let template = template(&new.text)?;
    let id = id("msa", turn.at)?;
    let msa = Msa { id, digest: template.digest().to_string(), text: new.text };
    let (body, at) = (text(&msa.id, &msa)?, turn.at);
    turn.rows()
        .add(Noun::Msa, None, Change { id: &msa.id, state: "offered", body: &body, at })
        .await?;
    Ok(msa)
}

/// The template of a standing agreement.
pub(crate) fn template(text: &str) -> Result<Template, Refused> {
    let template = Template::parse("msa.md", text.as_bytes());
    let template = template.map_err(|report| Refused::Flawed(Box::new(report)))?;
    if template.kind() == Kind::Msa {
        return Ok(template);
    }
    let why = format!("want a template of the kind `msa`, not `{}`", template.kind().name());
    Err(Refused::invalid("text", why))
}
