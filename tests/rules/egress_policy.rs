//! Default deny, the nearest rule named, and two keys for every door.

use envelope_rules::Code;
use envelope_rules::egress::host::{Host, HostName};
use envelope_rules::egress::policy::{Policy, PolicyDocument, RULES_MAX, admit_both};
use envelope_rules::egress::rule::{HostPattern, QueryRule, RuleDocument};
use envelope_rules::egress::target::{Scheme, Target};
use proptest::prelude::*;
use serde_json::json;

/// The policy of the security matrix.
fn matrix() -> Policy {
    policy(json!([
        {"host": "api.ok.test", "ports": [443], "methods": ["GET", "POST"], "paths": ["/v1/*"]},
        {"host": "*.wild.test", "methods": ["GET"], "paths": ["/**"]},
        {"schemes": ["http"], "host": "plain.ok.test", "methods": ["GET"], "paths": ["/**"]},
    ]))
}

fn policy(rules: serde_json::Value) -> Policy {
    serde_json::from_value(json!({ "rules": rules })).unwrap()
}

fn target(method: &str, url: &str) -> Target {
    Target::parse(method, url).unwrap()
}

/// The position of the rule that admits, or why none does: the whole way from text to verdict.
fn verdict(policy: &Policy, method: &str, url: &str) -> Result<usize, Code> {
    let target = Target::parse(method, url).map_err(|denial| denial.code())?;
    policy.admit(&target).map(|rule| rule.position()).map_err(|denial| denial.code())
}

#[test]
fn matrix_of_names_schemes_and_ports() {
    let policy = matrix();
    let rows = [
        ("https://api.ok.test/v1/x", Ok(0)),
        ("https://API.OK.TEST/v1/x", Ok(0)),
        ("https://api.ok.test./v1/x", Ok(0)),
        ("https://api.ok.test../v1/x", Err(Code::EgressTarget)),
        ("https://api.ok.test:443/v1/x", Ok(0)),
        ("https://api.ok.test:8443/v1/x", Err(Code::EgressPort)),
        ("http://api.ok.test/v1/x", Err(Code::EgressScheme)),
        ("http://api.ok.test:443/v1/x", Err(Code::EgressScheme)),
        ("http://plain.ok.test/v1/x", Ok(2)),
        ("https://plain.ok.test/v1/x", Err(Code::EgressScheme)),
        ("ws://api.ok.test/v1/x", Err(Code::EgressScheme)),
        ("https://api.ok.test@evil.test/v1/x", Err(Code::EgressTarget)),
        ("https://evil.test#@api.ok.test/v1/x", Err(Code::EgressTarget)),
        ("https://evil.test\\@api.ok.test/v1/x", Err(Code::EgressTarget)),
        ("https://api.ok.test.evil.test/v1/x", Err(Code::EgressHost)),
        ("https://evilapi.ok.test/v1/x", Err(Code::EgressHost)),
        ("https://xapi.ok.test/v1/x", Err(Code::EgressHost)),
        ("https://ok.test/v1/x", Err(Code::EgressHost)),
        ("https://a.wild.test/", Ok(1)),
        ("https://a.b.wild.test/", Err(Code::EgressHost)),
        ("https://wild.test/", Err(Code::EgressHost)),
        ("https://awild.test/", Err(Code::EgressHost)),
        ("https://аpi.ok.test/v1/x", Err(Code::EgressHost)),
        ("https://xn--pi-6kc.ok.test/v1/x", Err(Code::EgressHost)),
        ("https://ａｐｉ.ok.test/v1/x", Err(Code::EgressTarget)),
        ("https://api。ok。test/v1/x", Err(Code::EgressTarget)),
        ("https://api%2eok%2etest/v1/x", Err(Code::EgressTarget)),
        ("https://127.1/v1/x", Err(Code::EgressTarget)),
        ("https://127.0.0.1/v1/x", Err(Code::EgressAddress)),
        ("https://[::1]/v1/x", Err(Code::EgressAddress)),
        ("https://169.254.169.254/v1/x", Err(Code::EgressAddress)),
        ("https://8.8.8.8/v1/x", Err(Code::EgressHost)),
        ("https://localhost/v1/x", Err(Code::EgressHost)),
        ("https://foo.localhost/v1/x", Err(Code::EgressHost)),
        ("https://metadata.google.internal/v1/x", Err(Code::EgressHost)),
        ("https://printer.local/v1/x", Err(Code::EgressHost)),
    ];
    for (url, expected) in rows {
        assert_eq!(verdict(&policy, "GET", url), expected, "{url}");
    }
    let host = target("GET", "https://аpi.ok.test/");
    assert_eq!(policy.admit(&host).unwrap_err().detail(), "`xn--pi-6kc.ok.test`");
}

#[test]
fn matrix_of_paths_and_methods() {
    let policy = matrix();
    let rows = [
        ("GET", "/v1/x", Ok(0)),
        ("POST", "/v1/x", Ok(0)),
        ("DELETE", "/v1/x", Err(Code::EgressMethod)),
        ("HEAD", "/v1/x", Err(Code::EgressMethod)),
        ("TRACE", "/v1/x", Err(Code::EgressMethod)),
        ("CONNECT", "/v1/x", Err(Code::EgressMethod)),
        ("get", "/v1/x", Err(Code::EgressMethod)),
        ("GET", "/v1", Err(Code::EgressPath)),
        ("GET", "/v1/", Err(Code::EgressPath)),
        ("GET", "/v1/x/y", Err(Code::EgressPath)),
        ("GET", "/v2/x", Err(Code::EgressPath)),
        ("GET", "/V1/x", Err(Code::EgressPath)),
        ("GET", "/v1/x?q=1", Err(Code::EgressQuery)),
        ("GET", "/v1/x?", Err(Code::EgressQuery)),
        ("GET", "/v1/../admin", Err(Code::EgressTarget)),
        ("GET", "/v1/%2e%2e/admin", Err(Code::EgressTarget)),
        ("GET", "/v1%2f..%2fadmin", Err(Code::EgressTarget)),
        ("GET", "//v1", Err(Code::EgressTarget)),
        ("GET", "/v1/x;x=", Err(Code::EgressTarget)),
        ("GET", "/v1/%252e", Err(Code::EgressTarget)),
    ];
    for (method, path, expected) in rows {
        let url = format!("https://api.ok.test{path}");
        assert_eq!(verdict(&policy, method, &url), expected, "{method} {path}");
    }
}

#[test]
fn nothing_is_allowed_by_default() {
    assert_eq!(verdict(&Policy::default(), "GET", "https://ok.test/"), Err(Code::EgressHost));
    let rule = json!([{"host": "ok.test", "methods": ["GET"], "paths": ["/"]}]);
    assert_eq!(verdict(&policy(rule), "GET", "https://ok.test/"), Ok(0));
}

#[test]
fn the_nearest_rule_is_named() {
    let policy = policy(json!([
        {"host": "other.test", "methods": ["GET"], "paths": ["/**"], "query": "any"},
        {"host": "ok.test", "ports": [8443], "methods": ["GET"], "paths": ["/**"]},
        {"host": "ok.test", "methods": ["PUT"], "paths": ["/up/**"], "query": {"only": ["id"]}},
    ]));
    let rows = [
        ("PUT", "https://ok.test/up/x?id=1", None),
        (
            "PUT",
            "https://ok.test/up/x?id=1&key=hunter2",
            Some(("EgressQuery", "the query to `/up/x` of `ok.test`")),
        ),
        ("PUT", "https://ok.test/down", Some(("EgressPath", "`/down` of `ok.test`"))),
        ("GET", "https://ok.test/up/x", Some(("EgressMethod", "`GET` to `ok.test`"))),
        ("GET", "https://ok.test:444/up/x", Some(("EgressPort", "port 444 of `ok.test`"))),
        ("GET", "http://ok.test/up/x", Some(("EgressScheme", "`http` to `ok.test`"))),
        ("GET", "https://none.test/", Some(("EgressHost", "`none.test`"))),
    ];
    for (method, url, expected) in rows {
        let denial = policy.admit(&target(method, url)).err();
        let said =
            denial.map(|denial| (format!("{:?}", denial.code()), denial.detail().to_owned()));
        let expected = expected.map(|(code, detail)| (code.to_owned(), detail.to_owned()));
        assert_eq!(said, expected, "{method} {url}");
    }
}

#[test]
fn query_policies() {
    let admits = |query: serde_json::Value, url: &str| {
        let rule = json!([{"host": "ok.test", "methods": ["GET"], "paths": ["/"], "query": query}]);
        verdict(&policy(rule), "GET", &format!("https://ok.test/{url}")).is_ok()
    };
    for url in ["", "?", "?a", "?a;b", "?%41=1"] {
        assert!(admits(json!("any"), url));
        assert_eq!(admits(json!("none"), url), url.is_empty());
    }
    let only = || json!({"only": ["a", "b"]});
    for url in ["", "?a", "?a=1", "?a=1&b=2&a=3", "?b=x=y", "?a=%3B%26c=1"] {
        assert!(admits(only(), url), "{url}");
    }
    for url in ["?", "?c=1", "?a=1&c=2", "?a=1&", "?a=1;c=2", "?%61=1", "?A=1", "?+a=1", "?a[]=1"] {
        assert!(!admits(only(), url), "{url}");
    }
}

#[test]
fn schemes_and_ports() {
    let rule = |ports: &[u16]| {
        policy(json!([{"schemes": ["http", "https"], "host": "ok.test", "ports": ports,
            "methods": ["GET"], "paths": ["/"]}]))
    };
    assert_eq!(verdict(&rule(&[]), "GET", "https://ok.test/"), Ok(0));
    assert_eq!(verdict(&rule(&[]), "GET", "http://ok.test/"), Ok(0));
    assert_eq!(verdict(&rule(&[]), "GET", "http://ok.test:443/"), Err(Code::EgressPort));
    assert_eq!(verdict(&rule(&[81, 443]), "GET", "http://ok.test:443/"), Ok(0));
    assert_eq!(verdict(&rule(&[81, 443]), "GET", "http://ok.test/"), Err(Code::EgressPort));
}

#[test]
fn reserved_names_and_addresses_pass_only_by_their_exact_name() {
    for host in ["localhost", "db.internal", "metadata.google.internal", "127.0.0.1", "[::1]"] {
        let url = format!("https://{host}/");
        let rule = json!([{"host": host, "methods": ["GET"], "paths": ["/"]}]);
        assert_eq!(verdict(&policy(rule), "GET", &url), Ok(0), "{host}");
        assert!(verdict(&matrix(), "GET", &url).is_err());
    }
    for name in ["localhost", "a.localhost", "printer.local", "db.internal", "nas.home.arpa"] {
        assert!(HostName::parse(name).unwrap().is_reserved(), "{name}");
    }
    for name in ["localhost.test", "notlocal", "internal.test", "home.test", "arpa"] {
        assert!(!HostName::parse(name).unwrap().is_reserved(), "{name}");
    }
}

#[test]
fn unsafe_host_patterns_are_refused_at_load() {
    let refused = [
        "*",
        "*.",
        "**",
        "*.com",
        "*.co.uk",
        "*.test",
        "*.github.io",
        "*.s3.amazonaws.com",
        "*.foo.ck",
        "a*b.test",
        "a*.ok.test",
        "api.*.test",
        "*.*.ok.test",
        "*.ok.*",
        "éx.test",
        "*.éx.test",
        "API.ok.test",
        "ok.test.",
        "*.ok.test.",
        ".ok.test",
        "ok..test",
        "",
        "*.1.2.3.4",
        "*.[::1]",
        "127.1",
        "0x7f.1",
        "[0:0:0:0:0:0:0:1]",
        "[::1%lo]",
        "ok.test:443",
        "https://ok.test",
        "user@ok.test",
        "ok.test/v1",
        "*.foo.internal",
        "*.printer.local",
        "*.a.localhost",
        "xn--a.test",
        "ａpi.test",
        "ok%2etest",
    ];
    for host in refused {
        assert!(HostPattern::parse(host).is_err(), "{host}");
    }
    let accepted = [
        "ok.test",
        "*.wild.test",
        "*.a.wild.test",
        "*.example.co.uk",
        "*.me.github.io",
        "xn--x-9ga.test",
        "*.xn--x-9ga.test",
        "1.2.3.4",
        "[::1]",
        "localhost",
    ];
    for host in accepted {
        assert_eq!(HostPattern::parse(host).unwrap().to_string(), host);
    }
}

#[test]
fn a_rule_that_cannot_be_loaded_is_located() {
    let good = json!({"host": "ok.test", "methods": ["GET"], "paths": ["/"]});
    let edits = [
        (json!({"host": "*.com"}), "rule 1, `host`: `*.com`: anyone can register a name there"),
        (
            json!({"host": "OK.test"}),
            "rule 1, `host`: `OK.test`: hosts are compared as they are sent: write `ok.test`",
        ),
        (
            json!({"methods": ["get"]}),
            "rule 1, `methods`: `get`: a method is a few upper-case letters",
        ),
        (json!({"methods": ["TRACE"]}), "rule 1, `methods`: `TRACE`: never sent"),
        (json!({"methods": []}), "rule 1, `methods`: an empty list"),
        (json!({"schemes": []}), "rule 1, `schemes`: an empty list"),
        (json!({"schemes": ["ftp"]}), "unknown variant `ftp`"),
        (json!({"ports": [0]}), "rule 1, `ports`: a port is 1 to 65535"),
        (json!({"ports": vec![1; 65]}), "rule 1, `ports`: at most 64"),
        (json!({"paths": []}), "rule 1, `paths`: an empty list"),
        (json!({"paths": ["v1"]}), "rule 1, `paths`: `v1`, byte 0: a path starts with a slash"),
        (json!({"paths": ["/a/../b"]}), "rule 1, `paths`: `/a/../b`, byte 3: a dot segment"),
        (
            json!({"paths": ["/**/a"]}),
            "rule 1, `paths`: `/**/a`, byte 1: `**` stands alone and last",
        ),
        (json!({"paths": ["/a**"]}), "rule 1, `paths`: `/a**`, byte 2: `**` stands alone and last"),
        (json!({"query": {"only": []}}), "rule 1, `query`: an empty list"),
        (json!({"query": "some"}), "unknown variant `some`"),
        (json!({"extra": 1}), "unknown field `extra`"),
    ];
    for (edit, message) in edits {
        let mut bad = good.clone();
        bad.as_object_mut().unwrap().extend(edit.as_object().unwrap().clone());
        let load = |rules| serde_json::from_value::<Policy>(json!({ "rules": rules }));
        let error = load(json!([good, bad])).unwrap_err().to_string();
        assert!(error.contains(message), "{edit}: {error}");
        assert!(load(json!([good, good])).is_ok());
    }
    let rules: Vec<RuleDocument> = vec![serde_json::from_value(good).unwrap(); RULES_MAX + 1];
    assert!(Policy::compile(PolicyDocument { rules: rules[1..].to_vec() }).is_ok());
    assert!(Policy::compile(PolicyDocument { rules }).is_err());
}

#[test]
fn a_policy_is_written_as_it_was_read() {
    let written = serde_json::to_value(matrix()).unwrap();
    assert_eq!(serde_json::from_value::<Policy>(written).unwrap(), matrix());
}

#[test]
fn admitting_allocates_nothing() {
    let policy = matrix();
    for url in ["https://api.ok.test/v1/x", "https://a.wild.test/a/b", "http://plain.ok.test/"] {
        let target = target("GET", url);
        let info = allocation_counter::measure(|| {
            assert!(policy.admit(&target).is_ok());
            assert!(admit_both(&policy, &policy, &target).is_ok());
        });
        assert_eq!(info.count_total, 0, "{url}");
    }
}

#[test]
fn the_operators_no_is_told_as_such() {
    let at = target("GET", "https://api.ok.test/v1/x");
    let denial = admit_both(&Policy::default(), &matrix(), &at).unwrap_err();
    assert_eq!((denial.code(), denial.detail()), (Code::Forbidden, "egress.host: `api.ok.test`"));
    assert!(!denial.row().scope_helps);
    let denial = admit_both(&matrix(), &Policy::default(), &at).unwrap_err();
    assert_eq!((denial.code(), denial.detail()), (Code::EgressHost, "`api.ok.test`"));
    assert!(denial.row().scope_helps);
    let policy = matrix();
    let admitted = admit_both(&policy, &policy, &at).unwrap();
    assert_eq!((admitted.operator.position(), admitted.warrant.position()), (0, 0));
}

fn rules() -> impl Strategy<Value = RuleDocument> {
    let some = |all: &'static [&'static str]| proptest::sample::subsequence(all, 1..=all.len());
    let owned = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect::<Vec<_>>();
    (
        proptest::sample::select(vec!["a.b.test", "*.b.test", "b.test", "1.1.1.1"]),
        proptest::sample::subsequence(vec![Scheme::Https, Scheme::Http], 1..=2),
        proptest::sample::subsequence(vec![80, 443, 8443], 0..=2),
        some(&["GET", "PUT"]).prop_map(owned),
        some(&["/a", "/a/*", "/a/**", "/**", "/b*"]).prop_map(owned),
        prop_oneof![
            Just(QueryRule::None),
            Just(QueryRule::Any),
            Just(QueryRule::Only(vec!["q".to_owned()]))
        ],
    )
        .prop_map(|(host, schemes, ports, methods, paths, query)| RuleDocument {
            schemes,
            host: host.to_owned(),
            ports,
            methods,
            paths,
            query,
        })
}

fn policies() -> impl Strategy<Value = Policy> {
    proptest::collection::vec(rules(), 0..4)
        .prop_map(|rules| Policy::compile(PolicyDocument { rules }).unwrap())
}

fn targets() -> impl Strategy<Value = Target> {
    let pick = |all: Vec<&'static str>| proptest::sample::select(all);
    (
        pick(vec!["GET", "PUT", "POST"]),
        pick(vec!["http", "https"]),
        pick(vec!["a.b.test", "b.test", "c.a.b.test", "1.1.1.1", "a.b.test:8443", "b.test:443"]),
        pick(vec!["/a", "/a/", "/a/b", "/a/b/c", "/b", "/bc", "/a?q=1", "/a?x=1", "/a/b?q&x"]),
    )
        .prop_map(|(method, scheme, host, path)| {
            Target::from_parts(method, scheme, host, path).unwrap()
        })
}

proptest! {
    #[test]
    fn both_admit_only_what_each_admits(one in policies(), two in policies(), target in targets()) {
        let each = one.admit(&target).is_ok() && two.admit(&target).is_ok();
        prop_assert_eq!(admit_both(&one, &two, &target).is_ok(), each);
        prop_assert_eq!(admit_both(&two, &one, &target).is_ok(), each);
        prop_assert_eq!(admit_both(&one, &one, &target).is_ok(), one.admit(&target).is_ok());
    }

    #[test]
    fn a_policy_admits_what_one_of_its_rules_admits(policy in policies(), target in targets()) {
        let documents = policy.rules().iter().map(|rule| rule.document().clone());
        let any = documents.into_iter().any(|rule| {
            Policy::compile(PolicyDocument { rules: vec![rule] }).unwrap().admit(&target).is_ok()
        });
        prop_assert_eq!(policy.admit(&target).is_ok(), any);
    }

    #[test]
    fn a_wildcard_is_exactly_one_label(
        name in "[ab](\\.[ab]){0,3}(\\.?b\\.test)?",
        base in "[ab](\\.[ab]){0,1}\\.test",
    ) {
        let pattern = HostPattern::parse(&format!("*.{base}")).unwrap();
        let labels: Vec<_> = name.split('.').collect();
        let brute = labels.len() > 1 && labels[1..].join(".") == base;
        prop_assert_eq!(pattern.matches(&Host::parse(&name).unwrap()), brute);
    }
}
