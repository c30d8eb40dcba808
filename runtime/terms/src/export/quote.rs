//! Text and numbers in foreign languages. Everything outside printable ASCII is escaped, so that no
//! export depends on how its reader decodes text.

use std::fmt::Write as _;

/// A Rego string.
pub(super) fn rego(text: &str) -> String {
    let mut quoted = String::from("\"");
    for unit in text.encode_utf16() {
        match char::from_u32(u32::from(unit)).filter(|c| is_plain(*c)) {
            Some(plain) => quoted.push(plain),
            None => drop(write!(quoted, "\\u{unit:04x}")),
        }
    }
    quoted + "\""
}

/// A Cedar string.
pub(super) fn cedar(text: &str) -> String {
    quote(text, |c| format!("\\u{{{:x}}}", u32::from(c)))
}

/// A YAML string.
pub(super) fn yaml(text: &str) -> String {
    quote(text, |c| format!("\\U{:08x}", u32::from(c)))
}

/// A string in a condition of `governance.toolkit/v1`, which has no escapes and takes conditions
/// apart without looking at quotes. What it cannot say is `None`, and so is never allowed.
pub(super) fn condition(text: &str) -> Option<String> {
    let breaks = text.contains(['\'', '"']) || text.contains(" or ") || text.contains(" and ");
    (!text.is_empty() && !breaks).then(|| format!("'{text}'"))
}

/// The same as an entry of a list.
pub(super) fn condition_entry(text: &str) -> Option<String> {
    condition(text).filter(|_| text.trim() == text && !text.contains([',', '[', ']']))
}

/// Billionths of a dollar as dollars.
pub(super) fn dollars(nano_usd: u64) -> String {
    const NANO: u64 = 1_000_000_000;
    let (whole, part) = (nano_usd / NANO, nano_usd % NANO);
    let decimal = format!("{whole}.{part:09}");
    decimal.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn quote(text: &str, escape: fn(char) -> String) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        if is_plain(c) {
            quoted.push(c);
        } else {
            quoted.push_str(&escape(c));
        }
    }
    quoted + "\""
}

const fn is_plain(c: char) -> bool {
    matches!(c, ' '..='~') && !matches!(c, '"' | '\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted() {
        let text = "a\"\\\n*é\u{1f600}";
        assert_eq!(rego(text), r#""a\u0022\u005c\u000a*\u00e9\ud83d\ude00""#);
        assert_eq!(serde_json::from_str::<String>(&rego(text)).unwrap(), text);
        assert_eq!(cedar(text), r#""a\u{22}\u{5c}\u{a}*\u{e9}\u{1f600}""#);
        assert_eq!(yaml(text), r#""a\U00000022\U0000005c\U0000000a*\U000000e9\U0001f600""#);
    }

    #[test]
    fn a_condition_says_only_what_it_can() {
        assert_eq!(condition("web.search").as_deref(), Some("'web.search'"));
        assert_eq!(condition("[::1]").as_deref(), Some("'[::1]'"));
        for wrong in ["", "it's", "\"", "a' or 'b", "a or b", "x and y"] {
            assert_eq!(condition(wrong), None, "{wrong}");
            assert_eq!(condition_entry(wrong), None, "{wrong}");
        }
        for wrong in ["[::1]", "a,b", " a", "a\n"] {
            assert_eq!(condition_entry(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn dollars_are_exact() {
        let rows = [(0, "0"), (1, "0.000000001"), (1_500_000_000, "1.5"), (25_000_000_000, "25")];
        for (nano_usd, text) in rows {
            assert_eq!(dollars(nano_usd), text);
        }
    }
}
