//! What evidence costs: previews, journal lines, the receipt of a thousand calls, its verification.

#[path = "../evidence/sample.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod sample;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use envelope_evidence::Preview;
use envelope_evidence::journal::{Event, Journal, Outcome};
use envelope_evidence::preview::Secrets;
use envelope_evidence::receipt::{Folder, fold};
use envelope_evidence::verify::verify;

const CALLS: u64 = 1000;

fn calls() -> impl Iterator<Item = Event> {
    let call = |n| sample::read(n, &format!("rfp/{}.pdf", n % 50), b"a few bytes of a file");
    (0..CALLS).map(call).chain([sample::ended(Outcome::Ok, "returned")])
}

fn measure<T>(c: &mut Criterion, name: &str, mut work: impl FnMut() -> T) {
    let allocations = allocation_counter::measure(|| drop(black_box(work())));
    println!("{name}: {} allocations per operation", allocations.count_total);
    c.bench_function(name, |bencher| bencher.iter(&mut work));
}

fn benches(c: &mut Criterion) {
    let (journal, file) = sample::record(sample::header(), calls());
    let key = sample::receipt_key();
    let ring = sample::ring();
    let path = "workspace/annexes/2026/pricing-table.pdf";
    let long = "{\"name\": \"a \\\"quoted\\\" text\"}, ".repeat(2100);
    let mut secrets = Secrets::none();
    for value in ["correct horse battery", "hunter2hunter2", "s3cr3t"] {
        secrets.add(value);
    }
    measure(c, "preview: a path of 40 characters", || Preview::of(path, &Secrets::none()));
    measure(c, "preview: the same beside three secrets", || Preview::of(path, &secrets));
    measure(c, "preview: 64 KiB beside three secrets", || Preview::of(&long, &secrets));
    measure(c, "journal: append 1001 records", || {
        sample::record(sample::header(), calls()).0.head()
    });
    measure(c, "journal: read 1001 records", || Journal::parse(&file).unwrap().head());
    measure(c, "receipt: fold 1000 calls", || fold(&journal));
    measure(c, "receipt: fold and sign 1000 calls", || fold(&journal).sign(&key));

    let signed = fold(&journal).sign(&key);
    let bare = Folder::of(&signed, None).unwrap();
    let whole = Folder::of(&signed, Some(&file)).unwrap();
    assert!(verify(&whole, &ring).verified());
    measure(c, "verify: receipt and evidence of 1000 calls", || verify(&bare, &ring));
    measure(c, "verify: the same with its journal", || verify(&whole, &ring));
    measure(c, "peer: nine Ed25519 signatures", || [0_u8; 9].map(|n| key.sign(&[n; 512])));
}

criterion_group!(receipts, benches);
criterion_main!(receipts);
