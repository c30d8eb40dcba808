//! What a chain of documents costs: verifying a thousand amendments, each signed twice.

#[path = "../terms/documents.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod documents;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use documents::{append, bought, buyer, new_fee, ring};
use envelope_evidence::key::PublicKey;
use envelope_terms::document::verify_chain;

const AMENDMENTS: u64 = 1000;

fn benches(c: &mut Criterion) {
    let ring = ring();
    let mut chain = bought();
    for fee in 0..AMENDMENTS {
        append(&mut chain, |chain| new_fee(chain, fee).unwrap());
    }
    let files = chain.export(&[], None).unwrap();
    let bytes: usize = files.values().map(Vec::len).sum();
    println!("{} files, {bytes} bytes", files.len());
    assert!(verify_chain(&files, &ring).verified());
    c.bench_function("verify: a chain of 1000 amendments", |bencher| {
        bencher.iter(|| verify_chain(black_box(&files), &ring));
    });
    let (key, message) = (buyer(), [0; 400]);
    let (public, signature): (PublicKey, _) = (key.public(), key.sign(&message));
    c.bench_function("peer: 2002 strict Ed25519 verifications", |bencher| {
        bencher.iter(|| (0..2002).all(|_| public.verifies(black_box(&message), &signature)));
    });
    let last = chain.documents().last().unwrap();
    c.bench_function("append: one more amendment", |bencher| {
        let next = documents::both_sign(new_fee(&chain, 7).unwrap(), 2000);
        bencher.iter(|| chain.clone().append(black_box(next.clone()), &ring));
    });
    c.bench_function("clause: prove and verify", |bencher| {
        let text = last.text().unwrap();
        bencher.iter(|| text.prove("payment").unwrap().verify(last.node().clauses));
    });
}

criterion_group!(chains, benches);
criterion_main!(chains);
