//! Journal → receipt. Pure and total.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::canonical;
use crate::digest::Digest;
use crate::journal::{Call, Ended, Event, FILES, Header, Journal, Outcome, Settled};
use crate::merkle;
use crate::receipt::Unsigned;
use crate::receipt::evidence::{
    Authority, Calls, DenialCount, Eval, Files, Held, Identity, Intent, JournalRef, Kind,
    NAMES_MAX, OperationCount, Presence, Replay, Reviews, TOUCHED_MAX, Touched,
};
use crate::receipt::provenance::{Ending, Made, Provenance, engine_label};
use crate::receipt::statement::{Component, Cost, Evidence, RECEIPT_TYPE, Receipt, Unit};
use crate::statement::{Statement, Subject};
use crate::text::Label;
use crate::time::Rfc3339;
use crate::usage::Dimension;

/// The receipt of the run that `journal` records.
pub fn fold(journal: &Journal) -> Unsigned {
    let story = Story::of(journal);
    let evidence = Kind::ALL.map(|kind| story.evidence(kind));
    let digests = Evidence::of(|kind| {
        let mut pieces = Kind::ALL.into_iter().zip(&evidence);
        let piece = pieces.find(|(of, _)| *of == kind);
        piece.map_or_else(|| Digest::of(b""), |(_, payload)| Digest::of(payload))
    });
    let receipt = story.receipt(digests);
    Unsigned { evidence, receipt }
}

/// One pass over the journal, sorted by who asks.
struct Story<'a> {
    journal: &'a Journal,
    header: &'a Header,
    ended: Ended,
    calls: Calls,
    unconfirmed: u64,
    denials: BTreeMap<&'a Label, u64>,
    operations: BTreeMap<&'a Label, OperationCount>,
    touched: Vec<Touched>,
    omitted: u64,
}

impl<'a> Story<'a> {
    fn of(journal: &'a Journal) -> Self {
        let mut story = Self {
            journal,
            header: journal.header(),
            ended: journal.ended().cloned().unwrap_or_else(interrupted),
            calls: Calls { count: length(journal.calls()), root: call_root(journal) },
            unconfirmed: 0,
            denials: BTreeMap::new(),
            operations: BTreeMap::new(),
            touched: Vec::new(),
            omitted: 0,
        };
        for (event, settled) in settled_calls(journal) {
            story.hear(event, settled);
        }
        story
    }

    fn hear(&mut self, event: &'a Event, settled: Settled) {
        let Some(call) = call_of(event) else { return };
        self.unconfirmed += u64::from(settled == Settled::Begun);
        if let Event::Denied(denied) = event {
            *self.denials.entry(&denied.code).or_default() += 1;
        }
        if *call.capability == *FILES {
            self.count(call, settled);
        }
        self.touch(event);
    }

    fn count(&mut self, call: &'a Call, settled: Settled) {
        let operation = call.operation.clone();
        let fresh = || OperationCount { operation, answered: 0, denied: 0, begun: 0 };
        let count = self.operations.entry(&call.operation).or_insert_with(fresh);
        match settled {
            Settled::Answered => count.answered += 1,
            Settled::Denied => count.denied += 1,
            Settled::Begun => count.begun += 1,
        }
    }

    fn touch(&mut self, event: &Event) {
        let Event::Answered(answered) = event else { return };
        let Some(file) = &answered.file else { return };
        if self.touched.len() >= TOUCHED_MAX {
            self.omitted += 1;
            return;
        }
        self.touched.push(Touched {
            call: answered.call.n,
            operation: answered.call.operation.clone(),
            path: file.path.clone(),
            digest: file.digest,
            size: file.size,
        });
    }

    fn evidence(&self, kind: Kind) -> Vec<u8> {
        match kind {
            Kind::Identity => self.say(kind, self.identity()),
            Kind::Intent => self.say(kind, self.intent()),
            Kind::Authority => self.say(kind, self.authority()),
            Kind::Files => self.say(kind, self.files()),
            Kind::Output => self.say_about(self.outputs(), &kind.predicate_type(), self.output()),
            Kind::Eval => self.say(kind, self.eval()),
            Kind::Review => self.say(kind, self.reviews()),
            Kind::Replay => self.say(kind, self.replay()),
        }
    }

    fn say(&self, kind: Kind, predicate: impl Serialize) -> Vec<u8> {
        self.say_about(vec![self.run()], &kind.predicate_type(), predicate)
    }

    fn say_about(&self, about: Vec<Subject>, kind: &str, predicate: impl Serialize) -> Vec<u8> {
        bytes(&Statement::new(about, kind.to_owned(), predicate))
    }

    /// The run as a subject: its name and the digest of what pins it.
    fn run(&self) -> Subject {
        Subject::new(self.header.run.as_str(), self.journal.header_digest())
    }

    /// The files produced, or the run itself when there are none: a subject is never empty.
    fn outputs(&self) -> Vec<Subject> {
        let outputs = &self.ended.outputs;
        if outputs.is_empty() {
            return vec![self.run()];
        }
        outputs.iter().map(|file| Subject::new(file.path.as_str(), file.digest)).collect()
    }

    fn identity(&self) -> Identity {
        let Header { run, agent, caller, engine, .. } = self.header.clone();
        Identity { run, agent, caller, engine }
    }

    fn intent(&self) -> Intent {
        let Header { run, skill, args, paper, warrant, budget, prices, started, .. } =
            self.header.clone();
        let started = Rfc3339(started);
        Intent { run, skill, args, paper, warrant, budget, prices, started }
    }

    fn authority(&self) -> Authority {
        let first = self.header.scope.iter().map(|scope| (scope, None));
        let later = self.journal.entries().iter().filter_map(|entry| match &entry.event {
            Event::Answered(answered) => answered.rotation.as_ref(),
            Event::Begun(_)
            | Event::Denied(_)
            | Event::Reviewed(_)
            | Event::Evaluated(_)
            | Event::Ended(_) => None,
        });
        let later = later.map(|rotation| (&rotation.scope, Some(rotation.approval.clone())));
        let held = |(scope, approval): (&crate::journal::Scope, _)| Held {
            scope: scope.clone(),
            approval,
        };
        let count =
            |(code, count): (&&Label, &u64)| DenialCount { code: (*code).clone(), count: *count };
        let answered = settled_calls(self.journal).filter_map(|(event, _)| match event {
            Event::Answered(answered) => answered.child.as_deref().cloned(),
            Event::Begun(_)
            | Event::Denied(_)
            | Event::Reviewed(_)
            | Event::Evaluated(_)
            | Event::Ended(_) => None,
        });
        Authority {
            delegated: answered.collect(),
            run: self.header.run.clone(),
            warrant: self.header.warrant,
            scopes: first.chain(later).map(held).collect(),
            denials: self.denials.iter().take(NAMES_MAX).map(count).collect(),
            omitted: self.denials.values().skip(NAMES_MAX).sum(),
        }
    }

    fn files(&self) -> Files {
        let rest = self.operations.values().skip(NAMES_MAX);
        Files {
            run: self.header.run.clone(),
            inputs: self.header.inputs,
            operations: self.operations.values().take(NAMES_MAX).cloned().collect(),
            omitted_operations: rest.map(OperationCount::asked).sum(),
            touched: self.touched.clone(),
            omitted: self.omitted,
        }
    }

    fn output(&self) -> Provenance {
        let Header { skill, args, paper, agent, engine, .. } = self.header;
        let finished = self.journal.last_at();
        let Ended { outcome, reason, result, outputs } = self.ended.clone();
        Provenance::of(Made {
            skill: skill.clone(),
            args: args.digest,
            paper: paper.as_ref().map(|paper| paper.digest),
            component: agent.component,
            inputs: self.header.inputs,
            engine: engine_label(engine),
            started: Rfc3339(self.header.started),
            finished: Rfc3339(finished),
            ending: Ending {
                run: self.header.run.clone(),
                outcome,
                reason,
                result,
                outputs,
                elapsed_ms: finished.millis_since(self.header.started),
            },
        })
    }

    fn eval(&self) -> Eval {
        let events = self.journal.entries().iter();
        let evaluations: Vec<_> = events
            .filter_map(|entry| match &entry.event {
                Event::Evaluated(evaluation) => Some(evaluation.clone()),
                Event::Begun(_)
                | Event::Answered(_)
                | Event::Denied(_)
                | Event::Reviewed(_)
                | Event::Ended(_) => None,
            })
            .collect();
        let state = Presence::of(&evaluations);
        Eval { run: self.header.run.clone(), state, evaluations }
    }

    fn reviews(&self) -> Reviews {
        let events = self.journal.entries().iter();
        let reviews: Vec<_> = events
            .filter_map(|entry| match &entry.event {
                Event::Reviewed(review) => Some(review.clone()),
                Event::Begun(_)
                | Event::Answered(_)
                | Event::Denied(_)
                | Event::Evaluated(_)
                | Event::Ended(_) => None,
            })
            .collect();
        let state = Presence::of(&reviews);
        Reviews { run: self.header.run.clone(), state, reviews }
    }

    fn replay(&self) -> Replay {
        let Header { run, agent, inputs, args, engine, seed, .. } = self.header.clone();
        let journal = JournalRef {
            header: self.journal.header_digest(),
            head: self.journal.head(),
            entries: length(self.journal.entries()),
        };
        let (component, args, calls) = (agent.component, args.digest, self.calls.clone());
        Replay { run, component, inputs, args, engine, seed, journal, calls }
    }

    fn receipt(&self, evidence: Evidence) -> Vec<u8> {
        let Header { run, started, paper, agent, previous, .. } = self.header.clone();
        let used = self.journal.used();
        let receipt = Receipt {
            run,
            outcome: self.ended.outcome,
            reason: self.ended.reason.clone(),
            started: Rfc3339(started),
            finished: Rfc3339(self.journal.last_at()),
            paper,
            component: Component { name: agent.name, digest: agent.component.into() },
            evidence,
            calls: self.calls.clone(),
            cost: Cost {
                unit: Unit::UsdNanos,
                amount: used.get(Dimension::NanoUsd),
                unconfirmed: self.unconfirmed,
            },
            used,
            previous: previous.map(Into::into),
        };
        self.say_about(self.outputs(), RECEIPT_TYPE, receipt)
    }
}

/// What is known of a run whose journal just stops.
fn interrupted() -> Ended {
    let reason = Label::cut("no end is recorded");
    Ended { outcome: Outcome::Interrupted, reason, result: None, outputs: Vec::new() }
}

/// The latest record of every call, in the order of their numbers.
fn settled_calls(journal: &Journal) -> impl Iterator<Item = (&Event, Settled)> {
    journal.calls().iter().filter_map(|state| {
        let entry = journal.entries().get(state.entry)?;
        Some((&entry.event, state.settled))
    })
}

const fn call_of(event: &Event) -> Option<&Call> {
    match event {
        Event::Begun(begun) => Some(&begun.call),
        Event::Answered(answered) => Some(&answered.call),
        Event::Denied(denied) => Some(&denied.call),
        Event::Reviewed(_) | Event::Evaluated(_) | Event::Ended(_) => None,
    }
}

/// What a replay must reproduce of one call.
#[derive(Serialize)]
struct Leaf<'a> {
    n: u64,
    capability: &'a Label,
    operation: &'a Label,
    request: Digest,
    verdict: LeafVerdict<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum LeafVerdict<'a> {
    Answered(Digest),
    Denied(&'a Label),
    Begun,
}

fn call_root(journal: &Journal) -> Digest {
    let leaves = settled_calls(journal).filter_map(|(event, _)| leaf(event));
    merkle::root(leaves.map(|leaf| merkle::leaf(&bytes(&leaf))))
}

fn leaf(event: &Event) -> Option<Leaf<'_>> {
    let verdict = match event {
        Event::Answered(answered) => LeafVerdict::Answered(answered.answer.digest()),
        Event::Denied(denied) => LeafVerdict::Denied(&denied.code),
        Event::Begun(_) => LeafVerdict::Begun,
        Event::Reviewed(_) | Event::Evaluated(_) | Event::Ended(_) => return None,
    };
    let Call { n, capability, operation, request, .. } = call_of(event)?;
    Some(Leaf { n: *n, capability, operation, request: *request, verdict })
}

fn length<T>(list: &[T]) -> u64 {
    u64::try_from(list.len()).unwrap_or(u64::MAX)
}

/// The canonical bytes of what was built from a [`Journal`], whose limits keep every statement
/// inside the profile: bounded texts, exact integers, lists with a largest length.
fn bytes(value: &impl Serialize) -> Vec<u8> {
    #[expect(clippy::expect_used, reason = "a journal admits nothing that could break this")]
    canonical::of(value).expect("statements of a valid journal are canonical JSON")
}
