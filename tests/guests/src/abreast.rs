//! Acts on several requests at once, each written as for `send`, with ` ++ ` between them.

use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::http::types::FutureIncomingResponse;
use wasip2::io::poll::poll;

use crate::http::{request, whole};
use crate::{Came, number, two};

pub fn act(verb: &str, rest: &str) -> Option<Came> {
    Some(match verb {
        "together" => all(rest).map(together),
        "first" => all(rest).and_then(first),
        "looking" => request(rest, None).map(looking),
        "within" => {
            let (millis, rest) = two(rest);
            request(rest, None).map(|future| within(number(millis), &future))
        }
        "twice" => request(rest, None).and_then(|future| twice(&future)),
        "fire" => request(rest, None).map(|_| String::new()),
        "forget" => request(rest, None).map(|future| {
            std::mem::forget(future);
            String::new()
        }),
        _ => return None,
    })
}

fn all(rest: &str) -> Result<Vec<FutureIncomingResponse>, String> {
    rest.split(" ++ ").map(|one| request(one, None)).collect()
}

/// What came of each, in the order in which polls tell of them.
fn together(futures: Vec<FutureIncomingResponse>) -> String {
    let mut open: Vec<_> = futures.iter().enumerate().collect();
    let mut told = Vec::new();
    while !open.is_empty() {
        let pollables: Vec<_> = open.iter().map(|(_, future)| future.subscribe()).collect();
        let ready = poll(&pollables.iter().collect::<Vec<_>>());
        drop(pollables);
        for &at in ready.iter().rev() {
            let (place, future) = open.remove(at as usize);
            let came = whole(future).unwrap_or_else(|error| error);
            told.push(format!("{place} {came}"));
        }
    }
    told.join(", ")
}

/// The first that a poll tells of. The others are let go.
fn first(futures: Vec<FutureIncomingResponse>) -> Came {
    let pollables: Vec<_> = futures.iter().map(|future| future.subscribe()).collect();
    let ready = poll(&pollables.iter().collect::<Vec<_>>());
    drop(pollables);
    let place = ready.first().ok_or("nothing is ready")?;
    let future = futures.get(*place as usize).ok_or("no such future")?;
    Ok(format!("{place} {}", whole(future)?))
}

/// How often it was looked for, without ever waiting.
fn looking(future: FutureIncomingResponse) -> String {
    let mut looks = 1;
    while future.get().is_none() {
        looks += 1;
    }
    looks.to_string()
}

/// What is ready when the same answer is waited for twice at once.
fn twice(future: &FutureIncomingResponse) -> Came {
    let (one, other) = (future.subscribe(), future.subscribe());
    let ready = poll(&[&one, &other]);
    Ok(format!("{ready:?} {}", whole(future)?))
}

/// Whether it came before a timer was due.
fn within(millis: u64, future: &FutureIncomingResponse) -> String {
    let (timer, answer) = (subscribe_duration(millis * 1_000_000), future.subscribe());
    let ready = poll(&[&timer, &answer]);
    let was_ready = answer.ready();
    format!("{ready:?} {was_ready}")
}
