//! Parler: how a dispute is decided.
//!
//! Question, options, panel, thresholds and remedy were frozen with the Paper; the panel reads the
//! sealed record and nothing else. What it cannot decide, a person does.

mod event;
mod panel;
mod record;
mod remedy;
pub(crate) mod shape;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use envelope_evidence::{Digest, Timestamp, canonical};

use crate::contract::{
    self, Contract, Did, Hold, HumanDecides, Id, Remedy, Stakes, TieBreaker, Verdict, Weight,
};

pub use event::{Answer, Cause, Effect, Event, Reason, Refused, Side};
pub use panel::{MILLION, Million, Posterior, Voice, posterior};
pub use record::{
    BadRecord, Delivered, LIST_MAX, SealedRecord, TRACED_MAX, Telemetry, TraceSlice, Traced,
};
pub use remedy::{refund_share, weight_of};

/// How long the panel has to answer: models take minutes, and their providers mend a fault in days.
pub const PANEL_MILLIS: u64 = 3 * 86_400_000;

/// Fewer voices are no panel.
pub const VOICES_MIN: usize = 2;

/// A dispute and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dispute {
    id: Digest,
    cause: Cause,
    rules: Rules,
    state: State,
}

/// What the Paper says about disputes, as it was frozen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// The Paper.
    pub paper: Digest,
    /// Question, options, panel, thresholds.
    pub dispute: contract::Dispute,
    /// The remedy for the agreed stakes.
    pub remedy: Remedy,
    /// What each criterion weighs.
    pub weights: BTreeMap<Id, Weight>,
    /// Everybody who belongs to a party and so decides nothing.
    pub partial: BTreeSet<Did>,
}

/// Where a dispute stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case", deny_unknown_fields)]
pub enum State {
    /// The record is being put together.
    Opened {},
    /// The panel reads the record.
    Panel {
        /// The digest of the sealed record.
        record: Digest,
        /// When whoever has not answered counts as failed.
        until: Timestamp,
        /// What was answered, by evaluator.
        answers: BTreeMap<Id, Answer>,
    },
    /// The panel is split and the further model reads the record.
    TieBreak {
        /// The digest of the sealed record.
        record: Digest,
        /// When the model counts as failed.
        until: Timestamp,
        /// What the panel found unmet.
        unmet: BTreeSet<Id>,
    },
    /// A person reads the record.
    Human {
        /// The digest of the sealed record.
        record: Digest,
        /// Why a person has to decide.
        why: Reason,
        /// What the panel came to, if it came to something.
        advice: Option<Million>,
    },
    /// It is decided.
    Decided {
        /// The digest of the sealed record.
        record: Digest,
        /// What was decided.
        decision: Decision,
    },
}

/// What was decided, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Where the money goes; never `cannot-decide`.
    pub verdict: Verdict,
    /// The criteria found unmet: what they weigh sizes a division.
    pub unmet: BTreeSet<Id>,
    /// The person who decided; none when the models did.
    pub by: Option<Did>,
}

type Stepped = Result<(Dispute, Vec<Effect>), Refused>;

impl Rules {
    /// The rules that `contract`, with the digest `paper`, froze.
    pub fn of(contract: &Contract, paper: Digest) -> Self {
        let parties = [&contract.parties.buyer, &contract.parties.developer];
        let people = parties.into_iter().flat_map(|party| {
            let principals = party.principals.iter().map(|principal| &principal.did);
            principals.chain([&party.did, &party.human_root.did])
        });
        let weights = contract.criteria.iter().map(|one| (one.id.clone(), one.weight));
        let mut remedy = contract.agreed_remedy().clone();
        if contract.stakes == Stakes::Critical {
            // Whatever a Paper says, a person decides and nothing moves while much depends on it.
            (remedy.human, remedy.hold, remedy.suspend) = (HumanDecides::Always, Hold::Full, true);
        }
        Self {
            paper,
            dispute: contract.dispute.clone(),
            remedy,
            weights: weights.collect(),
            partial: people.cloned().collect(),
        }
    }
}

impl Dispute {
    /// Opens a dispute. The same cause under the same Paper is the same dispute, however often it
    /// is told.
    pub fn open(rules: Rules, cause: Cause) -> Result<(Self, Vec<Effect>), canonical::Refused> {
        let id = cause.dispute_under(rules.paper)?;
        let mut effects = vec![Effect::Seal { dispute: id }];
        if rules.remedy.suspend || cause.suspends() {
            effects.push(Effect::Suspend { dispute: id });
        }
        Ok((Self { id, cause, rules, state: State::Opened {} }, effects))
    }

    /// The dispute's name: the digest of Paper and cause.
    pub const fn id(&self) -> Digest {
        self.id
    }

    /// Why it was opened.
    pub const fn cause(&self) -> &Cause {
        &self.cause
    }

    /// What the Paper says about it.
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// When whoever has not answered counts as failed.
    pub const fn due(&self) -> Option<Timestamp> {
        match &self.state {
            State::Panel { until, .. } | State::TieBreak { until, .. } => Some(*until),
            State::Opened {} | State::Human { .. } | State::Decided { .. } => None,
        }
    }

    /// Where it stands.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// What was decided, once it is.
    pub const fn decision(&self) -> Option<&Decision> {
        match &self.state {
            State::Decided { decision, .. } => Some(decision),
            State::Opened {}
            | State::Panel { .. }
            | State::TieBreak { .. }
            | State::Human { .. } => None,
        }
    }

    /// The same dispute after `event`.
    pub fn step(self, event: Event, now: Timestamp) -> Stepped {
        match event {
            Event::Sealed { record } => self.sealed(&record, now),
            Event::Answered { evaluator, answer } => self.answered(evaluator, answer, now),
            Event::Overdue {} => self.overdue(now),
            Event::Decided { by, verdict, unmet } => self.decided(&by, verdict, unmet),
        }
    }

    fn sealed(self, sealed: &SealedRecord, now: Timestamp) -> Stepped {
        sealed.check(self.id, &self.rules)?;
        let digest = sealed.digest().map_err(BadRecord::from)?;
        match &self.state {
            State::Opened {} => {
                let ask = |one: &contract::Evaluator| Effect::Ask {
                    evaluator: one.id.clone(),
                    prompt: one.prompt,
                    record: digest,
                };
                let effects = self.rules.dispute.panel.iter().map(ask).collect();
                let (until, answers) = (later(now), BTreeMap::new());
                Ok((self.at(State::Panel { record: digest, until, answers }), effects))
            }
            State::Panel { record, .. }
            | State::TieBreak { record, .. }
            | State::Human { record, .. }
            | State::Decided { record, .. } => {
                if *record == digest {
                    Ok((self, Vec::new()))
                } else {
                    Err(Refused::SealedBefore(*record))
                }
            }
        }
    }

    fn answered(self, evaluator: Id, answer: Answer, now: Timestamp) -> Stepped {
        answer.check(&self.rules)?;
        match self.state.clone() {
            State::Opened {} => Err(Refused::NotSealed),
            State::Panel { record, until, mut answers } => {
                if !self.rules.dispute.panel.iter().any(|one| one.id == evaluator) {
                    return Err(Refused::NotAsked(evaluator));
                }
                match answers.get(&evaluator) {
                    Some(before) if *before == answer => return Ok((self, Vec::new())),
                    Some(_) => return Err(Refused::AnsweredBefore(evaluator)),
                    None => answers.insert(evaluator, answer),
                };
                if answers.len() < self.rules.dispute.panel.len() {
                    return Ok((self.at(State::Panel { record, until, answers }), Vec::new()));
                }
                Ok(self.tallied(record, &answers, now))
            }
            State::TieBreak { record, unmet, .. } => {
                let asked = match &self.rules.dispute.tie_breaker {
                    TieBreaker::Ai { id, .. } => *id == evaluator,
                    TieBreaker::Human { .. } | TieBreaker::None {} => false,
                };
                if asked {
                    Ok(self.tie_broken(record, unmet, &answer))
                } else if self.rules.dispute.panel.iter().any(|one| one.id == evaluator) {
                    Err(Refused::AnsweredBefore(evaluator))
                } else {
                    Err(Refused::NotAsked(evaluator))
                }
            }
            State::Human { .. } | State::Decided { .. } => Err(Refused::PanelClosed),
        }
    }

    fn overdue(self, now: Timestamp) -> Stepped {
        match self.state.clone() {
            State::Panel { until, .. } | State::TieBreak { until, .. } if now < until => {
                Err(Refused::NotDue(until))
            }
            State::Panel { record, answers, .. } => Ok(self.tallied(record, &answers, now)),
            State::TieBreak { record, .. } => Ok(self.left_to_human(record, Reason::Split, None)),
            State::Opened {} => Err(Refused::NotSealed),
            State::Human { .. } | State::Decided { .. } => Err(Refused::PanelClosed),
        }
    }

    fn decided(self, by: &Did, verdict: Verdict, unmet: BTreeSet<Id>) -> Stepped {
        let decision = Decision { verdict, unmet, by: Some(by.clone()) };
        match &self.state {
            State::Human { record, .. } => {
                self.may_decide(by)?;
                if verdict == Verdict::CannotDecide {
                    return Err(Refused::NoVerdict);
                }
                if !self.rules.dispute.options.contains(&verdict) {
                    return Err(Refused::NotAnOption(verdict.name()));
                }
                known(&decision.unmet, &self.rules)?;
                let record = *record;
                Ok(self.close(record, decision))
            }
            State::Decided { decision: before, .. } if *before == decision => {
                Ok((self, Vec::new()))
            }
            State::Decided { .. } => Err(Refused::DecidedBefore),
            State::Opened {} => Err(Refused::NotSealed),
            State::Panel { .. } | State::TieBreak { .. } => Err(Refused::PanelSits),
        }
    }

    fn may_decide(&self, by: &Did) -> Result<(), Refused> {
        let named = match &self.rules.dispute.tie_breaker {
            TieBreaker::Human { did, .. } => did == by,
            TieBreaker::Ai { .. } | TieBreaker::None {} => true,
        };
        if named && !self.rules.partial.contains(by) {
            Ok(())
        } else {
            Err(Refused::MayNotDecide(by.clone()))
        }
    }

    /// What follows once the panel has answered or run out of time.
    fn tallied(
        self,
        record: Digest,
        answers: &BTreeMap<Id, Answer>,
        now: Timestamp,
    ) -> (Self, Vec<Effect>) {
        let voices = panel::voices(&self.rules.dispute.panel, answers);
        let advice = posterior(&voices);
        let undecided = answers.values().any(|answer| *answer == Answer::CannotDecide {});
        if undecided {
            return self.left_to_human(record, Reason::CannotDecide, advice);
        }
        let Some(belief) = advice.filter(|_| voices.len() >= VOICES_MIN) else {
            return self.left_to_human(record, Reason::TooFewVoices, advice);
        };
        if self.rules.remedy.human == HumanDecides::Always {
            return self.left_to_human(record, Reason::Stakes, advice);
        }
        let unmet = panel::unmet(&voices);
        if let Some(verdict) = belief.verdict(&self.rules.dispute) {
            return self.close(record, Decision { verdict, unmet, by: None });
        }
        if self.rules.remedy.human == HumanDecides::OnSplit {
            return self.left_to_human(record, Reason::Split, advice);
        }
        let options = &self.rules.dispute.options;
        match &self.rules.dispute.tie_breaker {
            TieBreaker::Ai { id, prompt, .. } => {
                let ask = Effect::Ask { evaluator: id.clone(), prompt: *prompt, record };
                let state = State::TieBreak { record, until: later(now), unmet };
                (self.at(state), vec![ask])
            }
            TieBreaker::None {} if options.contains(&Verdict::Partial) => {
                self.close(record, Decision { verdict: Verdict::Partial, unmet, by: None })
            }
            TieBreaker::None {} | TieBreaker::Human { .. } => {
                self.left_to_human(record, Reason::Split, advice)
            }
        }
    }

    /// The further model decides alone; what it is as split about as the panel, a person decides.
    fn tie_broken(
        self,
        record: Digest,
        unmet: BTreeSet<Id>,
        answer: &Answer,
    ) -> (Self, Vec<Effect>) {
        let reason = match answer {
            Answer::CannotDecide {} => Reason::CannotDecide,
            Answer::Failed { .. } | Answer::Belief { .. } => Reason::Split,
        };
        let belief = posterior(&Voice::alone(answer));
        match belief.and_then(|belief| belief.verdict(&self.rules.dispute)) {
            Some(verdict) => self.close(record, Decision { verdict, unmet, by: None }),
            None => self.left_to_human(record, reason, belief),
        }
    }

    fn left_to_human(
        self,
        record: Digest,
        why: Reason,
        belief: Option<Posterior>,
    ) -> (Self, Vec<Effect>) {
        let advice = belief.map(|belief| belief.millionths());
        let effect = Effect::AskHuman { record, why, advice };
        (self.at(State::Human { record, why, advice }), vec![effect])
    }

    fn close(self, record: Digest, decision: Decision) -> (Self, Vec<Effect>) {
        let effect = Effect::Announce { dispute: self.id, decision: decision.clone() };
        (self.at(State::Decided { record, decision }), vec![effect])
    }

    fn at(self, state: State) -> Self {
        Self { state, ..self }
    }
}

impl State {
    /// The name in documents.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Opened {} => "opened",
            Self::Panel { .. } => "panel",
            Self::TieBreak { .. } => "tie-break",
            Self::Human { .. } => "human",
            Self::Decided { .. } => "decided",
        }
    }
}

fn later(now: Timestamp) -> Timestamp {
    Timestamp::from_millis(now.millis().saturating_add(PANEL_MILLIS)).unwrap_or(Timestamp::MAX)
}

fn known(unmet: &BTreeSet<Id>, rules: &Rules) -> Result<(), Refused> {
    let stranger = unmet.iter().find(|id| !rules.weights.contains_key(*id));
    stranger.map_or(Ok(()), |id| Err(Refused::NoSuchCriterion(id.clone())))
}
