//! The import table: every function a guest can import, what guards it, and the attack that shows it.

use envelope_gate::link::SERVED;
use wit_parser::Resolve;

use crate::cargo::root;

/// Every function of what is served, as the WIT says: its interface, its name.
fn served() -> Vec<(String, String)> {
    let mut resolve = Resolve::default();
    resolve.push_dir(root().join("host-api/wit")).unwrap();
    let mut functions = Vec::new();
    for (id, _) in resolve.interfaces.iter() {
        let Some(name) = resolve.id_of(id) else { continue };
        if SERVED.contains(&name.as_str()) {
            let interface = &resolve.interfaces[id];
            functions.extend(interface.functions.keys().map(|it| (name.clone(), it.clone())));
        }
    }
    functions.sort();
    functions
}

#[test]
fn every_import_has_its_row() {
    for (interface, function) in served() {
        println!("{interface} {function}");
    }
}
