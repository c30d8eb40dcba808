//! How words are drawn, said in our own words: what both vendors understand, and what one does not.

use serde_json::{Value, json};

use super::desk::desk;
use super::front::twice_hi;
use super::wire::{anthropic, openai};

/// What a provider cannot do, it is not asked.
#[test]
fn how_words_are_drawn_is_said_in_our_own_words_too() {
    let upstream = twice_hi();
    let acts = "ask-drawn 0.1,1,END,7 openai/small 50 Hello; ask-drawn 0,0.5,END,- \
                anthropic/claude 50 Hello; ask-drawn -,-,-,7 anthropic/claude 50 Hello; ask-drawn \
                2.5,-,-,- openai/small 50 Hello; ask-drawn -,x,-,- openai/small 50 Hello";
    let told = desk(acts)
        .with("openai", "openai/small", openai(&upstream.url))
        .with("anthropic", "anthropic/claude", anthropic(&upstream.url))
        .run();
    let said = told.said();
    let said: Vec<_> = said.split("; ").collect();
    assert!(said[0].starts_with("ask-drawn: ok openai/small stop"), "{}", said[0]);
    assert!(said[1].starts_with("ask-drawn: ok anthropic/claude stop"), "{}", said[1]);
    assert!(said[2].contains("unavailable") && said[2].contains("seed"), "{}", said[2]);
    assert!(said[3].contains("invalid") && said[3].contains("temperature"), "{}", said[3]);
    assert!(said[4].contains("invalid") && said[4].contains("top_p"), "{}", said[4]);
    let seen = upstream.seen();
    let [chat, messages] = &seen[..] else { panic!("{} requests", seen.len()) };
    let body = &chat.body;
    assert_eq!((&body["temperature"], &body["top_p"]), (&json!(0.1), &json!(1)));
    assert_eq!((&body["stop"], &body["seed"]), (&json!(["END"]), &json!(7)));
    let body = &messages.body;
    assert_eq!((&body["temperature"], &body["top_p"]), (&json!(0), &json!(0.5)));
    assert_eq!((&body["stop_sequences"], &body["seed"]), (&json!(["END"]), &Value::Null));
    told.replays_same();
}
