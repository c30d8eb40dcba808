//! What the house promises: the page and the JSON say the same, and every check is there.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use envelope_server::outside::trust::{CLAIMS, Check};
use serde_json::Value;

use super::house::{Open, Reply};
use crate::cargo::envelope;
use crate::store::world::both;

const SECURITY: &str = "/.well-known/security.txt";

async fn asked(open: &Open, accept: &str) -> Reply {
    open.ask_with("", "GET /trust", None, &[accept]).await
}

#[test]
fn every_promise_names_a_check_that_is_there() {
    both(async |world| {
        let open = Open::house(world).await;
        let page = asked(&open, "accept: text/html,application/json;q=0.9").await;
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        let told = asked(&open, "accept: application/json").await;
        assert_eq!(told.header("vary"), Some("Accept"));
        let claims = told.done()["claims"].as_array().unwrap().clone();
        assert_eq!(claims.len(), CLAIMS.len());
        for (claim, told) in CLAIMS.iter().zip(&claims) {
            let (kind, how) = claim.check.told();
            assert_eq!((&told["claim"], &told["check"][kind]), (&claim.what.into(), &how.into()));
            assert!(page.text.contains(claim.what) && page.text.contains(how), "{how}");
            match claim.check {
                Check::At(path) => {
                    let found = open.ask("", &format!("GET {path}"), None).await;
                    assert_eq!(found.status, 200, "{path}");
                }
                Check::Run(command) => runs(command),
                Check::Test(name) => assert!(is_a_test(name), "`{name}` is no test"),
            }
        }
        open.close().await;
    });
}

/// Whether a test of this name stands in the sources, at the start of a line, as tests do.
fn is_a_test(name: &str) -> bool {
    let Some((place, function)) = name.rsplit_once("::") else { return false };
    let text = fs::read_to_string(format!("{}.rs", place.replace("::", "/"))).unwrap_or_default();
    text.contains(&format!("#[test]\nfn {function}() {{"))
}

#[test]
fn a_test_that_is_not_there_is_none() {
    let here = "server::trust::a_test_that_is_not_there_is_none";
    assert!(is_a_test(here) && !is_a_test(&here[..here.len() - 1]) && !is_a_test("nowhere"));
}

fn runs(command: &str) {
    let mut words = command.split(' ');
    assert_eq!(words.next(), Some("envelope"));
    let output = Command::new(envelope()).args(words).arg("--help").output().unwrap();
    assert!(output.status.success(), "{command}");
}

#[test]
fn without_a_contact_nobody_is_sent_to_one() {
    both(async |world| {
        let open = Open::house_at(world, None).await;
        let refused = open.ask("", &format!("GET {SECURITY}"), None).await;
        assert_eq!((refused.status, refused.code().as_str()), (404, "NOT_FOUND"));
        let told = asked(&open, "accept: application/json").await.done();
        let paths = told["claims"].as_array().unwrap().iter().map(|one| one["check"]["at"].clone());
        assert!(!BTreeSet::from_iter(paths.filter_map(text)).contains(SECURITY));
        assert!(!asked(&open, "accept: */*").await.text.contains(SECURITY));
        open.close().await;
    });
}

fn text(value: Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}
