//! The keys: one list, from which file, variables, checks and schema come.

use clap::{Arg, Command};
use envelope_store::work::LEASE_MAX;
use serde_json::Value;

/// A setting.
pub(crate) struct Key {
    /// The name of the flag, and of the key in a file.
    pub(crate) name: &'static str,
    /// What a file writes for it.
    pub(crate) kind: Kind,
    /// What stands for it where nobody sets it and the flag has no default of its own.
    pub(crate) absent: &'static str,
}

/// The type of a value in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text, that of some form.
    Text(Form),
    /// A whole number between two others.
    Count(u64, u64),
    /// A list of texts.
    List,
}

/// The form of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Any,
    Database,
    Address,
}

/// Entries of one list.
pub(crate) const LIST_MAX: usize = 64;

/// The milliseconds of the longest lease.
const LEASE_MILLIS_MAX: u64 = LEASE_MAX.as_secs() * 1000;

/// Every key. A name is none of them: nodes that share a file would share it.
pub(crate) const KEYS: &[Key] = &[
    Key { name: "db", kind: Kind::Text(Form::Database), absent: "`store.db` at home" },
    Key { name: "blobs", kind: Kind::Text(Form::Any), absent: "`blobs` at home" },
    Key { name: "org", kind: Kind::Text(Form::Any), absent: "" },
    Key { name: "address", kind: Kind::Text(Form::Address), absent: "" },
    Key { name: "domain", kind: Kind::Text(Form::Any), absent: "" },
    Key { name: "operator", kind: Kind::Text(Form::Any), absent: "" },
    Key { name: "runs", kind: Kind::Count(0, 4096), absent: "" },
    Key { name: "ports-file", kind: Kind::Text(Form::Any), absent: "none" },
    Key { name: "lease", kind: Kind::Count(100, LEASE_MILLIS_MAX), absent: "" },
    Key { name: "provider", kind: Kind::List, absent: "none" },
    Key { name: "allow-address", kind: Kind::List, absent: "none" },
    Key { name: "secret", kind: Kind::List, absent: "none" },
    Key { name: "trust", kind: Kind::Text(Form::Any), absent: "none" },
    Key { name: "trust-only", kind: Kind::Text(Form::Any), absent: "none" },
];

impl Key {
    /// The key of this name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        KEYS.iter().find(|key| key.name == name)
    }

    /// The variable that sets it.
    pub(crate) fn variable(&self) -> String {
        format!("ENVELOPE_{}", self.name.to_ascii_uppercase().replace('-', "_"))
    }

    /// The words of a variable's text: those of a list stand on lines of their own.
    pub(super) fn words(&self, text: &str) -> Vec<String> {
        match self.kind {
            Kind::List => text.lines().filter(|it| !it.is_empty()).map(str::to_owned).collect(),
            Kind::Text(_) | Kind::Count(..) => vec![text.to_owned()],
        }
    }

    /// The flag of `command` that it is, if there is one.
    pub(crate) fn of<'a>(&self, command: &'a Command) -> Option<&'a Arg> {
        command.get_arguments().find(|arg| arg.get_long() == Some(self.name))
    }

    /// Why `command` does not take `word` for it.
    pub(super) fn refused(&self, command: &Command, word: &str) -> Option<String> {
        if let Kind::Text(Form::Database) = self.kind
            && !["sqlite:", "postgres:", "postgresql:"].iter().any(|it| word.starts_with(it))
        {
            return Some("a database is `sqlite:<file>` or `postgres://…`".to_owned());
        }
        let line = [command.get_name().to_owned(), format!("--{}={word}", self.name)];
        let parsed = command.clone().try_get_matches_from(line);
        parsed.err().map(|error| super::reason(&error))
    }

    /// What to write.
    pub(crate) fn hint(&self) -> String {
        let what = match self.kind {
            Kind::Text(Form::Database) => "`sqlite:<file>` or `postgres://…`".to_owned(),
            Kind::Text(Form::Address) => "an address and a port, as in `127.0.0.1:8080`".to_owned(),
            Kind::Text(Form::Any) => "a text".to_owned(),
            Kind::Count(least, most) => format!("a whole number of {least} to {most}"),
            Kind::List => format!("a list of at most {LIST_MAX} texts"),
        };
        format!("`{}` takes {what}: see `envelope config schema`", self.name)
    }
}

/// The words of `key` as they may be shown: no password of an address, and nothing that stands
/// where the name of a secret's variable belongs.
pub(crate) fn shown(key: &Key, words: &[String]) -> String {
    let words: Vec<_> = words.iter().map(|word| masked(key.name, word)).collect();
    match key.kind {
        Kind::List => format!("[{}]", words.join(", ")),
        Kind::Text(_) | Kind::Count(..) => words.join(" "),
    }
}

/// The same for programs: nothing, a text, or a list of texts.
pub(crate) fn shown_in_json(key: &Key, words: &[String]) -> Value {
    let words = words.iter().map(|word| masked(key.name, word));
    match key.kind {
        Kind::List => words.collect(),
        Kind::Text(_) | Kind::Count(..) => words.map(Value::from).next().unwrap_or_default(),
    }
}

fn masked(key: &str, word: &str) -> String {
    match key {
        "db" | "provider" => without_password(word),
        "secret" => {
            let Some((header, rest)) = word.split_once('=') else { return "…".to_owned() };
            match rest.split_once('@') {
                Some((variable, rule)) if crate::net::is_variable(variable) => {
                    format!("{header}={variable}@{rule}")
                }
                Some(_) | None => format!("{header}=…"),
            }
        }
        _ => word.to_owned(),
    }
}

/// A URL without what stands before its host and behind its path: both may hold a password.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    // Up to the last `@`: a password that was not escaped may hold any other mark, and an `@` too.
    let (user, rest) = rest.rsplit_once('@').unwrap_or(("", rest));
    let name = user.split([':', '/', '?', '#']).next().unwrap_or_default();
    let at = match user {
        "" => "",
        user if user == name => "@",
        _ => ":…@",
    };
    let place = rest.split(['?', '#']).next().unwrap_or_default();
    let more = if place == rest { "" } else { "?…" };
    format!("{scheme}://{name}{at}{place}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        for (url, shown) in [
            ("postgres://me:pa/s@s@host/db", "postgres://me:…@host/db"),
            ("postgres://me@host/db?password=pass", "postgres://me@host/db?…"),
            ("postgres://me:pa?s@host/db", "postgres://me:…@host/db"),
            ("postgres://host/db?password=p@ss", "postgres://host:…@ss"),
            ("sqlite:a@b.db", "sqlite:a@b.db"),
            ("openai=https://u:p@host/v1", "openai=https://u:…@host/v1"),
        ] {
            assert_eq!(without_password(url), shown);
        }
        assert_eq!(masked("secret", "x-key=KEY@GET https://a/b"), "x-key=KEY@GET https://a/b");
        assert_eq!(masked("secret", "x-key=hunter2@GET https://a"), "x-key=…");
        assert_eq!(masked("secret", "hunter2"), "…");
    }
}
