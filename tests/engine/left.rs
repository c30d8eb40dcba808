//! What a run leaves behind, by the way it ended.

use envelope_evidence::journal::Outcome;
use envelope_evidence::receipt::fold;

use super::peers::town::town;
use super::world::{run, setup};

/// The code of a program is its answer and not its failure: the files that it made are whole. One
/// that broke down leaves none.
#[test]
fn a_program_keeps_its_files_whatever_its_code() {
    let broken = "wasm `unreachable` instruction executed";
    for (act, outcome, reason, kept) in [
        ("exit 0", Outcome::Ok, "exit 0", &["out/x"][..]),
        ("exit 7", Outcome::Failed, "exit 7", &["out/x"]),
        ("panic x", Outcome::Crashed, broken, &[]),
    ] {
        let ran = run(&setup(&format!("write out/x y; {act}")));
        assert_eq!(ran.end(), (outcome, reason.to_owned()));
        assert_eq!(ran.outputs(), kept, "{act}");
        let receipt = fold(&ran.finished().journal).receipt;
        let receipt = String::from_utf8(receipt).unwrap();
        assert!(receipt.contains(&format!(r#""outcome":"{}""#, outcome.name())), "{receipt}");
        assert_eq!(receipt.contains(r#""name":"out/x""#), !kept.is_empty(), "{receipt}");
        ran.outside_unchanged();
        ran.replays_same();
    }
}

/// Its caller was promised the files of one that ends well.
#[test]
fn a_caller_is_given_none_of_a_callee_that_failed() {
    for (code, said, kept) in [(0, "ok write: ok 1", &["out/draft/x"][..]), (7, "failed ", &[])] {
        let acts = format!("write out/draft/x y|exit {code}");
        let ran = town(&format!("call helper@local in/** out/draft/ 60 0 1000 {acts}")).run();
        assert!(ran.said().starts_with(&format!("call: {said}")), "{}", ran.said());
        assert_eq!(ran.outputs(), kept);
        ran.replays_same();
    }
}
