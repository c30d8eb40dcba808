//! Acts on models: `chat NAME MOST WORDS` and others of its kind.

use std::cell::RefCell;

use crate::host::envelope::host::model::{
    self, Chunk, Finish, Image, Message, Part, Reply, Request, Role, Sampling, Tool, ToolCall,
};
use crate::host::envelope::host::types::Fault;
use crate::{Came, two};

thread_local! {
    static STREAM: RefCell<Option<model::AnswerStream>> = RefCell::default();
}

pub fn act(verb: &str, rest: &str) -> Option<Came> {
    Some(match verb {
        "chat" => whole(&request(rest)),
        "ask-drawn" => whole(&drawn(rest)),
        "ask-tool" => whole(&with_tool(rest)),
        "ask-after-tool" => whole(&after_tool(rest)),
        "ask-json" => whole(&with_json(rest)),
        "ask-shape" => whole(&Request { schema: Some(SHAPE.to_owned()), ..request(rest) }),
        "ask-picture" => whole(&with_picture(rest)),
        "ask-stream" => streamed(&request(rest)),
        "ask-open" => open(&request(rest)),
        "ask-next" => STREAM.with_borrow(|stream| stream.as_ref().map_or(Ok(String::new()), next)),
        "ask-drop" => {
            STREAM.with_borrow_mut(Option::take);
            Ok(String::new())
        }
        "ask-vectors" => {
            let (name, texts) = two(rest);
            let texts: Vec<_> = texts.split(',').map(str::to_owned).collect();
            let vectors = model::embed(name, &texts).map_err(|fault| told(&fault));
            vectors.map(|vectors| format!("{vectors:?}"))
        }
        _ => return None,
    })
}

const SHAPE: &str = r#"{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}"#;

fn request(rest: &str) -> Request {
    let (name, rest) = two(rest);
    let (most, words) = two(rest);
    let parts = vec![Part::Text(words.to_owned())];
    Request {
        model: name.to_owned(),
        messages: vec![Message { role: Role::User, parts }],
        tools: Vec::new(),
        schema: None,
        max_output: most.parse().unwrap_or(0),
        sampling: Sampling { temperature: None, top_p: None, stop: Vec::new(), seed: None },
    }
}

/// `ask-drawn TEMPERATURE,TOP_P,STOP,SEED NAME MOST WORDS`, where `-` leaves out.
fn drawn(rest: &str) -> Request {
    let (how, rest) = two(rest);
    let mut how = how.split(',').map(|it| Some(it).filter(|it| *it != "-"));
    let mut next = || how.next().flatten();
    let number = |it: Option<&str>| it.map(|it| it.parse().unwrap_or(f64::NAN));
    let sampling = Sampling {
        temperature: number(next()),
        top_p: number(next()),
        stop: next().map(str::to_owned).into_iter().collect(),
        seed: next().and_then(|it| it.parse().ok()),
    };
    Request { sampling, ..request(rest) }
}

fn with_tool(rest: &str) -> Request {
    let tool = Tool {
        name: "weather".to_owned(),
        description: "The weather of a place.".to_owned(),
        parameters: r#"{"type":"object","properties":{"place":{"type":"string"}}}"#.to_owned(),
    };
    Request { tools: vec![tool], ..request(rest) }
}

/// What was asked, the call the model made of it, and what the tool gave.
fn after_tool(rest: &str) -> Request {
    let mut request = with_tool(rest);
    let call = ToolCall {
        id: "call-1".to_owned(),
        name: "weather".to_owned(),
        arguments: r#"{"place":"Graz"}"#.to_owned(),
    };
    request.messages.push(Message { role: Role::Assistant, parts: vec![Part::Call(call)] });
    let answer = Part::Answer(("call-1".to_owned(), r#"{"sky":"clear"}"#.to_owned()));
    request.messages.push(Message { role: Role::Tool, parts: vec![answer] });
    request
}

/// `ask-json NAME MOST JSON`: everything that is JSON is this.
fn with_json(rest: &str) -> Request {
    let mut request = after_tool(rest);
    let json = two(two(rest).1).1.to_owned();
    request.tools[0].parameters.clone_from(&json);
    if let Part::Call(call) = &mut request.messages[1].parts[0] {
        call.arguments.clone_from(&json);
    }
    Request { schema: Some(json), ..request }
}

/// `ask-picture NAME MOST PATH`
fn with_picture(rest: &str) -> Request {
    let mut request = request(rest);
    let path = rest.rsplit(' ').next().unwrap_or_default().to_owned();
    let image = Part::Image(Image { path, media_type: "image/png".to_owned() });
    request.messages[0].parts.push(image);
    request
}

fn whole(request: &Request) -> Came {
    model::complete(request).map(|reply| said(&reply)).map_err(|fault| told(&fault))
}

fn streamed(request: &Request) -> Came {
    let stream = model::stream(request).map_err(|fault| told(&fault))?;
    let mut pieces = Vec::new();
    loop {
        let piece = next(&stream)?;
        if piece.is_empty() {
            return Ok(pieces.join("|"));
        }
        pieces.push(piece);
    }
}

fn open(request: &Request) -> Came {
    let stream = model::stream(request).map_err(|fault| told(&fault))?;
    STREAM.with_borrow_mut(|held| *held = Some(stream));
    Ok(String::new())
}

fn next(stream: &model::AnswerStream) -> Came {
    Ok(match stream.next().map_err(|fault| told(&fault))? {
        None => String::new(),
        Some(Chunk::Text(text)) => text,
        Some(Chunk::Call(call)) => format!("{}({})", call.name, call.arguments),
        Some(Chunk::Done(reply)) => format!("<{}>", said(&reply)),
    })
}

fn said(reply: &Reply) -> String {
    let parts: Vec<_> = reply.parts.iter().map(part).collect();
    let finish = match reply.finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
        Finish::ToolCalls => "tools",
        Finish::Refused => "refused",
        Finish::Cut => "cut",
    };
    let usage = &reply.usage;
    let sure = if usage.confirmed { "" } else { "?" };
    let (input, output, paid) = (usage.input, usage.output, usage.nano_usd);
    let stub = if reply.stub { " stub" } else { "" };
    let clamped = reply.clamped_to.map_or(String::new(), |most| {
        format!(" clamped {most} by {}", reply.clamped_by.as_deref().unwrap_or("nobody"))
    });
    let (model, text) = (&reply.model, parts.join(""));
    format!("{model}{stub} {finish} {input}+{output}={paid}{sure}{clamped}: {text}")
}

fn part(part: &Part) -> String {
    match part {
        Part::Text(text) => text.clone(),
        Part::Image(_) => "image".to_owned(),
        Part::Call(call) => format!("{}({})", call.name, call.arguments),
        Part::Answer((_, text)) => text.clone(),
    }
}

fn told(fault: &Fault) -> String {
    match fault {
        Fault::Denied(denial) => format!("denied {} ({})", denial.code, denial.detail),
        Fault::Invalid(what) => format!("invalid ({what})"),
        Fault::Unavailable(what) => format!("unavailable ({what})"),
        Fault::TimedOut => "timed out".to_owned(),
        Fault::Cancelled => "cancelled".to_owned(),
    }
}
