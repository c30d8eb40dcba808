//! Every statement is understood by both engines, and reaches no further than it says.

use std::fmt::Write as _;

use envelope_store::sql::{scoped, wide};
use sqlx::{Connection as _, Executor as _, PgConnection, SqlSafeStr as _, SqliteConnection};

use super::world::both;
use crate::golden;

#[test]
fn both_engines_understand_every_statement() {
    both(async |world| {
        let texts = scoped().into_iter().map(|one| one.text());
        let texts: Vec<_> = texts.chain(wide().into_iter().map(|one| one.text())).collect();
        if let Some(file) = world.url.strip_prefix("sqlite:") {
            let mut connection = SqliteConnection::connect(file).await.unwrap();
            assert!(
                connection.prepare("SELECT nothing FROM nowhere".into_sql_str()).await.is_err()
            );
            for text in &texts {
                let understood = connection.prepare(text.sqlite.into_sql_str()).await;
                assert!(understood.is_ok(), "{}: {:?}", text.name, understood.err());
            }
        } else {
            let mut connection = PgConnection::connect(&world.url).await.unwrap();
            assert!(
                connection.prepare("SELECT nothing FROM nowhere".into_sql_str()).await.is_err()
            );
            for text in &texts {
                let understood = connection.prepare(text.postgres.into_sql_str()).await;
                assert!(understood.is_ok(), "{}: {:?}", text.name, understood.err());
            }
        }
    });
}

#[test]
fn a_scoped_statement_is_bound_to_its_organisation() {
    let bound = |text: &str| {
        text.contains(" WHERE org = $1 AND ")
            || (text.starts_with("INSERT INTO ") && text.contains("(org, "))
                && text.contains(" VALUES ($1, ")
    };
    assert!(!bound("SELECT id FROM agents WHERE id = $2"), "the rule fell asleep");
    for text in scoped().iter().map(|one| one.text()) {
        assert!(bound(text.sqlite) && bound(text.postgres), "{}: {}", text.name, text.sqlite);
        assert!(![text.sqlite, text.postgres].concat().contains(" OR "), "{}", text.name);
    }
}

#[test]
fn statements_over_all_organisations_are_few_and_reviewed() {
    let mut list = String::from("# every statement that reaches beyond one organisation\n");
    for text in wide().iter().map(|one| one.text()) {
        writeln!(list, "{}", text.name).unwrap();
    }
    golden::check("store-wide.txt", &list);
}
