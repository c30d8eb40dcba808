//! Canonical JSON, bytes per second: ours, which also checks the profile, beside two others that
//! start from the same text through `serde_json::Value`.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use envelope_evidence::canonical::{canonical, is_canonical};

/// Like a page of receipts: short members, digests, integers, a preview with escapes.
fn receipts(sorted: bool) -> Vec<u8> {
    let digest = "b9f8a44a11f4d3c1c8c5d0b5a5e2fe6f1a9ad2d0e5a1b7bb84ef4d4c63d535e0";
    let receipt = |number: u64| {
        let mut members = [
            format!(r#""calls":{{"count":{number},"root":"sha256:{digest}"}}"#),
            format!(r#""component":{{"digest":{{"sha256":"{digest}"}},"name":"drafter"}}"#),
            format!(r#""cost":{{"amount":{},"unit":"USD-nanos"}}"#, number * 1_234_567),
            r#""finished":"2026-11-21T03:44:10.000Z""#.to_owned(),
            r#""outcome":"ok""#.to_owned(),
            r#""preview":"The supplier shall deliver \"as is\".\nAngebot für Köln: 12 €""#
                .to_owned(),
            format!(r#""run":"run-{number}""#),
        ];
        if !sorted {
            members.reverse();
        }
        format!("{{{}}}", members.join(","))
    };
    let all: Vec<String> = (0..200).map(receipt).collect();
    format!("[{}]", all.join(if sorted { "," } else { ", " })).into_bytes()
}

fn bench(criterion: &mut Criterion) {
    for (name, document) in [("sorted", receipts(true)), ("unsorted", receipts(false))] {
        let mut group = criterion.benchmark_group(format!("canonical/{name}"));
        group.throughput(Throughput::Bytes(document.len().try_into().unwrap()));
        let value = || serde_json::from_slice::<serde_json::Value>(&document).unwrap();
        assert_eq!(canonical(&document).unwrap(), serde_jcs::to_vec(&value()).unwrap());
        group.bench_function("ours", |b| b.iter(|| canonical(black_box(&document)).unwrap()));
        group.bench_function("ours, check only", |b| b.iter(|| is_canonical(black_box(&document))));
        group.bench_function("serde_json_canonicalizer", |b| {
            b.iter(|| serde_json_canonicalizer::to_vec(&value()).unwrap());
        });
        group.bench_function("serde_jcs", |b| b.iter(|| serde_jcs::to_vec(&value()).unwrap()));
        group.finish();
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
