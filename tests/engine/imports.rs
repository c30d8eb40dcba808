//! The import table: every function a guest can import, its guard, and the attack that shows it.

mod rows;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use envelope_gate::link::SERVED;
use wit_parser::Resolve;

use super::attacks::cases;
use crate::cargo::root;
use rows::{ROWS, Row};

/// Every function of what is served, as the WIT says: its interface without version, its name.
pub(super) fn served() -> Vec<(String, String)> {
    let mut resolve = Resolve::default();
    resolve.push_dir(root().join("host-api/wit")).unwrap();
    let mut found = BTreeSet::new();
    let mut functions = Vec::new();
    for (id, interface) in resolve.interfaces.iter() {
        let name = resolve.id_of(id).filter(|name| SERVED.contains(&name.as_str()));
        let Some(name) = name else { continue };
        let short = name.split('@').next().unwrap().to_owned();
        functions.extend(interface.functions.keys().map(|it| (short.clone(), it.clone())));
        found.insert(name);
    }
    let served: BTreeSet<_> = SERVED.iter().map(ToString::to_string).collect();
    assert_eq!(found, served, "what is served is in the WIT");
    functions.sort();
    functions
}

/// The row of a function: a list of names, among them `resource.*`, or `*` for what nobody can
/// reach. The first that fits.
fn row(interface: &str, function: &str) -> Option<&'static Row> {
    let plain = function.rsplit('.').next().unwrap();
    let resource = function.rsplit(']').next().unwrap().split('.').next().unwrap();
    let fits = |name: &str| name == plain || name.strip_suffix(".*") == Some(resource);
    ROWS.iter()
        .find(|(of, names, ..)| *of == interface && (*names == "*" || names.split(' ').any(fits)))
}

#[test]
fn every_import_has_its_row() {
    let known: BTreeSet<_> = cases().iter().map(|case| case.name).collect();
    let mut table = String::from("| import | function | guard | the attack |\n|---|---|---|---|\n");
    let mut used = BTreeSet::new();
    for (interface, function) in served() {
        let Some(row) = row(&interface, &function) else {
            panic!("`{interface}` `{function}` has no row in tests/engine/imports/rows.rs");
        };
        let (_, names, guard, case) = row;
        assert!(known.contains(case), "`{case}` is no case of the attack table");
        used.insert((interface.clone(), *names));
        writeln!(table, "| {interface} | {function} | {guard} | {case} |").unwrap();
    }
    assert_eq!(used.len(), ROWS.len(), "a row for what is not served");
    crate::golden::check("imports.md", &table);
}
