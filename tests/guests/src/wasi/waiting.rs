//! Clocks, and waiting for them.

use wasip2::clocks::{monotonic_clock, wall_clock};
use wasip2::io::poll::poll;

use super::{Check, NONE, READ, open, same};

const MILLISECOND: u64 = 1_000_000;
const HOUR: u64 = 3_600_000 * MILLISECOND;

pub fn check(function: &str) -> Option<fn() -> Check> {
    Some(match function {
        "clocks/wall-clock now" => wall_now,
        "clocks/wall-clock resolution" => wall_resolution,
        "clocks/monotonic-clock now" => now,
        "clocks/monotonic-clock resolution" => resolution,
        "clocks/monotonic-clock subscribe-instant" => subscribe_instant,
        "clocks/monotonic-clock subscribe-duration" => subscribe_duration,
        "io/poll poll" => poll_list,
        "io/poll poll, of nothing" => || {
            poll(&[]);
            Ok(())
        },
        "io/poll pollable.ready" => ready,
        "io/poll pollable.block" => block,
        _ => return None,
    })
}

fn wall_now() -> Check {
    let (one, other) = (wall_clock::now(), wall_clock::now());
    same!(one.nanoseconds < 1_000_000_000 && other.nanoseconds < 1_000_000_000, true);
    same!(one.seconds >= 1_748_133_600 && other.seconds - one.seconds < 60, true);
    Ok(())
}

fn wall_resolution() -> Check {
    let tick = wall_clock::resolution();
    same!((tick.seconds, tick.nanoseconds), (0, 1_000_000));
    Ok(())
}

fn now() -> Check {
    let mut last = monotonic_clock::now();
    for _ in 0..10 {
        let now = monotonic_clock::now();
        same!(now >= last, true);
        last = now;
    }
    monotonic_clock::subscribe_duration(5 * MILLISECOND).block();
    same!(monotonic_clock::now() >= last + 5 * MILLISECOND, true);
    Ok(())
}

fn resolution() -> Check {
    same!(monotonic_clock::resolution(), MILLISECOND);
    Ok(())
}

fn subscribe_instant() -> Check {
    let due = monotonic_clock::now() + 10 * MILLISECOND;
    let timer = monotonic_clock::subscribe_instant(due);
    same!(timer.ready(), false);
    timer.block();
    same!(monotonic_clock::now() >= due, true);
    same!(timer.ready(), true);
    monotonic_clock::subscribe_instant(monotonic_clock::now() - 1).block();
    monotonic_clock::subscribe_instant(0).block();
    same!(monotonic_clock::subscribe_instant(u64::MAX).ready(), false);
    Ok(())
}

fn subscribe_duration() -> Check {
    let begun = monotonic_clock::now();
    let timer = monotonic_clock::subscribe_duration(10 * MILLISECOND);
    same!(timer.ready(), false);
    timer.block();
    same!(monotonic_clock::now() >= begun + 10 * MILLISECOND, true);
    monotonic_clock::subscribe_duration(0).block();
    same!(monotonic_clock::subscribe_duration(u64::MAX).ready(), false);
    Ok(())
}

fn poll_list() -> Check {
    let stream = open("in/a.txt", NONE, READ)?.read_via_stream(0)?;
    let readable = stream.subscribe();
    let (soon, late) = (
        monotonic_clock::subscribe_duration(10 * MILLISECOND),
        monotonic_clock::subscribe_duration(HOUR),
    );
    // What is ready is told without waiting, by its place, each place by itself.
    same!(poll(&[&late, &readable, &soon, &readable]), [1, 3]);
    let begun = monotonic_clock::now();
    same!(poll(&[&late, &soon]), [1]);
    same!(monotonic_clock::now() < begun + HOUR, true);
    same!(poll(&[&soon, &late, &soon]), [0, 2]);
    Ok(())
}

fn ready() -> Check {
    let late = monotonic_clock::subscribe_duration(HOUR);
    same!(late.ready(), false);
    let done = monotonic_clock::subscribe_duration(0);
    same!((done.ready(), done.ready()), (true, true));
    Ok(())
}

fn block() -> Check {
    let timer = monotonic_clock::subscribe_duration(MILLISECOND);
    timer.block();
    same!(timer.ready(), true);
    timer.block();
    Ok(())
}
