//! `schemathesis` asks the server for all that its document says, and for what it does not say: as
//! nobody, and as somebody who owns an organisation and keeps the house.

use std::process::Stdio;

use serde_json::json;

use super::stranger::API;
use crate::server::house::Open;
use crate::server::village::Village;
use crate::store::world::both;

/// Operations that have to succeed at least once, or not much was asked.
const DONE_MIN: usize = 30;

#[test]
fn the_server_does_what_its_document_says() {
    both(async |world| {
        let village = Village::new(world).await;
        let open = &village.open;
        if !asked(open, "").await {
            return village.open.close().await;
        }
        // It ends what it finds, so it gets an operator's key whose owner is not the first one.
        let new = json!({
            "name": "Tester", "email": "tester@house.example", "roles": ["owner", "operator"],
        });
        let user = open.ask(&open.operator, "POST /api/v1/users", Some(&new)).await.done();
        let new = json!({ "name": "a key", "user": user["id"] });
        let key = open.ask(&open.operator, "POST /api/v1/keys", Some(&new)).await.done();
        let before = done(open).await;
        asked(open, key["token"].as_str().unwrap()).await;
        let after = done(open).await;
        let new = after.iter().filter(|line| !before.contains(line)).count();
        assert!(new >= DONE_MIN, "only {new} operations succeeded: {after:?}");
        village.open.close().await;
    });
}

/// Asks with `key`, if it is any. False where the stranger is not to be had.
async fn asked(open: &Open, key: &str) -> bool {
    let Some(mut command) = API.command("api.py") else { return false };
    command.arg(format!("http://{}", open.at));
    command.args(Some(key).filter(|key| !key.is_empty()));
    command.current_dir(std::env::temp_dir()).stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}\n{told}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("No issues found"), "{told}");
    true
}

/// What succeeded so far: the lines of the metrics that count it.
async fn done(open: &Open) -> Vec<String> {
    let metrics = open.ask("", "GET /metrics", None).await.text;
    let good = metrics.lines().filter(|line| line.contains("status=\"20"));
    good.map(str::to_owned).collect()
}
