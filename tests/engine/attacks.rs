//! The attack table: what a guest tries, what it must see or how it must end, and beside each the
//! same act that is allowed.

mod authority;
mod bodies;
mod capabilities;
mod files;
mod handles;
mod record;
mod shapes;
mod table;
mod work;

use std::fmt::Write as _;

use table::Case;

/// Every case that is a row of data.
pub fn cases() -> Vec<&'static Case> {
    let all = [
        bodies::CASES,
        work::CASES,
        files::CASES,
        handles::CASES,
        authority::CASES,
        capabilities::CASES,
    ];
    all.into_iter().flatten().collect()
}

#[test]
fn the_table_is_the_published_one() {
    let mut cases = cases();
    cases.sort_by_key(|case| case.class);
    let mut table = String::from("| class | case | what is expected |\n|---|---|---|\n");
    for case in &cases {
        let (class, name, expected) = (case.class, case.name, case.expectation());
        writeln!(table, "| {class} | {name} | {expected} |").unwrap();
    }
    for (class, name, expected) in record::ROWS.iter().chain(shapes::ROWS) {
        writeln!(table, "| {class} | {name} | {expected} |").unwrap();
    }
    assert!(cases.len() >= 80, "{} cases", cases.len());
    crate::golden::check("attacks.md", &table);
}

#[test]
fn no_two_cases_share_a_name() {
    let mut names: Vec<_> = cases().iter().map(|case| case.name).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
}
