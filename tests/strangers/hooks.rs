//! `standardwebhooks` opens what our hooks are told, and refuses it when a byte is another.

use serde_json::{Value, json};

use super::stranger::NODE;

/// What was told under `secret`: `headers` and `body`. It has to be opened as `told`.
pub fn opens(secret: &str, headers: &Value, body: &str, told: &Value) {
    let other = body.replacen(':', ": ", 1);
    let mut late = headers.clone();
    late["webhook-timestamp"] = json!("1700000000");
    let mut renamed = headers.clone();
    renamed["webhook-id"] = json!("dlv_other");
    let wrong = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let asked = json!([
        [secret, headers, body],
        [secret, headers, other],
        [secret, late, body],
        [secret, renamed, body],
        [wrong, headers, body],
    ]);
    let Some(answers) = NODE.ask("hooks.mjs", &asked) else { return };
    let answers = answers.as_array().unwrap();
    assert_eq!(answers[0], *told);
    for (answer, what) in answers[1..].iter().zip(["body", "time", "id", "secret"]) {
        assert!(answer.is_string(), "another {what}: {answer}");
    }
}
