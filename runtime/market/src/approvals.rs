//! What runs ask of humans, and what humans say.

use envelope_evidence::journal::CallerKind;
use envelope_evidence::{Digest, Label};
use envelope_gate::desk::Decision;
use envelope_node::{Asked, NodeError, decide_within};
use envelope_rules::approval::{Principal, Verdict};
use envelope_store::noun::{Noun, Record};
use envelope_terms::contract::DigestShape;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::turn::read;
use crate::{Refused, Role, Turn};

/// A question to humans.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Its id.
    pub id: String,
    /// `open`, `approved`, `refused` or `expired`.
    pub state: String,
    /// The run that asks.
    pub run: String,
    /// What is asked, exactly: a decision is bound to it.
    pub request: serde_json::Value,
    /// The digest of that, to be said with a decision.
    pub digest: String,
    /// The first instant at which it is too late, in milliseconds.
    pub expires: u64,
    /// How many have to agree.
    pub approvers: u32,
}

/// What a human says.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The digest of the request that they saw.
    #[schemars(with = "DigestShape")]
    pub saw: String,
    /// `{"verdict":"allow","scope":{…}}`, `{"verdict":"choose","choice":0}`,
    /// `{"verdict":"answer","document":"…"}` or `{"verdict":"reject","reason":"…"}`.
    pub decision: serde_json::Value,
}

/// Decides on a question, as whoever acts.
pub async fn decide(turn: &mut Turn<'_>, id: &str, said: &Answer) -> Result<Question, Refused> {
    turn.needs(Role::Approver)?;
    let row = within(id);
    turn.own(Noun::Approval, &row).await?;
    let saw: Digest = said.saw.parse().map_err(|why| Refused::invalid("saw", why))?;
    let verdict: Verdict = serde_json::from_value(said.decision.clone())
        .map_err(|why| Refused::invalid("decision", why))?;
    let role = Label::cut(Role::Approver.name());
    let by =
        Principal { id: Label::cut(&turn.who.user), kind: CallerKind::User, roles: vec![role] };
    let decision = Decision { by, at: turn.at, saw, verdict };
    turn.who.needs_human()?;
    let decided = decide_within(&mut turn.rows(), &row, saw, decision).await;
    decided.map_err(|why| {
        if let NodeError::Refused(why) = why {
            Refused::Undecided(why.to_string())
        } else if matches!(why, NodeError::NothingAsked(_)) {
            Refused::Unknown { what: "approvals", id: id.to_owned() }
        } else {
            why.into()
        }
    })?;
    view(&turn.own(Noun::Approval, &row).await?)
}

/// A question of whoever acts.
pub async fn one(turn: &mut Turn<'_>, id: &str) -> Result<Question, Refused> {
    view(&turn.own(Noun::Approval, &within(id)).await?)
}

/// A question as people see it.
pub fn view(record: &Record) -> Result<Question, Refused> {
    let asked: Asked = read(record)?;
    let request = serde_json::to_value(&asked.request);
    let digest = asked.request.digest().map_err(|why| Refused::kept(&record.id, why))?;
    Ok(Question {
        id: record.id.replace('/', "-"),
        state: record.state.clone(),
        run: asked.request.run.to_string(),
        request: request.map_err(|why| Refused::kept(&record.id, why))?,
        digest: digest.to_string(),
        expires: asked.request.expires.millis(),
        approvers: asked.policy.approvers.into(),
    })
}

/// The name of its row: in a path no part has a `/`.
fn within(id: &str) -> String {
    id.replace('-', "/")
}
