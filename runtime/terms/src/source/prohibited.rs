//! What no contract may contain: text that a reader does not see or cannot keep, and work that is
//! refused whatever the parties agree.

use std::ops::Range;

use super::data::Data;
use super::diagnostic::Diagnostic;
use crate::contract::{Code, Contract, Currency};

/// Work that is refused, by the words of a tool's or deliverable's name, and why.
const REFUSED: [(&str, &str); 8] = [
    ("social-scoring", "people are not scored by their social behaviour"),
    ("emotion-recognition", "the feelings of staff or pupils are not inferred"),
    ("predictive-policing", "nobody is suspected for a profile alone"),
    ("face-scraping", "faces are not collected without aim"),
    ("mass-surveillance", "people are not watched without a cause"),
    ("weapon-targeting", "no agent chooses whom to harm"),
    ("credential-theft", "secrets are not taken from their owners"),
    ("sanctions-evasion", "sanctions are not got around"),
];

/// Characters that change what is seen and are not seen themselves.
const HIDDEN: [std::ops::RangeInclusive<char>; 7] = [
    '\u{ad}'..='\u{ad}',
    '\u{200b}'..='\u{200f}',
    '\u{2028}'..='\u{202e}',
    '\u{2060}'..='\u{2069}',
    '\u{feff}'..='\u{feff}',
    '\u{fff9}'..='\u{fffb}',
    '\u{e0000}'..='\u{e01ef}',
];

/// Every character of a source that a reader does not see.
pub(super) fn hidden(text: &str) -> impl Iterator<Item = Diagnostic> {
    let found = text.char_indices().filter(|(_, c)| HIDDEN.iter().any(|range| range.contains(c)));
    found.map(|(at, c)| {
        let message = format!("a character that nobody sees, U+{:04X}", u32::from(c));
        Diagnostic::new(Code::Prohibited, at..at + c.len_utf8(), message)
    })
}

/// What the author's words, which stand at byte `at`, may not do: hide words in HTML, show what
/// lies elsewhere, or state an amount by hand.
pub(super) fn plain(words: &str, at: usize) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let place = |start: usize, length: usize| at + start..at + start + length;
    for (start, _) in words.match_indices('<') {
        let next = words.get(start + 1..).and_then(|rest| rest.chars().next());
        if next.is_some_and(|c| c.is_ascii_alphabetic() || matches!(c, '!' | '/' | '?')) {
            let message = "HTML hides words from those who read the page";
            found.push(Diagnostic::new(Code::Prohibited, place(start, 1), message));
        }
    }
    for (start, _) in words.match_indices("![") {
        let message = "a picture shows what can change after the signature";
        found.push(Diagnostic::new(Code::Prohibited, place(start, 2), message));
    }
    found.extend(amounts(words).map(|span| {
        let message = "an amount written by hand";
        Diagnostic::new(Code::Fidelity, place(span.start, span.len()), message)
            .help("put it into the data and name it in a slot: `{{ price.amount }}`")
    }));
    found
}

/// `CHF 2,400` and `CHF2400`: a currency and a digit.
fn amounts(words: &str) -> impl Iterator<Item = Range<usize>> {
    let begins = |(at, _): &(usize, char)| {
        let before = words.get(..*at).and_then(|before| before.chars().next_back());
        !before.is_some_and(|c| c.is_ascii_alphanumeric())
    };
    words.char_indices().filter(|(_, c)| c.is_ascii_uppercase()).filter(begins).filter_map(
        |(at, _)| {
            let (code, rest) = words.get(at..)?.split_at_checked(3)?;
            let known = Currency::ALL.iter().any(|currency| currency.code() == code);
            let amount = rest.trim_start_matches([' ', '\u{a0}']);
            let digits = amount.split(|c| !is_amount(c)).next().unwrap_or_default();
            let digits = digits.trim_end_matches(|c: char| !c.is_ascii_digit()).len();
            let number = known && amount.starts_with(|c: char| c.is_ascii_digit());
            let end = at + 3 + (rest.len() - amount.len()) + digits;
            number.then_some(at..end)
        },
    )
}

fn is_amount(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, ',' | '.' | '\'')
}

/// Work that the contract asks for and nobody may agree on.
pub(super) fn work(contract: &Contract, data: &Data, whole: &Range<usize>) -> Vec<Diagnostic> {
    let actions = contract.scope.actions.iter().enumerate();
    let actions =
        actions.map(|(at, action)| (format!("/scope/actions/{at}/name"), action.name.as_str()));
    let deliverables = contract.deliverables.iter().enumerate();
    let deliverables =
        deliverables.map(|(at, one)| (format!("/deliverables/{at}/title"), one.title.as_str()));
    let own = [
        ("/title".to_owned(), contract.title.as_str()),
        ("/agent/skill".to_owned(), contract.agent.skill.as_str()),
    ];
    let mut found = Vec::new();
    for (pointer, name) in own.into_iter().chain(actions).chain(deliverables) {
        let name = spelled(name);
        for (refused, why) in REFUSED {
            if name.contains(&format!("-{refused}-")) {
                let span = data.span(&pointer).unwrap_or_else(|| whole.clone());
                let message = format!("`{refused}` is refused: {why}");
                found.push(Diagnostic::new(Code::Prohibited, span, message));
            }
        }
    }
    found
}

/// The words of a name in lower case, each between hyphens.
fn spelled(name: &str) -> String {
    let letters =
        name.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
    format!("-{}-", letters.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_are_refused() {
        let codes = |words| Vec::from_iter(plain(words, 0).into_iter().map(|one| one.code));
        for fine in ["a < b", "CHF and 5", "xCHF 5", "ACHF 5", "see [here](x)", "5 CHF", "1 <2"] {
            assert_eq!(codes(fine), [], "{fine}");
        }
        for wrong in ["<b>", "<!-- a -->", "</p>", "![a](b)"] {
            assert_eq!(codes(wrong)[0], Code::Prohibited, "{wrong}");
        }
        for wrong in ["CHF 2,400.00", "EUR5", "(USD 1)"] {
            assert_eq!(codes(wrong), [Code::Fidelity], "{wrong}");
        }
        let texts = ["a\u{200b}", "\u{202e}", "\u{feff}", "\u{e0041}"];
        assert!(texts.iter().all(|text| hidden(text).count() == 1));
        assert_eq!(hidden("Zürich — „a“ 日本 🙂").count(), 0);
    }
}
