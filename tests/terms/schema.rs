//! The published schemas and Zod modules are the ones reviewed.

use envelope_terms::schema::{DOCUMENTS, document};

use crate::golden;

#[test]
fn the_schemas_are_the_ones_reviewed() {
    for document in DOCUMENTS {
        let name = document.name();
        let schema = document.json_schema_file().unwrap();
        golden::check(&format!("terms/{name}.schema.json"), &schema);
        let module = document.zod_module().unwrap();
        golden::check(&format!("terms/{name}.zod.mjs"), &module);
    }
}

#[test]
fn each_document_is_found_by_its_own_name() {
    for known in DOCUMENTS {
        assert_eq!(document(known.name()).unwrap().id(), known.id());
        let written = known.name().split('-').all(|word| {
            !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        });
        assert!(written, "{}", known.name());
    }
    assert!(document("contracts").is_none());
}
