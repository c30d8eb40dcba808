//! Acts on clocks, chance, waiting, the environment and the standard streams.

use std::collections::HashMap;

use wasip2::cli::{environment, stderr, stdin, stdout, terminal_stdout};
use wasip2::clocks::{monotonic_clock, wall_clock};
use wasip2::io::{poll, streams::StreamError};
use wasip2::random::{insecure, insecure_seed, random};

use crate::{Came, number};

pub fn act(verb: &str, rest: &str) -> Option<Came> {
    Some(Ok(match verb {
        "now" => {
            let now = wall_clock::now();
            format!("{}.{:03}", now.seconds, now.nanoseconds / 1_000_000)
        }
        "age" => monotonic_clock::now().to_string(),
        "resolution" => {
            format!("{} {}", monotonic_clock::resolution(), wall_clock::resolution().seconds)
        }
        "sleep" => {
            monotonic_clock::subscribe_duration(number(rest) * 1_000_000).block();
            String::new()
        }
        "wait-until" => {
            monotonic_clock::subscribe_instant(number(rest)).block();
            String::new()
        }
        "ready" => monotonic_clock::subscribe_duration(number(rest)).ready().to_string(),
        "poll" => poll_many(number(rest)),
        "poll-same" => poll_same(number(rest)),
        "poll-nothing" => poll::poll(&[]).len().to_string(),
        "random" => digest(&random::get_random_bytes(number(rest))),
        "random-number" => (random::get_random_u64() % 7 < 7).to_string(),
        "insecure" => digest(&insecure::get_insecure_random_bytes(number(rest))),
        "insecure-number" => (insecure::get_insecure_random_u64() % 7 < 7).to_string(),
        "seed" => {
            let (one, other) = insecure_seed::insecure_seed();
            (one != other).to_string()
        }
        "environment" => format!("{:?}", environment::get_environment()),
        "arguments" => environment::get_arguments().len().to_string(),
        "cwd" => format!("{:?}", environment::initial_cwd()),
        "terminal" => terminal_stdout::get_terminal_stdout().is_none().to_string(),
        "stress" => stress(),
        _ => return streams(verb, rest),
    }))
}

fn streams(verb: &str, rest: &str) -> Option<Came> {
    let wrote = |result: Result<(), StreamError>| {
        result.map(|()| String::new()).map_err(|_| "failed".to_owned())
    };
    Some(match verb {
        "stdin" => stdin::get_stdin()
            .blocking_read(number(rest))
            .map(|bytes| bytes.len().to_string())
            .map_err(|_| "failed".to_owned()),
        "stdout" => wrote(stdout::get_stdout().blocking_write_and_flush(rest.as_bytes())),
        "stderr" => wrote(stderr::get_stderr().blocking_write_and_flush(rest.as_bytes())),
        "zeroes" => wrote(stdout::get_stdout().blocking_write_zeroes_and_flush(number(rest))),
        "too-much" => wrote(stdout::get_stdout().write(&vec![b'x'; number(rest) as usize])),
        _ => return None,
    })
}

fn poll_many(count: u64) -> String {
    let timers: Vec<_> = (0..count).map(|_| monotonic_clock::subscribe_duration(0)).collect();
    let list: Vec<_> = timers.iter().collect();
    poll::poll(&list).len().to_string()
}

fn poll_same(count: u64) -> String {
    let timer = monotonic_clock::subscribe_duration(0);
    let list: Vec<_> = (0..count).map(|_| &timer).collect();
    poll::poll(&list).len().to_string()
}

fn digest(bytes: &[u8]) -> String {
    let sum = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    });
    format!("{} {sum:016x}", bytes.len())
}

/// Whatever differs between two runs of an ordinary program: the order of a hash map, the bits and
/// the text of floats, times, chance, addresses, how far memory grows.
fn stress() -> String {
    let mut map = HashMap::new();
    for key in 0..500_u32 {
        map.insert(key.to_string(), f64::from(key).sqrt() / 3.0);
    }
    let order: Vec<_> = map.iter().map(|(key, value)| format!("{key}={value:e}")).collect();
    let floats: f64 = map.values().sum();
    let nan = (f64::NAN * floats).to_bits() ^ (0.0_f64 / std::hint::black_box(0.0)).to_bits();
    let now = wall_clock::now();
    let mut grown = Vec::new();
    for size in 1..20_usize {
        grown.push(vec![size as u8; size << 16]);
    }
    let address = grown.last().map_or(0, |it| it.as_ptr().addr());
    let chance = digest(&random::get_random_bytes(1000));
    let text = format!(
        "{} {floats:?} {nan:x} {} {} {chance} {address:x}",
        order.join(","),
        now.seconds,
        now.nanoseconds
    );
    digest(text.as_bytes())
}
