//! Text that looks like a credential, whether or not the host knows it.

use std::borrow::Cow;

use super::REDACTED;

/// How keys and tokens of known issuers begin, with the fewest letters that follow in a real one.
pub const KEY_PREFIXES: [(&str, usize); 19] = [
    ("sk-", 16),
    ("sk_live_", 16),
    ("rk_live_", 16),
    ("ghp_", 20),
    ("gho_", 20),
    ("ghs_", 20),
    ("ghu_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("xoxa-", 10),
    ("xoxb-", 10),
    ("xoxp-", 10),
    ("xapp-", 10),
    ("npm_", 30),
    ("hf_", 30),
    ("SG.", 30),
    ("AKIA", 16),
    ("ASIA", 16),
    ("AIza", 30),
];

/// What else is not shown: what begins like JSON in base64, as signed tokens do, and what follows
/// a word that says so.
const HIDDEN_PREFIXES: [(&str, usize); 2] = [("eyJ", 20), ("Bearer ", 8)];

/// Member names whose values are credentials, compared without case, `-` and `_`.
const SENSITIVE: [&str; 9] = [
    "password",
    "passwd",
    "secret",
    "token",
    "apikey",
    "authorization",
    "accesstoken",
    "clientsecret",
    "privatekey",
];

/// Replaces credentials by their shape: PEM blocks, known prefixes, user names and passwords in
/// addresses, values of sensitive names.
pub(super) fn redact(text: &str) -> Cow<'_, str> {
    let steps: [fn(&str) -> Option<String>; 4] = [private_keys, prefixed, addresses, named];
    steps.into_iter().fold(Cow::Borrowed(text), |text, step| step(&text).map_or(text, Cow::Owned))
}

fn private_keys(text: &str) -> Option<String> {
    let (before, key) = text.split_once("-----BEGIN ")?;
    key.contains("PRIVATE KEY").then(|| format!("{before}{REDACTED}"))
}

fn prefixed(text: &str) -> Option<String> {
    KEY_PREFIXES.iter().chain(&HIDDEN_PREFIXES).fold(None, |changed, (prefix, min)| {
        let text = changed.as_deref().unwrap_or(text);
        if text.contains(prefix) { Some(without(text, prefix, *min)) } else { changed }
    })
}

fn without(text: &str, prefix: &str, min: usize) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(prefix) {
        let tail = after.find(|c: char| !is_token_char(c)).unwrap_or(after.len());
        let (token, following) = after.split_at_checked(tail).unwrap_or((after, ""));
        let fresh = !before.ends_with(|c: char| c.is_ascii_alphanumeric());
        kept.push_str(before);
        if token.len() >= min && fresh {
            kept.push_str(REDACTED);
        } else {
            kept.push_str(prefix);
            kept.push_str(token);
        }
        rest = following;
    }
    kept.push_str(rest);
    kept
}

const fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '=' | '+' | '/' | '~')
}

/// `postgres://user:password@host/`: what stands before the host goes.
fn addresses(text: &str) -> Option<String> {
    if !(text.contains("://") && text.contains('@')) {
        return None;
    }
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        kept.push_str(before);
        kept.push_str("://");
        let end = after.find(['/', '?', '#', ' ', '"', '\'', '<', '>', '\n']);
        let authority = after.get(..end.unwrap_or(after.len())).unwrap_or(after);
        let user = authority.rfind('@').unwrap_or(0);
        if user > 0 {
            kept.push_str(REDACTED);
        }
        rest = after.get(user..).unwrap_or_default();
    }
    kept.push_str(rest);
    Some(kept)
}

/// `"api_key": "…"`, `api-key=…`, `Authorization: …`: the value goes, the name stays.
fn named(text: &str) -> Option<String> {
    let mut names = text.match_indices([':', '=']);
    if !names.any(|(at, _)| text.get(..at).is_some_and(is_sensitive)) {
        return None;
    }
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find([':', '=']) {
        let (name, value) = rest.split_at_checked(at + 1).unwrap_or((rest, ""));
        kept.push_str(name);
        rest = value;
        if is_sensitive(name.trim_end_matches([':', '='])) {
            let lead = lead(value);
            let body = value.get(lead.len()..).unwrap_or_default();
            let end = value_end(lead, body).unwrap_or(body.len());
            kept.push_str(lead);
            if end > 0 {
                kept.push_str(REDACTED);
            }
            rest = body.get(end..).unwrap_or_default();
        }
    }
    kept.push_str(rest);
    Some(kept)
}

/// The spaces and the one quote, perhaps escaped, that a value begins with.
fn lead(value: &str) -> &str {
    let bare = value.trim_start_matches([' ', '\\']);
    let body = bare.strip_prefix(['"', '\'']).unwrap_or(bare);
    value.get(..value.len() - body.len()).unwrap_or_default()
}

/// Where a value ends: at its closing quote or bracket, else at what separates values.
fn value_end(lead: &str, body: &str) -> Option<usize> {
    let Some(quote) = lead.chars().next_back().filter(|last| matches!(last, '"' | '\'')) else {
        return match body.chars().next() {
            Some('{') => body.find('}'),
            Some('[') => body.find(']'),
            Some(_) | None => body.find(['"', '\'', ',', '&', '\n', ';', '}']),
        };
    };
    // In JSON inside JSON the closing quote is escaped like the opening one.
    let mut escaped = false;
    body.find(|c: char| {
        let ends = c == quote && (!escaped || lead.contains('\\'));
        escaped = c == '\\' && !escaped;
        ends
    })
}

/// Whether the word at the end of `before` names a credential.
fn is_sensitive(before: &str) -> bool {
    let before = before.trim_end_matches([' ', '"', '\'', '\\']);
    let is_name = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let word = before.chars().rev().take_while(is_name).filter(char::is_ascii_alphanumeric);
    let ends_with = |name: &&str| {
        name.chars().rev().eq(word.clone().map(|c| c.to_ascii_lowercase()).take(name.len()))
    };
    SENSITIVE.iter().any(ends_with)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(redact(text), expected);
    }

    #[test]
    fn shapes_of_credentials_go() {
        check("use sk-abcdefghijklmnop0123 now", "use [redacted] now");
        check("key\n-----BEGIN PRIVATE KEY-----\nMC4C", "key\n[redacted]");
        check("postgres://ada:pass@word@db:5432/x", "postgres://[redacted]@db:5432/x");
    }

    #[test]
    fn values_of_sensitive_names_go() {
        check(r#"{"api_key": "abc", "n": 1}"#, r#"{"api_key": "[redacted]", "n": 1}"#);
        check("X-Api-Key=abc&page=2", "X-Api-Key=[redacted]&page=2");
        check("Authorization: Basic Zm9v\nHost: a", "Authorization: [redacted]\nHost: a");
        check(r#"{"password":"a,b\"c;d","n":1}"#, r#"{"password":"[redacted]","n":1}"#);
        check(r#"{\"password\":\"a,b\",\"n\":1}"#, r#"{\"password\":\"[redacted]",\"n\":1}"#);
        check(r#"{"token":"","secret":["a","b"]}"#, r#"{"token":"","secret":[redacted]]}"#);
        check(r#"{"token":{"value":"abc"},"n":1}"#, r#"{"token":[redacted]},"n":1}"#);
    }

    #[test]
    fn ordinary_text_stays() {
        for text in [
            "a risk-free plan",
            "tokens: 12",
            "see https://a.test/?page=2",
            "https://registry.test/@scope/name",
            "ada@example.org",
            "sk-",
            "{}",
        ] {
            check(text, text);
        }
    }
}
