//! `envelope config`: where a value comes from, what is wrong with a file, and that its schema says
//! the same.

use std::fs;

use envelope_gate::schema::{check, fits};
use serde_json::{Value, json};

use super::desk::{Desk, Said};

/// The setting `key` as `config show` tells it, with `words` and `variable` beside.
fn shown(desk: &Desk, key: &str, words: &[&str], variable: Option<(&str, &str)>) -> Value {
    let mut command = desk.command();
    command.args(["config", "show", "--json"]).args(words);
    command.envs(variable);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let settings = told["settings"].as_array().unwrap();
    settings.iter().find(|it| it["key"] == key).unwrap_or_else(|| panic!("{key}: {told}")).clone()
}

fn house(desk: &Desk, text: &str) {
    fs::create_dir_all(desk.path("home")).unwrap();
    fs::write(desk.path("home/envelope.toml"), text).unwrap();
}

#[test]
fn a_flag_goes_before_a_variable_and_that_before_the_file() {
    let desk = Desk::new("config-order");
    let by_default = shown(&desk, "address", &[], None);
    assert_eq!(by_default["value"], "127.0.0.1:8080");
    assert_eq!(by_default["from"], json!({ "kind": "default" }));

    house(&desk, "# a house\nruns = 7\n\naddress = \"127.0.0.1:1001\"\n");
    let path = desk.path("home/envelope.toml");
    let file = json!({ "kind": "file", "path": path, "line": 4 });
    let in_file = shown(&desk, "address", &[], None);
    assert_eq!((&in_file["value"], &in_file["from"]), (&json!("127.0.0.1:1001"), &file));

    let variable = Some(("ENVELOPE_ADDRESS", "127.0.0.1:1002"));
    let named = shown(&desk, "address", &[], variable);
    assert_eq!(named["value"], "127.0.0.1:1002");
    assert_eq!(named["from"], json!({ "kind": "variable", "name": "ENVELOPE_ADDRESS" }));
    // What is set to nothing is not set.
    let empty = shown(&desk, "address", &[], Some(("ENVELOPE_ADDRESS", "")));
    assert_eq!(empty["from"], file);

    let flag = shown(&desk, "address", &["--address", "127.0.0.1:1003"], variable);
    assert_eq!(flag["value"], "127.0.0.1:1003");
    assert_eq!(flag["from"], json!({ "kind": "flag" }));
    assert_eq!(shown(&desk, "runs", &[], None)["value"], "7");
}

#[test]
fn the_file_that_is_named_goes_before_the_one_at_home() {
    let desk = Desk::new("config-which");
    house(&desk, "domain = \"home.example\"\n");
    for (name, domain) in [("one", "one.example"), ("two", "two.example")] {
        let text = format!("domain = \"{domain}\"\n");
        fs::write(desk.path(&format!("{name}.toml")), text).unwrap();
    }
    // A file in the folder in which somebody stands may be a stranger's.
    fs::write(desk.path("envelope.toml"), "domain = \"stranger.example\"\n").unwrap();
    let one = Some(("ENVELOPE_CONFIG", "one.toml"));
    assert_eq!(shown(&desk, "domain", &[], None)["value"], "home.example");
    assert_eq!(shown(&desk, "domain", &[], one)["value"], "one.example");
    assert_eq!(shown(&desk, "domain", &["--config", "two.toml"], one)["value"], "two.example");
    let said = desk.says(["config", "show", "--config", "none.toml"], 2);
    assert!(said.err.contains("none.toml"), "{}", said.err);
}

/// What `init` is told by a file it does.
#[test]
fn a_command_does_what_the_file_says() {
    let desk = Desk::new("config-init");
    let url = format!("sqlite:{}", desk.path("other.db").display());
    house(&desk, &format!("db = \"{url}\"\norg = \"acme\"\nruns = 3\n"));
    let told = desk.json(["init"], 0);
    assert!(told["organisation"].to_string().contains("acme"), "{told}");
    assert!(desk.path("other.db").exists());
    assert!(!desk.path("home/store.db").exists());
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let desk = Desk::new("config-wrong");
    let text = "adress = \"127.0.0.1:1\"\nruns = \"many\"\naddress = \"nowhere\"\nlease = 5\n\
                provider = \"stub\"\ndb = \"mysql://me:hunter2@host/db\"\nzzzzzz = 1\n";
    house(&desk, text);
    let told = desk.json(["config", "check"], 2);
    let flaws = told["flaws"].as_array().unwrap();
    let at = |line: u64| {
        let flaw = flaws.iter().find(|flaw| flaw["line"] == line);
        flaw.unwrap_or_else(|| panic!("line {line}: {told}")).to_string()
    };
    for (line, words) in [
        (1, "no setting `adress`"),
        (1, "did you mean `address`?"),
        (2, "`runs` is a text"),
        (2, "a whole number of 0 to 4096"),
        (3, "nowhere"),
        (4, "lease"),
        (5, "`provider` is a text"),
        (6, "postgres://"),
        (7, "`envelope config schema` tells every key"),
    ] {
        assert!(at(line).contains(words), "{words}: {}", at(line));
    }
    assert_eq!(flaws.len(), 7, "{told}");
    assert!(!told.to_string().contains("hunter2"), "{told}");
    // Nothing starts on it.
    let Said { err, .. } = desk.says(["serve"], 2);
    assert!(err.contains("envelope.toml:1: there is no setting `adress`"), "{err}");

    house(&desk, "runs = 1\nrun");
    let told = desk.json(["config", "check"], 2);
    assert_eq!(told["flaws"][0]["line"], 2, "{told}");
}

#[test]
fn a_wrong_variable_is_named() {
    let desk = Desk::new("config-variable");
    let output = desk.command().args(["node"]).env("ENVELOPE_RUNS", "0").output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(err.contains("variable ENVELOPE_RUNS"), "{err}");
}

#[test]
fn secrets_are_not_shown() {
    let desk = Desk::new("config-secret");
    house(
        &desk,
        "db = \"postgres://me:hunter2@host/db?password=hunter2\"\n\
         provider = [\"openai=https://u:hunter2@host/v1\"]\n\
         secret = [\"x-key=hunter2@GET https://a.example/\",\n\
         \"x-key=A_KEY@GET https://a.example/\"]\n",
    );
    for words in [vec!["config", "show"], vec!["config", "show", "--json"]] {
        let said = desk.says(words, 0);
        assert!(!said.out.contains("hunter2") && !said.err.contains("hunter2"), "{}", said.out);
        assert!(said.out.contains("postgres://me:…@host/db?…"), "{}", said.out);
        assert!(said.out.contains("x-key=A_KEY@GET https://a.example/"), "{}", said.out);
    }
}

/// Files that the check and the schema have to judge alike, in JSON as in TOML.
#[test]
fn the_schema_says_what_the_check_says() {
    let desk = Desk::new("config-schema");
    let schema: Value = serde_json::from_str(&desk.says(["config", "schema"], 0).out).unwrap();
    check(&schema).unwrap();
    let many: Vec<_> = (0..65).map(|_| "stub").collect();
    for (key, value, good) in [
        ("db", json!("sqlite:a.db"), true),
        ("db", json!("postgres://localhost/a"), true),
        ("db", json!("mysql://localhost/a"), false),
        ("db", json!(1), false),
        ("blobs", json!("s3://bucket/a"), true),
        ("address", json!("127.0.0.1:80"), true),
        ("address", json!("[::1]:80"), true),
        ("address", json!("localhost"), false),
        ("runs", json!(0), true),
        ("runs", json!(4096), true),
        ("runs", json!(4097), false),
        ("runs", json!(-1), false),
        ("runs", json!("1"), false),
        ("lease", json!(100), true),
        ("lease", json!(99), false),
        ("lease", json!(1_000_000_000), false),
        ("provider", json!([]), true),
        ("provider", json!(["stub"]), true),
        ("provider", json!([1]), false),
        ("provider", json!("stub"), false),
        ("provider", json!(many), false),
        ("trust", json!("a.pem"), true),
        ("trust", json!(true), false),
        ("nothing", json!("a"), false),
    ] {
        // Such values are written alike in both.
        house(&desk, &format!("{key} = {value}\n"));
        let said = desk.command().args(["config", "check"]).output().unwrap();
        assert_eq!(said.status.code(), Some(if good { 0 } else { 2 }), "{key} = {value}");
        let document = json!({ key: value }).to_string();
        assert_eq!(fits(&schema, document.as_bytes()).is_ok(), good, "{key} = {value}");
    }
    house(&desk, "trust = \"a\"\ntrust-only = \"b\"\n");
    desk.says(["config", "check"], 2);
    assert!(fits(&schema, br#"{"trust":"a","trust-only":"b"}"#).is_err());
}
