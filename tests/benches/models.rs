//! What the meter costs a model call: bounded, clamped, admitted, reserved and settled.

#[path = "../rules/guard_world.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod world;

use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use envelope_evidence::Usage;
use envelope_rules::grant::Standing;
use envelope_rules::guard::{Act, Authority, clamp};
use envelope_rules::model::{Ask, Message, OPENAI, Part, Role, Sampling};
use world::{World, call};

/// Calls of one measured run.
const CALLS: usize = 20_000;

/// Runs at once.
const RUNS: usize = 64;

fn ask() -> Ask {
    let part = Part::Text("Why is the sky blue? ".repeat(50));
    Ask {
        model: "fast".to_owned(),
        messages: vec![Message { role: Role::User, parts: vec![part] }; 4],
        tools: Vec::new(),
        schema: None,
        max_output: 100,
        sampling: Sampling::default(),
    }
}

/// One call through the meter, as the gate makes it.
fn pass(world: &mut World, ask: &Ask) {
    let asked = black_box(ask).bound(&OPENAI);
    let standing = Standing { bound_run: None, revoked: false };
    let authority = Authority {
        operator: &world.operator,
        warrant: &world.warrant,
        grant: world.grant.as_ref(),
        keys: &world.keys,
        standing,
    };
    let clamped = clamp(&asked, "fast", 1, &authority, &world.meter, world.now).unwrap();
    let act = call(Act::Model { model: "fast", bounds: &clamped.bounds });
    let hold = world.admit(&act).unwrap().spend();
    let _ = black_box(world.meter.settle(hold, Usage::ZERO));
}

/// The time below which all but one in a hundred calls stay.
fn p99(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() * 99 / 100]
}

fn measure() -> Vec<Duration> {
    let (mut world, ask) = (World::new(), ask());
    let mut times = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let began = Instant::now();
        pass(&mut world, &ask);
        times.push(began.elapsed());
    }
    times
}

fn benches(c: &mut Criterion) {
    println!("a model call, p99 of {CALLS}: {:?}", p99(measure()));
    let runs: Vec<_> = (0..RUNS).map(|_| thread::spawn(measure)).collect();
    let times = runs.into_iter().flat_map(|run| run.join().unwrap()).collect();
    println!("a model call, {RUNS} runs at once, p99: {:?}", p99(times));
    let (mut world, ask) = (World::new(), ask());
    c.bench_function("a model call", |bencher| bencher.iter(|| pass(&mut world, &ask)));
}

criterion_group!(models, benches);
criterion_main!(models);
