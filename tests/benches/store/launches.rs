//! How many runs are launched in a second: a row, the first line of a journal, a version of a
//! workspace and a place in the queue for each, and the bytes of what it begins with.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use envelope_engine::component::Components;
use envelope_engine::config::Machine;
use envelope_engine::limits::Limits;
use envelope_engine::local::{Fresh, Job, Keys, Wishes};
use envelope_engine::prepared::Prepared;
use envelope_evidence::{Digest, Label};
use envelope_gate::link;
use envelope_gate::workspace::Manifest;
use envelope_node::House;
use envelope_node::launch::{Launch, launch};
use envelope_rules::budget::{NanoUsd, PriceBook};
use envelope_rules::grant::Jti;
use envelope_store::{Org, blobs};

use crate::per_second;
use crate::world::{World, at, folder};

/// Runs that are launched, one after the other or by so many at once.
const RUNS: usize = 512;
const AT_ONCE: [usize; 2] = [1, 16];

/// A program that does nothing.
const PROGRAM: &str = r#"(component
    (core module $main (func (export "run") (result i32) (i32.const 0)))
    (core instance $main (instantiate $main))
    (func $run (result (result)) (canon lift (core func $main "run")))
    (instance $it (export "run" (func $run)))
    (export "wasi:cli/run@0.2.0" (instance $it)))"#;

pub async fn measure(world: &World, org: &Org) {
    let house = House { store: world.store.clone(), objects: blobs::folder(folder()).unwrap() };
    house.blobs(org).set_quota(1 << 30).await.unwrap();
    let component = Bytes::from(wat::parse_str(PROGRAM).unwrap());
    let components = Components::new(Machine::new().unwrap(), link::SERVED);
    let prepared = Prepared::load(&components, &component, "nothing", |_| {}).await.unwrap();
    let prepared = Arc::new(prepared);
    for many in AT_ONCE {
        let mut tasks = tokio::task::JoinSet::new();
        let start = Instant::now();
        for lane in 0..many {
            let (house, org) = (house.clone(), org.clone());
            let (component, prepared) = (component.clone(), Arc::clone(&prepared));
            tasks.spawn(async move {
                for number in 0..RUNS / many {
                    let job = job(&prepared, &format!("run_{many}_{lane}_{number}"));
                    let (job, component) = (&job, &component);
                    let new = Launch {
                        job,
                        component,
                        name: "nothing",
                        rules: None,
                        purchase: None,
                        shared: &[],
                        days: None,
                    };
                    launch(&house, &org, new).await.unwrap();
                }
            });
        }
        tasks.join_all().await;
        println!("runs launched, {many:>2} at once          {:>9} /s", per_second(RUNS, start));
    }
}

fn job(program: &Arc<Prepared>, run: &str) -> Job {
    let wishes = Wishes {
        read: vec!["**".to_owned()],
        outputs: None,
        egress: Vec::new(),
        ttl_secs: 3600,
        timeout_secs: 3600,
        calls: 100,
        bytes: 1 << 20,
        limits: Limits::default(),
        models: Vec::new(),
        money: NanoUsd::ZERO,
        prices: PriceBook::default(),
        agents: Vec::new(),
        asks: false,
        content: Vec::new(),
    };
    let fresh = Fresh {
        run: Label::cut(run),
        jti: Jti::parse("grt_00000000000000000000000001").unwrap(),
        seed: Digest::of(run.as_bytes()),
        now: at(1_000_000),
        caller: Label::cut("local"),
    };
    let nothing = Manifest::new(Vec::new()).unwrap();
    let keys = Keys { grants: [7; 32].into() };
    let args = Bytes::from_static(b"[]");
    Job::new(Arc::clone(program), "run", args, nothing, &wishes, &fresh, &keys).unwrap()
}
