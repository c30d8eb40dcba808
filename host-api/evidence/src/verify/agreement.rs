//! The pieces of evidence tell one story: what two of them say, they say alike.

use crate::receipt::Receipt;
use crate::receipt::evidence::{Presence, Replay};
use crate::text::Label;
use crate::verify::{Disclosed, Report};

/// Compares everything that stands in more than one statement.
pub(super) fn check(receipt: &Receipt, evidence: &Disclosed, report: &mut Report) {
    let contradiction = runs(receipt, evidence)
        .or_else(|| identity(receipt, evidence))
        .or_else(|| intent(receipt, evidence))
        .or_else(|| output(receipt, evidence))
        .or_else(|| presence(evidence))
        .or_else(|| {
            evidence.replay.as_ref().and_then(|replay| replayed(receipt, evidence, replay))
        });
    match contradiction {
        Some(what) => report.fails("evidence.agreement", what),
        None => report.holds("evidence.agreement", "what is said twice is said alike"),
    }
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

fn identity(receipt: &Receipt, evidence: &Disclosed) -> Option<String> {
    let agent = &evidence.identity.as_ref()?.agent;
    let same = agent.name == receipt.component.name
        && agent.component == receipt.component.digest.digest();
    differs(same, "identity", "the component")
}

fn intent(receipt: &Receipt, evidence: &Disclosed) -> Option<String> {
    let intent = evidence.intent.as_ref()?;
    let warrant = evidence.authority.as_ref().map(|authority| authority.warrant);
    let same = warrant.is_none_or(|warrant| warrant == intent.warrant);
    differs(intent.paper == receipt.paper, "intent", "the Paper")
        .or_else(|| differs(intent.started == receipt.started, "intent", "the start"))
        .or_else(|| differs(same, "authority", "the warrant"))
}

fn output(receipt: &Receipt, evidence: &Disclosed) -> Option<String> {
    let output = evidence.output.as_ref()?;
    let ending = &output.envelope;
    let same = ending.outcome == receipt.outcome && ending.reason == receipt.reason;
    let component = output.component() == Some(receipt.component.digest.digest());
    differs(same, "output", "how the run ended")
        .or_else(|| differs(component, "output", "the component"))
}

fn presence(evidence: &Disclosed) -> Option<String> {
    let eval = evidence.eval.as_ref();
    let reviews = evidence.review.as_ref();
    let eval = eval.is_none_or(|it| it.state == Presence::of(&it.evaluations));
    let reviews = reviews.is_none_or(|it| it.state == Presence::of(&it.reviews));
    differs(eval, "eval", "whether there is any")
        .or_else(|| differs(reviews, "review", "whether there is any"))
}

fn replayed(receipt: &Receipt, evidence: &Disclosed, replay: &Replay) -> Option<String> {
    let inputs = evidence.files.as_ref().is_none_or(|files| files.inputs == replay.inputs);
    let args = evidence.intent.as_ref().is_none_or(|intent| intent.args.digest == replay.args);
    let engine = evidence.identity.as_ref().is_none_or(|it| it.engine == replay.engine);
    differs(replay.calls == receipt.calls, "replay", "the calls")
        .or_else(|| {
            differs(
                replay.component == receipt.component.digest.digest(),
                "replay",
                "the component",
            )
        })
        .or_else(|| differs(inputs, "replay", "the inputs"))
        .or_else(|| differs(args, "replay", "the arguments"))
        .or_else(|| differs(engine, "replay", "the engine"))
}

fn differs(same: bool, kind: &str, what: &str) -> Option<String> {
    (!same).then(|| format!("`{kind}` tells otherwise about {what}"))
}
