//! An evaluator of the panel answers. It is an agent that the house ran, under no Paper of the
//! parties': its answer is the result that its own receipt holds, and not what anybody says.

use std::collections::BTreeSet;

use envelope_evidence::{Digest, Label};
use envelope_store::Org;
use envelope_terms::contract::Id;
use envelope_terms::dispute::{Answer, Event, Million};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::step::{in_hand, step};
use crate::purchases::money::of;
use crate::purchases::view::Purchase;
use crate::runs::said;
use crate::shape::OrgShape;
use crate::{Market, Refused, Role, Turn, Who};

/// Which run of the house answers for which evaluator.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Heard {
    /// The buyer, whose purchase it is.
    #[schemars(with = "OrgShape")]
    pub org: String,
    /// The evaluator, by its name in the Paper.
    pub evaluator: Id,
    /// The run of the house that answered.
    pub run: String,
}

/// What an evaluator has to answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Belief {
    buyer: Million,
    confidence: Million,
    unmet: BTreeSet<Id>,
}

/// An answer whose receipt holds.
pub struct Voice {
    org: Org,
    evaluator: Id,
    /// The digest of what the evaluator was asked.
    asked: Digest,
    answer: Answer,
}

/// Reads what a run of the house answered. A run that failed, or answered anything else, has no
/// say.
pub async fn voice(
    market: &Market,
    who: &Who,
    Heard { org, evaluator, run }: Heard,
) -> Result<Voice, Refused> {
    who.needs(Role::Operator)?;
    let said = said(market, &who.org, &run).await?;
    let failed = |why: &str| Answer::Failed { why: Label::cut(why) };
    let result = said.evidence.output.as_ref().and_then(|output| output.envelope.result.as_ref());
    let answer = match result {
        None => failed("the run ended without an answer"),
        Some(value) => {
            let bytes = market.house.blobs(&who.org).get(value.digest).await?;
            match serde_json::from_slice::<Belief>(&bytes) {
                Ok(Belief { buyer, confidence, unmet }) => {
                    Answer::Belief { buyer, confidence, unmet }
                }
                Err(_) => failed("the answer is no belief"),
            }
        }
    };
    let asked = said.evidence.intent.as_ref().map(|intent| intent.args.digest);
    let asked = asked.ok_or_else(|| Refused::kept(&run, "its receipt says not what was asked"))?;
    Ok(Voice { org: Org::new(&org)?, evaluator, asked, answer })
}

/// The panel hears an answer.
pub async fn answer(
    market: &Market,
    turn: &mut Turn<'_>,
    id: &str,
    Voice { org, evaluator, asked, answer }: &Voice,
) -> Result<Purchase, Refused> {
    turn.needs(Role::Operator)?;
    let mut deal = of(turn, org, id).await?;
    let question = question(in_hand(&deal)?, evaluator);
    if *asked != Digest::of(question.as_bytes()) {
        let why = format!("it was asked something else than `{question}`");
        return Err(Refused::invalid("run", why));
    }
    let event = Event::Answered { evaluator: evaluator.clone(), answer: answer.clone() };
    step(market, turn, &mut deal, event).await?;
    deal.view()
}

/// The arguments with which an evaluator is run.
pub fn question(dispute: Digest, evaluator: &Id) -> String {
    serde_json::json!({ "dispute": dispute, "evaluator": evaluator }).to_string()
}
