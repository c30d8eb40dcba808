//! `envelope run --allow-net`, as a person uses it, against a peer on this machine.

use super::desk::Desk;
use crate::engine::world::file;
use crate::net::LOOPBACK;
use crate::net::credentials::assert_unseen;
use crate::net::peer::Peer;

const SECRET: &str = "sesame-0815-open";

#[test]
fn what_is_allowed_goes_out_and_the_rest_says_what_is_missing() {
    let (desk, peer) = (Desk::new("net"), Peer::start(LOOPBACK));
    let fetch = file("fetch");
    let at = peer.authority();
    let args = format!(r#"["http://{at}/v1/x","http://{at}/admin","http://{at}/**"]"#);
    let rule = format!("GET http://{at}/v1/**");
    let run = ["run", fetch.to_str().unwrap(), "run", "--args", &args, "--allow-net", &rule];
    let said = desk.says(run.iter().chain(&["--out", "ran"]), 0);
    assert_eq!(said.out.lines().next(), Some("200 5 bytes"), "{}", said.out);
    let missing = format!("GET http://{at}/admin");
    assert_eq!(problem(&said.out, 1, "egress.path")["rule_missing"], *missing);
    // A path that would be a pattern in a rule is not handed back as one.
    assert_eq!(problem(&said.out, 2, "egress.path")["rule_missing"], serde_json::Value::Null);
    let denied = format!("denied egress.path request GET http://{at}/admin: ");
    assert!(said.err.contains(&denied), "{}", said.err);
    assert_eq!(peer.connections(), 1);
    drop(peer);

    let again = desk.says(["replay", "ran"], 0);
    assert!(again.out.contains("same") || again.err.contains("same"), "{}{}", again.out, again.err);
    let verified = ["verify", "ran/receipt", "--keys", "ran/keys.json"];
    desk.says(verified, 0);

    // Nothing is allowed unasked; asked for as the refusal says, it is.
    let peer = Peer::start(LOOPBACK);
    let url = format!("http://{}/admin", peer.authority());
    let args = format!(r#"["{url}"]"#);
    let offline = ["run", fetch.to_str().unwrap(), "run", "--args", &args];
    let said = desk.says(offline, 0);
    let rule = problem(&said.out, 0, "policy.not-granted")["rule_missing"].clone();
    assert_eq!(rule, format!("GET {url}"));
    assert_eq!(peer.connections(), 0);
    let said = desk.says(offline.iter().copied().chain(["--allow-net", rule.as_str().unwrap()]), 0);
    assert_eq!((said.out.lines().next(), peer.connections()), (Some("200 5 bytes"), 1));
}

/// The problem document that a guest prints in a line of its own, after the status and the code.
fn problem(out: &str, line: usize, code: &str) -> serde_json::Value {
    let line = out.lines().nth(line).unwrap_or_else(|| panic!("{out}"));
    let text = line.strip_prefix(&format!("403 {code} ")).unwrap_or_else(|| panic!("{out}"));
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_secret_is_added_and_left_nowhere() {
    let (desk, peer) = (Desk::new("net-secret"), Peer::start(LOOPBACK));
    let fetch = file("fetch");
    let at = peer.authority();
    let args = format!(r#"["http://{at}/v1/echo"]"#);
    let rule = format!("GET http://{at}/v1/**");
    let secret = format!("authorization=PEER_KEY@{rule}");
    let words = with_secret(&fetch, &args, &rule, &secret);
    let output =
        desk.command().args(words).args(["--out", "ran"]).env("PEER_KEY", SECRET).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(peer.heard()[0].contains(&format!("authorization: Bearer {SECRET}\r\n")));
    let files = super::desk::listing(&desk.path("ran")).into_iter();
    let files = files.filter(|(_, (digest, _))| digest.is_some());
    let mut places: Vec<_> = files.map(|(path, _)| std::fs::read(path).unwrap()).collect();
    assert!(places.len() > 5, "{} files are looked at", places.len());
    places.extend([output.stdout, output.stderr]);
    assert_unseen(SECRET, &places);

    let said = desk.says(with_secret(&fetch, &args, &rule, &secret), 2);
    assert!(said.err.contains("the environment has no text `PEER_KEY`"), "{}", said.err);
}

fn with_secret<'a>(
    fetch: &'a std::path::Path,
    args: &'a str,
    rule: &'a str,
    secret: &'a str,
) -> [&'a str; 9] {
    let fetch = fetch.to_str().unwrap();
    ["run", fetch, "run", "--args", args, "--allow-net", rule, "--secret", secret]
}

#[test]
fn what_is_no_rule_is_told() {
    let (desk, fetch) = (Desk::new("net-rules"), file("fetch"));
    let fetch = fetch.to_str().unwrap();
    for (flag, text, what) in [
        ("--allow-net", "https://api.example.org/", "a rule is a method, a space and a URL"),
        ("--allow-net", "GET https://api.example.org", "a rule names its paths"),
        ("--allow-net", "GET https://*.com/**", "anyone can register a name there"),
        ("--allow-net", "GET https://*/**", "`host`"),
        ("--allow-address", "example.org", "HOST=ADDRESSES"),
        ("--secret", "authorization", "HEADER=ENV@RULE"),
        ("--secret", "authorization=sk-1@GET https://api.example.org/**", "names no variable"),
        ("--trust", "none.pem", "none.pem"),
    ] {
        let rule = "GET https://api.example.org/**";
        let said = desk.says(["run", fetch, "run", "--allow-net", rule, flag, text], 2);
        assert!(said.err.contains(what) && !said.err.contains("sk-1"), "{text}: {}", said.err);
    }
    // What nothing would go with was meant to go with something.
    std::fs::write(desk.path("empty.pem"), "-----BEGIN NOTHING-----\n").unwrap();
    let rule = ["--allow-net", "GET https://api.example.org/**"];
    let trust = ["run", fetch, "run", "--trust", "empty.pem"];
    let said = desk.says(trust.iter().chain(&rule), 2);
    assert!(said.err.contains("root certificate"), "{}", said.err);
    let secret = "authorization=PATH@GET https://api.example.org/**";
    for edge in [["--trust", "empty.pem"], ["--secret", secret]] {
        let said = desk.says(["run", fetch, "run"].iter().chain(&edge), 2);
        assert!(said.err.contains("no request is allowed"), "{}", said.err);
    }
}

/// `--content`, in a run, its record and its replay; and what is no rule.
#[test]
fn what_must_not_leave_stays() {
    let desk = Desk::new("net-content");
    let fetch = file("fetch");
    for (rules, line, heard) in [
        (&["--content", "deny:card-number"][..], "403 egress.content", 0),
        (&["--content", "ask:card-number"], "403 egress.content", 0),
        (&["--content", "deny:private-key"], "200 5 bytes", 1),
        (&[], "200 5 bytes", 1),
    ] {
        let peer = Peer::start(LOOPBACK);
        let at = peer.authority();
        let args = format!(r#"["http://{at}/v1/x?pan=4111+1111+1111+1111"]"#);
        let rule = format!("GET http://{at}/v1/**?*");
        let run = ["run", fetch.to_str().unwrap(), "run", "--args", &args, "--allow-net", &rule];
        let out = format!("ran-{heard}-{}", rules.join("-").replace(':', "-"));
        let said = desk.says(run.iter().chain(rules).chain(&["--out", &out]), 0);
        assert!(said.out.starts_with(line), "{rules:?}: {}", said.out);
        assert_eq!(peer.connections(), heard, "{rules:?}");
        if heard == 0 {
            assert!(said.err.contains(&format!("`{}` of the warrant", rules[1])), "{}", said.err);
        }
        desk.says(["replay", &out], 0);
    }
    let fetch = fetch.to_str().unwrap();
    let said = desk.says(["run", fetch, "run", "--content", "deny:everything"], 2);
    assert!(said.err.contains("`card-number`, `private-key` or"), "{}", said.err);
}

/// What an author says in the attribute, an operator reads in the words that would allow it.
#[test]
fn what_an_agent_needs_is_shown() {
    let desk = Desk::new("net-needs");
    let summary = super::desk::example("summary");
    let said = desk.says(["inspect", summary], 0);
    for line in ["It says that it needs", "--allow-read 'docs/**'", "--outputs 'out/'"] {
        assert!(said.out.contains(line), "{line}: {}", said.out);
    }
    let document = desk.json(["inspect", summary], 0);
    let needs = serde_json::json!({ "read": ["docs/**"], "outputs": "out/" });
    assert_eq!(document["card"]["needs"], needs);
}

#[test]
fn a_component_that_sends_requests_says_so() {
    let (desk, fetch) = (Desk::new("net-inspect"), file("fetch"));
    let said = desk.says(["inspect", fetch.to_str().unwrap()], 0);
    assert!(said.out.contains("It can send HTTP requests"), "{}", said.out);
    assert_eq!(desk.json(["inspect", fetch.to_str().unwrap()], 0)["network"], true);
    let hello = super::desk::example("hello");
    assert_eq!(desk.json(["inspect", hello], 0)["network"], false);
}
