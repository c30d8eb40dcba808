//! Canonical JSON: the examples of RFC 8785, two independent implementations as oracles, and a
//! table of refusals with their places.

use envelope_evidence::canonical::{
    self, BYTES_MAX, DEPTH_MAX, POINTER_BYTES_MAX, Refused, Why, canonical, is_canonical,
};
use proptest::prelude::*;
use proptest::sample::Index;

fn written(text: &str) -> String {
    String::from_utf8(canonical(text.as_bytes()).expect(text)).unwrap()
}

fn refused(text: &str) -> Refused {
    canonical(text.as_bytes()).expect_err(text)
}

/// RFC 8785 §3.2.2 and §3.2.4, without the one member whose numbers are outside the profile.
#[test]
fn the_sample_of_rfc_8785() {
    let sample = r#"{
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }"#;
    let expected = r#"{"literals":[null,true,false],"string":"€$\u000f\nA'B\"\\\\\"/"}"#;
    assert_eq!(written(sample), expected);
    assert!(is_canonical(expected.as_bytes()));
    assert!(!is_canonical(sample.as_bytes()));

    let numbers = ["333333333.33333329", "1E30", "4.50", "2e-3", "0.000000000000000000000000001"];
    for number in numbers {
        let refused = refused(&format!(r#"{{"numbers": [0, {number}]}}"#));
        let why = if number == "1E30" { Why::TooLarge } else { Why::Fraction };
        assert_eq!((refused.pointer.as_deref(), refused.why), (Some("/numbers/1"), why));
    }
}

/// RFC 8785 §3.2.3: the emoji is two surrogates and comes before U+FB33.
#[test]
fn the_order_of_rfc_8785() {
    let sample = r#"{
      "\u20ac": "Euro Sign",
      "\r": "Carriage Return",
      "\ufb33": "Hebrew Letter Dalet With Dagesh",
      "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face",
      "\u0080": "Control",
      "\u00f6": "Latin Small Letter O With Diaeresis"
    }"#;
    let expected = concat!(
        r#"{"\r":"Carriage Return","1":"One","#,
        "\"\u{80}\":\"Control\",",
        r#""ö":"Latin Small Letter O With Diaeresis","€":"Euro Sign","#,
        r#""😀":"Emoji: Grinning Face","#,
        "\"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}",
    );
    assert_eq!(written(sample), expected);
}

/// RFC 8785 appendix B: of its numbers, those that are whole and exact. The others have a second
/// spelling, a fraction, or a neighbour that other readers take for the same number.
#[test]
fn the_numbers_of_rfc_8785() {
    for kept in ["0", "9007199254740991", "-9007199254740991", "1", "-1"] {
        assert_eq!(written(kept), kept);
    }
    let table = [
        ("-0", Why::NegativeZero),
        ("-0.0", Why::NegativeZero),
        ("5e-324", Why::Fraction),
        ("-5e-324", Why::Fraction),
        ("1.7976931348623157e+308", Why::TooLarge),
        ("9007199254740992", Why::TooLarge),
        ("-9007199254740992", Why::TooLarge),
        ("295147905179352830000", Why::TooLarge),
        ("9.999999999999997e+22", Why::TooLarge),
        ("1e+23", Why::TooLarge),
        ("18446744073709551615", Why::TooLarge),
        ("-9223372036854775808", Why::TooLarge),
        ("1e999", Why::TooLarge),
        ("9007199254740992.0", Why::TooLarge),
        ("9007199254740991.0", Why::Fraction),
        ("333333333.3333332", Why::Fraction),
        ("0.000001", Why::Fraction),
        ("-0.0000033333333333333333", Why::Fraction),
        ("1424953923781206.2", Why::Fraction),
        ("1.0", Why::Fraction),
        ("1e2", Why::Fraction),
        ("0.0", Why::Fraction),
    ];
    for (number, why) in table {
        assert_eq!(refused(number).why, why, "{number}");
    }
    for not_json in ["NaN", "Infinity", "+1", "01", "1.", ".5", "--1"] {
        let why = refused(not_json).why;
        assert!(matches!(why, Why::Syntax(_) | Why::Ended), "{not_json}: {why}");
    }
}

#[test]
fn a_refusal_names_the_place_and_the_reason() {
    let syntax = |text: &str| Why::Syntax(text.to_owned());
    let table: &[(&str, usize, &str, Why)] = &[
        (r#"{"a":1,"b":{"c":1.5}}"#, 19, "/b/c", Why::Fraction),
        (r#"{"a":[true,{"~/":-0}]}"#, 19, "/a/1/~0~1", Why::NegativeZero),
        (r#"{"n":9007199254740992}"#, 21, "/n", Why::TooLarge),
        (r#"{"a":1,"b":2,"a":3}"#, 19, "/a", Why::Duplicate),
        (r#"[{"a":1,"\u0061":3}]"#, 19, "/0/a", Why::Duplicate),
        (r#"{"x":{"":0,"":0}}"#, 16, "/x/", Why::Duplicate),
        (r#"["\ud800"]"#, 9, "/0", Why::LoneSurrogate),
        (r#"["\ud800\u0041"]"#, 14, "/0", Why::LoneSurrogate),
        (r#"["\udc00"]"#, 8, "/0", Why::LoneSurrogate),
        (r#"{"\udead":1}"#, 8, "", Why::LoneSurrogate),
        ("[1,\n 2,\n x]", 10, "/2", syntax("expected value")),
        ("[1,]", 4, "/1", syntax("trailing comma")),
        ("[1 2]", 4, "/1", syntax("expected `,` or `]`")),
        (r#"{"a":1,}"#, 8, "", syntax("trailing comma")),
        ("{1:2}", 2, "", syntax("key must be a string")),
        (
            "[\"a\nb\"]",
            4,
            "/0",
            syntax("control character (\\u0000-\\u001F) found while parsing a string"),
        ),
        (r#"["\x"]"#, 4, "/0", syntax("invalid escape")),
        ("\u{feff}1", 1, "", syntax("expected value")),
        ("", 0, "", Why::Ended),
        ("[1,", 3, "/1", Why::Ended),
        (r#"{"a":"b"#, 7, "/a", Why::Ended),
        ("tru", 3, "", Why::Ended),
    ];
    for (text, byte, pointer, why) in table {
        let pointer = Some((*pointer).to_owned());
        assert_eq!(refused(text), Refused { byte: *byte, pointer, why: why.clone() }, "{text}");
    }
    for (text, byte) in [("1 2", 3), ("{}\n{}", 4), ("null,", 5), ("[]\u{a0}", 3)] {
        assert_eq!(refused(text), Refused { byte, pointer: None, why: Why::Trailing }, "{text}");
    }
    for (bytes, byte) in
        [(&b"\"\xff\""[..], 1), (b"[\"ok\",\"\xed\xa0\x80\"]", 7), (b"\xc0\xaf", 0)]
    {
        let refused = canonical(bytes).unwrap_err();
        assert_eq!(refused, Refused { byte, pointer: None, why: Why::Utf8 });
    }
}

#[test]
fn limits_hold_exactly() {
    let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(written(&nested(DEPTH_MAX)), nested(DEPTH_MAX));
    let deep = refused(&nested(DEPTH_MAX + 1));
    assert_eq!((deep.why, deep.pointer), (Why::TooDeep, Some("/0".repeat(DEPTH_MAX))));
    assert_eq!(refused(&"[".repeat(100_000)).why, Why::TooDeep);
    assert_eq!(refused(&r#"{"a":"#.repeat(100_000)).why, Why::TooDeep);

    let beside = format!("[{}0]", r#"[],{"a":{}},"#.repeat(2 * DEPTH_MAX));
    assert_eq!(written(&beside), beside);

    let long = |length| format!("\"{}\"", "x".repeat(length - 2));
    assert_eq!(written(&long(BYTES_MAX)).len(), BYTES_MAX);
    let why = Why::TooLong { max: BYTES_MAX };
    assert_eq!(refused(&long(BYTES_MAX + 1)), Refused { byte: BYTES_MAX, pointer: None, why });
    assert_eq!(canonical::canonical_bounded(b"[1]", 3).unwrap(), b"[1]");
    assert!(canonical::canonical_bounded(b"[1]", 2).is_err());

    let member = |length: usize| refused(&format!(r#"{{"{}":0.5}}"#, "k".repeat(length))).pointer;
    assert_eq!(member(POINTER_BYTES_MAX - 1).unwrap().len(), POINTER_BYTES_MAX);
    assert_eq!(member(POINTER_BYTES_MAX), None);
}

/// What is composed and what is decomposed stay two texts.
#[test]
fn text_is_not_normalised() {
    assert_eq!(written("[\"\u{e9}\",\"e\u{301}\"]"), "[\"\u{e9}\",\"e\u{301}\"]");
    assert_eq!(written("{\"e\u{301}\":1,\"\u{e9}\":2}"), "{\"e\u{301}\":1,\"\u{e9}\":2}");
}

#[test]
fn typed_values_pass_the_same_door() {
    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Row {
        zebra: u64,
        ant: String,
    }
    let row = Row { zebra: 7, ant: "\u{1}é".to_owned() };
    let bytes = canonical::of(&row).unwrap();
    assert_eq!(bytes, "{\"ant\":\"\\u0001é\",\"zebra\":7}".as_bytes());
    assert_eq!(canonical::read::<Row>(&bytes), Ok(row));

    let why = |text: &str| canonical::read::<Row>(text.as_bytes()).unwrap_err();
    let swapped = why(r#"{"zebra":7,"ant":"x"}"#);
    assert_eq!(swapped, Refused { byte: 2, pointer: None, why: Why::NotCanonical });
    let extra = why(r#"{"ant":"x","bee":1,"zebra":7}"#);
    assert!(matches!(extra, Refused { byte: 16, why: Why::Shape(_), .. }), "{extra:?}");
    assert!(extra.to_string().contains("unknown field `bee`"), "{extra}");
    assert!(!extra.to_string().contains("line"), "{extra}");

    assert_eq!(canonical::of(&u64::MAX).unwrap_err().why, Why::TooLarge);
    assert_eq!(canonical::of(&1.0).unwrap_err().why, Why::Fraction);
    let no_names = std::collections::BTreeMap::from([(vec![1], 1)]);
    assert!(matches!(canonical::of(&no_names).unwrap_err().why, Why::Unwritable(_)));
}

/// A document of the profile before it is spelled.
#[derive(Debug, Clone)]
pub enum Doc {
    Plain(&'static str),
    Integer(i64),
    Text(Vec<char>),
    Array(Vec<Doc>),
    Object(Vec<(Vec<char>, Doc)>),
}

/// Characters around every border that matters to order or escaping.
fn character() -> impl Strategy<Value = char> {
    prop_oneof![
        4 => proptest::char::range('a', 'd'),
        2 => proptest::char::range('\0', '\u{7f}'),
        1 => proptest::char::range('\u{80}', '\u{7ff}'),
        1 => proptest::char::range('\u{d7f0}', '\u{d7ff}'),
        2 => proptest::char::range('\u{e000}', '\u{ffff}'),
        2 => proptest::char::range('\u{10000}', '\u{10ffff}'),
        1 => any::<char>(),
    ]
}

fn text() -> impl Strategy<Value = Vec<char>> {
    proptest::collection::vec(character(), 0..6)
}

fn doc() -> impl Strategy<Value = Doc> {
    let edge: i64 = (1 << 53) - 1;
    let leaf = prop_oneof![
        proptest::sample::select(vec!["null", "true", "false"]).prop_map(Doc::Plain),
        prop_oneof![-edge..=edge, -300..300_i64, Just(edge), Just(-edge)].prop_map(Doc::Integer),
        text().prop_map(Doc::Text),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        let member = (text(), inner.clone());
        prop_oneof![
            proptest::collection::vec(inner, 0..8).prop_map(Doc::Array),
            proptest::collection::vec(member, 0..8).prop_map(|mut members| {
                let mut seen = std::collections::HashSet::new();
                members.retain(|(key, _)| seen.insert(key.clone()));
                Doc::Object(members)
            }),
        ]
    })
}

/// Spells `doc` in one of its many ways, as `noise` has it.
fn spell(doc: &Doc, noise: &mut impl Iterator<Item = u8>, out: &mut String) {
    let mut space = |out: &mut String| {
        out.push_str(
            ["", "", "", " ", "\n", "\t\r", "  \n"][usize::from(noise.next().unwrap() % 7)],
        );
    };
    space(out);
    match doc {
        Doc::Plain(word) => out.push_str(word),
        Doc::Integer(number) => out.push_str(&number.to_string()),
        Doc::Text(text) => spell_text(text, noise, out),
        Doc::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                spell(item, noise, out);
            }
            out.push(']');
        }
        Doc::Object(members) => {
            out.push('{');
            for (index, (key, value)) in members.iter().enumerate() {
                out.push_str(if index == 0 { "\n" } else { "\t," });
                spell_text(key, noise, out);
                out.push_str(" :");
                spell(value, noise, out);
            }
            out.push('}');
        }
    }
    out.push_str([" ", ""][usize::from(noise.next().unwrap() % 2)]);
}

fn spell_text(text: &[char], noise: &mut impl Iterator<Item = u8>, out: &mut String) {
    out.push('"');
    for &character in text {
        let short = "\u{8}\t\n\u{c}\r\"\\/".find(character).map(|at| &"btnfr\"\\/"[at..=at]);
        match (noise.next().unwrap() % 4, short) {
            (0 | 1, Some(short)) => out.push_str(&format!("\\{short}")),
            (0, None) => escape(character, out, |unit| format!("\\u{unit:04X}")),
            (2 | 3, _) if character >= ' ' && !matches!(character, '"' | '\\') => {
                out.push(character);
            }
            _ => escape(character, out, |unit| format!("\\u{unit:04x}")),
        }
    }
    out.push('"');
}

fn escape(character: char, out: &mut String, spelled: impl Fn(u16) -> String) {
    out.extend(character.encode_utf16(&mut [0; 2]).iter().map(|unit| spelled(*unit)));
}

pub fn spelled(doc: &Doc, noise: &[u8]) -> String {
    let mut text = String::new();
    spell(doc, &mut noise.iter().copied().cycle(), &mut text);
    text
}

fn noise() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 1..64)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn two_other_implementations_agree(doc in doc(), first in noise(), second in noise()) {
        let text = spelled(&doc, &first);
        let ours = canonical(text.as_bytes()).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&ours, &serde_jcs::to_vec(&value).unwrap());
        prop_assert_eq!(&ours, &serde_json_canonicalizer::to_vec(&value).unwrap());
        prop_assert_eq!(&ours, &canonical(spelled(&doc, &second).as_bytes()).unwrap());
        prop_assert_eq!(&ours, &canonical::of(&value).unwrap());
        prop_assert_eq!(&ours, &canonical(&ours).unwrap());
        prop_assert_eq!(canonical::read::<serde_json::Value>(&ours).unwrap(), value);
        prop_assert_eq!(is_canonical(text.as_bytes()), text.as_bytes() == ours);
        prop_assert!(ours.len() <= text.len());
    }

    /// Whatever is done to canonical bytes, they are refused or they say something else.
    #[test]
    fn no_two_spellings(doc in doc(), at in any::<Index>(), byte in any::<u8>(), how in 0..3) {
        let ours = canonical(spelled(&doc, &[3]).as_bytes()).unwrap();
        let mut other = ours.clone();
        let at = at.index(ours.len());
        match how {
            0 => other[at] = byte,
            1 => other.insert(at, byte),
            _ => { other.remove(at); }
        }
        if other != ours && is_canonical(&other) {
            let value = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).unwrap();
            prop_assert_ne!(value(&ours), value(&other));
        }
        if let Err(refused) = canonical(&other) {
            prop_assert!(refused.byte <= other.len(), "{}", refused);
        }
    }

    /// A member told twice is found wherever it hides.
    #[test]
    fn duplicates_are_found(
        doc in doc(),
        key in text(),
        at in any::<Index>(),
        depth in 0..9_usize,
    ) {
        let Doc::Object(mut members) = doc else { return Ok(()) };
        members.retain(|(other, _)| *other != key);
        members.insert(at.index(members.len() + 1), (key.clone(), Doc::Plain("null")));
        let wrap = |members: Vec<_>| {
            (0..depth).fold(Doc::Object(members), |inner, _| Doc::Array(vec![inner]))
        };
        prop_assert!(canonical(spelled(&wrap(members.clone()), &[0, 9]).as_bytes()).is_ok());
        members.insert(at.index(members.len() + 1), (key.clone(), Doc::Integer(1)));
        let refused = canonical(spelled(&wrap(members), &[7, 0]).as_bytes()).unwrap_err();
        prop_assert_eq!(refused.why, Why::Duplicate);
        let name: String = key.into_iter().collect();
        let name = name.replace('~', "~0").replace('/', "~1");
        prop_assert_eq!(refused.pointer.unwrap(), format!("{}/{name}", "/0".repeat(depth)));
    }

    #[test]
    fn no_bytes_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..64),
        text in r#"[\[\]{}",:0-9eE.\\u\-dD a-f]{0,40}"#,
    ) {
        let _ = canonical(&bytes);
        let _ = canonical(text.as_bytes());
        let _ = canonical::read::<serde_json::Value>(text.as_bytes());
    }
}
