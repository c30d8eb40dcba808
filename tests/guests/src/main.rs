//! A guest whose arguments are what it does, one act each: `read a.txt`, `now`, `spin`. For each
//! act it says on its standard output what came of it, and goes on; of what it does `quietly`, it
//! says nothing.

mod abreast;
mod bodies;
mod files;
mod flow;
mod host;
mod http;
mod model;
mod streams;
mod times;
mod wasi;

use std::cell::RefCell;
use std::env;

use wasip2::cli::stdout;
use wasip2::filesystem::types::Descriptor;

/// What an act gave: a word for success, or the name of the error.
type Came = Result<String, String>;

/// What is held open between acts.
#[derive(Default)]
struct Held {
    files: Vec<Descriptor>,
    memory: Vec<Vec<u8>>,
}

thread_local! {
    static HELD: RefCell<Held> = RefCell::default();
}

fn main() {
    for act in env::args().skip(1) {
        let came = act_of(&act);
        let verb = act.split(' ').next().unwrap_or_default();
        match came {
            _ if verb == "quietly" => {}
            Ok(word) if word.is_empty() => say(&format!("{verb}: ok\n")),
            Ok(word) => say(&format!("{verb}: ok {word}\n")),
            Err(name) => say(&format!("{verb}: {name}\n")),
        }
    }
}

/// Says it, whether or not anybody listens.
fn say(text: &str) {
    let out = stdout::get_stdout();
    for piece in text.as_bytes().chunks(4096) {
        let _ = out.blocking_write_and_flush(piece);
    }
}

fn act_of(act: &str) -> Came {
    let (verb, rest) = act.split_once(' ').unwrap_or((act, ""));
    match verb {
        "repeat" => return repeat(rest),
        "insist" => return insist(rest),
        "wasi" => return wasi::act(rest),
        "quietly" => return act_of(rest),
        _ => {}
    }
    files::act(verb, rest)
        .or_else(|| streams::act(verb, rest))
        .or_else(|| times::act(verb, rest))
        .or_else(|| host::act(verb, rest))
        .or_else(|| model::act(verb, rest))
        .or_else(|| bodies::act(verb, rest))
        .or_else(|| http::act(verb, rest))
        .or_else(|| abreast::act(verb, rest))
        .or_else(|| flow::act(verb, rest))
        .unwrap_or_else(|| Err("no such act".to_owned()))
}

/// `repeat 100 now`: until one fails.
fn repeat(rest: &str) -> Came {
    let (count, act) = rest.split_once(' ').unwrap_or((rest, ""));
    let mut last = Ok(String::new());
    for at in 0..number(count) {
        last = act_of(&act.replace("{n}", &at.to_string()));
        if let Err(name) = &last {
            return Err(format!("{name} after {at}"));
        }
    }
    last
}

/// `insist 100 now`: whatever comes of it.
fn insist(rest: &str) -> Came {
    let (count, act) = two(rest);
    (0..number(count)).map(|_| act_of(act)).last().unwrap_or_else(|| Ok(String::new()))
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or(0)
}

fn two(rest: &str) -> (&str, &str) {
    rest.split_once(' ').unwrap_or((rest, ""))
}
