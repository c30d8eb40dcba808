//! Runs that are kept in a database, as somebody uses them at a terminal.

use std::process::Command;
use std::time::Duration;
use std::{fs, thread};

use super::desk::{Desk, example};
use crate::engine::world::file;
use crate::store::world::urls;

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
        while ended()["runs"].as_array().unwrap().is_empty() {
            thread::sleep(Duration::from_millis(100));
        }
        let kill = format!("kill {}", node.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        assert!(node.wait().unwrap().success(), "it leaves when it is told to");
        desk.says(["runs", "export", run, "kept", "--db", url], 0);
        desk.says(["verify", "kept/receipt", "--keys", "kept/keys.json"], 0);
        desk.says(["replay", "kept"], 0);
    });
}
