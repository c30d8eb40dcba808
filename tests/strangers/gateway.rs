//! LiteLLM's proxy between us and a mock of the vendors: a gateway of strangers, as many operators
//! run one.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::Duration;

use serde_json::json;

use super::models::{MODELS, Mock, address};
use super::stranger::{LITELLM, Running};
use crate::models::desk::{Desk, desk};
use crate::models::wire::{SECRET, anthropic, no_secret_is_on_record, openai};

/// How often it is asked whether it is there, a second apart: it takes half a minute on a quiet
/// machine.
const ASKED_MAX: usize = 300;

/// The proxy in front of `mock`. It lets in who holds our key, and has one of its own for the mock.
fn gateway(mock: &Mock) -> Option<(String, Running)> {
    let mut running = LITELLM.start_with("gateway.py", &[mock.url(), SECRET])?;
    let url = address(&mut running);
    let up = (0..ASKED_MAX).any(|_| {
        is_up(&url) || {
            sleep(Duration::from_secs(1));
            false
        }
    });
    assert!(up, "it never came up");
    Some((url, running))
}

fn is_up(url: &str) -> bool {
    let host = url.strip_prefix("http://").unwrap();
    let Ok(mut stream) = TcpStream::connect(host) else { return false };
    let head = format!("GET /health/liveliness HTTP/1.0\r\nhost: {host}\r\n\r\n");
    let mut page = String::new();
    let asked = stream.write_all(head.as_bytes());
    asked.and_then(|()| stream.read_to_string(&mut page)).is_ok() && page.contains(" 200 ")
}

/// Both wires, whole and in pieces: the words, the bill, the bound that was affordable and the key
/// all pass a gateway that writes every request and every answer anew.
#[test]
#[ignore = "it installs 700 MB and starts for half a minute: `.ci/run` asks for it by name"]
fn litellm_stands_between_us_and_the_vendors() {
    let Some(mock) = Mock::start() else { return };
    let Some((url, gateway)) = gateway(&mock) else { return };
    let at = |desk: Desk| {
        let url = format!("{url}/v1");
        desk.with("openai", MODELS[0], openai(&url)).with("anthropic", MODELS[1], anthropic(&url))
    };
    for model in MODELS {
        let acts = format!("chat {model} 50 good day; ask-stream {model} 50 good day");
        let told = at(desk(&acts)).run();
        let whole = format!("{model} stop 11+8=27000: Good day to you, and to yours.");
        assert!(told.said().contains(&format!("chat: ok {whole}")), "{}", told.said());
        assert!(told.said().ends_with(&format!("|<{whole}>")), "{}", told.said());
        assert_eq!(told.money(), 2 * 27_000);
        no_secret_is_on_record(&told);
        told.replays_same();
        let told = at(desk(&format!("ask-tool {model} 50 weather"))).run();
        assert!(told.said().contains("weather({\"place\":\"Graz\"})"), "{}", told.said());
        let mut poor = at(desk(&format!("chat {model} 5000 good day")));
        poor.money = 1_000_000;
        let told = poor.run();
        let journal = mock.journal();
        let last = journal.last().expect("a request");
        let bound = last["body"]["max_tokens"].as_u64().unwrap_or_else(|| panic!("{last}"));
        assert!(told.said().contains(&format!("clamped {bound} by run")), "{}", told.said());
        told.replays_same();
    }
    let asked = mock.journal();
    assert!(asked.len() >= 8, "{} requests reached the mock", asked.len());
    assert!(!json!(asked).to_string().contains(SECRET), "our key ends at the gateway");
    drop(gateway);
}
