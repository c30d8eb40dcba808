//! What can be asked of a model, and how many tokens it can be at worst.

use envelope_evidence::Digest;
use envelope_rules::model::{
    ANTHROPIC, Ask, BadAsk, Image, Message, OPENAI, Overheads, Part, Role, Settings, TOOLS_MAX,
    Tool, ToolCall, ToolChoice, embedding_bound,
};
use proptest::prelude::*;

fn ask(parts: Vec<Part>) -> Ask {
    Ask {
        model: "m".to_owned(),
        messages: vec![Message { role: Role::User, parts }],
        tools: Vec::new(),
        tool_choice: ToolChoice::Auto,
        schema: None,
        max_output: 10,
        settings: Settings::default(),
    }
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
    let settings = |temperature: &str| Settings {
        temperature: Some(temperature.to_owned()),
        ..Settings::default()
    };
    let cases: Vec<(Ask, BadAsk)> = vec![
        (Ask { messages: vec![], ..sound.clone() }, BadAsk::NoMessage),
        (Ask { max_output: 0, ..sound.clone() }, BadAsk::NoOutput),
        (ask(vec![image("image/svg+xml")]), BadAsk::MediaType("image/svg+xml".to_owned())),
        (ask(vec![call("[]")]), BadAsk::NotObject("the arguments of a call")),
        (Ask { schema: Some("true".to_owned()), ..sound.clone() }, BadAsk::NotObject("the schema")),
        (Ask { tools: vec![tool("a b", "{}")], ..sound.clone() }, BadAsk::ToolName),
        (
            Ask { tools: vec![tool("t", "{}"); TOOLS_MAX + 1], ..sound.clone() },
            BadAsk::TooMany { what: "tools", found: TOOLS_MAX + 1, max: TOOLS_MAX },
        ),
        (Ask { settings: settings("2.1"), ..sound.clone() }, BadAsk::Setting("temperature")),
        (Ask { settings: settings("1e0"), ..sound.clone() }, BadAsk::Setting("temperature")),
        (Ask { settings: settings("-1"), ..sound.clone() }, BadAsk::Setting("temperature")),
    ];
    for (ask, why) in cases {
        assert_eq!(ask.check(), Err(why));
    }
    for fine in ["0", "0.7", "2", "2.0"] {
        assert_eq!(Ask { settings: settings(fine), ..sound.clone() }.check(), Ok(()), "{fine}");
    }
    assert_eq!(ask(vec![text(&"x".repeat(9 << 20))]).check(), Err(BadAsk::TooLong((9 << 20) + 1)));
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
