//! The public table of prices becomes a book, exactly, or is left out.

use envelope_rules::budget::{
    BadTable, Billed, ModelCall, PicoUsdPerUnit, TABLE_BYTES_MAX, import,
};
use serde_json::json;
use std::num::NonZeroU32;

fn book(table: &serde_json::Value) -> envelope_rules::budget::Imported {
    import(table.to_string().as_bytes(), |_| true).unwrap()
}

/// A model of the table with these fields beside what every one has.
fn one(fields: serde_json::Value) -> serde_json::Value {
    let mut entry = json!({ "litellm_provider": "openai", "mode": "chat",
        "input_cost_per_token": 1.5e-7, "output_cost_per_token": 6e-7 });
    for (name, value) in fields.as_object().unwrap() {
        entry[name] = value.clone();
    }
    json!({ "m": entry })
}

fn bounds(input: u64, max_output: u64, writes_cache: bool) -> ModelCall {
    ModelCall { input, max_output, choices: NonZeroU32::MIN, writes_cache }
}

#[test]
fn prices_are_taken_exactly() {
    let imported = book(&one(json!({ "max_output_tokens": 100 })));
    let price = imported.book.price("openai/m").unwrap();
    // Two times 0.15 and three times 0.6 dollars a million: 0.3 and 1.8 micro-dollars.
    let billed = Billed { input: 2, output: 3, ..Billed::default() };
    assert_eq!(price.actual(&billed).unwrap().get(), 2_100);
    assert_eq!(price.within(&bounds(1, 1_000, false)).max_output, 100);
    assert_eq!(price.within(&bounds(1, 10, false)).max_output, 10);
    for (text, pico) in [("1e-13", 1), ("3.0000000000000004e-08", 30_001), ("2e-08", 20_000)] {
        let rounded = PicoUsdPerUnit::per_unit_rounded_up(text).unwrap();
        assert_eq!(rounded.get(), pico, "{text}: never below what is listed");
    }
}

/// The worst case is computed from the dearest price that a request can reach.
#[test]
fn tiers_caches_thoughts_pictures_and_fees_count() {
    let worst = |fields, call: &ModelCall| {
        book(&one(fields)).book.price("openai/m").unwrap().worst(call).unwrap().get()
    };
    let call = bounds(1_000, 1_000, true);
    let plain = 1_000 * 150 + 1_000 * 600;
    assert_eq!(worst(json!({}), &call), plain);
    let long = json!({ "input_cost_per_token_above_200k_tokens": 3e-7,
        "output_cost_per_token_above_200k_tokens": 1.2e-6 });
    assert_eq!(worst(long.clone(), &call), plain, "it is not reached");
    let far = bounds(200_001, 1_000, true);
    assert_eq!(worst(long, &far), 200_001 * 300 + 1_000 * 1_200);
    assert_eq!(worst(json!({ "cache_creation_input_token_cost": 2e-7 }), &call), plain + 50_000);
    let hour = json!({ "cache_creation_input_token_cost": 2e-7,
        "cache_creation_input_token_cost_above_1hr": 3e-7 });
    assert_eq!(worst(hour, &call), plain + 150_000);
    assert_eq!(worst(json!({ "output_cost_per_reasoning_token": 1e-6 }), &call), plain + 400_000);
    assert_eq!(worst(json!({ "input_cost_per_image_token": 2.5e-7 }), &call), plain + 100_000);
    assert_eq!(worst(json!({ "input_cost_per_request": 0.01 }), &call), plain + 10_000_000);
    let unreached = json!({ "input_cost_per_token_priority": 9e-7, "input_cost_per_audio_token": 1,
        "search_context_cost_per_query": { "search_context_size_low": 0.03 } });
    assert_eq!(worst(unreached, &call), plain, "no request of ours takes that lane or asks for it");
}

#[test]
fn what_has_no_worst_case_is_left_out() {
    for (fields, why) in [
        (json!({ "mode": "image_generation" }), "neither answers nor embeds"),
        (json!({ "input_cost_per_token": null }), "no price for a token"),
        (json!({ "output_cost_per_token": null }), "no price for a token of an answer"),
        (json!({ "input_cost_per_token": 0, "output_cost_per_token": 0 }), "costs nothing"),
        (json!({ "input_cost_per_token": "dear" }), "a price that is no decimal"),
        (json!({ "input_cost_per_token": -1e-7 }), "a price that is no decimal"),
        (json!({ "output_cost_per_second": 0.1 }), "charges for something"),
        (json!({ "citation_cost_per_token": 1e-6 }), "charges for something"),
    ] {
        let imported = book(&one(fields.clone()));
        assert!(imported.book.is_empty(), "{fields}");
        let left: Vec<_> = imported.left.keys().collect();
        assert!(left[0].starts_with(why), "{fields}: {left:?}");
    }
    let searching = json!({ "gpt-search": one(json!({}))["m"] });
    assert!(book(&searching).book.is_empty(), "it searches by itself");
    let others = import(one(json!({})).to_string().as_bytes(), |name| name == "anthropic").unwrap();
    assert_eq!(others.left["another provider"], 1);
    for bad in ["", "[]", "{\"m\":1}", "{\"m\":{}"] {
        assert!(matches!(import(bad.as_bytes(), |_| true), Err(BadTable::Shape(_))), "{bad}");
    }
    let large = vec![b' '; TABLE_BYTES_MAX + 1];
    assert!(matches!(import(&large, |_| true), Err(BadTable::TooLarge(_))));
}

/// Of two prices for one name neither is taken: which one holds would be a matter of chance.
#[test]
fn two_entries_of_one_name_are_one_price_or_none() {
    let at = |input: f64| one(json!({ "input_cost_per_token": input }))["m"].clone();
    let twice = |first: f64, second: f64| {
        book(&json!({ "m": at(first), "openai/m": at(second), "other": at(1e-6) }))
    };
    let same = twice(1e-6, 1e-6);
    assert_eq!((same.book.len(), same.left["named twice"]), (2, 1));
    for (first, second) in [(1e-6, 2e-6), (2e-6, 1e-6)] {
        let unequal = twice(first, second);
        assert!(unequal.book.price("openai/m").is_err(), "{first} and {second}");
        assert!(unequal.book.price("openai/other").is_ok());
        assert_eq!(unequal.left["named twice, at different prices"], 2);
    }
}

/// The book that comes with the program is one, says where it is from, and prices what people use.
#[test]
fn the_book_of_this_repository_is_whole() {
    let path = crate::cargo::root().join("policies/prices.json");
    let text = std::fs::read(path).unwrap();
    let bytes = text.strip_suffix(b"\n").expect("one line");
    let book: envelope_rules::budget::PriceBook =
        envelope_evidence::canonical::read(bytes).unwrap();
    let source = book.source().expect("a source");
    assert!(source.name.contains("litellm"), "{}", source.name);
    assert!(book.len() > 100, "{}", book.len());
    for model in
        ["openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5", "openai/text-embedding-3-small"]
    {
        assert!(book.price(model).is_ok(), "{model}");
    }
    let claude = book.price("anthropic/claude-sonnet-4-5").unwrap();
    let billed = Billed { input: 1_000, output: 100, ..Billed::default() };
    assert_eq!(claude.actual(&billed).unwrap().get(), 4_500_000, "three and fifteen a million");
}
