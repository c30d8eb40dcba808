//! Between the words of the interface and our own.

use envelope_evidence::Digest;
use envelope_rules::model::{Ask, Image, Message, Part, Role, Sampling, Tool, ToolCall};

use crate::bindings::envelope::host::{model, types};
use crate::model::{Finish, Outcome, Reply, Usage};

/// The request, and the paths of its pictures in their order. Their content is not known yet.
pub(super) fn ask(request: model::Request) -> (Ask, Vec<String>) {
    let model::Request { model, messages, tools, schema, max_output, sampling } = request;
    let mut paths = Vec::new();
    let messages = messages.into_iter().map(|it| message(it, &mut paths)).collect();
    let tools = tools.into_iter().map(|tool| {
        let model::Tool { name, description, parameters } = tool;
        Tool { name, description, parameters }
    });
    let tools = tools.collect();
    let model::Sampling { temperature, top_p, stop, seed } = sampling;
    // The shortest spelling that is read as the same number. What is none is refused like a number
    // that no provider takes.
    let written = |number: f64| {
        // Without the sign of a zero; small ones are long unless with an exponent.
        let number = if number == 0.0 { 0.0 } else { number };
        let (plain, short) = (number.to_string(), format!("{number:e}"));
        if plain.len() > short.len() { short } else { plain }
    };
    let (temperature, top_p) = (temperature.map(written), top_p.map(written));
    let sampling = Sampling { temperature, top_p, stop, seed };
    (Ask { model, messages, tools, schema, max_output, sampling }, paths)
}

fn message(message: model::Message, paths: &mut Vec<String>) -> Message {
    let role = match message.role {
        model::Role::System => Role::System,
        model::Role::User => Role::User,
        model::Role::Assistant => Role::Assistant,
        model::Role::Tool => Role::Tool,
    };
    let parts = message.parts.into_iter().map(|part| match part {
        model::Part::Text(text) => Part::Text(text),
        model::Part::Image(model::Image { path, media_type }) => {
            paths.push(path);
            Part::Image(Image { media_type, digest: Digest::of(b"") })
        }
        model::Part::Call(model::ToolCall { id, name, arguments }) => {
            Part::Call(ToolCall { id, name, arguments })
        }
        model::Part::Answer((id, text)) => Part::Answer { id, text },
    });
    Message { role, parts: parts.collect() }
}

pub(super) fn reply(reply: Reply) -> model::Reply {
    let Reply { model, stub, parts, finish, usage, clamped_to, because } = reply;
    let Usage { input, output, nano_usd, confirmed, overcharged: _ } = usage;
    let parts = parts.into_iter().filter_map(|part| match part {
        Part::Text(text) => Some(model::Part::Text(text)),
        Part::Call(it) => Some(model::Part::Call(call(it))),
        // No adapter makes one.
        Part::Image(_) | Part::Answer { .. } => None,
    });
    let parts = parts.collect();
    let finish = match finish {
        Finish::Stop => model::Finish::Stop,
        Finish::Length => model::Finish::Length,
        Finish::ToolCalls => model::Finish::ToolCalls,
        Finish::Refused => model::Finish::Refused,
        Finish::Cut => model::Finish::Cut,
    };
    let usage = model::Usage { input, output, nano_usd, confirmed };
    model::Reply { model, stub, parts, finish, usage, clamped_to, clamped_by: because }
}

pub(super) fn call(call: ToolCall) -> model::ToolCall {
    let ToolCall { id, name, arguments } = call;
    model::ToolCall { id, name, arguments }
}

/// Why there is no answer.
pub(super) fn fault(outcome: Outcome) -> types::Fault {
    match outcome {
        Outcome::Failed { timed_out: true, .. } => types::Fault::TimedOut,
        Outcome::Failed { why, .. } => types::Fault::Unavailable(why),
        Outcome::Interrupted => types::Fault::Unavailable(
            "the process that asked is gone: what was set aside is spent".to_owned(),
        ),
        Outcome::Done(_) | Outcome::Embedded { .. } | Outcome::Dropped => {
            types::Fault::Unavailable("there is no such answer".to_owned())
        }
    }
}
