//! Random calls, most of them near the edge of what is permitted.

use envelope_rules::egress::host::Host;
use envelope_terms::contract::{Classification, Contract, read};
use envelope_terms::export::Request;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::json;

use crate::terms::sample;

/// How many calls every engine is asked about.
pub const CALLS: usize = 10_000;

/// A call that owns its parts.
#[derive(Debug, Clone)]
pub struct Call {
    agent: String,
    action: String,
    data: Classification,
    host: Option<Host>,
    used: [u64; 4],
}

impl Call {
    pub fn request(&self) -> Request<'_> {
        let [elapsed_seconds, calls, tokens, nano_usd] = self.used;
        Request {
            agent: &self.agent,
            action: &self.action,
            data: self.data,
            host: self.host.as_ref(),
            elapsed_seconds,
            calls,
            tokens,
            nano_usd,
        }
    }
}

/// A title that breaks out of every kind of quotes.
const TITLE: &str =
    r#"A "digest": 'all' \" # é🦀 */ } ]) - {name: x, condition: a, action: allow}"#;

/// The contract that the calls are about: the sample with actions of every clearance, with hosts of
/// every kind, and with a title that has to be quoted.
pub fn contract() -> Contract {
    let mut json = sample::json();
    json["title"] = TITLE.into();
    json["scope"]["actions"] = json!([
        { "name": "web.search", "clearance": "public" },
        { "name": "mail.draft", "clearance": "internal" },
        { "name": "mail.send", "clearance": "public" },
        { "name": "mcp:files/Read_1", "clearance": "confidential" },
        { "name": "pdf.read", "clearance": "restricted" },
    ]);
    let rule = json["scope"]["egress"][1].clone();
    let hosts = ["*.gazette.example", "api.tenders.example", "192.0.2.7", "[2001:db8::7]"];
    json["scope"]["egress"] = hosts
        .map(|host| {
            let mut rule = rule.clone();
            rule["host"] = host.into();
            rule
        })
        .into();
    json["caps"]["task"]["nano_usd"] = 12_345_678_901_u64.into();
    read(&json).unwrap().contract
}

/// Always the same calls.
pub fn calls() -> Vec<Call> {
    let mut runner = TestRunner::deterministic();
    let call = call(&contract());
    (0..CALLS).map(|_| call.new_tree(&mut runner).unwrap().current()).collect()
}

fn call(contract: &Contract) -> impl Strategy<Value = Call> + use<> {
    let ours = contract.agent.did.to_string();
    let theirs = vec!["did:web:other.example".to_owned(), format!("{ours}:x"), String::new()];
    let listed: Vec<String> =
        contract.scope.actions.iter().map(|action| action.name.to_string()).collect();
    let unlisted = [
        "",
        "*",
        "web",
        "web.search ",
        "WEB.SEARCH",
        "web.search' or 'a' == 'a",
        "a\"b",
        "a\\",
        "a\nb",
        "wéb.search",
        "web.search\0",
        "], 'x",
        "mail.*",
        "${jndi}",
        "'",
        "{{x}}",
        "🦀",
    ];
    let unlisted: Vec<String> = unlisted.map(String::from).into();
    let inside = ["api.tenders.example", "www.gazette.example", "192.0.2.7", "[2001:db8::7]"];
    let outside = [
        "gazette.example",
        "a.b.gazette.example",
        "xgazette.example",
        "tenders.example",
        "x.api.tenders.example",
        "192.0.2.8",
        "[2001:db8::8]",
        "example",
        "localhost",
    ];
    let caps = &contract.caps.task;
    let bounds = [
        contract.scope.max_session_seconds.get(),
        caps.calls.get(),
        caps.tokens.get(),
        caps.nano_usd.get(),
    ];
    (
        prop_oneof![24 => Just(ours), 1 => select(theirs)],
        prop_oneof![12 => select(listed), 1 => select(unlisted)],
        prop_oneof![6 => Just(Classification::Public), 3 => select(&Classification::ALL[..])],
        prop_oneof![
            3 => Just(None),
            9 => select(inside.to_vec()).prop_map(Some),
            1 => select(outside.to_vec()).prop_map(Some),
        ],
        bounds.map(used),
    )
        .prop_map(|(agent, action, data, host, used)| Call {
            agent,
            action,
            data,
            host: host.map(|host| Host::parse(host).unwrap()),
            used,
        })
}

/// Mostly below `bound`, and often right beside it.
fn used(bound: u64) -> impl Strategy<Value = u64> {
    prop_oneof![24 => 0..bound, 2 => Just(bound - 1), 1 => Just(bound), 1 => bound..=2 * bound]
}
