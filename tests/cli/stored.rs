//! Runs that are kept in a database, as somebody uses them at a terminal.

use std::fs;
use std::process::Command;

use super::desk::{Desk, example};
use crate::engine::world::file;
use crate::patience::until;
use crate::store::bucket::server;
use crate::store::world::{run as own, urls};

const DOCS: &str = r#"{"folder":"docs"}"#;

fn each(test: impl Fn(&str)) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(urls()).iter().for_each(|url| test(url));
}

#[test]
fn a_run_of_a_database_says_what_a_run_of_a_folder_says() {
    each(|url| {
        let desk = Desk::with_documents("stored");
        desk.says(["db", "migrate", "--db", url], 0);
        let words = ["run", example("summary"), "summary", "--args", DOCS, "--dir", "ws"];
        let words = words.into_iter().chain(["--allow-read", "docs/**", "--outputs", "out/"]);
        let words: Vec<_> = words.collect();
        let folder = desk.json(words.iter().copied().chain(["--out", "run"]), 0);
        let made = fs::read(desk.path("ws/out/summary.md")).unwrap();
        fs::remove_dir_all(desk.path("ws/out")).unwrap();
        let stored = desk.json(words.iter().copied().chain(["--db", url]), 0);
        for member in ["outcome", "reason", "result", "outputs", "calls"] {
            assert_eq!(stored[member], folder[member], "{member}");
        }
        assert_eq!(fs::read(desk.path("ws/out/summary.md")).unwrap(), made);
        assert!(stored["folder"].is_null());

        let run = stored["run"].as_str().unwrap();
        let told = desk.json(["runs", "list", "--db", url], 0);
        assert_eq!(told["runs"][0]["run"], run);
        assert_eq!(told["runs"][0]["over"]["outcome"], "ok");
        fs::create_dir(desk.path("elsewhere")).unwrap();
        desk.says(["runs", "export", run, "kept", "--dir", "elsewhere", "--db", url], 0);
        assert_eq!(fs::read(desk.path("elsewhere/out/summary.md")).unwrap(), made);
        let verified = desk.json(["verify", "kept/receipt", "--keys", "kept/keys.json"], 0);
        assert_eq!(verified["id"], told["runs"][0]["over"]["receipt"]);
        let replayed = desk.json(["replay", "kept"], 0);
        assert_eq!(replayed["receipt"], verified["id"], "the same, from the export alone");
        desk.says(["runs", "export", run, "kept", "--db", url], 1);
        let hello = ["run", example("hello"), "hello", "--args", r#"{"name":"Ada"}"#, "--db", url];
        let said = desk.says(hello, 0).err;
        let told = if url.contains('@') { " --db …" } else { &format!(" --db {url}") };
        assert!(said.contains("next     envelope runs export") && said.contains(told), "{said}");
        desk.says(["runs", "export", "run_none", "none", "--db", url], 1);
        desk.says(["runs", "export", run, "none", "--org", "others", "--db", url], 1);
    });
}

#[test]
fn a_run_of_a_database_waits_and_goes_on_when_somebody_decides() {
    each(|url| {
        let desk = Desk::new("stored-waits");
        desk.says(["db", "migrate", "--db", url], 0);
        let guest = file("guests").display().to_string();
        let args = r#"["write a x","choose red|green","write b y"]"#;
        let all = ["run", &guest, "run", "--args", args, "--db", url];
        for how in ["ask", "yes", "no"] {
            let refused = desk.says(all.iter().copied().chain(["--approvals", how]), 2);
            assert!(refused.err.contains("--approvals wait"), "{}", refused.err);
        }
        let callee = desk.says(all.iter().copied().chain(["--callee", example("hello")]), 2);
        assert!(callee.err.contains("calls no other agents"), "{}", callee.err);
        let nothing = desk.json(["runs", "list", "--db", url], 0);
        assert!(nothing["runs"].as_array().unwrap().is_empty(), "what was refused left nothing");
        desk.says(all.iter().copied().chain(["--approvals", "wait"]), 4);
        let told = desk.json(["runs", "list", "--db", url], 0);
        assert_eq!(told["runs"][0]["state"], "suspended");
        let run = told["runs"][0]["run"].as_str().unwrap();
        let open = desk.json(["approvals", "list", run, "--db", url], 0);
        assert_eq!(open["waiting"].as_array().unwrap().len(), 1);
        let shown = desk.json(["approvals", "show", run, "--db", url], 0);
        let saw = ["--saw", shown["digest"].as_str().unwrap(), "--choice", "1"];
        let approve = ["approvals", "approve", run, "--db", url];
        desk.says(approve.iter().chain(&["--saw", "sha256:other", "--choice", "1"]), 1);
        desk.says(approve.iter().chain(&saw), 0);
        desk.says(approve.iter().chain(&saw), 2);
        let mut node = desk.command().args(["node", "--db", url]).spawn().unwrap();
        let ended = || desk.json(["runs", "list", "--state", "ended", "--db", url], 0);
        until("its end", || !ended()["runs"].as_array().unwrap().is_empty());
        let kill = format!("kill {}", node.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        assert!(node.wait().unwrap().success(), "it leaves when it is told to");
        desk.says(["runs", "export", run, "kept", "--db", url], 0);
        desk.says(["verify", "kept/receipt", "--keys", "kept/keys.json"], 0);
        desk.says(["replay", "kept"], 0);
    });
}

/// What a command says that asks for a bucket as the environment tells.
fn asks(desk: &Desk, endpoint: &str, secret: &str, words: &[&str]) -> (bool, String) {
    let mut command = desk.command();
    command.args(words).env("AWS_ENDPOINT_URL", endpoint).env("AWS_REGION", "us-east-1");
    command.env("AWS_ACCESS_KEY_ID", "name").env("AWS_SECRET_ACCESS_KEY", secret);
    let output = command.output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn blobs_lie_in_a_bucket_where_that_is_said() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let endpoint = format!("http://{}", runtime.block_on(server()));
    for url in &runtime.block_on(urls()) {
        let desk = Desk::with_documents("bucket");
        desk.says(["db", "migrate", "--db", url], 0);
        let bucket = format!("s3://bucket/{}", url.len());
        let place = ["--db", url, "--blobs", &bucket];
        let asks = |words: &[&str], secret: &str| asks(&desk, &endpoint, secret, words);
        let run = ["run", example("summary"), "summary", "--args", DOCS, "--dir", "ws"];
        let run = [&run[..], &["--allow-read", "docs/**", "--outputs", "out/"], &place].concat();
        let (done, said) = asks(&run, "another");
        assert!(!done && said.contains("cannot be stored"), "{said}");
        let done = asks(&run, "secret");
        assert!(done.0, "{}", done.1);
        let made = fs::read(desk.path("ws/out/summary.md")).unwrap();
        let told = desk.json(["runs", "list", "--state", "ended", "--db", url], 0);
        let run = told["runs"][0]["run"].as_str().unwrap();
        let (done, said) = asks(&[&["runs", "export", run, "kept"], &place[..]].concat(), "secret");
        assert!(done, "{said}");
        desk.says(["replay", "kept"], 0);
        let here = fs::read_dir(desk.path("home/blobs"));
        assert!(here.map_or(true, |mut files| files.next().is_none()), "nothing lies here");

        // A backup takes them along, and they go wherever it is restored to.
        let (done, said) = asks(&[&["backup", "monday"], &place[..]].concat(), "secret");
        assert!(done && said.contains("blobs"), "{said}");
        assert!(!said.contains("not in it"), "{said}");
        let without = desk.says(["backup", "tuesday", "--db", url], 0);
        assert!(without.err.contains("not in it"), "{}", without.err);
        desk.says(["restore", "monday", "--db", "sqlite:new.db", "--blobs", "blobs"], 0);
        fs::create_dir(desk.path("elsewhere")).unwrap();
        let again = ["runs", "export", run, "again", "--dir", "elsewhere", "--db", "sqlite:new.db"];
        desk.says(again.iter().chain(&["--blobs", "blobs"]), 0);
        assert_eq!(fs::read(desk.path("elsewhere/out/summary.md")).unwrap(), made);
    }
}

#[test]
fn a_bucket_that_cannot_be_asked_for_is_told() {
    let desk = Desk::new("no-bucket");
    desk.says(["db", "migrate"], 0);
    let none = desk.says(["runs", "list", "--blobs", "s3:///prefix"], 2);
    assert!(none.err.contains("names no bucket"), "{}", none.err);
    let mut command = desk.command();
    command.args(["runs", "list", "--blobs", "s3://bucket"]).env_clear();
    let output = command.env("ENVELOPE_HOME", desk.path("home")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("`AWS_REGION` or `AWS_DEFAULT_REGION`"), "{said}");
}

#[test]
fn a_list_that_is_cut_says_so_and_goes_on() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for url in runtime.block_on(urls()) {
        let desk = Desk::new("stored-many");
        desk.says(["db", "migrate", "--db", &url], 0);
        let hello = ["run", example("hello"), "hello", "--args", r#"{"name":"Ada"}"#, "--db", &url];
        desk.says(hello.iter().chain(&["--detach"]), 0);
        let short = desk.says(["runs", "list", "--db", &url], 0);
        assert!(!short.err.contains("cut"), "{}", short.err);
        let many = if url.starts_with("sqlite") {
            "(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 1004)
            SELECT n FROM c) c"
        } else {
            "generate_series(1, 1004) c(n)"
        };
        let copies = format!(
            "INSERT INTO runs (org, id, parent, state, version, body, digest, changed)
            SELECT org, id || '-' || n, parent, state, 1, body, digest, changed FROM runs, {many}"
        );
        runtime.block_on(own(&url, &copies)).unwrap();
        let first = desk.json(["runs", "list", "--db", &url], 0);
        assert_eq!(first["runs"].as_array().unwrap().len(), 1000);
        let after = first["after"].as_str().unwrap();
        let told = desk.says(["runs", "list", "--db", &url], 0);
        assert!(told.err.contains(&format!("--after {after}")), "{}", told.err);
        let rest = desk.json(["runs", "list", "--after", after, "--db", &url], 0);
        assert_eq!(rest["runs"].as_array().unwrap().len(), 5);
        assert!(rest["after"].is_null());
    }
}
