//! What the host offers to those who may.

use envelope_sdk::agents::Delegation;
use envelope_sdk::approvals::{Question, Scope};
use envelope_sdk::prelude::*;

use crate::Attempts;

/// Asks for models, other agents and humans.
pub fn capabilities(attempts: &mut Attempts<'_>) {
    let ctx = attempts.ctx;
    attempts.attempt("ask a model", || ctx.model("fast").ask("Say yes."));
    attempts.attempt("embed a text", || {
        ctx.model("fast").embed(&["yes".into()]).map(|found| format!("{} vectors", found.len()))
    });
    attempts.attempt("stream an answer", || {
        let model = ctx.model("fast");
        model.stream(&model.request("Say yes.")).map(|_| "a stream")
    });
    let everything = Delegation::default().files(["**"]).outputs("docs/").money(u64::MAX, u64::MAX);
    attempts.attempt("call an agent with all authority", || {
        ctx.agent("hello").call::<Value>("hello", &json!({ "name": "Eve" }), &everything)
    });
    attempts.attempt("call many agents with all authority", || {
        let eve = [json!({ "name": "Eve" })];
        let mut all = ctx.agent("hello").call_all::<Value>("hello", &eve, &everything)?;
        all.remove(0)
    });
    let scope = Scope {
        reason: "because".into(),
        read: vec!["**".into()],
        write_prefix: Some(String::new()),
        hosts: vec!["*".into()],
        models: vec!["*".into()],
        nano_usd: u64::MAX,
        ttl: u32::MAX,
    };
    attempts.attempt("ask for all authority", || {
        ctx.request_scope(&scope).map(|granted| granted.approval)
    });
    attempts.attempt("ask a human", || {
        let question = Question::Choices(vec!["yes".into(), "yes".into()]);
        ctx.ask("May I?", &question).map(|answer| format!("{answer:?}"))
    });
}

/// Keeps artifacts under names that lead elsewhere.
pub fn artifacts(attempts: &mut Attempts<'_>) {
    let ctx = attempts.ctx;
    let long = "a".repeat(100_000);
    for name in ["../hostile", "/hostile", "a/b", "..", "", "a\0b", "receipt\n.json", &long] {
        let shown: String = name.escape_debug().take(20).collect();
        attempts.attempt(format!("keep an artifact named `{shown}`"), || {
            ctx.artifact(name, "text/plain", "hostile").map(|kept| kept.digest)
        });
    }
    attempts.attempt("keep an artifact of no media type", || {
        ctx.artifact("hostile", "text/plain\r\nx: y", "hostile").map(|kept| kept.digest)
    });
}
