//! What compiling a contract costs: a short one, one of thirty pages, and one full of errors.

#[path = "../terms/source/samples.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod samples;

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use envelope_terms::export::AcsVersion;
use envelope_terms::source::{Look, check};

/// A page of a contract has about five hundred words.
const WORDS_PER_PAGE: usize = 500;

const PAGES: usize = 30;

/// A sentence of twenty-five words around two slots.
const SENTENCE: &str = "The developer answers to {{ parties.buyer.name }} for the work of the \
agent as far as the data of this Paper say so, and not beyond {{ price.amount }} in all.";

fn benches(c: &mut Criterion) {
    let short = samples::paper("museum-labels");
    let long = thirty_pages();
    let slots = long.matches("{{").count();
    println!("thirty pages: {} bytes, {slots} slots", long.len());
    let wrong = long.replace("{{ price.amount }}", "{{ price.amunt }}");
    for (name, source) in [("short", short), ("thirty pages", &long)] {
        c.bench_function(&format!("compile: {name}"), |bencher| {
            bencher.iter(|| {
                let checked = check("a.paper.md", black_box(source.as_bytes()), &[]).unwrap();
                checked.paper(AcsVersion::Beta).unwrap().to_bytes().unwrap()
            });
        });
    }
    c.bench_function("diagnose and draw: thirty pages, a hundred errors", |bencher| {
        bencher.iter(|| {
            let report = check("a.paper.md", black_box(wrong.as_bytes()), &[]).unwrap_err();
            report.draw(Look::default())
        });
    });
}

fn thirty_pages() -> String {
    let mut source = samples::paper("credit-memo").to_owned();
    let sentences = PAGES * WORDS_PER_PAGE / 25;
    for at in 0..sentences {
        if at % 5 == 0 {
            write!(source, "\n## Clause {at} {{#clause-{at}}}\n\n").unwrap();
        }
        source.push_str(SENTENCE);
        source.push('\n');
    }
    source
}

criterion_group!(terms_compile, benches);
criterion_main!(terms_compile);
