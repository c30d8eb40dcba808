//! Both engines have the same tables, columns, keys and indexes.

use envelope_store::Engine;

use super::world::{World, both};
use crate::golden;

const SQLITE: &str = "
    SELECT t.name || '.' || c.name || ' '
        || CASE c.type WHEN 'INTEGER' THEN 'number' WHEN 'TEXT' THEN 'text' ELSE 'bytes' END
        || CASE WHEN c.\"notnull\" OR c.pk THEN '' ELSE ' or nothing' END
        || CASE WHEN c.pk THEN ', key' ELSE '' END
    FROM sqlite_schema t JOIN pragma_table_info(t.name) c
    WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'
    UNION ALL
    SELECT m.tbl_name || ' index ' || m.name FROM sqlite_schema m
    WHERE m.type = 'index' AND m.sql IS NOT NULL
    UNION ALL
    SELECT DISTINCT t.name || '.' || f.\"from\" || ' -> ' || f.\"table\" || '.' || f.\"to\"
    FROM sqlite_schema t JOIN pragma_foreign_key_list(t.name) f WHERE t.type = 'table'";

const POSTGRES: &str = "
    SELECT c.table_name || '.' || c.column_name || ' '
        || CASE c.data_type WHEN 'bigint' THEN 'number' WHEN 'text' THEN 'text' ELSE 'bytes' END
        || CASE c.is_nullable WHEN 'NO' THEN '' ELSE ' or nothing' END
        || CASE WHEN EXISTS (
            SELECT 1 FROM information_schema.key_column_usage k
            JOIN information_schema.table_constraints p ON p.constraint_name = k.constraint_name
                AND p.table_name = k.table_name AND p.constraint_type = 'PRIMARY KEY'
            WHERE k.table_name = c.table_name AND k.column_name = c.column_name
        ) THEN ', key' ELSE '' END
    FROM information_schema.columns c WHERE c.table_schema = 'public'
    UNION ALL
    SELECT tablename || ' index ' || indexname FROM pg_indexes
    WHERE schemaname = 'public' AND indexdef NOT LIKE 'CREATE UNIQUE%'
    UNION ALL
    SELECT f.conrelid::regclass || '.' || a.attname || ' -> ' || f.confrelid::regclass || '.'
        || b.attname
    FROM pg_constraint f
    CROSS JOIN LATERAL unnest(f.conkey, f.confkey) AS k(one, other)
    JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.one
    JOIN pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = k.other
    WHERE f.contype = 'f'";

#[test]
fn both_engines_have_one_schema() {
    both(async |world| {
        golden::check("store-schema.txt", &schema(world).await);
    });
}

#[test]
fn a_schema_that_differs_is_seen() {
    both(async |world| {
        let before = schema(world).await;
        world.own("ALTER TABLE agents ADD COLUMN colour TEXT").await.unwrap();
        assert_ne!(schema(world).await, before);
    });
}

async fn schema(world: &World) -> String {
    let query = match world.engine {
        Engine::Sqlite => SQLITE,
        Engine::Postgres => POSTGRES,
    };
    let mut lines = world.own(query).await.unwrap();
    lines.sort();
    assert!(lines.len() > 100, "{lines:?}");
    lines.join("\n") + "\n"
}
