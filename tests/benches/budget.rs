//! What the meter adds to a call: reserve and settle over the whole chain of five accounts.

use std::hint::black_box;
use std::num::NonZeroU32;

use criterion::{Criterion, criterion_group, criterion_main};
use envelope_evidence::{Digest, Usage, usage::Dimension};
use envelope_rules::budget::{
    Account, Cap, Level, Meter, ModelCall, NanoUsd, PicoUsdPerUnit, Price, Rates,
};

criterion_group!(benches, reserve_and_settle, price_a_call);
criterion_main!(benches);

fn reserve_and_settle(criterion: &mut Criterion) {
    let mut meter = meter();
    let (worst, actual) = (usage(900), usage(1));
    // As many calls in flight as a busy run has.
    let _in_flight: Vec<_> = (0..16).map(|_| meter.reserve(usage(1)).unwrap()).collect();
    let mut call = || {
        let hold = meter.reserve(black_box(worst)).unwrap();
        meter.settle(hold, black_box(actual))
    };
    count_allocations("reserve + settle", &mut call);
    criterion.bench_function("reserve + settle, 5 accounts", |b| b.iter(&mut call));
    let mut denied = || black_box(meter.reserve(black_box(usage(u64::MAX >> 12))).is_err());
    criterion.bench_function("reserve, denied", |b| b.iter(&mut denied));
}

fn price_a_call(criterion: &mut Criterion) {
    let rates = Rates {
        input: PicoUsdPerUnit::new(150_000),
        cache_read: Some(PicoUsdPerUnit::new(75_000)),
        cache_write: None,
        cache_write_long: None,
        output: PicoUsdPerUnit::new(600_000),
        reasoning: None,
    };
    let price = Price::new(rates, Vec::new(), NanoUsd::ZERO).unwrap();
    let asked =
        ModelCall { input: 4096, max_output: 1024, choices: NonZeroU32::MIN, writes_cache: false };
    let left = usage(1 << 40);
    let mut call = || {
        let call = price.clamp(black_box(&asked), black_box(&left), 256).unwrap();
        price.reservation(&call).unwrap()
    };
    count_allocations("clamp + worst case", call);
    criterion.bench_function("clamp + worst case of a model call", |b| b.iter(&mut call));
}

fn meter() -> Meter {
    let levels = [Level::Run, Level::Day, Level::Agent, Level::Purchase, Level::Organisation];
    let chain = levels.map(|level| {
        Account::new(level, level.name().to_owned(), Cap::of(&usage(1 << 52)), Usage::ZERO)
    });
    Meter::new(Digest::of(b"run"), chain.into()).unwrap()
}

fn usage(amount: u64) -> Usage {
    let with = |row: Usage, dimension| row.with(dimension, amount).unwrap();
    Dimension::ALL.into_iter().fold(Usage::ZERO, with)
}

fn count_allocations<T>(what: &str, run: impl FnOnce() -> T) {
    let counted = allocation_counter::measure(|| {
        black_box(run());
    });
    println!("{what}: {} allocations", counted.count_total);
}
