//! Several processes on one database, one account, and a provider that cannot be trusted: it cuts
//! answers off, leaves out what they cost, is silent, and at last charges more than was agreed.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use envelope_evidence::Dimension;
use envelope_node::list;
use envelope_rules::budget::{Balance, Level, Shared};
use serde_json::{Value, json};

use super::house::{Plan, Process, Town};
use crate::chance::Chance;
use crate::store::world::both;

/// Moments at which a node is killed.
const MOMENTS: u64 = 24;

/// Runs that share the account, and what each asks.
const RUNS: usize = 24;
const ACTS: &str = "chat openai/any 300 one; chat openai/any 300 two; chat openai/any 300 three";

/// What all of them may spend, in nano-dollars: less than they would.
const CAP: u64 = 30_000_000;

/// Tokens that each answer really has.
const REAL: (u64, u64) = (20, 7);

/// What they cost by the price book of the house, in nano-dollars.
const BILL: u64 = REAL.0 * 1_000 + REAL.1 * 4_000;

/// A provider that lies.
#[derive(Default)]
struct Liar {
    asked: AtomicUsize,
    /// What it would be owed, by the answers that it gave.
    owed: AtomicU64,
    /// Whether it is silent no more, and cuts nothing.
    relents: AtomicBool,
    /// Tokens that it says it wrote, if not the truth.
    claims: AtomicU64,
    chance: Mutex<Option<Chance>>,
}

impl Liar {
    fn start() -> (Arc<Self>, String) {
        let liar = Arc::new(Self::default());
        *liar.chance.lock().unwrap() = Some(Chance(0x11a5));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("openai=http://{}/v1", listener.local_addr().unwrap());
        let speaks = liar.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let speaks = speaks.clone();
                thread::spawn(move || speaks.answer(stream.unwrap()));
            }
        });
        (liar, url)
    }

    /// Whoever asked may be dead by now.
    fn answer(&self, mut stream: TcpStream) -> Option<()> {
        hear(&stream)?;
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.owed.fetch_add(BILL, Ordering::SeqCst);
        let relents = self.relents.load(Ordering::SeqCst);
        let mood = if relents { 0 } else { self.chance.lock().unwrap().as_mut()?.below(4) };
        let claims = self.claims.load(Ordering::SeqCst).max(REAL.1);
        let usage = json!({ "prompt_tokens": REAL.0, "completion_tokens": claims });
        match mood {
            0 => say(&mut stream, &page(usage), 0),
            1 => say(&mut stream, &page(Value::Null), 0),
            2 => say(&mut stream, &page(usage), 100),
            _ => {
                while !self.relents.load(Ordering::SeqCst) {
                    thread::sleep(Duration::from_millis(5));
                }
                None
            }
        }
    }
}

/// A request, to its end.
fn hear(stream: &TcpStream) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim().to_ascii_lowercase();
        if let Some(said) = line.strip_prefix("content-length: ") {
            length = said.parse().ok()?;
        }
        if line.is_empty() {
            return reader.read_exact(&mut vec![0; length]).ok();
        }
    }
}

fn page(usage: Value) -> String {
    let message = json!({ "role": "assistant", "content": "Dear me, so it is." });
    let choice = json!({ "message": message, "finish_reason": "stop" });
    json!({ "choices": [choice], "usage": usage }).to_string()
}

/// Says a page, or what is left of it without its last bytes.
fn say(stream: &mut TcpStream, page: &str, without: usize) -> Option<()> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
    let kept = page.len() - without;
    write!(stream, "{head}content-length: {}\r\n\r\n{}", page.len(), &page[..kept]).ok()
}

fn account(level: Level, name: &str) -> Shared {
    Shared { level, name: name.to_owned() }
}

async fn ended(town: &Town) {
    town.wait(async || {
        let mut open = 0;
        for state in ["queued", "running", "suspended"] {
            open += list(&town.house, &town.org, Some(state), "").await.unwrap().len();
        }
        open == 0
    })
    .await;
}

/// What the runs recorded that they spent, and how often they were told that nothing is left.
async fn recorded(town: &Town, runs: &[String]) -> (u64, usize) {
    let (mut spent, mut refused) = (0, 0);
    for run in runs {
        let finished = town.finished(&town.org, run).await;
        spent += finished.journal.used().get(Dimension::NanoUsd);
        let said = String::from_utf8_lossy(&finished.stdout).into_owned();
        refused += said.matches("denied budget.").count();
    }
    (spent, refused)
}

#[test]
fn no_lie_and_no_death_spends_past_a_cap() {
    both(async |world| {
        let town = Town::found(world).await;
        let (acme, other) = (account(Level::Organisation, "acme"), account(Level::Task, "other"));
        let mut tx = world.store.write().await.unwrap();
        tx.of(&town.org).open_account(&acme, CAP).await.unwrap();
        tx.of(&town.org).open_account(&other, 1_000 * CAP).await.unwrap();
        tx.commit().await.unwrap();
        let (liar, provider) = Liar::start();
        let node = |name: &str| town.process_with(name, &provider);
        let mut nodes = ["a", "b", "c"].map(node);
        let runs: Vec<_> = (0..RUNS).map(|run| format!("run_{run:05}")).collect();
        let plan = |run, acts, shared| Plan {
            money: 1_000_000_000,
            model: "openai/any",
            shared,
            ..Plan::of(run, acts)
        };
        let mut chance = Chance(0x5eed);
        for moment in 0..MOMENTS {
            if let Some(run) = runs.get(usize::try_from(moment).unwrap()) {
                town.launch(plan(run, ACTS, std::slice::from_ref(&acme))).await;
            }
            tokio::time::sleep(Duration::from_millis(chance.below(400))).await;
            let at = chance.index(nodes.len());
            std::mem::replace(&mut nodes[at], node(&format!("n{moment}"))).kill();
            let balance = balance_of(&town, &acme).await;
            assert!(balance.spent + balance.leased <= CAP, "{moment}: {balance:?}");
        }
        liar.relents.store(true, Ordering::SeqCst);
        ended(&town).await;
        let (spent, refused) = recorded(&town, &runs).await;
        let balance = balance_of(&town, &acme).await;
        assert_eq!((balance.spent, balance.leased), (spent, 0), "nothing is lost");
        let owed = liar.owed.load(Ordering::SeqCst);
        assert!(owed <= spent && spent <= CAP, "{owed} owed, {spent} booked of {CAP}");
        assert!(refused > 0 && owed > 5 * BILL, "{refused} refusals, {owed} owed");

        // A bill that is higher than agreed is booked as it is, and is the last one.
        liar.claims.store(999_999, Ordering::SeqCst);
        let asked = liar.asked.load(Ordering::SeqCst);
        let lied = "chat openai/any 300 one; chat openai/any 300 two";
        for run in ["run_lied", "run_after"] {
            town.launch(plan(run, lied, std::slice::from_ref(&other))).await;
            ended(&town).await;
        }
        assert_eq!(liar.asked.load(Ordering::SeqCst), asked + 1, "nobody asks it any more");
        let balance = balance_of(&town, &other).await;
        assert_eq!((balance.spent, balance.leased), (REAL.0 * 1_000 + 999_999 * 4_000, 0));
        nodes.into_iter().for_each(Process::kill);
    });
}

async fn balance_of(town: &Town, account: &Shared) -> Balance {
    let mut tx = town.house.store.read().await.unwrap();
    tx.of(&town.org).balance(account).await.unwrap().unwrap()
}
