//! The table of attacks: what a guest asks for, under which rules, and what has to come of it. Each
//! row is a line of `attacks.jsonl`; beside each stands the same guest's request that is allowed.
//! What WASI does not take down as a request (`no authority`) is no call, and leaves no record.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::panic::catch_unwind;

use envelope_gate::net::Settings;
use envelope_rules::egress::host::Host;
use serde::Deserialize;

use super::peer::Peer;
use super::scripted::Scripted;
use super::{LOOPBACK, online_with, settings};
use crate::engine::world::run;

/// What every row may do, and a port on which the same peer does not listen for it.
const RULES: [&str; 4] = [
    "GET,POST http://api.ok.test:PORT/v1/**",
    "GET http://api.ok.test:PORT/q/**?page",
    "GET http://*.wild.test:PORT/v1/**",
    "GET http://*.bad.test:PORT/v1/**",
];

/// The request that is allowed, and what it gives.
const CONTROL: (&str, &str) = ("GET|http|api.ok.test:PORT|/v1/x", "ok 200 hello");

/// Where only some names may lead to this machine.
const REACH: [&str; 2] = ["api.ok.test=127.0.0.1/32", "*.wild.test=127.0.0.1/32"];

/// Names that all lead to the peer: what keeps a request from it is the rules alone.
const NAMES: [&str; 9] = [
    "api.ok.test",
    "a.wild.test",
    "a.b.wild.test",
    "wild.test",
    "evil.test",
    "api.ok.test.evil.test",
    "evilapi.ok.test",
    "localhost",
    "xn--pi-7kc.ok.test",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    class: u8,
    case: String,
    send: String,
    sees: String,
    /// Rules beside the usual ones.
    #[serde(default)]
    rules: Vec<String>,
    /// Exceptions beside the usual ones.
    #[serde(default)]
    reach: Vec<String>,
    /// Names beside the usual ones.
    #[serde(default)]
    names: BTreeMap<String, Vec<Vec<String>>>,
    /// What the name service is asked, before the control.
    #[serde(default)]
    asked: Vec<String>,
}

fn rows() -> Vec<Row> {
    let lines = include_str!("attacks.jsonl").lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{line}: {why}")))
        .collect()
}

impl Row {
    fn hold(&self) {
        let peer = Peer::start(LOOPBACK);
        let place = |text: &str| {
            let other = (peer.port ^ 1).to_string();
            text.replace("PORT", &peer.port.to_string()).replace("OTHER", &other)
        };
        let mut names = NAMES.iter().fold(Scripted::default(), |names, name| {
            names.with(name, &[&Ipv4Addr::LOCALHOST.to_string()])
        });
        for (name, answers) in &self.names {
            for answer in answers {
                let answer: Vec<_> = answer.iter().map(String::as_str).collect();
                names = names.with(name, &answer);
            }
        }
        let reach = REACH.iter().copied().chain(self.reach.iter().map(String::as_str));
        let reach = reach.map(|text| text.parse().unwrap()).collect();
        let settings = Settings { names: Box::new(names.clone()), reach, ..settings(&peer) };
        let rules = RULES.iter().copied().chain(self.rules.iter().map(String::as_str));
        let rules: Vec<_> = rules.map(place).collect();
        let rules: Vec<_> = rules.iter().map(String::as_str).collect();
        let acts = [format!("send {}", place(&self.send)), format!("send {}", place(CONTROL.0))];
        let acts: Vec<_> = acts.iter().map(String::as_str).collect();
        let mut setup = online_with(&peer, &rules, &acts, settings);
        let wide = wide(&place(&self.send), peer.port);
        setup.operator_egress = Some(setup.egress.iter().cloned().chain(wide).collect());
        let ran = run(&setup);

        assert_eq!(ran.said(), format!("send: {}; send: {}", self.sees, CONTROL.1));
        let allowed = self.sees.starts_with("ok ");
        assert_eq!(peer.connections(), 1 + usize::from(allowed), "connections");
        let codes: Vec<_> = self.sees.strip_prefix("403 ").into_iter().collect();
        assert_eq!(ran.denied(), codes, "the record");
        let mut asked = self.asked.clone();
        asked.push("api.ok.test".to_owned());
        assert_eq!(names.asked(), asked, "questions to the name service");
        ran.books_are_exact();
        ran.replays_same();
        assert_eq!(peer.connections(), 1 + usize::from(allowed), "a replay connects to nobody");
    }
}

/// An operator that lets anybody do anything at the host of `send`, if a rule can name it: then it
/// is the warrant that says no.
fn wide(send: &str, port: u16) -> Vec<String> {
    let authority = send.split('|').nth(2).unwrap_or_default().to_ascii_lowercase();
    let host = Host::parse(authority.split(':').next().unwrap_or_default());
    let Ok(Host::Name(host)) = host else { return Vec::new() };
    let methods = "GET,HEAD,POST,PUT,PATCH,DELETE,PROPFIND";
    let ports = [port, port ^ 1, 80];
    let at =
        |port| ["http", "https"].map(|scheme| format!("{methods} {scheme}://{host}:{port}/**?*"));
    ports.into_iter().flat_map(at).collect()
}

#[test]
fn what_may_not_leave_does_not() {
    let rows = rows();
    assert!(rows.len() >= 120, "{} rows", rows.len());
    let wrong: Vec<_> = rows
        .iter()
        .filter_map(|row| {
            let why = catch_unwind(|| row.hold()).err()?;
            let text = why.downcast_ref::<String>().cloned().unwrap_or_default();
            Some(format!("[{} {}] {text}", row.class, row.case))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}\n{}\n", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn no_two_rows_share_a_name() {
    let rows = rows();
    let mut names: Vec<_> = rows.iter().map(|row| &row.case).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), rows.len());
}

/// The name's owner answers well when it is looked at and badly when it is dialled: it is asked
/// once, and what was looked at is dialled.
#[test]
fn a_name_that_changes_its_mind_is_asked_once_for_each_request() {
    let peer = Peer::start(LOOPBACK);
    let names = Scripted::default()
        .with("api.ok.test", &["127.0.0.1"])
        .with("api.ok.test", &["169.254.169.254"]);
    let reach = vec!["api.ok.test=127.0.0.1/32".parse().unwrap()];
    let settings = Settings { names: Box::new(names.clone()), reach, ..settings(&peer) };
    let send = format!("send GET|http|api.ok.test:{}|/v1/x", peer.port);
    let rule = format!("GET http://api.ok.test:{}/v1/**", peer.port);
    let ran = run(&online_with(&peer, &[&rule], &[&send, &send], settings));
    assert_eq!(ran.said(), "send: ok 200 hello; send: 403 egress.address");
    assert_eq!(peer.connections(), 1);
    assert_eq!(names.asked().len(), 2);
    ran.replays_same();
}

/// Neither key opens the door alone.
#[test]
fn the_operator_and_the_warrant_both_have_to_allow_it() {
    let peer = Peer::start(LOOPBACK);
    let acts = ["send GET|http|PEER|/v1/x", "headers GET|http|PEER|/v1/x"];
    let rule = format!("GET http://{}/v1/**", peer.authority());
    for (warrant, operator, code) in [
        (vec![], vec![rule.clone()], "egress.host"),
        (vec![rule.clone()], vec![], "policy.forbidden"),
        (vec![], vec![], "policy.forbidden"),
    ] {
        let mut setup = online_with(&peer, &[], &acts, settings(&peer));
        (setup.egress, setup.operator_egress) = (warrant, Some(operator));
        let ran = run(&setup);
        // A literal of this machine is never a matter of scope.
        let code = if code == "egress.host" || code == "policy.forbidden" {
            "egress.address"
        } else {
            code
        };
        assert!(ran.said().starts_with(&format!("send: 403 {code};")), "{}", ran.said());
        assert_eq!(ran.denied(), [code, code]);
        ran.replays_same();
    }
    assert_eq!(peer.connections(), 0);
    assert_eq!(
        run(&online_with(&peer, &[&rule], &acts[..1], settings(&peer))).said(),
        "send: ok 200 hello"
    );
}

/// What a client shows to an agent tells it what to do next.
#[test]
fn a_refusal_says_what_is_missing() {
    let peer = Peer::start(LOOPBACK);
    let rule = "GET http://api.ok.test:8080/v1/**";
    let acts = ["headers POST|http|api.ok.test:8080|/v1/a?key=value"];
    let ran = run(&online_with(&peer, &[rule], &acts, settings(&peer)));
    let said = ran.said();
    let (head, problem) = said.split_once(" {").unwrap();
    let problem: serde_json::Value = serde_json::from_str(&format!("{{{problem}")).unwrap();
    let kind = "content-type=application/problem+json,envelope-denied=policy.forbidden";
    assert_eq!(head, format!("headers: ok 403 {kind}"));
    let expected = serde_json::json!({
        "type": "urn:envelope:denied:policy.forbidden",
        "title": "the operator's policy or the Paper forbids this",
        "status": 403,
        "detail": "egress.method: `POST` to `api.ok.test`",
        "code": "policy.forbidden",
        "layer": "policy",
        "method": "POST",
        "host": "api.ok.test:8080",
        "path": "/v1/a",
        "rule_missing": null,
        "scope_helps": false,
        "next": "amend the Paper or the policy",
    });
    assert_eq!(problem, expected);

    let mut setup = online_with(&peer, &[rule], &acts, settings(&peer));
    setup.operator_egress = Some(vec!["GET,POST http://api.ok.test:8080/v1/**?*".to_owned()]);
    let said = run(&setup).said();
    assert!(said.contains("envelope-denied=egress.method"), "{said}");
    let missing = r#""rule_missing":"POST http://api.ok.test:8080/v1/a?*""#;
    assert!(said.contains(missing) && said.contains(r#""scope_helps":true"#), "{said}");
    assert!(!said.contains("key=value"), "the query is not repeated");
}
