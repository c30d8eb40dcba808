//! What a file operation costs before it happens: nanoseconds and allocations per operation.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use envelope_evidence::key::SigningKey;
use envelope_evidence::{Digest, Timestamp};
use envelope_rules::grant::{
    Access, Actor, Budget, Claims, FileOp, Grant, GrantKey, GrantKeys, Holder, Jti, Standing, mint,
};
use envelope_rules::path::{Path, Prefix};
use envelope_rules::pattern::PatternSet;

const IAT: u64 = 1_748_133_600;
const HOLDER: Holder<'_> = Holder {
    agent: "rfp-responder@svc",
    run: "run_1",
    standing: Standing { bound_run: Some("run_1"), revoked: false },
};

fn at(secs: u64) -> Timestamp {
    Timestamp::from_secs(secs).unwrap()
}

/// The six required claims, as in the sample.
fn plain() -> Claims {
    Claims {
        iss: None,
        aud: HOLDER.agent.into(),
        run: None,
        paper: None,
        paths: PatternSet::parse(&["rfp/*.pdf"]).unwrap(),
        outputs: Some(Prefix::parse("rfp/draft/").unwrap()),
        exp: IAT + 3600,
        iat: IAT,
        jti: Jti::parse("grt_01HW2CQZ5B3YJ8V0K4M6N7P9RT").unwrap(),
        depth: None,
        budget: None,
        prev: None,
        par: None,
        act: None,
    }
}

/// Every claim that a first grant of a run carries.
fn full() -> Claims {
    Claims {
        iss: Some("acme".into()),
        run: Some(HOLDER.run.into()),
        paper: Some(Digest::of(b"paper")),
        depth: Some(1),
        budget: Some(Budget::nano_usd(5_000_000_000)),
        act: Some(Box::new(Actor { sub: "planner@svc".into(), act: None })),
        ..plain()
    }
}

fn measure(c: &mut Criterion, name: &str, mut work: impl FnMut()) {
    let allocations = allocation_counter::measure(&mut work);
    println!("{name}: {} allocations per operation", allocations.count_total);
    c.bench_function(name, |bencher| bencher.iter(&mut work));
}

fn grants(c: &mut Criterion) {
    let live = || at(IAT)..at(IAT + 86_400);
    let hs256 = GrantKey::hs256("acme-202505-1", &[7; 32], live()).unwrap();
    let ed25519 =
        GrantKey::ed25519("acme-202505-e", SigningKey::from_secret(&[7; 32].into()), live())
            .unwrap();
    let rings = [("hs256", hs256), ("ed25519", ed25519)]
        .map(|(name, key)| (name, GrantKeys::new(vec![key]).unwrap()));
    let path = Path::parse("rfp/tender.pdf").unwrap();
    let op = FileOp { access: Access::Read, path: &path };
    let now = at(IAT + 60);
    for (algorithm, keys) in &rings {
        for (size, claims) in [("plain", plain()), ("full", full())] {
            let token = mint(&claims, keys, now).unwrap();
            let token = token.as_str();
            let name = |what: &str| format!("{algorithm}, {size}, {} bytes: {what}", token.len());
            measure(c, &name("open"), || {
                black_box(Grant::open(black_box(token), keys, now)).unwrap();
            });
            let open = Grant::open(token, keys, now).unwrap();
            measure(c, &name("check"), || {
                open.check(keys, black_box(&op), black_box(&HOLDER), now).unwrap();
            });
            measure(c, &name("open for one operation"), || {
                let op = black_box(&op);
                black_box(Grant::open_for(black_box(token), keys, op, &HOLDER, now)).unwrap();
            });
        }
    }
    measure(c, "a path parsed", || {
        black_box(Path::parse(black_box("rfp/tender.pdf"))).unwrap();
    });
}

criterion_group!(benches, grants);
criterion_main!(benches);
