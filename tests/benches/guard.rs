//! What a decision costs: `admit` and the settlement of its reservation, per kind of call.

#[path = "../rules/guard_world.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod world;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use envelope_evidence::Usage;
use envelope_rules::egress::target::Target;
use envelope_rules::grant::Access;
use envelope_rules::guard::{Act, Capability};
use envelope_rules::path::Path;
use world::{World, bounds, call, file};

fn benches(c: &mut Criterion) {
    let path = Path::parse("rfp/a.pdf").unwrap();
    let target = Target::parse("GET", "https://api.ok.example.com/v1/x").unwrap();
    let bounds = bounds(100);
    for (name, act) in [
        ("admit: a file operation", file(Access::Read, &path)),
        ("admit: a request", Act::Http(&target)),
        ("admit: a model call", Act::Model { model: "fast", bounds: &bounds }),
        ("admit: an agent call", Act::Agent("checker@svc")),
        ("admit: the time", Act::Plain(Capability::Clock)),
    ] {
        let mut world = World::new();
        let call = call(act);
        let mut pass = || {
            let hold = world.admit(black_box(&call)).unwrap().spend();
            let _ = black_box(world.meter.settle(hold, Usage::ZERO));
        };
        let allocations = allocation_counter::measure(&mut pass);
        println!("{name}: {} allocations per operation", allocations.count_total);
        c.bench_function(name, |bencher| bencher.iter(&mut pass));
    }
}

criterion_group!(guard, benches);
criterion_main!(guard);
