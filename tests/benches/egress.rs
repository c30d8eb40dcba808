//! What it costs to judge a request: read the target, find its rule, classify the address.
//!
//! `cargo bench -p envelope-tests --bench egress` prints nanoseconds and heap allocations.

use std::hint::black_box;
use std::net::IpAddr;

use criterion::{Criterion, criterion_group, criterion_main};
use envelope_rules::egress::address;
use envelope_rules::egress::policy::{Policy, PolicyDocument, admit_both};
use envelope_rules::egress::rule::{QueryRule, RuleDocument};
use envelope_rules::egress::target::{Scheme, Target};

const URL: &str = "https://api.ok.test/v1/messages?beta=true";
const IDN: &str = "https://bücher.ok.test/v1/messages";

/// Twenty rules, the last of which admits.
fn policy() -> Policy {
    let rule = |host: String| RuleDocument {
        schemes: vec![Scheme::Https],
        host,
        ports: Vec::new(),
        methods: vec!["GET".to_owned(), "POST".to_owned()],
        paths: vec!["/v1/**".to_owned()],
        query: QueryRule::Any,
    };
    let others = (0..19).map(|n| format!("{}api{n}.ok.test", if n % 4 == 0 { "*." } else { "" }));
    let hosts = others.chain(["api.ok.test".to_owned()]);
    Policy::compile(PolicyDocument { rules: hosts.map(rule).collect() }).unwrap()
}

fn bench(c: &mut Criterion) {
    let (policy, target) = (policy(), Target::parse("POST", URL).unwrap());
    let denied = Target::parse("POST", "https://evil.test/").unwrap();
    let v4: IpAddr = "8.8.8.8".parse().unwrap();
    let v6: IpAddr = "2606:4700::1111".parse().unwrap();
    measured(c, "parse", || Target::parse(black_box("POST"), black_box(URL)));
    measured(c, "parse, U-labels", || Target::parse(black_box("POST"), black_box(IDN)));
    measured(c, "admit, 20 rules", || policy.admit(black_box(&target)).is_ok());
    measured(c, "admit by two policies", || {
        admit_both(&policy, &policy, black_box(&target)).is_ok()
    });
    measured(c, "deny, 20 rules", || policy.admit(black_box(&denied)).is_err());
    measured(c, "check IPv4", || address::check(black_box(v4), &[]));
    measured(c, "check IPv6", || address::check(black_box(v6), &[]));
    measured(c, "parse, admit, check", || {
        let target = Target::parse(black_box("POST"), black_box(URL)).unwrap();
        policy.admit(&target).is_ok() && address::check(black_box(v4), &[]).is_ok()
    });
}

fn measured<T>(c: &mut Criterion, name: &str, act: impl Fn() -> T) {
    let info = allocation_counter::measure(|| drop(black_box(act())));
    println!("egress/{name}: {} allocations, {} bytes", info.count_total, info.bytes_total);
    c.bench_function(&format!("egress/{name}"), |bencher| bencher.iter(&act));
}

criterion_group!(benches, bench);
criterion_main!(benches);
