//! One spelling per target: what has two readings is refused.

use envelope_rules::Code;
use envelope_rules::egress::host::Host;
use envelope_rules::egress::path::PathPattern;
use envelope_rules::egress::target::{
    METHOD_BYTES_MAX, Scheme, Target, URL_BYTES_MAX, overrides_target,
};
use proptest::prelude::*;

fn read(url: &str) -> Result<String, Code> {
    Target::parse("GET", url).map(|target| target.url()).map_err(|denial| denial.code())
}

#[track_caller]
fn check(rows: &[(&str, Result<&str, Code>)]) {
    for (url, expected) in rows {
        assert_eq!(read(url), expected.map(str::to_owned), "{url}");
    }
}

const TARGET: Result<&str, Code> = Err(Code::EgressTarget);

#[test]
fn names_have_one_spelling() {
    let plain = Ok("https://api.ok.test/v1/x");
    check(&[
        ("https://api.ok.test/v1/x", plain),
        ("https://API.OK.TEST/v1/x", plain),
        ("HTTPS://api.ok.test/v1/x", plain),
        ("https://api.ok.test./v1/x", plain),
        ("https://api.ok.test../v1/x", TARGET),
        ("https://.api.ok.test/v1/x", TARGET),
        ("https://api..ok.test/v1/x", TARGET),
        ("https://./v1/x", TARGET),
        ("https:///v1/x", TARGET),
        ("https:api.ok.test/v1/x", TARGET),
        ("https://-api.ok.test/", TARGET),
        ("https://api_1.ok.test/", TARGET),
        ("https://r3---sn-4g5e.ok.test/", Ok("https://r3---sn-4g5e.ok.test/")),
    ]);
}

#[test]
fn international_names_are_sent_as_a_labels() {
    check(&[
        ("https://bücher.test/", Ok("https://xn--bcher-kva.test/")),
        ("https://Bücher.TEST./", Ok("https://xn--bcher-kva.test/")),
        ("https://xn--bcher-kva.test/", Ok("https://xn--bcher-kva.test/")),
        ("https://bücher.xn--bcher-kva.test/", Ok("https://xn--bcher-kva.xn--bcher-kva.test/")),
        // Cyrillic а: another name, and shown as such.
        ("https://аpi.ok.test/", Ok("https://xn--pi-6kc.ok.test/")),
        ("https://XN--PI-6KC.ok.test/", Ok("https://xn--pi-6kc.ok.test/")),
        // Mapped to something else: fullwidth, ideographic dot, upper-case É, sharp S in capitals.
        ("https://ａｐｉ.ok.test/", TARGET),
        ("https://api。ok。test/", TARGET),
        ("https://bücher。test/", TARGET),
        ("https://École.test/", TARGET),
        ("https://école.test/", Ok("https://xn--cole-9oa.test/")),
        ("https://e\u{301}cole.test/", TARGET),
        ("https://１２７.0.0.1/", TARGET),
        // Ignored or forbidden characters.
        ("https://a\u{200d}pi.ok.test/", TARGET),
        ("https://a\u{ad}pi.ok.test/", TARGET),
        ("https://a\u{200b}pi.ok.test/", TARGET),
        ("https://xn--a.test/", TARGET),
        ("https://xn--.test/", TARGET),
        ("https://xn--api-.test/", TARGET),
    ]);
}

#[test]
fn names_are_bounded() {
    let label = |len| "a".repeat(len);
    let url = |host: &str| format!("https://{host}/");
    assert!(read(&url(&format!("{}.test", label(63)))).is_ok());
    assert_eq!(read(&url(&format!("{}.test", label(64)))), Err(Code::EgressTarget));
    let name = |last| format!("{0}.{0}.{0}.{1}", label(63), label(last));
    assert_eq!(name(61).len(), 253);
    assert!(read(&url(&name(61))).is_ok());
    assert_eq!(read(&url(&name(62))), Err(Code::EgressTarget));
    let path = |len| format!("https://api.ok.test/{}", "x".repeat(len - 20));
    assert!(read(&path(URL_BYTES_MAX)).is_ok());
    assert_eq!(read(&path(URL_BYTES_MAX + 1)), Err(Code::EgressTarget));
}

#[test]
fn authorities_hold_a_host_and_a_port() {
    check(&[
        ("https://api.ok.test:443/", Ok("https://api.ok.test/")),
        ("http://api.ok.test:80/", Ok("http://api.ok.test/")),
        ("https://api.ok.test:80/", Ok("https://api.ok.test:80/")),
        ("https://api.ok.test:8443/", Ok("https://api.ok.test:8443/")),
        ("https://[2606:4700::1111]:8443/", Ok("https://[2606:4700::1111]:8443/")),
        ("https://api.ok.test:/", TARGET),
        ("https://api.ok.test:0/", TARGET),
        ("https://api.ok.test:0443/", TARGET),
        ("https://api.ok.test:+443/", TARGET),
        ("https://api.ok.test:65536/", TARGET),
        ("https://api.ok.test:443:443/", TARGET),
        ("https://[::1]443/", TARGET),
        ("https://[::1/", TARGET),
        ("https://::1/", TARGET),
        // Userinfo, also where a sloppy reader would find the host elsewhere.
        ("https://api.ok.test@evil.test/", TARGET),
        ("https://user:secret@api.ok.test/", TARGET),
        ("https://evil.test#@api.ok.test/", TARGET),
        ("https://evil.test\\@api.ok.test", TARGET),
        ("https://evil.test\\.api.ok.test/", TARGET),
        ("https://api.ok.test/#top", TARGET),
        ("https://api.ok.test/?q#top", TARGET),
        // Encodings and control characters.
        ("https://api%2eok%2etest/", TARGET),
        ("https://api.ok.test%00.evil.test/", TARGET),
        ("https://api.ok.test\0/", TARGET),
        ("https://api.ok.test\r\nHost: evil.test/", TARGET),
        ("https://api.ok\t.test/", TARGET),
        (" https://api.ok.test/", Err(Code::EgressScheme)),
        ("https://api.ok.test/ ", TARGET),
        // Zone ids.
        ("https://[fe80::1%25lo]/", TARGET),
        ("https://[::1%25x.ok.test]/", TARGET),
        ("https://[fe80::1%lo]/", TARGET),
    ]);
}

#[test]
fn addresses_have_one_spelling() {
    check(&[
        ("https://127.0.0.1/", Ok("https://127.0.0.1/")),
        ("https://[::1]/", Ok("https://[::1]/")),
        ("https://[0:0:0:0:0:0:0:1]/", Ok("https://[::1]/")),
        ("https://[::FFFF:a9fe:a9fe]/", Ok("https://[::ffff:169.254.169.254]/")),
        ("https://127.1/", TARGET),
        ("https://0x7f.1/", TARGET),
        ("https://0177.0.0.1/", TARGET),
        ("https://127.0.0.01/", TARGET),
        ("https://2130706433/", TARGET),
        ("https://0x7f000001/", TARGET),
        ("https://0x/", TARGET),
        ("https://0/", TARGET),
        ("https://127.0.0.1./", TARGET),
        ("https://127.0.0.256/", TARGET),
        ("https://1.2.3.4.5/", TARGET),
        ("https://api.0x1f/", TARGET),
        ("https://4.ok.test/", Ok("https://4.ok.test/")),
        ("https://0x7f.ok.test/", Ok("https://0x7f.ok.test/")),
        ("https://[v1.ok]/", TARGET),
    ]);
}

#[test]
fn unknown_schemes_are_refused() {
    for scheme in ["ftp", "file", "gopher", "data", "ws", "wss", "javascript", "unix", ""] {
        assert_eq!(read(&format!("{scheme}://api.ok.test/")), Err(Code::EgressScheme), "{scheme}");
        assert_eq!(read(&format!("{scheme}:text")), Err(Code::EgressScheme), "{scheme}");
    }
    assert_eq!(read("api.ok.test"), Err(Code::EgressScheme));
    assert!(read("http://api.ok.test/").is_ok());
}

#[test]
fn paths_have_one_reading() {
    let rows = [
        ("", Some("/")),
        ("/", Some("/")),
        ("?a=1", Some("/?a=1")),
        ("/v1/x", Some("/v1/x")),
        ("/v1/", Some("/v1/")),
        ("/v1/a.b..c/...", Some("/v1/a.b..c/...")),
        ("/caf%C3%A9%20noir", Some("/caf%C3%A9%20noir")),
        ("/a:b@c!$&'()*+,=~-_", Some("/a:b@c!$&'()*+,=~-_")),
        ("/v1/../admin", None),
        ("/v1/..", None),
        ("/v1/./x", None),
        ("/v1/%2e%2e/admin", None),
        ("/v1/.%2E/admin", None),
        ("/v1%2f..%2fadmin", None),
        ("/v1%2F..%2Fadmin", None),
        ("/v1%5C..%5Cadmin", None),
        ("/v1\\..\\admin", None),
        ("//v1", None),
        ("/v1//x", None),
        ("/v1;x=1/y", None),
        ("/v1/..;/admin", None),
        ("/v1/..%3B/admin", None),
        ("/%252e%252e/admin", None),
        ("/v1/x%3Fadmin=1", None),
        ("/v1/x%23", None),
        ("/%25", None),
        ("/%", None),
        ("/%4", None),
        ("/%zz", None),
        ("/%41", None),
        ("/caf%c3%a9", None),
        ("/café", None),
        ("/%C0%AF", None),
        ("/%FF", None),
        ("/%C2%85", None),
        ("/%00", None),
        ("/%0D%0A", None),
        ("/a b", None),
        ("/a\tb", None),
        ("/a\u{7f}b", None),
        ("/a|b", None),
        ("*", None),
    ];
    for (path, expected) in rows {
        let target = Target::from_parts("GET", "https", "api.ok.test", path);
        let read = target.as_ref().map(Target::origin_form).map_err(|denial| denial.code());
        assert_eq!(read, expected.ok_or(Code::EgressTarget), "{path}");
    }
}

#[test]
fn queries_are_sent_as_they_are() {
    for query in ["", "a=1&b=2", "filter[x]=1|2", "q=%0a%2F%2f%25%27", "u=https://x.test/?y", "a;b"]
    {
        let target = Target::parse("GET", &format!("https://api.ok.test/v1?{query}")).unwrap();
        assert_eq!(target.query(), Some(query));
        assert_eq!(target.path(), "/v1");
    }
    assert_eq!(Target::parse("GET", "https://api.ok.test/v1").unwrap().query(), None);
    for query in ["a b", "%", "%zz", "a\\b", "é", "a\"b", "a'b", "<", "\n", "\0", "a#b"] {
        assert_eq!(read(&format!("https://api.ok.test/?{query}")), Err(Code::EgressTarget));
    }
}

#[test]
fn methods_are_upper_case_and_never_tunnels() {
    let method = |text: &str| {
        let target = Target::parse(text, "https://api.ok.test/");
        target.map(|target| target.method().as_str().to_owned()).map_err(|denial| denial.code())
    };
    let longest = "A".repeat(METHOD_BYTES_MAX);
    for text in ["GET", "POST", "DELETE", "PROPFIND", "BASELINE-CONTROL", &longest] {
        assert_eq!(method(text).as_deref(), Ok(text));
    }
    let longer = format!("{longest}A");
    for text in
        ["get", "Get", "TRACE", "CONNECT", "TRACK", "", "G T", "G_T", "GET\r\n", "GÉT", &longer]
    {
        assert_eq!(method(text), Err(Code::EgressMethod), "{text}");
    }
    for header in [
        "X-HTTP-Method-Override",
        "x-http-method",
        "X-Method-Override",
        "X_HTTP_METHOD_OVERRIDE",
        "X-Original-URL",
        "x-rewrite_url",
    ] {
        assert!(overrides_target(header), "{header}");
    }
    for header in ["x-request-id", "x-http-metho", "x-http-methods", ""] {
        assert!(!overrides_target(header), "{header}");
    }
}

#[test]
fn denials_say_where_and_keep_secrets() {
    let detail = |url| Target::parse("GET", url).unwrap_err().detail().to_owned();
    assert_eq!(
        detail("https://ok.test/a/../b"),
        "path: byte 3: a dot segment: write the path it leads to"
    );
    let spelling = detail("https://ａpi.ok.test/");
    assert_eq!(
        spelling,
        "host: `ａpi.ok.test`: a name is spelled with the characters that UTS 46 maps it to"
    );
    let fragment = detail("https://ok.test/#top");
    assert_eq!(fragment, "url: a fragment is never sent: leave it out");
    assert!(detail("https://a\u{200d}pi.test/").contains("\\u{200d}"));
    for url in [
        "https://u:hunter2@ok.test/",
        "https://hunter2@ok.test/",
        "https://ok.test/?key=hunter2 ",
        "https://ok.test/hunter2;",
    ] {
        assert!(!detail(url).contains("hunter2"), "{url}");
    }
}

#[test]
fn origins_are_scheme_host_and_port() {
    let target = |url| Target::parse("GET", url).unwrap();
    let here = target("https://api.ok.test/a");
    assert!(here.same_origin(&target("https://API.ok.test.:443/b?c")));
    for other in ["http://api.ok.test/", "https://api.ok.test:8443/", "https://www.ok.test/"] {
        assert!(!here.same_origin(&target(other)), "{other}");
    }
    assert!(!target("http://ok.test:443/").same_origin(&target("https://ok.test/")));
}

#[test]
fn what_is_sent_is_what_was_read() {
    let target = Target::parse("POST", "https://API.ok.test.:8443/v1/x?q=1").unwrap();
    assert_eq!(target.authority(), "api.ok.test:8443");
    assert_eq!(target.host().to_string(), "api.ok.test");
    assert_eq!(target.origin_form(), "/v1/x?q=1");
    assert_eq!(target.to_string(), "POST https://api.ok.test:8443/v1/x?q=1");
    let parts = Target::from_parts("POST", "https", "api.ok.test:8443", "/v1/x?q=1");
    assert_eq!(parts, Ok(target));
}

/// Hosts of every kind, many of them spelled in other ways than the normal one.
fn hosts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9]{1,8}(-[a-z0-9]{1,3})?(\\.[a-zA-Z]{1,8}){0,3}\\.?",
        "[a-zà-öα-ωа-я]{1,6}\\.[a-zß]{2,4}",
        any::<std::net::Ipv4Addr>().prop_map(|address| address.to_string()),
        any::<std::net::Ipv6Addr>().prop_map(|address| format!("[{address}]")),
        any::<[u16; 8]>()
            .prop_map(|s| format!("[{}]", s.map(|part| format!("{part:X}")).join(":"))),
    ]
}

fn paths() -> impl Strategy<Value = String> {
    "(/([a-zA-Z0-9._~!$&'()*+,=:@-]|%C3%A9|%20){0,5}){0,4}\
     (\\?([]!$&(-;=?@\\[^_`a-z{|}~]|%27|%2F){0,8})?"
}

proptest! {
    #[test]
    fn printed_targets_read_back(
        host in hosts(),
        port in proptest::option::of(any::<u16>()),
        path in paths(),
        scheme in prop_oneof![Just("http"), Just("https"), Just("HTTPS")],
    ) {
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        if let Ok(target) = Target::parse("PUT", &format!("{scheme}://{host}{port}{path}")) {
            prop_assert_eq!(&Target::parse("PUT", &target.url()).unwrap(), &target);
            let parts = Target::from_parts(
                "PUT", target.scheme().name(), &target.authority(), target.origin_form(),
            );
            prop_assert_eq!(&parts.unwrap(), &target);
            prop_assert_eq!(&Host::parse(&target.host().to_string()).unwrap(), target.host());
            prop_assert!(target.url().is_ascii());
        }
    }

    /// The URL standard's reader is more lenient, but it never sees another place than we do.
    #[test]
    fn the_url_standard_reads_the_same(
        host in hosts(),
        port in proptest::option::of(any::<u16>()),
        path in paths(),
    ) {
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let text = format!("https://{host}{port}{path}");
        if let Ok(target) = Target::parse("GET", &text) {
            let url = url::Url::parse(&text).unwrap();
            let name = url.host_str().unwrap().trim_end_matches('.').to_owned();
            if let Host::V6(address) = target.host() {
                prop_assert_eq!(url.host(), Some(url::Host::Ipv6(*address)));
            } else {
                prop_assert_eq!(name, target.host().to_string());
            }
            prop_assert_eq!(url.port_or_known_default(), Some(target.port()));
            prop_assert_eq!((url.path(), url.query()), (target.path(), target.query()));
            let printed = url::Url::parse(&target.url()).unwrap();
            prop_assert_eq!((printed.username(), printed.fragment()), ("", None));
        }
    }

    #[test]
    fn well_formed_names_are_accepted(
        name in "[a-z]{1,8}(\\.[a-z]{1,8}){0,3}",
        port in 1..=u16::MAX,
    ) {
        let target = Target::parse("GET", &format!("https://{name}:{port}/")).unwrap();
        prop_assert_eq!(target.host().to_string(), name);
        prop_assert_eq!((target.scheme(), target.port()), (Scheme::Https, port));
    }

    #[test]
    fn ambiguous_bytes_are_never_accepted(
        before in "https://[a-z]{1,5}\\.test(/[a-z]{0,3}){0,2}",
        byte in prop_oneof![
            Just("\\"), Just("\0"), Just("\r"), Just("\n"), Just("\t"), Just(" "), Just("#"),
            Just("\u{7f}"), Just("\u{85}"), Just("\u{a0}"), Just("//x"), Just("%2F"), Just("%2f"),
            Just("%5C"), Just("%00"), Just("%2E"), Just("%25"), Just("%0A"), Just("/../"),
            Just("/./"), Just("@"), Just("/%E2%80"), Just(";")
        ],
        after in "[a-z]{0,4}",
    ) {
        // `@` and `/../` are only ambiguous where they divide.
        let in_path = before.matches('/').count() > 2;
        prop_assume!(byte != "@" || !in_path);
        let url = format!("{before}{byte}{after}");
        prop_assert!(Target::parse("GET", &url).is_err(), "{}", url);
    }

    #[test]
    fn no_text_panics_and_no_odd_byte_gets_through(
        url in "(https?://)?[ -~\\PC\\x00-\\x20]{0,40}|https://[a-z]\\.t/[./%2EF;?a\\\\#]{0,9}",
    ) {
        if let Ok(target) = Target::parse("GET", &url) {
            prop_assert!(target.url().bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert!(!target.path().contains("//") && !target.url().contains(['\\', '#']));
            prop_assert!(!target.path().split('/').any(|part| matches!(part, "." | "..")));
        }
    }

    #[test]
    fn path_patterns_agree_with_brute_force(
        pattern in "(/[ab*]{0,4}){1,3}(/\\*\\*)?",
        path in "(/[ab]{0,3}){1,4}",
    ) {
        if let Ok(compiled) = PathPattern::parse(&pattern) {
            let matches = compiled.matches(&path);
            prop_assert_eq!(matches, brute(&pattern, &path), "{} {}", pattern, path);
        }
    }
}

/// The pattern's meaning, word for word and by trying every split.
fn brute(pattern: &str, path: &str) -> bool {
    fn segments(pattern: &[&str], path: &[&str]) -> bool {
        match (pattern, path) {
            ([], []) => true,
            (["**"], rest) => !rest.is_empty(),
            ([p, pattern @ ..], [s, path @ ..]) => {
                let fits = p.is_empty() == s.is_empty() && within(p.as_bytes(), s.as_bytes());
                fits && segments(pattern, path)
            }
            _ => false,
        }
    }
    fn within(pattern: &[u8], text: &[u8]) -> bool {
        match pattern {
            [] => text.is_empty(),
            [b'*', rest @ ..] => (0..=text.len()).any(|taken| within(rest, &text[taken..])),
            [byte, rest @ ..] => text.first() == Some(byte) && within(rest, &text[1..]),
        }
    }
    let (pattern, path): (Vec<_>, Vec<_>) =
        (pattern.split('/').collect(), path.split('/').collect());
    segments(&pattern, &path)
}
