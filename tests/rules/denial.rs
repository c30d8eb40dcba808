//! The table of denials is an interface: callers match on its codes, so it changes in public.

use envelope_rules::Code;

#[test]
fn no_code_changes_unseen() {
    let rows = Code::TABLE.iter().map(|row| {
        let (wit, helps) = (row.wit.name(), if row.scope_helps { "helps" } else { "" });
        format!(
            "| `{}` | {} | {wit} | {helps} | {} | {} |\n",
            row.name, row.status, row.meaning, row.next
        )
    });
    let table = format!(
        "| Code | Status | WIT case | `request_scope` | Meaning | What to do next |\n\
         |---|---|---|---|---|---|\n{}",
        rows.collect::<String>()
    );
    crate::golden::check("denials.md", &table);
}

/// Nobody is sent to `request_scope` by one column and away from it by another.
#[test]
fn the_columns_agree_about_scope() {
    for row in Code::TABLE {
        assert!(row.scope_helps || !row.next.contains("request_scope"), "{}", row.name);
    }
}
