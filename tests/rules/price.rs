//! Money and prices: exact, rounded up, and never below what a provider may bill.

use std::num::NonZeroU32;

use envelope_evidence::usage::{Dimension, MAX_EXACT, Usage};
use envelope_rules::Code;
use envelope_rules::budget::{
    BadBook, BadPrice, Billed, DECIMAL_CHARS_MAX, ModelCall, NanoUsd, PicoUsdPerUnit, Price,
    PriceBook, Rates, Tier, Why,
};
use proptest::prelude::*;

fn per_million(text: &str) -> PicoUsdPerUnit {
    PicoUsdPerUnit::per_million(text).unwrap()
}

fn rates(input: &str, output: &str) -> Rates {
    Rates {
        input: per_million(input),
        cache_read: None,
        cache_write: None,
        cache_write_long: None,
        output: per_million(output),
        reasoning: None,
    }
}

fn price(rates: Rates) -> Price {
    Price::new(rates, Vec::new(), NanoUsd::ZERO).unwrap()
}

fn call(input: u64, max_output: u64) -> ModelCall {
    ModelCall { input, max_output, choices: NonZeroU32::MIN, writes_cache: false }
}

#[test]
fn decimals_are_read_exactly_or_not_at_all() {
    for (text, pico) in [
        ("0", 0),
        ("0.0", 0),
        ("0e9", 0),
        ("0.15", 150_000),
        ("0.150000", 150_000),
        ("15E-2", 150_000),
        ("0.0000015e+5", 150_000),
        ("0.000001", 1),
        ("3", 3_000_000),
        ("18446744073709.551615", u64::MAX),
    ] {
        assert_eq!(PicoUsdPerUnit::per_million(text).map(PicoUsdPerUnit::get), Ok(pico), "{text}");
    }
    for (text, at, why) in [
        ("", 0, Why::Digit),
        (".5", 0, Why::Digit),
        ("5.", 2, Why::Digit),
        ("-1", 0, Why::Digit),
        ("+1", 0, Why::Digit),
        (" 1", 0, Why::Digit),
        ("NaN", 0, Why::Digit),
        ("inf", 0, Why::Digit),
        ("1e", 2, Why::Digit),
        ("1e+", 3, Why::Digit),
        ("1e+-5", 3, Why::Digit),
        ("1 ", 1, Why::Trailing),
        ("1,5", 1, Why::Trailing),
        ("1_000", 1, Why::Trailing),
        ("1.5.2", 3, Why::Trailing),
        ("0x10", 1, Why::Trailing),
        ("0.15 USD", 4, Why::Trailing),
        ("٣", 0, Why::Digit),
        ("01", 0, Why::LeadingZero),
        ("00", 0, Why::LeadingZero),
        ("1e1000", 2, Why::TooLong),
        ("0.0000001", 0, Why::NotExact),
        ("1.0000000000000001e-01", 0, Why::NotExact),
        ("1e-999", 0, Why::NotExact),
        ("1e999", 0, Why::TooLarge),
        ("18446744073709.551616", 0, Why::TooLarge),
    ] {
        let bad = PicoUsdPerUnit::per_million(text).unwrap_err();
        assert_eq!((bad.at, bad.why), (at, why), "{text}");
        assert!(bad.to_string().contains(&format!("`{text}`")), "{bad}");
    }
    let digits = PicoUsdPerUnit::per_million(&"9".repeat(40)).unwrap_err();
    assert_eq!((digits.at, digits.why), (38, Why::TooLong));
    let long = PicoUsdPerUnit::per_million(&"é".repeat(1000)).unwrap_err();
    assert_eq!((long.why, long.text.chars().count()), (Why::TooLong, DECIMAL_CHARS_MAX));
}

#[test]
fn the_public_tables_spellings_are_read_per_unit() {
    let pico = |text| PicoUsdPerUnit::per_unit(text).map(PicoUsdPerUnit::get);
    assert_eq!(pico("1.5e-07"), Ok(150_000));
    assert_eq!(pico("6E-7"), Ok(600_000));
    assert_eq!(pico("1e-11"), Ok(10));
    assert_eq!(pico("0.00003"), Ok(30_000_000));
    assert_eq!(pico("1e-13").unwrap_err().why, Why::NotExact);
    assert_eq!(pico("3.0000000000000004e-08").unwrap_err().why, Why::NotExact);
}

#[test]
fn amounts_are_shown_in_dollars() {
    for (nano, shown) in [
        (0, "$0.00"),
        (150, "$0.00000015"),
        (600_000_000, "$0.60"),
        (12_345_000_000, "$12.345"),
        (MAX_EXACT, "$9007199.254740991"),
    ] {
        assert_eq!(NanoUsd::new(nano).unwrap().to_string(), shown);
    }
    assert_eq!(NanoUsd::new(MAX_EXACT + 1), None);
    assert_eq!("9007199.254740992".parse::<NanoUsd>().unwrap_err().why, Why::TooLarge);
}

#[test]
fn charges_are_rounded_up_once() {
    let cost = |rate: u64, tokens: u64| {
        let rates = Rates { input: PicoUsdPerUnit::new(rate), ..rates("0", "0") };
        price(rates).worst(&call(tokens, 0)).unwrap().get()
    };
    assert_eq!(cost(150_000, 1), 150, "one token at $0.15 per million");
    assert_eq!(cost(1, 1), 1);
    assert_eq!(cost(1, 1000), 1);
    assert_eq!(cost(1, 1001), 2);
    assert_eq!(cost(1500, 3), 5);
    // Not once per part: a thousandth each of input, output and fee is one nano-dollar.
    let third = Rates {
        input: PicoUsdPerUnit::new(400),
        output: PicoUsdPerUnit::new(600),
        ..rates("0", "0")
    };
    assert_eq!(price(third).worst(&call(1, 1)).unwrap().get(), 1);
}

#[test]
fn what_has_no_price_is_denied() {
    let book = PriceBook::new([("acme/small".to_owned(), price(rates("0", "0")))]).unwrap();
    assert!(book.price("acme/small").is_ok(), "an explicit zero is a price");
    for unknown in ["acme/large", "acme/Small", "acme/small ", ""] {
        let denial = book.price(unknown).unwrap_err();
        assert_eq!(
            (denial.code(), denial.detail()),
            (Code::BudgetUnpriced, &*format!("`{unknown}`"))
        );
    }
}

#[test]
fn what_overflows_is_denied() {
    let dear = price(Rates {
        input: PicoUsdPerUnit::new(u64::MAX),
        output: PicoUsdPerUnit::new(u64::MAX),
        ..rates("0", "0")
    });
    assert!(dear.worst(&call(1, 0)).is_err(), "eighteen million dollars a token");
    let cheap = price(rates("0", "1"));
    assert!(cheap.worst(&call(0, MAX_EXACT / 1000)).is_ok());
    let full = ModelCall {
        input: u64::MAX,
        max_output: u64::MAX,
        choices: NonZeroU32::MAX,
        writes_cache: true,
    };
    for (price, call) in [(&dear, &full), (&cheap, &full), (&cheap, &call(0, MAX_EXACT + 1))] {
        assert_eq!(price.worst(call).unwrap_err().code(), Code::BudgetOverflow);
        assert_eq!(price.reservation(call).unwrap_err().code(), Code::BudgetOverflow);
    }
    let free = price(rates("0", "0"));
    assert!(free.worst(&full).is_ok());
    assert_eq!(free.reservation(&full).unwrap_err().code(), Code::BudgetOverflow);
    let billed = Billed { input: u64::MAX, cache_read: u64::MAX, ..Billed::default() };
    assert_eq!(dear.actual(&billed).unwrap_err().code(), Code::BudgetOverflow);
    assert_eq!(billed.tokens(), None);
}

#[test]
fn a_tier_counts_from_the_first_token_above_it() {
    let tier = |above, input, output| Tier { above, rates: rates(input, output) };
    let tiers = vec![tier(100, "4", "1"), tier(200, "3", "5")];
    let price = Price::new(rates("1", "2"), tiers, NanoUsd::new(7).unwrap()).unwrap();
    let worst = |input| price.worst(&call(input, 10)).unwrap().get();
    assert_eq!(worst(100), 7 + 100_000 + 20_000);
    assert_eq!(worst(101), 7 + 101 * 4000 + 20_000, "the dearer output of the base is in reach");
    assert_eq!(worst(201), 7 + 201 * 4000 + 50_000, "and so is the dearer input of a lower tier");
    let actual = |input| price.actual(&Billed { input, output: 10, ..Billed::default() });
    assert_eq!(actual(100).unwrap().get(), 7 + 100_000 + 20_000);
    assert_eq!(actual(101).unwrap().get(), 7 + 101 * 4000 + 10_000);
    assert_eq!(actual(201).unwrap().get(), 7 + 201 * 3000 + 50_000);

    let new = |aboves: &[u64]| {
        let tiers = aboves.iter().map(|&above| tier(above, "1", "1")).collect();
        Price::new(rates("1", "1"), tiers, NanoUsd::ZERO).map(|_| ())
    };
    assert_eq!(new(&[1, 2, 3]), Ok(()));
    assert_eq!(new(&[1, 2, 2]), Err(BadPrice::TierOrder));
    assert_eq!(new(&[2, 1]), Err(BadPrice::TierOrder));
    assert_eq!(new(&[1, 2, 3, 4, 5, 6, 7, 8, 9]), Err(BadPrice::TooManyTiers));
}

/// A report beyond all numbers is no excuse to book less than was held.
#[test]
fn what_is_settled_is_the_report_or_more_than_any_hold() {
    let price = price(rates("1", "2"));
    let settled = |billed| {
        let usage = price.settlement(&billed);
        (usage.get(Dimension::NanoUsd), usage.get(Dimension::Tokens))
    };
    assert_eq!(settled(Billed { input: 3, output: 4, ..Billed::default() }), (11_000, 7));
    assert_eq!(settled(Billed::default()), (0, 0));
    for (input, output) in [(u64::MAX, u64::MAX), (MAX_EXACT + 1, 0)] {
        let billed = Billed { input, output, ..Billed::default() };
        assert_eq!(settled(billed), (MAX_EXACT, MAX_EXACT));
    }
}

#[test]
fn a_clamped_call_says_what_it_could_afford() {
    let price = price(rates("1", "2"));
    let left = |nano, tokens| {
        let row = Usage::ZERO.with(Dimension::NanoUsd, nano).unwrap();
        row.with(Dimension::Tokens, tokens).unwrap()
    };
    let clamp = |left, asked, floor| price.clamp(&call(100, asked), &left, floor);
    let afforded = |left, asked, floor| clamp(left, asked, floor).map(|call| call.max_output);
    assert_eq!(afforded(left(MAX_EXACT, MAX_EXACT), 500, 256), Ok(500));
    assert_eq!(afforded(left(700_000, MAX_EXACT), 500, 256), Ok(300));
    assert_eq!(afforded(left(MAX_EXACT, 400), 500, 256), Ok(300));
    assert_eq!(afforded(left(612_000, MAX_EXACT), 500, 256), Ok(256));
    assert_eq!(afforded(left(120_000, MAX_EXACT), 10, 256), Ok(10), "what was asked is enough");
    assert_eq!(afforded(left(102_000, MAX_EXACT), 10, 0), Ok(1));
    assert!(afforded(left(101_999, MAX_EXACT), 10, 0).is_err(), "no answer is no bound");
    assert_eq!(afforded(left(100_000, MAX_EXACT), 0, 0), Ok(0), "none was asked for");
    for (left, detail) in [
        (left(611_999, MAX_EXACT), "can afford 255 output tokens, fewer than 256"),
        (left(99_999, MAX_EXACT), "the input alone is above what remains"),
        (left(MAX_EXACT, 99), "the input alone is above what remains"),
    ] {
        let denial = clamp(left, 500, 256).unwrap_err();
        assert_eq!((denial.code(), denial.detail()), (Code::BudgetExhausted, detail));
    }
}

#[test]
fn a_book_on_paper() {
    let paper = r#"{"models":{
        "acme/large":{"base":{"input":"3","cache_read":"0.30","cache_write":"3.75",
            "cache_write_long":"6","output":"15.00","reasoning":"15"},
            "tiers":[{"above":200000,"rates":{"input":"6","output":"22.5"}}],"request":"0.01"},
        "acme/small":{"base":{"input":"1.5e-1","output":"0.6"}}}}"#;
    let book: PriceBook = serde_json::from_str(paper).unwrap();
    let written = serde_json::to_string(&book).unwrap();
    assert!(written.contains(r#""acme/small":{"base":{"input":"0.15","output":"0.6"}}"#));
    assert!(written.contains(r#""request":"0.01""#) && written.contains(r#""cache_read":"0.3""#));
    assert_eq!(serde_json::from_str::<PriceBook>(&written).unwrap(), book);
    assert_eq!(book.len(), 2);

    for (from, to, why) in [
        (r#""1.5e-1""#, "0.15", "invalid type: floating point"),
        (r#""1.5e-1""#, "null", "invalid type: null"),
        (r#""input":"1.5e-1","#, "", "missing field `input`"),
        (r#""1.5e-1""#, r#""1.5e-9""#, "finer than the smallest unit"),
        (r#""request":"0.01""#, r#""fee":"0.01""#, "unknown field `fee`"),
        ("acme/small", "acme/large", "the model `acme/large` has two prices"),
        ("acme/small", r"acme/\n", "no control characters"),
    ] {
        let mutant = paper.replacen(from, to, 1);
        let error = serde_json::from_str::<PriceBook>(&mutant).unwrap_err().to_string();
        assert!(error.contains(why), "{to}: {error}");
    }
    let named = |name: &str| PriceBook::new([(name.to_owned(), price(rates("1", "1")))]);
    assert_eq!(named(&"x".repeat(257)), Err(BadBook::Name));
    assert!(named(&"x".repeat(256)).is_ok());
}

fn any_rates() -> impl Strategy<Value = Rates> {
    let rate = || (0..5_000_000_u64).prop_map(PicoUsdPerUnit::new);
    let other = || prop::option::of(rate());
    (rate(), other(), other(), other(), rate(), other()).prop_map(
        |(input, cache_read, cache_write, cache_write_long, output, reasoning)| Rates {
            input,
            cache_read,
            cache_write,
            cache_write_long,
            output,
            reasoning,
        },
    )
}

fn any_price() -> impl Strategy<Value = Price> {
    let tiers = prop::collection::btree_map(0..400_u64, any_rates(), 0..4);
    (any_rates(), tiers, 0..5000_u64).prop_map(|(base, tiers, fee)| {
        let tiers = tiers.into_iter().map(|(above, rates)| Tier { above, rates }).collect();
        Price::new(base, tiers, NanoUsd::new(fee).unwrap()).unwrap()
    })
}

fn any_call() -> impl Strategy<Value = ModelCall> {
    (0..500_u64, 0..500_u64, 1..4_u32, any::<bool>()).prop_map(
        |(input, max_output, choices, writes_cache)| ModelCall {
            input,
            max_output,
            choices: NonZeroU32::new(choices).unwrap(),
            writes_cache,
        },
    )
}

/// Splits `whole` at two points, as a provider that keeps to its bounds may.
fn split(whole: u64, [a, b]: [u64; 2]) -> [u64; 3] {
    let (a, b) = (a % (whole + 1), b % (whole + 1));
    [a.min(b), a.abs_diff(b), whole - a.max(b)]
}

proptest! {
    /// The heart of the cap theorem's arithmetic: whatever a provider bills within the bounds of
    /// the request was reserved.
    #[test]
    fn no_bill_within_the_bounds_is_above_the_worst_case(
        price in any_price(), call in any_call(), cuts in any::<[[u64; 2]; 3]>()
    ) {
        let [input, cache_read, written] = split(call.input, cuts[0]);
        let written = if call.writes_cache { written } else { 0 };
        let [cache_write, cache_write_long, _] = split(written, cuts[1]);
        let answers = call.max_output * u64::from(call.choices.get());
        let [output, reasoning, _] = split(answers, cuts[2]);
        let billed = Billed { input, cache_read, cache_write, cache_write_long, output, reasoning };
        prop_assert!(price.actual(&billed)? <= price.worst(&call)?);
        prop_assert!(billed.tokens() <= call.tokens());
    }

    /// The clamped call fits, and one more token per answer would not.
    #[test]
    fn a_clamp_is_the_longest_affordable_answer(
        price in any_price(), asked in any_call(), nano in 0..5_000_000_u64, tokens in 0..2000_u64,
        floor in 0..300_u64
    ) {
        let left = Usage::ZERO.with(Dimension::NanoUsd, nano).unwrap();
        let left = left.with(Dimension::Tokens, tokens).unwrap();
        let fits = |max_output| {
            let call = ModelCall { max_output, ..asked };
            price.reservation(&call).unwrap().first_above(&left).is_none()
        };
        let longest = (0..=asked.max_output).rev().find(|&max_output| fits(max_output));
        let expected = longest.filter(|&longest| longest >= floor.max(1).min(asked.max_output));
        let clamped = price.clamp(&asked, &left, floor);
        prop_assert_eq!(clamped.map(|call| call.max_output).ok(), expected);
    }

    /// Spelled and read again, in dollars and per million, nothing is lost.
    #[test]
    fn decimals_come_back(pico in any::<u64>(), nano in 0..=MAX_EXACT) {
        let price = PicoUsdPerUnit::new(pico);
        prop_assert_eq!(PicoUsdPerUnit::per_million(&price.to_string()), Ok(price));
        let amount = NanoUsd::new(nano).unwrap();
        prop_assert_eq!(amount.decimal().parse(), Ok(amount));
        let shown = amount.to_string();
        prop_assert_eq!(shown.trim_start_matches('$').parse(), Ok(amount));
    }

    /// The same number, spelled with its point anywhere, is the same price.
    #[test]
    fn every_spelling_is_the_same_number(pico in 0..1_000_000_000_u64, shift in 0..30_i32) {
        let digits = format!("{pico:0>31}");
        let (whole, part) = digits.split_at(31 - usize::try_from(shift).unwrap());
        let whole = match whole.trim_start_matches('0') { "" => "0", whole => whole };
        let point = if part.is_empty() { "" } else { "." };
        let text = format!("{whole}{point}{part}e{}", shift - 12);
        prop_assert_eq!(PicoUsdPerUnit::per_unit(&text), Ok(PicoUsdPerUnit::new(pico)));
    }

    #[test]
    fn no_text_is_read_as_another_number(text in "[0-9eE.+-]{0,12}") {
        // Rust's own reader decides what is a number; it reads more spellings, never another value.
        if let Ok(price) = PicoUsdPerUnit::per_million(&text) {
            let float: f64 = text.parse().unwrap();
            let pico = price.get() as f64;
            prop_assert!((float * 1e6 - pico).abs() <= pico * 1e-12);
        }
    }

    #[test]
    fn no_text_makes_the_reader_stumble(text in ".{0,60}") {
        let _ = PicoUsdPerUnit::per_million(&text);
        let _ = text.parse::<NanoUsd>();
    }
}
