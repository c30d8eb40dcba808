//! Questions on a real terminal: what somebody sees there, and what becomes of what they type.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};

use super::approvals::{verified, words};
use super::desk::{Desk, example};
use crate::cargo::{envelope, root};
use crate::not_shown;

/// The planner on a terminal where somebody types `answers`, each after its prompt.
fn typed(desk: &Desk, out: &str, answers: &[(&str, &str)]) -> Option<Value> {
    let mut command = desk.command();
    let home = desk.path("home");
    let script = root().join("tests/cli/terminal.py");
    let program = envelope();
    command = {
        let folder = command.get_current_dir().unwrap().to_owned();
        let mut python = std::process::Command::new("python3");
        python.current_dir(folder).env("ENVELOPE_HOME", home).arg("-B").arg(script).arg(program);
        python
    };
    command.args(words(out, &[])).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(why) => {
            not_shown::or_fail("a terminal", &format!("install Python 3 ({why})"));
            return None;
        }
    };
    child.stdin.take().unwrap().write_all(json!(answers).to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["left"], json!([]), "{answer}");
    Some(answer)
}

fn desk(name: &str) -> Desk {
    example("planner");
    example("specialist");
    Desk::with_documents(name)
}

#[test]
fn somebody_at_a_terminal_is_asked_there() {
    let desk = desk("terminal-yes");
    let answers = [("[l]ater", "perhaps\n"), ("[l]ater", "\n"), ("[l]ater", "y\n")];
    let Some(answer) = typed(&desk, "run", &answers) else { return };
    let shown = answer["shown"].as_str().unwrap();
    for told in ["`planner@local` asks:", "our price list", "prices/*.csv", "that is no answer"] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
    assert_eq!(answer["exit"], 0, "{shown}");
    verified(&desk, "run");
}

#[test]
fn whoever_says_later_or_goes_away_puts_it_aside() {
    let desk = desk("terminal-later");
    // What is typed last is the end of all typing.
    for (out, word) in [("later", "l\n"), ("gone", "\u{4}")] {
        let Some(answer) = typed(&desk, out, &[("[l]ater", word)]) else { return };
        assert_eq!(answer["exit"], 4, "{answer}");
        assert!(answer["shown"].as_str().unwrap().contains("waits for a human"), "{answer}");
    }
    let list = desk.says(["approvals", "list"], 0);
    assert_eq!(list.out.lines().count(), 2, "{}", list.out);
    let Some(answer) = typed(&desk, "no", &[("[l]ater", "n\n")]) else { return };
    assert_eq!(answer["exit"], 0, "{answer}");
    assert!(answer["shown"].as_str().unwrap().contains("approval.rejected"), "{answer}");
    verified(&desk, "no");
}
