//! Patterns match what they say, and containment is the truth about all paths.

use std::sync::LazyLock;

use envelope_rules::path::{Flaw, Path, Prefix};
use envelope_rules::pattern::{PATTERNS_MAX, Pattern, PatternSet};
use proptest::prelude::*;

fn pattern(text: &str) -> Pattern {
    Pattern::parse(text).unwrap_or_else(|bad| panic!("`{text}`: {bad}"))
}

fn path(text: &str) -> Path {
    Path::parse(text).unwrap()
}

fn set(texts: &[&str]) -> PatternSet {
    PatternSet::parse(texts).unwrap()
}

#[test]
fn what_matches_and_what_does_not() {
    for (text, yes, no) in [
        (
            "rfp/*.pdf",
            ["rfp/a.pdf", "rfp/.pdf", "rfp/a b.pdf"],
            ["rfp/a/b.pdf", "rfp/a.PDF", "rfp"],
        ),
        ("rfp/**", ["rfp/a", "rfp/a/b", "rfp/.hidden"], ["rfp", "rfpx/a", "a/rfp/b"]),
        ("**", ["a", "a/b", "a/b/c"], ["", "", ""]),
        ("*", ["a", "ab", "..."], ["a/b", "a/b/c", ""]),
        ("a*b*c", ["abc", "aXbYc", "abcbc"], ["ab", "acb", "abcd"]),
        ("*/*/x", ["a/b/x", "c/d/x", "x/x/x"], ["a/x", "a/b/c/x", "a/b/y"]),
        ("a*a", ["aa", "aba", "aaa"], ["a", "ab", "ba"]),
        ("*aab", ["aab", "aaab", "xaab"], ["aabx", "ab", "aa"]),
        ("[x]?{y}", ["[x]?{y}", "[x]?{y}", "[x]?{y}"], ["x", "xay", "[x]a{y}"]),
        ("語*", ["語", "語学", "語a"], ["学語", "a", "語/学"]),
    ] {
        for (text_of_path, wanted) in
            yes.map(|yes| (yes, true)).into_iter().chain(no.map(|no| (no, false)))
        {
            if let Ok(path) = Path::parse(text_of_path) {
                assert_eq!(pattern(text).matches(&path), wanted, "`{text}` and `{path}`");
            }
        }
    }
}

#[test]
fn double_stars_stand_last_and_alone() {
    for (text, at) in
        [("**/a", 0), ("a**", 1), ("a/b**", 3), ("a/**b", 2), ("***", 0), ("a/**/**", 2)]
    {
        let bad = Pattern::parse(text).unwrap_err();
        assert_eq!((bad.flaw, bad.at), (Flaw::DoubleStar, at), "{text}");
    }
    for text in ["**", "a/**", "a/*/**", "*", "*a*"] {
        assert_eq!(pattern(text).to_string(), text);
    }
    for text in ["", "/a", "a/", "../*", "a/./*", "a//**", "a\\*", "e\u{301}*"] {
        assert!(Pattern::parse(text).is_err(), "{text}");
    }
}

#[test]
fn no_pattern_matches_the_root_and_every_one_reaches_below_it() {
    for text in ["*", "**", "a", "*/*", "*/**", ".*", "*.", "a/**"] {
        assert!(!pattern(text).matches(&Path::root()), "{text}");
        assert!(pattern(text).reaches_below(&Path::root()), "{text}");
    }
    assert!(pattern("**").matches(&path("...")));
    assert!(!set(&[]).reaches_below(&Path::root()));
}

#[test]
fn nothing_lies_below_the_deepest_folder() {
    let deep = |depth| path(&vec!["a"; depth].join("/"));
    assert!(pattern("**").reaches_below(&deep(31)) && !pattern("**").reaches_below(&deep(32)));
    let longest = pattern(&vec!["a"; 32].join("/"));
    assert!(longest.reaches_below(&deep(31)) && !longest.reaches_below(&deep(32)));
}

#[test]
fn a_set_is_bounded() {
    assert!(PatternSet::new(vec![pattern("a"); PATTERNS_MAX]).is_ok());
    assert!(PatternSet::new(vec![pattern("a"); PATTERNS_MAX + 1]).is_err());
    assert!(!PatternSet::default().matches(&path("a")));
}

#[test]
fn containment_of_one_in_one() {
    for (child, parent, wanted) in [
        ("a", "a", true),
        ("a", "*", true),
        ("*", "a", false),
        ("a*", "*", true),
        ("*", "a*", false),
        ("ab*", "a*", true),
        ("a*b", "a*", true),
        ("a*", "a*b", false),
        ("a*b*c", "a*c", true),
        ("a*c", "a*b*c", false),
        ("a*b", "*a*b*", true),
        ("rfp/*.pdf", "rfp/*", true),
        ("rfp/*", "rfp/**", true),
        ("rfp/**", "rfp/*", false),
        ("rfp/**", "**", true),
        ("**", "rfp/**", false),
        ("**", "**", true),
        ("rfp", "rfp/**", false),
        ("a/*/c", "a/**", true),
        ("a/*/**", "a/**", true),
        ("a/**", "a/*/**", false),
        ("a/b", "a/b/c", false),
    ] {
        assert_eq!(pattern(child).within(&pattern(parent)), wanted, "`{child}` in `{parent}`");
    }
}

#[test]
fn containment_in_a_union() {
    for (child, parents, wanted) in [
        (&["a/**"][..], &["a/*", "a/*/**"][..], true),
        (&["a/**"], &["a/*", "a/*/*", "a/*/*/**"], true),
        (&["a/**"], &["a/*", "a/*/*/**"], false),
        (&["a/**"], &["a/*", "a/*/*"], false),
        (&["a*"], &["ab*", "ac*"], false),
        (&["ab", "ac"], &["a*"], true),
        (&["x", "y/z"], &["y/*", "x"], true),
        (&["x", "y/z"], &["y/*"], false),
        (&[], &[], true),
        (&["a"], &[], false),
    ] {
        assert_eq!(set(child).within(&set(parents)), wanted, "{child:?} in {parents:?}");
    }
}

#[test]
fn a_prefix_reads_as_a_pattern() {
    let below = Pattern::below(&Prefix::parse("rfp/draft/").unwrap());
    assert_eq!(below, pattern("rfp/draft/**"));
    assert_eq!(Pattern::below(&Prefix::parse("./").unwrap()), pattern("**"));
    let deepest = Prefix::parse(&"a/".repeat(32)).unwrap();
    assert!(!Pattern::below(&deepest).matches(&path(&["a"; 32].join("/"))));
}

/// Tries every split: the meaning of a pattern, spelled out.
fn means(glob: &[u8], text: &[u8]) -> bool {
    match glob {
        [] => text.is_empty(),
        b"/**" => text.first() == Some(&b'/'),
        b"**" => true,
        [b'*', rest @ ..] => {
            let reach = text.iter().position(|&byte| byte == b'/').unwrap_or(text.len());
            (0..=reach).any(|taken| means(rest, &text[taken..]))
        }
        [letter, rest @ ..] => text.first() == Some(letter) && means(rest, &text[1..]),
    }
}

/// Every path of up to two segments of up to three letters, and enough of the deeper ones that
/// whatever the patterns below can tell apart is told apart. No pattern holds a `c`.
static PATHS: LazyLock<Vec<Path>> = LazyLock::new(|| {
    let mut names = vec![String::new()];
    let mut all = Vec::new();
    for _ in 0..3 {
        names =
            names.iter().flat_map(|name| ["a", "b", "c"].map(|c| format!("{name}{c}"))).collect();
        all.extend(names.clone());
    }
    let join = |heads: &[String], tails: &[&str]| -> Vec<String> {
        heads
            .iter()
            .flat_map(|head| tails.iter().map(move |tail| format!("{head}/{tail}")))
            .collect()
    };
    let tails: Vec<&str> = all.iter().map(String::as_str).collect();
    let two = join(&all, &tails);
    let three = join(&two, &["a", "b", "c"]);
    let four = join(&join(&two, &["c"]), &["c"]);
    [all.clone(), two, three, four].iter().flatten().map(|text| path(text)).collect()
});

/// Up to two segments of up to three of `a`, `b`, `*`, and perhaps `**`: what [`PATHS`] tells
/// apart.
fn patterns() -> impl Strategy<Value = Pattern> {
    let glob = prop::collection::vec(prop::sample::select(vec!['a', 'b', '*', '*']), 1..=3);
    let glob = glob.prop_map(String::from_iter).prop_filter("no `**`", |glob| !glob.contains("**"));
    (prop::collection::vec(glob, 0..=2), any::<bool>())
        .prop_filter("something", |(stem, deep)| *deep || !stem.is_empty())
        .prop_map(|(stem, deep)| {
            stem.into_iter().chain(deep.then(|| "**".into())).collect::<Vec<_>>()
        })
        .prop_map(|segments| pattern(&segments.join("/")))
}

fn sets(sizes: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = PatternSet> {
    prop::collection::vec(patterns(), sizes).prop_map(|patterns| PatternSet::new(patterns).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn matching_means_what_it_says(pattern in patterns()) {
        let text = pattern.to_string();
        for path in PATHS.iter() {
            let wanted = means(text.as_bytes(), path.as_str().as_bytes());
            prop_assert_eq!(pattern.matches(path), wanted, "`{}` and `{}`", pattern, path);
        }
    }

    /// Both ways: what is called reached has an example, and what is not has none.
    #[test]
    fn what_reaches_below_a_folder_matches_there(pattern in patterns()) {
        for folder in PATHS.iter().filter(|path| path.segments().count() <= 2).step_by(7) {
            let below = format!("{folder}/");
            let found = PATHS.iter().find(|path| {
                path.as_str().starts_with(&below) && pattern.matches(path)
            });
            let reaches = pattern.reaches_below(folder);
            prop_assert_eq!(reaches, found.is_some(), "`{}` below `{}`", pattern, folder);
        }
    }

    /// Both ways: what is called contained has no counterexample, and what is not has one.
    #[test]
    fn containment_is_the_truth(child in sets(1..=2), parent in sets(0..=4)) {
        let escape = PATHS.iter().find(|path| child.matches(path) && !parent.matches(path));
        prop_assert_eq!(child.within(&parent), escape.is_none(), "{:?}", escape);
    }

    /// Unions that only hold together: the child and the pieces it is made of.
    #[test]
    fn a_folder_is_the_union_of_its_levels(
        stem in patterns(),
        levels in 1..4_usize,
        gap in 0..5_usize,
    ) {
        let stem = stem.to_string();
        let stem = stem.trim_end_matches("**").trim_end_matches('/');
        prop_assume!(!stem.is_empty());
        let mut pieces: Vec<String> =
            (1..=levels).map(|level| format!("{stem}{}", "/*".repeat(level))).collect();
        pieces.push(format!("{stem}{}/**", "/*".repeat(levels)));
        let folder = pattern(&format!("{stem}/**"));
        let all = PatternSet::new(pieces.iter().map(|text| pattern(text)).collect()).unwrap();
        let child = PatternSet::new(vec![folder]).unwrap();
        prop_assert!(child.within(&all) && all.within(&child));
        if gap < pieces.len() {
            pieces.remove(gap);
            let torn = PatternSet::new(pieces.iter().map(|text| pattern(text)).collect()).unwrap();
            prop_assert!(!child.within(&torn));
        }
    }

    /// Containment is an order.
    #[test]
    fn containment_is_transitive(a in sets(1..=2), b in sets(1..=3), c in sets(1..=3)) {
        prop_assert!(a.within(&a));
        prop_assert!(!(a.within(&b) && b.within(&c)) || a.within(&c));
    }
}
