//! Every table, by what it takes to read it in order and to fill it again.

use crate::noun::Noun;
use crate::sql::{Text, Wide};

/// A table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table {
    pub(super) name: &'static str,
    /// The columns of its key, which come first: whether each is text, or else a number.
    pub(super) key: &'static [bool],
    /// Rows read at once, which one file holds at most.
    pub(super) rows_max: i64,
    pub(super) page: Wide,
    pub(super) fill: Wide,
    /// One row, if there is any.
    pub(super) count: Wide,
}

/// Rows read at once, where a row is some hundred bytes.
const SMALL: i64 = 2000;

/// Rows read at once, where most have some hundred bytes, and receipts some kilobytes.
const MIDDLE: i64 = 256;

/// Rows read at once, where a row may have megabytes.
const LARGE: i64 = 32;

macro_rules! table {
    ($name:literal, $columns:literal, $places:literal, $key:literal > $from:literal, $limit:literal,
        $kinds:expr, $rows:expr) => {
        Table {
            name: $name,
            key: $kinds,
            rows_max: $rows,
            page: Wide(Text::common(
                concat!("backup.", $name, ".page"),
                concat!(
                    "SELECT ",
                    $columns,
                    " FROM ",
                    $name,
                    " WHERE (",
                    $key,
                    ") > (",
                    $from,
                    ") ORDER BY ",
                    $key,
                    " LIMIT ",
                    $limit,
                ),
            )),
            fill: Wide(Text {
                name: concat!("backup.", $name, ".fill"),
                sqlite: concat!("INSERT INTO ", $name, " (", $columns, ") VALUES (", $places, ")",),
                // Numbers that the database gave out are given back as they were.
                postgres: concat!(
                    "INSERT INTO ",
                    $name,
                    " (",
                    $columns,
                    ") OVERRIDING SYSTEM VALUE VALUES (",
                    $places,
                    ")",
                ),
            }),
            count: Wide(Text::common(
                concat!("backup.", $name, ".any"),
                concat!("SELECT ", $key, " FROM ", $name, " LIMIT 1",),
            )),
        }
    };
    (noun $name:literal) => {
        table!(
            $name,
            "org, id, parent, state, version, body, digest, changed",
            "$1, $2, $3, $4, $5, $6, $7, $8",
            "org, id" > "$1, $2",
            "$3",
            &[true, true],
            LARGE
        )
    };
    (one $name:literal, $columns:literal, $places:literal, $key:literal, $rows:expr) => {
        table!($name, $columns, $places, $key > "$1", "$2", &[false], $rows)
    };
    (one_text $name:literal, $columns:literal, $places:literal, $key:literal) => {
        table!($name, $columns, $places, $key > "$1", "$2", &[true], SMALL)
    };
    (two $name:literal, $columns:literal, $places:literal) => {
        table!($name, $columns, $places, "org, id" > "$1, $2", "$3", &[true, true], SMALL)
    };
}

/// Every table but that of the migrations, each after those that it refers to.
pub(super) const TABLES: [Table; 46] = [
    table!(noun "organisations"),
    table!(noun "users"),
    table!(noun "agents"),
    table!(noun "releases"),
    table!(noun "listings"),
    table!(noun "msas"),
    table!(noun "papers"),
    table!(noun "amendments"),
    table!(noun "side_letters"),
    table!(noun "purchases"),
    table!(noun "escrows"),
    table!(noun "disputes"),
    table!(noun "sealed_records"),
    table!(noun "remedies"),
    table!(noun "warrants"),
    table!(noun "grants"),
    table!(noun "runs"),
    table!(noun "receipts"),
    table!(noun "scope_requests"),
    table!(noun "approvals"),
    table!(noun "badges"),
    table!(noun "attestations"),
    table!(noun "frosts"),
    table!(noun "stops"),
    table!(noun "signers"),
    table!(noun "shares"),
    table!(noun "credentials"),
    table!(noun "sessions"),
    table!(noun "answers"),
    table!(noun "hooks"),
    table!(noun "deliveries"),
    table!(
        "accounts",
        "org, level, name, version, cap, spent, leased",
        "$1, $2, $3, $4, $5, $6, $7",
        "org, level, name" > "$1, $2, $3",
        "$4",
        &[true, true, true],
        SMALL
    ),
    table!(two "leases", "org, id, version, chain, rest, next", "$1, $2, $3, $4, $5, $6"),
    table!(
        two "work",
        "org, id, state, node, epoch, due, seen, tries",
        "$1, $2, $3, $4, $5, $6, $7, $8"
    ),
    table!(
        "journal",
        "org, id, chunk, epoch, lines",
        "$1, $2, $3, $4, $5",
        "org, id, chunk" > "$1, $2, $3",
        "$4",
        &[true, true, false],
        LARGE
    ),
    table!(one_text "storage", "org, used, cap", "$1, $2, $3", "org"),
    table!(
        "blobs",
        "org, digest, size, state, touched",
        "$1, $2, $3, $4, $5",
        "org, digest" > "$1, $2",
        "$3",
        &[true, true],
        SMALL
    ),
    table!(
        "workspaces",
        "org, id, version, manifest, state, changed, pinned",
        "$1, $2, $3, $4, $5, $6, $7",
        "org, id, version" > "$1, $2, $3",
        "$4",
        &[true, true, false],
        SMALL
    ),
    table!(
        "needs",
        "org, id, version, digest",
        "$1, $2, $3, $4",
        "org, id, version, digest" > "$1, $2, $3, $4",
        "$5",
        &[true, true, false, true],
        SMALL
    ),
    table!(
        "keys",
        "org, id, version, state, master, sealed, changed",
        "$1, $2, $3, $4, $5, $6, $7",
        "org, id" > "$1, $2",
        "$3",
        &[true, true],
        SMALL
    ),
    table!(
        "sealed",
        "org, id, field, version, bytes, until",
        "$1, $2, $3, $4, $5, $6",
        "org, id, field" > "$1, $2, $3",
        "$4",
        &[true, true, true],
        LARGE
    ),
    table!(one "outbox", "seq, org, topic, body, tries, due, digest",
        "$1, $2, $3, $4, $5, $6, $7", "seq", LARGE),
    table!(one "audit_in", "seq, noun, org, id, version, payload, salt",
        "$1, $2, $3, $4, $5, $6, $7", "seq", MIDDLE),
    table!(one "audit_pending", "seq", "$1", "seq", SMALL),
    table!(one "audit_leaf", "idx, seq, leaf", "$1, $2, $3", "idx", SMALL),
    table!(one "audit_checkpoint", "size, note", "$1, $2", "size", SMALL),
];

/// What takes each trigger away, and what makes it again.
pub(super) const TRIGGERS: Wide = Wide(Text {
    name: "backup.triggers",
    sqlite: "SELECT 'DROP TRIGGER ' || name, sql FROM sqlite_schema WHERE type = 'trigger'
        ORDER BY rowid",
    postgres: "SELECT format('ALTER TABLE %s DISABLE TRIGGER %I', tgrelid::regclass, tgname),
        format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', tgrelid::regclass, tgname)
        FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
        WHERE NOT tgisinternal AND relnamespace = current_schema()::regnamespace ORDER BY 1",
});

/// The numbers that the database gives out go on behind those that it ever gave: messages that were
/// heard are known to the log alone.
pub(super) const COUNTERS: [Wide; 2] = [
    Wide(Text {
        name: "backup.counted",
        sqlite: "DELETE FROM sqlite_sequence WHERE name = 'outbox'",
        postgres: "SELECT setval(pg_get_serial_sequence('audit_in', 'seq'),
            (SELECT coalesce(max(seq), 0) + 1 FROM audit_in), false)",
    }),
    Wide(Text {
        name: "backup.counters",
        sqlite: "INSERT INTO sqlite_sequence (name, seq) SELECT 'outbox', coalesce(max(seq), 0)
            FROM (
                SELECT seq FROM outbox
                UNION ALL SELECT CAST(id AS INTEGER) FROM audit_in WHERE noun = 'outbox'
            ) AS given",
        postgres: "SELECT setval(pg_get_serial_sequence('outbox', 'seq'),
            (SELECT coalesce(max(seq), 0) + 1 FROM (
                SELECT seq FROM outbox
                UNION ALL SELECT id::bigint FROM audit_in WHERE noun = 'outbox'
            ) AS given), false)",
    }),
];

pub(super) const RULES: [Wide; 3] = [TRIGGERS, COUNTERS[0], COUNTERS[1]];

/// Every noun is among them; a test of this crate holds the rest against the schema.
const _: () = assert!(TABLES.len() >= Noun::ALL.len() + 9);
