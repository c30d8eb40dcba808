//! The pieces of evidence tell one story: what two of them say, they say alike.

use crate::digest::Digest;
use crate::receipt::evidence::{Authority, Files, Identity, Intent, Presence, Replay};
use crate::receipt::provenance::{Provenance, engine_label};
use crate::receipt::{Kind, Receipt};
use crate::statement::Subject;
use crate::text::Label;
use crate::usage::Dimension;
use crate::verify::{Disclosed, Report};

/// Compares everything that stands in more than one place. `about` is what the receipt statement
/// is about, `subjects` what each disclosed piece of evidence is about.
pub(super) fn check(
    receipt: &Receipt,
    about: &[Subject],
    evidence: &Disclosed,
    subjects: &[(Kind, Option<Vec<Subject>>)],
    report: &mut Report,
) {
    let Disclosed { identity, intent, authority, files, output, replay, .. } = evidence;
    let contradiction = itself(receipt)
        .or_else(|| runs(receipt, evidence))
        .or_else(|| subject(receipt, about, evidence, subjects))
        .or_else(|| identity.as_ref().and_then(|it| of_identity(receipt, it)))
        .or_else(|| intent.as_ref().and_then(|it| of_intent(receipt, evidence, it)))
        .or_else(|| authority.as_ref().and_then(|it| of_authority(receipt, it)))
        .or_else(|| files.as_ref().and_then(|it| of_files(receipt, it)))
        .or_else(|| output.as_ref().and_then(|it| of_output(receipt, evidence, it)))
        .or_else(|| presence(evidence))
        .or_else(|| replay.as_ref().and_then(|it| of_replay(receipt, evidence, it)));
    match contradiction {
        Some(what) => report.fails("evidence.agreement", what),
        None => report.holds("evidence.agreement", "what is said twice is said alike"),
    }
}

fn itself(receipt: &Receipt) -> Option<String> {
    let Receipt { started, finished, cost, used, calls, .. } = receipt;
    differs(started <= finished, "receipt", "its times")
        .or_else(|| differs(cost.amount == used.get(Dimension::NanoUsd), "receipt", "its cost"))
        .or_else(|| differs(cost.unconfirmed <= calls.count, "receipt", "its calls"))
}

fn runs(receipt: &Receipt, evidence: &Disclosed) -> Option<String> {
    let named = [
        ("identity", evidence.identity.as_ref().map(|it| &it.run)),
        ("intent", evidence.intent.as_ref().map(|it| &it.run)),
        ("authority", evidence.authority.as_ref().map(|it| &it.run)),
        ("files", evidence.files.as_ref().map(|it| &it.run)),
        ("output", evidence.output.as_ref().map(|it| &it.envelope.run)),
        ("eval", evidence.eval.as_ref().map(|it| &it.run)),
        ("review", evidence.review.as_ref().map(|it| &it.run)),
        ("replay", evidence.replay.as_ref().map(|it| &it.run)),
    ];
    let other = |(kind, run): (&str, Option<&Label>)| {
        run.filter(|run| **run != receipt.run).map(|run| format!("`{kind}` is of run `{run}`"))
    };
    named.into_iter().find_map(other)
}

/// Other tools read nothing but the subject: output and receipt are about the files produced,
/// everything else, and a run that produced none, about the run and what pins it.
fn subject(
    receipt: &Receipt,
    about: &[Subject],
    evidence: &Disclosed,
    subjects: &[(Kind, Option<Vec<Subject>>)],
) -> Option<String> {
    let shown = || subjects.iter().filter_map(|(kind, it)| Some((*kind, it.as_deref()?)));
    let others = || shown().filter(|(kind, _)| *kind != Kind::Output);
    let header = evidence.replay.as_ref().map(|it| it.journal.header).or_else(|| {
        let mut subjects = others().flat_map(|(_, it)| it);
        subjects.next().map(|it| it.digest.digest())
    });
    let is_run = |it: &[Subject]| match it {
        [run] => *run.name == *receipt.run && header.is_none_or(|it| it == run.digest.digest()),
        _ => false,
    };
    let outputs = evidence.output.as_ref().map(|it| it.envelope.outputs.as_slice());
    let is_made = |it: &[Subject]| match outputs {
        None => true,
        Some([]) => is_run(it),
        Some(files) => it
            .iter()
            .map(|it| (it.name.as_str(), it.digest.digest()))
            .eq(files.iter().map(|file| (file.path.as_str(), file.digest))),
    };
    let other = others().find(|(_, it)| !is_run(it)).map(|(kind, _)| kind.name());
    let output = || shown().find(|(kind, it)| *kind == Kind::Output && !is_made(it));
    let receipt = || (!is_made(about)).then_some("receipt");
    let stranger = other.or_else(|| output().map(|(kind, _)| kind.name())).or_else(receipt);
    stranger.and_then(|kind| differs(false, kind, "its subject"))
}

fn of_identity(receipt: &Receipt, identity: &Identity) -> Option<String> {
    let agent = &identity.agent;
    let same = agent.name == receipt.component.name
        && agent.component == receipt.component.digest.digest();
    differs(same, "identity", "the component")
}

fn of_intent(receipt: &Receipt, evidence: &Disclosed, intent: &Intent) -> Option<String> {
    let authority = evidence.authority.as_ref();
    differs(intent.paper == receipt.paper, "intent", "the Paper")
        .or_else(|| differs(intent.started == receipt.started, "intent", "the start"))
        .or_else(|| {
            differs(same(authority, |it| it.warrant == intent.warrant), "authority", "the warrant")
        })
}

fn of_authority(receipt: &Receipt, authority: &Authority) -> Option<String> {
    differs(authority.denied() <= receipt.calls.count, "authority", "the calls")
}

fn of_files(receipt: &Receipt, files: &Files) -> Option<String> {
    differs(files.asked() <= receipt.calls.count, "files", "the calls")
}

fn of_output(receipt: &Receipt, evidence: &Disclosed, output: &Provenance) -> Option<String> {
    let differs = |same, what| differs(same, "output", what);
    let Some(made) = output.made() else { return differs(false, "its own form") };
    let Disclosed { identity, intent, files, replay, .. } = evidence;
    let ending = &made.ending;
    let ended = ending.outcome == receipt.outcome && ending.reason == receipt.reason;
    let times = made.started == receipt.started
        && made.finished == receipt.finished
        && ending.elapsed_ms == made.finished.0.millis_since(made.started.0);
    let paper = made.paper == receipt.paper.as_ref().map(|paper| paper.digest);
    let asked = same(intent.as_ref(), |it| it.skill == made.skill && it.args.digest == made.args);
    let inputs = same(files.as_ref(), |it| it.inputs == made.inputs)
        && same(replay.as_ref(), |it| it.inputs == made.inputs);
    let engine = same(identity.as_ref(), |it| engine_label(&it.engine) == made.engine)
        && same(replay.as_ref(), |it| engine_label(&it.engine) == made.engine);
    differs(ended, "how the run ended")
        .or_else(|| differs(made.component == component(receipt), "the component"))
        .or_else(|| differs(times, "the times"))
        .or_else(|| differs(paper, "the Paper"))
        .or_else(|| differs(asked, "what was asked"))
        .or_else(|| differs(inputs, "the inputs"))
        .or_else(|| differs(engine, "the engine"))
}

fn presence(evidence: &Disclosed) -> Option<String> {
    let eval = same(evidence.eval.as_ref(), |it| it.state == Presence::of(&it.evaluations));
    let reviews = same(evidence.review.as_ref(), |it| it.state == Presence::of(&it.reviews));
    differs(eval, "eval", "whether there is any")
        .or_else(|| differs(reviews, "review", "whether there is any"))
}

fn of_replay(receipt: &Receipt, evidence: &Disclosed, replay: &Replay) -> Option<String> {
    let differs = |same, what| differs(same, "replay", what);
    let Disclosed { identity, intent, files, .. } = evidence;
    let inputs = same(files.as_ref(), |it| it.inputs == replay.inputs);
    let args = same(intent.as_ref(), |it| it.args.digest == replay.args);
    let engine = same(identity.as_ref(), |it| it.engine == replay.engine);
    differs(replay.calls == receipt.calls, "the calls")
        .or_else(|| differs(replay.component == component(receipt), "the component"))
        .or_else(|| differs(inputs, "the inputs"))
        .or_else(|| differs(args, "the arguments"))
        .or_else(|| differs(engine, "the engine"))
}

const fn component(receipt: &Receipt) -> Digest {
    receipt.component.digest.digest()
}

/// Whether `other` agrees, as far as it was handed over.
fn same<T>(other: Option<&T>, agrees: impl FnOnce(&T) -> bool) -> bool {
    other.is_none_or(agrees)
}

fn differs(same: bool, kind: &str, what: &str) -> Option<String> {
    (!same).then(|| format!("`{kind}` tells otherwise about {what}"))
}
