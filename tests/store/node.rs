//! A node of its own, so that a test can kill it: it spends money that it shares with others,
//! does work that it takes from a queue, or fills its disk. What it says on its
//! standard output is what the world saw.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use envelope_evidence::{Digest, Timestamp};
use envelope_gate::model::Purse as _;
use envelope_rules::budget::{Accounting, Level, Shared};
use envelope_store::budget::StorePurse;
use envelope_store::journal::{Lost, Queue, queue, read};
use envelope_store::noun::{Change, Noun};
use envelope_store::work::{Lease, claim};
use envelope_store::{Org, Store, StoreError};

/// How much faster than the world's a node's clock runs: a lease of half a minute ends soon.
const FASTER: u64 = 60;

/// Effects of one run.
const STEPS: u64 = 6;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [mode, url, name, rest @ ..] = arguments.as_slice() else { panic!("{arguments:?}") };
    let store = Store::migrated(url).await.unwrap();
    match mode.as_str() {
        "spend" => spend(store, name).await,
        "work" => work(store, name, &rest[0]).await,
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
    // A week suffices, and keeps what is faster within the calendar.
    Timestamp::from_millis((u64::try_from(since).unwrap() % 604_800_000) * FASTER).unwrap()
}

/// Claims and does work until it is killed.
async fn work(store: Store, name: &str, world: &str) {
    let (queue, scribe) = queue(store.clone());
    tokio::spawn(scribe.serve());
    loop {
        let Some(lease) = claim(&store, name, now()).await.unwrap() else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let beats = tokio::spawn(beat(store.clone(), lease.clone()));
        let end = one(&store, &queue, &lease, world).await;
        beats.abort();
        match end {
            Ok(()) => say(&format!("ended {}", lease.id)),
            Err(why) => say(&format!("left {} {why}", lease.id)),
        }
    }
}

async fn beat(store: Store, lease: Lease) {
    loop {
        tokio::time::sleep(Duration::from_millis(60)).await;
        let mut tx = store.write().await.unwrap();
        if tx.of(&lease.org).beat(&lease, now()).await.is_err() {
            return;
        }
        tx.commit().await.unwrap();
    }
}

/// Goes on where the journal of the run ends. What began and has no end is not done again.
async fn one(store: &Store, queue: &Queue, lease: &Lease, world: &str) -> Result<(), String> {
    let (lines, mut chunk) = read(store, &lease.org, &lease.id).await.unwrap();
    let lines = String::from_utf8(lines).unwrap();
    let write = async |line: String, chunk: &mut i64| {
        let end = queue.append(lease, *chunk, format!("{line}\n").into_bytes()).await;
        *chunk += 1;
        end.map_err(|why: Lost| why.to_string())
    };
    for step in 0..STEPS {
        let (begun, answered) = (format!("begun {step}"), format!("answered {step}"));
        let has = |wanted: &str| lines.lines().any(|line| line == wanted);
        if !has(&begun) {
            write(begun, &mut chunk).await?;
            // The effect, which the world sees once for each line.
            let mut file = OpenOptions::new().append(true).create(true).open(world).unwrap();
            file.write_all(format!("{} {step}\n", lease.id).as_bytes()).unwrap();
        }
        if !has(&answered) {
            write(answered, &mut chunk).await?;
        }
    }
    let end = async {
        let mut tx = store.write().await?;
        tx.of(&lease.org).done(lease).await?;
        tx.of(&lease.org).announce("run.ended", &lease.id, now()).await?;
        tx.commit().await
    };
    end.await.map_err(|why: StoreError| why.to_string())
}
