//! Acts on Envelope's own interfaces and on sockets.

use wasip2::sockets::network::IpAddressFamily;
use wasip2::sockets::{instance_network, ip_name_lookup, tcp_create_socket, udp_create_socket};

use crate::{Came, number, two};

wit_bindgen::generate!({ path: "../../host-api/wit", world: "imports", generate_all });

use envelope::host::types::Fault;
use envelope::host::{agents, approvals, artifacts, model, run, trace};

pub fn act(verb: &str, rest: &str) -> Option<Came> {
    let (one, other) = two(rest);
    Some(match verb {
        "scope" | "widen" | "choose" | "form" | "document" | "ask" => asks(verb, rest),
        "about" => {
            let about = run::about();
            Ok(format!("{} {} {:?}", about.run, about.skill, about.outputs))
        }
        "left" => Ok(format!("{:?}", run::left().calls)),
        "denial" => Ok(run::last_denial().map_or("none".to_owned(), |denial| denial.code)),
        "log" => told(trace::log(trace::Level::Info, rest, "")),
        "log-fields" => told(trace::log(trace::Level::Warn, "fields", rest)),
        "log-long" => told(trace::log(trace::Level::Debug, &"x".repeat(number(rest) as usize), "")),
        "progress" => told(trace::progress(number(one), number(other), "")),
        "emit" => told(trace::emit(rest)),
        "artifact" => told(artifacts::put(one, "text/plain", other.as_bytes())),
        "artifact-large" => {
            told(artifacts::put("large", "text/plain", &vec![7; number(rest) as usize]))
        }
        "model" => told(model::complete(&request(rest))),
        "model-stream" => told(model::stream(&request(rest))),
        "embed" => told(model::embed(rest, &["text".to_owned()])),
        "embed-many" => told(model::embed("m", &vec![String::new(); number(rest) as usize])),
        "agent" => came(agents::call(&errand(&format!("{rest} in/** - 60 0 1000 noop"), FUEL))),
        "call" => came(agents::call(&errand(rest, FUEL))),
        "call-deep" => came(agents::call(&errand(rest, 4 * FUEL))),
        "call-small" => came(agents::call(&errand(rest, FUEL / 4))),
        "call-all" => {
            let nth = |n: u64| errand(&other.replace("{n}", &n.to_string()), FUEL);
            let errands: Vec<_> = (0..number(one)).map(nth).collect();
            let all = agents::call_all(&errands).into_iter().map(|one| match came(one) {
                Ok(word) | Err(word) => word,
            });
            Ok(all.collect::<Vec<_>>().join(" & "))
        }
        "tcp" => tcp_create_socket::create_tcp_socket(IpAddressFamily::Ipv4)
            .map(|_| String::new())
            .map_err(|code| code.name().to_owned()),
        "udp" => udp_create_socket::create_udp_socket(IpAddressFamily::Ipv6)
            .map(|_| String::new())
            .map_err(|code| code.name().to_owned()),
        "network" => {
            let _network = instance_network::instance_network();
            Ok(String::new())
        }
        "dns" => {
            let network = instance_network::instance_network();
            ip_name_lookup::resolve_addresses(&network, rest)
                .map(|_| String::new())
                .map_err(|code| code.name().to_owned())
        }
        _ => return None,
    })
}

/// Questions to humans.
fn asks(verb: &str, rest: &str) -> Came {
    match verb {
        "scope" => told(approvals::request_scope(&approvals::Scope {
            reason: rest.to_owned(),
            read: vec!["**".to_owned()],
            write_prefix: None,
            hosts: Vec::new(),
            models: Vec::new(),
            nano_usd: 0,
            ttl: 60,
        })),
        "widen" => widened(approvals::request_scope(&wider(rest))),
        "choose" => {
            let choices = rest.split('|').map(str::to_owned).collect();
            answer(approvals::ask("Which?", &approvals::Question::Choices(choices)))
        }
        "document" => {
            answer(approvals::ask("What?", &approvals::Question::Schema(rest.to_owned())))
        }
        "form" => answer(approvals::ask(rest, &approvals::Question::Schema("{}".to_owned()))),
        _ => {
            let question = approvals::Question::Choices(vec!["yes".to_owned()]);
            told(approvals::ask(rest, &question))
        }
    }
}

/// `secret/*,top.txt out/ - - 0 60`: files, prefix, hosts, models, money, seconds.
fn wider(rest: &str) -> approvals::Scope {
    let mut words = rest.split(' ');
    let mut next = || words.next().unwrap_or("-");
    let list =
        |word: &str| word.split(',').filter(|it| *it != "-").map(str::to_owned).collect::<Vec<_>>();
    approvals::Scope {
        reason: "the rest of it".to_owned(),
        read: list(next()),
        write_prefix: list(next()).pop(),
        hosts: list(next()),
        models: list(next()),
        nano_usd: number(next()),
        ttl: number(next()) as u32,
    }
}

fn widened(granted: Result<approvals::Granted, Fault>) -> Came {
    match granted {
        Ok(approvals::Granted { scope, .. }) => {
            let write = scope.write_prefix.unwrap_or_else(|| "-".to_owned());
            Ok(format!("{} {write} {}", scope.read.join(","), scope.ttl))
        }
        Err(fault) => told::<()>(Err(fault)),
    }
}

fn answer(answer: Result<approvals::Answer, Fault>) -> Came {
    match answer {
        Ok(approvals::Answer::Choice(choice)) => Ok(choice.to_string()),
        Ok(approvals::Answer::Document(document)) => Ok(document),
        Ok(approvals::Answer::Declined(reason)) => Ok(format!("declined {reason}")),
        Ok(approvals::Answer::Expired) => Ok("expired".to_owned()),
        Err(fault) => told::<()>(Err(fault)),
    }
}

fn told<T>(result: Result<T, Fault>) -> Came {
    match result {
        Ok(_) => Ok(String::new()),
        Err(Fault::Denied(denial)) => Err(format!("denied {}", denial.code)),
        Err(Fault::Invalid(_)) => Err("invalid".to_owned()),
        Err(Fault::Unavailable(_) | Fault::TimedOut | Fault::Cancelled) => {
            Err("unavailable".to_owned())
        }
    }
}

fn request(name: &str) -> model::Request {
    model::Request {
        model: name.to_owned(),
        messages: vec![model::Message {
            role: model::Role::User,
            parts: vec![model::Part::Text("Hello".to_owned())],
        }],
        tools: Vec::new(),
        schema: None,
        max_output: 10,
        sampling: model::Sampling { temperature: None, top_p: None, stop: Vec::new(), seed: None },
    }
}

/// `name@svc in/**,top.txt out/draft/ 60 0 1000 read in/a.txt|write out/draft/x hi`: agent, files,
/// outputs prefix or `-`, seconds, money and, behind a `+`, tokens, calls, acts. In an act of a
/// callee `^` stands for `|`.
fn errand(rest: &str, fuel: u64) -> agents::Errand {
    let mut words = rest.splitn(7, ' ');
    let mut next = || words.next().unwrap_or_default();
    let (agent, files, prefix) = (next(), next(), next());
    let (ttl, money, calls) = (number(next()), next(), number(next()));
    let (nano_usd, tokens) = money.split_once('+').unwrap_or((money, ""));
    let (nano_usd, tokens) = (number(nano_usd), number(tokens));
    let acts: Vec<_> = next().split('|').map(|act| json(&act.replace('^', "|"))).collect();
    let files = files.split(',').filter(|file| *file != "-").map(str::to_owned);
    agents::Errand {
        agent: agent.to_owned(),
        skill: "run".to_owned(),
        args: format!("[{}]", acts.join(",")),
        delegation: agents::Delegation {
            files: files.collect(),
            outputs_prefix: Some(prefix.to_owned()).filter(|prefix| prefix != "-"),
            ttl: ttl as u32,
            budget: agents::Budget { nano_usd, tokens, bytes: 4_000_000, calls, fuel },
        },
    }
}

/// Enough for a callee and its callees.
const FUEL: u64 = 100_000_000;

fn json(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn came(result: Result<String, agents::Failure>) -> Came {
    let flat = |text: String| text.trim_end().replace('\n', ", ");
    match result {
        Ok(document) => Ok(flat(document)),
        Err(agents::Failure::Fault(fault)) => told::<()>(Err(fault)),
        Err(agents::Failure::Failed(document)) => Err(format!("failed {}", flat(document))),
        Err(agents::Failure::Ended(reason)) => Err(format!("ended {reason}")),
    }
}
