//! Every example, a hundred times: the same seed, files and clock give one run. Among them are two
//! programs that nobody wrote for Envelope; the one in Python stands in `python.rs`.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Arc;
use std::{env, fs};

use envelope_evidence::Digest;
use envelope_evidence::journal::Outcome;
use serde::Deserialize;
use serde_json::{Value, json};

use super::world::{Setup, prepared, run, setup};
use crate::cargo::root;
use crate::cli::desk::example;
use crate::models::desk::{Desk, desk};

const TIMES: usize = 100;

const DOCUMENTS: [(&str, &str); 3] = [
    ("in/a.md", "# Harbour\n\nThe ferry leaves at nine."),
    ("in/deep/b.txt", "The museum is closed on Mondays."),
    ("in/sales.csv", "region,amount\nnorth,12.50\nsouth,7.25\nnorth,1.00\n"),
];

fn job(component: &[u8], skill: &'static str, args: &Value) -> Setup {
    let mut setup = setup("").memory(256 << 20).fuel(20_000_000_000);
    setup.component = Arc::new(prepared(component).unwrap());
    setup.skill = skill;
    setup.args = args.to_string().into();
    setup.files = DOCUMENTS.to_vec();
    setup
}

fn ours(name: &str, skill: &'static str, args: &Value) -> Setup {
    job(&fs::read(example(name)).unwrap(), skill, args)
}

/// Runs it so often, and finds one run. `said` stands in its result.
fn is_one(setup: &Setup, said: &str) {
    let first = run(setup);
    assert_eq!(first.end().0, Outcome::Ok, "{:?}", first.end());
    let result = first.finished().result.clone().unwrap();
    assert!(String::from_utf8_lossy(&result).contains(said), "{result:?}");
    first.replays_same();
    are_one(&first.journal, || run(setup).journal);
}

fn are_one(first: &[u8], again: impl Fn() -> Vec<u8>) {
    let others: BTreeSet<_> = (1..TIMES).map(|_| Digest::of(&again()).to_string()).collect();
    assert_eq!(others, BTreeSet::from([Digest::of(first).to_string()]));
}

#[test]
fn hello_is_one() {
    is_one(&ours("hello", "hello", &json!({"name": "Ada"})), "Hello, Ada!");
}

#[test]
fn summary_is_one() {
    is_one(&ours("summary", "summary", &json!({"folder": "in"})), "\"documents\":2");
}

#[test]
fn report_is_one() {
    let args = json!({"table": "in/sales.csv", "group": "region", "amount": "amount"});
    is_one(&ours("report", "report", &args), "\"rows\":3");
}

#[test]
fn hostile_is_one() {
    is_one(&ours("hostile", "try-all", &json!({})), "path.outside");
}

#[test]
fn briefing_is_one() {
    let args = json!({"folder": "in", "model": "stub/a"});
    let desk = Desk { setup: ours("briefing", "brief", &args), ..desk("") };
    let first = desk.run();
    assert!(first.money() > 0, "a model was paid");
    first.replays_same();
    are_one(&first.journal, || desk.run().journal);
}

#[derive(Deserialize)]
struct Commands {
    commands: Vec<Published>,
}

/// A program as it is published.
#[derive(Deserialize)]
struct Published {
    #[serde(rename = "crate")]
    name: String,
    version: String,
    binary: String,
}

impl Published {
    /// Builds it as the example's page says.
    fn built(&self) -> Vec<u8> {
        let home = root().join("target/commands");
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut install = Command::new(cargo);
        install.args(["install", &self.name, "--version", &format!("={}", self.version)]);
        install.args(["--locked", "--target", "wasm32-wasip2", "--root"]).arg(&home);
        install.env_remove("RUSTFLAGS").env_remove("CARGO_TARGET_DIR");
        let built = install.output().unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        fs::read(home.join("bin").join(format!("{}.wasm", self.binary))).unwrap()
    }
}

fn published(binary: &str) -> Vec<u8> {
    let list = fs::read(root().join("guest-examples/command/commands.json")).unwrap();
    let list: Commands = serde_json::from_slice(&list).unwrap();
    let found = list.commands.iter().find(|it| it.binary == binary).expect("it is listed");
    found.built()
}

/// What it reads on its standard input are its arguments as they were given.
#[test]
fn jsonxf_is_one() {
    is_one(&job(&published("jsonxf"), "jsonxf", &json!(["-m"])), "[\"-m\"]");
}

#[test]
fn htmlq_is_one_and_reads_what_it_may() {
    let component = published("htmlq");
    let args = |path: &str| json!(["-f", path, "h1", "--text"]);
    let mut setup = job(&component, "htmlq", &args("in/page.html"));
    setup.files = vec![("in/page.html", "<h1>Harbour</h1><p>x"), ("secret/p.html", "<h1>no</h1>")];
    is_one(&setup, "Harbour");
    let refused = run(&Setup { args: args("secret/p.html").to_string().into(), ..setup });
    assert_ne!(refused.end().0, Outcome::Ok);
    assert_eq!(refused.denied(), ["path.outside"]);
    refused.replays_same();
    refused.outside_unchanged();
}
