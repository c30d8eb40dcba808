//! What can be asked of a model, and how many tokens it can be at worst.

use envelope_evidence::Digest;
use envelope_rules::model::{
    ANTHROPIC, Ask, BadAsk, Image, Message, OPENAI, Overheads, Part, Role, STOPS_MAX, Sampling,
    TOOLS_MAX, Tool, ToolCall, embedding_bound,
};
use proptest::prelude::*;

fn ask(parts: Vec<Part>) -> Ask {
    Ask {
        model: "m".to_owned(),
        messages: vec![Message { role: Role::User, parts }],
        tools: Vec::new(),
        schema: None,
        max_output: 10,
        sampling: Sampling::default(),
    }
}

fn said(role: Role, part: Part) -> Ask {
    let messages = vec![Message { role, parts: vec![part] }];
    Ask { messages, ..ask(Vec::new()) }
}

fn text(words: &str) -> Part {
    Part::Text(words.to_owned())
}

fn tool(name: &str, parameters: &str) -> Tool {
    let (name, parameters) = (name.to_owned(), parameters.to_owned());
    Tool { name, description: String::new(), parameters }
}

fn image(media_type: &str) -> Part {
    Part::Image(Image { media_type: media_type.to_owned(), digest: Digest::of(b"") })
}

#[test]
fn what_makes_no_sense_is_refused() {
    let sound = ask(vec![text("Hello")]);
    assert_eq!(sound.check(), Ok(()));
    let call = |arguments: &str| {
        let (id, name) = (String::new(), "t".to_owned());
        Part::Call(ToolCall { id, name, arguments: arguments.to_owned() })
    };
    let cases: Vec<(Ask, BadAsk)> = vec![
        (Ask { messages: vec![], ..sound.clone() }, BadAsk::NoMessage),
        (Ask { max_output: 0, ..sound.clone() }, BadAsk::NoOutput),
        (ask(vec![image("image/svg+xml")]), BadAsk::MediaType("image/svg+xml".to_owned())),
        (said(Role::Assistant, call("[]")), BadAsk::NotObject("the arguments of a call")),
        (Ask { schema: Some("true".to_owned()), ..sound.clone() }, BadAsk::NotObject("the schema")),
        (Ask { tools: vec![tool("a b", "{}")], ..sound.clone() }, BadAsk::ToolName),
        (
            Ask { tools: vec![tool("t", "{}"); TOOLS_MAX + 1], ..sound.clone() },
            BadAsk::TooMany { what: "tools", found: TOOLS_MAX + 1, max: TOOLS_MAX },
        ),
    ];
    for (ask, why) in cases {
        assert_eq!(ask.check(), Err(why));
    }
    let drawn = |sampling: Sampling| Ask { sampling, ..sound.clone() }.check();
    for (text, fits) in
        [("0", true), ("0.7", true), ("2", true), ("2.1", false), ("-1", false), ("\"1\"", false)]
    {
        let temperature = Some(text.to_owned());
        let found = drawn(Sampling { temperature, ..Sampling::default() });
        assert_eq!(found.is_ok(), fits, "{text}");
    }
    let stop = |texts: &[&str]| {
        let stop = texts.iter().map(|text| (*text).to_owned()).collect();
        drawn(Sampling { stop, ..Sampling::default() })
    };
    assert_eq!(stop(&["END"; STOPS_MAX]), Ok(()));
    assert!(stop(&["END"; STOPS_MAX + 1]).is_err());
    assert_eq!(stop(&[""]), Err(BadAsk::EmptyStop));
    assert_eq!(ask(vec![text(&"x".repeat(9 << 20))]).check(), Err(BadAsk::TooLong((9 << 20) + 1)));
}

/// No provider's format has a place for a part that its author cannot say: it is refused before it
/// is priced, whoever would be asked.
#[test]
fn everybody_says_what_is_theirs() {
    use Role::{Assistant, System, Tool, User};
    let answer = || Part::Answer { id: "1".to_owned(), text: "clear".to_owned() };
    let call = || {
        let (id, name) = ("1".to_owned(), "t".to_owned());
        Part::Call(ToolCall { id, name, arguments: "{}".to_owned() })
    };
    for (part, what, allowed) in [
        (text("Hello"), "words", &[System, User, Assistant][..]),
        (image("image/png"), "picture", &[User]),
        (call(), "call of a tool", &[Assistant]),
        (answer(), "answer of a tool", &[User, Tool]),
    ] {
        for role in [System, User, Assistant, Tool] {
            let checked = said(role, part.clone()).check();
            if allowed.contains(&role) {
                assert_eq!(checked, Ok(()), "{role:?} {what}");
            } else {
                assert_eq!(checked, Err(BadAsk::Place { role, what }), "{role:?} {what}");
            }
        }
    }
}

/// A provider may read JSON and write it again, longer: the bound holds for every spelling.
#[test]
fn json_is_counted_at_its_longest() {
    let bound = |description: &str, parameters: &str| {
        let mut tool = tool("t", parameters);
        tool.description = description.to_owned();
        Ask { tools: vec![tool], ..ask(vec![]) }.bound(&OPENAI).input
    };
    let empty = bound("", "");
    let length = |text: &str| u64::try_from(text.len()).unwrap();
    for (written, spelled) in [
        ("[1e20]", "[100000000000000000000]"),
        ("[1e15,1E15]", "[1000000000000000.0, 1000000000000000.0]"),
        ("[-1e-7]", "[-0.0000001]"),
        ("{\"a\":1,\"b\":true}", "{\"a\": 1, \"b\": true}"),
        ("[\"\u{e9}\",\"\u{1f980}\"]", "[\"\\u00e9\", \"\\ud83e\\udd80\"]"),
        ("[\"\\\"1e20,\\\\\",1e20]", "[\"\\\"1e20,\\\\\", 100000000000000000000]"),
    ] {
        let same: serde_json::Value = serde_json::from_str(written).unwrap();
        assert_eq!(same, serde_json::from_str::<serde_json::Value>(spelled).unwrap());
        let counted = bound("", written) - empty;
        assert!(counted >= length(spelled).max(length(written)), "{written}: {counted}");
    }
    let words = "tab\t \"quoted\" \u{1}";
    assert!(bound(words, "") - empty >= length(&serde_json::to_string(words).unwrap()) - 2);
    // Words, digits of words and the marks in them are what they are.
    assert_eq!(bound("Plain words, 2026.", "{\"in 2026, on the 3rd\":true}") - empty, 18 + 29);
}

proptest! {
    /// No tokenizer makes more of it: every byte the guest wrote is counted, in every script, and
    /// every frame is counted beside.
    #[test]
    fn the_bound_is_above_every_byte(
        words in prop::collection::vec("\\PC{0,40}", 0..12),
        tools in 0_usize..4,
        images in 0_usize..3,
        anthropic in any::<bool>(),
    ) {
        let table: &Overheads = if anthropic { &ANTHROPIC } else { &OPENAI };
        let parts = words.iter().map(|it| text(it));
        let pictures = std::iter::repeat_n(image("image/png"), images);
        let mut ask = ask(parts.chain(pictures).collect());
        ask.tools = vec![tool("tool", "{}"); tools];
        let bytes: usize = words.iter().map(String::len).sum::<usize>() + 6 * tools;
        let bound = ask.bound(table);
        let wide = |count: usize| u64::try_from(count).unwrap();
        prop_assert!(bound.input >= wide(bytes) + wide(images) * table.image);
        prop_assert!(bound.input >= wide(tools) * table.tool + table.request + table.message);
        prop_assert_eq!((bound.max_output, bound.choices.get()), (10, 1));
        // More of anything is never less.
        ask.messages.push(Message { role: Role::User, parts: vec![text("")] });
        prop_assert!(ask.bound(table).input > bound.input);
        let vectors = embedding_bound(&words, table);
        prop_assert!(vectors.input >= wide(words.iter().map(String::len).sum()));
        prop_assert_eq!(vectors.max_output, 0);
    }
}
