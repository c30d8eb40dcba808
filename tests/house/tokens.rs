//! Rust read as tokens: enough to measure, and unlike a parser it looks inside macros too.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// A function: its name, its first line and how many lines it takes.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    pub line: usize,
    pub lines: usize,
}

/// Reads `text`, which must be Rust.
pub fn parse(text: &str) -> TokenStream {
    text.parse().unwrap_or_else(|error| panic!("not Rust: {error}"))
}

/// Every function with a body, however deep it stands.
pub fn functions(tokens: TokenStream) -> Vec<Function> {
    let mut found = Vec::new();
    each_level(tokens, &mut |level| {
        for (at, pair) in level.windows(2).enumerate() {
            let [TokenTree::Ident(word), TokenTree::Ident(name)] = pair else { continue };
            let body = if word == "fn" { body(&level[at..]) } else { None };
            if let Some(body) = body {
                let line = word.span().start().line;
                let lines = body.span_close().end().line - line + 1;
                found.push(Function { name: name.to_string(), line, lines });
            }
        }
    });
    found
}

/// The lines taken by modules that only exist under `#[cfg(test)]`.
pub fn test_lines(tokens: TokenStream) -> usize {
    let level: Vec<_> = tokens.into_iter().collect();
    let mut lines = 0;
    for (at, window) in level.windows(5).enumerate() {
        let [_, attribute, TokenTree::Ident(word), _, TokenTree::Group(body)] = window else {
            continue;
        };
        if word == "mod" && attribute.to_string().replace(' ', "") == "[cfg(test)]" {
            lines += body.span_close().end().line - level[at].span().start().line + 1;
        }
    }
    lines
}

/// The names declared right after one of `keywords`, with their lines.
pub fn names_after(tokens: TokenStream, keywords: &[&str]) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    each_level(tokens, &mut |level| {
        for pair in level.windows(2) {
            let [TokenTree::Ident(word), TokenTree::Ident(name)] = pair else { continue };
            if keywords.iter().any(|keyword| word == keyword) {
                found.push((name.to_string(), name.span().start().line));
            }
        }
    });
    found
}

/// The modules that stand in files of their own: `mod name;`.
pub fn file_modules(tokens: TokenStream) -> Vec<String> {
    let level: Vec<_> = tokens.into_iter().collect();
    let declared = level.windows(3).filter_map(|window| match window {
        [TokenTree::Ident(word), TokenTree::Ident(name), TokenTree::Punct(end)]
            if word == "mod" && end.as_char() == ';' =>
        {
            Some(name.to_string())
        }
        _ => None,
    });
    declared.collect()
}

/// The lines of attributes in which `word` stands.
pub fn attributes_with(tokens: TokenStream, word: &str) -> Vec<usize> {
    let mut found = Vec::new();
    each_level(tokens, &mut |level| {
        for (at, token) in level.iter().enumerate() {
            let TokenTree::Group(group) = token else { continue };
            let opened = level[..at].iter().rev().find(|token| !is_punct(token, '!'));
            if opened.is_some_and(|token| is_punct(token, '#')) && contains(group.stream(), word) {
                found.push(group.span_open().start().line);
            }
        }
    });
    found
}

/// The braces that end a function starting at `level[0]`; a const argument's braces do not.
fn body(level: &[TokenTree]) -> Option<&Group> {
    for (at, token) in level.iter().enumerate() {
        match token {
            TokenTree::Punct(end) if end.as_char() == ';' => return None,
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                let argument = level
                    .get(at + 1)
                    .is_some_and(|next| is_punct(next, '>') || is_punct(next, ','));
                if !argument {
                    return Some(group);
                }
            }
            _ => {}
        }
    }
    None
}

fn each_level(tokens: TokenStream, look: &mut impl FnMut(&[TokenTree])) {
    let level: Vec<_> = tokens.into_iter().collect();
    look(&level);
    for token in level {
        if let TokenTree::Group(group) = token {
            each_level(group.stream(), look);
        }
    }
}

fn contains(tokens: TokenStream, word: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == word,
        TokenTree::Group(group) => contains(group.stream(), word),
        _ => false,
    })
}

fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

#[test]
fn functions_are_found_everywhere() {
    let text = "trait T { fn none(&self) -> F<{ N }>; fn a(&self)\n{ } }\n\
        some! { fn b(x in 0..9)\n-> Is<{ 1 }, { 2 }>\n where X: Y, {\n fn c() {} } }";
    let sizes: Vec<_> = functions(parse(text)).into_iter().map(|f| (f.name, f.lines)).collect();
    let expected = [("a", 2), ("b", 4), ("c", 1)].map(|(name, lines)| (name.to_string(), lines));
    assert_eq!(sizes, expected);
}

#[test]
fn test_modules_are_cut() {
    assert_eq!(test_lines(parse("fn a() {}\n#[cfg(test)]\nmod tests {\n}\nfn b() {}")), 3);
    assert_eq!(test_lines(parse("fn a() {}\n#[cfg(unix)]\nmod tests {\n}\nfn b() {}")), 0);
}
