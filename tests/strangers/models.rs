//! A stranger's mock of the providers takes our requests for those of any other client, and its
//! journal shows what was really sent.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::stranger::{NODE, Running};
use crate::models::desk::{Desk, Told, desk};
use crate::models::wire::{SECRET, anthropic, no_secret_is_on_record, openai};

/// The mock, with a run whose providers it plays.
pub struct Mock {
    url: String,
    running: Running,
}

impl Mock {
    pub fn start() -> Option<Self> {
        let mut running = NODE.start("models.mjs")?;
        Some(Self { url: address(&mut running), running })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// The same desk, with both vendors played by the mock.
    pub fn at(&self, desk: Desk) -> Desk {
        let url = format!("{}/v1", self.url);
        desk.with("openai", MODELS[0], openai(&url)).with("anthropic", MODELS[1], anthropic(&url))
    }

    fn run(&self, acts: &str) -> Told {
        let told = self.at(desk(acts)).run();
        no_secret_is_on_record(&told);
        told
    }

    /// The bodies that the mock received.
    pub fn journal(&self) -> Vec<Value> {
        let page = self.fetch("GET", "/__aimock/journal", "");
        serde_json::from_str(&page).expect("a journal")
    }

    fn fetch(&self, method: &str, path: &str, body: &str) -> String {
        let host = self.url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.0\r\nhost: {host}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).unwrap();
        page.split_once("\r\n\r\n").unwrap().1.to_owned()
    }
}

/// The address that a stranger says first.
pub fn address(running: &mut Running) -> String {
    let mut line = String::new();
    BufReader::new(running.out()).read_line(&mut line).unwrap();
    let said: Value = serde_json::from_str(&line).expect("an address");
    said["url"].as_str().unwrap().to_owned()
}

/// The two ways to ask the same, and what they cost: a dollar and two for a million tokens.
pub const MODELS: [&str; 2] = ["openai/small", "anthropic/claude"];

#[test]
fn a_mock_of_both_wires_answers_whole_and_in_pieces() {
    let Some(mock) = Mock::start() else { return };
    for model in MODELS {
        let acts = format!("chat {model} 50 good day; ask-stream {model} 50 good day");
        let told = mock.run(&acts);
        let whole = format!("{model} stop 11+8=27000: Good day to you, and to yours.");
        assert!(told.said().contains(&format!("chat: ok {whole}")), "{}", told.said());
        assert!(told.said().ends_with(&format!("|<{whole}>")), "{}", told.said());
        assert_eq!(told.money(), 2 * 27_000);
        told.replays_same();
    }
    let told = mock.run("ask-tool openai/small 50 weather; ask-tool anthropic/claude 50 weather");
    assert_eq!(told.said().matches("weather({\"place\":\"Graz\"})").count(), 2, "{}", told.said());
    drop(mock.running);
}

/// The mock's own journal: the bound that was affordable stands in the request, and so does the
/// key, which the mock hides from its readers.
#[test]
fn the_clamped_bound_and_the_key_arrive() {
    let Some(mock) = Mock::start() else { return };
    for (model, header) in MODELS.into_iter().zip(["authorization", "x-api-key"]) {
        let mut desk = mock.at(desk(&format!("chat {model} 5000 good day")));
        desk.money = 1_000_000;
        let told = desk.run();
        let journal = mock.journal();
        let last = journal.last().expect("a request");
        let bound = last["body"]["max_tokens"].as_u64().unwrap();
        assert!(told.said().contains(&format!("clamped {bound} by run")), "{}", told.said());
        assert!(bound < 500 && bound > 16, "{bound}");
        assert_eq!(last["headers"][header], json!("[REDACTED]"), "it was there");
        assert!(!journal.iter().any(|entry| entry.to_string().contains(SECRET)));
        told.replays_same();
    }
}

#[test]
fn what_the_mock_lies_about_or_leaves_out_is_booked_as_it_must_be() {
    let Some(mock) = Mock::start() else { return };
    for model in MODELS {
        let told = mock.run(&format!("chat {model} 50 lie to me; chat {model} 50 good day"));
        assert_eq!(told.money(), 11 * 1_000 + 999_999 * 2_000, "in full: {}", told.said());
        assert!(
            told.denied().iter().all(|code| code.starts_with("budget.")),
            "{:?}",
            told.denied()
        );
        assert_eq!(told.desk.purse.freezer().frozen().len(), 1);
        told.replays_same();
        let told = mock.run(&format!("chat {model} 50 say nothing of it"));
        assert!(told.money() > 100_000, "words are never for nothing: {}", told.said());
        assert!(told.said().contains('?'), "the guest is told that it is a bound: {}", told.said());
    }
    // It hangs up in the middle of whatever it says.
    mock.fetch("POST", "/__aimock/chaos", "{\"disconnectRate\":1}");
    for model in MODELS {
        for act in ["chat", "ask-stream"] {
            let told = mock.run(&format!("{act} {model} 50 good day"));
            assert!(told.said().contains("unavailable"), "{act} {model}: {}", told.said());
            assert!(told.money() > 100_000, "all that was set aside: {}", told.money());
            told.replays_same();
        }
    }
}
