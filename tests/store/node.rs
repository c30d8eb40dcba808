//! A process of its own, so that a test can kill it: it spends money that it shares with others, or
//! fills its disk. What it says on its standard output is what the world saw.

use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use envelope_evidence::{Digest, Timestamp};
use envelope_gate::model::Purse as _;
use envelope_rules::budget::{Accounting, Level, Shared};
use envelope_store::budget::StorePurse;
use envelope_store::noun::{Change, Noun};
use envelope_store::{Org, Store};

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [mode, url, name] = arguments.as_slice() else { panic!("{arguments:?}") };
    let store = Store::migrated(url).await.unwrap();
    match mode.as_str() {
        "spend" => spend(store, name).await,
        "fill" => fill(&store, name).await,
        other => panic!("{other}"),
    }
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").unwrap();
    out.flush().unwrap();
}

/// Takes leases, spends some of each and gives the rest back, until the money is gone.
async fn spend(store: Store, name: &str) {
    let purse = StorePurse::new(store, Org::new("acme").unwrap());
    let account = |level, name: &str| Shared { level, name: name.to_owned() };
    let chain = [account(Level::Agent, "a"), account(Level::Organisation, "o")];
    for number in 0_u64.. {
        let lease = Digest::of(format!("{name}-{number}").as_bytes());
        say(&format!("asks {number}"));
        let Ok(leased) = purse.lease(lease, &chain, 10, 10 + number * 7 % 50).await.unwrap() else {
            say("denied");
            return;
        };
        let spent = leased.slice * (number % 4) / 3;
        say(&format!("spends {number} {spent}"));
        let returned = leased.slice - spent;
        purse.account(lease, Accounting { seq: 0, spent, returned }).await.unwrap();
    }
}

/// Writes until the disk is full, makes room by removing `ballast`, and writes again.
async fn fill(store: &Store, ballast: &str) {
    let org = Org::new("acme").unwrap();
    let body = format!("{{\"text\":\"{}\"}}", "x".repeat(20_000));
    let add = async |noun, id: &str, body: &str| {
        let mut tx = store.write().await?;
        let first = Change { id, state: "active", body, at: now() };
        tx.of(&org).add(noun, None, first).await?;
        tx.commit().await
    };
    add(Noun::Organisation, "acme", "{}").await.unwrap();
    let mut kept = 0;
    let full = loop {
        match add(Noun::Agent, &format!("agent-{kept:05}"), &body).await {
            Ok(()) => kept += 1,
            Err(why) => break why,
        }
    };
    say(&format!("full {kept} {full}"));
    std::fs::remove_file(ballast).unwrap();
    add(Noun::Agent, "again", &body).await.unwrap();
    let mut tx = store.read().await.unwrap();
    let found = tx.of(&org).list(Noun::Agent, "active", "").await.unwrap();
    say(&format!("found {} {:?}", found.len(), store.integrity().await.unwrap()));
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    Timestamp::from_millis(u64::try_from(since).unwrap()).unwrap()
}
