//! What keeps the house readable. No rule has a list of exceptions; each is first shown a file it
//! must refuse, so that none can fall asleep.

use super::source::{Source, files};
use super::tokens::{attributes_with, functions, names_after, parse, test_lines};

const FUNCTION_LINES_MAX: usize = 70;
const FILE_LINES_MAX: usize = 500;
const COLUMNS_MAX: usize = 100;

/// What a rule finds in a file: nothing, when the file keeps it.
type Rule = fn(&Source) -> Vec<String>;

/// Proves that `rule` refuses the file `bad`, then holds every file of the repository to it.
fn hold(rule: Rule, (path, bad): (&str, &str)) {
    assert_ne!(rule(&Source::new(path, bad)), Vec::<String>::new(), "the rule fell asleep");
    let findings: Vec<_> = files()
        .iter()
        .flat_map(|file| rule(file).into_iter().map(|found| format!("{}:{found}", file.path)))
        .collect();
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

#[test]
fn functions_are_short() {
    hold(long_functions, ("a.rs", &format!("fn long() {{{}}}", "\n".repeat(FUNCTION_LINES_MAX))));
}

fn long_functions(file: &Source) -> Vec<String> {
    let functions = if file.is_rust() { functions(parse(&file.text)) } else { Vec::new() };
    let long = functions.into_iter().filter(|function| function.lines > FUNCTION_LINES_MAX);
    long.map(|function| {
        let (name, lines) = (function.name, function.lines);
        format!("{}: `{name}` takes {lines} lines of at most {FUNCTION_LINES_MAX}", function.line)
    })
    .collect()
}

#[test]
fn files_are_short() {
    hold(long_files, ("a.rs", &"\n".repeat(FILE_LINES_MAX + 1)));
}

fn long_files(file: &Source) -> Vec<String> {
    if !file.is_rust() {
        return Vec::new();
    }
    let lines = file.text.lines().count() - test_lines(parse(&file.text));
    let long = lines > FILE_LINES_MAX;
    Vec::from_iter(long.then(|| format!("1: {lines} lines of at most {FILE_LINES_MAX}")))
}

#[test]
fn lines_are_short() {
    hold(long_lines, ("a.rs", &"é".repeat(COLUMNS_MAX + 1)));
    assert!(long_lines(&Source::new("a.rs", &"é".repeat(COLUMNS_MAX))).is_empty());
}

fn long_lines(file: &Source) -> Vec<String> {
    let ends = [".rs", ".py", ".mjs", "/run"].iter().any(|end| file.path.ends_with(end));
    let written = ends && !file.is_data();
    lines_where(file, |line| written && line.chars().count() > COLUMNS_MAX, "a long line")
}

#[test]
fn types_are_nouns_of_the_domain() {
    hold(vague_types, ("a.rs", "struct GrantManager;"));
}

fn vague_types(file: &Source) -> Vec<String> {
    let vague =
        |name: &str| ["Manager", "Service", "Handler"].iter().any(|end| name.ends_with(end));
    names(file, &["struct", "enum", "trait", "type", "union"], vague)
}

#[test]
fn modules_have_a_subject() {
    hold(vague_modules, ("a.rs", "mod utils;"));
    hold(vague_modules, ("a/helpers.py", ""));
}

fn vague_modules(file: &Source) -> Vec<String> {
    let vague = |name: &str| ["util", "utils", "helper", "helpers"].contains(&name);
    let mut found = names(file, &["mod"], vague);
    let parts = file.path.split('/').map(|part| part.split('.').next().unwrap_or_default());
    found.extend(parts.filter(|part| vague(part)).map(|part| format!("1: named `{part}`")));
    found
}

#[test]
fn nothing_is_left_for_later() {
    hold(left_for_later, ("a.md", concat!("T", "ODO: later")));
}

fn left_for_later(file: &Source) -> Vec<String> {
    let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
    let left = |line: &str| words.iter().any(|word| line.contains(word));
    lines_where(file, |line| !file.is_data() && left(line), "left for later")
}

#[test]
fn lints_are_expected_and_not_allowed() {
    hold(allowed_lints, ("a.rs", "some! { #[cfg_attr(test, allow(dead_code))] fn a() {} }"));
}

fn allowed_lints(file: &Source) -> Vec<String> {
    let lines = if file.is_rust() { attributes_with(parse(&file.text), "allow") } else { vec![] };
    lines.iter().map(|line| format!("{line}: say `expect` with a reason")).collect()
}

#[test]
fn every_rust_file_says_what_it_is_for() {
    hold(untitled, ("a.rs", "use std::fmt;\n"));
}

fn untitled(file: &Source) -> Vec<String> {
    let untitled = file.is_rust() && !file.text.starts_with("//! ");
    Vec::from_iter(untitled.then(|| "1: open with `//!` and what this file is for".to_string()))
}

#[test]
fn no_path_of_a_machine_is_written_down() {
    hold(machine_paths, ("a.json", concat!("see \"/", "home/someone/envelope\"")));
    assert!(machine_paths(&Source::new("a.sh", "$here/target/tmp/x ~/.cargo")).is_empty());
}

fn machine_paths(file: &Source) -> Vec<String> {
    let folders =
        ["home", "root", "work", "workspace", "tmp", "Users", "private/var", "opt", "mnt"];
    let starts = |line: &str, at: usize| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "_-.}~*/".contains(c))
    };
    let named = |line: &str| {
        folders.iter().any(|folder| {
            let needle = format!("/{folder}/");
            line.match_indices(&needle).any(|(at, _)| starts(line, at))
        })
    };
    lines_where(file, named, "a path of one machine")
}

#[test]
fn packages_come_from_no_named_host() {
    hold(package_hosts, ("package-lock.json", "\"resolved\": \"https://mirror.example/a.tgz\""));
    hold(package_hosts, ("Cargo.lock", "source = \"git+https://example.org/a\""));
    hold(package_hosts, ("a.md", concat!("pypi", ".org")));
}

/// Lock files say which bytes (by checksum), never from where: a mirror serves them as well.
fn package_hosts(file: &Source) -> Vec<String> {
    const INDEX: &str = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    const DONATIONS: &str = "\"url\": ";
    let hosts = [
        concat!("pypi", ".org"),
        concat!("python", "hosted.org"),
        concat!("registry.", "npmjs"),
        concat!("index.", "crates.io"),
        concat!("static.", "crates.io"),
        concat!("arti", "factory"),
    ];
    let manifest = ["Cargo.lock", "Cargo.toml", "package.json", "package-lock.json"]
        .contains(&file.name())
        || file.name().ends_with("requirements.txt");
    let address = |line: &str| {
        let known = line == INDEX || line.trim_start().starts_with(DONATIONS);
        hosts.iter().any(|host| line.contains(host)) || manifest && line.contains("://") && !known
    };
    lines_where(file, address, "a package's address")
}

#[test]
fn lines_end_where_their_text_ends() {
    hold(trailing_space, ("a.md", "text \n"));
}

fn trailing_space(file: &Source) -> Vec<String> {
    let trailing = |line: &str| !file.is_data() && line.ends_with(char::is_whitespace);
    lines_where(file, trailing, "space at the end")
}

#[test]
fn files_end_with_one_newline() {
    hold(bad_ending, ("a.rs", "fn a() {}"));
    hold(bad_ending, ("a.rs", "fn a() {}\n\n"));
}

fn bad_ending(file: &Source) -> Vec<String> {
    let right = file.text.ends_with('\n') && !file.text.ends_with("\n\n");
    let wrong = !file.is_data() && !file.text.is_empty() && !right;
    Vec::from_iter(wrong.then(|| "1: end with one newline".to_string()))
}

fn lines_where(file: &Source, found: impl Fn(&str) -> bool, what: &str) -> Vec<String> {
    let lines = file.text.split('\n').enumerate().filter(|(_, line)| found(line));
    lines.map(|(at, line)| format!("{}: {what}: {line}", at + 1)).collect()
}

fn names(file: &Source, keywords: &[&str], found: impl Fn(&str) -> bool) -> Vec<String> {
    let names = if file.is_rust() { names_after(parse(&file.text), keywords) } else { vec![] };
    let named = names.into_iter().filter(|(name, _)| found(name));
    named.map(|(name, line)| format!("{line}: the name `{name}`")).collect()
}
