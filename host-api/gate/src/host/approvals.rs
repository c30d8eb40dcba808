//! `envelope:host/approvals`: questions to humans.

use envelope_evidence::Label;
use envelope_evidence::usage::MAX_EXACT;
use envelope_rules::approval::{Matter, Request, Verdict, Wanted};
use envelope_rules::egress::rule::HostPattern;
use envelope_rules::path::Prefix;
use envelope_rules::pattern::PatternSet;

use crate::airlock::Airlock;
use crate::bindings::envelope::host::{approvals, types};
use crate::cost;
use crate::gate::{Decided, Fate, Kind, Question, union};
use crate::schema;

type Answered<T> = wasmtime::Result<Result<T, types::Fault>>;

impl approvals::Host for Airlock {
    async fn request_scope(&mut self, scope: approvals::Scope) -> Answered<approvals::Granted> {
        self.gate.charge(weight(&scope));
        let matter = match self.scope(&scope) {
            Ok(matter) => matter,
            Err(what) => return Ok(Err(types::Fault::Invalid(what))),
        };
        let reason = scope.reason;
        let passed = self.gate.ask_human(Question::new(Kind::Scope, matter)).await?;
        Ok(match passed {
            Err(denial) => Err(types::Fault::Denied(super::told(&denial))),
            Ok(Decided { approval, fate: Fate::Allowed(Verdict::Allow { scope }) }) => {
                Ok(approvals::Granted {
                    approval: approval.to_string(),
                    scope: allowed(scope, reason),
                })
            }
            Ok(_) => Err(types::Fault::Unavailable("no scope was decided on".to_owned())),
        })
    }

    async fn ask(
        &mut self,
        text: String,
        question: approvals::Question,
    ) -> Answered<approvals::Answer> {
        self.gate.charge(length(question_texts(&text, &question)));
        let matter = match question {
            approvals::Question::Choices(choices) => Matter::Choice { text, choices },
            approvals::Question::Schema(schema) => Matter::Document { text, schema },
        };
        if let Err(why) = Request::check_matter(&matter) {
            return Ok(Err(types::Fault::Invalid(why.to_string())));
        }
        if let Matter::Document { schema, .. } = &matter
            && let Err(why) = schema::check_text(schema)
        {
            return Ok(Err(types::Fault::Invalid(format!("`schema`: {why}"))));
        }
        let passed = self.gate.ask_human(Question::new(Kind::Ask, matter)).await?;
        Ok(match passed {
            Err(denial) => Err(types::Fault::Denied(super::told(&denial))),
            Ok(Decided { fate, .. }) => answer(fate),
        })
    }
}

impl Airlock {
    /// What is wanted, if it makes sense beside what the run has.
    fn scope(&self, scope: &approvals::Scope) -> Result<Matter, String> {
        let read: Vec<_> = scope.read.iter().map(String::as_str).collect();
        let write = scope.write_prefix.as_deref().map(Prefix::parse).transpose();
        let wanted = Wanted {
            read: PatternSet::parse(&read).map_err(|why| format!("`read`: {why}"))?,
            write: write.map_err(|why| format!("`write-prefix`: {why}"))?,
            hosts: scope.hosts.iter().map(|host| known_host(host)).collect::<Result<_, _>>()?,
            models: scope.models.iter().map(|model| label(model)).collect::<Result<_, _>>()?,
            nano_usd: scope.nano_usd.min(MAX_EXACT),
            ttl: u64::from(scope.ttl),
        };
        let first = self.gate.first_claims();
        if let Some(had) = first.as_ref().and_then(|claims| claims.outputs.as_ref())
            && wanted.write.as_ref().is_some_and(|wider| !had.within(wider))
        {
            return Err(format!(
                "`write-prefix`: it has to hold `{had}`, where the run was granted to write"
            ));
        }
        if let Some(first) = &first {
            union(&first.paths, &wanted.read).map_err(|denial| denial.detail().to_owned())?;
        }
        let matter = Matter::Scope { reason: scope.reason.clone(), wanted };
        Request::check_matter(&matter).map_err(|why| why.to_string())?;
        Ok(matter)
    }
}

fn label(text: &str) -> Result<Label, String> {
    Label::new(text).map_err(|why| format!("`{text}`: {why}"))
}

fn known_host(host: &str) -> Result<Label, String> {
    HostPattern::parse(host).map_err(|why| format!("`{host}`: {why}"))?;
    label(host)
}

/// What reading it costs, whether or not it makes sense.
fn weight(scope: &approvals::Scope) -> u64 {
    let lists = [&scope.read, &scope.hosts, &scope.models];
    let texts = lists.into_iter().flatten().chain(&scope.write_prefix).chain([&scope.reason]);
    length(texts)
}

fn question_texts<'a>(
    text: &'a String,
    question: &'a approvals::Question,
) -> impl Iterator<Item = &'a String> {
    let more = match question {
        approvals::Question::Choices(choices) => choices.as_slice(),
        approvals::Question::Schema(schema) => std::slice::from_ref(schema),
    };
    more.iter().chain([text])
}

fn length<'a>(texts: impl IntoIterator<Item = &'a String>) -> u64 {
    let bytes = texts.into_iter().map(String::len).fold(0, usize::saturating_add);
    u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(cost::BYTE)
}

/// What was allowed, as a guest is told.
fn allowed(scope: Wanted, reason: String) -> approvals::Scope {
    let texts = |labels: Vec<Label>| labels.iter().map(ToString::to_string).collect();
    approvals::Scope {
        reason,
        read: scope.read.patterns().iter().map(ToString::to_string).collect(),
        write_prefix: scope.write.map(|prefix| prefix.as_str().to_owned()),
        hosts: texts(scope.hosts),
        models: texts(scope.models),
        nano_usd: scope.nano_usd,
        ttl: u32::try_from(scope.ttl).unwrap_or(u32::MAX),
    }
}

fn answer(fate: Fate) -> Result<approvals::Answer, types::Fault> {
    Ok(match fate {
        Fate::Allowed(Verdict::Choose { choice }) => approvals::Answer::Choice(choice),
        Fate::Allowed(Verdict::Answer { document }) => approvals::Answer::Document(document),
        Fate::Declined(reason) => approvals::Answer::Declined(reason.to_string()),
        Fate::Expired => approvals::Answer::Expired,
        Fate::Allowed(Verdict::Allow { .. } | Verdict::Reject { .. }) => {
            return Err(types::Fault::Unavailable("something else was decided".to_owned()));
        }
    })
}
