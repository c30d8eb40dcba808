//! What must not leave: which contents are seen, in which spellings, and whose word counts.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use envelope_evidence::preview::Secrets;
use envelope_rules::content::{Both, Found, Part, Rule, Scanner, Sought};
use envelope_rules::denial::Code;
use envelope_rules::guard::{Act, Call, Capability, Warrant, WarrantDocument};
use proptest::prelude::*;

use super::guard_world::{World, bounds, call, document};

const CARD: &str = "4111 1111 1111 1111";
const KEY: &str = "sk-abcdefghijklmnop0123";
const PEM: &str = "-----BEGIN RSA PRIVATE KEY-----\nMIIB";
const TOKEN: &str = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhZGFAZXhhbXBsZS5vcmcifQ.c2ln";
const SECRET: &str = "sesame-0815-open";

fn rules(texts: &[&str]) -> Vec<Rule> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn all() -> Vec<Rule> {
    rules(&["deny:card-number", "deny:private-key", "deny:api-key"])
}

fn both(warrant: &[Rule]) -> Both<'_> {
    Both { operator: &[], warrant }
}

/// What is found in `pieces` of a body.
fn found_in<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Sought> {
    let mut secrets = Secrets::none();
    assert!(secrets.add(SECRET));
    let rules = all();
    let mut scanner = Scanner::new([&secrets], &both(&rules));
    pieces.into_iter().for_each(|piece| scanner.feed(Part::Body, piece));
    scanner.end(Part::Body);
    let found = scanner.found();
    Sought::ALL.into_iter().filter(|what| found.spot(*what).is_some()).collect()
}

fn found(text: &str) -> Vec<Sought> {
    found_in([text.as_bytes()])
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("\\u{byte:04x}")).collect()
}

/// A text in every spelling in which it is promised to be seen.
fn spellings(text: &str) -> Vec<String> {
    let json = serde_json::to_string(text).unwrap();
    let mut spellings = vec![
        text.to_owned(),
        format!("a story of {text}, and more"),
        format!("{{\"a\":{json}}}"),
        serde_json::to_string(&json).unwrap(),
        percent(text),
        percent(&percent(text)),
        escaped(text),
        format!("q={}&n=1", text.replace(' ', "+")),
        percent(&STANDARD.encode(text)),
        format!("\"{}\"", escaped(&STANDARD.encode(text))),
    ];
    for lead in ["", "a ", "ab ", "abc "] {
        spellings.push(STANDARD.encode(format!("{lead}{text} ")));
        spellings.push(format!("data:text/plain;base64,{}", STANDARD_NO_PAD.encode(text)));
        spellings.push(format!("{}{}", lead.trim(), URL_SAFE_NO_PAD.encode(text)));
    }
    spellings
}

#[test]
fn contents_are_seen_in_every_spelling_that_is_promised() {
    for (text, what) in [
        (CARD, Sought::CardNumber),
        (PEM, Sought::PrivateKey),
        (KEY, Sought::ApiKey),
        (TOKEN, Sought::ApiKey),
        (SECRET, Sought::Secret),
    ] {
        for spelling in spellings(text) {
            assert!(found(&spelling).contains(&what), "{what:?} in {spelling}");
        }
    }
}

/// Lines of base64 may be broken, as in mails. A secret that is known by its value is known in
/// lines that are whole.
#[test]
fn lines_of_base64_may_be_broken() {
    for (text, what) in
        [(CARD, Sought::CardNumber), (PEM, Sought::PrivateKey), (KEY, Sought::ApiKey)]
    {
        let whole = STANDARD.encode(format!("{}{text}", "x ".repeat(25)));
        let lines = whole.as_bytes().chunks(76).map(String::from_utf8_lossy);
        let broken = lines.collect::<Vec<_>>().join("\r\n");
        assert!(broken.contains("\r\n") && found(&broken) == [what], "{broken}");
    }
}

/// The fraction of a number is no card, however it looks; a card beside it is.
#[test]
fn fractions_are_no_cards() {
    let mut seed = 7_u64;
    let doubles = (0..1000).map(|_| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("0.{:016}", seed % 10_000_000_000_000_000)
    });
    let body = doubles.collect::<Vec<_>>().join(",");
    assert_eq!(found(&format!("{body},0.4111111111111111")), []);
    assert_eq!(found(&format!("{body},4111111111111111")), [Sought::CardNumber]);
    let rows = body.replace(',', " 0 1 ");
    assert_eq!(found(&format!("{rows} 0.4111111111111111 0")), []);
}

/// In the groups of a card it is one, also behind the number of a line.
#[test]
fn a_numbered_line_may_hold_a_card() {
    for card in ["4111 1111 1111 1111", "4111-1111-1111-1111", "3782 822463 10005"] {
        assert_eq!(found(&format!("1.{card}")), [Sought::CardNumber], "{card}");
        assert_eq!(found(&format!("1. {card}")), [Sought::CardNumber], "{card}");
    }
    assert_eq!(found("1.4111 1111 1111 1112"), []);
    // What nobody could tell from a number is taken for one.
    assert_eq!(found("1.4111111111111111"), []);
}

/// However it is cut, and where it begins at a border.
#[test]
fn contents_are_seen_in_every_cut() {
    for text in [CARD, PEM, KEY, SECRET, &STANDARD.encode(CARD), &percent(KEY), &escaped(SECRET)] {
        let text = format!("a {text} z");
        let (bytes, whole) = (text.as_bytes(), found(&text));
        assert_eq!(whole.len(), 1, "{text}");
        for at in 0..=bytes.len() {
            assert_eq!(found_in([&bytes[..at], &bytes[at..]]), whole, "{text} cut at {at}");
        }
        assert_eq!(found_in(bytes.chunks(1)), whole, "{text}");
    }
}

#[test]
fn cards_are_known_by_issuer_length_and_check_digit() {
    for text in [
        "4111111111111111",
        "5500-0000-0000-0004",
        "{\"pan\":\"378282246310005\"}",
        "6011111111111117",
        "3530111333300000",
        "2223003122003222",
        "4222222222222",
        // Beside other groups of digits.
        "12 4111 1111 1111 1111 08 27",
        "123-4111-1111-1111-1111",
        "50%4111111111111111",
    ] {
        assert_eq!(found(text), [Sought::CardNumber], "{text}");
    }
    for text in [
        "4111111111111112",
        "4111  1111 1111 1111",
        "411111111111",
        "0000000000000000",
        "00004111111111111111",
        "1748133600000",
        "41111111111111111111111111",
        "9111111111111111",
        // The issuer has none so long.
        "341111111111111111",
        "2026-11-28 15:41:16",
        "0123456789abcdef0123456789abcdef",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn keys_are_known_by_their_shape() {
    for text in [
        "AKIAIOSFODNN7EXAMPLE",
        "AIzaSyA-1234567890abcdefghijklmnopqrstu",
        "github_pat_11ABCDEFG0abcdefghijklmn",
        "{\"k\":\"sk_live_0123456789abcdef\"}",
        // A beginning within a beginning.
        "sk-short sk-AKIAIOSFODNN7EXAMPLE",
        TOKEN,
    ] {
        assert_eq!(found(text), [Sought::ApiKey], "{text}");
    }
    for text in [
        "a risk-free plan with sk-short",
        "desk-abcdefghijklmnop0123",
        "eyJhIjoxfQ",
        // JSON in base64 is no signed token.
        "eyJtZXNzYWdlIjoiaGVsbG8gdGhlcmUgd29ybGQifQ==",
        "-----BEGIN CERTIFICATE-----\nMIIB",
        "-----BEGIN PUBLIC KEY-----\nMIIB",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
    for kind in ["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED ", "PGP "] {
        assert_eq!(found(&format!("-----BEGIN {kind}PRIVATE KEY")), [Sought::PrivateKey], "{kind}");
    }
}

/// What is not asked for is not looked for, but for the host's own secrets.
#[test]
fn only_what_rules_name_is_looked_for() {
    let mut secrets = Secrets::none();
    assert!(secrets.add(SECRET));
    let text = format!("{CARD}, {KEY}, {PEM}, {SECRET}");
    for (texts, expected) in [
        (&[][..], &[Sought::Secret][..]),
        (&["ask:card-number"], &[Sought::Secret, Sought::CardNumber]),
        (&["deny:api-key"], &[Sought::Secret, Sought::ApiKey]),
    ] {
        let rules = rules(texts);
        let mut scanner = Scanner::new([&secrets], &both(&rules));
        scanner.whole(Part::Body, text.as_bytes());
        let found = scanner.found();
        let seen = Sought::ALL.into_iter().filter(|what| found.spot(*what).is_some());
        assert_eq!(seen.collect::<Vec<_>>(), expected, "{texts:?}");
    }
}

/// A part is a part: what ends one and begins another stands in none.
#[test]
fn parts_do_not_run_into_each_other() {
    let rules = all();
    let mut scanner = Scanner::new([], &both(&rules));
    scanner.whole(Part::Message(1), b"4111 1111 ");
    scanner.whole(Part::Message(2), b"1111 1111");
    assert_eq!(scanner.found(), Found::NOTHING);
    scanner.whole(Part::Message(3), CARD.as_bytes());
    let spot = scanner.found().spot(Sought::CardNumber).unwrap();
    assert_eq!((spot.part, spot.within), (Part::Message(3), 19));
}

#[test]
fn rules_are_written_as_they_are_read() {
    for text in ["deny:card-number", "ask:card-number", "deny:private-key", "ask:api-key"] {
        assert_eq!(text.parse::<Rule>().unwrap().to_string(), text);
        let json = serde_json::to_string(text).unwrap();
        let rule: Rule = serde_json::from_str(&json).unwrap();
        assert_eq!(serde_json::to_string(&rule).unwrap(), json);
    }
    for text in
        ["", "deny", "deny:", "deny:cards", "allow:card-number", "ask:secret", "Deny:api-key"]
    {
        assert!(text.parse::<Rule>().is_err(), "{text}");
    }
    // A warrant without rules is written as it was before there were any.
    let plain = Warrant::new(document()).unwrap();
    let json = serde_json::to_string(plain.document()).unwrap();
    assert!(!json.contains("content"));
    let ruled = WarrantDocument { content: all(), ..document() };
    assert_ne!(Warrant::new(ruled).unwrap().digest(), plain.digest());
    let many = WarrantDocument { content: [all(), all(), all()].concat(), ..document() };
    assert!(Warrant::new(many).is_err());
}

fn carrying<'a>(act: Act<'a>, what: &str, rules: &[Rule]) -> Call<'a> {
    let mut scanner = Scanner::new([], &both(rules));
    scanner.whole(Part::Body, what.as_bytes());
    Call { found: scanner.found(), ..call(act) }
}

/// What either denies is denied; what one has asked about and the other denies is denied; and a
/// denial costs nothing.
#[test]
fn neither_key_loosens_the_other() {
    for (operator, warrant, code) in [
        (&[][..], &[][..], None),
        (&["deny:card-number"], &[], Some(Code::EgressContent)),
        (&[], &["deny:card-number"], Some(Code::EgressContent)),
        (&["deny:card-number"], &["ask:card-number"], Some(Code::EgressContent)),
        (&["ask:card-number"], &["deny:card-number"], Some(Code::EgressContent)),
        // To ask is no denial: who asks does so before the guard is asked.
        (&["ask:card-number"], &["deny:api-key"], None),
    ] {
        let mut world = World::new();
        world.operator.content = rules(operator);
        let document = WarrantDocument { content: rules(warrant), ..document() };
        world.warrant = Warrant::new(document).unwrap();
        let bounds = bounds(10);
        let act = Act::Model { model: "fast", bounds: &bounds };
        let asked = carrying(act, CARD, &all());
        let before = world.books();
        match (world.admit(&asked), code) {
            (Ok(permit), None) => drop(permit.spend()),
            (Err(denial), Some(code)) => {
                assert_eq!(denial.code(), code);
                let detail = denial.detail();
                assert!(detail.contains("`deny:card-number` of the "), "{detail}");
                assert!(detail.contains("in the first 19 bytes of the body"), "{detail}");
                assert!(!detail.contains("4111"), "{detail}");
                assert_eq!(world.books(), before);
            }
            (other, code) => panic!("{other:?}, not {code:?}"),
        }
        // A file is nobody's business here.
        let plain = carrying(Act::Plain(Capability::Clock), CARD, &all());
        assert!(world.admit(&plain).is_ok());
    }
}

proptest! {
    /// Whatever passes, and however it is cut: the same is found, and nothing panics.
    #[test]
    fn cuts_change_nothing(
        text in concat!(
            "([ -~]{0,20}|4111 1111 1111 1111|sk-[a-z]{20}|[A-Za-z0-9+/]{20}|%[0-9a-f]{2}|",
            "\\\\u00[0-9a-f]{2}){0,8}",
        ),
        cuts in proptest::collection::vec(1_usize..30, 1..40),
    ) {
        let bytes = text.as_bytes();
        let (mut pieces, mut rest) = (Vec::new(), bytes);
        for cut in cuts {
            let (piece, after) = rest.split_at(cut.min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        pieces.push(rest);
        prop_assert_eq!(found_in(pieces), found(&text));
    }
}
