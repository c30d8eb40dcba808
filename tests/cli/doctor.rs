//! `envelope doctor`: green on a house that was just founded, and clear about what is wrong.

use std::fs;
use std::net::TcpListener;

use serde_json::Value;

use super::desk::Desk;
use crate::store::world::both;

/// An address that was free a moment ago.
const FREE: &str = "127.0.0.1:0";

fn founded(name: &str) -> Desk {
    let desk = Desk::new(name);
    desk.says(["init"], 0);
    desk
}

/// What is found with these flags, which has to end with `exit`.
fn found(desk: &Desk, words: &[&str], exit: i32) -> Vec<Value> {
    let mut all = vec!["doctor"];
    all.extend(words);
    if !words.contains(&"--address") {
        all.extend(["--address", FREE]);
    }
    desk.json(all, exit)["findings"].as_array().unwrap().clone()
}

fn finding<'a>(findings: &'a [Value], name: &str) -> &'a Value {
    let finding = findings.iter().find(|finding| finding["name"] == name);
    finding.unwrap_or_else(|| panic!("{name}: {findings:?}"))
}

/// Fails unless `name` alone is found to fail, and is told with its treatment.
fn fails_alone(findings: &[Value], name: &str, words: &str) {
    for finding in findings {
        let fails = finding["state"] == "failing";
        assert_eq!(fails, finding["name"] == name, "{finding}");
        if fails {
            assert!(finding["what"].as_str().unwrap().contains(words), "{finding}");
            assert!(finding["treatment"].as_str().is_some_and(|it| !it.is_empty()), "{finding}");
        }
    }
}

#[test]
fn a_founded_house_is_well_and_its_walls_stand() {
    let desk = founded("doctor-well");
    let findings = found(&desk, &[], 0);
    assert!(findings.iter().all(|it| it["state"] != "failing"), "{findings:?}");
    for (wall, met) in [
        ("a granted file", "opened"),
        ("a denied file", "path.outside"),
        ("a denied host", "egress.host"),
        ("a stopped loop", "exhausted: fuel"),
    ] {
        assert_eq!(finding(&findings, wall)["what"], met);
    }
    let said = desk.says(["doctor", "--address", FREE], 0);
    assert!(said.out.contains("path.outside"), "{}", said.out);
}

#[test]
fn a_server_s_database_is_looked_at_too() {
    both(async |world| {
        let desk = Desk::new("doctor-both");
        let blobs = desk.path("blobs").display().to_string();
        let place = ["--db", world.url.as_str(), "--blobs", blobs.as_str()];
        desk.says([&["init"], place.as_slice()].concat(), 0);
        let findings = found(&desk, &place, 0);
        assert_eq!(finding(&findings, "database")["state"], "ok");
        assert_eq!(finding(&findings, "clock")["state"], "ok");
        let opened = finding(&findings, "keys")["what"].as_str().unwrap();
        assert!(opened.starts_with("they open") && !opened.contains(" 0 "), "{opened}");
    });
}

#[test]
fn a_missing_database_is_told_and_not_made() {
    let desk = founded("doctor-database");
    let gone = desk.path("gone.db");
    let url = format!("sqlite:{}", gone.display());
    fails_alone(&found(&desk, &["--db", &url], 8), "database", "");
    assert!(!gone.exists());
}

#[test]
fn another_master_key_is_told() {
    let desk = founded("doctor-master");
    fs::write(desk.path("home/keys/master.key"), [7; 32]).unwrap();
    fails_alone(&found(&desk, &[], 8), "keys", "master key");
    fs::remove_file(desk.path("home/keys/master.key")).unwrap();
    fails_alone(&found(&desk, &[], 8), "keys", "master.key");
    assert!(!desk.path("home/keys/master.key").exists(), "a lost key is not replaced");
}

/// Nobody, root neither, makes a file below a file, nor in the kernel's own folder.
#[test]
fn a_folder_that_cannot_be_written_is_told() {
    let desk = founded("doctor-blobs");
    fs::write(desk.path("file"), "").unwrap();
    let below = desk.path("file/blobs").display().to_string();
    fails_alone(&found(&desk, &["--blobs", &below], 8), "blobs", "no folder");
    if cfg!(target_os = "linux") {
        fails_alone(&found(&desk, &["--blobs", "/proc/self"], 8), "blobs", "cannot write");
    }
}

#[test]
fn an_address_that_is_taken_is_told() {
    let desk = founded("doctor-address");
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().to_string();
    fails_alone(&found(&desk, &["--address", &taken], 8), "address", &taken);
}

#[test]
fn a_wrong_file_of_settings_is_told_beside_the_rest() {
    let desk = founded("doctor-settings");
    fs::write(desk.path("wrong.toml"), "runs = 1\nrums = 2\n").unwrap();
    let findings = found(&desk, &["--config", "wrong.toml"], 8);
    fails_alone(&findings, "settings", "wrong.toml:2");
    assert_eq!(finding(&findings, "a stopped loop")["state"], "ok");
}
